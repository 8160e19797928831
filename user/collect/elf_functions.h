/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of an ELF file, and where they are in it. The file is
 * whoever's: nothing in it is believed, and no more of it is read than what is
 * said here, however large it says that it is. Whoever opens it has made sure
 * that its file system lets nobody wait (user/collect/mountinfo.h).
 */
#ifndef RF_COLLECT_ELF_FUNCTIONS_H
#define RF_COLLECT_ELF_FUNCTIONS_H

#include <elf.h>
#include <stdint.h>

#include "user/lib/util.h"

#define RF_ELF_SEGMENTS	    64		       /* more are not looked at */
#define RF_ELF_SECTIONS_MAX 2048	       /* of one that has more nothing is told */
#define RF_ELF_SYMBOLS_MAX  (24 * 1024 * 1024) /* bytes of a table of symbols: a million of them */
#define RF_ELF_STRINGS_MAX  (64 * 1024 * 1024) /* of their names */

/* A negative value ends the walk and is its result. */
typedef int (*rf_elf_function_fn)(const char *name, uint64_t offset, void *arg);

/*
 * Calls @fn for each function that is defined in the first table of symbols of @fd, and the first of dynamic ones; one
 * that is in both comes twice. -ENOEXEC: no 64-bit ELF file of this machine. -EFBIG: it has more than is read.
 */
int rf_elf_functions(int fd, rf_elf_function_fn fn, void *arg);

/*
 * 1: a function begins at @offset, where its caller's stack is as it was at the call: a probe of it and of its return
 * harms nobody. 0: none does, or none that is known. By the table of the frames that exceptions are unwound with (Linux
 * Standard Base 5.0, 10.6), which is there without symbols, too. A negative errno.
 */
int rf_elf_is_function(int fd, uint64_t offset);

/* ---- what the two share ---- */

struct rf_elf_segments {
	Elf64_Phdr list[RF_ELF_SEGMENTS];
	size_t n;
};

/* Of a 64-bit file of this machine, whose counts are within the above. -ENOEXEC, -EFBIG. */
int rf_elf_header_read(int fd, Elf64_Ehdr *ret);
/* -ENOEXEC. */
int rf_elf_segments_read(int fd, const Elf64_Ehdr *header, struct rf_elf_segments *ret);
/* The first that is loaded from the file to that address, with all of @flags (PF_X); NULL: none is. */
const Elf64_Phdr *rf_elf_segment_at(const struct rf_elf_segments *s, uint64_t address, uint32_t flags);

#endif
