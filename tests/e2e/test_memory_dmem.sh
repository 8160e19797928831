#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas of memory that the kernel keeps, by its controller of device memory,
# with the test accelerator, which charges its buffers to it. No kernel of the
# distribution has the controller: scripts/own-kernel.sh dmem.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
grep -qw dmem /sys/fs/cgroup/cgroup.controllers 2>/dev/null || tap_skip_all "the kernel has no dmem controller"
# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"
# shellcheck source=tests/e2e/memory.sh
. "$src/tests/e2e/memory.sh"

region=drm/rf-testaccel.0/vram0
other=drm/rf-testaccel.1/vram0
# file CGROUP FILE REGION: "max" or bytes.
file() { sed -n "s|^$3 ||p" "$cgroup/$1/dmem.$2" 2>/dev/null; }
file_is() { equal "$(file "$1" "$2" "$3")" "$4"; }
# Buffers of what stands as BYTES, until a line comes.
held=
hold()
{
	hold_in=$1
	shift
	mkfifo "$tmp/hold" 2>/dev/null
	inside "$hold_in" "$probe" "$(node 0)" "$@" pause <"$tmp/hold" >"$tmp/held" 2>&1 &
	held=$!
	exec 8>"$tmp/hold"
	await 10 grep -q '^pause' "$tmp/held" || true
}
let_go()
{
	exec 8>&-
	wait "$held"
}
kib=1024
mib=$((1024 * kib))

make_cgroup one two slice/three
tap_is "the device is one that the controller knows" 17179869184 sed -n "s|^$region ||p" /sys/fs/cgroup/dmem.capacity
daemon_must_start
tap_is "a quota of memory can be had, also where ioctls cannot be asked" enforced status_row accelerator-memory support
# Who keeps it where the kernel may not.
otherwise=ioctl
[ "$(status_row accelerator-quotas support)" = enforced ] || otherwise=none
tap_ok "without a quota there is none" test ! -s "$cgroup/one/dmem.max"

quota one 1Mi | put_force one
tap_ok "a quota is the kernel's" await 15 file_is one max $region $mib
tap_ok "on each device" file_is one max $other $mib
tap_is "and nobody else's" max file two max $region
tap_ok "who keeps it is told" await 5 told_is "$(name 0)" one method dmem
tap_is "what is in force" $mib told "$(name 0)" one limit
tap_is "one that fits is given, one beyond it fails as on a full device, one that fits again is given" \
	"open ok alloc ok alloc ENOMEM alloc ok" at one "$(node 0)" "alloc:$((512 * kib))" "alloc:$((600 * kib))" "alloc:$((512 * kib))"
tap_is "which the kernel said, not an ioctl that was denied" 0 use one over_quota
tap_is "on the other device there is as much again" "open ok alloc ok alloc ENOMEM" at one "$(node 1)" "alloc:$mib" "alloc:4096"
tap_is "a workload without a quota has what it asks for" "open ok alloc ok alloc ok" at two "$(node 0)" "alloc:$((8 * mib))" \
	"alloc:$((8 * mib))"
hold one "alloc:$((768 * kib))"
tap_ok "what counts is told" await 15 told_is "$(name 0)" one used $((768 * kib))
tap_is "as the kernel has it" $((768 * kib)) file one current $region
let_go
tap_ok "nothing is left behind" await 5 file_is one current $region 0
tap_is "nothing failed" 0 failures

quota one 2Mi | put_force one
tap_ok "it changes with the policy" await 5 file_is one max $region $((2 * mib))
tap_is "and holds" "open ok alloc ok alloc ENOMEM" at one "$(node 0)" "alloc:$((2 * mib))" "alloc:4096"
quota slice/three 1Mi | sed 's|name: slice/three|name: three|' | put_force three
tap_ok "one below another cgroup has its own" await 5 file_is slice/three max $region $mib
tap_is "and is held to it" "open ok alloc ENOMEM" at slice/three "$(node 0)" "alloc:$((2 * mib))"

# ---- the daemon is gone ----

daemon_end KILL
tap_is "it stays when the daemon is killed" $((2 * mib)) file one max $region
tap_is "and holds" "open ok alloc ok alloc ENOMEM" at one "$(node 0)" "alloc:$((2 * mib))" "alloc:4096"
rm "$tmp/policies/three.yaml"
daemon_must_start
tap_ok "the next one takes it over" await 15 told_is "$(name 0)" one method dmem
tap_ok "and clears what has no policy any more" await 15 file_is slice/three max $region max
tap_is "nobody is held to it then" "open ok alloc ok" at slice/three "$(node 0)" "alloc:$((2 * mib))"

# ---- what others set ----

drop_force one
tap_ok "the limit goes with the policy" await 5 file_is one max $region max
echo "$region $mib" >"$cgroup/one/dmem.max"
quota one 4Mi | put_force one
tap_ok "a stricter one of somebody else's stays" await 5 told_is "$(name 0)" one limit $mib
tap_is "as it was" $mib file one max $region
tap_is "beside ours on the other device" $((4 * mib)) file one max $other
drop_force one
tap_ok "ours goes" await 5 file_is one max $other max
tap_is "and theirs stays" $mib file one max $region
echo "$region $((8 * mib))" >"$cgroup/one/dmem.max"
quota one 4Mi | put_force one
tap_ok "a looser one is tightened" await 5 file_is one max $region $((4 * mib))
drop_force one
tap_ok "and comes back" await 5 file_is one max $region $((8 * mib))
quota one 1Mi audit | put_force one
tap_ok "in audit mode another tells" await 15 told_is "$(name 0)" one method $otherwise
tap_is "and nothing is set" $((8 * mib)) file one max $region
drop_force one
echo "$region max" >"$cgroup/one/dmem.max"

# ---- a device that goes and comes ----

quota one 1Mi | put_force one
await 5 file_is one max $region $mib
hold one "alloc:$((256 * kib))"
echo rf-testaccel.0 >/sys/bus/platform/drivers/rf-testaccel/unbind
let_go
echo rf-testaccel.0 >/sys/bus/platform/drivers/rf-testaccel/bind
await 5 test -c "$(node 0)"
tap_ok "a device that comes back has its limit" await 25 file_is one max $region $mib
tap_is "which holds" "open ok alloc ENOMEM" at one "$(node 0)" "alloc:$((2 * mib))"

# ---- where the controller cannot be had ----

make_cgroup busy/inner
echo -dmem >"$cgroup/cgroup.subtree_control" 2>/dev/null
was=$(log_count 'cannot be set by dmem')
sleep 1000 &
resident=$!
echo "$resident" >"$cgroup/busy/cgroup.procs"
quota busy/inner 1Mi | sed 's|name: busy/inner|name: inner|' | put_force inner
tap_ok "a cgroup whose parent has processes is told of" await 15 log_grew 'cannot be set by dmem' "$was"
tap_ok "and counted" failed_more 0
tap_is "another keeps it then, where there is one" $otherwise told "$(name 0)" inner method
kill "$resident"
await 5 test -z "$(cat "$cgroup/busy/cgroup.procs")"
tap_ok "until the kernel can" await 25 told_is "$(name 0)" inner method dmem
daemon_end TERM
tap_done
