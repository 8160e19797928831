// SPDX-License-Identifier: GPL-2.0-or-later
/* Life of labels, paths as text, and the names of what is done with files. */
#include "user/model/label.h"

#include <errno.h>
#include <strings.h>

#include "user/lib/util.h"

const char *const rf_file_access_names[] = {
#define X(id, name) name,
	RF_FILE_ACCESSES(X)
#undef X
		NULL,
};

int rf_file_access_parse(const char *name)
{
	for (int i = 0; rf_file_access_names[i]; i++)
		if (strcasecmp(rf_file_access_names[i], name) == 0)
			return i;
	return -EINVAL;
}

const char *rf_file_access_text(uint32_t access, char buffer[static RF_FILE_ACCESS_TEXT])
{
	size_t at = 0;

	buffer[0] = '\0';
	for (int i = 0; rf_file_access_names[i]; i++)
		if (access & 1u << i)
			at += snprintf(buffer + at, RF_FILE_ACCESS_TEXT - at, "%s%s", at ? ", " : "",
				       rf_file_access_names[i]);
	return at ? buffer : "nothing";
}

struct rf_file_label *rf_file_label_share(struct rf_file_label *l)
{
	l->shared++;
	return l;
}

void rf_file_label_free(struct rf_file_label *l)
{
	if (!l)
		return;
	if (l->shared) {
		l->shared--;
		return;
	}
	for (size_t i = 0; i < l->n_paths; i++)
		free(l->paths[i].path);
	free(l->paths);
	free(l->file);
	free(l->name);
	free(l->tenant);
	free(l);
}

void rf_zones_free(struct rf_zones *z)
{
	if (!z)
		return;
	for (uint32_t i = 0; i < z->n; i++)
		free(z->list[i].path);
	for (size_t i = 0; i < z->n_names; i++)
		free(z->names[i].path);
	free(z->list);
	free(z->names);
	free(z);
}

char *rf_file_path_normal(const char *path)
{
	char *out, *at;

	if (path[0] != '/')
		return NULL;
	out = at = malloc(strlen(path) + 2);
	if (!out)
		return NULL;
	while (*path) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			free(out);
			return NULL;
		}
		if (len && !(len == 1 && path[0] == '.')) {
			*at++ = '/';
			memcpy(at, path, len);
			at += len;
		}
		path += len;
	}
	if (at == out)
		*at++ = '/';
	*at = '\0';
	return out;
}

bool rf_file_path_is_below(const char *path, const char *tree)
{
	size_t len = strlen(tree);

	if (rf_streq(tree, "/"))
		return true;
	return strncmp(path, tree, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

uint64_t rf_file_label_id(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3ULL;
	/* What SQLite keeps, too. */
	hash &= INT64_MAX;
	return hash ? hash : 1;
}
