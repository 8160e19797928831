#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sockets that addresses and ports say nothing of. Raw ones are denied on every
# host; the others where BPF LSM runs, and refused where it does not. It is the
# making and the reaching out that is judged: what is open stays.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/socket_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
make_cgroup raw raw/child twin audit
daemon_must_start
# make KIND: outcome from inside $at; out of "-" nothing is managed.
make()
{
	if [ "$at" = - ]; then "$probe" make "$1"; else inside "$at" "$probe" make "$1"; fi
}
attached() { status_row "$1" attached; }
section() { printf 'network:\n  sockets: %s\n' "$1"; }
# tenant_doc TENANT NAME CGROUP: as doc, of that tenant. What isolation denies without being asked is let through.
tenant_doc()
{
	tenant=$1
	shift
	{ cat; printf 'isolation: {allow: [unix]}\n'; } | doc "$@" | sed "s/^metadata:/metadata:\n  tenant: $tenant/"
}
reported() { says "$1" "$ringfence" events --kind socket-deny; }
soon() { await 5 reported "$1" || reported "$1"; }

# ---- raw, on every host ----

tap_is "nothing is attached while nobody asks" false attached sock_create
mkfifo "$tmp/go"
enter raw "$probe" hold raw <"$tmp/go" >"$tmp/held" &
helpers="$helpers $!"
exec 9>"$tmp/go"
await 5 grep -q ready "$tmp/held"
{
	section '{deny: [raw]}' | doc raw raw
	printf 'telemetry: {events: []}\n' | doc twin twin
	{ echo 'mode: audit'; section '{deny: [raw]}'; } | doc audit audit
	section '{deny: [raw]}' | doc late late
} | put_force base || exit 1
tap_is "attached when somebody does" true attached sock_create
at=raw
tap_is "raw: an IPv4 socket is denied" denied make raw
tap_is "raw: an IPv6 socket is denied" denied make raw6
tap_is "raw: a TCP socket is allowed" allowed make tcp
tap_is "raw: a UDP socket is allowed" allowed make udp
tap_is "raw: what it does not name is allowed" allowed make packet
echo >&9
tap_ok "raw: one that was open before still sends" await 5 grep -qx allowed "$tmp/held"
at=raw/child
tap_is "raw: a child cgroup is denied" denied make raw
at=twin
tap_is "raw: a workload without the section is allowed" allowed make raw
at=-
tap_is "raw: what is not managed is allowed" allowed make raw
at=audit
tap_is "audit: what would be denied is allowed" allowed make raw
tap_is "audit: it is counted" 1 counter audit socket_would
tap_is "audit: not as denied" 0 counter audit socket_deny
tap_ok "audit: it is reported" soon 'socket-deny would-deny default/default/audit socket_probe.* inet raw protocol 1 '
tap_ok "a denial names policy, field, file and line" soon \
	'socket-deny deny default/default/raw socket_probe.* inet raw protocol 1 policy default/default/raw rule "sockets.deny\[raw\]" .*/base.yaml:10$'
tap_ok "so does its JSON" says '"family":"inet6","type":"raw","protocol":58,"tier":"enforce","policy":"default/default/raw","rule":"sockets.deny\[raw\]"' \
	"$ringfence" events --json --kind socket-deny
before=$(counter raw socket_deny)
at=raw
for _ in 1 2 3 4 5; do
	make raw >/dev/null
done
tap_is "denials are counted exactly" $((before + 5)) counter raw socket_deny
tap_ok "policy show says whose denial it is" says 'deny raw  \(raw, .*/base.yaml:10\)' \
	"$ringfence" policy show default/default/raw
tap_ok "and that nothing is denied elsewhere" says 'sockets: no policy speaks of them: all allowed' \
	"$ringfence" policy show default/default/twin
tap_is "raw sockets are said to be enforced" enforced status_row network-raw-sockets support

