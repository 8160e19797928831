#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Enforcement outlives the daemon: killed, ended, restarted, upgraded, there is
# no moment in which what is denied passes or what is allowed does not.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a a/b
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002 udp/127.0.0.1/7001 udp/127.0.0.1/7002
daemon_must_start

allow_one='network:
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]}'
echo "$allow_one" | doc a a | put_force a || exit 1
tap_is "a first daemon adopts nothing" false status_value adopted

# ---- attempts that never end, while daemons come and go ----

loops=
loop_start()
{
	enter "$2" "$net" -w 1000 -l "$1" 127.0.0.1 "$3" >"$tmp/loop.$1.$3" 2>&1 &
	loops="$loops $!"
	helpers="$helpers $!"
}
loops_start()
{
	loops=
	loop_start tcp "$1" 7002
	loop_start udp "$1" 7002
	loop_start tcp "$1" 7001
	loop_start udp "$1" 7001
}
# loops_end: and adds up what was denied.
denied_total=0
loops_end()
{
	# shellcheck disable=SC2086 # a list
	kill -TERM $loops
	for pid in $loops; do
		wait "$pid"
	done
	for kind in tcp udp; do
		denied_total=$((denied_total + $(count_of denied "$(cat "$tmp/loop.$kind.7002")")))
	done
}
# none_but OUTCOME FILE: many attempts, and this outcome alone.
none_but()
{
	line=$(cat "$2")
	[ "$(echo "$line" | tr ' ' '\n' | grep -c '=0$')" = 4 ] && [ "$(count_of "$1" "$line")" -gt 20 ] && return
	echo "$line"
	return 1
}
loops_judge()
{
	loops_end
	tap_ok "$1: not one denied connection passed" none_but denied "$tmp/loop.tcp.7002"
	tap_ok "$1: not one denied datagram passed" none_but denied "$tmp/loop.udp.7002"
	tap_ok "$1: no allowed connection broke" none_but allowed "$tmp/loop.tcp.7001"
	tap_ok "$1: no allowed datagram was lost" none_but allowed "$tmp/loop.udp.7001"
}
link_id() { bpftool link show pinned "$tmp/bpf/links/$1" | sed -n '1s/^\([0-9]*\):.*/\1/p'; }
link_program() { bpftool link show pinned "$tmp/bpf/links/$1" | sed -n 's/.* prog \([0-9]*\) .*/\1/p' | head -n 1; }

id=$(counter a id)
link=$(link_id rf_skb_egress)
loops_start a
for signal in KILL KILL TERM; do
	daemon_end $signal
	tap_is "without a daemon (SIG$signal) TCP is still denied" "allowed=0 denied=50 timeout=0 refused=0 other=0" \
		inside a "$net" -n 50 tcp 127.0.0.1 7002
	denied_total=$((denied_total + 50))
	tap_is "and what is allowed still passes" "allowed=50 denied=0 timeout=0 refused=0 other=0" \
		inside a "$net" -n 50 tcp 127.0.0.1 7001
	daemon_start
	tap_is "a daemon starts again" 0 echo $?
	tap_is "status says that it adopted what was there" true status_value adopted
done
tap_is "SIGTERM ends with status 0" 0 echo "$daemon_status"
# Killed at any moment of its start-up.
for moment in 01 05 10 20 40; do
	daemon_end KILL
	"$ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" --bpffs "$tmp/bpf" \
		--cgroup-root "$cgroup" --listen none >>"$tmp/log" 2>&1 </dev/null &
	daemon=$!
	sleep "0.$moment"
done
daemon_end KILL
daemon_start
tap_is "a daemon starts after others were killed while they started" 0 echo $?
loops_judge "kill -9 and restarts"
tap_is "the workload kept its id" "$id" counter a id
tap_is "its counter missed no denial and counted none twice" "$denied_total" counter a egress_deny
tap_is "an adopted link is the same link" "$link" link_id rf_skb_egress

# ---- one daemon ----

second()
{
	"$ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" --bpffs "$tmp/bpf" \
		--cgroup-root "$cgroup" --listen none
}
tap_ok "a second daemon on the same socket is refused" says "another ringfenced answers on $tmp/socket" second
tap_is "the first one is not disturbed" "$daemon" status_value pid

# ---- signals ----

daemon_end TERM
daemon_must_start --no-watch
before=$(applies)
echo "$allow_one" | sed 's/7001/7002/' | doc a a | put a
kill -HUP "$daemon"
tap_ok "SIGHUP reads the directory again" await 5 applied_more "$before"
tap_is "what it read is in force" allowed inside a "$net" tcp 127.0.0.1 7002
tap_is "and what it replaced is not" denied inside a "$net" tcp 127.0.0.1 7001
echo "$allow_one" | doc a a | put a
kill -HUP "$daemon"
tap_ok "SIGHUP again brings the first back" await 5 applied_more $((before + 1))
daemon_end TERM
daemon_must_start

# ---- changes of policy are without gaps as well ----

denied_total=0
before=$(counter a egress_deny)
loops_start a
for change in 1 2 3 4; do
	printf '%s\n      - {to: [{cidr: 192.0.2.%d/32}]}\n' "$allow_one" $change | doc a a | put_force a || break
