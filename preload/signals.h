/* Keeps the program's handlers out of a stretch of ours. What an instruction itself causes is never kept out. */
#ifndef SHMGUARD_SIGNALS_H
#define SHMGUARD_SIGNALS_H

#include <signal.h>

#include "preload/kernel.h"

/* The kernel's signal set: bit N - 1 is signal N. */
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/* Where they are blocked the kernel kills for them. */
#define SIGNALS_OF_INSTRUCTIONS                                                                                        \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) |    \
	 SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGSYS))

/* Those that the program itself has blocked stay so. Answers the mask of before, for signals_restore. */
static inline uint64_t signals_block(void)
{
	uint64_t others = ~SIGNALS_OF_INSTRUCTIONS, before = 0;

	kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&others, (long)&before, sizeof before, 0, 0);
	return before;
}

static inline void signals_restore(uint64_t mask)
{
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}

#endif
