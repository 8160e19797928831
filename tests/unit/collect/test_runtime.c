// SPDX-License-Identifier: GPL-2.0-or-later
/* Runtime files, made in a temporary directory, and the identities that they complete. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/collect/cgroup_path.h"
#include "user/collect/runtime.h"
#include "user/lib/fs.h"
#include "user/lib/util.h"

#define ID_A  "3f4e8b1c0d5a697887a6b5c4d3e2f1009f8e7d6c5b4a39281706f5e4d3c2b1a0"
#define ID_B  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID_D "8a2f1c34-5b6d-4e7f-9a01-bc23de45f678"
#define UID_U "8a2f1c34_5b6d_4e7f_9a01_bc23de45f678"
#define UID_O "11111111-2222-4333-8444-555555555555"

#define POD_SLICE	"kubepods-burstable-pod" UID_U ".slice"
#define POD		"/kubepods.slice/kubepods-burstable.slice/" POD_SLICE
#define KUBE_CONTAINERD POD "/cri-containerd-" ID_A ".scope"
#define KUBE_CRIO	POD "/crio-" ID_A ".scope"
#define DOCKER		"/system.slice/docker-" ID_A ".scope"
#define PODMAN		"/machine.slice/libpod-" ID_A ".scope"

#define CRI_ANNOTATIONS(uid)                                                                               \
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","                             \
	"\"io.kubernetes.cri.container-name\":\"trainer\",\"io.kubernetes.cri.sandbox-name\":\"train-0\"," \
	"\"io.kubernetes.cri.sandbox-namespace\":\"ml\",\"io.kubernetes.cri.sandbox-uid\":\"" uid "\","    \
	"\"io.kubernetes.cri.image-name\":\"registry.example/train:1.2\"}"
#define BUNDLE(cgroups_path, annotations) \
	"{\"ociVersion\":\"1.1.0\",\"linux\":{\"cgroupsPath\":\"" cgroups_path "\"}," annotations "}"
#define CRI_BUNDLE BUNDLE(POD_SLICE ":cri-containerd:" ID_A, CRI_ANNOTATIONS(UID_D))

struct fixture {
	char dir[64];
	char containerd[2][128], storage[2][128], docker[128], pod_logs[128], passwd[128], home[128];
	struct rf_runtime_paths paths;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/rf-runtime-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->containerd[0], sizeof(f->containerd[0]), "%s/containerd", f->dir);
	snprintf(f->containerd[1], sizeof(f->containerd[1]), "%s/k3s", f->dir);
	snprintf(f->storage[0], sizeof(f->storage[0]), "%s/run-storage", f->dir);
	snprintf(f->storage[1], sizeof(f->storage[1]), "%s/lib-storage", f->dir);
	snprintf(f->docker, sizeof(f->docker), "%s/docker", f->dir);
	snprintf(f->pod_logs, sizeof(f->pod_logs), "%s/pods", f->dir);
	snprintf(f->passwd, sizeof(f->passwd), "%s/passwd", f->dir);
	snprintf(f->home, sizeof(f->home), "%s/home", f->dir);
	f->paths = (struct rf_runtime_paths){
		.containerd = { f->containerd[0], f->containerd[1] },
		.storage = { f->storage[0], f->storage[1] },
		.docker = f->docker,
		.pod_logs = f->pod_logs,
		.passwd = f->passwd,
	};
	*state = f;
	return 0;
}

static void remove_tree(const char *path)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove_tree(f->dir);
	free(f);
	return 0;
}

static void make_parents(const char *path)
{
	char part[512];

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		if (mkdir(part, 0755))
			assert_int_equal(errno, EEXIST);
	}
}

static void put_bytes(const char *root, const char *name, const char *text, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	make_parents(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put(const char *root, const char *name, const char *text)
{
	put_bytes(root, name, text, strlen(text));
}

static struct rf_identity *parse(const char *path)
{
	struct rf_identity *id = NULL;

	assert_int_equal(rf_cgroup_path_parse(path, &id), 0);
	return id;
}

static void check_text(const char *got, const char *want)
{
	if (want) {
		assert_non_null(got);
		assert_string_equal(got, want);
	} else {
		assert_null(got);
	}
}

static void check_names(const struct rf_identity *id, const char *namespace, const char *pod, const char *container,
			const char *image)
{
	check_text(id->namespace, namespace);
	check_text(id->pod_name, pod);
	check_text(id->container_name, container);
	check_text(id->image, image);
}

static void nothing_on_disk_is_no_error(void **state)
{
	static const char *const paths[] = { KUBE_CONTAINERD,
					     KUBE_CRIO,
					     DOCKER,
					     PODMAN,
					     "/",
					     POD,
					     "/x/" ID_A,
					     "/user.slice/user@1000.service/user.slice/libpod-" ID_A ".scope" };
	struct rf_runtime_paths nowhere = { 0 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_identity_ struct rf_identity *id = parse(paths[i]);

		assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
		assert_int_equal(rf_runtime_enrich(id, &nowhere), 0);
		check_names(id, NULL, NULL, NULL, NULL);
	}
}

static void a_containerd_bundle_names_pod_container_and_image(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json", CRI_BUNDLE);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, "ml", "train-0", "trainer", "registry.example/train:1.2");
	assert_int_equal(id->n_annotations, 6);
	for (size_t i = 1; i < id->n_annotations; i++)
		assert_true(strcmp(id->annotations[i - 1].key, id->annotations[i].key) < 0);
}

static void the_cgroupfs_driver_and_a_second_root_are_found_too(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse("/kubepods/burstable/pod" UID_D "/" ID_A);
	struct fixture *f = *state;

	put(f->containerd[1], "k8s.io/" ID_A "/config.json",
	    BUNDLE("/kubepods/burstable/pod" UID_D "/" ID_A, CRI_ANNOTATIONS(UID_D)));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, "ml", "train-0", "trainer", "registry.example/train:1.2");
	check_text(id->runtime, "containerd");
}

static void a_sandbox_is_no_container_of_its_pod(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json",
	    BUNDLE(POD_SLICE ":cri-containerd:" ID_A,
		   "\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
		   "\"io.kubernetes.cri.sandbox-name\":\"train-0\",\"io.kubernetes.cri.container-name\":\"x\"}"));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, NULL, "train-0", NULL, NULL);
}

static void a_bundle_of_another_cgroup_is_not_believed(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json",
	    BUNDLE("kubepods-besteffort-pod" UID_U ".slice:cri-containerd:" ID_A, CRI_ANNOTATIONS(UID_D)));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -ESTALE);
	check_names(id, NULL, NULL, NULL, NULL);
}

static void a_bundle_of_another_pod_is_not_believed(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json",
	    BUNDLE(POD_SLICE ":cri-containerd:" ID_A, CRI_ANNOTATIONS(UID_O)));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -ESTALE);
	check_names(id, NULL, NULL, NULL, NULL);
}

static void a_delegated_cgroup_cannot_borrow_a_container(void **state)
{
	static const char *const forged[] = {
		"/system.slice/builder.service/docker-" ID_A ".scope",
		"/system.slice/builder.service/kubepods/pod" UID_D "/" ID_A,
		"/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" ID_A ".scope",
		"/user.slice/user-1000.slice/user@1000.service/app.slice/cri-containerd-" ID_A ".scope",
		"/docker/" ID_B "/kubepods/pod" UID_D "/" ID_A,
	};
	struct fixture *f = *state;

	/* Nothing here says which cgroup it is of. */
	put(f->docker, ID_A "/config.v2.json", "{\"ID\":\"" ID_A "\",\"Name\":\"/db\",\"Config\":{\"Image\":\"db\"}}");
	put(f->containerd[0], "k8s.io/" ID_A "/config.json", "{" CRI_ANNOTATIONS(UID_D) "}");
	put(f->containerd[0], "moby/" ID_A "/config.json", "{}");
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		_cleanup_identity_ struct rf_identity *id = parse(forged[i]);

		rf_runtime_enrich(id, &f->paths);
		check_names(id, NULL, NULL, NULL, NULL);
		assert_int_equal(id->n_annotations + id->n_labels, 0);
	}

	_cleanup_identity_ struct rf_identity *real = parse(DOCKER);

	assert_int_equal(rf_runtime_enrich(real, &f->paths), 0);
	check_names(real, NULL, NULL, "db", "db");
}

