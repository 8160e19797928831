# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # what lib.sh sets
#
# What the tests of quotas of memory share: what is told of who keeps them. Sourced after lib.sh.

# told DEVICE WORKLOAD KEY: of `ringfence accel --json`.
told()
{
	"$ringfence" accel --json | sed 's/.*"memory_limits":\[//; s/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$2\",\"device\":\"$1\"" | sed -n "s/.*\"$3\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}
told_is() { equal "$(told "$1" "$2" "$3")" "$4"; }
failures() { "$ringfence" accel --json | sed -n 's/.*"memory_limit_failures":\([0-9]*\).*/\1/p'; }
failed_more() { above "$(failures)" "$1"; }
# quota CGROUP BYTES [MODE]
quota() { printf 'mode: %s\naccelerators:\n  quota: {memory: %s}\n' "${3:-enforce}" "$2" | doc "$1" "$1"; }
