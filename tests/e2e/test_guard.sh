#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lock: what would end or change enforcement is refused to root outside the daemon's own cgroup, and reported; the
# daemon itself goes on as before; the token opens it. Each refusal has a twin that passes, on something else or unlocked.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/guard_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
try() { "$probe" "$@"; }
reported() { says "$1" "$ringfence" events --kind guard-deny; }
refused() { status_json | sed 's/{"name"/\n{"name"/g' | sed -n "s/^{\"name\":\"$1\",\"count\":\([0-9]*\).*/\1/p"; }

if ! grep -qw bpf /sys/kernel/security/lsm 2>/dev/null; then
	"$ringfenced" --policy-dir "$tmp/policies" --state-dir "$tmp/state" --socket "$tmp/socket" --bpffs "$tmp/bpf" \
		--cgroup-root "$cgroup" --listen none --lock >"$tmp/out" 2>&1 </dev/null
	tap_is "without BPF LSM a daemon that should lock does not run" 1 echo $?
	tap_ok "and says why" grep -q 'not locked: .*needs BPF LSM' "$tmp/out"
	tap_ok "one that need not does" daemon_start
	tap_ok "nothing can be unlocked there" sh -c "! '$ringfence' unlock --token '$tmp/state/lock.token' 2>'$tmp/err' && grep -q 'nothing is locked' '$tmp/err'"
	tap_done
fi

# The daemon has a cgroup to itself; what these tests do is outside of it.
home=$v2/rf-guard-$$
mkdir -p "$home/daemon"
printf '#!/bin/sh\necho $$ >%s/daemon/cgroup.procs\nexec %s "$@"\n' "$home" "$ringfenced" >"$tmp/wrapped"
chmod +x "$tmp/wrapped"
real=$ringfenced
ringfenced=$tmp/wrapped
unlock_all()
{
	"$ringfence" unlock --token "$tmp/state/lock.token" >/dev/null 2>&1
	cleanup
	rmdir "$home/daemon" "$home" 2>/dev/null
}
trap unlock_all EXIT
make_cgroup app
printf 'telemetry: {events: []}\n' | doc app app | put base
daemon_must_start
tap_is "without --lock nothing is locked" false status_value locked
maps=$(echo "$tmp"/bpf/maps_*)
tap_is "a map can be opened" allowed try map "$maps/rf_config"
# While it may be asked; the next daemon takes both over.
map_id=$(bpftool map show 2>/dev/null | sed -n 's/^\([0-9]*\): .*name rf_cgroup_map.*/\1/p' | tail -n 1)
program_id=$(bpftool prog show 2>/dev/null | sed -n 's/^\([0-9]*\): .*name rf_exec .*/\1/p' | tail -n 1)
daemon_end TERM
daemon_must_start --lock
tap_is "with it all is" true status_value locked
tap_is "the token is for root alone" "-r--------" sh -c "ls -l '$tmp/state/lock.token' | cut -c 1-10"

link=$tmp/bpf/links/rf_exec

tap_is "kill: the daemon" denied try term "$daemon"
tap_is "kill: whether it lives may be asked" allowed try alive "$daemon"
sleep 1000 &
other=$!
helpers="$helpers $other"
tap_is "kill: another process" allowed try term "$other"
tap_is "trace: the daemon" denied try trace "$daemon"
tap_is "trace: another process" allowed try trace $$
tap_is "map: by its pin" denied try map "$maps/rf_cgroup_map"
tap_is "map: for reading" allowed try map-read "$maps/rf_cgroup_map"
tap_is "map: the one with the token not even for reading" denied try map-read "$maps/rf_guard_map"
if [ -n "$map_id" ]; then
	tap_is "map: by its id" denied try map-id "$map_id"
	tap_is "program: by its id" denied try program-id "$program_id"
else
	tap_skip "map and program by id" "bpftool is not here"
