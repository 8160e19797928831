// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of libraries by which work gets to an accelerator without a system
 * call: counted per workload, charged to a device that stands for them all, and
 * held back where a quota is used up. An object of its own, loaded when the
 * first library is found; the daemon says which functions of which files are
 * probed (user/daemon/libraries.c), and what each is by the probe's cookie.
 *
 * program            what it does
 * rf_call_begin      (uprobe)    where a call begins: asks the quota, for launches
 * rf_call_end        (uretprobe) where it returns: counts it
 *
 * Only the outermost call of a thread counts: a runtime calls the driver. What
 * a program does with a device is not seen from here; it works from when it has
 * handed something over until it has waited for it, which is never less than
 * the device's time, unless nothing is ever waited for.
 *
 * A launch cannot fail for us. One beyond a quota waits before it begins, where
 * the module is and its kernel lets probes call it; what that cannot hold is
 * left to the daemon, who freezes the workload.
 *
 * Bound: nine lookups, and what quota.bpf.h says where there is a quota.
 * Failure: open; not counted, and that is (accel_full).
 */
#define RF_DEFINE_MAPS
#include "lib/quota_wait.bpf.h"

char _license[] SEC("license") = "GPL";

/* The module is there, and may be called from here. */
const volatile bool rf_probe_waits = false;

extern int rf_throttle(__u64 delay_ns, __u32 workload, __u32 flags) __ksym __weak;

/* Two of us, while a daemon takes over from another, are called one after the other for the same call. */
#define RF_CALL_TWICE_NS 50000

/* False: current's workload has not asked to be counted. */
static __always_inline bool rf_call_workload(__u64 version, __u32 *ret)
{
	struct rf_workload_bank *bank;

	*ret = rf_workload_of_live(rf_current_cgroup_id(), version);
	if (*ret == RF_WORKLOAD_NONE)
		return false;
	bank = rf_workload_bank(*ret, version);
	return bank && bank->flags & RF_BANK_CALLS;
}

/* ---- work ---- */

/*
 * For how long it had been frozen until @now. A freeze is counted before it is thawed, but where the daemon is late and
 * its child thaws: until it is counted, all that passes may have been frozen.
 */
static __always_inline __u64 rf_work_frozen(const struct rf_accel_use *use, __u64 now)
{
	/* First, so that what is counted meanwhile is there twice rather than not at all. */
	__u64 at = RF_READ_ONCE(use->frozen_at_ns), since;

	if (!at || at >= now)
		return RF_READ_ONCE(use->frozen_ns);
	since = now - at;
	return RF_READ_ONCE(use->frozen_ns) + (since < RF_CALL_FROZEN_MAX_NS ? since : RF_CALL_FROZEN_MAX_NS);
}

static __always_inline void rf_work_begin(__u32 tgid, struct rf_accel_use *use, __u32 at, __u64 now)
{
	struct rf_call_process *process = bpf_map_lookup_elem(&rf_call_process_map, &tgid), fresh = { .use = at };

	if (!process) {
		bpf_map_update_elem(&rf_call_process_map, &tgid, &fresh, BPF_NOEXIST);
		process = bpf_map_lookup_elem(&rf_call_process_map, &tgid);
	}
	if (!process) {
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
		return;
	}
	if (__sync_val_compare_and_swap(&process->begun_ns, 0, now))
		return;
	process->use = at;
	process->held_ns = 0;
	process->frozen_ns = rf_work_frozen(use, now);
	/* What it will take is not known: a launch more, of the same work, does not go by it. */
	rf_quota_queued(use, at, RF_ACCEL_DEVICE_LIBRARY, 0, now);
}

/* Time in which it was held back is not the device's, but for what may have been under way when that began. */
static __always_inline __u64 rf_work_busy(const struct rf_accel_use *use, __u64 elapsed, __u64 idle)
{
	__u64 estimate = RF_READ_ONCE(use->estimate_ns), busy;

	if (elapsed > RF_ACCEL_JOB_MAX_NS)
		elapsed = RF_ACCEL_JOB_MAX_NS;
	if (!idle)
		return elapsed;
	busy = elapsed > idle ? elapsed - idle : 0;
	if (estimate > elapsed)
		estimate = elapsed;
	return busy > estimate ? busy : estimate;
}

/* Half of it is what the last one took. */
static __always_inline void rf_work_estimate(struct rf_accel_use *use, __u64 busy)
{
	__u64 estimate = RF_READ_ONCE(use->estimate_ns);

	RF_WRITE_ONCE(use->estimate_ns, estimate > RF_ACCEL_WAIT_MIN_NS ? (estimate + busy) / 2 : busy);
}

