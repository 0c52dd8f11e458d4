/* The interval map and the ledger of the preload, against an array that has a cell for every page. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload/arena.c"
#include "preload/identity.c"
#include "preload/place.c"
#include "preload/text.c"
#include "preload/mounts.c"
#include "preload/intervals.c"
#include "preload/ledger.c"
#include "preload/ledger_fd.c"
#include "preload/ledger_lock.c"
#include "preload/objects.c"
#include "preload/above.c"
#include "preload/own.c"
#include "preload/real.c"
#include "preload/own_symbol.c"
#include "tests/unit/apart_stand_in.h"

atomic_bool recorder_blocks;
__thread struct thread recorder_thread;
atomic_bool recorder_filtered;

enum { PAGES = 512, PAGE = 4096, ROUNDS = 200000, OBJECTS = 7 };

struct cell {
	uint64_t ino; /* 0: unmapped */
	uint64_t offset;
};

static struct cell model[PAGES];
static unsigned tests, failures;
static const uint64_t base = 0x7f0000000000u;

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static struct identity identity(uint64_t ino)
{
	return (struct identity){.dev = 27, .ino = ino, .fd = -1};
}

static unsigned model_pieces_cut(unsigned from, unsigned to)
{
	unsigned pages = 0;
	for (unsigned i = from; i < to; i++) {
		pages += model[i].ino != 0;
		model[i] = (struct cell){0};
	}
	return pages;
}

static void count_pages(const struct interval *piece, void *context)
{
	*(unsigned *)context += (unsigned)((piece->end - piece->start) / PAGE);
}

/* Every page that the model has mapped is found, at its object and offset, and no other. */
static bool equal(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		struct interval found;
		uint64_t at = base + i * PAGE;
		if (ledger_copy(at, &found) != (model[i].ino != 0))
			return false;
		if (model[i].ino &&
		    (found.object->ino != model[i].ino || found.offset + (at - found.start) != model[i].offset))
			return false;
	}
	return true;
}

static unsigned depth(const struct interval *tree)
{
	if (!tree)
		return 0;
	unsigned left = depth(tree->left), right = depth(tree->right);
	return 1 + (left > right ? left : right);
}

static void random_operations(void)
{
	bool same = true, counted = true;

	srandom(1);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned from = (unsigned)random() % PAGES, length = 1 + (unsigned)random() % 24;
		unsigned to = from + length > PAGES ? PAGES : from + length;
		if (random() % 2) {
			struct identity id = identity(1 + (uint64_t)random() % OBJECTS);
			uint64_t offset = (uint64_t)(random() % 100) * PAGE;
			ledger_map(base + from * PAGE, (to - from) * PAGE, offset, &id);
			for (unsigned i = from; i < to; i++)
				model[i] = (struct cell){id.ino, offset + (i - from) * PAGE};
		} else {
			unsigned pages = 0;
			ledger_unmap(base + from * PAGE, (to - from) * PAGE, count_pages, &pages);
			counted = counted && pages == model_pieces_cut(from, to);
		}
		if (round % 1000 == 0)
			same = same && equal();
	}
	check(same && equal(), "the ledger equals the model after maps, overlaps, splits and partial unmaps");
	check(counted, "an unmap hands out just the pages that were mapped");
}

static void holders_follow(void)
{
	unsigned held = 0, intervals = 0;

	for (uint32_t i = 0; i < bucket_count; i++)
		for (struct object *object = buckets[i]; object; object = object->next)
			held += object->holders;
	for (uint64_t at = base; at < base + PAGES * PAGE;) {
		struct interval found;
		bool any = ledger_copy(at, &found);
		intervals += any;
		at = any ? found.end : at + PAGE;
	}
	check(held == intervals && held > 0, "every interval is one holder of its object");
	ledger_unmap(base, PAGES * PAGE, NULL, NULL);
	held = 0;
	for (uint32_t i = 0; i < bucket_count; i++)
		for (struct object *object = buckets[i]; object; object = object->next)
			held += object->holders;
	check(held == 0 && !mappings.root, "nothing is held after everything was unmapped");
}