# Taken off, killed, adopted.
repairs() { [ "$(status_row sock_create repairs)" -gt "$1" ]; }
bpftool link detach pinned "$tmp/bpf/links/rf_sock_create"
tap_ok "a hook that somebody detaches is put back" await 5 repairs 0
tap_is "and denies" denied make raw
daemon_end KILL
tap_is "without a daemon it is denied" denied make raw
at=twin
tap_is "without a daemon the other workload is allowed" allowed make raw
at=raw
link=$(bpftool link show pinned "$tmp/bpf/links/rf_sock_create" | sed -n '1s/:.*//p')
daemon_must_start
tap_is "the next daemon adopts the hook" "$link" \
	sh -c "bpftool link show pinned '$tmp/bpf/links/rf_sock_create' | sed -n '1s/:.*//p'"
tap_is "and it denies" denied make raw

# Several policies on one workload; then none.
section '{deny: [raw]}' | doc more twin | put_force more || exit 1
at=twin
tap_is "another policy on the workload denies it" denied make raw
drop_force more
tap_is "without that it is allowed" allowed make raw
drop_force base
at=raw
tap_is "a policy that is removed denies no more" allowed make raw
tap_is "and the hook is detached" false attached sock_create
tap_ok "its pin is gone" [ ! -e "$tmp/bpf/links/rf_sock_create" ]

# A workload that comes later is the first to ask.
section '{deny: [raw]}' | doc late late | put_force base || exit 1
tap_is "a policy without a workload attaches nothing" false attached sock_create
make_cgroup late
has_late() { has_workload default/default/late; }
await 5 has_late
at=late
tap_is "the first workload that asks is denied" denied make raw
drop_force base

# A daemon that finds a hook for which nobody asks any more.
section '{deny: [raw]}' | doc raw raw | put_force base || exit 1
daemon_end KILL
rm "$tmp/policies/base.yaml"
daemon_must_start
at=raw
tap_is "a policy that was removed without a daemon denies no more" allowed make raw
tap_is "and its hook is detached" false attached sock_create

# ---- the rest, where BPF LSM runs ----

