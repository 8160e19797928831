#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Flows that are not a plain connect() and send(): every way around a denial that we know of is denied, and the same
# with what a rule allows passes. Each denial is counted once for each packet that was refused.
# shellcheck disable=SC2086 # $ab, $ba and $cb are lists of options
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/flow_probe
craft=$build/tests/e2e/flow_craft
for program in "$probe" "$craft"; do
	[ -x "$program" ] || { echo "Bail out! $program is not built"; exit 1; }
done
export RF_CGROUP="$cgroup"
# The namespaces of the pods are mounts, which must go before the directory does.
trap 'umount -l "$tmp"/net/* 2>/dev/null; cleanup' EXIT

# ---- two pods on a bridge, and loopback ----

mkdir "$tmp/net"
make_cgroup plain out sctp bare in both closed kept maker user nest/inner own
ip link add bridge type bridge mcast_snooping 0 || tap_skip_all "this kernel has no bridges"
ip link set bridge up
# pod NAME NUMBER [CGROUP]: its namespace is made from there. Addresses are there at once, without a look for doubles.
pod()
{
	: >"$tmp/net/$1"
	inside "${3:-plain}" unshare --net="$tmp/net/$1" true
	ip link add "to-$1" mtu 1280 type veth peer name eth0 mtu 1280 netns "$tmp/net/$1" || return 1
	ip link set "to-$1" addrgenmode none
	ip link set "to-$1" master bridge up
	nsenter --net="$tmp/net/$1" sh -c "ip link set eth0 addrgenmode none; ip link set lo up; ip link set eth0 up
		ip address add 10.8.0.$2/24 dev eth0; ip -6 address add fd00:8::$2/64 dev eth0 nodad"
	# The bridge is told of the carrier later, by a work queue that takes its time.
	await 5 sh -c "ip -details link show dev to-$1 | grep -q 'state forwarding'"
}
pod a 1 && pod b 2 || tap_skip_all "this kernel has no pairs of network devices"
for address in 10.9.0.1 10.9.0.2 10.9.0.3; do
	ip address add $address/32 dev lo
done
# Data in the SYN, as a client and as a server; this namespace's own setting.
echo 3 >/proc/sys/net/ipv4/tcp_fastopen
daemon_must_start

ports='ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}, {protocol: SCTP, port: 7001}]'
{
	for name in out sctp; do
		doc $name $name <<END
network:
  egress:
    default: deny
    rules:
      - {name: web, to: [{cidr: 127.0.0.1/32}, {cidr: "::1"}, {cidr: 10.8.0.2/32}, {cidr: "fd00:8::2"}], $ports}
      - {name: echo, to: [{cidr: 10.8.0.2/32}], ports: [{protocol: ICMP}]}
      - {name: first, to: [{cidr: 10.9.0.1/32}]}
END
	done
	doc bare bare <<'END'
network:
  egress:
    default: deny
    rules:
      - {name: "no ports", to: [{cidr: 10.8.0.2/32}, {cidr: "fd00:8::2"}]}
END
	doc in in <<END
network:
  ingress:
    default: deny
    rules:
      - {name: web, from: [{cidr: 127.0.0.1/32}, {cidr: "::1"}, {cidr: 10.8.0.1/32}, {cidr: "fd00:8::1"}], $ports}
END
	doc both both <<'END'
network:
  egress: {default: allow}
  ingress: {default: deny}
END
	doc closed closed <<'END'
network:
  egress: {default: deny}
  ingress: {default: deny}
END
	doc maker maker <<END
network:
  egress:
    default: deny
    rules:
      - {name: web, to: [{cidr: 127.0.0.1/32}], $ports}
  ingress:
    default: deny
    rules:
      - {name: web, from: [{cidr: 127.0.0.1/32}], $ports}
END
	doc user user <<'END'
network:
  egress: {default: allow}
  ingress: {default: allow}
END
	doc nest nest <<END
network:
  ingress:
    default: deny
    rules:
      - {name: web, from: [{cidr: 127.0.0.1/32}], $ports}
END
	doc inner nest/inner <<'END'
priority: 1
network:
  ingress:
    default: allow
    rules:
      - {name: all, from: [{cidr: 127.0.0.1/32}]}
END
	doc own own <<'END'
network:
  egress:
    default: deny
    rules:
      - {name: pod, to: [{cidr: 10.8.0.2/32}, {cidr: "fd00:8::2"}]}
END
} | put_force base || exit 1

