// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The classes of ioctls, compared with the headers of the machine: with each
 * that is there, and where it is as new as the table, with nothing left over.
 * Those of the test accelerator are always there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "ringfence/testaccel.h"
#include "user/lib/util.h"
#include "user/model/accelerator_ioctl.h"

/* Not every linux-libc-dev has the directory; each of the headers needs this one. */
#if __has_include(<drm/drm.h>)
#include <drm/drm.h>
#if __has_include(<drm/amdgpu_drm.h>)
#include <drm/amdgpu_drm.h>
#endif
#if __has_include(<drm/i915_drm.h>)
#include <drm/i915_drm.h>
#endif
#if __has_include(<drm/xe_drm.h>)
#include <drm/xe_drm.h>
#endif
#if __has_include(<drm/nouveau_drm.h>)
#include <drm/nouveau_drm.h>
#endif
#if __has_include(<drm/msm_drm.h>)
#include <drm/msm_drm.h>
#endif
#if __has_include(<drm/panfrost_drm.h>)
#include <drm/panfrost_drm.h>
#endif
#if __has_include(<drm/panthor_drm.h>)
#include <drm/panthor_drm.h>
#define HAVE_PANTHOR /* its numbers are an enum */
#endif
#if __has_include(<drm/v3d_drm.h>)
#include <drm/v3d_drm.h>
#endif
#if __has_include(<drm/etnaviv_drm.h>)
#include <drm/etnaviv_drm.h>
#endif
#if __has_include(<drm/lima_drm.h>)
#include <drm/lima_drm.h>
#endif
#if __has_include(<drm/ivpu_accel.h>)
#include <drm/ivpu_accel.h>
#endif
#if __has_include(<drm/qaic_accel.h>)
#include <drm/qaic_accel.h>
#endif
#if __has_include(<drm/habanalabs_accel.h>)
#include <drm/habanalabs_accel.h>
#endif
#if __has_include(<drm/amdxdna_accel.h>)
#include <drm/amdxdna_accel.h>
#endif
#if __has_include(<linux/kfd_ioctl.h>)
#include <linux/kfd_ioctl.h>
#endif
#endif

struct want {
	enum rf_accel_interface interface;
	uint32_t nr;
	uint32_t type;
	enum rf_accel_class class;
	const char *name;
};