static __always_inline void rf_work_end(struct rf_call_process *process, __u64 now)
{
	__u64 begun = RF_READ_ONCE(process->begun_ns), frozen, idle, busy;
	struct rf_accel_use *use = rf_accel_use_at(process->use);

	if (!begun || !use)
		return;
	frozen = rf_work_frozen(use, now);
	idle = process->held_ns + (frozen > process->frozen_ns ? frozen - process->frozen_ns : 0);
	if (__sync_val_compare_and_swap(&process->begun_ns, begun, 0) != begun)
		return;
	busy = rf_work_busy(use, now - begun, idle);
	if (!idle)
		RF_WRITE_ONCE(use->measured_at, RF_READ_ONCE(use->frozen_ns) + 1);
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		rf_quota_ended_one(use, busy, 0, now);
		__sync_fetch_and_add(&use->busy_ns, busy);
		if (!idle)
			rf_work_estimate(use, busy);
		use = rf_accel_above(use);
	}
}

/* ---- launches ---- */

/* It goes on in any case, so that it is a submission, too. */
static __always_inline void rf_launch_charge(struct rf_accel_use *use)
{
	for (int level = 0; level < RF_ACCEL_LEVELS && use; level++) {
		__sync_fetch_and_add(&use->submit_paid_ns, rf_quota_spacing(use));
		use = rf_accel_above(use);
	}
}

/*
 * What is over by less is not worth a freeze, and is remembered. So is all that a limit of time has to be paid after a
 * freeze until some work was seen from its begin to its end: what a freeze interrupts is charged what others took.
 */
static __always_inline bool rf_launch_freezes(const struct rf_accel_use *use, const struct rf_quota_answer *answer,
					      __u64 wait_ns, __u64 held_ns)
{
	if (held_ns >= wait_ns)
		return false;
	if (held_ns || answer->kind == RF_QUOTA_SHARE || answer->kind == RF_QUOTA_BUDGET)
		return true;
	if (answer->kind == RF_QUOTA_TIME && RF_READ_ONCE(use->measured_at) != RF_READ_ONCE(use->frozen_ns) + 1)
		return false;
	return wait_ns >= RF_CALL_FREEZE_NS;
}

/* Returns how long the thread will wait before it launches. */
static __noinline __u64 rf_launch_ask(struct rf_accel_use *use, __u32 at, __u32 workload, __u64 now)
{
	struct rf_device_case c = { .workload = workload, .cgroup_id = rf_current_cgroup_id() };
	struct rf_quota_answer answer = {};
	__u64 wait_ns, held_ns = 0;

	if (!use)
		return 0;
	if (!rf_quota_ask(at, RF_ACCEL_SUBMIT, &answer)) {
		if (rf_unlikely(RF_READ_ONCE(use->throttled_ns)))
			rf_quota_passed(use, &c);
		return 0;
	}
	if (answer.flags & RF_QUOTA_AUDIT) {
		rf_quota_over(use, &c, &answer);
		return 0;
	}
	rf_launch_charge(use);
	wait_ns = answer.wait_ns ? answer.wait_ns : RF_THROTTLE_MAX_NS;
	if (rf_probe_waits && rf_throttle(wait_ns, workload, 0) >= 0)
		held_ns = wait_ns < RF_THROTTLE_MAX_NS ? wait_ns : RF_THROTTLE_MAX_NS;
	if (rf_launch_freezes(use, &answer, wait_ns, held_ns))
		RF_WRITE_ONCE(use->hold_until_ns, now + wait_ns);
	else if (!held_ns)
		return 0;
	rf_quota_held(use, &c, &answer, wait_ns);
	return held_ns;
}

static __noinline int rf_launch_begin(struct rf_call_thread *thread, __u32 workload, __u64 version, bool submits)
{
	struct rf_call_process *process;
	struct rf_accel_use *use;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, at;
	__u64 now;

	if (!thread)
		return 0;
	now = thread->begun_ns;
	use = rf_accel_use(workload, RF_ACCEL_DEVICE_LIBRARY, RF_HOOK_ACCEL_IOCTL, &at);
	if (!use)
		return 0;
	if (rf_unlikely(use->quota_version != version + 1))
		rf_quota_refresh(at, version);
	process = bpf_map_lookup_elem(&rf_call_process_map, &tgid);
	if (process && now - RF_READ_ONCE(process->begun_ns) >= RF_CALL_SETTLE_NS)
		rf_work_end(process, now);
	if (submits) {
		__sync_fetch_and_add(&use->jobs, 1);
		if (use->quoted)
			thread->held_ns = rf_launch_ask(use, at, workload, now);
	}
	/* What waits has handed nothing over yet; what was handed over before goes on. */
	if (!thread->held_ns)
		rf_work_begin(tgid, use, at, now);
	else if (process && RF_READ_ONCE(process->begun_ns))
		__sync_fetch_and_add(&process->held_ns, thread->held_ns);
	return 0;
}