# flow PROBE-ARGUMENT...: ipv4 and ipv6 are what is made by hand.
flow()
{
	case " $* " in
	*" ipv4 "* | *" ipv6 "*) "$craft" "$@" ;;
	*) "$probe" "$@" ;;
	esac
}
# passes CLAIM OUTPUT PROBE-ARGUMENT...
passes()
{
	passes_claim=$1
	passes_output=$2
	shift 2
	tap_is "$passes_claim" "$passes_output" flow "$@"
}
# denies CLAIM PATTERN WORKLOAD COUNTER N[+] PROBE-ARGUMENT...: and its counter has grown by N since it was last looked
# at, so that what was allowed in between counted nothing. With "+" by N or more: a SYN may be sent again meanwhile.
denies()
{
	denies_claim=$1
	denies_output=$2
	denies_of=$3
	denies_counter=$4
	denies_n=$5
	shift 5
	tap_ok "$denies_claim" denies_check "$@"
}
look() { counter "$1" "$2" >"$tmp/seen.$1.$2"; }
denies_check()
{
	denies_before=$(cat "$tmp/seen.$denies_of.$denies_counter" 2>/dev/null || echo 0)
	denies_got=$(flow "$@" 2>&1)
	look "$denies_of" "$denies_counter"
	denies_now=$(cat "$tmp/seen.$denies_of.$denies_counter")
	# shellcheck disable=SC2254 # a pattern
	case $denies_got in
	$denies_output) ;;
	*) equal "$denies_got" "$denies_output" || return ;;
	esac
	case $denies_n in
	*+) above "$denies_now" $((denies_before + ${denies_n%+} - 1)) && return ;;
	*) equal "$denies_of $denies_counter $denies_now" "$denies_of $denies_counter $((denies_before + denies_n))" &&
		return ;;
	esac
	"$ringfence" events --verdict deny -w "default/default/$denies_of" | tail -n 4
	return 1
}
# In pod a to pod b, and back.
ab="-n $tmp/net/a -m $tmp/net/b"
ba="-n $tmp/net/b -m $tmp/net/a"

# ---- IPv4-mapped IPv6 ----

for kind in tcp udp; do
	passes "mapped $kind out: what a rule allows passes" "sent received" \
		-c out send $kind ::ffff:127.0.0.1 7001 127.0.0.1
	denies "mapped $kind out: another port is denied" "EPERM lost" out egress_deny 1 \
		-c out send $kind ::ffff:127.0.0.1 7002 127.0.0.1
	denies "mapped $kind out: another address is denied" "EPERM lost" out egress_deny 1 \
		-c out send $kind ::ffff:10.9.0.2 7001 10.9.0.2
	passes "mapped $kind in: to a socket of IPv6, what a rule allows comes in" "sent received" \
		-r in send $kind 127.0.0.1 7001 ::ffff:127.0.0.1
	passes "mapped $kind in: to one of any address as well" "sent received" -r in send $kind 127.0.0.1 7001 ::
	denies "mapped $kind in: another port does not" "sent lost" in ingress_deny 1+ \
		-r in send $kind 127.0.0.1 7002 ::ffff:127.0.0.1
	denies "mapped $kind in: nor to any address" "sent lost" in ingress_deny 1+ -r in send $kind 127.0.0.1 7002 ::
done
tap_ok "a denial of a mapped address is told as IPv4" says 'deny default/default/out .*egress tcp -> 10.9.0.2:7001' \
	"$ringfence" events --verdict deny

# ---- pod to pod ----

