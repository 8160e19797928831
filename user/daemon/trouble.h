/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that cannot be used: said once when it begins, and once when it is over. */
#ifndef RF_DAEMON_TROUBLE_H
#define RF_DAEMON_TROUBLE_H

/*
 * @trouble: why the file cannot be used, owned; NULL: it can. @r and @error (taken, may be NULL): how it went now.
 * @meanwhile is what is so until then, @kept what is done with the file at @path.
 */
void rf_trouble_tell(char **trouble, int r, char *error, const char *meanwhile, const char *kept, const char *path);

#endif
