#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a guest root (scripts/vm/build.sh): the two programs, and what uses the
# test accelerator, with the types of kernel $1.
set -eu

btf=/mnt/build/kmod/$1/vmlinux.btf
[ -e "$btf" ] || btf=/lib/modules/$1/build/vmlinux
cd /mnt/src
exec make -j2 O=/mnt/build VMLINUX_BTF="$btf" all /mnt/build/tests/e2e/accel_probe
