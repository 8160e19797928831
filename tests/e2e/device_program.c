// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does to a cgroup's device programs what systemd and runc do, step by step:
 *
 *	device_program CGROUP STEP...
 *
 *	allow, deny	a new program, that allows or denies everything, for the steps that follow
 *	multi, override, alone	it is attached with BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, or neither
 *	replace		it takes the place of the one that was attached last (BPF_F_REPLACE)
 *	detach		what is attached is detached, except the new one
 *	clear		what is attached is detached
 *	claim		what holds here, of cgroups above, too, is detached here
 *
 * A step that fails prints its name and the errno, and ends the run; all of them print "ok". Whatever can be detached
 * is, whichever cannot.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/lib/util.h"

#define PROGRAMS_MAX 64

struct place {
	int cgroup;
	int program; /* the new one */
	__u32 program_id;
};

static int load(struct place *p, int verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	p->program =
		bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "device_program", "GPL", insns, ARRAY_SIZE(insns), NULL);
	if (p->program < 0)
		return p->program;
	if (bpf_obj_get_info_by_fd(p->program, &info, &size) < 0)
		return -errno;
	p->program_id = info.id;
	return 0;
}

static int query(const struct place *p, __u32 flags, __u32 *ids, __u32 *ret_n)
{
	__u32 attach_flags;

	*ret_n = PROGRAMS_MAX;
	return bpf_prog_query(p->cgroup, BPF_CGROUP_DEVICE, flags, &attach_flags, ids, ret_n);
}

static int attach(const struct place *p, unsigned int flags)
{
	return bpf_prog_attach(p->program, p->cgroup, BPF_CGROUP_DEVICE, flags);
}

static int replace(const struct place *p)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, options, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE);
	__u32 ids[PROGRAMS_MAX], n;
	int r = query(p, 0, ids, &n);

	if (r < 0)
		return r;
	if (!n)
		return -ENOENT;
	options.replace_prog_fd = bpf_prog_get_fd_by_id(ids[n - 1]);
	r = bpf_prog_attach_opts(p->program, p->cgroup, BPF_CGROUP_DEVICE, &options);
	close(options.replace_prog_fd);
	return r;
}

static int detach(const struct place *p, __u32 query_flags, __u32 except)
{
	__u32 ids[PROGRAMS_MAX], n;
	int error = 0, r = query(p, query_flags, ids, &n);

	if (r < 0)
		return r;
	for (__u32 i = 0; i < n; i++) {
		int fd;

		if (ids[i] == except)
			continue;
		fd = bpf_prog_get_fd_by_id(ids[i]);
		r = fd < 0 ? fd : bpf_prog_detach2(fd, p->cgroup, BPF_CGROUP_DEVICE);
		if (r < 0)
			error = r;
		if (fd >= 0)
			close(fd);
	}
	return error;
}

static int step(struct place *p, const char *name)
{
	if (strcmp(name, "allow") == 0)
		return load(p, 1);
	if (strcmp(name, "deny") == 0)
		return load(p, 0);
	if (strcmp(name, "multi") == 0)
		return attach(p, BPF_F_ALLOW_MULTI);
	if (strcmp(name, "override") == 0)
		return attach(p, BPF_F_ALLOW_OVERRIDE);
	if (strcmp(name, "alone") == 0)
		return attach(p, 0);
	if (strcmp(name, "replace") == 0)
		return replace(p);
	if (strcmp(name, "detach") == 0)
		return detach(p, 0, p->program_id);
	if (strcmp(name, "clear") == 0)
		return detach(p, 0, 0);
	if (strcmp(name, "claim") == 0)
		return detach(p, BPF_F_QUERY_EFFECTIVE, 0);
	errx(2, "'%s' is no step", name);
}

int main(int argc, char **argv)
{
	struct place p = { .program = -1 };

	if (argc < 3)
		errx(2, "usage: device_program CGROUP STEP...");
	p.cgroup = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p.cgroup < 0)
		err(2, "%s", argv[1]);
	for (int i = 2; i < argc; i++) {
		int r = step(&p, argv[i]);

		if (r < 0) {
			printf("%s %s\n", argv[i], strerrorname_np(-r));
			return 1;
		}
	}
	puts("ok");
	return 0;
}
