#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Peers by DNS name: what a real resolver answered is reached with the first packet, what it did not is not, and
# nobody is believed who was not asked.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

name=$build/tests/e2e/name_probe
[ -x "$name" ] || { echo "Bail out! $name is not built"; exit 1; }
command -v dnsmasq >/dev/null || tap_skip_all "dnsmasq (package dnsmasq-base) is not installed"

resolver=127.0.0.2
other=127.0.0.3
for address in 10.65.0.1 10.65.0.2 10.65.0.3 10.66.0.1 10.66.0.2; do
	ip address add $address/32 dev lo
done
ip route add local 10.64.0.0/16 dev lo
ip -6 address add fd65::1/128 dev lo nodad
# dns ADDRESS OPTION...: a resolver of dnsmasq.
dns()
{
	dns_address=$1
	shift
	dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --no-poll --bind-interfaces \
		--except-interface=nothing --listen-address="$dns_address" --user=root --group=root --pid-file= \
		--log-facility=- "$@" >"$tmp/dns.$dns_address" 2>&1 &
	helpers="$helpers $!"
	await 10 answers "$dns_address"
}
answers() { "$name" "$1" alive.test | grep -qE 'allowed|denied'; }
set -- --host-record=alive.test,127.0.0.1 --host-record=api.example.com,10.65.0.1,300 --cname=www.example.com,api.example.com \
	--cname=cdn.example.net,www.example.com --host-record=other.example.org,10.65.0.2 \
	--host-record=deep.sub.example.com,10.65.0.3 --host-record=six.example.com,fd65::1 \
	--host-record=short.example.com,10.65.0.3,1 --synth-domain=pool.example,10.64.0.0,10.64.255.255,h- --edns-packet-max=1232
dns $resolver "$@"
dns $other "$@"

make_cgroup app both net nettcp ttl held plain
daemon_must_start
resolvers='{name: resolver, to: [{cidr: 127.0.0.0/8}], ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}'
# The pool's answers live for no time. How long a name lives is not what is tried with them: a host with a load of 20 has
# processes wait for longer than the five seconds that it does without a policy's word.
{
	doc app app <<END
network:
  dns: {resolvers: [$resolver/32]}
  egress:
    default: deny
    rules:
      - $resolvers
      - {name: api, to: [{dns: API.example.com}], ports: [{protocol: TCP, port: 7999}]}
      - {name: six, to: [{dns: six.example.com}]}
END
	doc both both <<END
network:
  egress:
    default: deny
    rules:
      - $resolvers
      - {name: any, to: [{dns: "*.example.com"}]}
      - {name: chain, to: [{dns: cdn.example.net}]}
END
	for workload in net nettcp; do
		doc $workload $workload <<END
network:
  dns: {resolvers: [$resolver/32], minTTL: 5m}
  egress: {default: deny, rules: [$resolvers, {name: pool, to: [{dns: "*.pool.example"}]}]}
END
	done
	doc ttl ttl <<END
network:
  dns: {minTTL: ${RF_SLOW}s, maxTTL: $((2 * RF_SLOW))s}
  egress: {default: deny, rules: [$resolvers, {name: api, to: [{dns: api.example.com}, {dns: short.example.com}]}]}
END
} | put_force names || exit 1

# ---- what was answered ----

tap_is "before it was asked for an address is denied" denied inside app "$net" tcp 10.65.0.1 7999
tap_is "what the resolver answers is reached at once" allowed inside app "$name" $resolver api.example.com
tap_is "and after that by its address" refused inside app "$net" tcp 10.65.0.1 7999
tap_is "another port of it is not" denied inside app "$name" -p 7998 $resolver api.example.com
tap_is "another name is resolved and not reached" denied inside app "$name" $resolver other.example.org
tap_is "a name that leads to an allowed one is another name" denied inside app "$name" $resolver deep.sub.example.com
tap_is "another workload has learnt nothing" denied inside both "$net" tcp 10.65.0.1 7999
tap_is "upper case is the same name" allowed inside app "$name" $resolver aPi.ExAmPlE.cOm
tap_is "IPv6: what the resolver answers is reached" allowed inside app "$name" -6 $resolver six.example.com
tap_is "over TCP too" allowed inside both "$name" -t $resolver api.example.com
tap_is "a pattern stands for one label" allowed inside both "$name" $resolver api.example.com
tap_is "and not for two" denied inside both "$name" $resolver deep.sub.example.com
tap_is "an alias chain is followed" allowed inside both "$name" $resolver cdn.example.net
tap_is "an alias of an allowed name is itself asked for" allowed inside both "$name" $resolver www.example.com
tap_ok "the answers are counted" above "$(counter app dns_answers)" 3

# ---- at full speed ----

