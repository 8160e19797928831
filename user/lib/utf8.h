/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8, one sequence at a time. */
#ifndef RF_LIB_UTF8_H
#define RF_LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Length of the UTF-8 sequence at @s (1..4) and its code point, or 0 when there is none: overlong forms, surrogates and
 * what lies past U+10FFFF are not valid. @len is at least 1.
 */
size_t rf_utf8_decode(const unsigned char *s, size_t len, uint32_t *ret_code);

#endif