static void stays_shallow(void)
{
	struct identity id = identity(99);

	for (uint64_t i = 0; i < 100000; i++)
		ledger_map(base + i * 2 * PAGE, PAGE, 0, &id);
	/* A random treap of n nodes is about 2 ln n deep, here 23; three times that does not happen. */
	check(depth(mappings.root) < 70, "100,000 ascending mappings make no deep tree");
	ledger_unmap(base, 200000ull * PAGE, NULL, NULL);
	check(!mappings.root, "one unmap removes them all");
}

static void descriptors(void)
{
	bool is_new;
	uint32_t marks;
	struct identity a = identity(1001), b = identity(1002);
	uint32_t id = ledger_object(&a, &is_new, &marks);

	check(is_new && id == ledger_object(&a, &is_new, &marks) && !is_new, "an object keeps its id");
	ledger_fd_set(5, &a);
	ledger_fd_set(5, &a);
	ledger_fd_set(70, &b);
	check(ledger_fd(5) == id && ledger_fd(70) && !ledger_fd(6) && !ledger_fd(-1) && !ledger_fd(1 << 30),
	      "descriptors lead to their objects, others to none");
	check(ledger_fd_next(0, ~0u) == 5 && ledger_fd_next(6, ~0u) == 70 && ledger_fd_next(71, ~0u) == -1,
	      "tracked descriptors are found in order");
	ledger_fd_clear(5);
	ledger_fd_clear(70);
	check(ledger_fd_next(0, ~0u) == -1, "a closed descriptor leads nowhere");
	ledger_expect_fd(6);
	ledger_expect_fd(-1);
	ledger_expect_fd(1 << 30);
	check(ledger_may_lead(6) && !ledger_fd(6) && ledger_fd_next(0, ~0u) == 6 && !ledger_may_lead(5) &&
		      !ledger_may_lead(-1) && !ledger_may_lead(1 << 30),
	      "one whose event is queued may lead to an object");
	ledger_fd_set(6, &a);
	ledger_expect_fd(6);
	check(ledger_fd(6) == id && ledger_fd_clear(6) == id && !ledger_may_lead(6), "until the event tells to which");
	ledger_expect_fd(6);
	check(!ledger_fd_clear(6) && !ledger_may_lead(6), "or the descriptor is closed");
}

static void idle_objects_are_forgotten(void)
{
	bool is_new;
	uint32_t marks;
	struct identity kept = identity(5000000);

	ledger_map(base, PAGE, 0, &kept);
	uint32_t id = ledger_object(&kept, &is_new, &marks);
	for (uint64_t i = 0; i < 100000; i++) {
		struct identity once = identity(6000000 + i);
		ledger_object(&once, &is_new, &marks);
	}
	check(object_count < 20000, "objects that nobody holds do not pile up");
	check(ledger_object(&kept, &is_new, &marks) == id && !is_new,
	      "an object that is mapped keeps its id meanwhile");
}

static void made_objects_stay(void)
{
	bool is_new;
	uint32_t marks, known = 0;

	for (uint64_t i = 0; i < 40000; i++) {
		struct identity made = identity(8000000 + i);
		ledger_object(&made, &is_new, &marks);
		ledger_mark(&made, 1, 0);
		ledger_made(&made, true);
		if (i % 2)
			ledger_made(&made, false);
	}
	for (uint64_t i = 0; i < 40000; i += 2) {
		struct identity made = identity(8000000 + i);
		known += ledger_marks(&made) == 1;
	}
	check(known == 20000, "what this process made, and has its name, stays known");
	check(object_count < 40000, "what has lost its name does not");
	for (uint64_t i = 0; i < 500000; i++) {
		struct identity made = identity(9000000 + i);
		ledger_object(&made, &is_new, &marks);
		ledger_made(&made, true);
	}
	check(object_count <= 2 * MADE_OBJECTS, "but within bounds");
}

