// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of the kernel's log. Whatever they say, names and texts end and are printable, a device has an address. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "user/collect/xid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
}

static void try_line(const char *line, size_t len)
{
	struct rf_xid x;

	if (rf_xid_parse(line, len, &x))
		return;
	check_text(x.parent, sizeof(x.parent));
	check_text(x.comm, sizeof(x.comm));
	check_text(x.text, sizeof(x.text));
	assert(strchr(x.parent, ':') && x.code <= 9999);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rf_kmsg k;

	try_line((const char *)data, size);
	if (!rf_kmsg_parse((const char *)data, size, &k)) {
		assert(k.text >= (const char *)data && k.text + k.len <= (const char *)data + size);
		try_line(k.text, k.len);
	}
	return 0;
}
