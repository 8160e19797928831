/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices whose drivers tell their health in sysfs, asked every few seconds. Some
 * drivers ask their device's firmware, which takes seconds where that hangs: a
 * child asks, and the daemon never waits. One device is asked at a time, as long
 * as they are quick; each that is not keeps a child to itself.
 */
#ifndef RF_DAEMON_HEALTH_SYSFS_H
#define RF_DAEMON_HEALTH_SYSFS_H

#include <systemd/sd-event.h>

#include "user/daemon/child.h"
#include "user/daemon/device_health.h"
#include "user/model/accelerator.h"

#define RF_HEALTH_READERS  4 /* when as many hang, no other is asked */
#define RF_HEALTH_EVERY_NS (2 * RF_NSEC_PER_SEC)
#define RF_HEALTH_SLOW_NS  (500 * RF_NSEC_PER_MSEC) /* then another child asks the next */
#define RF_HEALTH_HUNG_NS  (10 * RF_NSEC_PER_SEC)   /* then it is told */

struct rf_health_turn;
struct rf_health_sysfs;

struct rf_health_reader {
	struct rf_health_sysfs *of;
	struct rf_child child;
	sd_event_source *source;
	char parent[RF_ACCEL_DEVICE_NAME]; /* of the device that it asks; "": none */
	uint64_t asked_ns;		   /* CLOCK_MONOTONIC */
	bool hung;
};

struct rf_health_sysfs {
	sd_event *event;
	struct rf_device_health *told; /* borrowed, as is @event */
	int (*read)(const struct rf_accelerator *device, struct rf_accel_health *ret);
	uint64_t slow_ns;	      /* RF_HEALTH_SLOW_NS */
	struct rf_health_turn *turns; /* of each device, in the order of the last tick */
	size_t n;
	struct rf_health_reader readers[RF_HEALTH_READERS];
};

/* @read: how a device is asked, in a child; NULL: by sysfs. What it says becomes @told. */
void rf_health_sysfs_start(struct rf_health_sysfs *h, sd_event *event, struct rf_device_health *told,
			   int (*read)(const struct rf_accelerator *device, struct rf_accel_health *ret));
/* About once a second. */
void rf_health_sysfs_tick(struct rf_health_sysfs *h, const struct rf_accelerators *a);
void rf_health_sysfs_stop(struct rf_health_sysfs *h);

#endif
