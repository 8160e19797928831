#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests on a kernel that is built here, once, of the distribution's own source:
#
#   scripts/own-kernel.sh debug   the module's tests on Debian 13's kernel where it watches itself: lockdep,
#                                 KASAN, kmemleak, sleeps where none may be, lists, RCU
#   scripts/own-kernel.sh dmem    quotas of memory on the newest kernel, with the controller of device memory
#                                 that Debian leaves out
#
#   SUITE="kmod"       suites or globs over SUITE/TEST; debug has the tests of kmod alone
#   VARIANT=module     of module, nomodule and nolsm, as for scripts/vm-test.sh
#   ROUNDS=1000        of test_unload.sh
#   VM_LIMIT=SECONDS   for the guest; VM_TEST_LIMIT, for one test
#   JOBS=2             of the kernel's build
#
# Not part of `make check`. The options are in scripts/vm/own-kernel.config and
# own-kernel-NAME.config; the kernel is built in a copy-on-write view of the
# Debian 13 guest root. What comes of it is kept in $RF_CACHE/own-kernel-NAME-
# VERSION-HASH, as a layer over that root: headers, vmlinux, image. An
# interrupted build goes on where it was.
#
# Fails when a test does, and when the kernel logged a warning (lockdep's and
# KASAN's are such), lockdep gave up, or memory leaked that code of ours
# allocated; tests/vm/init looks. Every leak is listed, ours or not. $O/vm/NAME
# keeps the console and the list.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh

: "${O:=build}" "${ROUNDS:=1000}" "${JOBS:=$(nproc)}" "${VARIANT:=module}"
tools="bc bison flex libelf-dev libssl-dev"
# Raise it when what is made of the same source and options changes.
recipe=1
name=${1:-}

say() { echo "$name-kernel: $*"; }
die() { say "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "building in a guest root needs root"
case $ROUNDS in '' | *[!0-9]*) die "ROUNDS=$ROUNDS: expected a number" ;; esac
case $VARIANT in module | nomodule | nolsm) ;; *) die "VARIANT=$VARIANT: expected module, nomodule or nolsm" ;; esac
case $name in
debug)
	source_package=linux-source-6.12
	# Two seconds a round where the guest is emulated and has one processor's time.
	: "${SUITE:=kmod}" "${VM_TEST_LIMIT:=$((1800 + ROUNDS * 8))}" "${VM_LIMIT:=$((5400 + ROUNDS * 8))}"
	tests="tests/kmod tests/e2e/accel_probe.c"
	# For thousands of tasks, each with a stack twice as large as usual, and its shadow.
	memory=6144
	;;
dmem)
	source_package=linux-source-7.2
	: "${SUITE:=test_memory_dmem}" "${VM_TEST_LIMIT:=500}" "${VM_LIMIT:=2400}"
	tests=
	memory=2048
	;;
*)
	name=own
	die "'${1:-}': expected debug or dmem"
	;;
esac
configs="scripts/vm/own-kernel.config scripts/vm/own-kernel-$name.config"

# All mounts are in a namespace of their own and go with it.
if [ "${RF_OWN_STAGE:-}" != inside ]; then
	RF_OWN_STAGE=inside exec unshare --mount --propagation private "$0" "$@"
fi
unset RF_OWN_STAGE