static void crio_tells_the_pods_labels_through_its_sandbox(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CRIO "/container");
	struct fixture *f = *state;

	put(f->storage[1], ID_A "/userdata/config.json",
	    BUNDLE(POD_SLICE ":crio:" ID_A,
		   "\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"container\","
		   "\"io.kubernetes.container.name\":\"trainer\",\"io.kubernetes.pod.name\":\"train-0\","
		   "\"io.kubernetes.pod.namespace\":\"ml\",\"io.kubernetes.pod.uid\":\"" UID_D "\","
		   "\"io.kubernetes.cri-o.ImageName\":\"train:1\",\"io.kubernetes.cri-o.SandboxID\":\"" ID_B "\","
		   "\"io.kubernetes.cri-o.Labels\":\"{\\\"own\\\":\\\"x\\\"}\"}"));
	put(f->storage[1], ID_B "/userdata/config.json",
	    BUNDLE(POD_SLICE ":crio:" ID_B,
		   "\"annotations\":{\"io.kubernetes.pod.uid\":\"" UID_D "\","
		   "\"io.kubernetes.cri-o.Labels\":\"{\\\"team\\\":\\\"vision\\\",\\\"app\\\":\\\"train\\\"}\"}"));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, "ml", "train-0", "trainer", "train:1");
	assert_int_equal(id->n_labels, 2);
	assert_string_equal(id->labels[0].key, "app");
	assert_string_equal(id->labels[1].value, "vision");
}

