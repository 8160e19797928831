// SPDX-License-Identifier: GPL-2.0-or-later
/* Identities as JSON: one table of the strings, for both ways. */
#include "user/model/identity_json.h"

#include <errno.h>

#include "user/lib/json_in.h"

static const struct {
	const char *key;
	size_t offset; /* of a char * in struct rf_identity */
} texts[] = {
	{ "path", offsetof(struct rf_identity, path) },
	{ "unit", offsetof(struct rf_identity, unit) },
	{ "slice", offsetof(struct rf_identity, slice) },
	{ "runtime", offsetof(struct rf_identity, runtime) },
	{ "container_id", offsetof(struct rf_identity, container_id) },
	{ "container_name", offsetof(struct rf_identity, container_name) },
	{ "image", offsetof(struct rf_identity, image) },
	{ "pod_uid", offsetof(struct rf_identity, pod_uid) },
	{ "pod_name", offsetof(struct rf_identity, pod_name) },
	{ "namespace", offsetof(struct rf_identity, namespace) },
	{ "qos", offsetof(struct rf_identity, qos) },
	{ "slurm_job", offsetof(struct rf_identity, slurm_job) },
	{ "slurm_step", offsetof(struct rf_identity, slurm_step) },
	{ "slurm_user", offsetof(struct rf_identity, slurm_user) },
	{ "slurm_task", offsetof(struct rf_identity, slurm_task) },
};

static char **text_of(const struct rf_identity *id, size_t i)
{
	return (char **)((char *)id + texts[i].offset);
}

static void labels_put(struct rf_json *j, const char *key, const struct rf_label *labels, size_t n)
{
	if (!n)
		return;
	rf_json_object(j, key);
	for (size_t i = 0; i < n; i++)
		rf_json_string(j, labels[i].key, labels[i].value);
	rf_json_object_end(j);
}

void rf_identity_json(struct rf_json *j, const char *key, const struct rf_identity *id)
{
	rf_json_object(j, key);
	rf_json_string(j, "manager", rf_manager_name(id->manager));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (*text_of(id, i))
			rf_json_string(j, texts[i].key, *text_of(id, i));
	if (id->labels_known)
		rf_json_bool(j, "labels_known", true);
	labels_put(j, "labels", id->labels, id->n_labels);
	labels_put(j, "annotations", id->annotations, id->n_annotations);
	rf_json_object_end(j);
}

struct labels {
	struct rf_label **list;
	size_t *n;
};

static int label_take(const char *key, const struct rf_jin *value, void *arg)
{
	struct labels *labels = arg;
	const char *text = rf_jin_as_string(value, NULL);
	struct rf_label *grown, *label;

	if (!text)
		return 0;
	grown = reallocarray(*labels->list, *labels->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*labels->list = grown;
	label = &grown[(*labels->n)++];
	label->key = strdup(key);
	label->value = strdup(text);
	return label->key && label->value ? 0 : -ENOMEM;
}

static int labels_take(const struct rf_jin *root, const char *key, struct rf_label **list, size_t *n)
{
	struct labels labels = { list, n };
	const struct rf_jin *object = rf_jin_get(root, key);

	return rf_jin_is_object(object) ? rf_jin_each(object, label_take, &labels) : 0;
}

int rf_identity_from_json(const char *text, size_t len, struct rf_identity **ret)
{
	_cleanup_identity_ struct rf_identity *id = calloc(1, sizeof(*id));
	_cleanup_jin_ struct rf_jin *root = NULL;
	const char *manager;
	int r;

	if (!id)
		return -ENOMEM;
	r = rf_jin_parse(text, len, &root, NULL);
	if (r < 0)
		return r;
	manager = rf_jin_string(root, "manager", "");
	for (unsigned int m = 0; m < RF_MANAGERS; m++)
		if (rf_streq(rf_manager_name(m), manager))
			id->manager = m;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *value = rf_jin_string(root, texts[i].key, NULL);

		if (!value)
			continue;
		*text_of(id, i) = strdup(value);
		if (!*text_of(id, i))
			return -ENOMEM;
	}
	if (!id->path || *id->path != '/')
		return -EBADMSG;
	id->labels_known = rf_jin_bool(root, "labels_known", false);
	r = labels_take(root, "labels", &id->labels, &id->n_labels);
	if (r >= 0)
		r = labels_take(root, "annotations", &id->annotations, &id->n_annotations);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(id);
	return 0;
}
