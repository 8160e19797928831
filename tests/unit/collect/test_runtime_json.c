// SPDX-License-Identifier: GPL-2.0-or-later
/* Which cgroup a bundle speaks of, and what the readers take from a text; files are test_runtime.c's business. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "user/collect/runtime_json.h"
#include "user/lib/cleanup.h"
#include "user/lib/util.h"

#define ID_A   "3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0"
#define ID_B   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DOCKER "/system.slice/docker-" ID_A ".scope"

static void check_match(bool want, const char *cgroups_path, const char *path)
{
	struct rf_cgroup_origin origin;

	assert_int_equal(rf_cgroup_path_origin(path, &origin), 0);
	assert_int_equal(rf_runtime_cgroup_matches(cgroups_path, path, &origin), want);
}

static void a_cgroups_path_matches_its_own_cgroup_alone(void **state)
{
	(void)state;
	check_match(true, "system.slice:docker:" ID_A, DOCKER);
	check_match(true, ":docker:" ID_A, DOCKER);
	check_match(true, "system.slice:docker:" ID_A, DOCKER "/child");
	check_match(false, "machine.slice:docker:" ID_A, DOCKER);
	check_match(false, "stem.slice:docker:" ID_A, DOCKER);
	check_match(false, "system.slice:crio:" ID_A, DOCKER);
	check_match(false, "system.slice:docker:" ID_B, DOCKER);
	check_match(false, "system.slice::" ID_A, DOCKER);
	check_match(false, "system.slice:docker:", DOCKER);
	check_match(false, "::", DOCKER);
	check_match(true, "/docker/" ID_A, "/docker/" ID_A);
	check_match(true, "/docker/" ID_A, "/docker/" ID_A "/init.scope");
	check_match(true, "docker/" ID_A, "/x/docker/" ID_A);
	check_match(true, ID_A, "/x/" ID_A);
	check_match(false, "/docker/" ID_A, "/x/docker/" ID_A);
	check_match(false, "ker/" ID_A, "/docker/" ID_A);
	check_match(false, "/docker/" ID_B, "/docker/" ID_A);
	check_match(false, "/", "/docker/" ID_A);
	check_match(false, "", "/docker/" ID_A);
	check_match(false, "/system.slice/a.service", "/system.slice/a.service");
}

static struct rf_identity *docker(void)
{
	struct rf_identity *id = NULL;

	assert_int_equal(rf_cgroup_path_parse(DOCKER, &id), 0);
	return id;
}

static void a_sandbox_is_told_only_when_it_is_another_container(void **state)
{
	static const struct {
		const char *sandbox, *want;
	} cases[] = {
		{ ID_B, ID_B }, { ID_A, NULL }, { "../" ID_B, NULL }, { ID_B "0", NULL }, { "", NULL },
	};
	struct rf_cgroup_origin origin;

	(void)state;
	assert_int_equal(rf_cgroup_path_origin(DOCKER, &origin), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_identity_ struct rf_identity *id = docker();
		_cleanup_free_ char *got = NULL;
		char text[256];

		snprintf(text, sizeof(text), "{\"annotations\":{\"io.kubernetes.cri-o.SandboxID\":\"%s\"}}",
			 cases[i].sandbox);
		assert_int_equal(rf_runtime_oci_merge(id, &origin, text, strlen(text), &got), 0);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
		else
			assert_null(got);
	}
}

static void a_storage_list_gives_the_one_container_asked_for(void **state)
{
	static const char list[] = "[1,{},{\"id\":\"" ID_B "\",\"names\":[\"b\"]},{\"id\":\"" ID_A
				   "\",\"names\":[\"a\",\"z\"],\"metadata\":\"\"}]";
	static const char none[] = "[{\"id\":\"" ID_A "\",\"names\":{}}]";
	static const char inner[] = "[{\"id\":\"" ID_A "\",\"names\":[\"a\"],\"metadata\":\"{\"}]";
	_cleanup_identity_ struct rf_identity *a = docker(), *b = docker(), *c = docker();

	(void)state;
	assert_int_equal(rf_runtime_storage_merge(a, list, strlen(list)), 0);
	assert_string_equal(a->container_name, "a");
	assert_null(a->image);
	assert_int_equal(rf_runtime_storage_merge(b, none, strlen(none)), 0);
	assert_null(b->container_name);
	assert_int_equal(rf_runtime_storage_merge(b, "{}", 2), -EBADMSG);
	assert_int_equal(rf_runtime_storage_merge(c, inner, strlen(inner)), -EBADMSG);
	assert_string_equal(c->container_name, "a");
}

static void dockers_text_may_lack_anything_but_must_be_an_object(void **state)
{
	static const char *const good[] = { "{}", "{\"Config\":null}", "{\"Config\":{\"Labels\":null}}",
					    "{\"Name\":7,\"Config\":[]}", "{\"Name\":\"/\"}" };
	static const char *const bad[] = { "", "[]", "{", "{\"Config\":{\"Labels\":[]}}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_identity_ struct rf_identity *id = docker();

		assert_int_equal(rf_runtime_docker_merge(id, good[i], strlen(good[i])), 0);
		assert_true(!id->container_name && !id->image && !id->n_labels);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_identity_ struct rf_identity *id = docker();

		assert_int_equal(rf_runtime_docker_merge(id, bad[i], strlen(bad[i])), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cgroups_path_matches_its_own_cgroup_alone),
		cmocka_unit_test(a_sandbox_is_told_only_when_it_is_another_container),
		cmocka_unit_test(a_storage_list_gives_the_one_container_asked_for),
		cmocka_unit_test(dockers_text_may_lack_anything_but_must_be_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
