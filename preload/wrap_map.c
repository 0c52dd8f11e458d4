/* Mappings of objects. */
#include <stdarg.h>
#include <sys/syscall.h>

#include "preload/account.h"
#include "preload/claim.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_size.h"
#include "preload/fault.h"
#include "preload/fault_site.h"
#include "preload/late_size.h"
#include "preload/ledger.h"
#include "preload/moves.h"
#include "preload/observe.h"
#include "preload/page.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/standstill.h"
#include "preload/wrap.h"

/* A release of a range of addresses: its event, and what the ledger forgot, in case the kernel refuses. */
struct unmapping {
	uint32_t seq;
	struct account_pieces pieces;
};

static void unmapping(struct unmapping *u, const void *addr, size_t length, const void *caller)
{
	struct visit visit;
	uint64_t start = (uint64_t)(uintptr_t)addr;

	u->seq = 0;
	u->pieces.count = 0;
	/* munmap(2) refuses an unaligned address, and then nothing changes. */
	if (!ledger_may_map(addr, length) || start != page_round(start) || !observe_enter(&visit, caller))
		return;
	if (!visit.nested)
		late_size_tell(start, page_round(length));
	visit.pieces = &u->pieces;
	u->seq = RECORD(&visit, munmap, NULL, .addr = start, .length = length);
	observe_leave(&visit);
}

static void not_unmapped(const struct unmapping *u, const void *caller)
{
	int kept = errno;

	for (unsigned i = 0; i < u->pieces.count; i++)
		ledger_restore(&u->pieces.piece[i]);
	errno = kept;
	observe_failed(u->seq, caller);
}

/* The pieces are no longer mapped, and what took their place is known: are they the last of their objects? */
static void unmapped(struct account_pieces *pieces, bool done, const void *caller)
{
	for (unsigned i = 0; enforce_wipes && done && i < pieces->count; i++)
		if (enforce_last_unmap(pieces->piece[i].object, caller))
			observe_kept(pieces->piece[i].object, caller);
	account_pieces_done(pieces);
}

/* Does the kernel refuse it whatever it is a mapping of? Its errno is then not the policy's to choose. */
static bool is_malformed(const void *addr, size_t length, int flags, off_t offset)
{
	int type = flags & MAP_TYPE;
	bool shifted = ((uint64_t)offset | (flags & MAP_FIXED ? (uint64_t)(uintptr_t)addr : 0)) & (page_round(1) - 1);

	return !length || shifted || (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE);
}

struct mapping {
	void *addr;
	size_t length;
	int prot, flags, fd;
	off_t offset;
	const void *caller;
	bool policed, tracked; /* a policy is asked; the descriptor is known to lead to an object */
	void *result;
};

/* m->tracked: *identity is the object. */
static enum enforce_verdict mapping_policed(struct mapping *m, struct identity *identity)
{
	struct mmap_event e = {.addr = (uint64_t)(uintptr_t)m->addr,
			       .length = m->length,
			       .prot = (uint8_t)(m->prot & 7),
			       .flags = (uint32_t)m->flags,
			       .fd = m->fd,
			       .offset = m->offset};

	m->tracked = m->fd >= 0 && !(m->flags & MAP_ANONYMOUS) && !own_caller(m->caller) &&
		     !identity_is_ordinary(m->fd) && identity_of_mapped(m->fd, identity);
	return m->tracked && !is_malformed(m->addr, m->length, m->flags, m->offset)
		       ? enforce_mmap(&e, identity, m->caller)
		       : VERDICT_go;
}

/*
 * True: an object is mapped. Not inline: what it needs of the stack is not there during the call and what follows, when
 * handlers come.
 */
