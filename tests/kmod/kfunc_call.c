// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads kfunc.bpf.o (its path is the only argument), runs its programs and
 * prints what each returned. Fails when the kernel refuses the object, which
 * is what a module without BTF looks like.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;

	if (argc != 2)
		errx(2, "usage: kfunc_call OBJECT");
	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		err(1, "%s", argv[1]);
	if (bpf_object__load(object))
		err(1, "cannot load %s", argv[1]);

	bpf_object__for_each_program(program, object) {
		LIBBPF_OPTS(bpf_test_run_opts, opts);

		if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
			err(1, "cannot run %s", bpf_program__name(program));
		printf("%s=%u\n", bpf_program__name(program), opts.retval);
	}
	bpf_object__close(object);
	return 0;
}