# pod_to_pod KIND FAMILY ADDRESS-OF-B ADDRESS-OF-A SAID N WORKLOAD: SAID is what a denied sender is told.
pod_to_pod()
{
	passes "$1 over $2, pod to pod: what a rule allows passes" "sent received" -c "$7" $ab send "$1" "$3" 7001
	denies "$1 over $2, pod to pod: another port is denied" "$5 lost" "$7" egress_deny "$6" \
		-c "$7" $ab send "$1" "$3" 7002
	denies "$1 over $2, from the other pod: another peer is denied" "$5 lost" "$7" egress_deny "$6" \
		-c "$7" $ba send "$1" "$4" 7001
	passes "$1 over $2, into a pod: what a rule allows comes in" "sent received" -r in $ab send "$1" "$3" 7001
	denies "$1 over $2, into a pod: another port does not" "sent lost" in ingress_deny 1+ \
		-r in $ab send "$1" "$3" 7002
	denies "$1 over $2, into the other pod: another peer does not" "sent lost" in ingress_deny 1+ \
		-r in $ba send "$1" "$4" 7001
}
for kind in tcp udp mptcp sctp; do
	if [ "$("$probe" send $kind 127.0.0.1 7001)" = unsupported ]; then
		tap_skip "$kind, pod to pod" "this kernel has no $kind"
		continue
	fi
	# The connect() of SCTP does not ask, and that of MPTCP on newer kernels alone: the first packet is refused.
	# SCTP has a workload of its own: what it sends again, long after a test, is counted as well.
	workload=out
	case $kind in
	tcp | udp) said=EPERM refused=1 ;;
	*) said='*' refused=1+ ;;
	esac
	[ $kind != sctp ] || workload=sctp
	pod_to_pod $kind IPv4 10.8.0.2 10.8.0.1 "$said" $refused $workload
	pod_to_pod $kind IPv6 fd00:8::2 fd00:8::1 "$said" $refused $workload
done
ping() { inside "$1" nsenter --net="$tmp/net/$2" "$net" icmp "$3"; }
tap_is "ICMP echo, pod to pod: what a rule allows is answered" allowed ping out a 10.8.0.2
tap_is "ICMP echo, from the other pod: another peer is denied" denied ping out b 10.8.0.1
tap_is "ICMP echo: the answer comes in where nothing else may" allowed ping both a 10.8.0.2
tap_is "ICMP echo over IPv6: what a rule allows is answered" allowed ping bare a fd00:8::2
tap_is "ICMP echo over IPv6: another peer is denied" denied ping bare b fd00:8::1
look out egress_deny
look bare egress_deny
tap_ok "a denial in a pod is told with both addresses" says 'deny default/default/in .* ingress udp 10.8.0.2:7002 <- 10.8.0.1:' \
	"$ringfence" events --verdict deny

# ---- ports where nobody is, and those without room ----

passes "TCP: an allowed port where nobody listens refuses" ECONNREFUSED -x -c out send tcp 127.0.0.1 7001
denies "TCP: a denied one does not tell" EPERM out egress_deny 1 -x -c out send tcp 127.0.0.1 7002
passes "UDP: ICMP unreachable comes in for an allowed flow" ECONNREFUSED -x -c out send udp 127.0.0.1 7001
passes "UDP: also where no ingress is allowed, pod to pod" ECONNREFUSED -x -c both $ab send udp 10.8.0.2 7001
passes "UDP: and over IPv6" ECONNREFUSED -x -c both $ab send udp fd00:8::2 7001
denies "UDP: a denied flow is not answered" EPERM out egress_deny 1 -x -c out send udp 127.0.0.1 7002
passes "TCP: an allowed listener without room lets it wait" EINPROGRESS -c out full 127.0.0.1 7001
denies "TCP: a denied one does not" EPERM out egress_deny 1 -c out full 127.0.0.1 7002

# ---- fragments ----

passes "a datagram of three fragments passes by its port" "sent received 3 packets" \
	-s 3000 -c out $ab send udp 10.8.0.2 7001
denies "and is denied by its port, with every fragment" "EPERM lost 0 packets" out egress_deny 1 \
	-s 3000 -c out $ab send udp 10.8.0.2 7002
passes "IPv6: a datagram of three fragments passes by its port" "sent received 3 packets" \
	-s 3000 -c out $ab send udp fd00:8::2 7001
denies "IPv6: and is denied by its port" "EPERM lost 0 packets" out egress_deny 1 \
	-s 3000 -c out $ab send udp fd00:8::2 7002
