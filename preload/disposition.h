/*
 * The disposition of SIGBUS that the program believes to have, while the kernel has a handler of ours. The kernel's own
 * table says which of the two it is: where another handler stands there, the program's is the kernel's. So SIG_IGN, which
 * exec(2) hands on, and what a vfork(2) child sets for itself always stay with the kernel.
 */
#ifndef SHMGUARD_DISPOSITION_H
#define SHMGUARD_DISPOSITION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef void disposition_handler(int number, siginfo_t *info, void *context);

/* SIG_DFL and SIG_IGN as such. */
#define DISPOSITION_DEFAULT ((disposition_handler *)(void *)SIG_DFL)
#define DISPOSITION_IGNORE ((disposition_handler *)(void *)SIG_IGN)

/* Puts our handler in the place of the program's, from now on whenever the program sets one. */
void disposition_take(disposition_handler *ours);

/*
 * Around a function of libc that reads or sets the disposition: between the two the kernel has the program's, and all
 * signals are blocked but SIGSYS, with which a filter of system calls may answer. errno is kept.
 */
struct disposition_change {
	uint64_t mask;
	bool locked;
};

/* The program's is put back for good. */
void disposition_release(void);

void disposition_reveal(struct disposition_change *change);
void disposition_conceal(const struct disposition_change *change);

/* What the program's disposition is: a handler, SIG_DFL or SIG_IGN. With all signals blocked. */
disposition_handler *disposition_now(void);
/* The same, now that the signal is delivered: SA_RESETHAND takes effect. */
disposition_handler *disposition_deliver(void);

/* Gives SIG_DFL to the kernel. */
void disposition_default(void);

/* What the kernel adds to the mask while the program's handler runs. */
uint64_t disposition_mask(void);

/* In a forked child. */
void disposition_lock_reset(void);

#endif
