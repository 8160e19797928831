/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of NVIDIA's devices, from the kernel's log, from now on: counted by
 * device and code, and told as events with the workloads that they concern. A
 * device that fails writes many lines at once: every one is counted, and a few
 * a second of each device and code make events.
 */
#ifndef RF_DAEMON_XID_H
#define RF_DAEMON_XID_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "user/collect/xid.h"

#define RF_XID_DEVICES	64
#define RF_XID_CODES	32	   /* of one device; what is beyond is counted together */
#define RF_XID_TOLD_MAX 8	   /* of one device and code in a second: as many workloads share one, at most */
#define RF_XID_OTHER	UINT32_MAX /* the code of these */

struct rf_xid_count {
	uint32_t code;
	uint32_t told; /* in the second that began at @second_ns */
	uint64_t count, second_ns;
};

struct rf_xid_device {
	char parent[RF_ACCEL_DEVICE_NAME];
	struct rf_xid_count codes[RF_XID_CODES + 1];
	size_t n_codes;
};

struct rf_xid_counts {
	struct rf_xid_device devices[RF_XID_DEVICES];
	size_t n_devices;
	uint64_t uncounted; /* of devices that there was no room for */
};

/* Counts it; returns whether events are due at @now_ns. */
bool rf_xid_count(struct rf_xid_counts *c, const struct rf_xid *x, uint64_t now_ns);

typedef void (*rf_xid_fn)(const struct rf_xid *x, void *arg);

struct rf_xid_watch {
	struct rf_xid_counts counts;
	int fd; /* -1: not followed */
	bool tried;
	sd_event_source *source;
	uint64_t sequence; /* of the last record */
	uint64_t missed;   /* times that the log was overwritten before it was read */
	rf_xid_fn fn;
	void *arg;
};

/* Follows @path, the kernel's log, from its end. @fn is called for what events are due of. */
int rf_xid_start(struct rf_xid_watch *w, sd_event *event, const char *path, rf_xid_fn fn, void *arg);
void rf_xid_stop(struct rf_xid_watch *w);

#endif