passes "fragments come in by the port of the whole" "sent received 3 packets" -s 3000 -r in $ab send udp 10.8.0.2 7001
denies "and do not come in by another" "sent lost 3 packets" in ingress_deny 1 -s 3000 -r in $ab send udp 10.8.0.2 7002
passes "IPv6: fragments come in by the port of the whole" "sent received 3 packets" \
	-s 3000 -r in $ab send udp fd00:8::2 7001
denies "IPv6: and do not come in by another" "sent lost 3 packets" in ingress_deny 1 \
	-s 3000 -r in $ab send udp fd00:8::2 7002

passes "fragments that the sender makes pass a rule without ports" "sent sent 2 packets received" \
	-c bare $ab ipv4 fragments 10.8.0.2 7002
denies "a rule with ports does not match a later fragment" "sent EPERM 1 packets lost" out egress_deny 1 \
	-c out $ab ipv4 fragments 10.8.0.2 7001
denies "nor what is denied any fragment" "EPERM EPERM 0 packets lost" out egress_deny 2 \
	-c out $ab ipv4 fragments 10.8.0.2 7002
passes "a later fragment alone passes a rule without ports" "sent 1 packets lost" \
	-c bare $ab ipv4 later-fragment 10.8.0.2 7002
denies "and is denied to another peer" "EPERM 0 packets lost" bare egress_deny 1 \
	-c bare $ba ipv4 later-fragment 10.8.0.1 7002
passes "UDP: a fragment too short for its ports passes where nobody judges" "sent 1 packets lost" \
	$ab ipv4 short-udp 10.8.0.2 7001
denies "UDP: a fragment too short for its ports is denied, whatever the rule" "EPERM 0 packets lost" bare egress_deny 1 \
	-c bare $ab ipv4 short-udp 10.8.0.2 7001
passes "TCP: a fragment too short for its flags passes where nobody judges" "sent 1 packets lost" \
	$ab ipv4 short-tcp 10.8.0.2 7001
denies "TCP: a fragment too short for its flags is denied, whatever the rule" "EPERM 0 packets lost" \
	bare egress_deny 1 -c bare $ab ipv4 short-tcp 10.8.0.2 7001
tap_ok "what could not be parsed is counted as such" above "$(status_row packet_short count)" 1

# ---- IPv6 extension headers ----

# Not every receiver takes every chain: that it went by is enough for those.
while read -r chain what packets arrives; do
	passes "$what before UDP: the port behind is found and passes" "sent $packets packets $arrives" \
		-c out $ab ipv6 "$chain" fd00:8::2 7001
	denies "$what before UDP: and is denied" "EPERM 0 packets lost" out egress_deny 1 \
		-c out $ab ipv6 "$chain" fd00:8::2 7002
done <<'END'
h hop-by-hop 1 received
d destination-options 1 received
r routing 1 received
a authentication 1 lost
f atomic-fragment 1 received
hdrd four-headers 1 received
hdrdfd six-headers 1 received
hdddddd seven-headers 1 received
END
passes "eight headers before UDP pass where nobody judges" "sent 1 packets received" $ab ipv6 hddddddd fd00:8::2 7001
denies "eight headers before UDP are denied, whatever the rule" "EPERM 0 packets lost" bare egress_deny 1 \
	-c bare $ab ipv6 hddddddd fd00:8::2 7001
passes "IPv6: fragments that the sender makes pass a rule without ports" "sent sent 2 packets received" \
	-c bare $ab ipv6 F fd00:8::2 7002
denies "IPv6: a rule with ports does not match a later fragment" "sent EPERM 1 packets lost" out egress_deny 1 \
	-c out $ab ipv6 F fd00:8::2 7001
denies "IPv6: nor what is denied any fragment" "EPERM EPERM 0 packets lost" out egress_deny 2 \
	-c out $ab ipv6 F fd00:8::2 7002
passes "IPv6: behind options too, they pass a rule without ports" "sent sent 2 packets received" \
	-c bare $ab ipv6 hdF fd00:8::2 7002
denies "IPv6: behind options too, a port does not match the later one" "sent EPERM 1 packets lost" out egress_deny 1 \
	-c out $ab ipv6 hdF fd00:8::2 7001
passes "IPv6: a later fragment alone passes a rule without ports" "sent 1 packets lost" \
	-c bare $ab ipv6 L fd00:8::2 7002
