/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an address says by itself. Addresses are in network order. */
#ifndef RF_LIB_INET_H
#define RF_LIB_INET_H

#include <stdbool.h>
#include <stdint.h>

/* @family AF_INET (4 bytes) or AF_INET6 (16). 127.0.0.0/8, ::1. */
bool rf_inet_is_loopback(uint8_t family, const uint8_t *addr);
/* The four bytes that an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) stands for; NULL: it is none. */
const uint8_t *rf_inet_mapped(uint8_t family, const uint8_t *addr);

#endif
