#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real GPU of NVIDIA's: what is told of programs of CUDA's, beside what those
# know of themselves and what nvidia-smi says; what a quota leaves them of the
# device; who may open it. Every figure is in the log, after a "#".
#
#	RF_CUDA_LIBRARY=FILE RF_NVML_LIBRARY=FILE	where they are not found by name
#	RF_GPU_STANDIN=1	on any host, with what stands in for a GPU: stand_in.sh
#
# Looks at CUDA's first device. Other programs on it spoil the figures; where it
# is cut up (MIG), NVML tells of no process what it took.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=tests/gpu/gpu.sh
. "$src/tests/gpu/gpu.sh"

program=$build/tests/gpu/cuda_work
[ -x "$program" ] || { echo "Bail out! $program is not built"; exit 1; }
cuda_library=${RF_CUDA_LIBRARY:-libcuda.so.1}
nvml_library=${RF_NVML_LIBRARY:-}
# The first by its place, as elsewhere; and nothing is left in a home directory.
export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_CACHE_DISABLE=1
dev=/dev
opened=allowed # what comes of opening a node that is allowed
# What is measured: a kernel of so many us, for so many ms, of a run that is so much longer, power for so many s, and
# so many launches for their cost.
us=10000 long=8000 margin=4000 quota_ms=30000 power_s=6 launches=20000
# Per mille that may be off: of time by calls, by NVML, and of a quota.
over=100 sampled=150 held=100
if [ -n "${RF_GPU_STANDIN:-}" ]; then
	# shellcheck source=tests/gpu/stand_in.sh
	. "$src/tests/gpu/stand_in.sh"
fi
set -- "$dev"/nvidia[0-9]*
[ -c "$1" ] || tap_skip_all "there is no GPU of NVIDIA's here: no $dev/nvidia0"
cuda init >"$tmp/first" 2>&1 || tap_skip_all "CUDA cannot be used here: $(grep '^failed' "$tmp/first" || echo "it crashed")"
address=$(sed -n 's/^device \([^ ]*\).*/\1/p' "$tmp/first" | tr '[:upper:]' '[:lower:]')
say "$(uname -r), $(grep '^device' "$tmp/first")"

# ---- before anything is probed ----

# The first time is to warm up, here and below.
cuda init calibrate cost:$launches cost:$launches >"$tmp/out.unprobed" 2>&1
grep '^rate' "$tmp/out.unprobed" | note
rate=$(sed -n 's/^rate \([0-9]*\).*/\1/p' "$tmp/out.unprobed")
[ -n "$rate" ] || { note <"$tmp/out.unprobed"; echo "Bail out! the kernel cannot be run"; exit 1; }

# ---- the daemon, the device, NVML ----

asking="holder counted resolving alone left right loaded cost"
# shellcheck disable=SC2086 # words
make_cgroup $asking keeper other plain denied given limited
daemon_must_start ${nvml_library:+--gpu-library "$nvml_library"}
uncounted=
[ "$(status_row accelerator-calls support)" != unavailable ] ||
	uncounted="accelerator-calls: $(status_row accelerator-calls why)"
say "level $(status_value level); accelerator-calls: $(status_row accelerator-calls support)," \
	"$(status_row accelerator-calls why); accelerator-quotas: $(status_row accelerator-quotas support)"
allow='network: {egress: {default: allow}}'
ask='accelerators: {userModeSubmission: true}'
[ -z "$uncounted" ] || ask=$allow
{
	for w in $asking; do
		echo "$ask" | doc "$w" "$w"
	done
	for w in keeper other plain; do
		echo "$allow" | doc $w $w
	done
	doc denied denied <<'END'
accelerators:
  default: allow
  rules:
    - {name: "no GPU here", action: deny, class: nvidia}
END
	doc given given <<END
accelerators:
  rules:
    - {name: "the first GPU", pci: "$address"}
END
} | put_force base || exit 1

