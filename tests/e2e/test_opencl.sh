#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Calls of a real runtime: OpenCL by PoCL, which computes on the CPU.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/opencl_probe
[ -e /sys/bus/event_source/devices/uprobe/type ] || tap_skip_all "this kernel has no uprobes"
ls /etc/OpenCL/vendors/pocl.icd >/dev/null 2>&1 || tap_skip_all "PoCL is not installed"
# What it compiles is its own, and goes with the test.
POCL_CACHE_DIR=$tmp/pocl
export POCL_CACHE_DIR

make_cgroup compute
daemon_must_start
echo 'accelerators: {userModeSubmission: true}' | doc compute compute | put_force base || exit 1

# calls KIND KEY
calls()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/compute\",\"call\":\"$1\"," | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}
inside compute "$probe" 50 "$tmp/go" >"$tmp/out" 2>&1 &
pid=$!
tap_ok "the loader of OpenCL is probed" await 15 log_grew 'functions of .*libOpenCL.so.* are probed' 0
touch "$tmp/go"
wait $pid
tap_is "what is computed is right" right cat "$tmp/out"
tap_is "launches" 50 calls launch calls
tap_is "none of which failed" 0 calls launch failures
tap_is "each was waited for" 50 calls synchronize calls
tap_is "a buffer was made, of so many bytes" "1 4000000" echo "$(calls alloc calls)" "$(calls alloc bytes)"
tap_is "written and read" "2 8000000" echo "$(calls copy calls)" "$(calls copy bytes)"
"$ringfence" accel --calls | sed 's/^/# /'
"$ringfence" accel | sed 's/^/# /'
tap_done