fi
tap_is "link: detached" denied try link-detach "$link"
tap_is "link: changed" denied try link-update "$link"
tap_is "lsm: another program" denied try load-lsm
tap_is "lsm: a program of another type" allowed try load-filter
tap_is "pin: unlinked" denied try unlink "$link"
tap_is "pin: renamed" denied try rename "$link"
: >"$tmp/file"
tap_is "pin: another file" allowed try unlink "$tmp/file"
tap_is "bpffs: unmounted" denied try umount "$tmp/bpf"
tap_is "bpffs: mounted over" denied try mount-over "$tmp/bpf"
mkdir "$tmp/mount"
tap_is "bpffs: another mount" allowed try mount-over "$tmp/mount"
tap_is "bpffs: and its end" allowed try umount "$tmp/mount"
loaded=$(grep -c '^ringfence ' /proc/modules)
tap_is "module: ours" denied try module ringfence
if [ "$loaded" -gt 0 ]; then
	tap_ok "module: it is loaded, and stays" grep -q '^ringfence ' /proc/modules
else
	tap_skip "module: it is loaded, and stays" "ringfence.ko is not loaded"
fi
tap_is "module: another" allowed try module rf_no_such_module
tap_is "cgroup: joining the daemon's" denied try join "$home/daemon/cgroup.procs"
tap_is "cgroup: killing it" denied try open "$home/daemon/cgroup.kill"
tap_is "cgroup: freezing it" denied try open "$home/daemon/cgroup.freeze"
tap_is "cgroup: killing one above it" denied try open "$home/cgroup.kill"
tap_is "cgroup: another" allowed try open "$cgroup/app/cgroup.kill"
for operation in kill trace map link lsm-load unpin umount mount-over module cgroup; do
	tap_ok "$operation is reported" reported "guard-deny deny .* $operation \("
	tap_ok "$operation is counted" above "$(refused $operation)" 0
done
tap_ok "the daemon lives" kill -0 "$daemon"
tap_is "and nothing had to be put back" 0 log_count tampering

# ---- it goes on as before ----

printf 'network: {egress: {default: deny}}\n' | doc app app | put_force base
tap_ok "a policy comes into force" "$ringfence" policy show default/default/app
tap_is "detach is refused" 1 sh -c "'$ringfence' detach --yes 2>'$tmp/err'; echo \$?"
tap_ok "with what to do" grep -q '"ringfence unlock" comes first' "$tmp/err"
head -c 64 /dev/zero | tr '\0' 0 >"$tmp/wrong.token"
tap_ok "a wrong token opens nothing" sh -c "! '$ringfence' unlock --token '$tmp/wrong.token' 2>'$tmp/err' && grep -q 'not the token' '$tmp/err'"
tap_is "it is locked still" denied try map "$maps/rf_cgroup_map"

# ---- a daemon that is gone ----

ringfenced=$real
tap_ok "the token opens it for a while" "$ringfence" unlock --token "$tmp/state/lock.token" --for 600s
tap_is "a map can be opened then" allowed try map "$maps/rf_cgroup_map"
tap_ok "status says for how long" says 'locked, and open for [0-9]* s' "$ringfence" status
daemon_end KILL
tap_is "what was locked outlives the daemon, open as it was" allowed try map "$maps/rf_cgroup_map"
ringfenced=$tmp/wrapped
mv "$tmp/state/lock.token" "$tmp/kept.token"
cp "$tmp/wrong.token" "$tmp/state/lock.token"
tap_ok "another token takes over nothing" sh -c "! '$tmp/wrapped' --policy-dir '$tmp/policies' --state-dir '$tmp/state' --socket '$tmp/socket' --bpffs '$tmp/bpf' --cgroup-root '$cgroup' --listen none --lock >'$tmp/out' 2>&1"
tap_ok "and that is said" grep -q 'with another token' "$tmp/out"
mv "$tmp/kept.token" "$tmp/state/lock.token"
daemon_must_start --lock
tap_ok "the next daemon takes over" says 'took over what an earlier daemon left' tail -n 40 "$tmp/log"
tap_ok "ringfence lock ends what unlock began" "$ringfence" lock
tap_is "kill: the new daemon" denied try term "$daemon"
tap_is "map: locked again" denied try map "$maps/rf_cgroup_map"
"$ringfence" unlock --token "$tmp/state/lock.token" --for 600s >/dev/null
daemon_end KILL
daemon_must_start
tap_is "one without --lock ends the lock" false status_value locked
tap_is "for everybody" allowed try map "$maps/rf_cgroup_map"
tap_done
