#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which cgroup is whose: from the moment that it is made, whatever it is called,
# and until the last of it is gone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a open
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002 udp/127.0.0.1/7001 udp/127.0.0.1/7002
daemon_must_start
deny='network:
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]}'
echo "$deny" | doc a a | put_force a || exit 1

# ---- inheritance ----

tap_is "a child's first packet is denied, 200 of 200 new cgroups" "allowed=0 denied=200 other=0" \
	"$work" born "$cgroup/a" 200 127.0.0.1 7002
tap_is "and what is allowed passes, 200 of 200" "allowed=200 denied=0 other=0" \
	"$work" born "$cgroup/a" 200 127.0.0.1 7001
tap_is "below an unmanaged cgroup nothing is denied" "allowed=50 denied=0 other=0" \
	"$work" born "$cgroup/open" 50 127.0.0.1 7002
deep=a
for _ in 1 2 3 4 5 6 7 8 9 10; do
	deep=$deep/d
done
make_cgroup "$deep"
tap_is "ten levels down it is denied" denied inside "$deep" "$net" tcp 127.0.0.1 7002
tap_is "and allowed" allowed inside "$deep" "$net" tcp 127.0.0.1 7001
tap_is "a cgroup below is no workload of its own" 1 sh -c "'$ringfence' workloads --json | grep -o '\"id\":' | wc -l"

# ---- without a daemon ----

daemon_end KILL
tap_is "without a daemon a child's first packet is denied" "allowed=0 denied=100 other=0" \
	"$work" born "$cgroup/a" 100 127.0.0.1 7002
make_cgroup a/orphan late
daemon_must_start
tap_is "one made meanwhile stays denied" denied inside a/orphan "$net" tcp 127.0.0.1 7002
echo "$deny" | doc late late | put_force late
tap_is "one made meanwhile can be selected" denied inside late "$net" tcp 127.0.0.1 7002
drop_force late
tap_is "and let go" allowed inside late "$net" tcp 127.0.0.1 7002

# ---- selected as they come ----

{ echo "$deny"; } | doc many 'many-*/w*' | put_force many
mkdir "$cgroup/many-1" "$cgroup/many-1/w1" "$cgroup/many-1/x1"
tap_ok "a new cgroup that a glob selects becomes a workload" await 5 has_workload default/default/w1
tap_is "and is denied" denied inside many-1/w1 "$net" tcp 127.0.0.1 7002
tap_is "its sibling that the glob does not select is not" allowed inside many-1/x1 "$net" tcp 127.0.0.1 7002
id=$(counter w1 id)
rmdir "$cgroup/many-1/w1"
tap_ok "a removed cgroup is a workload no more" await 5 sh -c "! '$ringfence' workloads | grep -q w1"
mkdir "$cgroup/many-1/w1"
tap_ok "made again, it is one again" await 5 has_workload default/default/w1
tap_ok "with an id of its own" [ "$(counter w1 id)" != "$id" ]
tap_is "and with counters from zero" 0 counter w1 egress_deny

# ---- the start-up scan while cgroups come ----

daemon_end TERM
names() { awk -v dir="$cgroup/many-1/w-scan-" 'BEGIN { for (i = 0; i < 400; i++) print dir i }'; }
{ names | xargs -n 10 mkdir && echo all >"$tmp/made"; } &
helpers="$helpers $!"
daemon_must_start
tap_ok "400 cgroups were made around the start" await 20 grep -q all "$tmp/made"
known() { [ "$("$ringfence" workloads --json | grep -o '"name":"default/default/w-scan-[0-9]*"' | sort -u | wc -l)" = 400 ]; }
tap_ok "none of them is missed" await 10 known
tap_is "the first is denied" denied inside many-1/w-scan-0 "$net" tcp 127.0.0.1 7002
tap_is "the last is denied" denied inside many-1/w-scan-399 "$net" tcp 127.0.0.1 7002
tap_is "the last reaches what is allowed" allowed inside many-1/w-scan-399 "$net" tcp 127.0.0.1 7001
names | xargs rmdir
tap_ok "none of them stays when they are gone" await 10 sh -c "! '$ringfence' workloads --json | grep -q w-scan"

# ---- more at once than the kernel can report ----

# 3,000 that come and go fill the lane; those after them, the last things to happen, are not reported.
flood() { awk -v dir="$cgroup/many-1/$1-" -v n="$2" 'BEGIN { for (i = 0; i < n; i++) print dir i }'; }
kill -STOP "$daemon"
flood x 3000 | xargs mkdir
flood x 3000 | xargs rmdir
flood w-flood 100 | xargs mkdir
kill -CONT "$daemon"
lost() { [ "$("$ringfence" status | awk '$1 == "identity" && NF == 5 { print $3 + $4 }')" -gt 0 ]; }
tap_ok "the kernel lost reports of them" lost
flooded() { "$ringfence" workloads --json | grep -o '"name":"default/default/w-flood-[0-9]*"' | sort -u | wc -l; }
all() { [ "$(flooded)" = 100 ]; }
tap_ok "all of them are found" await 10 all
tap_is "the last is denied" denied inside many-1/w-flood-99 "$net" tcp 127.0.0.1 7002
kill -STOP "$daemon"
flood x 3000 | xargs mkdir
flood x 3000 | xargs rmdir
flood w-flood 100 | xargs rmdir
kill -CONT "$daemon"
none() { [ "$(flooded)" = 0 ]; }
tap_ok "and none stays when they are gone" await 10 none

