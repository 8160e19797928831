// SPDX-License-Identifier: GPL-2.0-or-later
/* A request line of the control socket: whatever comes in, what comes out keeps the promises of request.h. */
#include <assert.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ringfence/event.h"
#include "user/daemon/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rf_request request = RF_REQUEST_INIT;
	char *error = NULL;
	int r = rf_request_parse((const char *)data, size, &request, &error);

	if (r < 0) {
		assert(error && *error);
		assert(request.command == RF_COMMAND_COUNT && !request.workload && !request.paths);
		free(error);
		return 0;
	}
	assert(!error);
	assert(request.command < RF_COMMAND_COUNT);
	assert(request.kinds && !(request.kinds & 1) && !(request.kinds >> RF_EVENT_KINDS));
	assert(request.verdicts && !(request.verdicts >> RF_VERDICTS));
	assert(request.limit <= RF_EVENT_HISTORY);
	assert(request.confirm_s <= RF_CONFIRM_MAX_S);
	assert(request.n_paths <= RF_POLICY_FILES_MAX);
	for (size_t i = 0; i < request.n_paths; i++)
		assert(request.paths[i][0] == '/' && strlen(request.paths[i]) <= RF_STRING_MAX);
	if (request.command == RF_COMMAND_APPLY)
		assert(request.n_paths);
	if (request.command == RF_COMMAND_POLICY_SHOW)
		assert(request.workload && *request.workload);
	if (request.command == RF_COMMAND_POLICY_TEST)
		assert(request.workload && request.protocol &&
		       (request.family == AF_INET || request.family == AF_INET6));
	rf_request_fini(&request);
	return 0;
}
