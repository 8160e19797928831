// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A library that answers as NVIDIA's would, by a text file beside it (its own
 * path with ".conf"), read at every call, so that a test can change devices
 * and processes, or let a call hang, crash, or refuse everything:
 *
 *	mode hang | crash | garbage | unsupported | skew | init=9
 *	mode write	the temperature is 1 when a file can be made in "../open" from there, else 2
 *	device pci=0x3b temp=41 power=300000 util=50 used=1000 reasons=4 mig=1 blackwell=1 accounting=1
 *	process device=0 pid=123 bytes=4096 sm=50 gi=1 ci=0 graphics=1
 *	ended device=0 pid=123 percent=50 time=2000 started=1700000000000000 peak=8192
 *	cuda PATH	the first device is that of tests/library/libcuda.c, in that file: its processes are on it
 *
 * Limits of memory are kept beside it (its own path with ".limits"), a line of the device's number, the directory, the
 * soft and the hard limit; with what "device" says it refuses to set one, hangs in that, or takes the next multiple:
 *
 *	device limit_refused=4 limit_hangs=1 limit_unit=1048576 limit_used=4096
 *
 * Values that are not given are 0; with "meter" the energy is that of the power since the host began. Built
 * with RF_OLD it is a library of years ago, with little in it, with RF_R610 one of before there were limits of memory.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/library/cuda_device.h"
#include "user/helper/gpu/nvml.h"

int nvmlInit_v2(void);
#ifndef RF_OLD

#define LINES 64

struct conf {
	char mode[32], cuda[256];
	char devices[LINES][256], processes[LINES][256], ended[LINES][256];
	size_t n_devices, n_processes, n_ended;
};

static void add(char to[LINES][256], size_t *n, const char *line)
{
	if (*n < LINES)
		snprintf(to[(*n)++], 256, " %s", line);
}

static struct conf conf_read(void)
{
	static struct conf c;
	char path[4096], line[256];
	Dl_info self;
	FILE *file;

	memset(&c, 0, sizeof(c));
	if (!dladdr((void *)conf_read, &self) && !dladdr((void *)nvmlInit_v2, &self))
		return c;
	snprintf(path, sizeof(path), "%s.conf", self.dli_fname);
	file = fopen(path, "re");
	if (!file)
		return c;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "mode ", 5))
			sscanf(line + 5, "%31s", c.mode);
		else if (!strncmp(line, "cuda ", 5))
			sscanf(line + 5, "%255s", c.cuda);
		else if (!strncmp(line, "device ", 7))
			add(c.devices, &c.n_devices, line + 7);
		else if (!strncmp(line, "process ", 8))
			add(c.processes, &c.n_processes, line + 8);
		else if (!strncmp(line, "ended ", 6))
			add(c.ended, &c.n_ended, line + 6);
	}
	fclose(file);
	return c;
}

/* " key=number" in @line, else @dflt. */
static unsigned long long number(const char *line, const char *key, unsigned long long dflt)
{
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), " %s=", key);
	at = strstr(line, word);
	return at ? strtoull(at + strlen(word), NULL, 0) : dflt;
}

/* What a call does in a mode that is not the usual; 0: answer. */
static int mode(const struct conf *c)
{
	if (!strcmp(c->mode, "hang"))
		for (;;)
			pause();
	if (!strcmp(c->mode, "crash"))
		abort();
	if (!strcmp(c->mode, "garbage")) {
		static const char garbage[4096] = "this is no message";

		if (write(STDOUT_FILENO, garbage, sizeof(garbage)) < 0)
			abort();
	}
	return strcmp(c->mode, "unsupported") ? 0 : NVML_NOT_SUPPORTED;
}

/* A handle is one more than the number of the device, and of an instance of it 256 times one more than its line's. */
static size_t device_of(nvml_device d)
{
	return ((size_t)d & 0xff) - 1;
}

#define ANSWER(d)                                           \
	struct conf c = conf_read();                        \
	int r = mode(&c);                                   \
	const char *line = c.devices[device_of(d) % LINES]; \
	if (r || device_of(d) >= c.n_devices)               \
	return r ? r : 15 /* NVML_ERROR_GPU_IS_LOST */

#define NUMBER(symbol, key)                         \
	int symbol(nvml_device d, unsigned int *v); \
	int symbol(nvml_device d, unsigned int *v)  \
	{                                           \
		ANSWER(d);                          \
		*v = number(line, key, 0);          \
		return 0;                           \
	}

