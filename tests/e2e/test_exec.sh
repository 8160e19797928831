#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which programs a workload may run: by path, by interpreter, without a name,
# and what did not come with the image. Where BPF LSM runs execve() is denied;
# elsewhere what was started is killed before it does anything.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$(readlink -f "$build/tests/e2e/exec_probe")
[ -x "$probe" ] || {
	echo "Bail out! exec_probe is not built"
	exit 1
}
modprobe overlay 2>/dev/null
# All that is run lies here, so that rules can name it: not on tmpfs, where everything is drift.
x=$(readlink -f "$tmp")/x
layers=$tmp/layers
mkdir -p "$x/tree/ok" "$x/treeless" "$layers"
mount -t tmpfs -o mode=0755 layers "$layers"
umounts() { umount "$layers/mounted" "$layers/merged" "$layers" 2>/dev/null; }
trap 'umounts; cleanup' EXIT
for name in true false stem stemmed tree/in tree/ok/in treeless/in link-target app; do
	cp /usr/bin/true "$x/$name"
done
ln -s link-target "$x/link"
cp "$(readlink -f /bin/sh)" "$x/shell"
cp "$x/shell" "$x/other-shell"
script()
{
	printf '#!%s\nexit 0\n' "$2" >"$x/$1"
	chmod 755 "$x/$1"
}
script script "$x/shell"
script other-script "$x/other-shell"
script banned-script "$x/other-shell"
ln -s shell "$x/shell-link"
script link-script "$x/shell-link"
script outer "$x/script"

make_cgroup rules only twin audit nameless drift report
daemon_must_start
lsm=$(status_row bpf-lsm support)
[ "$lsm" = enforced ] && denied=denied || denied=killed
section() { printf 'process:\n'; sed 's/^/  /'; }
reported() { says "$1" "$ringfence" events --kind exec-deny; }
soon() { await 5 reported "$1" || reported "$1"; }
attached() { status_row "$1" attached; }
# run PROGRAM...: outcome inside $at; out of "-" nothing is managed.
run()
{
	if [ "$at" = - ]; then "$probe" run "$@"; else inside "$at" "$probe" run "$@"; fi
}
# try WHAT PATH
try()
{
	if [ "$at" = - ]; then "$probe" "$@"; else inside "$at" "$probe" "$@"; fi
}

[ "$lsm" = enforced ] && hook=bprm_check_security || hook=sched_process_exec_kill
tap_is "nothing is attached while nobody asks" false attached $hook
{
	section <<-END | doc rules rules
		exec:
		  - {name: no-true, action: deny, path: "$x/true"}
		  - {name: some, action: allow, path: "$x/tree/ok/**"}
		  - {name: no-tree, action: deny, path: "$x/tree/**"}
		  - {name: no-stem, action: deny, path: "$x/stem*"}
		  - {name: no-target, action: deny, path: "$x/link-target"}
		  - {name: no-shell, action: deny, interpreter: "$x/shell"}
		  - {name: no-script, action: deny, path: "$x/banned-script"}
		  - {name: no-view, action: deny, path: /app}
	END
	section <<-END | doc only only
		default: deny
		exec:
		  - {path: "$probe"}
		  - {path: "$x/true"}
		  - {path: "$x/script"}
		  - {path: "$x/other-script"}
		  - {interpreter: "$x/shell"}
	END
	{
		echo "mode: audit"
		section <<-END
			exec:
			  - {action: deny, path: "$x/true"}
			memfd: deny
		END
	} | doc audit audit
	echo 'memfd: deny' | section | doc nameless nameless
	echo 'drift: deny' | section | doc drift drift
	echo 'drift: report' | section | doc report report
	printf 'telemetry: {events: []}\n' | doc twin twin
} | put_force base || exit 1
tap_is "attached when somebody does" true attached $hook

# ---- paths ----

at=rules
tap_is "a path that is denied" $denied run "$x/true"
tap_is "another is allowed" allowed run "$x/false"
tap_is "in a tree that is denied" $denied run "$x/tree/in"
tap_is "in a tree in it that an earlier rule allows" allowed run "$x/tree/ok/in"
tap_is "beside the tree, of a name that begins like it" allowed run "$x/treeless/in"
tap_is "the beginning of a name" $denied run "$x/stemmed"
tap_is "which the whole name is" $denied run "$x/stem"
tap_is "a link to what is denied" $denied run "$x/link"
mount --bind "$x/false" "$x/treeless/in"
tap_is "a file that is mounted where nothing is denied" allowed run "$x/treeless/in"
umount "$x/treeless/in"
mount --bind "$x/false" "$x/stem"
tap_is "a file that is mounted where it is denied" $denied run "$x/stem"
umount "$x/stem"
deep=$x
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32; do
	deep=$deep/$i