#define WANT(interface, class, request) \
	{ RF_INTERFACE_##interface, _IOC_NR(request), _IOC_TYPE(request), RF_ACCEL_##class, #request }

static const struct want wants[] = {
	WANT(TESTACCEL, SUBMIT, RF_TESTACCEL_IOC_SUBMIT),
	WANT(TESTACCEL, ALLOC, RF_TESTACCEL_IOC_ALLOC),
	WANT(TESTACCEL, MAP, RF_TESTACCEL_IOC_MAP),
	WANT(TESTACCEL, OTHER, RF_TESTACCEL_IOC_INFO),
	WANT(TESTACCEL, ADMIN, RF_TESTACCEL_IOC_RESET),
#ifdef DRM_IOCTL_VERSION
	WANT(DRM, OTHER, DRM_IOCTL_VERSION),
	WANT(DRM, ADMIN, DRM_IOCTL_SET_MASTER),
	WANT(DRM, ADMIN, DRM_IOCTL_DROP_MASTER),
	WANT(DRM, ALLOC, DRM_IOCTL_MODE_CREATE_DUMB),
	WANT(DRM, MAP, DRM_IOCTL_MODE_MAP_DUMB),
#endif
#ifdef DRM_IOCTL_AMDGPU_CS
	WANT(AMDGPU, ALLOC, DRM_IOCTL_AMDGPU_GEM_CREATE),
	WANT(AMDGPU, MAP, DRM_IOCTL_AMDGPU_GEM_MMAP),
	WANT(AMDGPU, SUBMIT, DRM_IOCTL_AMDGPU_CS),
	WANT(AMDGPU, OTHER, DRM_IOCTL_AMDGPU_WAIT_CS),
	WANT(AMDGPU, MAP, DRM_IOCTL_AMDGPU_GEM_VA),
	WANT(AMDGPU, ALLOC, DRM_IOCTL_AMDGPU_GEM_USERPTR),
	WANT(AMDGPU, ADMIN, DRM_IOCTL_AMDGPU_SCHED),
#endif
#ifdef DRM_IOCTL_AMDGPU_USERQ
	WANT(AMDGPU, SUBMIT, DRM_IOCTL_AMDGPU_USERQ),
	WANT(AMDGPU, SUBMIT, DRM_IOCTL_AMDGPU_USERQ_SIGNAL),
	WANT(AMDGPU, OTHER, DRM_IOCTL_AMDGPU_USERQ_WAIT),
#endif
#ifdef DRM_IOCTL_I915_GEM_EXECBUFFER2
	WANT(I915, SUBMIT, DRM_IOCTL_I915_GEM_EXECBUFFER),
	WANT(I915, SUBMIT, DRM_IOCTL_I915_GEM_EXECBUFFER2),
	WANT(I915, SUBMIT, DRM_IOCTL_I915_GEM_EXECBUFFER2_WR),
	WANT(I915, ALLOC, DRM_IOCTL_I915_GEM_CREATE),
	WANT(I915, ALLOC, DRM_IOCTL_I915_GEM_CREATE_EXT),
	WANT(I915, ALLOC, DRM_IOCTL_I915_GEM_USERPTR),
	WANT(I915, MAP, DRM_IOCTL_I915_GEM_MMAP),
	WANT(I915, MAP, DRM_IOCTL_I915_GEM_MMAP_GTT),
	WANT(I915, MAP, DRM_IOCTL_I915_GEM_MMAP_OFFSET),
	WANT(I915, ADMIN, DRM_IOCTL_I915_REG_READ),
	WANT(I915, ADMIN, DRM_IOCTL_I915_PERF_OPEN),
	WANT(I915, ADMIN, DRM_IOCTL_I915_PERF_ADD_CONFIG),
	WANT(I915, ADMIN, DRM_IOCTL_I915_PERF_REMOVE_CONFIG),
#endif
#ifdef DRM_IOCTL_XE_EXEC
	WANT(XE, ALLOC, DRM_IOCTL_XE_GEM_CREATE),
	WANT(XE, MAP, DRM_IOCTL_XE_GEM_MMAP_OFFSET),
	WANT(XE, MAP, DRM_IOCTL_XE_VM_BIND),
	WANT(XE, SUBMIT, DRM_IOCTL_XE_EXEC),
	WANT(XE, OTHER, DRM_IOCTL_XE_WAIT_USER_FENCE),
#endif
#ifdef DRM_IOCTL_XE_OBSERVATION
	WANT(XE, ADMIN, DRM_IOCTL_XE_OBSERVATION),
#endif
#ifdef DRM_IOCTL_NOUVEAU_GEM_PUSHBUF
	WANT(NOUVEAU, ALLOC, DRM_IOCTL_NOUVEAU_GEM_NEW),
	WANT(NOUVEAU, SUBMIT, DRM_IOCTL_NOUVEAU_GEM_PUSHBUF),
#endif
#ifdef DRM_IOCTL_NOUVEAU_EXEC
	WANT(NOUVEAU, SUBMIT, DRM_IOCTL_NOUVEAU_EXEC),
	WANT(NOUVEAU, MAP, DRM_IOCTL_NOUVEAU_VM_BIND),
#endif
#ifdef DRM_IOCTL_MSM_GEM_SUBMIT
	WANT(MSM, ALLOC, DRM_IOCTL_MSM_GEM_NEW),
	WANT(MSM, SUBMIT, DRM_IOCTL_MSM_GEM_SUBMIT),
#endif
#ifdef DRM_IOCTL_MSM_VM_BIND
	WANT(MSM, MAP, DRM_IOCTL_MSM_VM_BIND),
#endif
#ifdef DRM_IOCTL_MSM_PERFCNTR_CONFIG
	WANT(MSM, ADMIN, DRM_IOCTL_MSM_PERFCNTR_CONFIG),
#endif
#ifdef DRM_IOCTL_PANFROST_SUBMIT
	WANT(PANFROST, SUBMIT, DRM_IOCTL_PANFROST_SUBMIT),
	WANT(PANFROST, ALLOC, DRM_IOCTL_PANFROST_CREATE_BO),
	WANT(PANFROST, MAP, DRM_IOCTL_PANFROST_MMAP_BO),
	WANT(PANFROST, ADMIN, DRM_IOCTL_PANFROST_PERFCNT_ENABLE),
#endif
#ifdef HAVE_PANTHOR
	WANT(PANTHOR, MAP, _IO(DRM_IOCTL_BASE, DRM_COMMAND_BASE + DRM_PANTHOR_VM_BIND)),
	WANT(PANTHOR, ALLOC, _IO(DRM_IOCTL_BASE, DRM_COMMAND_BASE + DRM_PANTHOR_BO_CREATE)),
	WANT(PANTHOR, MAP, _IO(DRM_IOCTL_BASE, DRM_COMMAND_BASE + DRM_PANTHOR_BO_MMAP_OFFSET)),
	WANT(PANTHOR, SUBMIT, _IO(DRM_IOCTL_BASE, DRM_COMMAND_BASE + DRM_PANTHOR_GROUP_SUBMIT)),
#endif
#ifdef DRM_IOCTL_V3D_SUBMIT_CL
	WANT(V3D, SUBMIT, DRM_IOCTL_V3D_SUBMIT_CL),
	WANT(V3D, ALLOC, DRM_IOCTL_V3D_CREATE_BO),
	WANT(V3D, MAP, DRM_IOCTL_V3D_MMAP_BO),
	WANT(V3D, SUBMIT, DRM_IOCTL_V3D_SUBMIT_TFU),
	WANT(V3D, SUBMIT, DRM_IOCTL_V3D_SUBMIT_CSD),
#endif
#ifdef DRM_IOCTL_V3D_SUBMIT_CPU
	WANT(V3D, SUBMIT, DRM_IOCTL_V3D_SUBMIT_CPU),
#endif
#ifdef DRM_IOCTL_V3D_PERFMON_SET_GLOBAL
	WANT(V3D, ADMIN, DRM_IOCTL_V3D_PERFMON_SET_GLOBAL),
#endif
#ifdef DRM_IOCTL_ETNAVIV_GEM_SUBMIT
	WANT(ETNAVIV, ALLOC, DRM_IOCTL_ETNAVIV_GEM_NEW),
	WANT(ETNAVIV, MAP, DRM_IOCTL_ETNAVIV_GEM_INFO),
	WANT(ETNAVIV, SUBMIT, DRM_IOCTL_ETNAVIV_GEM_SUBMIT),
	WANT(ETNAVIV, ALLOC, DRM_IOCTL_ETNAVIV_GEM_USERPTR),
#endif
#ifdef DRM_IOCTL_LIMA_GEM_SUBMIT
	WANT(LIMA, ALLOC, DRM_IOCTL_LIMA_GEM_CREATE),
	WANT(LIMA, MAP, DRM_IOCTL_LIMA_GEM_INFO),
	WANT(LIMA, SUBMIT, DRM_IOCTL_LIMA_GEM_SUBMIT),
#endif
#ifdef DRM_IOCTL_IVPU_SUBMIT
	WANT(IVPU, ALLOC, DRM_IOCTL_IVPU_BO_CREATE),
	WANT(IVPU, SUBMIT, DRM_IOCTL_IVPU_SUBMIT),
#endif
#ifdef DRM_IOCTL_IVPU_METRIC_STREAMER_START
	WANT(IVPU, ADMIN, DRM_IOCTL_IVPU_METRIC_STREAMER_START),
	WANT(IVPU, ADMIN, DRM_IOCTL_IVPU_METRIC_STREAMER_STOP),
#endif
#ifdef DRM_IOCTL_IVPU_CMDQ_SUBMIT
	WANT(IVPU, SUBMIT, DRM_IOCTL_IVPU_CMDQ_SUBMIT),
#endif
#ifdef DRM_IOCTL_IVPU_BO_CREATE_FROM_USERPTR
	WANT(IVPU, ALLOC, DRM_IOCTL_IVPU_BO_CREATE_FROM_USERPTR),
#endif
#ifdef DRM_IOCTL_QAIC_EXECUTE_BO
	WANT(QAIC, ALLOC, DRM_IOCTL_QAIC_CREATE_BO),
	WANT(QAIC, MAP, DRM_IOCTL_QAIC_MMAP_BO),
	WANT(QAIC, SUBMIT, DRM_IOCTL_QAIC_EXECUTE_BO),
	WANT(QAIC, SUBMIT, DRM_IOCTL_QAIC_PARTIAL_EXECUTE_BO),
#endif
#ifdef DRM_IOCTL_HL_CS
	WANT(HABANALABS, ALLOC, DRM_IOCTL_HL_CB),
	WANT(HABANALABS, SUBMIT, DRM_IOCTL_HL_CS),
	WANT(HABANALABS, OTHER, DRM_IOCTL_HL_WAIT_CS),
	WANT(HABANALABS, ALLOC, DRM_IOCTL_HL_MEMORY),
	WANT(HABANALABS, ADMIN, DRM_IOCTL_HL_DEBUG),
#endif
#ifdef DRM_IOCTL_AMDXDNA_EXEC_CMD
	WANT(AMDXDNA, ALLOC, DRM_IOCTL_AMDXDNA_CREATE_BO),
	WANT(AMDXDNA, SUBMIT, DRM_IOCTL_AMDXDNA_EXEC_CMD),
	WANT(AMDXDNA, ADMIN, DRM_IOCTL_AMDXDNA_SET_STATE),
#endif
#ifdef AMDKFD_IOC_CREATE_QUEUE
	WANT(KFD, SUBMIT, AMDKFD_IOC_CREATE_QUEUE),
	WANT(KFD, ALLOC, AMDKFD_IOC_ALLOC_MEMORY_OF_GPU),
	WANT(KFD, OTHER, AMDKFD_IOC_FREE_MEMORY_OF_GPU),
	WANT(KFD, MAP, AMDKFD_IOC_MAP_MEMORY_TO_GPU),
	WANT(KFD, ALLOC, AMDKFD_IOC_SVM),
	WANT(KFD, ADMIN, AMDKFD_IOC_CRIU_OP),
#endif
#ifdef AMDKFD_IOC_DBG_TRAP
	WANT(KFD, ADMIN, AMDKFD_IOC_DBG_TRAP),
#endif
#ifdef AMDKFD_IOC_PROFILER
	WANT(KFD, ADMIN, AMDKFD_IOC_PROFILER),
#endif
};

/* Those whose header here has the newest that the table has. */
static const bool complete[RF_INTERFACE_COUNT] = {
	[RF_INTERFACE_TESTACCEL] = true,
#ifdef DRM_IOCTL_VERSION
	[RF_INTERFACE_DRM] = true,
#endif
#ifdef DRM_IOCTL_AMDGPU_USERQ
	[RF_INTERFACE_AMDGPU] = true,
#endif
#ifdef DRM_IOCTL_I915_GEM_EXECBUFFER2
	[RF_INTERFACE_I915] = true,
#endif
#ifdef DRM_IOCTL_XE_OBSERVATION
	[RF_INTERFACE_XE] = true,
#endif
#ifdef DRM_IOCTL_NOUVEAU_EXEC
	[RF_INTERFACE_NOUVEAU] = true,
#endif
#ifdef DRM_IOCTL_MSM_PERFCNTR_CONFIG
	[RF_INTERFACE_MSM] = true,
#endif
#ifdef DRM_IOCTL_PANFROST_SUBMIT
	[RF_INTERFACE_PANFROST] = true,
#endif
#ifdef HAVE_PANTHOR
	[RF_INTERFACE_PANTHOR] = true,
#endif
#ifdef DRM_IOCTL_V3D_PERFMON_SET_GLOBAL
	[RF_INTERFACE_V3D] = true,
#endif
#ifdef DRM_IOCTL_ETNAVIV_GEM_SUBMIT
	[RF_INTERFACE_ETNAVIV] = true,
#endif
#ifdef DRM_IOCTL_LIMA_GEM_SUBMIT
	[RF_INTERFACE_LIMA] = true,
#endif
#ifdef DRM_IOCTL_IVPU_BO_CREATE_FROM_USERPTR
	[RF_INTERFACE_IVPU] = true,
#endif
#ifdef DRM_IOCTL_QAIC_EXECUTE_BO
	[RF_INTERFACE_QAIC] = true,
#endif
#ifdef DRM_IOCTL_HL_CS
	[RF_INTERFACE_HABANALABS] = true,
#endif
#ifdef DRM_IOCTL_AMDXDNA_EXEC_CMD
	[RF_INTERFACE_AMDXDNA] = true,
#endif
#ifdef AMDKFD_IOC_PROFILER
	[RF_INTERFACE_KFD] = true,
#endif
};

static void every_ioctl_of_the_headers_here_has_its_class(void **state)
{
	struct rf_accel_ioctls known;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
		const struct want *w = &wants[i];

		rf_accel_ioctls_of(w->interface, &known);
		if (!RF_ACCEL_TYPE_IS(known.type, w->type << 8) || known.class[w->nr] != w->class)
			fail_msg("%s of %s is type %#x number %#x: of class %s and type %#x here, not %s", w->name,
				 rf_accel_interface_names[w->interface], w->type, w->nr,
				 rf_accel_class_names[known.class[w->nr]], known.type, rf_accel_class_names[w->class]);
	}
	printf("# %zu ioctls compared%s\n", ARRAY_SIZE(wants),
	       complete[RF_INTERFACE_DRM] ? "" : "; there is no drm/drm.h here");
}

