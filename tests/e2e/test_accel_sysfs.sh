#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices that are made up in sysfs: what they say of themselves, and what
# amdkfd says of processes, of which some are a workload's. In the mount
# namespace of the test, so that it needs no such device; at any level.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

fake=$tmp/class
gpu=$tmp/devices/0000:03:00.0
kfd=$fake/kfd/kfd
trap 'umount /sys/class 2>/dev/null; cleanup' EXIT

# say FILE TEXT: a file of sysfs.
say()
{
	mkdir -p "${1%/*}"
	printf '%s\n' "$2" >"$1"
}
say "$gpu/drm/renderD128/dev" 226:128
mkdir -p "$fake/drm" "$tmp/drivers/amdgpu"
ln -s "$tmp/drivers/amdgpu" "$gpu/driver"
ln -s "$gpu" "$gpu/drm/renderD128/device"
ln -s "$gpu/drm/renderD128" "$fake/drm/renderD128"
say "$gpu/power/runtime_status" active
say "$gpu/hwmon/hwmon0/temp1_input" 64000
say "$gpu/hwmon/hwmon0/temp1_label" edge
say "$gpu/hwmon/hwmon0/power1_average" 180500000
say "$gpu/gpu_busy_percent" 25
say "$gpu/mem_info_vram_used" 2147483648
say "$kfd/topology/nodes/1/gpu_id" 51234
say "$kfd/topology/nodes/1/properties" "drm_render_minor 128"
mkdir -p "$kfd/proc"
mount --bind "$fake" /sys/class || tap_skip_all "sysfs cannot be covered here"

make_cgroup train
daemon_must_start
echo 'telemetry: {events: []}' | doc train train | put_force all || exit 1

# device KEY: what it says; use KEY: of the workload's processes.
device() { "$ringfence" accel --json | sed -n "s/.*\"health\":{[^}]*\"$1\":\([0-9.]*\).*/\1/p"; }
use() { "$ringfence" accel --json | sed -n "s/.*\"kfd\":{[^}]*\"$1\":\([0-9]*\).*/\1/p"; }
device_is() { [ "$(device "$1")" = "$2" ]; }
use_is() { [ "$(use "$1")" = "$2" ]; }

# ---- what a device says ----

tap_ok "its temperature" await 10 device_is temperature_celsius 64
tap_is "its power" 180.5 device power_watts
tap_is "how busy it is" 0.25 device utilization_ratio
say "$gpu/hwmon/hwmon0/temp1_input" 81000
tap_ok "which is read again" await 15 device_is temperature_celsius 81
say "$gpu/power/runtime_status" suspended
tap_ok "one that sleeps says so" await 15 device_is runtime_suspended 1
tap_is "and is asked for nothing else" "" device temperature_celsius

# ---- one that does not answer: a child that is stopped, as by firmware that hangs ----

say "$gpu/power/runtime_status" active
tap_ok "awake, it is asked again" await 15 device_is temperature_celsius 81
child=$(pgrep -P "$daemon" -x ringfence-sysfs)
kill -STOP "$child"
hung() { log_grew '^0000:03:00.0: its driver has not said for' 0; }
tap_ok "who does not answer is told in the log" await 30 hung
forgotten() { device_is temperature_celsius ""; }
tap_ok "what it said before is not told any more" await 10 forgotten
tap_ok "the daemon does not wait for it" timeout $((5 * RF_SLOW)) "$ringfence" status
kill -CONT "$child"
tap_ok "it is known when it answers" await 15 device_is temperature_celsius 81
tap_is "which is in the log, too" 1 log_count '^0000:03:00.0: its driver answers again, after'
kill -KILL "$child"
say "$gpu/hwmon/hwmon0/temp1_input" 82000
tap_ok "a child that dies is replaced" await 15 device_is temperature_celsius 82

# ---- processes with compute queues ----

enter train sleep 1000 &
one=$!
sleep 1000 &
other=$!
helpers="$helpers $one $other"
in_cgroup() { grep -q "$root/train" "/proc/$one/cgroup"; }
await 5 in_cgroup
say "$kfd/proc/$one/vram_51234" 1048576
say "$kfd/proc/$one/sdma_51234" 1500
say "$kfd/proc/$one/stats_51234/evicted_ms" 3
say "$kfd/proc/$one/stats_51234/cu_occupancy" 8
say "$kfd/proc/$other/vram_51234" 77777
tap_ok "memory of a workload's process is its workload's" await 20 use_is vram 1048576
tap_is "not that of the host's" 1 use processes
tap_is "nor more compute units than it has" 8 use compute_units
tap_is "copies are told as time" 1500000 use sdma_ns
tap_is "and so is eviction" 3000000 use evicted_ns
say "$kfd/proc/$one/sdma_51234" 2500
tap_ok "what grows is added" await 20 use_is sdma_ns 2500000
rm -rf "${kfd:?}/proc/$one"
tap_ok "gone, it has no memory" await 20 use_is vram 0
tap_is "what it took stays" 2500000 use sdma_ns
# Its number is another process's, which begins with less.
say "$kfd/proc/$one/vram_51234" 4096
say "$kfd/proc/$one/sdma_51234" 100
tap_ok "the next one with its number begins anew" await 20 use_is sdma_ns 2600000
tap_ok "its row is shown" says 'dri/renderD128 +default/default/train' "$ringfence" accel
tap_done
