/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options from a table: parsing, the help text and the nearest match come
 * from the same rows. Options and operands may be mixed; "--" ends options.
 */
#ifndef RF_CLI_OPTIONS_H
#define RF_CLI_OPTIONS_H

#include <stdint.h>

#include "user/lib/strbuf.h"

#define RF_LIST_MAX 32 /* values of an option that may be repeated */

struct rf_list {
	const char *values[RF_LIST_MAX]; /* borrowed from argv */
	size_t n;
};

enum rf_option_type {
	RF_OPTION_FLAG,	    /* bool */
	RF_OPTION_STRING,   /* const char * */
	RF_OPTION_NUMBER,   /* unsigned int, @min..@max */
	RF_OPTION_DURATION, /* unsigned int, seconds, @min..@max; "60s", "10m" */
	RF_OPTION_LIST,	    /* struct rf_list */
};

struct rf_option {
	const char *name;
	char letter;	      /* 0: none */
	const char *argument; /* as the help shows it; NULL for a flag */
	const char *help;
	enum rf_option_type type;
	void *target;
	unsigned int min, max;
};

/*
 * Moves the operands to the front of @argv and writes their number to *ret_n. 0; 1 when --help was asked for; -EINVAL
 * with one sentence without a newline in @error.
 */
int rf_options_parse(const struct rf_option *options, size_t n, int argc, char **argv, int *ret_n,
		     struct rf_strbuf *error);
void rf_options_help(const struct rf_option *options, size_t n, struct rf_strbuf *out);

/* The name that @word was most likely meant to be; NULL when none is near. */
const char *rf_word_nearest(const char *word, const char *const *names, size_t n);

#endif
