#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Workloads kept apart: by default from those of other tenants, by policy from
# those of other namespaces and all others. Each way across is tried on a
# process or a thing of another tenant, of the same tenant and of the host, by
# a workload and by the host. Where BPF LSM does not run, it is said.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/isolation_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
attached() { status_row "$1" attached; }
# doc_of TENANT NAMESPACE NAME: a policy of the cgroup of that name.
doc_of()
{
	doc_metadata="  tenant: $1\n  namespace: $2"
	doc "$3" "$3" | sed "s/^metadata:/metadata:\n$doc_metadata/"
}
silent() { printf 'telemetry: {events: []}\n'; }
isolation() { printf 'telemetry: {events: []}\nisolation: %s\n' "$1"; }
audit() { printf 'mode: audit\n'; }
reported() { says "$1" "$ringfence" events --kind isolation-deny; }
soon() { await 5 reported "$1" || reported "$1"; }

if ! daemon_start; then
	echo "Bail out! the daemon does not start"
	exit 1
fi
if [ "$(status_row bpf-lsm support)" != enforced ]; then
	make_cgroup plain
	tap_is "without BPF LSM isolation is said to be unavailable" unavailable status_row isolation support
	silent | doc plain plain >"$tmp/plain.yaml"
	tap_ok "a policy that does not write the section is applied" "$ringfence" apply "$tmp/plain.yaml"
	isolation '{between: tenants}' | doc none plain >"$tmp/none.yaml"
	tap_ok "one that does is refused" sh -c "! '$ringfence' apply '$tmp/none.yaml'"
	tap_ok "with the reason" says 'needs isolation .* not available on this host: needs BPF LSM: ' \
		"$ringfence" apply "$tmp/none.yaml"
	tap_done
fi
tap_is "isolation is said to be enforced" enforced status_row isolation support
tap_is "nothing is attached while there is no workload" false attached task_kill

make_cgroup red red2 blue quiet still open open2 spaced other lone lone2
all='signal, ptrace, schedule, ipc, unix, perf, keys'
{
	silent | doc_of red main red
	silent | doc_of red main red2
	silent | doc_of blue main blue
	{ audit; silent; } | doc_of red main quiet
	{ audit; silent; } | doc_of blue main still
	isolation "{allow: [$all]}" | doc_of red main open
	isolation "{allow: [$all]}" | doc_of blue main open2
	isolation '{between: namespaces}' | doc_of green one spaced
	isolation "{allow: [$all]}" | doc_of green two other
	isolation '{between: workloads, allow: [signal]}' | doc_of green one lone
	isolation "{allow: [$all]}" | doc_of green one lone2
} | put_force base || exit 1
for hook in task_kill ptrace_access_check ipc_permission file_open_apart unix_stream_connect; do
	tap_is "with one, $hook is attached" true attached $hook
done

# owner CGROUP|-: sets pid_CGROUP and key_CGROUP
owner()
{
	owner_name=$1
	[ "$1" != - ] || owner_name=host
	if [ "$1" = - ]; then
		"$probe" own "host$$" >"$tmp/owner.host" 2>&1 &
	else
		enter "$1" "$probe" own "$1$$" >"$tmp/owner.$1" 2>&1 &
	fi
	helpers="$helpers $!"
	await 5 grep -q ready "$tmp/owner.$owner_name" || {
		sed 's/^/# /' "$tmp/owner.$owner_name"
		echo "Bail out! an owner does not start"
		exit 1
	}
	read -r _ owner_pid owner_key <"$tmp/owner.$owner_name"
	eval "pid_$owner_name=$owner_pid key_$owner_name=$owner_key"
}
for at in red2 blue - still open2 other lone lone2; do
	owner $at
done
# attempt ACTOR|- WHAT OWNER
attempt()
{
	eval "attempt_pid=\$pid_$3 attempt_key=\$key_$3"
	# shellcheck disable=SC2154 # set above
	set -- "$1" "$probe" try "$2" "$attempt_pid" "$3$$" "$attempt_key"
	attempt_actor=$1
	shift
	if [ "$attempt_actor" = - ]; then "$@"; else inside "$attempt_actor" "$@"; fi
}

on_processes='kill sigio continue pidfd attach mem environ maps root cwd fd ns readv getfd madvise setns kcmp perf affinity nice ioprio prlimit move-pages'
on_things='shm sem msg shm-any posix-shm queue unix key'
for what in $on_processes $on_things; do
	tap_is "$what: the host may, on a workload" allowed attempt - "$what" blue
	tap_is "$what: on one of another tenant it is denied" denied attempt red "$what" blue
	tap_is "$what: on one of its tenant it is allowed" allowed attempt red "$what" red2
	tap_is "$what: on the host's it is as without us" allowed attempt red "$what" host
	tap_is "$what: audit allows it" allowed attempt quiet "$what" still
	tap_is "$what: two that both allow it may" allowed attempt open "$what" open2
	tap_is "$what: unless the other end does not" denied attempt open "$what" blue
