#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tally.sh [-q] LOG-OR-DIRECTORY...: counts the KTAP and TAP results in logs.
#
# Prints each failing test with what it said, and as the last line "N passed, N
# failed" (", N skipped" when there are any). Exits 1 when something failed or
# nothing ran. -q prints the last line alone.
#
# A result counts once: the line that sums up nested results does not, unless
# it is the only one that failed. A log also fails when its program ended with a
# status that no failed result explains, ran fewer tests than it planned, bailed
# out, or reported nothing. Status 4 without results is kselftest's "skipped".
set -eu
quiet=0
if [ "${1:-}" = -q ]; then
	quiet=1
	shift
fi
logs=$(find "$@" -type f -name '*.log' 2>/dev/null | sort) || true

# shellcheck disable=SC2086 # the logs are made by run-tests.sh: no spaces
exec awk -v quiet="$quiet" '
function report(log_name, title, text) {
	if (quiet)
		return
	sub(/^.*results\//, "", log_name)
	sub(/\.log$/, "", log_name)
	printf "FAILED %s: %s\n", log_name, title
	if (text != "")
		printf "%s", text
	print ""
}

# Keeps the last lines of what a test said.
function remember(line) {
	said[said_n++] = line
}
function recall(max,   text, i) {
	text = ""
	for (i = said_n > max ? said_n - max : 0; i < said_n; i++)
		text = text "    " said[i] "\n"
	return text
}
function forget() {
	split("", said)
	said_n = 0
}

# The failure that still collects its "#" lines is printed when they end.
function flush_failure() {
	if (pending != "") {
		report(file, pending, pending_text)
		pending = ""
		pending_text = ""
	}
}

function end_of_log(   d) {
	if (file == "")
		return
	flush_failure()
	if (results == 0 && (skipped_all || status == 4)) {
		skipped++
	} else if (bailed) {
		failed++
		report(file, "bailed out", recall(60))
	} else if (failed == failed_before) {
		if (status == 124 || status == 137)
			why = "ran out of time"
		else if (status != 0)
			why = "ended with status " status
		else if (!ended)
			why = "was cut off"
		else if (results == 0 && planned == 0)
			why = "reported nothing"
		else if (planned == 0)
			why = "ended without saying how many tests there are"
		else if (planned > ran_top)
			why = "planned " planned " tests, ran " ran_top
		else
			why = ""
		if (why != "") {
			failed++
			report(file, why, recall(60))
		}
	}
}

function start_of_log() {
	end_of_log()
	file = FILENAME
	forget()
	status = results = planned = ran_top = bailed = ended = skipped_all = 0
	split("", below_passed)
	split("", below_failed)
	failed_before = failed
}

FNR == 1 { start_of_log() }

{ sub(/\r$/, "") }

/^# exit [0-9]+$/ { flush_failure(); status = $3 + 0; ended = 1; next }

/^[ \t]*Bail out!/ { bailed = 1; remember($0); next }

/^[ \t]*1\.\.[0-9]+/ {
	match($0, /^[ \t]*/)
	if (RLENGTH == 0) {
		split($1, bounds, /\.\./)
		planned += bounds[2]
		# "1..0 # SKIP why": the whole program was skipped.
		if (bounds[2] == 0 && toupper($0) ~ /# *SKIP/)
			skipped_all = 1
	}
	next
}

/^[ \t]*(not )?ok([ \t]|$)/ {
	flush_failure()
	match($0, /^[ \t]*/)
	depth = RLENGTH
	if (depth == 0)
		ran_top++
	line = substr($0, depth + 1)
	bad = line ~ /^not /
	title = line
	sub(/^(not )?ok[ \t]*[0-9]*[ \t]*(-[ \t]*)?/, "", title)
	upper = toupper(title)
	skip = upper ~ /# *SKIP/
	todo = upper ~ /# *(TODO|XFAIL)/
	results++

	# What is nested deeper and came before belongs to this line.
	passed_below = failed_below = 0
	for (d in below_passed)
		if (d + 0 > depth) {
			passed_below += below_passed[d]
			delete below_passed[d]
		}
	for (d in below_failed)
		if (d + 0 > depth) {
			failed_below += below_failed[d]
			delete below_failed[d]
		}
	if (bad && !skip && !todo) {
		if (failed_below == 0) {
			failed++
			pending = title
			pending_text = recall(40)
		}
		below_failed[depth]++
	} else {
		if (passed_below + failed_below == 0) {
			if (skip || todo)
				skipped++
			else
				passed++
		}
		below_passed[depth]++
	}
	forget()
	next
}

/^[ \t]*K?TAP version/ { next }

{
	if (pending != "" && $0 ~ /^[ \t]*#/)
		pending_text = pending_text "    " $0 "\n"
	else {
		flush_failure()
		if ($0 != "")
			remember($0)
	}
}

END {
	end_of_log()
	line = sprintf("%d passed, %d failed", passed, failed)
	if (skipped)
		line = line sprintf(", %d skipped", skipped)
	print line
	exit failed > 0 || passed + skipped == 0
}
' $logs </dev/null
