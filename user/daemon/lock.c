// SPDX-License-Identifier: GPL-2.0-or-later
/* The token's file, and when the engine is locked. */
#include "user/daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include "user/collect/mountinfo.h"
#include "user/daemon/app.h"
#include "user/engine/guard.h"
#include "user/lib/clock.h"
#include "user/lib/fs.h"
#include "user/lib/log.h"

#define TOKEN_NAME    "lock.token"
#define REFRESH_TICKS 60

static int hex_parse(const char *text, uint8_t ret[static RF_GUARD_TOKEN])
{
	for (size_t i = 0; i < RF_GUARD_TOKEN; i++) {
		unsigned int byte;
		int n = 0;

		if (sscanf(text + 2 * i, "%2x%n", &byte, &n) != 1 || n != 2)
			return -EBADMSG;
		ret[i] = (uint8_t)byte;
	}
	return text[2 * RF_GUARD_TOKEN] == '\0' || text[2 * RF_GUARD_TOKEN] == '\n' ? 0 : -EBADMSG;
}

static int token_read(const char *path, uint8_t ret[static RF_GUARD_TOKEN])
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = rf_fs_read(AT_FDCWD, path, 4096, &text, &len);

	if (r < 0)
		return r;
	return len >= (size_t)2 * RF_GUARD_TOKEN ? hex_parse(text, ret) : -EBADMSG;
}

static int token_make(const char *path, uint8_t ret[static RF_GUARD_TOKEN])
{
	_cleanup_strbuf_ struct rf_strbuf text = RF_STRBUF_INIT;
	_cleanup_close_ int fd = -1;

	if (getrandom(ret, RF_GUARD_TOKEN, 0) != RF_GUARD_TOKEN)
		return -errno;
	for (size_t i = 0; i < RF_GUARD_TOKEN; i++)
		rf_strbuf_addf(&text, "%02x", ret[i]);
	rf_strbuf_addc(&text, '\n');
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0 || rf_strbuf_error(&text))
		return fd < 0 ? -errno : -ENOMEM;
	return write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0 ? 0 : -EIO;
}

static bool is_overridden(void)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (rf_fs_read(AT_FDCWD, "/proc/cmdline", 65536, &text, &len) < 0)
		return false;
	for (char *save = NULL, *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (rf_streq(word, "ringfence.lock=0"))
			return true;
	return false;
}

int rf_app_lock_prepare(struct rf_app *app)
{
	_cleanup_free_ char *path = NULL;
	struct rf_lock *lock = &app->lock;
	int r;

	if (asprintf(&path, "%s/" TOKEN_NAME, app->options.state_dir) < 0)
		return -ENOMEM;
	lock->wanted = app->options.lock && !is_overridden();
	if (app->options.lock && !lock->wanted)
		rf_notice("--lock is not followed: ringfence.lock=0 is on the kernel's command line");
	r = token_read(path, lock->token);
	if (r == -ENOENT && lock->wanted)
		r = token_make(path, lock->token);
	else if (r == -ENOENT)
		return 0;
	if (r < 0)
		return rf_err_r(r, "cannot use the token of the lock in %s (64 hexadecimal digits)", path);
	r = rf_guard_claim(app->options.bpffs, lock->token, 0);
	if (r == -EACCES)
		return rf_err_r(r, "an earlier ringfenced locked what is in force with another token than that in %s",
				path);
	if (r < 0)
		return rf_err_r(r, "cannot take over what an earlier ringfenced locked");
	lock->claimed = r > 0;
	return 0;
}

int rf_app_lock_refresh(struct rf_app *app)
{
	_cleanup_free_ char *error = NULL, *mount = NULL;
	int r = 0;

	if (!app->lock.wanted) {
		if (app->lock.claimed)
			r = rf_engine_unlock(app->engine);
		app->lock.claimed = false;
		return r < 0 ? rf_err_r(r, "cannot end the lock of an earlier ringfenced") : 0;
	}
	r = rf_cgroup2_mount_find(&mount);
	if (r >= 0)
		r = rf_engine_lock(app->engine, mount, app->lock.token, &error);
	if (r < 0)
		rf_err("not locked: %s", error ? error : strerror(-r));
	return r;
}

void rf_app_lock_tick(struct rf_app *app)
{
	if (app->lock.wanted && ++app->lock.ticks % REFRESH_TICKS == 0)
		(void)rf_app_lock_refresh(app);
}

/* Not by what is equal first: the time must not tell. */
static bool is_token(const struct rf_lock *lock, const uint8_t token[static RF_GUARD_TOKEN])
{
	uint8_t differs = 0;

	for (size_t i = 0; i < RF_GUARD_TOKEN; i++)
		differs |= lock->token[i] ^ token[i];
	return !differs;
}

int rf_app_lock_open(struct rf_app *app, const char *token, uint32_t for_s)
{
	uint8_t bytes[RF_GUARD_TOKEN];

	if (!app->lock.wanted)
		return -ENOENT;
	if (strlen(token) != (size_t)2 * RF_GUARD_TOKEN || hex_parse(token, bytes) < 0 ||
	    !is_token(&app->lock, bytes)) {
		rf_warn("unlock was asked for with a wrong token");
		return -EACCES;
	}
	rf_notice("unlocked for %u s", for_s);
	return rf_engine_lock_open(app->engine, for_s * RF_NSEC_PER_SEC);
}

int rf_app_lock_close(struct rf_app *app)
{
	if (!app->lock.wanted)
		return -ENOENT;
	rf_notice("locked again");
	return rf_engine_lock_open(app->engine, 0);
}

bool rf_app_is_locked(const struct rf_app *app)
{
	struct rf_guard_row row = { 0 };

	return rf_engine_guard_get(app->engine, &row) >= 0 && row.locked && !row.open_s;
}
