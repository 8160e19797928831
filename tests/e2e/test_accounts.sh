#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Accounts by class of peer of a live daemon, to the byte: against what is known of datagrams, what the devices on the
# way counted of connections, and what TCP itself counted of what it sent again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Before anything else writes there: the names of network namespaces are this test's own.
mount -t tmpfs -o mode=0755 tmpfs /run || tap_skip_all "a tmpfs cannot be mounted here"

# Nobody asks for neighbours and nobody announces himself: what a device counts is what the tests send.
# far NAME OUR-ADDRESS ADDRESS...: a namespace with these addresses, behind a device of that name.
far()
{
	far_name=$1
	far_ours=$2
	shift 2
	ip netns add "$far_name" && ip link add "$far_name" type veth peer name eth0 netns "$far_name" || return 1
	ip netns exec "$far_name" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
	echo 1 >"/proc/sys/net/ipv6/conf/$far_name/disable_ipv6"
	ip link set "$far_name" address 0a:58:00:00:00:01 arp off up
	ip -n "$far_name" link set eth0 address 0a:58:00:00:00:01 arp off up
	ip -n "$far_name" link set lo up
	ip address add "$far_ours/32" dev "$far_name"
	ip -n "$far_name" route add "$far_ours/32" dev eth0
	for far_address; do
		ip -n "$far_name" address add "$far_address/32" dev eth0
		ip route add "$far_address/32" dev "$far_name" src "$far_ours"
	done
}
far other 10.77.0.1 10.77.0.2 198.51.100.2 || tap_skip_all "network namespaces cannot be made here"
far pod 10.78.0.1 10.78.0.2
ip address add 10.9.0.1/32 dev lo
ip -6 address add fd00:9::1/128 dev lo nodad

make_cgroup app pod in audit shut
server - tcp/0.0.0.0/7001 udp/0.0.0.0/7001 udp/::/7001 udp/0.0.0.0/7002 tcp/0.0.0.0/7002
# served NETNS CGROUP|- PORTS...: as server, there.
served()
{
	served_namespace=$1
	shift
	served_net=$net
	net="$tmp/in_$served_namespace"
	printf '#!/bin/sh\nexec ip netns exec %s "%s" "$@"\n' "$served_namespace" "$served_net" >"$net"
	chmod +x "$net"
	server "$@"
	net=$served_net
}
served other - tcp/0.0.0.0/7001 udp/10.77.0.2/7001 udp/198.51.100.2/7001 udp/0.0.0.0/7002
served pod pod tcp/0.0.0.0/7001 udp/0.0.0.0/7001 udp/0.0.0.0/7002
server in udp/0.0.0.0/7201 udp/0.0.0.0/7202 tcp/0.0.0.0/7201
daemon_must_start

{
	doc app app <<'END'
network:
  egress:
    default: deny
    rules:
      - {ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]}
END
	doc pod pod </dev/null
	doc in in <<'END'
network:
  ingress:
    default: deny
    rules:
      - {ports: [{protocol: TCP, port: 7201}, {protocol: UDP, port: 7201}]}
END
	doc audit audit <<'END'
mode: audit
network:
  egress: {default: deny}
END
} | put_force base || exit 1

# account WORKLOAD PEER VERDICT DIRECTION: "BYTES PACKETS CONNECTIONS".
peer_of() { workloads_lines | grep -F "\"name\":\"default/default/$1\"" | sed 's/{"peer"/\n{"peer"/g' | grep "^{\"peer\":\"$2\""; }
account()
{
	account_found=$(peer_of "$1" "$2" | sed 's/{"verdict"/\n{"verdict"/g' |
		sed -n "s/^{\"verdict\":\"$3\",\"direction\":\"$4\",\"bytes\":\([0-9]*\),\"packets\":\([0-9]*\),\"connections\":\([0-9]*\).*/\1 \2 \3/p")
	echo "${account_found:-0 0 0}"
}
# peer_value WORKLOAD PEER KEY
peer_value() { peer_of "$1" "$2" | sed -n "s/.*\"$3\":\([0-9]*\).*/\1/p" | grep . || echo 0; }
# grown BEFORE AFTER: the difference of two accounts.
grown()
{
	# shellcheck disable=SC2086 # lists of numbers
	set -- $1 $2
	echo "$(($4 - $1)) $(($5 - $2)) $(($6 - $3))"
}
# growth WORKLOAD PEER VERDICT DIRECTION COMMAND...: by how much the command made it grow.
growth()
{
	growth_of="$1 $2 $3 $4"
	shift 4
	# shellcheck disable=SC2086 # a list
	growth_before=$(account $growth_of)
	"$@" >/dev/null 2>&1
	# shellcheck disable=SC2086 # a list
	grown "$growth_before" "$(account $growth_of)"
}

