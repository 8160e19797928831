/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy text in, policies and printed diagnostics out; for the tests of the parser and of what reads its policies. */
#ifndef RF_TESTS_POLICY_PARSED_H
#define RF_TESTS_POLICY_PARSED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "user/policy/parse.h"

/* A document that is right; what a test is about goes behind it, two spaces deep. Six lines. */
#define HEAD_OF(name)                             \
	"apiVersion: ringfence/v1\n"              \
	"kind: WorkloadPolicy\n"                  \
	"metadata: {name: " name ", tenant: t}\n" \
	"spec:\n"                                 \
	"  select:\n"                             \
	"    - cgroup: /a\n"
#define HEAD HEAD_OF("x")

struct parsed {
	int r;
	struct rf_policy_set *set;
	struct rf_diags diags;
	struct rf_strbuf said; /* the diagnostics as printed */
};

static inline void parsed_fini(struct parsed *p)
{
	rf_policy_set_free(p->set);
	rf_diags_fini(&p->diags);
	rf_strbuf_fini(&p->said);
}

#define _cleanup_parsed_ __attribute__((cleanup(parsed_fini)))

static inline struct parsed parsed_from(const char *text, size_t len)
{
	struct parsed p = { .set = calloc(1, sizeof(*p.set)), .diags = RF_DIAGS_INIT, .said = RF_STRBUF_INIT };

	assert_non_null(p.set);
	p.r = rf_policy_parse("t.yaml", text, len, p.set, &p.diags);
	if (p.r == 0)
		p.r = rf_policy_set_finish(p.set, &p.diags);
	rf_diags_print(&p.diags, &p.said, false);
	return p;
}

static inline struct parsed parsed_text(const char *text)
{
	return parsed_from(text, strlen(text));
}

static inline void assert_right(const struct parsed *p)
{
	if (p->r || p->diags.n_errors)
		fail_msg("refused (%d): %s", p->r, rf_strbuf_str(&p->said));
}

/* Refused, with @said among what is printed. */
static inline void assert_wrong(const struct parsed *p, const char *said)
{
	assert_int_equal(p->r, -EINVAL);
	assert_true(p->diags.n_errors > 0);
	if (!strstr(rf_strbuf_str(&p->said), said))
		fail_msg("\"%s\" is not said in: %s", said, rf_strbuf_str(&p->said));
}

/* HEAD and @rest: right, or wrong with @said. */
static inline void assert_text(const char *rest, const char *said)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	rf_strbuf_addf(&text, "%s%s", HEAD, rest);
	_cleanup_parsed_ struct parsed p = parsed_text(rf_strbuf_str(&text));

	if (said)
		assert_wrong(&p, said);
	else
		assert_right(&p);
}

#endif
