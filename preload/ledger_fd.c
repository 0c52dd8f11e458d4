/* Which object a descriptor leads to: what was last seen of it. */
#include <stdatomic.h>

#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/ledger_lock.h"
#include "preload/objects.h"

/* 8 MiB of address space, touched only where descriptors are; a higher descriptor is recognised at mmap all the same. */
enum { FDS = 1 << 20 };

typedef _Atomic(struct object *) descriptor; /* the object that it was last seen to lead to, whose holder it is */
static _Atomic(descriptor *) fds;
static atomic_int fd_highest = -1;
static uint32_t watched; /* marks; see ledger_let_go() */
static atomic_bool any_let_go;
static struct object
	expected; /* what a descriptor leads to as long as the event that tells it is queued; no object, id 0 */

/* The cell of an object that is forgotten meanwhile stays ours: its id is the old one, or that of the next. */
__attribute__((no_sanitize("thread"))) static uint32_t id_of(const struct object *object)
{
	return object->id;
}

static inline const struct object *object_of(int fd)
{
	descriptor *table = atomic_load_explicit(&fds, memory_order_acquire);
	if (!table || fd < 0 || fd >= FDS || fd > atomic_load_explicit(&fd_highest, memory_order_relaxed))
		return NULL;
	return atomic_load_explicit(&table[fd], memory_order_acquire);
}

bool ledger_may_lead(int fd)
{
	return object_of(fd) != NULL;
}

uint32_t ledger_fd(int fd)
{
	const struct object *object = object_of(fd);
	return object ? id_of(object) : 0;
}

static inline descriptor *fd_table(void)
{
	descriptor *table = atomic_load_explicit(&fds, memory_order_acquire), *none = NULL;
	if (table)
		return table;
	table = kernel_memory(FDS * sizeof *table);
	if (table && !atomic_compare_exchange_strong(&fds, &none, table)) {
		kernel_memory_free(table, FDS * sizeof *table);
		table = none;
	}
	return table;
}

static inline void raise_highest(int fd)
{
	int top = atomic_load_explicit(&fd_highest, memory_order_relaxed);

	while (fd > top && !atomic_compare_exchange_weak(&fd_highest, &top, fd))
		;
}

void ledger_expect_fd(int fd)
{
	descriptor *table = fd >= 0 && fd < FDS ? fd_table() : NULL;
	struct object *none = NULL;

	if (table && atomic_compare_exchange_strong(&table[fd], &none, &expected))
		raise_highest(fd);
}

bool ledger_holds(const struct identity *identity, int but)
{
	uint32_t that = ledger_fd(but);

	if (!ledger_lock_take())
		return true;
	const struct object *object = objects_find_known(identity);
	bool holds = object && object->holders > (that == object->id);
	ledger_lock_give();
	return holds;
}

/* The ledger is locked. What the descriptor led to before was closed behind our back, or by ledger_fd_clear(). */
static void lead(descriptor *from, struct object *to)
{
	struct object *before = atomic_load_explicit(from, memory_order_relaxed);

	if (before == to)
		return;
	if (before && before != &expected && !--before->holders && (before->marks & watched)) {
		before->let_go = true;
		atomic_store(&any_let_go, true);
	}
	if (to)
		to->holders++;
	atomic_store_explicit(from, to, memory_order_release);
}

void ledger_fd_set(int fd, const struct identity *identity)
{
	bool is_new;
	descriptor *table = fd >= 0 && fd < FDS ? fd_table() : NULL;

	if (!table)
		return;
	if (!ledger_lock_take())
		return;
	struct object *object = objects_find(identity, &is_new);
	if (object) {
		lead(&table[fd], object);
		raise_highest(fd);
	}
	ledger_lock_give();
}

uint32_t ledger_fd_clear(int fd)
{
	const struct object *object = object_of(fd);
	uint32_t id = object ? id_of(object) : 0;

	if (!object || !ledger_lock_take())
		return id;
	object = atomic_load_explicit(&fds[fd], memory_order_relaxed);
	if (object && object->undefined)
		id = 0;
	lead(&fds[fd], NULL);
	ledger_lock_give();
	return id;
}

int ledger_fd_next(unsigned first, unsigned last)
{
	int top = atomic_load(&fd_highest);
	for (unsigned fd = first; top >= 0 && fd <= last && fd <= (unsigned)top; fd++)
		if (ledger_may_lead((int)fd))
			return (int)fd;
	return -1;
}

void ledger_watch(uint32_t marks)
{
	watched = marks;
}

bool ledger_any_let_go(void)
{
	return atomic_load_explicit(&any_let_go, memory_order_relaxed);
}

bool ledger_let_go(struct object *copy)
{
	struct object *object;
	bool found = false;

	if (!ledger_lock_take())
		return false;
	while (!found && (object = objects_let_go())) {
		object->let_go = false;
		found = !object->holders;
		if (found)
			*copy = *object;
	}
	atomic_store(&any_let_go, found);
	ledger_lock_give();
	return found;
}
