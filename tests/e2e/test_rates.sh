#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rates of workloads: bytes and packets within 3 % of what was set. Between this network namespace and another, over a
# veth pair. In a slow guest only what differs between kernels, at a rate that it can carry.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

command -v iperf3 >/dev/null || tap_skip_all "iperf3 is not installed"
make_cgroup out in udp udpin packets pair pair/child audit burst plain
daemon_must_start

far_servers 1 2 3 4 5 6

# ---- where the device paces: needs the qdisc fq ----

if [ "$RF_SLOW" = 1 ]; then kbits=50000; else kbits=10000; fi
rate=$((kbits / 8))k
pace()
{
	send paced out 1 -O 1 -t 10
	sent
	echo "$(tcp_wire paced) $kbits"
}
pace_udp()
{
	send paced out 1 -u -b $((kbits * 2))k -O 1 -t 10
	sent
	echo "$(udp_wire paced) $kbits"
}
plain()
{
	send plain out 1 -O 1 -t 10
	sent
	echo "$(tcp_wire plain) $kbits"
}
doc out out <<END | put_force out
network: {rates: {egress: {bytesPerSecond: $rate}}}
END
if tc qdisc replace dev "$near_device" root fq 2>/dev/null; then
	as_much pace
	tap_near "egress with fq: TCP" "$(tcp_wire paced)" $kbits 30
	tap_ok "egress with fq: packets waited" above "$(counter out tx_delayed_packets)" 0
	as_much pace_udp
	tap_near "egress with fq: UDP" "$(udp_wire paced)" $kbits 30
	tap_is "egress with fq: none was dropped" 0 counter out tx_dropped_packets
	tc qdisc del dev "$near_device" root
else
	tap_skip "egress with fq" "this kernel has no qdisc fq"
fi
if [ "$RF_SLOW" != 1 ]; then
	as_much plain
	tap_near "egress without fq: TCP" "$(tcp_wire plain)" $kbits 30
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
	send out out 1 -O 1 -t 10
	send udp udp 2 -u -b 100M -O 1 -t 10
	send packets packets 3 -u -b 50M -l 200 -O 1 -t 10
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
	send in in 1 -R -O 1 -t 10
	send udpin udpin 2 -u -b 100M -R -O 1 -t 10
	send pair pair 3 -u -b 30M -O 1 -t 10
	send child pair/child 4 -u -b 30M -O 1 -t 10
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
	send out out 1 -O 1 -t 5
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
tap_done
