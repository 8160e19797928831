// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence top: rates between two replies. On a terminal it redraws in the
 * alternate screen until q; elsewhere, or with --batch, it prints plain tables.
 * Of workloads, or with --accel of what they take of accelerators.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "user/cli/accel_rates.h"
#include "user/cli/cli.h"
#include "user/cli/rates.h"
#include "user/lib/clock.h"

#define WIDTH_DEFAULT  80
#define HEAD_LINES     2 /* summary, and the line below the table that stays free */
#define INTERVAL_MAX   3600
#define ITERATIONS_MAX 1000000

struct top {
	struct rf_cli *cli;
	unsigned int iterations, interval;
	bool screen; /* redraw */
	bool accel;
	enum rf_sort sort;
	struct rf_sample before, now;
	enum rf_accel_sort accel_sort;
	struct rf_accel_sample accel_before, accel_now;
	struct termios saved;
	int signals;
	struct rf_strbuf errors; /* said while the screen was ours */
};

static int workloads_take(struct top *top, const struct rf_jin *reply)
{
	struct rf_sample next = RF_SAMPLE_INIT;
	int r = rf_sample_parse(reply, &next);

	if (r < 0)
		return r;
	rf_sample_fini(&top->before);
	top->before = top->now;
	top->now = next;
	return 0;
}

static int accelerators_take(struct top *top, const struct rf_jin *reply)
{
	struct rf_accel_sample next = { 0 };
	int r = rf_accel_sample_parse(reply, &next);

	if (r < 0)
		return r;
	rf_accel_sample_fini(&top->accel_before);
	top->accel_before = top->accel_now;
	top->accel_now = next;
	return 0;
}

static int take_sample(struct top *top)
{
	_cleanup_reply_ struct rf_reply reply = RF_REPLY_INIT;
	int r;

	r = rf_cli_ask(top->cli, top->accel ? "accelerators" : "workloads", &reply);
	if (r < 0)
		return r;
	r = top->accel ? accelerators_take(top, reply.root) : workloads_take(top, reply.root);
	if (r < 0)
		rf_cli_error(top->cli, "the daemon's reply is not understood; are both of the same release?");
	return r;
}

static void add_short(struct rf_table *t, double value, unsigned int base, enum rf_color nonzero)
{
	char text[RF_RENDER_MAX];

	rf_render_short(text, value, base);
	rf_table_add(t, value > 0 ? nonzero : RF_COLOR_NONE, text);
}

static double known(uint64_t n)
{
	return n == RF_UNKNOWN ? NAN : (double)n;
}

static void workloads_render(const struct top *top, const struct rf_rate *rates, unsigned int width, size_t rows,
			     struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "WORKLOAD", RF_FIT_CUT }, { "CPU%", RF_FIT_RIGHT },	 { "MEM", RF_FIT_RIGHT },
		{ "TX/s", RF_FIT_RIGHT },   { "RX/s", RF_FIT_RIGHT },	 { "CONN/s", RF_FIT_RIGHT },
		{ "DENY/s", RF_FIT_RIGHT }, { "WOULD/s", RF_FIT_RIGHT }, { "TASKS", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);

	for (size_t i = 0; i < top->now.n && i < rows; i++) {
		const struct rf_rate *r = &rates[i];

		rf_table_add(&t, RF_COLOR_NONE, r->row->name);
		add_short(&t, r->cpu_percent, 1000, RF_COLOR_NONE);
		add_short(&t, known(r->row->memory_bytes), 1024, RF_COLOR_NONE);
		add_short(&t, r->tx_bytes, 1000, RF_COLOR_NONE);
		add_short(&t, r->rx_bytes, 1000, RF_COLOR_NONE);
		add_short(&t, r->connections, 1000, RF_COLOR_NONE);
		add_short(&t, r->denies, 1000, RF_COLOR_RED);
		add_short(&t, r->would_denies, 1000, RF_COLOR_YELLOW);
		add_short(&t, known(r->row->tasks), 1000, RF_COLOR_NONE);
	}
	rf_strbuf_addf(out, "%zu workload%s, by %s, every %us%s\n", top->now.n, top->now.n == 1 ? "" : "s",
		       rf_sort_name(top->sort), top->interval, top->screen ? "  (q quits; c, m, n, d sort)" : "");
	rf_table_print(&t, out, width, top->cli->color);
}