denies "IPv6: and is denied to another peer" "EPERM 0 packets lost" bare egress_deny 1 \
	-c bare $ba ipv6 L fd00:8::1 7002
passes "IPv6: a fragment that ends in its headers passes where nobody judges" "sent 1 packets lost" \
	$ab ipv6 X fd00:8::2 7001
denies "IPv6: a fragment that ends in its headers is denied, whatever the rule" "EPERM 0 packets lost" \
	bare egress_deny 1 -c bare $ab ipv6 X fd00:8::2 7001

# ---- raw sockets ----

for kind in udp protocol-udp options; do
	passes "raw IPv4 $kind: what a rule allows passes" "sent 1 packets received" -c out $ab ipv4 $kind 10.8.0.2 7001
	denies "raw IPv4 $kind: another port is denied" "EPERM 0 packets lost" out egress_deny 1 \
		-c out $ab ipv4 $kind 10.8.0.2 7002
done
passes "raw IPv6 UDP: what a rule allows passes" "sent 1 packets received" -c out $ab ipv6 "" fd00:8::2 7001
denies "raw IPv6 UDP: another port is denied" "EPERM 0 packets lost" out egress_deny 1 \
	-c out $ab ipv6 "" fd00:8::2 7002
for kind in tcp-syn tcp-ack; do
	passes "raw $kind: what a rule allows passes" "sent 1 packets lost" -c out $ab ipv4 $kind 10.8.0.2 7001
	denies "raw $kind: another port is denied" "EPERM 0 packets lost" out egress_deny 1 \
		-c out $ab ipv4 $kind 10.8.0.2 7002
done
# These say of themselves that they belong to a flow that came in: the rules of ingress decide.
for kind in tcp-synack listening-ack; do
	passes "raw $kind: passes where its flow could have come in" "sent 1 packets lost" \
		-c out $ab ipv4 $kind 10.8.0.2 7002
	denies "raw $kind: is denied where it could not" "EPERM 0 packets lost" closed ingress_deny 1 \
		-c closed $ab ipv4 $kind 10.8.0.2 7002
done

tap_todo "cgroup programs do not see packet sockets" \
	denies "a packet socket does not pass by what is denied" "* lost" out egress_deny 1 -c out $ab ipv4 packet 10.8.0.2 7002
passes "a packet socket: what a rule allows passes" "sent 1 packets received" -c out $ab ipv4 packet 10.8.0.2 7001

# ---- TCP fast open ----

for how in send connect; do
	passes "fast open by $how: data in the SYN pass where a rule allows them" "sent received 1 early" \
		-c out fastopen $how 127.0.0.1 7001
	denies "fast open by $how: and are denied" "EPERM lost 0 early" out egress_deny 1 \
		-c out fastopen $how 127.0.0.1 7002
	passes "fast open by $how: they come in where a rule allows them" "sent received 1 early" \
		-r in fastopen $how 127.0.0.1 7001
	denies "fast open by $how: and do not come in" "sent lost 1 early" in ingress_deny 1+ \
		-r in fastopen $how 127.0.0.1 7002
done

kept() { { echo network:; cat; } | doc kept kept | put_force kept; }
# talk PROBE-ARGUMENT...: starts it; its first line is in $tmp/answer. ask WHAT: its next.
talk()
{
	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	"$probe" -c kept "$@" <"$tmp/to" >"$tmp/from" 2>&1 &
	helpers="$helpers $!"
	exec 5>"$tmp/to" 6<"$tmp/from"
	read -r talk_answer <&6
	echo "$talk_answer" >"$tmp/answer"
}
ask()
{
	echo "$1" >&5
	read -r ask_answer <&6
	echo "$ask_answer"
}
for rule in 7501 7502; do
	kept <<'END'
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7501}]}
END
	talk fastopen deferred 127.0.0.1 7501
	tap_is "fast open: connect() is put off until the first write" connected cat "$tmp/answer"
	kept <<END
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: $rule}]}
      - {to: [{cidr: 192.0.2.0/24}]}
END
	if [ $rule = 7501 ]; then
		tap_is "fast open: it passes where the policy allows it then" "sent received 1 early" ask go
	else
		tap_is "fast open: it does not where the policy denies it then" "sent lost 0 early" ask go
	fi
	exec 5>&- 6<&-
