/* Descriptors, and what passes from one process or image to the next. */
#include <stdlib.h>

#include "memory.h"
#include "pages.h"
#include "world_holdings_inner.h"

const struct descriptor *holdings_descriptor(const struct process *process, int fd)
{
	return map_get(&process->holdings->descriptors, (uint64_t)(unsigned)fd, 0);
}

void descriptor_add(struct process *process, const struct descriptor *descriptor)
{
	struct descriptor *own = memory_new(1, sizeof(*own));

	*own = *descriptor;
	own->object = object_real(own->object);
	use_of(process, own->object)->descriptors++;
	own->object->openers++;
	map_put(&process->holdings->descriptors, (uint64_t)(unsigned)own->fd, 0, own);
}

static void descriptor_remove(struct process *process, struct descriptor *descriptor)
{
	struct object *object = object_real(descriptor->object);
	struct use *use = holdings_use(process, object);

	if (object->openers)
		object->openers--;
	if (use && use->descriptors)
		use->descriptors--;
	map_remove(&process->holdings->descriptors, (uint64_t)(unsigned)descriptor->fd, 0);
	free(descriptor);
}

void holdings_open(struct process *process, struct object *object, int fd, bool own, bool kept_by_exec, uint32_t seq,
		   const struct site *site)
{
	struct descriptor descriptor = {.fd = fd, .object = object, .site = *site, .seq = seq};
	const struct descriptor *there = holdings_descriptor(process, fd);

	/* It turns up at every mmap of it. */
	if (!own && there && object_real(there->object) == object)
		return;
	if (there)
		holdings_close(process, fd, seq, site);
	descriptor.kept_by_exec = kept_by_exec;
	if (own) {
		descriptor.tally = tally_of(process, TALLY_descriptor, site->stack_id);
		tally_acquire(descriptor.tally, site->time);
	}
	descriptor_add(process, &descriptor);
}

void holdings_close(struct process *process, int fd, uint32_t seq, const struct site *site)
{
	struct descriptor *descriptor = map_get(&process->holdings->descriptors, (uint64_t)(unsigned)fd, 0);
	struct release release = {.of = RELEASE_descriptor, .seq = seq};

	if (descriptor == NULL)
		return;
	release.descriptor = *descriptor;
	if (descriptor->tally)
		tally_release(process, descriptor->tally, NULL, site->time);
	release_log(process->holdings, &release);
	descriptor_remove(process, descriptor);
}

static void inherit_piece(struct process *child, const struct piece *piece)
{
	struct acquisition *from = piece->from;

	if (from->twin == NULL) {
		from->twin = memory_new(1, sizeof(*from));
		*from->twin = (struct acquisition){.object = from->object,
						   .site = from->site,
						   .base = from->base,
						   .length = from->length,
						   .size = from->size,
						   .opens = from->opens,
						   .semaphore = from->semaphore,
						   .doubted = from->doubted,
						   .shared = from->shared,
						   .writable = from->writable};
	}
	if (from->writable)
		use_of(child, object_real(from->object))->inherited = from->site;
	from->twin->references++;
	piece_add(child, (struct piece){.start = piece->start, .end = piece->end, .from = from->twin});
}

/* Whole pages; what of the range is not mapped is left out. */
void holdings_dontfork(struct process *process, uint64_t start, uint64_t length, bool dontfork, uint32_t seq)
{
	uint64_t end = start + pages_round(length);

	piece_divide(process, start);
	piece_divide(process, end);
	for (size_t index = pieces_above(process->holdings, start); index > 0; index--) {
		struct piece *piece = &process->holdings->pieces[index - 1];

		if (piece->start >= end)
			break;
		if (piece->from->semaphore || piece->dontfork == dontfork)
			continue;
		piece->dontfork = dontfork;
		piece->turned[1] = piece->turned[0];
		piece->turned[0] = seq;
	}
}

