// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links that the module holds for us: what is attached stays so when the pins
 * below bpffs are removed and the daemon is killed. It holds what is attached
 * now and nothing else: whatever it had from before, another daemon's included,
 * is let go of once the new ones are held, or a hook that nobody asks for would
 * stay attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

#include "user/engine/internal.h"

/* -1: there is no module, or it is another version's. */
static int module_open(void)
{
	struct rf_module_abi abi = { .size = sizeof(abi), .version = RF_MODULE_ABI };
	int fd = open(RF_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && (ioctl(fd, RF_IOC_ABI, &abi) < 0 || !(abi.features & RF_MODULE_F_HOLD))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* An owner of its own for each time, so that what this time does not hold can be told from it. */
static uint64_t owner_new(void)
{
	uint64_t owner;

	return getrandom(&owner, sizeof(owner), 0) == sizeof(owner) && owner ? owner : 1;
}

int rf_engine_hold(struct rf_engine *e)
{
	_cleanup_close_ int module = module_open();
	struct rf_module_release release = { .keep = owner_new() };
	int r = 0;

	e->links_held = 0;
	if (module < 0)
		return 0;
	for (int hook = 0; r == 0 && hook < RF_HOOK_COUNT; hook++) {
		struct rf_module_hold hold = { .owner = release.keep };

		if (!e->hooks[hook].link)
			continue;
		hold.fd = bpf_link__fd(e->hooks[hook].link);
		if (ioctl(module, RF_IOC_HOLD, &hold) < 0)
			r = -errno;
		else
			e->links_held++;
	}
	/* Also when some could not be held: what is attached is as it was, and what is no more must go. */
	if (ioctl(module, RF_IOC_RELEASE, &release) < 0 && r == 0)
		r = -errno;
	return r;
}

void rf_engine_let_go(void)
{
	_cleanup_close_ int module = module_open();
	struct rf_module_release release = { 0 };

	if (module >= 0)
		(void)ioctl(module, RF_IOC_RELEASE, &release);
}