if [ "$(status_row bpf-lsm support)" != enforced ]; then
	tap_is "without BPF LSM the rest is said to be unavailable" unavailable status_row network-sockets support
	for section in '{deny: [packet]}' '{deny: [raw, unixOtherTenants]}' '{netlink: []}'; do
		section "$section" | doc none raw >"$tmp/none.yaml"
		tap_ok "$section is refused" sh -c "! '$ringfence' apply '$tmp/none.yaml'"
		tap_ok "with the reason" says 'needs network-sockets .* not available on this host: needs BPF LSM: ' \
			"$ringfence" apply "$tmp/none.yaml"
	done
	{ echo 'ifUnsupported: audit'; section '{deny: [raw, packet]}'; } | doc none raw | put_force none || exit 1
	at=raw
	tap_is "with ifUnsupported: audit it is loaded, and denies nothing" allowed make packet
	tap_is "nor what this host could deny: half a policy is none" allowed make raw
	tap_is "that is reported" 1 counter raw socket_would
	tap_skip "packet, vsock, netlink and Unix sockets" "$(status_json | sed -n 's/.*"network-sockets"[^}]*"why":"\([^"]*\).*/\1/p')"
	tap_done
fi

tap_is "with BPF LSM all of it is enforced" enforced status_row network-sockets support
for hook in socket_create socket_connect unix_stream_connect unix_may_send; do
	tap_is "$hook is not attached while nobody asks" false attached $hook
done
make_cgroup packet vsock netlink nonetlink both lsmaudit
{
	section '{deny: [packet]}' | doc packet packet
	section '{deny: [vsock]}' | doc vsock vsock
	section '{netlink: [NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT]}' | doc netlink netlink
	section '{netlink: []}' | doc nonetlink nonetlink
	section '{deny: [packet], netlink: [NETLINK_ROUTE, NETLINK_AUDIT]}' | doc both1 both
	section '{deny: [raw], netlink: [netlink_route, NETLINK_GENERIC]}' | doc both2 both
	{ echo 'mode: audit'; section '{deny: [packet, vsock], netlink: [NETLINK_ROUTE]}'; } | doc lsmaudit lsmaudit
	printf 'telemetry: {events: []}\n' | doc twin twin
} | put_force base || exit 1
tap_is "socket_create is attached when somebody asks" true attached socket_create
tap_is "those of Unix sockets are, by isolation, which nobody need ask for" true attached unix_stream_connect

at=packet
for kind in packet oldpacket xdp; do
	tap_is "packet: $kind is denied" denied make $kind
done
tap_is "packet: what it does not name is allowed" allowed make raw
tap_is "packet: netlink is allowed" allowed make netlink:0
at=twin
for kind in packet oldpacket netlink:0 netlink:9 netlink:15; do
	tap_is "a workload without the section: $kind is allowed" allowed make $kind
done
tap_ok "a workload without the section: xdp is not denied" sh -c "[ '$(make xdp)' != denied ]"
tap_ok "a workload without the section: vsock is not denied" sh -c "[ '$(make vsock)' != denied ]"
tap_ok "a packet denial is told" soon 'socket-deny deny default/default/packet .* packet dgram protocol 0 policy .* rule "sockets.deny\[packet\]" .*/base.yaml:10$'

at=vsock
tap_is "vsock: is denied" denied make vsock
tap_is "vsock: packet is allowed" allowed make packet
if [ "$("$probe" make vsock)" = unsupported ]; then
	tap_skip "vsock: a socket from elsewhere" "this kernel has no AF_VSOCK"
else
	tap_is "vsock: one that was made outside does not connect" denied "$probe" moved vsock "$cgroup/vsock"
	tap_ok "vsock: in another workload it may try" sh -c "[ \"\$('$probe' moved vsock '$cgroup/twin')\" != denied ]"
fi

at=netlink
tap_is "netlink: a family of the list is allowed" allowed make netlink:0
tap_is "netlink: so is another" allowed make netlink:15
tap_is "netlink: any other is denied" denied make netlink:9
tap_is "netlink: one that the kernel does not have, too" denied make netlink:99
tap_is "netlink: other sockets are allowed" allowed make unix
tap_ok "a netlink denial is told" soon 'socket-deny deny default/default/netlink .* netlink raw NETLINK_AUDIT policy .* rule "sockets.netlink" .*/base.yaml:30$'
at=nonetlink
tap_is "netlink: of an empty list none is allowed" denied make netlink:0
at=both
tap_is "two policies: a family of both lists is allowed" allowed make netlink:0
tap_is "two policies: one of the first alone is denied" denied make netlink:9
tap_is "two policies: one of the second alone is denied" denied make netlink:16
tap_is "two policies: what the first denies is denied" denied make packet
tap_is "two policies: what the second denies is denied" denied make raw
at=lsmaudit
for kind in packet netlink:9; do
	tap_is "audit: $kind is allowed" allowed make $kind
done
tap_is "audit: both are counted" 2 counter lsmaudit socket_would
tap_is "audit: neither as denied" 0 counter lsmaudit socket_deny
at=-
tap_is "what is not managed is allowed" allowed make packet
daemon_end KILL
at=packet
tap_is "without a daemon: packet is denied" denied make packet
at=twin
tap_is "without a daemon: the other workload is allowed" allowed make packet
daemon_must_start
tap_is "the next daemon adopts the hook" true attached socket_create
at=packet
tap_is "and it denies" denied make packet
before=$(counter packet socket_deny)
make packet >/dev/null
tap_is "a denial is counted once" $((before + 1)) counter packet socket_deny
pin_is_back() { [ -e "$tmp/bpf/links/rf_socket_create" ]; }
rm "$tmp/bpf/links/rf_socket_create"
tap_ok "a pin that somebody removes is put back" await 5 pin_is_back
drop_force base
tap_is "without the policy: allowed" allowed make packet
tap_is "without the policy: detached" false attached socket_create

# ---- Unix sockets between tenants ----

make_cgroup red red2 blue blue2 green quiet
{
	section '{deny: [unixOtherTenants]}' | tenant_doc red red red
	printf 'telemetry: {events: []}\n' | tenant_doc red red2 red2
	printf 'telemetry: {events: []}\n' | tenant_doc blue blue blue
	printf 'telemetry: {events: []}\n' | tenant_doc blue blue2 blue2
	section '{deny: [unixOtherTenants]}' | tenant_doc green green green
	{ echo 'mode: audit'; section '{deny: [unixOtherTenants]}'; } | tenant_doc red quiet quiet
} | put_force base || exit 1
# listener CGROUP|- HOW ADDRESS
listener()
{
	if [ "$1" = - ]; then
		"$probe" listen "$2" "$3" >"$tmp/listener" 2>&1 &
	else
		enter "$1" "$probe" listen "$2" "$3" >"$tmp/listener" 2>&1 &
	fi
	helpers="$helpers $!"
	await 5 grep -q ready "$tmp/listener" && return
	echo "Bail out! a listener does not start"
	exit 1
}
for how in stream seqpacket dgram; do
	for whose in blue red2 green -; do
		listener "$whose" $how "$tmp/$how.$whose"
	done
	listener blue $how "@rf-$$-$how"
done
# reach CGROUP|- HOW WHOSE
reach()
{
	case $2 in send) reach_at=dgram ;; *) reach_at=$2 ;; esac
	case $3 in @) reach_at=@rf-$$-$reach_at ;; *) reach_at=$tmp/$reach_at.$3 ;; esac
	if [ "$1" = - ]; then "$probe" reach "$2" "$reach_at"; else inside "$1" "$probe" reach "$2" "$reach_at"; fi
}
for how in stream seqpacket dgram send; do
	tap_is "$how: to another tenant is denied" denied reach red $how blue
	tap_is "$how: by an abstract name, too" denied reach red $how @
	tap_is "$how: to another workload of its tenant is allowed" allowed reach red $how red2
	tap_is "$how: to the host is allowed" allowed reach red $how -
	tap_is "$how: a workload that did not ask is allowed" allowed reach red2 $how blue
	tap_is "$how: unless the other end did" denied reach blue $how green
	tap_is "$how: the host reaches that end" allowed reach - $how green
	tap_is "$how: that end reaches itself" allowed reach green $how green
	tap_is "$how: of a tenant that nobody keeps apart all is allowed" allowed reach blue2 $how blue
