// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for the CUDA driver library: its functions' names and signatures as
 * NVIDIA's documentation of the driver API has them, and a device that is a
 * clock. A kernel is its length in nanoseconds; the device works on one after
 * the other, whichever process they are of, when RF_CUDA_DEVICE names a file
 * that they share. Of a module's kernel the length is its second parameter.
 * When RF_CUDA_NODE names a file, whoever may not open it has no device. When
 * RF_CUDA_LIES is set, cuGetProcAddress() gives something else for a launch.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cuda_device.h"

#define EXPORT __attribute__((visibility("default")))

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, NOT_FOUND = 500, NOT_READY = 600 };
#define MEMORY	 (1ULL << 30)
#define MEMORIES 64 /* whose size is known */

static struct cuda_device *device;
static struct cuda_process *self; /* NULL: it has made no context */
static uint64_t mine;		  /* when the last that this process has handed over is done */
static size_t memories[MEMORIES]; /* by address, from 1 on */
static int module;		  /* what a handle of a module, and of its kernel, points to */

int cuInit(unsigned int flags);
int cuLaunchKernel(void *f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
		   unsigned int bz, unsigned int shared, void *stream, void **params, void **extra);
int cuGraphLaunch(void *graph, void *stream);
int cuMemAlloc_v2(uint64_t *ret, size_t bytes);
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes);
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream);
int cuStreamSynchronize(void *stream);
int cuCtxSynchronize(void);
int cuStreamQuery(void *stream);
int cuGetProcAddress_v2(const char *name, void **ret, int version, uint64_t flags, int *status);
int cuDriverGetVersion(int *ret);
int cuGetErrorName(int error, const char **ret);
int cuDeviceGet(int *ret, int ordinal);
int cuDeviceGetName(char *name, int len, int device);
int cuDeviceGetPCIBusId(char *address, int len, int device);
int cuDevicePrimaryCtxRetain(void **ret, int device);
int cuCtxSetCurrent(void *context);
int cuModuleLoadData(void **ret, const void *image);
int cuModuleGetFunction(void **ret, void *of, const char *name);
int cuMemFree_v2(uint64_t address);
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes);
int cuEventCreate(void **ret, unsigned int flags);
int cuEventRecord(void *event, void *stream);
int cuEventSynchronize(void *event);
int cuEventElapsedTime(float *ms, void *from, void *to);

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void submit(uint64_t ns)
{
	uint64_t before = __atomic_load_n(&device->until_ns, __ATOMIC_RELAXED), after;

	do {
		uint64_t begin = now();

		after = (before > begin ? before : begin) + ns;
	} while (
		!__atomic_compare_exchange_n(&device->until_ns, &before, after, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	mine = after;
	if (!self)
		return;
	__atomic_store_n(&self->until_ns, mine, __ATOMIC_RELAXED);
	__atomic_fetch_add(&self->asked_ns, ns, __ATOMIC_RELAXED);
}

static int wait_until(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000ULL), .tv_nsec = (long)(ns % 1000000000ULL) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	return SUCCESS;
}

static int wait_all(void)
{
	return wait_until(mine);
}

static int may_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC), error = errno;

	if (fd >= 0)
		close(fd);
	return fd >= 0 || error != EPERM;
}

EXPORT int cuInit(unsigned int flags)
{
	const char *path = getenv("RF_CUDA_DEVICE"), *node = getenv("RF_CUDA_NODE");
	static struct cuda_device alone;
	int fd;

	device = &alone;
	if (node && !may_open(node))
		return NO_DEVICE;
	if (!path)
		return flags ? INVALID_VALUE : SUCCESS;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(*device)) < 0)
		return NOT_FOUND;
	device = mmap(NULL, sizeof(*device), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return device == MAP_FAILED ? NOT_FOUND : SUCCESS;
}

static int launch(const void *f, unsigned int blocks, void **params)
{
	if (!f || !blocks)
		return INVALID_VALUE;
	submit(f == &module ? *(uint64_t *)params[1] : (uintptr_t)f);
	return SUCCESS;
}

/* What cuGetProcAddress() gives is not what the symbol is. */
static __attribute__((noinline)) int launch_inside(void *f, unsigned int gx, unsigned int gy, unsigned int gz,
						   unsigned int bx, unsigned int by, unsigned int bz,
						   unsigned int shared, void *stream, void **params, void **extra)
{
	(void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)stream, (void)extra;
	return launch(f, gx, params);
}

EXPORT int cuLaunchKernel(void *f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
			  unsigned int bz, unsigned int shared, void *stream, void **params, void **extra)
{
	(void)gy, (void)gz, (void)bx, (void)by, (void)bz, (void)shared, (void)stream, (void)extra;
	return launch(f, gx, params);
}

EXPORT int cuGraphLaunch(void *graph, void *stream)
{
	(void)stream;
	submit((uintptr_t)graph);
	return SUCCESS;
}

EXPORT int cuMemAlloc_v2(uint64_t *ret, size_t bytes)
{
	uint64_t at = 1;

	if (bytes > MEMORY)
		return OUT_OF_MEMORY;
	while (at < MEMORIES && memories[at])
		at++;
	*ret = at;
	if (at < MEMORIES)
		memories[at] = bytes;
	if (self && at < MEMORIES)
		__atomic_fetch_add(&self->bytes, bytes, __ATOMIC_RELAXED);
	return SUCCESS;
}

