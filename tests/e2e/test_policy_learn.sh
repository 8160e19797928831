#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# policy learn: what a workload does becomes its policy. The same load under that policy is never denied; what it did
# not do is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

socket=$build/tests/e2e/socket_probe
file=$build/tests/e2e/file_probe
kernel=$build/tests/e2e/kernel_probe
data=$(readlink -f "$tmp")/data
mkdir -p "$data/weights" "$data/scratch" "$data/secrets" "$data/none"
echo text | tee "$data/weights/f" "$data/secrets/f" "$data/none/f" >/dev/null
make_cgroup app other
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002 udp/127.0.0.1/7003
server app tcp/127.0.0.1/7301
# That it allows a program must not keep the learner from seeing it.
printf 'telemetry: {events: []}\nprocess: {exec: [{path: "%s"}]}\n' "$(readlink -f "$net")" | doc app app |
	sed 's/^metadata:/&\n  tenant: lab\n  namespace: train/' >"$tmp/only.yaml"
for name in weights scratch secrets; do
	printf -- '---\napiVersion: ringfence/v1\nkind: Label\nmetadata: {name: %s}\nspec: {paths: [%s]}\n' $name "$data/$name"
done >"$tmp/labels.yaml"
daemon_must_start
lsm=$(status_row bpf-lsm support)
put_force labels <"$tmp/labels.yaml" || exit 1
put_force app <"$tmp/only.yaml" || exit 1

# What the workload does: each thing it says, in order.
load()
{
	inside app "$net" tcp 127.0.0.1 7001
	inside app "$net" udp 127.0.0.1 7003
	"$net" tcp 127.0.0.1 7301
	inside app sh -c 'cat </dev/zero | head -c 1 >/dev/null && echo allowed'
	inside app sh -c 'echo x >/dev/null && echo allowed'
	inside app "$socket" make tcp
	inside app "$file" read "$data/weights/f"
	inside app "$file" read "$data/none/f"
	inside app "$file" create "$data/scratch/new"
	inside app "$file" write "$data/scratch/new"
	inside app "$file" unlink "$data/scratch/new"
	inside app "$kernel" hostname
}
loads() { load | tr '\n' ' '; }
all="allowed allowed allowed allowed allowed allowed allowed allowed allowed allowed allowed allowed "
learning() { status_json | grep -q '"source":"confirm-pending"'; }
tap_is "the load works without a policy" "$all" loads

# learn SECONDS OPTION...: in the background, until it is asked to stop.
learn()
{
	learn_for=$1
	shift
	"$ringfence" policy learn lab/train/app --for "$learn_for" "$@" >"$tmp/learn.out" 2>"$tmp/learn.err" &
	learner=$!
	await 5 learning
}
learn 600s --output "$tmp/learnt.yaml"
tap_ok "learning begins" learning
tap_is "nothing is denied while it learns" "$all" loads
tap_is "again" "$all" loads
tap_is "nor what is not done otherwise" allowed inside other "$net" tcp 127.0.0.1 7002
kill -INT "$learner"
wait "$learner"
tap_is "it ends early when it is asked to" 0 echo $?
tap_ok "and is gone: what was in force before is again" sh -c "! '$ringfence' status --json | grep -q confirm-pending"
tap_ok "nothing of it stays in the directory" sh -c "! ls '$tmp/policies' | grep -q learn"
tap_ok "the policy has no error" "$ringfence" policy check "$tmp/learnt.yaml" "$tmp/labels.yaml"
sed 's/^/# /' "$tmp/learnt.yaml"
tap_ok "it keeps tenant and namespace" sh -c "grep -q 'tenant: lab' '$tmp/learnt.yaml' && grep -q 'namespace: train' '$tmp/learnt.yaml'"
tap_ok "says when and what it was learnt from" grep -q '^# Learnt from what lab/train/app did in [0-9]* s' "$tmp/learnt.yaml"

if [ "$lsm" = enforced ]; then
	tap_ok "labels: what was read" grep -q 'label: "weights", access: \[read\]} # 2 times' "$tmp/learnt.yaml"
	tap_ok "labels: what was made, written and removed" \
		grep -q 'label: "scratch", access: \[write, create, delete\]}' "$tmp/learnt.yaml"
	tap_ok "labels: what was not touched" grep -q 'deny, label: "secrets"} # was not used' "$tmp/learnt.yaml"
	tap_ok "system calls: the one that was made is not denied, others are" sh -c \
		"grep -A1 'syscalls:' '$tmp/learnt.yaml' | grep 'unshare' | grep -qv sethostname"
else
	tap_ok "labels: that they cannot be seen is said" grep -q '# files: not learnt. Without BPF LSM' "$tmp/learnt.yaml"
fi
put_force learnt <"$tmp/learnt.yaml" || exit 1
rm -f "$tmp/policies/app.yaml"
denied() { for key in egress_deny ingress_deny device_deny socket_deny exec_deny kernel_deny file_deny; do workload_value lab/train/app $key; done | tr '\n' ' '; }
tap_is "the same load under the policy is allowed" "$all" loads
tap_is "again" "$all" loads
tap_is "with no denial at all" "0 0 0 0 0 0 0 " denied
tap_is "another port is denied" denied inside app "$net" tcp 127.0.0.1 7002
tap_is "another protocol is denied" denied inside app "$net" udp 127.0.0.1 7001
tap_is "another node is denied" denied inside app sh -c 'head -c 1 2>/dev/null </dev/full || echo denied'
tap_is "a raw socket is denied" denied inside app "$socket" make raw
if [ "$lsm" = enforced ]; then
	tap_is "a label that was not touched is denied" denied inside app "$file" read "$data/secrets/f"
	tap_is "what was not done with one that was" denied inside app "$file" write "$data/weights/f"
	tap_is "a file without a label is allowed" allowed inside app "$file" read "$data/none/f"
	tap_is "a system call that was not made is denied" denied inside app "$kernel" newuts
	tap_ok "by its own rule" says 'kernel-deny deny lab/train/app .* rule "kernel.syscalls.deny\[unshare\]"' \
		"$ringfence" events --kind kernel-deny
else
	tap_skip "labels and system calls that were not used" "needs BPF LSM"
fi
tap_ok "another program does not run" sh -c "echo 0 >'$cgroup/app/cgroup.procs' && ! /usr/bin/env true"
tap_ok "and all that is counted" sh -c "[ '$(denied)' != '0 0 0 0 0 0 0 ' ]"

# ---- what is wrong ----

tap_ok "a workload that is not there is named" sh -c "! '$ringfence' policy learn lab/train/nobody --for 1s 2>'$tmp/err' && grep -q 'no workload lab/train/nobody' '$tmp/err'"
tap_ok "so is a time that cannot be" sh -c "'$ringfence' policy learn lab/train/app --for 2d 2>'$tmp/err'; [ \$? = 2 ] && grep -q -- '--for takes a time' '$tmp/err'"
learn 600s
tap_ok "a second one at a time is refused" sh -c "! '$ringfence' policy learn lab/train/app --for 1s 2>'$tmp/err' && [ -s '$tmp/err' ]"
sed 's/^/# /' "$tmp/err"
kill -9 "$learner"
wait "$learner" 2>/dev/null
tap_ok "one that is killed leaves what goes by itself" learning
tap_ok "or at once by hand" "$ringfence" rollback
tap_is "and the load goes on" "$all" loads
tap_done
