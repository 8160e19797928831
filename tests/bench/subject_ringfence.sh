#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ringfence with 1,000 rules in force on the loop's cgroup, in each direction;
# the loop's own peer is allowed by the last of them. RF_BENCH_RULES= sets
# another number; RF_BENCH_WORKLOADS= lets so many workloads be on the host,
# the loop's included. The others have rule sets of their own, of 50 rules at
# most: the maps hold two million prefixes.
set -eu
: "${RF_BENCH_RULES:=1000}" "${RF_BENCH_WORKLOADS:=1}"

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
others=/sys/fs/cgroup/rf-bench-others

rules()
{
	awk -v peers="$1" -v n="$RF_BENCH_RULES" 'BEGIN {
		for (i = 0; i < n - 1; i++)
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

# A file holds 16 MiB at most: ten of them.
other_policies()
{
	awk -v n=$((RF_BENCH_WORKLOADS - 1)) -v rules="$RF_BENCH_RULES" -v dir="$policies" 'BEGIN {
		srand(7)
		if (rules > 50)
			rules = 50
		for (i = 0; i < n; i++) {
			file = dir "/others" (i % 10) ".yaml"
			printf "---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: w%d}\nspec:\n", i > file
			printf "  select: [{cgroup: /rf-bench-others/w%d}]\n  network:\n    egress:\n", i > file
			printf "      default: deny\n      rules:\n" > file
			for (r = 0; r < rules; r++)
				printf "        - {to: [{cidr: %d.%d.%d.0/24}], ports: [{protocol: TCP, port: %d}]}\n",
				       1 + rand() * 222, rand() * 255, r, 1 + rand() * 65534 > file
		}
	}'
}

# each_other COMMAND: with the names of the others' cgroups, many at a time.
each_other()
{
	(cd "$others" && seq -f w%.0f 0 $((RF_BENCH_WORKLOADS - 2)) | xargs -r "$1")
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

# in_force: the daemon says that the loop's cgroup is policed, and how many are.
in_force()
{
	"$client" policy show default/default/bench 2>/dev/null | grep -q loopback &&
		"$client" status --json | grep -q "\"workloads\":$RF_BENCH_WORKLOADS,"
}

case $1 in
properties)
	# Compiling for 10,000 workloads takes longer than systemd allows for.
	echo TimeoutStartSec=infinity
	echo TimeoutStopSec=infinity
	;;
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "$others"
	each_other mkdir
	policy >"$policies/bench.yaml"
	other_policies
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=1000
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policy did not come into force"
		sleep 0.2
	done
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	each_other rmdir
	rmdir "$others"
	rm -rf "$policies"
	;;
esac