static __attribute__((noinline)) bool mapping_told(struct mapping *m, struct identity *identity, bool other,
						   bool replaces)
{
	bool failed = m->result == MAP_FAILED;
	struct visit visit;

	if (!observe_enter(&visit, m->caller))
		return false;
	m->tracked = m->tracked || (!other && identity_of_mapped(m->fd, identity));
	if (m->tracked && m->policed && !failed)
		enforce_mapped(&(struct mmap_event){.result = (uint64_t)(uintptr_t)m->result, .length = m->length},
			       identity, m->caller);
	/* Of any other memory as well where it took an object's place: else that would look like a munmap. */
	if (m->tracked || replaces)
		RECORD(&visit, mmap, m->tracked ? identity : NULL, .addr = (uint64_t)(uintptr_t)m->addr,
		       .length = m->length, .prot = (uint8_t)(m->prot & 7), .flags = (uint32_t)m->flags, .fd = m->fd,
		       .offset = m->offset, .result = (uint64_t)(uintptr_t)m->result,
		       .error = observe_error(&visit, failed));
	observe_leave(&visit);
	return m->tracked && !failed;
}

typedef void *mmap_function(void *, size_t, int, int, int, off_t);

/* replaced: NULL, unless it takes the place of what is there (MAP_FIXED). */
static inline void *map(mmap_function *real_mmap, struct mapping *m, struct unmapping *replaced)
{
	struct identity identity;
	enum enforce_verdict verdict = m->policed ? mapping_policed(m, &identity) : VERDICT_go;
	bool denied = verdict == VERDICT_deny;

	if (replaced && !denied)
		unmapping(replaced, m->addr, m->length, m->caller);
	m->result = denied ? MAP_FAILED
			   : STANDING_STILL(replaced && ledger_may_map(m->addr, m->length),
					    real_mmap(m->addr, m->length, m->prot, m->flags, m->fd, m->offset));
	if (verdict == VERDICT_fix && !enforce_probed(m->result, m->length, m->caller))
		m->result = MAP_FAILED;
	if (m->tracked && enforce_clears && m->result != MAP_FAILED)
		claim_await(&identity);
	bool replaces = replaced && replaced->seq;
	if (replaces && m->result == MAP_FAILED)
		not_unmapped(replaced, m->caller);
	bool other =
		m->fd < 0 || (m->flags & MAP_ANONYMOUS) || (m->policed ? !m->tracked : identity_is_ordinary(m->fd));
	if ((!other || replaces) && mapping_told(m, &identity, other, replaces))
		fault_expect();
	if (replaced)
		unmapped(&replaced->pieces, m->result != MAP_FAILED, m->caller);
	return m->result;
}

static __attribute__((noinline)) void *map_over(mmap_function *real_mmap, struct mapping *m)
{
	struct unmapping replaced = {0};

	return map(real_mmap, m, &replaced);
}

static __attribute__((noinline)) void *map_any(mmap_function *real_mmap, struct mapping *m)
{
	if (m->fd >= 0)
		recorder_may_begin();
	m->fd = wrap_given(m->fd, m->caller);
	if (m->policed && !enforce_maps && recorder_silent())
		return real_mmap(m->addr, m->length, m->prot, m->flags, m->fd, m->offset);
	return m->flags & MAP_FIXED ? map_over(real_mmap, m) : map(real_mmap, m, NULL);
}

void *wrap_mmap(mmap_function *real_mmap, void *addr, size_t length, int prot, int flags, int fd, off_t offset,
		const void *caller)
{
	bool matters = (fd >= 0 && !(flags & MAP_ANONYMOUS)) || ((flags & MAP_FIXED) && ledger_may_map(addr, length));
	struct mapping m = {addr, length, prot, flags, fd, offset, caller, enforce_on, false, MAP_FAILED};
	struct calm calm;

	/* Another's wrapper after ours may want the loader's lock, whose holder waits for LTTng's threads. */
	if (__builtin_expect(own_thread, false))
		return (void *)REAL(syscall)(SYS_mmap, addr, length, prot, flags, fd, offset);
	if (!matters)
		return map_any(real_mmap, &m);
	observe_calm_begin(&calm, caller);
	void *result = map_any(real_mmap, &m);
	observe_calm_end(&calm);
	return result;
}

