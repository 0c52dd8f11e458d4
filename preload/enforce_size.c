#include "preload/enforce_size.h"

#include <errno.h>
#include <sys/stat.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_vain.h"
#include "preload/facts.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/tail.h"
#include "preload/text.h"
#include "preload/unsignalled.h"
#include "preload/wipe.h"

static uint64_t page_up(uint64_t bytes, const struct identity *identity)
{
	return (bytes + identity->page - 1) & -identity->page;
}

static enum enforce_verdict too_large(const struct policy_decision *d, uint64_t length, uint64_t size)
{
	if (length <= d->max_size || length <= size)
		return VERDICT_go;
	return ENFORCE(d, object_too_large, .length = length, .size = size, .limit = d->max_size);
}

/* The same that the program is about to ask of the kernel, which then has nothing left to do. */
struct growth {
	int fd;
	int64_t offset, length; /* of fallocate(2), whose mode is `mode`; else offset is 0 */
	int mode;
	bool allocates;
};

static long grow(const struct growth *growth)
{
	char path[TEXT_DESCRIPTOR];

	if (growth->allocates)
		return unsignalled_fallocate(growth->fd, growth->mode, growth->offset, growth->length);
	long result = unsignalled_ftruncate(growth->fd, (uint64_t)growth->length);
	/* Of truncate(2): it has the path alone (O_PATH). */
	return result == -EBADF ? unsignalled_truncate(text_descriptor(path, growth->fd), (uint64_t)growth->length)
				: result;
}

/* What was kept of another's growth is that one's by now. A growth that fails has had no effect. */
static void grow_and_clear(const struct growth *growth, struct tail *tail)
{
	struct stat st;

	if (kernel_stat(growth->fd, &st) < 0 || (uint64_t)st.st_size != tail->from || grow(growth) < 0)
		enforce_undone(RULE_grow_exposes_tail);
	else if (tail_clear(tail) < 0)
		enforce_not_fixed(RULE_grow_exposes_tail);
}

/* Bytes that were stored past the end, within its page, would become readable. */
static void clear_tail(const struct policy_decision *d, const struct growth *growth, const struct identity *identity)
{
	uint64_t size = identity->size, length = (uint64_t)(growth->offset + growth->length);
	struct tail tail;

	if (length <= size || size % identity->page == 0 || !enforce_asks(d, RULE_grow_exposes_tail))
		return;
	long found = tail_keep(&tail, growth->fd, identity);
	if (!found || found == -EACCES || found == -EPERM)
		return;
	enum enforce_verdict verdict = ENFORCE(d, grow_exposes_tail, .length = length, .size = size);
	if (verdict == VERDICT_fix && found > 0)
		grow_and_clear(growth, &tail);
	else if (verdict == VERDICT_fix)
		enforce_not_fixed(RULE_grow_exposes_tail);
	if (found > 0)
		tail_free(&tail);
}

static enum enforce_verdict fix_resize(enum rule_id rule, const struct ftruncate_event *e,
				       const struct identity *identity)
{
	if (e->fd < 0)
		goto undone;
	if (rule == RULE_shrink_under_map &&
	    wipe_punch(e->fd, page_up((uint64_t)e->length, identity), page_up(e->size_before, identity)) == 0)
		return VERDICT_fix;
	if (rule == RULE_shm_fs_full || rule == RULE_sparse_unreserved) {
		long reserved = wipe_reserve(e->fd, 0, (uint64_t)e->length);
		int error = (int)-reserved;
		/* The size is the program's to give. */
		if (reserved >= 0)
			return VERDICT_go;
		enforce_fix_failed(rule, error);
		errno = error;
		return VERDICT_deny;
	}
undone:
	enforce_not_fixed(rule);
	return VERDICT_go;
}

