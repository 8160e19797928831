#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# NVIDIA's devices by NVML, with a library in its place that answers from a
# file: what devices say of themselves, whose the processes on them are, also
# after they have ended and when their id is another's, and a helper that
# hangs, crashes, or says nonsense.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/e2e/nvml.sh
. "$(dirname "$0")/nvml.sh"

nvml_install libnvidia-ml.so.1 libnvidia-ml-old.so.1
conf() { conf_write "$library"; }
port=9743
listen=127.0.0.1:$port
metrics()
{
	if command -v curl >/dev/null; then
		curl -s "http://$listen/metrics"
	else
		printf 'GET /metrics HTTP/1.0\r\n\r\n' | busybox nc 127.0.0.1 $port
	fi
}
# metric NAME LABEL...: its value, of the first sample that has them all.
metric()
{
	metric_lines=$(metrics | grep "^$1[ {]")
	shift
	for metric_label; do
		metric_lines=$(printf '%s\n' "$metric_lines" | grep -F -e "$metric_label")
	done
	printf '%s\n' "$metric_lines" | sed 's/.* //; q'
}
metric_is()
{
	metric_wanted=$1
	shift
	equal "$(metric "$@")" "$metric_wanted"
}
gpu_status() { status_json | sed -n "s/.*\"gpu\":{[^}]*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
state_is() { equal "$(gpu_status state)" "$1"; }
# nvml WORKLOAD KEY [INSTANCE]
nvml()
{
	"$ringfence" accel --json | sed 's/.*"nvml":\[//; s/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\"" | grep -F "\"instance\":\"${3:-}\"" |
		sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"
}
nvml_is() { equal "$(nvml "$1" "$2" "${4:-}")" "$3"; }
# The helper of this daemon.
helper_pid() { pgrep -P "$daemon" -x ringfence-gpu; }

# somebody CGROUP: a process there that waits; its id is in $!.
mkfifo "$tmp/never"
exec 7<>"$tmp/never"
somebody() { enter "$1" cat <"$tmp/never" >/dev/null & }
in_cgroup() { grep -qx "$2" "$cgroup/$1/cgroup.procs"; }
# somebody_as PID CGROUP: with that id, which nobody else may take in between.
somebody_as()
{
	for _ in $(seq 50); do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		somebody "$2"
		[ "$!" = "$1" ] && return
		kill -9 $! && wait $! 2>/dev/null
	done
	return 1
}

make_cgroup one two
for w in one two; do
	echo 'telemetry: {events: [exit]}' | doc "$w" "$w"
done >"$tmp/policies/all.yaml"

somebody one
first=$!
somebody two
second=$!
helpers="$first $second"
await 5 in_cgroup one $first
conf <<END
device pci=0x3b temp=41 power=301500 limit=700000 energy=12000 util=93 used=4096 reasons=4 width=8 width_max=16 memtemp=50 nvlink_tx=3
device pci=0x86 temp=30
process device=0 pid=$first bytes=4096 sm=50
process device=0 pid=$first bytes=8192 graphics=1
process device=0 pid=$second bytes=100
process device=1 pid=$$ bytes=7
END
mkfifo "$tmp/log.kernel"
exec 8<>"$tmp/log.kernel"
daemon_must_start --listen $listen --gpu-library "$library" --kernel-log "$tmp/log.kernel"
await 10 state_is running

# ---- what devices say ----

tap_is "the driver is told of" 600.1.2 gpu_status why
tap_ok "a temperature is a metric" await 5 metric_is 41 ringfence_accelerator_temperature_celsius 'address="0000:3b:00.0"'
tap_ok "in base units" metric_is 301.5 ringfence_accelerator_power_watts 'address="0000:3b:00.0"'
tap_ok "a counter is one" metric_is 12 ringfence_accelerator_energy_joules_total 'address="0000:3b:00.0"'
tap_ok "a ratio is one" metric_is 0.93 ringfence_accelerator_utilization_ratio 'address="0000:3b:00.0"'
tap_ok "memory in use, without what the driver keeps" metric_is 4096 ringfence_accelerator_memory_used_bytes \
	'address="0000:3b:00.0"'
tap_ok "why it is slow" metric_is 1 ringfence_accelerator_throttled_power 'address="0000:3b:00.0"'
tap_ok "and why not" metric_is 0 ringfence_accelerator_throttled_thermal 'address="0000:3b:00.0"'
tap_ok "the memory's temperature" metric_is 50 ringfence_accelerator_memory_temperature_celsius 'address="0000:3b:00.0"'
tap_ok "what went by NVLink" metric_is 3072 ringfence_accelerator_nvlink_sent_bytes_total 'address="0000:3b:00.0"'
tap_ok "the second device is another" metric_is 30 ringfence_accelerator_temperature_celsius 'address="0000:86:00.0"'
tap_is "what a device does not know is absent" "" metric ringfence_accelerator_remapped_rows
tap_ok "ringfence accel shows it, and what to look at" says '^0000:3b:00.0 +41 C +302 W +93% +4.0 KiB +throttled-power pcie-narrow' \
	"$ringfence" accel
tap_ok "within 80 columns" bash -c "! RINGFENCE_SOCKET='$tmp/socket' '$ringfence' accel | grep '.\{81\}'"

# ---- whose processes ----

tap_ok "memory is the workload's, once for several contexts" await 5 nvml_is one bytes 8192
tap_ok "and the other's" await 5 nvml_is two bytes 100
tap_ok "and a metric" metric_is 100 ringfence_workload_accelerator_nvml_memory_bytes 'workload="two"'
tap_is "processes of no workload are in none" 2 bash -c "'$ringfence' accel --json | grep -o '\"processes\":' | wc -l"
began=$(nvml one busy_ns)
began_at=$(date +%s%N)
busy_more() { above "$(nvml one busy_ns)" $((began + 2000000000)); }
await 20 busy_more
took=$(($(date +%s%N) - began_at))
share=$((($(nvml one busy_ns) - began) * 100 / took))
echo "# half of the device for $((took / 1000000)) ms is $share %"
tap_ok "half of a device is half a second a second, to a round" test $share -gt 30 -a $share -lt 75
tap_is "who did nothing took nothing" 0 nvml two busy_ns
tap_is "nobody unknown was told of" 0 gpu_status unjoined
sed "s/ energy=12000//" "$library.conf" >"$tmp/conf.power" && conf <"$tmp/conf.power"
drew() { above "$(nvml one energy_uj)" 300000000; }
tap_ok "what the device draws is the workload's, as far as it works for it" await 20 drew
joules=$(nvml one energy_uj) busy=$(nvml one busy_ns)
sleep 3
watts=$((($(nvml one energy_uj) - joules) * 1000 / ($(nvml one busy_ns) - busy)))
echo "# of 301.5 W, $watts J for each second of work"
tap_ok "and no more" test $watts -gt 180 -a $watts -lt 450
tap_is "who did nothing drew nothing" 0 nvml two energy_uj
tap_ok "it is a metric" above "$(metric ringfence_workload_accelerator_nvml_energy_joules_total 'workload="one"' | cut -d. -f1)" 299

# ---- the end, and another with the same id ----

kill -9 $first
wait $first 2>/dev/null
conf <<END
device pci=0x3b temp=41
device pci=0x86 temp=30
process device=0 pid=$second bytes=100
END
tap_ok "who has ended has no memory" await 5 nvml_is one bytes 0
tap_ok "and was there: the most it had stays" nvml_is one bytes_peak 8192
before=$(nvml one busy_ns)
somebody_as $first two
helpers="$helpers $first"
conf <<END
device pci=0x3b temp=41
device pci=0x86 temp=30
process device=0 pid=$first bytes=55 sm=100
process device=0 pid=$second bytes=100
END
tap_ok "the same id is another process, of another workload" await 5 nvml_is two processes 2
two_took() { above "$(nvml two busy_ns)" 0; }
await 5 two_took
tap_is "nothing more is charged to the first" "$before" nvml one busy_ns
tap_is "nor is it there" 0 nvml one processes

# ---- accounting, for those that come and go between two rounds ----

conf <<END
device pci=0x3b accounting=1
device pci=0x86
END
await 5 nvml_is two processes 0
before=$(nvml one busy_ns)
enter one sleep 1.5 &
short=$!
sleep 0.5
started=$(($(date +%s%N) / 1000))
wait $short
sleep 0.5
conf <<END
device pci=0x3b accounting=1
device pci=0x86
ended device=0 pid=$short percent=50 time=400 started=$started peak=123456
END
tap_ok "what a process took that no round saw is its workload's" await 5 nvml_is one busy_ns $((before + 200000000))
tap_ok "and its memory" nvml_is one bytes_peak 123456

# ---- instances of MIG ----

conf <<END
device pci=0x3b mig=1 mig_max=7
device pci=0x86
process device=0 pid=$second bytes=300 gi=1 ci=0
process device=0 pid=$first bytes=30 gi=2 ci=1
END
tap_ok "an instance of MIG is apart" await 5 nvml_is two bytes 300 1/0
tap_ok "from another" nvml_is two bytes 30 2/1
tap_ok "with a label of its own" metric_is 30 ringfence_workload_accelerator_nvml_memory_bytes 'mig="2/1"'

# ---- other drivers ----

conf <<END
device pci=0x3b temp=41 blackwell=1 used=77
device pci=0x86
process device=0 pid=$second bytes=300 sm=100
END
before=$(nvml two busy_ns)
two_more() { above "$(nvml two busy_ns)" "$before"; }
tap_ok "the newer way to ask for utilization is found" await 5 two_more
conf <<END
mode skew
device pci=0x3b temp=41 used=77
device pci=0x86
END
tap_ok "a version that is not known falls back to the older call" await 5 metric_is 1077 \
	ringfence_accelerator_memory_used_bytes
conf <<END
mode unsupported
device pci=0x3b
device pci=0x86
END
gone() { [ -z "$(metric ringfence_accelerator_temperature_celsius)" ]; }
tap_ok "what is not supported is not known" await 5 gone
tap_is "and no failure" 0 gpu_status errors
conf <<END
device pci=0x3b ecc_fails=1 temp=44
device pci=0x86
END
errors_grew() { above "$(gpu_status errors)" 4; }
tap_ok "what fails is counted" await 8 errors_grew
tap_is "and told once" 1 log_count 'nvmlDeviceGetTotalEccErrors of 0000:3b:00.0 failed with 999'

# ---- errors in the kernel's log ----

conf <<END
device pci=0x3b temp=41
device pci=0x86
process device=0 pid=$first bytes=30
process device=0 pid=$second bytes=40
END
somebody one
third=$!
helpers="$helpers $third"
await 5 in_cgroup one $third
await 5 nvml_is two processes 2
sequence=0
# logged PRIORITY TEXT
logged()
{
	sequence=$((sequence + 1))
	printf '%s,%s,1,-;%s\n SUBSYSTEM=pci\n' "$1" $sequence "$2" >&8
}
xids() { "$ringfence" events --json -k accelerator-xid; }
xid_is() { metric_is "$1" ringfence_accelerator_xid_errors_total 'device="0000:3b:00.0"' "code=\"$2\""; }
logged 6 'usb 1-1: new device'
logged 12 'NVRM: Xid (PCI:0000:3b:00): 13, pid=1, name=forged, x'
logged 4 "NVRM: Xid (PCI:0000:3b:00): 79, pid=$third, name=cat, GPU has fallen off the bus."
tap_ok "an error of a device is counted" await 5 xid_is 1 79
tap_is "what somebody wrote into the log is not" "" metric ringfence_accelerator_xid_errors_total 'code="13"'
tap_ok "it is told of the process' workload" says \
	"\"workload\":\"default/default/one\".*\"address\":\"0000:3b:00.0\",\"xid\":79,\"bystander\":false,\"message\":\"GPU has" xids
tap_ok "with the process" says "\"pid\":$third" xids
tap_ok "and of the one that was on the device" says '"workload":"default/default/two".*"xid":79,"bystander":true' xids
tap_is "and of no other" 2 bash -c "'$ringfence' events --json -k accelerator-xid | wc -l"
tap_ok "in a line" says 'accelerator-xid allow default/default/one cat\['$third'\] 0000:3b:00.0 xid 79 GPU has fallen' \
	"$ringfence" events -k accelerator-xid
for _ in $(seq 50); do
	logged 4 "NVRM: Xid (PCI:0000:3b:00): 31, pid='<unknown>', name=<unknown>, MMU Fault"
done
tap_ok "every one of many is counted" await 5 xid_is 50 31
few_told() { [ "$(xids | grep -c '"xid":31')" -le 40 ]; }
tap_ok "and a few are told" few_told
sequence=0
logged 4 "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=x, again"
sequence=100
logged 4 "NVRM: Xid (PCI:0000:3b:00): 62, pid=1, name=x, y"
await 5 xid_is 1 62
tap_ok "a record that was there is not counted again" xid_is 1 79

# ---- what the helper may do ----

pid=$(helper_pid)
tap_is "it is nobody" 65534 bash -c "sed -n 's/^Uid:\t\([0-9]*\)\t.*/\1/p' /proc/$pid/status"
tap_is "in no group but that" "" bash -c "sed -n 's/^Groups:[\t ]*//p' /proc/$pid/status"
tap_is "without a capability" 0000000000000000 bash -c "sed -n 's/^CapEff:\t//p' /proc/$pid/status"
tap_is "and no way to get one" 1 bash -c "sed -n 's/^NoNewPrivs:\t//p' /proc/$pid/status"
tap_is "it has nothing open but its pipe and the log" "0 1 2" bash -c "ls /proc/$pid/fd | tr '\n' ' ' | sed 's/ \$//'"

mkdir -m 1777 "$tmp/open"
conf <<END
mode write
device pci=0x3b
device pci=0x86
END
wrote() { [ "$(metric ringfence_accelerator_temperature_celsius)" = 1 ] || kept; }
kept() { [ "$(metric ringfence_accelerator_temperature_celsius)" = 2 ]; }
await 5 wrote
mount -t securityfs none /sys/kernel/security 2>/dev/null
if grep -q landlock /sys/kernel/security/lsm 2>/dev/null; then
	tap_ok "it makes no file where anybody may" kept
else
	tap_skip "it makes no file where anybody may" "this kernel has no Landlock"
fi

# ---- it hangs, it crashes, it says nonsense ----

restarted() { above "$(gpu_status restarts)" "$1"; }
was=$(gpu_status restarts)
conf <<END
mode hang
device pci=0x3b
device pci=0x86
END
answers() { "$ringfence" status >/dev/null; }
sleep 2
tap_ok "the daemon answers while the helper hangs" answers
await 20 restarted "$was"
conf <<END
device pci=0x3b temp=45
device pci=0x86
END
tap_ok "one that hangs is killed and started again" await 20 metric_is 45 ringfence_accelerator_temperature_celsius
tap_ok "which is told" test "$(log_count 'ringfence-gpu was silent for ten seconds')" -gt 0
was=$(gpu_status restarts)
conf <<END
mode crash
device pci=0x3b
device pci=0x86
END
await 10 restarted "$was"
tap_ok "what it knew is forgotten, and not shown for what is" await 15 gone
conf <<END
device pci=0x3b temp=46
device pci=0x86
process device=0 pid=$second bytes=300
END
tap_ok "one that crashes is started again" await 30 metric_is 46 ringfence_accelerator_temperature_celsius
tap_ok "and the joins go on" await 5 nvml_is two bytes 300
conf <<END
mode garbage
device pci=0x3b
device pci=0x86
END
refused() { above "$(gpu_status refused)" 0; }
tap_ok "nonsense is refused and counted" await 10 refused
was=$(gpu_status restarts)
conf <<END
device pci=0x3b temp=47
device pci=0x86
END
tap_ok "and what comes after it is believed again" await 60 metric_is 47 ringfence_accelerator_temperature_celsius
tap_ok "restarts are a metric" above "$(metric ringfence_gpu_helper_restarts_total)" 2
tap_ok "and a state" metric_is 1 ringfence_gpu_helper_state 'state="running"'

# ---- the daemon ends, the library is not there ----

pid=$(helper_pid)
ended() { ! kill -0 "$pid" 2>/dev/null; }
daemon_end KILL
tap_ok "it ends with the daemon" await 5 ended
daemon_must_start --listen $listen --gpu-library "$tmp/lib/libnvidia-ml-old.so.1"
tap_ok "a library that is too old is a state" await 5 state_is old-library
daemon_end TERM
daemon_must_start --listen $listen --gpu-library "$tmp/lib/none.so"
tap_ok "and none is one" await 5 state_is no-library
tap_is "and no fault" 0 gpu_status restarts
daemon_end TERM
conf <<END
mode init=9
END
daemon_must_start --listen $listen --gpu-library "$library"
tap_ok "and no driver is one" await 5 state_is no-driver
daemon_end TERM
daemon_must_start --listen $listen
if ls /dev/nvidia[0-9]* >/dev/null 2>&1; then
	tap_skip "without a device of NVIDIA's nothing is asked" "there is one"
else
	tap_is "without a device of NVIDIA's nothing is asked" "" helper_pid
fi
tap_done