done

# ---- one datagram socket, many peers ----

# datagrams CLAIM WORKLOAD COUNTER N STEP...: what each step gives is on stdin.
datagrams()
{
	datagrams_claim=$1
	datagrams_workload=$2
	datagrams_counter=$3
	datagrams_n=$4
	shift 4
	denies "$datagrams_claim" "$(cat)" "$datagrams_workload" "$datagrams_counter" "$datagrams_n" \
		-c "$datagrams_workload" datagrams "$@"
}
datagrams "a connected socket is judged by where each datagram goes" out egress_deny 1 \
	connect=10.9.0.1/7001 send send=10.9.0.2/7001 send send=10.9.0.1/7002 <<'END'
sent received
EPERM lost
sent received
sent received
END
datagrams "and by where it is connected anew" out egress_deny 1 \
	connect=10.9.0.1/7001 send connect=10.9.0.2/7001 send connect=10.9.0.1/7001 send <<'END'
sent received
EPERM lost
sent received
END
datagrams "and when it is connected no more" out egress_deny 1 \
	connect=10.9.0.1/7001 send disconnect send=10.9.0.2/7001 send=10.9.0.1/7001 <<'END'
sent received
EPERM lost
sent received
END
datagrams "an answer comes in only from where the socket has sent to" both ingress_deny 4 \
	answer=127.0.0.1/7001 send=127.0.0.1/7001 answer=127.0.0.1/7001 answer=127.0.0.1/7002 answer=127.0.0.2/7001 \
	answer=127.0.0.1/7001 send=127.0.0.2/7001 answer=127.0.0.2/7001 answer=127.0.0.2/7002 answer=127.0.0.1/7001 <<'END'
sent lost
sent received
sent received
sent lost
sent lost
sent received
sent received
sent received
sent lost
sent received
END
datagrams "what another socket has sent to is not its own" both ingress_deny 2 \
	answer=127.0.0.1/7001 answer=127.0.0.2/7001 <<'END'
sent lost
sent lost
END

tap_todo "what is remembered of a flow is its ports, not its socket" \
	datagrams "nor what a former socket of the same port has" both ingress_deny 1 \
	send=127.0.0.3/7001 answer=127.0.0.3/7001 renew answer=127.0.0.3/7001 <<'END'
sent received
sent received
sent lost
END

# A request that went out under a policy that lets all come in, and its answer, which comes under one that does not.
kept <<'END'
  egress: {default: allow}
END
talk datagrams send=127.0.0.1/7401 wait answer=127.0.0.1/7401 answer=127.0.0.2/7401
tap_is "a request goes out where all may come in" "sent received" cat "$tmp/answer"
kept <<'END'
  egress: {default: allow}
  ingress: {default: deny}
END
tap_is "its answer comes in where only answers may" "sent received" ask on
read -r ask_answer <&6
tap_is "and what was not asked for does not" "sent lost" echo "$ask_answer"
exec 5>&- 6<&-

# ---- the unspecified address is ourselves ----

for kind in udp tcp; do
	for to in "0.0.0.0 127.0.0.1" ":: ::1"; do
		passes "$kind to ${to% *}: passes where the address it stands for is allowed" "sent received" \
			-c out send $kind "${to% *}" 7001 "${to#* }"
		denies "$kind to ${to% *}: and is denied where that is" "EPERM lost" out egress_deny 1+ \
			-c out send $kind "${to% *}" 7002 "${to#* }"
	done
done

# ---- sockets that change hands ----

# A socket is judged as its maker's, wherever it is used; connect() asks for who calls it as well.
for kind in tcp udp; do
	passes "a $kind socket from another workload: what its maker may passes" "sent received" \
		-c maker -u user passed $kind 127.0.0.1 7001
	refused="EPERM lost"
	[ $kind = udp ] || refused="sent lost"
	denies "a $kind socket from another workload: never more than its maker may" "$refused" maker egress_deny 1+ \
		-c maker -u user passed $kind 127.0.0.1 7002
done
passes "a TCP socket made where all may: passes where its user may" "sent received" \
	-c user -u maker passed tcp 127.0.0.1 7001
