// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cuda_probe LIBRARY STEP...: opens the library as a program of CUDA's does and
 * does each step; then says how many launches it made, how much they took of
 * the device by what they asked for, and how long all of it took, in ns.
 *
 *	launch:NS graph:NS alloc:BYTES copy:BYTES queue:BYTES sync query bad
 *	times:N:STEP	the step N times; "+" between steps that belong together
 *	for:MS:STEP	likewise, as long
 *	resolve		launches from here on by what cuGetProcAddress() gives
 *	ask		asks for that, and does nothing with it
 *	version		which is no launch
 *	runtime		launches from here on by cudaLaunchKernel(), linked into this program
 *	wait:FILE	until there is one
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int launch_fn(void *f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
		      unsigned int bz, unsigned int shared, void *stream, void **params, void **extra);

static void *library;
static launch_fn *launch, *driver_launch;
static uint64_t launches, asked_ns;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void *need(const char *name)
{
	void *p = dlsym(library, name);

	if (!p) {
		fprintf(stderr, "cuda_probe: %s\n", dlerror());
		exit(2);
	}
	return p;
}

/* As libcudart_static.a has it: the program's own symbol, which calls the driver. */
int cudaLaunchKernel(void *f, uint64_t grid_xy, unsigned int grid_z, uint64_t block_xy, unsigned int block_z,
		     void **params, size_t shared, void *stream);
__attribute__((noinline)) int cudaLaunchKernel(void *f, uint64_t grid_xy, unsigned int grid_z, uint64_t block_xy,
					       unsigned int block_z, void **params, size_t shared, void *stream)
{
	int r = driver_launch(f, (unsigned int)grid_xy, 1, grid_z, (unsigned int)block_xy, 1, block_z,
			      (unsigned int)shared, stream, params, NULL);

	/* So that this is no jump to the driver's function, whose return would be this one's. */
	__asm__ volatile("" : "+r"(r));
	return r;
}

static int runtime_launch(void *f, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int bx, unsigned int by,
			  unsigned int bz, unsigned int shared, void *stream, void **params, void **extra)
{
	(void)gy, (void)by, (void)extra;
	return cudaLaunchKernel(f, gx, gz, bx, bz, params, shared, stream);
}

static void step(const char *text);

static void steps(const char *text)
{
	char *copy = strdup(text);

	for (char *save = NULL, *one = strtok_r(copy, "+", &save); one; one = strtok_r(NULL, "+", &save))
		step(one);
	free(copy);
}

static void step(const char *text)
{
	const char *colon = strchr(text, ':'), *rest = colon ? strchr(colon + 1, ':') : NULL;
	uint64_t n = colon ? strtoull(colon + 1, NULL, 10) : 0, until;
	uint64_t address;
	void *given;
	int version;

	if (!strncmp(text, "launch:", 7)) {
		launches++;
		asked_ns += n;
		launch((void *)(uintptr_t)n, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	} else if (!strcmp(text, "bad")) {
		launch(NULL, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
	} else if (!strncmp(text, "graph:", 6)) {
		launches++;
		asked_ns += n;
		((int (*)(void *, void *))need("cuGraphLaunch"))((void *)(uintptr_t)n, NULL);
	} else if (!strncmp(text, "alloc:", 6)) {
		((int (*)(uint64_t *, size_t))need("cuMemAlloc_v2"))(&address, n);
	} else if (!strncmp(text, "copy:", 5)) {
		((int (*)(uint64_t, const void *, size_t))need("cuMemcpyHtoD_v2"))(1, text, n);
	} else if (!strncmp(text, "queue:", 6)) {
		((int (*)(uint64_t, const void *, size_t, void *))need("cuMemcpyHtoDAsync_v2"))(1, text, n, NULL);
	} else if (!strcmp(text, "sync")) {
		((int (*)(void *))need("cuStreamSynchronize"))(NULL);
	} else if (!strcmp(text, "query")) {
		while (((int (*)(void *))need("cuStreamQuery"))(NULL))
			usleep(1000);
	} else if (!strcmp(text, "resolve")) {
		((int (*)(const char *, void **, int, uint64_t, int *))need("cuGetProcAddress_v2"))(
			"cuLaunchKernel", (void **)&launch, 12000, 0, NULL);
	} else if (!strcmp(text, "ask")) {
		((int (*)(const char *, void **, int, uint64_t, int *))need("cuGetProcAddress_v2"))(
			"cuLaunchKernel", &given, 12000, 0, NULL);
	} else if (!strcmp(text, "version")) {
		((int (*)(int *))need("cuDriverGetVersion"))(&version);
	} else if (!strcmp(text, "runtime")) {
		launch = runtime_launch;
	} else if (!strncmp(text, "wait:", 5)) {
		while (access(colon + 1, F_OK) < 0)
			usleep(10000);
	} else if (!strncmp(text, "times:", 6) && rest) {
		for (uint64_t i = 0; i < n; i++)
			steps(rest + 1);
	} else if (!strncmp(text, "for:", 4) && rest) {
		until = now() + n * 1000000ULL;
		while (now() < until)
			steps(rest + 1);
	} else {
		fprintf(stderr, "cuda_probe: no step %s\n", text);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	uint64_t begun;

	if (argc < 2 || !(library = dlopen(argv[1], RTLD_NOW))) {
		fprintf(stderr, "cuda_probe: %s\n", argc < 2 ? "LIBRARY STEP..." : dlerror());
		return 2;
	}
	if (((int (*)(unsigned int))need("cuInit"))(0))
		return 3;
	launch = driver_launch = need("cuLaunchKernel");
	begun = now();
	for (int i = 2; i < argc; i++)
		step(argv[i]);
	printf("launches %" PRIu64 " asked %" PRIu64 " elapsed %" PRIu64 "\n", launches, asked_ns, now() - begun);
	return 0;
}
