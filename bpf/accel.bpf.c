// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accelerators: what is done with a node that is open. Who may open one is
 * cgroup/dev's to say; these hooks see descriptors that were passed, inherited,
 * or opened before there was a policy, and tell what an ioctl asks for. Attached
 * while some workload has rules of accelerators.
 *
 * hook                 decides
 * file_ioctl           an ioctl, by its class: submit, alloc, map, admin, other; counts it; then quotas
 * file_ioctl_compat    the same of a 32-bit process: the numbers are the same
 * mmap_file            mmap() of a node, class map
 * file_receive         being passed one over a Unix socket: what it was opened for
 *
 * The class is that of the number alone. What lies behind the pointer may change
 * after it was looked at, so it is not.
 *
 * A submission beyond a quota is made to wait where the module is: it has not begun, and the kernel makes the system
 * call again after the wait, as after a signal, until it may go on. Without, it fails.
 *
 * Bound: fourteen lookups, five as a rule, and what quota.bpf.h says where there is a quota; four instructions on what
 * is no character device.
 * Failure: a set without an entry denies (closed); a node that nobody knows is
 * none (open), and was judged when it was opened.
 */
#include "lib/accel.bpf.h"
#include "lib/device.bpf.h"
#include "lib/lsm.bpf.h"
#include "lib/quota_wait.bpf.h"
#include "ringfence/kfunc.h"

char _license[] SEC("license") = "GPL";

#define RF_S_IFMT      0170000
#define RF_S_IFCHR     0020000
#define RF_FMODE_READ  0x1 /* linux/fs.h */
#define RF_FMODE_WRITE 0x2

/* The slot of its major; 0: most files are no devices, and most devices no accelerators. */
static __always_inline __u32 rf_accel_slot(struct file *file)
{
	struct inode *inode = file->f_inode;

	return (inode->i_mode & RF_S_IFMT) == RF_S_IFCHR ? rf_accel_slot_of(inode->i_rdev >> 20) : 0;
}

/* Fills @c when current is in a workload; else false. */
static __always_inline bool rf_accel_begin(struct rf_device_case *c, struct file *file, __u64 version,
					   enum rf_hook hook)
{
	__u32 rdev = file->f_inode->i_rdev;

	c->cgroup_id = rf_current_cgroup_id();
	c->workload = rf_workload_of_live(c->cgroup_id, version);
	if (c->workload == RF_WORKLOAD_NONE)
		return false;
	rf_hook_seen(hook, c->workload);
	c->hook = hook;
	c->type = RF_TYPE_CHAR;
	c->major = rdev >> 20;
	c->minor = rdev & 0xfffff;
	return true;
}

/* True: denied. */
static __always_inline bool rf_accel_denied(const struct rf_device_case *c, __u64 version)
{
	struct rf_workload_bank *bank = rf_workload_bank(c->workload, version);

	return bank && rf_device_judge(bank, c);
}

static __always_inline __u32 rf_accel_class(__u32 interface, __u32 cmd)
{
	struct rf_accel_ioctls *known = bpf_map_lookup_elem(&rf_accel_interface_map, &interface);
	__u32 nr = cmd & 0xff, class;

	/* NVIDIA's UVM has plain numbers: all of what a type and a size are made of elsewhere is 0. */
	if (!known || !RF_ACCEL_TYPE_IS(known->type, cmd))
		return RF_ACCEL_OTHER;
	class = known->class[nr];
	return class < RF_ACCEL_CLASSES ? class : RF_ACCEL_OTHER;
}

/* What neither tier denies of the node. */
static __always_inline __u32 rf_accel_allowed(const struct rf_workload_bank *bank, const struct rf_device_case *c)
{
	__u32 allowed = RF_ACCEL_USE | (RF_ACCEL_USE - 1);

	for (int tier = 0; tier < RF_TIERS; tier++) {
		const struct rf_device_value *value;
		__u32 set = bank->device_set[tier], bits;

		if (!set)
			continue;
		value = rf_device_find(set, c);
		bits = value ? value->allow & (RF_ACCEL_USE - 1) : 0;
		if (bits & (RF_DEVICE_READ | RF_DEVICE_WRITE))
			bits |= RF_ACCEL_USE;
		allowed &= bits;
	}
	return allowed;
}

/* ---- quotas ---- */

#define RF_ERESTARTNOINTR 513
#define RF_EAGAIN	  11
#define RF_ENOMEM	  12
#define RF_EDQUOT	  122

/* The module has the call. Its address cannot be asked for: kernels before 6.4 know that of data alone. */
const volatile bool rf_module_waits = false;

/* The module's; not there without it. */
extern int rf_throttle(__u64 delay_ns, __u32 workload, __u32 flags) __ksym __weak;

static __always_inline bool rf_quota_waits(const struct rf_quota_answer *answer)
{
	return answer->wait_ns && answer->flags & RF_QUOTA_WAIT;
}