n=$(few 10000)
tap_is "$n names, each reached with the first packet" "resolved=$n allowed=$n denied=0 other=0" \
	inside net "$name" -n "$n" $resolver 'h-10-64-%a.pool.example'
tap_is "and none without its name" denied inside app "$net" tcp 10.64.0.1 7999
n=$(few 1000)
tap_is "$n over TCP, by a workload that has learnt none" "resolved=$n allowed=$n denied=0 other=0" \
	inside nettcp "$name" -t -n "$n" $resolver 'h-10-64-%a.pool.example'

# ---- who is not believed ----

tap_is "another resolver than the policy's is not believed" denied inside net "$name" $other h-10-64-200-1.pool.example
tap_is "it is where no resolver is named" allowed inside both "$name" $other api.example.com
liar=
lies()
{
	[ -z "$liar" ] || { kill -9 "$liar"; wait "$liar" 2>/dev/null; }
	"$name" lie 127.0.0.4 "$1" >"$tmp/liar" 2>&1 &
	liar=$!
	helpers="$helpers $liar"
	await 5 grep -q ready "$tmp/liar"
}
make_cgroup fresh
doc fresh fresh <<END | put_force fresh
network: {egress: {default: deny, rules: [$resolvers, {name: any, to: [{dns: "*.example.com"}]}]}}
END
for how in id name cut; do
	lies $how
	tap_ok "a wrong answer ($how) comes in" says 'answers=1' inside fresh "$name" ask 127.0.0.4 a.example.com
	tap_is "and teaches nothing" denied inside fresh "$net" tcp 10.66.0.1 7999
done
tap_is "each is counted" 3 counter fresh dns_refused
lies late
tap_ok "a right answer and another one come in" says 'answers=2' inside fresh "$name" ask 127.0.0.4 a.example.com
tap_is "the first is believed" refused inside fresh "$net" tcp 10.66.0.1 7999
tap_is "the second is not" denied inside fresh "$net" tcp 10.66.0.2 7999

# ---- over TCP in pieces ----

ip route add local 10.66.1.0/24 dev lo
pieces=127.0.0.6
serves()
{
	[ -z "$liar" ] || { kill -9 "$liar"; wait "$liar" 2>/dev/null; }
	"$name" serve $pieces "$1" >"$tmp/liar" 2>&1 &
	liar=$!
	helpers="$helpers $liar"
	await 5 grep -q ready "$tmp/liar"
}
split_count() { status_row dns_split count; }
host=0
for how in whole length half bytes; do
	serves $how
	for asked in whole length half bytes both; do
		host=$((host + 1))
		tap_is "an answer in pieces ($how) to a question in pieces ($asked) is learnt" allowed \
			inside fresh "$name" stream $pieces h$host.example.com $asked
		tap_is "and its neighbour is not" denied inside fresh "$net" tcp 10.66.1.$((host + 1)) 7999
	done
done
tap_is "none of them was lost" 0 split_count
tap_is "another name in pieces is resolved and not reached" denied inside fresh "$name" stream $pieces h99.example.org bytes
serves long
tap_is "an answer that is too long is read by nobody" denied inside fresh "$name" stream $pieces h100.example.com whole
tap_is "and counted, once a segment" 2 split_count
tap_is "where nobody's policy has names it is no matter" allowed inside plain "$name" stream $pieces h101.example.com length

tap_ok "policy test: with the name that was answered" says '^allow: .*"api"' \
	"$ringfence" policy test -w default/default/app --to 10.65.0.1:7999/tcp --name api.example.com
tap_ok "policy test: and without" says '^deny: ' \
	"$ringfence" policy test -w default/default/app --to 10.65.0.1:7999/tcp

# ---- for how long ----

denied_now() { [ "$(inside "$@" 2>&1)" = denied ]; }
tap_is "a short life: reached" allowed inside ttl "$name" $resolver short.example.com
tap_ok "and over soon" await 10 denied_now ttl "$net" tcp 10.65.0.3 7999
tap_is "asked again, reached again" allowed inside ttl "$name" $resolver short.example.com

# ---- what goes on ----

