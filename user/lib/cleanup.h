/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership that the compiler ends: every owner has a cleanup attribute, so
 * that leak-freedom can be proved from one function. Ownership leaves a scope
 * only by TAKE_PTR() or TAKE_FD().
 */
#ifndef RF_LIB_CLEANUP_H
#define RF_LIB_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Defines a cleanup function fp() for pointers freed by f(). f(NULL) must be allowed. */
#define RF_DEFINE_CLEANUP(type, f)        \
	static inline void f##p(type **p) \
	{                                 \
		if (*p)                   \
			f(*p);            \
		*p = NULL;                \
	}

#define TAKE_PTR(p)                       \
	({                                \
		__auto_type _taken = (p); \
		(p) = NULL;               \
		_taken;                   \
	})

#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

static inline void rf_freep(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}

static inline void rf_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void rf_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}

#define _cleanup_free_	 _cleanup_(rf_freep)
#define _cleanup_close_	 _cleanup_(rf_closep)
#define _cleanup_fclose_ _cleanup_(rf_fclosep)

#endif
