// SPDX-License-Identifier: GPL-2.0-or-later
/* The address files of a namespace: what comes out is distinct, of a known family, and nobody's loopback. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/collect/net_address.h"

static struct rf_net_addresses addresses;

static void check(void)
{
	if (addresses.n > RF_NET_ADDRESSES_MAX)
		abort();
	for (size_t i = 0; i < addresses.n; i++) {
		const struct rf_net_address *a = &addresses.list[i];

		if (a->family != AF_INET && a->family != AF_INET6)
			abort();
		if (a->family == AF_INET && (a->addr[0] == 127 || a->addr[0] >= 224))
			abort();
		for (size_t k = 0; k < i && i < 64; k++)
			if (!memcmp(a, &addresses.list[k], sizeof(*a)))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that reading past its end is seen. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	addresses.n = 0;
	rf_net_fib_trie_parse(text, size, &addresses);
	check();
	rf_net_if_inet6_parse(text, size, &addresses);
	check();
	free(text);
	return 0;
}
