/* Who may write an object at the same time as another process. */
#include "world_holdings_inner.h"

static bool writes(const struct site *site, const struct object *object)
{
	const struct use *use = site->process ? holdings_use(site->process, object) : NULL;

	return use && use->writable;
}

/* The latest writer is remembered; a second one, while the first still is one, makes them rivals. */
static void meet(struct object *object, const struct site *site)
{
	if (object->rivals[0].process)
		return;
	if (object->writer.process != site->process && writes(&object->writer, object)) {
		object->rivals[0] = object->writer;
		object->rivals[1] = *site;
	}
	object->writer = *site;
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