#define LARGE(symbol, key)                                \
	int symbol(nvml_device d, unsigned long long *v); \
	int symbol(nvml_device d, unsigned long long *v)  \
	{                                                 \
		ANSWER(d);                                \
		*v = number(line, key, 0);                \
		return 0;                                 \
	}

int nvmlInit_v2(void)
{
	struct conf c = conf_read();
	int r = 0;

	(void)sscanf(c.mode, "init=%d", &r);
	return r;
}

int nvmlSystemGetDriverVersion(char *text, unsigned int len);
int nvmlSystemGetDriverVersion(char *text, unsigned int len)
{
	snprintf(text, len, "600.1.2");
	return 0;
}

int nvmlDeviceGetCount_v2(unsigned int *n);
int nvmlDeviceGetCount_v2(unsigned int *n)
{
	*n = conf_read().n_devices;
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int i, nvml_device *d);
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, nvml_device *d)
{
	*d = (nvml_device)(size_t)(i + 1);
	return 0;
}

int nvmlDeviceGetPciInfo_v3(nvml_device d, struct nvml_pci *pci);
int nvmlDeviceGetPciInfo_v3(nvml_device d, struct nvml_pci *pci)
{
	struct conf c = conf_read();

	pci->bus = number(c.devices[device_of(d)], "pci", 0);
	return 0;
}

NUMBER(nvmlDeviceGetPowerUsage, "power")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "limit")
LARGE(nvmlDeviceGetCurrentClocksEventReasons, "reasons")
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "width")
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "width_max")
NUMBER(nvmlDeviceGetAccountingMode, "accounting")
NUMBER(nvmlDeviceGetMaxMigDeviceCount, "mig_max")

/* mJ; with "meter", of mW for as long as the host is up. Older devices know none. */
int nvmlDeviceGetTotalEnergyConsumption(nvml_device d, unsigned long long *v);
int nvmlDeviceGetTotalEnergyConsumption(nvml_device d, unsigned long long *v)
{
	struct timespec up;

	ANSWER(d);
	clock_gettime(CLOCK_BOOTTIME, &up);
	*v = number(line, "energy", UINT64_MAX);
	if (number(line, "meter", 0))
		*v = number(line, "power", 0) * ((unsigned long long)up.tv_sec * 1000 + up.tv_nsec / 1000000) / 1000;
	return *v == UINT64_MAX ? NVML_NOT_SUPPORTED : 0;
}

int nvmlDeviceGetClockInfo(nvml_device d, int which, unsigned int *v);
int nvmlDeviceGetClockInfo(nvml_device d, int which, unsigned int *v)
{
	ANSWER(d);
	*v = number(line, which == 1 ? "clock" : "memclock", 0);
	return *v ? 0 : NVML_NOT_SUPPORTED;
}