static void a_sandbox_of_another_pod_gives_no_labels(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CRIO);
	struct fixture *f = *state;

	put(f->storage[0], ID_A "/userdata/config.json",
	    BUNDLE(POD_SLICE ":crio:" ID_A,
		   "\"annotations\":{\"io.kubernetes.cri-o.KubeName\":\"train-0\","
		   "\"io.kubernetes.cri-o.Namespace\":\"ml\",\"io.kubernetes.cri-o.SandboxID\":\"" ID_B "\"}"));
	put(f->storage[0], ID_B "/userdata/config.json",
	    "{\"annotations\":{\"io.kubernetes.pod.uid\":\"" UID_O "\","
	    "\"io.kubernetes.cri-o.Labels\":\"{\\\"team\\\":\\\"vision\\\"}\"}}");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -ESTALE);
	check_names(id, "ml", "train-0", NULL, NULL);
	assert_int_equal(id->n_labels, 0);
}

static void docker_tells_name_image_and_labels(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(DOCKER);
	struct fixture *f = *state;

	put(f->containerd[0], "moby/" ID_A "/config.json",
	    BUNDLE("system.slice:docker:" ID_A, "\"annotations\":{\"com.example/gpu\":\"1\"}"));
	put(f->docker, ID_A "/config.v2.json",
	    "{\"ID\":\"" ID_A "\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"b\":\"2\",\"a\":"
	    "\"1\",\"io.kubernetes.pod.name\":\"forged\"}}}");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, NULL, NULL, "web", "nginx:1");
	assert_int_equal(id->n_labels, 3);
	assert_string_equal(id->labels[0].key, "a");
	assert_int_equal(id->n_annotations, 1);
}

static void docker_below_kubernetes_tells_the_pod(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(POD "/docker-" ID_A ".scope");
	struct fixture *f = *state;

	put(f->docker, ID_A "/config.v2.json",
	    "{\"ID\":\"" ID_A "\",\"Name\":\"/k8s_trainer_train-0\",\"Config\":{\"Image\":\"train\",\"Labels\":{"
	    "\"io.kubernetes.pod.name\":\"train-0\",\"io.kubernetes.pod.namespace\":\"ml\","
	    "\"io.kubernetes.pod.uid\":\"" UID_D "\",\"io.kubernetes.container.name\":\"trainer\"}}}");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, "ml", "train-0", "trainer", "train");
}

