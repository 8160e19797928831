#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holding links: what the module holds stays attached when nobody else has it,
# for as long as it is told. Guest only: it loads and unloads the module
# ($RF_MODULE) and expects nobody else to use it.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/kmod/lib.sh
. "$here/lib.sh"
lib_start

hold() { "$tools/hold_probe" "$@"; }
# A link is detached some time after its last reference went.
allowed() { within_20s prints allowed hold try "$cgroup"; }
# So what must stay is looked at when a link that was made and left after it is gone.
later=$cgroup-later
mkdir "$later"
denied()
{
	hold attach "$later" && within_20s prints allowed hold try "$later" && prints denied hold try "$cgroup"
}
max=$(limit_of RF_MAX_HELD_LINKS)

tap_is "a socket is made where nothing denies it" allowed hold try "$cgroup"
tap_is "a link that nobody holds is made" "" hold attach "$cgroup"
tap_ok "and goes with the process that made it" allowed
tap_is "nothing is held" "errno=0 released=0 held=0" hold release 7

tap_is "a link is held" 0 hold attach "$cgroup" 7
tap_ok "and denies when the process that made it is gone" denied
tap_is "a release that keeps its owner keeps it" "errno=0 released=0 held=1" hold release 7
tap_ok "and it denies" denied
tap_is "a release that keeps another lets it go" "errno=0 released=1 held=0" hold release 8
tap_ok "and it denies no more" allowed

tap_is "a link is held three times" "0 0 0" hold attach "$cgroup" 7 7 8
tap_is "which is once, for the last owner" "errno=0 released=0 held=1" hold release 8
tap_is "the one before owns nothing" "errno=0 released=1 held=0" hold release 7
tap_ok "and one release is enough" allowed

tap_is "the links of two owners are held" 0 hold attach "$cgroup" 7
tap_is "the second's" 0 hold attach "$cgroup" 8
tap_is "a release lets go of one of them" "errno=0 released=1 held=1" hold release 8
tap_ok "and the other denies" denied
tap_is "a release that keeps none lets go of all" "errno=0 released=1 held=0" hold release 0
tap_ok "and nothing denies" allowed

tap_is "what is no link, no owner or no request is refused, and the link beside it is not" \
	"owner0=EINVAL reserved=EINVAL closed=EBADF negative=EBADF file=EINVAL program=EINVAL owner0_file=EINVAL \
pointer=EFAULT release=EFAULT link=0" hold refuse "$cgroup"
tap_is "what was refused is not held" "errno=0 released=1 held=0" hold release 0
tap_ok "and does not deny" allowed

tap_is "$max links are held, one more is not, and one that is can be held again" \
	"held=$max then=ENOSPC again=0" hold fill
tap_is "when it is full, another is refused" ENOSPC hold attach "$cgroup" 7
tap_ok "and goes with its process" allowed
tap_is "the one held again is its last owner's" "errno=0 released=$((max - 1)) held=1" hold release 2
tap_is "there is room again" 0 hold attach "$cgroup" 7
tap_ok "which denies" denied

tap_ok "the module unloads while it holds links" unload
tap_ok "and they are detached" allowed
tap_ok "the module loads again" insmod "$RF_MODULE"
tap_is "and holds nothing" "errno=0 released=0 held=0" hold release 0

# A program that calls the module holds it, so a link that it holds does.
tap_ok "the link of a program that calls the module is held" "$tools/throttle_count" hold
tap_ok "the module stays as long" not unload
tap_is "until it lets go" "errno=0 released=1 held=0" hold release 0
rmdir "$later"
lib_end
