// SPDX-License-Identifier: GPL-2.0-or-later
/* Real paths of every manager we know, and what they must be read as. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "user/collect/cgroup_path.h"
#include "user/lib/util.h"

#define ID_A  "3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0"
#define ID_B  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID_D "8a2f1c34-5b6d-4e7f-9a01-bc23de45f678"
#define UID_U "8a2f1c34_5b6d_4e7f_9a01_bc23de45f678"
#define UID_S "b4a1c2d3e4f5061728394a5b6c7d8e9f"

#define KUBE	  "/kubepods.slice"
#define BURST	  KUBE "/kubepods-burstable.slice"
#define BURST_POD "kubepods-burstable-pod" UID_U ".slice"
#define BEST_POD  "kubepods-besteffort-pod" UID_U ".slice"
#define USER	  "/user.slice/user-1000.slice/user@1000.service"
#define KIND_POD  "kubelet-kubepods-burstable-pod" UID_U ".slice"
#define KIND	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/" KIND_POD

struct row {
	const char *path;
	struct rf_identity want; /* path left out */
};

/* clang-format off */
static const struct row rows[] = {
	/* plain */
	{ "/", { .manager = RF_MANAGER_OTHER } },
	{ "/init.scope", { .manager = RF_MANAGER_SYSTEMD, .unit = "init.scope" } },
	{ "/system.slice", { .manager = RF_MANAGER_SYSTEMD, .slice = "system.slice" } },
	{ "/system.slice/nginx.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "nginx.service", .slice = "system.slice" } },
	{ "/system.slice/system-getty.slice/getty@tty1.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "getty@tty1.service", .slice = "system-getty.slice" } },
	{ "/system.slice/system-postgresql.slice/postgresql@16-main.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "postgresql@16-main.service", .slice = "system-postgresql.slice" } },
	{ "/system.slice/dev-disk-by\\x2duuid-1234.swap",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "dev-disk-by\\x2duuid-1234.swap", .slice = "system.slice" } },
	{ "/dev-hugepages.mount", { .manager = RF_MANAGER_SYSTEMD, .unit = "dev-hugepages.mount" } },
	{ "/system.slice/_cpu.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "cpu.service", .slice = "system.slice" } },
	{ "/system.slice/run-u42.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "run-u42.service", .slice = "system.slice" } },
	{ "/system.slice/systemd-udevd.service/udev",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "systemd-udevd.service", .slice = "system.slice" } },
	{ "/nomad.slice/share.slice/5c1f.web.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "5c1f.web.scope", .slice = "share.slice" } },
	{ "/training/run-7", { .manager = RF_MANAGER_OTHER } },

	/* users */
	{ "/user.slice/user-1000.slice/session-2.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "session-2.scope", .slice = "user-1000.slice" } },
	{ USER "/init.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "init.scope", .slice = "user-1000.slice" } },
	{ USER, { .manager = RF_MANAGER_SYSTEMD, .unit = "user@1000.service", .slice = "user-1000.slice" } },
	{ USER "/app.slice/jupyter.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "jupyter.service", .slice = "app.slice" } },
	{ USER "/app.slice/app-gnome-code-4242.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "app-gnome-code-4242.scope", .slice = "app.slice" } },

	/* Docker */
	{ "/system.slice/docker-" ID_A ".scope",
	  { .manager = RF_MANAGER_DOCKER, .unit = "docker-" ID_A ".scope", .slice = "system.slice", .runtime = "docker",
	    .container_id = ID_A } },
	{ "/docker/" ID_A, { .manager = RF_MANAGER_DOCKER, .runtime = "docker", .container_id = ID_A } },
	{ "/ml.slice/ml-train.slice/docker-" ID_A ".scope",
	  { .manager = RF_MANAGER_DOCKER, .unit = "docker-" ID_A ".scope", .slice = "ml-train.slice",
	    .runtime = "docker", .container_id = ID_A } },
	{ "/docker/" ID_A "/docker/" ID_B,
	  { .manager = RF_MANAGER_DOCKER, .runtime = "docker", .container_id = ID_A } },
	{ "/system.slice/docker-" ID_A ".scope/system.slice/nginx.service",
	  { .manager = RF_MANAGER_DOCKER, .unit = "docker-" ID_A ".scope", .slice = "system.slice", .runtime = "docker",
	    .container_id = ID_A } },
	{ USER "/user.slice/docker-" ID_A ".scope",
	  { .manager = RF_MANAGER_DOCKER, .unit = "docker-" ID_A ".scope", .slice = "user.slice", .runtime = "docker",
	    .container_id = ID_A } },
	{ "/ecs/0123456789abcdef/" ID_A, { .manager = RF_MANAGER_OTHER, .container_id = ID_A } },

	/* podman */
	{ "/machine.slice/libpod-" ID_A ".scope/container",
	  { .manager = RF_MANAGER_PODMAN, .unit = "libpod-" ID_A ".scope", .slice = "machine.slice",
	    .runtime = "podman", .container_id = ID_A } },
	{ "/machine.slice/machine-libpod_pod_" ID_B ".slice/libpod-" ID_A ".scope",
	  { .manager = RF_MANAGER_PODMAN, .unit = "libpod-" ID_A ".scope",
	    .slice = "machine-libpod_pod_" ID_B ".slice", .runtime = "podman", .container_id = ID_A } },
	{ USER "/user.slice/libpod-" ID_A ".scope/container",
	  { .manager = RF_MANAGER_PODMAN, .unit = "libpod-" ID_A ".scope", .slice = "user.slice", .runtime = "podman",
	    .container_id = ID_A } },
	{ USER "/user.slice/user-libpod_pod_" ID_B ".slice/libpod-" ID_A ".scope/container",
	  { .manager = RF_MANAGER_PODMAN, .unit = "libpod-" ID_A ".scope",
	    .slice = "user-libpod_pod_" ID_B ".slice", .runtime = "podman", .container_id = ID_A } },
	{ "/system.slice/web.service/libpod-payload-" ID_A,
	  { .manager = RF_MANAGER_PODMAN, .unit = "web.service", .slice = "system.slice", .runtime = "podman",
	    .container_id = ID_A } },
	{ "/system.slice/web.service/runtime",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "web.service", .slice = "system.slice" } },
	{ USER "/app.slice/web.service/libpod-payload-" ID_A,
	  { .manager = RF_MANAGER_PODMAN, .unit = "web.service", .slice = "app.slice", .runtime = "podman",
	    .container_id = ID_A } },
	{ "/libpod_parent/libpod-" ID_A,
	  { .manager = RF_MANAGER_PODMAN, .runtime = "podman", .container_id = ID_A } },
	{ "/machine.slice/libpod-conmon-" ID_A ".scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "libpod-conmon-" ID_A ".scope", .slice = "machine.slice" } },
	{ "/libpod_parent/conmon", { .manager = RF_MANAGER_OTHER } },
	{ USER "/user.slice/podman-4711.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "podman-4711.scope", .slice = "user.slice" } },

	/* containerd alone */
	{ "/system.slice/nerdctl-" ID_A ".scope",
	  { .manager = RF_MANAGER_CONTAINERD, .unit = "nerdctl-" ID_A ".scope", .slice = "system.slice",
	    .runtime = "containerd", .container_id = ID_A } },
	{ "/default/" ID_A,
	  { .manager = RF_MANAGER_CONTAINERD, .runtime = "containerd", .container_id = ID_A } },
	{ "/system.slice/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_CONTAINERD, .unit = "cri-containerd-" ID_A ".scope", .slice = "system.slice",
	    .runtime = "containerd", .container_id = ID_A } },

	/* CRI-O alone */
	{ "/system.slice/crio-" ID_A ".scope",
	  { .manager = RF_MANAGER_CRIO, .unit = "crio-" ID_A ".scope", .slice = "system.slice", .runtime = "cri-o",
	    .container_id = ID_A } },
	{ "/system.slice/crio-conmon-" ID_A ".scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "crio-conmon-" ID_A ".scope", .slice = "system.slice" } },

	/* Kubernetes, the kubelet's systemd driver */
	{ KUBE, { .manager = RF_MANAGER_KUBERNETES, .slice = "kubepods.slice" } },
	{ BURST,
	  { .manager = RF_MANAGER_KUBERNETES, .slice = "kubepods-burstable.slice", .qos = "burstable" } },
	{ BURST "/" BURST_POD,
	  { .manager = RF_MANAGER_KUBERNETES, .slice = BURST_POD, .qos = "burstable", .pod_uid = UID_D } },
	{ BURST "/" BURST_POD "/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope", .slice = BURST_POD,
	    .qos = "burstable", .pod_uid = UID_D, .runtime = "containerd", .container_id = ID_A } },
	{ KUBE "/kubepods-besteffort.slice/" BEST_POD "/crio-" ID_A ".scope/container",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "crio-" ID_A ".scope", .slice = BEST_POD, .qos = "besteffort",
	    .pod_uid = UID_D, .runtime = "cri-o", .container_id = ID_A } },
	{ KUBE "/kubepods-pod" UID_U ".slice/docker-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "docker-" ID_A ".scope", .slice = "kubepods-pod" UID_U ".slice",
	    .qos = "guaranteed", .pod_uid = UID_D, .runtime = "docker", .container_id = ID_A } },
	{ BURST "/kubepods-burstable-pod" UID_S ".slice/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope",
	    .slice = "kubepods-burstable-pod" UID_S ".slice", .qos = "burstable", .pod_uid = UID_S,
	    .runtime = "containerd", .container_id = ID_A } },
	{ BURST "/" BURST_POD "/cri-containerd-" ID_A ".scope/system.slice/sshd.service",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope", .slice = BURST_POD,
	    .qos = "burstable", .pod_uid = UID_D, .runtime = "containerd", .container_id = ID_A } },
	{ BURST "/" BURST_POD "/crio-conmon-" ID_A ".scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "crio-conmon-" ID_A ".scope", .slice = BURST_POD } },
	{ "/ml.slice/ml-kubepods.slice/ml-kubepods-pod" UID_U ".slice/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope",
	    .slice = "ml-kubepods-pod" UID_U ".slice", .qos = "guaranteed", .pod_uid = UID_D,
	    .runtime = "containerd", .container_id = ID_A } },

	/* Kubernetes, the cgroupfs driver */
	{ "/kubepods/burstable", { .manager = RF_MANAGER_KUBERNETES, .qos = "burstable" } },
	{ "/kubepods/burstable/pod" UID_D "/" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "burstable", .pod_uid = UID_D, .container_id = ID_A } },
	{ "/kubepods/besteffort/pod" UID_D "/" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "besteffort", .pod_uid = UID_D, .container_id = ID_A } },
	{ "/kubepods/pod" UID_D "/" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "guaranteed", .pod_uid = UID_D, .container_id = ID_A } },
	{ "/kubepods/pod" UID_S, { .manager = RF_MANAGER_KUBERNETES, .qos = "guaranteed", .pod_uid = UID_S } },
	{ "/kubepods/burstable/pod" UID_D "/crio-" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "burstable", .pod_uid = UID_D, .runtime = "cri-o",
	    .container_id = ID_A } },
	{ "/kubepods/burstable/pod" UID_D "/crio-conmon-" ID_A, { .manager = RF_MANAGER_OTHER } },
	{ "/node-root/kubepods/pod" UID_D "/" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "guaranteed", .pod_uid = UID_D, .container_id = ID_A } },

	/* nodes inside containers: kind, k3d */
	{ "/system.slice/docker-" ID_B ".scope" KIND "/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope", .slice = KIND_POD,
	    .qos = "burstable", .pod_uid = UID_D, .runtime = "containerd", .container_id = ID_A } },
	{ "/docker/" ID_B KIND "/cri-containerd-" ID_A ".scope",
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope", .slice = KIND_POD,
	    .qos = "burstable", .pod_uid = UID_D, .runtime = "containerd", .container_id = ID_A } },
	{ "/docker/" ID_B "/kubelet/kubepods/besteffort/pod" UID_D "/" ID_A,
	  { .manager = RF_MANAGER_KUBERNETES, .qos = "besteffort", .pod_uid = UID_D, .container_id = ID_A } },
	{ "/system.slice/docker-" ID_B ".scope/kubelet.slice/kubelet.service",
	  { .manager = RF_MANAGER_DOCKER, .unit = "docker-" ID_B ".scope", .slice = "system.slice",
	    .runtime = "docker", .container_id = ID_B } },

	/* Slurm */
	{ "/system.slice/slurmstepd.scope/job_1234/step_0/user/task_3",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice", .slurm_job = "1234",
	    .slurm_step = "0", .slurm_task = "3" } },
	{ "/system.slice/node17_slurmstepd.scope/job_99/step_batch/user/task_0",
	  { .manager = RF_MANAGER_SLURM, .unit = "node17_slurmstepd.scope", .slice = "system.slice",
	    .slurm_job = "99", .slurm_step = "batch", .slurm_task = "0" } },
	{ "/system.slice/slurmstepd.scope/job_1234/step_extern/user/task_special",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice", .slurm_job = "1234",
	    .slurm_step = "extern", .slurm_task = "special" } },
	{ "/system.slice/slurmstepd.scope/job_1234/step_interactive/slurm",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice", .slurm_job = "1234",
	    .slurm_step = "interactive" } },
	{ "/system.slice/slurmstepd.scope/job_1234",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice", .slurm_job = "1234" } },
	{ "/system.slice/slurmstepd.scope/system",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice" } },
	{ "/slurm/uid_1000/job_5/step_0/task_1",
	  { .manager = RF_MANAGER_SLURM, .slurm_user = "1000", .slurm_job = "5", .slurm_step = "0",
	    .slurm_task = "1" } },
	{ "/system.slice/slurmd.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "slurmd.service", .slice = "system.slice" } },

	/* machines and system containers */
	{ "/machine.slice/systemd-nspawn@debian-12.service/payload/system.slice/cron.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "systemd-nspawn@debian-12.service", .slice = "machine.slice",
	    .runtime = "nspawn", .container_name = "debian-12" } },
	{ "/machine.slice/machine-debian\\x2d12.scope/payload",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "machine-debian\\x2d12.scope", .slice = "machine.slice",
	    .runtime = "nspawn", .container_name = "debian-12" } },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dwin.scope/libvirt/vcpu0",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "machine-qemu\\x2d1\\x2dwin.scope", .slice = "machine.slice" } },
	{ "/lxc.payload.c1/system.slice/nginx.service",
	  { .manager = RF_MANAGER_OTHER, .runtime = "lxc", .container_name = "c1" } },
	{ "/lxc.monitor.c1", { .manager = RF_MANAGER_OTHER } },
	{ "/lxc/101/ns/system.slice", { .manager = RF_MANAGER_OTHER, .runtime = "lxc", .container_name = "101" } },

	/* look-alikes: named by a tenant, or nearly right */
	{ "/system.slice/builder.service/nginx.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "builder.service", .slice = "system.slice" } },
	{ "/system.slice/builder.service/user@0.service/evil.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "builder.service", .slice = "system.slice" } },
	{ USER "/app.slice/slurmstepd.scope/job_1/step_0/user/task_0",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "slurmstepd.scope", .slice = "app.slice" } },
	{ USER "/app.slice/user@0.service/x.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "user@0.service", .slice = "app.slice" } },
	{ "/system.slice/slurmstepd.scope/job_1/step_0/user/task_0/job_2/step_1",
	  { .manager = RF_MANAGER_SLURM, .unit = "slurmstepd.scope", .slice = "system.slice", .slurm_job = "1",
	    .slurm_step = "0", .slurm_task = "0" } },
	{ BURST "/" BURST_POD "/cri-containerd-" ID_A ".scope/kubepods/pod" UID_S "/" ID_B,
	  { .manager = RF_MANAGER_KUBERNETES, .unit = "cri-containerd-" ID_A ".scope", .slice = BURST_POD,
	    .qos = "burstable", .pod_uid = UID_D, .runtime = "containerd", .container_id = ID_A } },
	{ "/system.slice/docker-abc.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "docker-abc.scope", .slice = "system.slice" } },
	{ "/system.slice/docker-" ID_A "0.scope",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "docker-" ID_A "0.scope", .slice = "system.slice" } },
	{ "/my-kubepods-backup.slice/a.service",
	  { .manager = RF_MANAGER_SYSTEMD, .unit = "a.service", .slice = "my-kubepods-backup.slice" } },
	{ "/system.slice/.service",
	  { .manager = RF_MANAGER_SYSTEMD, .slice = "system.slice" } },
};
/* clang-format on */

static void check_text(const char *path, const char *field, const char *got, const char *want)
{
	if (!got && !want)
		return;
	if (!got || !want || !rf_streq(got, want))
		fail_msg("%s: %s is %s, not %s", path, field, got ? got : "(null)", want ? want : "(null)");
}

static void every_known_path_gives_its_identity(void **state)
{
	(void)state;
	assert_true(ARRAY_SIZE(rows) >= 45);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_identity_ struct rf_identity *id = NULL;
		const struct rf_identity *want = &rows[i].want;
		const char *path = rows[i].path;

		assert_int_equal(rf_cgroup_path_parse(path, &id), 0);
		if (id->manager != want->manager)
			fail_msg("%s: manager is %d, not %d", path, id->manager, want->manager);
		check_text(path, "path", id->path, path);
#define CHECK(field) check_text(path, #field, id->field, want->field)
		CHECK(unit);
		CHECK(slice);
		CHECK(runtime);
		CHECK(container_id);
		CHECK(container_name);
		CHECK(image);
		CHECK(pod_uid);
		CHECK(pod_name);
		CHECK(namespace);
		CHECK(qos);
		CHECK(slurm_job);
		CHECK(slurm_step);
		CHECK(slurm_user);
		CHECK(slurm_task);
#undef CHECK
		assert_int_equal(id->n_labels + id->n_annotations, 0);
	}
}

static void what_is_no_path_below_the_root_is_refused(void **state)
{
	static const char *const bad[] = { "",	 "a",	"a/b",	 "//",	    "/a//b", "/a/",
					   "/.", "/..", "/../x", "/a/../b", "/a/./b" };
	struct rf_identity *id = NULL;
	struct rf_cgroup_origin origin;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(rf_cgroup_path_parse(bad[i], &id), -EINVAL);
		assert_int_equal(rf_cgroup_path_origin(bad[i], &origin), -EINVAL);
	}
	assert_null(id);
}

