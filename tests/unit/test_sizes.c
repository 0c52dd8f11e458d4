/* The sizes of an object, fed by hand: who changed them, and who saw what when. */
#include "tests/unit/world_by_hand.h"

static void look(int pid, uint64_t size)
{
	FEED(mmap, pid, .length = PAGE, .prot = 1, .flags = MAP_SHARED, .fd = -1, .result = BASE, .object = 1,
	     .size = size);
	unmap(pid, BASE, PAGE);
}

/* What another process saw of an object as it was being made shorter may come behind that. */
static void check_looks(void)
{
	const struct object *object;

	begin_shared();
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 65536, .size = 65536, .object = 1);
	object = world->objects[0];
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 32768, .size_before = 65536, .size = 32768,
	     .object = 1);
	look(11, 65536);
	check(object->size == 32768 && object->changes[object->change_count - 1].site.process == process_of(10),
	      "a look at what was before says nothing of what is now");
	FEED(ftruncate, 11, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 65536, .size_before = 65536, .size = 65536,
	     .object = 1);
	check(object->size == 32768, "nor does a resizing that found nothing to do");
	look(11, 32768);
	check(object->size == 32768 && object->changes[object->change_count - 1].of == CHANGE_resized,
	      "and who looks later finds nothing changed");
	look(11, 16384);
	check(object->size == 16384 && object->changes[object->change_count - 1].of == CHANGE_seen,
	      "a size that it never had is somebody else's doing");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 4096, .size_before = 16384, .size = 4096,
	     .object = 1);
	FEED(ftruncate, 11, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 20480, .size_before = 16384, .size = 20480,
	     .object = 1);
	check(object->size == 20480, "of two resizings at one time the one told last counts");
	look(11, 4096);
	check(object->size == 4096 && object->changes[object->change_count - 1].site.process == process_of(10) &&
		      object->changes[object->change_count - 2].site.process == process_of(11),
	      "until it is seen which was the last");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 8192, .size_before = 4096, .size = 8192,
	     .object = 1);
	look(11, 4096);
	check(object->size == 8192, "nor is a growth undone by what was seen before it");
	now += 2000000000;
	look(11, 65536);
	check(object->size == 65536 && object->changes[object->change_count - 1].of == CHANGE_seen,
	      "and so is one that it had long ago");
	end();
}

/* Its first use of an object that it inherited is to resize it. */
static void check_own_look(void)
{
	const struct object *object;

	begin();
	start_maker(10);
	start(11, BEGAN_exec, 1, 0);
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 16384, .size = 16384, .object = 1);
	FEED(object, 11, .id = 1, .kind = KIND_shm, .dev = 25, .ino = 77, .size = 3113, .name = "");
	FEED(ftruncate, 11, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 3113, .size_before = 16384, .size = 3113,
	     .object = 1);
	object = world->objects[0];
	check(object->size == 3113 && object->change_count == 2 && object->changes[1].of == CHANGE_resized &&
		      object->changes[1].before == 16384,
	      "what is seen of an object that one resizes without having used it is what one has done");
	FEED(object, 11, .id = 1, .kind = KIND_shm, .dev = 25, .ino = 77, .size = 4096, .name = "");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 4096, .size_before = 4096, .size = 4096,
	     .object = 1);
	check(object->changes[object->change_count - 1].of == CHANGE_seen, "what another has seen stays seen");
	end();
}

/* Between what is told of it last and a look that finds another size its size is not known, unless a call made that. */
static void check_lapses(void)
{
	const struct object *object;
	int64_t known;

	object = begin_shared();
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 4096, .size = 4096, .object = 1);
	look(11, 4096);
	check(object->lapse_count == 0, "what the calls tell whole has no lapse");
	look(11, 8192);
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 8192, .size_before = 4096, .size = 8192,
	     .object = 1);
	check(object->lapse_count == 0, "nor has what another finds before the call is told that made it");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 4096, .size_before = 8192, .size = 4096,
	     .object = 1);
	look(11, 8192);
	FEED(ftruncate, 11, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 12288, .size_before = 8192, .size = 12288,
	     .object = 1);
	check(object->lapse_count == 0, "nor what another finds after it is told that it is being made shorter");
	known = now;
	look(11, 16384);
	check(object->lapse_count == 1 && object->lapses[0].from == known && object->lapses[0].until == known + 1,
	      "a size that nobody gave it ends one");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 4096, .size_before = 20480, .size = 4096,
	     .object = 1);
	check(object->lapse_count == 2 && object->lapses[1].was == 16384 && object->lapses[1].found == 20480,
	      "so does one that a resizing finds");
	FEED(ftruncate, 10, .symbol = SYMBOL_ftruncate, .fd = 3, .length = 24576, .size_before = 24576, .size = 24576,
	     .object = 1);
	check(object->lapse_count == 3 && object->size == 24576, "and one that leaves it as it is");
	for (uint64_t size = 1; size < 100; size++)
		look(11, size * 65536);
	check(object->lapse_count == LAPSES_MAX && object->lapses[0].from == known &&
		      object->lapses[LAPSES_MAX - 1].found == 99 * 65536,
	      "of many the oldest are one");
	end();
}

int main(void)
{
	check_looks();
	check_own_look();
	check_lapses();
	printf("1..%d\n", number);
	return failures != 0;
}
