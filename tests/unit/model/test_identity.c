// SPDX-License-Identifier: GPL-2.0-or-later
/* Identities: the name shown when a policy gives none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/identity.h"

#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_name(const struct rf_identity *id, const char *want)
{
	_cleanup_free_ char *name = rf_identity_default_name(id);

	assert_string_equal(name, want);
}

/* The fields are borrowed literals: these identities are never freed. */
#define expect(want, ...) expect_name(&(struct rf_identity){ __VA_ARGS__ }, want)

static void a_pods_container_is_named_by_both(void **state)
{
	(void)state;
	expect("web-0/nginx", .pod_name = "web-0", .container_name = "nginx", .unit = "cri-x.scope");
	expect("web-0/0123456789ab", .pod_name = "web-0", .container_id = CONTAINER);
	expect("web-0", .pod_name = "web-0");
	expect("1-2-3/0123456789ab", .pod_uid = "1-2-3", .container_id = CONTAINER);
}

static void a_slurm_job_goes_before_the_unit_that_all_jobs_share(void **state)
{
	(void)state;
	expect("slurm-12.0", .slurm_job = "12", .slurm_step = "0", .unit = "slurmstepd.scope");
	expect("slurm-12.batch", .slurm_job = "12", .slurm_step = "batch");
	expect("slurm-12", .slurm_job = "12");
}

static void a_container_is_named_by_its_own_name(void **state)
{
	(void)state;
	expect("db", .container_name = "db", .unit = "docker-" CONTAINER ".scope");
}

static void a_unit_loses_its_suffix(void **state)
{
	(void)state;
	expect("nginx", .unit = "nginx.service", .path = "/system.slice/nginx.service");
	expect("session-1", .unit = "session-1.scope");
	expect("getty@tty1", .unit = "getty@tty1.service");
	expect("a.socket", .unit = "a.socket");
	expect("a.service.b", .unit = "a.service.b");
	expect(".service", .unit = ".service");
}

static void a_path_gives_its_last_component(void **state)
{
	(void)state;
	expect("c", .path = "/a/b/c");
	expect("c", .path = "/c");
	expect("c", .path = "/a/c/");
	expect("root", .path = "/");
	expect("root", .path = NULL);
}

static void labels_are_found_by_their_key(void **state)
{
	struct rf_label labels[] = { { "app", "web" }, { "empty", "" }, { "tier", "front" } };

	(void)state;
	assert_string_equal(rf_labels_get(labels, 3, "app"), "web");
	assert_string_equal(rf_labels_get(labels, 3, "tier"), "front");
	assert_string_equal(rf_labels_get(labels, 3, "empty"), "");
	assert_null(rf_labels_get(labels, 3, "ap"));
	assert_null(rf_labels_get(labels, 2, "tier"));
	assert_null(rf_labels_get(NULL, 0, "app"));
}

static void everything_owned_is_freed(void **state)
{
	struct rf_identity *id = calloc(1, sizeof(*id));

	(void)state;
	/* The address sanitizer tells what was forgotten. */
	id->path = strdup("x");
	id->unit = strdup("x");
	id->slice = strdup("x");
	id->runtime = strdup("x");
	id->container_id = strdup("x");
	id->container_name = strdup("x");
	id->image = strdup("x");
	id->pod_uid = strdup("x");
	id->pod_name = strdup("x");
	id->namespace = strdup("x");
	id->qos = strdup("x");
	id->slurm_job = strdup("x");
	id->slurm_step = strdup("x");
	id->slurm_user = strdup("x");
	id->slurm_task = strdup("x");
	id->labels = calloc(1, sizeof(*id->labels));
	id->labels[0] = (struct rf_label){ strdup("k"), strdup("v") };
	id->n_labels = 1;
	id->annotations = calloc(1, sizeof(*id->annotations));
	id->annotations[0] = (struct rf_label){ strdup("k"), strdup("v") };
	id->n_annotations = 1;
	rf_identity_free(id);
	rf_identity_free(NULL);
}

static void every_manager_has_a_name(void **state)
{
	(void)state;
	for (enum rf_manager m = 0; m < RF_MANAGERS; m++)
		assert_true(*rf_manager_name(m));
	assert_string_equal(rf_manager_name(RF_MANAGER_KUBERNETES), "kubernetes");
	assert_string_equal(rf_manager_name(RF_MANAGERS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pods_container_is_named_by_both),
		cmocka_unit_test(a_slurm_job_goes_before_the_unit_that_all_jobs_share),
		cmocka_unit_test(a_container_is_named_by_its_own_name),
		cmocka_unit_test(a_unit_loses_its_suffix),
		cmocka_unit_test(a_path_gives_its_last_component),
		cmocka_unit_test(labels_are_found_by_their_key),
		cmocka_unit_test(everything_owned_is_freed),
		cmocka_unit_test(every_manager_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
