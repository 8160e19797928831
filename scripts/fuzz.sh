#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fuzz.sh FUZZER...: each fuzzer for FUZZ_TIME seconds, two at a time. Starts from
# tests/fuzz/corpus/NAME and what earlier runs found in $O/fuzz/corpus/NAME; an
# input that breaks it is kept as $O/fuzz/found/NAME-*. One result each.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${O:=build}" "${FUZZ_TIME:=25}"
results=$O/results/fuzz
rm -rf "$results"
mkdir -p "$results" "$O/fuzz/found"
if [ $# -eq 0 ]; then
	echo "fuzz: there are no fuzzers under tests/fuzz" >&2
	exit 1
fi

one() {
	local program=$1 name=${1##*/}
	local short=${name#fuzz_} log=$results/${1##*/}.log
	local seeds=tests/fuzz/corpus/$short found=$O/fuzz/corpus/$short
	mkdir -p "$found"
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086 # empty when there are no seeds
	ASAN_OPTIONS=detect_leaks=1 timeout -k 10 $((FUZZ_TIME + 120)) "$program" -max_total_time="$FUZZ_TIME" \
		-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$O/fuzz/found/$name-" \
		"$found" $seeds </dev/null >"$log.out" 2>&1
	local status=$? runs
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log.out")
	{
		echo '1..1'
		if [ "$status" -eq 0 ]; then
			echo "ok 1 - $name: ${runs:-0} inputs in $FUZZ_TIME s"
		else
			grep -v '^#[0-9]' "$log.out" | tail -n 60 | sed 's/^/| /'
			echo "not ok 1 - $name"
		fi
		printf '\n# exit %d\n' "$status"
	} >"$log"
	printf '  %-8s %-52s %-4s %s inputs\n' fuzz "$name" "$([ $status -eq 0 ] && echo ok || echo FAIL)" "${runs:-?}"
}

echo "  fuzz     $# fuzzers, two at a time, about $(((($# + 1) / 2) * FUZZ_TIME)) s"
for program in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n
	done
	one "$program" &
done
wait
