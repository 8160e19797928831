// SPDX-License-Identifier: GPL-2.0-or-later
/* Options from a table. Not getopt_long(): it cannot say what a misspelt option was meant to be. */
#include "user/cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "user/cli/render.h"
#include "user/lib/clock.h"

#define WORD_MAX    64 /* longer words have no nearest name */
#define OPTIONS_MAX 24

/* Edits (insert, remove, replace, swap neighbours) from @a to @b; both at most WORD_MAX bytes. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *now = rows[2];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		last[j] = before[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *spare = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int d = MIN(now[j - 1], last[j]) + 1;

			d = MIN(d, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, before[j - 2] + 1);
			now[j] = d;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[lb];
}

const char *rf_word_nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned int best_distance = 0;
	size_t length = strlen(word);

	if (!length || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned int d;

		if (strlen(names[i]) > WORD_MAX)
			continue;
		/* what was only begun is as near as one wrong letter */
		d = length >= 2 && rf_strprefix(names[i], word) ? 1 : distance(word, names[i]);
		if (d > MAX(length / 3, (size_t)1))
			continue;
		if (!best || d < best_distance) {
			best = names[i];
			best_distance = d;
		}
	}
	return best;
}

static int store_number(const struct rf_option *o, const char *value, struct rf_strbuf *error)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || n < o->min || n > o->max) {
		rf_strbuf_addf(error, "--%s takes a number from %u to %u, not \"", o->name, o->min, o->max);
		rf_render_escape(error, value, false);
		rf_strbuf_adds(error, "\"");
		return -EINVAL;
	}
	*(unsigned int *)o->target = (unsigned int)n;
	return 0;
}

static int store_duration(const struct rf_option *o, const char *value, struct rf_strbuf *error)
{
	uint64_t ns;
	int r = rf_duration_parse(value, o->max * RF_NSEC_PER_SEC, &ns);

	if (r < 0 || ns % RF_NSEC_PER_SEC || ns < o->min * RF_NSEC_PER_SEC) {
		rf_strbuf_addf(
			error,
			"--%s takes a time in whole seconds with its unit (60s, 10m, 1h) from %us to %us, not \"",
			o->name, o->min, o->max);
		rf_render_escape(error, value, false);
		rf_strbuf_adds(error, "\"");
		return -EINVAL;
	}
	*(unsigned int *)o->target = (unsigned int)(ns / RF_NSEC_PER_SEC);
	return 0;
}

static int store(const struct rf_option *o, const char *value, struct rf_strbuf *error)
{
	struct rf_list *list;

	switch (o->type) {
	case RF_OPTION_FLAG:
		*(bool *)o->target = true;
		return 0;
	case RF_OPTION_STRING:
		*(const char **)o->target = value;
		return 0;
	case RF_OPTION_NUMBER:
		return store_number(o, value, error);
	case RF_OPTION_DURATION:
		return store_duration(o, value, error);
	case RF_OPTION_LIST:
		list = o->target;
		if (list->n == RF_LIST_MAX) {
			rf_strbuf_addf(error, "--%s may be given %d times", o->name, RF_LIST_MAX);
			return -EINVAL;
		}
		list->values[list->n++] = value;
		return 0;
	}
	return -EINVAL;
}

static int unknown(const struct rf_option *options, size_t n, const char *word, size_t length, struct rf_strbuf *error)
{
	const char *names[OPTIONS_MAX + 1], *near;
	_cleanup_free_ char *name = strndup(word, length);
	size_t dashes;

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < n && i < OPTIONS_MAX; i++)
		names[i] = options[i].name;
	names[MIN(n, (size_t)OPTIONS_MAX)] = "help";
	dashes = strspn(name, "-");
	near = dashes == 2 ? rf_word_nearest(name + 2, names, MIN(n, (size_t)OPTIONS_MAX) + 1) : NULL;
	rf_strbuf_adds(error, "unknown option \"");
	rf_render_escape(error, name, false);
	rf_strbuf_adds(error, "\"");
	if (near)
		rf_strbuf_addf(error, "; did you mean \"--%s\"?", near);
	return -EINVAL;
}

static int no_value(const struct rf_option *o, struct rf_strbuf *error)
{
	rf_strbuf_addf(error, "--%s needs %s", o->name, o->argument);
	return -EINVAL;
}

static int parse_long(const struct rf_option *options, size_t n, int argc, char **argv, int *i, struct rf_strbuf *error)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	if (rf_streq(word, "--help"))
		return 1;
	for (size_t k = 0; k < n; k++) {
		const struct rf_option *o = &options[k];

		if (strlen(o->name) != length - 2 || memcmp(o->name, word + 2, length - 2) != 0)
			continue;
		if (o->type == RF_OPTION_FLAG && equals) {
			rf_strbuf_addf(error, "--%s takes no value", o->name);
			return -EINVAL;
		}
		if (o->type == RF_OPTION_FLAG || equals)
			return store(o, equals ? equals + 1 : NULL, error);
		if (*i + 1 >= argc)
			return no_value(o, error);
		return store(o, argv[++*i], error);
	}
	return unknown(options, n, word, length, error);
}

/* "-f", "-fn5", "-n 5" */
static int parse_letters(const struct rf_option *options, size_t n, int argc, char **argv, int *i,
			 struct rf_strbuf *error)
{
	for (const char *s = argv[*i] + 1; *s; s++) {
		const struct rf_option *o = NULL;
		int r;

		if (*s == 'h')
			return 1;
		for (size_t k = 0; k < n && !o; k++)
			if (options[k].letter == *s)
				o = &options[k];
		if (!o)
			return unknown(options, n, argv[*i], strlen(argv[*i]), error);
		if (o->type != RF_OPTION_FLAG) {
			if (s[1])
				return store(o, s + 1, error);
			if (*i + 1 >= argc)
				return no_value(o, error);
			return store(o, argv[++*i], error);
		}
		r = store(o, NULL, error);
		if (r < 0)
			return r;
	}
	return 0;
}

int rf_options_parse(const struct rf_option *options, size_t n, int argc, char **argv, int *ret_n,
		     struct rf_strbuf *error)
{
	int operands = 0;

	for (int i = 0; i < argc; i++) {
		int r;

		if (rf_streq(argv[i], "--")) {
			while (++i < argc)
				argv[operands++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[operands++] = argv[i];
			continue;
		}
		if (argv[i][1] == '-')
			r = parse_long(options, n, argc, argv, &i, error);
		else
			r = parse_letters(options, n, argc, argv, &i, error);
		if (r)
			return r;
	}
	*ret_n = operands;
	return 0;
}

void rf_options_help(const struct rf_option *options, size_t n, struct rf_strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct rf_option *o = &options[i];
		char left[64], letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
			 o->argument ? o->argument : "");
		rf_strbuf_addf(out, "  %-24s  %s\n", left, o->help);
	}
	rf_strbuf_addf(out, "  %-24s  %s\n", "-h, --help", "show this text");
}
