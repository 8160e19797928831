#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's surface. Sysctls are denied on every host; the rest where BPF LSM
# runs, and refused where it does not. What is asked for changes nothing: the
# probe asks in ways that the kernel refuses after its hooks, or undoes it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

probe=$build/tests/e2e/kernel_probe
[ -x "$probe" ] || {
	echo "Bail out! $probe is not built"
	exit 1
}
daemon_must_start
# ask WHAT [ARGUMENT]: outcome from inside $at; out of "-" nothing is managed.
ask()
{
	if [ "$at" = - ]; then "$probe" "$@"; else inside "$at" "$probe" "$@"; fi
}
attached() { status_row "$1" attached; }
section() { printf 'kernel: %s\n' "$1"; }
reported() { says "$1" "$ringfence" events --kind kernel-deny; }
soon() { await 5 reported "$1" || reported "$1"; }

# ---- sysctls, on every host ----

forward=/proc/sys/net/ipv4/ip_forward # of this test's own network namespace
core=/proc/sys/kernel/core_pattern
make_cgroup sysctl sysctl/child core twin audit
tap_is "nothing is attached while nobody asks" false attached sysctl
{
	section '{deny: [sysctl]}' | doc sysctl sysctl
	section '{deny: [corePattern]}' | doc core core
	printf 'telemetry: {events: []}\n' | doc twin twin
	{ echo 'mode: audit'; section '{deny: [sysctl]}'; } | doc audit audit
} | put_force base || exit 1
tap_is "attached when somebody does" true attached sysctl
tap_is "sysctls are said to be enforced" enforced status_row kernel-sysctl support
at=sysctl
tap_is "sysctl: writing one is denied" denied ask sysctl $forward
tap_is "sysctl: so is writing core_pattern" denied ask sysctl $core
tap_is "sysctl: reading one is allowed" allowed ask read $forward
at=sysctl/child
tap_is "sysctl: a child cgroup is denied" denied ask sysctl $forward
at=core
tap_is "corePattern: writing core_pattern is denied" denied ask sysctl $core
tap_is "corePattern: so is another program that the kernel runs" denied ask sysctl /proc/sys/kernel/poweroff_cmd
tap_is "corePattern: another sysctl is allowed" allowed ask sysctl $forward
at=twin
tap_is "a workload without the section is allowed" allowed ask sysctl $forward
tap_is "core_pattern, too" allowed ask sysctl $core
at=-
tap_is "what is not managed is allowed" allowed ask sysctl $forward
at=audit
tap_is "audit: what would be denied is allowed" allowed ask sysctl $forward
tap_is "audit: it is counted" 1 counter audit kernel_would
tap_is "audit: not as denied" 0 counter audit kernel_deny
tap_ok "audit: it is reported" soon 'kernel-deny would-deny default/default/audit kernel_probe.* sysctl net/ipv4/ip_forward '
tap_is "denials are counted exactly" 3 counter sysctl kernel_deny
tap_ok "a denial names policy, field, file and line" soon \
	'kernel-deny deny default/default/core kernel_probe.* corePattern kernel/core_pattern policy default/default/core rule "kernel.deny\[corePattern\]" .*/base.yaml:18$'
tap_ok "so does its JSON" says '"interface":"corePattern","capability":null,"syscall":null,"detail":"kernel/poweroff_cmd","tier":"enforce","policy":"default/default/core","rule":"kernel.deny\[corePattern\]"' \
	"$ringfence" events --json --kind kernel-deny
tap_ok "policy show says whose denial it is" says 'deny sysctl  \(sysctl, kernel.deny\[sysctl\], .*/base.yaml:9\)' \
	"$ringfence" policy show default/default/sysctl
tap_ok "and that nothing is denied elsewhere" says 'kernel: no policy speaks of it: all allowed' \
	"$ringfence" policy show default/default/twin
daemon_end KILL
at=sysctl
tap_is "without a daemon it is denied" denied ask sysctl $forward
at=twin
tap_is "without a daemon the other workload is allowed" allowed ask sysctl $forward
daemon_must_start
at=sysctl
tap_is "the next daemon denies" denied ask sysctl $forward
drop_force base
tap_is "a policy that is removed denies no more" allowed ask sysctl $forward
tap_is "and the hook is detached" false attached sysctl