done
loops_judge "four changes of the policy"
tap_is "and each denial was counted" $((before + denied_total)) counter a egress_deny

loops_start a/b
for change in 1 2 3; do
	echo "$allow_one" | doc b a/b | put_force b || break
	drop_force b
done
loops_judge "a policy of its own that comes and goes"
loops_start a/b
for change in 1 2 3; do
	echo "$allow_one" | doc b a/b | put b
	drop_force a
	echo "$allow_one" | doc a a | put_force a || break
done
rm "$tmp/policies/b.yaml"
loops_judge "a parent's policy that comes and goes"

# ---- upgrade ----

# variant_make: a daemon whose programs are others. Only what differs is built.
variant_make()
{
	mkdir "$tmp/o" && cp "$build/config.mk" "$tmp/o/" &&
		sed -n 's/^VMLINUX_BTF *:\{0,1\}= *//p' "$build/config.mk" >"$tmp/o/vmlinux.from" &&
		make -s -C "$src" -j2 O="$tmp/o" BPF_EXTRA=-DRF_TEST_VARIANT "$tmp/o/librf-engine.a" &&
		"${CC:-cc}" -o "$tmp/ringfenced" "$build/user/daemon/main.o" -Wl,--gc-sections -Wl,--start-group \
			"$tmp/o/librf-engine.a" "$build"/librf-daemon.a "$build"/librf-export.a "$build"/librf-respond.a \
			"$build"/librf-detect.a "$build"/librf-collect.a "$build"/librf-store.a "$build"/librf-policy.a \
			"$build"/librf-model.a "$build"/librf-lib.a -Wl,--end-group \
			-lbpf -lelf -lz -lsystemd -lyaml -ljson-c -lmicrohttpd -lmaxminddb -lsqlite3 -lm
}
claim="upgrade to other programs"
if [ -n "${RF_IN_VM:-}" ]; then
	tap_skip "$claim" "an emulated guest is too slow to build one"
elif ! command -v clang-19 >/dev/null || ! command -v make >/dev/null || ! command -v cc >/dev/null; then
	tap_skip "$claim" "there is no clang-19, make or cc to build one"
elif ! variant_make >"$tmp/variant.log" 2>&1; then
	tap_ok "$claim: it can be built" sh -c "tail -n 20 '$tmp/variant.log'; false"
else
	ours=$ringfenced
	for signal in TERM KILL; do
		program=$(link_program rf_skb_egress)
		exec_program=$(link_program rf_exec)
		link=$(link_id rf_skb_egress)
		id=$(counter a id)
		denied_total=0
		before=$(counter a egress_deny)
		loops_start a
		daemon_end $signal
		[ "$ringfenced" = "$ours" ] && ringfenced=$tmp/ringfenced || ringfenced=$ours
		daemon_start
		tap_is "$claim (SIG$signal): it starts" 0 echo $?
		tap_is "$claim: it adopted the maps" true status_value adopted
		loops_judge "$claim (SIG$signal)"
		tap_ok "$claim: a cgroup link runs the new program" [ "$(link_program rf_skb_egress)" != "$program" ]
		tap_is "$claim: it is still the same link" "$link" link_id rf_skb_egress
		tap_ok "$claim: a tracing link runs the new program" [ "$(link_program rf_exec)" != "$exec_program" ]
		tap_is "$claim: workload ids are kept" "$id" counter a id
		tap_is "$claim: counters are kept" $((before + denied_total)) counter a egress_deny
	done
fi

# ---- detach ----

pinned_ids()
{
	for pin in "$tmp"/bpf/links/*; do
		bpftool link show pinned "$pin" | sed -n '1s/^\([0-9]*\):.*/link \1/p'
		bpftool link show pinned "$pin" | sed -n 's/.* prog \([0-9]*\) .*/prog \1/p'
	done
	for pin in "$tmp"/bpf/maps_*/*; do
		bpftool map show pinned "$pin" | sed -n '1s/^\([0-9]*\):.*/map \1/p'
	done
}
# Nothing of these is left in the kernel.
all_gone()
{
	while read -r kind number; do
		! bpftool "$kind" show id "$number" 2>/dev/null || return 1
	done <"$tmp/ids"
}
pinned_ids >"$tmp/ids"
tap_ok "links, programs and maps are pinned" above "$(wc -l <"$tmp/ids")" 30
tap_is "before detach it is denied" denied inside a "$net" tcp 127.0.0.1 7002
tap_ok "detach says what it removed" says '^detached: ' "$ringfence" detach --yes
wait "$daemon"
tap_is "the daemon ends with status 0" 0 echo $?
daemon=
tap_ok "no link, program or map is left" await 5 all_gone
tap_ok "nothing is attached to the cgroup" sh -c "! bpftool cgroup show '$cgroup' | grep rf_"
tap_ok "no pin and no mount is left" sh -c "! grep -F '$tmp/bpf' /proc/mounts && ! ls -A '$tmp/bpf' | grep ."
tap_is "after detach it passes" allowed inside a "$net" tcp 127.0.0.1 7002
daemon_start
tap_is "a daemon starts afresh" 0 echo $?
tap_is "and enforces again" denied inside a "$net" tcp 127.0.0.1 7002
tap_done
