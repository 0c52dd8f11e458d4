#include "preload/cancel.h"

#include <pthread.h>

#include "preload/real.h"

enum { NONE = -1 };

/* The program's own. A handler may come, and jump out, before and after each change: to give back twice does no harm. */
static __thread struct {
	int state, type;
} kept = {NONE, NONE};

/* What is kept already is the program's; what is now may be ours. The C library tells the old one before it sets the new. */
void cancel_forbid(void)
{
	LIBC(pthread_setcancelstate)(PTHREAD_CANCEL_DISABLE, kept.state == NONE ? &kept.state : NULL);
}

void cancel_allow(void)
{
	if (kept.state == NONE)
		return;
	LIBC(pthread_setcancelstate)(kept.state, NULL);
	kept.state = NONE;
}

bool cancel_is_forbidden(void)
{
	return kept.state != NONE;
}

void cancel_defer(void)
{
	LIBC(pthread_setcanceltype)(PTHREAD_CANCEL_DEFERRED, kept.type == NONE ? &kept.type : NULL);
}

void cancel_undefer(void)
{
	if (kept.type == NONE)
		return;
	LIBC(pthread_setcanceltype)(kept.type, NULL);
	kept.type = NONE;
}

bool cancel_is_deferred(void)
{
	return kept.type != NONE;
}

bool cancel_keeps(void)
{
	return kept.state != NONE || kept.type != NONE;
}

void cancel_give_back(void)
{
	cancel_allow();
	cancel_undefer();
}

static int exchange(int *own, int new, int *old)
{
	if (old)
		*old = *own;
	*own = new;
	return 0;
}

int cancel_set_state(int state, int *old)
{
	if (kept.state == NONE || (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE))
		return REAL(pthread_setcancelstate)(state, old);
	return exchange(&kept.state, state, old);
}

int cancel_set_type(int type, int *old)
{
	if (kept.type == NONE || (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS))
		return REAL(pthread_setcanceltype)(type, old);
	return exchange(&kept.type, type, old);
}