# ---- the rest, where BPF LSM runs ----

if [ "$(status_row bpf-lsm support)" != enforced ]; then
	tap_is "without BPF LSM the rest is said to be unavailable" unavailable status_row kernel-surface support
	for section in '{deny: [bpf]}' '{preset: baseline}' '{capabilities: {allow: []}}' '{syscalls: {deny: [mount]}}'; do
		section "$section" | doc none sysctl >"$tmp/none.yaml"
		tap_ok "$section is refused" sh -c "! '$ringfence' apply '$tmp/none.yaml'"
		tap_ok "with the reason" says 'needs kernel-surface .* not available on this host: needs BPF LSM: ' \
			"$ringfence" apply "$tmp/none.yaml"
	done
	{ echo 'ifUnsupported: audit'; section '{deny: [sysctl, mount]}'; } | doc none sysctl | put_force none || exit 1
	tap_is "with ifUnsupported: audit it is loaded, and denies nothing" allowed ask sysctl $forward
	tap_is "what can be told is reported" 1 counter sysctl kernel_would
	tap_skip "modules, mounts, tracing and all the rest" "$(status_json | sed -n 's/.*"kernel-surface"[^}]*"why":"\([^"]*\).*/\1/p')"
	tap_done
fi

tap_is "with BPF LSM all of it is enforced" enforced status_row kernel-surface support
for hook in capable bpf kernel_open newcomer_exec; do
	tap_is "$hook is not attached while nobody asks" false attached $hook
done

# Each kind has a cgroup of its own, and what the others deny is its twin.
kinds="moduleLoad bpf perf kexec userfaultfd ioUring userNamespaces mount ptrace rawIO sysrq sysctl cgroupEscape corePattern setuid"
mkdir -p "$tmp/mnt" "$tmp/bin"
# Where a program may be set-user-ID, whatever $tmp is.
mount -t tmpfs -o mode=755 rf "$tmp/bin"
cp "$probe" "$tmp/bin/setuid_probe"
cp "$probe" "$tmp/bin/plain_probe"
chown 65534 "$tmp/bin/setuid_probe"
chmod 4755 "$tmp/bin/setuid_probe"
chmod 755 "$tmp"
for kind in $kinds; do
	make_cgroup "k-$kind"
	section "{deny: [$kind]}" | doc "k-$(echo "$kind" | tr '[:upper:]' '[:lower:]')" "k-$kind"
done >"$tmp/kinds.yaml"
printf 'telemetry: {events: []}\n' | doc twin twin >>"$tmp/kinds.yaml"
{ echo 'mode: audit'; section "{deny: [$(echo "$kinds" | tr ' ' ',')]}"; } | doc audit audit >>"$tmp/kinds.yaml"
put_force base <"$tmp/kinds.yaml" || exit 1
for hook in capable module_request kernel_open sysctl newcomer_exec; do
	tap_is "$hook is attached when somebody asks" true attached $hook
done

# try KIND WHAT [ARGUMENT]: denied where the kind is, allowed where another kind is, and to be allowed in audit.
try()
{
	try_kind=$1
	shift
	case $try_kind in bpf) try_other=k-perf ;; *) try_other=k-bpf ;; esac
	at=k-$try_kind
	tap_is "$try_kind: $* is denied" denied ask "$@"
	at=$try_other
	tap_is "$try_kind: $* is allowed where another kind is denied" allowed ask "$@"
	echo "$try_kind $*" >>"$tmp/tried"
}
tried() { grep -c "^$1 " "$tmp/tried"; }
try moduleLoad module
try moduleLoad modulefile
try moduleLoad unload
at=k-moduleLoad
ask request >/dev/null
tap_ok "moduleLoad: the kernel is not made to ask for a module" soon 'kernel-deny deny default/default/k-moduleLoad .* moduleLoad net-pf-4'
try bpf bpf
try perf perf
try kexec kexec
try kexec kexecfile
try userfaultfd userfaultfd
try ioUring uring
try userNamespaces userns
try mount mount "$tmp/mnt"
try mount umount "$tmp/mnt"
try mount movemount "$tmp/mnt"
try mount fsopen
try mount clonetree
try mount setattr
try mount pivot
at=k-mount
tap_is "mount: open_tree that clones nothing is allowed" allowed ask opentree
umount -l "$tmp/mnt" 2>/dev/null
try ptrace seize
try ptrace traceme
try ptrace vmread
at=k-ptrace
tap_is "ptrace: to look at a process is allowed" allowed ask look
try rawIO ioport
if [ "$("$probe" pci)" = allowed ]; then
	try rawIO pci
