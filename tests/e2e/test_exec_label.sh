#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which programs a workload may run, by the labelled tree they lie in: by
# whatever name, mount or link. Where BPF LSM runs execve() is denied; elsewhere
# what was started is killed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$(readlink -f "$build/tests/e2e/exec_probe")
[ -x "$probe" ] || {
	echo "Bail out! exec_probe is not built"
	exit 1
}
x=$(readlink -f "$tmp")/x
mkdir -p "$x/lab/in/dir" "$x/lab/inner" "$x/labless" "$x/out/dir" "$x/bind"
for name in lab/tool lab/one lab/late lab/linked lab/in/tool lab/in/dir/tool lab/inner/tool labless/tool \
	out/tool out/plain out/dir/tool; do
	cp /usr/bin/true "$x/$name"
done
for name in lab/shell out/shell; do
	cp "$(readlink -f /bin/sh)" "$x/$name"
done
ln "$x/lab/linked" "$x/out/hard"
ln "$x/out/plain" "$x/out/hard-plain"
ln -s "$x/lab/tool" "$x/out/symbolic"
script()
{
	printf '#!%s\nexit 0\n' "$x/$2" >"$x/$1"
	chmod 755 "$x/$1"
}
script lab/script lab/shell
script lab/foreign out/shell
script out/script out/shell
script out/foreign lab/shell

make_cgroup work list audit twin
daemon_must_start
lsm=$(status_row bpf-lsm support)
[ "$lsm" = enforced ] && denied=denied || denied=killed
label() { printf -- '---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: %s}\nspec: {paths: [%s]}\n' "$1" "$2"; }
section() { printf 'process:\n'; sed 's/^/  /'; }
reported() { says "$1" "$ringfence" events --kind exec-deny; }
soon() { await 5 reported "$1" || reported "$1"; }
# run PROGRAM...: outcome inside $at; out of "-" nothing is managed.
run()
{
	if [ "$at" = - ]; then "$probe" run "$@"; else inside "$at" "$probe" run "$@"; fi
}
# try WHAT PATH...
try()
{
	if [ "$at" = - ]; then "$probe" "$@"; else inside "$at" "$probe" "$@"; fi
}
attached() { status_row "$1" attached; }

# policies TOOLS INNER: what has the two labels.
policies()
{
	label tools "$1"
	label inner "$2"
	section <<-END | doc work work
		exec:
		  - {name: one, path: "$x/lab/one"}
		  - {name: no-tools, action: deny, label: tools}
		  - {name: late, path: "$x/lab/late"}
	END
	section <<-END | doc list list
		default: deny
		exec:
		  - {path: "$probe"}
		  - {name: no-late, action: deny, path: "$x/lab/late"}
		  - {name: tools, label: tools}
	END
	{
		echo 'mode: audit'
		echo 'exec: [{name: told, action: deny, label: tools}]' | section
	} | doc audit audit
	printf 'telemetry: {events: []}\n' | doc twin twin
}
policies "$x/lab" "$x/lab/inner" | put_force base || exit 1
[ "$lsm" = enforced ] && hook=bprm_check_security || hook=sched_process_exec_kill
tap_is "rules by label attach the hook" true attached $hook

# ---- a deny list ----

