/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host with accelerators, and sections of policies about them; for the tests
 * of what is compiled from them. Includes the arena: one translation unit each.
 */
#ifndef RF_TEST_ACCELERATOR_HOST_H
#define RF_TEST_ACCELERATOR_HOST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ringfence/policy_map.h"
#include "user/policy/compile.h"

#include "tests/unit/policy/random_policy.c"

#define ALLOW RF_ACTION_ALLOW
#define DENY  RF_ACTION_DENY
#define CHAR  2u
#define ANY   RF_DEVICE_ANY
#define OPEN  RF_DEVICE_OPEN
#define ALL   (RF_DEVICE_OPEN | RF_DEVICE_IOCTLS)
#define OF(c) (1u << RF_ACCELERATOR_##c)
#define NONE  RF_ACCELERATOR_NONE

/* AMD's is of drm number 1, NVIDIA's first of drm number 0, its second of none and cut in instances. */
static struct rf_accelerator host_devices[] = {
	{ .name = "dri/renderD129",
	  .driver = "amdgpu",
	  .parent = "0000:03:00.0",
	  .classes = OF(AMD) | OF(DRM),
	  .index = { NONE, 0, NONE, 1, NONE, NONE, NONE } },
	{ .name = "nvidia0",
	  .driver = "nvidia",
	  .parent = "0000:17:00.0",
	  .uuid = "GPU-a",
	  .classes = OF(NVIDIA) | OF(DRM),
	  .index = { 0, NONE, NONE, 0, NONE, NONE, NONE } },
	{ .name = "nvidia1",
	  .driver = "nvidia",
	  .parent = "0000:65:00.0",
	  .uuid = "GPU-b",
	  .classes = OF(NVIDIA),
	  .index = { 1, NONE, NONE, NONE, NONE, NONE, NONE } },
	{ .name = "infiniband/uverbs0",
	  .driver = "mlx5_core",
	  .parent = "0000:98:00.0",
	  .classes = OF(INFINIBAND),
	  .index = { NONE, NONE, NONE, NONE, NONE, NONE, 0 } },
};

#define NODE(major, minor, device, class)	{ major, minor, RF_PART_DEVICE, device, OF(class), -1, -1, 0 }
#define INSTANCE(major, minor, device, gi, ci)	{ major, minor, RF_PART_DEVICE, device, OF(NVIDIA), gi, ci, 0 }
#define OTHER_NODE(major, minor, part, classes) { major, minor, RF_PART_##part, NONE, classes, -1, -1, 0 }

static struct rf_accelerator_node host_nodes[] = {
	NODE(195, 0, 1, NVIDIA),
	NODE(195, 1, 2, NVIDIA),
	OTHER_NODE(195, 255, SHARED, OF(NVIDIA)), /* nvidiactl */
	OTHER_NODE(195, ANY, UNKNOWN, OF(NVIDIA)),
	NODE(226, 1, 0, DRM), /* card1 */
	NODE(226, 128, 1, DRM),
	NODE(226, 129, 0, DRM),
	OTHER_NODE(226, ANY, UNKNOWN, OF(DRM)),
	NODE(231, 192, 3, INFINIBAND),
	OTHER_NODE(231, ANY, UNKNOWN, OF(INFINIBAND)),
	OTHER_NODE(236, ANY, SHARED, OF(HABANALABS)), /* of which there is none here */
	INSTANCE(240, 10, 2, 1, RF_MIG_NONE),
	INSTANCE(240, 11, 2, 1, 0),
	INSTANCE(240, 12, 2, 1, 1),
	INSTANCE(240, 20, 2, 2, RF_MIG_NONE),
	INSTANCE(240, 21, 2, 2, 0),
	OTHER_NODE(240, ANY, UNKNOWN, OF(NVIDIA)),
	OTHER_NODE(261, ANY, UNKNOWN, OF(ACCEL)),
	OTHER_NODE(509, ANY, SHARED, OF(NVIDIA)), /* nvidia-uvm */
	OTHER_NODE(511, 0, SHARED, OF(AMD)),	  /* kfd */
};

