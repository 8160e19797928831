#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test accelerator by itself: what policies and accounting are tried on must
# do what a real device does. Guest only: it loads and unloads the module.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is

here=$(cd "$(dirname "$0")" && pwd)
probe=${RF_BUILD:?}/tests/e2e/accel_probe
# shellcheck source=tests/vm/tap.sh
. "$here/../vm/tap.sh"

module=$RF_BUILD/kmod/$(uname -r)/testaccel/rf_testaccel.ko
[ -e "$module" ] || tap_skip_all "the test accelerator is not built for this kernel"

load() { modprobe -a drm gpu-sched drm_shmem_helper && insmod "$module" "$@" 2>/dev/null; }
unload() { rmmod rf_testaccel 2>/dev/null; }
not() { ! "$@"; }
within_10s()
{
	tries=100
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
# The nodes, sorted: accel0 accel1, or renderD128 renderD129.
nodes() { find /dev/accel /dev/dri -name 'accel[0-9]*' -o -name 'renderD[0-9]*' 2>/dev/null | sort; }
count_nodes() { nodes | wc -l; }
# field NAME: its value in what "info" printed.
field() { sed -n "s/^info .*\b$1=\([0-9]*\).*/\1/p"; }

tap_ok "no device is refused" not load devices=0
tap_ok "seventeen devices are refused" not load devices=17
tap_ok "two devices are made" load devices=2
tap_is "and have a node each" 2 count_nodes
first=$(nodes | head -n 1)
second=$(nodes | tail -n 1)

steps() { "$probe" "$@" | tr '\n' ' ' | sed 's/ $//'; }
tap_is "a job is run" "open ok wait ok" steps "$first" wait:1000
tap_is "a job of no time is run" "open ok wait ok" steps "$first" wait:0
tap_is "a job that is too long is refused" "open ok submit EINVAL" steps "$first" submit:10000001
tap_is "a buffer is made, mapped and freed" "open ok alloc ok map ok free ok" steps "$first" alloc:65536 map free
tap_is "a buffer of nothing is refused" "open ok alloc EINVAL" steps "$first" alloc:0
tap_is "a buffer that is too large is refused" "open ok alloc EINVAL" steps "$first" alloc:1073741825
tap_is "what is freed cannot be mapped" "open ok alloc ok free ok map ENOENT" steps "$first" alloc:4096 free map
tap_is "an ioctl that there is not is refused" "open ok raw EINVAL" steps "$first" raw:0x647f

out=$("$probe" "$first" wait:2000:20 info alloc:8192 info)
busy=$(echo "$out" | field busy_ns | head -n 1)
at_least() { [ "$1" -ge "$2" ] || { echo "# $1 is less than $2"; false; }; }
tap_is "20 jobs are counted" "20 20 " sh -c "echo '$out' | sed -n 's/^info jobs=\([0-9]*\).*/\1/p' | tr '\n' ' '"
tap_ok "20 jobs of 2 ms took 40 ms at least" at_least "$busy" 40000000
tap_is "bytes are those of the buffer" 8192 sh -c "echo '$out' | sed -n 's/.*bytes=\([0-9]*\).*/\1/p' | tail -n 1"
other() { "$probe" "$second" info | field device_jobs; }
tap_is "the other device did nothing" 0 other
engine() { "$probe" "$first" wait:5000:2 alloc:4096 fdinfo | sed -n "s/^fdinfo $1:[[:space:]]*//p"; }
tap_is "fdinfo names the driver" rf-testaccel engine drm-driver
tap_is "fdinfo tells the memory" "4 KiB" engine drm-resident-memory
engine_ns() { engine drm-engine-compute | cut -d' ' -f1; }
tap_ok "fdinfo tells the engine's time" at_least "$(engine_ns)" 10000000

# What is in the ring when its file is closed, or the device goes.
tap_is "jobs are left running by who closes" "open ok submit ok" steps "$first" submit:20000:3
tap_is "a running job is ended by a reset" "open ok submit ok reset ok until ok" \
	steps "$first" submit:5000000 reset until:1
# No handler of it runs: the kernel would make the system call again.
stopped()
{
	"$probe" "$first" wait:2000000 until:1 wait:1000 info >/tmp/stopped.$$ &
	stopped_pid=$!
	within_10s grep -q open /tmp/stopped.$$
	within_10s grep -q '^State:.S' /proc/$stopped_pid/status
	kill -STOP $stopped_pid
	within_10s grep -q '^State:.T' /proc/$stopped_pid/status
	kill -CONT $stopped_pid
	wait $stopped_pid
	sed 's/^\(info jobs=[0-9]*\).*/\1/' /tmp/stopped.$$ | tr '\n' ' ' | sed 's/ $//'
	rm -f /tmp/stopped.$$
}
tap_is "a stop ends the wait for a job, which is queued once" "open ok wait EINTR until ok wait ok info jobs=2" stopped
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all "$probe" "$@" | tail -n 1; }
chmod 666 "$first"
tap_is "a reset is root's" "reset EPERM" as_user "$first" reset

driver=/sys/bus/platform/drivers/rf-testaccel
mkfifo /tmp/steps.$$
"$probe" "$second" submit:5000000:2 pause wait:1000 alloc:4096 </tmp/steps.$$ >/tmp/unplugged.$$ &
exec 8>/tmp/steps.$$
within_10s grep -q pause /tmp/unplugged.$$
tap_ok "a device is unplugged in mid-job" sh -c "echo rf-testaccel.1 >$driver/unbind"
tap_is "its node is gone" 1 count_nodes
echo >&8
wait
exec 8>&-
tap_is "who had it open is told so" "open ok submit ok pause ok wait ENODEV alloc ENODEV" \
	sh -c "tr '\n' ' ' </tmp/unplugged.$$ | sed 's/ \$//'"
tap_ok "it is plugged in again" sh -c "echo rf-testaccel.1 >$driver/bind"
tap_is "and has a node" 2 count_nodes
tap_is "and runs jobs" "open ok wait ok" steps "$(nodes | tail -n 1)" wait:1000
rm -f /tmp/steps.$$ /tmp/unplugged.$$

"$probe" "$first" submit:300000:2 pause </dev/null >/dev/null
tap_ok "the module unloads with jobs in the ring" within_10s unload
tap_ok "and loads again" load
tap_is "with a node" 1 count_nodes
tap_ok "it unloads" within_10s unload
tap_is "its nodes go with it" 0 count_nodes
tap_done
