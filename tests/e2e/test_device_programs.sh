#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a container runtime or systemd does with a device program of its own, below ours or beside it, changes nothing
# of ours: put there, replaced, taken away, written anew by `systemctl daemon-reload`. With nodes of the test
# accelerator where its module is built, else with two of the kernel's own.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

program=$build/tests/e2e/device_program
if [ -e "$build/kmod/$(uname -r)/testaccel/rf_testaccel.ko" ]; then
	# shellcheck source=tests/e2e/accel.sh
	. "$src/tests/e2e/accel.sh"
	good=$(node 0) bad=$(node 1)
	section() { printf 'accelerators:\n  rules:\n    - {class: %s, index: 0}\n' $class; }
else
	# Not one of those that systemd allows whatever a unit says.
	good=/dev/kmsg bad=/dev/full
	section() { printf 'devices:\n  default: deny\n  rules:\n    - {path: %s}\n    - {path: /dev/null}\n' $good; }
fi

make_cgroup runtime/below runtime/beside systemd
daemon_must_start
# verdicts CGROUP: of the node that is allowed there, and of the one that is denied.
verdicts() { echo "$(inside "$1" "$work" open rw "$good") $(inside "$1" "$work" open rw "$bad")"; }
# does CLAIM EXPECTED STEP...: to the runtime's cgroup, what comes of it and then the verdicts there.
does()
{
	does_claim=$1 does_expected=$2
	shift 2
	after() { echo "$("$program" "$cgroup/runtime" "$@"), $(verdicts runtime/below)"; }
	tap_is "$does_claim" "$does_expected" after "$@"
}
{
	section | doc runtime runtime
	section | doc systemd systemd
} | put_force base || exit 1
tap_is "one is allowed, the other denied" "allowed denied" verdicts runtime/below

# ---- what runc does: a program, another in its place by either way, none ----

does "a runtime's program that allows all gives nothing away" "ok, allowed denied" allow multi
does "one that denies all takes what ours allows" "ok, denied denied" deny replace
tap_is "from those below it alone" "allowed denied" verdicts systemd
does "and gives it back when one that allows is in its place" "ok, allowed denied" allow replace
does "a second beside the first, which goes then" "ok, allowed denied" allow multi detach
does "and one that denies" "ok, denied denied" deny multi detach
does "without one ours is left" "ok, allowed denied" clear
does "one that suffers no other below it suffers ours above" "ok, allowed denied" allow alone
does "it may deny" "ok, denied denied" deny alone
does "and goes" "ok, allowed denied" clear
does "one that may be overridden below overrides nothing above" "ok, allowed denied" allow override
below() { echo "$("$program" "$cgroup/runtime/below" allow override), $(verdicts runtime/below)"; }
tap_is "nor does what overrides that" "ok, allowed denied" below
"$program" "$cgroup/runtime/below" clear >/dev/null
does "what else holds there is not the runtime's to take away" "claim ENOENT, allowed denied" claim

# What is opened while programs are swapped.
# swapping COMMAND...: the attempts at each node meanwhile, in the cgroup $at.
swapping()
{
	enter "$at" "$work" keep rw "$good" >"$tmp/good" &
	good_pid=$!
	enter "$at" "$work" keep rw "$bad" >"$tmp/bad" &
	bad_pid=$!
	for _ in $(seq "$(few 20)"); do
		"$@" >/dev/null || echo "failed: $*"
	done
	kill $good_pid $bad_pid
	wait $good_pid $bad_pid
	echo "# $(cat "$tmp/good"); $(cat "$tmp/bad")" >&2
	for outcome in "$(count_of allowed "$(cat "$tmp/good")")" "$(count_of denied "$(cat "$tmp/bad")")"; do
		[ "$outcome" -gt 0 ] || echo "nothing was opened"
	done
	sed 's/allowed=[0-9]* //' "$tmp/good"
	sed 's/denied=[0-9]* //' "$tmp/bad"
}
"$program" "$cgroup/runtime" clear allow multi >/dev/null
at=runtime/below
neither() { swapping "$program" "$cgroup/runtime" allow replace allow multi detach 2>"$tmp/counts"; }
tap_is "nor is there a moment in between when one is opened, or the other not" "denied=0 other=0
allowed=0 other=0" neither
cat "$tmp/counts"

# ---- at the attach point itself ----

top() { echo "$("$program" "$cgroup" "$@"), $(verdicts runtime/below)"; }
tap_is "none takes our place" "alone EPERM, allowed denied" top allow alone
tap_is "nor may override ours" "override EPERM, allowed denied" top allow override
tap_is "nor is put where it is" "replace ENOENT, allowed denied" top allow replace
tap_is "nor detaches it" "claim ENOENT, allowed denied" top claim
tap_is "one that allows all stands beside it" "ok, allowed denied" top allow multi
tap_is "as does one that denies" "ok, denied denied" top deny replace
tap_is "and whoever detaches all that is there leaves ours" "clear ENOENT, allowed denied" top clear
daemon_end KILL
does "all the same without the daemon" "ok, allowed denied" allow replace
daemon_must_start
does "and with the next" "ok, allowed denied" allow replace

