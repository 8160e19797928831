#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Types and codes of ICMP: what a rule names passes and its neighbours do not, from raw and from ping sockets; what the
# kernel itself sends and answers is not a workload's.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

icmp=$build/tests/e2e/icmp_probe
[ -x "$icmp" ] || { echo "Bail out! $icmp is not built"; exit 1; }
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
# So that a large message is fragmented.
ip link set lo mtu 1500
# The errors that are expected must not be too many.
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit

make_cgroup typed any in none plain
daemon_must_start
{
	doc typed typed <<'END'
network:
  egress:
    default: deny
    rules:
      - {name: echo, to: [{cidr: 127.0.0.1}], ports: [{protocol: ICMP, type: echo-request}]}
      - {name: mtu, to: [{cidr: 127.0.0.1}], ports: [{protocol: ICMP, type: 3, code: fragmentation-needed}]}
      - {name: echo6, to: [{cidr: "::1"}], ports: [{protocol: ICMPv6, type: 128, code: 0}]}
      - {name: six, to: [{cidr: "::1"}], ports: [{protocol: ICMPv6, type: destination-unreachable}]}
      - {name: closed, to: [{cidr: 127.0.0.1}, {cidr: "::1"}], ports: [{protocol: UDP, port: 7999}]}
  ingress: {default: deny}
END
	doc any any <<'END'
network:
  egress:
    default: deny
    rules:
      - {name: all, to: [{cidr: 127.0.0.1}, {cidr: "::1"}], ports: [{protocol: ICMP}, {protocol: ICMPv6}]}
      - {name: stamp, action: deny, ports: [{protocol: ICMP, type: 13}]}
END
	doc in in <<'END'
network:
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1}], ports: [{protocol: ICMP, type: timestamp}]}
      - {from: [{cidr: "::1"}], ports: [{protocol: ICMPv6, type: 200, code: 1}]}
END
	doc none none <<'END'
network:
  egress: {default: deny, rules: [{action: deny, ports: [{protocol: ICMP, type: 8}, {protocol: ICMPv6, type: 128}]}, {}]}
END
} | put_force icmp || exit 1

# ---- out ----

for kind in raw ping; do
	tap_is "$kind socket: the type that a rule names passes, and its answer" allowed inside typed "$icmp" ping $kind 127.0.0.1
	tap_is "$kind socket: to another address it is denied" denied inside typed "$icmp" ping $kind 127.0.0.2
	tap_is "$kind socket: a rule that denies the type" denied inside none "$icmp" ping $kind 127.0.0.1
	tap_is "$kind socket, IPv6: the type that a rule names passes, and its answer" allowed inside typed "$icmp" ping $kind ::1
	# A ping socket of IPv6 is not told what became of what it sends.
	outcome=denied
	[ $kind = raw ] || outcome=timeout
	tap_is "$kind socket, IPv6: a rule that denies the type" $outcome inside none "$icmp" ping $kind ::1
	tap_is "$kind socket: without a policy everything passes" allowed inside plain "$icmp" ping $kind 127.0.0.2
done
tap_is "a rule without a code takes any" sent inside typed "$icmp" send raw 127.0.0.1 8 7
tap_is "a rule with a code takes that" sent inside typed "$icmp" send raw 127.0.0.1 3 4
tap_is "and no other" denied inside typed "$icmp" send raw 127.0.0.1 3 3
tap_is "another type is denied" denied inside typed "$icmp" send raw 127.0.0.1 13 0
tap_is "but not where a rule for all types goes first" sent inside any "$icmp" send raw 127.0.0.1 13 0
tap_is "a rule that denies a type denies all its codes" denied inside none "$icmp" send raw 127.0.0.1 8 9
tap_is "and leaves other types" sent inside none "$icmp" send raw 127.0.0.1 13 0
tap_is "IPv6: a rule with a code takes that" sent inside typed "$icmp" send raw ::1 128 0
tap_is "IPv6: and no other" denied inside typed "$icmp" send raw ::1 128 1
tap_is "IPv6: a rule without a code takes any" sent inside typed "$icmp" send raw ::1 1 4
tap_is "IPv6: the number of an IPv4 type is another type" denied inside typed "$icmp" send raw ::1 8 0
tap_is "the type of ICMPv6 is none of ICMP" denied inside typed "$icmp" send raw 127.0.0.1 128 0
tap_is "a message that is fragmented on its way has its type" allowed inside typed "$icmp" ping raw 127.0.0.1 4000
tap_is "IPv6: likewise" allowed inside typed "$icmp" ping raw ::1 4000
tap_is "a fragment without a type: no rule with a type matches" denied inside typed "$icmp" later 127.0.0.1
tap_is "a fragment without a type: one without does" sent inside any "$icmp" later 127.0.0.1
tap_is "a fragment without a type: none that denies a type does" sent inside none "$icmp" later 127.0.0.1
tap_is "IPv6: a fragment without a type: no rule with a type matches" denied inside typed "$icmp" later ::1
tap_is "IPv6: a fragment without a type: one without does" sent inside any "$icmp" later ::1
tap_ok "a denial says which type" says 'egress icmp/timestamp 127.0.0.1 -> 127.0.0.1 policy default/default/typed' \
	"$ringfence" events --kind flow-deny --workload '*/typed'
