#include "preload/enforce_room.h"

#include <errno.h>

#include "preload/kernel.h"

/* The first ones are in the library, which a small RLIMIT_DATA would keep a program from starting with. */
enum { ROOMS = 16 };

static struct rooms {
	struct enforce_room room[ROOMS];
	_Atomic(struct rooms *) more;
} rooms;

/* Of all for whom the kernel has no memory any more: what they decide holds, though one may be told what another did. */
static struct enforce_room shared;

static bool hold(struct enforce_room *room, int tid)
{
	int nobody = 0;

	if (atomic_load_explicit(&room->holder, memory_order_relaxed) ||
	    !atomic_compare_exchange_strong(&room->holder, &nobody, tid))
		return false;
	atomic_store_explicit(&room->ever_held, true, memory_order_relaxed);
	return true;
}

static struct enforce_room *hold_one(struct rooms *some, int tid)
{
	for (int i = 0; i < ROOMS; i++)
		if (hold(&some->room[i], tid))
			return &some->room[i];
	return NULL;
}

/* A thread may have been cancelled in the midst of a call. */
static void evict_dead(struct rooms *some)
{
	long pid = kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);

	for (int i = 0; i < ROOMS; i++) {
		int tid = atomic_load(&some->room[i].holder);
		if (tid && kernel_call(SYS_tgkill, pid, tid, 0, 0, 0, 0) == -ESRCH)
			atomic_compare_exchange_strong(&some->room[i].holder, &tid, 0);
	}
}

static struct rooms *add(struct rooms *last)
{
	struct rooms *added = NULL, *made = kernel_memory(sizeof *made);

	if (!made || atomic_compare_exchange_strong(&last->more, &added, made))
		return made;
	kernel_memory_free(made, sizeof *made);
	return added;
}

struct enforce_room *enforce_room_take(struct enforce_room *last, int tid)
{
	struct enforce_room *room = NULL;
	struct rooms *some = &rooms;

	if (last && hold(last, tid))
		return last;
	while (some && !(room = hold_one(some, tid))) {
		struct rooms *more = atomic_load(&some->more);
		if (!more) {
			evict_dead(some);
			room = hold_one(some, tid);
			more = room ? NULL : add(some);
		}
		some = more;
	}
	return room ? room : &shared;
}

void enforce_room_give(struct enforce_room *room)
{
	atomic_store_explicit(&room->holder, 0, memory_order_release);
}

void enforce_room_give_all(void)
{
	for (struct rooms *some = &rooms; some; some = atomic_load(&some->more))
		for (int i = 0; i < ROOMS && atomic_load(&some->room[i].ever_held); i++)
			atomic_store(&some->room[i].holder, 0);
}