static void dockers_file_of_another_container_is_not_believed(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(DOCKER);
	struct fixture *f = *state;

	put(f->docker, ID_A "/config.v2.json", "{\"ID\":\"" ID_B "\",\"Name\":\"/web\"}");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -ESTALE);
	check_names(id, NULL, NULL, NULL, NULL);
}

static void a_bare_id_gets_its_runtime_from_where_it_is_found(void **state)
{
	_cleanup_identity_ struct rf_identity *docker = parse("/ecs/task/" ID_A), *ctr = parse("/batch/" ID_B);
	struct fixture *f = *state;

	put(f->containerd[0], "moby/" ID_A "/config.json", BUNDLE("/ecs/task/" ID_A, "\"annotations\":{}"));
	put(f->containerd[0], "batch/" ID_B "/config.json",
	    BUNDLE("/batch/" ID_B, "\"annotations\":{\"nerdctl/name\":\"job\"}"));
	assert_int_equal(rf_runtime_enrich(docker, &f->paths), 0);
	assert_int_equal(docker->manager, RF_MANAGER_DOCKER);
	check_text(docker->runtime, "docker");
	assert_int_equal(rf_runtime_enrich(ctr, &f->paths), 0);
	assert_int_equal(ctr->manager, RF_MANAGER_CONTAINERD);
	check_names(ctr, NULL, NULL, "job", NULL);
}

static void podman_tells_name_and_image_in_its_list(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(PODMAN "/container"), *unit = NULL;
	struct fixture *f = *state;

	put(f->storage[1], ID_A "/userdata/config.json",
	    BUNDLE("machine.slice:libpod:" ID_A, "\"annotations\":{\"io.container.manager\":\"libpod\"}"));
	put(f->storage[1], "containers.json",
	    "[{\"id\":\"" ID_B "\",\"names\":[\"other\"]},{\"id\":\"" ID_A "\",\"names\":[\"web\"],\"metadata\":"
	    "\"{\\\"image-name\\\":\\\"docker.io/library/nginx:1\\\"}\"}]");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, NULL, NULL, "web", "docker.io/library/nginx:1");

	/* Quadlet: the bundle names the payload below the unit, so that it is believed there. */
	put(f->storage[1], ID_A "/userdata/config.json",
	    BUNDLE("/system.slice/web.service/libpod-payload-" ID_A, "\"annotations\":{}"));
	unit = parse("/system.slice/web.service/libpod-payload-" ID_A);
	assert_int_equal(rf_runtime_enrich(unit, &f->paths), 0);
	check_names(unit, NULL, NULL, "web", "docker.io/library/nginx:1");
	rf_identity_free(unit);
	unit = parse("/system.slice/other.service/libpod-payload-" ID_A);
	assert_int_equal(rf_runtime_enrich(unit, &f->paths), -ESTALE);
	check_names(unit, NULL, NULL, NULL, NULL);
}

#define ROOTLESS(uid) "/user.slice/user-" uid ".slice/user@" uid ".service/user.slice/libpod-" ID_A ".scope/container"
#define HOME_STORAGE  ".local/share/containers/storage/overlay-containers/"

static void put_rootless(struct fixture *f)
{
	char text[256];

	snprintf(text, sizeof(text), "root:x:0:0::/nowhere:/bin/sh\nu:x:4242:4242::%s:/bin/sh\n", f->home);
	put(f->dir, "passwd", text);
	put(f->home, HOME_STORAGE ID_A "/userdata/config.json",
	    BUNDLE("user.slice:libpod:" ID_A, "\"annotations\":{\"a\":\"b\"}"));
	put(f->home, HOME_STORAGE "containers.json", "[{\"id\":\"" ID_A "\",\"names\":[\"mine\"]}]");
}

