/* unlink, rename and link of paths that lead onto /dev/shm. */
#include "preload/enforce_open.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/own.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

static uint32_t unlinking(enum symbol symbol, int dirfd, const char *path, const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512];
	uint32_t seq = 0;

	if (!observe_enter(&visit, caller))
		return 0;
	if (identity_of_path(dirfd, path, AT_SYMLINK_NOFOLLOW, &identity)) {
		identity.kind = KIND_file;
		identity.name = identity_spelling(path, &identity, text);
		seq = RECORD(&visit, unlink, &identity, .symbol = (uint16_t)symbol, .dirfd = dirfd,
			     .name = identity.name);
	}
	observe_leave(&visit);
	return seq;
}

static int unlinked(int result, uint32_t seq, const void *caller)
{
	if (result < 0)
		observe_failed(seq, caller);
	return result;
}

/* Flags that the kernel refuses, whatever the names: it is not the policy's to say why. */
static bool is_no_rename(unsigned flags)
{
	return (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) ||
	       ((flags & RENAME_EXCHANGE) && flags != RENAME_EXCHANGE);
}

static bool is_no_link(int flags)
{
	return flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH);
}

/* What the policy makes of a removal. */
struct removing {
	struct enforce_removing policy; /* at.name: NULL where it is not asked */
	char text[512];
};

/* Is the name not to be removed? errno is set then. */
static bool unremoved(struct removing *r, int dirfd, const char *path, const void *caller)
{
	struct visit visit;
	struct identity identity;
	struct enforce_place *at = &r->policy.at;

	*at = (struct enforce_place){dirfd, path, AT_SYMLINK_NOFOLLOW, NULL};
	r->policy.caller = caller;
	if (!enforce_on || own_caller(caller) || !identity_of_path(dirfd, path, at->flags, &identity))
		return false;
	at->name = enforce_name(dirfd, path, at->flags, r->text);
	bool kept = at->name && enforce_unlink(&r->policy) == VERDICT_deny;
	if (kept && observe_enter(&visit, caller)) {
		wrap_refused_path(&visit, dirfd, path, at->flags, at->name, KIND_file);
		observe_leave(&visit);
	}
	return kept;
}

static int removed(const struct removing *r, int result)
{
	if (r->policy.at.name)
		enforce_unlinked(&r->policy, result < 0);
	return result;
}

EXPORT int unlink(const char *path)
{
	struct removing r;

	uint32_t seq = unlinking(SYMBOL_unlink, AT_FDCWD, path, CALLER);
	int result = unremoved(&r, AT_FDCWD, path, CALLER) ? -1 : removed(&r, REAL(unlink)(path));
	return unlinked(result, seq, CALLER);
}

EXPORT int unlinkat(int dirfd, const char *path, int flags)
{
	struct removing r;

	dirfd = wrap_given(dirfd, CALLER);
	if (flags & AT_REMOVEDIR)
		return REAL(unlinkat)(dirfd, path, flags);
	uint32_t seq = unlinking(SYMBOL_unlinkat, dirfd, path, CALLER);
	/* There is no other flag. */
	if (flags)
		return unlinked(REAL(unlinkat)(dirfd, path, flags), seq, CALLER);
	int result = unremoved(&r, dirfd, path, CALLER) ? -1 : removed(&r, REAL(unlinkat)(dirfd, path, 0));
	return unlinked(result, seq, CALLER);
}

EXPORT int remove(const char *path)
{
	struct removing r;

	uint32_t seq = unlinking(SYMBOL_remove, AT_FDCWD, path, CALLER);
	int result = unremoved(&r, AT_FDCWD, path, CALLER) ? -1 : removed(&r, REAL(remove)(path));
	return unlinked(result, seq, CALLER);
}

/* What the two names of a rename led to before it. */
struct renaming {
	struct enforce_moving moving;
	bool found, replaces;
	bool directory; /* was found: no object of its own, but objects may get other names by it */
	int from_dirfd, to_dirfd;
	struct identity identity, replaced;
	char text[512]; /* of the one that has to be spelled while it is there */
};

static void renaming(struct renaming *r, int from_dirfd, const char *from, int to_dirfd, const char *to,
		     const void *caller)
{
	struct visit visit;

	r->found = r->replaces = r->directory = false;
	r->from_dirfd = from_dirfd;
	r->to_dirfd = to_dirfd;
	if (!observe_enter(&visit, caller))
		return;
	r->found = identity_of_path(from_dirfd, from, AT_SYMLINK_NOFOLLOW, &r->identity);
	r->replaces = identity_of_path(to_dirfd, to, AT_SYMLINK_NOFOLLOW, &r->replaced);
	r->directory = !r->found && identity_of_directory(from_dirfd, from, &r->identity);
	r->identity.kind = r->replaced.kind = KIND_file;
	if (r->found || r->directory)
		r->identity.name = identity_spelling(from, &r->identity, r->text);
	else if (r->replaces)
		r->replaced.name = identity_spelling(to, &r->replaced, r->text);
	if (r->found || r->directory || r->replaces)
		observe_expect(&visit);
	observe_leave(&visit);
}

/* Does the policy keep the names as they are? errno is set then. */
static bool unmoved(struct enforce_moving *m)
{
	return enforce_on && !own_caller(m->caller) && enforce_move(m) == VERDICT_deny;
}

static int moved(const struct enforce_moving *m, int result)
{
	if (m->narrowed[0].done || m->narrowed[1].done || m->replaced.is_object)
		enforce_moved(m, result < 0);
	return result;
}

