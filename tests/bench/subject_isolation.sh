#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The loop and the process that it signals are two workloads of one tenant,
# kept apart from others': both ends are asked, and nothing is denied. As the
# subject "isolation_bystander" the loop is in no workload.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
peer=/rf-bench-peer
: "${cgroup:=$RF_BENCH_CGROUP}"

# policy NAME CGROUP
policy()
{
	printf -- '---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: %s, tenant: bench}\n' "$1"
	printf 'spec:\n  workload: %s\n  telemetry: {events: []}\n  select: [{cgroup: %s}]\n' "$1" "$2"
	printf '  isolation: {between: tenants}\n'
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

in_force()
{
	state=$("$client" status --json 2>/dev/null) || return 1
	case $state in
	*'"workloads":2,'*'"name":"task_kill","attached":true'*) ;;
	*) return 1 ;;
	esac
}

case $1 in
properties)
	echo "Environment=RF_BENCH_PEER=/sys/fs/cgroup$peer"
	echo TimeoutStartSec=infinity
	echo TimeoutStopSec=infinity
	;;
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "/sys/fs/cgroup$peer" "/sys/fs/cgroup$cgroup"
	policy bench "$cgroup" >"$policies/bench.yaml"
	policy peer "$peer" >"$policies/peer.yaml"
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=100
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policies did not come into force, or the hook is not attached"
		sleep 0.2
	done
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	rmdir "/sys/fs/cgroup$peer" /sys/fs/cgroup/rf-bench-other 2>/dev/null || true
	rm -rf "$policies"
	;;
esac
