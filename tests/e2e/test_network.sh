#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Network verdicts of a live daemon: every denial beside what is still allowed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup out in plain both audit est twin
ip address add 10.9.0.1/32 dev lo
ip address add 10.9.1.1/32 dev lo
ip address add 10.9.1.129/32 dev lo
ip -6 address add fd00:9::1/128 dev lo nodad
ip -6 address add fd00:9::2/128 dev lo nodad
server - tcp/0.0.0.0/7001 tcp/0.0.0.0/7002 tcp/::/7001 tcp/::/7002 tcp/0.0.0.0/7100 tcp/0.0.0.0/7149 tcp/0.0.0.0/7150 \
	tcp/0.0.0.0/7099 udp/0.0.0.0/7001 udp/0.0.0.0/7002 udp/::/7001 udp/::/7002
server in tcp/0.0.0.0/7201 tcp/0.0.0.0/7202 tcp/::/7201 tcp/::/7202 udp/0.0.0.0/7201 udp/0.0.0.0/7202 udp/::/7201 \
	udp/::/7202
server plain tcp/0.0.0.0/7301 udp/0.0.0.0/7301
daemon_must_start

{
	doc out out <<'END'
network:
  egress:
    default: deny
    rules:
      - {name: web, action: allow, to: [{cidr: 127.0.0.0/8}, {cidr: "::1/128"}], ports: [{protocol: TCP, port: 7001}]}
      - {name: names, action: allow, to: [{cidr: 127.0.0.1/32}, {cidr: "::1"}], ports: [{protocol: UDP, port: 7001}]}
      - {name: range, action: allow, to: [{cidr: 10.9.0.0/24}], ports: [{protocol: TCP, port: 7100, endPort: 7149}]}
      - {name: "no ports", action: allow, to: [{cidr: 10.9.1.0/24, except: [10.9.1.128/25]}]}
      - {name: six, action: allow, to: [{cidr: "fd00:9::1/128"}], ports: [{protocol: TCP, port: 7002}]}
      - {name: echo, action: allow, to: [{cidr: 127.0.0.1/32}], ports: [{protocol: ICMP}]}
      - {name: echo6, action: allow, to: [{cidr: "::1/128"}], ports: [{protocol: ICMPv6}]}
END
	doc in in <<'END'
network:
  ingress:
    default: deny
    rules:
      - {name: web, from: [{cidr: 127.0.0.1/32}, {cidr: "::1/128"}], ports: [{protocol: TCP, port: 7201}]}
      - {name: names, from: [{cidr: 127.0.0.1/32}, {cidr: "::1/128"}], ports: [{protocol: UDP, port: 7201}]}
END
	doc both both <<'END'
network:
  egress:
    default: allow
    rules:
      - {name: secret, action: deny, to: [{cidr: 10.9.0.0/16}]}
  ingress:
    default: deny
END
	doc audit audit <<'END'
mode: audit
network:
  egress: {default: deny}
  ingress: {default: deny}
END
	doc twin twin <<'END'
network:
  egress: {default: deny}
  ingress: {default: deny} # the same rules as above, on another line
END
} | put_force base || exit 1

# ---- egress ----

