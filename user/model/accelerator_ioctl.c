// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The classes of ioctls, by driver. The numbers are those of include/uapi/drm/
 * and include/uapi/linux/kfd_ioctl.h of Linux 6.1 to 7.2, of misc/habanalabs.h
 * of 6.1, and of NVIDIA's open kernel modules (nv-ioctl-numbers.h, nv_escape.h,
 * uvm_ioctl.h); a test compares them with the headers of the machine it is built
 * on.
 *
 * submit: work is handed over. alloc: device memory is asked for. map: memory is
 * put where the device or the process sees it. admin: what a job has no need of
 * (priorities of others, debugging, performance counters, resets). What is not
 * in the table asks, waits or gives back, or is new.
 */
#include "user/model/accelerator_ioctl.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "user/lib/util.h"

const char *const rf_accel_interface_names[RF_INTERFACE_COUNT] = {
#define X(id, name) name,
	RF_ACCEL_INTERFACES(X)
#undef X
};

const char *const rf_accel_class_names[] = { "other", "submit", "alloc", "map", "admin", NULL };

static_assert(ARRAY_SIZE(rf_accel_class_names) == RF_ACCEL_CLASSES + 1, "each class has a name");

#define DRM 'd' /* DRM_IOCTL_BASE; what is a driver's own begins at DRM_COMMAND_BASE */

struct ioctl_row {
	uint8_t interface; /* enum rf_accel_interface */
	uint8_t nr;
	uint8_t class; /* enum rf_accel_class */
};

#define SUBMIT(interface, nr) { RF_INTERFACE_##interface, (nr), RF_ACCEL_SUBMIT }
#define ALLOC(interface, nr)  { RF_INTERFACE_##interface, (nr), RF_ACCEL_ALLOC }
#define MAP(interface, nr)    { RF_INTERFACE_##interface, (nr), RF_ACCEL_MAP }
#define ADMIN(interface, nr)  { RF_INTERFACE_##interface, (nr), RF_ACCEL_ADMIN }

/* Every driver's of the subsystem. */
static const struct ioctl_row core[] = {
	ADMIN(DRM, 0x1e), /* SET_MASTER */
	ADMIN(DRM, 0x1f), /* DROP_MASTER */
	ALLOC(DRM, 0xb2), /* MODE_CREATE_DUMB */
	MAP(DRM, 0xb3),	  /* MODE_MAP_DUMB */
};

