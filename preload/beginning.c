#include "preload/beginning.h"

#include "preload/arena.h"
#include "preload/gate.h"
#include "preload/lock.h"
#include "preload/signals.h"

enum { PATIENCE = 2000 };

static struct gate makers;
static struct lock beginnings_lock;
static struct arena beginnings = {.cell = sizeof(struct beginning)};

struct beginning *beginning_take(void)
{
	struct beginning *taken = NULL;
	uint64_t mask = signals_block();

	if (lock_take(&beginnings_lock)) {
		taken = arena_take(&beginnings);
		lock_give(&beginnings_lock);
	}
	signals_restore(mask);
	return taken;
}

void beginning_give(struct beginning *beginning)
{
	uint64_t mask = signals_block();

	if (lock_take(&beginnings_lock)) {
		arena_give(&beginnings, beginning);
		lock_give(&beginnings_lock);
	}
	signals_restore(mask);
}

bool beginning_enter(void)
{
	return gate_enter(&makers, PATIENCE);
}

void beginning_leave(void)
{
	gate_leave(&makers);
}

bool beginning_fork_begin(void)
{
	return gate_claim(&makers, PATIENCE);
}

void beginning_fork_end(bool begun)
{
	if (begun)
		gate_clear(&makers);
}

/* Another thread may have held the lock, amid a change. */
void beginning_fork_reset(void)
{
	gate_clear(&makers);
	lock_reset(&beginnings_lock);
	beginnings = (struct arena){.cell = sizeof(struct beginning)};
}