static bool wanted(enum rf_accel_interface interface, uint32_t nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		if (wants[i].interface == interface && wants[i].nr == nr)
			return true;
	return false;
}

static void nothing_else_is_of_a_class_where_the_header_is_as_new(void **state)
{
	struct rf_accel_ioctls known, core;

	(void)state;
	rf_accel_ioctls_of(RF_INTERFACE_DRM, &core);
	for (int i = 0; i < RF_INTERFACE_COUNT; i++) {
		rf_accel_ioctls_of(i, &known);
		for (uint32_t nr = 0; complete[i] && nr < sizeof(known.class); nr++)
			if (known.class[nr] != RF_ACCEL_OTHER && !wanted(i, nr) &&
			    (i == RF_INTERFACE_DRM || known.class[nr] != core.class[nr]))
				fail_msg("%s has number %#x in class %s, which its header does not",
					 rf_accel_interface_names[i], nr, rf_accel_class_names[known.class[nr]]);
	}
}

static void every_interface_has_the_type_of_its_ioctls(void **state)
{
	static const struct {
		enum rf_accel_interface interface;
		uint32_t type;
	} others[] = {
		{ RF_INTERFACE_UNKNOWN, 0 },
		{ RF_INTERFACE_KFD, RF_ACCEL_TYPE_ANY },
		{ RF_INTERFACE_NVIDIA, RF_ACCEL_TYPE_ANY },
		{ RF_INTERFACE_HABANALABS_OLD, RF_ACCEL_TYPE_ANY },
		{ RF_INTERFACE_NVIDIA_UVM, 0 },
		{ RF_INTERFACE_INFINIBAND, 0x1b },
	};
	struct rf_accel_ioctls known;

	(void)state;
	for (int i = 0; i < RF_INTERFACE_COUNT; i++) {
		uint32_t want = 'd';

		for (size_t k = 0; k < ARRAY_SIZE(others); k++)
			if (others[k].interface == (enum rf_accel_interface)i)
				want = others[k].type;
		rf_accel_ioctls_of(i, &known);
		if (known.type != want)
			fail_msg("%s has type %#x, not %#x", rf_accel_interface_names[i], known.type, want);
	}
}

