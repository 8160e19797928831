/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 64-bit digest of plain data, word by word. Stable between versions and
 * machines: a new daemon compares its own with what an older one installed.
 */
#ifndef RF_POLICY_DIGEST_H
#define RF_POLICY_DIGEST_H

#include <stdint.h>

#define RF_DIGEST_INIT 0x52696e6766656e63ULL

/* One to one in @digest for any @word, so that differences never cancel out at once. */
static inline uint64_t rf_digest_add(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * 0x9e3779b97f4a7c15ULL;
	digest = (digest ^ digest >> 32) * 0xd6e8feb86659fd93ULL;
	return digest ^ digest >> 29;
}

#endif