at=work
tap_is "a program of the label is denied" $denied run "$x/lab/tool"
tap_is "again" $denied run "$x/lab/tool"
tap_is "one further in is denied" $denied run "$x/lab/in/tool"
tap_is "one beside the tree, of a name that begins like it, is allowed" allowed run "$x/labless/tool"
tap_is "one elsewhere is allowed" allowed run "$x/out/tool"
tap_is "one in a tree in it that has another label is allowed" allowed run "$x/lab/inner/tool"
tap_is "a path that an earlier rule allows" allowed run "$x/lab/one"
tap_is "a path that a later rule allows is denied" $denied run "$x/lab/late"
tap_is "by a symbolic link it is denied" $denied run "$x/out/symbolic"
tap_is "by a hard link it is denied" $denied run "$x/out/hard"
tap_is "by a hard link to another file it is allowed" allowed run "$x/out/hard-plain"
mount --bind "$x/lab" "$x/bind"
tap_is "by a bind mount of the tree it is denied" $denied run "$x/bind/tool"
tap_is "and of what has another label allowed" allowed run "$x/bind/inner/tool"
umount "$x/bind"
mount --bind "$x/lab/in/dir" "$x/bind"
tap_is "by a bind mount of a directory in it, too" $denied run "$x/bind/tool"
umount "$x/bind"
mount --bind "$x/out" "$x/bind"
tap_is "by a bind mount of another tree it is allowed" allowed run "$x/bind/tool"
umount "$x/bind"
mount --bind "$x/lab/tool" "$x/out/tool"
tap_is "a file of it that is mounted elsewhere is denied" $denied run "$x/out/tool"
umount "$x/out/tool"
tap_is "and allowed when it is not mounted any more" allowed run "$x/out/tool"
tap_is "by a mount that is nowhere in the tree of mounts it is denied" $denied try tree "$x/lab/tool"
tap_is "from another directory allowed" allowed try tree "$x/out/tool"
tap_is "by another process's root it is denied" $denied run "/proc/$$/root$x/lab/tool"
tap_is "and another program allowed" allowed run "/proc/$$/root$x/out/tool"
tap_is "a file of it that was deleted is denied" $denied try hidden "$x/lab/tool"
tap_is "one that was deleted elsewhere is allowed" allowed try hidden "$x/out/tool"
tap_is "a copy is no file of it" allowed try memfd "$x/lab/tool"
tap_is "an interpreter of the label is denied" $denied run "$x/out/foreign"
tap_is "one elsewhere is allowed" allowed run "$x/out/script"
if [ "$lsm" = enforced ]; then
	tap_is "a script of the label is denied, whatever interprets it" denied run "$x/lab/foreign"
else
	tap_skip "a script of the label" "without BPF LSM only its interpreter is seen"
fi
at=twin
tap_is "a workload without rules runs it" allowed run "$x/lab/tool"
tap_is "and by a hard link" allowed run "$x/out/hard"
at=-
tap_is "what is not managed runs it" allowed run "$x/lab/tool"
tap_ok "a denial names policy, rule, file and line" soon \
	"exec-deny deny default/default/work [a-z_]*\[[0-9]*\] program $x/lab/tool rule policy default/default/work rule \"no-tools\" .*/base.yaml:22$"
at=audit
tap_is "audit: it is allowed" allowed run "$x/lab/tool"
tap_is "audit: and counted" 1 counter audit exec_would
tap_is "audit: what lies elsewhere is not" allowed run "$x/out/tool"
tap_is "audit: nor counted" 1 counter audit exec_would
tap_ok "audit: it is told" soon "exec-deny would-deny default/default/audit .* program $x/lab/tool rule policy default/default/audit rule \"told\""

# ---- an allow list ----

at=list
tap_is "allow list: a program of the label" allowed run "$x/lab/tool"
tap_is "allow list: by a hard link of before" allowed run "$x/out/hard"
tap_is "allow list: what lies elsewhere is denied" $denied run "$x/out/tool"
tap_is "allow list: what has another label is denied" $denied run "$x/lab/inner/tool"
tap_is "allow list: what an earlier rule denies" $denied run "$x/lab/late"
tap_is "allow list: a script and its interpreter of the label" allowed run "$x/lab/script"
tap_is "allow list: a script of it that is interpreted elsewhere" $denied run "$x/lab/foreign"
if [ "$lsm" = enforced ]; then
	tap_is "allow list: a script elsewhere, interpreted by the label's" denied run "$x/out/foreign"
else
	tap_skip "allow list: a script elsewhere" "without BPF LSM only its interpreter is seen"
fi
tap_ok "allow list: it is told as the default" soon \
	"exec-deny deny default/default/list .* program $x/out/tool default policy default/default/list rule \"default\""

# ---- what has no place ----

