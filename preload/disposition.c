#include "preload/disposition.h"

#include <string.h>

#include "preload/kernel.h"
#include "preload/lock.h"
#include "preload/recorder.h"
#include "preload/signals.h"

enum { PATIENCE_MS = 1000 };

/* struct sigaction as rt_sigaction(2) has it, on x86-64 and arm64. */
struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

#define FLAG_RESTORER 0x04000000ul

static struct lock lock;
static disposition_handler *our_handler;
static struct kernel_action program;

static void kernel_action(const struct kernel_action *set, struct kernel_action *was)
{
	kernel_call(SYS_rt_sigaction, SIGBUS, (long)set, (long)was, sizeof program.mask, 0, 0);
}

uint64_t disposition_mask(void)
{
	return program.mask | (program.flags & SA_NODEFER ? 0 : UINT64_C(1) << (SIGBUS - 1));
}

void disposition_lock_reset(void)
{
	lock_reset(&lock);
}

/*
 * Mask, stack and restart as the program asked, so that its handler runs as it would without ours. SIG_DFL needs no stack;
 * ours takes the alternate one if there is one, since coroutines have little of their own.
 */
static void install(void)
{
	struct sigaction action = {.sa_sigaction = our_handler};
	unsigned long flags = (program.flags & ~(FLAG_RESTORER | SA_RESETHAND)) | SA_SIGINFO;

	if (program.handler == (void *)SIG_DFL)
		flags |= SA_ONSTACK;
	action.sa_flags = (int)(unsigned)flags;
	memcpy(&action.sa_mask, &program.mask, sizeof program.mask);
	/* libc's, which knows the restorer. Another interposer, as ThreadSanitizer, would take ours for the program's. */
	real_own_table->sigaction(SIGBUS, &action, NULL);
}

static void conceal(void)
{
	struct kernel_action now = {0};

	kernel_action(NULL, &now);
	if (!our_handler || now.handler == (void *)our_handler || now.handler == (void *)SIG_IGN)
		return;
	program = now;
	install();
}

void disposition_take(disposition_handler *ours)
{
	uint64_t mask = signals_block_these(UINT64_MAX);

	lock_take(&lock);
	our_handler = ours;
	conceal();
	lock_give(&lock);
	signals_restore(mask);
}

void disposition_reveal(struct disposition_change *change)
{
	struct kernel_action now = {0};

	change->mask = signals_block_these(~SIGNAL_BIT(SIGSYS));
	change->locked = lock_take(&lock);
	kernel_action(NULL, &now);
	if (our_handler && now.handler == (void *)our_handler)
		kernel_action(&program, NULL);
}

void disposition_release(void)
{
	struct disposition_change change;

	disposition_reveal(&change);
	our_handler = NULL;
	disposition_conceal(&change);
}

void disposition_conceal(const struct disposition_change *change)
{
	int kept = errno;

	/* A vfork child has a table of its own, but the parent's memory. */
	if (our_handler && !recorder_is_vfork_child())
		conceal();
	if (change->locked)
		lock_give(&lock);
	signals_restore(change->mask);
	errno = kept;
}

disposition_handler *disposition_now(void)
{
	bool locked = lock_try(&lock, PATIENCE_MS);
	void *handler = program.handler;

	if (locked)
		lock_give(&lock);
	return (disposition_handler *)handler;
}

disposition_handler *disposition_deliver(void)
{
	bool locked = lock_try(&lock, PATIENCE_MS);
	void *handler = program.handler;

	/* signal(7): the flags and the mask stay as they were. */
	if ((program.flags & SA_RESETHAND) && !recorder_is_vfork_child())
		program.handler = (void *)SIG_DFL;
	if (locked)
		lock_give(&lock);
	return (disposition_handler *)handler;
}

void disposition_default(void)
{
	struct kernel_action action = program;

	action.handler = (void *)SIG_DFL;
	kernel_action(&action, NULL);
}
