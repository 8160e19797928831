#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a change of one workload's policy costs the kernel: one of 1,000 workloads, 100 rules, all of them changed. The
# system time of the daemon's bpf() calls, which write the maps and flip, and of all that it does from SIGHUP on.
#
# WORKLOADS= and CHANGES= set other numbers. Needs root and strace.
set -eu
: "${O:=build}" "${WORKLOADS:=1000}" "${CHANGES:=50}"
[ "$(id -u)" = 0 ] && command -v strace >/dev/null || { echo "change: needs root and strace"; exit 0; }
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
tmp=$(mktemp -d)
cgroup=$v2/rf-change-$$
daemon=
cleanup()
{
	"$O/ringfence" --socket "$tmp/socket" detach --yes >/dev/null 2>&1 || :
	[ -z "$daemon" ] || { kill -9 "$daemon" && wait "$daemon"; } 2>/dev/null || :
	umount "$tmp/bpf" 2>/dev/null || :
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
mkdir -p "$cgroup" "$tmp/policies"
# policy NUMBER SEED
policy()
{
	mkdir -p "$cgroup/w$1"
	awk -v i="$1" -v seed="$2" -v cgroup="/rf-change-$$" 'BEGIN {
		srand(seed)
		printf "apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: w%d}\nspec:\n", i
		printf "  select: [{cgroup: \"%s/w%d\"}]\n  network:\n    egress:\n      default: deny\n      rules:\n", cgroup, i
		for (r = 0; r < 100; r++)
			printf "        - {to: [{cidr: %d.%d.%d.0/24}], ports: [{protocol: TCP, port: %d}]}\n", 1 + rand() * 222,
			       rand() * 255, r, 1 + rand() * 65534
	}'
}
for i in $(seq "$WORKLOADS"); do
	policy "$i" "$i" >"$tmp/policies/w$i.yaml"
done
"$O/ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" --bpffs "$tmp/bpf" \
	--cgroup-root "$cgroup" --listen none --no-watch >"$tmp/log" 2>&1 </dev/null &
daemon=$!
# in_force N: that many changes of policy have come into force.
in_force() { until [ "$(grep -c '^policy in force' "$tmp/log")" -ge "$1" ]; do sleep 0.05; done; }
timeout 120 sh -c "until grep -q '^policy in force' '$tmp/log'; do sleep 0.1; done"
# changes FIRST: CHANGES of them.
changes()
{
	for n in $(seq "$1" $(($1 + CHANGES - 1))); do
		policy 7 $((WORKLOADS + n)) >"$tmp/next"
		mv "$tmp/next" "$tmp/policies/w7.yaml"
		kill -HUP "$daemon"
		in_force $((n + 1))
	done
}
ticks() { awk '{ print $15 }' "/proc/$daemon/stat"; }
before=$(ticks)
changes 1
all=$((($(ticks) - before) * 1000000 / $(getconf CLK_TCK) / CHANGES))
: >"$tmp/strace.log"
strace -f -c -e trace=bpf -o "$tmp/strace" -p "$daemon" 2>"$tmp/strace.log" &
tracer=$!
until grep -q attached "$tmp/strace.log"; do sleep 0.05; done
changes $((CHANGES + 1))
kill -INT $tracer
wait $tracer || :
awk -v all="$all" -v n="$CHANGES" -v workloads="$WORKLOADS" '$NF == "bpf" {
	printf "change of one workload of %d, 100 rules: %d us of kernel time in %d bpf() calls, %d us with all else\n",
	       workloads, $2 * 1000000 / n, $4 / n, all
}' "$tmp/strace"
