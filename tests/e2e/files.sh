# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the tests of files share: sourced after lib.sh. $data is a file system of
# its own with the same tree twice, "tree" to have rules and "out" to have none;
# the daemon runs, and three cgroups are there.
probe=$build/tests/e2e/file_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
# A file system of its own, so that nothing of the host's is in the way.
data=$tmp/data
mkdir "$data"
mount -t tmpfs none "$data" || {
	echo "Bail out! cannot mount a tmpfs"
	exit 1
}
trap 'umount -l "$data" 2>/dev/null; cleanup' EXIT
make_cgroup work twin audit
daemon_must_start
# try ARGUMENT...: outcome from inside $at; out of "-" nothing is managed.
try()
{
	if [ "$at" = - ]; then "$probe" "$@"; else inside "$at" "$probe" "$@"; fi
}
attached() { status_row "$1" attached; }
label() { printf -- '---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: %s%s}\nspec: {%s}\n' "$1" "${3:+, tenant: $3}" "$2"; }
rules()
{
	echo 'files:'
	echo '  rules:'
	for rules_one; do echo "    - {$rules_one}"; done
}
tenant_doc()
{
	tenant=$1
	shift
	doc "$@" | sed "s/^metadata:/metadata:\n  tenant: $tenant/"
}
reported() { says "$1" "$ringfence" events --kind file-deny; }
soon() { await 5 reported "$1" || reported "$1"; }

mkdir -p "$tmp/merged"
fresh()
{
	mkdir -p "$data/tree/a/b/c" "$data/out" "$data/tree/inner"
	echo text >"$data/tree/f"
	echo text >"$data/tree/a/b/c/f"
	echo text >"$data/tree/inner/f"
	echo text >"$data/out/f"
	cp /bin/true "$data/tree/prog"
	cp /bin/true "$data/out/prog"
}
fresh

# overlay LOWER UPPER WORK WHAT NAME: outcome of that on an overlay, from inside $at.
# Mounted by the host, as a container's is.
overlay()
{
	unshare -m sh -c "mount -t overlay none -o lowerdir='$1',upperdir='$2',workdir='$3' '$tmp/merged' || exit 9
		echo 0 >'$cgroup/$at/cgroup.procs' || exit 99
		exec '$probe' $4 '$tmp/merged/$5'"
}
