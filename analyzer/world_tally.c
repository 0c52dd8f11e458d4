/* How many a stack made and kept; what is released, for a while. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world_holdings_inner.h"

struct tally *tally_of(struct process *process, enum tally_of of, uint32_t stack_id)
{
	struct tally *tally = map_get(&process->holdings->tallies, of, stack_id);

	if (tally == NULL) {
		tally = memory_new(1, sizeof(*tally));
		tally->of = of;
		tally->stack_id = stack_id;
		map_put(&process->holdings->tallies, of, stack_id, tally);
	}
	return tally;
}

void tally_clear(struct tally *tally)
{
	series_clear(&tally->series);
	free(tally->shares);
	tally->shares = NULL;
	tally->share_count = 0;
}

/* There are as many as the reader tells apart, however many objects there are. */
static struct share *share_of(const struct process *process, struct tally *tally, const struct object *object)
{
	const struct watcher *watcher = process->watcher;
	uint64_t part = watcher->part ? watcher->part(watcher->context, process, tally, object) : 0;

	for (size_t i = 0; i < tally->share_count; i++)
		if (tally->shares[i].part == part)
			return &tally->shares[i];
	tally->shares = memory_grow(tally->shares, tally->share_count, sizeof(*tally->shares));
	tally->shares[tally->share_count] = (struct share){.part = part};
	return &tally->shares[tally->share_count++];
}

static void share_release(const struct process *process, struct tally *tally, struct object *object)
{
	struct share *share = share_of(process, tally, object);

	share->count++;
	share->several |= share->object && object_real(share->object) != object;
	share->object = object;
}

void tally_acquire(struct tally *tally, int64_t time)
{
	if (tally->made++ == 0)
		tally->first = time;
	if (tally->released_at && time - tally->released_at < TALLY_PAUSE) {
		tally->gaps++;
		tally->gaps_time += time - tally->released_at;
	}
	tally->released_at = 0;
	tally->last = time;
	series_add(&tally->series, time, ++tally->outstanding);
}

void tally_release(struct process *process, struct tally *tally, struct object *object, int64_t time)
{
	if (object)
		share_release(process, tally, object);
	if (tally->outstanding)
		tally->outstanding--;
	series_add(&tally->series, time, tally->outstanding);
	tally->released_at = time;
	if (time - tally->second_began >= TALLY_SECOND) {
		tally->second_began = time;
		tally->second_count = 0;
	}
	if (++tally->second_count > tally->busiest)
		tally->busiest = tally->second_count;
}

void tally_take_back(struct process *process, struct tally *tally, struct object *object, int64_t time)
{
	struct share *share = object ? share_of(process, tally, object) : NULL;

	if (share && share->count)
		share->count--;
	series_add(&tally->series, time, ++tally->outstanding);
	tally->released_at = 0;
	if (tally->second_count)
		tally->second_count--;
}

/* What is held from then on counts anew: how many there were before is not known any more. */
static void tally_doubt(struct tally *tally, uint64_t bytes)
{
	tally->doubted++;
	if (tally->outstanding)
		tally->outstanding--;
	tally->bytes -= bytes;
}

static void tally_begin_again(struct tally *tally, int64_t time)
{
	series_clear(&tally->series);
	if (tally->outstanding)
		series_add(&tally->series, time, tally->outstanding);
}

void holdings_doubt(struct process *process, int64_t until)
{
	struct holdings *holdings = process->holdings;
	struct map_slot *slot;

	for (size_t i = 0; i < holdings->piece_count; i++) {
		struct acquisition *from = holdings->pieces[i].from;

		if (from->site.time >= until || from->doubted)
			continue;
		from->doubted = true;
		if (!from->semaphore)
			holdings->mapped -= from->bytes;
		if (from->tally)
			tally_doubt(from->tally, from->bytes);
		from->tally = NULL;
	}
	for (size_t cursor = 0; (slot = map_next(&holdings->descriptors, &cursor));) {
		struct descriptor *descriptor = slot->value;

		if (descriptor->site.time >= until || descriptor->tally == NULL)
			continue;
		tally_doubt(descriptor->tally, 0);
		descriptor->tally = NULL;
	}
	for (size_t cursor = 0; (slot = map_next(&holdings->tallies, &cursor));) {
		struct tally *tally = slot->value;

		if (tally->of != TALLY_object && series_first(&tally->series) < until)
			tally_begin_again(tally, process->seen_at);
	}
}