/* As the programs class @cmd. */
static enum rf_accel_class class_of(enum rf_accel_interface interface, uint32_t cmd)
{
	struct rf_accel_ioctls known;

	rf_accel_ioctls_of(interface, &known);
	return RF_ACCEL_TYPE_IS(known.type, cmd) ? known.class[cmd & 0xff] : RF_ACCEL_OTHER;
}

static void a_type_that_the_driver_does_not_look_at_hides_nothing(void **state)
{
	(void)state;
	assert_int_equal(class_of(RF_INTERFACE_KFD, _IOC(3U, 'K', 0x02, 88)), RF_ACCEL_SUBMIT);
	assert_int_equal(class_of(RF_INTERFACE_KFD, _IOC(3U, 'X', 0x02, 88)), RF_ACCEL_SUBMIT);
	assert_int_equal(class_of(RF_INTERFACE_KFD, _IOC(0, 0, 0x16, 0)), RF_ACCEL_ALLOC);
	assert_int_equal(class_of(RF_INTERFACE_NVIDIA, _IOC(3U, 'd', 0x2b, 48)), RF_ACCEL_ALLOC);
	assert_int_equal(class_of(RF_INTERFACE_NVIDIA, _IOC(0, 0xff, 0x4e, 56)), RF_ACCEL_MAP);
	assert_int_equal(class_of(RF_INTERFACE_HABANALABS_OLD, _IOC(3U, 'H', 0x03, 24)), RF_ACCEL_SUBMIT);
	assert_int_equal(class_of(RF_INTERFACE_HABANALABS_OLD, _IOC(3U, 'd', 0x03, 24)), RF_ACCEL_SUBMIT);
	assert_int_equal(class_of(RF_INTERFACE_HABANALABS_OLD, _IOC(3U, 'H', 0x04, 24)), RF_ACCEL_OTHER);
}