static const struct ioctl_row rows[] = {
	ALLOC(AMDGPU, 0x40),  /* GEM_CREATE */
	MAP(AMDGPU, 0x41),    /* GEM_MMAP */
	SUBMIT(AMDGPU, 0x44), /* CS */
	MAP(AMDGPU, 0x48),    /* GEM_VA */
	ALLOC(AMDGPU, 0x51),  /* GEM_USERPTR */
	ADMIN(AMDGPU, 0x55),  /* SCHED */
	SUBMIT(AMDGPU, 0x56), /* USERQ: queues whose doorbells are the process's own */
	SUBMIT(AMDGPU, 0x57), /* USERQ_SIGNAL */

	SUBMIT(I915, 0x54), /* GEM_EXECBUFFER */
	SUBMIT(I915, 0x69), /* GEM_EXECBUFFER2 */
	ALLOC(I915, 0x5b),  /* GEM_CREATE */
	ALLOC(I915, 0x7c),  /* GEM_CREATE_EXT */
	ALLOC(I915, 0x73),  /* GEM_USERPTR */
	MAP(I915, 0x5e),    /* GEM_MMAP */
	MAP(I915, 0x64),    /* GEM_MMAP_GTT, GEM_MMAP_OFFSET */
	ADMIN(I915, 0x71),  /* REG_READ */
	ADMIN(I915, 0x76),  /* PERF_OPEN */
	ADMIN(I915, 0x77),  /* PERF_ADD_CONFIG */
	ADMIN(I915, 0x78),  /* PERF_REMOVE_CONFIG */

	ALLOC(XE, 0x41),  /* GEM_CREATE */
	MAP(XE, 0x42),	  /* GEM_MMAP_OFFSET */
	MAP(XE, 0x45),	  /* VM_BIND */
	SUBMIT(XE, 0x49), /* EXEC */
	ADMIN(XE, 0x4b),  /* OBSERVATION */

	SUBMIT(NOUVEAU, 0x52), /* EXEC */
	SUBMIT(NOUVEAU, 0x81), /* GEM_PUSHBUF */
	ALLOC(NOUVEAU, 0x80),  /* GEM_NEW */
	MAP(NOUVEAU, 0x51),    /* VM_BIND */

	ALLOC(MSM, 0x42),  /* GEM_NEW */
	SUBMIT(MSM, 0x46), /* GEM_SUBMIT */
	MAP(MSM, 0x4d),	   /* VM_BIND */
	ADMIN(MSM, 0x4e),  /* PERFCNTR_CONFIG */

	SUBMIT(PANFROST, 0x40), /* SUBMIT */
	ALLOC(PANFROST, 0x42),	/* CREATE_BO */
	MAP(PANFROST, 0x43),	/* MMAP_BO */
	ADMIN(PANFROST, 0x46),	/* PERFCNT_ENABLE */

	MAP(PANTHOR, 0x43),    /* VM_BIND */
	ALLOC(PANTHOR, 0x45),  /* BO_CREATE */
	MAP(PANTHOR, 0x46),    /* BO_MMAP_OFFSET */
	SUBMIT(PANTHOR, 0x49), /* GROUP_SUBMIT */

	SUBMIT(V3D, 0x40), /* SUBMIT_CL */
	ALLOC(V3D, 0x42),  /* CREATE_BO */
	MAP(V3D, 0x43),	   /* MMAP_BO */
	SUBMIT(V3D, 0x46), /* SUBMIT_TFU */
	SUBMIT(V3D, 0x47), /* SUBMIT_CSD */
	SUBMIT(V3D, 0x4b), /* SUBMIT_CPU */
	ADMIN(V3D, 0x4d),  /* PERFMON_SET_GLOBAL */

	ALLOC(ETNAVIV, 0x42),  /* GEM_NEW */
	MAP(ETNAVIV, 0x43),    /* GEM_INFO: the offset for mmap() */
	SUBMIT(ETNAVIV, 0x46), /* GEM_SUBMIT */
	ALLOC(ETNAVIV, 0x48),  /* GEM_USERPTR */

	ALLOC(LIMA, 0x41),  /* GEM_CREATE */
	MAP(LIMA, 0x42),    /* GEM_INFO: the offset for mmap() */
	SUBMIT(LIMA, 0x43), /* GEM_SUBMIT */

	ALLOC(IVPU, 0x42),  /* BO_CREATE */
	SUBMIT(IVPU, 0x45), /* SUBMIT */
	ADMIN(IVPU, 0x47),  /* METRIC_STREAMER_START */
	ADMIN(IVPU, 0x48),  /* METRIC_STREAMER_STOP */
	SUBMIT(IVPU, 0x4d), /* CMDQ_SUBMIT */
	ALLOC(IVPU, 0x4e),  /* BO_CREATE_FROM_USERPTR */

	ALLOC(AMDXDNA, 0x43),  /* CREATE_BO */
	SUBMIT(AMDXDNA, 0x46), /* EXEC_CMD */
	ADMIN(AMDXDNA, 0x48),  /* SET_STATE */

	ALLOC(QAIC, 0x41),  /* CREATE_BO */
	MAP(QAIC, 0x42),    /* MMAP_BO */
	SUBMIT(QAIC, 0x44), /* EXECUTE_BO */
	SUBMIT(QAIC, 0x45), /* PARTIAL_EXECUTE_BO */

	ALLOC(HABANALABS, 0x41),  /* CB */
	SUBMIT(HABANALABS, 0x42), /* CS */
	ALLOC(HABANALABS, 0x44),  /* MEMORY: allocates and maps */
	ADMIN(HABANALABS, 0x45),  /* DEBUG */

	ALLOC(HABANALABS_OLD, 0x02),  /* CB */
	SUBMIT(HABANALABS_OLD, 0x03), /* CS */
	ALLOC(HABANALABS_OLD, 0x05),  /* MEMORY: allocates and maps */
	ADMIN(HABANALABS_OLD, 0x06),  /* DEBUG */

	SUBMIT(KFD, 0x02), /* CREATE_QUEUE: what is then submitted the kernel does not see */
	ALLOC(KFD, 0x16),  /* ALLOC_MEMORY_OF_GPU */
	MAP(KFD, 0x18),	   /* MAP_MEMORY_TO_GPU */
	ALLOC(KFD, 0x20),  /* SVM */
	ADMIN(KFD, 0x22),  /* CRIU_OP */
	ADMIN(KFD, 0x26),  /* DBG_TRAP */
	ADMIN(KFD, 0x28),  /* PROFILER */

	ALLOC(NVIDIA, 0x27), /* NV_ESC_RM_ALLOC_MEMORY */
	ALLOC(NVIDIA, 0x2b), /* NV_ESC_RM_ALLOC: memory, channels, every other object */
	ALLOC(NVIDIA, 0x4a), /* NV_ESC_RM_VID_HEAP_CONTROL */
	MAP(NVIDIA, 0x4e),   /* NV_ESC_RM_MAP_MEMORY */
	MAP(NVIDIA, 0x57),   /* NV_ESC_RM_MAP_MEMORY_DMA */
	ALLOC(NVIDIA, 0xd3), /* NV_ESC_IOCTL_XFER_CMD: any of them, by a number behind the pointer */

	MAP(NVIDIA_UVM, 33),   /* UVM_MAP_EXTERNAL_ALLOCATION */
	ALLOC(NVIDIA_UVM, 68), /* UVM_ALLOC_SEMAPHORE_POOL */

	SUBMIT(TESTACCEL, 0x40),
	ALLOC(TESTACCEL, 0x41),
	MAP(TESTACCEL, 0x42),
	ADMIN(TESTACCEL, 0x44),
};

