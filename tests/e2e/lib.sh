# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the tests of a live daemon share: sourced first. The script is run again
# in network and mount namespaces of its own; the daemon gets a cgroup, a bpffs,
# a socket and directories that no other test sees, and all of it goes at the end.
#
#	$cgroup		attach point; $root is its path below the v2 mount
#	$tmp		policies/ state/ bpf/ socket log
#
# Nothing waits for time to pass: await() polls for what is expected, and gives
# up late. Guests without hardware virtualisation are RF_SLOW times slower.
set -u

src=${RF_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${RF_BUILD:-$src/${O:-build}}
case $build in /*) ;; *) build=$PWD/$build ;; esac
: "${RF_SLOW:=${RF_IN_VM:+10}}" "${RF_WAIT_MS:=${RF_IN_VM:+1500}}"
: "${RF_SLOW:=1}" "${RF_WAIT_MS:=300}"
PATH=$PATH:/usr/sbin:/sbin
export RF_SRC="$src" RF_BUILD="$build" RF_SLOW RF_WAIT_MS PATH

if [ "$(id -u)" = 0 ] && [ -z "${RF_E2E_INSIDE:-}" ]; then
	RF_E2E_INSIDE=1 exec unshare --net --mount --propagation private -- "$0" "$@"
fi
# shellcheck source=tests/vm/tap.sh
. "$src/tests/vm/tap.sh"
[ "$(id -u)" = 0 ] || tap_skip_all "loading BPF programs needs root"
ip link set lo up

ringfence=$build/ringfence
ringfenced=$build/ringfenced
net=$build/tests/e2e/net_probe
work=$build/tests/e2e/work_probe
for program in "$ringfence" "$ringfenced" "$net" "$work"; do
	[ -x "$program" ] && continue
	echo "Bail out! $program is not built"
	exit 1
done
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$v2" ] || tap_skip_all "cgroup v2 is not mounted"

tmp=$(mktemp -d)
cgroup=$v2/rf-test-$$
root=/rf-test-$$
daemon=
helpers=
export RINGFENCE_SOCKET="$tmp/socket"

# What a claim that failed may be understood by.
tell()
{
	timeout 10 "$ringfence" workloads 2>&1 </dev/null | head -n 30 | sed "s/^/# /"
	tail -n 30 "$tmp/log" | sed 's/^/# /'
}

# What no trap may leave: enforcement, processes, cgroups, mounts.
cleanup()
{
	[ "$tap_failed" = 0 ] || tell
	# shellcheck disable=SC2086 # a list
	[ -z "$helpers" ] || kill -9 $helpers 2>/dev/null
	"$ringfence" detach --yes >/dev/null 2>&1 </dev/null
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null
	echo 1 >"$cgroup/cgroup.kill" 2>/dev/null
	wait 2>/dev/null
	cleanup_tries=0
	until ! [ -d "$cgroup" ] || [ $cleanup_tries -gt 100 ]; do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		cleanup_tries=$((cleanup_tries + 1))
		[ -d "$cgroup" ] && sleep 0.05
	done
	umount "$tmp/bpf" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$cgroup" "$tmp/policies" "$tmp/state"
: >"$tmp/log"

# await SECONDS COMMAND...: until it succeeds.
await()
{
	await_clock
	await_end=$((await_now + $1 * 100 * RF_SLOW))
	shift
	until "$@" >/dev/null 2>&1; do
		await_clock
		[ "$await_now" -lt "$await_end" ] || return 1
		sleep 0.02
	done
}
# In hundredths of a second, and without a process.
await_clock()
{
	read -r await_up _ </proc/uptime
	await_now=$((${await_up%.*} * 100 + 1${await_up#*.} - 100))
}

# few N: how often, where a slow guest does it less often.
few() { echo $((($1 + RF_SLOW - 1) / RF_SLOW)); }

# ---- the daemon ----

log_count() { grep -c -- "$1" "$tmp/log"; }
log_grew() { [ "$(log_count "$1")" -gt "$2" ]; }

# daemon_start OPTION...: 0 when it is ready. Another $ringfenced starts another program. Not for tap_ok: its pid is
# for this shell.
daemon_start()
{
	daemon_readies=$(log_count '^ringfenced .* ready at ')
	"$ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" --bpffs "$tmp/bpf" \
		--cgroup-root "$cgroup" --listen none "$@" >>"$tmp/log" 2>&1 </dev/null &
	daemon=$!
	await 60 daemon_ready_or_dead
	log_grew '^ringfenced .* ready at ' "$daemon_readies" && return
	echo "# the daemon did not start:"
	tail -n 5 "$tmp/log" | sed 's/^/# /'
	return 1
}
daemon_ready_or_dead()
{
	log_grew '^ringfenced .* ready at ' "$daemon_readies" || ! kill -0 "$daemon" 2>/dev/null
}
# daemon_end SIGNAL: its exit status is in $daemon_status.
daemon_end()
{
	kill -"$1" "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	# shellcheck disable=SC2034 # for the tests
	daemon_status=$?
	daemon=
}
daemon_must_start()
{
	daemon_start "$@" && return
	echo "Bail out! the daemon does not start"
	exit 1
}

# ---- policies ----

# doc NAME CGROUP: a policy of that cgroup; what stands below "spec" is read from stdin.
doc()
{
	printf -- '---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata:\n  name: %s\nspec:\n' "$1"
	printf '  select:\n    - cgroup: "%s/%s"\n' "$root" "$2"
	sed 's/^/  /'
}
# put FILE: stdin becomes that file of the policy directory, in one step.
put()
{
	cat >"$tmp/policies/.$1.new"
	mv "$tmp/policies/.$1.new" "$tmp/policies/$1.yaml"
}
applies() { grep -cE '^policy (in force|not applied)' "$tmp/log"; }
applied_more() { [ "$(applies)" -gt "$1" ]; }
# put_force FILE: put, and wait until it is in force.
put_force()
{
	put_before=$(applies)
	put "$1"
	await 5 applied_more "$put_before"
	grep -E '^policy (in force|not applied)' "$tmp/log" | tail -n 1 | grep -q '^policy in force' && return
	echo "# $1.yaml did not come into force:"
	tail -n 8 "$tmp/log" | sed 's/^/# /'
	return 1
}
# drop_force FILE: remove it, and wait until the rest is in force.
drop_force()
{
	put_before=$(applies)
	rm -f "$tmp/policies/$1.yaml"
	await 5 applied_more "$put_before"
}

# ---- workloads ----

make_cgroup()
{
	for make_name; do
		mkdir -p "$cgroup/$make_name"
	done
}
# enter CGROUP COMMAND...: the command takes this shell's place; for the background, so that $! is the command.
enter()
{
	echo 0 >"$cgroup/$1/cgroup.procs" || exit 99
	shift
	exec "$@"
}
# inside CGROUP COMMAND...: the command is in the cgroup before it starts.
inside()
{
	(enter "$@")
}
# server CGROUP|- SPEC...: an echo server of net_probe, "-" outside of all that is managed.
servers=0
server()
{
	servers=$((servers + 1))
	server_cgroup=$1
	shift
	: >"$tmp/server$servers"
	if [ "$server_cgroup" = - ]; then
		"$net" serve $((280 * RF_SLOW)) "$@" >"$tmp/server$servers" 2>&1 &
	else
		enter "$server_cgroup" "$net" serve $((280 * RF_SLOW)) "$@" >"$tmp/server$servers" 2>&1 &
	fi
	helpers="$helpers $!"
	await 5 grep -q ready "$tmp/server$servers" && return
	sed 's/^/# /' "$tmp/server$servers"
	echo "Bail out! the server does not start"
	exit 1
}

# ---- what the daemon says ----

status_json() { "$ringfence" status --json; }
# status_value KEY: the first member of that name.
status_value() { status_json | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
# status_row TABLE-ITEM KEY: the member of the object whose name is that.
status_row() { status_json | sed -n "s/.*{\"name\":\"$1\"[^{}]*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
workloads_lines() { "$ringfence" workloads --json | sed 's/{"id"/\n{"id"/g' | grep '^{"id"'; }
# workload_value WORKLOAD KEY: a member or a counter.
workload_value()
{
	workloads_lines | grep -F "\"name\":\"$1\"" | sed -n "s/,\"peers\":.*//; s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}
has_workload() { workloads_lines | grep -qF "\"name\":\"$1\""; }
counter() { workload_value "default/default/$1" "$2"; }

# Claims on numbers and texts, for tap_ok.
equal() { [ "$1" = "$2" ] || { echo "got $1, expected $2"; return 1; }; }
above() { [ "$1" -gt "$2" ] || { echo "got $1, expected more than $2"; return 1; }; }
# says PATTERN COMMAND...
says()
{
	says_pattern=$1
	shift
	says_output=$("$@" 2>&1)
	printf '%s\n' "$says_output" | grep -qE -- "$says_pattern" && return
	echo "does not say: $says_pattern"
	printf '%s\n' "$says_output" | tail -n 20
	return 1
}
# count_of OUTCOME LINE: the number in "allowed=3 denied=4 ..."
count_of() { echo "$2" | sed -n "s/.*$1=\([0-9]*\).*/\1/p"; }
