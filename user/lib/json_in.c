// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON reader on json-c. A value is json-c's own object under another
 * name; nothing but the root holds a reference.
 */
#include "user/lib/json_in.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>

#include "user/lib/strbuf.h"
#include "user/lib/utf8.h"

static struct json_object *object_of(const struct rf_jin *v)
{
	return (struct json_object *)v;
}

static bool is_type(const struct rf_jin *v, enum json_type type)
{
	return v && json_object_is_type(object_of(v), type);
}

RF_DEFINE_CLEANUP(struct json_tokener, json_tokener_free)

static int fail_at(size_t offset, size_t *ret_offset)
{
	if (ret_offset)
		*ret_offset = offset;
	return -EBADMSG;
}

/*
 * Length of the part of @text before what json-c takes even when it is strict, but which is not JSON: single quotes,
 * NaN and Infinity, a '.' that no digit follows, control bytes in a string. (Newer versions take less than older ones.)
 * UTF-8 is checked here too.
 */
static size_t strict_length(const char *text, size_t len)
{
	bool in_string = false;
	uint32_t code;

	for (size_t i = 0; i < len; i++) {
		size_t n = rf_utf8_decode((const unsigned char *)text + i, len - i, &code);
		char c = text[i];

		if (n != 1) {
			if (n == 0 || !in_string)
				return i;
			i += n - 1;
			continue;
		}
		if (in_string && (unsigned char)c < 0x20)
			return i;
		/* No escape begins with anything but ASCII, and what is skipped here must be a whole character. */
		if (in_string && c == '\\') {
			i++;
			if (i < len && (unsigned char)text[i] >= 0x80)
				return i;
		} else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '\'' || c == 'N' || c == 'I'))
			return i;
		else if (!in_string && c == '.' && (i + 1 == len || text[i + 1] < '0' || text[i + 1] > '9'))
			return i;
	}
	return len;
}

/* Bytes that the character at @text (of @n bytes, @code) takes once escaped; appended to @out when that is not NULL. */
static size_t escape(struct rf_strbuf *out, const char *text, size_t n, uint32_t code)
{
	char escaped[16];
	int len;

	if (n == 1) {
		if (out)
			rf_strbuf_addc(out, *text);
		return 1;
	}
	if (code < 0x10000)
		len = snprintf(escaped, sizeof(escaped), "\\u%04x", code);
	else
		len = snprintf(escaped, sizeof(escaped), "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
			       0xdc00 + ((code - 0x10000) & 0x3ff));
	if (out)
		rf_strbuf_add(out, escaped, len);
	return len;
}

/*
 * @text in ASCII: json-c 0.18 takes no other character when it is strict. The text has passed strict_length(), so that
 * other characters stand in strings alone.
 */
static void escape_all(struct rf_strbuf *out, const char *text, size_t len)
{
	uint32_t code;

	for (size_t i = 0; i < len;) {
		size_t n = rf_utf8_decode((const unsigned char *)text + i, len - i, &code);

		escape(out, text + i, n, code);
		i += n;
	}
}

/* Where byte @escaped of escape_all()'s output came from. */
static size_t unescaped_offset(const char *text, size_t len, size_t escaped)
{
	uint32_t code;
	size_t at = 0, i = 0;

	while (i < len) {
		size_t n = rf_utf8_decode((const unsigned char *)text + i, len - i, &code);

		at += escape(NULL, text + i, n, code);
		if (at > escaped)
			break;
		i += n;
	}
	return i;
}

static int ascii_parse(const char *text, size_t len, struct rf_jin **ret, size_t *ret_offset)
{
	_cleanup_(json_tokener_freep) struct json_tokener *tokener = NULL;
	struct json_object *root;
	enum json_tokener_error error;
	size_t end;

	/* json-c counts in int. */
	if (len >= INT_MAX)
		return fail_at(INT_MAX, ret_offset);
	tokener = json_tokener_new_ex(RF_JIN_DEPTH);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, text, (int)len);
	error = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	/* A number ends only where something else begins: say that nothing more comes. */
	if (error == json_tokener_continue) {
		root = json_tokener_parse_ex(tokener, "", 1);
		error = json_tokener_get_error(tokener);
		end = len;
	}
	if (error != json_tokener_success)
		return fail_at(end, ret_offset);
	while (end < len && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	/* json-c stops at a NUL, which would hide what follows. A bare "null" is its NULL: nothing to borrow from. */
	if (end < len || !root) {
		json_object_put(root);
		return fail_at(end, ret_offset);
	}
	*ret = (struct rf_jin *)root;
	return 0;
}

