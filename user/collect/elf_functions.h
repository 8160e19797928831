/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of an ELF file, and where they are in it. The file is whoever's: nothing in it is believed. */
#ifndef RF_COLLECT_ELF_FUNCTIONS_H
#define RF_COLLECT_ELF_FUNCTIONS_H

#include <stdint.h>

#define RF_ELF_SYMBOLS_MAX (64 * 1024 * 1024) /* bytes of a table that are read */

/* A negative value ends the walk and is its result. */
typedef int (*rf_elf_function_fn)(const char *name, uint64_t offset, void *arg);

/*
 * Calls @fn for each function that is defined in one of the symbol tables of @fd; one that is in both comes twice.
 * -ENOEXEC: no 64-bit ELF file of this machine. -EFBIG: a table is too large. -ELOOP: it lies in a file system that
 * a program serves (FUSE), which could let the reader wait for ever.
 */
int rf_elf_functions(int fd, rf_elf_function_fn fn, void *arg);

#endif
