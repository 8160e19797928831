#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas of memory that NVIDIA's driver does not keep: divided devices, a call
# that is refused or hangs, a library of before there were limits; and what NVML
# tells is compared with them then.
#
# shellcheck disable=SC2154,SC2317 # what the sourced files set; functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/limits.sh
. "$(dirname "$0")/limits.sh"

make_cgroup one two
conf "device pci=0x3b mig=1" "device pci=0x86"
daemon_with "$library"
if [ "$(status_row accelerator-quotas support)" != enforced ]; then
	quota one 8Gi | put_force one
	tap_ok "where ioctls cannot be asked it is compared all the same" await 15 told_is $first one method detect
	tap_done
fi

# ---- it does not work ----

quota one 8Gi | put_force one
tap_ok "of two devices one may be divided: the other keeps it" await 15 told_is $second one method nvml
tap_is "and for the one it is compared" detect told $first one method
tap_is "for it keeps none" "" limit 0 one
daemon_end TERM
rm "$library.limits"

was=$(log_count 'refuses a limit of memory with 4')
conf "device pci=0x3b limit_refused=4" "device pci=0x86 limit_refused=4"
daemon_with "$library"
await 15 failed_more 1
tap_ok "a refusal is counted" failed_more 1
tap_is "who keeps it then is told" detect told $first one method
conf "device pci=0x3b limit_refused=4" "device pci=0x86 limit_refused=4" ""
quota one 7Gi | put_force one
await 15 failed_more 3
tap_is "and is in the log once" $((was + 1)) log_count 'refuses a limit of memory with 4'
conf "device pci=0x3b" "device pci=0x86"
quota one 6Gi | put_force one
tap_ok "when it is not refused any more it is set" await 15 limit_is 0 one 6442450944

conf "device pci=0x3b limit_hangs=1" "device pci=0x86"
quota one 5Gi | put_force one
tap_ok "a call that hangs" await 5 setter
answers() { "$ringfence" status >/dev/null; }
tap_ok "does not stop the daemon" answers
quota two 3Gi | put_force two
tap_ok "nor a policy" says '^policy in force' tail -n 1 "$tmp/log"
tap_ok "it is killed" await 20 no_setter
tap_ok "which is told" await 5 log_grew 'set-limits took more than ten seconds and was killed' 0
conf "device pci=0x3b" "device pci=0x86"
quota two 2Gi | put_force two
tap_ok "and what was to be set is set by the next" await 15 limit_is 0 one 5368709120
tap_ok "with what has come since" await 5 limit_is 1 two 2147483648
daemon_end TERM

LIBRARY=$tmp/lib/libnvidia-ml-r610.so.1 conf "device pci=0x3b" "device pci=0x86"
daemon_with "$tmp/lib/libnvidia-ml-r610.so.1"
tap_ok "a library without limits says so" await 15 log_grew 'old-library: it has no nvmlDeviceGetMemoryLimits_v1' 0
tap_ok "and quotas are compared" await 5 told_is $first one method detect
quota one 1Gi | put_force one
await 5 told_is $first one limit 1073741824
tap_is "it is not asked again" 1 log_count 'old-library: it has no nvmlDeviceGetMemoryLimits_v1'

# ---- what nobody keeps is compared ----

mkfifo "$tmp/never"
exec 7<>"$tmp/never"
enter one cat <"$tmp/never" >/dev/null &
somebody=$!
helpers=$somebody
events() { "$ringfence" events -k accelerator-quota; }
over='accelerator-quota would-deny default/default/one .* exhausted memory of the workload'
# uses BYTES: that process on both devices.
uses()
{
	LIBRARY=$tmp/lib/libnvidia-ml-r610.so.1 conf "device pci=0x3b" "device pci=0x86" \
		"process device=0 pid=$somebody bytes=$1" "process device=1 pid=$somebody bytes=$1"
}
uses 1073741824
tap_ok "what is used is what NVML tells" await 10 told_is $first one used 1073741824
tap_is "up to the quota nothing is told" "" events
uses 1073741825
tap_ok "one byte more is told" await 10 says "$over" events
sleep 2
tap_is "once for each device" 2 bash -c "'$ringfence' events -k accelerator-quota | grep -c 'exhausted memory'"
if [ -e /sys/bus/event_source/devices/uprobe/type ]; then
	cp "$build/tests/library/libcuda.so.1" "$tmp/libcuda.so.1"
	printf 'accelerators:\n  userModeSubmission: true\n  quota: {memory: 1Gi}\n' | doc one one | put_force one
	inside one "$build/tests/e2e/cuda_probe" "$tmp/libcuda.so.1" "wait:$tmp/go" for:$((3000 * RF_SLOW)):launch:1000+sync \
		>"$tmp/out" 2>&1 &
	probe=$!
	await 15 log_grew 'functions of .* are probed' 0
	touch "$tmp/go"
	wait $probe
	waits=$("$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F '{"workload":"default/default/one","device":"library"' | sed -n 's/.*"waits":\([0-9]*\).*/\1/p')
	tap_ok "launches of who has too much are held back" above "$waits" 0
else
	tap_skip "launches of who has too much are held back" "this kernel has no uprobes"
fi
uses 5
tap_ok "when it has less that is over" await 10 told_is $first one used 5
tap_done
