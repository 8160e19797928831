#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What drivers tell by fdinfo of open files, beside what was measured: for
# clients that go on under another number, fork, end and leave the file to a
# child, pass it on, and outlive a daemon. Each is told once, of whoever opened
# it, and what it had taken stays when it is gone.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"

workloads="plain dup both left giver taker short"
# shellcheck disable=SC2086 # names
make_cgroup $workloads
daemon_must_start
[ "$(status_row accelerator-accounting support)" = enforced ] ||
	tap_skip_all "accelerators are not accounted for: $(status_row accelerator-accounting why)"
for w in $workloads; do
	echo 'accelerators: {default: allow}' | doc "$w" "$w"
done | put_force all || exit 1

# start CGROUP ARGUMENT...: of the probe, in the background; each "pause" ends with a line of go.
start()
{
	start_in=$1
	shift
	mkfifo "$tmp/$start_in.in"
	enter "$start_in" "$probe" "$@" <>"$tmp/$start_in.in" >"$tmp/$start_in.out" 2>&1 &
	helpers="$helpers $!"
}
go() { echo >"$tmp/$1.in"; }
# paused CGROUP [N]: for the Nth time.
paused() { [ "$(grep -c pause "$tmp/$1.out")" -ge "${2:-1}" ]; }
# own CGROUP KEY: what the device says of that open file, the last time it was asked.
own() { sed -n "s/^info .* $2=\([0-9]*\).*/\1/p" "$tmp/$1.out" | sed -n '$p'; }
clients() { "$ringfence" accel --json | sed -n "s/.*\"clients\":{\"known\":[^}]*\"$1\":\([0-9]*\).*/\1/p"; }
# told WORKLOAD KEY: by fdinfo.
told()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\",\"device\":\"$(name 0)\"" |
		sed -n "s/.*\"fdinfo\":{[^}]*\"$2\":\([0-9]*\).*/\1/p"
}
told_is() { [ "$(told "$1" "$2")" = "$3" ]; }

tap_ok "fdinfo is read where open files are known" says '"known":true' "$ringfence" accel --json
tap_ok "and status says so" says 'open files of DRM drivers, and their fdinfo' status_json

# ---- one client ----

# Where a guest stands still for some milliseconds, jobs take longer by what was measured: little of seconds.
start plain "$(node 0)" wait:$((RF_SLOW > 1 ? 200000 : 20000)):20 alloc:1048576 info pause
await 30 paused plain
tap_ok "its time by fdinfo is the device's own" near "$(told plain engine_ns)" "$(own plain busy_ns)" 10
tap_ok "and what was measured, within 1 %" near "$(told plain engine_ns)" "$(use plain busy_ns)" 10
echo "# device $(own plain busy_ns), fdinfo $(told plain engine_ns), measured $(use plain busy_ns)"
tap_is "its buffer is resident" 1048576 told plain resident
tap_is "it is one client" 1 told plain clients
idle() { [ "$(use plain idle_ns)" -gt 0 ]; }
tap_ok "since when it does nothing is counted" await 30 idle
before=$(told plain engine_ns)
go plain
await 20 told_is plain clients 0
tap_is "gone, its time stays" "$before" told plain engine_ns
tap_is "its memory does not" 0 told plain resident
held() { [ "$(use plain idle_ns)" = 0 ]; }
tap_ok "nor is it called held" await 30 held

# ---- another number ----

start dup "$(node 0)" wait:5000:20 pause dup wait:5000:20 info pause
await 30 paused dup
tap_ok "another is read" above "$(told dup engine_ns)" 90000000
go dup
await 30 paused dup 2
found() { near "$(told dup engine_ns)" "$(own dup busy_ns)" 10; }
tap_ok "under another number it is found again" await 30 found
go dup

# ---- fork ----

start both "$(node 0)" wait:5000:20 fork wait:5000:20 info pause
await 30 paused both
tap_ok "shared with a child it is told once" near "$(told both engine_ns)" "$(own both busy_ns)" 10
tap_is "and is one client" 1 told both clients
go both

start left "$(node 0)" wait:5000:20 leave wait:5000:20 info pause wait:5000:20 info pause
await 30 paused left
# Nobody may have looked before the opener ended: the child is found by the search.
left() { near "$(told left engine_ns)" "$(own left busy_ns)" 10; }
tap_ok "left to a child, it is found there" await 40 left
go left
await 30 paused left 2
tap_ok "and goes on being read" await 40 left
tap_ok "which took a search of all open files" above "$(clients searches)" 0
go left

# ---- passed on ----

start taker "take:$tmp/pass" wait:5000:40 info pause wait:5000:20 info pause
await 10 test -S "$tmp/pass"
start giver "$(node 0)" "give:$tmp/pass"
await 30 paused taker
given() { near "$(told giver engine_ns)" "$(own taker busy_ns)" 10; }
tap_ok "passed on, it is found with the one who has it" await 40 given
tap_is "what it told is the opener's" "0" told taker engine_ns
measured() { use taker jobs; }
tap_is "and the jobs are whose process submitted them" 40 measured

# ---- another daemon ----

before=$(told plain engine_ns)
daemon_end KILL
daemon_must_start
tap_is "a daemon later, the sums of those that are gone stay" "$before" told plain engine_ns
go taker
await 30 paused taker 2
tap_ok "and of one that is open nothing counts twice" await 40 given
go taker

# ---- what could not be read ----

gone() { [ "$(clients read)" = 0 ] && [ "$(clients lost)" = 0 ]; }
tap_ok "none is left" await 20 gone
inside short "$probe" "$(node 0)" wait:1000:5 >/dev/null
tap_ok "one that is gone before it is read is measured all the same" [ "$(use short jobs)" = 5 ]
table() { "$ringfence" status --json | sed 's/{"name"/\n{"name"/g' | grep -q '"rf_accel_told_map"'; }
tap_ok "the table of what was told is among the maps" table
tap_done
