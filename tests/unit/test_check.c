/* The size rules on made-up calls and a made-up kernel: each at its boundary, found just past it and silent just before. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "preload/check_size.c"

enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };

static unsigned tests, failures, found_count;
static struct check_finding last;

/* The made-up kernel. */
static struct {
	uint64_t room, file_size_limit, lockable, memory_left, huge_free, mapped_end;
	bool has_room, closed, off[RULE_COUNT];
	struct facts_mappers mappers;
} kernel;

bool check_found(const struct check_finding *finding)
{
	if (kernel.off[finding->rule])
		return false;
	found_count++;
	last = *finding;
	return true;
}

uint64_t check_mapped_end(const struct identity *identity)
{
	(void)identity;
	return kernel.mapped_end;
}

bool facts_room(const struct identity *identity, uint64_t need, uint64_t *bytes)
{
	(void)need;
	(void)identity;
	*bytes = kernel.room;
	return kernel.has_room;
}

uint64_t facts_file_size_limit(void)
{
	return kernel.file_size_limit;
}

uint64_t facts_unlocked(uint64_t address, uint64_t length)
{
	(void)address;
	return length;
}

uint64_t facts_lockable(void)
{
	return kernel.lockable;
}

bool facts_memory_left(uint64_t *bytes)
{
	*bytes = kernel.memory_left;
	return true;
}

bool facts_huge_pages_free(uint64_t page, uint64_t *bytes)
{
	(void)page;
	*bytes = kernel.huge_free;
	return true;
}

uint64_t facts_own_reach(const struct identity *identity, uint64_t beyond, uint64_t supposed)
{
	(void)identity;
	(void)beyond;
	return kernel.closed ? 0 : supposed;
}

struct facts_mappers facts_other_mappers(const struct identity *identity, uint64_t beyond)
{
	struct facts_mappers none = {.unreadable = kernel.mappers.unreadable, .gave_up = kernel.mappers.gave_up};
	(void)identity;
	return kernel.mappers.end > beyond ? kernel.mappers : none;
}

static void boundless(void)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.file_size_limit = kernel.lockable = kernel.memory_left = kernel.huge_free = UINT64_MAX;
	found_count = 0;
}

/* The one finding since the last call, or -1 for none; more than one is never right. */
static int found_rule(void)
{
	int rule = found_count == 0 ? -1 : found_count == 1 ? (int)last.rule : -2;
	found_count = 0;
	return rule;
}

static void check(bool ok, const char *what)
{
	printf("%s %u - %s\n", ok ? "ok" : "not ok", ++tests, what);
	failures += !ok;
}

static struct identity object(uint64_t size, uint64_t allocated)
{
	return (struct identity){
		.size = size, .allocated = allocated, .page = PAGE, .kind = KIND_shm, .fd = 3, .dev = 27, .ino = 5};
}

static struct mmap_event map(int64_t offset, uint64_t length, int prot, uint32_t flags)
{
	return (struct mmap_event){.offset = offset, .length = length, .prot = (uint8_t)prot, .flags = flags, .fd = 3};
}

static int mapped(struct mmap_event e, struct identity identity, unsigned marks)
{
	check_mmap(&e, &identity, marks);
	return found_rule();
}

enum { RW = PROT_READ | PROT_WRITE };

