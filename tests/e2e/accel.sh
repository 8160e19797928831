# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034 # what lib.sh sets, and what the tests use
#
# What the tests of accelerators share: two test accelerators, and what is told of them. Sourced after lib.sh.

module=$build/kmod/$(uname -r)/testaccel/rf_testaccel.ko
[ -e "$module" ] || tap_skip_all "the test accelerator is not built for this kernel"
probe=$build/tests/e2e/accel_probe
grep -q '^rf_testaccel ' /proc/modules && rmmod rf_testaccel
modprobe -a drm gpu-sched drm_shmem_helper 2>/dev/null
insmod "$module" devices=2 2>/dev/null || tap_skip_all "the test accelerator cannot be loaded here"
unload() { rmmod rf_testaccel 2>/dev/null || { sleep 0.2; rmmod rf_testaccel; }; }
trap 'cleanup; unload' EXIT

if [ -d /dev/accel ]; then
	class=accel
	node() { echo "/dev/accel/accel$1"; }
	name() { echo "accel/accel$1"; }
else
	class=drm
	node() { echo "/dev/dri/renderD$((128 + $1))"; }
	name() { echo "dri/renderD$((128 + $1))"; }
fi
await 5 test -c "$(node 1)"

# use WORKLOAD KEY [INDEX]: a member of what it has taken of the device; a name without slashes is default/default's.
use()
{
	case $1 in
	*/*) use_of=$1 ;;
	*) use_of=default/default/$1 ;;
	esac
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"$use_of\",\"device\":\"$(name "${3:-0}")\"" |
		sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}
# at CGROUP STEP...: what came of each of the probe's steps, on a line; of NODE first.
at()
{
	at_cgroup=$1
	shift
	inside "$at_cgroup" "$probe" "$@" | tr '\n' ' ' | sed 's/ $//'
}
# near ACTUAL EXPECTED PERMILLE
near()
{
	[ $(($1 * 1000)) -ge $(($2 * (1000 - $3))) ] && [ $(($1 * 1000)) -le $(($2 * (1000 + $3))) ] && return
	echo "got $1, expected $2 within $3 per mille"
	return 1
}
