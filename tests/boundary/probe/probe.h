/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publicly documented ways across the boundary of a container or a tenant, each
 * as a harmless probe: it goes as far as shows whether the boundary held, and
 * changes nothing on the other side. What a way needs besides the boundary, the
 * probe has: it runs as root with all capabilities unless its caller took some.
 */
#ifndef RF_BOUNDARY_PROBE_H
#define RF_BOUNDARY_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The other side, as `boundary_probe victim` has told it in a file of words NAME=VALUE. */
struct rf_victim {
	pid_t pid;
	unsigned long byte; /* address of a readable and writable byte */
	int fd;		    /* of an open file */
	int shm, sem, msg;  /* System V ids */
	int key;	    /* serial of a key in its session keyring */
	char name[64];	    /* of its abstract sockets, POSIX shared memory and queue; its prefix */
	char socket[108];   /* path of its listening stream socket */
	char datagram[108];
	char cgroup[256]; /* its directory below the v2 mount, absolute */
	char secret[256]; /* a file of a labelled tree that only it may open */
};

/* What a probe gives: 0, it got through; negative errno: how it was refused; RF_ABSENT: the host has no such way. */
#define RF_ABSENT 1

typedef int (*rf_probe_fn)(const struct rf_victim *victim);

struct rf_probe {
	const char *name;
	const char *boundary;  /* what it tries to cross: "tenant", "kernel", "file", "image" */
	const char *reference; /* where the way is described */
	rf_probe_fn cross;
	/*
	 * The ordinary thing next to it, which must go on working. NULL: @cross itself, on a victim that is a neighbour
	 * of the same tenant.
	 */
	rf_probe_fn twin;
};

extern const struct rf_probe rf_probes_process[], rf_probes_ipc[], rf_probes_kernel[], rf_probes_mount[],
	rf_probes_file[], rf_probes_exec[]; /* each ends with a NULL name */

/* In its cgroup already: makes what the others reach for, tells of it in @path, and stays until standard
 * input ends, or SIGTERM. */
int rf_victim_run(const char *path, const char *name, const char *secret);
int rf_victim_read(const char *path, struct rf_victim *ret);

/* Ordinary things. */
int rf_twin_read(const struct rf_victim *victim);
int rf_twin_write(const struct rf_victim *victim);
int rf_twin_exec(const struct rf_victim *victim);
int rf_twin_tcp(const struct rf_victim *victim);
int rf_twin_memory(const struct rf_victim *victim);

/* 0 or negative errno, of a call that returns -1 and errno. */
int rf_result(long r);
/* Opens and closes; reads a byte where @flags allow it. */
int rf_try_open(const char *path, int flags);
/* The same of /proc/PID/@name of the victim. */
int rf_try_proc(const struct rf_victim *victim, const char *name, int flags);

#endif
