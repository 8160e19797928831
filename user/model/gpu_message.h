/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ringfence-gpu tells ringfenced, over a pipe: messages of fixed sizes,
 * each with a header. In a round it tells the health of every device and the
 * processes on it, and then that the round is over.
 *
 * Both come from one build and run on one host; but the helper has a library
 * of others in it, so that what it says is checked before it is believed.
 */
#ifndef RF_MODEL_GPU_MESSAGE_H
#define RF_MODEL_GPU_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/model/accelerator_health.h"

#define RF_GPU_MESSAGE_VERSION 1

enum rf_gpu_message_type {
	RF_GPU_NOTHING,
	RF_GPU_STATE,	/* struct rf_gpu_state_message: at the start, and when it changes */
	RF_GPU_HEALTH,	/* struct rf_gpu_health_message */
	RF_GPU_PROCESS, /* struct rf_gpu_process_message: one on a device, or that was until a moment ago */
	RF_GPU_ENDED,	/* struct rf_gpu_ended_message */
	RF_GPU_ROUND,	/* struct rf_gpu_round_message */
	RF_GPU_LIMIT,	/* struct rf_gpu_limit_message: of one that was asked to set limits */
	RF_GPU_MESSAGE_TYPES
};

/* X(enum suffix, name). What the helper is: the first is how it should be, the next two are no faults. */
#define RF_GPU_STATES(X)                  \
	X(RUNNING, "running")             \
	X(NO_LIBRARY, "no-library")       \
	X(NO_DRIVER, "no-driver")         \
	X(OLD_LIBRARY, "old-library")     \
	X(NO_PERMISSION, "no-permission") \
	X(FAILED, "failed")

enum rf_gpu_state {
#define X(id, name) RF_GPU_##id,
	RF_GPU_STATES(X)
#undef X
		RF_GPU_STATE_COUNT
};

struct rf_gpu_header {
	uint16_t version; /* RF_GPU_MESSAGE_VERSION */
	uint16_t type;	  /* enum rf_gpu_message_type */
	uint32_t length;  /* header included */
};

#define RF_GPU_TEXT 128

struct rf_gpu_state_message {
	struct rf_gpu_header header;
	uint32_t state; /* enum rf_gpu_state */
	uint32_t devices;
	char text[RF_GPU_TEXT]; /* the version of the driver, or why */
};

struct rf_gpu_health_message {
	struct rf_gpu_header header;
	struct rf_accel_health health;
};

#define RF_GPU_INSTANCE_NONE UINT32_MAX /* no MIG */
#define RF_GPU_INSTANCES     64		/* more than any device has */
#define RF_GPU_UNKNOWN	     UINT64_MAX
#define RF_GPU_PID_MAX	     (4u << 20) /* the kernel's PID_MAX_LIMIT */
/* No message can tell of more device time, nor memory: what is beyond is no device's. */
#define RF_GPU_BUSY_MAX	     (3600ULL * 1000000000ULL)
#define RF_GPU_BUSY_ALL_MAX  (1ULL << 58) /* nine years */
#define RF_GPU_BYTES_MAX     (1ULL << 50)

struct rf_gpu_process_message {
	struct rf_gpu_header header;
	char parent[RF_ACCEL_DEVICE_NAME]; /* of the device, as struct rf_accelerator's */
	uint32_t pid;
	uint32_t gpu_instance, compute_instance;
	uint32_t present;    /* 1: it is on the device; 0: this is the rest of what it has taken */
	uint64_t sampled_ns; /* CLOCK_BOOTTIME: the process was there not long before */
	uint64_t bytes;	     /* RF_GPU_UNKNOWN */
	uint64_t busy_ns;    /* device time since the last message of it */
};

/* Of a process that has ended, where the driver's accounting mode is on: all that it has taken. */
struct rf_gpu_ended_message {
	struct rf_gpu_header header;
	char parent[RF_ACCEL_DEVICE_NAME];
	uint32_t pid;
	uint32_t pad;
	uint64_t started_ns; /* CLOCK_REALTIME: when it began to use the device */
	uint64_t bytes_peak; /* RF_GPU_UNKNOWN */
	uint64_t busy_ns;    /* likewise */
};

struct rf_gpu_round_message {
	struct rf_gpu_header header;
	uint64_t errors;  /* of calls of the library, since the helper started */
	uint64_t dropped; /* processes that there was no room for */
};

/* The answer to a struct rf_memory_request: RF_MEMORY_MAX is no limit. */
struct rf_gpu_limit_message {
	struct rf_gpu_header header;
	uint32_t request;	      /* which line it was, from 0 */
	int32_t result;		      /* nvmlReturn_t; what follows is of use where it is 0 */
	uint64_t asked, ours, before; /* as struct rf_memory_claim has them */
	uint64_t limit;		      /* in force */
	uint64_t used;		      /* RF_GPU_UNKNOWN */
};

union rf_gpu_message {
	struct rf_gpu_header header;
	struct rf_gpu_state_message state;
	struct rf_gpu_health_message health;
	struct rf_gpu_process_message process;
	struct rf_gpu_ended_message ended;
	struct rf_gpu_round_message round;
	struct rf_gpu_limit_message limit;
};

const char *rf_gpu_state_name(enum rf_gpu_state state);
size_t rf_gpu_message_size(enum rf_gpu_message_type type); /* 0: no such type */
/*
 * The message that @data begins with: how many bytes it has; 0, not all of it is there; -EBADMSG, it is none, and
 * nothing behind it can be found. What is returned is as the structs above say, with strings that end.
 */
ssize_t rf_gpu_message_parse(const void *data, size_t len, union rf_gpu_message *ret);

#endif
