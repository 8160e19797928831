#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a guest root (scripts/vm/build.sh): the loop and, with a second word,
# what is measured, with the types of kernel $1.
set -eu

cd /mnt/src
mkdir -p /mnt/build/tests/bench /mnt/build/tests/library
for program in ops clients; do
	gcc -std=gnu11 -D_GNU_SOURCE -I include -O2 -g -Wall -Wextra -Werror -o "/mnt/build/tests/bench/$program" \
		"tests/bench/$program.c"
done
gcc -std=gnu11 -O1 -fPIC -shared -fvisibility=hidden -o /mnt/build/tests/library/libcuda.so.1 tests/library/libcuda.c
[ -z "${2:-}" ] || make -j2 O=/mnt/build VMLINUX_BTF="/lib/modules/$1/build/vmlinux" all
# Without it its operations are left out.
kmod/build.sh "/lib/modules/$1/build" "/mnt/build/kmod/$1" testaccel ||
	echo "no test accelerator: ioctl_accel and accel_job are not measured"
