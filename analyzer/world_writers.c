/* Who may write an object at the same time as another process. */
#include "memory.h"
#include "world_holdings_inner.h"

static bool writes(const struct site *site, const struct object *object)
{
	const struct use *use = site->process ? holdings_use(site->process, object) : NULL;

	return use && use->writable;
}

static bool same_site(const struct site *a, const struct site *b)
{
	return a->process == b->process && a->stack_id == b->stack_id;
}

void writers_meet(struct object *object, const struct site *first, const struct site *second)
{
	for (size_t i = 0; i < object->rival_count; i++) {
		const struct site *of = object->rivals[i].of;

		if ((same_site(&of[0], first) && same_site(&of[1], second)) ||
		    (same_site(&of[1], first) && same_site(&of[0], second)))
			return;
	}
	if (object->rival_count == RIVALS_MAX)
		return;
	object->rivals = memory_grow(object->rivals, object->rival_count, sizeof(*object->rivals));
	object->rivals[object->rival_count++] = (struct rivals){{*first, *second}};
}

/* Where to remember it: of four others that of its own process is given up, or the first. */
static struct site *seat_of(struct object *object, const struct site *site)
{
	struct site *seat = &object->writers[0];

	for (size_t i = WRITERS_MAX; i-- > 0;)
		if (object->writers[i].process == site->process)
			seat = &object->writers[i];
	for (size_t i = WRITERS_MAX; i-- > 0;)
		if (object->writers[i].process == NULL)
			seat = &object->writers[i];
	return seat;
}

/*
 * Some writers are remembered, and another one, while these still are, is the rival of each: which of several is the second
 * depends on how they are scheduled.
 */
static void meet(struct object *object, const struct site *site)
{
	for (size_t i = 0; i < WRITERS_MAX; i++) {
		struct site *writer = &object->writers[i];

		if (writer->process && same_site(writer, site)) {
			*writer = *site;
			return;
		}
	}
	for (size_t i = 0; i < WRITERS_MAX; i++) {
		struct site *writer = &object->writers[i];

		if (writer->process == NULL || writer->process == site->process)
			continue;
		if (writes(writer, object))
			writers_meet(object, writer, site);
		else
			*writer = (struct site){0};
	}
	*seat_of(object, site) = *site;
}

static void make_writable(struct process *process, struct acquisition *from, const struct site *site)
{
	struct object *object = object_real(from->object);

	if (!from->shared || from->writable)
		return;
	from->writable = true;
	use_of(process, object)->writable++;
	meet(object, site);
}

void holdings_share(struct process *process, uint64_t start, bool writable, const struct site *site)
{
	const struct piece *piece = holdings_piece(process, start);

	if (piece == NULL)
		return;
	piece->from->shared = true;
	if (writable)
		make_writable(process, piece->from, site);
}

void holdings_writable(struct process *process, uint64_t start, uint64_t length, const struct site *site)
{
	for (size_t i = 0; i < process->holdings->piece_count; i++) {
		const struct piece *piece = &process->holdings->pieces[i];

		if (piece->end > start && piece->start - start < length && !piece->from->semaphore)
			make_writable(process, piece->from, site);
	}
}
