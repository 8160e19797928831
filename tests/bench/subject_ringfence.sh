#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ringfence with 1,000 rules in force on the loop's cgroup, in each direction;
# the loop's own peer is allowed by the last of them.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies

rules()
{
	awk -v peers="$1" 'BEGIN {
		for (i = 0; i < 999; i++)
			printf "      - name: r%d\n        action: %s\n        %s: [{ cidr: 10.%d.%d.0/24 }]\n", \
				i, i % 2 ? "allow" : "deny", peers, i / 256, i % 256
		printf "      - name: loopback\n        action: allow\n        %s: [{ cidr: 127.0.0.0/8 }]\n", peers
	}'
}

policy()
{
	cat <<POLICY
apiVersion: ringfence/v1
kind: WorkloadPolicy
metadata:
  name: bench
spec:
  mode: enforce
  workload: bench
  select:
    - cgroup: $RF_BENCH_CGROUP
  network:
    egress:
      default: deny
      rules:
$(rules to | sed 's/^/  /')
    ingress:
      default: deny
      rules:
$(rules from | sed 's/^/  /')
POLICY
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

# in_force: the daemon says that the loop's cgroup is policed.
in_force()
{
	"$client" policy show default/default/bench 2>/dev/null | grep -q loopback
}

case $1 in
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies"
	policy >"$policies/bench.yaml"
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
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
	;;
esac
