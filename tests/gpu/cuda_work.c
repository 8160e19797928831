// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cuda_work [--library FILE] STEP...: a program of CUDA's driver API that knows
 * what it has done: how often it called what, how many bytes, and how long the
 * device worked for it by the device's own clock. Says so at the end, one line
 * a kind of call, as `ringfence accel --json` names them.
 *
 *	init		the first device, a context, the kernel; alone of these needs none before it
 *	rate:N		how many turns of the kernel's loop are a millisecond
 *	calibrate	find that out, and say it
 *	timed:US	a kernel of that length, waited for, its time taken by events
 *	launch:US	one that is not waited for
 *	bad		one that should fail: of no blocks
 *	alloc:BYTES free huge	memory; the last that is there; more than any device has, so that it fails
 *	put:BYTES get:BYTES queue:BYTES		copies to, from, and to the last memory; the last is not waited for
 *	sync finish	wait for the stream, for the context
 *	resolve		call what cuGetProcAddress() gives from here on
 *	cost:N		N empty kernels: what a launch takes of the caller
 *	times:N:STEP for:MS:STEP	so often, so long; "+" between steps that belong together
 *	wait:FILE sleep:MS say:TEXT	until there is one; ...
 *	tell		how many kernels there were so far, and what they took; at the end, too
 *	ptx		the kernel's text
 *
 * Exits with 3 where CUDA has no device for it, with 2 where it has no library.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/gpu/cuda.h"
#include "tests/gpu/kernel.h"
#include "user/lib/util.h"

#define NS_PER_MS     1000000ULL
#define API_VERSION   12000 /* CUDA 12.0, that cuGetProcAddress_v2() came with */
#define MEMORIES      16
#define BATCH	      256 /* launches: fewer than any driver queues */
#define CALIBRATE_MS  20
#define CALIBRATE_TRY 9
#define HUGE_BYTES    (1ULL << 50)

enum kind { LAUNCH, COPY, ALLOC, SYNCHRONIZE, KINDS };

static const char *const kind_names[] = { "launch", "copy", "alloc", "synchronize" };
_Static_assert(ARRAY_SIZE(kind_names) == KINDS, "a kind of call has no name");

static struct cuda cuda;
static struct {
	uint64_t calls, failures, bytes;
} told[KINDS];
static void *library;
static cuda_function function;
static cuda_event begin, end;
static cuda_pointer out;
static struct {
	cuda_pointer at;
	size_t bytes;
} memories[MEMORIES];
static size_t n_memories;
static uint64_t rate; /* turns a millisecond */
static uint64_t kernels, kernel_ns, for_ns;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void fail(const char *what, int result) __attribute__((noreturn));
static void fail(const char *what, int result)
{
	const char *name = NULL;

	if (cuda.error_name)
		(void)cuda.error_name(result, &name);
	printf("failed %s: %d %s\n", what, result, name ? name : "");
	exit(3);
}

static void check(const char *what, int result)
{
	if (result)
		fail(what, result);
}

static void wrong(const char *what) __attribute__((noreturn));
static void wrong(const char *what)
{
	fprintf(stderr, "cuda_work: %s\n", what);
	exit(4);
}

static int count(enum kind kind, int result, uint64_t bytes)
{
	told[kind].calls++;
	if (result)
		told[kind].failures++;
	else
		told[kind].bytes += bytes;
	return result;
}

static void library_open(const char *path)
{
	library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (!library) {
		printf("failed dlopen: %s\n", dlerror());
		exit(2);
	}
#define X(name, symbol, types)                                                \
	cuda.name = (int(*) types)dlsym(library, symbol);                     \
	if (!cuda.name) {                                                     \
		printf("failed dlsym: there is no %s in %s\n", symbol, path); \
		exit(2);                                                      \
	}
	CUDA_CALLS(X)
#undef X
}

/* ---- steps ---- */