done
tap_is "stat: what anybody may read is read" allowed attempt red stat blue
tap_is "perf-cpu: the host may" allowed attempt - perf-cpu blue
tap_is "perf-cpu: a workload is denied" denied attempt red perf-cpu blue
tap_is "perf-cpu: audit allows it" allowed attempt quiet perf-cpu blue
tap_is "perf-cpu: one that allows it may" allowed attempt open perf-cpu blue
tap_is "traceme: a parent of another tenant is denied" denied inside red "$probe" traceme "$cgroup/blue"
tap_is "traceme: one of the same tenant is allowed" allowed inside red "$probe" traceme "$cgroup/red2"
tap_is "traceme: the host is allowed" allowed "$probe" traceme "$cgroup/blue"
for what in socket memory; do
	tap_is "pass: a $what of another tenant is not received" denied inside red "$probe" pass $what "$cgroup/blue"
	tap_is "pass: a $what of the same tenant is" allowed inside red "$probe" pass $what "$cgroup/red2"
	tap_is "pass: a $what of the host's is" allowed "$probe" pass $what "$cgroup/blue"
done

for what in kill mem prlimit shm queue unix key; do
	tap_is "namespaces: $what on another namespace is denied" denied attempt spaced $what other
	tap_is "namespaces: $what within one is allowed" allowed attempt spaced $what lone2
done
tap_is "workloads: mem of another workload is denied" denied attempt lone2 mem lone
tap_is "workloads: what is let through is allowed" allowed attempt lone2 kill lone
tap_is "workloads: its own is allowed" allowed attempt lone mem lone

tap_ok "a denial names operation, both ends, policy, rule, file and line" soon \
	'isolation-deny deny red/main/red isolation_prob.* kill signal 0 -> blue/main/blue\[[0-9]+\] policy red/main/red rule "isolation\[signal\]" .*/base.yaml:2$'
tap_ok "of the other end, too" soon \
	'isolation-deny deny blue/main/blue - ptrace mode [0-9]+ <- red/main/open on \[[0-9]+\] policy blue/main/blue rule "isolation\[ptrace\]" '
tap_ok "a section is named by its line" soon 'isolation-deny deny green/one/spaced .*rule "isolation\[signal\]" .*/base.yaml:[0-9]{2,}$'
tap_ok "audit reports what it would deny" soon 'isolation-deny would-deny red/main/quiet .* kill signal 0 -> blue/main/still'
tap_ok "so does JSON" says '"operation":"kill","signal":0,"between":"tenants","direction":"egress","peer":"blue/main/blue"' \
	"$ringfence" events --json --kind isolation-deny
before=$(workload_value red/main/red isolation_deny)
attempt red kill blue >/dev/null
tap_is "a denial is counted once" $((before + 1)) workload_value red/main/red isolation_deny
attempt red stat blue >/dev/null
tap_is "what only looks is not counted" $((before + 1)) workload_value red/main/red isolation_deny
tap_is "what is allowed is not counted" 0 workload_value red/main/red2 isolation_deny
tap_is "audit counts nothing as denied" 0 workload_value red/main/quiet isolation_deny
tap_ok "audit counts what it would deny" above "$(workload_value red/main/quiet isolation_would)" 20
tap_ok "policy show says it" says 'from other tenants: deny signal ptrace schedule ipc unix perf keys  \(default of red, .*/base.yaml:2\)' \
	"$ringfence" policy show red/main/red

# What was made by a workload that is no more.
# shellcheck disable=SC2154 # owner() sets it
kill -TERM "$pid_blue"
make_cgroup blue/gone
(enter blue/gone "$probe" own "gone$$" >"$tmp/owner.gone" 2>&1 &)
await 5 grep -q ready "$tmp/owner.gone"
# shellcheck disable=SC2034 # attempt() reads it
read -r _ pid_gone key_gone <"$tmp/owner.gone"
kill -9 "$pid_gone"
cgroup_goes() { rmdir "$cgroup/blue/gone"; }
await 5 cgroup_goes
for what in shm queue key; do
	tap_is "$what: of a cgroup that has gone it is denied" denied attempt red "$what" gone
	tap_is "$what: and its own tenant has it" allowed attempt blue "$what" gone
done

daemon_end KILL
tap_is "without a daemon: denied" denied attempt red kill still
tap_is "without a daemon: its own tenant is allowed" allowed attempt red kill red2
daemon_must_start
tap_is "the next daemon denies" denied attempt red mem still
tap_is "what was made before still belongs to its maker" denied attempt red shm still
drop_force base
tap_is "without policies: allowed" allowed attempt red kill still
tap_is "without policies: detached" false attached task_kill
tap_done
