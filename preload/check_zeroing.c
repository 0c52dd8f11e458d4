/* "Zeroing" of the rule catalogue: what is left in memory for others to find. */
#include <fcntl.h>
#include <sys/mman.h>

#include "preload/check.h"
#include "preload/facts_files.h"

/*
 * Whether nobody maps it, only the whole trace or a walk over /proc can tell. size: of the object; offset: of the first
 * byte that is not zero.
 */
void check_zeroing_opened(const struct check_opening *o, const struct identity *identity, unsigned marks)
{
	uint64_t at;

	if (o->by != EVENT_shm_open || !(o->flags & O_CREAT) || (o->flags & O_TRUNC) || o->created || o->error ||
	    !identity || !o->size_before || (marks & MARK_CREATED) || check_mapped_end(identity))
		return;
	if (facts_data(identity, 0, o->size_before, &at) == 1)
		check_found(&(struct check_finding){.rule = RULE_stale_bytes,
						    .severity = SEVERITY_WARNING,
						    .offset = (int64_t)at,
						    .size = o->size_before});
}

/*
 * [offset, offset + length): what the growth uncovers of the old last page; size: the old one; limit: the new one.
 * Whoever cannot read it is told that it may be so.
 */
static void grown(uint64_t before, uint64_t after, const struct identity *identity)
{
	uint64_t tail = before & (identity->page - 1), end = before - tail + identity->page, at;

	if (after <= before || !tail || identity->huge)
		return;
	end = end < after ? end : after;
	int data = facts_data(identity, before, end, &at);
	if (data)
		check_found(&(struct check_finding){.rule = RULE_grow_exposes_tail,
						    .severity = data > 0 ? SEVERITY_WARNING : SEVERITY_NOTE,
						    .offset = (int64_t)before,
						    .length = end - before,
						    .size = before,
						    .limit = after,
						    .unseen = data > 0 ? 0 : EACCES});
}

void check_zeroing_ftruncate(const struct ftruncate_event *e, const struct identity *identity)
{
	if (!e->error && e->length >= 0)
		grown(e->size_before, (uint64_t)e->length, identity);
}

void check_zeroing_fallocate(const struct fallocate_event *e, const struct identity *identity)
{
	if (!e->error)
		grown(e->size_before, e->size, identity);
}

/* length: of the range; limit: the advice. For a private mapping it is the way to drop its own pages. */
void check_zeroing_madvise(const struct madvise_event *e, unsigned marks)
{
	if ((e->advice == MADV_DONTNEED || e->advice == MADV_FREE) && !e->error && e->object && !(marks & MARK_PRIVATE))
		check_found(&(struct check_finding){.rule = RULE_discard_no_op,
						    .severity = SEVERITY_WARNING,
						    .length = e->length,
						    .limit = e->advice});
}
