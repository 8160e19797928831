// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a wire event: what validates prints as JSON that parses and as one line of printable ASCII. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "user/lib/json_in.h"
#include "user/model/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct rf_event_header *event, const struct rf_event_names *names)
{
	_cleanup_strbuf_ struct rf_strbuf line = RF_STRBUF_INIT;

	rf_event_text(&line, event, names);
	assert(rf_strbuf_error(&line) == 0 && line.len == strlen(line.data));
	for (size_t i = 0; i < line.len; i++)
		assert(line.data[i] >= 0x20 && line.data[i] < 0x7f);
}

static void check_json(const struct rf_event_header *event, const struct rf_event_names *names)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;

	rf_event_json(&text, event, names);
	assert(rf_strbuf_error(&text) == 0);
	assert(rf_jin_parse(text.data, text.len, &root, NULL) == 0);
	assert(rf_jin_is_object(root));
	assert(rf_event_kind_parse(rf_jin_string(root, "kind", "")) == event->kind);
	for (size_t i = 0; i < text.len; i++)
		assert((unsigned char)text.data[i] >= 0x20 && text.data[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rf_event_names nameless;
	union {
		struct rf_event_header header;
		struct rf_event_exec exec;
		struct rf_event_cgroup cgroup;
		struct rf_event_gap gap;
		struct rf_event_flow flow;
	} e;
	struct rf_event_names names = { .line = 1 };
	char bytes[64];
	size_t len;
	int r = rf_event_validate(data, size);

	assert(r == 0 || r == -EBADMSG);
	if (r < 0)
		return 0;
	memcpy(&e.header, data, sizeof(e.header));
	assert(e.header.size <= size && e.header.size <= sizeof(e) && e.header.size == rf_event_size(e.header.kind));
	memcpy(&e, data, e.header.size);
	/* What follows the event stands for names that a tenant or a policy file chose. */
	len = MIN(size - e.header.size, sizeof(bytes) - 1);
	memcpy(bytes, data + e.header.size, len);
	bytes[len] = '\0';
	names.workload = names.policy = names.rule = names.file = names.peer = bytes;
	check_text(&e.header, &nameless);
	check_json(&e.header, &nameless);
	check_text(&e.header, &names);
	check_json(&e.header, &names);
	return 0;
}
