// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task pays what it owes by sleeping on its way back to user mode, in task
 * work, the way CFS bandwidth and memory.high have it: there it holds no lock,
 * and a signal, the freezer and a kill find it as they find any sleeper.
 *
 * Invariants:
 *   - A slot of the table belongs to the task in it: it alone takes it, changes
 *     it and gives it back. So there is no lock, and nothing is allocated where
 *     the caller is a BPF program in who knows what context.
 *   - A task has at most one slot, so one wait to come.
 *   - A slot in use holds the module, until its work is about to return.
 *
 * Bound: RF_THROTTLE_MAX_NS a wait, RF_MAX_THROTTLED waits, RF_THROTTLE_PROBES
 * slots looked at a call. Failure: open, and told to the caller, who may deny.
 */
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/vmalloc.h>

#include "ringfence/abi.h"
#include "ringfence/limits.h"
#include "compat.h"
#include "module.h"

/* Enough for a table that is three quarters full; past it a call is refused though slots are left elsewhere. */
#define RF_THROTTLE_PROBES 16

struct rf_wait {
	struct callback_head work;
	struct task_struct *task; /* NULL: free; compared, never followed */
	u64 until_ns;		  /* CLOCK_MONOTONIC */
	u32 workload;
};

static struct rf_wait *rf_waits;
static struct rf_throttle_use *rf_uses;

static struct {
	atomic64_t asked, extended, waits, waited_ns, cut, skipped, refused, pending;
} rf_stat;

static_assert(!(RF_MAX_THROTTLED & (RF_MAX_THROTTLED - 1)));
static_assert(sizeof(atomic64_t) == sizeof(__u64));

static void rf_wait_count(u32 workload, u64 ns)
{
	atomic64_inc(&rf_stat.waits);
	atomic64_add(ns, &rf_stat.waited_ns);
	if (workload < RF_MAX_WORKLOADS) {
		atomic64_inc((atomic64_t *)&rf_uses[workload].waits);
		atomic64_add(ns, (atomic64_t *)&rf_uses[workload].waited_ns);
	}
}

/* True when a signal, of the freezer's too, was there before the time had come. */
static bool rf_wait_sleep(u64 until_ns)
{
	ktime_t until = ns_to_ktime(until_ns);

	while (ktime_get_ns() < until_ns) {
		if (signal_pending(current))
			return true;
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_hrtimeout(&until, HRTIMER_MODE_ABS);
	}
	return false;
}

static void rf_wait_run(struct callback_head *work)
{
	struct rf_wait *wait = container_of(work, struct rf_wait, work);
	u64 begin = ktime_get_ns();

	if (current->flags & PF_EXITING) {
		atomic64_inc(&rf_stat.skipped);
	} else {
		if (rf_wait_sleep(wait->until_ns))
			atomic64_inc(&rf_stat.cut);
		rf_wait_count(wait->workload, ktime_get_ns() - begin);
	}
	atomic64_dec(&rf_stat.pending);
	smp_store_release(&wait->task, NULL);
	/* What is left of this function is waited for by rf_throttle_exit(). */
	module_put(THIS_MODULE);
}

/* Current's slot, or a free one that is now its own; NULL: none. */
static struct rf_wait *rf_wait_take(bool *ret_fresh)
{
	unsigned int first = hash_ptr(current, ilog2(RF_MAX_THROTTLED));
	struct task_struct *nobody;
	struct rf_wait *wait;
	unsigned int i;

	*ret_fresh = false;
	for (i = 0; i < RF_THROTTLE_PROBES; i++) {
		wait = &rf_waits[(first + i) % RF_MAX_THROTTLED];
		if (READ_ONCE(wait->task) == current)
			return wait;
	}
	for (i = 0; i < RF_THROTTLE_PROBES; i++) {
		wait = &rf_waits[(first + i) % RF_MAX_THROTTLED];
		nobody = NULL;
		if (!READ_ONCE(wait->task) && try_cmpxchg(&wait->task, &nobody, current)) {
			*ret_fresh = true;
			return wait;
		}
	}
	return NULL;
}

static int rf_wait_queue(u64 until_ns, u32 workload, bool again)
{
	struct rf_wait *wait;
	bool fresh;

	wait = rf_wait_take(&fresh);
	if (!wait)
		return -ENOSPC;
	if (!fresh) {
		wait->until_ns = max(wait->until_ns, until_ns);
		if (again)
			set_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
		atomic64_inc(&rf_stat.extended);
		return 1;
	}

	wait->until_ns = until_ns;
	wait->workload = workload;
	init_task_work(&wait->work, rf_wait_run);
	/* The caller's program holds the module already. */
	__module_get(THIS_MODULE);
	atomic64_inc(&rf_stat.pending);
	/* As a signal: then the kernel also looks whether the system call is to be made again. */
	if (task_work_add(current, &wait->work, again ? TWA_SIGNAL : TWA_RESUME)) {
		atomic64_dec(&rf_stat.pending);
		smp_store_release(&wait->task, NULL);
		module_put(THIS_MODULE);
		return -ESRCH;
	}
	return 0;
}

int rf_throttle_current(u64 delay_ns, u32 workload, bool again)
{
	int r;

	/* A worker of io_uring or vhost is of the process, and never returns to user mode. */
	if (!in_task() || current->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		r = -EOPNOTSUPP;
	else if (current->flags & PF_EXITING)
		r = -ESRCH;
	else
		r = rf_wait_queue(ktime_get_ns() + min_t(u64, delay_ns, RF_THROTTLE_MAX_NS), workload, again);
	atomic64_inc(r < 0 ? &rf_stat.refused : &rf_stat.asked);
	return r;
}

void rf_throttle_read(struct rf_throttle_stat *ret)
{
	*ret = (struct rf_throttle_stat){
		.asked = atomic64_read(&rf_stat.asked),
		.extended = atomic64_read(&rf_stat.extended),
		.waits = atomic64_read(&rf_stat.waits),
		.waited_ns = atomic64_read(&rf_stat.waited_ns),
		.cut = atomic64_read(&rf_stat.cut),
		.skipped = atomic64_read(&rf_stat.skipped),
		.refused = atomic64_read(&rf_stat.refused),
		.pending = atomic64_read(&rf_stat.pending),
	};
}

int rf_throttle_mmap(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	rf_vm_flags_clear(vma, VM_MAYWRITE);
	return remap_vmalloc_range(vma, rf_uses, vma->vm_pgoff);
}

int rf_throttle_init(void)
{
	rf_waits = vzalloc(array_size(RF_MAX_THROTTLED, sizeof(*rf_waits)));
	rf_uses = vmalloc_user(array_size(RF_MAX_WORKLOADS, sizeof(*rf_uses)));
	if (rf_waits && rf_uses)
		return 0;
	vfree(rf_uses);
	vfree(rf_waits);
	return -ENOMEM;
}

void rf_throttle_exit(void)
{
	/* A task that gave its slot back may still have a few instructions of rf_wait_run() before it. */
	synchronize_rcu_tasks();
	vfree(rf_uses);
	vfree(rf_waits);
}
