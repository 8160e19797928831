#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas of memory that NVIDIA's driver keeps: set for the workload's cgroup,
# changed and cleared with the policy, known to the next daemon.
#
# shellcheck disable=SC2154,SC2317 # what the sourced files set; functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/limits.sh
. "$(dirname "$0")/limits.sh"

make_cgroup one two slice/three
printf 'telemetry: {events: [exit]}\n' | doc two two | put two
conf "device pci=0x3b limit_used=4096" "device pci=0x86"
daemon_with "$library"
is_supported() { [ "$(status_row accelerator-memory support)" != unavailable ]; }
tap_ok "a quota can be had, also where ioctls cannot be asked" is_supported

quota one 8Gi | put_force one
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

# ---- a device that goes ----

quota one 2Gi | put_force one
await 15 told_is $second one method nvml
conf "device pci=0x3b"
tap_ok "a device that has gone keeps nothing" await 25 told_is $second one method ""
was=$(failures)
quota one 3Gi | put_force one
tap_ok "the other one keeps the quota" await 15 limit_is 0 one 3221225472
tap_is "and the one that has gone is not asked" "$was" failures
daemon_end TERM
tap_done
