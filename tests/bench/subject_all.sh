#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ringfence with everything that decides about processes and files in force on the loop's cgroup: 1,000 file rules and a
# label, with its lineage; rules of programs; the preset "restricted"; isolation from another tenant; exec and exit
# events, delivered and written. Nothing that the loop does is denied.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
tree=/dev/shm/ringfence-bench-tree
peer=/sys/fs/cgroup/rf-bench-peer

policy()
{
	cat <<POLICY
apiVersion: ringfence/v1
kind: Label
metadata: {name: bench, tenant: bench}
spec: {paths: [$tree]}
---
apiVersion: ringfence/v1
kind: WorkloadPolicy
metadata: {name: peer, tenant: other}
spec:
  workload: peer
  select:
    - cgroup: /rf-bench-peer
---
apiVersion: ringfence/v1
kind: WorkloadPolicy
metadata: {name: bench, tenant: bench}
spec:
  workload: bench
  telemetry: {events: [exec, exit]}
  select:
    - cgroup: $RF_BENCH_CGROUP
  kernel: {preset: restricted}
  process:
    memfd: deny
    exec:
      - {action: deny, path: "/run/**"}
      - {path: "/**"}
  files:
    rules:
$(awk 'BEGIN { for (i = 0; i < 999; i++) printf "      - {action: deny, path: /run/rf-bench-none/%d}\n", i }')
      - {action: deny, label: bench, access: [delete, mount, mmap-exec]}
POLICY
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

attached() { "$client" status --json 2>/dev/null | grep -q "\"name\":\"$1\",\"attached\":true"; }
in_force() { "$client" policy show bench/default/bench 2>/dev/null | grep -q 'label bench'; }

case $1 in
properties)
	# A host that is busy makes the guest's clock run ahead of what is done in it.
	echo TimeoutStartSec=infinity
	echo TimeoutStopSec=infinity
	;;
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "$peer" "/sys/fs/cgroup$RF_BENCH_CGROUP"
	policy >"$policies/bench.yaml"
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=300
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policy did not come into force"
		sleep 0.2
	done
	for hook in files_rename files_mmap bprm_check_security task_kill capable lineage_io; do
		attached "$hook" || missing "the hook $hook is not attached"
	done
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	rmdir "$peer" 2>/dev/null || true
	rm -rf "$policies"
	;;
esac
