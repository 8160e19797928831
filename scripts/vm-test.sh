#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The suites on real kernels: builds the tree inside a root of the matching
# distribution, boots it, and runs bpf, e2e, boundary and kmod tests there.
#
#   scripts/vm-test.sh [6.1|6.12|7.2|all]...     default: all, with RF_MATRIX=0 only 6.12
#
#   SUITE="kmod e2e/test_*"   suites or globs over SUITE/TEST
#   VARIANT="module nolsm"    of: module    bpf in lsm=, the module loaded
#                                 nomodule  bpf in lsm=
#                                 nolsm     neither
#   VM_BRIEF=1                what depends on the kernel in the first guest, and in the
#                             others what depends most on it; the rest is left to the host
#   VM_LIMIT=3000             seconds a guest may take; VM_TEST_LIMIT=700, one test in it
#   VM_WITHIN=N               seconds after which no guest is begun any more: a skipped test
#
# Two guests run at a time: each keeps one processor busy.
#
# Every guest leaves $O/results/vm/KERNEL-VARIANT.log, for scripts/tally.sh. A
# guest that hangs, crashes or does not boot is a failed test with the tail of
# its console.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh

: "${O:=build}" "${RF_MATRIX:=1}" "${VM_LIMIT:=3000}" "${VM_TEST_LIMIT:=700}" "${VM_WITHIN:=}" "${VM_BRIEF:=}"
: "${SUITE:=}" "${VARIANT:=module nomodule nolsm}"
read -ra kernels <<<"${*:-${KERNEL:-}}"
if [ ${#kernels[@]} -eq 0 ]; then
	if [ "$RF_MATRIX" = 0 ]; then kernels=(6.12); else kernels=(all); fi
fi
[ "${kernels[*]}" = all ] && read -ra kernels <<<"$rf_kernels"

mkdir -p "$O"
O=$(cd "$O" && pwd)
results=$O/results/vm
rm -rf "$results"
mkdir -p "$results" "$O/vm"

[ "$(id -u)" = 0 ] || {
	printf '1..0 # SKIP making and building in guest roots needs root\n\n# exit 4\n' >"$results/setup.log"
	echo "vm-test: skipped, making and building in guest roots needs root"
	exit 0
}

line() { printf '  %-14s %-46s %-4s %4ds\n' "$1" "$2" "$3" "$4"; }

# fail NAME CLAIM FILE: the log of something that went wrong before there were tests.
fail()
{
	# What the file holds is quoted, lest a result in it is counted.
	{ echo '1..1'; tail -n 60 "$3" | sed 's/^/| /'; printf 'not ok 1 - %s\n\n# exit 1\n' "$2"; } >"$results/$1.log"
}

# prepare KERNEL: root, module, and once a suite the tree. Sets root, release and build.
declare -A prepared
prepare()
{
	local kernel=$1 suite oldest log start=$SECONDS

	suite=$(rf_root_suite "$kernel") || return 1
	if ! root=$(scripts/vm-root.sh "$suite"); then
		echo "scripts/vm-root.sh $suite failed" >"$O/vm/$suite.log"
		fail "$kernel" "a $suite root can be made" "$O/vm/$suite.log"
		line "$kernel" "root $suite" FAIL $((SECONDS - start))
		return 1
	fi
	release=$(rf_root_kernel "$root" "$kernel") || return 1
	# What was built with the types of the oldest kernel of a suite must run on the others.
	oldest=$(cd "$root/lib/modules" && printf '%s\n' * | sort -V | head -n 1)
	build=$O/vm/$suite

	log=$O/vm/kmod-$kernel.log
	if scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/vm/build-module.sh "$release" >"$log" 2>&1; then
		line "$kernel" "build the module" ok $((SECONDS - start))
	else
		fail "$kernel-module-build" "the module builds for $release" "$log"
		line "$kernel" "build the module" FAIL $((SECONDS - start))
	fi

	[ -z "${prepared[$suite]:-}" ] || return 0
	prepared[$suite]=1
	start=$SECONDS
	log=$O/vm/build-$suite.log
	if scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/vm/build-tests.sh "$oldest" >"$log" 2>&1; then
		line "$kernel" "build on $suite" ok $((SECONDS - start))
	else
		# What was built is still run: half an answer is better than none.
		fail "$suite-build" "the tree and its tests build on $suite" "$log"
		line "$kernel" "build on $suite" FAIL $((SECONDS - start))
	fi
}

# guest KERNEL VARIANT
guest()
{
	local kernel=$1 variant=$2 name="$1-$2" start=$SECONDS status=0 ended=no
	local lsm=landlock,lockdown,yama,integrity,apparmor,bpf words console=$O/vm/$1-$2.console log=$results/$1-$2.log

	[ "$variant" != nolsm ] || lsm=${lsm%,bpf}
	words="lsm=$lsm rf.variant=$variant rf.limit=$VM_TEST_LIMIT"
	[ "$variant" != module ] || words="$words rf.module=/mnt/build/kmod/$release/ringfence.ko"
	if [ -n "$SUITE" ]; then
		words="$words rf.suite=${SUITE// /,}"
	elif [ -n "$VM_BRIEF" ]; then
		words="$words rf.suite=test_levels"
		case $variant in
		module) words="$words,kmod" ;;
		nomodule) words="$words,bpf,test_network,test_devices,test_exec" ;;
		nolsm) words="$words,test_network,test_devices" ;;
		esac
		[ "$name" != "${first%-*}-nomodule" ] ||
			words="$words,test_isolation,test_kernel,test_files,test_exec_label,test_lineage,boundary"
		# No guest is to take much longer than the others.
		[ "$name" != "${kernels[1]:-${kernels[0]}}-nomodule" ] || words="$words,test_sockets"
		[ "$name" != "${kernels[-1]}-nomodule" ] || words="$words,test_guard"
		# Where nothing else stands beside the device programs, and systemd is the one that writes its own anew.
		[ "$name" != "${first%-*}-nolsm" ] || words="$words,test_device_programs"
		[ "$name" != "$first" ] ||
			words="$words,bpf,test_accelerators,test_rdma,test_accel_jobs,test_accel_fdinfo,test_quotas,test_call_quotas,test_memory_detect"
	fi

	: >"$log"
	# The log keeps what lies between the markers; the screen the line of each test.
	scripts/vm-run.sh --root "$root" --kernel "$release" --init /mnt/src/tests/vm/init --share "src=$PWD" \
		--share "build=$build" --append "$words" --console "$console" --limit "$VM_LIMIT" |
		sed -u -n 's/\r$//; /^RINGFENCE-BEGIN$/,/^RINGFENCE-END$/p' | while IFS= read -r text; do
			printf '%s\n' "$text" >>"$log"
			case $text in
			'ok '*SKIP*) result skip "$text" ;;
			'ok '*) result ok "$text" ;;
			'not ok '*) result FAIL "$text" ;;
			esac
		done || status=$?
	grep -qx RINGFENCE-END "$log" && ended=yes
	sed -i '/^RINGFENCE-/d' "$log"
	if [ "$ended" = yes ]; then
		printf '\n# exit 0\n' >>"$log"
		line "$name" "guest" ok $((SECONDS - start))
		return
	fi
	{
		echo "# the end of the guest's console:"
		tail -n 60 "$console" | sed 's/\r$//; s/^/# | /'
		case $status in
		124) echo "not ok 9999 - the guest powers off within $VM_LIMIT s" ;;
		*) echo "not ok 9999 - the guest runs to its end (status $status)" ;;
		esac
		printf '\n# exit 1\n'
	} >>"$log"
	line "$name" guest FAIL $((SECONDS - start))
	sed -n "/^# the end of the guest/,\$p" "$log" | tail -n 40
}