gpu=$(device name)
say "$gpu at $address, $(device uuid)"
tap_is "the driver's device is found" nvidia device driver
untold=
nvml_runs() { [ "$(helper state)" = running ]; }
await 15 nvml_runs || untold="NVML is not asked: $(helper state)"
grep -E "NVML|NVIDIA's devices|ringfence-gpu" "$tmp/log" | tail -n 5 | note

# Somebody has the library mapped from here on: what is measured does not begin before it is probed.
start holder "wait:$tmp/stop"
holder=$pid
[ -n "$uncounted" ] || await 15 log_grew 'are probed\|are not counted' 0
grep -E 'are probed|are not counted' "$tmp/log" | note
when "$uncounted" "the library is probed" above "$(pins)" 0

# ---- calls ----

steps="alloc:1048576 put:1000000 get:500000 queue:250000 free huge bad times:200:timed:100 times:20:launch:50 sync finish"
# shellcheck disable=SC2086 # steps
work counted init "rate:$rate" $steps
grep '^fails' "$tmp/out.counted" | note
tap_is "what cannot be done fails" 2 grep -c '^fails [1-9]' "$tmp/out.counted"
all_agree counted
when "$uncounted" "counted: each launch is a job" equal "$(use counted jobs)" "$(told counted launch calls)"
when "$uncounted" "counted: nothing is under way any more" equal "$(use counted under_way)" 0

before=$(pins)
# shellcheck disable=SC2086 # steps
start resolving init resolve "wait:$tmp/resolved" "rate:$rate" $steps
said resolving elsewhere
grep -E '^(given|elsewhere)' "$tmp/out.resolving" | note
elsewhere=$(sed -n 's/^elsewhere //p' "$tmp/out.resolving")
probed_all() { [ "$(pins)" -ge $((before + ${elsewhere:-1})) ]; }
when "$uncounted" "what cuGetProcAddress_v2() gave is probed" await 15 probed_all
touch "$tmp/resolved"
wait "$pid"
all_agree resolving

# ---- device time ----

start alone init "rate:$rate" "for:$((long + margin)):timed:$us+sleep:$((us / 1000))+tell" tell say:idle "wait:$tmp/alone"
said alone kernels
[ -n "$untold" ] || samples alone
said alone idle
knows=$(total alone kernel_ns)
by_calls=$(use alone busy_ns)
say "half of the time at work: by events $knows ns, by calls $by_calls ns, of $(total alone for_ns) ns"
say "a kernel of $us us took $(part "$knows" "$(total alone kernels)" 0.001) us"
# The first event may be over before the launch is called.
when "$uncounted" "by calls it is never less than the device's time" \
	between "$by_calls" $((knows * 99 / 100)) $((knows + knows * over / 1000))
if [ -z "$untold" ]; then
	say "of which, of $(since alone 5) ns: by events $(since alone 3) ns, by NVML $(since alone 2) ns"
	rounds
	say "by NVML all in all, where who begins may be charged a round too much: $(nvml alone busy_ns) ns"
fi
when "$untold" "by NVML it is the device's time, to $((sampled / 10)) %" near "$(since alone 2)" "$(since alone 3)" $sampled
touch "$tmp/alone"
wait "$pid"

# Side by side each waits for the other: what a kernel took of the device is what it takes alone.
start left init "rate:$rate" "for:$((long + margin)):timed:$us+tell"
left=$pid
start right init "rate:$rate" "for:$((long + margin)):timed:$us+sleep:$((us * 3 / 1000))+tell"
right=$pid
said left kernels
said right kernels
[ -n "$untold" ] || samples left right
for w in left right; do
	did=$(($(since $w 4) * us * 1000))
	[ -n "$untold" ] || say "$w, of $(since $w 5) ns: $did ns for its kernels, by NVML $(since $w 2) ns"
	when "$untold" "side by side: $w by NVML, to $((sampled / 5)) %" near "$(since $w 2)" "$did" $((sampled * 2))
