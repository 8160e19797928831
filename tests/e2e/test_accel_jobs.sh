#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ten thousand jobs of eight workloads on two accelerators, from clients that
# fork, run something else, pass their open file on, end in the middle of it,
# and lose their device: what is counted against what the devices themselves
# have, and what is left.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"

workloads="plain both fork exec giver taker leaver lost"
# shellcheck disable=SC2086 # names
make_cgroup $workloads
daemon_must_start
[ "$(status_row accelerator-accounting support)" = enforced ] ||
	tap_skip_all "accelerators are not accounted for: $(status_row accelerator-accounting why)"
for w in $workloads; do
	echo 'accelerators: {default: allow}' | doc "$w" "$w"
done | put_force all || exit 1

# own INDEX KEY: what the device has counted, of whoever used it.
own() { "$probe" "$(node "$1")" info | sed -n "s/.* $2=\([0-9]*\).*/\1/p"; }
# sum INDEX KEY: over all workloads.
sum()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' | grep -F "\"device\":\"$(name "$1")\"" |
		sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" | awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# What they read from as they pause, until they are killed.
mkfifo "$tmp/never"
exec 7<>"$tmp/never"
running=
# start CGROUP ARGUMENT...: of the probe, in the background.
start()
{
	start_in=$1
	shift
	inside "$start_in" "$probe" "$@" <"$tmp/never" >>"$tmp/$start_in.out" 2>&1 &
	running="$running $!"
}
finish()
{
	# shellcheck disable=SC2086 # process ids
	wait $running
	running=
}

# Short jobs, many at a time; those of one client come one after another.
start plain "$(node 0)" wait:5000:700 submit:5000:800 until:1500
start both "$(node 0)" submit:5000:900 until:900
start both "$(node 1)" submit:5000:900 until:900
start fork "$(node 0)" submit:5000:500 fork wait:5000:500
start fork "$(node 1)" fork submit:5000:700 until:700
start exec "$(node 1)" submit:5000:600 exec wait:5000:400 exec submit:5000:300 until:1300
start taker "take:$tmp/pass" wait:5000:600 submit:5000:600 until:1800
await 5 test -S "$tmp/pass"
start giver "$(node 0)" wait:5000:300 "give:$tmp/pass" wait:5000:300
start leaver "$(node 1)" wait:5000:900
start lost "$(node 1)" wait:5000:1000
finish
# In the middle of a job, with some behind it; and once more, killed.
start leaver "$(node 1)" submit:200000:1 submit:500:20
start leaver "$(node 1)" submit:200000:1 submit:500:20 pause
sleep 0.1
pkill -KILL -f "accel_probe $(node 1) submit:200000:1 submit:500:20 pause" 2>/dev/null
finish
sleep 1

for i in 0 1; do
	jobs=$(own $i device_jobs)
	busy=$(own $i device_busy_ns)
	counted() { [ "$(sum $i jobs)" = "$jobs" ]; }
	await 5 counted
	echo "# device $i: $jobs jobs, $((busy / 1000000)) ms; counted: $(sum $i jobs), $(($(sum $i busy_ns) / 1000000)) ms"
	tap_is "device $i: every job is counted once" "$jobs" sum $i jobs
	tap_ok "device $i: its time within 1 %" near "$(sum $i busy_ns)" "$busy" 10
done
all() { echo $(($(own 0 device_jobs) + $(own 1 device_jobs))); }
tap_ok "there were ten thousand" above "$(all)" 9999
given() { use taker jobs 0; }
tap_is "jobs on an open file that was passed on are those of who submits them" 1200 given
ran() { use exec jobs 1; }
tap_is "those of a program that ran another are the same workload's" 1300 ran
left() { echo "$(sum $1 under_way) $(sum $1 files) $(sum $1 bytes)"; }
nothing() { [ "$(left 0) $(left 1)" = "0 0 0 0 0 0" ]; }
await 5 nothing
tap_is "no job, no file and no buffer is left of the first" "0 0 0" left 0
tap_is "nor of the second" "0 0 0" left 1

# ---- a device that goes ----

start lost "$(node 1)" alloc:65536 submit:6000000:2 pause
await 5 grep -q pause "$tmp/lost.out"
holds() { [ "$(sum 1 under_way) $(sum 1 bytes)" = "2 65536" ]; }
tap_ok "who has jobs under way and a buffer is told" await 5 holds
# Known under its number, also when it is not there.
before=$(use lost jobs 1)
put_before=$(applies)
echo rf-testaccel.1 >/sys/bus/platform/drivers/rf-testaccel/unbind
await 10 applied_more "$put_before"
pkill -KILL -f "accel_probe $(node 1) alloc:65536 submit:6000000:2 pause"
finish
put_before=$(applies)
echo rf-testaccel.1 >/sys/bus/platform/drivers/rf-testaccel/bind
await 10 applied_more "$put_before"
await 5 test -c "$(node 1)"
gone() { [ "$(left 1)" = "0 0 0" ]; }
await 5 gone
tap_is "nothing is left of a device that was unplugged" "0 0 0" left 1
tap_ok "what was taken of it before stays told" [ "$(use lost jobs 1)" -ge "$before" ]
start lost "$(node 1)" wait:1000:10
finish
new() { [ "$(use lost jobs 1)" -ge $((before + 10)) ]; }
tap_ok "and what is when it is back" await 5 new
short() { status_json | sed -n 's/.*"name":"accel_full","count":\([0-9]*\).*/\1/p'; }
tap_is "it was never short of room" 0 short
echo "# skipped: $("$ringfence" accel --json | grep -o '"skips":[0-9]*')"
tap_done