static int may_write(void)
{
	char path[4096];
	Dl_info self;
	int fd;

	if (!dladdr((void *)nvmlInit_v2, &self))
		return 1;
	snprintf(path, sizeof(path), "%.*s/../open/file", (int)(strrchr(self.dli_fname, '/') - self.dli_fname),
		 self.dli_fname);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int nvmlDeviceGetTemperature(nvml_device d, int sensor, unsigned int *v);
int nvmlDeviceGetTemperature(nvml_device d, int sensor, unsigned int *v)
{
	ANSWER(d);
	*v = strcmp(c.mode, "write") ? number(line, "temp", 0) : may_write() ? 1 : 2;
	return sensor;
}

int nvmlDeviceGetUtilizationRates(nvml_device d, struct nvml_utilization *u);
int nvmlDeviceGetUtilizationRates(nvml_device d, struct nvml_utilization *u)
{
	ANSWER(d);
	u->gpu = number(line, "util", 0);
	return 0;
}

int nvmlDeviceGetMemoryInfo(nvml_device d, struct nvml_memory *m);
int nvmlDeviceGetMemoryInfo(nvml_device d, struct nvml_memory *m)
{
	ANSWER(d);
	m->total = 1ULL << 36;
	m->used = number(line, "used", 0) + 1000;
	return 0;
}

int nvmlDeviceGetMemoryInfo_v2(nvml_device d, struct nvml_memory_v2 *m);
int nvmlDeviceGetMemoryInfo_v2(nvml_device d, struct nvml_memory_v2 *m)
{
	ANSWER(d);
	if (!strcmp(c.mode, "skew") || m->version != NVML_VERSION(struct nvml_memory_v2, 2))
		return NVML_VERSION_MISMATCH;
	m->total = 1ULL << 36;
	m->used = number(line, "used", 0);
	return 0;
}

/* An error counter of ECC that fails, so that there is one call that does. */
int nvmlDeviceGetTotalEccErrors(nvml_device d, int type, int counter, unsigned long long *v);
int nvmlDeviceGetTotalEccErrors(nvml_device d, int type, int counter, unsigned long long *v)
{
	ANSWER(d);
	(void)type;
	(void)counter;
	*v = 0;
	return number(line, "ecc_fails", 0) ? 999 : 0; /* NVML_ERROR_UNKNOWN */
}

/* The aggregate of NVLink, and the memory's temperature; nothing else. */
int nvmlDeviceGetFieldValues(nvml_device d, int n, struct nvml_field *f);
int nvmlDeviceGetFieldValues(nvml_device d, int n, struct nvml_field *f)
{
	ANSWER(d);
	for (int i = 0; i < n; i++) {
		f[i].result = NVML_NOT_SUPPORTED;
		if (f[i].id == 82 || (f[i].id == 138 && f[i].scope == 0xffffffff)) {
			f[i].result = 0;
			f[i].type = f[i].id == 82 ? 1 : 3;
			f[i].value.ull = number(line, f[i].id == 82 ? "memtemp" : "nvlink_tx", 0);
		}
	}
	return 0;
}

int nvmlDeviceGetMigMode(nvml_device d, unsigned int *now, unsigned int *pending);
int nvmlDeviceGetMigMode(nvml_device d, unsigned int *now, unsigned int *pending)
{
	ANSWER(d);
	*now = *pending = number(line, "mig", 0);
	return 0;
}

/* An instance is a GPU instance's number. */
int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device d, unsigned int i, nvml_device *instance);
int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device d, unsigned int i, nvml_device *instance)
{
	ANSWER(d);
	(void)line;
	*instance = (nvml_device)((size_t)d | (size_t)(i + 1) << 8);
	return 0;
}

/* ---- the device of the CUDA that stands in ---- */

/* Those of it that live, on the first device. */
static size_t cuda_read(const struct conf *c, nvml_device d, struct cuda_process list[CUDA_PROCESSES])
{
	struct cuda_device device;
	size_t n = 0;
	ssize_t got;
	int fd;

	fd = *c->cuda && device_of(d) == 0 ? open(c->cuda, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 0;
	got = read(fd, &device, sizeof(device));
	close(fd);
	for (size_t i = 0; got == sizeof(device) && i < CUDA_PROCESSES; i++) {
		const struct cuda_process *p = &device.processes[i];

		if (p->pid && (kill((pid_t)p->pid, 0) == 0 || errno != ESRCH))
			list[n++] = *p;
	}
	return n;
}

static unsigned long long clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
}

/* What it was given of the device, as far as that is over. */
static unsigned long long cuda_done_us(const struct cuda_process *p, unsigned long long now_us)
{
	unsigned long long until_us = p->until_ns / 1000, left = until_us > now_us ? until_us - now_us : 0;

	return p->asked_ns / 1000 > left ? p->asked_ns / 1000 - left : 0;
}

/* One sample a process and call: the part of the time since the call before. */
static unsigned int cuda_samples(const struct conf *c, nvml_device d, struct nvml_sample *list, unsigned int room)
{
	static struct {
		unsigned int pid;
		unsigned long long at_us, done_us;
	} before[CUDA_PROCESSES];
	unsigned long long now_us = clock_us(CLOCK_MONOTONIC);
	struct cuda_process processes[CUDA_PROCESSES];
	size_t n = cuda_read(c, d, processes), i;
	unsigned int told = 0;

	for (size_t k = 0; k < n; k++) {
		unsigned long long done_us = cuda_done_us(&processes[k], now_us), percent;

		for (i = 0; i < CUDA_PROCESSES && before[i].pid && before[i].pid != processes[k].pid; i++)
			;
		if (i == CUDA_PROCESSES)
			continue;
		percent = before[i].pid && now_us > before[i].at_us && done_us > before[i].done_us ?
				  ((done_us - before[i].done_us) * 100 + 50) / (now_us - before[i].at_us) :
				  0;
		before[i].pid = processes[k].pid;
		before[i].at_us = now_us;
		before[i].done_us = done_us;
		if (percent && told < room)
			list[told++] = (struct nvml_sample){ .pid = processes[k].pid,
							     .time_us = clock_us(CLOCK_REALTIME),
							     .sm = percent > 100 ? 100 : (unsigned int)percent };
	}
	return told;
}

