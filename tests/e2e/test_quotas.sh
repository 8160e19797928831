#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas of accelerators: shares, limits of time, of submissions, of memory and
# of open files, for workloads and for what they are in. With the test
# accelerator. With ringfence.ko what is over waits, without it fails.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"
device=$(node 0)

weights="1 2 3 4 5 6 7 8 9 10"
# shellcheck disable=SC2046,SC2086 # the numbers are words
make_cgroup one two capped slow small full few gently hard daily drawn hungry lazily told plain left right nightly weekly \
	crowded roomy tight $(for w in $weights; do echo "w$w"; done)
daemon_must_start
if [ "$(status_row accelerator-quotas support)" != enforced ]; then
	echo 'accelerators: {quota: {share: 1}}' | doc one one >"$tmp/quota.yaml"
	tap_ok "quotas are refused where they cannot be enforced" says 'accelerator-quotas.*not available' \
		"$ringfence" apply "$tmp/quota.yaml"
	[ "$(status_row accelerator-memory support)" != unavailable ] || {
		echo 'accelerators: {quota: {memory: 1Mi}}' | doc one one >"$tmp/quota.yaml"
		tap_ok "of memory, too, where nobody keeps them" says 'accelerator-memory.*not available' \
			"$ringfence" apply "$tmp/quota.yaml"
	}
	tap_done
fi
echo "# $(status_row accelerator-quotas why)"
grep -q '^ringfence ' /proc/modules
waits=$?

# taken WORKLOAD...: busy time of each, all of one moment.
taken()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' | grep -F "\"device\":\"$(name 0)\"" >"$tmp/taken"
	for taken_of; do
		sed -n "s|^{\"workload\":\"default/$taken_of\",.*\"busy_ns\":\([0-9]*\).*|\1|p" "$tmp/taken"
	done | tr '\n' ' '
}
# on CGROUP STEP...: of the first device.
on()
{
	on_cgroup=$1
	shift
	at "$on_cgroup" "$device" "$@"
}
# busy CGROUP US MS[:PAUSE]: keeps the device as busy as it may, in the background.
workers=
busy()
{
	inside "$1" "$probe" "$device" "keep:$2:$3" >"$tmp/busy.$1" 2>&1 &
	workers="$workers $!"
}
# shellcheck disable=SC2086 # process ids
idle()
{
	wait $workers 2>/dev/null
	workers=
}
# stop CGROUP...: before its time.
stop()
{
	for stop_in; do
		echo 1 >"$cgroup/$stop_in/cgroup.kill"
	done
}
# settled WORKLOAD...: who was there first had the device to itself, and paid for it when each had a job after all had one.
settled()
{
	moved_from=$(printf '%s\n' "$@" | sed 's/.*/0/')
	await 30 moved "$@" && moved_from=$moved_to && await 30 moved "$@"
}
moved()
{
	moved_to=$(taken "$@")
	# shellcheck disable=SC2086 # numbers
	echo $moved_from $moved_to | awk '{ n = NF / 2; for (i = 1; i <= n; i++) if ($(n + i) <= $i) exit 1; exit n != '$#' }'
}
{
	for w in $weights; do
		echo "accelerators: {quota: {share: $w}}" | doc "w$w" "w$w"
	done
	for w in one two; do
		echo "accelerators: {quota: {share: 100}}" | doc $w $w
	done
	echo 'accelerators: {quota: {limitPercent: 25}}' | doc capped capped
	echo 'accelerators: {quota: {submissionsPerSecond: 20}}' | doc slow slow
	echo 'accelerators: {quota: {memory: 1Mi}}' | doc small small
	echo 'accelerators: {quota: {memory: 1Mi}, overMemory: ENOMEM}' | doc full full
	echo 'accelerators: {quota: {contexts: 1}}' | doc few few
	echo 'accelerators: {quota: {contexts: 1}}' | doc crowded crowded
	echo 'accelerators: {quota: {contexts: 65}}' | doc roomy roomy
	echo 'accelerators: {quota: {contexts: 2}}' | doc tight tight
	echo 'accelerators: {quota: {budget: {deviceTime: 1s}}}' | doc daily daily
	echo 'accelerators: {default: allow}' | doc drawn drawn
	echo 'accelerators: {quota: {budget: {joules: 150}}}' | doc hungry hungry
	echo 'accelerators: {quota: {budget: {deviceTime: 1s, whenSpent: slow}}}' | doc lazily lazily
	echo 'accelerators: {quota: {budget: {deviceTime: 1s, whenSpent: report}}}' | doc told told
	echo 'accelerators: {quota: {limitPercent: 1}, overQuota: EAGAIN}' | doc gently gently
	echo 'accelerators: {quota: {limitPercent: 1}, overQuota: EDQUOT}' | doc hard hard
} | put_force base || exit 1