done
tap_ok "a denial is told" soon 'socket-deny deny red/default/red socket_probe.* unix stream -> blue/default/blue policy red/default/red rule "sockets.deny\[unixOtherTenants\]" .*/base.yaml:11$'
tap_ok "so is one of the other end" soon 'socket-deny deny green/default/green - unix dgram <- blue/default/blue policy green/default/green '
tap_is "each is counted" 8 workload_value red/default/red socket_deny
tap_is "with the end that denied it" 4 workload_value green/default/green socket_deny
tap_is "and not with the other" 0 workload_value blue/default/blue socket_deny
tap_is "audit: to another tenant is allowed" allowed reach quiet stream blue
tap_is "audit: and counted" 1 workload_value red/default/quiet socket_would

daemon_end KILL
tap_is "without a daemon: denied" denied reach red stream blue
tap_is "without a daemon: its own tenant is allowed" allowed reach red stream red2
daemon_must_start
tap_is "the next daemon denies" denied reach red stream blue
tap_is "and allows its own tenant" allowed reach red stream red2
# A tenant that is new must not get the number of one that was there.
make_cgroup yellow
printf 'telemetry: {events: []}\n' | tenant_doc yellow yellow yellow | put_force yellow || exit 1
listener yellow stream "$tmp/stream.yellow"
tap_is "a tenant that comes later is another one" denied reach red stream yellow
drop_force base
tap_is "without the policy: allowed" allowed reach red stream blue
tap_is "without the policy: detached" false attached unix_stream_connect
tap_done
