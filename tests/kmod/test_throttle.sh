#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rf_throttle(): who waits, how long, what ends a wait, what is counted. Guest
# only: it loads and unloads the module ($RF_MODULE) and expects nobody else to
# use it.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/kmod/lib.sh
. "$here/lib.sh"
lib_start

probe() { "$tools/throttle_probe" "$@"; }
counts() { "$tools/throttle_count" "$@"; }
# waits FROM TO WHAT HOOK MS...: the quickest of several took FROM to TO ms, and each came to WHAT.
waits()
{
	waits_from=$1 waits_to=$2 waits_what=$3
	shift 3
	waits_out=$(probe ask "$@" 2>&1)
	echo "got: $waits_out"
	echo "expected: $waits_from to $waits_to ms, $waits_what"
	case $waits_out in "least_us="*" $waits_what") ;; *) return 1 ;; esac
	waits_us=${waits_out#least_us=}
	waits_us=${waits_us%% *}
	[ "$waits_us" -ge $((waits_from * 1000)) ] && [ "$waits_us" -lt $((waits_to * 1000)) ]
}
once="waits=1 asked=1 refused=0"
none="waits=0 asked=0 refused=0"

hooks="lsm fentry tracepoint syscall"
uprobe="a uprobe program that asks for 50 ms has its caller wait for 50 ms"
case $(uname -r) in
6.1.*) tap_skip "$uprobe" "before 6.12 no kprobe program may call a module's functions" ;;
*) hooks="$hooks uprobe" ;;
esac
for hook in $hooks; do
	tap_ok "a $hook program that asks for 50 ms has its caller wait for 50 ms" \
		waits 50 1000 "returned=0 $once" "$hook" 50
	tap_ok "a $hook program that asks for nothing does not" waits 0 50 "returned= $none" "$hook" none
done

tap_ok "1 s is cut to 200 ms" waits 200 1000 "returned=0 $once" fentry 1000
tap_ok "and so is what would overflow" waits 200 1000 "returned=0 $once" fentry 18446744073709
tap_ok "0 ms is a wait that takes no time" waits 0 50 "returned=0 $once" fentry 0
twice="returned=0,1 waits=1 asked=2 refused=0"
tap_ok "two requests in one system call are one wait, of the second when that is longer" \
	waits 150 200 "$twice" fentry 50,150
tap_ok "and of the first when that is" waits 150 200 "$twice" fentry 150,50
tap_ok "flags are refused and nobody waits" waits 0 50 "returned=-22 $none" fentry 50 2
tap_ok "so is the highest of them" waits 0 50 "returned=-22 $none" fentry 50 0x80000000

tap_is "a kill ends a wait" "killed=20 ended=early cut=1 pending=0" probe kill
tap_is "a signal with a handler ends a wait, and that is counted" "waits=20 handled=20 counted=1 ended=early" probe signal
tap_is "without a signal it lasts" "waits=20 handled=0 counted=1 ended=late" probe signal none
tap_is "a cgroup with a task that waits over and over freezes at once, stays so and thaws" \
	"frozen=early still=1 thawed=1 killed=1 pending=0" probe freeze "$cgroup"
tap_is "cgroup.kill ends a wait" "killed=20 ended=early pending=0" probe cgroup_kill "$cgroup"
tap_is "a task that exits is not kept waiting, and that is counted" \
	"asked=5 skipped=5 waits=0 pending=0 ended=early" probe exit exit_group
tap_is "one that did not ask is not counted" "asked=0 skipped=0 waits=0 pending=0 ended=early" probe exit none

tap_is "200 threads wait at once, and none is left over" "pending=200 pending=0" probe crowd
tap_is "not one after another" "waits=200 cut=0 ended=early pending=0" probe crowd once

# A small machine allows fewer.
echo 32768 >/proc/sys/kernel/threads-max
tap_is "where there is no room a task is refused, and most of the room was taken before" \
	"before_one=most refused=some as=-28 waits=all pending=0" probe full

refused="asked=0 refused=all counted=1 pending=0"
tap_is "work of the kernel's own cannot wait" "$refused" counts nobody kthread
tap_is "an interrupt cannot wait" "$refused" counts nobody interrupt
tap_is "a task that is exiting cannot wait" "$refused" counts nobody exit
tap_is "a worker of io_uring cannot wait" "$refused" counts nobody io
vhost="a worker of vhost cannot wait"
if modprobe vhost_net 2>/dev/null && [ -e /dev/vhost-net ]; then
	tap_is "$vhost" "$refused" counts nobody vhost
else
	tap_skip "$vhost" "the kernel has no vhost_net here"
fi
tap_is "the function and the ioctl count alike, it adds up, and sizes that are wrong are refused" \
	"returned=0 agree=1 sum=1 used=1 short=-22 long=-22" counts stat

last=$(($(limit_of RF_MAX_WORKLOADS) - 1))
tap_is "the mapping counts a wait for its workload" "waited=1 counted=1 exactly=1 others=0" counts map 7
tap_is "and for the last that there is" "waited=1 counted=1 exactly=1 others=0" counts map $last
tap_is "one past it waits and is counted for nobody" "waited=1 others=0" counts map $((last + 1))
tap_is "so does the highest number" "waited=1 others=0" counts map 4294967295
tap_is "the mapping is only for reading, and as long as the workloads are many" \
	"read=0 write=EPERM private=EPERM past=EINVAL mprotect=EACCES mprotect_private=EACCES" counts map_modes
lib_end