/* 0, or what the ioctl ends with. */
static __noinline int rf_quota_verdict(struct rf_accel_use *use, __u32 at, const struct rf_device_case *c, __u32 class)
{
	struct rf_quota_answer answer = {};

	if (!use)
		return 0;
	if (!rf_quota_ask(at, class, &answer)) {
		if (rf_unlikely(RF_READ_ONCE(use->throttled_ns)) && class == RF_ACCEL_SUBMIT)
			rf_quota_passed(use, c);
		return 0;
	}
	if (!(answer.flags & RF_QUOTA_AUDIT) && rf_module_waits && rf_quota_waits(&answer) &&
	    rf_throttle(answer.wait_ns, c->workload, RF_THROTTLE_AGAIN) >= 0) {
		/* It comes again, and is counted then. */
		__sync_fetch_and_add(&use->ioctls[RF_ACCEL_SUBMIT], -1);
		rf_quota_held(use, c, &answer,
			      answer.wait_ns < RF_THROTTLE_MAX_NS ? answer.wait_ns : RF_THROTTLE_MAX_NS);
		return -RF_ERESTARTNOINTR;
	}
	if (!rf_quota_over(use, c, &answer))
		return 0;
	if (answer.kind == RF_QUOTA_MEMORY && answer.flags & RF_QUOTA_ENOMEM)
		return -RF_ENOMEM;
	return answer.wait_ns && !(answer.flags & RF_QUOTA_EDQUOT) ? -RF_EAGAIN : -RF_EDQUOT;
}

static __always_inline int rf_accel_quota(struct rf_accel_use *use, __u32 at, const struct rf_device_case *c,
					  __u32 class)
{
	if (rf_likely(!use->quoted || (class != RF_ACCEL_SUBMIT && class != RF_ACCEL_ALLOC)))
		return 0;
	return rf_quota_verdict(use, at, c, class);
}

static __always_inline int rf_accel_ioctl_judge(struct file *file, __u32 cmd, enum rf_hook hook)
{
	__u64 version = RF_READ_ONCE(rf_config.version), tag, known;
	__u32 slot = rf_accel_slot(file), class, wanted, at;
	struct rf_workload_bank *bank;
	struct rf_device_case c = {};
	struct rf_accel_node *node;
	struct rf_accel_use *use;

	if (!slot)
		return 0;
	if (!rf_accel_begin(&c, file, version, hook))
		return 0;
	node = rf_accel_node(c.major, c.minor, slot);
	if (!node)
		return 0;
	class = rf_accel_class(node->interface, cmd);
	wanted = class == RF_ACCEL_OTHER ? RF_ACCEL_USE : RF_ACCEL_BIT(class);
	use = rf_accel_use(c.workload, node->device, hook, &at);
	if (rf_likely(use)) {
		__sync_fetch_and_add(&use->ioctls[class], 1);
		/* The factor is 2^64 by the golden ratio; a device has a few nodes, and one is used at a time. */
		tag = ((version + 1) * 0x9e3779b97f4a7c15ULL ^ (__u64)c.minor << 32 ^ c.major << 8) & ~0xffULL;
		known = RF_READ_ONCE(use->allowed) ^ tag;
		if (rf_unlikely(known > 0xff)) {
			bank = rf_workload_bank(c.workload, version);
			known = bank ? rf_accel_allowed(bank, &c) : 0xff;
			if (use->quota_version != version + 1)
				rf_quota_refresh(at, version);
			RF_WRITE_ONCE(use->allowed, tag | known);
		}
		if (rf_likely(known & wanted))
			return rf_accel_quota(use, at, &c, class);
	}
	c.access = class == RF_ACCEL_OTHER ? 0 : wanted;
	if (rf_accel_denied(&c, version))
		return rf_lsm_verdict(true);
	return use ? rf_accel_quota(use, at, &c, class) : 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(rf_accel_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (ret)
		return ret;
	return rf_accel_ioctl_judge(file, cmd, RF_HOOK_ACCEL_IOCTL);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(rf_accel_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (ret)
		return ret;
	return rf_accel_ioctl_judge(file, cmd, RF_HOOK_ACCEL_COMPAT);
}

SEC("lsm/mmap_file")
int BPF_PROG(rf_accel_mmap, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret)
{
	struct rf_device_case c = {};
	__u64 version;
	__u32 slot;

	if (ret)
		return ret;
	slot = file ? rf_accel_slot(file) : 0;
	if (!slot)
		return 0;
	version = RF_READ_ONCE(rf_config.version);
	if (!rf_accel_begin(&c, file, version, RF_HOOK_ACCEL_MMAP) || !rf_accel_node(c.major, c.minor, slot))
		return 0;
	c.access = RF_DEVICE_MAP;
	return rf_lsm_verdict(rf_accel_denied(&c, version));
}

SEC("lsm/file_receive")
int BPF_PROG(rf_accel_receive, struct file *file, int ret)
{
	struct rf_device_case c = {};
	__u64 version;
	__u32 slot;

	if (ret)
		return ret;
	slot = rf_accel_slot(file);
	if (!slot)
		return 0;
	version = RF_READ_ONCE(rf_config.version);
	if (!rf_accel_begin(&c, file, version, RF_HOOK_ACCEL_RECEIVE) || !rf_accel_node(c.major, c.minor, slot))
		return 0;
	c.access = (file->f_mode & RF_FMODE_READ ? RF_DEVICE_READ : 0) |
		   (file->f_mode & RF_FMODE_WRITE ? RF_DEVICE_WRITE : 0);
	return rf_lsm_verdict(rf_accel_denied(&c, version));
}
