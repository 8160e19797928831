#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rates of workloads: bytes and packets within 3 % of what was set, connections to the one. Between this network
# namespace and another, over a veth pair that the test makes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

make_cgroup out in udp udpin packets pair pair/child audit burst many allowed knock speed both plain
server - tcp/0.0.0.0/7001
server knock tcp/0.0.0.0/7002
daemon_must_start

# ---- connections ----

{
	doc many many <<'END'
network: {rates: {connections: 5}}
END
	doc allowed allowed <<'END'
network: {rates: {connections: 1000, connectionsPerSecond: 100000}}
END
	doc knock knock <<'END'
network: {rates: {connections: 3}}
END
	doc speed speed <<'END'
network: {rates: {connectionsPerSecond: 50}}
END
	doc both both <<'END'
mode: audit
network: {rates: {connections: 1}}
END
} | put_force connections || exit 1

hold many many 7 127.0.0.1 7001
tap_is "connections: exactly as many open as may, the others are denied" \
	"allowed=5 denied=2 timeout=0 refused=0 other=0" cat "$tmp/many"
tap_is "a twin without that limit opens them all" "allowed=20 denied=0 timeout=0 refused=0 other=0" \
	inside allowed "$net" many 20 127.0.0.1 7001 </dev/null
tap_is "nobody else is limited" "allowed=20 denied=0 timeout=0 refused=0 other=0" \
	inside plain "$net" many 20 127.0.0.1 7001 </dev/null
tap_is "one more is denied at once" denied ask many open
tap_is "one is closed" closed ask many close
tap_ok "and lets one in" await 5 opens many
tap_is "but no other" denied ask many open
tap_is "one is reset" closed ask many reset
tap_ok "and lets one in, too" await 5 opens many
tap_is "but no other" denied ask many open
tap_is "what passes on a connection that is open is not limited" allowed \
	sh -c "'$net' tcp 127.0.0.1 7001"
tap_ok "it is counted as a denial" above "$(counter many egress_deny)" 3
tap_ok "the denial names the policy and the limit" \
	says 'deny default/default/many .* policy default/default/many rule "connections" .*connections.yaml:[0-9]+' \
	"$ringfence" events --kind flow-deny --workload '*/many'

daemon_end KILL
tap_is "without a daemon: the limit holds" denied ask many open
tap_is "without a daemon: one is closed" closed ask many close
tap_ok "without a daemon: and lets one in" await 5 opens many
daemon_must_start
tap_is "the next daemon goes on counting" denied ask many open
exec 5>&-
kill -9 "$held"
wait "$held" 2>/dev/null
tap_ok "those of a killed process are taken off" await 5 can_open many 5
inside many "$net" -n "$(few 100)" tcp 127.0.0.1 7009 >"$tmp/refused" 2>&1
tap_ok "refused ones hold no place" says "refused=$(few 100) " cat "$tmp/refused"
tap_ok "and five may open" await 5 can_open many 5
inside many "$net" -w 50 -n 6 tcp 10.79.0.77 7001 >"$tmp/lost" 2>&1
tap_ok "ones that nobody answers hold no place" await 5 can_open many 5
inside many "$net" -n "$(few 1000)" tcp 127.0.0.1 7001 >"$tmp/churn" 2>&1
tap_ok "many that come and go are let in one by one" says "allowed=$(few 1000) denied=0" cat "$tmp/churn"
echo "# closed by $(status_row socket_state recursion_misses) while another one closed, again by $(status_row socket_state_again recursion_misses)"
tap_ok "and leave nothing behind" await 5 can_open many 5

hold knock - 4 127.0.0.1 7002
tap_is "connections that come in: exactly as many, another gets no answer" \
	"allowed=3 denied=0 timeout=1 refused=0 other=0" cat "$tmp/knock"
tap_is "one is closed" closed ask knock close
tap_ok "and lets one in" await 10 opens knock
tap_ok "it is counted as a denial" above "$(counter knock ingress_deny)" 0
exec 5>&-
wait "$held" 2>/dev/null

hold both both 3 127.0.0.1 7001
tap_is "audit: all open" "allowed=3 denied=0 timeout=0 refused=0 other=0" cat "$tmp/both"
tap_is "audit: what would have been denied is counted" 2 counter both egress_would
tap_is "audit: and nothing as denied" 0 counter both egress_deny
tap_ok "audit: and told" says 'would-deny default/default/both .* rule "connections"' "$ringfence" events --workload '*/both'
exec 5>&-
wait "$held" 2>/dev/null