static void alloc_step(const char *bytes)
{
	size_t n = strtoull(bytes, NULL, 10);

	if (n_memories == MEMORIES)
		wrong("too much memory");
	memories[n_memories].bytes = n;
	check("cuMemAlloc_v2", count(ALLOC, cuda.alloc(&memories[n_memories].at, n), n));
	n_memories++;
}

static void init_step(const char *nothing)
{
	char name[128] = "", address[32] = "";
	int version = 0, r = cuda.init(0);
	cuda_context context;
	cuda_module module;
	cuda_device device;

	(void)nothing;
	check("cuInit", r);
	check("cuDriverGetVersion", cuda.version(&version));
	check("cuDeviceGet", cuda.device_get(&device, 0));
	check("cuDeviceGetName", cuda.device_name(name, sizeof(name), device));
	check("cuDeviceGetPCIBusId", cuda.device_address(address, sizeof(address), device));
	check("cuDevicePrimaryCtxRetain", cuda.context_retain(&context, device));
	check("cuCtxSetCurrent", cuda.context_set(context));
	check("cuModuleLoadData", cuda.module_load(&module, kernel));
	check("cuModuleGetFunction", cuda.module_function(&function, module, "rf_work"));
	check("cuEventCreate", cuda.event_create(&begin, 0));
	check("cuEventCreate", cuda.event_create(&end, 0));
	check("cuMemAlloc_v2", count(ALLOC, cuda.alloc(&out, sizeof(uint64_t)), sizeof(uint64_t)));
	printf("device %s cuda %d %s\n", address, version, name);
}

static int launch(cuda_count blocks, uint64_t turns)
{
	void *parameters[] = { &out, &turns };

	if (!function)
		wrong("init comes first");
	return count(LAUNCH, cuda.launch(function, blocks, 1, 1, 1, 1, 1, 0, NULL, parameters, NULL), 0);
}

/* As the device's own clock has it. */
static uint64_t launch_timed(uint64_t turns)
{
	float ms = 0;

	check("cuEventRecord", cuda.event_record(begin, NULL));
	check("cuLaunchKernel", launch(1, turns));
	check("cuEventRecord", cuda.event_record(end, NULL));
	check("cuEventSynchronize", count(SYNCHRONIZE, cuda.event_wait(end), 0));
	check("cuEventElapsedTime", cuda.event_elapsed(&ms, begin, end));
	return (uint64_t)((double)ms * 1e6);
}

static uint64_t turns_of(const char *us)
{
	if (!rate)
		wrong("calibrate or rate comes first");
	return strtoull(us, NULL, 10) * rate / 1000;
}

static void timed_step(const char *us)
{
	kernel_ns += launch_timed(turns_of(us));
	kernels++;
}

static void launch_step(const char *us)
{
	check("cuLaunchKernel", launch(1, turns_of(us)));
	kernels++;
}

static void bad_step(const char *nothing)
{
	(void)nothing;
	printf("fails %d cuLaunchKernel of no blocks\n", launch(0, 1));
}

static void free_step(const char *nothing)
{
	(void)nothing;
	if (!n_memories)
		wrong("there is no memory to free");
	check("cuMemFree_v2", cuda.free(memories[--n_memories].at));
}

static void huge_step(const char *nothing)
{
	cuda_pointer at;

	(void)nothing;
	printf("fails %d cuMemAlloc_v2 of more than there is\n", count(ALLOC, cuda.alloc(&at, HUGE_BYTES), HUGE_BYTES));
}

enum copy { PUT, GET, QUEUE };

static void copy(enum copy how, const char *bytes)
{
	size_t n = strtoull(bytes, NULL, 10);
	void *host = calloc(1, n + 1);
	cuda_pointer at;
	int r;

	if (!host || !n_memories || memories[n_memories - 1].bytes < n)
		wrong("there is no memory of that size");
	at = memories[n_memories - 1].at;
	r = how == PUT ? cuda.put(at, host, n) : how == GET ? cuda.get(host, at, n) : cuda.queue(at, host, n, NULL);
	check("a copy", count(COPY, r, n));
	/* What is only queued may still be read. */
	if (how == QUEUE)
		check("cuStreamSynchronize", count(SYNCHRONIZE, cuda.stream_wait(NULL), 0));
	free(host);
}

