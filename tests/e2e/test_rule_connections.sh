#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits of rules on connections: each rule by itself, beside the workload's, and after a change of policy.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/rates.sh
. "$src/tests/e2e/rates.sh"

make_cgroup web knock knock6 speed both audit
server - tcp/0.0.0.0/7001 tcp/0.0.0.0/7003
server knock tcp/0.0.0.0/7002 tcp/0.0.0.0/7004
server knock6 tcp46/::/7006
daemon_must_start

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
free() { ! map_dump rf_rule_connections_map | grep -q '"open": [1-9]'; }
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
	inside speed timeout -s TERM 6 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed2" &
	inside speed timeout -s TERM 6 "$net" -l tcp 127.0.0.1 7001 >"$tmp/speed"
	wait $!
	count=$(($(count_of allowed "$(cat "$tmp/speed")") + $(count_of allowed "$(cat "$tmp/speed2")")))
	may=$((($(date +%s%N) - start) / 20000000))
	echo "# connectionsPerSecond 50 for $((may * 20)) ms: $count, expected $may"
	tap_ok "a rule's connectionsPerSecond: no more than may" [ "$count" -le $((may * 103 / 100 + 1)) ]
	tap_ok "a rule's connectionsPerSecond: and no less" [ "$count" -ge $((may * 97 / 100 - 1)) ]
	inside speed timeout -s TERM 1 "$net" -l tcp 127.0.0.1 7003 >"$tmp/speed"
	tap_ok "another rule has no part in it" above "$(count_of allowed "$(cat "$tmp/speed")")" 500
fi
tap_is "each rule with a rate is held once" "8 8 8" held_by_rules
drop_force connections
tap_is "without them no limit of a rule is left" "0 0 0" held_by_rules
tap_done
