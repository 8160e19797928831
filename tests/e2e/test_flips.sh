#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Policies change a thousand times under load, and a daemon is killed while it changes them: no flow that the old and
# the new policy allow breaks, none that both deny passes, and what the new one alone denies is cut when it is in force.
#
# RF_FLIPS= sets another number of changes; guests take 40.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/flip_probe
name=$build/tests/e2e/name_probe
for program in "$probe" "$name"; do
	[ -x "$program" ] || { echo "Bail out! $program is not built"; exit 1; }
done
flips=${RF_FLIPS:-${RF_IN_VM:+40}}
flips=${flips:-1000}
kills=$(few 10)
# Each call of the probe begins with A and ends with B.
segment=$((flips / (kills * 2) * 2))

make_cgroup plain srv ca cw cn cv cp/sub edge
ip address add 10.66.0.1/32 dev lo
server srv tcp/0.0.0.0/7001 udp/0.0.0.0/7001 tcp/0.0.0.0/7002 udp/0.0.0.0/7002
server plain tcp/0.0.0.0/7011 udp/0.0.0.0/7011
"$name" lie 127.0.0.4 well >"$tmp/resolver" 2>&1 &
helpers="$helpers $!"
await 5 grep -q ready "$tmp/resolver"

# ---- A and B ----

# of TENANT CGROUP NAME: a policy; what stands below "spec" is read from stdin.
of()
{
	printf -- '---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: %s, tenant: %s}\nspec:\n' "$3" "$1"
	printf '  workload: %s\n  select:\n    - cgroup: "%s/%s"\n' "$3" "$root" "$2"
	sed 's/^/  /'
}
# others N SEED: rules that concern nobody here.
others()
{
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++)
			printf "      - {action: %s, to: [{cidr: 192.%d.%d.0/24}], ports: [{protocol: TCP, port: %d}]}\n",
			       rand() < .5 ? "allow" : "deny", 1 + rand() * 100, rand() * 255, 1 + rand() * 65534
	}'
}
both='ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]'
closed='ports: [{protocol: TCP, port: 7002}, {protocol: UDP, port: 7002}, {protocol: ICMP}]'
iperf='{name: iperf, to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7031}]}'
iperf_in='{name: iperf, from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7031}]}'
resolver='{name: resolver, to: [{cidr: 127.0.0.4/32}], ports: [{protocol: UDP, port: 53}]}'
# The probe calls from "edge", with sockets of another workload: connect() asks for the former as well.
callers='{to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7022}]}'
mkdir "$tmp/a" "$tmp/b"
{
	# By address, everything else denied; another policy would deny all of it.
	of t0 ca ca <<END
network:
  egress:
    default: deny
    rules:
$(others 100 1)
      - {name: open, to: [{cidr: 127.0.0.1/32}], $both}
      - $iperf
END
	of t0 ca ca-audit <<'END'
mode: audit
network: {egress: {default: deny}, ingress: {default: deny}}
END
	# By who it is: the tenant of "srv" is another one in B.
	of t0 cw cw <<END
network: {egress: {default: deny, rules: [{name: server, to: [{tenant: t1, workload: srv}], $both}]}}
END
	of t0 cv cv <<'END'
network: {egress: {default: allow, rules: [{name: not t1, action: deny, to: [{tenant: t1}]}]}}
END
	of t0 cn cn <<END
network:
  dns: {minTTL: 30m}
  egress: {default: deny, rules: [$resolver, {name: a, to: [{dns: a.test}]}, {name: srv, to: [{dns: srv.test}], $both}]}
END
	of t1 srv srv <<END
network:
  ingress:
    default: deny
    rules: [{name: open, from: [{cidr: 127.0.0.1/32}, {cidr: 10.66.0.1/32}], $both}, $iperf_in]
END
	of t0 cp cp <<END
network: {egress: {default: deny, rules: [{name: open, to: [{cidr: 127.0.0.1/32}], $both}]}}
END
	of t0 edge edge <<END
network:
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7021}, {protocol: UDP, port: 7021}]}
      - $callers
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7022}, {protocol: UDP, port: 7022}]}
END
} >"$tmp/a/flips.yaml"
{
	# The other way round: what is named is denied. And from now on nobody may come in.
	of t0 ca ca <<END
network:
  egress:
    default: allow
    rules:
      - {name: closed, action: deny, to: [{cidr: 127.0.0.0/8}], $closed}
$(others 150 2)
  ingress: {default: deny}
END
	of t0 cw cw <<END
network:
  egress:
    default: deny
    rules:
      - {name: nobody, action: deny, to: [{tenant: t1}]}
      - {name: server, to: [{tenant: t2}], $both}
END
	of t0 cv cv <<'END'
network: {egress: {default: allow, rules: [{name: not t2, action: deny, to: [{tenant: t2}]}]}, ingress: {default: deny}}
END
	of t0 cn cn <<END
network:
  dns: {minTTL: 1h, resolvers: [127.0.0.4]}
  egress: {default: deny, rules: [{name: srv, to: [{dns: srv.test}], $both}, {name: b, to: [{dns: "*.b.test"}]}, $resolver]}
  ingress: {default: deny}
END
	of t2 srv srv <<END
network:
  egress: {default: allow}
  ingress:
    default: deny
    rules:
$(others 100 3 | sed 's/to:/from:/')
      - $iperf_in
      - {name: tenant, from: [{tenant: t0}], $both}
END
	of t0 cp cp <<END
network: {egress: {default: deny, rules: [{name: srv, to: [{tenant: t2}], $both}]}}
END
	# A workload of its own, that A does not have.
	of t0 cp/sub sub <<END
network: {egress: {default: deny, rules: [{name: open, to: [{cidr: 127.0.0.1/32}], $both}]}}
END
	of t0 edge edge <<END
mode: enforce
network:
  egress:
    default: deny
    rules:
$(others 50 4)
      - $callers
  ingress: {default: deny}
END
} >"$tmp/b/flips.yaml"

