// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks and durations. */
#include "user/lib/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail for the three clocks used here. */
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * RF_NSEC_PER_SEC + ts.tv_nsec;
}

uint64_t rf_clock_boot(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t rf_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t rf_clock_real(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* By the offset of now: when the wall clock was set since, the time shown is what the new setting would have said. */
uint64_t rf_clock_boot_to_real(uint64_t boot_ns)
{
	uint64_t boot = rf_clock_boot(), real = rf_clock_real();
	uint64_t ahead;

	if (boot_ns <= boot)
		return real - MIN(boot - boot_ns, real);
	ahead = boot_ns - boot;
	return ahead > UINT64_MAX - real ? UINT64_MAX : real + ahead;
}

void rf_clock_format(struct rf_strbuf *out, uint64_t real_ns)
{
	time_t seconds = real_ns / RF_NSEC_PER_SEC;
	struct tm tm;

	/* 64 bits of nanoseconds end in the year 2554: this cannot fail. */
	gmtime_r(&seconds, &tm);
	rf_strbuf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		       tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned int)(real_ns % RF_NSEC_PER_SEC / RF_NSEC_PER_MSEC));
}

int rf_duration_parse(const char *s, uint64_t max_ns, uint64_t *ret_ns)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = {
		{ "ms", RF_NSEC_PER_MSEC },
		{ "s", RF_NSEC_PER_SEC },
		{ "m", 60 * RF_NSEC_PER_SEC },
		{ "h", 60 * 60 * RF_NSEC_PER_SEC },
		{ "d", 24 * 60 * 60 * RF_NSEC_PER_SEC },
	};
	const char *c = s;
	uint64_t n = 0;
	bool overflow = false;

	for (; *c >= '0' && *c <= '9'; c++)
		overflow |= __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *c - '0', &n);
	if (c == s)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!rf_streq(c, units[i].suffix))
			continue;
		if (overflow || __builtin_mul_overflow(n, units[i].ns, &n) || n > max_ns)
			return -ERANGE;
		*ret_ns = n;
		return 0;
	}
	return -EINVAL;
}