/* By a descriptor that was decided when it was opened. */
static bool foreign_by_path(const struct policy_decision *d, const struct identity *identity)
{
	return identity->fd < 0 && enforce_asks(d, RULE_foreign_owner) && enforce_strange(d, identity) &&
	       ENFORCE(d, foreign_owner, .other = (int32_t)identity->uid) == VERDICT_deny;
}

static int vain_resize(const struct ftruncate_event *e, const struct identity *identity)
{
	uint64_t length = (uint64_t)e->length;
	int error = enforce_vain_size(e, identity);

	return !error && length > e->size_before && length > facts_file_size_limit() ? EFBIG : error;
}

static uint64_t held_of(const struct fallocate_event *e, const struct identity *identity, uint64_t from, uint64_t to)
{
	long bytes = from < to ? wipe_held(e->fd, identity, from, to) : 0;
	return bytes > 0 ? (uint64_t)bytes : 0;
}

/*
 * Is there less room than what is to be new of the range? What was reserved, and nobody has touched, may lie in it; what holds
 * data does so where that is.
 */
static bool has_no_room(const struct fallocate_event *e, const struct identity *identity)
{
	uint64_t start = (uint64_t)e->offset & -identity->page,
		 end = page_up((uint64_t)e->offset + (uint64_t)e->length, identity), room;

	if (!facts_room(identity, end - start, &room) || end - start <= room)
		return false;
	uint64_t outside =
		held_of(e, identity, 0, start) + held_of(e, identity, end, page_up(e->size_before, identity));
	uint64_t inside = identity->allocated > outside ? identity->allocated - outside : 0;
	return end - start > inside && end - start - inside > room;
}

/* That a file would be longer than this process may make any the kernel says first. */
static int vain_allocation(const struct fallocate_event *e, const struct identity *identity)
{
	int error = enforce_vain_allocation(e);

	if (error || (e->mode & FALLOC_FL_PUNCH_HOLE) || identity->huge ||
	    (uint64_t)e->offset + (uint64_t)e->length > facts_file_size_limit())
		return error;
	return has_no_room(e, identity) ? ENOSPC : 0;
}

static enum enforce_verdict reserve(const struct policy_decision *decision, const struct ftruncate_event *e,
				    const struct identity *identity)
{
	struct policy_decision d = *decision;

	d.action[RULE_sparse_unreserved] = ACTION_fix;
	if (ENFORCE(&d, sparse_unreserved, .length = (uint64_t)e->length, .size = e->size_before) == VERDICT_go)
		return VERDICT_go;
	return fix_resize(RULE_sparse_unreserved, e, identity);
}

/* The check has seen nobody who maps what is cut off. Who cannot be looked at the kernel knows, if it may be asked. */
static enum enforce_verdict cuts_unseen(const struct policy_decision *d, const struct ftruncate_event *e,
					const struct identity *identity)
{
	struct identity now = *identity;
	uint64_t kept = page_up((uint64_t)e->length, identity);
	const struct check_finding finding = {.rule = RULE_shrink_under_map,
					      .severity = SEVERITY_NOTE,
					      .length = (uint64_t)e->length,
					      .size = e->size_before,
					      .unseen = EACCES};

	if (!enforce_asks(d, RULE_shrink_under_map) || page_up(e->size_before, identity) <= kept ||
	    vain_resize(e, identity))
		return VERDICT_go;
	enum facts_use use = facts_use_beyond(identity, kept);
	if (use != FACTS_unseen && use != FACTS_unknown)
		return VERDICT_go;
	now.fd = e->fd;
	use = enforce_losers_unseen(&now, FACTS_unseen);
	return use == FACTS_unused ? VERDICT_go : enforce_broken_for(d, &finding, use);
}

static enum enforce_verdict decide_ftruncate(const struct ftruncate_event *e, const struct identity *identity)
{
	struct policy_decision d;
	enum rule_id fix = RULE_COUNT;