else
	tap_skip "rawIO: PCI registers" "no device here has any to map"
fi
try sysrq write /proc/sysrq-trigger
at=k-sysrq
tap_is "sysrq: another file of /proc is allowed" allowed ask write /proc/self/comm
try sysctl sysctl $forward
try corePattern sysctl $core
try cgroupEscape write "$cgroup/twin/cgroup.procs"
try cgroupEscape write "$cgroup/cgroup.procs"
try cgroupEscape into "$cgroup/twin"
mkdir "$cgroup/k-cgroupEscape/below"
at=k-cgroupEscape
tap_is "cgroupEscape: its own cgroup is allowed" allowed ask write "$cgroup/k-cgroupEscape/cgroup.procs"
tap_is "cgroupEscape: so is one below" allowed ask write "$cgroup/k-cgroupEscape/below/cgroup.procs"
tap_is "cgroupEscape: reading another is allowed" allowed ask read "$cgroup/twin/cgroup.procs"
mkdir "$tmp/v1"
if mount -t cgroup -o none,name=rf-test none "$tmp/v1" 2>/dev/null; then
	try cgroupEscape write "$tmp/v1/release_agent"
else
	tap_skip "cgroupEscape: release_agent of cgroup v1" "this kernel has no cgroup v1"
fi
try setuid setuid 65534
try setuid setgid 65534
try setuid setgroups 65534
try setuid exec "$tmp/bin/setuid_probe"
at=k-setuid
tap_is "setuid: to the id that it has is allowed" allowed ask setuid 0
tap_is "setuid: a program without the bit is allowed" allowed ask exec "$tmp/bin/plain_probe"
tap_ok "setuid: the program is named" soon 'kernel-deny deny default/default/k-setuid .* setuid setuid_probe'
tap_ok "mount: so are type and system call" soon \
	'kernel-deny deny default/default/k-mount kernel_probe.* mount tmpfs by mount policy default/default/k-mount rule "kernel.deny\[mount\]" '
tap_ok "cgroupEscape: and a file with its cgroup" soon 'cgroupEscape twin/cgroup.procs '
for kind in bpf kexec mount ptrace cgroupEscape setuid userNamespaces; do
	tap_is "$kind: each denial is counted once" "$(tried "$kind")" counter "k-$kind" kernel_deny
done
at=audit
before=$(counter audit kernel_would)
while read -r _ asked; do
	# shellcheck disable=SC2086 # words
	ask $asked
done <"$tmp/tried" | sort -u >"$tmp/audited"
umount -l "$tmp/mnt" 2>/dev/null
umount "$tmp/v1" 2>/dev/null
tap_is "audit: all of that is allowed" allowed cat "$tmp/audited"
tap_ok "audit: and counted" above "$(counter audit kernel_would)" $((before + $(wc -l <"$tmp/tried") - 1))
# gain PROGRAM: by somebody who is not root, and has executed a program in the workload before.
gain()
{
	printf '#!/bin/sh\nexec "%s" exec "%s"\n' "$tmp/bin/plain_probe" "$1" >"$tmp/bin/gain.sh"
	chmod 755 "$tmp/bin/gain.sh"
	rm -f "$tmp/gain"
	mkfifo "$tmp/gain"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/plain_probe" hold exec "$tmp/bin/gain.sh" <"$tmp/gain" \
		>"$tmp/gained" &
	gain_pid=$!
	helpers="$helpers $gain_pid"
	exec 9>"$tmp/gain"
	await 5 grep -q ready "$tmp/gained"
	echo $gain_pid >"$cgroup/k-setuid/cgroup.procs"
	echo >&9
	exec 9>&-
	wait $gain_pid
	tail -n 1 "$tmp/gained"
}
cp "$probe" "$tmp/bin/capable_probe"
if setcap cap_net_admin+ep "$tmp/bin/capable_probe" 2>/dev/null; then
	tap_is "setuid: a program that would gain capabilities is denied" denied gain "$tmp/bin/capable_probe"
	tap_is "setuid: one without them is allowed" allowed gain "$tmp/bin/plain_probe"
