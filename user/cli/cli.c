// SPDX-License-Identifier: GPL-2.0-or-later
/* What every subcommand shares. */
#include "user/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "user/cli/client.h"

#define OPTIONS_MAX 16

static void error_va(const struct rf_cli *cli, const char *fmt, va_list ap) RF_PRINTF(2, 0);

static void error_va(const struct rf_cli *cli, const char *fmt, va_list ap)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT, line = RF_STRBUF_INIT;

	rf_strbuf_vaddf(&text, fmt, ap);
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	rf_render_color(&line, RF_COLOR_RED, cli->color_error);
	rf_strbuf_adds(&line, "ringfence: ");
	rf_render_color(&line, RF_COLOR_NONE, cli->color_error);
	rf_render_escape(&line, rf_strbuf_str(&text), false);
	rf_strbuf_adds(&line, "\n");
	if (rf_strbuf_error(&text) || rf_strbuf_error(&line))
		fputs("ringfence: out of memory\n", stderr);
	else if (cli->held)
		rf_strbuf_adds(cli->held, rf_strbuf_str(&line));
	else
		fputs(rf_strbuf_str(&line), stderr);
}

void rf_cli_error(const struct rf_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_va(cli, fmt, ap);
	va_end(ap);
}

int rf_cli_usage(const struct rf_cli *cli, const char *fmt, ...)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	const char *name = cli->command ? cli->command->name : "";
	va_list ap;

	va_start(ap, fmt);
	rf_strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	rf_cli_error(cli, "%s%s%s (try \"ringfence %s%s--help\")", name, *name ? ": " : "", rf_strbuf_str(&text), name,
		     *name ? " " : "");
	return RF_EXIT_USAGE;
}

int rf_cli_print(const struct rf_cli *cli, const struct rf_strbuf *text)
{
	if (rf_strbuf_error(text)) {
		rf_cli_error(cli, "out of memory");
		return RF_EXIT_FAILURE;
	}
	fputs(rf_strbuf_str(text), stdout);
	return RF_EXIT_OK;
}

int rf_cli_print_json(const struct rf_cli *cli, const char *text, size_t len)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;

	rf_render_escape_json(&out, text, len);
	rf_strbuf_addc(&out, '\n');
	return rf_cli_print(cli, &out);
}

static const char *last_word(const char *name)
{
	const char *space = strrchr(name, ' ');

	return space ? space + 1 : name;
}

int rf_cli_dispatch(struct rf_cli *cli, const struct rf_command *commands, size_t n, const char *group, int argc,
		    char **argv)
{
	const char *names[32], *near;

	for (size_t i = 0; i < n; i++) {
		if (!rf_streq(argv[0], last_word(commands[i].name)))
			continue;
		cli->command = &commands[i];
		return commands[i].run(cli, argc - 1, argv + 1);
	}
	for (size_t i = 0; i < n; i++)
		names[i] = last_word(commands[i].name);
	near = rf_word_nearest(argv[0], names, n);
	if (near)
		rf_cli_error(cli, "unknown command \"%s%s\"; did you mean \"%s%s\"? (try \"ringfence help\")", group,
			     argv[0], group, near);
	else
		rf_cli_error(cli, "unknown command \"%s%s\" (try \"ringfence help\")", group, argv[0]);
	return RF_EXIT_USAGE;
}

static int command_help(const struct rf_cli *cli, const struct rf_option *options, size_t n)
{
	_cleanup_strbuf_ struct rf_strbuf out = RF_STRBUF_INIT;
	const struct rf_command *c = cli->command;

	rf_strbuf_addf(&out, "usage: ringfence %s [OPTION]...%s%s\n\n%c%s.\n", c->name, c->operands ? " " : "",
		       c->operands ? c->operands : "", toupper((unsigned char)*c->summary), c->summary + 1);
	if (c->help)
		rf_strbuf_addf(&out, "\n%s\n", c->help);
	rf_strbuf_adds(&out, "\n");
	rf_options_help(options, n, &out);
	return rf_cli_print(cli, &out);
}

bool rf_cli_options(struct rf_cli *cli, const struct rf_option *options, size_t n, int argc, char **argv, int min,
		    int max, int *ret_n, int *ret_exit)
{
	_cleanup_strbuf_ struct rf_strbuf error = RF_STRBUF_INIT;
	struct rf_option all[OPTIONS_MAX];
	int operands = 0, r;

	if (n)
		memcpy(all, options, n * sizeof(*options));
	all[n] = (struct rf_option){ "socket",	   0, "PATH", "the daemon's control socket", RF_OPTION_STRING,
				     &cli->socket, 0, 0 };
	r = rf_options_parse(all, n + 1, argc, argv, &operands, &error);
	if (r > 0) {
		*ret_exit = command_help(cli, all, n + 1);
		return false;
	}
	if (r < 0) {
		*ret_exit = rf_cli_usage(cli, "%s", rf_strbuf_str(&error));
		return false;
	}
	if (operands < min) {
		*ret_exit = rf_cli_usage(cli, "%s is missing", cli->command->operands);
		return false;
	}
	if (max >= 0 && operands > max) {
		*ret_exit = rf_cli_usage(cli, "unexpected argument \"%s\"", argv[max]);
		return false;
	}
	*ret_n = operands;
	return true;
}

void rf_cli_request(struct rf_json *j, struct rf_strbuf *out, const char *command)
{
	rf_json_init(j, out);
	rf_json_object(j, NULL);
	rf_json_u64(j, "v", RF_CONTROL_ABI);
	rf_json_string(j, "cmd", command);
}

