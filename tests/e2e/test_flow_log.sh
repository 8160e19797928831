#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The flow log of a live daemon: pairs of events whose counts are those of the accounts, sampling, and room for all.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup app tenth flood quiet
ip address add 10.9.0.1/32 dev lo
server - tcp/0.0.0.0/7001 udp/0.0.0.0/7001 udp/0.0.0.0/7002 tcp/0.0.0.0/7002
daemon_must_start

# app EGRESS-PORTS FLOWS
app()
{
	doc app app <<END
network:
  egress:
    default: deny
    rules:
      - {name: web, ports: [$1]}
telemetry: {events: []$2}
END
}
# Idle flows of the first end soon, those of the flood never.
logged=', flows: {idle: 3s}'
both_ports='{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}'
# policies EGRESS-PORTS
policies()
{
	app "$1" "$logged"
	doc tenth tenth <<'END'
telemetry: {events: [], flows: {sample: 10, idle: 1s}}
END
	doc flood flood <<'END'
telemetry: {events: [], flows: {idle: 1h}}
END
	doc quiet quiet <<'END'
telemetry: {events: []}
END
}
policies "$both_ports" | put_force base || exit 1

# What a follower sees cannot be pushed out of the history.
"$ringfence" events --follow --json --kind flow-start --kind flow-end >"$tmp/flows" 2>/dev/null &
helpers="$helpers $!"
# events_of WORKLOAD KIND [TEXT]: how many.
events_of() { grep -F "\"workload\":\"default/default/$1\"" "$tmp/flows" | grep -F "\"kind\":\"$2\"" | grep -cF -- "${3:-}"; }
# last_of WORKLOAD KIND [TEXT]
last_of() { grep -F "\"workload\":\"default/default/$1\"" "$tmp/flows" | grep -F "\"kind\":\"$2\"" | grep -F -- "${3:-}" | tail -n 1; }
# member KEY: of the line on stdin.
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
counts() { echo "$(echo "$1" | member tx_bytes) $(echo "$1" | member tx_packets) $(echo "$1" | member rx_bytes) $(echo "$1" | member rx_packets)"; }
at_least() { [ "$(events_of "$1" "$2" "${4:-}")" -ge "$3" ]; }
passed() { echo "$(counter "$1" tx_bytes) $(counter "$1" tx_packets) $(counter "$1" rx_bytes) $(counter "$1" rx_packets)"; }
# grown BEFORE AFTER
grown()
{
	# shellcheck disable=SC2086 # lists of numbers
	set -- $1 $2
	echo "$(($5 - $1)) $(($6 - $2)) $(($7 - $3)) $(($8 - $4))"
}
# stream CGROUP ADDR PORT: a connection that answers on 6 to each line on 5.
stream()
{
	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	enter "$1" "$net" stream "$2" "$3" <"$tmp/to" >"$tmp/from" 2>&1 &
	helpers="$helpers $!"
	exec 5>"$tmp/to" 6<"$tmp/from"
	read -r answer <&6
}
say()
{
	echo "$1" >&5
	read -r answer <&6
	echo "$answer"
}
ended() { exec 5>&- 6<&-; wait "${helpers##* }" 2>/dev/null; }

# ---- pairs ----

before=$(passed app)
stream app 10.9.0.1 7001
tap_ok "TCP: the start is told while it lasts" await 5 at_least app flow-start 1
start=$(last_of app flow-start)
tap_is "TCP: the start has the first packet" "1 0 0" echo "$(counts "$start" | cut -d' ' -f2-)"
tap_is "TCP: nothing has ended" 0 events_of app flow-end
for bytes in 1 1000 30000 7; do
	say "$bytes" >/dev/null
done
say shut >"$tmp/answer"
tap_is "TCP: it carries and ends" shut cat "$tmp/answer"
ended
tap_ok "TCP: the end is told" await 5 at_least app flow-end 1
end=$(last_of app flow-end)
reason_of() { echo "$1" | member reason; }
tap_is "TCP: all that passed is in it, to the byte" "$(grown "$before" "$(passed app)")" counts "$end"
tap_is "TCP: it was closed" closed reason_of "$end"
tap_is "TCP: of a class of peers" host sh -c "echo '$end' | sed -n 's/.*\"peer\":\"\([a-z]*\).*/\1/p'"
tap_is "TCP: allowed by a rule that has a name" '"policy":"default/default/app","rule":"web"' \
	sh -c "echo '$end' | grep -o '\"policy\":\"[^\"]*\",\"rule\":\"[^\"]*\"'"
tap_ok "TCP: with its round-trip time" above "$(echo "$end" | member rtt_us)" 0
same() { echo "$1" | grep -o '"local":{[^}]*},"remote":{[^}]*},"peer":"[a-z]*","start":"[^"]*"'; }
tap_is "TCP: both events are of one flow" "$(same "$start")" same "$end"