else
	tap_skip "setuid: a program that would gain capabilities" "setcap is not here, or the files take none"
fi
umount -l "$tmp/bin"
tap_is "audit: nothing is denied" 0 counter audit kernel_deny
daemon_end KILL
at=k-bpf
tap_is "without a daemon: denied" denied ask bpf
at=twin
tap_is "without a daemon: the other workload is allowed" allowed ask bpf
daemon_must_start
at=k-bpf
tap_is "the next daemon denies" denied ask bpf
drop_force base
tap_is "without the policy: allowed" allowed ask bpf
tap_is "without the policy: detached" false attached bpf

# ---- capabilities ----

make_cgroup cdeny callow cnone caudit
{
	section '{capabilities: {deny: [CAP_SYS_CHROOT]}}' | doc cdeny cdeny
	section '{capabilities: {allow: [cap_sys_chroot]}}' | doc callow callow
	section '{capabilities: {allow: []}}' | doc cnone cnone
	{ echo 'mode: audit'; section '{capabilities: {allow: []}}'; } | doc caudit caudit
	printf 'telemetry: {events: []}\n' | doc twin twin
} | put_force base || exit 1
at=cdeny
tap_is "a capability that is denied cannot be used" denied ask chroot
tap_is "another can" allowed ask hostname
at=callow
tap_is "a capability that is allowed can be used" allowed ask chroot
tap_is "another cannot" denied ask hostname
tap_is "nor to raise a priority" denied ask nice
at=cnone
tap_is "of an empty list none can be used" denied ask chroot
tap_is "what needs none is allowed" allowed ask yes
at=caudit
tap_is "audit: it can be used" allowed ask chroot
tap_ok "audit: and is counted" above "$(counter caudit kernel_would)" 0
at=twin
tap_is "a workload without the section uses all" allowed ask hostname
tap_ok "a denial tells the capability, the system call and the line" soon \
	'kernel-deny deny default/default/cdeny kernel_probe.* CAP_SYS_CHROOT by chroot policy .* rule "kernel.capabilities.deny\[CAP_SYS_CHROOT\]" .*/base.yaml:9$'
tap_ok "one that is not on the list tells the list" soon \
	'default/default/callow .* CAP_SYS_ADMIN by sethostname policy .* rule "kernel.capabilities.allow" .*/base.yaml:18$'
tap_ok "policy show tells what is left" says 'allow of capabilities only CAP_SYS_CHROOT  \(callow, kernel.capabilities.allow' \
	"$ringfence" policy show default/default/callow
drop_force base

# ---- system calls ----

make_cgroup sone snone
{
	section '{syscalls: {deny: [setns, chroot, ptrace, io_uring_setup, bpf, setuid, mount, unshare]}}' | doc sone sone
	section '{syscalls: {deny: [reboot]}}' | doc snone snone
} | put_force base || exit 1
for call in setns chroot seize traceme uring bpf "setuid 1" "mount $tmp/mnt" newuts userns; do
	at=sone
	# shellcheck disable=SC2086 # words
	tap_is "syscalls: $call is denied" denied ask $call
	at=snone
	# shellcheck disable=SC2086
	tap_is "syscalls: $call is allowed where others are denied" allowed ask $call
done
umount -l "$tmp/mnt" 2>/dev/null
at=sone
tap_is "syscalls: setgid is not setuid" allowed ask setgid 1
tap_is "syscalls: process_vm_readv is not ptrace" allowed ask vmread
tap_is "syscalls: userfaultfd is not io_uring_setup" allowed ask userfaultfd
tap_is "syscalls: sethostname is not setns" allowed ask hostname
tap_ok "syscalls: a denial tells which" soon \
	'default/default/sone kernel_probe.* CAP_SYS_ADMIN by setns policy .* rule "kernel.syscalls.deny\[setns\]" .*/base.yaml:9$'
drop_force base

# ---- presets ----

port=$((20000 + $$ % 20000))
for preset in baseline restricted ai-training ai-serving notebook; do
	make_cgroup "p-$preset"
	section "{preset: $preset}" | doc "p-$preset" "p-$preset"