tap_is "TCP: what a rule allows passes" allowed inside out "$net" tcp 127.0.0.1 7001
tap_is "TCP: another port is denied with EPERM" denied inside out "$net" tcp 127.0.0.1 7002
tap_is "TCP: another address is denied" denied inside out "$net" tcp 10.9.0.1 7001
tap_is "UDP: what a rule allows passes" allowed inside out "$net" udp 127.0.0.1 7001
tap_is "UDP: the protocol counts, not only the port" denied inside out "$net" udp 127.0.0.2 7001
tap_is "UDP: another port is denied" denied inside out "$net" udp 127.0.0.1 7002
tap_is "UDP: a connected socket passes where it may" allowed inside out "$net" -c udp 127.0.0.1 7001
tap_is "UDP: a connected socket is denied when it sends" denied inside out "$net" -c udp 127.0.0.1 7002
tap_is "IPv6 TCP: what a rule allows passes" allowed inside out "$net" tcp ::1 7001
tap_is "IPv6 TCP: another port is denied" denied inside out "$net" tcp ::1 7002
tap_is "IPv6 TCP: a host prefix matches its host" allowed inside out "$net" tcp fd00:9::1 7002
tap_is "IPv6 TCP: and not its neighbour" denied inside out "$net" tcp fd00:9::2 7002
tap_is "IPv6 UDP: what a rule allows passes" allowed inside out "$net" udp ::1 7001
tap_is "IPv6 UDP: another port is denied" denied inside out "$net" udp ::1 7002
tap_is "an IPv4-mapped address passes as the IPv4 address it is" allowed inside out "$net" tcp ::ffff:127.0.0.1 7001
tap_is "and is denied as such" denied inside out "$net" tcp ::ffff:127.0.0.1 7002
tap_is "a mapped UDP address passes" allowed inside out "$net" udp ::ffff:127.0.0.1 7001
tap_is "and is denied" denied inside out "$net" udp ::ffff:127.0.0.1 7002
tap_is "a range begins with its first port" allowed inside out "$net" tcp 10.9.0.1 7100
tap_is "a range ends with its last port" allowed inside out "$net" tcp 10.9.0.1 7149
tap_is "one port before a range is denied" denied inside out "$net" tcp 10.9.0.1 7099
tap_is "one port past a range is denied" denied inside out "$net" tcp 10.9.0.1 7150
tap_is "a rule without ports allows any" allowed inside out "$net" tcp 10.9.1.1 7150
tap_is "and any protocol" allowed inside out "$net" udp 10.9.1.1 7002
tap_is "except takes its part out" denied inside out "$net" tcp 10.9.1.129 7150
tap_is "ICMP: what a rule allows passes" allowed inside out "$net" icmp 127.0.0.1
tap_is "ICMP: another address is denied" denied inside out "$net" icmp 10.9.0.1
tap_is "ICMPv6: what a rule allows passes" allowed inside out "$net" icmp ::1
tap_is "ICMPv6: another address is denied" denied inside out "$net" icmp fd00:9::1
tap_is "default allow: what no rule names passes" allowed inside both "$net" tcp 127.0.0.1 7002
tap_is "default allow: a deny rule denies" denied inside both "$net" tcp 10.9.0.1 7002
tap_is "the source port does not matter" allowed inside out "$net" -s 7003 tcp 127.0.0.1 7001

# ---- ingress ----

tap_is "ingress TCP: what a rule allows comes in" allowed "$net" tcp 127.0.0.1 7201
tap_is "ingress TCP: another port does not" timeout "$net" tcp 127.0.0.1 7202
tap_is "ingress TCP: another peer does not" timeout "$net" tcp 10.9.0.1 7201
tap_is "ingress UDP: what a rule allows comes in" allowed "$net" udp 127.0.0.1 7201
tap_is "ingress UDP: another port does not" timeout "$net" udp 127.0.0.1 7202
tap_is "ingress IPv6 TCP: what a rule allows comes in" allowed "$net" tcp ::1 7201
tap_is "ingress IPv6 TCP: another port does not" timeout "$net" tcp ::1 7202
tap_is "ingress IPv6 UDP: what a rule allows comes in" allowed "$net" udp ::1 7201
tap_is "ingress IPv6 UDP: another port does not" timeout "$net" udp ::1 7202
tap_is "a policy of ingress alone leaves egress open" allowed inside in "$net" tcp 10.9.0.1 7002
tap_is "a policy of egress alone leaves ingress open" allowed "$net" tcp 127.0.0.1 7301

# ---- answers ----

tap_is "the answer to a UDP request of one's own comes in" allowed inside both "$net" udp 127.0.0.1 7002
tap_is "and over IPv6" allowed inside both "$net" udp ::1 7002
tap_is "the reply to a ping of one's own comes in" allowed inside both "$net" icmp 127.0.0.1
tap_is "the answers to a TCP flow of one's own come in" allowed inside both "$net" tcp 127.0.0.1 7001
server both udp/0.0.0.0/7401 tcp/0.0.0.0/7401
tap_is "an unsolicited datagram does not come in" timeout "$net" udp 127.0.0.1 7401
tap_is "an unsolicited connection does not come in" timeout "$net" tcp 127.0.0.1 7401

server twin udp/0.0.0.0/7402
tap_is "two sections with the same rules: what comes in is denied" timeout "$net" udp 127.0.0.1 7402
line=$(grep -n '# the same rules as above' "$tmp/policies/base.yaml" | cut -d: -f1)
tap_ok "two sections with the same rules: the right one is named" says "default/twin .*base.yaml:$line$" \
	"$ringfence" events --kind flow-deny --workload '*/twin'

# ---- who is judged ----

