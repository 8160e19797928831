#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# compile.sh: what compiling a policy costs, in time and (where valgrind is
# installed) in instructions, which do not depend on what else the machine does.
set -eu
cd "$(dirname "$0")/../.."
: "${O:=build}" "${CC:=gcc}"

libs="$O/librf-policy.a $O/librf-model.a $O/librf-lib.a"
# shellcheck disable=SC2086 # a list of files
make -s --no-print-directory O="$O" $libs >&2
mkdir -p "$O/bench"
bench=$O/bench/bench_compile
# shellcheck disable=SC2086
$CC -std=gnu11 -D_GNU_SOURCE -O2 -g -I. -Iinclude -o "$bench" tests/bench/bench_compile.c $libs -lyaml -ljson-c -lm
"$bench"
"$bench" 100 1024

if ! command -v valgrind >/dev/null; then
	echo "compile: instructions not counted: valgrind is not installed"
	exit 0
fi
# Few workloads are enough: every one costs the same.
workloads=100 rules=100
count=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=rf_ruleset_compile \
	"$bench" $workloads $rules 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
echo "compile: $((count / (workloads * rules))) instructions a rule ($workloads workloads of $rules rules)"
