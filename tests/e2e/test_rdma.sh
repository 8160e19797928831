#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# RDMA devices: who may open them, and that they are followed as they come and
# go. By the kernel's own software device (rdma_rxe) on interfaces of the
# test's, so only where that can be loaded.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/accel_probe
command -v rdma >/dev/null || tap_skip_all "iproute2 has no rdma here"
modprobe -a dummy ib_uverbs rdma_rxe 2>/dev/null || tap_skip_all "the kernel has no RDMA in software"
[ ! -e /dev/infiniband/uverbs0 ] || tap_skip_all "the host has RDMA devices of its own"
trap 'unplug 0; unplug 1; cleanup' EXIT

# plug N, unplug N: a device and its node, uverbsN for the first two.
plug()
{
	ip link add "rf-rdma$1" type dummy && ip link set "rf-rdma$1" up &&
		rdma link add "rf_rxe$1" type rxe netdev "rf-rdma$1"
}
unplug()
{
	rdma link delete "rf_rxe$1" 2>/dev/null
	ip link del "rf-rdma$1" 2>/dev/null
}
node() { echo "/dev/infiniband/uverbs$1"; }
at() { inside "$1" "$probe" "$2" | tr '\n' ' ' | sed 's/ $//'; }
at_is() { [ "$(at "$1" "$2")" = "$3" ]; }
listed() { says "infiniband/uverbs$1" "$ringfence" accel; }

plug 0 || tap_skip_all "a device cannot be made here"
await 5 test -c "$(node 0)" || tap_skip_all "its node does not come"

make_cgroup first none all audit plain
daemon_must_start
{
	doc first first <<'END'
accelerators:
  rules:
    - {name: "the first", class: infiniband, index: 0}
END
	doc none none <<'END'
accelerators:
  default: deny
END
	doc all all <<'END'
accelerators:
  rules:
    - {name: "any", class: infiniband}
END
	doc audit audit <<'END'
mode: audit
accelerators: {default: deny}
END
} | put_force base || exit 1

tap_ok "the device is listed" await 5 listed 0
tap_is "who may is let open it" "open ok" at first "$(node 0)"
tap_is "by its class, too" "open ok" at all "$(node 0)"
tap_is "who may not is not" "open EPERM" at none "$(node 0)"
tap_is "who is in no workload is asked nothing" "open ok" at plain "$(node 0)"
tap_is "in audit mode it is opened" "open ok" at audit "$(node 0)"
tap_ok "and reported" says 'device-deny would-deny default/default/audit ' "$ringfence" events --verdict would-deny
tap_ok "a denial names device and policy" says 'default/default/none .*infiniband/uverbs0.*default/default/none' \
	"$ringfence" events --verdict deny

major=$((0x$(stat -c %t "$(node 0)")))
minor=$((0x$(stat -c %T "$(node 0)")))
make_node() { inside "$1" "$work" mknod char "$major" "$minor" "$tmp/made.$1"; }
tap_is "a node of one's own making is made by who may" allowed make_node first
tap_is "and by no other" denied make_node none

# ---- one that comes ----

plug 1
await 5 test -c "$(node 1)"
tap_ok "one that comes is followed" await 10 listed 1
tap_ok "and used by who may use the class" await 10 at_is all "$(node 1)" "open ok"
tap_is "not by who may use the first" "open EPERM" at first "$(node 1)"
tap_is "nor by who may use none" "open EPERM" at none "$(node 1)"
unplug 1
unlisted() { ! listed 1; }
tap_ok "one that goes is followed" await 10 unlisted
tap_is "and changes nothing for the other" "open ok" at first "$(node 0)"
tap_is "nor for who may not" "open EPERM" at none "$(node 0)"
tap_done