static struct enforce_moving *rename_of(struct enforce_moving *m, int from_dirfd, const char *from, int to_dirfd,
					const char *to, unsigned flags, const void *caller)
{
	m->how = flags & RENAME_EXCHANGE ? MOVE_exchange : MOVE_rename;
	m->keeps = flags & RENAME_NOREPLACE;
	m->from = (struct enforce_place){from_dirfd, from, AT_SYMLINK_NOFOLLOW, NULL};
	m->to = (struct enforce_place){to_dirfd, to, AT_SYMLINK_NOFOLLOW, NULL};
	m->caller = caller;
	m->narrowed[0].done = m->narrowed[1].done = m->replaced.is_object = false;
	return m;
}

static struct enforce_moving *link_of(struct enforce_moving *m, int from_dirfd, const char *from, int to_dirfd,
				      const char *to, int flags, const void *caller)
{
	rename_of(m, from_dirfd, from, to_dirfd, to, 0, caller);
	m->how = MOVE_link;
	m->from.flags = flags & (AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) ? flags & AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
	return m;
}

static int renamed(struct renaming *r, enum symbol symbol, const char *from, const char *to, unsigned flags, int result,
		   const void *caller)
{
	struct visit visit;
	char text[512];
	bool there = r->found || r->directory;

	/* EFAULT: one of the two names cannot be read. */
	if ((!there && !r->replaces) || (result < 0 && errno == EFAULT) || !observe_enter(&visit, caller))
		return result;
	uint32_t replaced = r->replaces && result == 0 ? observe_object(&visit, &r->replaced) : 0;
	if (there) {
		r->identity.dirfd = r->to_dirfd;
		from = r->identity.name;
		to = identity_spelling(to, &r->identity, text);
	} else {
		r->replaced.dirfd = r->from_dirfd;
		to = r->replaced.name;
		if (flags & RENAME_EXCHANGE)
			from = identity_spelling(from, &r->replaced, text);
	}
	if (r->found && result == 0)
		ledger_rename(&r->identity, to);
	RECORD(&visit, rename, r->found ? &r->identity : NULL, .symbol = (uint16_t)symbol, .from = from, .to = to,
	       .flags = flags, .error = observe_error(&visit, result < 0), .replaced = replaced);
	observe_leave(&visit);
	return result;
}

EXPORT int rename(const char *from, const char *to)
{
	struct renaming r;

	renaming(&r, AT_FDCWD, from, AT_FDCWD, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, AT_FDCWD, from, AT_FDCWD, to, 0, CALLER);
	int result = unmoved(m) ? -1 : moved(m, REAL(rename)(from, to));
	return renamed(&r, SYMBOL_rename, from, to, 0, result, CALLER);
}

EXPORT int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	struct renaming r;

	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	renaming(&r, from_dirfd, from, to_dirfd, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, from_dirfd, from, to_dirfd, to, 0, CALLER);
	int result = unmoved(m) ? -1 : moved(m, REAL(renameat)(from_dirfd, from, to_dirfd, to));
	return renamed(&r, SYMBOL_renameat, from, to, 0, result, CALLER);
}

EXPORT int renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
	struct renaming r;

	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	renaming(&r, from_dirfd, from, to_dirfd, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, from_dirfd, from, to_dirfd, to, flags, CALLER);
	bool refused = !is_no_rename(flags) && unmoved(m);
	int result = refused ? -1 : moved(m, REAL(renameat2)(from_dirfd, from, to_dirfd, to, flags));
	return renamed(&r, SYMBOL_renameat2, from, to, flags, result, CALLER);
}

/* O_TMPFILE made it: it counts as made from now on, under this name. */
static void first_name(const struct identity *identity, const char *name)
{
	ledger_rename(identity, name);
	ledger_mark(identity, MARK_CREATED, MARK_INHERITED);
	ledger_made(identity, true);
	ledger_count_created(1);
}

static int linked(enum symbol symbol, int from_dirfd, const char *from, int to_dirfd, const char *to, int result,
		  const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512], from_text[512];

	if (result < 0 || !observe_enter(&visit, caller))
		return result;
	if (identity_of_path(to_dirfd, to, AT_SYMLINK_NOFOLLOW, &identity)) {
		identity.kind = KIND_file;
		identity.name = to = identity_spelling(to, &identity, text);
		identity.dirfd = from_dirfd;
		from = identity_spelling(from, &identity, from_text);
		RECORD(&visit, link, &identity, .symbol = (uint16_t)symbol, .from = from, .to = to);
		if (identity.links == 1)
			first_name(&identity, to);
	}
	observe_leave(&visit);
	return result;
}

/* Once a process. */
static void linking(int from_dirfd, const char *from, int flags, const void *caller)
{
	struct identity identity;

	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_IDLE && !own_caller(caller) &&
	    identity_of_path(from_dirfd, from, flags, &identity))
		observe_awaken(caller);
}

EXPORT int link(const char *from, const char *to)
{
	struct enforce_moving moving, *m = link_of(&moving, AT_FDCWD, from, AT_FDCWD, to, 0, CALLER);
	linking(AT_FDCWD, from, m->from.flags, CALLER);
	int result = unmoved(m) ? -1 : moved(m, REAL(link)(from, to));
	return linked(SYMBOL_link, AT_FDCWD, from, AT_FDCWD, to, result, CALLER);
}

EXPORT int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags)
{
	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	struct enforce_moving moving, *m = link_of(&moving, from_dirfd, from, to_dirfd, to, flags, CALLER);
	linking(from_dirfd, from, m->from.flags, CALLER);
	bool refused = !is_no_link(flags) && unmoved(m);
	int result = refused ? -1 : moved(m, REAL(linkat)(from_dirfd, from, to_dirfd, to, flags));
	return linked(SYMBOL_linkat, from_dirfd, from, to_dirfd, to, result, CALLER);
}