static void rootless_podman_is_found_in_its_users_home(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(ROOTLESS("4242"));
	struct fixture *f = *state;
	char path[512];

	put_rootless(f);
	if (geteuid()) {
		print_message("needs root: the files must belong to another user\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/%s", f->home, HOME_STORAGE ID_A "/userdata/config.json");
	assert_int_equal(chown(path, 4242, 4242), 0);
	snprintf(path, sizeof(path), "%s/%s", f->home, HOME_STORAGE "containers.json");
	assert_int_equal(chown(path, 4242, 4242), 0);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, NULL, NULL, "mine", NULL);
	check_text(rf_labels_get(id->annotations, id->n_annotations, "a"), "b");
}

static void a_file_in_a_home_that_belongs_to_another_is_refused(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(ROOTLESS("4242")), *stranger = parse(ROOTLESS("77"));
	struct fixture *f = *state;

	put_rootless(f);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -EPERM);
	check_names(id, NULL, NULL, NULL, NULL);
	assert_int_equal(rf_runtime_enrich(stranger, &f->paths), 0);
	check_names(stranger, NULL, NULL, NULL, NULL);
}

static void the_log_directory_names_a_pod_when_nothing_else_does(void **state)
{
	_cleanup_identity_ struct rf_identity *pod = parse(POD), *container = parse(KUBE_CONTAINERD);
	_cleanup_identity_ struct rf_identity *other = parse("/kubepods/pod" UID_O),
					      *nested = parse("/docker/" ID_B "/kubepods/pod" UID_D);
	struct fixture *f = *state;

	put(f->pod_logs, "_" UID_D "/x", "");
	put(f->pod_logs, "a_b_c_" UID_D "/x", "");
	put(f->pod_logs, "ml_train-0_" UID_D "/trainer/0.log", "");
	assert_int_equal(rf_runtime_enrich(pod, &f->paths), 0);
	check_names(pod, "ml", "train-0", NULL, NULL);
	assert_int_equal(rf_runtime_enrich(container, &f->paths), 0);
	check_names(container, "ml", "train-0", NULL, NULL);
	assert_int_equal(rf_runtime_enrich(other, &f->paths), 0);
	check_names(other, NULL, NULL, NULL, NULL);
	assert_int_equal(rf_runtime_enrich(nested, &f->paths), 0);
	check_names(nested, NULL, NULL, NULL, NULL);
}

static void malformed_files_are_reported_and_what_was_known_is_kept(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "null",
					   "1",
					   "{} x",
					   "{\"annotations\":[]}",
					   "{\"annotations\":{\"a\":1}}",
					   "{\"annotations\":{\"io.kubernetes.cri-o.Labels\":\"{\"}}" };
	struct fixture *f = *state;

	put(f->pod_logs, "ml_train-0_" UID_D "/x", "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);

		put(f->containerd[0], "k8s.io/" ID_A "/config.json", bad[i]);
		assert_int_equal(rf_runtime_enrich(id, &f->paths), -EBADMSG);
		check_text(id->pod_uid, UID_D);
		check_names(id, "ml", "train-0", NULL, NULL);
	}
}

static void one_bad_annotation_does_not_hide_the_others(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json",
	    BUNDLE(POD_SLICE ":cri-containerd:" ID_A,
		   "\"annotations\":{\"x\":7,\"io.kubernetes.cri.sandbox-name\":\"train-0\"}"));
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -EBADMSG);
	check_names(id, NULL, "train-0", NULL, NULL);
	assert_int_equal(id->n_annotations, 1);
}

static void put_padded(struct fixture *f, size_t size)
{
	_cleanup_free_ char *text = malloc(size);

	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text + size - strlen(CRI_BUNDLE), CRI_BUNDLE, strlen(CRI_BUNDLE));
	put_bytes(f->containerd[0], "k8s.io/" ID_A "/config.json", text, size);
}

