#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Events and counters: what happens is told, filtered as asked, counted to the
# last one, and what is not told is known to be missing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup seen quiet in noisy
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002 udp/127.0.0.1/7001
server in tcp/127.0.0.1/7201
daemon_must_start
one='network:
  egress:
    default: deny
    rules:
      - {name: one, to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]}'
{
	{ echo "$one"; echo 'telemetry: {events: [exec, fork, exit, connect]}'; } | doc seen seen
	{ echo "$one"; echo 'telemetry: {events: [accept]}'; } | doc quiet quiet
	echo 'telemetry: {events: [accept]}' | doc in in
	{ echo "$one"; echo 'telemetry: {events: [exec, fork, exit]}'; } | doc noisy noisy
} | put_force base || exit 1

events() { "$ringfence" events "$@"; }
told() { # PATTERN OPTION...: telemetry is read ten times a second
	told_pattern=$1
	shift
	await 3 says "$told_pattern" events "$@" && return
	says "$told_pattern" events "$@"
}
never_told() { ! events "$2" "$3" | grep -E -- "$1"; }

# ---- each kind ----

inside seen "$work" spawn 1 false
inside seen "$net" tcp 127.0.0.1 7001 >"$tmp/out"
inside seen "$net" tcp 127.0.0.1 7002 >>"$tmp/out"
inside seen sh -c 'kill -9 $$' 2>/dev/null
"$net" tcp 127.0.0.1 7201 >>"$tmp/out"
tap_is "the traffic was as expected" "allowed denied allowed" sh -c "tr '\n' ' ' <'$tmp/out' | sed 's/ \$//'"
tap_ok "exec" told 'exec allow default/default/seen false\[[0-9]+\] .*false parent [0-9]+' --kind exec
tap_ok "fork" told 'fork allow default/default/seen work_probe\[[0-9]+\] child [0-9]+' --kind fork
tap_ok "exit with its status" told 'exit allow default/default/seen false\[[0-9]+\] status 1 after [0-9.]+s' --kind exit
tap_ok "exit by a signal" told 'exit allow default/default/seen sh\[[0-9]+\] signal 9' --kind exit
tap_ok "connect" told 'connect allow default/default/seen net_probe\[[0-9]+\] egress tcp -> 127.0.0.1:7001' --kind connect
tap_ok "accept" told 'accept allow default/default/in .* ingress tcp 127.0.0.1:7201 <- 127.0.0.1:[0-9]+' --kind accept
tap_ok "a denial" told 'flow-deny deny default/default/seen net_probe\[[0-9]+\] egress tcp -> 127.0.0.1:7002 .*"default"' \
	--kind flow-deny
tap_ok "a change of policy" told 'policy allow - .* generation [0-9]+: 4 workloads, [0-9]+ rule sets, 4 policies' --kind policy
make_cgroup seen/child
rmdir "$cgroup/seen/child"
tap_ok "a new cgroup" told "cgroup-new allow default/default/seen .*$root/seen/child id [0-9]+" --kind cgroup-new
tap_ok "a cgroup that is gone" told "cgroup-gone allow default/default/seen .*$root/seen/child id [0-9]+" --kind cgroup-gone
tap_ok "JSON has the same" told \
	'^\{"time":"[^"]+","kind":"flow-deny","verdict":"deny","lane":"audit",.*"workload":"default/default/seen".*"port":7002' \
	--json --kind flow-deny
tap_ok "JSON: exec" told '"kind":"exec".*"comm":"false".*"path":"[^"]*false","path_cut":false,"parent_pid":[0-9]+' --json -k exec
tap_ok "JSON: exit" told '"kind":"exit".*"comm":"false".*"status":1,"signal":null' --json -k exit

# ---- filters ----

tap_is "by kind" flow-deny sh -c "'$ringfence' events --kind flow-deny | cut -d' ' -f2 | sort -u"
tap_is "by verdict" deny sh -c "'$ringfence' events --verdict deny | cut -d' ' -f3 | sort -u"
tap_is "by workload" default/default/in sh -c "'$ringfence' events --workload '*/in' | cut -d' ' -f4 | sort -u"
tap_is "by all of them: nothing" "" events --workload '*/in' --verdict deny
tap_is "by number" 3 sh -c "'$ringfence' events -n 3 | wc -l"
inside quiet "$work" spawn 3 true
inside quiet "$net" tcp 127.0.0.1 7001 >/dev/null
inside seen "$work" spawn 1 basename x >/dev/null
# One lane, read in order: what came before this has been read when this has.
tap_ok "what came later has been read" told 'exec .*/seen basename' --kind exec
tap_is "a workload whose telemetry nobody asked for sends none" "" events --workload '*/quiet'
"$ringfence" events -f -n 0 --kind exec --workload '*/quiet' >"$tmp/follow" 2>&1 &
helpers="$helpers $!"
follower=$!
follows() { inside quiet "$work" spawn 1 true; grep -q 'exec allow default/default/quiet' "$tmp/follow"; }
tap_ok "a follower who asks for it gets it" await 5 follows
tap_is "and that alone" exec sh -c "cut -d' ' -f2 '$tmp/follow' | sort -u"
kill "$follower"
wait "$follower" 2>/dev/null

# ---- exact counters ----

