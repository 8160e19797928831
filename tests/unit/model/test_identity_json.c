// SPDX-License-Identifier: GPL-2.0-or-later
/* Identities as JSON and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/model/identity_json.h"

static char *text_of(const struct rf_identity *id)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_json j;

	rf_json_init(&j, &out);
	rf_identity_json(&j, NULL, id);
	return rf_strbuf_take(&out);
}

static struct rf_identity *parsed(const char *text)
{
	struct rf_identity *id = NULL;

	assert_int_equal(rf_identity_from_json(text, strlen(text), &id), 0);
	return id;
}

static void everything_that_is_known_comes_back(void **state)
{
	struct rf_label labels[] = { { (char *)"app", (char *)"web \"1\"" }, { (char *)"tier", (char *)"" } };
	struct rf_label annotations[] = { { (char *)"a/b", (char *)"c" } };
	const struct rf_identity id = {
		.manager = RF_MANAGER_KUBERNETES,
		.path = (char *)"/kubepods.slice/x",
		.unit = (char *)"unit",
		.slice = (char *)"slice",
		.runtime = (char *)"runtime",
		.container_id = (char *)"id",
		.container_name = (char *)"container",
		.image = (char *)"image",
		.pod_uid = (char *)"uid",
		.pod_name = (char *)"pod",
		.namespace = (char *)"namespace",
		.qos = (char *)"qos",
		.slurm_job = (char *)"job",
		.slurm_step = (char *)"step",
		.slurm_user = (char *)"user",
		.slurm_task = (char *)"task",
		.labels = labels,
		.n_labels = 2,
		.labels_known = true,
		.annotations = annotations,
		.n_annotations = 1,
	};
	_cleanup_free_ char *text = text_of(&id), *again = NULL;
	_cleanup_identity_ struct rf_identity *back = parsed(text);

	(void)state;
	/* Every pointer of an identity but the labels is a string of the table: one that is new is missed here. */
	assert_int_equal(sizeof(struct rf_identity), 21 * sizeof(void *));
	again = text_of(back);
	assert_string_equal(text, again);
	assert_int_equal(back->manager, RF_MANAGER_KUBERNETES);
	assert_string_equal(back->slurm_task, "task");
	assert_string_equal(rf_labels_get(back->labels, back->n_labels, "app"), "web \"1\"");
	assert_string_equal(rf_labels_get(back->annotations, back->n_annotations, "a/b"), "c");
	assert_true(back->labels_known);
}

static void what_is_not_known_stays_unknown(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parsed("{\"path\":\"/a\",\"image\":7,\"new\":1,\"labels\":[1]}");
	_cleanup_free_ char *text = text_of(id);

	(void)state;
	assert_string_equal(text, "{\"manager\":\"other\",\"path\":\"/a\"}");
}

static void without_a_path_it_is_nobody(void **state)
{
	static const char *const wrong[] = {
		"", "{", "[]", "{}", "{\"path\":\"\"}", "{\"path\":\"a\"}", "{\"path\":1}"
	};
	struct rf_identity *id = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(rf_identity_from_json(wrong[i], strlen(wrong[i]), &id), -EBADMSG);
		assert_null(id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_known_comes_back),
		cmocka_unit_test(what_is_not_known_stays_unknown),
		cmocka_unit_test(without_a_path_it_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
