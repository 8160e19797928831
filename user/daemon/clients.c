// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each client keeps a descriptor of its fdinfo: a pread() costs a third of
 * what opening it by its path, reading and closing does, and it is of that
 * process and of no later one with its number. What the holder has under that number may change: then the
 * client id does, and the holder is looked for again.
 *
 * One is read only when its workload's jobs, buffers or files on the device
 * have moved, as BPF counts them; all of them now and then, for memory that the
 * driver moves by itself; and always where BPF sees no jobs of the driver, and
 * where somebody else than the opener has the file, whose jobs are in another
 * row.
 */
#include "user/daemon/clients.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "user/collect/fdinfo.h"
#include "user/lib/clock.h"

#define ALL_ROUNDS	 16			 /* every so many, all are read */
#define ASK_ONE_MAX	 64			 /* openers are asked one by one; more than that by one search of all */
#define SEARCH_AFTER_NS	 (5 * RF_NSEC_PER_SEC)	 /* between two searches of all open files, which cost more */
#define SEARCH_SELDOM_NS (320 * RF_NSEC_PER_SEC) /* when they find nothing */
#define FILES_WANTED	 65536

struct client_id {
	uint64_t device, number;
};

struct client {
	struct rf_accel_file_key key;
	uint32_t use; /* place of the row of whose it is */
	uint32_t opener;
	uint32_t holder; /* the process that it is read of */
	int fd;		 /* of its fdinfo; -1: it is not read */
	bool asked;	 /* its opener was */
	bool full;
	bool was_read;
	bool timed;	     /* its driver tells time or cycles */
	struct client_id id; /* as the driver tells it */
	bool has_id;
	uint64_t round;		     /* the last in which it was open */
	uint64_t jobs, bytes, files; /* what these were in the row when it was read */
	struct rf_accel_told told;
	uint64_t resident;
};

/* What a look is about. */
struct look {
	struct rf_clients *c;
	struct rf_engine *e;
	unsigned int lost; /* whose holder is not known, but may be by a search */
	bool found;
};

static void client_free(void *p)
{
	struct client *client = p;

	if (client->fd >= 0)
		close(client->fd);
	free(client);
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) < 0 ? 0 : t.tv_sec * RF_NSEC_PER_SEC + t.tv_nsec;
}

/* A descriptor for each client, where the limit can be raised. */
static void limit_raise(void)
{
	struct rlimit limit;
	rlim_t hard;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_WANTED)
		return;
	hard = limit.rlim_max;
	limit.rlim_cur = FILES_WANTED;
	limit.rlim_max = MAX(hard, (rlim_t)FILES_WANTED);
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	limit.rlim_cur = limit.rlim_max = hard;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What is resident is summed anew in every look. */
static int use_forget(const struct rf_accel_use *use, void *arg)
{
	struct rf_accel_use *mine = (struct rf_accel_use *)use;

	(void)arg;
	mine->fdinfo_bytes = mine->fdinfo_clients = mine->fdinfo_timed = 0;
	return 0;
}

static int begin(struct rf_clients *c, struct rf_engine *e)
{
	int r = c->files ? 0 : rf_hashmap_new(client_free, &c->files);

	if (r >= 0 && !c->ids)
		r = rf_hashmap_new(NULL, &c->ids);
	if (r >= 0 && !c->list) {
		c->list = reallocarray(NULL, RF_MAX_ACCEL_CLIENTS, sizeof(*c->list));
		r = c->list ? 0 : -ENOMEM;
	}
	if (r < 0 || c->begun)
		return r;
	c->begun = true;
	c->changes = rf_engine_accel_files_changes(e) - 1;
	c->search_after_ns = SEARCH_AFTER_NS;
	limit_raise();
	rf_engine_accel_told_sweep(e);
	return rf_engine_accel_uses_each(e, use_forget, NULL);
}

static struct client *client_get(const struct rf_clients *c, const struct rf_accel_file_key *key)
{
	return rf_hashmap_get(c->files, key, sizeof(*key));
}

static void file_take(const struct rf_accel_file_key *key, const struct rf_accel_file *file, void *arg)
{
	struct look *look = arg;
	struct rf_clients *c = look->c;
	struct client *client = client_get(c, key);

	if (client) {
		client->round = c->round;
		return;
	}
	client = rf_hashmap_size(c->files) < RF_MAX_ACCEL_CLIENTS ? calloc(1, sizeof(*client)) : NULL;
	if (client) {
		*client = (struct client){
			.key = *key, .use = file->use, .opener = file->tgid, .fd = -1, .round = c->round
		};
		rf_engine_accel_told_get(look->e, key, &client->told);
		if (rf_hashmap_put(c->files, key, sizeof(*key), client) == 0) {
			c->list[c->n++] = client;
			/* It is looked for at once, whatever could not be found before. */
			c->search_after_ns = SEARCH_AFTER_NS;
			return;
		}
		free(client);
	}
	c->unlisted++;
}