server - tcp/10.65.0.1/7997
stream()
{
	rm -f "$tmp/to" "$tmp/from"
	mkfifo "$tmp/to" "$tmp/from"
	enter "$1" "$net" stream "$2" "$3" <"$tmp/to" >"$tmp/from" 2>&1 &
	helpers="$helpers $!"
	exec 5>"$tmp/to" 6<"$tmp/from"
	read -r answer <&6
}
exchange()
{
	echo x >&5
	read -r answer <&6
	echo "$answer"
}
tap_is "a connection by name" allowed inside ttl "$name" -p 7997 $resolver api.example.com
stream ttl 10.65.0.1 7997
tap_is "is open" connected echo "$answer"
tap_ok "its name's time is over: no other one" await 10 denied_now ttl "$net" tcp 10.65.0.1 7997
tap_is "it goes on" allowed exchange
doc ttl2 held <<'END' | put_force more
network: {egress: {default: deny}}
END
tap_is "over a change of another policy, too" allowed exchange
tap_is "what was learnt is kept over a change of policy" refused inside app "$net" tcp 10.65.0.1 7999
daemon_end KILL
tap_is "without a daemon names are learnt" allowed inside net "$name" $resolver h-10-64-201-1.pool.example
daemon_must_start
tap_is "the next daemon: what was learnt is kept" refused inside app "$net" tcp 10.65.0.1 7999
tap_is "the next daemon: names are learnt" allowed inside net "$name" $resolver h-10-64-202-1.pool.example
tap_is "the next daemon: others are not" denied inside net "$name" $resolver other.example.org
exec 5>&- 6<&-

# ---- a workload whose cgroup is gone, and whose socket is not ----

make_cgroup gone
# First without resolvers: what the next daemon keeps must be the last that was in force.
doc gone gone <<END | put_force gone
network: {egress: {default: deny}}
END
doc gone gone <<END | put_force gone
network:
  dns: {resolvers: [$resolver/32]}
  egress: {default: deny, rules: [$resolvers, {name: any, to: [{dns: "*.example.com"}]}]}
END
lies well
mkfifo "$tmp/orders" "$tmp/reports"
# shellcheck disable=SC2016 # expanded by the inner shell
enter gone "$net" hold udp 127.0.0.1 sh -c 'echo 0 >"$0/cgroup.procs" && echo moved; while read -r order; do eval "$order"; done' \
	"$cgroup/plain" <"$tmp/orders" >"$tmp/reports" 2>&1 &
helpers="$helpers $!"
exec 7>"$tmp/orders" 8<"$tmp/reports"
order()
{
	echo "$*" >&7
	read -r answer <&8
	echo "$answer"
}
read -r answer <&8
tap_is "its process leaves, and its socket stays" moved echo "$answer"
daemon_end KILL
tap_ok "its cgroup goes while there is no daemon" rmdir "$cgroup/gone"
daemon_must_start
for round in "the next daemon" "the next change of policy"; do
	tap_is "$round: it may still ask another resolver" answers=1 order "$name" ask 127.0.0.4 a.example.com held
	tap_is "$round: which is still not believed" denied order "$net" -f udp 10.66.0.1 7999
	doc "more${#round}" held <<END | put_force "more${#round}"
network: {egress: {default: deny}}
END
done
tap_is "its own is" answers=1 order "$name" ask $resolver api.example.com held
tap_is "and its answer reached" timeout order "$net" -f udp 10.65.0.1 7999
exec 7>&- 8<&-

# ---- another resolver, which asks the first; last, because its names make those of others the least used ----

unbound=127.0.0.5
if command -v unbound >/dev/null; then
	cat >"$tmp/unbound.conf" <<END
server:
	interface: $unbound
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	module-config: iterator
	use-syslog: no
	chroot: ""
	username: ""
	pidfile: ""
	directory: "$tmp"
forward-zone:
	name: "."
	forward-addr: $resolver
remote-control:
	control-enable: no
END
	unbound -d -c "$tmp/unbound.conf" >"$tmp/dns.$unbound" 2>&1 &
	helpers="$helpers $!"
	await 10 answers $unbound
	make_cgroup other othertcp
	for workload in other othertcp; do
		doc $workload $workload <<END
network:
  dns: {resolvers: [$unbound/32], minTTL: 5m}
  egress: {default: deny, rules: [$resolvers, {name: pool, to: [{dns: "*.pool.example"}, {dns: cdn.example.net}]}]}
END
	done | put_force other
	tap_is "unbound: an alias chain is followed" allowed inside other "$name" $unbound cdn.example.net
	tap_is "unbound: another name is resolved and not reached" denied inside other "$name" $unbound other.example.org
	n=$(few 10000)
	tap_is "unbound: $n names, each reached with the first packet" "resolved=$n allowed=$n denied=0 other=0" \
		inside other "$name" -n "$n" $unbound 'h-10-64-%a.pool.example'
	n=$(few 1000)
	tap_is "unbound: $n over TCP, by a workload that has learnt none" "resolved=$n allowed=$n denied=0 other=0" \
		inside othertcp "$name" -t -n "$n" $unbound 'h-10-64-%a.pool.example'
	tap_is "unbound: and none without its name" denied inside app "$net" tcp 10.64.0.1 7999
	tap_is "unbound: and nothing was refused" 0 counter other dns_refused
else
	tap_skip "names from unbound" "unbound (package unbound) is not installed"
fi
tap_done