done
when "$untold" "and no more than there is" above $(($(since left 5) * 1100 / 1000)) $(($(since left 2) + $(since right 2)))
wait "$left" "$right"
for w in left right; do
	did=$(($(total $w kernels) * us * 1000))
	say "$w, all in all: $did ns for its kernels, by calls, with what it waited for the other, $(use $w busy_ns) ns"
	when "$uncounted" "side by side: $w by calls, never less" above "$(use $w busy_ns)" $((did * 97 / 100))
	agree "launches, side by side" $w launch calls
done

# ---- memory ----

gib=1073741824 slack=4194304
is_there() { [ "$(nvml "$1" bytes)" -gt 0 ]; }
has() { near "$(nvml "$1" bytes)" "$2" 0 $slack; }
start other init alloc:$((gib / 2)) say:allocated "wait:$tmp/memory"
other=$pid
said other allocated
start keeper init say:context "wait:$tmp/more" alloc:$gib say:allocated "wait:$tmp/less" free "wait:$tmp/memory"
keeper=$pid
said keeper context
await 10 is_there keeper
rounds
was=$(nvml keeper bytes) was_other=$(nvml other bytes) was_device=$(device memory_used_bytes)
touch "$tmp/more"
said keeper allocated
await 5 has keeper $((was + gib))
is=$(nvml keeper bytes)
say "by NVML: with a context $was, with 1 GiB more $is, the difference $((is - was)) of $gib bytes; the other $was_other"
say "the device's memory in use: before $was_device, with it $(device memory_used_bytes) bytes"
when "$untold" "1 GiB more is 1 GiB more" near $((is - was)) $gib 0 $slack
when "$untold" "and nothing of it is the other's" near "$(nvml other bytes)" "$was_other" 0 $slack
when "$untold" "which has half of that, and a context" near $((was_other - was)) $((gib / 2)) 0 67108864
touch "$tmp/less"
when "$untold" "what is freed is free" await 5 has keeper "$was"
touch "$tmp/memory"
wait "$keeper" "$other"
has_nothing() { [ "$(nvml "$1" bytes) $(nvml "$1" processes)" = "0 0" ]; }
left_nothing() { has_nothing keeper && has_nothing other && has_nothing alone; }
when "$untold" "nothing is left of those that have ended" await 5 left_nothing
when "$untold" "but the most that there was" near "$(nvml keeper bytes_peak)" $((was + gib)) 0 $slack

# ---- what the device says of itself, while it works steadily ----

unasked=$untold
command -v nvidia-smi >/dev/null || unasked=${unasked:-there is no nvidia-smi}
if [ -n "$unasked" ]; then
	tap_skip "what the device says of itself as nvidia-smi has it" "$unasked"
else
	smi_device=$address
	smi name >/dev/null 2>&1 || smi_device=0
	start loaded init "rate:$rate" "for:$((power_s * 1000 + 30000)):timed:20000+tell"
	loaded=$pid
	said loaded kernels
	rounds
	smi name,driver_version | note
	tap_is "its UUID is nvidia-smi's" "$(smi uuid)" device uuid
	beside temperature temperature_celsius 1 temperature.gpu 0 3
	beside power power_watts 1 power.draw 150 10
	beside "the limit of power" power_limit_watts 1 power.limit 10 1
	beside "the clock" clock_hertz 1e-6 clocks.sm 50 15
	beside "the memory's clock" memory_clock_hertz 1e-6 clocks.mem 20 0
	beside "all of its memory" memory_size_bytes 9.5367431640625e-7 memory.total 1 1
	beside "memory in use" memory_used_bytes 9.5367431640625e-7 memory.used 10 16
	beside "the part of the time at work" utilization_ratio 100 utilization.gpu 0 20
	joules=$(device energy_joules) its=$(nvml loaded energy_uj)
	began=$(date +%s%N)
	watts=$(for _ in $(seq "$power_s"); do
		smi power.draw
		sleep 1
	done | awk '{ all += $1 } END { print all / NR }')
	spent=$(echo "$(device energy_joules) $joules" | awk '{ print $1 - $2 }')
	its=$((($(nvml loaded energy_uj) - its) / 1000000))
	drawn=$(echo "$watts $(date +%s%N) $began" | awk '{ print $1 * ($2 - $3) / 1e9 }')
	say "energy: $spent J; nvidia-smi's power, $watts W, comes to $drawn J"
	# What is told is up to a round old.
	tap_ok "the energy is what the power comes to" near "$spent" "$drawn" 150 "$watts"
	say "of which, of the workload that works all the time: $its J"
	tap_ok "and nearly all of it is the workload's" near "$its" "$spent" 250 "$watts"
	kill -9 $loaded
	wait $loaded 2>/dev/null
