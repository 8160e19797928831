# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# KTAP for tests written in shell: source it, make claims, call tap_done last.

tap_count=0
tap_failed=0
echo "TAP version 13"

# tap_ok CLAIM COMMAND...: the claim holds when the command succeeds. What it prints is shown when it does not.
tap_ok()
{
	tap_claim=$1
	shift
	tap_count=$((tap_count + 1))
	if tap_output=$("$@" 2>&1); then
		echo "ok $tap_count - $tap_claim"
	else
		echo "not ok $tap_count - $tap_claim"
		echo "# failed: $*"
		printf '%s\n' "$tap_output" | sed 's/^/# /'
		tap_failed=$((tap_failed + 1))
	fi
}

# tap_is CLAIM EXPECTED COMMAND...: the command prints exactly EXPECTED.
tap_is()
{
	tap_claim=$1
	tap_expected=$2
	shift 2
	tap_count=$((tap_count + 1))
	tap_output=$("$@" 2>&1)
	if [ "$tap_output" = "$tap_expected" ]; then
		echo "ok $tap_count - $tap_claim"
	else
		echo "not ok $tap_count - $tap_claim"
		printf '# %s\n' "command:  $*" "expected: $tap_expected"
		printf 'got:      %s\n' "$tap_output" | sed 's/^/# /'
		tap_failed=$((tap_failed + 1))
	fi
}

# tap_todo REASON CLAIM-FUNCTION...: a claim that is known not to hold yet, of any of the functions above. One that
# holds after all fails: its mark is out of date. $tmp is a directory.
tap_todo()
{
	tap_reason=$1
	tap_failed_before=$tap_failed
	shift
	"$@" >"$tmp/tap_todo"
	tap_failed=$tap_failed_before
	if grep -q '^ok' "$tmp/tap_todo"; then
		sed 's/^ok .*/not &/' "$tmp/tap_todo"
		echo "# it holds: take its mark off (tap_todo \"$tap_reason\")"
		tap_failed=$((tap_failed + 1))
	else
		sed "s/^not ok .*/& # TODO $tap_reason/" "$tmp/tap_todo"
	fi
}

# tap_skip CLAIM REASON
tap_skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# tap_skip_all REASON: ends the test; the runner counts it as skipped.
tap_skip_all()
{
	echo "1..0 # SKIP $1"
	exit 4
}

tap_done()
{
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
