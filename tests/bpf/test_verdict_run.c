// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel against the rules, a million times: random policies are put in
 * force by the engine, and random flows near the edges of their rules go through
 * the hooks' own verdict code, in a program that is run and not attached. What
 * it says must be what tests/unit/policy/reference.c says, which walks the rules
 * one by one and knows neither the compiler nor an image.
 *
 * Some flows are asked again at once, so that the verdict cache answers; and
 * before and after everything that must empty it. The cgroups are made up, and
 * the lower halves of their ids are equal: the cache puts a flow of one where it
 * has the same flow of another.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "tests/bpf/maps_share.h"
#include "tests/bpf/place.h"
#include "tests/bpf/verdict_run.h"
#include "user/engine/engine.h"
#include "user/lib/hashmap.h"
#include "user/model/event.h"

/* In this translation unit, so that the build needs no rule for them. */
#include "tests/unit/policy/random_policy.c"
#include "tests/unit/policy/reference.c"

#include "tests/bpf/verdict_run.skel.h"

#define PAIRS	   1000000
#define WORKLOADS  200
#define ROUNDS	   20 /* each puts new policies in force */
#define PAIRS_SLOW 20000
#define FEW	   40 /* workloads where it is slow */
#define ROUNDS_FEW 4

#define PEERS 64 /* that the rules may mean: the host, the world and pods */

#define NEAR	   64  /* a flow is asked again among so many: most of them are still in the cache */
#define REMEMBERED 512 /* flows that are asked before and after a change; half of a cache */

/* Differences printed; the rest are counted. */
#define PRINTED_MAX 20

struct workload {
	const struct rf_policy *policies[4];
	size_t n_policies;
	uint32_t n_rules[RF_DIRECTIONS][RF_TIERS];
	struct rf_image *image;
};

struct host {
	struct rf_engine *engine;
	struct verdict_run_bpf *skeleton;
	struct place place;

	struct random random;
	struct arena arena, peer_arena;
	struct rf_peer_view peers[PEERS]; /* by number, see peer_id() */
	unsigned int pairs_wanted, rounds, n_workloads;
	struct workload workload[WORKLOADS];
	unsigned int moved;	    /* the cgroup i is of the workload i + @moved */
	struct rf_hashmap *counted; /* pairs of this round */

	struct verdict_question questions[VERDICT_BATCH];
	struct verdict_question remembered[REMEMBERED];
	struct verdict_answer remembered_answers[REMEMBERED];
	unsigned int n_remembered;

	unsigned int asked, pairs, verdict[RF_WOULD_DENY + 1], kept, unmanaged, differences;
	unsigned int stale, changed; /* after a change: answers of before it, and answers that the change changed */
	unsigned int decided[RF_RULE_WORDS]; /* by a rule of this word */
	unsigned int icmp, icmp_by_code;     /* pairs of ICMP, and those where another code is decided otherwise */
};

/* ---- what is asked, and the answer that is expected ------------------------------------------------------------- */

/* Index n_workloads: nobody's. Of the slots that remember whose a cgroup is, some are one cgroup's, some are shared. */
static uint64_t cgroup_id(unsigned int index)
{
	return (uint64_t)(index + 1) << 32 | (index % 2 ? index : 0);
}

static unsigned int cgroup_index(uint64_t id)
{
	return (id >> 32) - 1;
}

/* NULL: nobody's. */
static const struct workload *workload_of(const struct host *h, uint64_t cgroup)
{
	unsigned int index = cgroup_index(cgroup);

	return index < h->n_workloads ? &h->workload[(index + h->moved) % h->n_workloads] : NULL;
}

static uint32_t peer_id(unsigned int number)
{
	return number == 0 ? RF_PEER_HOST_ID : number == 1 ? RF_PEER_WORLD_ID : RF_PEER_POD | number;
}

static struct rf_peer_view peer_view(const struct host *h, const struct verdict_question *question)
{
	struct rf_peer_view view;
	unsigned int number = 0;

	while (peer_id(number) != question->peer)
		number++;
	view = h->peers[number];
	view.self = question->self;
	return view;
}

static void question_fill(const struct reference_flow *flow, enum rf_direction direction, uint64_t cgroup,
			  struct verdict_question *ret)
{
	*ret = (struct verdict_question){
		.cgroup_id = cgroup,
		.port = flow->port,
		.protocol = flow->protocol,
		.direction = direction,
		.family = flow->family,
	};
	memcpy(ret->addr, flow->addr, flow->family == AF_INET6 ? 16 : 4);
}

