// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flows while policies change: what both the old and the new one allow, what both deny, and what only one of them
 * allows.
 *
 *	flip_probe storm ADDR OPEN DENIED-ADDR DENIED	a TCP connection and a UDP request to OPEN, each answered; a TCP
 *			connect() and a UDP datagram to DENIED and a ping of DENIED-ADDR, each denied; over and over
 *until SIGTERM. With "-i", without the ping. flip_probe trap ADDR PORT		until SIGTERM, counts what comes to that
 *port, TCP and UDP flip_probe intrude ADDR PORT		a SYN and a datagram to that port, over and over until
 *SIGTERM flip_probe flip N FILE A B CGROUP NEUTRAL PORT PID COMMAND N times: renames a copy of A or B, in turns, to
 *FILE and has the daemon read it: by SIGHUP to PID or by "COMMAND reload" or "COMMAND apply". Then asks in CGROUP for
 *what A alone allows, TCP and UDP, out to PORT and in to PORT + 1, of 127.0.0.1; the other end is in the cgroup
 *NEUTRAL.
 *
 * What is denied to go out is refused by the system call, and loopback delivers before send() returns: nothing is
 * waited for to know that it did not pass. An allowed flow is waited for, WAIT_MS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS	 20000 /* for what must come: TCP sends five times in that time. Times RF_SLOW */
#define TOLD_MAX 5     /* failures printed by each program; the rest are counted */
#define CALLERS	 800   /* for at most 400 flips in one call */
#define ATTEMPTS 3     /* at what is denied, after each flip */
#define HOWS	 5     /* see flip_to(); odd, so that both policies come in each of these ways */

static volatile sig_atomic_t ended;
static unsigned int told;

static void end(int signo)
{
	(void)signo;
	ended = 1;
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	exit(1);
}

/* A failure of what is tested: counted in @counter, the first ones told. */
__attribute__((format(printf, 2, 3))) static void wrong(unsigned long *counter, const char *format, ...)
{
	int error = errno;
	va_list args;

	++*counter;
	if (told++ >= TOLD_MAX)
		return;
	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	va_end(args);
	printf(" (errno: %s)\n", strerror(error));
	fflush(stdout);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* ---- sockets ---- */

static struct sockaddr_in address_of(const char *text, unsigned int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		die("no address: %s", text);
	return a;
}

static int socket_of(int type)
{
	/* Closed by a reset: thousands of connections must not use up the ports. */
	const struct linger linger = { .l_onoff = 1 };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

static int bound(int type, const struct sockaddr_in *at)
{
	int fd = socket_of(type), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0))
		die("port %u", ntohs(at->sin_port));
	return fd;
}

static bool comes(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	const char *slow = getenv("RF_SLOW");
	int wait_ms = WAIT_MS * (slow ? atoi(slow) : 1);
	uint64_t until = now_us() + wait_ms * 1000ULL;
	int r;

	do {
		r = poll(&p, 1, wait_ms);
	} while (r < 0 && errno == EINTR && now_us() < until);
	if (r == 0)
		errno = ETIMEDOUT;
	return r > 0;
}

static bool to(int fd, const struct sockaddr_in *at)
{
	return sendto(fd, "x", 1, MSG_NOSIGNAL, (const struct sockaddr *)at, sizeof(*at)) == 1;
}

/* Everything that waits in @fd. */
static unsigned long drain(int fd)
{
	unsigned long n = 0;
	char buffer[512];

	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static bool answered(int fd)
{
	char c;

	return comes(fd, POLLIN) && recv(fd, &c, 1, 0) == 1;
}

static bool connects(int fd, const struct sockaddr_in *at)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return true;
	if (errno != EINPROGRESS || !comes(fd, POLLOUT))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
		errno = error;
	return error == 0;
}

/* ---- what both allow and both deny ---- */

