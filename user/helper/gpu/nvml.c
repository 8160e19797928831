// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading NVML, and what becomes of calls that fail. */
#include "user/helper/gpu/nvml.h"

#include <dlfcn.h>
#include <errno.h>

#include "user/lib/log.h"
#include "user/lib/util.h"

static const char *const symbols[] = {
#define X(id, symbol) [NVML_##id] = symbol,
	NVML_CALLS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(symbols) == NVML_CALL_COUNT && NVML_CALL_COUNT <= 64, "a symbol and a bit for every call");

/* Without these nothing else can be asked. */
static const enum nvml_call needed[] = { NVML_INIT, NVML_COUNT, NVML_HANDLE, NVML_PCI };

int nvml_open(struct nvml *n, const char *path, const char **ret_why)
{
	n->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!n->library) {
		*ret_why = dlerror();
		return -ENOENT;
	}
	for (int i = 0; i < NVML_CALL_COUNT; i++)
		n->function[i] = dlsym(n->library, symbols[i]);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (n->function[needed[i]])
			continue;
		*ret_why = symbols[needed[i]];
		return -ENOEXEC;
	}
	return 0;
}

/* What a device or a driver has not, or has nothing to say of at this moment. */
static bool is_no_failure(int result)
{
	switch (result) {
	case NVML_SUCCESS:
	case NVML_NOT_SUPPORTED:
	case NVML_NOT_FOUND:
	case NVML_FUNCTION_NOT_FOUND:
	case NVML_NO_DATA:
	case NVML_DEPRECATED:
	case NVML_NOT_READY:
		return true;
	default:
		return false;
	}
}

int nvml_good(struct nvml *n, enum nvml_call call, int result, const char *device)
{
	if (is_no_failure(result))
		return result == NVML_SUCCESS;
	n->errors++;
	if (!(n->told & (1ULL << call)))
		rf_warn("%s of %s failed with %d; not told again", symbols[call], device, result);
	n->told |= 1ULL << call;
	return false;
}