static uint32_t type_of(enum rf_accel_interface interface)
{
	switch (interface) {
	/* Theirs are 'K', 'F' and 'H', which none of the three looks at. */
	case RF_INTERFACE_KFD:
	case RF_INTERFACE_NVIDIA:
	case RF_INTERFACE_HABANALABS_OLD:
		return RF_ACCEL_TYPE_ANY;
	case RF_INTERFACE_INFINIBAND:
		return 0x1b;
	case RF_INTERFACE_NVIDIA_UVM: /* plain numbers */
	case RF_INTERFACE_UNKNOWN:
		return 0;
	default:
		return DRM;
	}
}

static void class_set(struct rf_accel_ioctls *ioctls, const struct ioctl_row *row)
{
	ioctls->class[row->nr] = row->class;
}

void rf_accel_ioctls_of(enum rf_accel_interface interface, struct rf_accel_ioctls *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->type = type_of(interface);
	for (size_t i = 0; ret->type == DRM && i < ARRAY_SIZE(core); i++)
		class_set(ret, &core[i]);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].interface == interface)
			class_set(ret, &rows[i]);
}

enum rf_accel_interface rf_accel_interface_of_driver(const char *driver)
{
	for (unsigned int i = RF_INTERFACE_DRM; i < RF_INTERFACE_COUNT; i++)
		if (rf_streq(rf_accel_interface_names[i], driver) && type_of(i) == DRM)
			return i;
	return RF_INTERFACE_DRM;
}