static void release_clear(struct release *release)
{
	if (release->piece.from)
		acquisition_put(release->piece.from);
	if (release->name) {
		free(release->name->text);
		free(release->name);
	}
	release->piece.from = NULL;
	release->name = NULL;
}

struct release *release_at(const struct holdings *holdings, size_t index)
{
	return &holdings->releases[(holdings->release_first + index) % holdings->release_room];
}

static void releases_widen(struct holdings *holdings)
{
	size_t room = holdings->release_room ? holdings->release_room * 2 : 2;
	struct release *wider = memory_new(room, sizeof(*wider));

	for (size_t i = 0; i < holdings->release_count; i++)
		wider[i] = *release_at(holdings, i);
	free(holdings->releases);
	holdings->releases = wider;
	holdings->release_first = 0;
	holdings->release_room = room;
}

/* What is on the move comes back: each thread may have one such call under way. It counts as new from now on. */
static void keep_moving(struct holdings *holdings)
{
	for (size_t i = 0; i < MOVING_MAX && release_at(holdings, 0)->of == RELEASE_moved; i++) {
		struct release moving = *release_at(holdings, 0);

		holdings->release_first = (holdings->release_first + 1) % holdings->release_room;
		*release_at(holdings, holdings->release_count - 1) = moving;
	}
}

void release_log(struct holdings *holdings, const struct release *release)
{
	if (holdings->release_count == RELEASES_MAX) {
		keep_moving(holdings);
		struct release *oldest = release_at(holdings, 0);

		if (oldest->seq > holdings->forgotten)
			holdings->forgotten = oldest->seq;
		release_clear(oldest);
		holdings->release_first = (holdings->release_first + 1) % holdings->release_room;
		holdings->release_count--;
	}
	if (holdings->release_count == holdings->release_room)
		releases_widen(holdings);
	*release_at(holdings, holdings->release_count++) = *release;
}

void holdings_log_name(struct process *process, uint32_t seq, struct name_change change)
{
	struct release release = {.of = RELEASE_name, .seq = seq};

	release.name = memory_new(1, sizeof(change));
	*release.name = change;
	release_log(process->holdings, &release);
}

bool holdings_took_name(const struct process *process, uint32_t seq)
{
	for (size_t i = process->holdings->release_count; i > 0; i--) {
		const struct release *release = release_at(process->holdings, i - 1);

		if (release->of == RELEASE_name && release->seq == seq)
			return true;
	}
	return false;
}

/* Removes the release at `index` from the log without clearing it. */
static struct release release_take(struct holdings *holdings, size_t index)
{
	struct release taken = *release_at(holdings, index);

	for (; index + 1 < holdings->release_count; index++)
		*release_at(holdings, index) = *release_at(holdings, index + 1);
	holdings->release_count--;
	return taken;
}

bool release_find(struct holdings *holdings, uint32_t seq, struct release *release)
{
	for (size_t i = holdings->release_count; i > 0; i--) {
		if (release_at(holdings, i - 1)->seq == seq) {
			*release = release_take(holdings, i - 1);
			return true;
		}
	}
	return false;
}

struct object *holdings_given_up(const struct process *process, uint32_t seq)
{
	for (size_t i = process->holdings->release_count; i > 0; i--) {
		const struct release *release = release_at(process->holdings, i - 1);

		if (release->seq == seq && release->piece.from)
			return object_real(release->piece.from->object);
	}
	return NULL;
}

void releases_free(struct holdings *holdings)
{
	for (size_t i = 0; i < holdings->release_count; i++)
		release_clear(release_at(holdings, i));
	free(holdings->releases);
	holdings->releases = NULL;
	holdings->release_first = holdings->release_count = holdings->release_room = 0;
}

void holdings_object_made(struct process *process, const struct site *site)
{
	tally_acquire(tally_of(process, TALLY_object, site->stack_id), site->time);
}

void holdings_object_gone(struct process *process, struct object *object, uint32_t stack_id, int64_t time)
{
	struct tally *tally = map_get(&process->holdings->tallies, TALLY_object, stack_id);

	if (tally)
		tally_release(process, tally, object_real(object), time);
}
