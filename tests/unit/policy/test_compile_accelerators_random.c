// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random accelerators and rules, compiled, against the words of the reference
 * page read one node and one access at a time: slow, and without a line of the
 * compiler's. A node that nobody knows is asked as every kind of device that it
 * may turn out to be.
 */
#include "tests/unit/policy/accelerator_host.h"

#define DEVICES 6
#define NODES	40

static const char *const addresses[] = { "0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:04:00.0",
					 "0000:05:00.0", "0000:06:00.0", "0000:ff:00.0" };
static const char *const uuids[] = { "GPU-a", "GPU-b", "GPU-c" };

/* What there is: a vendor's or nobody's, of a subsystem or of none, and adapters. */
static const uint32_t kinds[] = {
	OF(DRM),
	OF(ACCEL),
	OF(NVIDIA),
	OF(NVIDIA) | OF(DRM),
	OF(NVIDIA) | OF(ACCEL),
	OF(AMD),
	OF(AMD) | OF(DRM),
	OF(AMD) | OF(ACCEL),
	OF(INTEL),
	OF(INTEL) | OF(DRM),
	OF(INTEL) | OF(ACCEL),
	OF(HABANALABS),
	OF(HABANALABS) | OF(DRM),
	OF(HABANALABS) | OF(ACCEL),
	OF(INFINIBAND),
};

struct inventory {
	struct rf_accelerator devices[DEVICES];
	struct rf_accelerator_node nodes[NODES];
	struct rf_accelerators known;
};

/* Each once; nodes of the same major come together only by chance, so the order is made afterwards. */
static void node_add(struct inventory *in, const struct rf_accelerator_node *node)
{
	size_t at = in->known.n_nodes;

	if (at == NODES)
		return;
	for (size_t i = 0; i < at; i++)
		if (in->nodes[i].major == node->major && in->nodes[i].minor == node->minor)
			return;
	for (; at && (in->nodes[at - 1].major > node->major ||
		      (in->nodes[at - 1].major == node->major && in->nodes[at - 1].minor > node->minor));
	     at--)
		in->nodes[at] = in->nodes[at - 1];
	in->nodes[at] = *node;
	in->known.n_nodes++;
}

static void random_instances(struct random *r, struct inventory *in, uint32_t device)
{
	for (uint32_t i = random_below(r, 4); i > 0; i--) {
		struct rf_accelerator_node node = INSTANCE(240, random_below(r, 30), device, random_below(r, 3), -1);

		if (!random_one_in(r, 3))
			node.compute_instance = random_below(r, 2);
		node_add(in, &node);
	}
}

static void random_inventory(struct random *r, struct inventory *in)
{
	*in = (struct inventory){ .known.devices = in->devices, .known.nodes = in->nodes };
	in->known.n_devices = random_below(r, DEVICES + 1);
	for (uint32_t i = 0; i < in->known.n_devices; i++) {
		struct rf_accelerator *d = &in->devices[i];

		d->name = d->driver = (char *)"";
		d->parent = (char *)addresses[i];
		d->uuid = random_one_in(r, 2) ? (char *)uuids[random_below(r, ARRAY_SIZE(uuids))] : NULL;
		d->classes = kinds[random_below(r, ARRAY_SIZE(kinds))];
		for (int c = 0; c < RF_ACCELERATOR_CLASS_COUNT; c++)
			d->index[c] = d->classes & 1u << c && !random_one_in(r, 4) ? random_below(r, 3) : NONE;
		for (uint32_t k = random_below(r, 4); k > 0; k--)
			node_add(in, &(struct rf_accelerator_node)NODE(195 + random_below(r, 2), random_below(r, 12), i,
								       DRM));
		if (d->classes & OF(NVIDIA))
			random_instances(r, in, i);
	}
	for (uint32_t i = random_below(r, 6); i > 0; i--) {
		struct rf_accelerator_node node = OTHER_NODE(195 + random_below(r, 4), ANY, UNKNOWN, 0);

		node.classes = 1u << random_below(r, RF_ACCELERATOR_CLASS_COUNT);
		if (random_one_in(r, 2))
			node.part = RF_PART_SHARED;
		if (node.part == RF_PART_SHARED && random_one_in(r, 2))
			node.minor = 100 + random_below(r, 3);
		node_add(in, &node);
	}
	if (random_one_in(r, 2))
		node_add(in, &(struct rf_accelerator_node)OTHER_NODE(240, ANY, UNKNOWN, OF(NVIDIA)));
}

