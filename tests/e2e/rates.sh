# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # what lib.sh sets
#
# What the tests of rates share: another network namespace at the end of a veth pair, connections that stay open, and
# what arrives of what iperf3 sends. Sourced after lib.sh.

far=rf-rates-$$
near_device=vr$$
far_device=pr$$
far_address=10.79.0.2
after_test() { ip netns del "$far"; } >/dev/null 2>&1
trap 'after_test; cleanup' EXIT
if ! { ip netns add "$far" && ip link add "$near_device" type veth peer name "$far_device" netns "$far"; } 2>/dev/null; then
	tap_skip_all "network namespaces cannot be made here"
fi
ip address add 10.79.0.1/24 dev "$near_device"
ip link set "$near_device" up
ip -n "$far" address add $far_address/24 dev "$far_device"
ip -n "$far" link set "$far_device" up
ip -n "$far" link set lo up

# ---- connections ----

# hold NAME CGROUP|- N ADDRESS PORT: N connections that stay open; what came of them is in $tmp/NAME.
hold()
{
	rm -f "$tmp/$1.to"
	mkfifo "$tmp/$1.to"
	if [ "$2" = - ]; then
		"$net" many "$3" "$4" "$5" <"$tmp/$1.to" >"$tmp/$1" 2>&1 &
	else
		enter "$2" "$net" many "$3" "$4" "$5" <"$tmp/$1.to" >"$tmp/$1" 2>&1 &
	fi
	held=$!
	helpers="$helpers $held"
	exec 5>"$tmp/$1.to"
	await 15 grep -q allowed= "$tmp/$1"
}
# ask NAME WORD: and what came of it.
ask()
{
	ask_lines=$(wc -l <"$tmp/$1")
	echo "$2" >&5
	await 5 sh -c "[ \$(wc -l <'$tmp/$1') -gt $ask_lines ]"
	tail -n 1 "$tmp/$1"
}
opens() { [ "$(ask "$1" open)" = allowed ]; }
can_open() { [ "$(inside "$1" "$net" many "$2" 127.0.0.1 7001 </dev/null 2>&1)" = "allowed=$2 denied=0 timeout=0 refused=0 other=0" ]; }

# ---- how close ----

# near NAME ACTUAL EXPECTED PERMILLE: and says how far off it is.
near()
{
	near_off=$((($2 - $3) * 1000 / $3))
	near_sign=+
	[ "$near_off" -ge 0 ] || near_sign=- near_off=$((-near_off))
	echo "# $1: $2, expected $3: $near_sign$((near_off / 10)).$((near_off % 10)) %"
	[ "$near_off" -le "$4" ]
}
# As tap_ok, with its figures shown.
tap_near()
{
	near_claim=$1
	shift
	near "$near_claim" "$@"
	tap_ok "$near_claim" near "$near_claim" "$@"
}

# as_much COMMAND: until all that it prints, pairs of what arrived and what may, is enough. What is too much is
# never measured again; too little may be a processor that others had.
as_much()
{
	for as_much_try in 1 2 3; do
		"$1" >"$tmp/pairs"
		awk '$1 > 0 && $1 < $2 * 0.97 { exit 1 }' "$tmp/pairs" && return
		echo "# too little arrived ($as_much_try): $(tr '\n' ' ' <"$tmp/pairs")"
	done
}

# ---- bytes and packets ----

# Rates are measured with -O 1: the burst, up to 2.5 % of what a rate brings in 10 s, goes before the measurement.

# far_servers N...: iperf3 at ports 520N of the other end.
far_servers()
{
	for far_port; do
		ip netns exec "$far" iperf3 -s -p "520$far_port" >"$tmp/iperf$far_port" 2>&1 &
		helpers="$helpers $!"
		await 5 grep -q listening "$tmp/iperf$far_port"
	done
}
received() { sed -n '/receiver/s/.* \([0-9.]*\) Kbits.*/\1/p' "$tmp/$1.iperf" | tail -n 1 | cut -d. -f1 >"$tmp/$1"; }
# send NAME CGROUP PORT OPTION...: in the background; bits a second that arrived, payload, go to $tmp/NAME.
send()
{
	send_name=$1
	send_cgroup=$2
	send_port=$3
	shift 3
	(
		inside "$send_cgroup" iperf3 -c $far_address -p "520$send_port" -f k -i 0 "$@" >"$tmp/$send_name.iperf" 2>&1
		received "$send_name"
	) &
	senders="$senders $!"
}
sent()
{
	# shellcheck disable=SC2086 # a list
	wait $senders
	senders=
}
senders=
# Kbit/s over the wire, IP headers included: full packets of 1500, 52 or 28 of which are headers.
tcp_wire() { echo $(($(cat "$tmp/$1") * 1500 / 1448)); }
udp_wire() { echo $(($(cat "$tmp/$1") * 1476 / 1448)); }
programs() { bpftool cgroup show "$cgroup/$1" | grep -c rf_rate; }

# ---- what the kernel holds for rules ----

# map_dump NAME: of this daemon's. held_by_rules: entries of limits, of buckets, of counts of connections.
map_dump() { bpftool map dump pinned "$(ls "$tmp"/bpf/maps_*/"$1")"; }
held_by_rules() { echo "$(map_dump rf_rule_rate_map | grep -c '"key"') $(map_dump rf_rule_state_map | grep -c '"key"')" \
	"$(map_dump rf_rule_connections_map | grep -c '"key"')"; }