static void accelerators_render(const struct top *top, const struct rf_accel_rate *rates, unsigned int width,
				size_t rows, struct rf_strbuf *out)
{
	static const struct rf_column columns[] = {
		{ "DEVICE", RF_FIT_LEFT },  { "WORKLOAD", RF_FIT_CUT }, { "BUSY%", RF_FIT_RIGHT },
		{ "SHARE", RF_FIT_RIGHT },  { "JOBS/s", RF_FIT_RIGHT }, { "QUEUE", RF_FIT_RIGHT },
		{ "WAIT/s", RF_FIT_RIGHT }, { "MEM", RF_FIT_RIGHT },
	};
	_cleanup_table_ struct rf_table t = RF_TABLE_INIT(columns);
	size_t n = top->accel_now.n;

	for (size_t i = 0; i < n && i < rows; i++) {
		const struct rf_accel_rate *r = &rates[i];

		rf_table_add(&t, RF_COLOR_NONE, *r->row->device ? r->row->device : "(shared)");
		rf_table_add(&t, RF_COLOR_NONE, r->row->workload);
		add_short(&t, r->busy_percent, 1000, RF_COLOR_NONE);
		add_short(&t, known(r->row->share), 1000, RF_COLOR_NONE);
		add_short(&t, r->jobs, 1000, RF_COLOR_NONE);
		add_short(&t, known(r->row->under_way), 1000, RF_COLOR_NONE);
		add_short(&t, r->waited, 1000, RF_COLOR_YELLOW);
		add_short(&t, known(r->row->bytes), 1024, RF_COLOR_NONE);
	}
	rf_strbuf_addf(out, "%zu use%s of accelerators, by %s, every %us%s\n", n, n == 1 ? "" : "s",
		       rf_accel_sort_name(top->accel_sort), top->interval,
		       top->screen ? "  (q quits; b, w, m sort)" : "");
	rf_table_print(&t, out, width, top->cli->color);
}

static int render(const struct top *top, unsigned int width, size_t rows, struct rf_strbuf *out)
{
	_cleanup_free_ struct rf_accel_rate *accel_rates = NULL;
	_cleanup_free_ struct rf_rate *rates = NULL;
	int r;

	if (top->accel) {
		r = rf_accel_rates_compute(&top->accel_before, &top->accel_now, top->accel_sort, &accel_rates);
		if (r == 0)
			accelerators_render(top, accel_rates, width, rows, out);
		return r;
	}
	r = rf_rates_compute(&top->before, &top->now, top->sort, &rates);
	if (r == 0)
		workloads_render(top, rates, width, rows, out);
	return r;
}

/* Line by line with "clear to the end of the line", so that nothing flickers. */
static void put_screen(const char *text)
{
	fputs("\033[H", stdout);
	for (const char *newline; (newline = strchr(text, '\n')); text = newline + 1)
		printf("%.*s\033[K\n", (int)(newline - text), text);
	fputs("\033[J", stdout);
	fflush(stdout);
}

static int draw(const struct top *top)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct winsize w = { .ws_col = 0 };
	unsigned int width = WIDTH_DEFAULT;
	size_t rows = SIZE_MAX;
	int r;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col)
		width = w.ws_col;
	if (top->screen)
		rows = w.ws_row > HEAD_LINES + 1 ? w.ws_row - HEAD_LINES - 1u : 1;
	r = render(top, width, rows, &out);
	if (r < 0) {
		rf_cli_error(top->cli, "out of memory");
		return r;
	}
	if (!top->screen) {
		r = rf_cli_print(top->cli, &out);
		fflush(stdout);
		return r == RF_EXIT_OK ? 0 : -ENOMEM;
	}
	put_screen(rf_strbuf_str(&out));
	return 0;
}

static int screen_begin(struct top *top)
{
	struct termios raw;
	sigset_t set;

	if (tcgetattr(STDIN_FILENO, &top->saved) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	top->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (top->signals < 0)
		return -errno;
	raw = top->saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	fputs("\033[?1049h\033[?25l", stdout); /* the alternate screen; no cursor */
	top->cli->held = &top->errors;
	return 0;
}

static void screen_end(struct top *top)
{
	if (top->signals < 0)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &top->saved);
	rf_closep(&top->signals);
	top->cli->held = NULL;
	fputs(rf_strbuf_str(&top->errors), stderr);
}

