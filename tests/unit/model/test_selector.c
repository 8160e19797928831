// SPDX-License-Identifier: GPL-2.0-or-later
/* Selectors: each field chooses and, changed by a letter, does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/lib/util.h"
#include "user/model/selector.h"

/* Borrowed literals: never freed. */
static struct rf_label pod_labels[] = { { "app", "web" }, { "tier", "front" } };
static struct rf_label oci_annotations[] = { { "org.a", "1" } };

static const struct rf_identity pod = {
	.manager = RF_MANAGER_KUBERNETES,
	.path = "/kubepods.slice/kubepods-pod1.slice/cri-containerd-x.scope",
	.unit = "cri-containerd-x.scope",
	.runtime = "containerd",
	.container_id = "x",
	.container_name = "nginx",
	.image = "registry.example/team/nginx:1.27",
	.pod_uid = "1",
	.pod_name = "web-0",
	.namespace = "prod",
	.labels = pod_labels,
	.n_labels = 2,
	.labels_known = true,
	.annotations = oci_annotations,
	.n_annotations = 1,
};
static const struct rf_identity service = {
	.manager = RF_MANAGER_SYSTEMD,
	.path = "/system.slice/nginx.service",
	.unit = "nginx.service",
};
static const struct rf_identity job = {
	.manager = RF_MANAGER_SLURM,
	.path = "/system.slice/slurmstepd.scope/job_12/step_0",
	.unit = "slurmstepd.scope",
	.slurm_job = "12",
	.slurm_step = "0",
	.slurm_user = "1000",
};

#define selects(identity, ...) rf_selector_match(&(struct rf_selector){ __VA_ARGS__ }, &(identity))

static void an_empty_selector_selects_nothing(void **state)
{
	struct rf_selector empty = { .mark = { 1, 1 } };

	(void)state;
	assert_false(rf_selector_match(&empty, &pod));
	assert_false(rf_selector_match(&empty, &service));
}

static void a_cgroup_is_chosen_by_its_whole_path(void **state)
{
	(void)state;
	assert_true(selects(service, .cgroup = "/system.slice/nginx.service"));
	assert_true(selects(service, .cgroup = "/system.slice/*"));
	assert_true(selects(pod, .cgroup = "/kubepods.slice/**"));
	assert_false(selects(pod, .cgroup = "/kubepods.slice/*"));
	assert_false(selects(service, .cgroup = "system.slice/nginx.service"));
	assert_false(selects(service, .cgroup = "/system.slice"));
}

static void a_unit_is_chosen_by_its_name(void **state)
{
	(void)state;
	assert_true(selects(service, .systemd = "nginx.service"));
	assert_true(selects(service, .systemd = "*.service"));
	assert_false(selects(service, .systemd = "nginx"));
	assert_false(selects(pod, .systemd = "*.service"));
}

static void a_container_is_chosen_by_what_the_runtime_tells(void **state)
{
	struct rf_label equal[] = { { "org.a", "1" } }, other[] = { { "org.a", "2" } };
	struct rf_label there[] = { { "org.a", NULL } }, absent[] = { { "org.b", NULL } };

	(void)state;
	assert_true(selects(pod, .container = true));
	assert_false(selects(service, .container = true));
	assert_true(selects(pod, .container = true, .runtime = "containerd"));
	assert_false(selects(pod, .container = true, .runtime = "container*"));
	assert_true(selects(pod, .container = true, .image = "registry.example/*nginx:*"));
	assert_false(selects(pod, .container = true, .image = "other.example/*"));
	assert_true(selects(pod, .container = true, .container_name = "ngin?"));
	assert_false(selects(pod, .container = true, .container_name = "db"));
	assert_true(selects(pod, .container = true, .annotations = equal, .n_annotations = 1));
	assert_false(selects(pod, .container = true, .annotations = other, .n_annotations = 1));
	assert_true(selects(pod, .container = true, .annotations = there, .n_annotations = 1));
	assert_false(selects(pod, .container = true, .annotations = absent, .n_annotations = 1));
	/* A field is enough, with or without the flag. */
	assert_true(selects(pod, .runtime = "containerd"));
	assert_false(selects(service, .image = "*"));
}

