#include "preload/cancel.h"

#include <pthread.h>

#include "preload/real.h"

enum { NONE = -1 };

/* Set by calls that are alike: pthread_setcancelstate(3), pthread_setcanceltype(3). */
enum kind { KIND_state, KIND_type, KIND_COUNT };

/* The program's own. A handler may come, and jump out, before and after each change: to give back twice does no harm. */
static __thread int kept[KIND_COUNT] = {NONE, NONE};

static void set(enum kind kind, int new, int *old)
{
	(kind == KIND_state ? LIBC(pthread_setcancelstate) : LIBC(pthread_setcanceltype))(new, old);
}

/* What is kept already is the program's; what is now may be ours. The C library tells the old one before it sets the new. */
static void keep(enum kind kind, int new)
{
	set(kind, new, kept[kind] == NONE ? &kept[kind] : NULL);
}

static void give_back(enum kind kind)
{
	if (kept[kind] == NONE)
		return;
	set(kind, kept[kind], NULL);
	kept[kind] = NONE;
}

void cancel_forbid(void)
{
	keep(KIND_state, PTHREAD_CANCEL_DISABLE);
}

void cancel_allow(void)
{
	give_back(KIND_state);
}

bool cancel_is_forbidden(void)
{
	return kept[KIND_state] != NONE;
}

void cancel_defer(void)
{
	keep(KIND_type, PTHREAD_CANCEL_DEFERRED);
}

void cancel_undefer(void)
{
	give_back(KIND_type);
}

bool cancel_is_deferred(void)
{
	return kept[KIND_type] != NONE;
}

bool cancel_keeps(void)
{
	return cancel_is_forbidden() || cancel_is_deferred();
}

void cancel_give_back(void)
{
	cancel_allow();
	cancel_undefer();
}

static int exchange(enum kind kind, int new, int *old)
{
	if (old)
		*old = kept[kind];
	kept[kind] = new;
	return 0;
}

int cancel_set_state(int state, int *old)
{
	if (!cancel_is_forbidden() || (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE))
		return REAL(pthread_setcancelstate)(state, old);
	return exchange(KIND_state, state, old);
}

int cancel_set_type(int type, int *old)
{
	if (!cancel_is_deferred() || (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS))
		return REAL(pthread_setcanceltype)(type, old);
	return exchange(KIND_type, type, old);
}