done
mkdir -p "$deep"
cp /usr/bin/true "$deep/in"
tap_is "deeper than can be judged is denied" $denied run "$deep/in"
tap_is "and counted" 1 status_row exec_path count
tap_ok "and told" soon 'exec-deny deny default/default/rules exec_probe.* program .*/31/32/in unreadable|exec-deny deny default/default/rules in.* program .*/31/32/in unreadable'
at=-
tap_is "deeper, and not managed" allowed run "$deep/in"
tap_is "what is not managed is allowed" allowed run "$x/true"
at=twin
tap_is "a workload without the section is allowed" allowed run "$x/true"
tap_is "and so is what is deep" allowed run "$deep/in"
at=audit
tap_is "audit: it is allowed" allowed run "$x/true"
tap_is "audit: it is counted" 1 counter audit exec_would
tap_is "audit: not as denied" 0 counter audit exec_deny
tap_ok "audit: it is told" soon "exec-deny would-deny default/default/audit [a-z_]*\[[0-9]*\] program $x/true rule policy default/default/audit rule \"exec\[0\]\""
tap_ok "a denial names policy, rule, file and line" soon \
	"exec-deny deny default/default/rules [a-z_]*\[[0-9]*\] program $x/true rule policy default/default/rules rule \"no-true\" .*/base.yaml:11$"
tap_ok "so does its JSON" says "\"role\":\"program\",\"path\":\"$x/tree/in\",\"path_cut\":false,\"reason\":\"rule\",\"tier\":\"enforce\",\"set\":[0-9]*,\"policy\":\"default/default/rules\",\"rule\":\"no-tree\"" \
	"$ringfence" events --json --kind exec-deny
before=$(counter rules exec_deny)
at=rules
for _ in 1 2 3; do
	run "$x/true" >/dev/null
done
tap_is "denials are counted exactly" $((before + 3)) counter rules exec_deny

# ---- an allow list, and interpreters ----

at=only
tap_is "allow list: what is named is allowed" allowed run "$x/true"
tap_is "allow list: what is not, is denied" $denied run "$x/false"
tap_ok "allow list: it is told as the default" soon "exec-deny deny default/default/only .* program $x/false default policy default/default/only rule \"default\""
tap_is "allow list: a script and its interpreter" allowed run "$x/script"
tap_is "allow list: a script whose interpreter is not named" $denied run "$x/other-script"
tap_is "allow list: the interpreter itself, run as a program" $denied run "$x/shell" -c :
at=rules
tap_is "an interpreter that is denied" $denied run "$x/script"
tap_is "by a link" $denied run "$x/link-script"
tap_is "of a script that is the interpreter of another" $denied run "$x/outer"
tap_is "which may be run as a program" allowed run "$x/shell" -c :
tap_is "another interpreter" allowed run "$x/other-script"
if [ "$lsm" = enforced ]; then
	tap_is "a script that is denied by its own path" denied run "$x/banned-script"
	tap_ok "the event says what it was to be" soon "exec-deny deny default/default/rules .* interpreter $x/shell rule .* rule \"no-shell\""
else
	tap_skip "a script that is denied by its own path" "without BPF LSM only its interpreter is seen"
fi

tap_ok "policy test says so without running it" says "^deny: policy default/default/only, rule \"default\"" \
	"$ringfence" policy test -w default/default/only --exec "$x/shell"
tap_ok "policy test knows interpreters" says "^allow: policy default/default/only, rule \"exec\[4\]\"" \
	"$ringfence" policy test -w default/default/only --interpreter "$x/shell"
tap_ok "policy test of an audited one" says "^would-deny: policy default/default/audit, rule" \
	"$ringfence" policy test -w default/default/audit --exec "$x/true"
tap_ok "policy test where nobody speaks of programs" says "^allow: no policy of this workload speaks of programs" \
	"$ringfence" policy test -w default/default/twin --exec "$x/true"

# ---- whose path it is ----

