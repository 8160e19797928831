#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a guest root (scripts/vm/build.sh): the module for kernel $1, and the test accelerator.
set -eu

/mnt/src/kmod/build.sh "/lib/modules/$1/build" "/mnt/build/kmod/$1"
/mnt/src/kmod/build.sh "/lib/modules/$1/build" "/mnt/build/kmod/$1" testaccel
