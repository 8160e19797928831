#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rates of rules: what the flows that a rule allows may take together, each rule by itself and beside the workload's.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

make_cgroup web two knock knock6 speed both audit moved out bulk in burst beside watch
server - tcp/0.0.0.0/7001 tcp/0.0.0.0/7003
server knock tcp/0.0.0.0/7002 tcp/0.0.0.0/7004
server knock6 tcp46/::/7006
daemon_must_start

map_entries() { bpftool map dump name "$1" 2>/dev/null | grep -c '"key"'; }
tap_is "status says that rates of rules are enforced" enforced status_row network-rule-rates support

# ---- connections ----

web_rules()
{
	doc web web <<'END'
network:
  egress:
    rules:
END
	[ $# = 0 ] || cat
	cat <<'END'
        - name: few
          ports: [{port: 7001}]
          rate: {connections: 3}
        - name: more
          ports: [{port: 7003}]
          rate: {connections: 5}
END
}
{
	web_rules
	doc knock knock <<'END'
network:
  ingress:
    rules:
      - name: few
        ports: [{port: 7002}]
        rate: {connections: 3}
      - ports: [{port: 7004}]
END
	doc knock6 knock6 <<'END'
network:
  ingress:
    rules:
      - rate: {connections: 2}
END
	doc both both <<'END'
network:
  rates: {connections: 4}
  egress:
    rules:
      - {name: few, ports: [{port: 7001}], rate: {connections: 3}}
      - {name: rest}
END
	doc speed speed <<'END'
network:
  egress:
    rules:
      - {name: slow, ports: [{port: 7001}], rate: {connectionsPerSecond: 50}}
      - {name: fast}
END
	doc audit audit <<'END'
mode: audit
network:
  egress:
    rules:
      - {name: few, ports: [{port: 7001}], rate: {connections: 1}}
      - {name: rest}
END
} | put_force connections || exit 1
many_is() { echo "allowed=$1 denied=$2 timeout=${3:-0} refused=0 other=0"; }
can() { [ "$(inside "$1" "$net" many "$2" 127.0.0.1 "$3" </dev/null 2>&1)" = "$(many_is "$2" 0)" ]; }

hold web web 5 127.0.0.1 7001
tap_is "a rule's connections: exactly as many open as may, the others are denied" "$(many_is 3 2)" cat "$tmp/web"
tap_is "another rule of the workload has its own" "$(many_is 5 2)" inside web "$net" many 7 127.0.0.1 7003 </dev/null
tap_is "one more is denied at once" denied ask web open
tap_is "one is closed" closed ask web close
tap_ok "and lets one in" await 5 opens web
tap_is "but no other" denied ask web open
tap_is "one is reset" closed ask web reset
tap_ok "and lets one in, too" await 5 opens web
tap_is "but no other" denied ask web open
tap_ok "the denial names the policy, the rule, the limit and its line" \
	says 'deny default/default/web .* policy default/default/web rule "few.rate.connections" .*connections.yaml:14$' \
	"$ringfence" events --kind flow-deny --workload '*/web'
tap_ok "it is counted as a denial" above "$(counter web egress_deny)" 3
tap_ok "policy show tells a rule's rate" says 'each way at most connections 3' "$ringfence" policy show default/default/web
tap_ok "policy test, too" says 'rule "few" .*; each way at most connections 3, with all that the rule allows' \
	"$ringfence" policy test -w default/default/web --to 127.0.0.1:7001/tcp

{
	echo '        - {name: before, ports: [{port: 7}], rate: {connections: 1}}' | web_rules +
	sed -n '/^  name: knock$/,$p' "$tmp/policies/connections.yaml" |
		sed '1i---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata:'
} >"$tmp/changed"
put_force connections <"$tmp/changed"
tap_is "a policy that moves the rule keeps what is open" denied ask web open
tap_is "one is closed" closed ask web close
tap_ok "and lets one in" await 5 opens web
tap_is "but no other" denied ask web open
daemon_end KILL
tap_is "without a daemon: the limit holds" denied ask web open
tap_is "without a daemon: one is closed" closed ask web close
tap_ok "without a daemon: and lets one in" await 5 opens web
daemon_must_start
tap_is "the next daemon goes on counting" denied ask web open
exec 5>&-
kill -9 "$held"
wait "$held" 2>/dev/null
tap_ok "those of a killed process are taken off" await 5 can web 3 7001
inside web "$net" -n "$(few 1000)" tcp 127.0.0.1 7001 >"$tmp/churn" 2>&1
tap_ok "many that come and go are let in one by one" says "allowed=$(few 1000) denied=0" cat "$tmp/churn"
tap_ok "and leave nothing behind" await 5 can web 3 7001
inside web "$net" -w 50 -n 4 tcp 10.79.0.77 7001 >"$tmp/lost" 2>&1
tap_ok "ones that nobody answers hold no place" await 5 can web 3 7001

hold knock - 4 127.0.0.1 7002
tap_is "connections that a rule lets come in: exactly as many, another gets no answer" "$(many_is 3 0 1)" cat "$tmp/knock"
tap_is "by another rule they all come in" "$(many_is 9 0)" "$net" many 9 127.0.0.1 7004 </dev/null
tap_is "one is closed" closed ask knock close
tap_ok "and lets one in" await 10 opens knock
tap_ok "it is counted as a denial" above "$(counter knock ingress_deny)" 0
tap_ok "and told" says 'deny default/default/knock .* rule "few.rate.connections"' "$ringfence" events --workload '*/knock'
exec 5>&-
wait "$held" 2>/dev/null
# What the other end of those that are closed still has ends with it.
free() { ! bpftool map dump name rf_rule_connections_map | grep -q '"open": [1-9]'; }
for address in ::1 127.0.0.1; do
	hold knock6 - 3 $address 7006
	tap_is "at a socket of both families, from $address" "$(many_is 2 0 1)" cat "$tmp/knock6"
	exec 5>&-
	wait "$held" 2>/dev/null
	tap_ok "and they are taken off" await 10 free
done

hold both both 5 127.0.0.1 7001
tap_is "beside a limit of the workload: the rule's holds" "$(many_is 3 2)" cat "$tmp/both"
tap_is "and the workload's" "$(many_is 1 1)" inside both "$net" many 2 127.0.0.1 7003 </dev/null
exec 5>&-
wait "$held" 2>/dev/null
tap_is "what is left of it is for all" "$(many_is 4 1)" inside both "$net" many 5 127.0.0.1 7003 </dev/null

hold audit audit 3 127.0.0.1 7001
tap_is "audit: all open" "$(many_is 3 0)" cat "$tmp/audit"
tap_is "audit: what would have been denied is counted" 2 counter audit egress_would
tap_ok "audit: and told" says 'would-deny default/default/audit .* rule "few.rate.connections"' \
	"$ringfence" events --workload '*/audit'
exec 5>&-
wait "$held" 2>/dev/null

if [ "$RF_SLOW" = 1 ]; then
	start=$(date +%s%N)
	inside speed timeout -s TERM 3 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed2" &
	inside speed timeout -s TERM 3 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed"
	wait $!
	count=$(($(count_of allowed "$(cat "$tmp/speed")") + $(count_of allowed "$(cat "$tmp/speed2")")))
	may=$((($(date +%s%N) - start) / 20000000))
	echo "# connectionsPerSecond 50 for $((may * 20)) ms: $count, expected $may"
	tap_ok "a rule's connectionsPerSecond: no more than may" [ "$count" -le $((may * 103 / 100 + 1)) ]
	tap_ok "a rule's connectionsPerSecond: and no less" [ "$count" -ge $((may * 97 / 100 - 1)) ]
	inside speed timeout -s TERM 1 "$net" -l tcp 127.0.0.1 7003 >"$tmp/speed"
	tap_ok "another rule has no part in it" above "$(count_of allowed "$(cat "$tmp/speed")")" 500
fi
drop_force connections
tap_is "without them no limit of a rule is left" "0 0 0" \
	echo "$(map_entries rf_rule_rate_map) $(map_entries rf_rule_state_map) $(map_entries rf_rule_connections_map)"

# ---- bytes and packets ----

if ! command -v iperf3 >/dev/null; then
	tap_skip "bytes and packets a second" "iperf3 is not installed"
	tap_done
fi
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
tap_is "one without has none" 0 programs web

# Both rules at once.
tcp_pair()
{
	send one out 1 -t $seconds
	send two out 2 -t $seconds
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(tcp_wire two) $slow_kbits"
}
udp_pair()
{
	send one out 1 -t 10 -u -b 80M
	send two out 2 -t 10 -u -b 40M
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
	send one out 1 -R -t 10
	send two out 2 -u -b 40M -R -t 10
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
	come one 1 -t 10
	come two 2 -u -b 40M -t 10
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
as_much coming
tap_near "ingress: TCP" "$(tcp_wire one)" $kbits $off
tap_near "ingress: UDP" "$(udp_wire two)" $slow_kbits $off
leaving()
{
	come one 1 -R -t 10
	come two 2 -u -b 40M -R -t 10
	sent
	printf '%s\n' "$(tcp_wire one) $kbits" "$(udp_wire two) $slow_kbits"
}
as_much leaving
tap_near "what goes back is under the rule that let the connection in" "$(tcp_wire one)" $kbits $off
tap_near "and so are answers over UDP" "$(udp_wire two)" $slow_kbits $off

together()
{
	send one beside 1 -t 10
	send rest beside 3 -t 10
	sent
	echo "$(($(tcp_wire one) + $(tcp_wire rest))) $kbits"
}
as_much together
tap_near "a rule's rate and the workload's: all together" $(($(tcp_wire one) + $(tcp_wire rest))) $kbits $off
tap_ok "and the rule's is no more than its own" [ "$(tcp_wire one)" -le $((slow_kbits * 103 / 100)) ]
alone()
{
	send one beside 1 -t 10
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
# finishes BYTES: within 2 s.
finishes() { inside burst timeout 2 iperf3 -c $far_address -p 5203 -n "$1" >/dev/null 2>&1; }
burst_rules '- {name: other, ports: [{port: 1}]}' | put_force burst
tap_ok "what the burst holds goes at once" finishes 3M
burst_rules '- {name: another, ports: [{port: 2}], rate: {bytesPerSecond: 1M}}' | put_force burst
slow() { ! finishes 3M; }
tap_ok "a reload fills no bucket" slow
far_servers 4
{
	burst_rules '- {name: other, ports: [{port: 1}]}' | sed 's/name: burst, ports/name: fresh, ports/; s/5203/5204/'
} | put_force burst
tap_ok "the bucket of another rule is full" inside burst timeout 2 iperf3 -c $far_address -p 5204 -n 3M

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
rm -f "$tmp/policies/burst.yaml" "$tmp/policies/watch.yaml"
drop_force out
tap_is "no limit and no state of a rule is left" "0 0 0" \
	echo "$(map_entries rf_rule_rate_map) $(map_entries rf_rule_state_map) $(map_entries rf_rule_connections_map)"
tap_done
