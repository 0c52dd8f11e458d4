/* Mappings: an interval map of pieces, each of which belongs to the mmap that made it. */
#include "world_holdings_inner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"
#include "pages.h"

/* A semaphore is held at its address; its size keeps it clear of any mapping. */
#define SEMAPHORE_SIZE 1

static uint64_t end_of(uint64_t start, uint64_t length)
{
	return length > UINT64_MAX - start ? UINT64_MAX : start + length;
}

void acquisition_put(struct acquisition *acquisition)
{
	if (--acquisition->references == 0)
		free(acquisition);
}

struct use *use_of(struct process *process, struct object *object)
{
	struct use *use = holdings_use(process, object);

	if (use == NULL) {
		use = memory_new(1, sizeof(*use));
		use->object = object;
		object->attachers++;
		map_put(&process->holdings->uses, (uintptr_t)object, 0, use);
	}
	return use;
}

struct use *holdings_use(const struct process *process, const struct object *object)
{
	return map_get(&process->holdings->uses, (uintptr_t)object, 0);
}

bool holdings_maps(const struct process *process, const struct object *object)
{
	const struct use *use = holdings_use(process, object);

	return use && use->mappings;
}

size_t pieces_above(const struct holdings *holdings, uint64_t address)
{
	size_t low = 0, high = holdings->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (holdings->pieces[middle].end > address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Like memory_grow, but for an array that also shrinks: its room is the power of two above the most it ever held. */
static void pieces_insert(struct process *process, size_t index, struct piece piece)
{
	struct holdings *holdings = process->holdings;
	size_t count = holdings->piece_count;

	if ((count & (count - 1)) == 0)
		holdings->pieces = memory_resize(holdings->pieces, count ? count * 2 : 1, sizeof(piece));
	memmove(&holdings->pieces[index + 1], &holdings->pieces[index], (count - index) * sizeof(piece));
	holdings->pieces[index] = piece;
	holdings->piece_count++;
	reach_added(process, &piece);
}

static void pieces_remove(struct process *process, size_t index)
{
	struct holdings *holdings = process->holdings;

	reach_removed(process, &holdings->pieces[index]);
	holdings->piece_count--;
	memmove(&holdings->pieces[index], &holdings->pieces[index + 1],
		(holdings->piece_count - index) * sizeof(*holdings->pieces));
}

void piece_count_in(struct process *process, struct acquisition *acquisition)
{
	struct object *object = acquisition->object = object_real(acquisition->object);
	struct use *use = use_of(process, object);

	use->mappings++;
	use->writable += acquisition->writable;
	use->ever_mapped = true;
	object->mappers++;
}

void piece_add(struct process *process, struct piece piece)
{
	struct acquisition *from = piece.from;

	if (from->pieces++ == 0)
		piece_count_in(process, from);
	from->bytes += piece.end - piece.start;
	if (from->tally)
		from->tally->bytes += piece.end - piece.start;
	if (!from->semaphore && !from->doubted)
		process->holdings->mapped += piece.end - piece.start;
	pieces_insert(process, pieces_above(process->holdings, piece.start), piece);
}

/* The whole mapping is gone: nobody sees it any more. */
static void count_out(struct process *process, struct acquisition *from, int64_t time)
{
	struct object *object = object_real(from->object);
	struct use *use = holdings_use(process, object);

	if (object->mappers)
		object->mappers--;
	if (from->tally)
		tally_release(process, from->tally, object, time);
	if (use && use->mappings)
		use->mappings--;
	if (use && use->writable)
		use->writable -= from->writable;
}

static struct piece part_of(const struct piece *piece, uint64_t start, uint64_t end)
{
	struct piece part = *piece;

	part.start = start;
	part.end = end;
	return part;
}

void piece_divide(struct process *process, uint64_t address)
{
	size_t index = pieces_above(process->holdings, address);
	struct piece *piece = index ? &process->holdings->pieces[index - 1] : NULL, lower;

	if (piece == NULL || piece->start >= address)
		return;
	lower = part_of(piece, piece->start, address);
	piece->start = address;
	piece->from->references++;
	piece->from->pieces++;
	pieces_insert(process, index, lower);
}

/* Takes [start, end) away from the piece at `index`; what is taken is logged as a release. Returns how many are left. */
static void cut(struct process *process, size_t index, uint64_t start, uint64_t end, struct release release,
		const struct site *site)
{
	struct holdings *holdings = process->holdings;
	struct piece old = holdings->pieces[index];
	struct acquisition *from = old.from;

	release.piece = part_of(&old, start, end);
	from->references++;
	pieces_remove(process, index);
	from->pieces--;
	if (old.end > end) {
		pieces_insert(process, index++, part_of(&old, end, old.end));
		from->references++;
		from->pieces++;
	}
	if (old.start < start) {
		pieces_insert(process, index, part_of(&old, old.start, start));
		from->references++;
		from->pieces++;
	}
	from->bytes -= end - start;
	if (from->tally)
		from->tally->bytes -= end - start;
	if (!from->semaphore && !from->doubted)
		holdings->mapped -= end - start;
	if (from->pieces && from->cut.process == NULL && release.of == RELEASE_piece)
		from->cut = *site;
	if (from->pieces == 0)
		count_out(process, from, site->time);
	release_log(holdings, &release);
	acquisition_put(from);
}

static void take_range(struct process *process, uint64_t start, uint64_t end, struct release release,
		       const struct site *site)
{
	struct holdings *holdings = process->holdings;

	/* From the lowest piece up, so that what a cut leaves above is not met again. */
	for (size_t index = pieces_above(holdings, start); index > 0; index--) {
		struct piece piece = holdings->pieces[index - 1];

		if (piece.start >= end)
			break;
		if (!piece.from->semaphore)
			cut(process, index - 1, piece.start > start ? piece.start : start,
			    piece.end < end ? piece.end : end, release, site);
	}
}

void holdings_map(struct process *process, struct object *object, uint64_t start, uint64_t length, uint64_t offset,
		  uint64_t size, uint32_t seq, const struct site *site)
{
	struct acquisition *from = memory_new(1, sizeof(*from));
	uint64_t end = end_of(start, pages_round(length));
	struct use *use;

	/* Whatever lay there went unseen: the kernel gives no address twice. */
	take_range(process, start, end, (struct release){.of = RELEASE_piece, .seq = seq}, site);
	*from = (struct acquisition){
		.references = 1, .object = object, .site = *site, .length = end - start, .size = size, .seq = seq};
	from->base = start - offset;
	from->tally = tally_of(process, TALLY_mapping, site->stack_id);
	tally_acquire(from->tally, site->time);
	piece_add(process, (struct piece){.start = start, .end = end, .from = from});
	use = use_of(process, object);
	object->maps++;
	if (object->mapped.process == NULL)
		object->mapped = *site;
	if (offset || (use->latest && use->latest != from->length))
		use->views = true;
	use->latest = from->length;
	if (offset == 0 && from->length > use->longest) {
		use->longest = from->length;
		use->longest_size = size;
		use->longest_site = *site;
	}
}

void holdings_unmap(struct process *process, uint64_t start, uint64_t length, uint32_t seq, const struct site *site)
{
	take_range(process, start, end_of(start, pages_round(length)),
		   (struct release){.of = RELEASE_piece, .seq = seq}, site);
}

static const struct piece *piece_at(const struct holdings *holdings, uint64_t address)
{
	size_t index = pieces_above(holdings, address);

	if (index == 0 || holdings->pieces[index - 1].start > address)
		return NULL;
	return &holdings->pieces[index - 1];
}

const struct piece *holdings_piece(const struct process *process, uint64_t address)
{
	return piece_at(process->holdings, address);
}

struct object *holdings_semaphore_at(const struct process *process, uint64_t address)
{
	const struct piece *piece = holdings_piece(process, address);

	return piece && piece->from->semaphore ? object_real(piece->from->object) : NULL;
}

void holdings_move(struct process *process, const struct mremap_event *event, int64_t time)
{
	struct release release = {.of = RELEASE_moved,
				  .seq = event->seq,
				  .moved_from = event->addr,
				  .old_length = pages_round(event->length),
				  .new_length = pages_round(event->new_length),
				  .stack_id = event->stack};
	struct site site = {.process = process, .stack_id = event->stack, .time = time};
	uint64_t end = end_of(event->addr, pages_round(event->length));
	const struct piece *piece = piece_at(process->holdings, event->addr);

	release.flags = event->flags;
	/* A length of 0 maps the object a second time; MREMAP_DONTUNMAP leaves the old range in place. */
	if (event->length == 0 || event->flags & MREMAP_DONTUNMAP) {
		if (piece == NULL)
			return;
		release.piece = *piece;
		release.piece.start = event->addr;
		release.flags |= MREMAP_DONTUNMAP;
		piece->from->references++;
		release_log(process->holdings, &release);
		return;
	}
	take_range(process, event->addr, end, release, &site);
}

static void put_back(struct process *process, const struct release *release, int64_t time)
{
	struct acquisition *from = release->piece.from;

	if (from->pieces == 0 && from->tally)
		tally_take_back(process, from->tally, object_real(from->object), time);
	piece_add(process, release->piece);
	if (from->bytes == from->length)
		from->cut.process = NULL;
}

/* What one mmap(2) made, or a part of it, as it is elsewhere from event `seq` on: who was forked before has it where it was. */
static struct acquisition *apart(struct process *process, struct acquisition *from, uint32_t seq, int64_t time)
{
	struct acquisition *part = memory_new(1, sizeof(*part));

	*part = *from;
	part->references = 1;
	part->pieces = 0;
	part->bytes = 0;
	part->seq = seq;
	part->twin = NULL;
	/* put_back() takes one back that was released, which this one was not. */
	if (from->pieces && part->tally) {
		tally_acquire(part->tally, time);
		tally_release(process, part->tally, object_real(part->object), time);
	}
	acquisition_put(from);
	return part;
}

/* Only a range that is one mapping for the kernel can grow; one that shrinks may hold several. */
static void move_piece(struct process *process, struct release *release, const struct mremapped_event *event,
		       int64_t time)
{
	struct release gone = *release;
	uint64_t to = event->result;
	struct piece *piece = &release->piece;
	uint64_t by = to - release->moved_from, end = end_of(to, release->new_length);
	bool grows = piece->end == end_of(release->moved_from, release->old_length);

	gone.of = RELEASE_piece;
	gone.seq = event->seq;
	gone.piece.from->references++;
	release_log(process->holdings, &gone);
	piece->start += by;
	piece->end += by;
	if (piece->end > end || grows)
		piece->end = end;
	if (piece->start >= piece->end) {
		acquisition_put(piece->from);
		return;
	}
	piece->from = apart(process, piece->from, event->seq, time);
	take_range(process, piece->start, piece->end, (struct release){.of = RELEASE_piece, .seq = event->seq},
		   &piece->from->site);
	piece->from->base += by;
	piece->from->length = piece->end - piece->start;
	piece->from->size = object_real(piece->from->object)->size;
	put_back(process, release, time);
}

struct object *holdings_moved(struct process *process, const struct mremapped_event *event, int64_t time)
{
	struct object *object = NULL;
	struct release release;

	while (release_find(process->holdings, event->of, &release)) {
		struct acquisition *from = release.piece.from;
		struct site site = {.process = process, .stack_id = release.stack_id, .time = time};
		bool stays = release.flags & MREMAP_DONTUNMAP;

		if (event->error && !stays) {
			put_back(process, &release, time);
			continue;
		}
		if (event->error || release.new_length == 0) {
			acquisition_put(from);
			continue;
		}
		object = object_real(from->object);
		if (!stays) {
			move_piece(process, &release, event, time);
			continue;
		}
		holdings_map(process, object, event->result, release.new_length, release.piece.start - from->base,
			     object->size, event->seq, &site);
		holdings_dontfork(process, event->result, release.new_length, release.piece.dontfork, event->seq);
		acquisition_put(from);
	}
	return object;
}

void holdings_semaphore(struct process *process, struct object *object, uint64_t address, uint32_t seq,
			const struct site *site)
{
	const struct piece *there = piece_at(process->holdings, address);
	struct acquisition *from;

	if (there && there->from->semaphore) {
		there->from->opens++;
		return;
	}
	from = memory_new(1, sizeof(*from));
	*from = (struct acquisition){.references = 1, .object = object, .site = *site, .seq = seq};
	from->semaphore = true;
	from->opens = 1;
	piece_add(process, (struct piece){.start = address, .end = address + SEMAPHORE_SIZE, .from = from});
	object->shared = true;
}

void holdings_semaphore_close(struct process *process, uint64_t address, uint32_t seq, const struct site *site)
{
	const struct piece *there = piece_at(process->holdings, address);

	if (there == NULL || !there->from->semaphore || --there->from->opens)
		return;
	cut(process, (size_t)(there - process->holdings->pieces), there->start, there->end,
	    (struct release){.of = RELEASE_semaphore, .seq = seq}, site);
}

static void descriptor_put_back(struct process *process, const struct release *release, int64_t time)
{
	if (holdings_descriptor(process, release->descriptor.fd))
		return;
	descriptor_add(process, &release->descriptor);
	if (release->descriptor.tally)
		tally_take_back(process, release->descriptor.tally, NULL, time);
}

struct name_change *holdings_failed(struct process *process, uint32_t of, int64_t time)
{
	struct name_change *change = NULL;
	struct release release;

	while (release_find(process->holdings, of, &release)) {
		switch (release.of) {
		case RELEASE_semaphore:
			release.piece.from->opens = 1;
			put_back(process, &release, time);
			break;
		case RELEASE_piece:
		case RELEASE_moved:
			put_back(process, &release, time);
			break;
		case RELEASE_descriptor:
			descriptor_put_back(process, &release, time);
			break;
		case RELEASE_name:
			change = release.name;
			break;
		case RELEASE_size:
			sizes_undo(process, object_real(release.descriptor.object), of);
			break;
		}
	}
	return change;
}