tap_is "an unmanaged cgroup is untouched" allowed inside plain "$net" tcp 127.0.0.1 7002
tap_is "so is everything outside of the attach point" allowed "$net" tcp 127.0.0.1 7002
tap_is "a socket is judged after exec too" denied inside out "$net" hold tcp 127.0.0.1 "$net" -f tcp 127.0.0.1 7002
tap_is "and passes where it may" allowed inside out "$net" hold tcp 127.0.0.1 "$net" -f tcp 127.0.0.1 7001
tap_is "a UDP socket is judged after exec too" denied inside out "$net" hold udp 127.0.0.1 "$net" -f udp 127.0.0.1 7002
# shellcheck disable=SC2016 # expanded by the inner shell
leave='echo 0 >"$0/cgroup.procs" && exec "$@"'
tap_is "a datagram socket that leaves its workload is still its workload's" denied \
	inside out "$net" hold udp 127.0.0.1 sh -c "$leave" "$cgroup/plain" "$net" -f udp 127.0.0.1 7002
tap_is "and passes where that may" allowed \
	inside out "$net" hold udp 127.0.0.1 sh -c "$leave" "$cgroup/plain" "$net" -f udp 127.0.0.1 7001

# ---- audit ----

tap_is "audit: what would be denied passes" allowed inside audit "$net" tcp 127.0.0.1 7002
tap_is "audit: UDP passes as well" allowed inside audit "$net" udp 127.0.0.1 7002
tap_ok "audit: it is counted as would-deny" above "$(counter audit egress_would)" 1
tap_is "audit: nothing is counted as denied" 0 counter audit egress_deny
tap_ok "audit: it is reported as would-deny" says 'flow-deny would-deny default/default/audit .*-> 127.0.0.1:7002' \
	"$ringfence" events --kind flow-deny --verdict would-deny
tap_ok "audit: and not as deny" says '^0$' sh -c "'$ringfence' events --verdict deny | grep -c default/audit"
deny_line='deny default/default/out net_probe.* egress tcp -> 127.0.0.1:7002 policy default/default/out rule "default"'
tap_ok "a denial names its policy, rule, file and line" says "$deny_line .*base.yaml:[0-9]+" "$ringfence" events --verdict deny

before=$(counter out egress_deny)
tap_is "connect() is denied at once, every time" "allowed=0 denied=100 timeout=0 refused=0 other=0" \
	inside out "$net" -w 1 -n 100 tcp 127.0.0.1 7002
tap_is "and counted every time" $((before + 100)) counter out egress_deny

# ---- a flow that is there already ----

# stream CGROUP ADDR PORT: a connection that answers on 6 to each line on 5.
stream()
{
	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	enter "$1" "$net" stream "$2" "$3" <"$tmp/to" >"$tmp/from" 2>&1 &
	helpers="$helpers $!"
	exec 5>"$tmp/to" 6<"$tmp/from"
	read -r answer <&6
	echo "$answer"
}
exchange()
{
	echo x >&5
	read -r answer <&6
	echo "$answer"
}
est()
{
	{ echo network:; cat; } | doc est est | put_force est
}
for sections in "egress and ingress" "egress alone"; do
	ingress=
	[ "$sections" = "egress alone" ] || ingress='  ingress: {default: deny}'
	est <<END
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}]}
$ingress
END
	# Not in a pipe or $(): the descriptors belong to this shell.
	stream est 127.0.0.1 7001 >"$tmp/answer"
	tap_is "policy of $sections: a flow opens" connected cat "$tmp/answer"
	tap_is "policy of $sections: and carries data" allowed exchange
	est <<END
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}]}
      - {to: [{cidr: 192.0.2.0/24}]}
$ingress
END
	tap_is "policy of $sections: a change that does not concern it leaves it" allowed exchange
	est <<END
  egress:
    default: deny
    rules:
      - {to: [{cidr: 192.0.2.0/24}]}
$ingress
END
	tap_is "policy of $sections: a change that denies it cuts it" timeout exchange
	exec 5>&- 6<&-
done
est <<'END'
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7501}]}
END
server est tcp/0.0.0.0/7501
stream plain 127.0.0.1 7501 >"$tmp/answer"
tap_is "policy of ingress alone: a flow is accepted" connected cat "$tmp/answer"
tap_is "policy of ingress alone: and carries data" allowed exchange
est <<'END'
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7501}]}
      - {from: [{cidr: 192.0.2.0/24}]}
END
tap_is "policy of ingress alone: a change that does not concern it leaves it" allowed exchange
est <<'END'
  ingress:
    default: deny
END
tap_is "policy of ingress alone: a change that denies it cuts it" timeout exchange
exec 5>&- 6<&-
tap_done
