// SPDX-License-Identifier: GPL-2.0-or-later
/* A page of our own program, mapped to be executed and made executable, and a program that is run. */
#include "user/engine/fire_exec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/lib/cleanup.h"

static void library_fire(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapped;

	if (fd < 0)
		return;
	mapped = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (mapped != MAP_FAILED)
		(void)munmap(mapped, page);
	mapped = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mapped == MAP_FAILED)
		return;
	(void)mprotect(mapped, page, PROT_READ | PROT_EXEC);
	(void)munmap(mapped, page);
}

void rf_self_test_fire_exec(void)
{
	pid_t pid;

	library_fire("/proc/self/exe");
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		execl("/proc/self/exe", "ringfenced", "--version", NULL);
		_exit(1);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}
