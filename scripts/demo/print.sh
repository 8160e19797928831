# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# How the demo talks: numbered steps, what is run, what it printed, and whether
# that was expected. 80 columns; colour only on a terminal. Sourced.

bold= green= red= dim= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
fi

steps=0
held=0
unexpected=()
output=
status=0

step() { # TITLE
	steps=$((steps + 1))
	printf '\n%s%2d  %s%s\n' "$bold" "$steps" "$1" "$plain"
}

say() { # TEXT
	fold -s -w 75 <<<"$1" | sed 's/^/    /; s/ *$//'
}

# Lines of a program: the demo's directory as $D; what is too long goes on indented.
quote() {
	sed -e "s|$D|\$D|g" -e 's/[[:space:]]*$//' | awk -v width=74 '{
		line = $0
		indent = ""
		while (length(indent line) > width) {
			room = width - length(indent)
			cut = room
			while (cut > room / 2 && substr(line, cut + 1, 1) != " " && substr(line, cut, 1) != ",")
				cut--
			if (cut <= room / 2)
				cut = room
			begin = indent substr(line, 1, cut)
			sub(/ +$/, "", begin)
			print begin
			line = substr(line, cut + 1)
			sub(/^ +/, "", line)
			indent = "    "
		}
		print indent line
	}' | sed "s/^/    $dim|$plain /"
}

# show PROMPT COMMAND...: shows and runs it; what it printed is in $output, its exit in $status.
show() {
	local prompt=$1
	shift
	words "$@" | sed "s|$D|\$D|g" | fold -s -w 72 |
		sed "1s/^/    $prompt $bold/; 2,\$s/^/        $bold/; \$!s/ \$/ \\\\/; s/\$/$plain/"
	output=$("$@" 2>&1)
	status=$?
	[ -z "$output" ] || quote <<<"$output"
}

# The words of a command as one would type them, without what only the demo needs.
words() {
	local word line=
	[ "$1" != inside ] || shift 2
	for word; do
		case $word in
		*[[:space:]\<\>\;\|\&\*\"\$]*) line="$line '$word'" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '%s\n' "${line# }"
}

# expect CLAIM COMMAND...: the claim holds when the command succeeds.
expect() {
	local claim=$1
	shift
	if "$@" >/dev/null 2>&1; then
		held=$((held + 1))
		printf '    %sOK%s  %s\n' "$green" "$plain" "$claim"
	else
		unexpected+=("step $steps: $claim")
		printf '    %sUNEXPECTED%s  not so: %s\n' "$red" "$plain" "$claim"
	fi
}

# Conditions for expect, on what show() left.
succeeded() { [ "$status" -eq 0 ]; }
failed() { [ "$status" -ne 0 ]; }
printed() { has "$1" <<<"$output"; }
# Not grep -q: who writes into it would die of a closed pipe, and that is a failure here.
has() { grep -E -- "$1" >/dev/null; }
gave_page() { succeeded && printed 'Welcome to the shop'; }
refused_at_once() { [ "$status" -eq 7 ]; }
timed_out() { [ "$status" -eq 28 ]; }

# within SECONDS COMMAND...: until it succeeds.
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}
