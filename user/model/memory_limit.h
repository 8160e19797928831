/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of device memory that something else keeps for us: the kernel by its
 * dmem controller (Documentation/admin-guide/cgroup-v2.rst), NVIDIA's driver by
 * NVML. Which of those there are is found out; here is what they say, and what
 * is to be said to them.
 *
 * A limit that was there before us holds where it is lower, and comes back when
 * ours goes. A claim is what must be known for that; it is kept with the
 * cgroup, so that the next daemon knows it, too.
 */
#ifndef RF_MODEL_MEMORY_LIMIT_H
#define RF_MODEL_MEMORY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence/accel_map.h"
#include "user/lib/strbuf.h"

/* X(enum suffix, name): who keeps a quota of memory on a device. The first that can does. */
#define RF_MEMORY_METHODS(X)                                                                 \
	X(DMEM, "dmem")	    /* the kernel: what is beyond it fails */                        \
	X(NVML, "nvml")	    /* NVIDIA's driver: likewise */                                  \
	X(IOCTL, "ioctl")   /* we: the allocation after the one that went beyond it fails */ \
	X(DETECT, "detect") /* what NVML tells is compared, once a second */                 \
	X(NONE, "none")

enum rf_memory_method {
#define X(id, name) RF_MEMORY_##id,
	RF_MEMORY_METHODS(X)
#undef X
		RF_MEMORY_METHOD_COUNT
};

const char *rf_memory_method_name(enum rf_memory_method m);
/* @can: 1 << enum rf_memory_method of those that could. */
enum rf_memory_method rf_memory_method_choose(uint32_t can);

/* ---- files of the dmem controller ---- */

#define RF_DMEM_NAME	96
#define RF_DMEM_REGIONS 128
#define RF_MEMORY_MAX	UINT64_MAX /* no limit */

struct rf_dmem_region {
	char name[RF_DMEM_NAME]; /* "drm/0000:03:00.0/vram0" */
	uint64_t bytes;
};

struct rf_dmem {
	struct rf_dmem_region regions[RF_DMEM_REGIONS];
	size_t n;
};

/* Of dmem.capacity, dmem.max, dmem.current: "REGION BYTES" or "REGION max" a line. -EBADMSG, -E2BIG; @ret untouched. */
int rf_dmem_parse(const char *text, size_t len, struct rf_dmem *ret);
/* NULL: it has no such region. */
const struct rf_dmem_region *rf_dmem_find(const struct rf_dmem *d, const char *name);
/* Is it memory of the device with that name on its bus, and not the host's that the device sees? */
bool rf_dmem_is_vram(const char *region, const char *parent);

/* ---- claims ---- */

struct rf_memory_claim {
	char name[RF_DMEM_NAME]; /* a region, or the name of a device on its bus for NVML */
	uint64_t asked;		 /* what we wrote; RF_MEMORY_MAX: nothing is ours */
	uint64_t ours;		 /* what was read back then: it may have been rounded */
	uint64_t before;	 /* what was there before */
};

/*
 * @present is in force, @wanted should be (RF_MEMORY_MAX: no quota). Returns whether @ret_write is to be written; what
 * is read back then is @c->ours.
 */
bool rf_memory_claim_step(struct rf_memory_claim *c, uint64_t wanted, uint64_t present, uint64_t *ret_write);

/*
 * Before a step, where a limit is set before it can be written down that it is ours: one that is just what is wanted is
 * taken for that of a daemon that was killed in between. Somebody else's is lost then, when ours goes.
 */
void rf_memory_claim_adopt(struct rf_memory_claim *c, uint64_t wanted, uint64_t present);

struct rf_memory_claims {
	struct rf_memory_claim *list;
	size_t n; /* RF_DMEM_REGIONS at most */
};

void rf_memory_claims_fini(struct rf_memory_claims *claims);
/* That of @name, made where there is none: nothing is ours. NULL: no room. */
struct rf_memory_claim *rf_memory_claims_get(struct rf_memory_claims *claims, const char *name);
/* As it is kept: "NAME ASKED OURS BEFORE" a line, of what is ours. -EBADMSG, -E2BIG or -ENOMEM; @ret untouched. */
int rf_memory_claims_parse(const char *text, size_t len, struct rf_memory_claims *ret);
void rf_memory_claims_format(const struct rf_memory_claims *claims, struct rf_strbuf *out);

/* ---- what ringfence-gpu is asked to set ---- */

#define RF_MEMORY_PATH 4096

struct rf_memory_request {
	struct rf_memory_claim claim; /* as it was; its name is the device's */
	uint64_t wanted;
	char path[RF_MEMORY_PATH]; /* of the cgroup's directory */
};

/* "NAME ASKED OURS BEFORE WANTED PATH", with or without the end of the line. -EBADMSG; @ret untouched. */
int rf_memory_request_parse(const char *line, size_t len, struct rf_memory_request *ret);
void rf_memory_request_format(const struct rf_memory_claim *claim, uint64_t wanted, const char *path,
			      struct rf_strbuf *out);

#endif
