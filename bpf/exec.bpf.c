// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which programs a workload may run. Each program is attached while some
 * workload has a policy that speaks of it.
 *
 * hook                 decides
 * bprm_check_security  whether a program runs; called again for what its "#!" names (level 1)
 * mmap_file            whether a file is mapped to be executed, a library: drift alone (level 1)
 * file_mprotect        the same, for a mapping that becomes executable (level 1)
 * sched_process_exec   where BPF LSM does not run: kills what should not have started. Best effort: of a script only
 *                      the interpreter is seen
 *
 * A file without a name (a memfd, or deleted) is `memfd`; one that is on tmpfs
 * or ramfs, or in the upper layer of an overlay, or without a name, is `drift`;
 * then the rules of paths and labels are asked.
 *
 * Bound: one lookup for the unmanaged, and none where nothing is mapped to be
 * executed. Else a walk over at most RF_EXEC_DEPTH_MAX components and
 * RF_EXEC_PATH_MAX bytes, a tier, and where rules name labels one up the
 * directories, RF_MAX_FILE_DEPTH. Failure: closed; a path that is longer or
 * deeper is denied, counted in exec_path, and so it is where no slot is free,
 * exec_busy, and where a label is asked of a file without a place among
 * directories, file_unplaced.
 */
#include "lib/exec.bpf.h"
#include "lib/lsm.bpf.h"
#include "lib/submit.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_PROT_EXEC	 4
#define RF_FMODE_BACKING (1u << 24)
#define RF_SIGKILL	 9

/* Where a file of overlayfs is mapped, the mapping has one of the layer below, which knows the path above. */
struct backing_file___rf {
	struct path user_path;
} __attribute__((preserve_access_index));

struct rf_exec_case {
	__u64 cgroup_id;
	__u64 version;
	struct vfsmount *mnt;
	struct dentry *dentry;
	__u32 workload;
	enum rf_exec_role role;
	enum rf_hook hook;
};

static __always_inline bool rf_exec_is_asked(const struct rf_workload_bank *bank)
{
	return bank->exec[RF_TIER_ENFORCE].set | bank->exec[RF_TIER_ENFORCE].deny | bank->exec[RF_TIER_AUDIT].set |
	       bank->exec[RF_TIER_AUDIT].deny;
}

static __always_inline void rf_exec_report(const struct rf_exec_case *c, const struct rf_path_slot *slot,
					   enum rf_path_state state, enum rf_tier tier, __u32 set,
					   const struct rf_exec_verdict *verdict)
{
	struct rf_event_exec_deny *event;
	__u32 bare = state == RF_PATH_NONE;

	rf_count(c->workload, tier == RF_TIER_ENFORCE ? RF_COUNTER_EXEC_DENY : RF_COUNTER_EXEC_WOULD, 1);
	event = rf_audit_reserve(RF_EVENT_EXEC_DENY, struct rf_event_exec_deny, c->workload, c->cgroup_id, true);
	if (!event)
		return;
	event->header.verdict = tier == RF_TIER_ENFORCE ? RF_DENY : RF_WOULD_DENY;
	event->set = set;
	event->rule = verdict->rule;
	event->tier = tier;
	event->reason = verdict->reason;
	event->role = c->role;
	__builtin_memset(event->pad, 0, sizeof(event->pad));
	__builtin_memset(event->path, 0, sizeof(event->path));
	event->path_len = 0;
	if (slot && bpf_probe_read_kernel_str(event->path, sizeof(event->path), &slot->text[bare]) > 0)
		event->path_len = slot->length - bare;
	else
		rf_error(c->hook, RF_ERROR_PATH_READ);
	rf_audit_submit(event);
}

/* True: denied. */
static __always_inline bool rf_exec_judge(const struct rf_workload_bank *bank, const struct rf_exec_case *c)
{
	__u32 traits = rf_exec_traits(c->dentry, bank->exec[RF_TIER_ENFORCE].deny | bank->exec[RF_TIER_AUDIT].deny);
	bool rules = c->role != RF_EXEC_LIBRARY;
	enum rf_path_state state = RF_PATH_TOO_LONG;
	struct rf_path_slot *slot;
	bool denied = false;
	__u32 at;

	if (!traits && (!rules || !(bank->exec[RF_TIER_ENFORCE].set | bank->exec[RF_TIER_AUDIT].set)))
		return false;
	slot = rf_path_slot_take(&at);
	if (slot)
		state = rf_path_read(slot, c->mnt, c->dentry);
	else
		rf_error(c->hook, RF_ERROR_EXEC_BUSY);
	for (int tier = 0; tier < RF_TIERS && !denied; tier++) {
		__u32 deny = traits & bank->exec[tier].deny, set = bank->exec[tier].set;
		struct rf_exec_verdict verdict = { .reason = RF_EXEC_UNREADABLE, .rule = RF_RULE_DEFAULT };

		if (deny) {
			verdict.reason = deny & 1u << RF_EXEC_MEMFD ? RF_EXEC_MEMFD : RF_EXEC_DRIFT;
			verdict.denied = true;
		} else if (set && rules) {
			if (slot)
				verdict = rf_exec_verdict_of(rf_exec_set_judge(
					set, at, RF_EXEC_HOW(state, c->role, c->hook), (__u64)c->dentry, c->version));
			else
				verdict.denied = true;
		}
		if (!verdict.denied)
			continue;
		rf_exec_report(c, slot, state, tier, set, &verdict);
		denied = tier == RF_TIER_ENFORCE;
	}
	if (slot)
		rf_path_slot_give(slot);
	return denied;
}