inside app "$net" tcp 10.9.0.1 7001 >/dev/null
tap_ok "TCP: a reset ends a flow" await 5 at_least app flow-end 2 '"reason":"closed"'
inside app "$net" tcp 10.9.0.1 7001 >/dev/null
tap_ok "TCP: every connection is a flow" await 5 at_least app flow-end 3 '"reason":"closed"'

inside app "$net" udp 10.9.0.1 7001 >/dev/null
tap_ok "UDP: the start is told" await 5 at_least app flow-start 1 '"protocol":"udp"'
tap_ok "UDP: the end comes with silence" await 10 at_least app flow-end 1 '"reason":"idle"'
tap_is "UDP: with what was said" "29 1 29 1" counts "$(last_of app flow-end '"protocol":"udp"')"

# ---- what is denied ----

starts=$(events_of app flow-start)
inside app "$net" tcp 10.9.0.1 7002 >/dev/null
tap_ok "connect() that is denied is an end" await 5 at_least app flow-end 1 '"verdict":"deny"'
tap_is "without a packet" "0 0 0 0" counts "$(last_of app flow-end '"verdict":"deny"')"
inside app "$net" udp 10.9.0.1 7002 >/dev/null
tap_ok "so is a datagram that is denied" await 5 at_least app flow-end 2 '"verdict":"deny"'
tap_is "with its bytes" "29 1 0 0" counts "$(last_of app flow-end '"verdict":"deny"')"
tap_is "neither has a start" "$starts" events_of app flow-start
tap_is "what is allowed has" allowed inside app "$net" udp 10.9.0.1 7001
tap_ok "and it is told" await 5 at_least app flow-start $((starts + 1))

# ---- policy ----

stream app 10.9.0.1 7001
say 1 >/dev/null
cuts=$(events_of app flow-end '"reason":"cut"')
policies '{protocol: TCP, port: 7009}' | put_force base || exit 1
say 1 >"$tmp/answer"
tap_is "a change of policy cuts a flow" timeout cat "$tmp/answer"
tap_ok "which is told" await 5 at_least app flow-end $((cuts + 1)) '"reason":"cut"'
ended

# ---- sampling ----

flows=$(few 1000)
inside tenth "$net" -n "$flows" udp 10.9.0.1 7001 >/dev/null
tenth_done() { [ "$(events_of tenth flow-start)" -gt 0 ] && [ "$(events_of tenth flow-start)" = "$(events_of tenth flow-end)" ]; }
tap_ok "sampling: what begins ends" await 10 tenth_done
starts=$(events_of tenth flow-start)
tap_ok "sampling: one in ten, as a hash has it ($starts of $flows)" \
	sh -c "[ $starts -ge $((flows / 20)) ] && [ $starts -le $((flows / 5)) ]"
ports_of() { grep -F '"workload":"default/default/tenth"' "$tmp/flows" | grep -F "\"kind\":\"$1\"" | grep -o '"local":{[^}]*}' | sort; }
tap_is "sampling: the ends are those of the starts" "$(ports_of flow-start)" ports_of flow-end
inside quiet "$net" udp 10.9.0.1 7001 >/dev/null
tap_is "without the policy's word there is no flow" 0 events_of quiet flow-start

# ---- room ----

errors() { status_json | sed -n 's/.*"flow_log_full"[^0-9]*\([0-9]*\).*/\1/p'; }
tap_is "nothing was left out so far" 0 errors
# More than half of the log, of one tenant; in a guest there is no time for that.
if [ "$RF_SLOW" = 1 ]; then
	echo "10000 65000" >/proc/sys/net/ipv4/ip_local_port_range
	# Their ports are drawn by chance, some of them twice.
	inside flood "$net" -w 1 -n 30000 udp 10.9.0.1 7001 >/dev/null
	tap_ok "a flood fills its part of the log, which is counted" above "$(errors)" 0
	tap_ok "and no more than that" sh -c "[ $(errors) -ge 1000 ]"
	starts=$(events_of tenth flow-start)
	inside tenth "$net" -n 200 udp 10.9.0.1 7001 >/dev/null
	more() { [ "$(events_of tenth flow-start)" -gt "$starts" ] && tenth_done; }
	tap_ok "another tenant's flows are told all the same" await 10 more
else
	tap_skip "a flood fills its part of the log" "a slow guest cannot flood"
	inside flood "$net" -n 5 udp 10.9.0.1 7001 >/dev/null
fi
{
	doc flood flood <<'END'
telemetry: {events: []}
END
} | put_force base || exit 1
tap_ok "flows that nobody asks for any more end" await 10 at_least flood flow-end 1 '"reason":"stopped"'
log_row() { [ "$("$ringfence" status --json | grep -o '"name":"rf_log_map"' | wc -l)" = 1 ]; }
tap_ok "the log has a row among the maps" log_row
tap_done
