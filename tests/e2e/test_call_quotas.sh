#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Calls of accelerators' libraries, held back where a quota is used up: by the
# module, or by a freeze of which nobody is left over. With a library that
# stands in for CUDA's driver, on a device that is a clock.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/calls.sh
. "$src/tests/e2e/calls.sh"

make_cgroup late capped queued longer audited slow frozen
daemon_must_start
[ "$(status_row accelerator-quotas support)" = enforced ] || tap_skip_all "quotas of time need BPF LSM"
echo "# $(status_row accelerator-calls why)"
{
	echo 'accelerators: {userModeSubmission: true}' | doc late late
	for w in capped queued longer frozen; do
		echo 'accelerators: {userModeSubmission: true, quota: {limitPercent: 25}}' | doc $w $w
	done
	printf 'mode: audit\naccelerators: {userModeSubmission: true, quota: {limitPercent: 25}}\n' | doc audited audited
	echo 'accelerators: {userModeSubmission: true, quota: {submissionsPerSecond: 20}}' | doc slow slow
} | put_force quota || exit 1
long=30000
# permille WORKLOAD STEP [FIRST]: of the time that it ran for, as the probe has it; FIRST is done once, before.
permille()
{
	inside "$1" "$probe" "$library" ${3:+"$3"} "for:$long:$2" >"$tmp/out.$1" 2>&1
	sed -n 's/launches [0-9]* asked \([0-9]*\) elapsed \([0-9]*\)/\1 \2/p' "$tmp/out.$1" | awk '{ print int($1 * 1000 / $2) }'
}
# charged WORKLOAD: of a thousand of what it asked for, after permille.
charged()
{
	charged_asked=$(sed -n 's/launches [0-9]* asked \([0-9]*\) .*/\1/p' "$tmp/out.$1")
	echo "$(library_use "$1" busy_ns) $charged_asked" | awk '{ print int($1 * 1000 / $2) }'
}
within()
{
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ] && return
	echo "got $1, expected $2 to $3"
	return 1
}
# So that what is measured does not begin before every function is probed: a slow guest takes seconds from the first.
probed() { grep -q 'functions of .*libcuda.so.1 are probed' "$tmp/log"; }
holds >"$tmp/out" 2>&1 &
helpers="$helpers $!"
await 15 probed

# Of which the time that a slow guest takes to begin and to end one is little.
job=$((RF_SLOW > 1 ? 60000000 : 20000000))
got=$(permille capped launch:$job+sync)
echo "# per mille of the device, of 250: $got"
# The time from a launch until the process has seen its end is more than the device's where a processor is slow to run it.
echo "# charged, of 1000 that the device worked: $(charged capped)"
tap_ok "a limit of time holds within a tenth, over half a minute" within "$got" 225 275
long=10000
got=$(permille queued times:5:launch:$((job / 5))+sync)
echo "# per mille of the device, of 250, in fives: $got"
tap_ok "for launches that are waited for together, too" within "$got" 225 275
# What a freeze interrupts is charged what others took: not for ever what the first ones did, of 2 ms.
long=15000
got=$(permille longer launch:200000000+sync times:20:launch:2000000+sync)
echo "# per mille of the device, of 250, of work that has become longer: $got"
tap_ok "work that becomes longer is charged what it takes" within "$got" 200 330
long=$((RF_SLOW > 1 ? 6000 : 3000))
got=$(permille audited launch:$job+sync)
echo "# per mille of the device, in audit: $got"
tap_ok "what is in audit is not held back" above "$got" 500
inside slow "$probe" "$library" "for:8000:launch:100000+sync" >"$tmp/out"
made=$(sed -n 's/launches \([0-9]*\) .*/\1/p' "$tmp/out")
echo "# launches in 8 s, of 20 a second: $made"
tap_ok "a limit of submissions" within "$made" 140 200
tap_ok "which is told" says 'accelerator-quota .*library throttle-start submissionsPerSecond of the workload' \
	"$ringfence" events --kind accelerator-quota
tap_ok "waits are told of" above "$(library_use capped waits)" 10

# ---- nobody is left frozen ----

enter frozen "$probe" "$library" "for:$((600000 * RF_SLOW)):launch:900000000+sync" >"$tmp/out" 2>&1 &
pid=$!
helpers="$helpers $pid"
frozen() { grep -q 1 "$cgroup/frozen/cgroup.freeze"; }
thawed() { grep -q 0 "$cgroup/frozen/cgroup.freeze"; }
# The daemon's child that thaws.
guard()
{
	for guard_pid in $(cat "/proc/$daemon/task/$daemon/children"); do
		grep -qx ringfence-thaw "/proc/$guard_pid/comm" && echo "$guard_pid"
	done
}
guard_differs() { [ -n "$(guard)" ] && [ "$(guard)" != "$1" ]; }
tap_ok "what owes much is frozen" await 10 frozen
kill -STOP "$daemon"
tap_ok "it is thawed when the daemon hangs" await 15 thawed
tap_ok "which a child does" test -n "$(guard)"
kill -CONT "$daemon"
tap_ok "it is frozen again when the daemon goes on" await 10 frozen
was=$(guard)
kill -9 "$was"
tap_ok "a child that dies is replaced" await 20 guard_differs "$was"
await 10 frozen
daemon_end KILL
tap_ok "it is thawed when the daemon is killed" await 5 thawed
daemon_must_start
tap_ok "and frozen by the next one" await 20 frozen
# A daemon that still ran would start another child with the next freeze.
stopped_while_frozen()
{
	kill -STOP "$daemon"
	frozen && return
	kill -CONT "$daemon"
	return 1
}
await 20 stopped_while_frozen
kill -9 "$(guard)"
daemon_end KILL
tap_ok "it stays so when the child is killed, too" frozen
rm "$tmp/policies/quota.yaml"
daemon_must_start
tap_ok "until the next daemon, although nobody limits it any more" await 5 thawed
kill -9 $pid 2>/dev/null
tap_done
