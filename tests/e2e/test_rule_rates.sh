#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rates of rules: what the flows that a rule allows may take together, each rule by itself and beside the workload's.
# In a slow guest only what differs between kernels, at rates that it can carry.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

command -v iperf3 >/dev/null || tap_skip_all "iperf3 is not installed"
make_cgroup out in burst beside watch plain
daemon_must_start
tap_is "status says that rates of rules are enforced" enforced status_row network-rule-rates support

far_servers 1 2 3
# near_server N: iperf3 at port 530N of this end, in the workload "in". come NAME N OPTION...: from the other end to it.
near_server()
{
	(enter in iperf3 -s -p "530$1" >"$tmp/near$1" 2>&1) &
	helpers="$helpers $!"
	await 5 grep -q listening "$tmp/near$1"
}
come()
{
	come_name=$1
	come_port=$2
	shift 2
	(
		ip netns exec "$far" iperf3 -c 10.79.0.1 -p "530$come_port" -f k -i 0 "$@" >"$tmp/$come_name.iperf" 2>&1
		received "$come_name"
	) &
	senders="$senders $!"
}

if [ "$RF_SLOW" = 1 ]; then
	rate=6250k slow=2500k kbits=50000 slow_kbits=20000 seconds=10 off=30
else
	rate=250k slow=125k kbits=2000 slow_kbits=1000 seconds=5 off=300
fi
{
	doc out out <<END
network:
  egress:
    rules:
      - {name: one, ports: [{port: 5201}], rate: {bytesPerSecond: $rate}}
      - {name: two, ports: [{port: 5202}], rate: {bytesPerSecond: $slow}}
      - {name: udp one, ports: [{port: 5201, protocol: UDP}], rate: {bytesPerSecond: $rate, burst: 1M}}
      - {name: udp two, ports: [{port: 5202, protocol: UDP}], rate: {bytesPerSecond: $slow, burst: 400k}}
      - {name: rest}
END
	doc in in <<END
network:
  ingress:
    rules:
      - {name: one, ports: [{port: 5301}], rate: {bytesPerSecond: $rate}}
      - {name: udp two, ports: [{port: 5302, protocol: UDP}], rate: {bytesPerSecond: $slow, burst: 400k}}
      - {name: rest}
END
	doc beside beside <<END
network:
  rates: {egress: {bytesPerSecond: $rate}}
  egress:
    rules:
      - {name: one, ports: [{port: 5201}], rate: {bytesPerSecond: $slow}}
      - {name: rest}
END
} | put_force out || exit 1
tap_is "a workload whose rules have rates has the programs" 2 programs out
tap_is "one without has none" 0 programs plain

