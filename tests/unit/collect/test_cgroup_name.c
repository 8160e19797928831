// SPDX-License-Identifier: GPL-2.0-or-later
/* One name at a time: what is nearly right is not right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/collect/cgroup_name.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define ID     "3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0"
#define POD_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct rf_span span(const char *s)
{
	return (struct rf_span){ s, strlen(s) };
}

static const struct rf_cgroup_runtime *container(const char *name, const char *above)
{
	struct rf_span id = { NULL, 0 };
	const struct rf_cgroup_runtime *p = rf_cgroup_name_container(span(name), span(above), &id);

	assert_true(!p == !id.s);
	if (p)
		assert_true(rf_span_eq(id, ID));
	return p;
}

static void a_container_has_64_lower_case_hex_digits(void **state)
{
	static const char *const not[] = { "docker-" ID "0.scope",
					   "docker-.scope",
					   "docker-" ID ".slice",
					   "docker" ID,
					   "x-docker-" ID,
					   "foo-" ID ".scope",
					   "DOCKER-" ID,
					   ".scope",
					   "docker-3F4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0",
					   "docker-3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a" };

	(void)state;
	assert_string_equal(container("docker-" ID ".scope", "")->runtime, "docker");
	assert_string_equal(container("docker-" ID, "")->runtime, "docker");
	assert_string_equal(container(ID, "docker")->runtime, "docker");
	assert_null(container(ID, "")->runtime);
	for (size_t i = 0; i < ARRAY_SIZE(not); i++)
		assert_null(container(not[i], "docker"));
}

static void a_monitor_is_told_from_its_container(void **state)
{
	(void)state;
	assert_true(container("crio-conmon-" ID ".scope", "")->monitor);
	assert_false(container("crio-" ID ".scope", "")->monitor);
	assert_true(container("libpod-conmon-" ID ".scope", "")->monitor);
	assert_false(container("libpod-" ID ".scope", "")->monitor);
	assert_false(container("libpod-payload-" ID, "")->monitor);
}

static bool kube(const char *name)
{
	struct rf_kube_slice k;

	return rf_cgroup_name_kube(span(name), &k);
}

static void a_kubelets_slice_has_its_parts_in_order(void **state)
{
	struct rf_kube_slice k;

	(void)state;
	assert_true(kube("kubepods") && kube("kubepods.slice") && kube("a-b-kubepods-besteffort.slice"));
	assert_true(rf_cgroup_name_kube(span("kubepods-burstable-podab_cd.slice"), &k));
	assert_string_equal(k.qos, "burstable");
	assert_true(rf_span_eq(k.pod_uid, "ab_cd"));
	assert_true(rf_cgroup_name_kube(span("kubepods-pod1.slice"), &k));
	assert_string_equal(k.qos, "guaranteed");
	assert_true(rf_cgroup_name_kube(span("kubepods.slice"), &k));
	assert_null(k.qos);

	assert_false(kube("kubepods.scope") || kube("kubepodsx.slice") || kube("xkubepods.slice"));
	assert_false(kube("kubepods-pod1-burstable.slice") || kube("kubepods-burstable-burstable.slice"));
	assert_false(kube("kubepods-pod.slice") || kube("kubepods-guaranteed.slice") || kube(".slice") || kube(""));
	assert_false(kube("kubepods-burstable-pod1-x.slice") || kube("kubepods-.slice"));
}

static void a_pod_uid_has_at_most_64_bytes(void **state)
{
	(void)state;
	assert_true(rf_cgroup_name_is_pod_uid(span(POD_64)));
	assert_false(rf_cgroup_name_is_pod_uid(span(POD_64 "0")));
	assert_false(rf_cgroup_name_is_pod_uid(span("")) || rf_cgroup_name_is_pod_uid(span("a.b")));
}

static void a_unit_is_shown_as_systemctl_does(void **state)
{
	(void)state;
	assert_true(rf_cgroup_name_is_unit(span("a.service")) && rf_cgroup_name_is_unit(span("a.mount")));
	assert_false(rf_cgroup_name_is_unit(span("a.slice")) || rf_cgroup_name_is_unit(span(".service")) ||
		     rf_cgroup_name_is_unit(span("a")));
	assert_true(rf_span_eq(rf_cgroup_name_unit(span("_cpu.service")), "cpu.service"));
	assert_true(rf_span_eq(rf_cgroup_name_unit(span("__x.service")), "_x.service"));
	assert_true(rf_span_eq(rf_cgroup_name_unit(span("a\\x2db.service")), "a\\x2db.service"));
}

static void check_unescape(const char *from, const char *want)
{
	_cleanup_free_ char *got = rf_systemd_unescape(from, strlen(from));

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void escapes_of_systemd_are_undone_and_others_kept(void **state)
{
	(void)state;
	check_unescape("", "");
	check_unescape("a\\x2db", "a-b");
	check_unescape("\\x5cx2d", "\\x2d");
	check_unescape("a\\x2", "a\\x2");
	check_unescape("a\\x2g", "a\\x2g");
	check_unescape("a\\x00b\\x1f", "a\\x00b\\x1f");
	check_unescape("a\\x2fb\\x20", "a\\x2fb ");
	check_unescape("a\\n", "a\\n");
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_has_64_lower_case_hex_digits),
		cmocka_unit_test(a_monitor_is_told_from_its_container),
		cmocka_unit_test(a_kubelets_slice_has_its_parts_in_order),
		cmocka_unit_test(a_pod_uid_has_at_most_64_bytes),
		cmocka_unit_test(a_unit_is_shown_as_systemctl_does),
		cmocka_unit_test(escapes_of_systemd_are_undone_and_others_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
