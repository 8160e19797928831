// SPDX-License-Identifier: GPL-2.0-or-later
/* Checking what the helper says: sizes, strings, and numbers that a device can have. */
#include "user/model/gpu_message.h"

#include <errno.h>
#include <string.h>

#include "user/lib/util.h"

static const size_t sizes[] = {
	[RF_GPU_NOTHING] = 0,
	[RF_GPU_STATE] = sizeof(struct rf_gpu_state_message),
	[RF_GPU_HEALTH] = sizeof(struct rf_gpu_health_message),
	[RF_GPU_PROCESS] = sizeof(struct rf_gpu_process_message),
	[RF_GPU_ENDED] = sizeof(struct rf_gpu_ended_message),
	[RF_GPU_ROUND] = sizeof(struct rf_gpu_round_message),
	[RF_GPU_LIMIT] = sizeof(struct rf_gpu_limit_message),
};
_Static_assert(ARRAY_SIZE(sizes) == RF_GPU_MESSAGE_TYPES, "a size for every type of message");

static const char *const state_names[] = {
#define X(id, name) [RF_GPU_##id] = name,
	RF_GPU_STATES(X)
#undef X
};

const char *rf_gpu_state_name(enum rf_gpu_state state)
{
	return (unsigned int)state < RF_GPU_STATE_COUNT ? state_names[state] : "unknown";
}

size_t rf_gpu_message_size(enum rf_gpu_message_type type)
{
	return (unsigned int)type < RF_GPU_MESSAGE_TYPES ? sizes[type] : 0;
}

/* A name on a bus: printable, no space, and not empty. */
static bool name_valid(const char name[RF_ACCEL_DEVICE_NAME])
{
	size_t len = strnlen(name, RF_ACCEL_DEVICE_NAME);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return len && len < RF_ACCEL_DEVICE_NAME;
}

static bool text_valid(const char text[RF_GPU_TEXT])
{
	size_t len = strnlen(text, RF_GPU_TEXT);

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return len < RF_GPU_TEXT;
}

static bool health_valid(const struct rf_accel_health *h)
{
	for (int i = 0; i < RF_HEALTH_COUNT; i++)
		if (isinf(h->value[i]))
			return false;
	return name_valid(h->parent);
}

static bool known_below(uint64_t value, uint64_t max)
{
	return value <= max || value == RF_GPU_UNKNOWN;
}

static bool instance_valid(uint32_t instance)
{
	return instance < RF_GPU_INSTANCES || instance == RF_GPU_INSTANCE_NONE;
}

static bool pid_valid(uint32_t pid)
{
	return pid && pid <= RF_GPU_PID_MAX;
}

static bool process_valid(const struct rf_gpu_process_message *m)
{
	return name_valid(m->parent) && pid_valid(m->pid) && instance_valid(m->gpu_instance) &&
	       instance_valid(m->compute_instance) && m->present <= 1 && known_below(m->bytes, RF_GPU_BYTES_MAX) &&
	       m->busy_ns <= RF_GPU_BUSY_MAX;
}

static bool ended_valid(const struct rf_gpu_ended_message *m)
{
	return name_valid(m->parent) && pid_valid(m->pid) && known_below(m->bytes_peak, RF_GPU_BYTES_MAX) &&
	       known_below(m->busy_ns, RF_GPU_BUSY_ALL_MAX);
}

/* RF_MEMORY_MAX is all bits set, as what is unknown. */
static bool limit_valid(const struct rf_gpu_limit_message *m)
{
	const uint64_t bytes[] = { m->asked, m->ours, m->before, m->limit, m->used };

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (!known_below(bytes[i], RF_GPU_BYTES_MAX))
			return false;
	return true;
}

static bool valid(const union rf_gpu_message *m)
{
	switch ((enum rf_gpu_message_type)m->header.type) {
	case RF_GPU_STATE:
		return m->state.state < RF_GPU_STATE_COUNT && text_valid(m->state.text);
	case RF_GPU_HEALTH:
		return health_valid(&m->health.health);
	case RF_GPU_PROCESS:
		return process_valid(&m->process);
	case RF_GPU_ENDED:
		return ended_valid(&m->ended);
	case RF_GPU_ROUND:
		return true;
	case RF_GPU_LIMIT:
		return limit_valid(&m->limit);
	case RF_GPU_NOTHING:
	case RF_GPU_MESSAGE_TYPES:
		break;
	}
	return false;
}

ssize_t rf_gpu_message_parse(const void *data, size_t len, union rf_gpu_message *ret)
{
	union rf_gpu_message m = { 0 };

	if (len < sizeof(m.header))
		return 0;
	/* @data may lie anywhere. */
	memcpy(&m.header, data, sizeof(m.header));
	if (m.header.version != RF_GPU_MESSAGE_VERSION || !rf_gpu_message_size(m.header.type) ||
	    m.header.length != rf_gpu_message_size(m.header.type))
		return -EBADMSG;
	if (len < m.header.length)
		return 0;
	memcpy(&m, data, m.header.length);
	if (!valid(&m))
		return -EBADMSG;
	*ret = m;
	return (ssize_t)m.header.length;
}