tap_is "a section of quotas alone says nothing of access" "open ok wait ok" on one wait:100

# ---- what is over fails, or waits ----

tap_is "EAGAIN where the policy says so" "open ok wait ok wait EAGAIN" on gently wait:50000 wait:100
tap_is "and EDQUOT" "open ok wait ok wait EDQUOT" on hard wait:50000 wait:100
over() { use gently over_quota; }
tap_is "and is counted" 1 over
quota_denied() { counter hard accel_quota_deny; }
tap_is "for the workload, too" 1 quota_denied
tap_ok "an event names the device, the limit and the policy" \
	says "accelerator-quota deny default/default/hard .*$(name 0) exhausted limitPercent of the workload over by .*default/default/hard" \
	"$ringfence" events --verdict deny

if [ $waits -eq 0 ]; then
	start=$(date +%s%N)
	tap_is "a submission waits until it may go on" "open ok wait ok wait ok" on capped wait:100000 wait:1000
	took=$((($(date +%s%N) - start) / 1000000))
	tap_ok "as long as what was taken takes at that limit" above $took 350
	tap_ok "which is counted" above "$(use capped waits)" 0
	told() { says "accelerator-quota allow default/default/capped .*$(name 0) $*" "$ringfence" events --kind accelerator-quota; }
	tap_ok "and told" told 'throttle-start limitPercent of the workload over by .*default/default/capped'

	inside capped "$probe" "$device" wait:500000 wait:1000 >"$tmp/killed" &
	killed=$!
	await 5 grep -q 'wait ok' "$tmp/killed"
	sleep 0.3
	pkill -KILL -f "accel_probe $device wait:500000"
	start=$(date +%s%N)
	wait $killed 2>/dev/null
	took=$((($(date +%s%N) - start) / 1000000))
	tap_ok "who waits is killed at once" [ $took -lt $((300 * RF_SLOW)) ]
	sleep 2
	start=$(date +%s%N)
	tap_is "signals do not end a wait" "open ok wait ok alarm ok submit ok" on capped wait:100000 alarm:1000 submit:1000
	took=$((($(date +%s%N) - start) / 1000000))
	tap_ok "nor shorten it" above $took 350
	sleep 2
	on capped wait:100 >/dev/null
	tap_ok "the end of waits is told when one passes a second after the last" \
		told 'throttle-stop limitPercent of the workload after [0-9]* waits of .*default/default/capped'
	state_of() { "$ringfence" events --json --kind accelerator-quota -w default/default/capped | grep "\"state\":\"$1\""; }
	stops() { state_of throttle-stop | sed 's/.*"waits":\([0-9]*\).*/\1/' | awk '{ all += $1 } END { print all }'; }
	tap_is "and with it every wait" "$(use capped waits)" stops
	balance() { echo $(($(state_of throttle-start | wc -l) - $(state_of throttle-stop | wc -l))); }
	tap_is "each start has its end" 0 balance
else
	tap_is "without the module it fails" "open ok wait ok wait EAGAIN" on capped wait:100000 wait:1000
fi

# ---- rates ----

sleep 2
before=$(use capped busy_ns)
busy capped 5000 6000
idle
tap_ok "a limit of time holds" near $((($(use capped busy_ns) - before) / 1000000)) 1500 60
before=$(use slow jobs)
busy slow 100 4000
idle
tap_ok "and one of submissions" near $(($(use slow jobs) - before)) 81 80

tap_is "a day's seconds are spent, and no waiting helps" "open ok wait ok wait ok wait EDQUOT" \
	on daily wait:600000 wait:600000 wait:100
tap_is "whoever asks" "open ok wait EDQUOT" on daily wait:100
tap_ok "which is told" says "accelerator-quota deny default/default/daily .*$(name 0) exhausted budget of the workload " \
	"$ringfence" events --kind accelerator-quota --verdict deny

if [ $waits = 0 ]; then
	inside lazily "$probe" "$device" wait:1100000 keep:1000:4000 >"$tmp/lazily" 2>&1
	lazy=$(use lazily jobs)
	echo "# jobs of one whose budget is spent, in 4 s: $lazy"
	tap_ok "or it goes on slowly" test "$lazy" -ge 12 -a "$lazy" -le 26