/* Another question, in one of the things by which the cache tells two flows apart. */
static void question_twist(struct host *h, struct verdict_question *question)
{
	struct random *r = &h->random;
	unsigned int bit = random_below(r, question->family == AF_INET6 ? 128 : 32);

	switch (random_below(r, 7)) {
	case 0:
		question->cgroup_id = cgroup_id(random_below(r, h->n_workloads + 1));
		break;
	case 1:
		question->direction ^= 1;
		break;
	case 2:
		question->port ^= 1 << random_below(r, 16);
		break;
	case 3:
		question->protocol = question->protocol == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
		break;
	case 4:
		question->family = AF_INET6; /* the same bytes */
		break;
	case 5:
		question->peer = peer_id(random_below(r, PEERS));
		break;
	default:
		question->addr[bit / 8] ^= 0x80 >> bit % 8;
	}
}

static void question_make(struct host *h, unsigned int at, struct verdict_question *ret)
{
	struct random *r = &h->random;
	enum rf_direction direction = random_below(r, RF_DIRECTIONS);
	uint64_t id = cgroup_id(random_below(r, h->n_workloads));
	uint32_t kind = random_below(r, 16);
	const struct workload *w;
	struct reference_flow flow;

	if (at && kind < 3) {
		*ret = h->questions[at - 1 - random_below(r, MIN(at, (unsigned int)NEAR))];
		if (kind == 2)
			question_twist(h, ret);
		return;
	}
	/* The workload with the most rules, the first, has most to ask. */
	if (kind == 3 || kind == 4)
		id = cgroup_id((h->n_workloads - h->moved) % h->n_workloads);
	w = workload_of(h, id);
	flow = random_flow(r, w->policies, w->n_policies, direction);
	question_fill(&flow, direction, id, ret);
	ret->peer = peer_id(random_below(r, PEERS));
	ret->self = random_one_in(r, 8);
}

/* As an index of struct rf_decision. */
static uint16_t rule_of(const struct workload *w, enum rf_direction direction, enum rf_tier tier,
			const struct reference_answer *answer)
{
	return answer->present && answer->rule < w->n_rules[direction][tier] ? answer->rule : RF_RULE_DEFAULT;
}

static struct verdict_answer answer_expected(const struct host *h, const struct verdict_question *question)
{
	const struct workload *w = workload_of(h, question->cgroup_id);
	struct verdict_answer expected = {
		.workload = RF_WORKLOAD_NONE, .rule = RF_RULE_DEFAULT, .verdict = RF_ALLOW, .tier = RF_TIER_ENFORCE
	};
	struct reference_flow flow = { .family = question->family,
				       .protocol = question->protocol,
				       .port = question->port };
	struct rf_peer_view view = peer_view(h, question);
	struct reference_answer answer;

	if (!w)
		return expected;
	flow.peer = &view;
	memcpy(flow.addr, question->addr, sizeof(flow.addr));
	expected.workload = RF_WORKLOAD_FIRST + (w - h->workload);
	answer = reference_network(w->policies, w->n_policies, question->direction, RF_TIER_ENFORCE, &flow);
	expected.rule = rule_of(w, question->direction, RF_TIER_ENFORCE, &answer);
	if (!answer.allow) {
		expected.verdict = RF_DENY;
		return expected;
	}
	answer = reference_network(w->policies, w->n_policies, question->direction, RF_TIER_AUDIT, &flow);
	if (!answer.allow) {
		expected.rule = rule_of(w, question->direction, RF_TIER_AUDIT, &answer);
		expected.verdict = RF_WOULD_DENY;
		expected.tier = RF_TIER_AUDIT;
	}
	return expected;
}

static bool decisions_equal(const struct verdict_answer *a, const struct verdict_answer *b)
{
	return a->rule == b->rule && a->verdict == b->verdict && a->tier == b->tier;
}

static void difference_print(const struct host *h, const struct verdict_question *question,
			     const struct verdict_answer *want, const struct verdict_answer *got)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(question->family, question->addr, text, sizeof(text));
	print_message("# generation %u, workload %u: %s %s protocol %u port %u: %s by %s rule %u, and the kernel%s: "
		      "workload %u (live %u), %s by %s rule %u\n",
		      rf_engine_generation(h->engine), want->workload, question->direction == RF_EGRESS ? "to" : "from",
		      text, question->protocol, question->port, rf_verdict_name(want->verdict),
		      want->tier ? "audited" : "enforced", want->rule, got->kept ? "'s cache" : "", got->workload,
		      got->live, rf_verdict_name(got->verdict), got->tier ? "audited" : "enforced", got->rule);
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