EXPORT void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return wrap_mmap(REAL(mmap), addr, length, prot, flags, fd, offset, CALLER);
}

EXPORT void *mmap64(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return wrap_mmap(REAL(mmap64), addr, length, prot, flags, fd, offset, CALLER);
}

int wrap_munmap(int (*real_munmap)(void *, size_t), void *addr, size_t length, const void *caller)
{
	struct unmapping u;
	struct calm calm;

	if (__builtin_expect(own_thread, false))
		return (int)REAL(syscall)(SYS_munmap, addr, length);
	if (!ledger_may_map(addr, length))
		return real_munmap(addr, length);
	observe_calm_begin(&calm, caller);
	unmapping(&u, addr, length, caller);
	int result = STANDING_STILL(true, real_munmap(addr, length));
	if (result < 0 && u.seq)
		not_unmapped(&u, caller);
	unmapped(&u.pieces, result == 0, caller);
	observe_calm_end(&calm);
	return result;
}

EXPORT int munmap(void *addr, size_t length)
{
	return wrap_munmap(REAL(munmap), addr, length, CALLER);
}

bool wrap_policed_object(const void *addr, size_t length, struct fault_site *site, const void *caller)
{
	if (!enforce_on || own_caller(caller) || !ledger_may_map(addr, length))
		return false;
	fault_site_at(site, (uint64_t)(uintptr_t)addr);
	if (!site->found)
		return false;
	fault_site_refresh(site, (uint64_t)(uintptr_t)addr);
	site->identity.name = site->name;
	return true;
}

struct moving {
	uint32_t seq;
	struct move move;
	struct unmapping replaced;
};

static void moving(struct moving *m, void *addr, size_t length, size_t new_length, int flags, void *new_addr,
		   const void *caller)
{
	struct visit visit;
	struct mremap_event e = {.addr = (uint64_t)(uintptr_t)addr,
				 .length = length,
				 .new_length = new_length,
				 .flags = (uint32_t)flags,
				 .new_addr = (uint64_t)(uintptr_t)new_addr};

	m->seq = m->replaced.seq = 0;
	m->replaced.pieces.count = 0;
	move_begin(&m->move, &e);
	/* An old length of 0 makes a second mapping of the same pages (mremap(2)). */
	if (ledger_may_map(addr, length ? length : 1) && observe_enter(&visit, caller)) {
		visit.pieces = &m->move.pieces;
		m->seq = observe_record(&visit, EVENT_mremap, &(union any_event){.mremap = e}, NULL);
		observe_leave(&visit);
	}
	if (flags & MREMAP_FIXED)
		unmapping(&m->replaced, new_addr, new_length, caller);
}

/* In a nested visit the ledger, which the interrupted one may be at, has it when the event is settled. */
static void move_told(struct moving *m, void *result, const struct visit *visit)
{
	uint64_t at = (uint64_t)(uintptr_t)result;
	bool failed = result == MAP_FAILED;

	if (!failed)
		ledger_expect(at, at + m->move.new_length);
	if (!visit->nested) {
		move_end(&m->move, at, failed);
	} else if (m->move.pieces.count) {
		move_keep(&m->move, m->seq);
		m->move.pieces.count = 0;
	}
}

static void moved(struct moving *m, void *result, const void *caller)
{
	struct visit visit;

	if (result == MAP_FAILED && m->replaced.seq)
		not_unmapped(&m->replaced, caller);
	if (m->seq && observe_enter(&visit, caller)) {
		move_told(m, result, &visit);
		RECORD(&visit, mremapped, NULL, .of = m->seq, .result = (uint64_t)(uintptr_t)result,
		       .error = observe_error(&visit, result == MAP_FAILED));
		observe_leave(&visit);
	}
	unmapped(&m->replaced.pieces, result != MAP_FAILED, caller);
	account_pieces_done(&m->move.pieces);
}