struct storm {
	struct sockaddr_in open, denied;
	int udp, icmp;
	unsigned long tcp_n, udp_n, denied_n, broken, lost, passed;
	uint64_t worst_us;
};

static void storm_allowed(struct storm *s)
{
	int fd = socket_of(SOCK_STREAM);
	uint64_t begin = now_us(), took;

	s->tcp_n++;
	if (!connects(fd, &s->open) || send(fd, "x", 1, MSG_NOSIGNAL) != 1 || !answered(fd))
		wrong(&s->broken, "TCP connection %lu", s->tcp_n);
	close(fd);
	s->udp_n++;
	if (!to(s->udp, &s->open) || !answered(s->udp))
		wrong(&s->lost, "UDP request %lu", s->udp_n);
	took = now_us() - begin;
	s->worst_us = took > s->worst_us ? took : s->worst_us;
}

static void storm_denied(struct storm *s)
{
	struct icmphdr ping = { .type = ICMP_ECHO, .checksum = htons(0xf7ff) };
	int fd = socket_of(SOCK_STREAM);

	s->denied_n += 2;
	if (connect(fd, (struct sockaddr *)&s->denied, sizeof(s->denied)) == 0 || errno != EPERM)
		wrong(&s->passed, "connect() %lu", s->tcp_n);
	close(fd);
	if (to(s->udp, &s->denied) || errno != EPERM)
		wrong(&s->passed, "datagram %lu", s->udp_n);
	if (s->icmp < 0)
		return;
	s->denied_n++;
	if (sendto(s->icmp, &ping, sizeof(ping), 0, (struct sockaddr *)&s->denied, sizeof(s->denied)) >= 0 ||
	    errno != EPERM)
		wrong(&s->passed, "ping %lu", s->denied_n);
}

static int storm(int argc, char **argv)
{
	bool no_icmp = argc > 1 && strcmp(argv[0], "-i") == 0;
	struct storm s = { .udp = socket_of(SOCK_DGRAM), .icmp = -1 };

	argc -= no_icmp;
	argv += no_icmp;
	if (argc != 4)
		return 2;
	s.open = address_of(argv[0], atoi(argv[1]));
	s.denied = address_of(argv[2], atoi(argv[3]));
	if (!no_icmp) {
		s.icmp = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
		if (s.icmp < 0)
			die("raw socket");
	}
	puts("ready");
	fflush(stdout);
	while (!ended) {
		storm_allowed(&s);
		storm_denied(&s);
	}
	printf("tcp=%lu udp=%lu denied=%lu broken=%lu lost=%lu passed=%lu worst=%llu\n", s.tcp_n, s.udp_n, s.denied_n,
	       s.broken, s.lost, s.passed, (unsigned long long)s.worst_us / 1000);
	return 0;
}

static int trap(int argc, char **argv)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	unsigned long tcp = 0, udp = 0;
	struct sockaddr_in at;

	if (argc != 2)
		return 2;
	at = address_of(argv[0], atoi(argv[1]));
	fds[0].fd = bound(SOCK_STREAM, &at);
	fds[1].fd = bound(SOCK_DGRAM, &at);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		int fd;

		(void)poll(fds, 2, -1);
		while ((fd = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			tcp++;
			close(fd);
		}
		udp += drain(fds[1].fd);
	}
	printf("tcp=%lu udp=%lu\n", tcp, udp);
	return 0;
}

static int intrude(int argc, char **argv)
{
	int udp = socket_of(SOCK_DGRAM);
	unsigned long n = 0, passed = 0;
	struct sockaddr_in at;

	if (argc != 2)
		return 2;
	at = address_of(argv[0], atoi(argv[1]));
	puts("ready");
	fflush(stdout);
	for (; !ended; n++) {
		struct pollfd p = { .fd = socket_of(SOCK_STREAM), .events = POLLOUT };

		(void)!connect(p.fd, (struct sockaddr *)&at, sizeof(at));
		if (poll(&p, 1, 0) == 1)
			wrong(&passed, "connect() %lu", n);
		close(p.fd);
		(void)to(udp, &at);
	}
	printf("sent=%lu passed=%lu\n", 2 * n, passed);
	return 0;
}