static void ends(void)
{
	boundless();
	struct identity pages = object(2 * PAGE, 2 * PAGE), bytes = object(100, PAGE), empty = object(0, 0);

	check(mapped(map(0, 2 * PAGE, RW, MAP_SHARED), pages, 0) == -1, "a map of the whole object is silent");
	check(mapped(map(0, 2 * PAGE + 1, RW, MAP_SHARED), pages, 0) == RULE_map_beyond_end &&
		      last.severity == SEVERITY_ERROR && last.size == 2 * PAGE && last.length == 2 * PAGE + 1,
	      "one byte past the last page, writable: an error with its numbers");
	check(mapped(map(PAGE, 2 * PAGE, PROT_READ, MAP_SHARED), pages, 0) == RULE_map_beyond_end &&
		      last.severity == SEVERITY_WARNING,
	      "a read-only one is a warning");
	check(mapped(map(0, 9 * PAGE, PROT_NONE, MAP_SHARED), pages, 0) == -1,
	      "a reservation without access is silent");
	check(mapped(map(0, PAGE, RW, MAP_SHARED), bytes, 0) == RULE_tail_overrun && last.severity == SEVERITY_NOTE,
	      "past the end within the last page: a note");
	check(mapped(map(0, 100, RW, MAP_SHARED), bytes, 0) == -1, "up to the last byte: silent");
	check(mapped(map(0, PAGE, RW, MAP_SHARED), empty, 0) == RULE_map_before_size, "an object without a size");
	check(mapped(map(0, PAGE, RW, MAP_SHARED), empty, MARK_RESIZE_FAILED) == RULE_resize_failed_ignored,
	      "the failed resize comes first");
	check(mapped(map(0, PAGE, RW, MAP_SHARED), pages, MARK_RESIZE_FAILED) == -1,
	      "a failed resize of what is large enough all the same is silent");
	check(mapped(map(0, UINT64_MAX - 5, RW, MAP_SHARED), pages, 0) == RULE_map_beyond_end,
	      "a length that overflows");
	check_remapped(&pages, PAGE, 2 * PAGE, RW);
	check(found_rule() == RULE_map_beyond_end && last.severity == SEVERITY_ERROR,
	      "a mapping that grows past the end");
	check_remapped(&pages, PAGE, 2 * PAGE, PROT_READ);
	check(found_rule() == RULE_map_beyond_end && last.severity == SEVERITY_WARNING, "read-only: a warning");
	check_remapped(&pages, PAGE, 2 * PAGE, -1);
	check(found_rule() == RULE_map_beyond_end && last.severity == SEVERITY_ERROR, "not known how: an error");
	check_remapped(&pages, PAGE, 2 * PAGE, PROT_NONE);
	check(found_rule() == -1, "one without access is silent");
	check_remapped(&pages, PAGE, PAGE, RW);
	check(found_rule() == -1, "a mapping that moves inside is silent");
	check_mprotect(&pages, 2 * PAGE, PAGE, RW, MARK_CLOSED);
	check(found_rule() == RULE_map_beyond_end && last.offset == 2 * (int64_t)PAGE, "opened past the end");
	check_mprotect(&pages, 0, 2 * PAGE, RW, MARK_CLOSED);
	check(found_rule() == -1, "opened up to the end");
	check_mprotect(&pages, 0, 2 * PAGE, RW, MARK_CLOSED | MARK_PRIVATE);
	check(found_rule() == -1, "a private one is opened");
}

