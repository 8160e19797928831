// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * boundary_probe list                         NAME<tab>BOUNDARY<tab>REFERENCE<tab>twin|neighbour, one a line
 * boundary_probe victim FILE NAME SECRET      is the other side until standard input ends
 * boundary_probe cross FILE NAME...           NAME<tab>crossed|held ERROR|absent, one a line
 * boundary_probe twin FILE NAME...            the ordinary thing beside it: NAME<tab>works|fails ERROR|absent
 *
 * Each probe is a process of its own with a limit of time: what hangs is held.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define PROBE_LIMIT_S 60

static const struct rf_probe *const tables[] = { rf_probes_process, rf_probes_ipc,  rf_probes_kernel,
						 rf_probes_mount,   rf_probes_file, rf_probes_exec };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct rf_probe *probe_find(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct rf_probe *p = tables[i]; p->name; p++)
			if (strcmp(p->name, name) == 0)
				return p;
	return NULL;
}

static int in_child(rf_probe_fn fn, const struct rf_victim *victim)
{
	int fds[2], result = -ETIMEDOUT;
	pid_t pid;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		alarm(PROBE_LIMIT_S);
		result = fn(victim);
		_exit(write(fds[1], &result, sizeof(result)) != sizeof(result));
	}
	close(fds[1]);
	(void)!read(fds[0], &result, sizeof(result));
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return result;
}

static void tell(const char *name, int result, const char *well, const char *badly)
{
	if (result == RF_ABSENT)
		printf("%s\tabsent\n", name);
	else if (result < 0)
		printf("%s\t%s %s\n", name, badly, strerrorname_np(-result) ?: "?");
	else
		printf("%s\t%s\n", name, well);
	fflush(stdout);
}

static int list(void)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct rf_probe *p = tables[i]; p->name; p++)
			printf("%s\t%s\t%s\t%s\n", p->name, p->boundary, p->reference, p->twin ? "twin" : "neighbour");
	return 0;
}

int main(int argc, char **argv)
{
	struct rf_victim victim;
	int r;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	if (argc == 2 && strcmp(argv[1], "am-i-root") == 0)
		return geteuid() == 0 ? 0 : EPERM;
	if (argc == 5 && strcmp(argv[1], "victim") == 0) {
		r = rf_victim_run(argv[2], argv[3], argv[4]);
		if (r < 0)
			fprintf(stderr, "boundary_probe: victim: %s\n", strerror(-r));
		return r < 0;
	}
	if (argc < 4 || (strcmp(argv[1], "cross") != 0 && strcmp(argv[1], "twin") != 0)) {
		fputs("usage: boundary_probe list | victim FILE NAME SECRET | cross|twin FILE NAME...\n", stderr);
		return 2;
	}
	r = rf_victim_read(argv[2], &victim);
	if (r < 0) {
		fprintf(stderr, "boundary_probe: %s: %s\n", argv[2], strerror(-r));
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		const struct rf_probe *p = probe_find(argv[i]);

		if (!p) {
			fprintf(stderr, "boundary_probe: there is no %s\n", argv[i]);
			return 2;
		}
		if (argv[1][0] == 'c')
			tell(p->name, in_child(p->cross, &victim), "crossed", "held");
		else
			tell(p->name, in_child(p->twin ?: p->cross, &victim), "works", "fails");
	}
	return 0;
}
