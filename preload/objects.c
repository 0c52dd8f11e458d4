#include "preload/objects.h"

#include <stdatomic.h>

#include "preload/arena.h"
#include "preload/kernel.h"

/* Of so many an object stays known that nobody holds; of so many one that this process made, and that it may open again. */
enum { BUCKETS_FIRST = 256, IDLE_OBJECTS = 4096, MADE_OBJECTS = 65536 };

static struct arena objects_arena = {.cell = sizeof(struct object)};
static struct object **buckets;
static uint32_t bucket_count, object_count, next_id = 1;
uint32_t objects_forks;
static atomic_bool any_huge; /* an object of huge pages was seen */

static struct object **bucket(uint64_t dev, uint64_t ino)
{
	uint64_t hash = (ino ^ dev << 48) * 0x9e3779b97f4a7c15u;
	return &buckets[hash >> 32 & (bucket_count - 1)];
}

/* Objects that nobody here holds any more are forgotten in bulk: a later sight defines them anew. */
static void forget_idle(void)
{
	bool made_too = object_count >= MADE_OBJECTS;

	for (uint32_t i = 0; i < bucket_count; i++)
		for (struct object **at = &buckets[i]; *at;) {
			struct object *object = *at;
			if (object->holders || atomic_load(&object->pins) || (object->made && !made_too)) {
				at = &object->next;
				continue;
			}
			*at = object->next;
			arena_give(&objects_arena, object);
			object_count--;
		}
}

static bool grow_buckets(void)
{
	uint32_t old_count = bucket_count, wanted = old_count ? old_count * 2 : BUCKETS_FIRST;
	struct object **old = buckets, **grown = kernel_memory(wanted * sizeof *grown);

	if (!grown)
		return old != NULL;
	buckets = grown;
	bucket_count = wanted;
	for (uint32_t i = 0; i < old_count; i++)
		for (struct object *object = old[i], *next; object; object = next) {
			struct object **at = bucket(object->dev, object->ino);
			next = object->next;
			object->next = *at;
			*at = object;
		}
	if (old)
		kernel_memory_free(old, old_count * sizeof *old);
	return true;
}

struct object *objects_find_known(const struct identity *identity)
{
	struct object *object = bucket_count ? *bucket(identity->dev, identity->ino) : NULL;

	while (object && (object->ino != identity->ino || object->dev != identity->dev))
		object = object->next;
	return object;
}

/*
 * What this thread's event is about. Between the moment when the object became known and that when something holds it,
 * another thread may forget it as idle: found once more it must be the same one, whose number is in the trace already.
 */
static __thread struct {
	uint64_t dev, ino;
	uint32_t id; /* 0: none */
} about;

static uint32_t id_for(const struct identity *identity, bool *is_new)
{
	if (about.id && about.dev == identity->dev && about.ino == identity->ino)
		return about.id;
	*is_new = true;
	return next_id++;
}

struct object *objects_find(const struct identity *identity, bool *is_new)
{
	struct object *known = objects_find_known(identity);
	bool crowded = false;

	if (known)
		return known;
	if (object_count >= IDLE_OBJECTS && object_count >= bucket_count) {
		forget_idle();
		/* Where little could be forgotten the next one would be looked for soon again. */
		crowded = object_count >= bucket_count / 2;
	}
	if ((crowded || object_count >= bucket_count) && !grow_buckets())
		return NULL;
	struct object *object = arena_take(&objects_arena);
	if (!object)
		return NULL;
	struct object **at = bucket(identity->dev, identity->ino);
	*object = (struct object){.dev = identity->dev,
				  .ino = identity->ino,
				  .id = id_for(identity, is_new),
				  .page = identity->page,
				  .huge = identity->huge,
				  .kind = identity->kind,
				  .forks = objects_forks,
				  .next = *at};
	*at = object;
	object_count++;
	if (identity->huge)
		atomic_store_explicit(&any_huge, true, memory_order_relaxed);
	return object;
}

struct object *objects_find_about(const struct identity *identity, bool *is_new)
{
	about.id = 0;
	struct object *object = objects_find(identity, is_new);
	about.dev = identity->dev;
	about.ino = identity->ino;
	about.id = object ? object->id : 0;
	return object;
}

const struct object *objects_at(unsigned index)
{
	for (uint32_t i = 0; i < bucket_count; i++)
		for (const struct object *object = buckets[i]; object; object = object->next)
			if (index-- == 0)
				return object;
	return NULL;
}

struct object *objects_let_go(void)
{
	for (uint32_t i = 0; i < bucket_count; i++)
		for (struct object *object = buckets[i]; object; object = object->next)
			if (object->let_go)
				return object;
	return NULL;
}

bool objects_any_huge(void)
{
	return atomic_load_explicit(&any_huge, memory_order_relaxed);
}