static void put_step(const char *bytes)
{
	copy(PUT, bytes);
}

static void get_step(const char *bytes)
{
	copy(GET, bytes);
}

static void queue_step(const char *bytes)
{
	copy(QUEUE, bytes);
}

static void sync_step(const char *nothing)
{
	(void)nothing;
	check("cuStreamSynchronize", count(SYNCHRONIZE, cuda.stream_wait(NULL), 0));
}

static void finish_step(const char *nothing)
{
	(void)nothing;
	check("cuCtxSynchronize", count(SYNCHRONIZE, cuda.context_wait(), 0));
}

/* ---- what is measured ---- */

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The median of some, once the clocks are up: the first are of a device that slept. */
static void calibrate_step(const char *nothing)
{
	uint64_t turns = 1000, ns = 0, tries[CALIBRATE_TRY], until = now() + 500 * NS_PER_MS;

	(void)nothing;
	while (now() < until || ns < CALIBRATE_MS * NS_PER_MS) {
		ns = launch_timed(turns);
		if (ns < CALIBRATE_MS * NS_PER_MS)
			turns *= 2;
	}
	for (int i = 0; i < CALIBRATE_TRY; i++)
		tries[i] = launch_timed(turns);
	qsort(tries, CALIBRATE_TRY, sizeof(*tries), compare);
	rate = turns * NS_PER_MS / tries[CALIBRATE_TRY / 2];
	printf("rate %" PRIu64 " spread %" PRIu64 " %" PRIu64 "\n", rate, tries[0], tries[CALIBRATE_TRY - 1]);
}

static void rate_step(const char *turns)
{
	rate = strtoull(turns, NULL, 10);
}

/* What waits for room in the queue would be measured, too: so they are waited for, unmeasured, every so often. */
static void cost_step(const char *n)
{
	uint64_t left = strtoull(n, NULL, 10), all = left, ns = 0, best = UINT64_MAX;

	while (left) {
		uint64_t batch = MIN(left, (uint64_t)BATCH), begun = now(), took;

		for (uint64_t i = 0; i < batch; i++)
			check("cuLaunchKernel", launch(1, 0));
		took = now() - begun;
		ns += took;
		best = MIN(best, took / batch);
		left -= batch;
		check("cuStreamSynchronize", count(SYNCHRONIZE, cuda.stream_wait(NULL), 0));
	}
	printf("cost mean %" PRIu64 " best %" PRIu64 "\n", all ? ns / all : 0, best);
}

/* ---- what cuGetProcAddress() gives ---- */

static uint64_t offset_of(const void *address, char *name, size_t size)
{
	Dl_info info;

	if (!dladdr(address, &info))
		info = (Dl_info){ .dli_fname = "no library" };
	snprintf(name, size, "%s", strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname);
	return (uint64_t)((const char *)address - (const char *)info.dli_fbase);
}

/* Returns 1 where it is not the symbol's. */
static uint64_t resolve(const char *name, void **place)
{
	char was[256], is[256];
	uint64_t from = offset_of(*place, was, sizeof(was)), to;
	void *given = NULL;
	int status = 0;

	check("cuGetProcAddress_v2", cuda.resolve(name, &given, API_VERSION, 0, &status));
	if (!given)
		wrong("cuGetProcAddress_v2() gave nothing");
	to = offset_of(given, is, sizeof(is));
	printf("given %s %s+%#" PRIx64 ", its symbol is %s+%#" PRIx64 "\n", name, is, to, was, from);
	*place = given;
	return from != to || strcmp(was, is) != 0;
}

