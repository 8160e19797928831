# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # what lib.sh and the test set
#
# What tests/gpu/test_gpu_real.sh asks of the daemon, of NVIDIA's tools, and of the programs that it runs.

say() { echo "# $*"; }
note() { sed 's/^/# /'; }
# when WHY-NOT CLAIM COMMAND...: as tap_ok, where there is nothing against it.
when()
{
	when_not=$1
	shift
	if [ -n "$when_not" ]; then
		tap_skip "$1" "$when_not"
	else
		tap_ok "$@"
	fi
}

# part A B TIMES: A * TIMES / B; 0 of nothing.
part() { echo "$1 $2 $3" | awk '{ printf "%.0f", ($2 > 0 ? $1 * $3 / $2 : 0) }'; }

# ---- claims on figures ----

# near ACTUAL EXPECTED PERMILLE [SLACK]: off by no more than that part of what is expected, and SLACK.
near()
{
	echo "$1 $2 $3 ${4:-0}" |
		awk '{ off = $1 - $2; off = off < 0 ? -off : off; exit NF < 4 || off > $2 * $3 / 1000 + $4 }' && return
	echo "got $1, expected $2 within $3 per mille and ${4:-0}"
	return 1
}
between()
{
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ] && return
	echo "got $1, expected $2 to $3"
	return 1
}

# ---- what the daemon tells ----

# accel LIST: `ringfence accel --json` from that list on, a row a line.
accel() { "$ringfence" accel --json | sed "s/.*\"$1\":\[//; s/{\"workload\"/\n{\"workload\"/g"; }
# pick WORKLOAD MEMBER KEY: a number of the row that has that member; 0: there is none.
pick()
{
	pick_got=$(grep -F "{\"workload\":\"default/default/$1\",$2," | sed -n "s/.*\"$3\":\([0-9]*\).*/\1/p" | head -n 1)
	echo "${pick_got:-0}"
}
# calls WORKLOAD KIND KEY; use WORKLOAD KEY, of all libraries; nvml WORKLOAD KEY, of the GPU
calls() { accel calls | pick "$1" "\"call\":\"$2\"" "$3"; }
use() { accel uses | pick "$1" '"device":"library"' "$2"; }
nvml() { accel nvml | pick "$1" "\"device\":\"$gpu\"" "$2"; }
# device KEY: of the GPU, what is told of it and what it says of itself.
device()
{
	"$ringfence" accel --json | sed 's/{"name"/\n{"name"/g' | grep -F "\"parent\":\"$address\"" |
		sed -n "s/\"uses\":.*//; s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}
# helper KEY: what the daemon tells of ringfence-gpu.
helper() { status_json | sed -n "s/.*\"gpu\":{[^}]*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
# Functions that are probed, of all libraries.
pins() { find "$tmp/bpf/links" -path '*calls_*' -name '*_begin' | wc -l; }

# ---- what nvidia-smi tells ----

smi() { nvidia-smi -i "$smi_device" --query-gpu="$1" --format=csv,noheader,nounits; }
# beside CLAIM KEY TIMES FIELD PERMILLE SLACK: in nvidia-smi's unit. The two look at different moments: some tries.
beside()
{
	beside_smi=$(smi "$4")
	case $beside_smi in
	*[0-9]*) ;;
	*)
		tap_skip "$1 as nvidia-smi has it" "nvidia-smi does not tell $4"
		return
		;;
	esac
	for _ in 1 2 3 4 5; do
		beside_ours=$(echo "$(device "$2") $3" | awk '{ printf "%.1f", $1 * $2 }')
		near "$beside_ours" "$beside_smi" "$5" "$6" >/dev/null && break
		sleep 1
		beside_smi=$(smi "$4")
	done
	say "$1: ringfence $beside_ours, nvidia-smi $beside_smi"
	tap_ok "$1 as nvidia-smi has it" near "$beside_ours" "$beside_smi" "$5" "$6"
}

# ---- programs, and what they know ----

# cuda STEP...: the program, in no workload.
cuda() { "$program" --library "$cuda_library" "$@"; }
# work WORKLOAD STEP...: what it says is in out.WORKLOAD.
work()
{
	work_in=$1
	shift
	inside "$work_in" "$program" --library "$cuda_library" "$@" >"$tmp/out.$work_in" 2>&1 && return
	say "the program in $work_in failed:"
	note <"$tmp/out.$work_in"
	return 1
}
# start WORKLOAD STEP...: likewise, in the background; $pid.
start()
{
	start_in=$1
	shift
	enter "$start_in" "$program" --library "$cuda_library" "$@" >"$tmp/out.$start_in" 2>&1 &
	pid=$!
	helpers="$helpers $pid"
}
# said WORKLOAD BEGINNING: waits for such a line of the program's.
said() { await 30 grep -q "^$2" "$tmp/out.$1"; }
# told WORKLOAD KIND KEY: what the program says of its calls; total WORKLOAD KEY: of its kernels, so far.
told() { sed -n "s/^$2 .*$3=\([0-9]*\).*/\1/p" "$tmp/out.$1"; }
total()
{
	total_got=$(sed -n "/^kernels=/{s/^/ /; s/.* $2=\([0-9]*\).*/\1/p}" "$tmp/out.$1" | tail -n 1)
	echo "${total_got:-0}"
}
# cost FILE: of a launch, as the program says last.
cost() { sed -n 's/^cost mean \([0-9]*\) best \([0-9]*\)/\1 ns, at best \2/p' "$1" | tail -n 1; }

# agree CLAIM WORKLOAD KIND KEY: the program and the daemon.
agree()
{
	agree_told=$(told "$2" "$3" "$4")
	agree_got=$(calls "$2" "$3" "$4")
	say "$2, $1: the program $agree_told, ringfence $agree_got"
	when "$uncounted" "$2: $1" equal "$agree_got" "$agree_told"
}
all_agree()
{
	agree launches "$1" launch calls
	agree "launches that failed" "$1" launch failures
	agree copies "$1" copy calls
	agree "bytes copied" "$1" copy bytes
	agree allocations "$1" alloc calls
	agree "allocations that failed" "$1" alloc failures
	agree "bytes allocated" "$1" alloc bytes
	agree synchronisations "$1" synchronize calls
}

# ---- in the middle of its work ----

# sample from|to WORKLOAD...: when NVML has just told something new of the first, what it told, and what each knows.
sample_moved() { [ "$(nvml "$1" busy_ns)" != "$sample_was" ]; }
sample()
{
	sample_name=$1
	shift
	sample_was=$(nvml "$1" busy_ns)
	await $((10 / RF_SLOW + 1)) sample_moved "$1" || say "NVML tells nothing new of $1"
	for sample_of; do
		echo "$sample_of $(nvml "$sample_of" busy_ns) $(total "$sample_of" kernel_ns)" \
			"$(total "$sample_of" kernels) $(date +%s%N)"
	done >"$tmp/sample.$sample_name"
}
# since WORKLOAD COLUMN: between the two; 2 by NVML, 3 by events, 4 kernels, 5 time.
since()
{
	cat "$tmp/sample.from" "$tmp/sample.to" |
		awk -v of="$1" -v column="$2" '$1 == of { before = is; is = $column } END { printf "%.0f", is - before }'
}
# samples WORKLOAD...: both, with $long in between.
samples()
{
	sample from "$@"
	sleep "$(echo "$long" | awk '{ print $1 / 1000 }')"
	sample to "$@"
}
# Two rounds of the helper: nothing tells of one in which nothing changed.
rounds() { sleep 2.5; }