static void backing(void)
{
	boundless();
	struct identity sparse = object(10 * PAGE, PAGE), huge = object(4 * (uint64_t)HUGE_PAGE, 0);
	struct mmap_event all = map(0, 10 * PAGE, RW, MAP_SHARED);

	check(mapped(all, sparse, 0) == RULE_sparse_unreserved && last.severity == SEVERITY_NOTE, "unreserved pages");
	check(check_mmap(&all, &sparse, 0) == MARK_SPARSE_TOLD, "which are marked as told");
	found_count = 0;
	check(mapped(all, sparse, MARK_SPARSE_TOLD) == -1, "and not told twice");
	check(mapped(all, sparse, MARK_RESERVED) == -1, "reserved ones are silent");
	kernel.has_room = true;
	kernel.room = 9 * PAGE;
	check(mapped(all, sparse, MARK_RESERVED) == -1, "the file system has just room enough");
	kernel.room = 9 * PAGE - 1;
	check(mapped(all, sparse, 0) == RULE_shm_fs_full && last.limit == kernel.room, "and a byte too few");
	check(mapped(map(0, 10 * PAGE, PROT_READ, MAP_SHARED), sparse, 0) == -1, "readers need no room");
	check(mapped(map(0, 10 * PAGE, RW, MAP_PRIVATE), sparse, 0) == RULE_private_map, "private and writable");
	huge.huge = true;
	huge.page = HUGE_PAGE;
	kernel.huge_free = 4 * (uint64_t)HUGE_PAGE;
	all = map(0, 4 * (uint64_t)HUGE_PAGE, RW, MAP_SHARED | MAP_NORESERVE);
	check(mapped(all, huge, 0) == -1, "as many huge pages as are needed");
	kernel.huge_free -= HUGE_PAGE;
	check(mapped(all, huge, 0) == RULE_huge_page_unbacked, "and one too few");
	check(mapped(all, huge, MARK_POOL_HELD) == -1, "unless they were reserved for this object before");
	all.prot = PROT_NONE;
	check(mapped(all, huge, 0) == -1, "or nobody may touch them");
	check_mprotect(&huge, 0, all.length, PROT_READ, MARK_CLOSED);
	check(found_rule() == RULE_huge_page_unbacked, "until mprotect lets them be read");
	all.prot = RW;
	all.flags = MAP_SHARED;
	check(check_mapped(&all, &huge) == MARK_POOL_HELD, "which a mapping without MAP_NORESERVE does");
	check(mapped(all, huge, 0) == -1, "which mmap itself refuses where pages are reserved");
	all.error = EINVAL;
	all.length = 1000;
	check(mapped(all, huge, 0) == RULE_huge_page_misaligned, "a length that is no multiple of the huge page");
}

static uint32_t open_to_all;

static int resized(int64_t length, uint64_t before, int error, unsigned marks, unsigned *set)
{
	struct ftruncate_event e = {.length = length, .size_before = before, .error = (int16_t)error};
	struct identity identity = object(before, before);
	identity.mode = open_to_all;
	check_ftruncate(&e, &identity, marks);
	if (set)
		*set = check_truncated(&e, &identity);
	return found_rule();
}

static void sizes(void)
{
	unsigned set;

	boundless();
	check(resized(2 * PAGE, PAGE, 0, MARK_CREATED, NULL) == -1, "the creator grows it");
	check(resized(2 * PAGE, PAGE, 0, MARK_CREATED | MARK_INHERITED, NULL) == RULE_resize_by_attacher,
	      "a child that was forked from the creator is none");
	check(resized(2 * PAGE, PAGE, 0, 0, NULL) == RULE_resize_by_attacher, "another grows it");
	check(resized(2 * PAGE, 0, 0, 0, &set) == -1 && set == MARK_SIZED, "another gives it its first size");
	check(resized(3 * PAGE, 2 * PAGE, 0, MARK_SIZED, NULL) == -1, "and another one after that");
	kernel.mapped_end = 2 * PAGE;
	check(resized(PAGE + 1, 2 * PAGE, 0, MARK_CREATED, NULL) == -1, "shrunk within the last mapped page");
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == RULE_shrink_under_map &&
		      last.severity == SEVERITY_WARNING && last.limit == 2 * PAGE && last.other == 0,
	      "shrunk under an own mapping: a warning");
	kernel.mappers = (struct facts_mappers){.pid = 812, .end = 2 * PAGE};
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == RULE_shrink_under_map &&
		      last.severity == SEVERITY_ERROR && last.other == 812,
	      "under another's: an error that names it");
	kernel.mappers = (struct facts_mappers){.unreadable = 3};
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == RULE_shrink_under_map && last.unseen == EACCES,
	      "processes that could not be looked at are told");
	kernel.mapped_end = 0;
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == -1,
	      "nobody maps the tail of what is the owner's alone");
	open_to_all = 0666;
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == RULE_shrink_under_map &&
		      last.severity == SEVERITY_NOTE && last.unseen == EACCES,
	      "others might map what is open to them: a note that says so");
	open_to_all = 0;
	kernel.mappers = (struct facts_mappers){0};
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == -1, "nobody maps the tail");
	kernel.mappers = (struct facts_mappers){.gave_up = ETIMEDOUT};
	check(resized(PAGE, 2 * PAGE, 0, MARK_CREATED, NULL) == RULE_shrink_under_map &&
		      last.severity == SEVERITY_NOTE && last.unseen == ETIMEDOUT,
	      "not everybody could be looked at: a note that says so");
	kernel.mappers = (struct facts_mappers){0};
	check(resized(-1, PAGE, EINVAL, MARK_CREATED, &set) == -1 && set == MARK_RESIZE_FAILED, "a failure is marked");
	check(resized(PAGE, 0, EINVAL, 0, &set) == RULE_access_mismatch && set == MARK_RESIZE_FAILED,
	      "a descriptor that may not resize");
	kernel.file_size_limit = PAGE;
	check(resized(PAGE, 0, 0, MARK_CREATED, NULL) == -1, "up to RLIMIT_FSIZE");
	check(resized(PAGE + 1, 0, 0, MARK_CREATED, NULL) == RULE_file_size_limit && last.limit == PAGE, "past it");
	kernel.file_size_limit = UINT64_MAX;
	kernel.has_room = true;
	kernel.room = 3 * PAGE;
	check(resized(3 * PAGE, 0, 0, MARK_CREATED, NULL) == -1, "as large as the room");
	check(resized(3 * PAGE + 1, 0, 0, MARK_CREATED, NULL) == RULE_shm_fs_full, "larger than the room");
	kernel.has_room = false;
	kernel.memory_left = LARGE_GROWTH - 1;
	check(resized(LARGE_GROWTH, 0, 0, MARK_CREATED, NULL) == RULE_memory_limit, "a megabyte over the memory limit");
	check(resized(LARGE_GROWTH - 1, 0, 0, MARK_CREATED, NULL) == -1, "less is not asked for");
}

