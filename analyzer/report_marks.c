/*
 * One pass and bounded memory: when a room is full, marks of one kind that lie close together become the first of them.
 * Close is first what the page draws at one place, then what is of other objects, processes and times, until half is left.
 */
#include "analyzer/report_marks.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/map.h"
#include "analyzer/memory.h"
#include "analyzer/report_json.h"

/* The page draws less than half as many places beside each other. */
#define PLACES 2048
#define BITS 16

struct mark {
	uint64_t number; /* in the order of all */
	enum moment_of of;
	int64_t time; /* from the beginning */
	char process[sizeof(((struct process *)0)->id)], object[sizeof(struct object_id)];
	uint64_t offset, length, size;
	bool sized;
};

/* That mappings, which are many, do not push out what is rarer, nor anything what the findings are about. */
enum room_for { ROOM_told, ROOM_mappings, ROOM_others, ROOM_COUNT };

static const size_t room_sizes[ROOM_COUNT] = {[ROOM_told] = 8000, [ROOM_mappings] = 4000, [ROOM_others] = 8000};

struct room {
	struct mark *marks;
	size_t count;
	uint64_t added;
	bool thinned;                       /* it was full once, and what is close to one of them is not added */
	unsigned shift;                     /* times that differ only in so many of their last bits are close */
	unsigned object_bits, process_bits; /* those of whose hashes so many are the same are */
	struct map taken;                   /* what is close to one of `marks` */
};

struct marks {
	int64_t from;
	uint64_t span, added;
	struct map told; /* (number of an object) -> this */
	struct room rooms[ROOM_COUNT];
};

static uint64_t hash_of(const char *id)
{
	return map_hash(MAP_HASH, id, strlen(id));
}

struct marks *marks_new(int64_t from, int64_t to)
{
	struct marks *marks = memory_new(1, sizeof(*marks));

	marks->from = from;
	marks->span = to > from ? (uint64_t)(to - from) : 0;
	for (int i = 0; i < ROOM_COUNT; i++) {
		marks->rooms[i].marks = memory_new(room_sizes[i], sizeof(struct mark));
		marks->rooms[i].object_bits = marks->rooms[i].process_bits = BITS;
	}
	return marks;
}

void marks_tell(struct marks *marks, const struct object *object)
{
	map_put(&marks->told, object->number, 0, marks);
}

/* Whether it is the first of those that are close to it, of which it then is the one that is kept. */
static bool room_takes(const struct marks *marks, struct room *room, const struct mark *mark)
{
	uint64_t time = mark->time > 0 ? (uint64_t)mark->time : 0;
	uint64_t process = hash_of(mark->process) & ((1u << room->process_bits) - 1);
	uint64_t object = hash_of(mark->object) & ((1u << room->object_bits) - 1);
	uint64_t where = process << BITS | object;
	uint64_t when = (time < marks->span ? time : marks->span) >> room->shift;

	if (map_get(&room->taken, where << 8 | mark->of, when))
		return false;
	map_put(&room->taken, where << 8 | mark->of, when, room);
	return true;
}

/* Objects give way before times, as many of them are not drawn; those that the findings are about do so last of all. */
static void room_coarsen(const struct marks *marks, struct room *room)
{
	bool times = marks->span >> room->shift != 0 || room->process_bits;

	if (!room->shift && marks->span >= PLACES) {
		while (marks->span >> (room->shift + 1) >= PLACES)
			room->shift++;
	} else if (room->object_bits && (room != &marks->rooms[ROOM_told] || !times)) {
		room->object_bits--;
	} else {
		room->shift += marks->span >> room->shift != 0;
		room->process_bits -= room->process_bits != 0;
	}
}

static void room_thin(const struct marks *marks, struct room *room)
{
	size_t kept = 0;

	room->thinned = true;
	room_coarsen(marks, room);
	map_clear(&room->taken);
	for (size_t i = 0; i < room->count; i++)
		if (room_takes(marks, room, &room->marks[i]))
			room->marks[kept++] = room->marks[i];
	room->count = kept;
}

static enum room_for room_of(const struct marks *marks, const struct moment *moment)
{
	if (moment->of == MOMENT_sigbus || (moment->object && map_get(&marks->told, moment->object->number, 0)))
		return ROOM_told;
	return moment->of == MOMENT_map || moment->of == MOMENT_unmap || moment->of == MOMENT_open ? ROOM_mappings
												   : ROOM_others;
}

void marks_add(struct marks *marks, const struct moment *moment)
{
	enum room_for of = room_of(marks, moment);
	struct room *room = &marks->rooms[of];
	struct mark mark = {.number = marks->added++,
			    .of = moment->of,
			    .time = moment->time - marks->from,
			    .offset = moment->offset,
			    .length = moment->length,
			    .size = moment->size,
			    .sized = moment->sized};

	room->added++;
	strcpy(mark.process, moment->process->id);
	if (moment->object)
		strcpy(mark.object, object_id(moment->object).text);
	if (room->thinned && !room_takes(marks, room, &mark))
		return;
	room->marks[room->count++] = mark;
	if (room->count == room_sizes[of])
		while (room->count > room_sizes[of] / 2)
			room_thin(marks, room);
}

json_t *marks_json(const struct marks *marks)
{
	json_t *array = json_array();
	size_t next[ROOM_COUNT] = {0};

	for (;;) {
		const struct mark *first = NULL;
		int from = 0;

		for (int i = 0; i < ROOM_COUNT; i++) {
			const struct mark *mark = &marks->rooms[i].marks[next[i]];

			if (next[i] == marks->rooms[i].count || (first && first->number < mark->number))
				continue;
			first = mark;
			from = i;
		}
		if (!first)
			return array;
		next[from]++;
		json_array_append_new(array,
				      json_pack("{s:s, s:I, s:s, s:s?, s:o, s:o, s:o}", "of", moment_name(first->of),
						"t", (json_int_t)first->time, "p", first->process, "o",
						*first->object ? first->object : NULL, "offset",
						json_of_number(first->offset), "length", json_of_number(first->length),
						"size", first->sized ? json_of_number(first->size) : json_null()));
	}
}

uint64_t marks_left_out(const struct marks *marks, uint64_t *told)
{
	uint64_t left = 0;

	for (int i = 0; i < ROOM_COUNT; i++)
		left += marks->rooms[i].added - marks->rooms[i].count;
	*told = marks->rooms[ROOM_told].added - marks->rooms[ROOM_told].count;
	return left;
}

void marks_free(struct marks *marks)
{
	for (int i = 0; i < ROOM_COUNT; i++) {
		free(marks->rooms[i].marks);
		map_clear(&marks->rooms[i].taken);
	}
	map_clear(&marks->told);
	free(marks);
}
