// SPDX-License-Identifier: GPL-2.0-or-later
/* Two prefixes that mean the same to everybody who looks at addresses. */
#include "user/lib/inet.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

bool rf_inet_is_loopback(uint8_t family, const uint8_t *addr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	return family == AF_INET ? addr[0] == 127 : !memcmp(addr, loopback6, sizeof(loopback6));
}

const uint8_t *rf_inet_mapped(uint8_t family, const uint8_t *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return family == AF_INET6 && !memcmp(addr, mapped, sizeof(mapped)) ? addr + sizeof(mapped) : NULL;
}
