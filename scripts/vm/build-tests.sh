#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a guest root (scripts/vm/build.sh): everything that the guest's tests
# need, with the types of kernel $1; with more words, no more than the programs
# of these files and directories. Goes on past what does not build, and fails at
# the end.
set -eu

release=$1
shift
cd /mnt/src

# There is no sysfs here: the types come from the headers' vmlinux, or from what
# the module build cut out of the kernel image.
btf=/mnt/build/kmod/$release/vmlinux.btf
[ -e "$btf" ] || btf=/lib/modules/$release/build/vmlinux

targets="all /mnt/build/tests/boundary/boundary_probe /mnt/build/tests/e2e/nvml/libnvidia-ml.so.1"
targets="$targets /mnt/build/tests/e2e/nvml/libnvidia-ml-old.so.1 /mnt/build/tests/e2e/nvml/libnvidia-ml-r610.so.1"
[ $# = 0 ] || targets=
[ $# != 0 ] || set -- tests/bpf tests/e2e tests/gpu tests/kmod
targets="$targets $(find tests/library -name 'lib*.c' 2>/dev/null | sed 's|\(.*\)\.c$|/mnt/build/\1.so.1|')"
# A library is no program.
targets="$targets $(find "$@" -name '*.c' ! -name '*.bpf.c' ! -path '*/nvml/*' 2>/dev/null | sed 's|\(.*\)\.c$|/mnt/build/\1|')"
# shellcheck disable=SC2086 # a list
make -k -j2 O=/mnt/build VMLINUX_BTF="$btf" /mnt/build/tests/kmod/kfunc.skel.h $targets
