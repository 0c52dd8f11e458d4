/* "Size and mapping" of the rule catalogue: the SIGBUS foretold. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "preload/check.h"
#include "preload/facts.h"

enum { LARGE_GROWTH = 1 << 20 };

static uint64_t round_up(uint64_t bytes, const struct identity *identity)
{
	uint64_t rounded = (bytes + identity->page - 1) & -identity->page;
	return rounded < bytes ? UINT64_MAX : rounded;
}

static bool found(enum rule_id rule, enum severity severity, struct check_finding numbers)
{
	numbers.rule = rule;
	numbers.severity = severity;
	return check_found(&numbers);
}

#define FOUND(rule, severity, ...) found(RULE_##rule, SEVERITY_##severity, (struct check_finding){__VA_ARGS__})

static uint64_t end_of(uint64_t offset, uint64_t length)
{
	return offset + length < offset ? UINT64_MAX : offset + length;
}

/* Does the window, in which something may be touched, reach past the last page that the object has? */
static bool is_past_end(uint64_t offset, uint64_t length, int prot, const struct identity *identity)
{
	return prot != PROT_NONE && end_of(offset, length) > round_up(identity->size, identity);
}

static bool past_end(uint64_t offset, uint64_t length, int prot, const struct identity *identity, unsigned marks)
{
	struct check_finding numbers = {.offset = (int64_t)offset, .length = length, .size = identity->size};

	if ((marks & MARK_RESIZE_FAILED) && found(RULE_resize_failed_ignored, SEVERITY_ERROR, numbers))
		return true;
	if (identity->size == 0)
		return found(RULE_map_before_size, SEVERITY_ERROR, numbers);
	return found(RULE_map_beyond_end, prot & PROT_WRITE ? SEVERITY_ERROR : SEVERITY_WARNING, numbers);
}

/* Pages that the window still lacks; the object's holes may lie elsewhere, so this is the least that is missing. */
static uint64_t missing(uint64_t offset, uint64_t length, const struct identity *identity)
{
	uint64_t rest = identity->size > offset ? identity->size - offset : 0, window = length < rest ? length : rest;
	return window > identity->allocated ? window - identity->allocated : 0;
}

static bool is_misaligned(uint64_t offset, uint64_t length, const struct identity *identity)
{
	return identity->huge && (offset % identity->page || length % identity->page);
}

static void huge_pages(const struct mmap_event *e, const struct identity *identity, unsigned marks)
{
	uint64_t room;

	if ((e->flags & MAP_NORESERVE) && e->prot != PROT_NONE && !(marks & MARK_POOL_HELD) &&
	    facts_huge_pages_free(identity->page, &room) && round_up(e->length, identity) > room + identity->allocated)
		FOUND(huge_page_unbacked, ERROR, .offset = e->offset, .length = e->length, .size = identity->size,
		      .limit = room);
}

static unsigned unbacked(const struct mmap_event *e, const struct identity *identity, unsigned marks)
{
	uint64_t offset = (uint64_t)e->offset, lacking = missing(offset, e->length, identity), room;
	struct check_finding numbers = {.offset = e->offset, .length = e->length, .size = identity->size};

	if (identity->huge) {
		huge_pages(e, identity, marks);
		return 0;
	}
	if (!lacking || !(e->flags & MAP_SHARED) || !(e->prot & PROT_WRITE))
		return 0;
	numbers.limit = identity->allocated;
	if (facts_room(identity, lacking, &room) && lacking > room) {
		struct check_finding full = numbers;
		full.limit = room;
		if (found(RULE_shm_fs_full, SEVERITY_ERROR, full))
			return 0;
	}
	if (marks & (MARK_RESERVED | MARK_SPARSE_TOLD))
		return 0;
	found(RULE_sparse_unreserved, SEVERITY_NOTE, numbers);
	return MARK_SPARSE_TOLD;
}

static void refused(const struct mmap_event *e, const struct identity *identity)
{
	if (e->error == EAGAIN && (e->flags & MAP_LOCKED)) {
		FOUND(lock_limit, WARNING, .length = e->length, .limit = facts_lockable(), .error = e->error);
	} else if (e->error == EINVAL && is_misaligned((uint64_t)e->offset, e->length, identity)) {
		FOUND(huge_page_misaligned, WARNING, .offset = e->offset, .length = e->length, .limit = identity->page,
		      .error = e->error);
	} else if (e->error == EACCES || (e->error == EINVAL && (uint64_t)e->offset % identity->page)) {
		FOUND(access_mismatch, WARNING, .offset = e->offset, .length = e->length, .size = identity->size,
		      .limit = identity->page, .error = e->error);
	}
}