static void take_first(const struct interval *piece, void *context)
{
	struct interval *first = context;

	if (!first->object)
		*first = *piece;
}

/* As mremap(2) does: what was there before is stale, as nobody told of its end. */
static void moved_onto_a_stale_one(void)
{
	struct identity old = identity(7001), moving = identity(7002);
	struct interval piece = {0}, found;

	for (unsigned i = 0; i < 4; i++)
		ledger_map(base + i * 2 * PAGE, PAGE, 0, &old);
	ledger_map(base + 100 * PAGE, 8 * PAGE, 0, &moving);
	ledger_unmap(base + 100 * PAGE, 8 * PAGE, take_first, &piece);
	piece.start = base;
	piece.end = base + 8 * PAGE;
	ledger_restore(&piece);
	check(ledger_copy(base, &found) && found.object->ino == 7002 && found.end == piece.end &&
		      ledger_unmap(base, 8 * PAGE, NULL, NULL) == 1 && !mappings.root,
	      "a range that moves to where another was replaces it");
}

static void pinned_objects_stay(void)
{
	bool is_new;
	uint32_t marks;
	struct identity pinned = identity(7100000);
	struct interval piece = {0};

	ledger_map(base, PAGE, 0, &pinned);
	ledger_unmap(base, PAGE, take_first, &piece);
	atomic_fetch_add(&piece.object->pins, 1);
	for (uint64_t i = 0; i < 100000; i++) {
		struct identity once = identity(7200000 + i);
		ledger_object(&once, &is_new, &marks);
	}
	check(piece.object->ino == 7100000 && objects_find_known(&pinned) == piece.object,
	      "an object of which a piece was handed out is not forgotten");
	atomic_fetch_sub(&piece.object->pins, 1);
}

/* Whether the pages from the 100th on are mapped, a digit each. */
static bool mapped_at(const char *pages)
{
	bool same = true;

	for (unsigned i = 0; pages[i]; i++)
		same = same && (ledger_mapped(base + (100 + i) * PAGE, PAGE) != 0) == (pages[i] == '1');
	return same;
}

static void a_child_lacks_some(void)
{
	struct identity object = identity(600);
	struct interval piece, moved = {0};

	ledger_map(base + 100 * PAGE, 4 * PAGE, 0, &object);
	ledger_dontfork(base + 101 * PAGE, 2 * PAGE, true);
	ledger_dontfork(base + 102 * PAGE, 10 * PAGE, false);
	check(mapped_at("1111") && ledger_copy(base + 103 * PAGE, &piece) && piece.offset == 3 * PAGE,
	      "what a child is not to get is mapped");
	ledger_unmap(base + 101 * PAGE, PAGE, take_first, &moved);
	ledger_restore(&moved);
	ledger_forked(0);
	check(mapped_at("1011"), "the child does not have it, though it was moved meanwhile");
	ledger_forked(0);
	check(mapped_at("1011"), "its own children have what it has");
	ledger_unmap(base + 100 * PAGE, 4 * PAGE, NULL, NULL);
	check(!ledger_holds(&object, -1), "nobody holds the object when all is unmapped");
}

static void undefined_objects_are_new(void)
{
	bool is_new;
	uint32_t marks;
	struct identity lost = identity(7300000);
	uint32_t id = ledger_object(&lost, &is_new, &marks);

	ledger_undefined(&lost);
	check(ledger_object(&lost, &is_new, &marks) == id && is_new && ledger_object(&lost, &is_new, &marks) == id &&
		      !is_new,
	      "an object whose definition was lost is defined once more");
}

int main(void)
{
	random_operations();
	holders_follow();
	stays_shallow();
	descriptors();
	idle_objects_are_forgotten();
	made_objects_stay();
	moved_onto_a_stale_one();
	pinned_objects_stay();
	a_child_lacks_some();
	undefined_objects_are_new();
	printf("1..%u\n", tests);
	return failures != 0;
}