/* ---- calls ---- */

/* All of them are read, each where it is: a place in the registers that is computed is refused. */
static __always_inline __u64 rf_call_argument(struct pt_regs *ctx, __u32 number)
{
	__u64 second = PT_REGS_PARM2(ctx), third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx),
	      fifth = PT_REGS_PARM5(ctx);

	rf_barrier_var(second);
	rf_barrier_var(third);
	rf_barrier_var(fourth);
	rf_barrier_var(fifth);
	return number == 2 ? second : number == 3 ? third : number == 4 ? fourth : number == 5 ? fifth : 0;
}

static __always_inline struct rf_call_thread *rf_call_thread(__u64 flags)
{
	struct rf_call_thread *thread =
		bpf_task_storage_get(&rf_call_thread_map, bpf_get_current_task_btf(), NULL, flags);

	if (!thread && flags)
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
	return thread;
}

/* Is the call that the thread began one that it is still in? The stack grows down. */
static __always_inline bool rf_call_is_inside(const struct rf_call_thread *thread, __u64 stack, __u64 now)
{
	return thread->depth &&
	       (stack < thread->stack || (stack == thread->stack && now - thread->begun_ns < RF_CALL_TWICE_NS));
}

static __always_inline void rf_resolve_begin(struct pt_regs *ctx)
{
	struct rf_call_thread *thread = rf_call_thread(BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!thread)
		return;
	thread->name = PT_REGS_PARM1(ctx);
	thread->pointer = PT_REGS_PARM2(ctx);
}

static long rf_site_look(struct task_struct *task, struct vm_area_struct *area, void *arg)
{
	struct rf_call_site *site = arg;
	struct file *file = area->vm_file;

	if (!file)
		return 0;
	site->inode = BPF_CORE_READ(file, f_inode, i_ino);
	site->device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	site->offset = site->address - area->vm_start + (area->vm_pgoff << 12);
	return 0;
}

/*
 * Where the function that was asked for is: the daemon probes it there. Its name is read now, when the library has:
 * what nobody has touched yet cannot be read here.
 */
static __always_inline void rf_resolve_end(struct pt_regs *ctx, __u32 workload)
{
	struct rf_call_site_key key = { .workload = workload };
	struct rf_call_thread *thread = rf_call_thread(0);
	struct rf_call_site site = {};
	struct rf_call_name name = {};
	__u64 *cookie;

	if (!thread || !thread->name || (__u32)PT_REGS_RC(ctx))
		return;
	if (bpf_probe_read_user_str(name.name, sizeof(name.name), (void *)thread->name) <= 0) {
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_CALL);
		return;
	}
	thread->name = 0;
	cookie = bpf_map_lookup_elem(&rf_call_name_map, &name);
	if (!cookie)
		return;
	site.cookie = *cookie;
	/* It fails where another thread changes the mappings at that moment. */
	if (bpf_probe_read_user(&site.address, sizeof(site.address), (void *)thread->pointer) < 0 ||
	    bpf_find_vma(bpf_get_current_task_btf(), site.address, rf_site_look, &site, 0) < 0 || !site.inode) {
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_CALL);
		return;
	}
	site.tgid = bpf_get_current_pid_tgid() >> 32;
	key.place = rf_call_place(site.inode, site.device, site.offset);
	if (bpf_map_update_elem(&rf_call_site_map, &key, &site, BPF_NOEXIST) < 0 &&
	    !bpf_map_lookup_elem(&rf_call_site_map, &key))
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
}

/* What the probe stands for, for that workload; 0: nothing. */
static __always_inline __u64 rf_call_meant(__u64 cookie, __u32 workload)
{
	struct rf_call_site_key key = { .place = RF_CALL_PLACE(cookie), .workload = workload };
	const struct rf_call_site *site;

	if (!(cookie & RF_CALL_TOLD))
		return cookie;
	site = bpf_map_lookup_elem(&rf_call_site_map, &key);
	return site && site->seen ? site->cookie : 0;
}

