// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounting of accelerators of the DRM subsystem: an object of its own, which
 * is loaded when the kernel's modules that it looks at are there, and asks for
 * nothing but what the kernel tells by itself. It shares the maps of the others.
 *
 * hook                                              counts, for whoever submitted, made or opened it
 * drm_sched_job, _job_queue       (tracepoint)      a job that is submitted
 * drm_sched_fence_finished                          its end: what it waited and took; the end of one that was given up
 * drm_sched_process_job, _job_done (tracepoint)     the former, where functions cannot be traced
 * drm_gem_private_object_init, _object_release      buffers
 * drm_gem_object_free                               those of i915, which does not call the latter
 * chrdev_open, drm_release, _release_noglobal       open files; the last one of i915 and xe
 * iterator over open files, when the daemon asks    says who has which of them open, under which number
 *
 * The second names of the tracepoints are those of Linux 6.17 and later. Whose
 * something is, is decided once, where it begins: by the cgroup that current is
 * in. What begins in no workload is not counted. Where only the tracepoints
 * are, a job that is given up before it ran has no end that is told: the daemon
 * drops its row in time, unless the next job at its address comes first.
 *
 * A tracing program is skipped where it runs on that processor already, for a task that was preempted in it: on kernels
 * that preempt in tracepoints, those with the second names, jobs would be lost so. There each has a twin, which is
 * skipped only when both are; what both see is counted once, as when two daemons are there.
 *
 * Bound: nine lookups, one for what is nobody's.
 * Failure: as lib/accel_job.bpf.h, accel_object.bpf.h and accel_file.bpf.h have it.
 */
#define RF_DEFINE_MAPS
#include "lib/accel_file.bpf.h"
#include "lib/accel_job.bpf.h"
#include "lib/accel_object.bpf.h"

char _license[] SEC("license") = "GPL";

#define RF_ESRCH 3

/* Of modules, so that no header of this kernel has them; found by their names when the object is loaded. */
struct drm_gpu_scheduler___rf {
	struct device *dev;
} __attribute__((preserve_access_index));

struct drm_sched_job___rf {
	struct drm_gpu_scheduler___rf *sched;
	void *s_fence;
} __attribute__((preserve_access_index));

struct dma_fence___rf {
	__u64 timestamp; /* CLOCK_MONOTONIC; where it was not signaled a pointer, which the verifier takes it for */
	int error;
} __attribute__((preserve_access_index));

struct drm_sched_fence___rf {
	struct dma_fence___rf scheduled, finished;
} __attribute__((preserve_access_index));

struct drm_driver___rf {
	char *name;
} __attribute__((preserve_access_index));

struct drm_device___rf {
	struct device *dev;
	struct drm_driver___rf *driver;
} __attribute__((preserve_access_index));

struct drm_gem_object___rf {
	struct drm_device___rf *dev;
} __attribute__((preserve_access_index));

/*
 * A pointer that the verifier knows as one is no number to it, and may not be computed with; what an atomic operation
 * has left is. Reading it by a helper costs twenty times as much.
 */
static __always_inline __u64 rf_number_of(void *pointer)
{
	volatile __u64 number = 0;

	__sync_fetch_and_add(&number, (__u64)pointer);
	return number;
}

/* Its number; RF_ACCEL_DEVICE_NONE: the daemon does not know it. */
static __noinline __u32 rf_accel_device_named(__u64 address, struct rf_accel_address *row)
{
	struct rf_accel_device_key key = {};
	const char *name = BPF_CORE_READ((struct device *)address, kobj.name);
	__u32 *found;

	if (bpf_probe_read_kernel_str(key.name, sizeof(key.name), name) < 0)
		return RF_ACCEL_DEVICE_NONE;
	found = bpf_map_lookup_elem(&rf_accel_device_map, &key);
	if (!found)
		return RF_ACCEL_DEVICE_NONE;
	/* Read as one: of two devices in one place at a time none is taken for the other. */
	if (row)
		RF_WRITE_ONCE(row->known, RF_ACCEL_ADDRESS(address, *found));
	return *found;
}

static __always_inline __u32 rf_accel_device_of(struct device *device)
{
	__u64 address = rf_number_of(device), known;
	__u32 at = RF_ACCEL_ADDRESS_AT(address);
	struct rf_accel_address *row = bpf_map_lookup_elem(&rf_accel_address_map, &at);

	known = row ? RF_READ_ONCE(row->known) : 0;
	if (rf_likely((known ^ RF_ACCEL_ADDRESS(address, 0)) <= RF_MAX_ACCEL_DEVICES && known))
		return known & RF_MAX_ACCEL_DEVICES;
	return rf_accel_device_named(address, row);
}

static __always_inline __u32 rf_accel_current(void)
{
	return rf_workload_of_live(rf_current_cgroup_id(), RF_READ_ONCE(rf_config.version));
}

/* ---- time ---- */

static __always_inline int rf_job_seen(void *ctx_job)
{
	struct drm_sched_job___rf *job = ctx_job;
	__u32 workload = rf_accel_current();
	__u64 fence = rf_number_of(job->s_fence);

	if (workload == RF_WORKLOAD_NONE || !fence)
		return 0;
	return rf_job_queued(workload, rf_accel_device_of(job->sched->dev), fence);
}

/* Its other fence was signaled when it was handed to the device: no program has to look at that. */
static __always_inline int rf_job_end_seen(const struct drm_sched_fence___rf *fence, bool given_up)
{
	return rf_job_ended(rf_number_of((void *)fence), rf_number_of((void *)fence->scheduled.timestamp), given_up);
}

