#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rules of accelerators on the loop's cgroup: 100 of devices that are not there,
# then the one that allows the test accelerator, with accounting. In a copy of
# this file called subject_accelerators_other.sh they are on another workload's.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
other=/sys/fs/cgroup/rf-bench-other
cgroup=$RF_BENCH_CGROUP
case $0 in *_other.sh) cgroup=/rf-bench-other ;; esac

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

in_force()
{
	"$client" status --json 2>/dev/null | sed 's/{"name"/\n{"name"/g' | grep '"accel_ioctl"' | grep -q '"attached":true'
}

case $1 in
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "$other"
	{
		printf 'apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata:\n  name: bench\nspec:\n'
		printf '  telemetry: {events: []}\n  select:\n    - cgroup: %s\n  accelerators:\n' "$cgroup"
		# Not exceeded: it is alone on the device.
		printf '    userModeSubmission: true\n'
		printf '    quota: {share: 100, burst: 1s, memory: 1Gi, submissionsPerSecond: 1000000}\n    rules:\n'
		i=0
		while [ $i -lt 100 ]; do
			printf '      - {action: deny, pci: "0000:%02x:00.0"}\n' $i
			i=$((i + 1))
		done
		echo '      - {class: accel, index: 0}'
	} >"$policies/bench.yaml"
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=100
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policy did not come into force"
		sleep 0.2
	done
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	rmdir "$other" 2>/dev/null || true
	;;
esac
