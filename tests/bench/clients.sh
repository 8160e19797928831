#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the daemon's collecting of 1,000 clients of an accelerator among 10,000
# processes costs, in instructions of the whole machine while it is on, beside
# a walk of /proc/*/fdinfo by the same guest. PROCESSES and CLIENTS are others.
#
# A table on stdout; with a build/bench.json there, its entries are replaced.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh

: "${O:=build}" "${PROCESSES:=10000}" "${CLIENTS:=1000}" "${BENCH_LIMIT:=900}"
kernel=6.12
say() { echo "clients: $*" >&2; }

[ "$(id -u)" = 0 ] || { say "making and building in guest roots needs root"; exit 1; }
mkdir -p "$O/vm"
O=$(cd "$O" && pwd)
suite=$(rf_root_suite "$kernel")
root=$(scripts/vm-root.sh "$suite")
release=$(rf_root_kernel "$root" "$kernel")
build=$O/vm/$suite
say "building on $suite"
if ! scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/vm/build-bench.sh "$release" everything \
	>"$O/vm/build-bench.log" 2>&1; then
	tail -n 40 "$O/vm/build-bench.log" >&2
	say "the build failed; the end of its log is above"
	exit 1
fi
say "booting; it counts every instruction, so this takes minutes"
lines=$O/vm/clients.lines
scripts/vm-run.sh --icount --root "$root" --kernel "$release" --init /mnt/src/tests/bench/clients_init \
	--share "src=$PWD" --share "build=$build" --console "$O/vm/clients.console" --limit "$BENCH_LIMIT" --memory 3072 \
	--append "lsm=landlock,lockdown,yama,integrity,apparmor,bpf rf.processes=$PROCESSES rf.clients=$CLIENTS" |
	sed -u 's/\r$//' >"$lines" || true
if ! grep -qx RINGFENCE-END "$lines" || grep '"error"' "$lines" >&2; then
	tail -n 40 "$O/vm/clients.console" >&2
	say "the guest did not come to its end; the end of its console is above"
	exit 1
fi
number() { sed -n "s/.*\"op\": \"$1\".*\"$2\": \([0-9]*\).*/\1/p" "$lines"; }
printf '%-48s %12s %14s\n' "of $CLIENTS clients among $PROCESSES processes" "fdinfo read" instructions
printf '%-48s %12s %14s\n' \
	"a look after all of them have moved" "$(number clients_look read)" "$(number clients_look instructions)" \
	"as many looks as read all of them: $(number clients_all looks)" "$(number clients_all read)" \
	"$(number clients_all instructions)" \
	"a look after none of them has" "$(number clients_idle read)" "$(number clients_idle instructions)" \
	"a walk of /proc/*/fdinfo" "$(number clients_walk read)" "$(number clients_walk instructions)"
# Instructions are not time: what as many readings of the same kind take here, of more lines each.
cc -std=gnu11 -D_GNU_SOURCE -I include -O2 -o "$O/clients-here" tests/bench/clients.c
echo "reading another fdinfo $CLIENTS times: $(number clients_reads instructions) instructions there," \
	"$("$O/clients-here" reads "$CLIENTS") ns of CPU on this machine ($(uname -r))"

# Entries are one a line, there as here.
{ grep -s '^ *{"op"' "$O/bench.json" | grep -v '"op": "clients_' || true; grep '"instructions"' "$lines"; } |
	sed 's/^ *//; s/,$//' | awk 'BEGIN { print "[" } { printf "%s  %s", n++ ? ",\n" : "", $0 } END { print "\n]" }' \
		>"$O/bench.json.new"
mv "$O/bench.json.new" "$O/bench.json"
# 5 ms of CPU at an instruction a nanosecond, which is slower than any machine that has such a device.
[ "$(number clients_look instructions)" -gt 0 ] && [ "$(number clients_look instructions)" -lt 5000000 ] || {
	say "a look takes 5 ms or more"
	exit 1
}