# ---- names ----

long=w$(printf '%0254d' 0)
mkdir "$cgroup/many-1/$long"
tap_ok "a name of 255 bytes is a workload" await 5 has_workload "default/default/$long"
tap_is "and is denied" denied inside "many-1/$long" "$net" tcp 127.0.0.1 7002
mkdir -p "$cgroup/many-1/$long/$long/$long"
tap_is "paths too long for an event are denied all the same" denied inside "many-1/$long/$long/$long" "$net" tcp 127.0.0.1 7002
tap_is "and allowed" allowed inside "many-1/$long/$long/$long" "$net" tcp 127.0.0.1 7001
odd=$(printf 'w \001"\\[*]{}:#\303\251\377%%s')
mkdir "$cgroup/many-1/$odd"
tap_ok "a name of odd bytes is a workload" await 5 sh -c "'$ringfence' workloads | grep -q 'default/default/w.*%s'"
tap_is "and is denied" denied inside "many-1/$odd" "$net" tcp 127.0.0.1 7002
tap_is "and allowed" allowed inside "many-1/$odd" "$net" tcp 127.0.0.1 7001
tap_ok "what the daemon says of it is still JSON" sh -c "! '$ringfence' workloads --json | grep -q '[[:cntrl:]]'"
mkdir "$cgroup/a/many-1"
mkdir "$cgroup/a/many-1/w9"
tap_is "a glob is anchored: deeper it selects nothing" "" counter w9 id

# ---- ids that are used again ----

# The ids of workloads go round: one that is freed comes back to another cgroup in time. Removing one and making
# another, many times, must never show the first one's verdict.
mkdir "$cgroup/reuse"
doc allowed 'reuse/ok*' <<'END' | put_force allowed
network:
  egress: {default: allow}
END
echo "$deny" | doc denied 'reuse/no*' | put_force denied
reuse()
{
	wrong=0
	i=0
	while [ $i -lt "$(few 60)" ]; do
		mkdir "$cgroup/reuse/ok$i" "$cgroup/reuse/no$i"
		await 5 has_workload "default/default/no$i" && await 5 has_workload "default/default/ok$i" || break
		[ "$(inside "reuse/ok$i" "$net" tcp 127.0.0.1 7002)" = allowed ] || wrong=$((wrong + 1))
		[ "$(inside "reuse/no$i" "$net" tcp 127.0.0.1 7002)" = denied ] || wrong=$((wrong + 1))
		rmdir "$cgroup/reuse/ok$i" "$cgroup/reuse/no$i"
		i=$((i + 1))
	done
	echo "$wrong wrong of $i"
}
tap_is "each of many workloads that come and go has its own verdict" "0 wrong of $(few 60)" reuse

# A socket outlives its cgroup, and the id is not given to another before it is gone.
mkfifo "$tmp/to" "$tmp/from"
mkdir "$cgroup/many-1/w-socket"
await 5 has_workload default/default/w-socket
# shellcheck disable=SC2016 # expanded by the inner shell
leave='echo 0 >"$0/cgroup.procs" && while read -r _; do "$@"; done'
enter many-1/w-socket "$net" hold udp 127.0.0.1 sh -c "$leave" "$cgroup/open" "$net" -f udp 127.0.0.1 7002 \
	<"$tmp/to" >"$tmp/from" 2>&1 &
helpers="$helpers $!"
exec 5>"$tmp/to" 6<"$tmp/from"
gone() { rmdir "$cgroup/many-1/w-socket"; }
tap_ok "a cgroup goes while a socket of its is still there" await 5 gone
echo go >&5
read -r answer <&6
tap_is "the socket is still denied" denied echo "$answer"
printf '%s\n      - {to: [{cidr: 192.0.2.1/32}]}\n' "$deny" | doc many 'many-*/w*' | put_force many
echo go >&5
read -r answer <&6
tap_is "also after a change of policy" denied echo "$answer"
daemon_end KILL
daemon_must_start
echo go >&5
read -r answer <&6
tap_is "and after a restart of the daemon" denied echo "$answer"
printf '%s\n      - {to: [{cidr: 192.0.2.2/32}]}\n' "$deny" | doc many 'many-*/w*' | put_force many
mkdir "$cgroup/many-1/w-after"
await 5 has_workload default/default/w-after
echo go >&5
read -r answer <&6
tap_is "and after another change" denied echo "$answer"
exec 5>&- 6<&-

tap_is "no cgroup went without an entry" 0 status_row cgroup_map_full count
tap_done
