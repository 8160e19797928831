#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# nftables matching on the cgroup of the socket: three prefixes allowed in and
# out, the rest dropped.
set -eu
case $1 in
start)
	# level counts the components of the path, which nft wants without its first slash.
	path=${RF_BENCH_CGROUP#/}
	socket="socket cgroupv2 level $(echo "$path" | tr / '\n' | wc -l) \"$path\""
	nft -f - <<RULES
table inet ringfence_bench {
	set peers {
		type ipv4_addr
		flags interval
		elements = { 127.0.0.0/8, 10.0.0.0/8, 192.168.0.0/16 }
	}
	chain output {
		type filter hook output priority filter; policy accept;
		$socket ip daddr @peers accept
		$socket drop
	}
	chain input {
		type filter hook input priority filter; policy accept;
		$socket ip saddr @peers accept
		$socket drop
	}
}
RULES
	;;
stop)
	nft delete table inet ringfence_bench
	;;
esac