# result MARK LINE: a line of the guest as a line of progress. Uses the name and start of guest().
result()
{
	local text=${2#* - }

	line "$name" "${text%% \#*}" "$1" $((SECONDS - start))
}

read -r first _ <<<"$VARIANT"
first=${kernels[0]}-$first
for kernel in "${kernels[@]}"; do
	prepare "$kernel" || continue
	order=$VARIANT
	# Of a brief run nomodule takes longest where it is not the first: the others fill the end.
	if [ -n "$VM_BRIEF" ] && [ "$kernel" != "${kernels[0]}" ] && [[ $VARIANT == *nomodule* ]]; then
		order="nomodule ${VARIANT/nomodule/}"
	fi
	for variant in $order; do
		# One that ended while something was built is what wait tells of first.
		while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
		if [ -n "$VM_WITHIN" ] && [ $SECONDS -ge "$VM_WITHIN" ]; then
			printf '1..0 # SKIP not begun within %d s\n\n# exit 4\n' "$VM_WITHIN" >"$results/$kernel-$variant.log"
			line "$kernel-$variant" "not begun within $VM_WITHIN s" skip $SECONDS
			continue
		fi
		guest "$kernel" "$variant" &
	done
done
wait
if [ -x scripts/tally.sh ]; then
	# shellcheck disable=SC2086 # options or nothing
	exec scripts/tally.sh ${TALLY:-} "$results"
fi
