#include "preload/beginning.h"

#include "preload/arena.h"
#include "preload/lock.h"

static struct lock beginnings_lock;
static struct arena beginnings = {.cell = sizeof(struct beginning)};

struct beginning *beginning_take(void)
{
	if (!lock_take(&beginnings_lock))
		return NULL;
	struct beginning *taken = arena_take(&beginnings);
	lock_give(&beginnings_lock);
	return taken;
}

void beginning_give(struct beginning *beginning)
{
	if (!lock_take(&beginnings_lock))
		return;
	arena_give(&beginnings, beginning);
	lock_give(&beginnings_lock);
}

/* Another thread may have held the lock, amid a change. */
void beginning_fork_reset(void)
{
	lock_reset(&beginnings_lock);
	beginnings = (struct arena){.cell = sizeof(struct beginning)};
}
