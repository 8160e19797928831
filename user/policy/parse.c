// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documents into struct rf_policy. What the schema cannot say (one field
 * against another) is checked here, on the way.
 */
#include "user/policy/parse.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>
#include <sys/socket.h>

#include "ringfence/event.h"
#include "ringfence/policy_map.h"
#include "user/lib/clock.h"
#include "user/lib/hashmap.h"
#include "user/policy/check.h"
#include "user/policy/kubernetes.h"
#include "user/policy/parse_accelerators.h"
#include "user/policy/parse_isolation.h"
#include "user/policy/parse_kernel.h"
#include "user/policy/parse_files.h"
#include "user/policy/parse_network.h"
#include "user/policy/parse_process.h"
#include "user/policy/parse_rates.h"
#include "user/policy/parse_sockets.h"

char *rf_node_string(struct rf_checker *c, const struct rf_node *mapping, const char *key)
{
	const struct rf_node *node = rf_node_get(mapping, key);
	char *text;

	if (!node || node->kind != RF_NODE_SCALAR)
		return NULL;
	text = strdup(node->text);
	if (!text)
		c->no_memory = true;
	return text;
}

bool rf_node_is(const struct rf_node *mapping, const char *key, const char *word)
{
	const struct rf_node *node = rf_node_get(mapping, key);

	return node && node->kind == RF_NODE_SCALAR && strcasecmp(node->text, word) == 0;
}

int64_t rf_node_integer(const struct rf_node *mapping, const char *key, int64_t dflt)
{
	const struct rf_node *node = rf_node_get(mapping, key);

	if (node && node->kind == RF_NODE_SCALAR)
		(void)rf_scalar_integer(node->text, &dflt);
	return dflt;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct rf_label *)a)->key, ((const struct rf_label *)b)->key);
}

static int labels_parse(const struct rf_node *node, struct rf_label **ret, size_t *ret_n)
{
	struct rf_label *list;

	if (!node || node->kind != RF_NODE_MAPPING || !node->n)
		return 0;
	list = calloc(node->n, sizeof(*list));
	if (!list)
		return -ENOMEM;
	*ret = list;
	for (size_t i = 0; i < node->n; i++) {
		list[i].key = strdup(node->keys[i]->text);
		*ret_n = i + 1;
		if (node->items[i]->kind == RF_NODE_SCALAR && !rf_node_is_null(node->items[i])) {
			list[i].value = strdup(node->items[i]->text);
			if (!list[i].value)
				return -ENOMEM;
		}
		if (!list[i].key)
			return -ENOMEM;
	}
	qsort(list, node->n, sizeof(*list), compare_labels);
	return 0;
}

static int selector_parse(struct rf_checker *c, const struct rf_node *node, struct rf_selector *s)
{
	const struct rf_node *container = rf_node_get(node, "container"), *k8s = rf_node_get(node, "kubernetes"),
			     *slurm = rf_node_get(node, "slurm");
	int r;

	s->mark = node->mark;
	if (node->kind == RF_NODE_MAPPING && node->n == 0)
		rf_check_error(c, node, "cgroup, systemd, container, kubernetes or slurm", "the entry selects nothing");
	s->cgroup = rf_node_string(c, node, "cgroup");
	if (s->cgroup && s->cgroup[0] != '/' && s->cgroup[0] != '*')
		rf_check_error(c, rf_node_get(node, "cgroup"),
			       "a path below the cgroup v2 root, such as /system.slice/*",
			       "\"%s\" does not start with /", s->cgroup);
	s->systemd = rf_node_string(c, node, "systemd");
	s->container = container != NULL;
	s->runtime = rf_node_string(c, container, "runtime");
	s->image = rf_node_string(c, container, "image");
	s->container_name = rf_node_string(c, container, "name");
	r = labels_parse(rf_node_get(container, "annotations"), &s->annotations, &s->n_annotations);
	s->kubernetes = k8s != NULL;
	s->k8s_namespace = rf_node_string(c, k8s, "namespace");
	s->k8s_pod = rf_node_string(c, k8s, "pod");
	s->k8s_container = rf_node_string(c, k8s, "container");
	if (r >= 0)
		r = labels_parse(rf_node_get(k8s, "labels"), &s->k8s_labels, &s->n_k8s_labels);
	s->slurm = slurm != NULL;
	s->slurm_job = rf_node_string(c, slurm, "job");
	s->slurm_user = rf_node_string(c, slurm, "user");
	return r;
}