else
	tap_is "or it goes on slowly" "open ok wait ok wait ok wait EAGAIN" on lazily wait:1100000 wait:100 wait:100
fi
tap_is "or it is only told" "open ok wait ok wait ok wait ok" on told wait:1100000 wait:100 wait:100
tap_ok "as that" says "accelerator-quota would-deny default/default/told .*exhausted budget of the workload " \
	"$ringfence" events --kind accelerator-quota

# Whose clock may be set: it is put to the end of a week, which is a Wednesday's, as 1970 began with a Thursday.
uptime_s() { cut -d. -f1 /proc/uptime; }
new_year() { [ "$(date -u +%Y)" = 2026 ]; }
if [ -n "${RF_IN_VM:-}" ]; then
	clock_was=$(($(date +%s) - $(uptime_s)))
	date -u -s '2025-12-31 23:59:30' >/dev/null
	{
		echo 'accelerators: {quota: {budget: {deviceTime: 100ms}}}' | doc nightly nightly
		echo 'accelerators: {quota: {budget: {deviceTime: 100ms, window: 7d}}}' | doc weekly weekly
	} | put_force windows || exit 1
	for w in nightly weekly; do
		tap_is "a budget that is spent before midnight: $w" "open ok wait ok wait EDQUOT" on $w wait:150000 wait:100
	done
	await 10 new_year
	for w in nightly weekly; do
		tap_is "is there again when its window has ended" "open ok wait ok wait EDQUOT" on $w wait:150000 wait:100
	done
	echo 'accelerators: {default: allow}' | doc plain plain | put_force again || exit 1
	for w in nightly weekly; do
		tap_is "and not once more when policies are applied" "open ok wait EDQUOT" on $w wait:100
	done
	drop_force again
	drop_force windows
	date -u -s "@$((clock_was + $(uptime_s)))" >/dev/null
else
	tap_skip "budgets are there again when their window has ended" "the host's clock is not for us to set"
fi

# ---- energy ----

# The test accelerator says that it draws 120 W at work.
joules() { echo $(($(use "$1" energy_uj "${2:-0}") / 1000000)); }
before=$(use drawn busy_ns); before=${before:-0}
inside drawn "$probe" "$device" keep:20000:6000 >"$tmp/drawn" 2>&1
worked=$((($(use drawn busy_ns) - before) / 1000000))
drawn_enough() { [ "$(joules drawn)" -ge $((worked * 120 * 60 / 100000)) ]; }
tap_ok "what a workload worked is told as energy, as its device draws it" await 10 drawn_enough
echo "# $(joules drawn) J for $worked ms at 120 W"
tap_ok "and no more than that" test "$(joules drawn)" -le $((worked * 120 * 125 / 100000))
keep_until_denied() { on hungry wait:500000 | grep -q EDQUOT; }
tap_ok "a budget of joules is spent" await 15 keep_until_denied
tap_ok "which is told" says "accelerator-quota deny default/default/hungry .*exhausted budget of the workload " \
	"$ringfence" events --kind accelerator-quota --verdict deny
echo "# spent $(joules hungry) J of 150"

# ---- memory and contexts ----

tap_is "an allocation beyond the quota is denied" "open ok alloc ok alloc EDQUOT free ok alloc ok" \
	on small alloc:1048576 alloc:4096 free alloc:4096
tap_is "or answered as by a device that is full" "open ok alloc ok alloc ENOMEM" on full alloc:1048576 alloc:4096
tap_is "one that goes beyond it stops submissions until it is given back" \
	"open ok wait ok alloc ok wait EDQUOT free ok wait ok" on small wait:100 alloc:2097152 wait:100 free wait:100
tap_is "who is below it is not held back" "open ok alloc ok wait ok" on small alloc:4096 wait:100
contexts()
{
	mkfifo "$tmp/few"
	inside few "$probe" "$device" pause <"$tmp/few" >"$tmp/few.out" 2>&1 &
	few=$!
	exec 7>"$tmp/few"
	await 5 grep -q pause "$tmp/few.out"
	on few
	exec 7>&-
	wait $few
	rm "$tmp/few"
	echo
	on few
}
tap_is "one context more than the quota is not opened, and is when the first is closed" "open EPERM
open ok" contexts

