// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of the dmem controller, claims, and requests: what is refused changes nothing, and what is taken is written as
 * it was. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "user/model/memory_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void dmem(const char *text, size_t len)
{
	static struct rf_dmem d;
	int r;

	d.n = 7777;
	r = rf_dmem_parse(text, len, &d);
	assert(r == 0 ? d.n <= RF_DMEM_REGIONS : (r == -EBADMSG || r == -E2BIG) && d.n == 7777);
	for (size_t i = 0; r == 0 && i < d.n; i++) {
		assert(d.regions[i].name[0] && !strchr(d.regions[i].name, ' '));
		assert(rf_dmem_find(&d, d.regions[i].name));
		(void)rf_dmem_is_vram(d.regions[i].name, "0000:03:00.0");
	}
}

static void claims(const char *text, size_t len)
{
	struct rf_memory_claims c = { NULL, 7777 }, again;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	size_t ours = 0;
	int r = rf_memory_claims_parse(text, len, &c);

	if (r < 0) {
		assert((r == -EBADMSG || r == -E2BIG) && c.n == 7777);
		return;
	}
	for (size_t i = 0; i < c.n; i++)
		ours += c.list[i].asked != RF_MEMORY_MAX;
	rf_memory_claims_format(&c, &out);
	assert(rf_memory_claims_parse(rf_strbuf_str(&out), out.len, &again) == 0 && again.n == ours);
	for (size_t i = 0, k = 0; i < c.n; i++)
		if (c.list[i].asked != RF_MEMORY_MAX)
			assert(c.list[i].before == again.list[k].before && c.list[i].ours == again.list[k++].ours);
	rf_memory_claims_fini(&again);
	rf_memory_claims_fini(&c);
}

static void request(const char *text, size_t len)
{
	static struct rf_memory_request r, again;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	if (rf_memory_request_parse(text, len, &r) < 0)
		return;
	assert(r.path[0] == '/' && !strchr(r.path, '\n'));
	rf_memory_request_format(&r.claim, r.wanted, r.path, &out);
	assert(rf_memory_request_parse(rf_strbuf_str(&out), out.len, &again) == 0);
	assert(strcmp(r.path, again.path) == 0 && strcmp(r.claim.name, again.claim.name) == 0 &&
	       r.wanted == again.wanted && r.claim.before == again.claim.before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	dmem((const char *)data, size);
	claims((const char *)data, size);
	request((const char *)data, size);
	return 0;
}