static void a_type_that_the_driver_looks_at_is_looked_at(void **state)
{
	(void)state;
	assert_int_equal(class_of(RF_INTERFACE_TESTACCEL, _IOC(3U, 'd', 0x40, 16)), RF_ACCEL_SUBMIT);
	assert_int_equal(class_of(RF_INTERFACE_TESTACCEL, _IOC(3U, 'X', 0x40, 16)), RF_ACCEL_OTHER);
	assert_int_equal(class_of(RF_INTERFACE_NVIDIA_UVM, 33), RF_ACCEL_MAP);
	assert_int_equal(class_of(RF_INTERFACE_NVIDIA_UVM, _IOC(0, 'F', 33, 0)), RF_ACCEL_OTHER);
}

static void an_ioctl_that_carries_others_is_of_a_class(void **state)
{
	(void)state;
	assert_int_equal(class_of(RF_INTERFACE_NVIDIA, _IOC(3U, 'F', 0xd3, 16)), RF_ACCEL_ALLOC);
}

static void every_class_is_one_that_has_a_name_and_a_bit(void **state)
{
	struct rf_accel_ioctls known;
	uint32_t bits = 0;

	(void)state;
	for (int i = 0; i < RF_INTERFACE_COUNT; i++) {
		assert_non_null(rf_accel_interface_names[i]);
		rf_accel_ioctls_of(i, &known);
		for (size_t nr = 0; nr < sizeof(known.class); nr++)
			assert_in_range(known.class[nr], RF_ACCEL_OTHER, RF_ACCEL_CLASSES - 1);
	}
	for (int class = RF_ACCEL_SUBMIT; class < RF_ACCEL_CLASSES; class ++) {
		assert_non_null(rf_accel_class_names[class]);
		bits |= RF_ACCEL_BIT(class);
	}
	assert_null(rf_accel_class_names[RF_ACCEL_CLASSES]);
	assert_int_equal(bits, RF_DEVICE_IOCTLS);
}

