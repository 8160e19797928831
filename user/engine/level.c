// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The level of this host: what it has beyond cgroup hooks and tracepoints.
 *
 * Does BPF LSM run here, and can functions of the kernel be traced? A program
 * attaches without error where "bpf" is not in lsm= and then never runs, so one
 * is attached and a file read: what was counted ran. Asked before the programs
 * are loaded, because those that the host cannot run are left out.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "user/engine/internal.h"
#include "user/lib/fs.h"

#include "probe.skel.h"
#include "ringfence.skel.h"

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

/*
 * Of the one program or the other. 1: it ran, 0: it is attached and did not run, negative: the kernel takes none.
 * libbpf's complaints are expected.
 */
static int probe_run(bool lsm)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct probe_bpf *probe = probe_bpf__open();
	int r = -errno, fd;
	char byte;

	if (probe) {
		bpf_program__set_autoload(probe->progs.rf_probe_lsm, lsm);
		bpf_program__set_autoload(probe->progs.rf_probe_trace, !lsm);
		r = probe_bpf__load(probe);
		if (r >= 0)
			r = probe_bpf__attach(probe);
		if (r >= 0) {
			fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
			if (fd >= 0) {
				(void)!read(fd, &byte, 1);
				close(fd);
			}
			r = __atomic_load_n(&probe->bss->hits, __ATOMIC_RELAXED) > 0;
		}
	}
	probe_bpf__destroy(probe);
	libbpf_set_print(print);
	return r;
}

static void trace_probe(struct rf_engine *e)
{
	int r = probe_run(false);

	e->traces_run = r > 0;
	snprintf(e->trace_why, sizeof(e->trace_why), "this kernel's functions cannot be traced: %s",
		 r < 0 ? strerror(-r) : "a program was attached and never ran");
}

static void lsm_probe(struct rf_engine *e)
{
	int r = probe_run(true);

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

	e->module_present = e->module_waits_probes = false;
	if (fd < 0) {
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko is not loaded (%s: %s)", RF_DEVICE_PATH,
			 strerror(errno));
	} else if (ioctl(fd, RF_IOC_ABI, &abi) < 0) {
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko has ABI %u, this daemon %u: %s",
			 abi.version, RF_MODULE_ABI, strerror(errno));
	} else {
		e->module_present = true;
		e->module_waits_probes = abi.features & RF_MODULE_F_THROTTLE_PROBES;
		snprintf(e->module_why, sizeof(e->module_why), "ringfence.ko with ABI %u", abi.version);
	}
}

void rf_level_probe(struct rf_engine *e)
{
	lsm_probe(e);
	trace_probe(e);
	module_probe(e);
}

unsigned int rf_level(const struct rf_engine *e)
{
	return !e->lsm_runs ? 0 : !e->module_present ? 1 : 2;
}

/* "lsm/NAME", "lsm.s/NAME": a hook that this kernel was built without has no function bpf_lsm_NAME. "fexit/NAME": NAME.
 */
static bool has_hook(const struct btf *btf, const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	char function[128];

	if (rf_strprefix(section, "lsm"))
		snprintf(function, sizeof(function), "bpf_lsm_%s", strchr(section, '/') + 1);
	else if (rf_strprefix(section, "fexit/") || rf_strprefix(section, "fentry/"))
		snprintf(function, sizeof(function), "%s", strchr(section, '/') + 1);
	else
		return true;
	return btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) > 0;
}

/* Kernels from 6.9 on pass an id map to inode_setattr, before all else. */
static bool setattr_has_idmap(const struct btf *btf)
{
	const struct btf_type *function, *proto;
	int id = btf__find_by_name_kind(btf, "bpf_lsm_inode_setattr", BTF_KIND_FUNC);

	if (id < 0)
		return false;
	function = btf__type_by_id(btf, id);
	proto = btf__type_by_id(btf, function->type);
	return btf_vlen(proto) == 3;
}

/* As RF_KERNEL(); one that cannot be told counts as the newest. */
static uint32_t kernel_version(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return UINT32_MAX;
	return RF_KERNEL(major, minor);
}

int rf_level_choose(struct rf_engine *e)
{
	/* Of what every host has, nothing need be looked up. */
	bool asks = rf_level(e) || e->traces_run;
	uint32_t version = kernel_version();
	struct btf *btf = asks ? btf__load_vmlinux_btf() : NULL;

	if (asks && !btf)
		return -errno;
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++) {
		const struct rf_hook_ops *ops = &rf_hook_table[hook];
		struct rf_hook_state *state = &e->hooks[hook];
		struct bpf_program *program;

		if (!ops->program)
			continue;
		program = bpf_object__find_program_by_name(e->skeleton->obj, ops->program);
		state->loaded = ops->level <= rf_level(e) && (!ops->traces || e->traces_run) &&
				!(ops->without_lsm && e->lsm_runs) && version >= ops->since && has_hook(btf, program);
		if (state->loaded)
			continue;
		bpf_program__set_autoload(program, false);
		if (ops->level > rf_level(e))
			snprintf(state->why, sizeof(state->why), RF_HOOK_NOT_LOADED "needs level %u", ops->level);
		else if (ops->traces && !e->traces_run)
			snprintf(state->why, sizeof(state->why), RF_HOOK_NOT_LOADED "%.140s", e->trace_why);
		else if (ops->without_lsm)
			snprintf(state->why, sizeof(state->why), RF_HOOK_NOT_LOADED "BPF LSM decides before");
		else if (version < ops->since)
			snprintf(state->why, sizeof(state->why), RF_HOOK_NOT_LOADED "this kernel has no need of it");
		else
			snprintf(state->why, sizeof(state->why), RF_HOOK_NOT_LOADED "this kernel has no such hook");
	}
	/* Of no use without those programs, and no kernel without BPF LSM makes it. */
	if (!rf_level(e))
		bpf_map__set_autocreate(e->skeleton->maps.rf_shared_map, false);
	e->skeleton->rodata->rf_module_waits = e->module_present;
	if (rf_level(e))
		e->skeleton->rodata->rf_setattr_has_idmap = setattr_has_idmap(btf);
	else
		(void)bpf_map__set_autocreate(e->skeleton->maps.rf_zone_storage, false);
	btf__free(btf);
	return 0;
}
