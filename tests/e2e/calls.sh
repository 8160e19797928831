# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034,SC2317 # what lib.sh sets, and what the tests use
#
# What the tests of calls of accelerators' libraries share: a library that stands in for CUDA's, and what is told of it.
# Sourced after lib.sh.

probe=$build/tests/e2e/cuda_probe
[ -e /sys/bus/event_source/devices/uprobe/type ] || tap_skip_all "this kernel has no uprobes"
library=$tmp/libcuda.so.1
cp "$build/tests/library/libcuda.so.1" "$library"

# calls WORKLOAD KIND KEY
calls()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\",\"call\":\"$2\"," | sed -n "s/.*\"$3\":\([0-9]*\).*/\1/p"
}
# library_use WORKLOAD KEY
library_use()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\",\"device\":\"library\"," | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}
# Has the library mapped, until it is told to stop; for who is in the cgroup "late".
holds() { enter late "$probe" "$library" "wait:$tmp/stop" launch:1000; }
# pins FILE: how many of its functions are probed.
pins()
{
	pins_of=$(stat -c '%D %i' "$1")
	find "$tmp/bpf/links" -path "*calls_*/$(printf "%s-%x" ${pins_of})/*_begin" | wc -l
}
pinned() { [ "$(pins "$library")" -gt 0 ]; }