static void the_subsystems_own_ioctls_are_classed_for_its_drivers_alone(void **state)
{
	struct rf_accel_ioctls drm, panthor, kfd;

	(void)state;
	rf_accel_ioctls_of(RF_INTERFACE_DRM, &drm);
	rf_accel_ioctls_of(RF_INTERFACE_PANTHOR, &panthor);
	rf_accel_ioctls_of(RF_INTERFACE_KFD, &kfd);
	assert_int_equal(drm.class[0x1e], RF_ACCEL_ADMIN); /* SET_MASTER */
	assert_int_equal(panthor.class[0x1e], RF_ACCEL_ADMIN);
	assert_int_equal(kfd.class[0x1e], RF_ACCEL_OTHER);
}

static void what_is_not_known_of_leaves_nothing_of_what_was_there(void **state)
{
	struct rf_accel_ioctls known;

	(void)state;
	memset(&known, 0xff, sizeof(known));
	rf_accel_ioctls_of(RF_INTERFACE_UNKNOWN, &known);
	for (size_t nr = 0; nr < sizeof(known.class); nr++)
		assert_int_equal(known.class[nr], RF_ACCEL_OTHER);
}

static void a_driver_is_known_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(rf_accel_interface_of_driver("amdgpu"), RF_INTERFACE_AMDGPU);
	assert_int_equal(rf_accel_interface_of_driver("i915"), RF_INTERFACE_I915);
	assert_int_equal(rf_accel_interface_of_driver("intel_vpu"), RF_INTERFACE_IVPU);
	assert_int_equal(rf_accel_interface_of_driver("habanalabs"), RF_INTERFACE_HABANALABS);
	assert_int_equal(rf_accel_interface_of_driver(RF_TESTACCEL_DRIVER), RF_INTERFACE_TESTACCEL);
}