static unsigned touchable(const struct mmap_event *e, const struct identity *identity, unsigned marks)
{
	uint64_t offset = (uint64_t)e->offset, end = end_of(offset, e->length);
	bool past = is_past_end(offset, e->length, e->prot, identity);
	unsigned left = past ? MARK_PAST_END : 0;

	if (past && past_end(offset, e->length, e->prot, identity, marks))
		return left;
	if ((e->flags & MAP_TYPE) == MAP_PRIVATE && (e->prot & PROT_WRITE) &&
	    FOUND(private_map, WARNING, .offset = e->offset, .length = e->length, .size = identity->size))
		return left;
	if (is_misaligned(offset, e->length, identity) &&
	    FOUND(huge_page_misaligned, WARNING, .offset = e->offset, .length = e->length, .limit = identity->page))
		return left;
	if (!past && end > identity->size && e->prot != PROT_NONE &&
	    FOUND(tail_overrun, NOTE, .offset = e->offset, .length = e->length, .size = identity->size))
		return left;
	return left | unbacked(e, identity, marks);
}

unsigned check_mmap(const struct mmap_event *e, const struct identity *identity, unsigned marks)
{
	if (e->error) {
		refused(e, identity);
		return 0;
	}
	if (!identity->huge || !(e->prot & PROT_WRITE))
		return touchable(e, identity, marks);
	/* An object of huge pages the kernel makes as long as what is mapped of it to be written. */
	struct identity grown = *identity;
	uint64_t end = end_of((uint64_t)e->offset, round_up(e->length, identity));
	if (grown.size < end)
		grown.size = end;
	return touchable(e, &grown, marks);
}

/* What a mapping had reserved stays with the object when it is unmapped, and is no longer free in the pool. */
unsigned check_mapped(const struct mmap_event *e, const struct identity *identity)
{
	bool reserves = identity->huge && (e->flags & MAP_SHARED) && !(e->flags & MAP_NORESERVE);

	if (e->error)
		return 0;
	return (e->prot & PROT_WRITE ? 0 : MARK_CLOSED) | ((e->flags & MAP_TYPE) == MAP_PRIVATE ? MARK_PRIVATE : 0) |
	       (reserves ? MARK_POOL_HELD : 0);
}

unsigned check_mprotect(const struct identity *identity, uint64_t offset, uint64_t length, int prot, unsigned marks)
{
	/* What reserved its huge pages has MARK_POOL_HELD. */
	uint32_t flags = marks & MARK_PRIVATE ? 0 : MAP_SHARED | MAP_NORESERVE;

	return touchable(
		&(struct mmap_event){
			.offset = (int64_t)offset, .length = length, .prot = (uint8_t)(prot & 7), .flags = flags},
		identity, marks);
}

unsigned check_remapped(const struct identity *identity, uint64_t offset, uint64_t length, int prot)
{
	if (!is_past_end(offset, length, prot, identity))
		return 0;
	past_end(offset, length, prot, identity, 0);
	return MARK_PAST_END;
}

/* Cheapest first: this process's own mappings, then those of all others. */
static bool shrinks(const struct ftruncate_event *e, const struct identity *identity)
{
	uint64_t kept = round_up((uint64_t)e->length, identity);
	struct check_finding numbers = {.length = (uint64_t)e->length, .size = e->size_before};

	if (round_up(e->size_before, identity) <= kept)
		return false;
	struct facts_mappers others = facts_other_mappers(identity, kept);
	uint64_t own = check_mapped_end(identity);
	if (own > kept)
		own = facts_own_reach(identity, kept, own);
	if (!others.pid && own <= kept) {
		/* Nobody was seen; where not everybody was looked at, the whole trace may tell. */
		numbers.unseen = (int16_t)(others.gave_up ? others.gave_up : EACCES);
		if (others.gave_up || (others.unreadable && (identity->mode & 066)))
			found(RULE_shrink_under_map, SEVERITY_NOTE, numbers);
		return false;
	}
	numbers.limit = others.pid ? others.end : own;
	numbers.other = others.pid;
	numbers.unseen = (int16_t)(others.pid ? 0 : others.gave_up ? others.gave_up : others.unreadable ? EACCES : 0);
	return found(RULE_shrink_under_map, others.pid ? SEVERITY_ERROR : SEVERITY_WARNING, numbers);
}

/* Growth that has no room: on the file system, in the memory cgroup. */
static bool has_no_room(uint64_t length, uint64_t size, const struct identity *identity)
{
	uint64_t rounded = round_up(length, identity), room;
	uint64_t more = rounded > identity->allocated ? rounded - identity->allocated : 0;

	if (more && !identity->huge && facts_room(identity, more, &room) && more > room &&
	    FOUND(shm_fs_full, ERROR, .length = length, .size = size, .limit = room))
		return true;
	return length >= size + LARGE_GROWTH && facts_memory_left(&room) && more > room &&
	       FOUND(memory_limit, WARNING, .length = length, .size = size, .limit = room);
}

/* *limit is told where it is over that. */
static bool over_file_size_limit(uint64_t length, uint64_t size, uint64_t *limit)
{
	return length > size && length > (*limit = facts_file_size_limit());
}

static void over_limit(uint64_t length, uint64_t size, uint64_t limit)
{
	FOUND(file_size_limit, WARNING, .length = length, .size = size, .limit = limit, .error = EFBIG);
}

