// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The readers of runtime files. A file may have been written by a tenant
 * (rootless podman) or carry text that a tenant chose (labels), so nothing here
 * trusts a type, a length or an id.
 */
#include "user/collect/runtime_json.h"

#include <errno.h>

#include "user/lib/json_in.h"
#include "user/lib/util.h"

#define ID_LEN 64

bool rf_runtime_id_valid(const char *id)
{
	return id && strlen(id) == ID_LEN && strspn(id, "0123456789abcdef") == ID_LEN;
}

/* Keeps what is known; an empty string is nothing. */
static int fill(char **slot, const char *value)
{
	if (*slot || !value || !*value)
		return 0;
	*slot = strdup(value);
	return *slot ? 0 : -ENOMEM;
}

struct label_list {
	struct rf_label *items;
	size_t n, capacity;
	bool malformed;
};

static void label_list_fini(struct label_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].key);
		free(l->items[i].value);
	}
	free(l->items);
	*l = (struct label_list){ 0 };
}

static int label_add(const char *key, const struct rf_jin *value, void *arg)
{
	_cleanup_free_ char *k = NULL, *v = NULL;
	const char *text = rf_jin_as_string(value, NULL);
	struct label_list *l = arg;
	struct rf_label *items;

	if (!text) {
		l->malformed = true;
		return 0;
	}
	if (l->n == l->capacity) {
		items = reallocarray(l->items, l->capacity ? l->capacity * 2 : 16, sizeof(*items));
		if (!items)
			return -ENOMEM;
		l->items = items;
		l->capacity = l->capacity ? l->capacity * 2 : 16;
	}
	k = strdup(key);
	v = strdup(text);
	if (!k || !v)
		return -ENOMEM;
	l->items[l->n++] = (struct rf_label){ TAKE_PTR(k), TAKE_PTR(v) };
	return 0;
}

static int label_compare(const void *a, const void *b)
{
	const struct rf_label *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Takes @object's members unless labels are there already. An absent @object is no error, another type is. */
static int labels_fill(struct rf_label **slot, size_t *slot_n, const struct rf_jin *object)
{
	_cleanup_(label_list_fini) struct label_list l = { 0 };
	bool malformed;
	int r;

	if (*slot_n || !object)
		return 0;
	if (!rf_jin_is_object(object))
		return -EBADMSG;
	r = rf_jin_each(object, label_add, &l);
	if (r)
		return r;
	malformed = l.malformed;
	if (l.n) {
		qsort(l.items, l.n, sizeof(*l.items), label_compare);
		*slot_n = l.n;
		*slot = TAKE_PTR(l.items);
		l.n = 0;
	}
	return malformed ? -EBADMSG : 0;
}

/* An object written as text inside a string member, as CRI-O and containers/storage do. NULL: absent. */
static int parse_inner(const struct rf_jin *object, const char *key, struct rf_jin **ret)
{
	const char *text = rf_jin_string(object, key, NULL);

	if (!text || !*text)
		return 0;
	return rf_jin_parse(text, strlen(text), ret, NULL);
}

static int parse_object(const char *text, size_t len, struct rf_jin **ret)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	int r;

	r = rf_jin_parse(text, len, &root, NULL);
	if (r)
		return r;
	if (!rf_jin_is_object(root))
		return -EBADMSG;
	*ret = TAKE_PTR(root);
	return 0;
}

static bool ends_at(const char *path, size_t end, const char *what, size_t len)
{
	return len <= end && !memcmp(path + end - len, what, len);
}

