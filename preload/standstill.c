#include "preload/standstill.h"

#include <stdatomic.h>

#include "preload/kernel.h"

/* Nanoseconds between two looks, and how many are taken: a call that takes longer does not come to its end. */
enum { PAUSE = 100000, LOOKS = 500 };

static atomic_uint under_way;
static atomic_int still; /* the thread that keeps it so, 0: none */

static bool is_kept_out(void)
{
	int keeper = atomic_load(&still);

	return keeper && keeper != (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

void standstill_enter(void)
{
	for (;;) {
		atomic_fetch_add(&under_way, 1);
		if (!is_kept_out())
			return;
		atomic_fetch_sub(&under_way, 1);
		kernel_rest(PAUSE);
	}
}

void standstill_leave(void)
{
	atomic_fetch_sub(&under_way, 1);
}

bool standstill_begin(void)
{
	atomic_store(&still, (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0));
	for (int i = 0; i < LOOKS; i++) {
		if (atomic_load(&under_way) == 0)
			return true;
		kernel_rest(PAUSE);
	}
	standstill_end();
	return false;
}

void standstill_end(void)
{
	atomic_store(&still, 0);
}

void standstill_forked(void)
{
	atomic_store(&under_way, 0);
	atomic_store(&still, 0);
}
