// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log lines to stderr, one write() a call so that lines of several threads and
 * processes do not mix. Control bytes are shown, not sent: a message may quote
 * what a tenant chose.
 */
#include "user/lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "user/lib/strbuf.h"

/* Process-wide by nature: stderr and its verbosity are, too. */
static _Atomic int max_level = RF_LOG_INFO;

void rf_log_set_level(enum rf_log_level max)
{
	atomic_store(&max_level, (int)max);
}

int rf_log_level_parse(const char *name, enum rf_log_level *ret_level)
{
	static const struct {
		const char *name;
		enum rf_log_level level;
	} levels[] = {
		{ "err", RF_LOG_ERR },	 { "warning", RF_LOG_WARNING }, { "notice", RF_LOG_NOTICE },
		{ "info", RF_LOG_INFO }, { "debug", RF_LOG_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!rf_streq(levels[i].name, name))
			continue;
		*ret_level = levels[i].level;
		return 0;
	}
	return -EINVAL;
}

/* JOURNAL_STREAM names the device and inode of the journal's socket: stderr may have been redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

static void write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* Nowhere left to complain. */
		if (n <= 0)
			return;
		data += n;
		len -= n;
	}
}

static void log_message(enum rf_log_level level, const char *message)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	char prefix[4] = "";

	if (stderr_is_journal())
		snprintf(prefix, sizeof(prefix), "<%d>", (int)level & 7);
	rf_strbuf_adds(&out, prefix);
	for (const char *c = message; *c; c++) {
		/* A diagnostic has several lines; each needs the prefix, and the last one no end of its own. */
		if (*c == '\n' && c[1]) {
			rf_strbuf_addc(&out, '\n');
			rf_strbuf_adds(&out, prefix);
		} else if (((unsigned char)*c < 0x20 && *c != '\t' && *c != '\n') || *c == 0x7f) {
			rf_strbuf_addf(&out, "\\x%02x", (unsigned char)*c);
		} else if (*c != '\n') {
			rf_strbuf_addc(&out, *c);
		}
	}
	rf_strbuf_addc(&out, '\n');
	if (rf_strbuf_error(&out))
		write_all("out of memory for a log line\n", strlen("out of memory for a log line\n"));
	else
		write_all(out.data, out.len);
}

static void log_va(enum rf_log_level level, int error, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct rf_strbuf message = RF_STRBUF_INIT;
	int saved = errno;

	rf_strbuf_vaddf(&message, fmt, ap);
	if (error)
		rf_strbuf_addf(&message, ": %s", strerror(error));
	log_message(level, rf_strbuf_str(&message));
	errno = saved;
}

void rf_log(enum rf_log_level level, const char *fmt, ...)
{
	va_list ap;

	if ((int)level > atomic_load(&max_level))
		return;
	va_start(ap, fmt);
	log_va(level, 0, fmt, ap);
	va_end(ap);
}

int rf_err_r(int r, const char *fmt, ...)
{
	va_list ap;

	if (RF_LOG_ERR > atomic_load(&max_level))
		return r;
	va_start(ap, fmt);
	log_va(RF_LOG_ERR, r < 0 ? -r : r, fmt, ap);
	va_end(ap);
	return r;
}
