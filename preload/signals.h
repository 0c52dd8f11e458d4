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

/*
 * The C library's own (nptl(7)): set*id(2) sends it to every thread and waits, with its list of threads locked, until each
 * has handled it. The loader takes that lock as well; where it was blocked in a thread that waits for the loader, nobody
 * would go on. Its handler makes that one call, and no program can block it. SIGCANCEL, which nobody waits for, is none.
 */
#define SIGNAL_SETXID SIGNAL_BIT(33)

/* Those that the program itself has blocked stay so. Answers the mask of before, for signals_restore. */
static inline uint64_t signals_block_these(uint64_t signals)
{
	uint64_t before = 0;

	signals &= ~SIGNAL_SETXID;
	kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&signals, (long)&before, sizeof before, 0, 0);
	return before;
}

static inline uint64_t signals_block(void)
{
	return signals_block_these(~SIGNALS_OF_INSTRUCTIONS);
}

static inline void signals_restore(uint64_t mask)
{
	kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof mask, 0, 0);
}

#endif
