// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identity: keeps cgroup -> workload true in the kernel.
 *
 * hook              decides
 * cgroup_mkdir      nothing; the child gets its parent's workload before it can hold a process
 * cgroup_rmdir      nothing; tells the daemon
 * cgroup_release    nothing; drops the entry when the last task and socket are gone
 *
 * These run for every cgroup of the host, v1 hierarchies included: only the
 * default (v2) hierarchy counts, whose id is 0. Bound: one lookup and one
 * insert. Failure: a child that cannot be entered is unmanaged (open) and
 * counted in cgroup_map_full, which status and metrics show.
 */
#define RF_DEFINE_MAPS
#include "lib/submit.bpf.h"

char _license[] SEC("license") = "GPL";

static __always_inline void rf_cgroup_event(struct cgroup *cgroup, const char *path, enum rf_event_kind kind,
					    __u32 workload, __u64 parent_id)
{
	__u64 id = cgroup->kn->id;
	struct rf_event_cgroup *event;
	long len;

	event = rf_event_reserve(rf_identity_rb, RF_RING_IDENTITY, RF_LANE_IDENTITY, kind, struct rf_event_cgroup,
				 workload, id, true);
	if (!event)
		return;
	event->parent_id = parent_id;
	event->level = cgroup->level;
	__builtin_memset(event->path, 0, sizeof(event->path));
	len = bpf_probe_read_kernel_str(event->path, sizeof(event->path), path);
	if (len <= 0) {
		rf_error(kind == RF_EVENT_CGROUP_NEW ? RF_HOOK_CGROUP_MKDIR : RF_HOOK_CGROUP_RMDIR, RF_ERROR_PATH_READ);
		event->path[0] = '\0';
		len = 1;
	}
	event->path_len = len - 1;
	bpf_ringbuf_submit(event, 0);
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(rf_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	struct rf_cgroup_entry entry = { .flags = RF_CGROUP_INHERITED };
	__u64 id = cgroup->kn->id, parent_id;
	struct rf_cgroup_entry *parent;

	if (cgroup->root->hierarchy_id != 0 || !cgroup->self.parent)
		return 0;
	parent_id = cgroup->self.parent->cgroup->kn->id;
	parent = bpf_map_lookup_elem(&rf_cgroup_map, &parent_id);
	if (parent) {
		entry.workload = parent->workload;
		if (bpf_map_update_elem(&rf_cgroup_map, &id, &entry, BPF_ANY))
			rf_error(RF_HOOK_CGROUP_MKDIR, RF_ERROR_CGROUP_MAP_FULL);
		rf_hook_seen(RF_HOOK_CGROUP_MKDIR, entry.workload);
	}
	rf_cgroup_event(cgroup, path, RF_EVENT_CGROUP_NEW, entry.workload, parent_id);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(rf_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	__u32 workload;

	if (cgroup->root->hierarchy_id != 0 || !cgroup->self.parent)
		return 0;
	workload = rf_workload_of(cgroup->kn->id);
	rf_hook_seen(RF_HOOK_CGROUP_RMDIR, workload);
	rf_cgroup_event(cgroup, path, RF_EVENT_CGROUP_GONE, workload, cgroup->self.parent->cgroup->kn->id);
	return 0;
}

SEC("tp_btf/cgroup_release")
int BPF_PROG(rf_cgroup_release, struct cgroup *cgroup, const char *path)
{
	__u64 id = cgroup->kn->id;

	if (cgroup->root->hierarchy_id != 0)
		return 0;
	rf_hook_seen(RF_HOOK_CGROUP_RELEASE, rf_workload_of(id));
	bpf_map_delete_elem(&rf_cgroup_map, &id);
	return 0;
}

/* What the daemon passes when it puts a generation in force. */
struct rf_flip {
	__u32 generation;
	__u32 workloads;
	__u32 rulesets;
	__u32 policies;
};

/*
 * The flip: one store, then the record of it, so that the audit lane shows
 * under which generation every denial was decided. Run by the daemon alone
 * (BPF_PROG_RUN needs CAP_BPF).
 */
SEC("syscall")
int rf_policy_flip(struct rf_flip *flip)
{
	struct rf_event_policy *event;

	RF_WRITE_ONCE(rf_config.version,
		      (rf_config.version & ~(RF_VERSION_EPOCH - 1)) + RF_VERSION_EPOCH + flip->generation);
	event = rf_audit_reserve(RF_EVENT_POLICY, struct rf_event_policy, RF_WORKLOAD_NONE, 0, true);
	if (event) {
		event->generation = flip->generation;
		event->workloads = flip->workloads;
		event->rulesets = flip->rulesets;
		event->policies = flip->policies;
		rf_audit_submit(event);
	}
	return 0;
}