# ---- datagrams: 20 and 8 bytes of headers (IPv6: 40 and 8), one of payload ----

for peer in loopback/127.0.0.1 host/10.9.0.1 workload/10.78.0.2 private/10.77.0.2 public/198.51.100.2; do
	class=${peer%/*}
	address=${peer#*/}
	answered=$(account app "$class" allow ingress)
	tap_is "UDP to $class: what was sent" "290 10 0" \
		growth app "$class" allow egress inside app "$net" -n 10 udp "$address" 7001
	tap_is "UDP to $class: what was answered" "290 10 0" grown "$answered" "$(account app "$class" allow ingress)"
	tap_is "UDP to $class: what was denied" "203 7 0" \
		growth app "$class" deny egress inside app "$net" -n 7 udp "$address" 7002
	tap_is "UDP to $class: what would be denied" "145 5 0" \
		growth audit "$class" would-deny egress inside audit "$net" -n 5 udp "$address" 7002
	tap_is "UDP to $class: nothing of that was denied or allowed" "0 0 0 0 0 0" \
		echo "$(account audit "$class" deny egress) $(account audit "$class" allow egress)"
done
tap_is "IPv6 to loopback" "490 10 0" growth app loopback allow egress inside app "$net" -n 10 udp ::1 7001
tap_is "IPv6 to the host" "490 10 0" growth app host allow egress inside app "$net" -n 10 udp fd00:9::1 7001
tap_is "IPv6: an IPv4-mapped address is of its class" "290 10 0" \
	growth app public allow egress inside app "$net" -n 10 udp ::ffff:198.51.100.2 7001
tap_is "ingress: what came in" "290 10 0" growth in host allow ingress "$net" -n 10 udp 10.9.0.1 7201
tap_is "ingress: what was denied" "145 5 0" growth in host deny ingress "$net" -w 50 -n 5 udp 10.9.0.1 7202
tap_is "the workload's own view of the other" 0 peer_value pod public rtt_samples
tap_is "the pod was asked from the host" "290 10 0" growth pod host allow ingress inside app "$net" -n 10 udp 10.78.0.2 7001

# ---- connections: what the device to there counted, without the 14 bytes of Ethernet that all but lo count ----