int rf_jin_parse(const char *text, size_t len, struct rf_jin **ret, size_t *ret_offset)
{
	_cleanup_strbuf_ struct rf_strbuf ascii = RF_STRBUF_INIT;
	_cleanup_jin_ struct rf_jin *root = NULL;
	size_t offset = 0, strict = strict_length(text, len);
	int r;

	/* What comes first is told: json-c may stumble before the place where it would be too lenient. */
	escape_all(&ascii, text, strict);
	if (rf_strbuf_error(&ascii) < 0)
		return -ENOMEM;
	r = ascii_parse(rf_strbuf_str(&ascii), ascii.len, &root, &offset);
	if (r == -EBADMSG)
		return fail_at(MIN(unescaped_offset(text, strict, offset), strict), ret_offset);
	if (r < 0)
		return r;
	if (strict < len)
		return fail_at(strict, ret_offset);
	*ret = TAKE_PTR(root);
	return 0;
}

void rf_jin_free(struct rf_jin *root)
{
	json_object_put(object_of(root));
}

bool rf_jin_is_object(const struct rf_jin *v)
{
	return is_type(v, json_type_object);
}

bool rf_jin_is_array(const struct rf_jin *v)
{
	return is_type(v, json_type_array);
}

const struct rf_jin *rf_jin_get(const struct rf_jin *object, const char *key)
{
	struct json_object *value;

	if (!rf_jin_is_object(object) || !json_object_object_get_ex(object_of(object), key, &value))
		return NULL;
	return (const struct rf_jin *)value;
}

size_t rf_jin_len(const struct rf_jin *array)
{
	return rf_jin_is_array(array) ? json_object_array_length(object_of(array)) : 0;
}

const struct rf_jin *rf_jin_at(const struct rf_jin *array, size_t i)
{
	if (i >= rf_jin_len(array))
		return NULL;
	return (const struct rf_jin *)json_object_array_get_idx(object_of(array), i);
}

const char *rf_jin_string(const struct rf_jin *object, const char *key, const char *dflt)
{
	return rf_jin_as_string(rf_jin_get(object, key), dflt);
}

int64_t rf_jin_i64(const struct rf_jin *object, const char *key, int64_t dflt)
{
	return rf_jin_as_i64(rf_jin_get(object, key), dflt);
}

double rf_jin_double(const struct rf_jin *object, const char *key, double dflt)
{
	const struct rf_jin *v = rf_jin_get(object, key);
	double value;

	if (!is_type(v, json_type_double) && !is_type(v, json_type_int))
		return dflt;
	value = json_object_get_double(object_of(v));
	/* "1e400" is a number, but none that a double can hold. */
	return isfinite(value) ? value : dflt;
}

bool rf_jin_bool(const struct rf_jin *object, const char *key, bool dflt)
{
	const struct rf_jin *v = rf_jin_get(object, key);

	return is_type(v, json_type_boolean) ? json_object_get_boolean(object_of(v)) : dflt;
}

const char *rf_jin_as_string(const struct rf_jin *v, const char *dflt)
{
	const char *s;

	if (!is_type(v, json_type_string))
		return dflt;
	s = json_object_get_string(object_of(v));
	/* A string with "\u0000" in it would be read short: it is not the text that was sent. */
	return s && strlen(s) == (size_t)json_object_get_string_len(object_of(v)) ? s : dflt;
}

int64_t rf_jin_as_i64(const struct rf_jin *v, int64_t dflt)
{
	return is_type(v, json_type_int) ? json_object_get_int64(object_of(v)) : dflt;
}

int rf_jin_each(const struct rf_jin *object, int (*fn)(const char *key, const struct rf_jin *value, void *arg),
		void *arg)
{
	struct json_object_iterator it, end;

	if (!rf_jin_is_object(object))
		return 0;
	it = json_object_iter_begin(object_of(object));
	end = json_object_iter_end(object_of(object));
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		int r = fn(json_object_iter_peek_name(&it), (struct rf_jin *)json_object_iter_peek_value(&it), arg);

		if (r)
			return r;
	}
	return 0;
}