view=$(mktemp -d "${TMPDIR:-/tmp}/ringfence-own-XXXXXX")
scratch=
cleanup()
{
	set +e
	umount -R "$view" 2>/dev/null
	rmdir "$view"
	[ -z "$scratch" ] || rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT

root=$(scripts/vm-root.sh trixie)
# shellcheck disable=SC2086 # two files
hash=$({ echo "$recipe $(basename "$root")"; cat $configs; } | sha256sum | cut -c1-12)

# writable DIR: the view is the root, with what is changed in it kept below DIR.
writable()
{
	mkdir -p "$1/upper" "$1/work"
	mount -t overlay overlay -o "lowerdir=$root,upperdir=$1/upper,workdir=$1/work" "$view"
	mount -t proc proc "$view/proc"
	mount --bind /dev "$view/dev"
	cp /etc/resolv.conf "$view/etc/resolv.conf"
}
in_view()
{
	chroot "$view" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LANG=C.UTF-8 INITRD=No DEBIAN_FRONTEND=noninteractive "$@"
}

# version_now DIR: of the source, as the archive has it now.
version_now()
{
	writable "$1"
	in_view apt-get -qq update >/dev/null || return 1
	in_view apt-cache policy "$source_package" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# run LOG WHAT COMMAND...: shows that it goes on, and the end of its log when it fails.
run()
{
	local log=$1 what=$2 start=$SECONDS lines=0
	shift 2
	if { "$@" 2>&1 || echo "own-kernel: status $?"; } | tee "$log" | while IFS= read -r _; do
		lines=$((lines + 1))
		[ $((lines % 250)) != 0 ] || printf '  %-32s %5d lines %5ds\n' "$what" "$lines" $((SECONDS - start))
	done && ! tail -n 1 "$log" | grep -q '^own-kernel: status'; then
		printf '  %-32s ok          %5ds\n' "$what" $((SECONDS - start))
		return 0
	fi
	tail -n 40 "$log" >&2
	die "$what failed; all of its log is $log"
}

# Every option that was asked for, or there is no point in the rest.
check_config()
{
	local line bad=0

	while IFS= read -r line; do
		case $line in
		*=n) ! grep -q "^${line%n}" "$1" || { say "cannot have $line" >&2; bad=1; } ;;
		CONFIG_*) grep -qxF "$line" "$1" || { say "cannot have $line" >&2; bad=1; } ;;
		esac
	done <"$kernel/own-kernel.config"
	return $bad
}

# build_kernel VERSION LAYER: resumes, and leaves the layer complete.
build_kernel()
{
	local version=$1 layer=$2 work=$3 src kernel release kept file

	writable "$work"
	src=/usr/src/linux-source
	kernel=$view$src
	if [ ! -e "$work/unpacked" ]; then
		rm -rf "$kernel"
		in_view apt-get -qq update >/dev/null
		# shellcheck disable=SC2086 # several
		run "$work/tools.log" "install the tools" in_view apt-get install -qq -y --no-install-recommends $tools
		run "$work/source.log" "get the source" in_view sh -euc "
			cd /usr/src
			apt-get download -qq -o APT::Sandbox::User=root $source_package=$version
			dpkg-deb --fsys-tarfile $source_package*.deb | tar -xf - ./usr/src/$source_package.tar.xz -O |
				xz -dc | tar -xf -
			mv $source_package $src
			rm -f $source_package*.deb"
		# What DRM's drivers select has no question of its own.
		sed -i '/^config DRM_\(SCHED\|GEM_SHMEM_HELPER\)$/{n;s/tristate$/tristate "for the test accelerator"/}' \
			"$kernel/drivers/gpu/drm/Kconfig"
		# shellcheck disable=SC2086 # two files
		cat $configs >"$kernel/own-kernel.config"
		run "$work/config.log" "configure" in_view make -C "$src" KCONFIG_ALLCONFIG=own-kernel.config allnoconfig
		check_config "$kernel/.config" || die "the source has other options than $configs think"
		touch "$work/unpacked"
	fi
	run "$work/build.log" "build the kernel" in_view nice -n 10 make -C "$src" "-j$JOBS" bzImage modules
	release=$(cat "$kernel/include/config/kernel.release")

	# What the guest boots, and what modules are built with; not the objects.
	rm -rf "$work/layer"
	kept=$work/layer/usr/lib/modules/$release
	mkdir -p "$work/layer/boot" "$kept/build"
	cp "$kernel/arch/x86/boot/bzImage" "$work/layer/boot/vmlinuz-$release"
	run "$work/install.log" "install" in_view make -C "$src" INSTALL_MOD_PATH=/tmp/installed modules_install
	rm -f "$view/tmp/installed/lib/modules/$release/build"
	cp -a "$view/tmp/installed/lib/modules/$release/." "$kept"
	(
		cd "$kernel"
		{
			for file in .config Makefile Kbuild Module.symvers System.map vmlinux scripts include arch/x86/include \
				arch/x86/Makefile* tools/objtool/objtool tools/bpf/resolve_btfids/resolve_btfids; do
				[ ! -e "$file" ] || echo "$file"
			done
		} | tar -cf - --exclude='*.o' --exclude='*.cmd' -T - | tar -xf - -C "$kept/build"
	)
	echo "$release" >"$work/layer/release"
	umount -R "$view"
	mv -T "$work/layer" "$layer"
	rm -rf --one-file-system "$work"
}

