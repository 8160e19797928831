// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads and writes by every way there is; the lineage must tell the bytes.
 * lineage_probe WAY FILE [OTHER]: ways are the rows at the end. What is read is
 * the whole file but where it is said; what is written is BYTES bytes. Prints
 * how many the kernel moved, or "cannot" (status 3) where it has not that way.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BYTES 50000

static char buffer[1 << 20];

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void cannot(void)
{
	puts("cannot");
	exit(3);
}

static int file_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? failed(path) : fd;
}

static long done(long n)
{
	return n < 0 ? failed("moving bytes") : n;
}

static long way_read(const char *path, const char *other)
{
	int fd = file_open(path, O_RDONLY);
	long sum = 0, n;

	(void)other;
	/* Not a divisor of the size; the last ones read nothing. */
	while ((n = done(read(fd, buffer, 777))) > 0)
		sum += n;
	return sum + done(read(fd, buffer, sizeof(buffer)));
}

static long way_pread(const char *path, const char *other)
{
	int fd = file_open(path, O_RDONLY);

	(void)other;
	/* Past the end, and over it. */
	return done(pread(fd, buffer, sizeof(buffer), 1 << 30)) + done(pread(fd, buffer, sizeof(buffer), 100)) +
	       done(pread(fd, buffer, 100, 0));
}

static long way_readv(const char *path, const char *other)
{
	struct iovec iov[2] = { { buffer, 1000 }, { buffer + 1000, sizeof(buffer) - 1000 } };

	(void)other;
	return done(readv(file_open(path, O_RDONLY), iov, 2));
}

static long way_mmap(const char *path, const char *other)
{
	int fd = file_open(path, O_RDONLY);
	struct stat st;
	volatile char *map;

	(void)other;
	if (fstat(fd, &st) < 0)
		return failed("fstat");
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return failed("mmap");
	(void)map[0];
	return st.st_size;
}

static long way_splice(const char *path, const char *other)
{
	int fd = file_open(path, O_RDONLY), pipe_fds[2];
	long sum = 0, n;

	(void)other;
	if (pipe(pipe_fds) < 0)
		return failed("pipe");
	while ((n = done(splice(fd, NULL, pipe_fds[1], NULL, 4096, 0))) > 0)
		sum += done(read(pipe_fds[0], buffer, n));
	return sum;
}

static long way_sendfile(const char *path, const char *other)
{
	int in = file_open(path, O_RDONLY), out = file_open(other, O_WRONLY | O_CREAT | O_TRUNC);

	/* Far more than there is. */
	return done(sendfile(out, in, NULL, 1 << 30));
}

static long way_copy(const char *path, const char *other)
{
	int in = file_open(path, O_RDONLY), out = file_open(other, O_WRONLY | O_CREAT | O_TRUNC);

	return done(copy_file_range(in, NULL, out, NULL, 1 << 30, 0));
}

static long way_clone(const char *path, const char *other)
{
	int in = file_open(path, O_RDONLY), out = file_open(other, O_WRONLY | O_CREAT | O_TRUNC);
	struct stat st;

	if (ioctl(out, FICLONE, in) < 0)
		cannot();
	return fstat(out, &st) < 0 ? failed("fstat") : st.st_size;
}

static long way_aio(const char *path, const char *other)
{
	int fd = file_open(path, O_RDONLY);
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = fd,
				.aio_buf = (uintptr_t)buffer,
				.aio_nbytes = sizeof(buffer) };
	struct iocb *list = &request;
	aio_context_t context = 0;
	struct io_event event;

	(void)other;
	if (syscall(SYS_io_setup, 1, &context) < 0)
		cannot();
	if (syscall(SYS_io_submit, context, 1, &list) != 1 ||
	    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return failed("aio");
	return event.res;
}

static void *ring_map(int ring, size_t size, off_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, offset);

	if (p == MAP_FAILED)
		failed("io_uring");
	return p;
}

static long way_uring(const char *path, const char *other)
{
	struct io_uring_params params = { 0 };
	int fd = file_open(path, O_RDONLY), ring = syscall(SYS_io_uring_setup, 1, &params);
	struct io_uring_sqe *request;
	struct io_uring_cqe *answer;
	char *submit, *complete;

	(void)other;
	if (ring < 0)
		cannot();
	submit = ring_map(ring, params.sq_off.array + sizeof(uint32_t), IORING_OFF_SQ_RING);
	complete = ring_map(ring, params.cq_off.cqes + 2 * sizeof(*answer), IORING_OFF_CQ_RING);
	request = ring_map(ring, sizeof(*request), IORING_OFF_SQES);
	*request = (struct io_uring_sqe){
		.opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)buffer, .len = sizeof(buffer)
	};
	*(uint32_t *)(submit + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(submit + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return failed("io_uring_enter");
	answer = (struct io_uring_cqe *)(complete + params.cq_off.cqes);
	return answer->res;
}

static long way_write(const char *path, const char *other)
{
	(void)other;
	return done(write(file_open(path, O_WRONLY | O_CREAT | O_TRUNC), buffer, BYTES));
}

static long way_append(const char *path, const char *other)
{
	struct iovec iov[2] = { { buffer, 1 }, { buffer + 1, BYTES - 1 } };

	(void)other;
	return done(writev(file_open(path, O_WRONLY | O_CREAT | O_APPEND), iov, 2));
}

static long way_pwrite(const char *path, const char *other)
{
	(void)other;
	return done(pwrite(file_open(path, O_WRONLY | O_CREAT), buffer, BYTES, 1 << 20));
}

static long way_mapwrite(const char *path, const char *other)
{
	int fd = file_open(path, O_RDWR | O_CREAT);
	char *map;

	(void)other;
	if (ftruncate(fd, BYTES) < 0)
		return failed("ftruncate");
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return failed("mmap");
	map[0] = 1;
	return BYTES;
}

static long way_rename(const char *path, const char *other)
{
	return rename(path, other) < 0 ? failed("rename") : 1;
}

static long way_link(const char *path, const char *other)
{
	return link(path, other) < 0 ? failed("link") : 1;
}

/* As many files as @other says, in the directory @path. */
static long way_many(const char *path, const char *other)
{
	long n = strtol(other, NULL, 10);
	char name[4096];

	for (long i = 0; i < n; i++) {
		int fd;

		snprintf(name, sizeof(name), "%s/%ld", path, i);
		fd = file_open(name, O_WRONLY | O_CREAT);
		done(write(fd, "x", 1));
		close(fd);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*way)(const char *path, const char *other);
	} ways[] = {
		{ "read", way_read },	  { "pread", way_pread },	{ "readv", way_readv },
		{ "mmap", way_mmap },	  { "splice", way_splice },	{ "sendfile", way_sendfile },
		{ "copy", way_copy },	  { "clone", way_clone },	{ "aio", way_aio },
		{ "uring", way_uring },	  { "write", way_write },	{ "append", way_append },
		{ "pwrite", way_pwrite }, { "mapwrite", way_mapwrite }, { "rename", way_rename },
		{ "link", way_link },	  { "many", way_many },
	};

	if (argc < 3)
		return 2;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) != 0)
			continue;
		printf("%ld\n", ways[i].way(argv[2], argc > 3 ? argv[3] : NULL));
		return 0;
	}
	return 2;
}