fi

# ---- who may open it ----

for node in "$gpu" nvidiactl nvidia-uvm; do
	if ! [ -c "$dev/$node" ]; then
		tap_skip "$node is opened by who may" "there is no $dev/$node"
		continue
	fi
	tap_is "$node is not opened where a rule denies it" denied inside denied "$work" open rw "$dev/$node"
	tap_is "and is where one allows the GPU" "$opened" inside given "$work" open rw "$dev/$node"
done
tap_ok "a denial names the device and the rule" says "device-deny deny default/default/denied .*$gpu.*no GPU here" \
	"$ringfence" events --verdict deny
"$ringfence" events --verdict deny | grep 'default/default/denied work_probe' | note
inside denied "$program" --library "$cuda_library" init >"$tmp/out.denied" 2>&1
say "CUDA where it is denied: $(cat "$tmp/out.denied")"
tap_ok "CUDA finds no device there" grep -q '^failed cu' "$tmp/out.denied"
tap_ok "and works where the GPU is allowed" work given init "rate:$rate" timed:100
say "CUDA where it is allowed: $(grep '^device' "$tmp/out.given")"

# ---- what a probe costs ----

for w in plain cost; do
	work $w init cost:$launches cost:$launches
done
say "a launch without probes: $(cost "$tmp/out.unprobed")"
say "probed, of one who is not counted: $(cost "$tmp/out.plain")"
say "probed and counted: $(cost "$tmp/out.cost")"
tap_is "who has not asked for it is not counted" 0 calls plain launch calls

# ---- a limit of time ----

unlimited=$uncounted
[ "$(status_row accelerator-quotas support)" = enforced ] ||
	unlimited="accelerator-quotas: $(status_row accelerator-quotas why)"
permille=0 by_nvml=0
if [ -z "$unlimited" ]; then
	echo 'accelerators: {userModeSubmission: true, quota: {limitPercent: 25}}' | doc limited limited |
		put_force quota || exit 1
	start limited init "rate:$rate" "for:$quota_ms:timed:$((us * 2))+tell"
	said limited kernels
	long=$((quota_ms - margin))
	[ -n "$untold" ] || samples limited
	wait "$pid"
	# Not by events: a launch may be held back between the two.
	permille=$(part $(($(total limited kernels) * us * 2000)) "$(total limited for_ns)" 1000)
	say "per mille of the device, of 250: by its kernels $permille; held back $(use limited waits) times"
fi
when "$unlimited" "a limit of 25 % holds" near $permille 250 $held
if [ -z "$unlimited$untold" ]; then
	by_nvml=$(part "$(since limited 2)" "$(since limited 5)" 1000)
	say "per mille of the device by NVML, of 250: $by_nvml"
fi
when "${unlimited:-$untold}" "and by NVML, too" near $by_nvml 250 $held

# ---- the end ----

"$ringfence" accel | note
"$ringfence" accel --calls | note
touch "$tmp/stop"
wait "$holder"
none() { [ "$(pins)" = 0 ]; }
when "$uncounted" "probes go when nobody has the library any more" await 30 none
say "of NVML: $(helper errors) calls failed, $(helper restarts) restarts, $(helper unjoined) processes of nobody known"
grep -E 'failed with|cannot' "$tmp/log" | tail -n 10 | note
daemon_end TERM
tap_done
