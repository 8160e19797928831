// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DNS parser, in the kernel and in user space: the same source must say the same of every message, byte for byte,
 * and of handwritten ones what we expect. Behind the message lies other garbage in the kernel than here, so that
 * whoever reads past the end is found out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/dns_encoder.h"
#include "tests/bpf/dns_messages.h"
#include "tests/bpf/dns_parse.skel.h"
#include "user/lib/util.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"

#define PAIRS		   120000
#define PAIRS_SLOW	   3000
#define INSTRUCTIONS_MAX   50000 /* a twentieth of what the kernel allows to a program, which does more than this */
#define WORST_NS	   5000000
#define PACKET_MESSAGE_MAX 3000 /* a test run takes less than a page */

struct parser {
	struct dns_parse_bpf *skel;
	char log[2][65536];
	struct rf_dns_work work;
	struct rf_dns_message user, kernel;
	uint8_t near[RF_DNS_MESSAGE_MAX], far[RF_DNS_MESSAGE_MAX];
};

static const char *status_name(int status)
{
#define TEXT(name, text) text,
	static const char *const names[] = { RF_DNS_STATUSES(TEXT) };
#undef TEXT
	return status >= 0 && status < RF_DNS_STATUS_COUNT ? names[status] : "?";
}

/* ---- one message, parsed twice ---- */

static int user_parse(struct parser *p, const uint8_t *message, uint32_t len)
{
	memset(p->near, 0xc0, sizeof(p->near));
	memcpy(p->near, message, len < sizeof(p->near) ? len : sizeof(p->near));
	memset(&p->user, 0xaa, sizeof(p->user));
	return rf_dns_parse(p->near, len, &p->work, &p->user);
}

static int kernel_parse(struct parser *p, const uint8_t *message, uint32_t len)
{
	const struct dns_parse_bpf *skel = p->skel;
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	memset(p->far, 0x01, sizeof(p->far));
	memcpy(p->far, message, len < sizeof(p->far) ? len : sizeof(p->far));
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(skel->maps.input), &zero, p->far, BPF_ANY), 0);
	skel->bss->message_len = len;
	skel->bss->message_status = -1;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.dns_parse), &opts), 0);
	assert_int_equal(opts.retval, 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(skel->maps.output), &zero, &p->kernel), 0);
	return skel->bss->message_status;
}

static void message_print(const uint8_t *message, uint32_t len)
{
	print_message("# %u bytes:", len);
	for (uint32_t i = 0; i < len && i < 512; i++)
		print_message(" %02x", message[i]);
	print_message("\n");
}

/* The status that both agree on; the result is in @p->user. */
static int parse_both(struct parser *p, const uint8_t *message, uint32_t len)
{
	int user = user_parse(p, message, len), kernel = kernel_parse(p, message, len);

	if (user == kernel && memcmp(&p->user, &p->kernel, sizeof(p->user)) == 0)
		return user;
	message_print(message, len);
	fail_msg("user space says %s, the kernel %s%s", status_name(user), status_name(kernel),
		 user == kernel ? ", of other content" : "");
	return -1;
}

/* ---- a result as text ---- */

static void name_render(FILE *f, const struct rf_dns_message *m)
{
	uint32_t at = 0;

	assert_in_range(m->name_len, 1, RF_DNS_WIRE_NAME);
	if (m->name_len == 1)
		fputc('.', f);
	while (m->name[at]) {
		if (at)
			fputc('.', f);
		for (uint32_t end = at + 1 + m->name[at]; ++at < end;)
			fprintf(f, m->name[at] > ' ' && m->name[at] < 0x7f ? "%c" : "\\%03u", m->name[at]);
	}
	assert_int_equal(at + 1, m->name_len);
}

static char *message_render(int status, const struct rf_dns_message *m)
{
	static const struct rf_dns_message nothing;
	char text[INET6_ADDRSTRLEN], *ret = NULL;
	size_t size;
	FILE *f = open_memstream(&ret, &size);

	assert_non_null(f);
	fputs(status_name(status), f);
	if (status) {
		assert_memory_equal(m, &nothing, sizeof(nothing));
	} else {
		assert_int_equal(m->id, 0x1234);
		fprintf(f, " %s", m->response ? "answer" : "query");
		if (m->rcode)
			fprintf(f, " rcode %u", m->rcode);
		if (m->truncated)
			fputs(" truncated", f);
		fprintf(f, " %u ", m->type);
		name_render(f, m);
		for (uint32_t i = 0; i < m->n_addresses; i++)
			fprintf(f, " %s/%u",
				inet_ntop(m->addresses[i].family, m->addresses[i].addr, text, sizeof(text)),
				m->addresses[i].ttl);
	}
	fclose(f);
	return ret;
}