static void id_give_back(const struct rf_clients *c, struct client *client)
{
	if (client->has_id)
		(void)rf_hashmap_remove(c->ids, &client->id, sizeof(client->id));
	client->has_id = false;
}

/*
 * False: it is not that client any more, or another has that id, so that between finding and reading it something else
 * came under its number. One that the driver gives no id is taken as it is.
 */
static bool id_check(const struct rf_clients *c, struct client *client, uint64_t device, const struct rf_fdinfo *info)
{
	struct client_id id = { device, info->client };

	if (!info->has_client)
		return !client->has_id;
	if (client->has_id)
		return client->id.number == id.number;
	if (rf_hashmap_put(c->ids, &id, sizeof(id), client) < 0)
		return false;
	client->id = id;
	client->has_id = true;
	return true;
}

/* Its figures stay in the row of its workload. */
static void client_gone(struct look *look, struct client *client)
{
	struct rf_clients *c = look->c;
	struct rf_accel_file_key key = client->key;

	c->row.unread += !client->was_read;
	id_give_back(c, client);
	rf_engine_accel_told_delete(look->e, &key);
	(void)rf_hashmap_remove(c->files, &key, sizeof(key));
}

/* What is open is listed where that has changed, and those that are not any more leave. */
static int files_list(struct look *look)
{
	struct rf_clients *c = look->c;
	uint64_t changes = rf_engine_accel_files_changes(look->e);
	size_t kept = 0;
	int r;

	if (changes == c->changes)
		return 0;
	c->round++;
	c->unlisted = 0;
	r = rf_engine_accel_files_each(look->e, file_take, look);
	if (r < 0)
		return r;
	c->changes = changes;
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i]->round == c->round)
			c->list[kept++] = c->list[i];
		else
			client_gone(look, c->list[i]);
	}
	c->n = kept;
	return 0;
}

static void holder_take(const struct rf_accel_holder *holder, void *arg)
{
	struct look *look = arg;
	struct client *client = client_get(look->c, &holder->file);

	if (!client || client->fd >= 0)
		return;
	client->fd = rf_fdinfo_open("/proc", holder->tgid, holder->fd);
	client->full = client->fd == -EMFILE || client->fd == -ENFILE;
	client->fd = MAX(client->fd, -1);
	client->holder = holder->tgid;
	look->found |= client->fd >= 0;
}

/* Those that are new are asked of their openers. */
static void openers_ask(struct look *look)
{
	struct rf_clients *c = look->c;
	unsigned int asked = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct client *client = c->list[i];

		if (client->fd < 0 && !client->asked && asked++ < ASK_ONE_MAX) {
			client->asked = true;
			(void)rf_engine_accel_holders_each(look->e, client->opener, holder_take, look);
		}
		look->lost += client->fd < 0 && !client->full;
	}
}

static void all_search(struct look *look)
{
	struct rf_clients *c = look->c;
	uint64_t now = rf_clock_monotonic();

	if (!look->lost || (c->search_ns && now - c->search_ns < c->search_after_ns))
		return;
	look->found = false;
	c->row.searches++;
	(void)rf_engine_accel_holders_each(look->e, 0, holder_take, look);
	c->search_ns = now;
	/* Of one that is on its way through a socket, or only mapped any more, there is no descriptor to be found. */
	c->search_after_ns = look->found ? SEARCH_AFTER_NS : MIN(2 * c->search_after_ns, SEARCH_SELDOM_NS);
}

static void client_lose(struct rf_clients *c, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	client->asked = false;
	client->resident = 0;
	c->search_after_ns = SEARCH_AFTER_NS;
}

/* Has it done nothing since it was read, as far as that can be seen? */
static bool is_as_before(const struct rf_clients *c, const struct client *client, const struct rf_accel_use *use)
{
	return client->was_read && use->jobs && !use->under_way && client->holder == client->opener &&
	       client->jobs == use->jobs && client->bytes == use->bytes && client->files == use->files &&
	       (c->row.looks + (client->key.address >> 8)) % ALL_ROUNDS != 0;
}