/* Its client was killed before the device had it. Older kernels write that into the fence first. */
static __always_inline bool rf_job_given_up(const struct drm_sched_fence___rf *fence, void *ctx)
{
	__u64 result = 0;

	if (fence->finished.error == -RF_ESRCH)
		return true;
	return bpf_get_func_arg(ctx, 1, &result) == 0 && (int)result == -RF_ESRCH;
}

SEC("tp_btf/drm_sched_job")
int BPF_PROG(rf_accel_job_queued, void *job)
{
	return job ? rf_job_seen(job) : 0;
}

SEC("tp_btf/drm_sched_job_queue")
int BPF_PROG(rf_accel_job_queue, void *job)
{
	return job ? rf_job_seen(job) : 0;
}

SEC("tp_btf/drm_sched_process_job")
int BPF_PROG(rf_accel_job_ended, void *fence)
{
	return fence ? rf_job_end_seen(fence, false) : 0;
}

SEC("tp_btf/drm_sched_job_done")
int BPF_PROG(rf_accel_job_done, void *fence)
{
	return fence ? rf_job_end_seen(fence, false) : 0;
}

SEC("fentry/drm_sched_fence_finished")
int BPF_PROG(rf_accel_job_finished, void *fence)
{
	return fence ? rf_job_end_seen(fence, rf_job_given_up(fence, ctx)) : 0;
}

SEC("tp_btf/drm_sched_job_queue")
int BPF_PROG(rf_accel_twin_queue, void *job)
{
	return job ? rf_job_seen(job) : 0;
}

SEC("fentry/drm_sched_fence_finished")
int BPF_PROG(rf_accel_twin_finished, void *fence)
{
	return fence ? rf_job_end_seen(fence, rf_job_given_up(fence, ctx)) : 0;
}

/* ---- memory ---- */

SEC("fentry/drm_gem_private_object_init")
int BPF_PROG(rf_accel_object_made, void *drm, void *object, __u64 size)
{
	struct drm_device___rf *device = drm;
	__u32 workload = rf_accel_current();

	if (workload == RF_WORKLOAD_NONE)
		return 0;
	return rf_object_made(workload, rf_accel_device_of(device->dev), (__u64)object, size);
}

SEC("fentry/drm_gem_object_release")
int BPF_PROG(rf_accel_object_gone, void *object)
{
	return rf_object_gone((__u64)object);
}

/*
 * The last reference is gone. That is the end for i915, where a job that uses a buffer has one; others keep the memory
 * until their jobs have ended, and release the object then.
 */
SEC("fentry/drm_gem_object_free")
int BPF_PROG(rf_accel_object_freed, void *reference)
{
	struct drm_gem_object___rf *object = reference; /* its first member */
	__u64 key = (__u64)reference;
	char name[8] = {};

	if (!bpf_map_lookup_elem(&rf_accel_object_map, &key))
		return 0;
	if (bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(object, dev, driver, name)) < 0)
		return 0;
	return __builtin_memcmp(name, "i915", sizeof("i915")) ? 0 : rf_object_gone(key);
}

/* ---- files ---- */

/* Is the end of such an open file told? It is by every driver of the subsystem, and no other. */
static __always_inline bool rf_accel_is_drm(const struct rf_accel_node *node)
{
	__u32 interface = node->interface;
	struct rf_accel_ioctls *known = bpf_map_lookup_elem(&rf_accel_interface_map, &interface);

	return known && known->type == 'd';
}

SEC("fexit/chrdev_open")
int BPF_PROG(rf_accel_opened, struct inode *inode, struct file *file, int ret)
{
	struct rf_accel_node_key key = {};
	struct rf_accel_node *node;
	struct rf_accel_use *use;
	__u32 workload, at;

	if (ret)
		return 0;
	workload = rf_accel_current();
	if (workload == RF_WORKLOAD_NONE)
		return 0;
	key.major = inode->i_rdev >> 20;
	key.minor = inode->i_rdev & 0xfffff;
	node = bpf_map_lookup_elem(&rf_accel_node_map, &key);
	if (!node)
		return 0;
	use = rf_accel_use(workload, node->device, RF_HOOK_ACCEL_IOCTL, &at);
	if (!use)
		return 0;
	/* One that is open for ever as far as we see is not called so. */
	if (!rf_accel_is_drm(node)) {
		__sync_fetch_and_add(&use->opens, 1);
		return 0;
	}
	return rf_file_opened(use, at, (__u64)file, bpf_get_current_pid_tgid() >> 32);
}

SEC("fentry/drm_release")
int BPF_PROG(rf_accel_closed, struct inode *inode, struct file *file)
{
	return rf_file_closed((__u64)file, false);
}

SEC("fentry/drm_release_noglobal")
int BPF_PROG(rf_accel_closed_noglobal, struct inode *inode, struct file *file)
{
	return rf_file_closed((__u64)file, false);
}

/*
 * Of one process that the daemon asks for, or of all. An open file has a number only after chrdev_open(), and others
 * may get it by fork, dup or SCM_RIGHTS: fd_install() would tell most of that, at a cost for every file that anybody
 * opens. This costs nothing until somebody opens an accelerator.
 */
SEC("iter/task_file")
int rf_accel_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct rf_accel_holder holder = {};
	struct rf_accel_file *row;
	__u64 address;

	if (!task || !file)
		return 0;
	address = (__u64)file;
	row = bpf_map_lookup_elem(&rf_accel_file_map, &address);
	if (!row)
		return 0;
	holder.file.address = address;
	holder.file.opened_ns = row->opened_ns;
	holder.tgid = task->tgid;
	holder.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder));
	return 0;
}