static void others(void)
{
	struct identity identity = object(PAGE, PAGE);
	struct fallocate_event e = {.symbol = SYMBOL_posix_fallocate, .length = PAGE, .error = EINTR};

	boundless();
	check_fallocate(&e, &identity, 0);
	check(check_allocated(&e, &identity) == MARK_RESIZE_FAILED && found_rule() == RULE_reservation_interrupted,
	      "an interrupted reservation");
	e.error = 0;
	check_fallocate(&e, &identity, 0);
	check(check_allocated(&e, &identity) == (MARK_RESERVED | MARK_SIZED) && found_rule() == -1,
	      "one that succeeds is marked");
	e.size_before = PAGE;
	check_fallocate(&e, &identity, 0);
	check(found_rule() == -1, "what does not grow it is silent");
	e.length = PAGE + 1;
	check_fallocate(&e, &identity, 0);
	check(found_rule() == RULE_resize_by_attacher, "an attacher's that grows it");
	e.length = PAGE;
	e.mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	check_fallocate(&e, &identity, MARK_RESERVED);
	check(found_rule() == RULE_punch_unreserves, "a hole in what was reserved");
	check_fallocate(&e, &identity, 0);
	check(found_rule() == -1, "a hole in what was not");
	check_opened(O_RDWR | O_TRUNC, PAGE, false, false);
	check(found_rule() == RULE_truncate_on_open && last.size == PAGE, "O_TRUNC empties an object");
	check_opened(O_RDWR | O_TRUNC, 0, false, false);
	check(found_rule() == -1, "O_TRUNC of an empty one is silent");
	kernel.lockable = PAGE;
	struct mlock_event lock = {.symbol = SYMBOL_mlock, .length = PAGE + 1, .error = ENOMEM};
	check_mlock(&lock);
	check(found_rule() == RULE_lock_limit && last.limit == PAGE, "mlock past RLIMIT_MEMLOCK");
	lock.length = PAGE;
	check_mlock(&lock);
	check(found_rule() == -1, "ENOMEM within the limit has another cause");
}

static void map_failed(void)
{
	struct identity empty = object(0, 0);
	struct mmap_event e = map(0, PAGE, RW, MAP_SHARED);

	check_mmap(&e, &empty, MARK_RESIZE_FAILED);
}