static void client_tell(struct look *look, struct client *client, struct rf_accel_use *use,
			const struct rf_fdinfo *info)
{
	struct rf_accel_told told = { info->engine_ns, info->cycles };

	client->was_read = true;
	client->resident = info->resident;
	client->timed = info->engines || info->counters;
	if (told.ns == client->told.ns && told.cycles == client->told.cycles)
		return;
	/* Without room a later daemon would count it again: it is not counted. */
	if (rf_engine_accel_told_set(look->e, &client->key, &told) < 0) {
		client->full = true;
		return;
	}
	client->full = false;
	use->fdinfo_ns += rf_counter_grown(told.ns, client->told.ns);
	use->fdinfo_cycles += rf_counter_grown(told.cycles, client->told.cycles);
	client->told = told;
}

static void client_read(struct look *look, struct client *client, struct rf_accel_use *use)
{
	struct rf_fdinfo info;

	/* Before it is read: what moves meanwhile is read again the next time. */
	client->jobs = use->jobs;
	client->bytes = use->bytes;
	client->files = use->files;
	look->c->row.reads++;
	look->c->row.last_reads++;
	if (rf_fdinfo_read(client->fd, &info) < 0 || !*info.driver ||
	    !id_check(look->c, client, RF_ACCEL_WHOSE_DEVICE(use->whose), &info))
		client_lose(look->c, client);
	else
		client_tell(look, client, use, &info);
}

/* From where the last look stopped. */
static void all_read(struct look *look)
{
	struct rf_clients *c = look->c;
	size_t stopped = c->next < c->n ? c->next : 0;

	c->row.last_reads = 0;
	for (size_t i = 0, at = stopped; i < c->n; i++, at = at + 1 < c->n ? at + 1 : 0) {
		struct client *client = c->list[at];
		struct rf_accel_use *use = rf_engine_accel_use(look->e, client->use);

		if (!use || client->fd < 0 || is_as_before(c, client, use))
			continue;
		c->next = at;
		if (c->row.last_reads == RF_CLIENTS_READ)
			return;
		client_read(look, client, use);
	}
}

/* What there is now; read or not, the last that was told of each counts. */
static void all_sum(struct look *look)
{
	struct rf_clients *c = look->c;
	struct rf_accel_clients_row *row = &c->row;

	row->read = row->lost = 0;
	row->full = c->unlisted;
	for (size_t i = 0; i < c->n; i++) {
		const struct client *client = c->list[i];
		struct rf_accel_use *use = rf_engine_accel_use(look->e, client->use);

		row->read += client->fd >= 0;
		row->lost += client->fd < 0 && !client->full;
		row->full += client->full;
		if (!use)
			continue;
		use->fdinfo_bytes += client->resident;
		use->fdinfo_clients += client->fd >= 0;
		use->fdinfo_timed += client->timed;
	}
}

/* Of all that had any in the last look. */
static void sums_forget(struct look *look)
{
	for (size_t i = 0; i < look->c->n; i++) {
		struct rf_accel_use *use = rf_engine_accel_use(look->e, look->c->list[i]->use);

		if (use)
			use->fdinfo_bytes = use->fdinfo_clients = use->fdinfo_timed = 0;
	}
}

void rf_clients_look(struct rf_clients *c, struct rf_engine *e)
{
	struct look look = { .c = c, .e = e };
	uint64_t cpu = thread_cpu_ns();

	c->row.known = rf_engine_accel_files_known(e);
	if (!c->row.known || begin(c, e) < 0)
		return;
	sums_forget(&look);
	if (files_list(&look) < 0)
		return;
	openers_ask(&look);
	all_search(&look);
	all_read(&look);
	all_sum(&look);
	c->row.looks++;
	c->row.last_cpu_ns = thread_cpu_ns() - cpu;
	c->row.cpu_ns += c->row.last_cpu_ns;
}

size_t rf_clients_holders(const struct rf_clients *c, const struct rf_engine *e, uint64_t whose, uint32_t *ret,
			  size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n && n < max; i++) {
		const struct client *client = c->list[i];
		const struct rf_accel_use *use = rf_engine_accel_use(e, client->use);
		size_t known = 0;

		if (client->fd < 0 || !use || use->whose != whose)
			continue;
		while (known < n && ret[known] != client->holder)
			known++;
		if (known == n)
			ret[n++] = client->holder;
	}
	return n;
}

void rf_clients_end(struct rf_clients *c)
{
	rf_hashmap_free(c->ids);
	rf_hashmap_free(c->files);
	free(c->list);
	*c = (struct rf_clients){ 0 };
}
