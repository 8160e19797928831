/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fires the hooks of programs and libraries in the self-test. */
#ifndef RF_ENGINE_FIRE_EXEC_H
#define RF_ENGINE_FIRE_EXEC_H

/* By the child of the self-test; a program that ends at once is run in a child of its own. */
void rf_self_test_fire_exec(void);

#endif