/* false: the user wants to leave. A key of the other table changes nothing here. */
static bool take_key(struct top *top)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1)
		return false;
	switch (key) {
	case 'b':
		top->accel_sort = RF_ACCEL_SORT_BUSY;
		break;
	case 'w':
		top->accel_sort = RF_ACCEL_SORT_WAIT;
		break;
	case 'c':
		top->sort = RF_SORT_CPU;
		break;
	case 'm':
		top->sort = RF_SORT_MEMORY;
		top->accel_sort = RF_ACCEL_SORT_MEMORY;
		break;
	case 'n':
		top->sort = RF_SORT_NETWORK;
		break;
	case 'd':
		top->sort = RF_SORT_DENIES;
		break;
	case 'q':
	case 'Q':
		return false;
	}
	return true;
}

/* Waits out the interval, redrawing for keys and a new window size. 1: leave. */
static int wait_screen(struct top *top)
{
	uint64_t deadline = rf_clock_monotonic() + top->interval * RF_NSEC_PER_SEC;

	for (;;) {
		struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				      { .fd = top->signals, .events = POLLIN } };
		uint64_t now = rf_clock_monotonic();
		struct signalfd_siginfo info;
		int r;

		if (now >= deadline)
			return 0;
		r = poll(p, ARRAY_SIZE(p), (int)((deadline - now) / RF_NSEC_PER_MSEC) + 1);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0)
			continue;
		if (p[0].revents && !take_key(top))
			return 1;
		if (p[1].revents && read(top->signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo != SIGWINCH)
			return 1;
		r = draw(top);
		if (r < 0)
			return r;
	}
}

static int wait_plain(const struct top *top)
{
	fflush(stdout);
	return sleep(top->interval) ? 1 : 0;
}

static int run(struct top *top)
{
	int r = take_sample(top);

	if (r < 0)
		return r;
	/* A terminal shows at once what is known without a rate; a table for a file waits until all of it is. */
	if (top->screen) {
		r = screen_begin(top);
		if (r < 0) {
			rf_cli_error(top->cli, "cannot use the terminal: %s (--batch needs none)", strerror(-r));
			return r;
		}
		r = draw(top);
	}
	for (unsigned int i = 0; r == 0 && (!top->iterations || i < top->iterations); i++) {
		r = top->screen ? wait_screen(top) : wait_plain(top);
		if (r)
			break;
		r = take_sample(top);
		if (r < 0)
			break;
		if (!top->screen && i)
			putchar('\n');
		r = draw(top);
	}
	screen_end(top);
	return r;
}

/* A table's own words; NULL: its first. */
static int sort_parse(struct top *top, const char *sort)
{
	int r = 0;

	if (sort)
		r = top->accel ? rf_accel_sort_parse(sort) : rf_sort_parse(sort);
	if (r < 0)
		return r;
	if (top->accel)
		top->accel_sort = (enum rf_accel_sort)r;
	else
		top->sort = (enum rf_sort)r;
	return 0;
}

int rf_command_top(struct rf_cli *cli, int argc, char **argv)
{
	struct top top = { .cli = cli, .interval = 2, .signals = -1, .errors = RF_STRBUF_INIT };
	const char *sort = NULL;
	bool batch = false;
	const struct rf_option options[] = {
		{ "accel", 'a', NULL, "what is taken of accelerators", RF_OPTION_FLAG, &top.accel, 0, 0 },
		{ "batch", 'b', NULL, "print plain tables instead of redrawing", RF_OPTION_FLAG, &batch, 0, 0 },
		{ "delay", 'd', "SECONDS", "between two tables; 2", RF_OPTION_NUMBER, &top.interval, 1, INTERVAL_MAX },
		{ "iterations", 'n', "N", "end after N tables", RF_OPTION_NUMBER, &top.iterations, 1, ITERATIONS_MAX },
		{ "sort", 's', "KEY", "cpu, memory, network, denies, name; busy, wait, memory, name", RF_OPTION_STRING,
		  &sort, 0, 0 },
	};
	int n, status, r;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 0, 0, &n, &status))
		return status;
	if (sort_parse(&top, sort) < 0)
		return rf_cli_usage(cli, "--sort takes %s or name, not \"%s\"",
				    top.accel ? "busy, wait, memory" : "cpu, memory, network, denies", sort);
	top.screen = !batch && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
	r = run(&top);
	rf_sample_fini(&top.before);
	rf_sample_fini(&top.now);
	rf_accel_sample_fini(&top.accel_before);
	rf_accel_sample_fini(&top.accel_now);
	rf_strbuf_fini(&top.errors);
	return r < 0 ? RF_EXIT_FAILURE : RF_EXIT_OK;
}
