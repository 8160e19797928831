#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Peers by what they are: workloads by tenant, namespace and name, the host, the world; behind shared addresses and
# with addresses of their own. Every denial beside what is still allowed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

far=rf-far-$$
own=rf-own-$$
after_test() { ip netns del "$far"; ip netns del "$own"; } >/dev/null 2>&1
trap 'after_test; cleanup' EXIT

# veth NAME ADDRESS PEER: a network namespace that is joined to ours.
veth()
{
	ip netns add "$1" && ip link add "v$4" type veth peer name "p$4" netns "$1" &&
		ip address add "$3/24" dev "v$4" && ip link set "v$4" up &&
		ip -n "$1" address add "$2/24" dev "p$4" && ip -n "$1" link set "p$4" up && ip -n "$1" link set lo up
}
if ! veth "$far" 10.77.1.2 10.77.1.1 "f$$" || ! veth "$own" 10.77.2.2 10.77.2.1 "o$$"; then
	tap_skip_all "network namespaces cannot be made here"
fi
# of TENANT CGROUP NAME: a policy; what stands below "spec" is read from stdin.
of()
{
	printf -- '---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: %s, tenant: %s}\nspec:\n' "$2" "$1"
	printf '  workload: %s\n  select:\n    - cgroup: "%s/%s"\n' "$2" "$root" "$2"
	sed 's/^/  /'
}

make_cgroup web db app pod h w free plain late
server db tcp/0.0.0.0/7501 udp/0.0.0.0/7501 tcp/::/7501 udp/::/7501
server app tcp/0.0.0.0/7502 udp/0.0.0.0/7502
server plain tcp/0.0.0.0/7503 udp/0.0.0.0/7503
# serve_in NAME COMMAND...: an echo server in a network namespace.
serve_in()
{
	serve_name=$1
	shift
	"$@" >"$tmp/$serve_name" 2>&1 &
	helpers="$helpers $!"
	await 5 grep -q ready "$tmp/$serve_name"
}
life=$((110 * RF_SLOW))
serve_in own enter pod ip netns exec "$own" "$net" serve "$life" tcp/0.0.0.0/7504 udp/0.0.0.0/7504
serve_in far ip netns exec "$far" "$net" serve "$life" tcp/0.0.0.0/7505 udp/0.0.0.0/7505
daemon_must_start
{
	of a web <<'END'
network: {egress: {default: deny, rules: [{name: own tenant, to: [{namespace: "*"}]}]}}
END
	of a db <<'END'
network: {ingress: {default: deny, rules: [{name: web, from: [{workload: web}]}, {name: pod, from: [{tenant: a, workload: pod}]}]}}
END
	of b app <<'END'
network: {egress: {default: allow, rules: [{name: not a, action: deny, to: [{tenant: a}]}]}}
END
	of a pod <<'END'
network: {ingress: {default: deny, rules: [{name: web, from: [{workload: web}]}, {name: its host, from: [{host: true}]}]}}
END
	of b free <<'END'
network: {ingress: {default: allow}}
END
	of c h <<'END'
network: {egress: {default: deny, rules: [{name: host, to: [{host: true}]}]}}
END
	of c w <<'END'
network: {egress: {default: deny, rules: [{name: world, to: [{world: true}]}]}}
END
} | put_force peers || exit 1

# ---- by the socket at the other end ----

tap_is "TCP: a peer of one's own tenant is reached" allowed inside web "$net" tcp 127.0.0.1 7501
tap_is "TCP: one of another tenant is denied at once" denied inside web "$net" tcp 127.0.0.1 7502
tap_is "TCP: and so is the host" denied inside web "$net" tcp 127.0.0.1 7503
tap_is "UDP: a peer of one's own tenant is reached" allowed inside web "$net" udp 127.0.0.1 7501
tap_is "UDP: one of another tenant is not" denied inside web "$net" udp 127.0.0.1 7502
tap_is "IPv6: a peer of one's own tenant is reached" allowed inside web "$net" tcp ::1 7501
tap_is "IPv6 UDP: likewise" allowed inside web "$net" udp ::1 7501
tap_is "an address of the host leads to the same socket" allowed inside web "$net" tcp 10.77.1.1 7501
tap_is "and to the same denial" denied inside web "$net" tcp 10.77.1.1 7502
tap_is "ingress: who is named comes in, others do not" timeout "$net" tcp 127.0.0.1 7501
tap_is "ingress UDP: likewise" timeout "$net" udp 127.0.0.1 7501
tap_is "ingress: another tenant does not come in" timeout inside free "$net" udp 127.0.0.1 7501
tap_is "deny by tenant: denied" denied inside app "$net" tcp 127.0.0.1 7501
tap_is "deny by tenant: everybody else is reached" allowed inside app "$net" tcp 127.0.0.1 7503
tap_is "deny by tenant: the workload's own kind too" allowed inside app "$net" tcp 127.0.0.1 7502

