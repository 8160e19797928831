// SPDX-License-Identifier: GPL-2.0-only
/*
 * rf_testaccel.ko: accelerators that are not there, for trying policies on and
 * for the tests: device nodes, ioctls of each class, a scheduler's ring, buffers
 * and fdinfo as a driver of the DRM subsystem has them.
 *
 *   insmod rf_testaccel.ko devices=2
 *   echo rf-testaccel.1 >/sys/bus/platform/drivers/rf-testaccel/unbind    # unplugs the second; bind plugs it in
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/hwmon.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#include "ringfence/testaccel.h"
#include "compat.h"
#include "testaccel.h"

#define RF_ACCEL_MAX_DEVICES 16

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "how many there are, 1 to 16");

static int rf_accel_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct rf_testaccel_submit *args = data;

	if (args->duration_us > RF_TESTACCEL_MAX_US || args->flags & ~RF_TESTACCEL_WAIT || args->pad)
		return -EINVAL;
	return rf_accel_job_submit(file->driver_priv, args->duration_us, args->flags & RF_TESTACCEL_WAIT,
				   rf_accel_drm_client(file));
}

static int rf_accel_ioctl_alloc(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct rf_testaccel_alloc *args = data;

	if (!args->size || args->size > RF_TESTACCEL_MAX_BYTES || args->pad)
		return -EINVAL;
	return rf_accel_memory_alloc(file, args->size, &args->handle);
}

static int rf_accel_ioctl_map(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct rf_testaccel_map *args = data;
	struct drm_gem_object *object;
	int r;

	if (args->pad)
		return -EINVAL;
	object = drm_gem_object_lookup(file, args->handle);
	if (!object)
		return -ENOENT;
	r = drm_gem_create_mmap_offset(object);
	if (!r)
		args->offset = drm_vma_node_offset_addr(&object->vma_node);
	drm_gem_object_put(object);
	return r;
}

static int rf_accel_ioctl_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	const struct rf_accel_client *client = file->driver_priv;
	const struct rf_accel *accel = to_rf_accel(drm);

	*(struct rf_testaccel_info *)data = (struct rf_testaccel_info){
		.device_jobs = atomic64_read(&accel->jobs),
		.device_busy_ns = atomic64_read(&accel->busy_ns),
		.jobs = atomic64_read(&client->jobs),
		.busy_ns = atomic64_read(&client->busy_ns),
		.queued_ns = atomic64_read(&client->queued_ns),
		.bytes = rf_accel_memory_of(file),
	};
	return 0;
}

static int rf_accel_ioctl_reset(struct drm_device *drm, void *data, struct drm_file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	rf_accel_ring_stop(to_rf_accel(drm), -ECANCELED, false);
	return 0;
}

#define DRM_RF_TESTACCEL_SUBMIT	      RF_TESTACCEL_SUBMIT
#define DRM_RF_TESTACCEL_ALLOC	      RF_TESTACCEL_ALLOC
#define DRM_RF_TESTACCEL_MAP	      RF_TESTACCEL_MAP
#define DRM_RF_TESTACCEL_INFO	      RF_TESTACCEL_INFO
#define DRM_RF_TESTACCEL_RESET	      RF_TESTACCEL_RESET
#define DRM_IOCTL_RF_TESTACCEL_SUBMIT RF_TESTACCEL_IOC_SUBMIT
#define DRM_IOCTL_RF_TESTACCEL_ALLOC  RF_TESTACCEL_IOC_ALLOC
#define DRM_IOCTL_RF_TESTACCEL_MAP    RF_TESTACCEL_IOC_MAP
#define DRM_IOCTL_RF_TESTACCEL_INFO   RF_TESTACCEL_IOC_INFO
#define DRM_IOCTL_RF_TESTACCEL_RESET  RF_TESTACCEL_IOC_RESET

static const struct drm_ioctl_desc rf_accel_ioctls[] = {
	DRM_IOCTL_DEF_DRV(RF_TESTACCEL_SUBMIT, rf_accel_ioctl_submit, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(RF_TESTACCEL_ALLOC, rf_accel_ioctl_alloc, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(RF_TESTACCEL_MAP, rf_accel_ioctl_map, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(RF_TESTACCEL_INFO, rf_accel_ioctl_info, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF_DRV(RF_TESTACCEL_RESET, rf_accel_ioctl_reset, DRM_RENDER_ALLOW),
};

static int rf_accel_open(struct drm_device *drm, struct drm_file *file)
{
	struct rf_accel_client *client = rf_accel_client_new(to_rf_accel(drm));

	if (IS_ERR(client))
		return PTR_ERR(client);
	file->driver_priv = client;
	return 0;
}

static void rf_accel_postclose(struct drm_device *drm, struct drm_file *file)
{
	rf_accel_client_close(file->driver_priv);
}

/* Documentation/gpu/drm-usage-stats.rst */
static void rf_accel_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	const struct rf_accel_client *client = file->driver_priv;
	u64 kib = rf_accel_memory_of(file) / 1024;

	drm_printf(p, "drm-engine-compute:\t%llu ns\n", (u64)atomic64_read(&client->busy_ns));
	drm_printf(p, "drm-total-memory:\t%llu KiB\n", kib);
	drm_printf(p, "drm-resident-memory:\t%llu KiB\n", kib);
}