static void a_path_is_taken_up_to_path_max_and_not_past_it(void **state)
{
	_cleanup_identity_ struct rf_identity *fits = NULL;
	struct rf_identity *not = NULL;
	char path[PATH_MAX + 1];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[PATH_MAX - 1] = '\0';
	assert_int_equal(rf_cgroup_path_parse(path, &fits), 0);
	path[PATH_MAX - 1] = 'a';
	path[PATH_MAX] = '\0';
	assert_int_equal(rf_cgroup_path_parse(path, &not), -ENAMETOOLONG);
	assert_null(not);
}

static void check_origin(const char *path, bool nested, bool delegated, bool user, uint32_t uid, const char *container)
{
	struct rf_cgroup_origin o;

	assert_int_equal(rf_cgroup_path_origin(path, &o), 0);
	assert_int_equal(o.nested, nested);
	assert_int_equal(o.delegated, delegated);
	assert_int_equal(o.user, user);
	assert_int_equal(o.uid, uid);
	assert_int_equal(o.container_end - o.container_begin, strlen(container));
	assert_memory_equal(path + o.container_begin, container, strlen(container));
}

static void the_origin_says_who_may_have_made_the_directory(void **state)
{
	(void)state;
	check_origin("/system.slice/nginx.service", false, false, false, 0, "");
	check_origin("/system.slice/docker-" ID_A ".scope/x", false, false, false, 0, "docker-" ID_A ".scope");
	check_origin("/system.slice/x.service/docker-" ID_A ".scope", false, true, false, 0, "docker-" ID_A ".scope");
	check_origin(BURST "/" BURST_POD "/crio-" ID_A ".scope/container", false, false, false, 0,
		     "crio-" ID_A ".scope");
	check_origin("/system.slice/x.service/kubepods/pod" UID_D "/" ID_A, false, true, false, 0, ID_A);
	check_origin("/docker/" ID_B "/kubelet/kubepods/pod" UID_D "/" ID_A, true, false, false, 0, ID_A);
	check_origin(USER "/user.slice/libpod-" ID_A ".scope/container", false, true, true, 1000,
		     "libpod-" ID_A ".scope");
	check_origin(USER "/app.slice/user@5.service/x", false, false, true, 1000, "");
	check_origin("/user.slice/user-0.slice/user@0.service/user.slice/libpod-" ID_A ".scope", false, true, false, 0,
		     "libpod-" ID_A ".scope");
	check_origin("/user.slice/user@99999999999.service/a.service", false, false, false, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_path_gives_its_identity),
		cmocka_unit_test(what_is_no_path_below_the_root_is_refused),
		cmocka_unit_test(a_path_is_taken_up_to_path_max_and_not_past_it),
		cmocka_unit_test(the_origin_says_who_may_have_made_the_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