static void random_rule(struct random *r, struct rf_accelerator_rule *rule)
{
	rule->action = random_below(r, RF_ACTIONS);
	if (!random_one_in(r, 3))
		rule->class = random_below(r, RF_ACCELERATOR_CLASS_COUNT);
	if (rule->class != RF_ACCELERATOR_CLASS_COUNT && random_one_in(r, 3))
		rule->index = random_below(r, 3);
	if (random_one_in(r, 6))
		rule->pci = (char *)addresses[random_below(r, ARRAY_SIZE(addresses))];
	if (random_one_in(r, 8))
		rule->uuid = (char *)uuids[random_below(r, ARRAY_SIZE(uuids))];
	if (random_one_in(r, 5)) {
		rule->gpu_instance = random_below(r, 3);
		rule->compute_instance = random_one_in(r, 2) ? (int32_t)random_below(r, 2) : RF_MIG_NONE;
	}
	if (random_one_in(r, 3))
		rule->operations = (1 + random_below(r, 15)) * RF_DEVICE_SUBMIT;
}

static size_t random_sections(struct arena *a, struct random *r, const struct rf_policy **policies)
{
	size_t n = 1 + random_below(r, 3);

	for (size_t i = 0; i < n; i++) {
		struct rf_policy *p = policy_new(a, arena_format(a, "p%zu", i), random_below(r, RF_MODES));

		policies[i] = p;
		if (!random_one_in(r, 6))
			policy_accelerators(a, p, random_below(r, RF_ACTIONS), 500, random_below(r, 8));
		for (size_t k = 0; k < p->accelerators.n_rules; k++)
			random_rule(r, &p->accelerators.rules[k]);
		if (random_one_in(r, 2))
			policy_devices(a, p, random_below(r, RF_ACTIONS), 100, random_below(r, 4));
		for (size_t k = 0; k < p->devices.n_rules; k++) {
			struct rf_device_rule *rule = &p->devices.rules[k];

			rule->action = random_below(r, RF_ACTIONS);
			rule->major = random_one_in(r, 4) ? ANY : 194 + random_below(r, 5);
			rule->minor = rule->major == ANY || random_one_in(r, 2) ? ANY : random_below(r, 12);
			rule->access = 1 + random_below(r, OPEN);
		}
	}
	return n;
}

/* What decided: a line of a policy. No policy: nobody spoke of it. */
struct answer {
	bool allow;
	const struct rf_policy *policy;
	uint32_t line;
};

/* "All that a rule gives must match"; instances aside. */
static bool is_meant(const struct rf_accelerator_rule *rule, const struct rf_accelerator *d)
{
	if (rule->class != RF_ACCELERATOR_CLASS_COUNT && !(d->classes >> rule->class & 1))
		return false;
	if (rule->index != RF_ACCELERATOR_ANY && d->index[rule->class] != (uint32_t)rule->index)
		return false;
	if (rule->pci && strcmp(rule->pci, d->parent))
		return false;
	return !rule->uuid || (d->uuid && !strcmp(rule->uuid, d->uuid));
}

/* "A MIG instance [...]. Its GPU is matched as well, other instances of that are not." Denying it spares the rest. */
static bool is_of_instance(const struct rf_accelerator_rule *rule, const struct rf_accelerators *known, uint32_t device,
			   int32_t gi, int32_t ci)
{
	bool exact = gi == rule->gpu_instance && (rule->compute_instance < 0 || ci == rule->compute_instance);

	if (rule->gpu_instance < 0 || exact)
		return true;
	if (rule->action == DENY)
		return false;
	if (gi >= 0) /* the instance that the compute instance is in */
		return gi == rule->gpu_instance && ci < 0;
	for (size_t i = 0; i < known->n_nodes; i++) {
		const struct rf_accelerator_node *n = &known->nodes[i];

		if (n->device == device && n->part == RF_PART_DEVICE && n->gpu_instance == rule->gpu_instance &&
		    (rule->compute_instance < 0 || n->compute_instance == rule->compute_instance))
			return true;
	}
	return false;
}

/* "Kinds of ioctl that the rule speaks of; without it, of all and of opening." Allowing one is to allow opening. */
static bool is_about(const struct rf_accelerator_rule *rule, uint32_t bit)
{
	bool opening = bit & OPEN;

	if (rule->operations == 0)
		return true;
	return opening ? rule->action == ALLOW : (rule->operations & bit) != 0;
}

/* A device that nobody knows may be any kind that has the classes of its node. */
static bool may_be_meant(const struct rf_accelerator_rule *rule, uint32_t classes)
{
	bool narrow = rule->index >= 0 || rule->pci || rule->uuid || rule->gpu_instance >= 0, some = false, all = true;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool is = rule->class == RF_ACCELERATOR_CLASS_COUNT || kinds[i] >> rule->class & 1;

		if ((kinds[i] & classes) != classes)
			continue;
		some |= is;
		all &= is && !narrow;
	}
	return rule->action == ALLOW ? all : some;
}

