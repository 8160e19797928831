// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of the test accelerator. Where the kernel has the controller of device
 * memory they are charged to the cgroup of who asked, as a driver with memory of
 * its own does it (Documentation/gpu/drm-compute.rst, "Memory"): the region is
 * drm/rf-testaccel.N/vram0, and what is beyond dmem.max fails with -ENOMEM.
 */
#include <linux/slab.h>
#include <drm/drm_gem_shmem_helper.h>

#include "ringfence/testaccel.h"
#include "compat.h"
#include "testaccel.h"

#if IS_ENABLED(CONFIG_CGROUP_DMEM)
#include <linux/cgroup_dmem.h>

struct rf_accel_buffer {
	struct drm_gem_shmem_object shmem;
	struct dmem_cgroup_pool_state *charged;
};

static struct rf_accel_buffer *to_rf_accel_buffer(struct drm_gem_object *object)
{
	return container_of(to_drm_gem_shmem_obj(object), struct rf_accel_buffer, shmem);
}

static void rf_accel_buffer_free(struct drm_gem_object *object)
{
	struct rf_accel_buffer *buffer = to_rf_accel_buffer(object);

	if (buffer->charged)
		dmem_cgroup_uncharge(buffer->charged, object->size);
	/* With what it is the first member of. */
	drm_gem_shmem_object_free(object);
}

static const struct drm_gem_object_funcs rf_accel_buffer_funcs = {
	.free = rf_accel_buffer_free,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

struct drm_gem_object *rf_accel_buffer_create(struct drm_device *drm, size_t size)
{
	struct rf_accel_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	BUILD_BUG_ON(offsetof(struct rf_accel_buffer, shmem));
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->shmem.base.funcs = &rf_accel_buffer_funcs;
	return &buffer->shmem.base;
}

int rf_accel_memory_init(struct rf_accel *accel)
{
	/* Goes with the device. */
	accel->vram = drmm_cgroup_register_region(&accel->drm, "vram0", RF_TESTACCEL_VRAM);
	return PTR_ERR_OR_ZERO(accel->vram);
}

static int rf_accel_memory_charge(struct rf_accel *accel, struct drm_gem_object *object)
{
	int r = dmem_cgroup_try_charge(accel->vram, object->size, &to_rf_accel_buffer(object)->charged, NULL);

	/* There is nothing to evict. */
	return r == -EAGAIN ? -ENOMEM : r;
}
#else
int rf_accel_memory_init(struct rf_accel *accel)
{
	return 0;
}

static int rf_accel_memory_charge(struct rf_accel *accel, struct drm_gem_object *object)
{
	return 0;
}
#endif

int rf_accel_memory_alloc(struct drm_file *file, u64 size, u32 *ret_handle)
{
	struct drm_device *drm = file->minor->dev;
	struct drm_gem_shmem_object *object = drm_gem_shmem_create(drm, PAGE_ALIGN(size));
	int r;

	if (IS_ERR(object))
		return PTR_ERR(object);
	r = rf_accel_memory_charge(to_rf_accel(drm), &object->base);
	if (!r)
		r = drm_gem_handle_create(file, &object->base, ret_handle);
	/* The handle holds it now. */
	drm_gem_object_put(&object->base);
	return r;
}

u64 rf_accel_memory_of(struct drm_file *file)
{
	struct drm_gem_object *object;
	u64 bytes = 0;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, object, id) bytes += object->size;
	spin_unlock(&file->table_lock);
	return bytes;
}