tap_ok "and code" says 'egress icmp/destination-unreachable/port-unreachable 127.0.0.1 -> 127.0.0.1' \
	"$ringfence" events --kind flow-deny --workload '*/typed'
tap_ok "as JSON too" says '"protocol":"icmpv6","icmp_type":128,"icmp_code":1' \
	"$ringfence" events --json --kind flow-deny --workload '*/typed'

# ---- in ----

# first_heard CGROUP ADDR TYPE CODE...: the first of these messages that a raw socket there gets.
first_heard()
{
	: >"$tmp/heard"
	enter "$1" "$icmp" hear "$2" 1 >"$tmp/heard" 2>&1 &
	hearer=$!
	helpers="$helpers $hearer"
	await 5 grep -q ready "$tmp/heard"
	address=$2
	shift 2
	while [ $# -ge 2 ]; do
		"$icmp" send raw "$address" "$1" "$2" >/dev/null
		shift 2
	done
	wait $hearer
	tail -n 1 "$tmp/heard"
}
tap_is "the type that a rule names comes in, those before it do not" 13/0 first_heard in 127.0.0.1 8 0 3 1 13 0
tap_is "the first of them does where no policy is" 8/0 first_heard plain 127.0.0.1 8 0 3 1 13 0
tap_is "IPv6: the code that a rule names comes in, those before it do not" 200/1 first_heard in ::1 200 0 200 2 200 1
tap_is "IPv6: the first of them does where no policy is" 200/0 first_heard plain ::1 200 0 200 2 200 1

# ---- what is the kernel's ----

tap_is "an error of the kernel reaches the socket that it is about" refused inside typed "$net" -c udp 127.0.0.1 7999
tap_is "IPv6: likewise" refused inside typed "$net" -c udp ::1 7999
tap_is "what a rule does not let out is denied before there is an error" denied inside typed "$net" -c udp 127.0.0.1 7998
tap_is "a workload that forges an error is denied" denied inside typed "$icmp" send raw 127.0.0.1 3 1
server typed udp/127.0.0.3/7501
tap_is "the kernel answers pings, whatever the policy of who listens there" allowed "$icmp" ping raw 127.0.0.3
tap_is "and does not let others in" timeout "$net" udp 127.0.0.3 7501

# ---- a network of a workload's own making ----

make_cgroup nest
doc nest nest <<'END' | put_force nest
network:
  egress:
    default: deny
    rules: [{name: outer, to: [{cidr: "fd77::1"}], ports: [{protocol: ICMPv6, type: echo-request}]}]
END
outer=$(readlink /proc/self/ns/net)
enter nest unshare --net sleep 1000 &
nested=$!
helpers="$helpers $nested"
has_own() { [ "$(readlink /proc/$nested/ns/net)" != "$outer" ]; }
await 5 has_own
ip link add rf-nest type veth peer name eth0 netns $nested
ip -6 address add fd77::1/64 dev rf-nest nodad
ip -6 address add fd77::3/64 dev rf-nest nodad
ip link set rf-nest up
nested() { nsenter -t $nested -n -- "$@"; }
nested ip link set lo up
nested ip -6 address add fd77::2/64 dev eth0 nodad
nested ip link set eth0 up
found() { nested ip -6 neigh show to "$1" dev eth0 | grep -q "lladdr"; }
in_nest() { (echo 0 >"$cgroup/nest/cgroup.procs" && exec nsenter -t $nested -n -- "$@"); }
reaches() { [ "$(in_nest "$icmp" ping raw "$1")" = allowed ]; }
tap_ok "the kernel finds the neighbour that a workload may reach" await 10 reaches fd77::1
tap_ok "and has its hardware address" found fd77::1
tap_is "another neighbour may not be reached" denied in_nest "$icmp" ping raw fd77::3
is_reached() { [ "$("$icmp" ping raw fd77::2)" = allowed ]; }
tap_ok "the kernel answers who looks for the workload" await 10 is_reached
tap_is "a workload that sends the same itself is denied" denied in_nest "$icmp" send raw fd77::1 135 0

# ---- asked ----

asks() { "$ringfence" policy test -w default/default/typed --to "$1" | cut -d: -f1; }
tap_is "policy test: a type by name" allow asks 127.0.0.1/icmp/echo-request
tap_is "policy test: without one a ping is meant" allow asks 127.0.0.1/icmp
tap_is "policy test: another type" deny asks 127.0.0.1/icmp/timestamp
tap_is "policy test: a code" allow asks 127.0.0.1/icmp/3/4
tap_is "policy test: another code" deny asks 127.0.0.1/icmp/destination-unreachable/port-unreachable
tap_is "policy test: ICMPv6" allow asks "[::1]/icmpv6/128/0"
tap_is "policy test: another code of it" deny asks "[::1]/icmpv6/128/1"
tap_ok "policy show: by name" says 'icmp/destination-unreachable/fragmentation-needed  \(mtu' \
	"$ringfence" policy show default/default/typed
tap_done
