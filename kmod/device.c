// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ringfence: the handshake between the module and user space.
 *
 * The node is for the host's administrator only: mode 0600 keeps others out
 * by default, and the capability check keeps them out when somebody changes
 * the mode or hands the node to a container. An open file holds the module.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "ringfence/abi.h"
#include "device.h"

static long rf_device_abi(struct rf_module_abi __user *arg)
{
	struct rf_module_abi abi;
	bool agreed;

	if (copy_from_user(&abi, arg, sizeof(abi)))
		return -EFAULT;
	if (abi.size != sizeof(abi) || abi.reserved)
		return -EINVAL;

	agreed = abi.version == RF_MODULE_ABI;
	abi.version = RF_MODULE_ABI;
	abi.features = 0;
	if (copy_to_user(arg, &abi, sizeof(abi)))
		return -EFAULT;
	return agreed ? 0 : -EPROTO;
}

static long rf_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case RF_IOC_ABI:
		return rf_device_abi((struct rf_module_abi __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int rf_device_open(struct inode *inode, struct file *file)
{
	/* capable(), not ns_capable(): root of a user namespace is not the host's. */
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static const struct file_operations rf_device_ops = {
	.owner = THIS_MODULE,
	.open = rf_device_open,
	.unlocked_ioctl = rf_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice rf_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ringfence",
	.mode = 0600,
	.fops = &rf_device_ops,
};

int rf_device_init(void)
{
	return misc_register(&rf_device);
}

void rf_device_exit(void)
{
	misc_deregister(&rf_device);
}
