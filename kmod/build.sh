#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Build ringfence.ko, or another module below this directory, for one kernel.
# Usage: build.sh KERNEL_BUILD_DIR OUTPUT_DIR [testaccel]
#
#   kmod/build.sh /lib/modules/6.12.107+deb13-amd64/build build/kmod
#   kmod/build.sh /lib/modules/6.12.107+deb13-amd64/build build/kmod testaccel
#
# The second leaves build/kmod/testaccel/rf_testaccel.ko.
# The sources are copied to the output first, because kbuild writes beside what
# it compiles and the source tree may be read-only. Where the kernel's own
# build left the module without BTF (Debian 12 ships neither vmlinux nor
# resolve_btfids with its headers) it is added here; when that cannot be done
# the module still works, and only its kfuncs are missing.
set -eu

kernel=${1:?usage: build.sh KERNEL_BUILD_DIR OUTPUT_DIR [MODULE]}
out=${2:?usage: build.sh KERNEL_BUILD_DIR OUTPUT_DIR [MODULE]}
part=${3:-}
src=$(cd "$(dirname "$0")" && pwd)
include=$src/include
[ -d "$include" ] || include=$src/../include

[ -e "$kernel/Makefile" ] || { echo "kmod: no kernel headers in $kernel" >&2; exit 1; }

mkdir -p "$out/include/ringfence" "$out/$part"
out=$(cd "$out" && pwd)
if [ "$out" != "$src" ]; then
	cp -pu "$src/$part"/*.c "$src/$part"/*.h "$src/$part/Kbuild" "$out/$part"
	cp -pu "$include"/ringfence/*.h "$out/include/ringfence/"
fi

version=$(cat "$src/VERSION" 2>/dev/null || cat "$src/../VERSION")
# Not the O= of a make above: Kbuild would take it for its own.
MAKEFLAGS='' make -s -C "$kernel" M="$out${part:+/$part}" RF_VERSION="$version" ${CC:+CC="$CC"} modules
# Only ringfence.ko offers functions to BPF.
[ -z "$part" ] || exit 0

has_btf() { readelf -SW "$1" | grep -q ' \.BTF '; }
has_btf "$out/ringfence.ko" && exit 0

no_btf()
{
	echo "kmod: ringfence.ko has no BTF, so its kfuncs are missing: $1" >&2
	exit 0
}

release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$kernel/include/generated/utsrelease.h")
pahole=$(command -v pahole) || no_btf "install pahole"
# Any later kernel's will do. On Debian 12 that is linux-kbuild-6.12 of bookworm-backports.
resolve=$(find /usr/lib/linux-kbuild-* -name resolve_btfids -type f 2>/dev/null | sort -V | head -n 1)
[ -n "$resolve" ] || no_btf "no resolve_btfids; install a linux-kbuild that has it (Debian 12: from backports)"

# The BTF of vmlinux: of the running kernel, or cut out of /boot/vmlinuz.
base=$out/vmlinux.btf
if [ "$(uname -r)" = "$release" ] && [ -r /sys/kernel/btf/vmlinux ]; then
	cat /sys/kernel/btf/vmlinux >"$base"
else
	image=/boot/vmlinuz-$release
	[ -r "$image" ] || no_btf "cannot read $image"
	# Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length.
	field() { od -An -v -j "$(($1))" -N "$2" -t "u$2" "$image" | tr -d ' '; }
	start=$((($(field 0x1f1 1) + 1) * 512 + $(field 0x248 4)))
	tail -c "+$((start + 1))" "$image" | head -c "$(field 0x24c 4)" >"$out/vmlinux.packed"
	command -v xz >/dev/null || no_btf "install xz-utils"
	xz -dc --single-stream "$out/vmlinux.packed" >"$out/vmlinux.elf" 2>/dev/null ||
		no_btf "$image is not compressed with xz"
	objcopy --dump-section .BTF="$base" "$out/vmlinux.elf" /dev/null || no_btf "$image has no BTF"
	rm -f "$out/vmlinux.packed" "$out/vmlinux.elf"
fi

# pahole has no section writer of its own and asks for LLVM's.
LLVM_OBJCOPY=${OBJCOPY:-objcopy} "$pahole" -J --btf_gen_floats --btf_base "$base" "$out/ringfence.ko" ||
	no_btf "pahole failed"
"$resolve" -b "$base" "$out/ringfence.ko" || no_btf "resolve_btfids failed"