crowd() { inside "$1" "$probe" "$device" "crowd:$2:$3" | sed -n 's/^crowd //p' >"$tmp/crowd.$1"; cat "$tmp/crowd.$1"; }
told_of() { sed -n "s/.*\b$2=\([0-9]*\).*/\1/p" "$tmp/crowd.$1"; }
echo "# opened at a time: $(crowd crowded 64 20), quota 1; $(crowd roomy 64 5), quota 65"
tap_is "contexts that were opened at a time are of no use beyond the quota" 0 told_of crowded over_used
tap_is "and what is within it may be used" 0 told_of crowded unused
tap_is "as many as the quota are opened at a time" 65 told_of roomy most
tap_is "and used" 5 told_of roomy over_used
# tightened STEP...: two contexts that were allowed, and are no more; then the steps, one of them gone.
tightened()
{
	mkfifo "$tmp/tight" "$tmp/tight2"
	inside tight "$probe" "$device" pause wait:100 alloc:4096 pause wait:100 alloc:4096 <"$tmp/tight" >"$tmp/tight.out" 2>&1 &
	tight=$!
	exec 7>"$tmp/tight"
	inside tight "$probe" "$device" pause wait:100 <"$tmp/tight2" >"$tmp/tight2.out" 2>&1 &
	tight2=$!
	exec 8>"$tmp/tight2"
	await 5 grep -q pause "$tmp/tight.out"
	await 5 grep -q pause "$tmp/tight2.out"
	echo 'accelerators: {quota: {contexts: 1}}' | doc tighter tight | put_force tighter
	echo >&7
	await 5 grep -q alloc "$tmp/tight.out"
	exec 8>&-
	wait $tight2
	exec 7>&-
	wait $tight
	rm "$tmp/tight" "$tmp/tight2"
	drop_force tighter
	tr '\n' ' ' <"$tmp/tight.out"
}
tap_is "nor are those that a new quota does not allow, until they are closed" \
	"open ok pause ok wait EDQUOT alloc EDQUOT pause ok wait ok alloc ok " tightened

# ---- shares ----

# Each is the last that shares in its namespace: nobody is left to find it gone.
gone="$(seq 70)"
# shellcheck disable=SC2046,SC2086 # the numbers are words
make_cgroup $(for w in $gone; do echo "gone$w"; done)
in_namespace() { doc "$1" "$1" | sed "s/^metadata:/metadata:\n  namespace: $2/"; }
for w in $gone; do
	echo 'accelerators: {quota: {share: 10}, namespaceQuota: {share: 1}}' | in_namespace "gone$w" "gone$w"
done | put_force gone || exit 1
# shellcheck disable=SC2086
for w in $gone; do
	inside "gone$w" "$probe" "$device" wait:100 >/dev/null
done
no_room() { status_json | sed -n 's/.*"name":"accel_full","count":\([0-9]*\).*/\1/p'; }
tap_is "who shares no more leaves its place to others" 0 no_room
drop_force gone

waits_before=$(use one waits)
over_before=$(use one over_quota)
busy one 2000 2000
idle
no_wait() { echo "$(($(use one waits) - waits_before)) $(($(use one over_quota) - over_before))"; }
tap_is "an idle host adds no wait" "0 0" no_wait

# A job under way while a slow guest stands still took as long: looked at for longer it is less of the smallest share.
seconds=$((RF_SLOW == 1 ? 30 : 60))
forever=3600000
for w in $weights; do
	busy "w$w" 5000 $forever
done
# shellcheck disable=SC2046 # names
shares() { "$@" $(for w in $weights; do echo "default/w$w"; done); }
tap_ok "each of ten workloads has its turn" shares settled
# In a slow guest the looks themselves keep others from asking in time; what was taken meanwhile is paid for before.
sleep $((RF_SLOW == 1 ? 1 : 10))
first=$(shares taken)
echo "# before: $first"
sleep $seconds
second=$(shares taken)
# shellcheck disable=SC2046
stop $(for w in $weights; do echo "w$w"; done)
idle
echo "$first $second $weights" | awk '{
	n = NF / 3
	for (i = 1; i <= n; i++) { took[i] = $(n + i) - $i; all += took[i]; shares += $(2 * n + i) }
	for (i = 1; i <= n; i++) {
		off = (took[i] / all) / ($(2 * n + i) / shares) - 1
		printf "# share %d: %.3f s, %+.1f %%\n", $(2 * n + i), took[i] / 1e9, 100 * off
		if (off > 0.03 || off < -0.03) bad++
	}
	printf "# all: %.3f s of %d s\n", all / 1e9, '$seconds'
	exit bad > 0
}' >"$tmp/shares"
shares_held=$?
cat "$tmp/shares"
tap_ok "and they get their shares within 3 %" [ $shares_held -eq 0 ]
all() { sed -n 's/^# all: \([0-9]*\).*/\1/p' "$tmp/shares"; }
tap_ok "and the device is busy" above "$(all)" $((seconds * (RF_SLOW == 1 ? 90 : 60) / 100))