static void resolve_step(const char *nothing)
{
	uint64_t elsewhere = 0;

	(void)nothing;
	elsewhere += resolve("cuLaunchKernel", (void **)&cuda.launch);
	elsewhere += resolve("cuMemAlloc", (void **)&cuda.alloc);
	elsewhere += resolve("cuMemcpyHtoD", (void **)&cuda.put);
	elsewhere += resolve("cuMemcpyDtoH", (void **)&cuda.get);
	elsewhere += resolve("cuMemcpyHtoDAsync", (void **)&cuda.queue);
	elsewhere += resolve("cuStreamSynchronize", (void **)&cuda.stream_wait);
	elsewhere += resolve("cuCtxSynchronize", (void **)&cuda.context_wait);
	elsewhere += resolve("cuEventSynchronize", (void **)&cuda.event_wait);
	printf("elsewhere %" PRIu64 "\n", elsewhere);
}

/* ---- the order of things ---- */

static void wait_step(const char *path)
{
	while (access(path, F_OK) < 0)
		usleep(10000);
}

static void sleep_step(const char *ms)
{
	usleep((useconds_t)(strtoull(ms, NULL, 10) * 1000));
}

static void say_step(const char *text)
{
	puts(text);
}

static void tell_step(const char *nothing)
{
	(void)nothing;
	printf("kernels=%" PRIu64 " kernel_ns=%" PRIu64 " for_ns=%" PRIu64 "\n", kernels, kernel_ns, for_ns);
}

static void ptx_step(const char *nothing)
{
	(void)nothing;
	fputs(kernel, stdout);
}

static void times_step(const char *text);
static void for_step(const char *text);

static const struct {
	const char *name;
	void (*take)(const char *argument);
} steps[] = {
	{ "init", init_step },	 { "rate", rate_step },	    { "calibrate", calibrate_step },
	{ "timed", timed_step }, { "launch", launch_step }, { "bad", bad_step },
	{ "alloc", alloc_step }, { "free", free_step },	    { "huge", huge_step },
	{ "put", put_step },	 { "get", get_step },	    { "queue", queue_step },
	{ "sync", sync_step },	 { "finish", finish_step }, { "resolve", resolve_step },
	{ "cost", cost_step },	 { "times", times_step },   { "for", for_step },
	{ "wait", wait_step },	 { "sleep", sleep_step },   { "say", say_step },
	{ "ptx", ptx_step },	 { "tell", tell_step },
};

static void step(const char *text)
{
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (strlen(steps[i].name) == len && rf_strprefix(text, steps[i].name)) {
			steps[i].take(text + len + (text[len] == ':'));
			return;
		}
	wrong(text);
}

static void together(const char *text)
{
	char *all = strdup(text);

	for (char *save = NULL, *one = strtok_r(all, "+", &save); one; one = strtok_r(NULL, "+", &save))
		step(one);
	free(all);
}

/* "N:STEP" */
static uint64_t repeat(const char *text, const char **ret_what)
{
	char *rest;
	uint64_t n = strtoull(text, &rest, 10);

	if (*rest != ':')
		wrong(text);
	*ret_what = rest + 1;
	return n;
}

static void times_step(const char *text)
{
	const char *what;

	for (uint64_t n = repeat(text, &what); n; n--)
		together(what);
}

static void for_step(const char *text)
{
	const char *what;
	uint64_t ms = repeat(text, &what), begun = now();

	while (now() - begun < ms * NS_PER_MS)
		together(what);
	for_ns += now() - begun;
}

int main(int argc, char **argv)
{
	const char *path = "libcuda.so.1";
	int i = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && rf_streq(argv[1], "--library")) {
		path = argv[2];
		i = 3;
	}
	library_open(path);
	for (; i < argc; i++)
		step(argv[i]);
	for (i = 0; i < KINDS; i++)
		printf("%s calls=%" PRIu64 " failures=%" PRIu64 " bytes=%" PRIu64 "\n", kind_names[i], told[i].calls,
		       told[i].failures, told[i].bytes);
	tell_step(NULL);
	return 0;
}
