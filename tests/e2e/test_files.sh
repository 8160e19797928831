#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files by the labelled tree they lie in: what each access decides, and that no
# mount, name, handle or descriptor gets around it. Needs BPF LSM; where that
# does not run the section is refused.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/files.sh
. "$(dirname "$0")/files.sh"

if [ "$(status_row bpf-lsm support)" != enforced ]; then
	tap_is "without BPF LSM files are said to be unavailable" unavailable status_row files support
	rules 'action: deny, path: /srv' | doc none work >"$tmp/none.yaml"
	tap_ok "the section is refused" sh -c "! '$ringfence' apply '$tmp/none.yaml'"
	tap_ok "with the reason" says 'needs files .* not available on this host: needs BPF LSM: ' \
		"$ringfence" apply "$tmp/none.yaml"
	label secret "paths: [$data]" red >"$tmp/none.yaml"
	tap_ok "so is a label that denies" sh -c "! '$ringfence' apply '$tmp/none.yaml'"
	tap_ok "with the reason, too" says 'label secret needs files .* not available on this host: needs BPF LSM: ' \
		"$ringfence" apply "$tmp/none.yaml"
	label plain "paths: [$data]" >"$tmp/none.yaml"
	tap_ok "one that only rules could name is accepted" "$ringfence" apply "$tmp/none.yaml"
	tap_skip "files" "$(status_json | sed -n 's/.*"files","support"[^}]*"why":"\([^"]*\).*/\1/p')"
	tap_done
fi

tap_is "with BPF LSM files are enforced" enforced status_row files support
tap_is "nothing is attached while nobody asks" false attached files_open

# ---- read, by every way there is ----

{
	label weights "kind: model, paths: [$data/tree, $tmp/ext4/tree]"
	rules 'name: no, action: deny, label: weights, access: [read]' | doc work work
	printf 'telemetry: {events: []}\n' | doc twin twin
	{ echo 'mode: audit'; rules 'action: deny, label: weights'; } | doc audit audit
} | put_force base || exit 1
tap_is "attached when somebody asks" true attached files_open
at=work
for file in f a/b/c/f prog; do
	tap_is "read: $file of the tree is denied" denied try read "$data/tree/$file"
	tap_is "read: the second time, too" denied try read "$data/tree/$file"
done
tap_is "read: the directory is denied" denied try list "$data/tree"
tap_is "read: one further in is denied" denied try list "$data/tree/a/b"
for watch in inotify fanotify; do
	tap_is "read: being told by $watch what others read is denied" denied try $watch "$data/tree/f"
	tap_is "read: of the directory, too" denied try $watch "$data/tree"
	tap_is "read: outside $watch tells" allowed try $watch "$data/out"
done
tap_is "read: nor of a whole mount" denied try fanotify-mount "$data/out"
at=twin
tap_is "read: who may read may be told of a mount" allowed try fanotify-mount "$data/out"
at=work
tap_is "read: outside is allowed" allowed try read "$data/out/f"
tap_is "read: the second time, too" allowed try read "$data/out/f"
tap_is "read: of what is denied the rest is allowed" allowed try write "$data/tree/f"
at=twin
tap_is "a workload without the section reads it" allowed try read "$data/tree/f"
at=-
tap_is "what is not managed reads it" allowed try read "$data/tree/f"
at=audit
tap_is "audit: what would be denied is allowed" allowed try read "$data/tree/f"
tap_is "audit: and counted" 1 counter audit file_would
tap_is "audit: not as denied" 0 counter audit file_deny
tap_ok "audit: it is reported" soon 'file-deny would-deny default/default/audit file_probe.* read f of weights '
tap_ok "a denial names access, file, label, policy, rule and line" soon \
	'file-deny deny default/default/work file_probe.* read f of weights policy default/default/work rule "no" .*/base.yaml:16$'
tap_ok "so does its JSON" says '"access":\["read"\],"denied":\["read"\],"label":"weights","name":"f",.*"policy":"default/default/work","rule":"no"' \
	"$ringfence" events --json --kind file-deny
before=$(counter work file_deny)
at=work
for _ in 1 2 3 4 5; do
	try read "$data/tree/f" >/dev/null
done
tap_is "denials are counted exactly" $((before + 5)) counter work file_deny
tap_ok "policy show says the rules" says '1. deny  label weights read  \(no, .*/base.yaml:16\)' \
	"$ringfence" policy show default/default/work

# By other names.
at=work
tap_is "O_PATH: opened again it is denied" denied try opath "$data/tree/f"
tap_is "O_PATH: outside it is allowed" allowed try opath "$data/out/f"
tap_is "O_PATH: from a directory of the tree, denied" denied try beneath "$data/tree/a/b" c/f
tap_is "O_PATH: from a directory above, denied" denied try beneath "$data" tree/f
tap_is "O_PATH: outside, allowed" allowed try beneath "$data" out/f
ln -s "$data/tree/f" "$data/out/symlink"
ln -s "$data/out/f" "$data/tree/symlink"
tap_is "by a symbolic link from outside: denied" denied try read "$data/out/symlink"
tap_is "by one in the tree to outside: allowed" allowed try read "$data/tree/symlink"
tap_is "by a handle: denied" denied try handle "$data/tree/a/b/c/f" "$data"
tap_is "by a handle of outside: allowed" allowed try handle "$data/out/f" "$data"
# Of a file system on a disk the kernel may know the inode and no name of it.
disk_made()
{
	modprobe loop; modprobe ext4
	truncate -s 16M "$tmp/disk" && mkfs.ext4 -q -F "$tmp/disk" && mkdir -p "$tmp/ext4" &&
		mount -o loop "$tmp/disk" "$tmp/ext4"
} >/dev/null 2>&1
if disk_made; then
	mkdir -p "$tmp/ext4/a/b" "$tmp/ext4/tree"
	echo text >"$tmp/ext4/a/b/f"
	echo text >"$tmp/ext4/tree/f"
	found() { [ "$(try read "$tmp/ext4/tree/f")" = denied ]; }
	tap_ok "a tree of the label that appears on a disk is found" await 5 found
	tap_is "by a handle, when no directory of it is known: denied" denied try cold "$tmp/ext4/a/b/f" "$tmp/ext4"
	tap_is "by a handle, when they are: allowed" allowed try handle "$tmp/ext4/a/b/f" "$tmp/ext4"
	umount "$tmp/ext4"
else
	tap_skip "by a handle, when no directory of it is known" "cannot make an ext4 here"
fi
tap_is "through another process's root: denied" denied try read "/proc/$$/root$data/tree/f"
tap_is "through another process's root, outside: allowed" allowed try read "/proc/$$/root$data/out/f"
tap_is "/proc/self/fd of what was open before: denied" denied "$probe" reopened "$data/tree/f" "$cgroup/work"
tap_is "/proc/self/fd, outside: allowed" allowed "$probe" reopened "$data/out/f" "$cgroup/work"
tap_is "/proc/self/fd, another workload: allowed" allowed "$probe" reopened "$data/tree/f" "$cgroup/twin"
tap_is "what was open before is read" allowed "$probe" kept "$data/tree/f" "$cgroup/work"
tap_is "a descriptor that is passed: denied" denied "$probe" passed "$data/tree/f" "$cgroup/work"
tap_is "a descriptor of outside: allowed" allowed "$probe" passed "$data/out/f" "$cgroup/work"
tap_is "a descriptor that is passed to another workload: allowed" allowed "$probe" passed "$data/tree/f" "$cgroup/twin"

# Mounts: seen by who is in the mount namespace, as a container has one.
mkdir -p "$tmp/bind"
# space COMMAND: in a mount namespace of its own, in $at; $data and the probe are there.
space()
{
	if [ "$at" = - ]; then unshare -m sh -c "$1"; else inside "$at" unshare -m sh -c "$1"; fi
}
tap_is "a bind mount of the tree: denied" denied space "mount --bind '$data/tree' '$tmp/bind' && '$probe' read '$tmp/bind/f'"
tap_is "a bind mount of a directory in it: denied" denied space \
	"mount --bind '$data/tree/a/b' '$tmp/bind' && '$probe' read '$tmp/bind/c/f'"
tap_is "a bind mount of a file in it: denied" denied space \
	"touch '$tmp/file' && mount --bind '$data/tree/f' '$tmp/file' && '$probe' read '$tmp/file'"
tap_is "a bind mount of outside: allowed" allowed space "mount --bind '$data/out' '$tmp/bind' && '$probe' read '$tmp/bind/f'"
tap_is "a bind mount of outside over the tree: what is there is not the tree's" allowed space \
	"mount --bind '$data/out' '$data/tree' && '$probe' read '$data/tree/f'"
tap_is "another root: denied" denied space \
	"mount --bind '$data' '$tmp/bind' && '$probe' beneath '$tmp/bind/tree' f"
mkdir -p "$data/upper" "$data/workdir" "$data/tree/upper" "$data/tree/workdir"
tap_is "below an overlay: denied" denied overlay "$data/tree" "$data/upper" "$data/workdir" read f
tap_is "below an overlay, further in: denied" denied overlay "$data/tree" "$data/upper" "$data/workdir" read a/b/c/f
tap_is "below an overlay, outside: allowed" allowed overlay "$data/out" "$data/upper" "$data/workdir" read f
echo text >"$data/tree/upper/g"
tap_is "above an overlay: denied" denied overlay "$data/out" "$data/tree/upper" "$data/tree/workdir" read g
at=twin
tap_is "below an overlay, another workload: allowed" allowed overlay "$data/tree" "$data/upper" "$data/workdir" read f

# Names: what leaves the tree must have no rule there.
at=work
tap_is "rename out of the tree: denied" denied try rename "$data/tree/f" "$data/out/g"
tap_is "of a directory: denied" denied try rename "$data/tree/a" "$data/out/a"
tap_is "of the tree itself: denied" denied try rename "$data/tree" "$data/treetree"
tap_is "exchange with what is outside: denied" denied try exchange "$data/tree/f" "$data/out/f"
tap_is "the other way about: denied" denied try exchange "$data/out/f" "$data/tree/f"
tap_is "a hard link to outside: denied" denied try link "$data/tree/f" "$data/out/hard"
tap_ok "a denial of that says what is denied" soon 'file-deny deny .* link f of weights leaves it, denied read policy '
tap_is "rename within the tree: allowed" allowed try rename "$data/tree/f" "$data/tree/a/g"
tap_is "and it is denied there" denied try read "$data/tree/a/g"
tap_is "back again: allowed" allowed try rename "$data/tree/a/g" "$data/tree/f"
tap_is "a hard link within the tree: allowed" allowed try link "$data/tree/f" "$data/tree/a/g"
tap_is "and it is denied, too" denied try read "$data/tree/a/g"
rm "$data/tree/a/g"
tap_is "rename into the tree: allowed" allowed try rename "$data/out/symlink" "$data/tree/a/symlink"
echo text >"$data/out/moved"
tap_is "read before it is moved in: allowed" allowed try read "$data/out/moved"
tap_is "moved in by itself: allowed" allowed try rename "$data/out/moved" "$data/tree/a/moved"
tap_is "read after that: denied" denied try read "$data/tree/a/moved"
mkdir "$data/out/dir"
echo text >"$data/out/dir/f"
tap_is "in a directory, before that is moved in: allowed" allowed try read "$data/out/dir/f"
tap_is "the directory is moved in: allowed" allowed try rename "$data/out/dir" "$data/tree/dir"
tap_is "in it, after that: denied" denied try read "$data/tree/dir/f"
at=twin
tap_is "who is denied nothing moves it out again" allowed try rename "$data/tree/dir" "$data/out/dir"
at=work
tap_is "and then it is allowed" allowed try read "$data/out/dir/f"
at=-
tap_is "the host moves it in" allowed try rename "$data/out/dir" "$data/tree/dir"
at=work
tap_is "and it is denied" denied try read "$data/tree/dir/f"
at=-
mv "$data/tree" "$data/elsewhere"
at=work
tap_is "the tree itself under another name: denied" denied try read "$data/elsewhere/f"
mv "$data/elsewhere" "$data/tree"
tap_is "and back: denied" denied try read "$data/tree/f"

# How deep it lies.
tap_is "many directories down: denied" denied try deep "$data/tree" 100
tap_is "outside, many directories down: allowed" allowed try deep "$data/out" 100
tap_is "outside, too many to be looked at: denied" denied try deep "$data/out/d" 1030
tap_ok "that is counted" above "$(status_json | sed 's/{"name"/\n{"name"/g' | sed -n 's/^{"name":"file_unplaced","count":\([0-9]*\).*/\1/p')" 0
at=twin
tap_is "who has no rules goes as deep as it likes" allowed try deep "$data/out/d" 1030
drop_force base
tap_is "without the policy: detached" false attached files_open
at=work
tap_is "without the policy: allowed" allowed try read "$data/tree/f"

# ---- which rule, which zone ----

rm -rf "$data/tree" "$data/out"
fresh
ln "$data/tree/f" "$data/out/linked"
ln -s "$data/tree" "$data/way"
{
	label weights "paths: [$data/way]"
	label inner "paths: [$data/tree/inner, $data/tree/late]"
	rules "action: allow, path: $data/tree/a/b/**, access: [read]" 'action: deny, label: weights' | doc work work
	rules 'action: deny, label: inner, access: [read]' "action: deny, path: $data/out/f" | doc twin twin
} | put_force base || exit 1
at=work
tap_is "first match: what a path allows is allowed" allowed try read "$data/tree/a/b/c/f"
tap_is "first match: what it does not name is not" denied try write "$data/tree/a/b/c/f"
tap_is "first match: the rest of the label is denied" denied try read "$data/tree/f"
tap_is "a label's path by a symbolic link is what that leads to" denied try read "$data/tree/prog"
tap_is "innermost: the label inside has no rule here" allowed try read "$data/tree/inner/f"
tap_is "a hard link from before: denied" denied try read "$data/out/linked"
at=twin
tap_is "innermost: it has one there" denied try read "$data/tree/inner/f"
tap_is "innermost: around it there is none" allowed try read "$data/tree/f"
tap_is "a path alone: denied" denied try read "$data/out/f"
tap_is "beside it: allowed" allowed try read "$data/out/linked"
tap_ok "a denial by a path names that" soon "file-deny deny default/default/twin .* read f of $data/out/f policy"
tap_ok "a path that is not there is told" [ "$(log_count "$data/tree/late: No such file")" -gt 0 ]
mkdir "$data/tree/late"
echo text >"$data/tree/late/f"
late_is_denied() { [ "$(inside twin "$probe" read "$data/tree/late/f")" = denied ]; }
tap_ok "when it comes, it is labelled" await 5 late_is_denied
at=work
tap_is "and no more in the label around it" allowed try read "$data/tree/late/f"
mkdir "$data/tree/inner/mounted"
mount -t tmpfs none "$data/tree/inner/mounted"
echo text >"$data/tree/inner/mounted/f"
mounted_is_denied() { [ "$(inside twin "$probe" read "$data/tree/inner/mounted/f")" = denied ]; }
tap_ok "what is mounted in a tree comes to be in it" await 5 mounted_is_denied
"$ringfence" reload --force >/dev/null
at=twin
tap_is "and is, when policies are applied" denied try read "$data/tree/inner/mounted/f"
at=work
tap_is "and nowhere else" allowed try read "$data/tree/inner/mounted/f"
umount "$data/tree/inner/mounted"

# A daemon that is gone, and the next.
daemon_end KILL
at=work
tap_is "without a daemon: denied" denied try read "$data/tree/f"
tap_is "without a daemon: the rest is allowed" allowed try read "$data/tree/a/b/c/f"
daemon_must_start
tap_is "the next daemon denies" denied try read "$data/tree/f"
tap_is "and allows the rest" allowed try read "$data/tree/a/b/c/f"
before=$(counter work file_deny)
try read "$data/tree/f" >/dev/null
tap_is "and counts a denial once" $((before + 1)) counter work file_deny

# ---- tenants ----

make_cgroup red blue quiet open
{
	label vault "kind: secret, paths: [$data/tree/a]" red
	label shared "paths: [$data/tree/inner], access: policy" red
	printf 'telemetry: {events: []}\n' | tenant_doc red red red
	printf 'telemetry: {events: []}\n' | tenant_doc blue blue blue
	{ echo 'mode: audit'; echo 'telemetry: {events: []}'; } | tenant_doc blue quiet quiet
	rules 'action: allow, label: vault, access: [read]' | tenant_doc blue open open
} | put_force base || exit 1
at=red
tap_is "a label's own tenant reads it" allowed try read "$data/tree/a/b/c/f"
at=blue
tap_is "another tenant does not" denied try read "$data/tree/a/b/c/f"
tap_is "nor write" denied try write "$data/tree/a/b/c/f"
tap_is "what is around it is nobody's" allowed try read "$data/tree/f"
tap_is "access: policy denies nothing by itself" allowed try read "$data/tree/inner/f"
tap_ok "the denial names the label's document" soon \
	'file-deny deny blue/default/blue .* read f of vault policy red/label/vault rule "access: tenant" .*/base.yaml:2$'
at=quiet
tap_is "a workload in audit alone is only told of" allowed try read "$data/tree/a/b/c/f"
tap_is "and counted" 1 workload_value blue/default/quiet file_would
at=open
tap_is "a rule of the other tenant's policy opens it" allowed try read "$data/tree/a/b/c/f"
tap_is "for what it names" denied try write "$data/tree/a/b/c/f"
at=-
tap_is "the host reads it" allowed try read "$data/tree/a/b/c/f"
drop_force base
at=blue
tap_is "without the label: allowed" allowed try read "$data/tree/a/b/c/f"
tap_is "without the label: detached" false attached files_open
tap_done