bool rf_runtime_cgroup_matches(const char *cgroups_path, const char *path, const struct rf_cgroup_origin *origin)
{
	size_t begin = origin->container_begin, end = origin->container_end, len, name_len;
	const char *prefix, *name;

	if (!begin || end <= begin || !*cgroups_path)
		return false;

	prefix = strchr(cgroups_path, ':');
	name = prefix ? strchr(prefix + 1, ':') : NULL;
	if (!name) {
		len = strlen(cgroups_path);
		/* Absolute: below the root. A relative one hangs below a parent that the runtime chose. */
		if (*cgroups_path == '/')
			return len == end && !memcmp(path, cgroups_path, len);
		return len < end && path[end - len - 1] == '/' && ends_at(path, end, cgroups_path, len);
	}

	/* "slice:prefix:name" is the scope "prefix-name.scope" in the slice. */
	name_len = strlen(name + 1);
	len = name - prefix - 1;
	if (ends_at(path, end, ".scope", strlen(".scope")))
		end -= strlen(".scope");
	if (!name_len || !ends_at(path, end, name + 1, name_len))
		return false;
	if (len) {
		if (end - begin != len + 1 + name_len || path[begin + len] != '-' ||
		    memcmp(path + begin, prefix + 1, len) != 0)
			return false;
	} else if (end - begin != name_len) {
		return false;
	}
	len = prefix - cgroups_path;
	return !len ||
	       (begin >= len + 2 && path[begin - len - 2] == '/' && ends_at(path, begin - 1, cgroups_path, len));
}

/* Is @told the pod of the path? Not told is no contradiction. */
static bool same_pod(const struct rf_identity *id, const char *told)
{
	return !told || !id->pod_uid || rf_streq(told, id->pod_uid);
}

/* The first of @keys that @annotations hold. */
static const char *first_of(const struct rf_jin *annotations, const char *const *keys)
{
	const char *value = NULL;

	for (; !value && *keys; keys++)
		value = rf_jin_string(annotations, *keys, NULL);
	return value;
}

/*
 * In each list the runtime's own words come first, then the kubelet's; it overwrites what a pod's author wrote under
 * these keys.
 */
static const char *const uid_keys[] = { "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid", NULL };
static const char *const pod_keys[] = { "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name",
					"io.kubernetes.cri-o.KubeName", NULL };
static const char *const namespace_keys[] = { "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace",
					      "io.kubernetes.cri-o.Namespace", NULL };
static const char *const container_keys[] = { "io.kubernetes.cri.container-name", "io.kubernetes.container.name",
					      NULL };
static const char *const image_keys[] = { "io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName",
					  "io.kubernetes.cri-o.Image", NULL };
static const char *const type_keys[] = { "io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType",
					 NULL };

static int merge_pod(struct rf_identity *id, const struct rf_jin *annotations)
{
	const char *type = first_of(annotations, type_keys);
	const char *container = first_of(annotations, container_keys);
	int r;

	r = fill(&id->pod_name, first_of(annotations, pod_keys));
	if (!r)
		r = fill(&id->namespace, first_of(annotations, namespace_keys));
	/* A sandbox is no container of the pod: the kubelet's word for it is "POD". */
	if (!r && !(type && rf_streq(type, "sandbox")) && !(container && rf_streq(container, "POD")))
		r = fill(&id->container_name, container);
	return r;
}

static int merge_crio_labels(struct rf_identity *id, const struct rf_jin *annotations)
{
	_cleanup_jin_ struct rf_jin *labels = NULL;
	int r;

	r = parse_inner(annotations, "io.kubernetes.cri-o.Labels", &labels);
	if (!r && labels && rf_jin_is_object(labels))
		id->labels_known = true;
	return r ? r : labels_fill(&id->labels, &id->n_labels, labels);
}

