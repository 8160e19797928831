// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes of managed workloads: counted always, reported when wanted.
 *
 * hook                 decides
 * sched_process_exec   nothing
 * sched_process_fork   nothing; threads are not counted
 * sched_process_exit   nothing; the last thread's exit is the process's
 * bprm_committed_creds nothing; finds IMA's digest of a program that has not run before, where that is asked for and
 *                      the kernel has one: a program that may sleep is told (level 1)
 *
 * Bound: one lookup for a process of an unmanaged cgroup.
 */
#include "lib/first.bpf.h"

char _license[] SEC("license") = "GPL";

SEC("tp_btf/sched_process_exec")
int BPF_PROG(rf_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cgroup_id = rf_current_cgroup_id();
	__u32 workload = rf_workload_of_live(cgroup_id, version);
	struct rf_workload_bank *bank;
	struct rf_event_exec *event;
	long len;

	if (workload == RF_WORKLOAD_NONE)
		return 0;
	rf_hook_seen(RF_HOOK_EXEC, workload);
	rf_count(workload, RF_COUNTER_EXEC, 1);
	bank = rf_workload_bank(workload, version);
	if (!bank)
		return 0;
	if (rf_wants(bank->telemetry, RF_EVENT_EXEC_FIRST))
		rf_first_tell(workload, cgroup_id, bank->owner, bprm->file);
	if (!rf_wants(bank->telemetry, RF_EVENT_EXEC))
		return 0;
	event = rf_telemetry_reserve(RF_EVENT_EXEC, struct rf_event_exec, workload, cgroup_id, true);
	if (!event)
		return 0;
	event->parent_tgid = task->real_parent->tgid;
	__builtin_memset(event->path, 0, sizeof(event->path));
	len = bpf_probe_read_kernel_str(event->path, sizeof(event->path), bprm->filename);
	if (len <= 0) {
		rf_error(RF_HOOK_EXEC, RF_ERROR_PATH_READ);
		event->path[0] = '\0';
		len = 1;
	}
	event->path_len = len - 1;
	rf_telemetry_submit(event);
	return 0;
}

/* Bytes of a digest, by the kernel's number of the algorithm (linux/hash_info.h); 0: another. */
static __always_inline __u32 rf_digest_length(long algorithm)
{
	switch (algorithm) {
	case HASH_ALGO_SHA1:
		return 20;
	case HASH_ALGO_SHA256:
		return 32;
	case HASH_ALGO_SHA384:
		return 48;
	case HASH_ALGO_SHA512:
		return 64;
	default:
		return 0;
	}
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(rf_exec_digest, struct linux_binprm *bprm)
{
	__u64 version = RF_READ_ONCE(rf_config.version);
	__u32 workload = rf_workload_of_live(bpf_get_current_cgroup_id(), version);
	struct inode *inode = bprm->file->f_inode;
	struct rf_workload_bank *bank;
	struct rf_digest_value *found;
	__u8 digest[RF_DIGEST_MAX] = {};
	struct rf_first_key key;
	__u32 length;

	if (workload == RF_WORKLOAD_NONE)
		return 0;
	rf_hook_seen(RF_HOOK_EXEC_DIGEST, workload);
	bank = rf_workload_bank(workload, version);
	if (!bank || !rf_wants(bank->telemetry, RF_EVENT_EXEC_FIRST))
		return 0;
	rf_first_key_of(&key, inode, bank->owner);
	if (bpf_map_lookup_elem(&rf_first_map, &key))
		return 0;
	length = rf_digest_length(bpf_ima_inode_hash(inode, digest, sizeof(digest)));
	if (!length) {
		/* Of an earlier program, which somebody else ran first. */
		bpf_task_storage_delete(&rf_digest_map, bpf_get_current_task_btf());
		return 0;
	}
	found = bpf_task_storage_get(&rf_digest_map, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!found) {
		rf_error(RF_HOOK_EXEC_DIGEST, RF_ERROR_EXEC_DIGEST);
		return 0;
	}
	found->len = length;
	__builtin_memcpy(found->digest, digest, sizeof(digest));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(rf_fork, struct task_struct *parent, struct task_struct *child)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cgroup_id;
	struct rf_workload_bank *bank;
	struct rf_event_fork *event;
	__u32 workload;

	if (child->pid != child->tgid)
		return 0;
	/* The child's own cgroup: clone3(CLONE_INTO_CGROUP) may have put it elsewhere. */
	cgroup_id = rf_given_cgroup_id(child);
	workload = rf_workload_of_live(cgroup_id, version);
	if (workload == RF_WORKLOAD_NONE)
		return 0;
	rf_hook_seen(RF_HOOK_FORK, workload);
	rf_count(workload, RF_COUNTER_FORK, 1);
	bank = rf_workload_bank(workload, version);
	if (!bank || !rf_wants(bank->telemetry, RF_EVENT_FORK))
		return 0;
	event = rf_telemetry_reserve(RF_EVENT_FORK, struct rf_event_fork, workload, cgroup_id, true);
	if (!event)
		return 0;
	event->child_tgid = child->tgid;
	event->pad = 0;
	rf_telemetry_submit(event);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(rf_exit, struct task_struct *task)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cgroup_id;
	struct rf_workload_bank *bank;
	struct rf_event_exit *event;
	__u32 workload;
	__s32 code;

	/* do_exit() has taken this thread out of the count already. */
	if (task->signal->live.counter != 0)
		return 0;
	cgroup_id = rf_current_cgroup_id();
	workload = rf_workload_of_live(cgroup_id, version);
	if (workload == RF_WORKLOAD_NONE)
		return 0;
	rf_hook_seen(RF_HOOK_EXIT, workload);
	rf_count(workload, RF_COUNTER_EXIT, 1);
	bank = rf_workload_bank(workload, version);
	if (!bank || !rf_wants(bank->telemetry, RF_EVENT_EXIT))
		return 0;
	event = rf_telemetry_reserve(RF_EVENT_EXIT, struct rf_event_exit, workload, cgroup_id, true);
	if (!event)
		return 0;
	code = task->signal->group_exit_code;
	event->exit_code = code ? code : task->exit_code;
	event->pad = 0;
	event->lifetime_ns = bpf_ktime_get_boot_ns() - task->start_boottime;
	rf_telemetry_submit(event);
	return 0;
}
