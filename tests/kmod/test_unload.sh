#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unloading the module while tasks wait in it is refused or works, and harms
# nobody. $RF_ROUNDS rounds, 20 unless told otherwise; 1000 by hand. Guest only:
# it loads and unloads the module ($RF_MODULE) and expects nobody else to use it.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/kmod/lib.sh
. "$here/lib.sh"
: "${RF_ROUNDS:=20}"
lib_start

tap_ok "it unloads when nobody waits" within_20s unload
# Not within the claim: the progress of a long run is to be seen while it runs.
"$tools/unload_probe" "$RF_MODULE" "$cgroup" "$RF_ROUNDS" >"$tmp/rounds"
tap_is "in $RF_ROUNDS rounds it is refused while programs or tasks use it, and works when they are gone" \
	"kill=$(((RF_ROUNDS + 2) / 3)) cgroup.kill=$(((RF_ROUNDS + 1) / 3)) orphans=$((RF_ROUNDS / 3))" cat "$tmp/rounds"
tap_ok "it loads again" insmod "$RF_MODULE"
lib_end
