// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/ringfence: the handshake between the module and user space, the links
 * that it holds, and what it counts.
 *
 * The node is for the host's administrator only: by its mode, and by the check
 * of a capability where somebody changes that. An open file holds the module.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "ringfence/abi.h"
#include "compat.h"
#include "module.h"

#define RF_FEATURES                                                             \
	(RF_MODULE_F_THROTTLE | RF_MODULE_F_THROTTLE_AGAIN | RF_MODULE_F_HOLD | \
	 (RF_HAVE_PROBE_KFUNCS ? RF_MODULE_F_THROTTLE_PROBES : 0))

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
	abi.features = RF_FEATURES;
	if (copy_to_user(arg, &abi, sizeof(abi)))
		return -EFAULT;
	return agreed ? 0 : -EPROTO;
}

static long rf_device_hold(const struct rf_module_hold __user *arg)
{
	struct rf_module_hold hold;

	if (copy_from_user(&hold, arg, sizeof(hold)))
		return -EFAULT;
	if (hold.reserved || !hold.owner)
		return -EINVAL;
	return rf_hold_link(hold.fd, hold.owner);
}

static long rf_device_release(struct rf_module_release __user *arg)
{
	struct rf_module_release release;

	if (copy_from_user(&release, arg, sizeof(release)))
		return -EFAULT;
	rf_hold_release(release.keep, &release.released, &release.held);
	return copy_to_user(arg, &release, sizeof(release)) ? -EFAULT : 0;
}

static long rf_device_throttle_stat(struct rf_throttle_stat __user *arg)
{
	struct rf_throttle_stat stat;

	rf_throttle_read(&stat);
	return copy_to_user(arg, &stat, sizeof(stat)) ? -EFAULT : 0;
}

static long rf_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case RF_IOC_ABI:
		return rf_device_abi((struct rf_module_abi __user *)arg);
	case RF_IOC_HOLD:
		return rf_device_hold((const struct rf_module_hold __user *)arg);
	case RF_IOC_RELEASE:
		return rf_device_release((struct rf_module_release __user *)arg);
	case RF_IOC_THROTTLE_STAT:
		return rf_device_throttle_stat((struct rf_throttle_stat __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int rf_device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return rf_throttle_mmap(vma);
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
	.mmap = rf_device_mmap,
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