if [ "$RF_SLOW" = 1 ]; then
	# Two, so that one is there to try while the other waits for a processor.
	start=$(date +%s%N)
	inside speed timeout -s TERM 3 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed2" &
	inside speed timeout -s TERM 3 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed"
	wait $!
	count=$(($(count_of allowed "$(cat "$tmp/speed")") + $(count_of allowed "$(cat "$tmp/speed2")")))
	may=$((($(date +%s%N) - start) / 20000000))
	echo "# connectionsPerSecond 50 for $((may * 20)) ms: $count, expected $may"
	tap_ok "connectionsPerSecond: no more than may" [ "$count" -le $((may * 103 / 100 + 1)) ]
	tap_ok "connectionsPerSecond: and no less" [ "$count" -ge $((may * 97 / 100 - 1)) ]
	tap_ok "connectionsPerSecond: it is told by its name" says 'rule "connectionsPerSecond"' \
		"$ringfence" events --workload '*/speed'
	inside allowed timeout -s TERM 1 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed"
	tap_ok "a twin with more of it is let in" above "$(count_of allowed "$(cat "$tmp/speed")")" 1000
fi
drop_force connections

# ---- bytes and packets ----

if ! command -v iperf3 >/dev/null; then
	tap_skip "bytes and packets a second" "iperf3 is not installed"
	tap_done
fi
far_servers 1 2 3 4 5 6
# ---- where the device paces: needs the qdisc fq ----

if [ "$RF_SLOW" = 1 ]; then
	rate=6250k
	kbits=50000
	seconds=10
	off=30
else
	rate=250k
	kbits=2000
	seconds=5
	off=300
fi
if tc qdisc replace dev "$near_device" root fq 2>/dev/null; then
	doc out out <<END | put_force out
network: {rates: {egress: {bytesPerSecond: $rate}}}
END
	send paced out 1 -t $seconds
	sent
	tap_near "egress with fq: TCP" "$(tcp_wire paced)" $kbits $off
	tap_ok "egress with fq: packets waited" above "$(counter out tx_delayed_packets)" 0
	if [ "$RF_SLOW" = 1 ]; then
		send paced out 1 -u -b 100M -t $seconds
		sent
		tap_near "egress with fq: UDP" "$(udp_wire paced)" $kbits $off
	fi
	tap_is "egress with fq: none was dropped" 0 counter out tx_dropped_packets
	tc qdisc del dev "$near_device" root
else
	tap_skip "egress with fq" "this kernel has no qdisc fq"
fi
if [ "$RF_SLOW" != 1 ]; then
	send plain out 1 -t $seconds
	sent
	tap_near "egress without fq: TCP" "$(tcp_wire plain)" $kbits $off
	tap_ok "egress without fq: packets were dropped" above "$(counter out tx_dropped_packets)" 0
	tap_done
fi

# ---- where it does not ----

{
	doc out out <<'END'
network: {rates: {egress: {bytesPerSecond: 6250k}}}
END
	doc udp udp <<'END'
network: {rates: {egress: {bytesPerSecond: 5M, burst: 500k}}}
END
	doc packets packets <<'END'
network: {rates: {egress: {packetsPerSecond: 2000, burst: 300k}}}
END
	doc in in <<'END'
network: {rates: {ingress: {bytesPerSecond: 6250k}}}
END
	doc udpin udpin <<'END'
network: {rates: {ingress: {bytesPerSecond: 5M}}}
END
	doc pair pair <<'END'
network: {rates: {egress: {bytesPerSecond: 2500k, burst: 250k}}}
END
	doc burst burst <<'END'
network: {rates: {egress: {bytesPerSecond: 100k, burst: 4Mi}}}
END
	doc audit audit <<'END'
mode: audit
network: {rates: {egress: {bytesPerSecond: 1M}, ingress: {bytesPerSecond: 1M}}}
END
} | put_force out
tap_ok "policy show tells the rate and where it is from" \
	says 'egress bytesPerSecond 6250000  \(out, .*out.yaml:[0-9]+\)' "$ringfence" policy show default/default/out