/* ---- claims ---- */

static void a_message_means_what_we_expect(void **state)
{
	struct parser *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(handwritten); i++) {
		const struct handwritten *h = &handwritten[i];
		int status = parse_both(p, (const uint8_t *)h->bytes, h->len);
		_cleanup_free_ char *text = message_render(status, &p->user);

		if (!rf_streq(text, h->expected))
			fail_msg("%s: \"%s\" where \"%s\" was expected", h->claim, text, h->expected);
	}
	print_message("# %zu handwritten messages\n", ARRAY_SIZE(handwritten));
}

/* The verdict programs will do this: not in a program that may sleep, and on a copy of the packet. */
static void a_packet_means_the_same(void **state)
{
	struct parser *p = *state;
	/* Ethernet, IPv4, UDP: only their lengths matter here. */
	uint8_t packet[42 + PACKET_MESSAGE_MAX] = { [12] = 8, [14] = 0x45, [23] = 17 };

	for (size_t i = 0; i < ARRAY_SIZE(handwritten); i++) {
		const struct handwritten *h = &handwritten[i];
		uint32_t zero = 0;
		int status = user_parse(p, (const uint8_t *)h->bytes, h->len);
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = 42 + h->len);

		if (!h->len)
			continue;
		memcpy(packet + 42, h->bytes, h->len);
		assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(p->skel->progs.dns_parse_packet), &opts), 0);
		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.output), &zero, &p->kernel), 0);
		if (p->skel->bss->message_status != status || memcmp(&p->user, &p->kernel, sizeof(p->user)) != 0)
			fail_msg("%s: %s where user space says %s", h->claim, status_name(p->skel->bss->message_status),
				 status_name(status));
	}
}

static void a_limit_holds_and_not_one_more(void **state)
{
	_cleanup_free_ struct dns_writer *w = calloc(1, sizeof(*w));
	struct parser *p = *state;

	assert_non_null(w);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		for (uint32_t past = 0; past < 2; past++) {
			int want = past ? limits[i].past : RF_DNS_OK, got;

			limits[i].make(w, limits[i].limit + past);
			got = parse_both(p, w->byte, w->len);
			if (got != want)
				fail_msg("%u %s: %s where %s was expected", limits[i].limit + past, limits[i].what,
					 status_name(got), status_name(want));
		}
	}
}

static bool address_is_among(const struct rf_dns_address *address, const struct rf_dns_message *m)
{
	for (uint32_t i = 0; i < m->n_addresses; i++) {
		if (memcmp(address, &m->addresses[i], sizeof(*address)) == 0)
			return true;
	}
	return false;
}

static void expectation_check(const struct parser *p, const struct dns_message *m, int status)
{
	bool found = status == (int)m->status && p->user.n_addresses == m->n_expected;

	for (uint32_t i = 0; i < m->n_expected && found; i++)
		found = address_is_among(&m->expected[i], &p->user);
	if (!status && found)
		found = p->user.name_len == m->names[0].len &&
			memcmp(p->user.name, m->names[0].wire, RF_DNS_NAME_MAX) == 0;
	if (found)
		return;
	message_print(m->w.byte, m->w.len);
	fail_msg("%s with %u addresses where %s with %u was encoded", status_name(status), p->user.n_addresses,
		 status_name(m->status), m->n_expected);
}

static void the_kernel_parses_as_user_space_does(void **state)
{
	bool slow = getenv("RF_SLOW") || getenv("RF_IN_VM");
	uint32_t pairs = slow ? PAIRS_SLOW : PAIRS, count[2][RF_DNS_STATUS_COUNT] = { 0 }, addresses = 0;
	_cleanup_free_ struct dns_message *m = calloc(1, sizeof(*m));
	struct random r = { random_seed("dns") };
	struct parser *p = *state;

	assert_non_null(m);
	for (uint32_t i = 0; i < pairs; i++) {
		bool mutated = i & 1;
		int status;

		dns_message_random(&r, m);
		if (mutated)
			dns_message_mutate(&r, &m->w);
		status = parse_both(p, m->w.byte, m->w.len);
		if (!mutated)
			expectation_check(p, m, status);
		count[mutated][status]++;
		addresses += p->user.n_addresses;
	}
	print_message("# %u messages, %u addresses, 0 differences\n", pairs, addresses);
	for (int mutated = 0; mutated < 2; mutated++) {
		print_message("# %s:", mutated ? "mutated" : "valid");
		for (int i = 0; i < RF_DNS_STATUS_COUNT; i++)
			print_message(" %s %u", status_name(i), count[mutated][i]);
		print_message("\n");
	}
	/* Otherwise this proved nothing. */
	assert_in_range(count[0][RF_DNS_OK], pairs / 4, pairs / 2);
	assert_in_range(count[1][RF_DNS_OK], pairs / 20, pairs / 2);
	for (int i = 0; i < RF_DNS_STATUS_COUNT; i++)
		assert_true(i == RF_DNS_LONG || count[1][i] > 0);
	assert_in_range(addresses, pairs / 2, UINT32_MAX);
}