static void any_other_driver_has_the_ioctls_of_the_subsystem(void **state)
{
	(void)state;
	assert_int_equal(rf_accel_interface_of_driver("bochs-drm"), RF_INTERFACE_DRM);
	assert_int_equal(rf_accel_interface_of_driver(""), RF_INTERFACE_DRM);
	assert_int_equal(rf_accel_interface_of_driver("amdgp"), RF_INTERFACE_DRM);
	/* These have nodes elsewhere, of which that is the interface; a node of the subsystem has the subsystem's. */
	assert_int_equal(rf_accel_interface_of_driver("nvidia"), RF_INTERFACE_DRM);
	assert_int_equal(rf_accel_interface_of_driver("kfd"), RF_INTERFACE_DRM);
	assert_int_equal(rf_accel_interface_of_driver("unknown"), RF_INTERFACE_DRM);
	assert_int_equal(rf_accel_interface_of_driver(rf_accel_interface_names[RF_INTERFACE_HABANALABS_OLD]),
			 RF_INTERFACE_DRM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ioctl_of_the_headers_here_has_its_class),
		cmocka_unit_test(nothing_else_is_of_a_class_where_the_header_is_as_new),
		cmocka_unit_test(every_interface_has_the_type_of_its_ioctls),
		cmocka_unit_test(a_type_that_the_driver_does_not_look_at_hides_nothing),
		cmocka_unit_test(a_type_that_the_driver_looks_at_is_looked_at),
		cmocka_unit_test(an_ioctl_that_carries_others_is_of_a_class),
		cmocka_unit_test(every_class_is_one_that_has_a_name_and_a_bit),
		cmocka_unit_test(the_subsystems_own_ioctls_are_classed_for_its_drivers_alone),
		cmocka_unit_test(what_is_not_known_of_leaves_nothing_of_what_was_there),
		cmocka_unit_test(a_driver_is_known_by_its_name),
		cmocka_unit_test(any_other_driver_has_the_ioctls_of_the_subsystem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
