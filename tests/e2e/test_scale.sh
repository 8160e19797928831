#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 10,000 workloads of 100 rules each, applied in one piece, changed and taken
# away again. RF_SCALE= sets another number of workloads; guests take 200.
set -u
: "${RF_SRC:=.}" "${RF_BUILD:=build}"
# shellcheck source=tests/vm/tap.sh
. "$RF_SRC/tests/vm/tap.sh"

[ "$(id -u)" = 0 ] || tap_skip_all "loading BPF programs needs root"
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$v2" ] || tap_skip_all "cgroup v2 is not mounted"
# An emulated processor takes minutes for what this one does in seconds.
scale=${RF_SCALE:-${RF_IN_VM:+200}}
scale=${scale:-10000}
tmp=$(mktemp -d)
cgroup=$v2/rf-scale-$$
daemon=

cleanup()
{
	"$RF_BUILD/ringfence" --socket "$tmp/socket" detach >/dev/null 2>&1
	[ -z "$daemon" ] || { kill -9 "$daemon" && wait "$daemon"; } 2>/dev/null
	umount "$tmp/bpf" 2>/dev/null
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

mkdir -p "$cgroup" "$tmp/policies"
awk -v n="$scale" 'BEGIN { for (i = 0; i < n; i++) print "w" i }' | (cd "$cgroup" && xargs mkdir)

# Ten files of a tenth of the documents each; every workload has rules of its own.
policies()
{
	awk -v n="$scale" -v cgroup="/rf-scale-$$" -v dir="$tmp/policies" 'BEGIN {
		srand(7)
		for (i = 0; i < n; i++) {
			file = dir "/part" (i % 10) ".yaml"
			printf "---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: w%d}\nspec:\n", i > file
			printf "  select: [{cgroup: \"%s/w%d\"}]\n  network:\n    egress:\n      default: deny\n", cgroup, i > file
			printf "      rules:\n" > file
			for (r = 0; r < 100; r++)
				printf "        - {to: [{cidr: %d.%d.%d.0/24}], ports: [{protocol: TCP, port: %d}]}\n", 1 + rand() * 222,
				       rand() * 255, r, 1 + rand() * 65534 > file
		}
	}'
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

client() { "$RF_BUILD/ringfence" --socket "$tmp/socket" "$@"; }
in_force() { grep -q "policy in force: $1 policies, $1 workloads" "$tmp/log"; }

# denied N: a connection of that workload, which its policy denies. counted N: how many of them its account has.
denied()
{
	sh -c 'echo 0 >"$0" && exec "$1" tcp 127.0.0.1 9' "$cgroup/w$1/cgroup.procs" "$RF_BUILD/tests/e2e/net_probe"
}
counted()
{
	client workloads --json | sed 's/{"id"/\n{"id"/g' | grep "/w$1\"" |
		sed -n 's/.*"peer":"loopback","traffic":\[{"verdict":"deny"[^}]*"connections":\([0-9]*\).*/\1/p'
}
start()
{
	: >"$tmp/log"
	"$RF_BUILD/ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" \
		--bpffs "$tmp/bpf" --cgroup-root "$cgroup" --listen none >>"$tmp/log" 2>&1 &
	daemon=$!
}

policies
start
tap_ok "$scale workloads x 100 rules come into force in one piece" wait_for 120 in_force "$scale"
took() { sed -n 's/^policy in force.*, \([0-9]*\) ms$/\1/p' "$tmp/log" | tail -n 1; }
echo "# $scale workloads x 100 rules in $(took) ms, $(($(took) * 10000 / scale)) ns a rule"
tap_is "each workload has a verdict of its own" deny sh -c \
	"'$RF_BUILD/ringfence' --socket '$tmp/socket' policy test --workload default/default/w$((scale - 1)) --to 203.0.113.1:1/tcp |
	 grep -o -m1 deny | head -n 1"

count=$(grep -c '^policy in force' "$tmp/log")
again() { [ "$(grep -c '^policy in force' "$tmp/log")" -gt "$count" ]; }
sed -i '0,/default: deny/s//default: allow/' "$tmp/policies/part3.yaml"
tap_ok "a change of one of them is applied, the rest is not written again" wait_for 60 again
echo "# after a change in one of ten files: $(took) ms"

# Accounts lie in chunks of 4096 rows: those of the first workload and of the last are far apart.
few="0 $((scale / 2)) $((scale - 1))"
for n in $few; do
	tap_is "workload $n is denied" denied denied "$n"
	tap_is "and its account says so" 1 counted "$n"
done
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
for n in $few; do
	denied "$n" >/dev/null
done
start
tap_ok "the next daemon puts all in force" wait_for 120 in_force "$scale"
for n in $few; do
	tap_is "workload $n: what was counted before, and without a daemon" 2 counted "$n"
done

(cd "$cgroup" && awk -v n="$scale" 'BEGIN { for (i = 0; i < n; i++) print "w" i }' | xargs rmdir)
gone() { [ "$(client workloads --json | grep -c '"id"')" = 0 ]; }
tap_ok "removed cgroups leave no workload behind" wait_for 60 gone
tap_done