static void log_print(const char *program, const char *log)
{
	static const char *const lines[] = { "stack depth", "processed" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *line = strstr(log, lines[i]);

		if (line)
			print_message("# %s: %.*s\n", program, (int)strcspn(line, "\n"), line);
	}
}

static void the_verifier_has_little_to_look_at(void **state)
{
	struct parser *p = *state;
	const struct bpf_program *programs[] = { p->skel->progs.dns_parse, p->skel->progs.dns_parse_packet };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		log_print(bpf_program__name(programs[i]), p->log[i]);
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(programs[i]), &info, &len), 0);
		assert_in_range(info.verified_insns, 1, INSTRUCTIONS_MAX);
	}
}

/* A syscall program's test run reports no duration: what it takes longer than for an empty message is the parser's. */
static uint64_t parse_time(struct parser *p, const uint8_t *message, uint32_t len)
{
	uint64_t ns[2] = { UINT64_MAX, UINT64_MAX };

	kernel_parse(p, message, len);
	for (int round = 0; round < 200; round++) {
		struct timespec a, b;
		uint64_t took;
		LIBBPF_OPTS(bpf_test_run_opts, opts);

		p->skel->bss->message_len = round & 1 ? 0 : len;
		clock_gettime(CLOCK_MONOTONIC, &a);
		bpf_prog_test_run_opts(bpf_program__fd(p->skel->progs.dns_parse), &opts);
		clock_gettime(CLOCK_MONOTONIC, &b);
		took = (b.tv_sec - a.tv_sec) * 1000000000ULL + b.tv_nsec - a.tv_nsec;
		ns[round & 1] = took < ns[round & 1] ? took : ns[round & 1];
	}
	return ns[0] > ns[1] ? ns[0] - ns[1] : 0;
}

static void the_worst_message_costs_less_than_milliseconds(void **state)
{
	_cleanup_free_ struct dns_writer *w = calloc(1, sizeof(*w));
	struct parser *p = *state;
	uint64_t chain, names, passes;

	assert_non_null(w);
	make_chain(w, 1);
	chain = parse_time(p, w->byte, w->len);
	make_work(w, 31);
	names = parse_time(p, w->byte, w->len);
	make_passes(w, RF_DNS_CHAIN_MAX);
	passes = parse_time(p, w->byte, w->len);
	print_message("# one CNAME: %llu ns; all the names allowed: %llu ns; all the passes: %llu ns\n",
		      (unsigned long long)chain, (unsigned long long)names, (unsigned long long)passes);
	/* Far from what it takes, which an emulated or busy machine multiplies. */
	assert_in_range(names, 1, WORST_NS);
	assert_in_range(passes, 1, WORST_NS);
}

static int parser_make(void **state)
{
	struct parser *p = calloc(1, sizeof(*p));

	*state = p;
	if (!p)
		return -1;
	p->skel = dns_parse_bpf__open();
	if (!p->skel)
		return -1;
	/* 4: only its figures, and what is wrong. */
	for (int i = 0; i < 2; i++) {
		struct bpf_program *program = i ? p->skel->progs.dns_parse_packet : p->skel->progs.dns_parse;

		bpf_program__set_log_level(program, 4);
		bpf_program__set_log_buf(program, p->log[i], sizeof(p->log[i]));
	}
	if (dns_parse_bpf__load(p->skel) == 0)
		return 0;
	/* Not print_error(), which cuts it off. */
	printf("%s\n%s\n", p->log[0], p->log[1]);
	return -1;
}

static int parser_end(void **state)
{
	struct parser *p = *state;

	dns_parse_bpf__destroy(p->skel);
	free(p);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verifier_has_little_to_look_at),
		cmocka_unit_test(a_message_means_what_we_expect),
		cmocka_unit_test(a_packet_means_the_same),
		cmocka_unit_test(a_limit_holds_and_not_one_more),
		cmocka_unit_test(the_kernel_parses_as_user_space_does),
		cmocka_unit_test(the_worst_message_costs_less_than_milliseconds),
	};

	if (getuid() != 0) {
		puts("1..0 # SKIP loading BPF programs needs root");
		return 4;
	}
	return cmocka_run_group_tests(tests, parser_make, parser_end);
}