/* What current is, into @c; NULL: nobody asks. */
static __always_inline struct rf_workload_bank *rf_exec_begin(struct rf_exec_case *c)
{
	struct rf_workload_bank *bank;

	c->version = RF_READ_ONCE(rf_config.version);
	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, c->version);
	if (c->workload == RF_WORKLOAD_NONE)
		return NULL;
	rf_hook_seen(c->hook, c->workload);
	bank = rf_workload_bank(c->workload, c->version);
	return bank && rf_exec_is_asked(bank) ? bank : NULL;
}

/* "#!" and binfmt_misc change what is interpreted, and leave the name that execve() was given. */
static __always_inline enum rf_exec_role rf_exec_role(const struct linux_binprm *bprm)
{
	return bprm->interp == bprm->filename ? RF_EXEC_PROGRAM : RF_EXEC_INTERPRETER;
}

static __always_inline void rf_exec_file_is(struct rf_exec_case *c, struct file *file)
{
	c->mnt = BPF_CORE_READ(file, f_path.mnt);
	c->dentry = BPF_CORE_READ(file, f_path.dentry);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(rf_bprm_check, struct linux_binprm *bprm, int ret)
{
	struct rf_exec_case c = { .hook = RF_HOOK_BPRM_CHECK };
	struct rf_workload_bank *bank;

	if (ret)
		return ret;
	bank = rf_exec_begin(&c);
	if (!bank)
		return 0;
	c.role = rf_exec_role(bprm);
	rf_exec_file_is(&c, bprm->file);
	return rf_lsm_verdict(rf_exec_judge(bank, &c));
}

SEC("lsm/mmap_file")
int BPF_PROG(rf_mmap_file, struct file *file, unsigned long asked, unsigned long prot, unsigned long flags, int ret)
{
	struct rf_exec_case c = { .hook = RF_HOOK_MMAP_FILE, .role = RF_EXEC_LIBRARY };
	struct rf_workload_bank *bank;
	struct task_struct *task;

	if (ret)
		return ret;
	if (!(prot & RF_PROT_EXEC) || !file)
		return 0;
	bank = rf_exec_begin(&c);
	if (!bank)
		return 0;
	/* The program itself has been judged. */
	task = (struct task_struct *)bpf_get_current_task();
	if (BPF_CORE_READ(task, mm, exe_file) == file)
		return 0;
	rf_exec_file_is(&c, file);
	return rf_lsm_verdict(rf_exec_judge(bank, &c));
}

SEC("lsm/file_mprotect")
int BPF_PROG(rf_file_mprotect, struct vm_area_struct *vma, unsigned long asked, unsigned long prot, int ret)
{
	struct rf_exec_case c = { .hook = RF_HOOK_FILE_MPROTECT, .role = RF_EXEC_LIBRARY };
	struct rf_workload_bank *bank;
	struct file *file;

	if (ret)
		return ret;
	if (!(prot & RF_PROT_EXEC))
		return 0;
	bank = rf_exec_begin(&c);
	if (!bank)
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return 0;
	if (bpf_core_type_exists(struct backing_file___rf) && BPF_CORE_READ(file, f_mode) & RF_FMODE_BACKING) {
		struct backing_file___rf *backing = (void *)file;

		c.mnt = BPF_CORE_READ(backing, user_path.mnt);
		c.dentry = BPF_CORE_READ(backing, user_path.dentry);
	} else {
		rf_exec_file_is(&c, file);
	}
	return rf_lsm_verdict(rf_exec_judge(bank, &c));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(rf_exec_kill, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct rf_exec_case c = { .hook = RF_HOOK_EXEC_KILL };
	struct rf_workload_bank *bank = rf_exec_begin(&c);

	if (!bank)
		return 0;
	c.role = rf_exec_role(bprm);
	rf_exec_file_is(&c, bprm->file);
	if (rf_exec_judge(bank, &c) && bpf_send_signal(RF_SIGKILL))
		rf_error(c.hook, RF_ERROR_EXEC_KILL);
	return 0;
}