static void a_pod_is_chosen_by_what_kubernetes_tells(void **state)
{
	struct rf_label both[] = { { "app", "web" }, { "tier", "front" } };
	struct rf_label one_wrong[] = { { "app", "web" }, { "tier", "back" } };
	const struct rf_identity slice = { .manager = RF_MANAGER_KUBERNETES, .path = "/kubepods.slice" };

	(void)state;
	assert_true(selects(pod, .kubernetes = true));
	assert_false(selects(service, .kubernetes = true));
	/* What holds all pods is no pod. */
	assert_false(selects(slice, .kubernetes = true));
	assert_true(selects(pod, .kubernetes = true, .k8s_namespace = "pro*"));
	assert_false(selects(pod, .kubernetes = true, .k8s_namespace = "test"));
	assert_true(selects(pod, .kubernetes = true, .k8s_pod = "web-*"));
	assert_false(selects(pod, .kubernetes = true, .k8s_pod = "db-*"));
	assert_true(selects(pod, .kubernetes = true, .k8s_container = "nginx"));
	assert_false(selects(pod, .kubernetes = true, .k8s_container = "sidecar"));
	assert_true(selects(pod, .kubernetes = true, .k8s_labels = both, .n_k8s_labels = 2));
	assert_false(selects(pod, .kubernetes = true, .k8s_labels = one_wrong, .n_k8s_labels = 2));
}

static void a_job_is_chosen_by_what_slurm_tells(void **state)
{
	const struct rf_identity scope = { .manager = RF_MANAGER_SLURM, .path = "/system.slice/slurmstepd.scope" };

	(void)state;
	assert_true(selects(job, .slurm = true));
	assert_false(selects(service, .slurm = true));
	/* What holds all jobs is no job. */
	assert_false(selects(scope, .slurm = true));
	assert_true(selects(job, .slurm = true, .slurm_job = "1*"));
	assert_false(selects(job, .slurm = true, .slurm_job = "2*"));
	assert_true(selects(job, .slurm = true, .slurm_user = "1000"));
	assert_false(selects(job, .slurm = true, .slurm_user = "1001"));
}

static void all_that_is_given_must_match(void **state)
{
	(void)state;
	assert_true(selects(pod, .cgroup = "/kubepods*/**", .systemd = "cri-*", .runtime = "containerd",
			    .k8s_pod = "web-0"));
	assert_false(
		selects(pod, .cgroup = "/other/**", .systemd = "cri-*", .runtime = "containerd", .k8s_pod = "web-0"));
	assert_false(selects(pod, .cgroup = "/kubepods*/**", .slurm = true));
}

static void what_is_not_known_matches_no_pattern(void **state)
{
	const struct rf_identity bare = { .pod_uid = "1", .container_id = "x" };

	(void)state;
	assert_true(selects(bare, .kubernetes = true));
	assert_true(selects(bare, .container = true));
	assert_false(selects(bare, .k8s_namespace = "*"));
	assert_false(selects(bare, .image = "*"));
	assert_false(selects(bare, .systemd = "*"));
	assert_false(selects(bare, .cgroup = "**"));
}

static void a_policy_selects_by_any_of_its_entries(void **state)
{
	struct rf_selector entries[] = { { .systemd = "nginx.service" }, { .slurm = true } };
	struct rf_policy p = { .selectors = entries, .n_selectors = 2 };
	struct rf_policy none = { .n_selectors = 0 };

	(void)state;
	assert_true(rf_policy_selects(&p, &service));
	assert_true(rf_policy_selects(&p, &job));
	assert_false(rf_policy_selects(&p, &pod));
	assert_false(rf_policy_selects(&none, &pod));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_selector_selects_nothing),
		cmocka_unit_test(a_cgroup_is_chosen_by_its_whole_path),
		cmocka_unit_test(a_unit_is_chosen_by_its_name),
		cmocka_unit_test(a_container_is_chosen_by_what_the_runtime_tells),
		cmocka_unit_test(a_pod_is_chosen_by_what_kubernetes_tells),
		cmocka_unit_test(a_job_is_chosen_by_what_slurm_tells),
		cmocka_unit_test(all_that_is_given_must_match),
		cmocka_unit_test(what_is_not_known_matches_no_pattern),
		cmocka_unit_test(a_policy_selects_by_any_of_its_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