# ---- what goes on meanwhile ----

# start CGROUP|- NAME COMMAND...: in the background; what it says is in $tmp/NAME, its pid in $started.
start()
{
	start_cgroup=$1
	start_name=$2
	shift 2
	if [ "$start_cgroup" = - ]; then
		"$@" >"$tmp/$start_name" 2>&1 &
	else
		enter "$start_cgroup" "$@" >"$tmp/$start_name" 2>&1 &
	fi
	started=$!
	helpers="$helpers $started"
	await 5 grep -q "$(case $2 in *iperf*) echo 'isten\|onnect' ;; *) echo ready ;; esac)" "$tmp/$start_name"
}
# field NAME PROGRAM: of the last line that it printed.
field() { tail -n 1 "$tmp/$2" | tr ' ' '\n' | sed -n "s/^$1=//p"; }
# finish PID: ends it and waits until it has said all.
finish()
{
	kill -"${2:-TERM}" "$1"
	wait "$1" 2>/dev/null
}

daemon_must_start
trap_pid=
trap_start()
{
	start srv trap "$probe" trap 127.0.0.1 7003
	trap_pid=$started
}
trap_start
"$net" -w 100 tcp 127.0.0.1 7003 >"$tmp/out" 2>&1
"$net" -w 1 udp 127.0.0.1 7003 >"$tmp/out" 2>&1
finish "$trap_pid"
tap_is "without a policy what comes to the trap is seen" "tcp=1 udp=1" tail -n 1 "$tmp/trap"
put_force flips <"$tmp/a/flips.yaml" || exit 1
tap_is "the name leads to the server" allowed inside cn "$name" -p 7001 127.0.0.4 srv.test
trap_start

storms=
# storm CGROUP STORM-ARGUMENT...: of flows that both allow and flows that both deny.
storm()
{
	storm_cgroup=$1
	shift
	start "$storm_cgroup" "storm.$(basename "$storm_cgroup")" nice -n 19 "$probe" storm "$@"
	storms="$storms $started"
}
storm ca 127.0.0.1 7001 127.0.0.1 7002
storm cw 127.0.0.1 7001 127.0.0.1 7002
storm cn 10.66.0.1 7001 10.66.0.1 7002
storm cv -i 127.0.0.1 7011 127.0.0.1 7002
storm cp/sub 127.0.0.1 7001 127.0.0.1 7002
start - intrude nice -n 19 "$probe" intrude 127.0.0.1 7003
intruder=$started
iperf_client=
if command -v iperf3 >/dev/null; then
	start srv iperf.server iperf3 -s -1 -p 7031 --forceflush
	start ca iperf.client iperf3 -c 127.0.0.1 -p 7031 --bidir -b 100M -i 2 -t 3600 --forceflush
	iperf_client=$started
fi

# ---- flips, and daemons that die while they change the policy ----

cut=0
passed=0
broken=0
worst=0
died_early=0
in_force() { grep -c '^policy in force' "$tmp/log"; }
more_in_force() { [ "$(in_force)" -gt "$1" ]; }
begin=$(date +%s%N)
for round in $(seq "$kills"); do
	inside plain "$probe" flip $segment "$tmp/policies/flips.yaml" "$tmp/a/flips.yaml" "$tmp/b/flips.yaml" \
		"$cgroup/edge" "$cgroup/plain" 7021 "$daemon" "$ringfence" >"$tmp/flip" 2>&1
	grep -v '^flips=' "$tmp/flip" | head -n 5 | sed 's/^# //; s/^/# /'
	[ "$(field flips flip)" = $segment ] || { tap_ok "round $round of flips ends" false; break; }
	cut=$((cut + $(field cut flip)))
	passed=$((passed + $(field passed flip)))
	broken=$((broken + $(field broken flip)))
	[ "$(field worst flip)" -le $worst ] || worst=$(field worst flip)
	# B is in force. A is asked for, and the daemon killed before, while or after it comes.
	before=$(in_force)
	put flips <"$tmp/a/flips.yaml"
	kill -HUP "$daemon"
	sleep "0.0$((round * 2 / kills))$((round * 7 % 10))"
	daemon_end KILL
	before_start=$(in_force)
	[ "$before_start" != "$before" ] || died_early=$((died_early + 1))
	daemon_must_start
	# It is ready before it has put the policy in force again, and until then says nothing of workloads.
	await 20 more_in_force "$before_start" || tail -n 5 "$tmp/log" | sed 's/^/# /'
