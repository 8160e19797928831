#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The judge is judged: scripts/tally.sh must not count what did not pass.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../vm/tap.sh"
tally=$here/../../scripts/tally.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# log NAME LINES: as run-tests.sh writes one.
log() {
	printf '%b\n' "$2" >"$work/$1.log"
}
last() {
	"$tally" -q "$work/$1.log"
}
fails() {
	! "$tally" "$work/$1.log" >"$work/out"
}

log pass '1..2\nok 1 - a\nok 2 - b\n# exit 0'
tap_is 'results that are ok count as passed' '2 passed, 0 failed' last pass
tap_ok 'and the exit status is 0' "$tally" "$work/pass.log"

log fail '1..2\nok 1 - a\nwhy\nnot ok 2 - b\n# because\n# exit 1'
tap_is 'a failed result counts once, its status does not count again' '1 passed, 1 failed' last fail
tap_ok 'and the exit status is not 0' fails fail
fails fail
tap_ok 'what it said before and after is shown' grep -Pzq '    why\n    # because\n' "$work/out"

log skip '1..2\nok 1 - a # SKIP no root\nok 2 - b\n# exit 0'
tap_is 'a skip is neither' '1 passed, 0 failed, 1 skipped' last skip
log todo '1..2\nok 1 - a\nnot ok 2 - b # TODO not yet\n# why\n# exit 0'
tap_is 'a claim that is known not to hold yet is neither' '1 passed, 0 failed, 1 skipped' last todo
# todo COMMAND: what a script prints of a claim that is marked.
todo() {
	tmp=$work sh -c ". '$here/../vm/tap.sh'; tap_todo 'not yet' tap_ok b $1; tap_done"
	echo "# exit $?"
}
todo false >"$work/marked.log"
tap_is 'as tap_todo prints it' '0 passed, 0 failed, 1 skipped' last marked
todo true >"$work/unmarked.log"
tap_is 'one that holds after all fails, once' '0 passed, 1 failed' last unmarked
fails unmarked
tap_ok 'and says so' grep -q 'it holds: take its mark off' "$work/out"
log skipall '1..0 # SKIP no kernel\n# exit 4'
tap_is 'a program that skips itself is one skip' '0 passed, 0 failed, 1 skipped' last skipall
log skip4 'no root\n# exit 4'
tap_is 'status 4 without results is a skip' '0 passed, 0 failed, 1 skipped' last skip4

log crash '1..3\nok 1 - a\n# exit 139'
tap_is 'a crash after a pass is a failure' '1 passed, 1 failed' last crash
log leak '1..1\nok 1 - a\nleaked\n# exit 23'
tap_is 'a status that no result explains is a failure' '1 passed, 1 failed' last leak
log short '1..3\nok 1 - a\n# exit 0'
tap_is 'fewer tests than planned is a failure' '1 passed, 1 failed' last short
log early 'ok 1 - a\nok 2 - b\n# exit 0'
tap_is 'a program that ends before its plan is a failure' '2 passed, 1 failed' last early
log silent 'hello\n# exit 0'
tap_is 'a program that reports nothing is a failure' '0 passed, 1 failed' last silent
log bail '1..2\nok 1 - a\nBail out! disk full\n# exit 0'
tap_is 'bailing out is a failure' '1 passed, 1 failed' last bail
log slow '1..1\nok 1 - a\n# exit 124'
tap_is 'running out of time is a failure' '1 passed, 1 failed' last slow
log cut '1..1\nok 1 - a'
tap_is 'a log without an end is a failure' '1 passed, 1 failed' last cut
log empty '1..0\n# exit 0'
tap_is 'a plan of nothing is a failure' '0 passed, 1 failed' last empty

log nested 'KTAP version 1\n1..2\n  KTAP version 1\n  1..2\n  ok 1 x\n  not ok 2 y\nnot ok 1 group\nok 2 alone\n# exit 1'
tap_is 'a line that sums up nested results is not counted' '2 passed, 1 failed' last nested
log parent '1..1\n  1..1\n  ok 1 x\nnot ok 1 group # exit status 3\n# exit 0'
tap_is 'unless it alone failed' '1 passed, 1 failed' last parent

tap_is 'nothing at all is 0 passed' '0 passed, 0 failed' "$tally" -q "$work/none"
tap_ok 'and not a success' eval '! "$tally" -q "$work/none" >/dev/null'
tap_done
