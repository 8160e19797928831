// SPDX-License-Identifier: GPL-2.0-or-later
/* What the helper may say, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "user/lib/util.h"
#include "user/model/gpu_message.h"

static union rf_gpu_message sample(enum rf_gpu_message_type type)
{
	union rf_gpu_message m;

	memset(&m, 0, sizeof(m));
	m.header = (struct rf_gpu_header){ RF_GPU_MESSAGE_VERSION, type, (uint32_t)rf_gpu_message_size(type) };
	switch (type) {
	case RF_GPU_HEALTH:
		rf_accel_health_init(&m.health.health);
		strcpy(m.health.health.parent, "0000:3b:00.0");
		m.health.health.value[RF_HEALTH_TEMPERATURE] = -4;
		break;
	case RF_GPU_PROCESS:
		strcpy(m.process.parent, "0000:3b:00.0");
		m.process.pid = 4242;
		m.process.gpu_instance = m.process.compute_instance = RF_GPU_INSTANCE_NONE;
		m.process.present = 1;
		m.process.bytes = RF_GPU_UNKNOWN;
		break;
	case RF_GPU_ENDED:
		strcpy(m.ended.parent, "0000:3b:00.0");
		m.ended.pid = 1;
		break;
	default:
		break;
	}
	return m;
}

static ssize_t parse(const union rf_gpu_message *m)
{
	union rf_gpu_message got;

	return rf_gpu_message_parse(m, sizeof(*m), &got);
}

static void every_message_comes_as_it_was_sent_wherever_it_lies(void **state)
{
	(void)state;
	for (int type = RF_GPU_STATE; type < RF_GPU_MESSAGE_TYPES; type++) {
		unsigned char bytes[sizeof(union rf_gpu_message) + 1];
		union rf_gpu_message m = sample(type), got;
		size_t size = rf_gpu_message_size(type);

		memcpy(bytes + 1, &m, sizeof(m));
		assert_int_equal(rf_gpu_message_parse(bytes + 1, sizeof(m), &got), size);
		assert_memory_equal(&got, &m, size);
	}
}

static void what_is_not_all_there_is_waited_for(void **state)
{
	(void)state;
	for (int type = RF_GPU_STATE; type < RF_GPU_MESSAGE_TYPES; type++) {
		union rf_gpu_message m = sample(type), got;

		for (size_t len = 0; len < m.header.length; len++)
			assert_int_equal(rf_gpu_message_parse(&m, len, &got), 0);
	}
}

static void another_version_type_or_size_is_refused_by_its_header(void **state)
{
	union rf_gpu_message m, got;

	(void)state;
#define REFUSED(statement)                                                                    \
	do {                                                                                  \
		m = sample(RF_GPU_ROUND);                                                     \
		statement;                                                                    \
		assert_int_equal(rf_gpu_message_parse(&m, sizeof(m.header), &got), -EBADMSG); \
	} while (0)
	REFUSED(m.header.version++);
	REFUSED(m.header.version = 0);
	REFUSED(m.header.type = RF_GPU_NOTHING);
	REFUSED(m.header.type = RF_GPU_MESSAGE_TYPES);
	REFUSED(m.header.type = UINT16_MAX);
	REFUSED(m.header.length++);
	REFUSED(m.header.length--);
	REFUSED(m.header.length = 0);
	REFUSED(m.header.length = UINT32_MAX);
#undef REFUSED
}

static void what_no_device_can_say_is_refused(void **state)
{
	union rf_gpu_message m;

	(void)state;
#define TRY(kind, statement, expected)                     \
	do {                                               \
		m = sample(kind);                          \
		statement;                                 \
		assert_int_equal(parse(&m) > 0, expected); \
	} while (0)
	TRY(RF_GPU_STATE, m.state.state = RF_GPU_STATE_COUNT - 1, true);
	TRY(RF_GPU_STATE, m.state.state = RF_GPU_STATE_COUNT, false);
	TRY(RF_GPU_STATE, memset(m.state.text, 'x', RF_GPU_TEXT), false);
	TRY(RF_GPU_STATE, memset(m.state.text, 'x', RF_GPU_TEXT - 1), true);
	TRY(RF_GPU_STATE, m.state.text[0] = '\n', false);
	TRY(RF_GPU_HEALTH, m.health.health.value[RF_HEALTH_POWER] = INFINITY, false);
	TRY(RF_GPU_HEALTH, m.health.health.value[RF_HEALTH_POWER] = 1e9, true);
	TRY(RF_GPU_HEALTH, m.health.health.parent[0] = '\0', false);
	TRY(RF_GPU_HEALTH, memset(m.health.health.parent, 'x', RF_ACCEL_DEVICE_NAME), false);
	TRY(RF_GPU_HEALTH, m.health.health.parent[4] = ' ', false);
	TRY(RF_GPU_PROCESS, m.process.pid = 0, false);
	TRY(RF_GPU_PROCESS, m.process.pid = RF_GPU_PID_MAX, true);
	TRY(RF_GPU_PROCESS, m.process.pid = RF_GPU_PID_MAX + 1, false);
	TRY(RF_GPU_PROCESS, m.process.present = 2, false);
	TRY(RF_GPU_PROCESS, m.process.gpu_instance = RF_GPU_INSTANCES - 1, true);
	TRY(RF_GPU_PROCESS, m.process.gpu_instance = RF_GPU_INSTANCES, false);
	TRY(RF_GPU_PROCESS, m.process.compute_instance = RF_GPU_INSTANCES, false);
	TRY(RF_GPU_PROCESS, m.process.bytes = RF_GPU_BYTES_MAX, true);
	TRY(RF_GPU_PROCESS, m.process.bytes = RF_GPU_BYTES_MAX + 1, false);
	TRY(RF_GPU_PROCESS, m.process.busy_ns = RF_GPU_BUSY_MAX, true);
	TRY(RF_GPU_PROCESS, m.process.busy_ns = RF_GPU_BUSY_MAX + 1, false);
	TRY(RF_GPU_PROCESS, m.process.parent[0] = '\0', false);
	TRY(RF_GPU_ENDED, m.ended.pid = 0, false);
	TRY(RF_GPU_ENDED, m.ended.busy_ns = RF_GPU_UNKNOWN, true);
	TRY(RF_GPU_ENDED, m.ended.busy_ns = RF_GPU_BUSY_ALL_MAX + 1, false);
	TRY(RF_GPU_ENDED, m.ended.bytes_peak = RF_GPU_BYTES_MAX + 1, false);
	TRY(RF_GPU_ENDED, m.ended.parent[0] = '\x80', false);
	TRY(RF_GPU_LIMIT, m.limit.limit = RF_GPU_BYTES_MAX, true);
	TRY(RF_GPU_LIMIT, m.limit.limit = RF_GPU_BYTES_MAX + 1, false);
	TRY(RF_GPU_LIMIT, m.limit.used = RF_GPU_UNKNOWN, true);
	TRY(RF_GPU_LIMIT, m.limit.before = RF_GPU_BYTES_MAX + 1, false);
#undef TRY
}

static void a_state_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(rf_gpu_state_name(RF_GPU_RUNNING), "running");
	assert_string_equal(rf_gpu_state_name(RF_GPU_STATE_COUNT), "unknown");
	assert_int_equal(rf_gpu_message_size(RF_GPU_MESSAGE_TYPES), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_comes_as_it_was_sent_wherever_it_lies),
		cmocka_unit_test(what_is_not_all_there_is_waited_for),
		cmocka_unit_test(another_version_type_or_size_is_refused_by_its_header),
		cmocka_unit_test(what_no_device_can_say_is_refused),
		cmocka_unit_test(a_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