RF_ACCEL_SHOW_FDINFO(rf_accel_fdinfo)

static const struct file_operations rf_accel_fops = {
	.owner = THIS_MODULE,
	RF_ACCEL_FOPS,
};

static void rf_accel_release(struct drm_device *drm)
{
	rf_accel_ring_fini(to_rf_accel(drm));
}

static const struct drm_driver rf_accel_driver = { .driver_features = RF_ACCEL_FEATURES | DRIVER_GEM,
						   .open = rf_accel_open,
						   .postclose = rf_accel_postclose,
						   .release = rf_accel_release,
						   .gem_create_object = RF_ACCEL_BUFFER_CREATE,
						   .ioctls = rf_accel_ioctls,
						   .num_ioctls = ARRAY_SIZE(rf_accel_ioctls),
						   .fops = &rf_accel_fops,
						   .name = RF_TESTACCEL_DRIVER,
						   .desc = "test accelerator",
						   .major = 1,
						   RF_ACCEL_DRIVER_FDINFO(rf_accel_fdinfo) };

#if IS_REACHABLE(CONFIG_HWMON)
/* In microjoules, as Documentation/hwmon/sysfs-interface.rst has it. */
static ssize_t energy1_input_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct rf_accel *accel = dev_get_drvdata(dev);
	u64 there = ktime_to_ns(ktime_sub(ktime_get(), accel->since)), busy = atomic64_read(&accel->busy_ns);

	return sysfs_emit(buf, "%llu\n",
			  div_u64(there, 1000) * RF_TESTACCEL_IDLE_WATTS +
				  div_u64(busy, 1000) * RF_TESTACCEL_BUSY_WATTS);
}
static DEVICE_ATTR_RO(energy1_input);

static struct attribute *rf_accel_hwmon_attrs[] = { &dev_attr_energy1_input.attr, NULL };
ATTRIBUTE_GROUPS(rf_accel_hwmon);

static int rf_accel_hwmon_register(struct rf_accel *accel, struct device *dev)
{
	return PTR_ERR_OR_ZERO(
		devm_hwmon_device_register_with_groups(dev, "rf_testaccel", accel, rf_accel_hwmon_groups));
}
#else
static int rf_accel_hwmon_register(struct rf_accel *accel, struct device *dev)
{
	return 0;
}
#endif

static int rf_accel_probe(struct platform_device *pdev)
{
	struct rf_accel *accel;
	int r;

	r = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (r)
		return r;
	accel = devm_drm_dev_alloc(&pdev->dev, &rf_accel_driver, struct rf_accel, drm);
	if (IS_ERR(accel))
		return PTR_ERR(accel);
	/* From here on the driver's release has a ring to end. */
	r = rf_accel_ring_init(accel, &pdev->dev);
	if (r)
		return r;
	platform_set_drvdata(pdev, accel);
	accel->since = ktime_get();
	r = rf_accel_memory_init(accel);
	if (r)
		return r;
	r = rf_accel_hwmon_register(accel, &pdev->dev);
	if (r)
		return r;
	return drm_dev_register(&accel->drm, 0);
}

static void rf_accel_unplug(struct platform_device *pdev)
{
	struct rf_accel *accel = platform_get_drvdata(pdev);

	drm_dev_unplug(&accel->drm);
	rf_accel_ring_stop(accel, -ENODEV, true);
}

RF_ACCEL_REMOVE(rf_accel_unplug)

static struct platform_driver rf_accel_platform = {
	.driver = { .name = RF_TESTACCEL_DRIVER },
	.probe = rf_accel_probe,
	.remove = rf_accel_remove,
};

static struct platform_device *rf_accel_devices[RF_ACCEL_MAX_DEVICES];

static void rf_accel_remove_all(void)
{
	unsigned int i;

	for (i = 0; i < RF_ACCEL_MAX_DEVICES && rf_accel_devices[i]; i++)
		platform_device_unregister(rf_accel_devices[i]);
	platform_driver_unregister(&rf_accel_platform);
	/* Fences are freed after a grace period, and ask their operations then. */
	rcu_barrier();
}

static int __init rf_accel_init(void)
{
	struct platform_device *pdev;
	unsigned int i;
	int r;

	if (!devices || devices > RF_ACCEL_MAX_DEVICES) {
		pr_err("devices=%u: expected 1 to %d\n", devices, RF_ACCEL_MAX_DEVICES);
		return -EINVAL;
	}
	r = platform_driver_register(&rf_accel_platform);
	if (r)
		return r;
	for (i = 0; i < devices; i++) {
		pdev = platform_device_register_simple(RF_TESTACCEL_DRIVER, i, NULL, 0);
		if (IS_ERR(pdev)) {
			rf_accel_remove_all();
			return PTR_ERR(pdev);
		}
		rf_accel_devices[i] = pdev;
	}
	return 0;
}

static void __exit rf_accel_exit(void)
{
	rf_accel_remove_all();
}

module_init(rf_accel_init);
module_exit(rf_accel_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Accelerators that are not there, to try Ringfence on");
