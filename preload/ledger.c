#include "preload/ledger.h"

#include <stdatomic.h>
#include <string.h>

#include "preload/ledger_lock.h"
#include "preload/objects.h"

static struct intervals mappings = INTERVALS_EMPTY;
static atomic_uintptr_t lowest = UINTPTR_MAX, highest; /* bounds of all tracked mappings ever made */
static bool dontforks;                                 /* some mapping is, or was, one that a child does not get */

static uint32_t forked_mark;

static uint32_t marks_of(const struct object *object)
{
	return object ? object->marks | (object->forks == objects_forks ? 0 : forked_mark) : 0;
}

uint32_t ledger_object(const struct identity *identity, bool *is_new, uint32_t *marks)
{
	/* The program's memory is not read while the lock is held: it may have no page. */
	char name[sizeof((struct object *)0)->name] = "";

	if (identity->name)
		memcpy(name, identity->name, strnlen(identity->name, sizeof name - 1));
	*is_new = false;
	if (!ledger_lock_take())
		return 0;
	struct object *object = objects_find_about(identity, is_new);
	uint32_t id = object ? object->id : 0;
	*marks = marks_of(object);
	if (object) {
		*is_new = *is_new || object->undefined;
		object->undefined = false;
		object->size = identity->size;
		if (!object->name[0])
			memcpy(object->name, name, sizeof name);
	}
	ledger_lock_give();
	return id;
}

void ledger_undefined(const struct identity *identity)
{
	if (!ledger_lock_take())
		return;
	struct object *object = objects_find_known(identity);
	if (object)
		object->undefined = true;
	ledger_lock_give();
}

void ledger_made(const struct identity *identity, bool made)
{
	if (!ledger_lock_take())
		return;
	struct object *object = objects_find_known(identity);
	if (object)
		object->made = made;
	ledger_lock_give();
}

void ledger_mark(const struct identity *identity, uint32_t set, uint32_t clear)
{
	bool is_new = false;

	if (!ledger_lock_take())
		return;
	struct object *object = objects_find(identity, &is_new);
	if (object) {
		object->marks = (object->marks & ~clear) | set;
		object->undefined = object->undefined || is_new;
	}
	if (object && (clear & forked_mark))
		object->forks = objects_forks;
	ledger_lock_give();
}

uint32_t ledger_marks(const struct identity *identity)
{
	if (!ledger_lock_take())
		return 0;
	const struct object *object = objects_find_known(identity);
	uint32_t marks = marks_of(object);
	ledger_lock_give();
	return marks;
}

uint8_t ledger_kind(const struct identity *identity)
{
	if (!ledger_lock_take())
		return identity->kind;
	const struct object *object = objects_find_known(identity);
	uint8_t kind = object ? object->kind : identity->kind;
	ledger_lock_give();
	return kind;
}

void ledger_rename(const struct identity *identity, const char *name)
{
	char text[OBJECT_NAME_SIZE] = "";

	memcpy(text, name, strnlen(name, sizeof text - 1));
	if (!ledger_lock_take())
		return;
	struct object *object = objects_find_known(identity);
	if (object)
		memcpy(object->name, text, sizeof text);
	ledger_lock_give();
}

/* The ledger is locked, which this gives up. */
static bool tell_name(const struct object *object, char name[static OBJECT_NAME_SIZE])
{
	memcpy(name, object ? object->name : "", object ? OBJECT_NAME_SIZE : 1);
	ledger_lock_give();
	return name[0] != 0;
}

bool ledger_name(const struct identity *identity, char name[static OBJECT_NAME_SIZE])
{
	name[0] = 0;
	return ledger_lock_take() && tell_name(objects_find_known(identity), name);
}

bool ledger_mapped_name(uint64_t address, char name[static OBJECT_NAME_SIZE])
{
	name[0] = 0;
	if (!ledger_lock_take())
		return false;
	const struct interval *found = intervals_find(&mappings, address, address + 1);
	return tell_name(found ? found->object : NULL, name);
}

void ledger_mark_mapped(uint64_t address, uint32_t set)
{
	if (!ledger_lock_take())
		return;
	struct interval *found = intervals_find(&mappings, address, address + 1);
	if (found)
		found->object->marks |= set;
	ledger_lock_give();
}

uint32_t ledger_mapped_marks(uint64_t address)
{
	if (!ledger_lock_take())
		return 0;
	struct interval *found = intervals_find(&mappings, address, address + 1);
	uint32_t marks = marks_of(found ? found->object : NULL);
	ledger_lock_give();
	return marks;
}

bool ledger_object_at(unsigned index, struct object *copy)
{
	if (!ledger_lock_take())
		return false;
	const struct object *object = objects_at(index);
	if (object)
		*copy = *object;
	ledger_lock_give();
	return object;
}

static atomic_llong created;

uint64_t ledger_created(void)
{
	long long now = atomic_load(&created);
	return now > 0 ? (uint64_t)now : 0;
}

void ledger_count_created(int change)
{
	atomic_fetch_add(&created, change);
}

uint64_t ledger_mapped_end(const struct identity *identity)
{
	uint64_t end = 0;
	struct interval *at;

	if (!ledger_lock_take())
		return 0;
	for (uint64_t from = 0; (at = intervals_find(&mappings, from, UINT64_MAX)); from = at->end)
		if (at->object->ino == identity->ino && at->object->dev == identity->dev &&
		    at->offset + (at->end - at->start) > end)
			end = at->offset + (at->end - at->start);
	ledger_lock_give();
	return end;
}

