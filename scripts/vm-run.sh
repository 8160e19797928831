#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boot one guest and pass on what it writes to its second serial line.
#
#   scripts/vm-run.sh --root DIR --kernel RELEASE --init PATH [--share NAME=DIR]...
#                     [--append "WORDS"] [--console FILE] [--limit SECONDS] [--memory MB]
#                     [--machine NAME] [--icount]
#
# PATH is in the guest; a share is there at /mnt/NAME, read-only. --icount
# makes guest time count instructions (one processor, emulated) for
# measurements; else hardware virtualisation is used where it works. Exits 124
# when the guest did not power off in time. The console goes to FILE.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/vm/roots.sh
. "$here/vm/roots.sh"

root= kernel= init= append= console=/dev/null limit=300 memory=2048 icount=no type=pc
shares=()
while [ $# -gt 0 ]; do
	case $1 in
	--root) root=$2; shift 2 ;;
	--kernel) kernel=$2; shift 2 ;;
	--init) init=$2; shift 2 ;;
	--share) shares+=("$2"); shift 2 ;;
	--append) append=$2; shift 2 ;;
	--console) console=$2; shift 2 ;;
	--limit) limit=$2; shift 2 ;;
	--memory) memory=$2; shift 2 ;;
	--machine) type=$2; shift 2 ;;
	--icount) icount=yes; shift ;;
	*) echo "vm-run: unknown argument '$1'" >&2; exit 2 ;;
	esac
done
if [ -z "$root" ] || [ -z "$kernel" ] || [ -z "$init" ]; then
	echo "vm-run: --root, --kernel and --init are needed" >&2
	exit 2
fi
if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "vm-run: qemu is missing: apt-get install qemu-system-x86" >&2
	exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/ringfence-vm-XXXXXX")
trap 'rm -rf "$work"' EXIT

# busybox, the modules between the kernel and the root, and the init that uses them.
make_initramfs()
{
	local tree=$work/initramfs path name

	mkdir -p "$tree/bin" "$tree/modules"
	cp "$root/bin/busybox" "$tree/bin/busybox"
	cp "$here/vm/initramfs-init" "$tree/init"
	chroot "$root" modprobe -S "$kernel" --show-depends -a virtio_pci 9pnet_virtio 9p overlay |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
	# None, where the kernel has them built in.
	: >"$tree/modules/order"
	while read -r path; do
		name=$(basename "${path%.xz}")
		case $path in
		*.xz) xz -dc "$root/$path" >"$tree/modules/$name" ;;
		*) cp "$root/$path" "$tree/modules/$name" ;;
		esac
		echo "$name" >>"$tree/modules/order"
	done <"$work/modules"
	(cd "$tree" && find . | bin/busybox cpio -o -H newc 2>/dev/null) >"$work/initramfs.cpio"
}

qemu=(qemu-system-x86_64 -machine "$type" -nodefaults -display none -no-reboot -kernel "$root/boot/vmlinuz-$kernel"
	-initrd "$work/initramfs.cpio")
# On a host that is busy the timer may not tick while the kernel looks whether it does, and that is a panic.
words="console=ttyS0 panic=-1 oops=panic random.trust_cpu=on no_timer_check loglevel=6 net.ifnames=0"

# /dev/kvm can be there and hang a guest. Asked once a boot of this machine.
kvm_works()
{
	local memory

	[ -w /dev/kvm ] || return 1
	memory=$rf_cache/.kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$memory" ]; then
		# In a shell of its own, which swallows the word "Aborted" as well.
		(timeout -k 1 20 "${qemu[@]}" -accel kvm -cpu host -m 512 -serial "file:$work/probe" \
			-append "$words rf.probe" </dev/null || true) >/dev/null 2>&1
		if grep -q RINGFENCE-PROBE-OK "$work/probe" 2>/dev/null; then echo yes; else echo no; fi >"$memory"
	fi
	[ "$(cat "$memory")" = yes ]
}

make_initramfs
if [ "$icount" = yes ]; then
	machine=(-accel tcg,thread=single -icount "shift=0,sleep=off" -cpu max -smp 1 -m "$memory")
elif kvm_works; then
	machine=(-accel kvm -cpu host -smp 2 -m "$memory")
else
	# Not thread=multi: QEMU 7.2 then keeps a stale translation of code that another processor
	# patches, and about one boot in ten dies of an int3 that is no longer there.
	machine=(-accel "tcg,thread=single" -cpu max -smp 2 -m "$memory")
fi

share()
{
	machine+=(-fsdev "local,id=$1,path=$2,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
share root "$root"
names=
for pair in "${shares[@]}"; do
	share "${pair%%=*}" "${pair#*=}"
	names=$names${names:+,}${pair%%=*}
done

status=0
timeout -k 5 "$limit" "${qemu[@]}" "${machine[@]}" -serial "file:$console" -serial stdio \
	-append "$words rf.init=$init rf.shares=$names $append" </dev/null || status=$?
exit "$status"
