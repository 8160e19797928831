/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generations on disk: the policy texts of the last few that were in force,
 * below <state>/generations/<number>/. The highest is the last good one. A
 * number is a name for people; it is not the kernel's generation.
 *
 * <state>/hold: after a rollback, the hash of the policy directory that must
 * not be applied again until it changes.
 */
#ifndef RF_DAEMON_STORE_H
#define RF_DAEMON_STORE_H

#include "user/daemon/sources.h"

#define RF_STORE_KEEP 10

/* Keeps @s as the newest generation, unless it is that already. Older ones than RF_STORE_KEEP go. */
int rf_store_add(const char *state_dir, const struct rf_sources *s);
/* The newest (@back 0) or one before it (@back 1...). -ENOENT: none. */
int rf_store_load(const char *state_dir, unsigned int back, struct rf_sources *ret);
/* Removes the newest one: the one before it becomes the last good. */
int rf_store_drop_newest(const char *state_dir);

int rf_store_hold_set(const char *state_dir, uint64_t hash);
void rf_store_hold_clear(const char *state_dir);
/* Is the directory with this hash held back? */
bool rf_store_held(const char *state_dir, uint64_t hash);

#endif