static int selectors_parse(struct rf_checker *c, const struct rf_node *list, struct rf_policy *p)
{
	if (!list || list->kind != RF_NODE_SEQUENCE)
		return 0;
	p->selectors = calloc(list->n ? list->n : 1, sizeof(*p->selectors));
	if (!p->selectors)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++) {
		int r;

		p->n_selectors = i + 1;
		r = selector_parse(c, list->items[i], &p->selectors[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

enum rf_action rf_node_action(const struct rf_node *mapping, const char *key, enum rf_action dflt)
{
	if (rf_node_is(mapping, key, "allow"))
		return RF_ACTION_ALLOW;
	if (rf_node_is(mapping, key, "deny"))
		return RF_ACTION_DENY;
	return dflt;
}

static uint32_t device_number(const struct rf_node *node, const char *key)
{
	const struct rf_node *number = rf_node_get(node, key);
	int64_t value = RF_DEVICE_ANY;

	if (number && number->kind == RF_NODE_SCALAR && !rf_streq(number->text, "*"))
		(void)rf_scalar_integer(number->text, &value);
	return value;
}

static uint32_t device_access(struct rf_checker *c, const struct rf_node *node)
{
	const struct rf_node *access = rf_node_get(node, "access");
	uint32_t bits = 0;

	if (!access || access->kind != RF_NODE_SCALAR)
		return RF_DEVICE_MKNOD | RF_DEVICE_READ | RF_DEVICE_WRITE;
	for (const char *s = access->text; *s; s++) {
		uint32_t bit = *s == 'r' ? RF_DEVICE_READ :
			       *s == 'w' ? RF_DEVICE_WRITE :
			       *s == 'm' ? RF_DEVICE_MKNOD :
					   0;

		if (!bit || bits & bit) {
			rf_check_error(c, access, "r (read), w (write) and m (mknod), each at most once",
				       "\"%s\" is no access", access->text);
			break;
		}
		bits |= bit;
	}
	return bits;
}

static int device_parse(struct rf_checker *c, const struct rf_node *node, size_t index, struct rf_device_rule *rule)
{
	bool numbers = rf_node_get(node, "type") || rf_node_get(node, "major") || rf_node_get(node, "minor");

	rule->mark = node->mark;
	rule->name = rf_node_string(c, node, "name");
	if (!rule->name && asprintf(&rule->name, "devices[%zu]", index) < 0)
		rule->name = NULL;
	rule->action = rf_node_action(node, "action", RF_ACTION_ALLOW);
	rule->path = rf_node_string(c, node, "path");
	rule->type = rf_node_is(node, "type", "block") ? 1 : 2;
	rule->major = device_number(node, "major");
	rule->minor = device_number(node, "minor");
	rule->access = device_access(c, node);
	if (rule->path && numbers)
		rf_check_error(c, node, "either path, or type with major and minor", "a path and numbers together");
	else if (!rule->path && (!rf_node_get(node, "type") || !rf_node_get(node, "major")))
		rf_check_error(c, node, "either path, or type with major and minor", "the rule names no device");
	else if (!rule->path && rule->major == RF_DEVICE_ANY && rule->minor != RF_DEVICE_ANY)
		rf_check_error(c, rf_node_get(node, "minor"), "leave minor out, or give a major",
			       "a minor number without a major one");
	return rule->name ? 0 : -ENOMEM;
}

static int devices_parse(struct rf_checker *c, const struct rf_node *node, struct rf_devices *devices)
{
	const struct rf_node *rules = rf_node_get(node, "rules");
	int r = 0;

	if (!node || node->kind != RF_NODE_MAPPING)
		return 0;
	devices->present = true;
	devices->mark = node->mark;
	devices->default_action = rf_node_action(node, "default", RF_ACTION_DENY);
	if (!rules || rules->kind != RF_NODE_SEQUENCE || !rules->n)
		return 0;
	devices->rules = calloc(rules->n, sizeof(*devices->rules));
	if (!devices->rules)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < rules->n; i++) {
		devices->n_rules = i + 1;
		r = device_parse(c, rules->items[i], i, &devices->rules[i]);
	}
	return r;
}

static uint32_t telemetry_parse(const struct rf_node *spec)
{
	static const struct {
		const char *name;
		enum rf_event_kind kind;
	} kinds[] = { { "exec", RF_EVENT_EXEC },
		      { "fork", RF_EVENT_FORK },
		      { "exit", RF_EVENT_EXIT },
		      { "connect", RF_EVENT_CONNECT },
		      { "accept", RF_EVENT_ACCEPT },
		      { "execFirst", RF_EVENT_EXEC_FIRST },
		      { "acceleratorOpen", RF_EVENT_ACCEL_OPEN } };
	const struct rf_node *events = rf_node_get(rf_node_get(spec, "telemetry"), "events");
	uint32_t mask = 0;

	if (!events || events->kind != RF_NODE_SEQUENCE)
		return 1u << RF_EVENT_EXEC;
	for (size_t i = 0; i < events->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			if (events->items[i]->kind == RF_NODE_SCALAR &&
			    strcasecmp(events->items[i]->text, kinds[k].name) == 0)
				mask |= 1u << kinds[k].kind;
	return mask;
}

static void flows_parse(struct rf_checker *c, const struct rf_node *node, struct rf_flow_sampling *ret)
{
	const struct rf_node *idle = rf_node_get(node, "idle");
	uint64_t ns = 0;

	if (!node || node->kind != RF_NODE_MAPPING)
		return;
	/* What is out of its range has been told by the schema. */
	ret->sample = rf_node_integer(node, "sample", 1);
	ret->idle_s = RF_FLOW_IDLE_S;
	if (!idle || idle->kind != RF_NODE_SCALAR || rf_duration_parse(idle->text, UINT64_MAX, &ns) < 0)
		return;
	if (ns < RF_NSEC_PER_SEC || ns > RF_FLOW_IDLE_S_MAX * RF_NSEC_PER_SEC)
		rf_check_error(c, idle, "1s to 1h", "idle: \"%s\" is too %s", idle->text,
			       ns < RF_NSEC_PER_SEC ? "short" : "long");
	else
		ret->idle_s = (ns + RF_NSEC_PER_SEC - 1) / RF_NSEC_PER_SEC;
}

static void geo_parse(const struct rf_node *geo, struct rf_policy *p)
{
	const struct rf_node *age = rf_node_get(geo, "maxAge");

	p->geo_skip = rf_node_is(geo, "ifUnavailable", "skip");
	/* What is no duration has been told by the schema. */
	if (age && age->kind == RF_NODE_SCALAR)
		(void)rf_duration_parse(age->text, UINT64_MAX, &p->geo_max_age_ns);
}

static char *name_or_default(struct rf_checker *c, const struct rf_node *metadata, const char *key)
{
	char *name = rf_node_string(c, metadata, key);

	return name ? name : strdup("default");
}

/*
 * Also runs where the schema found errors, so that one pass shows all of them: nothing here relies on a node's kind,
 * and a check of two fields against one another is made only where both are what they should be.
 */
static int policy_fill(struct rf_checker *c, const struct rf_node *root, struct rf_policy *p)
{
	const struct rf_node *metadata = rf_node_get(root, "metadata"), *spec = rf_node_get(root, "spec"),
			     *network = rf_node_get(spec, "network");
	int r;

	p->name = rf_node_string(c, metadata, "name");
	p->tenant = name_or_default(c, metadata, "tenant");
	p->namespace = name_or_default(c, metadata, "namespace");
	p->workload_name = rf_node_string(c, spec, "workload");
	p->priority = rf_node_integer(spec, "priority", 100);
	p->mode = rf_node_is(spec, "mode", "audit") ? RF_MODE_AUDIT : RF_MODE_ENFORCE;
	p->unsupported_audit = rf_node_is(spec, "ifUnsupported", "audit");
	p->telemetry = telemetry_parse(spec);
	flows_parse(c, rf_node_get(rf_node_get(spec, "telemetry"), "flows"), &p->flows);
	if ((!p->name && !c->errors) || !p->tenant || !p->namespace)
		return -ENOMEM;
	r = selectors_parse(c, rf_node_get(spec, "select"), p);
	if (r >= 0)
		r = rf_direction_parse(c, rf_node_get(network, "egress"), RF_EGRESS, &p->network[RF_EGRESS]);
	if (r >= 0)
		r = rf_direction_parse(c, rf_node_get(network, "ingress"), RF_INGRESS, &p->network[RF_INGRESS]);
	rf_rates_parse(c, rf_node_get(network, "rates"), &p->rates);
	rf_sockets_parse(c, rf_node_get(network, "sockets"), &p->sockets);
	rf_isolation_parse(c, rf_node_get(spec, "isolation"), &p->isolation);
	if (r >= 0)
		r = rf_dns_parse_section(c, rf_node_get(network, "dns"), &p->dns);
	geo_parse(rf_node_get(network, "geo"), p);
	if (r >= 0)
		r = rf_kernel_parse(c, rf_node_get(spec, "kernel"), &p->kernel);
	if (r >= 0)
		r = devices_parse(c, rf_node_get(spec, "devices"), &p->devices);
	if (r >= 0)
		r = rf_accelerators_parse(c, rf_node_get(spec, "accelerators"), &p->accelerators);
	if (r >= 0)
		r = rf_files_parse(c, rf_node_get(spec, "files"), &p->files);
	if (r >= 0)
		r = rf_process_parse(c, rf_node_get(spec, "process"), &p->process);
	return r;
}

/* The table's own children, with a hint that also tells the other kind of document. */
static void check_policy(struct rf_checker *c, const struct rf_node *root)
{
	struct rf_field schema = rf_schema, fields[8] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fields) - 1 && rf_schema.children[i].key; i++) {
		fields[i] = rf_schema.children[i];
		if (rf_streq(fields[i].key, "apiVersion") || rf_streq(fields[i].key, "kind"))
			fields[i].expected = RF_DOCUMENT_KINDS;
	}
	schema.children = fields;
	rf_check_node(c, root, &schema, "");
}

static int document_parse(struct rf_checker *c, const struct rf_node *root, uint32_t document, struct rf_policy **ret)
{
	_cleanup_policy_ struct rf_policy *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->file = strdup(c->file);
	if (!p->file)
		return -ENOMEM;
	p->document = document;
	p->mark = root->mark;
	c->policy = p;
	if (rf_kubernetes_is_policy(root)) {
		rf_check_node(c, root, &rf_schema_kubernetes, "");
		r = rf_kubernetes_policy_fill(c, root, p);
	} else {
		check_policy(c, root);
		r = policy_fill(c, root, p);
	}
	c->policy = NULL;
	if (r >= 0 && c->no_memory)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

static int label_add(struct rf_checker *c, const struct rf_node *root, struct rf_policy_set *set)
{
	_cleanup_(rf_file_label_freep) struct rf_file_label *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->file = strdup(c->file);
	if (!l->file)
		return -ENOMEM;
	rf_check_node(c, root, &rf_schema_label, "");
	r = rf_label_fill(c, root, l);
	if (r >= 0 && c->no_memory)
		r = -ENOMEM;
	if (r >= 0)
		r = rf_policy_set_add_label(set, l);
	if (r >= 0)
		TAKE_PTR(l);
	return r;
}

static int document_add(struct rf_checker *c, const struct rf_node *root, uint32_t document, struct rf_policy_set *set)
{
	_cleanup_policy_ struct rf_policy *p = NULL;
	int r;

	if (rf_label_is_document(root))
		return label_add(c, root, set);
	r = document_parse(c, root, document, &p);
	if (r >= 0)
		r = rf_policy_set_add(set, p);
	if (r >= 0)
		TAKE_PTR(p);
	return r;
}

/* Each item stands for a document, of whichever kind; a list in a list is none. */
static int list_add(struct rf_checker *c, const struct rf_node *list, uint32_t document, struct rf_policy_set *set)
{
	const struct rf_node *items = rf_node_get(list, "items");
	int r = 0;

	rf_check_node(c, list, &rf_schema_kubernetes_list, "");
	if (items && items->kind != RF_NODE_SEQUENCE)
		rf_check_error(c, items, "begin each entry with \"- \"", "items: expected a list");
	for (size_t i = 0; items && items->kind == RF_NODE_SEQUENCE && i < items->n && r >= 0; i++)
		r = document_add(c, items->items[i], document, set);
	return r;
}

static bool mark_before(const struct rf_mark *a, const struct rf_mark *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* The schema and the checks of field against field walk a document one after the other; a reader goes from the top. */
static void diags_sort(struct rf_diags *d, size_t from)
{
	/* Insertion, which is stable: at most RF_MAX_DIAGS, and in two sorted runs a document. */
	for (size_t i = from + 1; i < d->n; i++) {
		struct rf_diag diag = d->list[i];
		size_t at = i;

		for (; at > from && mark_before(&diag.mark, &d->list[at - 1].mark); at--)
			d->list[at] = d->list[at - 1];
		d->list[at] = diag;
	}
}

int rf_policy_parse(const char *file, const char *text, size_t len, struct rf_policy_set *set, struct rf_diags *diags)
{
	_cleanup_(rf_documents_fini) struct rf_documents documents = { 0 };
	struct rf_checker c = { .file = file, .source = text, .source_len = len, .diags = diags };
	size_t before = set->n, labels_before = set->n_labels, told = diags->n;
	int r = rf_yaml_parse(file, text, len, &documents, diags);

	for (size_t i = 0; r >= 0 && i < documents.n; i++)
		r = (rf_kubernetes_is_list(documents.list[i]) ? list_add : document_add)(&c, documents.list[i], i, set);
	diags_sort(diags, told);
	if (r >= 0 && c.errors)
		r = -EINVAL;
	if (r >= 0)
		return 0;
	while (set->n > before)
		rf_policy_free(set->policies[--set->n]);
	while (set->n_labels > labels_before)
		rf_file_label_free(set->labels[--set->n_labels]);
	return r;
}

int rf_policy_set_finish(struct rf_policy_set *set, struct rf_diags *diags)
{
	int labels, r = 0;

	if (set->n > RF_POLICIES_MAX) {
		rf_diags_add(diags, RF_SEVERITY_ERROR, "", (struct rf_mark){ 0, 0 }, 0, NULL, 0, NULL,
			     "%zu policies, at most %d are allowed", set->n, RF_POLICIES_MAX);
		return -EINVAL;
	}
	if (set->n)
		qsort(set->policies, set->n, sizeof(*set->policies), rf_policy_compare);
	/* Two of one name may differ in priority and then are no neighbours. */
	_cleanup_hashmap_ struct rf_hashmap *names = NULL;

	if (rf_hashmap_new(NULL, &names) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < set->n; i++) {
		const struct rf_policy *p = set->policies[i], *other;
		_cleanup_strbuf_ struct rf_strbuf name = RF_STRBUF_INIT;
		char hint[RF_NAME_MAX];

		rf_strbuf_addf(&name, "%s/%s/%s", p->tenant, p->namespace, p->name);
		if (rf_strbuf_error(&name) < 0)
			return -ENOMEM;
		other = rf_hashmap_gets(names, rf_strbuf_str(&name));
		if (!other) {
			if (rf_hashmap_put(names, rf_strbuf_str(&name), name.len, set->policies[i]) < 0)
				return -ENOMEM;
			continue;
		}
		snprintf(hint, sizeof(hint), "the other one is in %.200s:%u", other->file, other->mark.line);
		rf_diags_add(diags, RF_SEVERITY_ERROR, p->file, p->mark, 0, NULL, 0, hint, "policy %s is there twice",
			     rf_strbuf_str(&name));
		r = -EINVAL;
	}
	labels = rf_labels_check(set, diags);
	return r < 0 ? r : labels;
}