static const struct rf_accelerators host_accelerators = {
	.devices = host_devices,
	.n_devices = ARRAY_SIZE(host_devices),
	.nodes = host_nodes,
	.n_nodes = ARRAY_SIZE(host_nodes),
};

/* Adds the section with room for @n_rules that allow everything, each "a<i>" on line @line + 1 + i. */
static inline struct rf_accelerator_rule *policy_accelerators(struct arena *a, struct rf_policy *p, enum rf_action dflt,
							      uint32_t line, size_t n_rules)
{
	struct rf_accelerator_section *s = &p->accelerators;

	s->present = true;
	s->mark.line = line;
	s->default_action = dflt;
	s->rules = arena_new(a, n_rules * sizeof(*s->rules));
	s->n_rules = n_rules;
	for (size_t i = 0; i < n_rules; i++)
		s->rules[i] = (struct rf_accelerator_rule){ .mark.line = line + 1 + i,
							    .name = arena_format(a, "a%zu", i),
							    .action = RF_ACTION_ALLOW,
							    .class = RF_ACCELERATOR_CLASS_COUNT,
							    .index = RF_ACCELERATOR_ANY,
							    .gpu_instance = RF_MIG_NONE,
							    .compute_instance = RF_MIG_NONE };
	return s->rules;
}

/* One policy "gpu" in enforce mode, its section on line 20; a test may add another. */
struct fixture {
	struct arena arena;
	struct rf_policy *policies[2];
	size_t n;
	struct rf_accelerator_rule *rules;
	struct rf_diags diags;
	struct rf_device_image *image;
};

static inline struct fixture *fixture_new(enum rf_action dflt, size_t n_rules)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*f = (struct fixture){ .diags = RF_DIAGS_INIT };
	f->policies[f->n++] = policy_new(&f->arena, "gpu", RF_MODE_ENFORCE);
	f->rules = policy_accelerators(&f->arena, f->policies[0], dflt, 20, n_rules);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	rf_device_image_free(f->image);
	rf_diags_fini(&f->diags);
	arena_free(&f->arena);
	free(f);
}

static inline int compile_tier(struct fixture *f, enum rf_tier tier, const struct rf_accelerators *known)
{
	const struct rf_device_host host = { .accelerators = known };

	rf_device_image_free(TAKE_PTR(f->image));
	return rf_device_compile((const struct rf_policy *const *)f->policies, f->n, tier, &host, &f->diags, &f->image);
}

static inline void compiled(struct fixture *f)
{
	assert_int_equal(compile_tier(f, RF_TIER_ENFORCE, &host_accelerators), 0);
	assert_non_null(f->image);
}

static inline uint32_t allowed(const struct fixture *f, uint32_t major, uint32_t minor)
{
	uint32_t bits = 0, rule;

	for (int bit = 0; bit < RF_DEVICE_BITS; bit++)
		if (rf_device_evaluate(f->image, CHAR, major, minor, 1u << bit, &rule))
			bits |= 1u << bit;
	return bits;
}

/* Nothing less, and nothing more. */
#define assert_allowed(f, major, minor, bits) assert_int_equal(allowed(f, major, minor), bits)

/* The name of the rule that decided, or "default", and whose policy's it is. */
static inline void assert_decided(const struct fixture *f, uint32_t major, uint32_t minor, uint32_t bit,
				  const char *policy, const char *rule, uint32_t line)
{
	uint32_t at = UINT32_MAX;
	bool allow = rf_device_evaluate(f->image, CHAR, major, minor, bit, &at);

	assert_true(at < f->image->n_rules + 2);
	assert_string_equal(f->image->refs[at].policy, policy);
	assert_string_equal(f->image->refs[at].rule, rule);
	assert_int_equal(f->image->refs[at].line, line);
	assert_int_equal(f->image->refs[at].action, allow ? ALLOW : DENY);
}

#endif