	/* EINVAL. */
	if (e->length < 0)
		return VERDICT_go;
	const char *name = enforce_decide_object(identity, &d);
	if (enforce_path_allowed(&d, identity, name) == VERDICT_deny || foreign_by_path(&d, identity))
		return VERDICT_deny;
	if (too_large(&d, (uint64_t)e->length, e->size_before) == VERDICT_deny)
		return VERDICT_deny;
	uint32_t marks = ledger_marks(identity);
	unsigned decided = enforce_decided();
	enforce_collect();
	check_ftruncate(e, identity, marks);
	enum enforce_verdict verdict = enforce_collected(&d, &fix, ENOSPC);
	if (verdict == VERDICT_go && enforce_decided() == decided) {
		verdict = cuts_unseen(&d, e, identity);
		fix = RULE_shrink_under_map;
	}
	if (verdict == VERDICT_deny)
		return verdict;
	/* What does not grow needs no memory, and is not worth the questions. */
	bool reserves = d.reserve && (uint64_t)e->length > e->size_before;
	if ((verdict == VERDICT_fix || reserves) && enforce_fails(vain_resize(e, identity)))
		return VERDICT_go;
	if (verdict == VERDICT_fix)
		verdict = fix_resize(fix, e, identity);
	else if (reserves && e->fd >= 0)
		verdict = reserve(&d, e, identity);
	/* Which makes it grow: where there is no room it does not. */
	if (verdict == VERDICT_go)
		clear_tail(&d, &(struct growth){.fd = e->fd, .length = e->length}, identity);
	return verdict;
}

/* The hole is made, and filled with new pages at once, as far as the object goes. */
static bool punch_and_reserve(const struct fallocate_event *e, const struct identity *identity)
{
	int64_t end = (int64_t)page_up(e->size_before, identity), length = end - e->offset;

	if (kernel_call(SYS_fallocate, e->fd, (long)e->mode, e->offset, e->length, 0, 0) < 0)
		return false;
	if (length > e->length)
		length = e->length;
	return length <= 0 || kernel_call(SYS_fallocate, e->fd, FALLOC_FL_KEEP_SIZE, e->offset, length, 0, 0) == 0;
}

static enum enforce_verdict decide_fallocate(const struct fallocate_event *e, const struct identity *identity)
{
	struct policy_decision d;
	enum rule_id fix = RULE_COUNT;

	enforce_decide_object(identity, &d);
	if (e->offset < 0 || e->length <= 0)
		return VERDICT_go;
	/* With FALLOC_FL_KEEP_SIZE, too, it takes memory. */
	if (!(e->mode & FALLOC_FL_PUNCH_HOLE) &&
	    too_large(&d, (uint64_t)(e->offset + e->length), e->size_before) == VERDICT_deny)
		return VERDICT_deny;
	uint32_t marks = ledger_marks(identity);
	enforce_collect();
	check_fallocate(e, identity, marks);
	enum enforce_verdict verdict = enforce_collected(&d, &fix, ENOSPC);
	if (verdict == VERDICT_deny)
		return verdict;
	if (!(e->mode & FALLOC_FL_KEEP_SIZE))
		clear_tail(&d, &(struct growth){e->fd, e->offset, e->length, (int)e->mode, true}, identity);
	if (verdict == VERDICT_fix && fix == RULE_punch_unreserves && punch_and_reserve(e, identity))
		return VERDICT_fix;
	if (verdict == VERDICT_fix)
		enforce_not_fixed(fix);
	return VERDICT_go;
}

bool enforce_reserves(const struct identity *identity)
{
	struct policy_decision d;

	enforce_decide_object(identity, &d);
	return d.action[RULE_reservation_interrupted] == ACTION_fix && !enforce_audits();
}

POLICED(ftruncate, (const struct ftruncate_event *e, const struct identity *identity, const void *caller),
	(e, identity), enforce_vain_size(e, identity))
POLICED(fallocate, (const struct fallocate_event *e, const struct identity *identity, const void *caller),
	(e, identity), vain_allocation(e, identity))