/* ---- flips, and what A alone allows ---- */

struct flip {
	const char *file, *policy[2], *command;
	struct sockaddr_in out_at, in_at;
	/* "out": from CGROUP to NEUTRAL; "in": from NEUTRAL to CGROUP. */
	int out_listener, out_udp_peer, in_listener, in_udp_peer, in_udp;
	int callers[CALLERS]; /* of NEUTRAL, for "in", each used once */
	size_t n_called;
	int out_udp;
	int out, out_peer, in, in_peer; /* connections that were opened under A */
	int pid;
	unsigned long cut, passed, broken;
};

static void enter_cgroup(const char *path)
{
	char file[4096];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("entering %s", path);
	close(fd);
}

/* What @argv says on failure goes where ours goes. */
static void command_run(char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("%s %s failed", argv[0], argv[1]);
}

/* In one step, the file that is there having any content. */
static void file_put(const char *from, const char *file)
{
	char next[4096];

	snprintf(next, sizeof(next), "%s.next", from);
	(void)unlink(next);
	if (link(from, next) < 0 || rename(next, file) < 0)
		die("%s -> %s", from, file);
}

/* Returns when it is in force. */
static void flip_to(const struct flip *f, bool b, unsigned int how)
{
	char *reload[] = { (char *)f->command, "reload", NULL };
	char *apply[] = { (char *)f->command, "apply", (char *)f->policy[b], NULL };

	if (how == 0) {
		command_run(apply);
		return;
	}
	file_put(f->policy[b], f->file);
	if (how > 1 && kill(f->pid, SIGHUP) < 0)
		die("SIGHUP to %d", f->pid);
	/* After SIGHUP this finds nothing new, or is what the signal asked for; either way it is in force then. */
	command_run(reload);
}

/* The other end of @fd, once a byte has come through; else -1. */
static int accepted(int listener, int fd)
{
	int peer;

	if (!comes(listener, POLLIN))
		return -1;
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0 || send(fd, "x", 1, MSG_NOSIGNAL) != 1 || !answered(peer))
		return -1;
	return peer;
}

static int caller(struct flip *f)
{
	int fd = f->callers[f->n_called];

	f->callers[f->n_called++] = -1;
	return fd;
}

/* Opens what B will cut. */
static void under_a(struct flip *f, unsigned long i)
{
	f->out = socket_of(SOCK_STREAM);
	f->out_peer = connects(f->out, &f->out_at) ? accepted(f->out_listener, f->out) : -1;
	if (f->out_peer < 0)
		wrong(&f->broken, "flip %lu: TCP out, which A allows", i);
	f->in = caller(f);
	f->in_peer = connects(f->in, &f->in_at) ? accepted(f->in_listener, f->in) : -1;
	if (f->in_peer < 0)
		wrong(&f->broken, "flip %lu: TCP in, which A allows", i);
	if (!to(f->out_udp, &f->out_at) || !answered(f->out_udp_peer))
		wrong(&f->broken, "flip %lu: UDP out, which A allows", i);
	if (!to(f->in_udp, &f->in_at) || !answered(f->in_udp_peer))
		wrong(&f->broken, "flip %lu: UDP in, which A allows", i);
}

static void attempt_in(struct flip *f, unsigned long i)
{
	int fd = caller(f), peer;

	(void)!connect(fd, (struct sockaddr *)&f->in_at, sizeof(f->in_at));
	peer = accept4(f->in_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer >= 0) {
		wrong(&f->passed, "flip %lu: TCP in, which B denies", i);
		close(peer);
	}
	close(fd);
	(void)to(f->in_udp, &f->in_at);
}

