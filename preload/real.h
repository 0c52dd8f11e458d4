/* real.<call>: the C library's originals of every row of CALLS, found with RTLD_NEXT once. */
#ifndef SHMGUARD_REAL_H
#define SHMGUARD_REAL_H

#include <stdbool.h>

#include "tracepoints/calls.h"

#define REAL_MEMBER(symbol, event, result, parameters) result(*symbol) parameters;
struct real {
	CALLS(REAL_MEMBER)
};
#undef REAL_MEMBER

extern struct real real_table;
extern bool real_resolved;
/* The original of syscall(2) once more, where assembly finds it. */
extern long (*real_syscall)(long, ...);

/* Fills the table; called by REAL() where another library's constructor calls a wrapper before ours has run. */
void real_resolve(void);

#define REAL(symbol) (__builtin_expect(real_resolved, true) ? (void)0 : real_resolve(), real_table.symbol)

#endif
