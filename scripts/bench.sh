#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a verdict costs, in instructions an operation, next to what others take
# for theirs. One guest (Debian 13, kernel 6.12) whose clock counts
# instructions; the same figures within 1 % on any machine.
#
#   SUBJECTS="none systemd nftables ringfence files bystander isolation isolation_bystander accelerators all auditd"
#                                                       what to measure; ringfence:10000:1000
#                                                       is ringfence with 10,000 workloads and 1,000 rules
#   OPS="exec signal"                                   the operations, of those in tests/bench/ops.c; else all
#   BENCH_LIMIT=1500                                    seconds the guest may take
#
# A table on stdout and $O/bench.json: [{"op", "subject", "instructions", "added"}].
# "added" is against the loop without the subject in the same guest, just before.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh

: "${O:=build}" "${BENCH_LIMIT:=1500}" "${OPS:=}"
# auditd comes last: what it switched on in the kernel is not undone for processes that lived through it.
: "${SUBJECTS:=none systemd nftables ringfence files bystander isolation isolation_bystander all auditd}"
kernel=6.12

say() { echo "bench: $*" >&2; }

[ "$(id -u)" = 0 ] || { say "making and building in guest roots needs root"; exit 1; }
mkdir -p "$O"
O=$(cd "$O" && pwd)
suite=$(rf_root_suite "$kernel")
root=$(scripts/vm-root.sh "$suite")
release=$(rf_root_kernel "$root" "$kernel")
build=$O/vm/$suite
console=$O/vm/bench.console
mkdir -p "$O/vm"

# The peers can be measured without a tree that builds.
everything=
[[ ! " $SUBJECTS " =~ \ (all|ringfence|files|bystander|isolation|programs|accelerators)[_a-z:0-9]*\  ]] || everything=everything
say "building on $suite"
if ! scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/vm/build-bench.sh "$release" $everything \
	>"$O/vm/build-bench.log" 2>&1; then
	tail -n 40 "$O/vm/build-bench.log" >&2
	say "the build failed; the end of its log is above"
	exit 1
fi

say "booting; it counts every instruction, so this takes minutes"
lines=$O/vm/bench.lines
lsm=landlock,lockdown,yama,integrity,apparmor,bpf
status=0
scripts/vm-run.sh --icount --root "$root" --kernel "$release" --init /mnt/src/tests/bench/ops_init \
	--share "src=$PWD" --share "build=$build" --console "$console" --limit "$BENCH_LIMIT" \
	--append "lsm=$lsm systemd.show_status=0 rf.subjects=${SUBJECTS// /,}${OPS:+ rf.ops=${OPS// /,}}" |
	sed -u 's/\r$//' | tee "$lines" |
	sed -u -n 's/.*"subject": "\([a-z_0-9:]*\)", "phase": "\([a-z]*\)", "op": .*/bench: \1, \2: done/p' |
	awk '$0 != last { print; fflush(); last = $0 }' >&2 ||
	status=$?
if ! grep -qx RINGFENCE-END "$lines"; then
	tail -n 40 "$console" >&2
	say "the guest did not come to its end (status $status); the end of its console is above"
	exit 1
fi

awk -v json="$O/bench.json" -f scripts/vm/bench-table.awk "$lines"