tap_is "a workload with a rate has the programs" 2 programs out
tap_is "one without has none" 0 programs plain
tap_is "nor has the attach point" 0 programs .

packets_passed() { echo $(($(cat "$tmp/packets") * 1000 / 8 / 200)); }
pair_passed() { echo $(($(udp_wire pair) + $(udp_wire child))); }
# Two workloads at once, with rates of their own, and one that counts packets.
leave()
{
	send out out 1 -t 10
	send udp udp 2 -u -b 100M -t 10
	send packets packets 3 -u -b 50M -l 200 -t 10
	sent
	printf '%s\n' "$(tcp_wire out) 50000" "$(udp_wire udp) 40000" "$(packets_passed) 2000"
}
as_much leave
tap_near "egress without fq: TCP" "$(tcp_wire out)" 50000 30
tap_near "egress: UDP, at the same time, shares nothing with it" "$(udp_wire udp)" 40000 30
tap_near "egress: packets a second" "$(packets_passed)" 2000 30
tap_ok "what was dropped is counted" above "$(counter udp tx_dropped_bytes)" 1000000
tap_is "what came in is not under it" 0 counter udp rx_dropped_bytes
enter_and_pair()
{
	send in in 1 -R -t 10
	send udpin udpin 2 -u -b 100M -R -t 10
	send pair pair 3 -u -b 30M -t 10
	send child pair/child 4 -u -b 30M -t 10
	sent
	printf '%s\n' "$(tcp_wire in) 50000" "$(udp_wire udpin) 40000" "$(pair_passed) 20000"
}
as_much enter_and_pair
tap_near "ingress: TCP" "$(tcp_wire in)" 50000 30
tap_near "ingress: UDP" "$(udp_wire udpin)" 40000 30
tap_near "a child cgroup shares its workload's bucket" "$(pair_passed)" 20000 30
tap_ok "what was dropped is counted" above "$(counter udpin rx_dropped_bytes)" 1000000

send audit audit 1 -t 1
sent
tap_ok "audit: nothing is held back" above "$(cat "$tmp/audit")" 100000
tap_ok "audit: what would have been is counted" above "$(counter audit tx_would_bytes)" 1000000
tap_is "audit: and nothing as dropped" 0 counter audit tx_dropped_bytes

# finishes CGROUP BYTES: within 2 s.
finishes() { inside "$1" timeout 2 iperf3 -c $far_address -p 5206 -n "$2" >/dev/null 2>&1; }
tap_ok "what the burst holds goes at once" finishes burst 3M
# A client that was cut off leaves its server waiting.
far_server()
{
	ip netns exec "$far" iperf3 -s -1 -p 5207 >"$tmp/iperf7" 2>&1 &
	helpers="$helpers $!"
	await 5 grep -q listening "$tmp/iperf7"
}
far_server
slow() { ! inside burst timeout 2 iperf3 -c $far_address -p 5207 -n 8M >/dev/null 2>&1; }
tap_ok "and what it does not hold takes its time" slow

# ---- a life without the daemon ----

daemon_end KILL
alone()
{
	send out out 1 -t 5
	sent
	echo "$(tcp_wire out) 50000"
}
as_much alone
tap_near "without a daemon: the rate holds" "$(tcp_wire out)" 50000 50
daemon_must_start
tap_is "the next daemon takes the programs over" 2 programs out
bpftool link detach pinned "$(ls "$tmp"/bpf/links/rate_*_egress | head -n 1)"
tap_ok "a link that was detached is put back" await 5 log_grew 'tampering: hook rf_rate_egress of cgroup .* was detached' 0
rm -f "$tmp"/bpf/links/rate_*_ingress
tap_ok "and so are pins" await 5 sh -c "ls '$tmp'/bpf/links/rate_*_ingress"
doc out out <<'END' | put_force out
network: {egress: {default: allow}}
END
tap_is "without its rate a workload has no programs" 0 programs out
send out out 1 -t 1
sent
tap_ok "and is held back no more" above "$(cat "$tmp/out")" 150000
tap_is "no link is left" 0 sh -c "ls '$tmp/bpf/links' | grep -c rate_"
tap_is "status says that rates are enforced" enforced status_row network-rates support
tap_is "and that those of rules are not" unavailable status_row network-rule-rates support
tap_done
