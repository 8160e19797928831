#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the module is for beside waiting: a daemon that is killed and a bpffs that
# is emptied end no enforcement. And without it they do, which is its twin.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

[ -e /dev/ringfence ] || tap_skip_all "ringfence.ko is not loaded"

make_cgroup held
only() { printf 'devices:\n  default: deny\n  rules:\n    - {path: %s}\n' "$1"; }
only /dev/null | doc held held | put base
daemon_must_start
open() { inside held "$work" open rw "$1"; }
links() { status_row module why | sed -n 's/.*holds \([0-9]*\) links.*/\1/p'; }

tap_is "a device that no rule names is denied" denied open /dev/zero
tap_is "one that a rule names is not" allowed open /dev/null
tap_ok "status says how many links are held" above "$(links)" 5

daemon_end KILL
umount "$tmp/bpf"
tap_ok "the pins are gone" sh -c "! [ -d '$tmp/bpf/links' ]"
tap_is "what was denied still is" denied open /dev/zero
tap_is "what was allowed still is" allowed open /dev/null

only /dev/zero | doc held held | put base
daemon_must_start
tap_is "the next daemon's rules hold" allowed open /dev/zero
tap_is "in both ways" denied open /dev/null
before=$(links)
daemon_end KILL
daemon_must_start
tap_is "a daemon that takes over holds as many" "$before" links

# A hook that nobody asks for any more is detached, held or not.
attached() { status_row "$1" attached; }
if [ "$(status_row bpf-lsm support)" = enforced ]; then
	echo 'kernel: {deny: [bpf]}' | doc asked held | put_force asked
	tap_is "a hook that is asked for is attached" true attached bpf
	drop_force asked
	tap_is "and is not when nobody asks for it" false attached bpf
	programs() { bpftool prog show 2>/dev/null | grep -c 'name rf_kernel_bpf'; }
	none_left() { [ "$(programs)" -le 1 ]; }
	tap_ok "nor does the module keep it" await 10 none_left
fi

"$ringfence" detach --yes >/dev/null
wait "$daemon" 2>/dev/null
daemon=
tap_is "detach ends it" allowed open /dev/null
daemon_must_start
rmmod ringfence 2>/dev/null
daemon_end KILL
umount "$tmp/bpf"
gone() { [ "$(open /dev/null)" = allowed ]; }
tap_ok "without the module it ends with the pins" await 10 gone
insmod "$RF_MODULE"
tap_done
