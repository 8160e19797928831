/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates in the kernel: the limits that a bank names, the state of a workload
 * and of its rules,
 * and the links of the programs that are attached only where somebody has a
 * rate. For the engine's own files.
 */
#ifndef RF_ENGINE_RATE_H
#define RF_ENGINE_RATE_H

#include "user/engine/internal.h"

/*
 * rate.c. Writes the limits of @workload for @bank beside those in force, and names them there. A NULL @image: those
 * of the bank in force, which @bank is a copy of, go on.
 */
int rf_rate_install(struct rf_engine *e, uint32_t workload, uint32_t which, const struct rf_image *image,
		    struct rf_workload_bank *bank, char **ret_error);
/* After the flip, or when there will be none: what no bank in force names goes. */
void rf_rate_sweep(struct rf_engine *e);
/* @workload is somebody else's from now on. */
void rf_rate_reset(struct rf_engine *e, uint32_t workload);

/* rule_rates.c: the same of the rates of rules, under the id of the workload's; @bank's flags are set. */
int rf_rule_rates_install(struct rf_engine *e, uint32_t id, const struct rf_rates_image *rates,
			  struct rf_workload_bank *bank, char **ret_error);
/* Those of the id @before, for a workload that keeps them. */
int rf_rule_rates_keep(struct rf_engine *e, uint32_t before, uint32_t id, char **ret_error);
void rf_rule_rates_sweep(struct rf_engine *e);
/* Is @id one that no bank in force names? */
bool rf_rate_is_stale(const struct rf_engine *e, uint32_t id);

/* rate_links.c */
/* 1: some were put back, told in @report; 0: all is well. */
int rf_rate_links_verify(struct rf_engine *e, struct rf_strbuf *report);
/* Closes them; their pins keep them in force. Returns how many there were. */
int rf_rate_links_free(struct rf_engine *e);
/* Attached to the self-test's cgroup as long as it runs. */
void rf_rate_links_probe(struct rf_engine *e, int cgroup_fd, bool attach);
size_t rf_rate_links_count(const struct rf_engine *e);
int rf_rate_link_fd(const struct rf_engine *e, size_t i); /* -1: none */
bool rf_rate_is_attached(const struct rf_engine *e, enum rf_hook hook);
enum rf_support rf_rate_support(const struct rf_engine *e);
char *rf_rate_why(const struct rf_engine *e);

#endif