# view COMMAND: in a mount namespace whose root is $x, with the host's /usr.
mkdir -p "$x/usr" "$x/old" "$x/proc"
ln -sf usr/bin "$x/bin"
ln -sf usr/lib "$x/lib"
ln -sf usr/lib64 "$x/lib64"
ln -sf usr/sbin "$x/sbin"
cp "$probe" "$x/probe"
view()
{
	# shellcheck disable=SC2016 # the inner shell's
	inside "$at" unshare --mount --propagation private sh -c '
		mount --bind "$1" "$1" && mount --rbind /usr "$1/usr" && cd "$1" && pivot_root . old &&
			exec chroot . /probe run "$2"' sh "$x" "$1"
}
tap_is "in a container it is the container's path" $denied view /app
tap_is "not that of the host" allowed view /true
tap_is "which is another without a container" allowed run "$x/app"
mount --rbind /usr "$x/usr"
tap_is "a chroot changes no path" allowed inside rules chroot "$x" /probe run /app
tap_is "neither of what is denied" $denied inside rules chroot "$x" /probe run /true
umount -l "$x/usr"
at=only
tap_is "an allow list: from a tree that is mounted nowhere" $denied try tree "$x/true"

# ---- without a name ----

at=nameless
tap_is "a memfd is denied" $denied try memfd "$x/true"
tap_is "a deleted file is denied" $denied try hidden "$x/true"
tap_is "a file that is there is allowed" allowed run "$x/true"
tap_ok "it is told by its name" soon 'exec-deny deny default/default/nameless .* program memfd:rf-probe memfd policy default/default/nameless rule "process.memfd"'
at=twin
tap_is "without the section a memfd is allowed" allowed try memfd "$x/true"
tap_is "and a deleted file" allowed try hidden "$x/true"
at=audit
tap_is "audit: a memfd is allowed" allowed try memfd "$x/true"
tap_is "audit: and counted" 2 counter audit exec_would

# ---- drift ----

mkdir "$layers/lower" "$layers/upper" "$layers/work" "$layers/merged" "$layers/plain"
cp /usr/bin/true "$layers/lower/image"
cp /usr/bin/true "$layers/lower/changed"
cp /usr/bin/true "$layers/plain/tmpfs"
at=drift
if mount -t overlay -o "lowerdir=$layers/lower,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/merged"; then
	cp /usr/bin/true "$layers/merged/made"
	chmod 700 "$layers/merged/changed"
	tap_is "a program of the image is allowed" allowed run "$layers/merged/image"
	tap_is "one that was made later is denied" $denied run "$layers/merged/made"
	tap_is "so is one that was changed" $denied run "$layers/merged/changed"
	tap_ok "it is told" soon "exec-deny deny default/default/drift .* program $layers/merged/made drift policy default/default/drift rule \"process.drift\""
	at=report
	tap_is "report: one that was made later is allowed" allowed run "$layers/merged/made"
	tap_is "report: it is counted" 1 counter report exec_would
	tap_is "report: one of the image is allowed" allowed run "$layers/merged/image"
	tap_is "report: and not counted" 1 counter report exec_would
	at=drift
	overlay=yes
else
	tap_skip "drift in an overlay" "overlayfs cannot be mounted here"
	overlay=
fi
tap_is "a program on tmpfs is denied" $denied run "$layers/plain/tmpfs"
tap_is "one on a disk is allowed" allowed run /usr/bin/true
tap_is "a memfd is denied" $denied try memfd "$x/true"
at=twin
tap_is "without the section tmpfs is allowed" allowed run "$layers/plain/tmpfs"

if [ "$lsm" = enforced ]; then
	tap_is "libraries are looked at while drift is asked" true attached mmap_file
	at=drift
	for how in map protect; do
		tap_is "$how: code on tmpfs is denied" denied try $how "$layers/plain/tmpfs"
		tap_is "$how: code on a disk is allowed" allowed try $how /usr/bin/true
		[ -z "$overlay" ] || {
			tap_is "$how: code that was made later is denied" denied try $how "$layers/merged/made"
			tap_is "$how: code of the image is allowed" allowed try $how "$layers/merged/image"
		}
	done
	tap_is "data on tmpfs is allowed" allowed try read "$layers/plain/tmpfs"
	tap_ok "a library is told as one" soon "exec-deny deny default/default/drift .* library $layers/plain/tmpfs drift"
	at=twin
	tap_is "without the section code on tmpfs may be mapped" allowed try map "$layers/plain/tmpfs"
else
	tap_skip "libraries that did not come with the image" "needs BPF LSM"
fi

# ---- what the kernel does itself: LD_PRELOAD across users ----

# On a mount of our own, which is not nosuid.
cp "$probe" "$layers/secure"
chown 65534 "$layers/secure"
chmod 755 "$tmp" "$layers/secure"
preloaded() { "$probe" preload "$layers/secure" "$1" 2>/dev/null; }
tap_is "LD_PRELOAD is there for a program of the same user" "preload plain" preloaded 65533
chmod 4755 "$layers/secure"
tap_is "and the kernel and libc take it from a set-id program" "none secure" preloaded 65533