void *wrap_mremap(void *(*real_mremap)(void *, size_t, size_t, int, ...), void *addr, size_t length, size_t new_length,
		  int flags, void *new_addr, const void *caller)
{
	struct moving m;
	struct calm calm;
	struct fault_site site;

	if (new_length > length && wrap_policed_object(addr, length ? length : 1, &site, caller) && site.fresh &&
	    enforce_mremap(&(struct mremap_event){.addr = (uint64_t)(uintptr_t)addr,
						  .length = length,
						  .new_length = new_length,
						  .flags = (uint32_t)flags,
						  .new_addr = (uint64_t)(uintptr_t)new_addr},
			   &site, caller) == VERDICT_deny)
		return MAP_FAILED;
	observe_calm_begin(&calm, caller);
	moving(&m, addr, length, new_length, flags, new_addr, caller);
	void *result = STANDING_STILL(true, real_mremap(addr, length, new_length, flags, new_addr));
	moved(&m, result, caller);
	observe_calm_end(&calm);
	return result;
}

EXPORT void *mremap(void *addr, size_t length, size_t new_length, int flags, ...)
{
	void *new_addr = NULL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_list arguments;
		va_start(arguments, flags);
		new_addr = va_arg(arguments, void *);
		va_end(arguments);
	}
	return wrap_mremap(REAL(mremap), addr, length, new_length, flags, new_addr, CALLER);
}

/* False: it is no object's, or not to be told, or refused by the kernel whatever it is. */
static bool shows_other_pages(struct mmap_event *e, struct fault_site *site, int prot, size_t page, const void *caller)
{
	void *addr = (void *)(uintptr_t)e->addr;

	if (prot || !e->length || page > (INT64_MAX - e->length) / page_size() || own_caller(caller) ||
	    !ledger_may_map(addr, e->length))
		return false;
	fault_site_at(site, e->addr);
	int has = site->found ? fault_site_protection(site, e->addr) : -1;
	if (has < 0)
		return false;
	fault_site_refresh(site, e->addr);
	e->prot = (uint8_t)(has & 7);
	e->offset = (int64_t)(page * page_size());
	return site->fresh;
}

/* Linux makes a mapping of it, of the same object in the same place, and it is told as what it is then: see mmap(2). */
int wrap_remap_file_pages(int (*real_remap)(void *, size_t, int, size_t, int), void *start, size_t size, int prot,
			  size_t page, int flags, const void *caller)
{
	struct visit visit;
	struct fault_site site;
	struct unmapping replaced = {0};
	struct calm calm;
	struct mmap_event e = {.addr = (uint64_t)(uintptr_t)start & -page_size(),
			       .length = size & -page_size(),
			       .flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE | ((uint32_t)flags & MAP_NONBLOCK),
			       .fd = -1};
	bool tracked = shows_other_pages(&e, &site, prot, page, caller);

	site.identity.name = site.name;
	bool denied = tracked && enforce_on && enforce_remap_file_pages(&e, &site.identity, caller) == VERDICT_deny;
	observe_calm_begin(&calm, caller);
	if (tracked && !denied)
		unmapping(&replaced, (void *)(uintptr_t)e.addr, e.length, caller);
	int result = denied ? -1 : real_remap(start, size, prot, page, flags);
	if (replaced.seq && result < 0)
		not_unmapped(&replaced, caller);
	e.result = result < 0 ? (uint64_t)(uintptr_t)MAP_FAILED : e.addr;
	if (tracked && observe_enter(&visit, caller)) {
		if (enforce_on && result == 0)
			enforce_mapped(&e, &site.identity, caller);
		e.error = observe_error(&visit, result < 0);
		observe_record(&visit, EVENT_mmap, &(union any_event){.mmap = e}, &site.identity);
		observe_leave(&visit);
	}
	unmapped(&replaced.pieces, result == 0, caller);
	observe_calm_end(&calm);
	return result;
}

EXPORT int remap_file_pages(void *start, size_t size, int prot, size_t page, int flags)
{
	return wrap_remap_file_pages(REAL(remap_file_pages), start, size, prot, page, flags, CALLER);
}
