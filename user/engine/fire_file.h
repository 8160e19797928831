/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fires the hooks of files in the self-test, in a directory of its own that is gone afterwards. */
#ifndef RF_ENGINE_FIRE_FILE_H
#define RF_ENGINE_FIRE_FILE_H

void rf_self_test_fire_files(void);

#endif