static bool takes(enum rf_tier tier, const struct rf_policy *p)
{
	return tier == RF_TIER_AUDIT || p->mode == RF_MODE_ENFORCE;
}

/* @device: NONE: it is not known which. */
static struct answer first_match(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
				 const struct rf_accelerators *known, uint32_t device,
				 const struct rf_accelerator_node *node, bool own, uint32_t bit)
{
	struct answer dflt = { .allow = true };

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; takes(tier, policies[i]) && k < policies[i]->accelerators.n_rules; k++) {
			const struct rf_accelerator_rule *rule = &policies[i]->accelerators.rules[k];
			bool match = device == NONE ?
					     may_be_meant(rule, node->classes) :
					     is_meant(rule, &known->devices[device]) &&
						     is_of_instance(rule, known, device, own ? -1 : node->gpu_instance,
								    own ? -1 : node->compute_instance);

			if (match && is_about(rule, bit))
				return (struct answer){ rule->action == ALLOW, policies[i], rule->mark.line };
		}
	for (size_t i = 0; i < n; i++) {
		const struct rf_accelerator_section *s = &policies[i]->accelerators;

		if (s->present && takes(tier, policies[i]) && dflt.allow && (!dflt.policy || s->default_action == DENY))
			dflt = (struct answer){ s->default_action == ALLOW, policies[i], s->mark.line };
	}
	return dflt;
}

static struct answer of_accelerators(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
				     const struct rf_accelerators *known, uint32_t major, uint32_t minor, uint32_t bit)
{
	const struct rf_accelerator_node *node = NULL;
	struct answer last = { .allow = true };

	for (size_t i = 0; i < known->n_nodes; i++)
		if (known->nodes[i].major == major &&
		    (known->nodes[i].minor == minor || (!node && known->nodes[i].minor == ANY)))
			node = &known->nodes[i];
	if (!node)
		return last;
	if (node->part == RF_PART_DEVICE)
		return first_match(policies, n, tier, known, node->device, node, false, bit);
	for (uint32_t i = 0; node->part == RF_PART_SHARED && i < known->n_devices; i++) {
		if (!(known->devices[i].classes & node->classes))
			continue;
		last = first_match(policies, n, tier, known, i, node, true, bit);
		if (last.allow)
			return last;
	}
	return last.policy ? last : first_match(policies, n, tier, known, NONE, node, true, bit);
}

static struct answer of_devices(const struct rf_policy *const *policies, size_t n, enum rf_tier tier, uint32_t major,
				uint32_t minor, uint32_t bit)
{
	struct answer dflt = { .allow = true };

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; takes(tier, policies[i]) && k < policies[i]->devices.n_rules; k++) {
			const struct rf_device_rule *rule = &policies[i]->devices.rules[k];

			if ((rule->access & bit) && (rule->major == ANY || rule->major == major) &&
			    (rule->minor == ANY || rule->minor == minor))
				return (struct answer){ rule->action == ALLOW, policies[i], rule->mark.line };
		}
	for (size_t i = 0; i < n; i++) {
		const struct rf_devices *d = &policies[i]->devices;

		if (d->present && takes(tier, policies[i]) && dflt.allow && (!dflt.policy || d->default_action == DENY))
			dflt = (struct answer){ d->default_action == ALLOW, policies[i], d->mark.line };
	}
	return dflt;
}

/* "Both sections must allow"; that of devices is named first, and has nothing to say of ioctls. */
static struct answer reference(const struct rf_policy *const *policies, size_t n, enum rf_tier tier,
			       const struct rf_accelerators *known, uint32_t major, uint32_t minor, uint32_t bit)
{
	struct answer d = { .allow = true }, a = of_accelerators(policies, n, tier, known, major, minor, bit);

	if (bit & OPEN)
		d = of_devices(policies, n, tier, major, minor, bit);
	if (!d.allow || !a.policy)
		return d;
	return !a.allow || !d.policy ? a : d;
}

static void image_compare(const struct rf_device_image *image, const struct rf_policy *const *policies, size_t n,
			  enum rf_tier tier, const struct rf_accelerators *known, uint32_t major, uint32_t minor)
{
	for (uint32_t bit = 1; bit <= RF_DEVICE_ADMIN; bit <<= 1) {
		struct answer want = reference(policies, n, tier, known, major, minor, bit);
		const struct rf_rule_ref *ref;
		uint32_t rule = 0;
		bool allow = rf_device_evaluate(image, CHAR, major, minor, bit, &rule);

		if (allow != want.allow)
			fail_msg("tier %d, %u:%u access %#x is %s, and line %u says otherwise", tier, major, minor, bit,
				 allow ? "allowed" : "denied", want.line);
		if (!image || !want.policy)
			continue;
		ref = &image->refs[rule];
		if (!rf_streq(ref->file, want.policy->file) || ref->line != want.line)
			fail_msg("tier %d, %u:%u access %#x: %s:%u is named, not %s:%u", tier, major, minor, bit,
				 ref->file, ref->line, want.policy->file, want.line);
	}
}