# Both rules at once.
tcp_pair()
{
	send one out 1 -O 1 -t $seconds
	send two out 2 -O 1 -t $seconds
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(tcp_wire two) $slow_kbits"
}
udp_pair()
{
	send one out 1 -O 1 -t 10 -u -b 80M
	send two out 2 -O 1 -t 10 -u -b 40M
	sent
	printf '%s\n' "$(udp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
if tc qdisc replace dev "$near_device" root fq 2>/dev/null; then
	as_much tcp_pair
	tap_near "egress with fq: TCP by one rule" "$(tcp_wire one)" $kbits $off
	tap_near "egress with fq: TCP by another" "$(tcp_wire two)" $slow_kbits $off
	tap_ok "egress with fq: packets waited" above "$(counter out tx_delayed_packets)" 0
	tap_is "egress with fq: none was dropped" 0 counter out tx_dropped_packets
	tc qdisc del dev "$near_device" root
else
	tap_skip "egress with fq" "this kernel has no qdisc fq"
fi
as_much tcp_pair
tap_near "egress without fq: TCP by one rule" "$(tcp_wire one)" $kbits $off
tap_near "egress without fq: TCP by another" "$(tcp_wire two)" $slow_kbits $off
tap_ok "egress without fq: packets were dropped" above "$(counter out tx_dropped_packets)" 0
[ "$RF_SLOW" = 1 ] || tap_done

as_much udp_pair
tap_near "egress: UDP by one rule" "$(udp_wire one)" $kbits $off
tap_near "egress: UDP by another" "$(udp_wire two)" $slow_kbits $off
send rest out 3 -t 2
sent
tap_ok "a rule without a rate is held back by neither" above "$(cat "$tmp/rest")" 150000
answers()
{
	send one out 1 -R -O 1 -t 10
	send two out 2 -u -b 40M -R -O 1 -t 10
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
as_much answers
tap_near "what comes back over TCP is under the rule that let the connection go" "$(tcp_wire one)" $kbits $off
tap_near "answers over UDP are under the rule that let the request go" "$(udp_wire two)" $slow_kbits $off
tap_ok "what was dropped of it is counted" above "$(counter out rx_dropped_bytes)" 1000000

near_server 1
near_server 2
coming()
{
	come one 1 -O 1 -t 10
	come two 2 -u -b 40M -O 1 -t 10
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
as_much coming
tap_near "ingress: TCP" "$(tcp_wire one)" $kbits $off
tap_near "ingress: UDP" "$(udp_wire two)" $slow_kbits $off
leaving()
{
	come one 1 -R -O 1 -t 10
	come two 2 -u -b 40M -R -O 1 -t 10
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
as_much leaving
tap_near "what goes back is under the rule that let the connection in" "$(tcp_wire one)" $kbits $off
tap_near "and so are answers over UDP" "$(udp_wire two)" $slow_kbits $off

together()
{
	send one beside 1 -O 1 -t 10
	send rest beside 3 -O 1 -t 10
	sent
	echo "$(($(tcp_wire one) + $(tcp_wire rest))) $kbits"
}
as_much together
tap_near "a rule's rate and the workload's: all together" $(($(tcp_wire one) + $(tcp_wire rest))) $kbits $off
tap_ok "and the rule's is no more than its own" [ "$(tcp_wire one)" -le $((slow_kbits * 103 / 100)) ]
alone()
{
	send one beside 1 -O 1 -t 10
	sent
	echo "$(tcp_wire one) $slow_kbits"
}
as_much alone
tap_near "the rule's alone" "$(tcp_wire one)" $slow_kbits $off

# ---- a policy that changes ----

burst_rules()
{
	doc burst burst <<END
network:
  egress:
    rules:
      $1
      - {name: burst, ports: [{port: 5203}], rate: {bytesPerSecond: 100k, burst: 4Mi}}
END
}
# finishes PORT BYTES: within 5 s, in which the rate alone brings 500k. iperf3 ends with what it wrote, so with
# buffers that hold next to nothing of it.
finishes() { inside burst timeout 5 iperf3 -c $far_address -p "$1" -n "$2" -w 128K >/dev/null 2>&1; }
burst_rules '- {name: other, ports: [{port: 1}]}' | put_force burst
tap_ok "what the burst holds goes at once" finishes 5203 3M
burst_rules '- {name: another, ports: [{port: 2}], rate: {bytesPerSecond: 1M}}' | put_force burst
slow() { ! finishes 5203 3M; }
tap_ok "a reload fills no bucket" slow
far_servers 4
{
	burst_rules '- {name: other, ports: [{port: 1}]}' | sed 's/name: burst, ports/name: fresh, ports/; s/5203/5204/'
} | put_force burst
tap_ok "the bucket of another rule is full" finishes 5204 3M

# ---- audit ----

doc watch watch <<'END' | put_force watch
mode: audit
network:
  egress:
    rules:
      - {name: one, rate: {bytesPerSecond: 1M}}
END
far_servers 5
send watch watch 5 -t 1
sent
tap_ok "audit: nothing is held back" above "$(cat "$tmp/watch")" 100000
tap_ok "audit: what would have been is counted" above "$(counter watch tx_would_bytes)" 1000000
tap_is "audit: and nothing as dropped" 0 counter watch tx_dropped_bytes

# ---- a life without the daemon ----

daemon_end KILL
as_much tcp_pair
tap_near "without a daemon: one rule's rate holds" "$(tcp_wire one)" $kbits $off
tap_near "without a daemon: and the other's" "$(tcp_wire two)" $slow_kbits $off
daemon_must_start
tap_is "the next daemon takes the programs over" 2 programs out
doc out out <<'END' | put_force out
network: {egress: {rules: [{name: one}]}}
END
tap_is "without their rates there are no programs" 0 programs out
send one out 1 -t 1
sent
tap_ok "and nothing is held back" above "$(cat "$tmp/one")" 150000
tap_is "what is left is held once" "2 2 0" held_by_rules
rm -f "$tmp/policies/burst.yaml" "$tmp/policies/watch.yaml"
drop_force out
tap_is "no limit and no state of a rule is left" "0 0 0" held_by_rules
tap_done
