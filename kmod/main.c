// SPDX-License-Identifier: GPL-2.0-only
/*
 * ringfence.ko: the little that BPF alone cannot do. Optional everywhere; what
 * is lost without it is listed by `ringfence status`.
 *
 * The device comes last, because a daemon takes it for the sign that the module
 * is ready, and what the kfuncs use before them: a program may call as soon as
 * they are registered.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "ringfence/abi.h"
#include "module.h"

static int __init rf_module_init(void)
{
	int r;

	r = rf_throttle_init();
	if (r)
		return r;

	r = rf_kfunc_init();
	if (r) {
		pr_err("cannot offer functions to BPF programs: %d\n", r);
		goto err_throttle;
	}

	r = rf_device_init();
	if (r) {
		pr_err("cannot make %s: %d\n", RF_DEVICE_PATH, r);
		goto err_throttle;
	}
	return 0;

err_throttle:
	rf_throttle_exit();
	return r;
}

static void __exit rf_module_exit(void)
{
	u32 released, held;

	rf_device_exit();
	rf_hold_release(0, &released, &held);
	rf_throttle_exit();
}

module_init(rf_module_init);
module_exit(rf_module_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(RF_VERSION);
MODULE_DESCRIPTION("What Ringfence needs of the kernel beyond BPF");
