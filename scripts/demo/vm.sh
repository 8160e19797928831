#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make demo VM=1`: the demonstration in guests, one for each of LEVELS (0 1 2),
# with kernel KERNEL (6.12). The guests' roots and kernels are those of the
# tests; making them takes minutes the first time.
#
#   level 0   no "bpf" in lsm=      level 1   with it      level 2   and ringfence.ko
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh

: "${O:=build}" "${LEVELS:=0 1 2}" "${KERNEL:=6.12}" "${VM_LIMIT:=900}"
[ "$(id -u)" = 0 ] || { echo "demo: making and building in guest roots needs root" >&2; exit 1; }
for program in qemu-system-x86_64 mmdebstrap; do
	command -v "$program" >/dev/null || { scripts/deps.sh all; break; }
done
mkdir -p "$O/vm"
O=$(cd "$O" && pwd)

root=$(scripts/vm-root.sh "$(rf_root_suite "$KERNEL")")
release=$(rf_root_kernel "$root" "$KERNEL")
build=$O/vm/demo-$(rf_root_suite "$KERNEL")
log=$O/vm/demo.log
echo "Building for Linux $release in $root"
# Also without level 2: where the headers lack the kernel's types, building the module cuts them out of its image.
if ! scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/vm/build-module.sh "$release" >"$log" 2>&1; then
	tail -n 20 "$log"
	echo "demo: the module does not build; going on without level 2" >&2
	LEVELS=${LEVELS//2/}
fi
scripts/vm/build.sh "$root" "$PWD" "$build" /mnt/src/scripts/demo/vm-build.sh "$release" >"$log" 2>&1 ||
	{ tail -n 20 "$log"; exit 1; }

failed=0
for level in $LEVELS; do
	words="lsm=landlock,lockdown,yama,integrity,apparmor"
	[ "$level" = 0 ] || words=$words,bpf
	[ "$level" != 2 ] || words="$words rf.module=/mnt/build/kmod/$release/ringfence.ko"
	# Colour is for a terminal here; the guest has one of its own in any case.
	{ [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; } || words="$words rf.plain"
	printf '\n======== level %s, in a guest ========\n' "$level"
	: >"$O/vm/demo.$level"
	scripts/vm-run.sh --root "$root" --kernel "$release" --init /mnt/src/scripts/demo/vm-init --share "src=$PWD" \
		--share "build=$build" --append "$words" --console "$O/vm/demo.console" --limit "$VM_LIMIT" |
		tr -d '\r' | tee "$O/vm/demo.$level" || true
	sed -i 's/\x1b\[[0-9]*m//g' "$O/vm/demo.$level"
	if ! grep -qE "^demo: [0-9]+ as expected, 0 not, level $level, " "$O/vm/demo.$level"; then
		failed=1
		grep -q '^demo: ' "$O/vm/demo.$level" || { echo "The guest's console ends with:"; tail -n 30 "$O/vm/demo.console"; }
	fi
done

echo
for level in $LEVELS; do
	echo "level $level: $(grep '^demo: ' "$O/vm/demo.$level" || echo 'did not come to its end')"
done
exit $failed