# ---- systemd ----

manager=$(command -v /lib/systemd/systemd /usr/lib/systemd/systemd | head -n 1)
if [ -z "$manager" ] || [ ! -e /etc/machine-id ]; then
	tap_skip "systemctl daemon-reload" "systemd is not installed"
	tap_done
fi
mkdir "$tmp/units" "$tmp/nothing"
# unit NAME LINE...: a service of the systemd that is started below.
unit()
{
	{
		printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=/bin/sleep 3600\n'
		shift
		printf '%s\n' "$@"
	} >"$tmp/units/$1.service"
}
unit wide DevicePolicy=closed "DeviceAllow=$good rw" "DeviceAllow=$bad rw"
unit narrow DevicePolicy=closed
unit plain DevicePolicy=auto
printf '[Unit]\nDefaultDependencies=no\n' >"$tmp/units/nothing.target"
echo 5f1d3c0b9a7e4d2c8b6a4f2e1d0c9b8a >"$tmp/machine-id"
cat >"$tmp/manager" <<END
mount -t proc proc /proc && mount -t tmpfs -o mode=0755 tmpfs /run && mount -t tmpfs tmpfs /sys/fs/cgroup &&
	mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount --bind $tmp/machine-id /etc/machine-id || exit 1
exec env container=test SYSTEMD_UNIT_PATH=$tmp/units SYSTEMD_GENERATOR_PATH=$tmp/nothing \
	SYSTEMD_ENVIRONMENT_GENERATOR_PATH=$tmp/nothing $manager --system --unit=nothing.target --log-target=console
END
# The first of a process namespace, in a cgroup of its own: as the first of a machine.
enter systemd unshare --cgroup --pid --ipc --uts --mount --propagation private --fork --kill-child \
	sh "$tmp/manager" >"$tmp/manager.log" 2>&1 &
starting=$!
helpers="$helpers $starting"
as_first() { nsenter -t "$(pgrep -P $starting)" -m -p -C "$@"; }
answers() { as_first systemctl show --property Version; }
if ! await 30 answers; then
	tail -n 5 "$tmp/manager.log" | sed 's/^/# /'
	claim="systemd starts as the first of a process namespace"
	# A host may forbid it; a guest does not.
	if [ -n "${RF_IN_VM:-}" ]; then tap_ok "$claim" false; else tap_skip "$claim" "it does not here"; fi
	tap_done
fi
echo "# $(answers)"
services=systemd/system.slice
for service in wide narrow plain; do
	as_first systemctl start $service
done
# programs SERVICE: the numbers of those that systemd has there.
programs() { bpftool cgroup show "$cgroup/$services/$1.service" | awk '/device/ { print $1 }'; }
of_systemd() { [ -n "$(programs wide)" ] && [ -n "$(programs narrow)" ] && [ -z "$(programs plain)" ]; }
tap_ok "systemd has programs of its own where a unit says so" of_systemd
all_services()
{
	for service in wide narrow plain; do
		echo "$service $(verdicts $services/$service.service)"
	done
}
verdicts_expected="wide allowed denied
narrow denied denied
plain allowed denied"
tap_is "what a unit allows ours denies, and what ours allows a unit denies" "$verdicts_expected" all_services
before=$(programs wide)
written_anew() { [ -n "$(programs wide)" ] && [ "$(programs wide)" != "$before" ]; }
as_first systemctl daemon-reload
tap_is "systemctl daemon-reload allows nothing and denies nothing" "$verdicts_expected" all_services
# 252 writes them anew, 257 keeps them.
if written_anew; then
	echo "# systemd wrote its programs anew"
else
	echo "# systemd left its programs as they were"
fi
at=$services/wide.service
reloads() { swapping as_first systemctl daemon-reload 2>"$tmp/counts"; }
tap_is "nor while it does" "denied=0 other=0
allowed=0 other=0" reloads
cat "$tmp/counts"
before=$(programs wide)
as_first systemctl set-property --runtime wide DeviceAllow= "DeviceAllow=$bad rw"
tap_ok "systemctl set-property: systemd writes its program anew" await 5 written_anew
tap_is "that gives nothing away" "denied denied" verdicts $at
as_first systemctl set-property --runtime wide "DeviceAllow=$good rw"
tap_is "and leaves what ours allows" "allowed denied" verdicts $at
as_first systemctl set-property --runtime wide DevicePolicy=auto DeviceAllow=
no_program() { [ -z "$(programs wide)" ]; }
tap_ok "or none" no_program
tap_is "that leaves ours" "allowed denied" verdicts $at
if [ -n "${probe:-}" ]; then
	mkfifo "$tmp/steps"
	held()
	{
		inside $at "$probe" "$good" pause wait:100 <"$tmp/steps" >"$tmp/held" 2>&1 &
		held=$!
		exec 7>"$tmp/steps"
		await 5 grep -q pause "$tmp/held"
		as_first systemctl daemon-reload
		exec 7>&-
		wait $held
		tr '\n' ' ' <"$tmp/held"
	}
	tap_is "a device that is open is used on" "open ok pause ok wait ok " held
fi
tap_done