static void attempt_out(struct flip *f, unsigned long i)
{
	int fd = socket_of(SOCK_STREAM);

	if (connect(fd, (struct sockaddr *)&f->out_at, sizeof(f->out_at)) == 0 || errno != EPERM)
		wrong(&f->passed, "flip %lu: TCP out, which B denies", i);
	close(fd);
	if (to(f->out_udp, &f->out_at) || errno != EPERM)
		wrong(&f->passed, "flip %lu: UDP out, which B denies", i);
}

/* To the end of B's time: what was sent under A has all been received by then, so whatever is there came under B. */
static void under_b(struct flip *f, unsigned long i)
{
	unsigned long before = f->passed;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		attempt_out(f, i);
		attempt_in(f, i);
		(void)!send(f->out, "x", 1, MSG_NOSIGNAL);
		(void)!send(f->in, "x", 1, MSG_NOSIGNAL);
	}
	if (f->out_peer >= 0 && drain(f->out_peer))
		wrong(&f->passed, "flip %lu: data of a connection out, which B denies", i);
	if (f->in_peer >= 0 && drain(f->in_peer))
		wrong(&f->passed, "flip %lu: data of a connection in, which B denies", i);
	if (drain(f->out_udp_peer))
		wrong(&f->passed, "flip %lu: datagrams out, which B denies", i);
	if (drain(f->in_udp_peer))
		wrong(&f->passed, "flip %lu: datagrams in, which B denies", i);
	f->cut += f->passed == before;
	close(f->out);
	close(f->in);
	close(f->out_peer);
	close(f->in_peer);
}

/* A socket belongs to the cgroup that it was made in: those of NEUTRAL first, the rest where we stay. */
static void flip_sockets_make(struct flip *f, const char *cgroup, const char *neutral, unsigned int port)
{
	f->out_at = address_of("127.0.0.1", port);
	f->in_at = address_of("127.0.0.1", port + 1);
	enter_cgroup(neutral);
	f->out_listener = bound(SOCK_STREAM, &f->out_at);
	f->out_udp_peer = bound(SOCK_DGRAM, &f->out_at);
	f->in_udp = socket_of(SOCK_DGRAM);
	for (size_t i = 0; i < CALLERS; i++)
		f->callers[i] = socket_of(SOCK_STREAM);
	enter_cgroup(cgroup);
	f->in_listener = bound(SOCK_STREAM, &f->in_at);
	f->in_udp_peer = bound(SOCK_DGRAM, &f->in_at);
	f->out_udp = socket_of(SOCK_DGRAM);
}

static int flip(int argc, char **argv)
{
	struct flip f = { 0 };
	uint64_t worst = 0, begin, took;
	unsigned long n;

	if (argc != 9)
		return 2;
	n = strtoul(argv[0], NULL, 10);
	f.file = argv[1];
	f.policy[0] = argv[2];
	f.policy[1] = argv[3];
	f.pid = atoi(argv[7]);
	f.command = argv[8];
	if (n > 2 * CALLERS / (1 + ATTEMPTS))
		return 2;
	flip_sockets_make(&f, argv[4], argv[5], atoi(argv[6]));
	for (unsigned long i = 0; i < n; i++) {
		begin = now_us();
		flip_to(&f, i & 1, i % HOWS);
		took = now_us() - begin;
		worst = took > worst ? took : worst;
		if (i & 1)
			under_b(&f, i);
		else
			under_a(&f, i);
	}
	printf("flips=%lu cut=%lu passed=%lu broken=%lu worst=%llu\n", n, f.cut, f.passed, f.broken,
	       (unsigned long long)worst / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} modes[] = { { "storm", storm }, { "trap", trap }, { "intrude", intrude }, { "flip", flip } };
	struct sigaction action = { .sa_handler = end };

	sigaction(SIGTERM, &action, NULL);
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argc - 2, argv + 2);
	return 2;
}