static int running(nvml_device d, unsigned int *n, struct nvml_process *list, unsigned long long graphics)
{
	struct cuda_process cuda[CUDA_PROCESSES];
	unsigned int room = *n, have = 0;
	size_t instance = (size_t)d >> 8, n_cuda;

	ANSWER(d);
	(void)line;
	n_cuda = graphics ? 0 : cuda_read(&c, d, cuda);
	for (size_t i = 0; i < n_cuda; i++, have++)
		if (have < room)
			list[have] = (struct nvml_process){ cuda[i].pid, cuda[i].bytes, 0xffffffff, 0xffffffff };
	for (size_t i = 0; i < c.n_processes; i++) {
		const char *p = c.processes[i];

		if (number(p, "device", 0) != device_of(d) || number(p, "graphics", 0) != graphics ||
		    (instance && number(p, "gi", 0) != instance - 1))
			continue;
		if (have < room)
			list[have] = (struct nvml_process){ number(p, "pid", 0), number(p, "bytes", -1ULL),
							    number(p, "gi", 0xffffffff), number(p, "ci", 0xffffffff) };
		have++;
	}
	*n = have;
	return have > room ? NVML_INSUFFICIENT_SIZE : 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device d, unsigned int *n, struct nvml_process *list);
int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device d, unsigned int *n, struct nvml_process *list)
{
	return running(d, n, list, 0);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(nvml_device d, unsigned int *n, struct nvml_process *list);
int nvmlDeviceGetGraphicsRunningProcesses_v3(nvml_device d, unsigned int *n, struct nvml_process *list)
{
	return running(d, n, list, 1);
}

int nvmlDeviceGetProcessUtilization(nvml_device d, struct nvml_sample *list, unsigned int *n, unsigned long long since);
int nvmlDeviceGetProcessUtilization(nvml_device d, struct nvml_sample *list, unsigned int *n, unsigned long long since)
{
	unsigned int room = *n;

	ANSWER(d);
	if (number(line, "blackwell", 0) || number(line, "mig", 0))
		return NVML_NOT_SUPPORTED;
	*n = cuda_samples(&c, d, list, room);
	for (size_t i = 0; i < c.n_processes && *n < room; i++)
		if (number(c.processes[i], "device", 0) == device_of(d) && number(c.processes[i], "sm", 0))
			list[(*n)++] = (struct nvml_sample){ .pid = number(c.processes[i], "pid", 0),
							     .time_us = clock_us(CLOCK_REALTIME),
							     .sm = number(c.processes[i], "sm", 0) };
	return *n && since <= clock_us(CLOCK_REALTIME) ? 0 : NVML_NOT_FOUND;
}

int nvmlDeviceGetProcessesUtilizationInfo(nvml_device d, struct nvml_samples_v1 *s);
int nvmlDeviceGetProcessesUtilizationInfo(nvml_device d, struct nvml_samples_v1 *s)
{
	ANSWER(d);
	if (!strcmp(c.mode, "skew") || s->version != NVML_VERSION(struct nvml_samples_v1, 1))
		return NVML_VERSION_MISMATCH;
	if (!number(line, "blackwell", 0))
		return NVML_NOT_SUPPORTED;
	s->n = 0;
	for (size_t i = 0; i < c.n_processes; i++)
		if (number(c.processes[i], "device", 0) == device_of(d) && number(c.processes[i], "sm", 0))
			s->list[s->n++] = (struct nvml_sample_v1){ .pid = number(c.processes[i], "pid", 0),
								   .time_us = clock_us(CLOCK_REALTIME),
								   .sm = number(c.processes[i], "sm", 0) };
	return s->n ? 0 : NVML_NOT_FOUND;
}

int nvmlDeviceGetAccountingPids(nvml_device d, unsigned int *n, unsigned int *list);
int nvmlDeviceGetAccountingPids(nvml_device d, unsigned int *n, unsigned int *list)
{
	ANSWER(d);
	(void)line;
	*n = 0;
	for (size_t i = 0; i < c.n_ended; i++)
		if (number(c.ended[i], "device", 0) == device_of(d))
			list[(*n)++] = number(c.ended[i], "pid", 0);
	return 0;
}

int nvmlDeviceGetAccountingStats(nvml_device d, unsigned int pid, struct nvml_accounting *s);
int nvmlDeviceGetAccountingStats(nvml_device d, unsigned int pid, struct nvml_accounting *s)
{
	ANSWER(d);
	(void)line;
	for (size_t i = 0; i < c.n_ended; i++) {
		const char *e = c.ended[i];

		if (number(e, "device", 0) != device_of(d) || number(e, "pid", 0) != pid)
			continue;
		s->gpu_percent = number(e, "percent", 0);
		s->time_ms = number(e, "time", 0);
		s->started_us = number(e, "started", 0);
		s->bytes_peak = number(e, "peak", -1ULL);
		s->running = number(e, "running", 0);
		return 0;
	}
	return NVML_NOT_FOUND;
}

/* ---- limits of memory ---- */

#ifndef RF_R610
struct limit {
	unsigned int device;
	char name_space[4096];
	unsigned long long soft, hard;
};

static FILE *limits_open(const char *mode)
{
	char path[4096];
	Dl_info self;

	if (!dladdr((void *)nvmlInit_v2, &self))
		return NULL;
	snprintf(path, sizeof(path), "%s.limits", self.dli_fname);
	return fopen(path, mode);
}

static size_t limits_read(struct limit limits[LINES])
{
	FILE *file = limits_open("re");
	size_t n = 0;

	while (file && n < LINES &&
	       fscanf(file, "%u %4095s %llu %llu", &limits[n].device, limits[n].name_space, &limits[n].soft,
		      &limits[n].hard) == 4)
		n++;
	if (file)
		fclose(file);
	return n;
}

static struct limit *limit_of(struct limit limits[LINES], size_t *n, nvml_device d, const char *name_space)
{
	for (size_t i = 0; i < *n; i++)
		if (limits[i].device == device_of(d) && !strcmp(limits[i].name_space, name_space))
			return &limits[i];
	limits[*n] = (struct limit){ .device = device_of(d), .hard = NVML_LIMIT_NONE };
	snprintf(limits[*n].name_space, sizeof(limits[*n].name_space), "%s", name_space);
	return &limits[(*n)++];
}

int nvmlDeviceGetMemoryLimits_v1(nvml_device d, struct nvml_limits *l);
int nvmlDeviceGetMemoryLimits_v1(nvml_device d, struct nvml_limits *l)
{
	static struct limit limits[LINES + 1];
	size_t n = limits_read(limits);
	struct limit *limit = limit_of(limits, &n, d, l->name_space);

	ANSWER(d);
	if (access(l->name_space, F_OK) < 0)
		return NVML_NOT_FOUND;
	l->soft = limit->soft;
	l->hard = limit->hard;
	l->used = number(line, "limit_used", 0);
	return 0;
}

int nvmlDeviceSetMemoryLimits_v1(nvml_device d, struct nvml_limits_set *l);
int nvmlDeviceSetMemoryLimits_v1(nvml_device d, struct nvml_limits_set *l)
{
	static struct limit limits[LINES + 1];
	size_t n = limits_read(limits);
	struct limit *limit = limit_of(limits, &n, d, l->name_space);
	unsigned long long unit;
	FILE *file;

	ANSWER(d);
	while (number(line, "limit_hangs", 0))
		pause();
	if (number(line, "limit_refused", 0) || geteuid())
		return number(line, "limit_refused", NVML_NO_PERMISSION);
	unit = number(line, "limit_unit", 1);
	limit->soft = l->soft;
	limit->hard = l->hard == NVML_LIMIT_NONE ? l->hard : (l->hard + unit - 1) / unit * unit;
	file = limits_open("we");
	for (size_t i = 0; file && i < n; i++)
		fprintf(file, "%u %s %llu %llu\n", limits[i].device, limits[i].name_space, limits[i].soft,
			limits[i].hard);
	if (file)
		fclose(file);
	return 0;
}
#endif
#else
int nvmlInit_v2(void)
{
	return 0;
}
#endif
