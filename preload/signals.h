/* Keeps the program's handlers out of a stretch of ours. What an instruction itself causes is never kept out. */
#ifndef SHMGUARD_SIGNALS_H
#define SHMGUARD_SIGNALS_H

#include <signal.h>

#include "preload/kernel.h"

/* The kernel's signal set: bit N - 1 is signal N. */
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/* Answers the mask of before, for signals_restore. */
static inline uint64_t signals_block(void)
{
	uint64_t all = ~(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) |
			 SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGSYS)),
		 before = 0;

	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof before, 0, 0);
	return before;
}

static inline void signals_restore(uint64_t mask)
{
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}

#endif
