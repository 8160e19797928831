#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make check` does: installs what is missing, builds, and runs every
# suite, cheapest first. A stage that fails does not stop the next ones, except
# that nothing runs when the build fails. The last line is the tally of all.
#
# RF_CHECK_SKIP="fuzz vm" leaves stages out (for work on one of the others).
# RF_CHECK_MINUTES=N: after so many no guest is begun any more, and is counted as skipped.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
: "${O:=build}" "${FUZZ_TIME:=25}" "${RF_MATRIX:=1}" "${RF_CACHE:=/var/cache/ringfence}" "${RF_CHECK_SKIP:=}" "${RF_CHECK_MINUTES:=}"
export O FUZZ_TIME RF_MATRIX RF_CACHE
jobs=$(nproc)
began=$SECONDS

make() {
	command make --no-print-directory O="$O" TALLY=-q "$@"
}

title() {
	printf '\n== %s  (%d:%02d)\n' "$1" $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
}

wanted() {
	[[ " $RF_CHECK_SKIP " != *" $1 "* ]]
}

# step SUITE NAME COMMAND...: a command that passes or fails as a whole, as one test.
step() {
	local suite=$1 name=$2 log
	shift 2
	log=$O/results/$suite/$name.log
	mkdir -p "$O/results/$suite"
	printf '  %-8s %-52s ' "$suite" "$name"
	local start=$SECONDS
	if "$@" >"$log.out" 2>&1; then
		printf 'ok   %4ds\n' $((SECONDS - start))
		printf '1..1\nok 1 - %s\n\n# exit 0\n' "$name" >"$log"
		return 0
	fi
	printf 'FAIL %4ds\n' $((SECONDS - start))
	{
		echo '1..1'
		# Results inside the output are not results of ours.
		tail -n 60 "$log.out" | sed 's/^/| /'
		printf 'not ok 1 - %s\n\n# exit 1\n' "$name"
	} >"$log"
	return 1
}

# suite NAME MAKE-ARGUMENT...: a target that leaves its own logs in results/NAME.
suite() {
	local name=$1
	shift
	make -j"$jobs" "$@" 2>&1 | tee "$O/results/$name.out" && return
	# It failed: either a log says so, or it did not come to the tests.
	if [[ $(scripts/tally.sh -q "$O/results/$name") == *', 0 failed'* ]]; then
		step "$name" make sh -c "cat '$O/results/$name.out'; false"
	fi
}

has_tests() {
	compgen -G "tests/$1/test_*" >/dev/null || compgen -G "tests/$1/*/test_*" >/dev/null
}

finish() {
	title result
	local status=0
	scripts/tally.sh "$O/results" >"$O/tally" || status=1
	tail -n 1 "$O/tally" >"$O/results/summary"
	cat "$O/tally"
	exit "$status"
}

scripts/deps.sh all || { echo '0 passed, 1 failed'; exit 1; }
rm -rf "$O/results"
mkdir -p "$O/results"

title build
step build configure make "$O/config.mk" || finish
step build all make -j"$jobs" all || finish
step build tests make -k -j"$jobs" tests

if wanted lint; then
	title lint
	for check in format style layers shell tidy sparse; do
		step lint "lint-$check" make -j"$jobs" "lint-$check"
	done
fi
if wanted unit; then
	title 'the test harness'
	scripts/run-tests.sh harness tests/harness/test_*.sh
fi
if wanted unit && has_tests unit; then
	title 'unit tests'
	suite unit unit
fi
if wanted asan && has_tests unit; then
	title 'unit tests, address and undefined sanitizers'
	suite asan-unit asan
fi
# What measures no time has what the tests leave, which wait more than they work: the roots of the guests (vm-test.sh waits
# for one that is not there then, and tells what cannot be made) and the fuzzers.
beside() {
	(renice -n 19 $BASHPID && "$@") &>"$O/results/$1.beside" &
}
roots() {
	scripts/vm-root.sh trixie
	[ "$RF_MATRIX" = 0 ] || scripts/vm-root.sh bookworm
}
fuzzers() {
	suite fuzz fuzz
}
fuzz=
if wanted vm && [ -x scripts/vm-test.sh ] && [ "$(id -u)" = 0 ]; then
	beside roots
fi
if wanted fuzz && compgen -G 'tests/fuzz/fuzz_*.c' >/dev/null; then
	beside fuzzers
	fuzz=$!
fi
for name in golden bpf e2e; do
	if wanted "$name" && has_tests "$name"; then
		title "$name tests"
		suite "$name" "$name"
	fi
done
if [ -n "$fuzz" ]; then
	title "fuzzers, ${FUZZ_TIME} s each, begun beside these tests"
	wait "$fuzz"
	sed 1d "$O/results/fuzzers.beside"
fi
if wanted vm && [ -x scripts/vm-test.sh ]; then
	title 'guests'
	# One kernel with everything first, then the matrix with what depends on the kernel.
	[ "$RF_MATRIX" = 0 ] && kernels=6.12 || kernels='6.12 6.1 7.2'
	left=
	if [ -n "$RF_CHECK_MINUTES" ]; then
		left=$((began + RF_CHECK_MINUTES * 60 - SECONDS))
		[ $left -gt 0 ] || left=0
	fi
	VM_BRIEF=1 VM_WITHIN=$left suite vm vm-test KERNEL="$kernels"
fi
finish
