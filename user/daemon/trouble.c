// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/daemon/trouble.h"

#include <stdlib.h>
#include <string.h>

#include "user/lib/log.h"

void rf_trouble_tell(char **trouble, int r, char *error, const char *meanwhile, const char *kept, const char *path)
{
	if (r < 0 && !*trouble)
		rf_err("%s: %s", meanwhile, error ? error : strerror(-r));
	else if (r >= 0 && *trouble)
		rf_notice("%s %s again", kept, path);
	free(*trouble);
	*trouble = NULL;
	if (r < 0)
		*trouble = error ? error : strdup(strerror(-r));
	else
		free(error);
}