n=$(few 1000)
exec_before=$(counter quiet exec) fork_before=$(counter quiet fork) exit_before=$(counter quiet exit)
connect_before=$(counter quiet connect) deny_before=$(counter quiet egress_deny) accept_before=$(counter in accept)
inside quiet "$work" spawn "$n" true
# Its own exec and exit are counted, and so is its fork, which happened outside.
tap_is "$n programs: each exec is counted" $((exec_before + n + 1)) counter quiet exec
tap_is "$n programs: each fork is counted" $((fork_before + n)) counter quiet fork
tap_is "$n programs: each exit is counted" $((exit_before + n + 1)) counter quiet exit
tap_is "$n connections open" "allowed=$n denied=0 timeout=0 refused=0 other=0" inside quiet "$net" -n "$n" tcp 127.0.0.1 7001
tap_is "and each is counted" $((connect_before + n)) counter quiet connect
connect_before=$(counter quiet connect)
tap_is "20 connections from one port open" "allowed=20 denied=0 timeout=0 refused=0 other=0" \
	inside quiet "$net" -n 20 -s 6001 tcp 127.0.0.1 7001
tap_is "and each is counted" $((connect_before + 20)) counter quiet connect
tap_is "$n connections are denied" "allowed=0 denied=$n timeout=0 refused=0 other=0" \
	inside quiet "$net" -n "$n" tcp 127.0.0.1 7002
tap_is "and each is counted" $((deny_before + n)) counter quiet egress_deny
tap_is "$n datagrams are denied" "allowed=0 denied=$n timeout=0 refused=0 other=0" \
	inside quiet "$net" -n "$n" udp 127.0.0.1 7003
tap_is "and each is counted" $((deny_before + 2 * n)) counter quiet egress_deny
tap_is "$n connections come in" "allowed=$n denied=0 timeout=0 refused=0 other=0" "$net" -n "$n" tcp 127.0.0.1 7201
tap_is "and each is counted" $((accept_before + n)) counter in accept

# ---- noise ----

if [ -n "${RF_IN_VM:-}" ]; then
	tap_skip "a flood does not drown others" "an emulated guest is no faster than a workload's fair share"
	tap_done
fi
# With the daemon stopped nothing is read, and a ring that is more than half full is shared out.
lane() { status_row "$1" "$2"; }
sums() { # the three counters of a lane
	echo $(($(lane "$1" submitted) + $(lane "$1" shed) + $(lane "$1" lost)))
}
quiet_before=$(counter quiet egress_deny)
noisy_before=$(counter noisy egress_deny)
lane_before=$(sums audit)
kill -STOP "$daemon"
inside noisy "$net" -n 20000 tcp 127.0.0.1 7002 >"$tmp/noise"
inside quiet "$net" -n 5 tcp 127.0.0.1 7002 >/dev/null
kill -CONT "$daemon"
tap_is "a flood of 20000 denials denies them all" "allowed=0 denied=20000 timeout=0 refused=0 other=0" cat "$tmp/noise"
tap_is "and counts them all" $((noisy_before + 20000)) counter noisy egress_deny
tap_is "the other tenant's are counted" $((quiet_before + 5)) counter quiet egress_deny
tap_is "the other tenant's denials are told, in spite of the flood" 5 \
	sh -c "'$ringfence' events --kind flow-deny --workload '*/quiet' -n 5 | grep -c ':7002'"
tap_is "not one of its was shed" 0 counter quiet events_shed
tap_is "nor lost" 0 counter quiet events_lost
tap_ok "the flood was shed" above "$(counter noisy events_shed)" 1000
tap_is "sent, shed and lost add up to what happened" $((lane_before + 20005)) sums audit
tap_ok "what is missing is told as a gap" told 'gap allow - - [0-9]+ events lost on lane audit between [0-9]+ and [0-9]+' --kind gap
gap_total() { events --json --kind gap | grep '"lane":"audit"' | sed -n 's/.*"lost":\([0-9]*\),"after.*/\1/p' | awk '{ n += $1 } END { print n + 0 }'; }
gap_complete() { equal $(($(lane audit shed) + $(lane audit lost))) "$(gap_total)"; }
tap_ok "the gaps add up to what was shed and lost" await 5 gap_complete
tap_ok "status counts gaps" above "$(lane audit gaps)" 0

processes() { echo $(($(counter "$1" exec) + $(counter "$1" fork) + $(counter "$1" exit))); }
missed() { echo $(($(counter "$1" events_shed) + $(counter "$1" events_lost))); }
processes_before=$(processes noisy)
missed_before=$(missed noisy)
kill -STOP "$daemon"
inside noisy "$work" spawn 6000 true
inside seen "$work" spawn 1 false
inside quiet "$net" -n 3 tcp 127.0.0.1 7002 >/dev/null
kill -CONT "$daemon"
tap_is "a flood of telemetry is counted to the last" $((processes_before + 18002)) processes noisy
tap_ok "it was shed or lost in part" above "$(missed noisy)" $((missed_before + 1000))
tap_is "another tenant's denials are not touched by it" 0 missed quiet
seen_told() { events --kind exec --workload '*/seen' -n 1 | grep -q false; }
tap_ok "nor is its telemetry" await 3 seen_told
tap_is "of which nothing is missing" 0 missed seen
tap_ok "telemetry's gap is told" told 'gap allow - - [0-9]+ events lost on lane telemetry' --kind gap

# ---- lost while nobody reads ----

daemon_end KILL
inside noisy "$net" -n 12000 tcp 127.0.0.1 7002 >/dev/null
daemon_must_start
tap_ok "what was lost without a daemon is a gap for the next" told 'gap allow - - [0-9]+ events lost on lane audit' --kind gap
tap_ok "and what was not lost is told by it" told 'flow-deny deny default/default/noisy' --kind flow-deny
tap_done
