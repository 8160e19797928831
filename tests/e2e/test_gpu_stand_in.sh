#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test of a real GPU with what stands in for one, so that it is run on every host.
export RF_GPU_STANDIN=1
exec "$(dirname "$0")/../gpu/test_gpu_real.sh"