/*
 * True: this round has not asked that workload for this flow before, whoever its peer was. An address and its
 * IPv4-mapped form are one flow.
 */
static bool pair_count(struct host *h, const struct verdict_question *question)
{
	struct verdict_question key = *question;
	int r;

	if (key.family == AF_INET6 && is_mapped(key.addr)) {
		key.family = AF_INET;
		memcpy(key.addr, key.addr + 12, 4);
		memset(key.addr + 4, 0, 12);
	}
	key.cgroup_id = workload_of(h, question->cgroup_id) - h->workload;
	/* Those that the cache would not tell apart are no two pairs. */
	key.peer = key.self = 0;
	r = rf_hashmap_put(h->counted, &key, sizeof(key), h);
	assert_true(r == 0 || r == -EEXIST);
	return r == 0;
}

/* The program's answers to what is in the skeleton. */
static void batch_run(struct host *h, unsigned int n)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet));

	h->skeleton->bss->verdict_count = n;
	memset(h->skeleton->bss->verdict_answers, 0xff, sizeof(h->skeleton->bss->verdict_answers));
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(h->skeleton->progs.verdict_run), &options), 0);
	assert_int_equal(options.retval, 1);
}

/* Counts pairs of ICMP: without some whose code decides, nobody would notice a kernel that does not look at it. */
static void icmp_count(struct host *h, const struct verdict_question *question, const struct verdict_answer *want)
{
	struct verdict_question other = *question;
	struct verdict_answer answer;

	if (question->protocol != IPPROTO_ICMP && question->protocol != IPPROTO_ICMPV6)
		return;
	other.port ^= 1;
	answer = answer_expected(h, &other);
	h->icmp++;
	h->icmp_by_code += !decisions_equal(&answer, want);
}

/* Asks @questions and compares; the new ones among them go to the front of @questions. Returns how many these are. */
static unsigned int batch_ask(struct host *h, struct verdict_question *questions, unsigned int n)
{
	unsigned int n_new = 0;

	memcpy(h->skeleton->bss->verdict_questions, questions, n * sizeof(*questions));
	batch_run(h, n);
	for (unsigned int i = 0; i < n; i++) {
		const struct verdict_answer *got = &h->skeleton->bss->verdict_answers[i];
		struct verdict_answer want = answer_expected(h, &questions[i]);

		h->asked++;
		h->kept += got->kept == 1;
		if ((got->workload != want.workload || got->live != want.workload || !decisions_equal(got, &want)) &&
		    h->differences++ < PRINTED_MAX)
			difference_print(h, &questions[i], &want, got);
		if (want.workload == RF_WORKLOAD_NONE) {
			h->unmanaged++;
			continue;
		}
		if (!pair_count(h, &questions[i]))
			continue;
		h->pairs++;
		h->verdict[want.verdict]++;
		icmp_count(h, &questions[i], &want);
		if (want.rule != RF_RULE_DEFAULT)
			h->decided[want.rule / 64]++;
		questions[n_new++] = questions[i];
	}
	return n_new;
}

/* The cache has most of these afterwards. */
static void remembered_ask(struct host *h)
{
	struct verdict_question questions[REMEMBERED];

	memcpy(questions, h->remembered, sizeof(questions));
	batch_ask(h, questions, h->n_remembered);
	memcpy(h->remembered_answers, h->skeleton->bss->verdict_answers, sizeof(h->remembered_answers));
}

/* They are distinct: what the cache answers is older than the change. */
static void remembered_ask_after_change(struct host *h)
{
	struct verdict_answer before[REMEMBERED];

	memcpy(before, h->remembered_answers, sizeof(before));
	remembered_ask(h);
	for (unsigned int i = 0; i < h->n_remembered; i++) {
		h->stale += h->remembered_answers[i].kept != 0;
		h->changed += !decisions_equal(&h->remembered_answers[i], &before[i]);
	}
}

