#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ringfence with file rules in force on the loop's cgroup, or as the subject
# "bystander" on another one: nothing that the loop does is denied. Of 1,000
# rules the last is the one that names the loop's labelled files. Isolation, which
# looks at what is opened on tmpfs, too, is a subject of its own.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
tree=/dev/shm/ringfence-bench-tree
: "${cgroup:=$RF_BENCH_CGROUP}"

policy()
{
	cat <<POLICY
apiVersion: ringfence/v1
kind: Label
metadata: {name: bench}
spec: {paths: [$tree]}
---
apiVersion: ringfence/v1
kind: WorkloadPolicy
metadata: {name: bench}
spec:
  workload: bench
  telemetry: {events: []}
  select:
    - cgroup: $cgroup
  isolation: {allow: [signal, ptrace, schedule, ipc, unix, perf, keys]}
  files:
    rules:
$(awk 'BEGIN { for (i = 0; i < 999; i++) printf "      - {action: deny, path: /run/rf-bench-none/%d}\n", i }')
      - {action: deny, label: bench, access: [delete, mount]}
POLICY
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

attached() { "$client" status --json 2>/dev/null | grep -q '"name":"files_rename","attached":true'; }
in_force() { "$client" policy show default/default/bench 2>/dev/null | grep -q 'label bench'; }

case $1 in
properties)
	# A host that is busy makes the guest's clock run ahead of what is done in it.
	echo TimeoutStartSec=infinity
	echo TimeoutStopSec=infinity
	;;
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "/sys/fs/cgroup$cgroup"
	policy >"$policies/bench.yaml"
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=100
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policy did not come into force"
		sleep 0.2
	done
	attached || missing "the hooks are not attached"
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	;;
esac
