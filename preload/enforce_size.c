#include "preload/enforce_size.h"

#include <errno.h>
#include <sys/mman.h>
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

	if (kernel_call(SYS_fstat, growth->fd, (long)&st, 0, 0, 0, 0) < 0 || (uint64_t)st.st_size != tail->from ||
	    grow(growth) < 0)
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
		int error = wipe_reserve(e->fd, (uint64_t)e->length);
		/* The size is the program's to give. */
		if (!error)
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

/* Asked of what is to be fixed: error: with which the kernel refuses the call, which then has no effect; 0: it does not. */
static bool fails(int error)
{
	if (error)
		enforce_forget();
	return error != 0;
}

static int vain_resize(const struct ftruncate_event *e, const struct identity *identity)
{
	uint64_t length = (uint64_t)e->length;
	int error = enforce_vain_size(e, identity);

	return !error && length > e->size_before && length > facts_file_size_limit() ? EFBIG : error;
}

static enum enforce_verdict reserve(const struct policy_decision *decision, const struct ftruncate_event *e,
				    const struct identity *identity)
{
	struct policy_decision d = *decision;

	d.action[RULE_sparse_unreserved] = ACTION_fix;
	if ((uint64_t)e->length <= e->size_before ||
	    ENFORCE(&d, sparse_unreserved, .length = (uint64_t)e->length, .size = e->size_before) == VERDICT_go)
		return VERDICT_go;
	return fix_resize(RULE_sparse_unreserved, e, identity);
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
	enforce_collect();
	check_ftruncate(e, identity, marks);
	enum enforce_verdict verdict = enforce_collected(&d, &fix, ENOSPC);
	if (verdict == VERDICT_deny)
		return verdict;
	if ((verdict == VERDICT_fix || d.reserve) && fails(vain_resize(e, identity)))
		return VERDICT_go;
	if (verdict == VERDICT_fix)
		verdict = fix_resize(fix, e, identity);
	else if (d.reserve && e->fd >= 0)
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

/* The creator may size the object a moment after it became known. */
static bool wait_for_size(int fd, struct identity *identity, uint32_t milliseconds)
{
	for (uint32_t waited = 0; waited <= milliseconds; waited++) {
		if (identity_of_fd(fd, identity) && identity->size)
			return true;
		kernel_rest(1000000);
	}
	return false;
}

static enum enforce_verdict fix_map(enum rule_id rule, const struct mmap_event *e, struct identity *identity,
				    const struct policy_decision *d)
{
	int error = 0;

	if (rule == RULE_map_before_size) {
		if (!wait_for_size(e->fd, identity, d->wait_ms))
			enforce_not_fixed(rule);
	} else if (rule == RULE_shm_fs_full || rule == RULE_sparse_unreserved) {
		error = wipe_reserve(e->fd, identity->size);
	} else if (rule == RULE_huge_page_unbacked) {
		return VERDICT_fix;
	}
	if (error)
		enforce_fix_failed(rule, ENOMEM);
	errno = error ? ENOMEM : errno;
	return error ? VERDICT_deny : VERDICT_go;
}

static enum enforce_verdict over_lock_limit(const struct policy_decision *d, uint64_t address, uint64_t length)
{
	if (!enforce_asks(d, RULE_lock_limit))
		return VERDICT_go;
	uint64_t lockable = facts_lockable();
	bool over = length > lockable && (!address || facts_unlocked(address, length) > lockable);
	return over ? ENFORCE(d, lock_limit, .length = length, .limit = lockable) : VERDICT_go;
}

static bool asks_of_mappings(const struct policy_decision *d)
{
	static const enum rule_id found[] = {
		RULE_map_beyond_end,    RULE_map_before_size,    RULE_resize_failed_ignored, RULE_shm_fs_full,
		RULE_sparse_unreserved, RULE_huge_page_unbacked, RULE_huge_page_misaligned};

	for (size_t i = 0; i < sizeof found / sizeof *found; i++)
		if (enforce_asks(d, found[i]))
			return true;
	return false;
}

static enum enforce_verdict found_of_map(const struct policy_decision *d, const struct mmap_event *e,
					 const struct identity *identity, enum rule_id *fix)
{
	bool reserves = d->action[RULE_sparse_unreserved] == ACTION_fix;

	if (!asks_of_mappings(d))
		return VERDICT_go;
	uint32_t marks = ledger_marks(identity);
	enforce_collect();
	check_mmap(e, identity, reserves ? marks & ~(unsigned)MARK_SPARSE_TOLD : marks);
	return enforce_collected(d, fix, ENOMEM);
}

static enum enforce_verdict decide_mmap(const struct mmap_event *e, struct identity *identity)
{
	struct policy_decision d;
	enum rule_id fix = RULE_COUNT;
	bool first;

	enforce_decide_object(identity, &d);
	enforce_keep_secret(&d, identity);
	if ((e->prot & PROT_EXEC) && enforce_asks(&d, RULE_exec_map) &&
	    ENFORCE(&d, exec_map, .length = e->length) == VERDICT_deny)
		return VERDICT_deny;
	if ((e->flags & MAP_LOCKED) && over_lock_limit(&d, 0, e->length) == VERDICT_deny)
		return VERDICT_deny;
	enum enforce_verdict verdict = found_of_map(&d, e, identity, &fix);
	enum enforce_verdict stale = verdict == VERDICT_deny ? verdict : enforce_first_map(&d, e, identity, &first);
	if (stale == VERDICT_deny)
		return VERDICT_deny;
	if (verdict == VERDICT_fix)
		verdict = fails(enforce_vain_map_and_lock(e, identity)) ? VERDICT_go : fix_map(fix, e, identity, &d);
	if (verdict == VERDICT_deny)
		enforce_undone(RULE_stale_bytes);
	else if (first)
		enforce_first_mapped(stale, e->fd, identity);
	return verdict;
}

static bool probe(void *mapping, uint64_t length)
{
	if (mapping == MAP_FAILED) {
		enforce_undone(RULE_huge_page_unbacked);
		return false;
	}
	long touched = kernel_call(SYS_madvise, (long)mapping, (long)length, MADV_POPULATE_WRITE, 0, 0, 0);
	if (touched == 0)
		return true;
	/* A kernel without it (before 5.14) cannot be asked. */
	if (touched == -EINVAL) {
		enforce_not_fixed(RULE_huge_page_unbacked);
		return true;
	}
	kernel_call(SYS_munmap, (long)mapping, (long)length, 0, 0, 0, 0);
	enforce_fix_failed(RULE_huge_page_unbacked, ENOMEM);
	errno = ENOMEM;
	return false;
}

bool enforce_probed(void *mapping, uint64_t length, const void *caller)
{
	bool backed = probe(mapping, length);
	enforce_end(caller);
	return backed;
}

/* Told, rather than fixed, is what was mapped so until the end: the program itself may still do it. */
static void mapped(const struct mmap_event *e, const struct identity *identity)
{
	struct policy_decision d;

	enforce_decide_object(identity, &d);
	if (!d.secret || !enforce_asks(&d, RULE_dumpable_secret))
		return;
	if (ENFORCE(&d, dumpable_secret, .length = e->length) != VERDICT_fix)
		return;
	if (kernel_call(SYS_madvise, (long)e->result, (long)e->length, MADV_DONTDUMP, 0, 0, 0) < 0)
		enforce_not_fixed(RULE_dumpable_secret);
	else
		ledger_mark(identity, MARK_UNDUMPABLE, 0);
}

void enforce_mapped(const struct mmap_event *e, const struct identity *identity, const void *caller)
{
	enforce_resume();
	mapped(e, identity);
	enforce_end(caller);
}

static enum enforce_verdict decide_mlock(uint64_t address, uint64_t length, const struct identity *identity)
{
	struct policy_decision d;

	enforce_decide_object(identity, &d);
	return over_lock_limit(&d, address, length);
}

/* There is no descriptor by which anything could be fixed. */
static enum enforce_verdict deny_or_go(const struct policy_decision *d)
{
	enum rule_id fix = RULE_COUNT;
	enum enforce_verdict verdict = enforce_collected(d, &fix, ENOMEM);

	if (verdict == VERDICT_fix)
		enforce_not_fixed(fix);
	return verdict == VERDICT_deny ? verdict : VERDICT_go;
}

static enum enforce_verdict decide_mremap(const struct mremap_event *e, struct fault_site *site)
{
	struct policy_decision d;

	enforce_decide_object(&site->identity, &d);
	enforce_collect();
	check_remapped(&site->identity, site->offset, e->new_length, fault_site_protection(site, e->addr));
	return deny_or_go(&d);
}

void enforce_removed(uint64_t start, uint64_t length, const struct identity *identity, const void *caller)
{
	struct policy_decision d;

	enforce_begin();
	enforce_decide_object(identity, &d);
	if (enforce_asks(&d, RULE_punch_unreserves) && (ledger_marks(identity) & MARK_RESERVED) &&
	    ENFORCE(&d, punch_unreserves, .length = length) == VERDICT_fix &&
	    kernel_call(SYS_madvise, (long)start, (long)length, MADV_POPULATE_WRITE, 0, 0, 0) < 0)
		enforce_not_fixed(RULE_punch_unreserves);
	enforce_end(caller);
}

static enum enforce_verdict decide_mprotect(struct fault_site *site, uint64_t address, uint64_t length, int prot)
{
	struct policy_decision d;
	uint32_t marks = ledger_marks(&site->identity);

	if (prot == PROT_NONE || !((prot & PROT_EXEC) || (marks & MARK_CLOSED)))
		return VERDICT_go;
	enforce_decide_object(&site->identity, &d);
	if ((prot & PROT_EXEC) && enforce_asks(&d, RULE_exec_map) && ENFORCE(&d, exec_map) == VERDICT_deny)
		return VERDICT_deny;
	if (!(marks & MARK_CLOSED) || !asks_of_mappings(&d))
		return VERDICT_go;
	fault_site_refresh(site, address);
	if (!site->fresh)
		return VERDICT_go;
	site->identity.name = site->name;
	enforce_collect();
	check_mprotect(&site->identity, site->offset, site->end - address < length ? site->end - address : length, prot,
		       marks);
	return deny_or_go(&d);
}

#define POLICED(name, parameters, arguments, vain)                                                                     \
	enum enforce_verdict enforce_##name parameters                                                                 \
	{                                                                                                              \
		enforce_begin();                                                                                       \
		enum enforce_verdict verdict = decide_##name arguments;                                                \
		if (enforce_matters(verdict))                                                                          \
			enforce_refused_nothing(verdict, vain);                                                        \
		enforce_end(caller);                                                                                   \
		return verdict;                                                                                        \
	}
POLICED(ftruncate, (const struct ftruncate_event *e, const struct identity *identity, const void *caller),
	(e, identity), enforce_vain_size(e, identity))
POLICED(fallocate, (const struct fallocate_event *e, const struct identity *identity, const void *caller),
	(e, identity), enforce_vain_allocation(e))
POLICED(mprotect, (struct fault_site * site, uint64_t address, uint64_t length, int prot, const void *caller),
	(site, address, length, prot), 0)
POLICED(mlock, (uint64_t address, uint64_t length, const struct identity *identity, const void *caller),
	(address, length, identity), 0)
POLICED(mremap, (const struct mremap_event *e, struct fault_site *site, const void *caller), (e, site),
	enforce_vain_remap(e))

enum enforce_verdict enforce_mmap(const struct mmap_event *e, struct identity *identity, const void *caller)
{
	enforce_begin();
	enum enforce_verdict verdict = decide_mmap(e, identity);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_vain_map(e, identity));
	/* Only the call tells whether it is fixed. What it replaces has an event of its own, before which all is told. */
	if (verdict != VERDICT_fix || (e->flags & MAP_FIXED))
		enforce_end(caller);
	if (verdict == VERDICT_fix && (e->flags & MAP_FIXED))
		enforce_resume();
	return verdict;
}
