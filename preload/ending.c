#include "preload/ending.h"

#include "preload/gate.h"
#include "preload/kernel.h"

/* The end waits a tenth of a second: who forks may wait for a lock of the thread that ends. */
enum { PATIENCE_OF_FORK = 20000, PATIENCE_OF_END = 2000 };

static struct gate forks; /* inside are those that fork, alone is the end */
static atomic_int ender;  /* the thread, 0: none ends the process */

static int this_thread(void)
{
	return (int)kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

void ending_begin(void)
{
	if (gate_claim(&forks, PATIENCE_OF_END))
		atomic_store(&ender, this_thread());
}

bool ending_fork(void)
{
	int by = atomic_load(&ender);

	return !(by && by == this_thread()) && gate_enter(&forks, PATIENCE_OF_FORK);
}

void ending_forked(void)
{
	gate_leave(&forks);
}

void ending_reset(void)
{
	atomic_store(&ender, 0);
	gate_clear(&forks);
}