start=$SECONDS
scratch=$(mktemp -d "$rf_cache/.own-kernel-XXXXXX")
version=$(version_now "$scratch") || version=
umount -R "$view"
rm -rf --one-file-system "$scratch"
if [ -n "$version" ]; then
	layer=$rf_cache/own-kernel-$name-$version-$hash
else
	layer=$(find "$rf_cache" -maxdepth 1 -name "own-kernel-$name-*-$hash" | sort -V | tail -n 1)
	[ -n "$layer" ] || die "the archive does not answer, and no kernel was built before"
	say "the archive does not answer: the kernel is the one built last"
fi
if [ ! -e "$layer" ]; then
	exec 9>"$rf_cache/.lock-own-kernel-$name"
	flock 9
	if [ ! -e "$layer" ]; then
		find "$rf_cache" -maxdepth 1 -name ".build-own-kernel-$name-*" ! -name ".build-$(basename "$layer")" \
			-exec rm -rf --one-file-system {} +
		say "building $source_package $version (a quarter of an hour on two processors, 6 GB while it lasts)"
		build_kernel "$version" "$layer" "$rf_cache/.build-$(basename "$layer")"
	fi
	exec 9>&-
	say "the kernel was built in $((SECONDS - start)) s"
fi
release=$(cat "$layer/release")
say "kernel $release, $layer"

# The root with the kernel in it; nothing is written there again.
mount -t overlay overlay -o "lowerdir=$layer:$root" "$view"
mkdir -p "$O/vm/$name" "$O/results"
build=$(cd "$O" && pwd)/vm/$name
results=$O/results/vm-$name
rm -rf "$results"
mkdir -p "$results"
types=$(rf_root_kernel "$root" 6.12)
run "$build/kmod.log" "build the modules" \
	scripts/vm/build.sh "$view" "$PWD" "$build" /mnt/src/scripts/vm/build-module.sh "$release"
# shellcheck disable=SC2086 # directories and files
run "$build/tests.log" "build the tests" \
	scripts/vm/build.sh "$view" "$PWD" "$build" /mnt/src/scripts/vm/build-tests.sh "$types" $tests

log=$results/$name-$VARIANT.log
: >"$log"
words="rf.variant=$VARIANT rf.suite=${SUITE// /,} rf.limit=$VM_TEST_LIMIT rf.rounds=$ROUNDS"
[ "$VARIANT" != module ] || words="$words rf.module=/mnt/build/kmod/$release/ringfence.ko"
[ "$VARIANT" != nolsm ] || words="$words lsm="
say "booting it: $SUITE, $VARIANT"
start=$SECONDS
status=0
# Not the usual machine, because its firmware has this kernel compute for a minute which device has what interrupt.
scripts/vm-run.sh --root "$view" --kernel "$release" --init /mnt/src/tests/vm/init --share "src=$PWD" \
	--share "build=$build" --console "$build/console" --limit "$VM_LIMIT" --memory "$memory" --machine q35 \
	--append "$words" |
	sed -u -n 's/\r$//; /^RINGFENCE-BEGIN$/,/^RINGFENCE-END$/p' | while IFS= read -r text; do
		printf '%s\n' "$text" >>"$log"
		case $text in
		'ok '* | 'not ok '* | *'not ok '* | '# Subtest'* | '# scan '* | *' rounds' | *'# leak: '*)
			printf '  %5ds %s\n' $((SECONDS - start)) "$text"
			;;
		esac
	done || status=$?
ended=no
! grep -qx RINGFENCE-END "$log" || ended=yes
sed -i '/^RINGFENCE-/d' "$log"
if [ "$ended" = yes ]; then
	printf '\n# exit 0\n' >>"$log"
else
	{
		echo "# the end of the guest's console:"
		tail -n 60 "$build/console" | sed 's/\r$//; s/^/# | /'
		echo "not ok 9999 - the guest runs to its end within $VM_LIMIT s (status $status)"
		printf '\n# exit 1\n'
	} >>"$log"
fi
say "the guest ran for $((SECONDS - start)) s; its console is $build/console"
scripts/tally.sh "$results"
