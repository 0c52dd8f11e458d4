/* The policy at mappings: as they are made, locked, moved and given other protections. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_size.h"
#include "preload/enforce_vain.h"
#include "preload/facts.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/page.h"
#include "preload/recorder.h"
#include "preload/wipe.h"

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

/* Where what is mapped of the object ends. */
static uint64_t end_of(const struct mmap_event *e, const struct identity *identity)
{
	uint64_t offset = (uint64_t)e->offset, rest = identity->size > offset ? identity->size - offset : 0;

	return offset + (e->length < rest ? e->length : rest);
}

static enum enforce_verdict fix_map(enum rule_id rule, const struct mmap_event *e, struct identity *identity)
{
	if (rule == RULE_huge_page_unbacked)
		return VERDICT_fix;
	long reserved = wipe_reserve(e->fd, (uint64_t)e->offset, end_of(e, identity));
	if (reserved < 0) {
		enforce_fix_failed(rule, ENOMEM);
		errno = ENOMEM;
		return VERDICT_deny;
	}
	if (reserved == 0)
		enforce_undone(rule);
	/* What is wiped keeps its memory, as what had it for all of itself. */
	identity->allocated = UINT64_MAX;
	return VERDICT_go;
}

/* The kernel refuses it as well: error: with what, unless nothing may be locked at all. */
static enum enforce_verdict over_lock_limit(const struct policy_decision *d, uint64_t address, uint64_t length,
					    int error)
{
	if (!enforce_asks(d, RULE_lock_limit))
		return VERDICT_go;
	uint64_t lockable = facts_lockable();
	struct check_finding finding = {.rule = RULE_lock_limit,
					.severity = rules[RULE_lock_limit].severity,
					.length = length,
					.limit = lockable};

	if (length <= lockable || (address && facts_unlocked(address, length) <= lockable))
		return VERDICT_go;
	return enforce_broken(d, &finding, facts_may_lock_nothing() ? EPERM : error);
}

/* What may be read may be executed, too, where the program's personality(2) says so; a mount can forbid it. */
static bool may_execute(int prot, int fd)
{
	if (prot & PROT_EXEC)
		return true;
	if (!(prot & PROT_READ) || recorder_filtered)
		return false;
	long persona = kernel_call(SYS_personality, 0xffffffff /* which it is */, 0, 0, 0, 0, 0);
	return persona > 0 && (persona & READ_IMPLIES_EXEC) && !enforce_noexec(fd);
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

/*
 * May the object lack memory for what is mapped, whatever it has elsewhere? What is reserved and untouched cannot be told from
 * a hole: where nothing turns out to be new nothing was lacking.
 */
static enum enforce_verdict may_lack(const struct mmap_event *e, const struct identity *identity, uint32_t marks,
				     enum rule_id *fix)
{
	struct policy_decision only = {.action[RULE_sparse_unreserved] = ACTION_fix};
	struct identity window = *identity;

	if (identity->huge || !(e->prot & PROT_WRITE) || identity->allocated >= identity->size)
		return VERDICT_go;
	long held = wipe_held(e->fd, identity, (uint64_t)e->offset, page_round(end_of(e, identity)));
	if (held < 0)
		return VERDICT_go;
	window.allocated = (uint64_t)held;
	enforce_collect();
	check_mmap(e, &window, marks);
	return enforce_collected(&only, fix, ENOMEM);
}

static enum enforce_verdict found_of_map(const struct policy_decision *d, const struct mmap_event *e,
					 const struct identity *identity, enum rule_id *fix)
{
	bool reserves = d->action[RULE_sparse_unreserved] == ACTION_fix;

	if (!asks_of_mappings(d))
		return VERDICT_go;
	uint32_t marks = ledger_marks(identity);
	if (reserves)
		marks &= ~(unsigned)MARK_SPARSE_TOLD;
	enforce_collect();
	check_mmap(e, identity, marks);
	enum enforce_verdict verdict = enforce_collected(d, fix, ENOMEM);
	return verdict == VERDICT_go && reserves && !enforce_audits() ? may_lack(e, identity, marks, fix) : verdict;
}

/* Once it has a size all else is found of it that would have been had it had that at once. */
static enum enforce_verdict found_of_sized(const struct policy_decision *d, const struct mmap_event *e,
					   struct identity *identity, enum rule_id *fix)
{
	enum enforce_verdict verdict = found_of_map(d, e, identity, fix);

	if (verdict != VERDICT_fix || *fix != RULE_map_before_size)
		return verdict;
	if (enforce_fails(enforce_vain_map_and_lock(e, identity)))
		return VERDICT_go;
	if (wait_for_size(e->fd, identity, d->wait_ms))
		return found_of_map(d, e, identity, fix);
	enforce_not_fixed(RULE_map_before_size);
	return VERDICT_go;
}

static enum enforce_verdict decide_mmap(const struct mmap_event *e, struct identity *identity)
{
	struct policy_decision d;
	enum rule_id fix = RULE_COUNT;
	bool first;

	enforce_decide_object(identity, &d);
	enforce_keep_secret(&d, identity);
	if (enforce_asks(&d, RULE_exec_map) && may_execute(e->prot, e->fd) &&
	    ENFORCE(&d, exec_map, .length = e->length) == VERDICT_deny)
		return VERDICT_deny;
	if ((e->flags & MAP_LOCKED) && over_lock_limit(&d, 0, e->length, EAGAIN) == VERDICT_deny)
		return VERDICT_deny;
	enum enforce_verdict verdict = found_of_sized(&d, e, identity, &fix);
	enum enforce_verdict stale = verdict == VERDICT_deny ? verdict : enforce_first_map(&d, e, identity, &first);
	if (stale == VERDICT_deny)
		return VERDICT_deny;
	struct identity kept = *identity;
	if (verdict == VERDICT_fix)
		verdict = enforce_fails(enforce_vain_map_and_lock(e, identity)) ? VERDICT_go : fix_map(fix, e, &kept);
	if (verdict == VERDICT_deny)
		enforce_undone(RULE_stale_bytes);
	else if (first)
		enforce_first_mapped(stale, e->fd, &kept);
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
	return over_lock_limit(&d, address, length, ENOMEM);
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

static enum enforce_verdict decide_remap_file_pages(const struct mmap_event *e, const struct identity *identity)
{
	struct policy_decision d;

	enforce_decide_object(identity, &d);
	if (!asks_of_mappings(&d))
		return VERDICT_go;
	enforce_collect();
	check_mmap(e, identity, ledger_marks(identity));
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

	if (prot == PROT_NONE)
		return VERDICT_go;
	enforce_decide_object(&site->identity, &d);
	if (enforce_asks(&d, RULE_exec_map) && may_execute(prot, site->identity.fd) &&
	    ENFORCE(&d, exec_map) == VERDICT_deny)
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

POLICED(mprotect, (struct fault_site * site, uint64_t address, uint64_t length, int prot, const void *caller),
	(site, address, length, prot), 0)
POLICED(mlock, (uint64_t address, uint64_t length, unsigned flags, const struct identity *identity, const void *caller),
	(address, length, identity), flags & ~(unsigned)MLOCK_ONFAULT ? EINVAL : 0)
POLICED(remap_file_pages, (const struct mmap_event *e, const struct identity *identity, const void *caller),
	(e, identity), enforce_vain_pages(e))
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
