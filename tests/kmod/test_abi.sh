#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The handshake between ringfence.ko and user space: which version is accepted,
# who may ask, and that the module comes and goes. Guest only: it loads and
# unloads the module ($RF_MODULE) and expects nobody else to use it.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is

here=$(cd "$(dirname "$0")" && pwd)
tools=${RF_BUILD:?}/tests/kmod
# shellcheck source=tests/vm/tap.sh
. "$here/../vm/tap.sh"

[ -n "${RF_MODULE:-}" ] || tap_skip_all "this run is without the module"

abi=$(sed -n 's/^#define RF_MODULE_ABI[[:space:]]*\([0-9]*\).*/\1/p' "$here/../../include/ringfence/abi.h")
# Throttling, also of calls that are made again, and holding everywhere; throttling from probes where kprobe programs
# may call functions.
features=15
case $(uname -r) in 6.1.*) features=11 ;; esac
call() { "$tools/abi_call" "$@"; }
unprivileged() { setpriv --reuid 65534 --regid 65534 --clear-groups "$tools/abi_call" "$@"; }
# Wait until the kernel let go of what the command needs; programs are freed after a grace period.
within_10s()
{
	tries=100
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
mode() { stat -c %a /dev/ringfence; }
unload() { rmmod ringfence 2>/dev/null; }
loaded() { grep -q '^ringfence ' /proc/modules; }
not() { ! "$@"; }

loaded && unload
tap_is "without the module there is no device" "open=ENOENT" call
tap_ok "the module loads" insmod "$RF_MODULE"
[ -e /dev/ringfence ] || { echo "Bail out! no /dev/ringfence"; exit 1; }
tap_is "the device is for its owner only" 600 mode
tap_is "the module's version is accepted" "errno=0 version=$abi features=$features" call
tap_is "an older version is refused and told the module's" "errno=EPROTO version=$abi features=$features" \
	call --version $((abi - 1))
tap_is "a newer version is refused and told the module's" "errno=EPROTO version=$abi features=$features" \
	call --version $((abi + 1))
tap_is "a size one short is refused" "errno=EINVAL version=$abi features=0" call --size 23
tap_is "a size one long is refused" "errno=EINVAL version=$abi features=0" call --size 25
tap_is "a wrong size comes before a wrong version" "errno=EINVAL version=7 features=0" call --size 0 --version 7
tap_is "a reserved member that is not 0 is refused" "errno=EINVAL version=$abi features=0" call --reserved 1
tap_is "a pointer to nothing is refused" "errno=EFAULT version=$abi features=0" call --pointer 0
tap_is "an unknown command is refused" "errno=ENOTTY version=$abi features=0" call --command 0x5200

tap_is "an unprivileged open is refused by the mode" "open=EACCES" unprivileged
chmod 666 /dev/ringfence
tap_is "an unprivileged open is refused whatever the mode" "open=EPERM" unprivileged
chmod 600 /dev/ringfence

# An open file holds the module.
mkfifo "/tmp/hold.$$"
call --hold <"/tmp/hold.$$" >/dev/null &
exec 8>"/tmp/hold.$$"
in_use() { [ "$(cat /sys/module/ringfence/refcnt)" != 0 ]; }
within_10s in_use
tap_ok "the module stays while the device is open" not unload
exec 8>&-
wait
rm -f "/tmp/hold.$$"

if [ -e /sys/kernel/btf/ringfence ]; then
	tap_is "BPF programs can ask for the version" "abi_version=$abi" "$tools/kfunc_call" "$tools/kfunc.bpf.o"
else
	tap_skip "BPF programs can ask for the version" "the module was built without BTF"
fi

tap_ok "the module unloads when nobody uses it" within_10s unload
tap_ok "the device goes with the module" not test -e /dev/ringfence
tap_ok "the module loads again" insmod "$RF_MODULE"
tap_is "and is the same" "errno=0 version=$abi features=$features" call
tap_ok "it unloads again" within_10s unload
tap_done
