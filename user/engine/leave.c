// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links that go. Of each on a function of the kernel the kernel waits until no
 * task can be in its trampoline any more (synchronize_rcu_tasks()): a tenth of
 * a second and more on a busy host, and the self-test ends a hundred. A thread
 * waits, and the daemon goes on.
 *
 * A program cannot be attached twice: who wants one whose link has not gone yet
 * takes that link back, and waits only for the one that is about to go.
 */
#include <signal.h>

#include "user/engine/internal.h"

/* The next; NULL: none is left, and the thread ends. */
static struct bpf_link *leaving_next(struct rf_leaving *l)
{
	struct bpf_link *link = NULL;

	pthread_mutex_lock(&l->lock);
	l->now = RF_HOOK_COUNT;
	pthread_cond_signal(&l->gone);
	for (int hook = 0; hook < RF_HOOK_COUNT && !link; hook++) {
		link = TAKE_PTR(l->links[hook]);
		if (link)
			l->now = hook;
	}
	l->ended = !link;
	pthread_mutex_unlock(&l->lock);
	return link;
}

static void *leave(void *arg)
{
	struct bpf_link *link;

	while ((link = leaving_next(arg)))
		bpf_link__destroy(link);
	return NULL;
}

void rf_link_leaves(struct rf_engine *e, enum rf_hook hook, struct bpf_link *link)
{
	pthread_mutex_lock(&e->leaving.lock);
	if (!e->leaving.links[hook])
		e->leaving.links[hook] = TAKE_PTR(link);
	pthread_mutex_unlock(&e->leaving.lock);
	bpf_link__destroy(link);
}

struct bpf_link *rf_link_take_back(struct rf_engine *e, enum rf_hook hook)
{
	struct rf_leaving *l = &e->leaving;
	struct bpf_link *link;

	pthread_mutex_lock(&l->lock);
	link = TAKE_PTR(l->links[hook]);
	while (l->now == hook)
		pthread_cond_wait(&l->gone, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return link;
}

void rf_links_leave_wait(struct rf_engine *e)
{
	if (e->leaving.running)
		pthread_join(e->leaving.thread, NULL);
	e->leaving.running = false;
}

/* A thread that has not ended takes what has come since it was started, too. */
static bool thread_is_wanted(struct rf_leaving *l)
{
	bool some = false;

	pthread_mutex_lock(&l->lock);
	for (int hook = 0; hook < RF_HOOK_COUNT; hook++)
		some |= l->links[hook] != NULL;
	some &= !l->running || l->ended;
	pthread_mutex_unlock(&l->lock);
	return some;
}

void rf_links_leave(struct rf_engine *e)
{
	struct rf_leaving *l = &e->leaving;
	sigset_t all, before;

	if (!thread_is_wanted(l))
		return;
	rf_links_leave_wait(e);
	l->ended = false;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->running = pthread_create(&l->thread, NULL, leave, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!l->running)
		leave(l);
}

void rf_leaving_init(struct rf_leaving *l)
{
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->gone, NULL);
	l->now = RF_HOOK_COUNT;
}
