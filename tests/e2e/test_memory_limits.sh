#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas of memory that NVIDIA's driver keeps, with a library in NVML's place:
# set for the workload's cgroup, changed and cleared with the policy, known to
# the next daemon; and a library that has no limits, refuses one, or hangs.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

for file in "$build/ringfence-gpu" "$build/tests/e2e/nvml/libnvidia-ml.so.1"; do
	[ -e "$file" ] && continue
	echo "Bail out! $file is not built"
	exit 1
done
# The helper that looks is nobody, who must be able to read these.
chmod 711 "$tmp"
mkdir -m 755 "$tmp/lib"
library=$tmp/lib/libnvidia-ml.so.1
cp "$build/tests/e2e/nvml/libnvidia-ml.so.1" "$build/tests/e2e/nvml/libnvidia-ml-r610.so.1" "$tmp/lib"
chmod 755 "$tmp/lib/"*
# conf TEXT...: a line each; LIBRARY is whose.
conf()
{
	printf '%s\n' "$@" >"$tmp/lib/.new"
	chmod 644 "$tmp/lib/.new"
	mv "$tmp/lib/.new" "${LIBRARY:-$library}.conf"
}
# limit NUMBER CGROUP: the hard limit that the library has; "max", "" when it was never asked.
limit()
{
	sed -n "s|^$1 $cgroup/$2 [0-9]* ||p" "$library.limits" 2>/dev/null | sed 's/^18446744073709551615$/max/'
}
limit_is() { equal "$(limit "$1" "$2")" "$3"; }
# told DEVICE WORKLOAD KEY: of `ringfence accel --json`.
told()
{
	"$ringfence" accel --json | sed 's/.*"memory_limits":\[//; s/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$2\",\"device\":\"$1\"" | sed -n "s/.*\"$3\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}
told_is() { equal "$(told "$1" "$2" "$3")" "$4"; }
failures() { "$ringfence" accel --json | sed -n 's/.*"memory_limit_failures":\([0-9]*\).*/\1/p'; }
failed_more() { above "$(failures)" "$1"; }
# quota CGROUP BYTES [MODE]
quota() { printf 'mode: %s\naccelerators:\n  quota: {memory: %s}\n' "${3:-enforce}" "$2" | doc "$1" "$1"; }
# The helpers of this daemon that set limits.
setters() { pgrep -P "$daemon" -f -- --set-limits; }
no_setter() { [ -z "$(setters)" ]; }
setter() { [ -n "$(setters)" ]; }
daemon_with() { daemon_must_start --gpu-library "$1"; }

make_cgroup one two slice/three
daemon_must_start
if [ "$(status_row accelerator-quotas support)" != enforced ]; then
	quota one 8Gi >"$tmp/quota.yaml"
	tap_ok "quotas are refused where ioctls cannot be asked" says 'accelerator-quotas.*not available' \
		"$ringfence" apply "$tmp/quota.yaml"
	tap_done
fi
daemon_end TERM

first=0000:3b:00.0
second=0000:86:00.0
quota one 8Gi | put one
printf 'telemetry: {events: [exit]}\n' | doc two two | put two
conf "device pci=0x3b limit_used=4096" "device pci=0x86"
daemon_with "$library"

tap_ok "a quota is set at the driver, for the workload's cgroup" await 15 limit_is 0 one 8589934592
tap_ok "on each device" await 5 limit_is 1 one 8589934592
tap_is "and for nobody without one" "" limit 0 two
tap_ok "who keeps it is told" await 5 told_is $first one method nvml
tap_is "what is in force" 8589934592 told $first one limit
tap_is "what the driver counts for it" 4096 told $first one used
tap_is "a workload without a quota is not in it" "" told $first two method
tap_ok "ringfence accel says so, too" says "^$first +nvml +1\$" "$ringfence" accel
tap_ok "the one that sets ends" await 5 no_setter
tap_is "nothing failed" 0 failures

quota one 4Gi | put_force one
tap_ok "it changes with the policy" await 5 limit_is 0 one 4294967296
quota slice/three 1Gi | sed 's|name: slice/three|name: three|' | put_force three
tap_ok "one that comes later has its own" await 5 limit_is 1 slice/three 1073741824
conf "device pci=0x3b limit_used=5000" "device pci=0x86"
tap_ok "what counts is read again" await 15 told_is $first one used 5000

# ---- the daemon is gone ----

daemon_end KILL
tap_is "it stays when the daemon is killed" 4294967296 limit 0 one
daemon_with "$library"
tap_ok "the next one takes it over" await 15 told_is $first one method nvml
tap_is "as it is" 4294967296 limit 0 one
drop_force three
tap_ok "and clears it with the policy" await 5 limit_is 0 slice/three max
tap_ok "on each device" await 5 limit_is 1 slice/three max
daemon_end TERM
tap_is "it stays when the daemon ends" 4294967296 limit 0 one
rm "$tmp/policies/one.yaml"
daemon_with "$library"
tap_ok "what has no policy any more is cleared by the next daemon" await 15 limit_is 0 one max

# ---- what was there before ----

printf '0 %s 1000 20000\n1 %s 500 600\n' "$cgroup/one" "$cgroup/one" >"$library.limits"
quota one 10000 | put_force one
tap_ok "a stricter quota is set" await 5 limit_is 0 one 10000
tap_ok "with the soft limit as it was" says "^0 $cgroup/one 1000 10000\$" cat "$library.limits"
tap_ok "a lower limit of somebody else's is left" await 5 told_is $second one limit 600
tap_is "as it was" 600 limit 1 one
drop_force one
tap_ok "and what was there comes back" await 5 limit_is 0 one 20000
tap_is "of the other as well" 600 limit 1 one
rm "$library.limits"
conf "device pci=0x3b limit_unit=1048576" "device pci=0x86"
quota one 1000000 | put_force one
tap_ok "a driver may round it" await 5 limit_is 0 one 1048576
drop_force one
tap_ok "and it is ours all the same" await 5 limit_is 0 one max
rm "$library.limits"
quota one 8Gi audit | put_force one
tap_ok "in audit mode it is only compared" await 15 told_is $first one method detect
tap_is "and not set" "" limit 0 one
daemon_end TERM

# ---- it does not work ----

quota one 8Gi | put one
conf "device pci=0x3b mig=1" "device pci=0x86"
daemon_with "$library"
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
tap_done