busy one 5000 $forever
busy two 5000 $forever
settled default/one default/two
first=$(taken default/one default/two)
sleep 3
second=$(taken default/one default/two)
echo "# one, two: $first; $second"
# shellcheck disable=SC2086 # four numbers
set -- $first $second
tap_ok "two of one share are even" near $(($3 - $1)) $(($4 - $2)) 40
stop two
sleep 1
before=$(use one busy_ns)
start=$(date +%s%N)
sleep 3
took=$(($(date +%s%N) - start))
freed=$(($(use one busy_ns) - before))
stop one
idle
tap_ok "a share that is free is taken up within a second" above $freed $((took * 80 / 100))

# That one worked all alone is nothing that it owes where both are in something that has a share of its own.
echo 'accelerators: {namespaceQuota: {share: 1}}' | doc spaced one | put_force spaced || exit 1
for w in two two two two; do
	busy $w 5000 $forever
done
settled default/two
busy one 5000 $forever
first=$(taken default/one default/two)
sleep 2
second=$(taken default/one default/two)
stop one two
idle
drop_force spaced
echo "# one, two: $first; $second"
# shellcheck disable=SC2086 # four numbers
set -- $first $second
tap_ok "and so are two in a namespace that was given a share" near $(($3 - $1)) $(($4 - $2)) 300

# What w1 gets beside w4, in $share per mille.
a_share()
{
	settled default/w1 default/w4
	first=$(taken default/w1 default/w4)
	sleep 12
	second=$(taken default/w1 default/w4)
	stop w1 w4
	idle
	echo "# w1, w4: $first; $second"
	share=$(echo "$first $second" | awk '{ print int(1000 * ($3 - $1) / ($3 - $1 + $4 - $2)) }')
	echo "# per mille: $share"
}
# A pause that is longer than others wait for whoever is away pays for nothing.
busy w4 5000 $forever
busy w4 5000 $forever
busy w1 120000 $forever:120000
a_share
tap_ok "who pauses gets no more than its share" near "$share" 200 150
# Who has one job at a time is without any between two.
busy w4 20000 $forever
busy w1 20000 $forever
a_share
tap_ok "who waits for each of its jobs gets no less" near "$share" 200 200

# ---- namespaces ----

{
	echo 'accelerators: {quota: {share: 10}, namespaceQuota: {share: 1}}' | in_namespace left alpha
	echo 'accelerators: {quota: {share: 30}, namespaceQuota: {share: 1}}' | in_namespace right alpha
	echo 'accelerators: {quota: {share: 10}, namespaceQuota: {share: 1}}' | in_namespace plain beta
} | put_force spaces || exit 1
# One job under way and the next on its way: what is short of its share is never without one.
for w in left right plain left right plain; do
	busy $w 5000 $forever
done
spaces() { "$@" alpha/left alpha/right beta/plain; }
spaces settled
first=$(spaces taken)
sleep 6
second=$(spaces taken)
stop left right plain
idle
echo "# left, right, plain: $first; $second"
ratios() { echo "$first $second" | awk '{ a = $4 - $1; b = $5 - $2; c = $6 - $3; all = a + b + c; printf "%d %d %d\n", 1000 * a / all, 1000 * b / all, 1000 * c / all }'; }
# shellcheck disable=SC2046 # three numbers
set -- $(ratios)
echo "# per mille: $*"
tap_ok "a namespace has its share whatever runs in it" near "$3" 500 40
tap_ok "which its workloads divide by theirs" near "$2" 375 60

# ---- audit, restarts ----

drop_force spaces
doc one one <<'END' | sed 's/^spec:/spec:\n  mode: audit/' | put_force base
accelerators: {quota: {limitPercent: 1}}
END
tap_is "in audit mode nothing is held back" "open ok wait ok wait ok" on one wait:50000 wait:100
would() { [ "$(counter one accel_quota_would)" -gt 0 ]; }
tap_ok "and what would be is counted" would
echo 'accelerators: {quota: {limitPercent: 1}, overQuota: EDQUOT}' | doc hard hard | put_force hard
tap_is "what is removed holds no more" "open ok wait ok wait ok" on gently wait:50000 wait:100
daemon_end KILL
tap_is "a quota outlives the daemon" "open ok wait ok wait EDQUOT" on hard wait:1900000 wait:100
daemon_must_start
tap_is "and what was taken the next one" "open ok wait EDQUOT" on hard wait:100
tap_done