/* Past the end of what has no room either, within a tmpfs that is full. */
static void map_past(void)
{
	struct identity sparse = object(2 * PAGE, 0);
	struct mmap_event e = map(0, 3 * PAGE, RW, MAP_SHARED);

	kernel.has_room = true;
	check_mmap(&e, &sparse, MARK_RESIZE_FAILED);
}

static void map_huge(void)
{
	struct identity huge = object(2 * HUGE_PAGE, 0);
	struct mmap_event e = map(0, HUGE_PAGE + PAGE, RW, MAP_PRIVATE | MAP_NORESERVE);

	huge.page = HUGE_PAGE;
	huge.huge = true;
	kernel.huge_free = 0;
	check_mmap(&e, &huge, 0);
}

static void map_tail(void)
{
	struct identity bytes = object(100, 0);
	struct mmap_event e = map(0, PAGE, RW, MAP_SHARED);

	check_mmap(&e, &bytes, 0);
}

static void shrink(void)
{
	struct identity identity = object(4 * PAGE, 0);
	struct ftruncate_event e = {.fd = 3, .length = PAGE, .size_before = 4 * PAGE};

	kernel.mapped_end = 4 * PAGE;
	check_ftruncate(&e, &identity, 0);
}

static void grow(void)
{
	struct identity identity = object(PAGE, PAGE);
	struct ftruncate_event e = {.fd = 3, .length = 2 * LARGE_GROWTH, .size_before = PAGE};

	kernel.has_room = true;
	kernel.memory_left = 0;
	check_ftruncate(&e, &identity, 0);
}

static void punch(void)
{
	struct identity huge = object(2 * HUGE_PAGE, 0);
	struct fallocate_event e = {.mode = FALLOC_FL_PUNCH_HOLE, .length = PAGE, .size_before = 2 * HUGE_PAGE};

	huge.page = HUGE_PAGE;
	huge.huge = true;
	check_fallocate(&e, &huge, MARK_RESERVED);
}

/* Calls that break several rules of one matter, which they have in this order. */
static const struct breach {
	void (*call)(void);
	const char *what;
	enum rule_id rule[5];
	unsigned rules;
} breaches[] = {
	{map_failed, "an empty object whose resize failed", {RULE_resize_failed_ignored, RULE_map_before_size}, 2},
	{map_past,
	 "past the end of a sparse object whose resize failed",
	 {RULE_resize_failed_ignored, RULE_map_beyond_end, RULE_shm_fs_full, RULE_sparse_unreserved},
	 4},
	{map_huge,
	 "a part of a huge page, private",
	 {RULE_private_map, RULE_huge_page_misaligned, RULE_huge_page_unbacked},
	 3},
	{map_tail, "a sparse tail", {RULE_tail_overrun, RULE_sparse_unreserved}, 2},
	{shrink, "another's object below its mapping", {RULE_shrink_under_map, RULE_resize_by_attacher}, 2},
	{grow, "another's object beyond all room", {RULE_shm_fs_full, RULE_memory_limit, RULE_resize_by_attacher}, 3},
	{punch, "a hole in a part of a huge page", {RULE_huge_page_misaligned, RULE_punch_unreserves}, 2},
};

/* Whatever comes before it is off, a rule is found, and alone. */
static void orders(void)
{
	char what[128];

	for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++)
		for (unsigned off = 0; off <= breaches[i].rules; off++) {
			const struct breach *breach = &breaches[i];
			boundless();
			for (unsigned rule = 0; rule < off; rule++)
				kernel.off[breach->rule[rule]] = true;
			breach->call();
			int expected = off < breach->rules ? (int)breach->rule[off] : -1;
			snprintf(what, sizeof what, "%s, %u rules off: %s", breach->what, off,
				 expected < 0 ? "nothing" : rules[expected].id);
			check(found_rule() == expected, what);
		}
}

int main(void)
{
	ends();
	backing();
	sizes();
	others();
	orders();
	printf("1..%u\n", tests);
	return failures != 0;
}