/* The child is heard of when its parent has gone on. */
static bool is_inherited(const struct piece *piece, uint32_t seq)
{
	bool dontfork = piece->dontfork;

	for (size_t i = 0; i < 2 && piece->turned[i] > seq; i++)
		dontfork = !dontfork;
	return piece->from->seq <= seq && !dontfork;
}

static void inherit_descriptor(struct process *child, const struct descriptor *descriptor)
{
	struct descriptor copy = *descriptor;

	if (holdings_descriptor(child, copy.fd))
		return;
	copy.tally = NULL;
	copy.seq = 0;
	descriptor_add(child, &copy);
}

/* What the parent gave up after the fork, the child still has. */
static void inherit_released(struct process *child, const struct holdings *parent, uint32_t seq)
{
	for (size_t i = parent->release_count; i > 0; i--) {
		const struct release *release = release_at(parent, i - 1);

		if (release->seq <= seq)
			continue;
		if (release->piece.from && is_inherited(&release->piece, seq))
			inherit_piece(child, &release->piece);
		if (release->of == RELEASE_descriptor && release->descriptor.seq <= seq)
			inherit_descriptor(child, &release->descriptor);
	}
}

static void twins_forget(const struct holdings *parent)
{
	for (size_t i = 0; i < parent->piece_count; i++)
		parent->pieces[i].from->twin = NULL;
	for (size_t i = 0; i < parent->release_count; i++)
		if (release_at(parent, i)->piece.from)
			release_at(parent, i)->piece.from->twin = NULL;
}

void holdings_inherit(struct process *child, const struct holdings *parent, uint32_t seq)
{
	struct map_slot *slot;

	for (size_t i = 0; i < parent->piece_count; i++)
		if (is_inherited(&parent->pieces[i], seq))
			inherit_piece(child, &parent->pieces[i]);
	for (size_t cursor = 0; (slot = map_next(&parent->descriptors, &cursor));)
		if (((struct descriptor *)slot->value)->seq <= seq)
			inherit_descriptor(child, slot->value);
	inherit_released(child, parent, seq);
	twins_forget(parent);
}

void holdings_keep_over_exec(struct process *image, const struct process *before)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&before->holdings->descriptors, &cursor));)
		if (((struct descriptor *)slot->value)->kept_by_exec)
			inherit_descriptor(image, slot->value);
}

void holdings_found(struct process *image, struct object *object, int fd, const struct site *site)
{
	inherit_descriptor(image, &(struct descriptor){.fd = fd, .object = object, .site = *site});
}

static void count_out_all(const struct holdings *holdings)
{
	struct map_slot *slot;

	for (size_t i = 0; i < holdings->piece_count; i++) {
		struct acquisition *from = holdings->pieces[i].from;
		struct object *object = object_real(from->object);

		if (--from->pieces == 0 && object->mappers)
			object->mappers--;
	}
	for (size_t cursor = 0; (slot = map_next(&holdings->descriptors, &cursor));) {
		struct object *object = object_real(((struct descriptor *)slot->value)->object);

		if (object->openers)
			object->openers--;
	}
}

static void drop_values(struct map *map)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(map, &cursor));)
		free(slot->value);
	map_clear(map);
}

/* What only the process itself had. */
static void drop_own(struct holdings *holdings)
{
	struct map_slot *slot;

	drop_values(&holdings->uses);
	for (size_t cursor = 0; (slot = map_next(&holdings->tallies, &cursor));)
		tally_clear(slot->value);
	drop_values(&holdings->tallies);
}

struct holdings *holdings_leave(struct world *world, struct process *process)
{
	struct holdings *left = process->holdings;
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&left->uses, &cursor));)
		world->private->watcher->used(world->private->watcher->context, process, slot->value);
	count_out_all(left);
	drop_own(left);
	process->holdings = memory_new(1, sizeof(*process->holdings));
	return left;
}

void holdings_free(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->piece_count; i++)
		acquisition_put(holdings->pieces[i].from);
	free(holdings->pieces);
	releases_free(holdings);
	drop_values(&holdings->descriptors);
	drop_own(holdings);
	free(holdings);
}