/* The daemon has another working directory. Symbolic links stay: a diagnostic names the file as the admin knows it. */
static int absolute_path(const char *path, struct rf_strbuf *out)
{
	_cleanup_free_ char *cwd = NULL;

	if (*path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return -errno;
		while (rf_strprefix(path, "./"))
			path += 2;
		rf_strbuf_addf(out, "%s/", rf_streq(cwd, "/") ? "" : cwd);
	}
	rf_strbuf_adds(out, path);
	return rf_strbuf_error(out);
}

int rf_cli_add_path(const struct rf_cli *cli, struct rf_json *j, const char *key, const char *path)
{
	_cleanup_strbuf_ struct rf_strbuf absolute = RF_STRBUF_INIT;
	int r;

	if (access(path, F_OK) < 0) {
		r = -errno;
		rf_cli_error(cli, "cannot read %s: %s", path, strerror(-r));
		return r;
	}
	r = absolute_path(path, &absolute);
	if (r < 0) {
		rf_cli_error(cli, "cannot make %s an absolute path: %s", path, strerror(-r));
		return r;
	}
	rf_json_string(j, key, rf_strbuf_str(&absolute));
	return 0;
}

void rf_reply_fini(struct rf_reply *r)
{
	rf_strbuf_fini(&r->line);
	rf_jin_freep(&r->root);
}

static int connect_error(const struct rf_cli *cli, const char *path, int r)
{
	const char *other = cli->socket || getenv(RF_CONTROL_SOCKET_ENV) ? "" : ", or name its socket with --socket";

	if (r == -ENOENT || r == -ECONNREFUSED)
		rf_cli_error(cli,
			     "ringfenced is not running: nothing listens on %s (start it with \"systemctl start "
			     "ringfenced\"%s)",
			     path, other);
	else if (r == -EACCES || r == -EPERM)
		rf_cli_error(cli, "you may not use %s: run this as root", path);
	else if (r == -ENAMETOOLONG)
		rf_cli_error(cli, "%s is too long for the path of a socket", path);
	else
		rf_cli_error(cli, "cannot reach ringfenced on %s: %s", path, strerror(-r));
	return r;
}

static int talk_error(const struct rf_cli *cli, int r)
{
	if (r == -ETIMEDOUT)
		rf_cli_error(cli, "ringfenced does not answer (look at \"journalctl -u ringfenced\")");
	else if (r == 0 || r == -EPROTO || r == -ECONNRESET || r == -EPIPE)
		rf_cli_error(cli, "ringfenced hung up before it had answered (look at \"journalctl -u ringfenced\")");
	else if (r == -EBADMSG)
		rf_cli_error(cli, "ringfenced sent what is no JSON; are both of the same release?");
	else
		rf_cli_error(cli, "talking to ringfenced: %s", strerror(-r));
	return r ? r : -EPROTO;
}

/* Diagnostics of a policy: of a refusal the reason, of a success its warnings. */
static void print_diags(const char *diags)
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;

	if (!diags || !*diags)
		return;
	rf_render_escape(&text, diags, true);
	fputs(rf_strbuf_str(&text), stderr);
	if (diags[strlen(diags) - 1] != '\n')
		fputc('\n', stderr);
}

/* The last line: what the daemon refused is printed as it said it. */
static int finish(struct rf_cli *cli, const char *line, size_t len, struct rf_jin **root, struct rf_reply *ret)
{
	int64_t number = rf_jin_i64(*root, "errno", 0);

	print_diags(rf_jin_string(*root, "diags", NULL));
	if (!rf_jin_bool(*root, "ok", false)) {
		rf_cli_error(cli, "%s", rf_jin_string(*root, "error", "ringfenced gave no reason"));
		return number > 0 && number < 4096 ? -(int)number : -EIO;
	}
	rf_strbuf_add(&ret->line, line, len);
	if (rf_strbuf_error(&ret->line)) {
		rf_cli_error(cli, "out of memory");
		return -ENOMEM;
	}
	ret->root = TAKE_PTR(*root);
	return 0;
}

int rf_cli_call(struct rf_cli *cli, struct rf_json *j, const struct rf_strbuf *request, rf_cli_line_fn each, void *arg,
		int timeout_ms, struct rf_reply *ret)
{
	_cleanup_client_ struct rf_client client = RF_CLIENT_INIT;
	const char *path = rf_client_socket(cli->socket);
	int r;

	rf_json_object_end(j);
	if (rf_strbuf_error(request)) {
		rf_cli_error(cli, "out of memory");
		return -ENOMEM;
	}
	if (request->len > RF_CONTROL_LINE_MAX) {
		rf_cli_error(cli, "the request is longer than %d bytes", RF_CONTROL_LINE_MAX);
		return -EMSGSIZE;
	}
	r = rf_client_connect(&client, path);
	if (r < 0)
		return connect_error(cli, path, r);
	r = rf_client_send(&client, request->data, request->len);
	/* A daemon that is full answers and closes without reading: its reason is worth more than our EPIPE. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return talk_error(cli, r);
	for (;;) {
		_cleanup_jin_ struct rf_jin *root = NULL;
		const char *line;
		size_t len;

		r = rf_client_next(&client, timeout_ms, &line, &len);
		if (r <= 0)
			return talk_error(cli, r);
		r = rf_jin_parse(line, len, &root, NULL);
		if (r < 0)
			return talk_error(cli, r);
		if (rf_jin_get(root, "ok"))
			return finish(cli, line, len, &root, ret);
		r = each ? each(cli, root, line, len, arg) : 0;
		if (r)
			return r;
	}
}

int rf_cli_ask(struct rf_cli *cli, const char *command, struct rf_reply *ret)
{
	_cleanup_strbuf_ struct rf_strbuf request = RF_STRBUF_INIT;
	struct rf_json j;

	rf_cli_request(&j, &request, command);
	return rf_cli_call(cli, &j, &request, NULL, NULL, RF_CLI_TIMEOUT_MS, ret);
}