# ---- host and world ----

tap_is "host: what runs outside of all workloads is reached" allowed inside h "$net" tcp 127.0.0.1 7503
tap_is "host: UDP too" allowed inside h "$net" udp 127.0.0.1 7503
tap_is "host: a workload behind the same address is not" denied inside h "$net" tcp 127.0.0.1 7502
tap_is "host: another host is not" denied inside h "$net" tcp 10.77.1.2 7505
tap_is "world: another host is reached" allowed inside w "$net" tcp 10.77.1.2 7505
tap_is "world: UDP too" allowed inside w "$net" udp 10.77.1.2 7505
tap_is "world: the host is not" denied inside w "$net" tcp 127.0.0.1 7503
tap_is "world: nor by its other addresses" denied inside w "$net" tcp 10.77.2.1 7503
tap_is "world: nor a workload with an address of its own" denied inside w "$net" tcp 10.77.2.2 7504

# ---- by an address of one's own ----

tap_is "own address: a peer of one's own tenant is reached" allowed inside web "$net" tcp 10.77.2.2 7504
tap_is "own address: UDP too" allowed inside web "$net" udp 10.77.2.2 7504
tap_is "own address: another tenant is denied" denied inside app "$net" tcp 10.77.2.2 7504
tap_is "own address: it is known by it when it calls" allowed inside pod ip netns exec "$own" "$net" tcp 10.77.2.1 7501
tap_is "own address: the host comes in where it may" allowed "$net" tcp 10.77.2.2 7504
tap_is "own address: another tenant's workload does not pass for the host" denied inside h "$net" tcp 10.77.2.2 7504

# ---- peers that come and go ----

allowed_now() { [ "$(inside "$@" 2>&1)" = allowed ]; }
tap_ok "another address of a workload is known soon" sh -c "ip -n $own address add 10.77.2.3/32 dev lo && ip route add 10.77.2.3/32 via 10.77.2.2"
tap_ok "and reached by its tenant" await 15 allowed_now web "$net" tcp 10.77.2.3 7504
of a late <<'END' | put_force late
network: {egress: {default: allow}}
END
server late tcp/0.0.0.0/7506
tap_is "a workload that comes later is known" allowed inside web "$net" tcp 127.0.0.1 7506
of b late <<'END' | put_force late
network: {egress: {default: allow}}
END
tap_is "one that moved to another tenant is denied" denied inside web "$net" tcp 127.0.0.1 7506
drop_force late
tap_is "and one that is no workload any more" denied inside web "$net" tcp 127.0.0.1 7506

# ---- the daemon is killed and another takes over ----

daemon_end KILL
tap_is "without a daemon: what was allowed is" allowed inside web "$net" tcp 127.0.0.1 7501
tap_is "without a daemon: what was denied is" denied inside web "$net" tcp 127.0.0.1 7502
daemon_must_start
tap_is "the next daemon: what was allowed is" allowed inside web "$net" tcp 127.0.0.1 7501
tap_is "the next daemon: what was denied is" denied inside web "$net" tcp 127.0.0.1 7502
tap_is "the next daemon: addresses are known" allowed inside web "$net" tcp 10.77.2.2 7504
tap_is "the next daemon: and denied" denied inside app "$net" tcp 10.77.2.2 7504

# ---- what people see ----

verdict_of() { "$ringfence" policy test -w "$@"; }
tap_ok "policy test: an address of a workload is known" \
	says '^allow: .*own tenant.*; the peer is pod$' verdict_of a/default/web --to 10.77.2.2:7504/tcp
tap_ok "policy test: and denied to another tenant" \
	says '^deny: .*not a.*; the peer is pod$' verdict_of b/default/app --to 10.77.2.2:7504/tcp
tap_ok "policy test: loopback is the host" says '^deny: .*; the peer is the host$' verdict_of a/default/web --to 127.0.0.1:7501/tcp
tap_ok "policy test: unless a workload is named" \
	says '^allow: .*; the peer is a/default/db$' verdict_of a/default/web --to 127.0.0.1:7501/tcp --peer a/default/db
tap_ok "policy test: every other address is the world's" \
	says '^allow: .*; the peer is the world$' verdict_of c/default/w --to 192.0.2.1:80/tcp
tap_ok "policy test: a workload that is not there is an error" \
	says 'nobody' verdict_of c/default/w --to 192.0.2.1:80/tcp --peer nobody

tap_ok "policy show tells the peers" says 'host' "$ringfence" policy show c/default/h
tap_ok "status says that peers are enforced" says '"name":"network-peers","support":"enforced"' "$ringfence" status --json
tap_done