done | put_force base || exit 1
for preset in baseline restricted ai-training ai-serving notebook; do
	at=p-$preset
	for what in module bpf kexec fsopen ioport "write /proc/sysrq-trigger" "sysctl $forward" hostname \
		"write $cgroup/twin/cgroup.procs"; do
		# shellcheck disable=SC2086 # words
		ask $what
	done | sort -u >"$tmp/preset"
	tap_is "$preset: what is the host's is denied" denied cat "$tmp/preset"
	tap_is "$preset: a shell with pipes and jobs runs" 3 inside "$at" sh -c 'echo a b c | tr " " "\n" | wc -l & wait'
	tap_ok "$preset: files are made, moved and removed" inside "$at" \
		sh -c "d=\$(mktemp -d) && echo x >\$d/a && mv \$d/a \$d/b && chmod 600 \$d/b && rm -r \$d"
	port=$((port + 1))
	server "$at" "tcp/127.0.0.1/$port"
	tap_ok "$preset: a TCP server serves" says allowed inside "$at" "$net" tcp 127.0.0.1 "$port"
	if command -v python3 >/dev/null; then
		tap_is "$preset: python runs, with threads and processes" 42 inside "$at" python3 -c \
			'import subprocess,threading;t=threading.Thread(target=lambda:None);t.start();t.join();print(subprocess.run(["echo","42"],capture_output=True,text=True).stdout.strip())'
	fi
done
command -v python3 >/dev/null || tap_skip "presets: python runs" "there is no python here"
at=p-restricted
tap_is "restricted: an io_uring is denied" denied ask uring
tap_is "restricted: another user is denied" denied ask setuid 1
tap_is "restricted: a debugger is allowed" allowed ask seize
at=p-ai-training
tap_is "ai-training: an io_uring is allowed" allowed ask uring
tap_is "ai-training: reading another process is allowed" allowed ask vmread
at=p-ai-serving
tap_is "ai-serving: a debugger is denied" denied ask seize
at=p-notebook
tap_is "notebook: a debugger is allowed" allowed ask seize
tap_is "notebook: another user is allowed" allowed ask setuid 1
tap_ok "a denial tells the preset" soon \
	'kernel-deny deny default/default/p-restricted .* bpf by bpf policy .* rule "kernel.preset\[restricted\]" .*/base.yaml:18$'

# ---- who sets a workload up ----

# newcomer CGROUP WHAT [ARGUMENT]: by somebody whom a runtime has put in there, and who asks then.
newcomer()
{
	newcomer_cgroup=$1
	shift
	rm -f "$tmp/go"
	mkfifo "$tmp/go"
	"$probe" hold "$@" <"$tmp/go" >"$tmp/newcomer" &
	held=$!
	exec 9>"$tmp/go"
	await 5 grep -q ready "$tmp/newcomer"
	mkdir -p "$newcomer_cgroup"
	echo $held >"$newcomer_cgroup/cgroup.procs"
	[ -z "${newcomer_wait:-}" ] || await 5 $newcomer_wait
	echo >&9
	exec 9>&-
	wait $held
	tail -n 1 "$tmp/newcomer"
}
mkdir -p "$tmp/bin"
cp "$probe" "$tmp/bin/systemd-executor"
tap_is "what a runtime put in may set it up" allowed newcomer "$cgroup/p-restricted" hostname
export RF_THEN=hostname
tap_is "with its first program it is the workload" denied newcomer "$cgroup/p-restricted" exec "$probe"
tap_is "which systemd's executor is not" allowed newcomer "$cgroup/p-restricted" exec "$tmp/bin/systemd-executor"
at=p-restricted
tap_is "unless the workload executes it" denied ask exec "$tmp/bin/systemd-executor"
chown 65534 "$tmp/bin/systemd-executor"
tap_is "or it is not root's" denied newcomer "$cgroup/p-restricted" exec "$tmp/bin/systemd-executor"
section '{preset: restricted}' | doc late late | put_force base || exit 1
tap_is "the policy alone asks who sets a workload up" true attached newcomer_exec
has_late() { has_workload default/default/late; }
newcomer_wait=has_late
tap_is "a runtime that is faster than the daemon may set it up" allowed newcomer "$cgroup/late" hostname
newcomer_wait=
at=late
tap_is "and the first workload is judged" denied ask hostname
drop_force base
tap_done