# ---- what has not run before ----

make_cgroup first quiet
{
	printf 'telemetry: {events: [execFirst]}\n' | doc first first
	printf 'telemetry: {events: [exec]}\n' | doc quiet quiet
} | put_force first || exit 1
# first_count PATH: how often it is told of.
first_count() { "$ringfence" events --json --kind exec-first | grep -c "\"path\":\"$1\""; }
first_is() { [ "$(first_count "$1")" = "$2" ]; }
# told N PATH: waits for N.
told() { await 5 first_is "$2" "$1"; first_count "$2"; }
ran() { inside "$at" "$1"; }
at=quiet
ran "$x/true"
at=first
ran "$x/false"
ran "$x/false"
tap_is "a program that runs twice is told of once" 1 told 1 "$x/false"
ran "$x/true"
tap_is "that another workload has run it is no matter" 1 told 1 "$x/true"
ran "$x/false"
touch "$x/false"
ran "$x/false"
tap_is "one that has changed is told of again" 2 told 2 "$x/false"
tap_is "who did not ask is told nothing" 0 sh -c "'$ringfence' events --kind exec-first -w default/default/quiet | grep -c ."
tap_ok "the line has its device and inode" says "exec-first allow default/default/first [a-z]*\[[0-9]*\] $x/true device [0-9]*:[0-9]* inode $(stat -c %i "$x/true")" \
	"$ringfence" events --kind exec-first
verity()
{
	modprobe loop 2>/dev/null
	truncate -s 16M "$layers/disk" && mkfs.ext4 -q -b 4096 -O verity "$layers/disk" && mkdir "$layers/mounted" &&
		mount -o loop "$layers/disk" "$layers/mounted" && cp /usr/bin/true "$layers/mounted/sealed"
}
if ! bpftool btf dump file /sys/kernel/btf/vmlinux 2>/dev/null | grep -q "'i_verity_info'"; then
	tap_skip "a program with a digest" "this kernel does not keep fs-verity's digest with the inode"
elif ! verity >"$tmp/verity" 2>&1; then
	tap_skip "a program with a digest" "$(tail -n 1 "$tmp/verity")"
else
	digest=$("$probe" verity "$layers/mounted/sealed")
	tap_is "fs-verity gives a digest" 64 expr length "$digest"
	ran "$layers/mounted/sealed"
	tap_is "a program with one" 1 told 1 "$layers/mounted/sealed"
	tap_ok "is told of with it" says "$layers/mounted/sealed device .* verity $digest$" "$ringfence" events --kind exec-first
fi
umount "$layers/mounted" 2>/dev/null
# IMA's policy is the machine's: only in a guest, which takes one once.
measure() { echo 'measure func=BPRM_CHECK mask=MAY_EXEC' >/sys/kernel/security/ima/policy; }
if [ "$lsm" != enforced ]; then
	tap_skip "a program that IMA has measured" "needs BPF LSM"
elif [ -z "${RF_IN_VM:-}" ] || ! measure 2>"$tmp/measure"; then
	tap_skip "a program that IMA has measured" "IMA takes no policy here"
else
	cp /bin/ls "$x/measured"
	ran "$x/measured" >/dev/null
	tap_is "a program that IMA has measured" 1 told 1 "$x/measured"
	tap_ok "is told of with the digest of its content" \
		says "$x/measured device .* ima $(sha256sum <"$x/measured" | cut -d ' ' -f 1)$" "$ringfence" events --kind exec-first
	tap_is "so is its JSON" 1 sh -c "'$ringfence' events --json --kind exec-first | grep -c '\"verity\":null,\"ima\":\"[0-9a-f]\{64\}\"'"
fi
drop_force first

# ---- life ----

daemon_end KILL
at=rules
tap_is "without a daemon it is denied" $denied run "$x/true"
at=twin
tap_is "without a daemon the other workload is allowed" allowed run "$x/true"
daemon_must_start
tap_is "the next daemon adopts the hook" true attached $hook
at=rules
tap_is "and it denies" $denied run "$x/true"
echo 'exec: [{action: deny, path: /nowhere}]' | section | doc rules rules | put_force base
tap_is "a policy that changed" allowed run "$x/true"
drop_force base
tap_is "a policy that is removed denies no more" allowed run "$x/true"
tap_is "and the hook is detached" false attached $hook
[ "$lsm" = enforced ] && tap_is "it is said to be enforced" enforced status_row process support
[ "$lsm" = enforced ] || tap_is "it is said to be best effort" "best effort" status_row process support
tap_done
