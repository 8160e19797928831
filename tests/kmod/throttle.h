/* SPDX-License-Identifier: GPL-2.0-only */
/* What throttle.bpf.c and the programs that load it agree on. */
#ifndef RF_TEST_THROTTLE_H
#define RF_TEST_THROTTLE_H

/* An ioctl that nothing answers: whoever calls it, on any file, asks to wait. */
#define THROTTLE_COMMAND 0x5266

#define THROTTLE_ASKS 2 /* requests that one call of a hook can make */

#define THROTTLE_MS 1000000ULL /* in nanoseconds */

#endif
