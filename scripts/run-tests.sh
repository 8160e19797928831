#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run-tests.sh SUITE PROGRAM...: runs test programs and keeps what each says in
# $O/results/SUITE/NAME.log, its exit status in the last line. It judges
# nothing: scripts/tally.sh reads the logs.
#
# TEST_TIMEOUT is what one program may take, in seconds; TEST_JOBS, how many run
# at a time: one, and of e2e, which mostly wait, one a processor. The programs
# see RF_SRC (the source tree), RF_BUILD (the build directory) and RF_CACHE.
set -u
cd "$(dirname "$0")/.." || exit 1
suite=$1
shift
: "${O:=build}" "${TEST_TIMEOUT:=300}"
results=$O/results/$suite
rm -rf "$results"
mkdir -p "$results"

RF_SRC=$PWD
RF_BUILD=$(cd "$O" && pwd)
export RF_SRC RF_BUILD
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

if [ "$suite" = e2e ]; then : "${TEST_JOBS:=$(nproc)}"; fi
: "${TEST_JOBS:=1}"

# The programs that need root say so themselves; where sudo asks nothing they get it.
as_root=()
case $suite in
bpf | e2e | gpu)
	if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then
		as_root=(sudo -n "--preserve-env=RF_SRC,RF_BUILD,RF_CACHE,CMOCKA_MESSAGE_OUTPUT,RF_CUDA_LIBRARY,RF_NVML_LIBRARY")
	fi
	;;
esac

# run_test PROGRAM: its line is printed when it has ended.
run_test()
{
	local program=$1 name log start status ms mark=ok line

	name=${program#"$O"/}
	name=${name#asan/}
	name=${name#tests/}
	name=${name#"${suite#asan-}"/}
	log=$results/$(printf '%s' "$name" | tr '/' '.').log
	start=$(date +%s%N)
	timeout -k 10 "$TEST_TIMEOUT" "${as_root[@]}" "$program" </dev/null >"$log" 2>&1
	status=$?
	# A last line without a newline must not swallow the status.
	printf '\n# exit %d\n' "$status" >>"$log"
	ms=$((($(date +%s%N) - start) / 1000000))
	if [ "$status" -eq 4 ]; then
		mark=skip
	elif [ "$status" -ne 0 ]; then
		mark=FAIL
	fi
	line=$(printf '  %-8s %-52s %-4s %4d.%01ds' "$suite" "$name" "$mark" $((ms / 1000)) $((ms % 1000 / 100)))
	if [ "$mark" = FAIL ]; then
		line="$line
$(scripts/tally.sh "$log" | sed '$d; s/^/    /')"
	fi
	printf '%s\n' "$line"
}

running=0
for program in "$@"; do
	if [ "$running" -ge "$TEST_JOBS" ]; then
		wait -n
		running=$((running - 1))
	fi
	run_test "$program" &
	running=$((running + 1))
done
wait
exit 0