# The kernel lets go of all names that are not in use: where LSM is, which is in guests.
placeless()
{
	modprobe loop; modprobe ext4
	truncate -s 16M "$tmp/disk" && mkfs.ext4 -q -F "$tmp/disk" && mkdir "$tmp/ext4" &&
		mount -o loop "$tmp/disk" "$tmp/ext4" && mkdir -p "$tmp/ext4/a/b" && cp /usr/bin/true "$tmp/ext4/a/b/tool"
} >/dev/null 2>&1
unplaced() { status_row file_unplaced count; }
if [ "$lsm" = enforced ] && placeless; then
	at=work
	tap_is "a program by its path on a disk without labels" allowed run "$tmp/ext4/a/b/tool"
	before=$(unplaced)
	tap_is "by a handle, when no directory of it is known: denied" denied try cold "$tmp/ext4/a/b/tool" "$tmp/ext4"
	tap_ok "that is counted" above "$(unplaced)" "$before"
	tap_ok "and told as what cannot be known" soon "exec-deny deny default/default/work .* program .* unreadable"
	at=twin
	tap_is "by a handle, who has no rules: allowed" allowed try cold "$tmp/ext4/a/b/tool" "$tmp/ext4"
	umount "$tmp/ext4"
else
	tap_skip "a program by a handle" "needs BPF LSM and ext4"
fi

# ---- what moves ----

at=work
mv "$x/lab/in/dir" "$x/out/moved"
tap_is "in a directory that is moved out it is allowed" allowed run "$x/out/moved/tool"
mv "$x/out/moved" "$x/lab/in/dir"
tap_is "and in again, denied" $denied run "$x/lab/in/dir/tool"
mv "$x/lab" "$x/elsewhere"
tap_is "the tree under another name is denied" $denied run "$x/elsewhere/tool"
mv "$x/elsewhere" "$x/lab"

# ---- what people see ----

tap_ok "policy show says the label" says "2. deny  label tools  \(no-tools, .*/base.yaml:22\)" \
	"$ringfence" policy show default/default/work
tap_ok "policy test knows labels" says "^deny: policy default/default/work, rule \"no-tools\"" \
	"$ringfence" policy test -w default/default/work --exec "$x/lab/in/tool"
tap_ok "and what another label has" says "^allow: policy default/default/work, rule \"default\"" \
	"$ringfence" policy test -w default/default/work --exec "$x/lab/inner/tool"
tap_ok "an unknown label is an error, with its place" says 'wrong.yaml:9:[0-9]*: error: there is no label "nothing" \(rule "exec\[0\]"' \
	sh -c "printf '%s\n' 'apiVersion: ringfence/v1' 'kind: WorkloadPolicy' 'metadata: {name: x}' 'spec:' \
		'  select: [{cgroup: /a}]' '  process:' '    exec:' '      -' '        label: nothing' >'$tmp/wrong.yaml'
	'$ringfence' policy check '$tmp/wrong.yaml'"
[ "$lsm" = enforced ] && tap_is "it is said to be enforced" enforced status_row process support
[ "$lsm" = enforced ] || tap_is "it is said to be best effort" "best effort" status_row process support

# ---- life ----

policies "$x/out" "$x/lab/inner" | put_force base || exit 1
at=work
tap_is "a label that has another path: what it had is allowed" allowed run "$x/lab/tool"
tap_is "what it has is denied" $denied run "$x/out/tool"
at=list
tap_is "allow list: what it had is denied" $denied run "$x/lab/tool"
tap_is "allow list: what it has is allowed" allowed run "$x/out/tool"
policies "$x/lab" "$x/out" | put_force base || exit 1
at=work
tap_is "labels that change places: denied" $denied run "$x/lab/tool"
tap_is "and allowed" allowed run "$x/out/tool"
daemon_end KILL
tap_is "without a daemon it is denied" $denied run "$x/lab/tool"
tap_is "and what lies elsewhere allowed" allowed run "$x/out/tool"
daemon_must_start
tap_is "the next daemon denies it, too" $denied run "$x/lab/tool"
tap_is "and allows what lies elsewhere" allowed run "$x/out/tool"
mv "$x/lab" "$x/lab-old"
{ policies "$x/lab" "$x/out" && label third "$x/labless"; } | put_force base || exit 1
tap_is "a label without a path: allowed" allowed run "$x/lab-old/tool"
mkdir "$x/lab"
cp /usr/bin/true "$x/lab/tool"
lab_denied() { [ "$(run "$x/lab/tool")" = $denied ]; }
tap_ok "a path that comes later has its label" await 5 lab_denied
drop_force base
tap_is "without the policy it is allowed" allowed run "$x/lab/tool"
tap_is "and the hook is detached" false attached $hook
tap_done