int rf_runtime_oci_merge(struct rf_identity *id, const struct rf_cgroup_origin *origin, const char *text, size_t len,
			 char **ret_sandbox)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	_cleanup_free_ char *sandbox = NULL;
	const struct rf_jin *annotations;
	const char *cgroups_path, *other;
	int r, bad;

	r = parse_object(text, len, &root);
	if (r)
		return r;
	cgroups_path = rf_jin_string(rf_jin_get(root, "linux"), "cgroupsPath", NULL);
	if (cgroups_path ? !rf_runtime_cgroup_matches(cgroups_path, id->path, origin) : origin->delegated)
		return -ESTALE;
	annotations = rf_jin_get(root, "annotations");
	if (!same_pod(id, first_of(annotations, uid_keys)))
		return -ESTALE;

	bad = labels_fill(&id->annotations, &id->n_annotations, annotations);
	if (bad == -ENOMEM)
		return bad;
	r = fill(&id->image, first_of(annotations, image_keys));
	if (!r && id->manager == RF_MANAGER_KUBERNETES)
		r = merge_pod(id, annotations);
	if (!r && id->manager != RF_MANAGER_KUBERNETES)
		r = fill(&id->container_name, rf_jin_string(annotations, "nerdctl/name", NULL));
	if (r)
		return r;

	other = rf_jin_string(annotations, "io.kubernetes.cri-o.SandboxID", NULL);
	if (rf_runtime_id_valid(other) && id->container_id && !rf_streq(other, id->container_id)) {
		sandbox = strdup(other);
		if (!sandbox)
			return -ENOMEM;
	} else {
		r = merge_crio_labels(id, annotations);
	}
	if (r == -ENOMEM)
		return r;
	*ret_sandbox = TAKE_PTR(sandbox);
	return bad ? bad : r;
}

int rf_runtime_sandbox_merge(struct rf_identity *id, const char *text, size_t len)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *annotations;
	int r;

	r = parse_object(text, len, &root);
	if (r)
		return r;
	annotations = rf_jin_get(root, "annotations");
	if (!same_pod(id, first_of(annotations, uid_keys)))
		return -ESTALE;
	return merge_crio_labels(id, annotations);
}

int rf_runtime_docker_merge(struct rf_identity *id, const char *text, size_t len)
{
	_cleanup_jin_ struct rf_jin *root = NULL;
	const struct rf_jin *config, *labels;
	const char *name, *told;
	int r, bad;

	r = parse_object(text, len, &root);
	if (r)
		return r;
	told = rf_jin_string(root, "ID", NULL);
	if (!id->container_id || (told && !rf_streq(told, id->container_id)))
		return -ESTALE;
	config = rf_jin_get(root, "Config");
	labels = rf_jin_get(config, "Labels");
	if (id->manager == RF_MANAGER_KUBERNETES && !same_pod(id, first_of(labels, uid_keys)))
		return -ESTALE;

	bad = labels_fill(&id->labels, &id->n_labels, labels);
	if (bad == -ENOMEM)
		return bad;
	id->labels_known |= labels && !bad;
	r = fill(&id->image, rf_jin_string(config, "Image", NULL));
	if (!r && id->manager == RF_MANAGER_KUBERNETES) {
		r = merge_pod(id, labels);
	} else if (!r) {
		name = rf_jin_string(root, "Name", NULL);
		r = fill(&id->container_name, name && *name == '/' ? name + 1 : name);
	}
	return r ? r : bad;
}

int rf_runtime_storage_merge(struct rf_identity *id, const char *text, size_t len)
{
	_cleanup_jin_ struct rf_jin *root = NULL, *metadata = NULL;
	const struct rf_jin *entry = NULL;
	const char *told;
	int r, bad;

	if (!id->container_id)
		return 0;
	r = rf_jin_parse(text, len, &root, NULL);
	if (r)
		return r;
	if (!rf_jin_is_array(root))
		return -EBADMSG;
	for (size_t i = 0; i < rf_jin_len(root); i++) {
		entry = rf_jin_at(root, i);
		told = rf_jin_string(entry, "id", NULL);
		if (told && rf_streq(told, id->container_id))
			break;
		entry = NULL;
	}
	if (!entry)
		return 0;

	r = fill(&id->container_name, rf_jin_as_string(rf_jin_at(rf_jin_get(entry, "names"), 0), NULL));
	if (r)
		return r;
	bad = parse_inner(entry, "metadata", &metadata);
	r = fill(&id->image, rf_jin_string(metadata, "image-name", NULL));
	return r ? r : bad;
}