static void a_bundle_is_read_at_its_limit_and_refused_past_it(void **state)
{
	_cleanup_identity_ struct rf_identity *fits = parse(KUBE_CONTAINERD), *past = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put_padded(f, RF_RUNTIME_BUNDLE_MAX);
	assert_int_equal(rf_runtime_enrich(fits, &f->paths), 0);
	check_text(fits->pod_name, "train-0");
	put_padded(f, RF_RUNTIME_BUNDLE_MAX + 1);
	assert_int_equal(rf_runtime_enrich(past, &f->paths), -EFBIG);
	assert_null(past->pod_name);
}

static void symbolic_links_below_a_root_are_refused(void **state)
{
	_cleanup_identity_ struct rf_identity *file = parse(KUBE_CONTAINERD), *dir = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;
	char path[512], target[512];

	put(f->dir, "elsewhere/config.json", CRI_BUNDLE);
	put(f->containerd[0], "k8s.io/" ID_A "/x", "");
	snprintf(target, sizeof(target), "%s/elsewhere/config.json", f->dir);
	snprintf(path, sizeof(path), "%s/k8s.io/" ID_A "/config.json", f->containerd[0]);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(rf_runtime_enrich(file, &f->paths), -ELOOP);
	assert_null(file->pod_name);

	snprintf(path, sizeof(path), "%s/k8s.io/" ID_A, f->containerd[0]);
	remove_tree(path);
	snprintf(target, sizeof(target), "%s/elsewhere", f->dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(rf_runtime_enrich(dir, &f->paths), -ELOOP);
	assert_null(dir->pod_name);
}

static void a_root_may_be_a_symbolic_link(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->dir, "data/k8s.io/" ID_A "/config.json", CRI_BUNDLE);
	assert_int_equal(symlink("data", f->containerd[0]), 0);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_text(id->pod_name, "train-0");
}

static void a_fifo_is_refused_without_waiting(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;
	char path[512];

	put(f->containerd[0], "k8s.io/" ID_A "/x", "");
	snprintf(path, sizeof(path), "%s/k8s.io/" ID_A "/config.json", f->containerd[0]);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), -EINVAL);
}

static void what_is_known_is_never_replaced(void **state)
{
	_cleanup_identity_ struct rf_identity *id = parse(KUBE_CONTAINERD);
	struct fixture *f = *state;

	put(f->containerd[0], "k8s.io/" ID_A "/config.json", CRI_BUNDLE);
	id->pod_name = strdup("known");
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	assert_int_equal(rf_runtime_enrich(id, &f->paths), 0);
	check_names(id, "ml", "known", "trainer", "registry.example/train:1.2");
	assert_int_equal(id->n_annotations, 6);
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(nothing_on_disk_is_no_error),
		t(a_containerd_bundle_names_pod_container_and_image),
		t(the_cgroupfs_driver_and_a_second_root_are_found_too),
		t(a_sandbox_is_no_container_of_its_pod),
		t(a_bundle_of_another_cgroup_is_not_believed),
		t(a_bundle_of_another_pod_is_not_believed),
		t(a_delegated_cgroup_cannot_borrow_a_container),
		t(crio_tells_the_pods_labels_through_its_sandbox),
		t(a_sandbox_of_another_pod_gives_no_labels),
		t(docker_tells_name_image_and_labels),
		t(docker_below_kubernetes_tells_the_pod),
		t(dockers_file_of_another_container_is_not_believed),
		t(a_bare_id_gets_its_runtime_from_where_it_is_found),
		t(podman_tells_name_and_image_in_its_list),
		t(rootless_podman_is_found_in_its_users_home),
		t(a_file_in_a_home_that_belongs_to_another_is_refused),
		t(the_log_directory_names_a_pod_when_nothing_else_does),
		t(malformed_files_are_reported_and_what_was_known_is_kept),
		t(one_bad_annotation_does_not_hide_the_others),
		t(a_bundle_is_read_at_its_limit_and_refused_past_it),
		t(symbolic_links_below_a_root_are_refused),
		t(a_root_may_be_a_symbolic_link),
		t(a_fifo_is_refused_without_waiting),
		t(what_is_known_is_never_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
