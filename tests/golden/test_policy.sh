#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `ringfence policy check` says of files, compared with what was reviewed:
# policy/NAME.yaml and policy/NAME.expected. RF_UPDATE=1 writes the latter anew.
set -u
: "${RF_SRC:=.}" "${RF_BUILD:=build}"
RF_BUILD=$(cd "$RF_BUILD" && pwd)
# shellcheck source=tests/vm/tap.sh
. "$RF_SRC/tests/vm/tap.sh"
cd "$RF_SRC/tests/golden/policy" || exit 1

said() { NO_COLOR=1 "$RF_BUILD/ringfence" policy check "$1" 2>&1; }
same() { said "$1.yaml" | diff -u "$1.expected" -; }

for file in *.yaml; do
	name=${file%.yaml}
	[ -z "${RF_UPDATE:-}" ] || said "$file" >"$name.expected"
	tap_ok "$name is told as it was reviewed" same "$name"
done

cd - >/dev/null || exit 1
reference() { "$RF_BUILD/ringfence" policy reference | diff -u "$RF_SRC/Documentation/policy-reference.md" -; }
tap_ok "the reference page is what the schema says" reference
for file in "$RF_SRC"/examples/*.yaml "$RF_SRC"/examples/policies/*.yaml "$RF_SRC"/examples/demo*/*.yaml; do
	[ -e "$file" ] || continue
	tap_ok "the shipped $(basename "$file") is right" "$RF_BUILD/ringfence" policy check "$file"
done
tap_done
