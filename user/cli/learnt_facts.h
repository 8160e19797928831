/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was learnt, between the file that gathers it and the one that writes the policy; no other includes this. */
#ifndef RF_CLI_LEARNT_FACTS_H
#define RF_CLI_LEARNT_FACTS_H

#include "user/cli/learnt.h"
#include "user/lib/hashmap.h"

enum rf_learnt_kind {
	RF_FACT_EGRESS,
	RF_FACT_INGRESS,
	RF_FACT_DEVICE,
	RF_FACT_SOCKET,
	RF_FACT_NETLINK,
	RF_FACT_PROGRAM,    /* paths */
	RF_FACT_PROCESS,    /* "drift", "memfd" */
	RF_FACT_INTERFACE,  /* words of kernel.deny */
	RF_FACT_CAPABILITY, /* "CAP_..." */
	RF_FACT_SYSCALL,    /* names */
	RF_FACT_LABEL,	    /* names */
	RF_FACTS
};

struct rf_learnt_fact {
	char *peer; /* of flows: the peer as YAML; else what was used */
	char *port; /* of flows: protocol and port as YAML; else NULL */
	bool address;
	uint64_t times;
	unsigned int access; /* of devices, a bit each: read, write, mknod; of labels 1 << enum rf_file_access */
};

struct rf_learnt {
	struct rf_hashmap *facts[RF_FACTS];
	uint64_t beyond, lost;
};

/* What is known of @name; NULL: nothing, or @l is NULL. Of kinds without a port. */
const struct rf_learnt_fact *rf_learnt_find(const struct rf_learnt *l, enum rf_learnt_kind kind, const char *name);
/* By port, then by peer; the caller frees the array, not what is in it. -ENOMEM. */
int rf_learnt_sorted(const struct rf_learnt *l, enum rf_learnt_kind kind, struct rf_learnt_fact ***ret, size_t *ret_n);
/* In double quotes; what could end them, or is no plain character, is escaped as YAML has it. */
void rf_learnt_quote(struct rf_strbuf *out, const char *text);

#endif
