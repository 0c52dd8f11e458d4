/* What a process keeps over exec(2), but a child by fork(2) does not have: run hands it over to the command. */
#ifndef SHMGUARD_KEPT_H
#define SHMGUARD_KEPT_H

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <sys/types.h>

enum { KEPT_TIMERS = ITIMER_PROF + 1 };

struct kept {
	struct itimerval timers[KEPT_TIMERS]; /* as far as they had got then */
	int death_signal;                     /* at the parent's death; 0: none (PR_SET_PDEATHSIG) */
	int reaper;                           /* PR_SET_CHILD_SUBREAPER */
	siginfo_t *pending;
	size_t pending_count;
};

/* Takes it from this process, all of whose signals are blocked, as `mask` says that they had been before. */
void kept_take(struct kept *kept, const sigset_t *mask);

/* As fork(2), but that what semop(2) is to undo for this process goes to the child. */
pid_t kept_fork(void);
/* In the parent of a child so made. */
void kept_forked(void);

/* In the child of `parent`, still with all signals blocked, right before exec. */
void kept_give(const struct kept *kept, pid_t parent);

void kept_free(struct kept *kept);

#endif
