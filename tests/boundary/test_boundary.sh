#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ways across the boundary of a container or a tenant (tests/boundary/probe), by
# a root that has all capabilities, so that nothing else holds: from a bare
# cgroup, and from a privileged crun container that shares the host's process,
# network and IPC namespaces. Each gets through without a policy, is held under
# "restricted", is reported in audit and not held, and the ordinary thing beside
# it works all the time. A table of all that is printed at the end.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

probe=$build/tests/boundary/boundary_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
[ -n "${RF_IN_VM:-}" ] || tap_skip_all "these are for a guest: they try what would harm a host that lets them"
grep -qw bpf /sys/kernel/security/lsm || tap_skip_all "needs BPF LSM"
make_cgroup attack box near far
"$probe" list >"$tmp/list"
names=$(cut -f 1 "$tmp/list")
tab=$(printf '\t')

# The other side: what it tells is in $tmp/near and $tmp/far. Anew for each stage: a thing that was made before the
# policy is the host's.
victim()
{
	mkdir -p "$tmp/tree/$1"
	echo secret >"$tmp/tree/$1/file"
	enter "$1" "$probe" victim "$tmp/$1" "rf-$1" "$tmp/tree/$1/file" <"$tmp/stay" >>"$tmp/victims" 2>&1 &
	helpers="$helpers $!"
	victims="$victims $!"
}
victims=
victims_start()
{
	# shellcheck disable=SC2086 # a list
	[ -z "$victims" ] || { kill $victims && wait $victims; }
	victims=
	rm -f "$tmp/near" "$tmp/far" "$tmp/stay"
	mkfifo "$tmp/stay"
	victim near
	victim far
	exec 9>"$tmp/stay"
	if await 5 test -s "$tmp/near" && await 5 test -s "$tmp/far"; then return; fi
	echo "Bail out! there is no other side: $(cat "$tmp/victims")"
	exit 1
}

# ---- from where ----

from_cgroup() { inside attack "$@"; }

# A root of its own over the guest's, writable in an upper layer, as an image has one.
mkdir -p "$tmp/box/rootfs" "$tmp/box/upper" "$tmp/box/work"
# Before the directories go, so must what is mounted there.
trap 'umount "$tmp/box/rootfs"; cleanup' EXIT
mount -t overlay -o "lowerdir=/,upperdir=$tmp/box/upper,workdir=$tmp/box/work" none "$tmp/box/rootfs"
all="CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
 NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
 SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
 WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
# shellcheck disable=SC2086 # words
capabilities=$(echo $all | sed 's/ /", "CAP_/g; s/.*/"CAP_&"/')
# from_box COMMAND...
from_box()
{
	box_args=
	for box_word; do
		box_args="$box_args,\"$box_word\""
	done
	cat >"$tmp/box/config.json" <<-JSON
	{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "hostname": "box",
	 "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/usr/bin:/bin"], "args": [${box_args#,}],
	  "capabilities": {"bounding": [$capabilities], "effective": [$capabilities], "permitted": [$capabilities]}},
	 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
	  {"destination": "/sys", "type": "bind", "source": "/sys", "options": ["rbind"]},
	  {"destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind"]},
	  {"destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["rbind"]},
	  {"destination": "/mnt", "type": "bind", "source": "/mnt", "options": ["rbind"]}],
	 "linux": {"cgroupsPath": "$root/box/rf", "namespaces": [{"type": "mount"}, {"type": "uts"}],
	  "resources": {"devices": [{"allow": true, "access": "rwm"}]}}}
	JSON
	crun --cgroup-manager=cgroupfs --root "$tmp/crun" run --bundle "$tmp/box" rf-box </dev/null
}

# ---- what happens ----

# try STAGE FROM: all probes and what is beside them, into $tmp/STAGE.FROM.
try()
{
	# shellcheck disable=SC2046 # words
	{
		"from_$2" "$probe" cross "$tmp/far" $(cut -f 1 "$tmp/list")
		"from_$2" "$probe" twin "$tmp/far" $(awk -F "$tab" '$4 == "twin" { print $1 }' "$tmp/list")
		"from_$2" "$probe" twin "$tmp/near" $(awk -F "$tab" '$4 != "twin" { print $1 }' "$tmp/list")
	} >"$tmp/$1.$2" 2>"$tmp/$1.$2.errors"
	sed 's/^/# /' "$tmp/$1.$2.errors"
}
# crossed STAGE FROM NAME, beside STAGE FROM NAME: the first word that a probe, and its twin, said.
crossed() { awk -F "$tab" -v name="$3" '$1 == name && $2 ~ /^(crossed|held|absent)/ { print $2; exit }' "$tmp/$1.$2"; }
beside() { awk -F "$tab" -v name="$3" '$1 == name && $2 ~ /^(works|fails)/ { print $2; exit }' "$tmp/$1.$2"; }
held() { crossed "$@" | grep -q '^held E\(PERM\|ACCES\|NOKEY\)$' || { echo "it says: $(crossed "$@")"; return 1; }; }

# policies MODE
policies()
{
	cat <<-YAML
	apiVersion: ringfence/v1
	kind: Label
	metadata: {name: far-tree, tenant: blue}
	spec: {kind: secret, paths: ["$tmp/tree/far"]}
	---
	apiVersion: ringfence/v1
	kind: WorkloadPolicy
	metadata: {name: attack, tenant: red}
	spec:
	  mode: $1
	  select: [{cgroup: "$root/attack"}, {cgroup: "$root/box"}]
	  kernel: {preset: restricted}
	  process: {drift: deny, memfd: deny}
	  files: {rules: [{action: deny, label: far-tree}]}
	  network: {sockets: {deny: [raw, packet]}}
	  devices:
	    default: deny
	    rules: [{path: /dev/null}, {path: /dev/zero}, {path: /dev/urandom}]
	---
	apiVersion: ringfence/v1
	kind: WorkloadPolicy
	metadata: {name: near, tenant: red}
	spec: {mode: $1, select: [{cgroup: "$root/near"}], telemetry: {events: []}}
	---
	apiVersion: ringfence/v1
	kind: WorkloadPolicy
	metadata: {name: far, tenant: blue}
	spec: {mode: $1, select: [{cgroup: "$root/far"}], telemetry: {events: []}}
	YAML
}
places="cgroup box"
victims_start
for place in $places; do
	try bare "$place"
done
daemon_must_start
policies enforce | put_force boundary || exit 1
victims_start
for place in $places; do
	try enforce "$place"
done
policies audit | put_force boundary || exit 1
victims_start
for place in $places; do
	try audit "$place"
done

for place in $places; do
	for name in $names; do
		if [ "$(crossed bare "$place" "$name")" = absent ]; then
			tap_skip "$place, $name" "this kernel has no such way"
			continue
		fi
		tap_is "$place, $name: gets through without a policy" crossed crossed bare "$place" "$name"
		tap_ok "$place, $name: is held" held enforce "$place" "$name"
		tap_is "$place, $name: is let through in audit" crossed crossed audit "$place" "$name"
		tap_is "$place, $name: what is beside it works" "works works works" \
			echo "$(beside bare "$place" "$name") $(beside enforce "$place" "$name") $(beside audit "$place" "$name")"
	done
done
echo "#"
echo "# way                     boundary  bare cgroup       container         reference"
while IFS=$tab read -r name boundary reference _; do
	printf '# %-23s %-9s %-17s %-17s %s\n' "$name" "$boundary" "$(crossed enforce cgroup "$name")" \
		"$(crossed enforce box "$name")" "$reference"
done <"$tmp/list"
tap_done
