#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits of workloads on connections: as many as may, to the one, however they end and whoever counts them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

make_cgroup many allowed knock speed both plain
server - tcp/0.0.0.0/7001
server knock tcp/0.0.0.0/7002
daemon_must_start

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
tap_done
