// SPDX-License-Identifier: GPL-2.0-or-later
/* A stream of the helper's messages: each that is taken has its type's size, and says what a device can. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "user/model/gpu_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const union rf_gpu_message *m)
{
	switch ((enum rf_gpu_message_type)m->header.type) {
	case RF_GPU_STATE:
		assert(memchr(m->state.text, '\0', sizeof(m->state.text)) && *rf_gpu_state_name(m->state.state));
		break;
	case RF_GPU_HEALTH:
		assert(memchr(m->health.health.parent, '\0', RF_ACCEL_DEVICE_NAME));
		for (int i = 0; i < RF_HEALTH_COUNT; i++)
			assert(!isinf(m->health.health.value[i]));
		break;
	case RF_GPU_PROCESS:
		assert(m->process.pid && m->process.busy_ns <= RF_GPU_BUSY_MAX && *m->process.parent);
		break;
	case RF_GPU_ENDED:
		assert(m->ended.pid && memchr(m->ended.parent, '\0', RF_ACCEL_DEVICE_NAME));
		break;
	case RF_GPU_ROUND:
		break;
	case RF_GPU_LIMIT:
		assert(m->limit.limit <= RF_GPU_BYTES_MAX || m->limit.limit == RF_GPU_UNKNOWN);
		break;
	default:
		assert(0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union rf_gpu_message m;
	ssize_t n;

	while ((n = rf_gpu_message_parse(data, size, &m)) > 0) {
		assert((size_t)n <= size && (size_t)n == rf_gpu_message_size(m.header.type));
		check(&m);
		data += n;
		size -= (size_t)n;
	}
	return 0;
}