done
took=$((($(date +%s%N) - begin) / 1000000))
echo "# $(in_force) changes of policy in $took ms, the slowest in $worst ms; of $kills daemons that were killed, $died_early before the change was over"

# shellcheck disable=SC2086 # a list
for pid in $storms $intruder; do
	finish "$pid"
done
[ -z "$iperf_client" ] || finish "$iperf_client" INT

# ---- what came of it ----

tap_ok "at least $flips changes of policy" above "$(in_force)" $((flips - 1))
tap_is "what B alone denies is cut each time that it comes into force" $((segment / 2 * kills)) echo $cut
tap_is "and does not pass while it is" 0 echo $passed
tap_is "what A alone allows passes each time that A is in force" 0 echo $broken
# storm_is KEY VALUE NAME
storm_is() { equal "$(field "$1" "storm.$3")" "$2" || { cat "$tmp/storm.$3"; false; }; }
storm_judge()
{
	sed 's/^/# /' "$tmp/storm.$1" | tail -n 1
	tap_ok "$2: many flows that both allow" above "$(field tcp "storm.$1")" $(($(few 1000) / 4))
	tap_ok "$2: no TCP connection that both allow breaks" storm_is broken 0 "$1"
	tap_ok "$2: every UDP request that both allow is answered" storm_is lost 0 "$1"
	tap_ok "$2: nothing that both deny passes" storm_is passed 0 "$1"
}
storm_judge ca "by address"
storm_judge cw "by tenant, which changes"
storm_judge cv "all but a tenant, which changes"
storm_judge cn "by name"
storm_judge sub "a workload that comes and goes"
# A denial that was not asked for would be one of an allowed flow, even if it was sent again and so came through.
counter_of() { workload_value "t0/default/$1" "$2"; }
for workload in ca cw cv cn; do
	tap_is "$workload: what was denied to go out is what had to be, to the packet" "$(field denied "storm.$workload")" \
		counter_of $workload egress_deny
	tap_is "$workload: nothing was denied to come in" 0 counter_of $workload ingress_deny
done
tail -n 1 "$tmp/intrude" | sed 's/^/# /'
tap_is "nothing that both deny comes in" 0 field passed intrude
finish "$trap_pid"
tap_is "and none of it arrives" "tcp=0 udp=0" tail -n 1 "$tmp/trap"
srv_deny() { workloads_lines | grep 'default/srv"' | sed -n 's/.*"ingress_deny":"\{0,1\}\([0-9]*\).*/\1/p'; }
# The reset that ends a connection has no socket any more that would say whose it was. A rule by tenant lets it in from
# the cache alone, which a change of policy empties: at most some in a hundred.
connections=$(($(field tcp storm.ca) + $(field tcp storm.cw) + $(field tcp storm.cn) + $(field tcp storm.sub)))
denied=$(($(srv_deny) - $(field sent intrude)))
echo "# srv: of $connections connections, $denied packets more were denied than had to be"
tap_ok "srv: what had to be denied to come in was, to the packet" above "$denied" -1
tap_ok "srv: what else was are the ends of connections at most" above $((connections / 20)) "$denied"
tap_is "no rule set was missing" 0 status_row ruleset_missing count

# intervals WAY: those in which bytes flowed, and all. The last one is as long as it happens to be.
intervals()
{
	grep -E "\[$1\]" "$tmp/iperf.client" | grep -E 'its/sec' | grep -vE 'sender|receiver' | sed '$d' |
		awk '{ all++; if ($0 !~ / 0\.00 (bits|Bytes)/) flowed++ } END { print flowed + 0, all + 0 }'
}
all_flowed()
{
	[ "${1% *}" = "${1#* }" ] && [ "${1% *}" -gt 1 ] && return
	grep -E ' 0\.00 (bits|Bytes)' "$tmp/iperf.client"
	return 1
}
if [ -n "$iperf_client" ]; then
	# An emulated processor is busy for longer than an interval when a daemon starts.
	if [ -n "${RF_IN_VM:-}" ]; then
		tap_skip "iperf3: bytes flow in every interval" "too slow in a guest: see its errors"
	else
		tap_ok "iperf3: bytes go out in every interval ($(intervals TX-C) of them)" all_flowed "$(intervals TX-C)"
		tap_ok "iperf3: bytes come in in every interval ($(intervals RX-C) of them)" all_flowed "$(intervals RX-C)"
	fi
	tap_ok "iperf3: without an error" sh -c "! grep -i error '$tmp/iperf.client' | grep -v 'interrupt - the client has terminated'"
else
	tap_skip "iperf3: bytes flow in every interval" "iperf3 is not installed"
fi
tap_done