/* What has the size already that the limit forbids was not refused it. */
static bool over_by_truncation(const struct ftruncate_event *e, const struct identity *identity, uint64_t *limit)
{
	uint64_t length = (uint64_t)e->length;

	return e->length >= 0 && identity->size != length && over_file_size_limit(length, e->size_before, limit);
}

unsigned check_truncated(const struct ftruncate_event *e, const struct identity *identity)
{
	uint64_t limit;

	if (e->error || e->length < 0 || over_by_truncation(e, identity, &limit))
		return MARK_RESIZE_FAILED;
	return e->size_before || !e->length ? 0 : MARK_SIZED;
}

/* What others have made and sized. A child is neither its maker nor who sized it, whatever its parent was. */
static void resizes(uint64_t length, uint64_t size, unsigned marks)
{
	bool own = (marks & (MARK_CREATED | MARK_SIZED)) && !(marks & MARK_INHERITED);

	if (!own && size && length != size)
		FOUND(resize_by_attacher, WARNING, .length = length, .size = size);
}

void check_ftruncate(const struct ftruncate_event *e, const struct identity *identity, unsigned marks)
{
	uint64_t length = (uint64_t)e->length, limit;

	if (e->length < 0)
		return;
	if (over_by_truncation(e, identity, &limit)) {
		over_limit(length, e->size_before, limit);
		return;
	}
	if (e->error == EINVAL || e->error == EBADF)
		FOUND(access_mismatch, WARNING, .length = length, .size = e->size_before, .error = e->error);
	if (e->error)
		return;
	if (length < e->size_before && shrinks(e, identity))
		return;
	if (length > e->size_before && has_no_room(length, e->size_before, identity))
		return;
	resizes(length, e->size_before, marks);
}

static bool grows(const struct fallocate_event *e)
{
	return !(e->mode & (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) &&
	       (uint64_t)e->offset + (uint64_t)e->length > e->size_before;
}

unsigned check_allocated(const struct fallocate_event *e, const struct identity *identity)
{
	if (e->offset < 0 || e->length <= 0)
		return 0;
	if (e->error)
		return MARK_RESIZE_FAILED;
	bool reserves =
		!(e->mode & FALLOC_FL_PUNCH_HOLE) && !is_misaligned((uint64_t)e->offset, (uint64_t)e->length, identity);
	return (reserves ? MARK_RESERVED : 0) | (!e->size_before && grows(e) ? MARK_SIZED : 0);
}

void check_fallocate(const struct fallocate_event *e, const struct identity *identity, unsigned marks)
{
	uint64_t end = (uint64_t)e->offset + (uint64_t)e->length, limit;
	struct check_finding numbers = {
		.offset = e->offset, .length = (uint64_t)e->length, .size = e->size_before, .error = e->error};

	if (e->offset < 0 || e->length <= 0)
		return;
	if (e->error == EINTR && (e->symbol == SYMBOL_posix_fallocate || e->symbol == SYMBOL_posix_fallocate64) &&
	    found(RULE_reservation_interrupted, SEVERITY_WARNING, numbers))
		return;
	if (is_misaligned((uint64_t)e->offset, (uint64_t)e->length, identity)) {
		struct check_finding misaligned = numbers;
		misaligned.limit = identity->page;
		if (found(RULE_huge_page_misaligned, SEVERITY_WARNING, misaligned))
			return;
	}
	if (e->error == EFBIG && over_file_size_limit(end, e->size_before, &limit))
		over_limit(end, e->size_before, limit);
	if (!e->error && (e->mode & FALLOC_FL_PUNCH_HOLE) && (marks & MARK_RESERVED))
		found(RULE_punch_unreserves, SEVERITY_NOTE, numbers);
	if (!e->error && grows(e))
		resizes(end, e->size_before, marks);
}

void check_munmap(uint64_t offset, uint64_t length, uint64_t page)
{
	FOUND(huge_page_misaligned, WARNING, .offset = (int64_t)offset, .length = length, .limit = page,
	      .error = EINVAL);
}

/* Whether others map it, which makes it an error, only the whole trace tells. */
void check_opened(uint32_t flags, uint64_t size_before, bool created, bool failed)
{
	if ((flags & O_TRUNC) && !created && !failed && size_before)
		FOUND(truncate_on_open, WARNING, .size = size_before);
}

void check_madvise(const struct madvise_event *e, uint64_t offset, unsigned marks)
{
	if (e->advice == MADV_REMOVE && !e->error && (marks & MARK_RESERVED))
		FOUND(punch_unreserves, NOTE, .offset = (int64_t)offset, .length = e->length);
}

void check_mlock(const struct mlock_event *e)
{
	if (e->symbol == SYMBOL_munlock || (e->error != ENOMEM && e->error != EAGAIN && e->error != EPERM))
		return;
	uint64_t lockable = facts_lockable();
	if (e->length > lockable && facts_unlocked(e->addr, e->length) > lockable)
		FOUND(lock_limit, WARNING, .length = e->length, .limit = lockable, .error = e->error);
}
