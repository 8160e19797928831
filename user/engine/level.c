// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The level of this host: what it has beyond cgroup hooks and tracepoints.
 *
 * Does BPF LSM run here? A program attaches without error where "bpf" is not
 * in lsm= and then never runs, so one is attached and a file opened: what was
 * counted ran. Asked before the programs are loaded, because those of a level
 * that the host has not are left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "user/engine/internal.h"
#include "user/lib/fs.h"

#include "probe.skel.h"

static bool is_listed(void)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (rf_fs_read(AT_FDCWD, "/sys/kernel/security/lsm", 4096, &text, &len) < 0)
		return false;
	for (char *save = NULL, *name = strtok_r(text, ",\n", &save); name; name = strtok_r(NULL, ",\n", &save))
		if (rf_streq(name, "bpf"))
			return true;
	return false;
}

/* 1: it ran, 0: it is attached and did not run, negative: the kernel takes none. libbpf's complaints are expected. */
static int probe_run(void)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct probe_bpf *probe = probe_bpf__open();
	_cleanup_close_ int fd = -1;
	int r = -errno;

	if (probe) {
		r = probe_bpf__load(probe);
		if (r >= 0)
			r = probe_bpf__attach(probe);
		if (r >= 0) {
			fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
			r = __atomic_load_n(&probe->bss->lsm_hits, __ATOMIC_RELAXED) > 0;
		}
	}
	probe_bpf__destroy(probe);
	libbpf_set_print(print);
	return r;
}

static void lsm_probe(struct rf_engine *e)
{
	int r = probe_run();

	e->lsm_runs = r > 0;
	if (r > 0)
		snprintf(e->lsm_why, sizeof(e->lsm_why), "a program on file_open ran");
	else if (r == 0)
		snprintf(e->lsm_why, sizeof(e->lsm_why), "%s",
			 is_listed() ? "attached but never ran" :
				       "attached but never ran: \"bpf\" is not in lsm= on the kernel command line");
	else
		snprintf(e->lsm_why, sizeof(e->lsm_why), "the kernel takes no LSM programs: %s", strerror(-r));
}

static void module_probe(struct rf_engine *e)
{
	struct rf_module_abi abi = { .size = sizeof(abi), .version = RF_MODULE_ABI };
	_cleanup_close_ int fd = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	e->module_present = false;
	if (fd < 0) {
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko is not loaded (%s: %s)", RF_DEVICE_PATH,
			 strerror(errno));
	} else if (ioctl(fd, RF_IOC_ABI, &abi) < 0) {
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko has ABI %u, this daemon %u: %s",
			 abi.version, RF_MODULE_ABI, strerror(errno));
	} else {
		e->module_present = true;
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko with ABI %u", abi.version);
	}
}

void rf_level_probe(struct rf_engine *e)
{
	lsm_probe(e);
	module_probe(e);
}

unsigned int rf_level(const struct rf_engine *e)
{
	return !e->lsm_runs ? 0 : !e->module_present ? 1 : 2;
}
