// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom an error of a device concerns: the workload of the process that it names, and who has the device open. */
#include "user/daemon/app.h"
#include "user/daemon/loop.h"
#include "user/lib/clock.h"
#include "user/lib/log.h"

#define KERNEL_LOG "/dev/kmsg"

struct concerned {
	const struct rf_xid *xid;
	uint32_t device;			 /* its number in the kernel's rows */
	uint8_t workloads[RF_MAX_WORKLOADS / 8]; /* a bit each */
};

static void concern(struct concerned *c, uint32_t workload)
{
	if (workload != RF_WORKLOAD_NONE && workload < RF_MAX_WORKLOADS)
		c->workloads[workload / 8] |= 1u << workload % 8;
}

static int use_take(const struct rf_accel_use *use, void *arg)
{
	uint32_t owner = RF_ACCEL_WHOSE_OWNER(use->whose);
	struct concerned *c = arg;

	if (use->files && c->device != RF_ACCEL_DEVICE_NONE && RF_ACCEL_WHOSE_DEVICE(use->whose) == c->device &&
	    RF_ACCEL_OWNER_LEVEL(owner) == RF_ACCEL_WORKLOAD)
		concern(c, RF_ACCEL_OWNER_NUMBER(owner));
	return 0;
}

static void nvml_use_take(const struct rf_gpu_use *use, void *arg)
{
	struct concerned *c = arg;

	if (use->processes && rf_streq(use->parent, c->xid->parent))
		concern(c, use->workload);
}

static void send(struct rf_app *app, const struct rf_xid *x, uint32_t workload, bool bystander)
{
	const struct rf_workload *w = workload < RF_MAX_WORKLOADS ? app->registry->by_id[workload] : NULL;
	struct rf_event_xid e = { .header = { .version = RF_EVENT_VERSION,
					      .kind = RF_EVENT_XID,
					      .size = sizeof(e),
					      .lane = RF_LANE_AUDIT,
					      .verdict = RF_ALLOW,
					      .time_ns = rf_clock_boot(),
					      .cgroup_id = w ? w->cgroup_id : 0,
					      .workload = w ? workload : RF_WORKLOAD_NONE },
				  .code = x->code,
				  .gpu_instance = x->gpu_instance,
				  .compute_instance = x->compute_instance,
				  .bystander = bystander };

	memcpy(e.device, x->parent, sizeof(e.device));
	memcpy(e.text, x->text, sizeof(e.text));
	if (!bystander) {
		e.header.tgid = e.header.tid = x->pid;
		memcpy(e.header.comm, x->comm, sizeof(e.header.comm));
	}
	rf_app_event(app, &e.header);
}

static void xid_come(const struct rf_xid *x, void *arg)
{
	struct rf_app *app = arg;
	struct concerned c = { .xid = x, .device = rf_engine_accel_device(app->engine, x->parent) };
	uint32_t own = x->pid && app->gpu ? rf_gpu_workload(app->gpu, x->pid) : RF_WORKLOAD_NONE;

	(void)rf_engine_accel_uses_each(app->engine, use_take, &c);
	if (app->gpu)
		rf_gpu_each(app->gpu, nvml_use_take, &c);
	send(app, x, own, false);
	for (uint32_t id = RF_WORKLOAD_FIRST; id < RF_MAX_WORKLOADS; id++)
		if (id != own && c.workloads[id / 8] & 1u << id % 8)
			send(app, x, id, true);
}

void rf_app_xid_tick(struct rf_app *app)
{
	const struct rf_accelerators *known = &app->accelerators.known;
	const char *path = app->options.kernel_log ? app->options.kernel_log : KERNEL_LOG;
	bool wanted = app->options.kernel_log || rf_accelerators_has_class(known, RF_ACCELERATOR_NVIDIA);
	int r;

	if (!wanted || app->xid.tried)
		return;
	r = rf_xid_start(&app->xid, app->event, path, xid_come, app);
	if (r < 0)
		rf_err_r(r, "errors of NVIDIA's devices are not told: cannot read %s", path);
}
