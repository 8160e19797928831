#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon with the capabilities of its unit, and none besides.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

unit=$src/packaging/systemd/ringfenced.service
set=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
[ -n "$set" ] || tap_skip_all "the unit bounds no capabilities"
# with_rights SET COMMAND...
with_rights()
{
	with_set=$1
	shift
	setpriv --bounding-set "-all,$with_set" --no-new-privs -- "$@"
}
with_rights "$set" true || tap_skip_all "capabilities cannot be bounded here"

# ---- cgroups of other users, as of rootless containers ----

make_cgroup user/job
chown -R 65534:65534 "$cgroup/user"
# write SET FILE VALUE
write()
{
	# shellcheck disable=SC2016 # of the shell that it is for
	with_rights "$1" sh -c 'echo "$2" >"$1"' sh "$2" "$3"
}
frozen() { grep -q 1 "$cgroup/user/job/cgroup.freeze"; }
tap_ok "another user's cgroup can be frozen" write "$set" "$cgroup/user/job/cgroup.freeze" 1
tap_ok "and is" frozen
tap_ok "and thawed" write "$set" "$cgroup/user/job/cgroup.freeze" 0
tap_ok "controllers can be enabled in it" write "$set" "$cgroup/user/cgroup.subtree_control" ""
freeze_less() { ! write "$set,-dac_override" "$cgroup/user/job/cgroup.freeze" 1; }
tap_ok "which takes the right to write what is another user's" freeze_less

# ---- the daemon ----

cat >"$tmp/ringfenced" <<END
#!/bin/sh
exec setpriv --bounding-set "-all,$set" --no-new-privs -- "$ringfenced" "\$@"
END
chmod 755 "$tmp/ringfenced"
ringfenced=$tmp/ringfenced
server - tcp/127.0.0.1/7001
daemon_must_start
bound_of() { sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$1/status"; }
bounded() { [ "$(bound_of "$daemon")" != "$(bound_of $$)" ]; }
tap_ok "the daemon starts with what the unit leaves it" bounded
tap_is "a workload of another user's reaches a server" allowed inside user/job "$net" tcp 127.0.0.1 7001
echo 'network: {egress: {default: deny}}' | doc job user/job | put_force job
tap_is "until a policy denies that" denied inside user/job "$net" tcp 127.0.0.1 7001
daemon_end TERM
tap_done