SEC("uprobe")
int rf_call_begin(struct pt_regs *ctx)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cookie = bpf_get_attach_cookie(ctx), stack, now;
	struct rf_call_thread *thread;
	__u32 workload, kind;

	if (!rf_call_workload(version, &workload))
		return 0;
	if (cookie & RF_CALL_RESOLVES) {
		rf_resolve_begin(ctx);
		return 0;
	}
	cookie = rf_call_meant(cookie, workload);
	if (!cookie)
		return 0;
	thread = rf_call_thread(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread)
		return 0;
	stack = PT_REGS_SP(ctx);
	now = bpf_ktime_get_ns();
	if (rf_call_is_inside(thread, stack, now)) {
		thread->depth++;
		return 0;
	}
	thread->begun_ns = now;
	thread->cookie = cookie;
	thread->stack = stack;
	thread->size = rf_call_argument(ctx, RF_CALL_SIZE(cookie));
	thread->held_ns = 0;
	thread->depth = 1;
	thread->blocks = cookie & RF_CALL_BLOCKS || (cookie & RF_CALL_MAY_BLOCK && (__u32)PT_REGS_PARM3(ctx));
	kind = RF_CALL_KIND(cookie);
	if (kind == RF_CALL_LAUNCH || kind == RF_CALL_GRAPH || kind == RF_CALL_COPY)
		rf_launch_begin(thread, workload, version, kind != RF_CALL_COPY);
	return 0;
}

static __always_inline void rf_call_count(__u32 workload, const struct rf_call_thread *thread, __u64 now, bool failed)
{
	struct rf_call_key key = { .workload = workload, .kind = RF_CALL_KIND(thread->cookie) };
	struct rf_call_use *use = bpf_map_lookup_elem(&rf_call_map, &key), none = {};
	__u64 ns = now - thread->begun_ns;
	__u32 bucket = 0;

	if (!use) {
		bpf_map_update_elem(&rf_call_map, &key, &none, BPF_NOEXIST);
		use = bpf_map_lookup_elem(&rf_call_map, &key);
	}
	if (!use) {
		rf_error(RF_HOOK_ACCEL_IOCTL, RF_ERROR_ACCEL_FULL);
		return;
	}
	ns -= ns < thread->held_ns ? ns : thread->held_ns;
	while (bucket < RF_CALL_BUCKETS - 1 && ns >= RF_CALL_BUCKET_NS(bucket))
		bucket++;
	__sync_fetch_and_add(&use->calls, 1);
	if (failed)
		__sync_fetch_and_add(&use->failures, 1);
	else
		__sync_fetch_and_add(&use->bytes, thread->size);
	__sync_fetch_and_add(&use->ns, ns);
	if (bucket < RF_CALL_BUCKETS)
		__sync_fetch_and_add(&use->bucket[bucket], 1);
}

/* What has begun or ended with it. */
static __noinline int rf_launch_end(struct rf_call_thread *thread, __u32 workload, bool failed, __u64 now)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, kind, at;
	struct rf_call_process *process;
	struct rf_accel_use *use;

	if (!thread)
		return 0;
	kind = RF_CALL_KIND(thread->cookie);
	if (!failed && thread->held_ns && kind != RF_CALL_SYNC) {
		use = rf_accel_use(workload, RF_ACCEL_DEVICE_LIBRARY, RF_HOOK_ACCEL_IOCTL, &at);
		if (use)
			rf_work_begin(tgid, use, at, now);
		return 0;
	}
	process = bpf_map_lookup_elem(&rf_call_process_map, &tgid);
	if (!process)
		return 0;
	/* What failed has handed nothing over: what it began is over. */
	if (thread->blocks || (failed && process->begun_ns == thread->begun_ns))
		rf_work_end(process, now);
	return 0;
}

SEC("uretprobe")
int rf_call_end(struct pt_regs *ctx)
{
	__u64 version = RF_READ_ONCE(rf_config.version), cookie = bpf_get_attach_cookie(ctx), returned, now;
	struct rf_call_thread *thread;
	__u32 workload;
	bool failed;

	if (!rf_call_workload(version, &workload))
		return 0;
	if (cookie & RF_CALL_RESOLVES) {
		rf_resolve_end(ctx, workload);
		return 0;
	}
	if (!rf_call_meant(cookie, workload))
		return 0;
	thread = rf_call_thread(0);
	if (!thread || !thread->depth || --thread->depth)
		return 0;
	returned = PT_REGS_RC(ctx);
	failed = thread->cookie & RF_CALL_POINTER ? !returned : (__u32)returned != 0;
	/* It goes on: nobody has waited for anything. */
	if (failed && thread->cookie & RF_CALL_POLLS)
		return 0;
	now = bpf_ktime_get_ns();
	rf_call_count(workload, thread, now, failed);
	if (RF_CALL_KIND(thread->cookie) != RF_CALL_ALLOC)
		rf_launch_end(thread, workload, failed, now);
	return 0;
}
