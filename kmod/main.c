// SPDX-License-Identifier: GPL-2.0-only
/*
 * ringfence.ko: the little that BPF alone cannot do. Optional everywhere; what
 * is lost without it is listed by `ringfence status`.
 *
 * The kfuncs come first and the device last, because a daemon takes the device
 * for the sign that the module is ready.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "ringfence/abi.h"
#include "device.h"
#include "kfunc.h"

static int __init rf_module_init(void)
{
	int r;

	r = rf_kfunc_init();
	if (r) {
		pr_err("cannot offer functions to BPF programs: %d\n", r);
		return r;
	}

	r = rf_device_init();
	if (r) {
		pr_err("cannot make %s: %d\n", RF_DEVICE_PATH, r);
		return r;
	}
	return 0;
}

static void __exit rf_module_exit(void)
{
	rf_device_exit();
}

module_init(rf_module_init);
module_exit(rf_module_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What Ringfence needs of the kernel beyond BPF");