bool ledger_may_map(const void *start, uint64_t length)
{
	uintptr_t from = (uintptr_t)start, to = from + length;
	return from < atomic_load_explicit(&highest, memory_order_relaxed) &&
	       to > atomic_load_explicit(&lowest, memory_order_relaxed) && to > from;
}

uint32_t ledger_mapped(uint64_t start, uint64_t length)
{
	if (!ledger_lock_take())
		return 0;
	struct interval *found = intervals_find(&mappings, start, start + length);
	uint32_t id = found ? found->object->id : 0;
	ledger_lock_give();
	return id;
}

void ledger_expect(uint64_t start, uint64_t end)
{
	uintptr_t low = atomic_load(&lowest), high = atomic_load(&highest);

	while (start < low && !atomic_compare_exchange_weak(&lowest, &low, start))
		;
	while (end > high && !atomic_compare_exchange_weak(&highest, &high, end))
		;
}

/* An interval that is cut was one holder; what is left of it are `left`. */
static bool cut(uint64_t start, uint64_t end, struct interval *piece)
{
	int left = intervals_cut(&mappings, start, end, piece);
	if (left < 0)
		return false;
	piece->object->holders += (uint32_t)left - 1;
	return true;
}

static void cut_all(uint64_t start, uint64_t end)
{
	struct interval piece;

	while (cut(start, end, &piece))
		;
}

/* A range that libc itself unmapped or replaced behind our back is no longer what we thought. */
static void add(const struct interval *piece)
{
	cut_all(piece->start, piece->end);
	if (!intervals_add(&mappings, piece))
		return;
	piece->object->holders++;
	ledger_expect(piece->start, piece->end);
}

void ledger_dontfork(uint64_t start, uint64_t length, bool dontfork)
{
	struct interval *found, piece;

	if (!ledger_lock_take())
		return;
	for (uint64_t at = start; (found = intervals_find(&mappings, at, start + length)); at = piece.end) {
		piece = *found;
		if (piece.dontfork == dontfork || !cut(at, start + length, &piece))
			continue;
		piece.dontfork = dontfork;
		add(&piece);
	}
	dontforks |= dontfork;
	ledger_lock_give();
}

static void leave_to_parent(void)
{
	struct interval *found;

	if (!dontforks || !ledger_lock_take())
		return;
	for (uint64_t at = 0; (found = intervals_find(&mappings, at, UINT64_MAX));) {
		at = found->end;
		if (found->dontfork)
			cut_all(found->start, at);
	}
	dontforks = false;
	ledger_lock_give();
}

void ledger_forked(uint32_t mark)
{
	atomic_store(&created, 0);
	objects_forks++;
	forked_mark = mark;
	leave_to_parent();
}

void ledger_map(uint64_t start, uint64_t length, uint64_t offset, const struct identity *identity)
{
	bool is_new;

	if (!ledger_lock_take())
		return;
	struct object *object = objects_find(identity, &is_new);
	if (object)
		add(&(struct interval){.start = start, .end = start + length, .offset = offset, .object = object});
	else
		cut_all(start, start + length);
	ledger_lock_give();
}

unsigned ledger_unmap(uint64_t start, uint64_t length, void (*each)(const struct interval *, void *), void *context)
{
	struct interval piece;
	unsigned pieces = 0;

	if (!ledger_lock_take())
		return 0;
	while (cut(start, start + length, &piece)) {
		pieces++;
		if (each)
			each(&piece, context);
	}
	ledger_lock_give();
	return pieces;
}

void ledger_look(uint64_t start, uint64_t length, void (*each)(const struct interval *, void *), void *context)
{
	struct interval *found;

	if (!ledger_lock_take())
		return;
	for (uint64_t at = start; (found = intervals_find(&mappings, at, start + length)); at = found->end)
		each(found, context);
	ledger_lock_give();
}

bool ledger_copy(uint64_t address, struct interval *piece)
{
	if (!ledger_lock_take())
		return false;
	struct interval *found = intervals_find(&mappings, address, address + 1);
	if (found)
		*piece = *found;
	ledger_lock_give();
	return found != NULL;
}

bool ledger_cuts_huge(uint64_t address, struct interval *piece, uint64_t *page)
{
	bool cuts = false;

	if (!objects_any_huge() || !ledger_lock_take())
		return false;
	struct interval *found = intervals_find(&mappings, address, address + 1);
	if (found && found->object->huge && address % found->object->page) {
		*piece = *found;
		*page = found->object->page;
		cuts = true;
	}
	ledger_lock_give();
	return cuts;
}

/* With the lock, which it gives back. */
static int copy_found(uint64_t address, struct interval *piece, struct object *object)
{
	struct interval *found = intervals_find(&mappings, address, address + 1);
	if (found) {
		*piece = *found;
		*object = *found->object;
	}
	ledger_lock_give();
	return found != NULL;
}

int ledger_find(uint64_t address, struct interval *piece, struct object *object)
{
	return ledger_lock_take() ? copy_found(address, piece, object) : -1;
}

int ledger_try_find(uint64_t address, unsigned milliseconds, struct interval *piece, struct object *object)
{
	return ledger_lock_soon(milliseconds) ? copy_found(address, piece, object) : -1;
}

bool ledger_try_forget(uint64_t start, uint64_t length, unsigned milliseconds)
{
	if (!ledger_lock_soon(milliseconds))
		return false;
	cut_all(start, start + length);
	ledger_lock_give();
	return true;
}

void ledger_restore(const struct interval *piece)
{
	if (!ledger_lock_take())
		return;
	add(piece);
	ledger_lock_give();
}