# device NAME rx|tx: "BYTES PACKETS"
device()
{
	sed -n "s/^ *$1: *//p" /proc/net/dev |
		awk -v way="$2" -v header="$([ "$1" = lo ] && echo 0 || echo 14)" '{ bytes = way == "rx" ? $1 : $9; packets = way == "rx" ? $2 : $10; print bytes - header * packets, packets }'
}
# stream CGROUP ADDR PORT: a connection that answers on 6 to each line on 5.
stream()
{
	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	enter "$1" "$net" -w 5000 stream "$2" "$3" <"$tmp/to" >"$tmp/from" 2>&1 &
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
# connections CGROUP ADDR: some that are reset, and one that carries data and ends well.
connections()
{
	inside "$1" "$net" -n 20 tcp "$2" 7001
	stream "$1" "$2" 7001
	say 30000
	say 30000
	say 777
	say shut
	ended
}
# matches CLASS DEVICE ADDRESS: 21 connections, of workload and device the same.
matches()
{
	matches_tx=$(account app "$1" allow egress) matches_rx=$(account app "$1" allow ingress)
	matches_device_tx=$(device "$2" tx) matches_device_rx=$(device "$2" rx)
	connections app "$3"
	matches_tx=$(grown "$matches_tx" "$(account app "$1" allow egress)")
	matches_rx=$(grown "$matches_rx" "$(account app "$1" allow ingress)")
	equal "$matches_tx" "$(grown "$matches_device_tx 0" "$(device "$2" tx) 21")" || return
	equal "$matches_rx" "$(grown "$matches_device_rx 0" "$(device "$2" rx) 0")"
}
tap_ok "TCP to a workload: to the byte" matches workload pod 10.78.0.2
tap_ok "TCP to a private address: to the byte" matches private other 10.77.0.2
tap_ok "TCP to a public address: to the byte" matches public other 198.51.100.2
samples=$(peer_value app public rtt_samples)
tap_is "a connection that ended gave a round-trip time, those that this side reset gave none" 1 echo "$samples"
# Over loopback a packet goes out and comes in at the same device; the server is nobody's.
lo_tx=$(device lo tx) host=$(account app host allow egress) host_rx=$(account app host allow ingress)
connections app 10.9.0.1 >/dev/null
lo_tx=$(grown "$lo_tx 0" "$(device lo tx) 21")
host=$(grown "$host" "$(account app host allow egress)") host_rx=$(grown "$host_rx" "$(account app host allow ingress)")
both() { echo "$(($1 + $4)) $(($2 + $5)) $(($3 + $6))"; }
# shellcheck disable=SC2086 # lists of numbers
tap_is "TCP to the host: both ways, to the byte" "$lo_tx" both $host $host_rx
tap_is "connect() that is denied is a connection without a packet" "0 0 10" \
	growth app public deny egress inside app "$net" -n 10 tcp 198.51.100.2 7002
tap_is "connect() that would be denied is one" 10 \
	sh -c "echo '$(growth audit host would-deny egress inside audit "$net" -n 10 tcp 10.9.0.1 7001)' | cut -d' ' -f3"
tap_is "and its answers are under the same verdict" "0 0 0" \
	growth audit host allow ingress inside audit "$net" -n 10 tcp 10.9.0.1 7001
tap_is "what came in is a connection" 10 \
	sh -c "echo '$(growth in host allow ingress "$net" -n 10 tcp 10.9.0.1 7201)' | cut -d' ' -f3"

# ---- what TCP knows ----

info() { say info | sed -n "s/.*$1=\([0-9]*\).*/\1/p"; }
# A real loss: the other end has no such address for a while, and drops what comes.
stream app 198.51.100.2 7001
say 1000 >"$tmp/answer"
before=$(peer_value app public retransmits)
ip -n other address del 198.51.100.2/32 dev eth0
echo 1000 >&5
resent() { [ "$(ss -tin dst 198.51.100.2 | sed -n 's/.* retrans:[0-9]*\/\([0-9]*\).*/\1/p')" -ge 3 ]; }
tap_ok "a lost segment is sent again" await 10 resent
ip -n other address add 198.51.100.2/32 dev eth0
read -r answer <&6
tap_is "until it arrives" allowed echo "$answer"
info retransmits >"$tmp/retransmits"
tap_is "retransmits: as many as TCP counted" "$(($(peer_value app public retransmits) - before))" cat "$tmp/retransmits"
tap_is "retransmits of others: none" 0 peer_value app private retransmits
rtt_before=$(peer_value app public rtt_us)
info rtt_us >"$tmp/rtt"
tap_is "an open connection gave no round-trip time yet" "$samples" peer_value app public rtt_samples
say shut >"$tmp/answer"
ended
gave() { [ "$(peer_value app public rtt_samples)" -gt "$samples" ]; }
tap_ok "it gives one when it ends" await 5 gave
# Its last acknowledgment may still change an eighth of it.
rtt=$(($(peer_value app public rtt_us) - rtt_before))
tap_ok "which is TCP's own" sh -c "[ $rtt -ge $(($(cat "$tmp/rtt") * 7 / 8 - 1)) ] || { echo $rtt; exit 1; }"

# ---- a workload that begins again ----

drop_force base
tap_ok "an account ends with its workload" sh -c "! '$ringfence' workloads --json | grep -q default/default/app"
tap_done
