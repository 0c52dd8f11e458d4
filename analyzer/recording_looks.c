/* shm-before.json and shm.json: the looks at /dev/shm when the recording started and when it stopped. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "memory.h"
#include "recording.h"
#include "recording_inner.h"
#include "shape.h"

/* Nanoseconds: a clock is corrected while a recording begins, and its end may take a while. */
static const int64_t before_start = INT64_C(1000000000), after_end = 60 * INT64_C(1000000000);

static void take_leftover(struct leftover **all, size_t *count, const json_t *object)
{
	const json_t *holders = json_object_get(object, "holders"), *holder;
	struct leftover leftover = {
		.name = recording_text(object, "name"),
		.dev = (uint64_t)recording_integer(object, "dev"),
		.ino = (uint64_t)recording_integer(object, "ino"),
		.size = (uint64_t)recording_integer(object, "size"),
		.blocks = (uint64_t)recording_integer(object, "blocks"),
		.links = (uint64_t)recording_integer(object, "nlink"),
		.mode = (mode_t)recording_integer(object, "mode"),
		.uid = (uid_t)recording_integer(object, "uid"),
		.holders_complete = json_is_true(json_object_get(object, "holders_complete")),
		.data = json_is_true(json_object_get(object, "data")),
	};
	size_t i;

	leftover.holders = memory_new(json_array_size(holders), sizeof(*leftover.holders));
	json_array_foreach (holders, i, holder)
		leftover.holders[leftover.holder_count++] = (pid_t)json_integer_value(holder);
	*all = memory_grow(*all, *count, sizeof(**all));
	(*all)[(*count)++] = leftover;
}

static void take_leftovers(struct leftover **all, size_t *count, struct map *at, const json_t *look)
{
	const json_t *object;
	size_t i;

	json_array_foreach (json_object_get(look, "objects"), i, object)
		take_leftover(all, count, object);
	for (i = *count; i-- > 0;)
		map_put(at, (*all)[i].dev, (*all)[i].ino, &(*all)[i]);
}

static void take_place(struct recording *recording, const json_t *look)
{
	recording->device = (uint64_t)recording_integer(look, "device");
	free(recording->filesystem);
	recording->filesystem = recording_text(look, "filesystem");
}

static void take_last(struct recording *recording, const json_t *look)
{
	recording->looked = true;
	recording->looked_at = recording_integer(look, "looked");
	take_place(recording, look);
	take_leftovers(&recording->leftovers, &recording->leftover_count, &recording->leftover_at, look);
}

static void take_first(struct recording *recording, const json_t *look)
{
	const json_t *mount = json_object_get(look, "mount");

	recording->looked_first = true;
	take_place(recording, look);
	take_leftovers(&recording->before, &recording->before_count, &recording->before_at, look);
	recording->user = (uid_t)recording_integer(look, "uid");
	if (!json_is_object(mount))
		return;
	recording->mount = (struct shm_mount){
		.known = true,
		.nosuid = json_is_true(json_object_get(mount, "nosuid")),
		.nodev = json_is_true(json_object_get(mount, "nodev")),
		.noexec = json_is_true(json_object_get(mount, "noexec")),
		.size = (uint64_t)recording_integer(mount, "size"),
		.free = (uint64_t)recording_integer(mount, "free"),
		.mode = (mode_t)recording_integer(mount, "mode"),
		.uid = (uid_t)recording_integer(mount, "uid"),
	};
}

/* Of a look that does not say of which recording it is. If the clock was put back meanwhile its time says nothing. */
static bool fits(const struct recording *recording, int64_t looked)
{
	if (recording->ended && looked > recording->ended + after_end)
		return false;
	return looked >= recording->started - before_start ||
	       (recording->ended && recording->ended < recording->started);
}

/* NULL where there is none that can be used. last: by its time it has to be of when the recording stopped. */
static json_t *load_look(struct recording *recording, const char *dir, const char *name, bool last)
{
	json_t *look = recording_load(recording, dir, name);
	const char *id = json_string_value(json_object_get(look, "recording"));
	bool damaged = look && recording_is_damaged(recording, dir, name, SHAPE_LOOK, look), other = false;

	if (look && !damaged)
		other = id || !last ? !recording_owns(recording, id)
				    : !fits(recording, recording_integer(look, "looked"));
	if (other)
		recording_problem(recording, memory_format("%s/%s is of another recording, and not used", dir, name));
	if (!damaged && !other)
		return look;
	json_decref(look);
	return NULL;
}

/* It is taken before the command begins, so a recording that was killed has it, too: without it, and a word why, it is lost. */
int64_t recording_look_first(struct recording *recording, const char *dir)
{
	size_t told = recording->problem_count;
	json_t *look = load_look(recording, dir, "shm-before.json", false);
	int64_t looked = recording_integer(look, "looked");

	if (look)
		take_first(recording, look);
	else if (told == recording->problem_count && !recording->unlooked)
		recording_problem(recording,
				  memory_format("%s/shm-before.json is missing: what was in /dev/shm before the "
						"recording began is not known",
						dir));
	json_decref(look);
	return looked;
}

void recording_look_last(struct recording *recording, const char *dir)
{
	json_t *look = load_look(recording, dir, "shm.json", true);

	if (look)
		take_last(recording, look);
	json_decref(look);
}

const struct leftover *recording_leftover(const struct recording *recording, uint64_t dev, uint64_t ino)
{
	return map_get(&recording->leftover_at, dev, ino);
}

const struct leftover *recording_leftover_next(const struct recording *recording, const struct leftover *leftover)
{
	const struct leftover *next = leftover + 1;

	return next < recording->leftovers + recording->leftover_count && next->dev == leftover->dev &&
			       next->ino == leftover->ino
		       ? next
		       : NULL;
}

const struct leftover *recording_before(const struct recording *recording, uint64_t dev, uint64_t ino)
{
	return map_get(&recording->before_at, dev, ino);
}

static void free_leftovers(struct leftover *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(all[i].name);
		free(all[i].holders);
	}
	free(all);
}

void recording_looks_free(struct recording *recording)
{
	free_leftovers(recording->leftovers, recording->leftover_count);
	free_leftovers(recording->before, recording->before_count);
	free(recording->filesystem);
	map_clear(&recording->leftover_at);
	map_clear(&recording->before_at);
}
