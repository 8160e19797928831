// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * opencl_probe N FILE: once there is the file, makes a buffer of a million
 * numbers on the first device that an OpenCL runtime has, adds to them N times
 * by a kernel, each waited for, reads them back, and says whether they are right.
 * Without the SDK: the few declarations are those of the specification.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NUMBERS	   1000000
#define DEVICE_ALL 0xffffffffULL
#define READ_WRITE 1ULL
#define BLOCKING   1u
#define NO_RUNTIME 77 /* as automake has it: skipped */

static void *library;

static void *need(const char *name)
{
	void *p = dlsym(library, name);

	if (!p) {
		fprintf(stderr, "opencl_probe: %s\n", dlerror());
		exit(2);
	}
	return p;
}

static void check(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "opencl_probe: %s: %d\n", what, r);
	exit(1);
}

static const char source[] = "kernel void add(global int *x) { x[get_global_id(0)] += 3; }";

int main(int argc, char **argv)
{
	void *platform, *device, *context, *queue, *program, *kernel, *buffer;
	const char *text = source;
	size_t size = NUMBERS;
	int *numbers = calloc(NUMBERS, sizeof(*numbers)), r, n = argc > 2 ? atoi(argv[1]) : 0;
	unsigned int found = 0;

	library = dlopen("libOpenCL.so.1", RTLD_NOW);
	if (!library || !numbers || argc < 3) {
		fprintf(stderr, "opencl_probe: %s\n", library ? "N FILE" : dlerror());
		return NO_RUNTIME;
	}
	while (access(argv[2], F_OK) < 0)
		usleep(10000);
	r = ((int (*)(unsigned int, void **, unsigned int *))need("clGetPlatformIDs"))(1, &platform, &found);
	if (r || !found)
		return NO_RUNTIME;
	check(((int (*)(void *, uint64_t, unsigned int, void **, unsigned int *))need("clGetDeviceIDs"))(
		      platform, DEVICE_ALL, 1, &device, &found),
	      "clGetDeviceIDs");
	context = ((void *(*)(void *, unsigned int, void **, void *, void *, int *))need("clCreateContext"))(
		NULL, 1, &device, NULL, NULL, &r);
	check(r, "clCreateContext");
	queue = ((void *(*)(void *, void *, uint64_t, int *))need("clCreateCommandQueue"))(context, device, 0, &r);
	check(r, "clCreateCommandQueue");
	program = ((void *(*)(void *, unsigned int, const char **, const size_t *, int *))need(
		"clCreateProgramWithSource"))(context, 1, &text, NULL, &r);
	check(r, "clCreateProgramWithSource");
	check(((int (*)(void *, unsigned int, void **, const char *, void *, void *))need("clBuildProgram"))(
		      program, 0, NULL, NULL, NULL, NULL),
	      "clBuildProgram");
	kernel = ((void *(*)(void *, const char *, int *))need("clCreateKernel"))(program, "add", &r);
	check(r, "clCreateKernel");
	buffer = ((void *(*)(void *, uint64_t, size_t, void *, int *))need("clCreateBuffer"))(
		context, READ_WRITE, NUMBERS * sizeof(*numbers), NULL, &r);
	check(r, "clCreateBuffer");
	check(((int (*)(void *, void *, unsigned int, size_t, size_t, const void *, unsigned int, void *, void *))need(
		      "clEnqueueWriteBuffer"))(queue, buffer, BLOCKING, 0, NUMBERS * sizeof(*numbers), numbers, 0, NULL,
					       NULL),
	      "clEnqueueWriteBuffer");
	check(((int (*)(void *, unsigned int, size_t, const void *))need("clSetKernelArg"))(kernel, 0, sizeof(buffer),
											    &buffer),
	      "clSetKernelArg");
	for (int i = 0; i < n; i++) {
		check(((int (*)(void *, void *, unsigned int, const size_t *, const size_t *, const size_t *,
				unsigned int, void *, void *))need("clEnqueueNDRangeKernel"))(
			      queue, kernel, 1, NULL, &size, NULL, 0, NULL, NULL),
		      "clEnqueueNDRangeKernel");
		check(((int (*)(void *))need("clFinish"))(queue), "clFinish");
	}
	check(((int (*)(void *, void *, unsigned int, size_t, size_t, void *, unsigned int, void *, void *))need(
		      "clEnqueueReadBuffer"))(queue, buffer, BLOCKING, 0, NUMBERS * sizeof(*numbers), numbers, 0, NULL,
					      NULL),
	      "clEnqueueReadBuffer");
	for (int i = 0; i < NUMBERS; i++)
		if (numbers[i] != 3 * n)
			return 1;
	printf("right\n");
	return 0;
}
