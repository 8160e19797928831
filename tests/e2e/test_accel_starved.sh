#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who holds an accelerator and waits for another host meanwhile is told from
# who holds it and waits for somebody to ask. Takes a window of a minute.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"

ip address add 10.79.2.1/32 dev lo
server - tcp/10.79.2.1/7100 tcp/127.0.0.1/7101
make_cgroup far loader near asked
daemon_must_start
[ "$(status_row accelerator-accounting support)" = enforced ] ||
	tap_skip_all "accelerators are not accounted for: $(status_row accelerator-accounting why)"
for w in far loader near asked; do
	echo 'accelerators: {default: allow}' | doc "$w" "$w"
done | put_force all || exit 1
mkfifo "$tmp/never"

# start CGROUP FILE [fork]: does a little work, and then reads of the file, which gives nothing; or a child does.
start()
{
	# shellcheck disable=SC2086 # a word or none
	(enter "$1" "$probe" "$(node 0)" wait:20000:5 ${3:-} pause <>"$2" >"$tmp/$1.out" 2>&1) &
	helpers="$helpers $!"
}
# What the shell opens /dev/tcp for is a connection.
start near /dev/tcp/127.0.0.1/7101
start asked "$tmp/never"
pauses() { grep -q pause "$tmp/$1.out"; }
tap_ok "one works, and waits for this host" await 30 pauses near
tap_ok "one for somebody to ask" await 30 pauses asked
start loader /dev/tcp/10.79.2.1/7100 fork
tap_ok "one for a child that reads" await 30 pauses loader
# The last: when its window is over, theirs are.
start far /dev/tcp/10.79.2.1/7100
tap_ok "one for another host" await 30 pauses far

# found WORKLOAD: nothing where there is no finding.
found()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\",\"device\":\"$(name 0)\"" |
		sed -n 's/.*"finding":"\([^"]*\)".*/\1/p'
}
found_any() { [ -n "$(found far)" ]; }
await 90 found_any
tap_is "who waits for another host is told to" waits-for-network found far
tap_is "so is who has another read from there" waits-for-network found loader
tap_ok "in the table, too" says 'far.*waits-for-network' "$ringfence" accel
tap_is "who waits for this host is not" "" found near
tap_is "nor who waits for somebody to ask" "" found asked
tap_done
