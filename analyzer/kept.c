#include "analyzer/kept.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "analyzer/memory.h"

/* As sched_setattr(2) has it, of its first version. */
struct kept_policy {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

#define POLICY_RESET_ON_FORK 1

/* Those that were blocked before: the others came for run. */
static void kept_take_pending(struct kept *kept, const sigset_t *mask)
{
	const struct timespec at_once = {0};
	siginfo_t info;
	sigset_t set;

	if (sigpending(&set))
		return;
	sigandset(&set, &set, mask);
	while (sigtimedwait(&set, &info, &at_once) > 0) {
		kept->pending = memory_grow(kept->pending, kept->pending_count, sizeof(*kept->pending));
		kept->pending[kept->pending_count++] = info;
	}
}

void kept_take(struct kept *kept, const sigset_t *mask)
{
	const struct itimerval none = {0};

	/* First: what goes off from now on does so in the command, which is yet to begin. */
	for (int which = 0; which < KEPT_TIMERS; which++)
		setitimer((__itimer_which_t)which, &none, &kept->timers[which]);
	kept_take_pending(kept, mask);
	/* This process keeps it as well: it dies as the command does, or hands the signal on. */
	prctl(PR_GET_PDEATHSIG, &kept->death_signal);
	prctl(PR_GET_CHILD_SUBREAPER, &kept->reaper);
}

/* A filter of system calls (a container's) may refuse kept_forked(), and the undoing would wait for this process's end. */
pid_t kept_fork(void)
{
	unsigned long shares = unshare(0) ? 0 : CLONE_SYSVSEM;

	return (pid_t)syscall(SYS_clone, SIGCHLD | shares, 0, 0, 0, 0);
}

/* What is to be undone is the command's alone, which ends before this process does. */
void kept_forked(void)
{
	unshare(CLONE_SYSVSEM);
}

/* What raise(3) and pthread_kill(3) send is for one thread. */
static void kept_send(const siginfo_t *info)
{
	if (info->si_code == SI_TKILL)
		syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), info->si_signo, info);
	else
		syscall(SYS_rt_sigqueueinfo, getpid(), info->si_signo, info);
}

/* Priorities that fork(2) takes away come again where that is allowed. */
static void kept_give_policy(pid_t parent)
{
	struct kept_policy policy = {.size = sizeof(policy)};

	if (!syscall(SYS_sched_getattr, parent, &policy, sizeof(policy), 0) && (policy.flags & POLICY_RESET_ON_FORK))
		syscall(SYS_sched_setattr, 0, &policy, 0);
}

void kept_give(const struct kept *kept, pid_t parent)
{
	kept_give_policy(parent);
	for (size_t i = 0; i < kept->pending_count; i++)
		kept_send(&kept->pending[i]);
	if (kept->reaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (kept->death_signal) {
		prctl(PR_SET_PDEATHSIG, kept->death_signal);
		/* It may be dead already. */
		if (getppid() != parent)
			kill(getpid(), kept->death_signal);
	}
	for (int which = 0; which < KEPT_TIMERS; which++)
		setitimer((__itimer_which_t)which, &kept->timers[which], NULL);
}

void kept_free(struct kept *kept)
{
	free(kept->pending);
	kept->pending = NULL;
	kept->pending_count = 0;
}
