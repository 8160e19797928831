#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kmod.sh [--sparse] KDIR: builds kmod/ against the kernel headers KDIR, in
# $O/kmod/RELEASE, because Kbuild writes beside its sources and several kernels
# are built from one tree. --sparse only has the sources looked at.
set -eu
cd "$(dirname "$0")/.."
: "${O:=build}"
sparse=0
if [ "${1:-}" = --sparse ]; then
	sparse=1
	shift
fi
kdir=${1:?usage: kmod.sh [--sparse] KDIR}

if ! [ -e kmod/Kbuild ]; then
	echo "kmod: no kmod/Kbuild, nothing to build"
	exit 0
fi
# The source is looked at just as well against the headers of another kernel.
if [ "$sparse" -eq 1 ] && ! [ -e "$kdir/Makefile" ]; then
	for other in /usr/src/linux-headers-*/include/config/auto.conf; do
		[ ! -e "$other" ] || kdir=${other%/include/*}
	done
fi
if ! [ -e "$kdir/Makefile" ]; then
	if [ "$sparse" -eq 1 ]; then
		echo "sparse: skipped, no kernel headers at $kdir"
		exit 0
	fi
	echo "kmod: no kernel headers at $kdir: apt-get install linux-headers-amd64, or give KDIR=DIR" >&2
	exit 1
fi

# Not "make kernelrelease": Debian's headers answer with the upstream version.
release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' "$kdir/include/generated/utsrelease.h")
out=$O/kmod/$release
if [ "$sparse" -eq 1 ]; then
	out=$O/lint/kmod/$release
fi
mkdir -p "$out/kmod"
# The module's sources find ../include as they do in the tree.
ln -sfn "$PWD/include" "$out/include"
cp -Ru kmod/. "$out/kmod/"
if [ "$sparse" -eq 1 ]; then
	# Not our own O=, which a make above passes on: Kbuild would take it for its own.
	MAKEFLAGS='' make -s -C "$kdir" M="$(cd "$out/kmod" && pwd)" C=2 CF="-Wsparse-error -D__CHECK_ENDIAN__" modules
else
	# It also gives the module the BTF that some distributions' headers cannot.
	kmod/build.sh "$kdir" "$out/kmod"
	ls "$out"/kmod/*.ko
fi
