// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole road of a policy file: text -> policies -> images -> verdicts ->
 * what is shown. Whatever the bytes, it ends with policies or with at least one
 * error, and what compiled can be asked.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>

#include "user/policy/image.h"
#include "user/policy/parse.h"
#include "user/policy/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int resolve(const char *path, uint32_t *type, uint32_t *major, uint32_t *minor, void *arg)
{
	(void)path;
	(void)arg;
	*type = 2;
	*major = 1;
	*minor = 3;
	return 0;
}

static char *path_resolve(const char *path, void *arg)
{
	(void)arg;
	return strdup(path);
}

static void ask_programs(const struct rf_image *image, const struct rf_zones *zones)
{
	for (int tier = 0; image->process && tier < RF_TIERS; tier++) {
		const struct rf_exec_image *exec = image->process->exec[tier];

		for (uint32_t zone = 0; exec && zone <= (zones ? zones->n : 0); zone++) {
			uint32_t rule = UINT32_MAX;

			rf_exec_evaluate(exec, RF_EXEC_INTERPRETER, "/usr/bin/python3", zone, &rule);
			assert(rule <= exec->n_rules);
		}
	}
}

static void ask(const struct rf_image *image)
{
	static const uint8_t addresses[][16] = { { 10, 0, 0, 1 }, { 127, 0, 0, 1 }, { 0x20, 1, 0xd, 0xb8 } };

	for (int direction = 0; direction < RF_DIRECTIONS; direction++) {
		for (int tier = 0; tier < RF_TIERS; tier++) {
			const struct rf_ruleset_image *ruleset = image->ruleset[direction][tier];

			for (size_t i = 0; ruleset && i < ARRAY_SIZE(addresses); i++) {
				uint32_t rule = UINT32_MAX;

				rf_ruleset_evaluate(ruleset, i == 2 ? AF_INET6 : AF_INET, addresses[i], IPPROTO_TCP, 80,
						    &rule);
				assert(rule <= ruleset->n_rules);
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_policy_set_ struct rf_policy_set *set = calloc(1, sizeof(*set));
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	_cleanup_image_ struct rf_image *image = NULL;
	int r;

	/* libFuzzer's buffer has no NUL behind it, and the parser must need none. */
	r = rf_policy_parse("fuzz.yaml", (const char *)data, size, set, &diags);
	assert(r == 0 || diags.n_errors);
	assert(r == 0 || set->n == 0);
	if (r == 0)
		r = rf_policy_set_finish(set, &diags);
	if (r == 0)
		r = rf_zones_make(set, path_resolve, NULL, &diags, &set->zones);
	if (r == 0 && set->n) {
		const struct rf_policy *const *policies = (const struct rf_policy *const *)set->policies;

		if (rf_image_compile(policies, set->n, set->zones, &(const struct rf_device_host){ .resolve = resolve },
				     &diags, &image) == 0) {
			ask(image);
			ask_programs(image, set->zones);
		}
		rf_policy_show(policies, set->n, "w", &out);
	}
	rf_diags_print(&diags, &out, false);
	return 0;
}