static void questions_ask(struct host *h, unsigned int pairs)
{
	while (h->pairs < pairs) {
		unsigned int n = MIN(2 * (pairs - h->pairs), (unsigned int)VERDICT_BATCH), n_new;

		for (unsigned int i = 0; i < n; i++)
			question_make(h, i, &h->questions[i]);
		n_new = batch_ask(h, h->questions, n);
		if (n_new >= REMEMBERED) {
			memcpy(h->remembered, h->questions, sizeof(h->remembered));
			h->n_remembered = REMEMBERED;
		}
	}
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

static int resolve_none(const char *path, uint32_t *ret_type, uint32_t *ret_major, uint32_t *ret_minor, void *arg)
{
	(void)path;
	(void)ret_type;
	(void)ret_major;
	(void)ret_minor;
	(void)arg;
	return -ENOENT;
}

/* The first has as many rules as there may be, or nearly; the second as many as fill words, or one more or less. */
static void workload_policies_make(struct host *h, unsigned int i)
{
	static const uint16_t edges[] = { 1, 2, 63, 64, 65, 127, 128, 129, 512 };
	struct workload *w = &h->workload[i];
	struct random *r = &h->random;
	enum rf_direction direction = random_below(r, RF_DIRECTIONS);
	size_t n_rules = RF_MAX_RULES - (random_one_in(r, 2) ? 0 : random_below(r, 64));

	if (i == 1)
		n_rules = edges[random_below(r, ARRAY_SIZE(edges))];
	if (i <= 1)
		w->n_policies = random_policies_long(&h->arena, r, w->policies, 4, direction, n_rules);
	else
		w->n_policies = random_policies(&h->arena, r, w->policies, 4);
	memset(w->n_rules, 0, sizeof(w->n_rules));
	for (size_t p = 0; p < w->n_policies; p++) {
		for (int d = 0; d < RF_DIRECTIONS; d++) {
			size_t n = w->policies[p]->network[d].n_rules;

			w->n_rules[d][RF_TIER_AUDIT] += n;
			if (w->policies[p]->mode == RF_MODE_ENFORCE)
				w->n_rules[d][RF_TIER_ENFORCE] += n;
		}
	}
}

static void policies_apply(struct host *h, bool fresh)
{
	_cleanup_diags_ struct rf_diags diags = RF_DIAGS_INIT;
	struct rf_assignment assignments[WORKLOADS];
	struct rf_image *before[WORKLOADS];
	char *error = NULL;

	arena_free(&h->arena);
	for (unsigned int i = 0; i < h->n_workloads; i++) {
		struct workload *w = &h->workload[i];

		workload_policies_make(h, i);
		before[i] = w->image;
		assert_int_equal(rf_image_compile(w->policies, w->n_policies, NULL,
						  &(const struct rf_device_host){ .resolve = resolve_none }, &diags,
						  &w->image),
				 0);
		assignments[i] = (struct rf_assignment){ .workload = RF_WORKLOAD_FIRST + i,
							 .peer = RF_WORKLOAD_FIRST + i,
							 .fresh = fresh,
							 .image = w->image };
	}
	if (rf_engine_apply(h->engine, assignments, h->n_workloads, h->n_workloads, NULL, NULL, &error) < 0)
		fail_msg("%s", error ? error : "apply failed");
	for (unsigned int i = 0; i < h->n_workloads; i++)
		rf_image_unref(before[i]);
	rf_hashmap_free(h->counted);
	h->counted = NULL;
	assert_int_equal(rf_hashmap_new(NULL, &h->counted), 0);
}

/* The host and the world are always there; every pod is somebody else from now on. */
static void peers_make(struct host *h)
{
	h->peers[0].place = RF_PLACE_HOST;
	h->peers[1].place = RF_PLACE_WORLD;
	for (unsigned int i = 2; i < PEERS; i++) {
		const struct rf_peer_view *view = NULL;

		while (!view || view->place != RF_PLACE_WORKLOAD)
			view = random_view(&h->peer_arena, &h->random);
		h->peers[i] = *view;
		assert_int_equal(rf_engine_peer_set(h->engine, peer_id(i), &view->facts, NULL), 0);
	}
}

/* Each cgroup becomes that of the next workload. */
static void cgroups_move(struct host *h)
{
	h->moved = (h->moved + 1) % h->n_workloads;
	for (unsigned int i = 0; i < h->n_workloads; i++)
		assert_int_equal(rf_engine_cgroup_set(h->engine, cgroup_id(i),
						      RF_WORKLOAD_FIRST + (i + h->moved) % h->n_workloads),
				 0);
}

/* New policies for all workloads, in force at once; then flows of each; then other cgroups, and flows again. */
static void round_run(struct host *h, unsigned int round)
{
	uint64_t last = (uint64_t)h->pairs_wanted * (round + 1) / h->rounds;

	if (round)
		remembered_ask(h);
	policies_apply(h, !round);
	if (round)
		remembered_ask_after_change(h);
	questions_ask(h, h->pairs + (last - h->pairs) / 2);
	remembered_ask(h);
	cgroups_move(h);
	peers_make(h);
	remembered_ask_after_change(h);
	questions_ask(h, last);
}

static void the_kernel_decides_as_the_rules_do_one_by_one(void **state)
{
	struct host *h = *state;
	unsigned int allowed, would;

	h->random.state = random_seed("a million verdicts");
	for (unsigned int i = 0; i < h->n_workloads; i++)
		assert_int_equal(rf_engine_cgroup_set(h->engine, cgroup_id(i), RF_WORKLOAD_FIRST + i), 0);
	peers_make(h);
	for (unsigned int round = 0; round < h->rounds; round++)
		round_run(h, round);

	allowed = h->verdict[RF_ALLOW];
	would = h->verdict[RF_WOULD_DENY];
	print_message("# %u pairs, %u of them allowed (%u %%), %u would be denied, %u differences\n", h->pairs, allowed,
		      (unsigned int)(allowed * 100ULL / h->pairs), would, h->differences);
	print_message("# %u answers in %u generations, %u from the cache; %u changed with policies or cgroups, "
		      "%u were stale\n",
		      h->asked, h->rounds, h->kept, h->changed, h->stale);
	print_message("# %u pairs of ICMP, %u of them decided otherwise with another code\n", h->icmp, h->icmp_by_code);
	assert_int_equal(h->differences, 0);
	assert_int_equal(h->stale, 0);
	/* Otherwise this proved nothing. */
	assert_true(h->pairs >= h->pairs_wanted);
	assert_in_range(allowed, h->pairs / 10, h->pairs - h->pairs / 10);
	assert_true(would > h->pairs / 100);
	assert_true(h->kept > h->asked / 20);
	assert_true(h->changed > 0 && h->unmanaged > 0);
	assert_true(h->icmp > h->pairs / 20 && h->icmp_by_code > h->icmp / 100);
	for (unsigned int word = 0; word < RF_RULE_WORDS; word++)
		assert_true(h->decided[word] > 0);
}

static void no_verdict_was_an_emergency_answer(void **state)
{
	struct host *h = *state;
	struct rf_snapshot snapshot = { 0 };

	assert_int_equal(rf_engine_snapshot(h->engine, &snapshot), 0);
	assert_int_equal(snapshot.errors[RF_ERROR_RULESET_MISSING], 0);
	assert_int_equal(snapshot.errors[RF_ERROR_CACHE_RACE], 0);
	rf_snapshot_fini(&snapshot);
}

/* ---- an engine and the program that shares its maps ------------------------------------------------------------- */

/* The verdict cache is per CPU. */
static int cpu_stay(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

static int host_make(void **state)
{
	/* Guests are emulated. */
	bool slow = getenv("RF_SLOW") || getenv("RF_IN_VM");
	struct host *h = calloc(1, sizeof(*h));

	*state = h;
	if (!h || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || cpu_stay() < 0 ||
	    place_make(&h->place, "verdict-run", &h->engine) < 0)
		return -1;
	h->pairs_wanted = slow ? PAIRS_SLOW : PAIRS;
	h->n_workloads = slow ? FEW : WORKLOADS;
	h->rounds = slow ? ROUNDS_FEW : ROUNDS;
	h->skeleton = verdict_run_bpf__open();
	if (!h->skeleton || maps_share(h->skeleton->obj, h->place.bpffs) < 0 ||
	    verdict_run_bpf__load(h->skeleton) < 0) {
		print_error("the program with the verdict code does not load\n");
		return -1;
	}
	return 0;
}

static int host_end(void **state)
{
	struct host *h = *state;

	verdict_run_bpf__destroy(h->skeleton);
	place_remove(&h->place, h->engine);
	for (unsigned int i = 0; i < h->n_workloads; i++)
		rf_image_unref(h->workload[i].image);
	arena_free(&h->arena);
	arena_free(&h->peer_arena);
	rf_hashmap_free(h->counted);
	free(h);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_decides_as_the_rules_do_one_by_one),
		cmocka_unit_test(no_verdict_was_an_emergency_answer),
	};

	if (getuid() != 0) {
		puts("1..0 # SKIP loading BPF programs needs root");
		return 4;
	}
	return cmocka_run_group_tests(tests, host_make, host_end);
}