EXPORT int cuMemFree_v2(uint64_t address)
{
	if (address >= MEMORIES || !memories[address])
		return INVALID_VALUE;
	if (self)
		__atomic_fetch_sub(&self->bytes, memories[address], __ATOMIC_RELAXED);
	memories[address] = 0;
	return SUCCESS;
}

EXPORT int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes)
{
	(void)to, (void)from;
	submit(bytes);
	return wait_all();
}

EXPORT int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes)
{
	(void)to;
	return cuMemcpyHtoD_v2(from, NULL, bytes);
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream)
{
	(void)to, (void)from, (void)stream;
	submit(bytes);
	return SUCCESS;
}

EXPORT int cuStreamSynchronize(void *stream)
{
	(void)stream;
	return wait_all();
}

EXPORT int cuCtxSynchronize(void)
{
	return wait_all();
}

EXPORT int cuStreamQuery(void *stream)
{
	(void)stream;
	return now() < mine ? NOT_READY : SUCCESS;
}

/* ---- devices, modules, events ---- */

EXPORT int cuDriverGetVersion(int *ret)
{
	*ret = 12000;
	return SUCCESS;
}

EXPORT int cuGetErrorName(int error, const char **ret)
{
	*ret = error == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : NULL;
	return *ret ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuDeviceGet(int *ret, int ordinal)
{
	*ret = ordinal;
	return ordinal ? INVALID_VALUE : SUCCESS;
}

static int text_give(char *to, int len, const char *text)
{
	if (len <= 0 || strlen(text) >= (size_t)len)
		return INVALID_VALUE;
	memcpy(to, text, strlen(text) + 1);
	return SUCCESS;
}

EXPORT int cuDeviceGetName(char *name, int len, int of)
{
	(void)of;
	return text_give(name, len, "a clock");
}

EXPORT int cuDeviceGetPCIBusId(char *address, int len, int of)
{
	(void)of;
	return text_give(address, len, "0000:3B:00.0");
}

/* A place in the file: one that nobody has had, or whose process has ended. */
EXPORT int cuDevicePrimaryCtxRetain(void **ret, int of)
{
	(void)of;
	*ret = &module;
	for (int i = 0; i < CUDA_PROCESSES && !self; i++) {
		struct cuda_process *p = &device->processes[i];
		uint32_t pid = __atomic_load_n(&p->pid, __ATOMIC_RELAXED);

		if (pid && kill((pid_t)pid, 0) == 0)
			continue;
		if (!__atomic_compare_exchange_n(&p->pid, &pid, (uint32_t)getpid(), 0, __ATOMIC_RELAXED,
						 __ATOMIC_RELAXED))
			continue;
		self = p;
		p->until_ns = p->asked_ns = 0;
		p->bytes = CUDA_CONTEXT_BYTES;
	}
	return self ? SUCCESS : OUT_OF_MEMORY;
}

EXPORT int cuCtxSetCurrent(void *context)
{
	return context == &module ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuModuleLoadData(void **ret, const void *image)
{
	*ret = &module;
	return strstr(image, ".entry") ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuModuleGetFunction(void **ret, void *of, const char *name)
{
	(void)name;
	*ret = of;
	return SUCCESS;
}

EXPORT int cuEventCreate(void **ret, unsigned int flags)
{
	*ret = calloc(1, sizeof(uint64_t));
	return *ret && !flags ? SUCCESS : INVALID_VALUE;
}

EXPORT int cuEventRecord(void *event, void *stream)
{
	uint64_t t = now();

	(void)stream;
	*(uint64_t *)event = t > mine ? t : mine;
	return SUCCESS;
}

EXPORT int cuEventSynchronize(void *event)
{
	return wait_until(*(uint64_t *)event);
}

EXPORT int cuEventElapsedTime(float *ms, void *from, void *to)
{
	*ms = (float)((double)(*(uint64_t *)to - *(uint64_t *)from) / 1e6);
	return SUCCESS;
}

/* What a hostile library would have others find probed. */
static void *lie(const char *what)
{
	if (!strcmp(what, "libc"))
		return (void *)qsort;
	if (!strcmp(what, "middle"))
		return (char *)launch_inside + 1;
	return (void *)cuDriverGetVersion;
}

EXPORT int cuGetProcAddress_v2(const char *name, void **ret, int version, uint64_t flags, int *status)
{
	static const struct {
		const char *name;
		void *function;
	} functions[] = {
		{ "cuLaunchKernel", (void *)launch_inside },
		{ "cuStreamSynchronize", (void *)cuStreamSynchronize },
		{ "cuCtxSynchronize", (void *)cuCtxSynchronize },
		{ "cuEventSynchronize", (void *)cuEventSynchronize },
		{ "cuMemAlloc", (void *)cuMemAlloc_v2 },
		{ "cuMemcpyHtoD", (void *)cuMemcpyHtoD_v2 },
		{ "cuMemcpyDtoH", (void *)cuMemcpyDtoH_v2 },
		{ "cuMemcpyHtoDAsync", (void *)cuMemcpyHtoDAsync_v2 },
	};

	(void)version, (void)flags, (void)status;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (strcmp(name, functions[i].name) != 0)
			continue;
		*ret = functions[i].function;
		if (!i && getenv("RF_CUDA_LIES"))
			*ret = lie(getenv("RF_CUDA_LIES"));
		return SUCCESS;
	}
	return NOT_FOUND;
}
