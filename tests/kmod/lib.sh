# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2317 # for the tests that source it
#
# For the tests that have the module to themselves: source it, call lib_start
# first and lib_end last. What the module did to the kernel log is a claim of
# every one of them.

tools=${RF_BUILD:?}/tests/kmod
# shellcheck source=tests/vm/tap.sh
. "$here/../vm/tap.sh"

# Wait until it succeeds; for what the kernel lets go of after a grace period.
within_20s()
{
	tries=200
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
unload() { rmmod ringfence 2>/dev/null; }
loaded() { grep -q '^ringfence ' /proc/modules; }
not() { ! "$@"; }
prints() { prints_expected=$1; shift; [ "$("$@" 2>&1)" = "$prints_expected" ]; }
limit_of() { sed -n "s/^#define $1[[:space:]]*\([0-9]*\).*/\1/p" "$here/../../include/ringfence/limits.h"; }
complaints() { dmesg | grep -E 'WARNING: |BUG: |Oops|general protection|refcount_t:' | grep -vc 'soft lockup'; }

lib_start()
{
	[ -n "${RF_MODULE:-}" ] || tap_skip_all "this run is without the module"
	tmp=$(mktemp -d)
	cgroup=/sys/fs/cgroup/rf-kmod-$$
	mkdir "$cgroup"
	if loaded; then
		within_20s unload || { echo "Bail out! somebody uses the module"; exit 1; }
	fi
	lib_complaints=$(complaints)
	tap_ok "the module loads" insmod "$RF_MODULE"
	[ -e /sys/kernel/btf/ringfence ] || { echo "Bail out! the module was built without BTF"; exit 1; }
}

lib_end()
{
	if loaded; then
		tap_ok "the module unloads when nobody uses it" within_20s unload
	fi
	tap_is "the kernel has logged no warning" "$lib_complaints" complaints
	within_20s rmdir "$cgroup" 2>/dev/null
	rm -rf "$tmp"
	tap_done
}
