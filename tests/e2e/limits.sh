# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # what lib.sh sets, and what tests use
#
# What the tests of limits of memory at NVIDIA's driver share: a library in NVML's place, whose limits are a file. Sourced
# after lib.sh.

# shellcheck source=tests/e2e/nvml.sh
. "$src/tests/e2e/nvml.sh"
# shellcheck source=tests/e2e/memory.sh
. "$src/tests/e2e/memory.sh"

nvml_install libnvidia-ml.so.1 libnvidia-ml-r610.so.1
# conf TEXT...: a line each; LIBRARY is whose.
conf() { printf '%s\n' "$@" | conf_write "${LIBRARY:-$library}"; }
# limit NUMBER CGROUP: the hard limit that the library has; "max", "" when it was never asked.
limit()
{
	sed -n "s|^$1 $cgroup/$2 [0-9]* ||p" "$library.limits" 2>/dev/null | sed 's/^18446744073709551615$/max/'
}
limit_is() { equal "$(limit "$1" "$2")" "$3"; }
# The helpers of this daemon that set limits.
setters() { pgrep -P "$daemon" -f -- --set-limits; }
no_setter() { [ -z "$(setters)" ]; }
setter() { [ -n "$(setters)" ]; }
daemon_with() { daemon_must_start --gpu-library "$1"; }

first=0000:3b:00.0
second=0000:86:00.0