denies "a TCP socket made where all may: its user's connect() is denied" "EPERM lost" maker egress_deny 1 \
	-c user -u maker passed tcp 127.0.0.1 7002
passes "a UDP socket made where all may is its maker's" "sent received" -c user -u maker passed udp 127.0.0.1 7002
passes "a connection of another workload: carries on" "sent received" -c maker -u user passed connected 127.0.0.1 7001
passes "a connection of another workload: also where its user may not make one" "sent received" \
	-c user -u closed passed connected 127.0.0.1 7002
denies "a connection that its maker may not have is none" "EPIPE lost" maker egress_deny 1 \
	-c maker -u user passed connected 127.0.0.1 7002
passes "a listener of another workload: what its maker may comes in" "sent received" \
	-c maker -u closed passed listener 127.0.0.1 7001
denies "a listener of another workload: never more than its maker may" "sent lost" maker ingress_deny 1+ \
	-c maker -u user passed listener 127.0.0.1 7002
passes "a listener inherited into a cgroup below: what its maker may comes in" "sent received" \
	-c nest -u nest/inner inherited 127.0.0.1 7001
denies "a listener inherited into a cgroup below: never more than its maker may" "sent lost" nest ingress_deny 1+ \
	-c nest -u nest/inner inherited 127.0.0.1 7002
passes "a listener made in the cgroup below has that one's policy" "sent received" \
	-c nest/inner -u nest/inner inherited 127.0.0.1 7002

# ---- a namespace that the workload made itself ----

pod c 3 own
cb="-n $tmp/net/c -m $tmp/net/b"
passes "in a namespace of its own making: IPv4 finds its neighbours" "sent received" -c own $cb send tcp 10.8.0.2 7001
passes "in a namespace of its own making: IPv6 finds its neighbours" "sent received" -c own $cb send tcp fd00:8::2 7001

# ---- sockets that are there when a policy comes ----

drop_force kept
talk kept 127.0.0.1 7301
tap_is "sockets are made before there is a policy" ready cat "$tmp/answer"
for what in out in udp listener; do
	tap_is "before there is a policy: $what works" "sent received" ask $what
done
kept <<'END'
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7301}, {protocol: UDP, port: 7301}]}
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7302}]}
END
for what in out in udp listener; do
	tap_is "a policy comes that allows them: $what works" "sent received" ask $what
done
kept <<'END'
  egress: {default: deny}
  ingress: {default: deny}
END
tap_is "a policy comes that denies them: out is cut" "sent lost" ask out
tap_is "a policy comes that denies them: in is cut" "sent lost" ask in
tap_is "a policy comes that denies them: udp is cut" "EPERM lost" ask udp
tap_is "a policy comes that denies them: listener is cut" "sent lost" ask listener
tap_is "a policy comes that denies them: a reset does not come in" EAGAIN ask reset
tap_ok "they are counted out" above "$(counter kept egress_deny)" 1
tap_ok "and in" above "$(counter kept ingress_deny)" 1
exec 5>&- 6<&-

# What must not change the verdict of a connection that is there: who listens at its port.
kept <<'END'
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7311}]}
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7312}]}
END
talk kept 127.0.0.1 7311
tap_is "an allowed connection is reset by its peer" ECONNRESET ask reset
tap_is "an accepted connection, its listener goes" gone ask unlisten
# Until the next change of policy a cache may know that it came in: no claim.
kept <<'END'
  egress:
    default: deny
  ingress:
    default: deny
    rules:
      - {from: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7312}]}
END
tap_todo "a connection whose listener has gone is taken for one that went out" \
	tap_is "an accepted connection carries on without its listener when a policy comes" "sent received" ask in
exec 5>&- 6<&-
kept <<'END'
  egress:
    default: allow
END
talk kept 127.0.0.1 7321
tap_is "an allowed connection, somebody listens where it comes from" listens ask relisten
tap_is "it carries on" "sent received" ask out
kept <<'END'
  egress:
    default: deny
    rules:
      - {to: [{cidr: 192.0.2.0/24}]}
END
tap_todo "a connection whose port somebody listens at is taken for one that came in" \
	tap_is "and is cut by a policy that denies it" "sent lost" ask out
exec 5>&- 6<&-
tap_done