static bool has_audit(const struct rf_policy *const *policies, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (policies[i]->mode == RF_MODE_AUDIT &&
		    (policies[i]->devices.present || policies[i]->accelerators.present))
			return true;
	return false;
}

static void sets_compared(struct random *r)
{
	const struct rf_policy *policies[3];
	struct rf_diags diags = RF_DIAGS_INIT;
	struct arena a = { NULL };
	struct inventory in;
	size_t n;

	random_inventory(r, &in);
	n = random_sections(&a, r, policies);
	for (int tier = 0; tier < RF_TIERS; tier++) {
		const struct rf_device_host host = { .accelerators = &in.known };
		struct rf_device_image *image = NULL;

		assert_int_equal(rf_device_compile(policies, n, tier, &host, &diags, &image), 0);
		if (tier == RF_TIER_AUDIT)
			assert_int_equal(!!image, has_audit(policies, n));
		for (size_t i = 0; (image || tier == RF_TIER_ENFORCE) && i < in.known.n_nodes; i++)
			image_compare(image, policies, n, tier, &in.known, in.nodes[i].major, in.nodes[i].minor);
		for (int i = 0; (image || tier == RF_TIER_ENFORCE) && i < 30; i++)
			image_compare(image, policies, n, tier, &in.known,
				      random_one_in(r, 6) ? 240 : 194 + random_below(r, 6), random_below(r, 12));
		rf_device_image_free(image);
	}
	assert_int_equal(diags.n_errors, 0);
	rf_diags_fini(&diags);
	arena_free(&a);
}

static void the_image_answers_as_the_words_of_the_reference_do(void **state)
{
	struct random r = { random_seed("accelerator rules") };

	(void)state;
	for (int i = 0; i < 10000; i++)
		sets_compared(&r);
}

/* The device that just came is listed by the next look: what was allowed before must still be. */
static void what_is_allowed_of_an_unknown_node_is_allowed_of_whatever_it_is(void **state)
{
	struct random r = { random_seed("unknown accelerators") };
	unsigned int allowed_before = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t kind = kinds[random_below(&r, ARRAY_SIZE(kinds))], class;
		struct rf_accelerator device = { .name = (char *)"",
						 .driver = (char *)"",
						 .parent = (char *)addresses[0],
						 .uuid = (char *)uuids[0],
						 .classes = kind };
		struct rf_accelerator_node nodes[] = { NODE(195, 0, 0, DRM), OTHER_NODE(195, ANY, UNKNOWN, 0) };
		struct rf_accelerators before = { .nodes = &nodes[1], .n_nodes = 1 }, after = { &device, 1, nodes, 2 };
		const struct rf_policy *policies[3];
		struct rf_diags diags = RF_DIAGS_INIT;
		struct rf_device_image *first, *second;
		struct arena a = { NULL };
		size_t n;

		do
			class = 1u << random_below(&r, RF_ACCELERATOR_CLASS_COUNT);
		while (!(class & kind));
		nodes[0].classes = nodes[1].classes = class;
		for (int c = 0; c < RF_ACCELERATOR_CLASS_COUNT; c++)
			device.index[c] = kind & 1u << c ? random_below(&r, 3) : NONE;
		n = random_sections(&a, &r, policies);
		assert_int_equal(rf_device_compile(policies, n, RF_TIER_ENFORCE,
						   &(const struct rf_device_host){ .accelerators = &before }, &diags,
						   &first),
				 0);
		assert_int_equal(rf_device_compile(policies, n, RF_TIER_ENFORCE,
						   &(const struct rf_device_host){ .accelerators = &after }, &diags,
						   &second),
				 0);
		for (uint32_t bit = 1; first && bit <= RF_DEVICE_ADMIN; bit <<= 1) {
			uint32_t rule;

			if (!rf_device_evaluate(first, CHAR, 195, 0, bit, &rule))
				continue;
			allowed_before++;
			assert_true(rf_device_evaluate(second, CHAR, 195, 0, bit, &rule));
		}
		rf_device_image_free(first);
		rf_device_image_free(second);
		rf_diags_fini(&diags);
		arena_free(&a);
	}
	assert_true(allowed_before > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_image_answers_as_the_words_of_the_reference_do),
		cmocka_unit_test(what_is_allowed_of_an_unknown_node_is_allowed_of_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
