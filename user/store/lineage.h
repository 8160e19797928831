/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of the lineage. Times are CLOCK_REALTIME in ns. */
#ifndef RF_STORE_LINEAGE_H
#define RF_STORE_LINEAGE_H

#include <stdint.h>

struct rf_lineage_label {
	uint64_t id; /* rf_file_label_id() of the name */
	const char *name;
	const char *kind;
	const char *tenant; /* NULL: nobody's */
};

/* What one program of a workload did with a label, or with a file that it wrote. */
struct rf_lineage_touch {
	const char *workload; /* its full name */
	uint64_t label;	      /* RF_LABEL_NONE: a file without one */
	const char *path;     /* of the file that was written; "": what was read, and writes whose file had no room */
	const char *process;  /* ""; likewise */
	uint64_t tgid, uid;   /* of the last */
	uint64_t read_bytes, write_bytes, map_bytes, share_bytes, changes; /* as struct rf_lineage_value has them */
	uint64_t first_ns, last_ns;
};

#endif
