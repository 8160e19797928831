#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What this host can enforce, and why not the rest: the truth, in every guest.
# RF_VARIANT says what a guest was booted with.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

[ -d /sys/kernel/security/lsm ] || [ -e /sys/kernel/security/lsm ] || mount -t securityfs none /sys/kernel/security 2>/dev/null
daemon_must_start
# It is what the start has found out: asked once.
said=$("$ringfence" status --json)
status_json() { printf '%s\n' "$said"; }
support() { status_row "$1" support; }
why() { status_json | sed -n "s/.*{\"name\":\"$1\"[^{}]*\"why\":\"\([^{}]*\)\",\"section\".*/\1/; T; s/\\\\\"/\"/g; p"; }

for feature in identity network-egress network-ingress network-connect-errno network-rates network-raw-sockets devices \
	events-process events-network accelerators; do
	tap_is "$feature is enforced" enforced support $feature
	tap_ok "$feature says why" [ -n "$(why $feature)" ]
done
for hook in cgroup_mkdir cgroup_rmdir sched_process_exec sched_process_fork sched_process_exit connect4 connect6 \
	skb_egress skb_ingress device rate_egress rate_ingress socket_state socket_state_again sock_create; do
	tap_is "the self-test saw $hook run" ok status_row $hook self_test
done
for feature in resources anomaly respond; do
	tap_is "$feature is said to be unavailable" unavailable support $feature
done
[ "$(support bpf-lsm)" = enforced ] && level1=enforced || level1=unavailable
for feature in isolation kernel-surface files guard accelerator-ioctls accelerator-quotas; do
	tap_is "$feature is as the level is" "$level1" support $feature
done
[ "$level1" = enforced ] && programs=enforced || programs="best effort"
tap_is "process is as good as the level is" "$programs" support process
tap_ok "the text names every feature" says 'network-egress +enforced' "$ringfence" status
tap_ok "and what is missing" says 'resources +unavailable' "$ringfence" status

# ---- BPF LSM: attached is not the same as running ----

lsm=$(cat /sys/kernel/security/lsm 2>/dev/null)
reason=$(why bpf-lsm)
echo "# lsm=$lsm; bpf-lsm: $(support bpf-lsm), $reason"
case $reason in
"the kernel takes no LSM programs"*)
	tap_is "a kernel that takes no LSM programs: BPF LSM is unavailable" unavailable support bpf-lsm
	tap_is "level 0" 0 status_value level
	tap_skip "attached but never run is told from running" "$reason"
	;;
*)
	case ,$lsm, in
	*,bpf,*)
		tap_is "bpf is in lsm=: BPF LSM runs" enforced support bpf-lsm
		tap_ok "a program was seen to run" says 'a program on file_open ran' echo "$reason"
		tap_ok "level 1 or 2" above "$(status_value level)" 0
		tap_is "so network-sockets is enforced" enforced support network-sockets
		for hook in socket_create socket_connect unix_stream_connect unix_may_send; do
			tap_is "the self-test saw $hook run" ok status_row $hook self_test
		done
		;;
	*)
		tap_is "bpf is not in lsm=: BPF LSM is unavailable" unavailable support bpf-lsm
		tap_is "programs attach and never run: it says so, and what to do" \
			'attached but never ran: "bpf" is not in lsm= on the kernel command line' echo "$reason"
		tap_is "level 0" 0 status_value level
		;;
	esac
	;;
esac

if [ "$(support bpf-lsm)" != enforced ]; then
	tap_is "without BPF LSM network-sockets is unavailable" unavailable support network-sockets
	tap_ok "it says why" says 'needs BPF LSM: ' why network-sockets
	for hook in socket_create socket_connect unix_stream_connect unix_may_send; do
		tap_is "$hook is not even tried" "not run" status_row $hook self_test
	done
fi

# ---- the module ----

if [ -e /dev/ringfence ]; then
	tap_is "the module is there: enforced" enforced support module
	[ "$(support bpf-lsm)" = enforced ] && tap_is "level 2" 2 status_value level
else
	tap_is "without the module: unavailable" unavailable support module
	tap_ok "it says why" [ -n "$(why module)" ]
	tap_ok "the level is below 2" [ "$(status_value level)" -lt 2 ]
fi

# The self-test leaves nothing, and nobody sees it.
tap_ok "the self-test's cgroup is gone" [ ! -e "$cgroup/ringfence.probe" ]
tap_is "and no workload" "" workloads_lines
tap_ok "nor news" sh -c "! '$ringfence' events | grep -q probe"
# They end one after another, behind the daemon's back. No policy asks for any, and what accounting has hangs on its pins.
held() { cat "/proc/$daemon/fdinfo/"* | grep -c 'link_type:.tracing'; }
none_held() { [ "$(held)" = 0 ]; }
tap_ok "nor links on functions of the kernel" await 20 none_held
tap_done
