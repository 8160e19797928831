// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringfence policy check: the daemon's own parser and checker, without a
 * daemon, so that a policy can be judged where it is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ringfence/limits.h"
#include "user/cli/cli.h"
#include "user/lib/fs.h"
#include "user/policy/parse.h"

struct check {
	const struct rf_cli *cli;
	struct rf_policy_set *set;
	struct rf_diags diags;
	size_t files;
	bool unreadable; /* said on stderr */
};

static bool is_policy_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return *name != '.' && dot && (rf_streq(dot, ".yaml") || rf_streq(dot, ".yml"));
}

static void complain(struct check *c, const char *path, int r)
{
	rf_cli_error(c->cli, "cannot read %s: %s", path, strerror(-r));
	c->unreadable = true;
}

/* 0, or -ENOMEM; what is wrong with the file is in @c. */
static int check_file(struct check *c, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = rf_fs_read(AT_FDCWD, path, RF_POLICY_FILE_MAX, &text, &len);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		complain(c, path, r);
		return 0;
	}
	c->files++;
	r = rf_policy_parse(path, text, len, c->set, &c->diags);
	return r == -ENOMEM ? r : 0;
}

static int check_directory(struct check *c, const char *path)
{
	size_t n = 0, length = strlen(path);
	char **names;
	int r = rf_fs_list(AT_FDCWD, path, RF_POLICY_FILES_MAX, &names, &n);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		complain(c, path, r);
		return 0;
	}
	while (length > 1 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < n && r >= 0; i++) {
		_cleanup_free_ char *file = NULL;

		if (!is_policy_file(names[i]))
			continue;
		if (asprintf(&file, "%.*s/%s", (int)length, path, names[i]) < 0) {
			file = NULL;
			r = -ENOMEM;
			break;
		}
		r = check_file(c, file);
	}
	rf_fs_names_free(names, n);
	return r;
}

static int check_paths(struct check *c, char **paths, int n)
{
	for (int i = 0; i < n; i++) {
		struct stat st;
		int r;

		if (stat(paths[i], &st) < 0) {
			complain(c, paths[i], -errno);
			continue;
		}
		r = S_ISDIR(st.st_mode) ? check_directory(c, paths[i]) : check_file(c, paths[i]);
		if (r < 0)
			return r;
	}
	return rf_policy_set_finish(c->set, &c->diags) == -ENOMEM ? -ENOMEM : 0;
}

static int report_json(const struct check *c)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	struct rf_json j;

	rf_json_init(&j, &out);
	rf_json_object(&j, NULL);
	rf_json_bool(&j, "ok", !c->diags.n_errors && !c->unreadable);
	rf_json_u64(&j, "files", c->files);
	rf_json_u64(&j, "policies", c->set->n);
	rf_json_u64(&j, "errors", c->diags.n_errors);
	rf_json_u64(&j, "warnings", c->diags.n_warnings);
	rf_diags_json(&c->diags, &j, "diagnostics");
	rf_json_object_end(&j);
	if (rf_strbuf_error(&out))
		return rf_cli_print(c->cli, &out);
	return rf_cli_print_json(c->cli, out.data, out.len);
}

/* Diagnostics go to stderr as a compiler's do; the one line of success to stdout. */
static int report_text(const struct check *c)
{
	_cleanup_strbuf_ struct rf_strbuf diags = RF_STRBUF_INIT, out = RF_STRBUF_INIT;

	if (c->diags.n_errors || c->diags.n_warnings) {
		rf_diags_print(&c->diags, &diags, c->cli->color_error);
		if (rf_strbuf_error(&diags))
			return rf_cli_print(c->cli, &diags);
		fputs(rf_strbuf_str(&diags), stderr);
	}
	if (!c->diags.n_errors && !c->unreadable)
		rf_strbuf_addf(&out, "%zu %s in %zu %s: no errors\n", c->set->n, c->set->n == 1 ? "policy" : "policies",
			       c->files, c->files == 1 ? "file" : "files");
	return rf_cli_print(c->cli, &out);
}

int rf_command_policy_check(struct rf_cli *cli, int argc, char **argv)
{
	_cleanup_policy_set_ struct rf_policy_set *set = NULL;
	struct check c = { .cli = cli, .diags = RF_DIAGS_INIT };
	bool json = false;
	const struct rf_option options[] = {
		{ "json", 0, NULL, "print one JSON object with every diagnostic", RF_OPTION_FLAG, &json, 0, 0 },
	};
	int n, status;

	if (!rf_cli_options(cli, options, ARRAY_SIZE(options), argc, argv, 1, -1, &n, &status))
		return status;
	c.set = set = calloc(1, sizeof(*set));
	if (!set || check_paths(&c, argv, n) < 0) {
		rf_cli_error(cli, "out of memory");
		status = RF_EXIT_FAILURE;
	} else {
		status = json ? report_json(&c) : report_text(&c);
		if (c.diags.n_errors || c.unreadable)
			status = RF_EXIT_FAILURE;
	}
	rf_diags_fini(&c.diags);
	return status;
}
