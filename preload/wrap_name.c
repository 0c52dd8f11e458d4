/* unlink, rename and link of paths that lead onto /dev/shm. */
#include <string.h>

#include "preload/enforce_open.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/own.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/wrap.h"

/* Nothing was there: is it worth a look at the directory? Most that fail so are elsewhere, and say so. */
static bool was_in_vain(int result, const char *path)
{
	return result < 0 && errno == ENOENT && (*path != '/' || identity_says_shm(path));
}

/* A removal, and what the look before it found. */
struct removing {
	enum symbol symbol;
	struct released released;
	bool nothing;                   /* was there */
	struct enforce_removing policy; /* what it makes of it; at.name: NULL where it is not asked */
	char text[512];
};

static void unlinking(struct removing *r, enum symbol symbol, int dirfd, const char *path, const void *caller)
{
	struct unlink_event call = {.symbol = (uint16_t)symbol, .dirfd = dirfd};
	struct visit visit;

	r->symbol = symbol;
	r->policy.at = (struct enforce_place){dirfd, path, AT_SYMLINK_NOFOLLOW, NULL};
	r->policy.caller = caller;
	r->released = (struct released){0, 0};
	r->nothing = false;
	if (!observe_enter(&visit, caller))
		return;
	r->nothing = observe_unlink(&visit, call, path, KIND_file, &r->released) == LOOK_nothing;
	observe_leave(&visit);
}

/* Nothing was there, or it was made between the look and the call: which object that was nobody can say. */
static void unlinked_unseen(const struct removing *r, bool failed)
{
	struct visit visit;
	const struct enforce_place *at = &r->policy.at;
	char text[512];

	if (!observe_enter(&visit, r->policy.caller))
		return;
	const char *name = identity_spelling_gone(at->dirfd, at->path, text);
	if (name)
		RECORD(&visit, unlink, NULL, .symbol = (uint16_t)r->symbol, .dirfd = at->dirfd, .name = name,
		       .error = observe_error(&visit, failed));
	observe_leave(&visit);
}

static int unlinked(const struct removing *r, int result)
{
	if (result < 0)
		observe_failed(r->released.seq, r->policy.caller);
	else if (!r->nothing && r->policy.at.name)
		observe_judged(&r->released, r->policy.caller);
	if (r->nothing && (result == 0 || was_in_vain(result, r->policy.at.path)))
		unlinked_unseen(r, result < 0);
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

/* Where nothing is there the directory would have to be looked at: only wipes are worth that for a path of any spelling. */
static bool concerns_policy(const struct enforce_place *at)
{
	struct identity identity;

	switch (identity_look(at->dirfd, at->path, at->flags, &identity)) {
	case LOOK_object:
		return true;
	case LOOK_nothing:
		return enforce_wipes || identity_says_shm(at->path);
	default:
		return false;
	}
}

/* Is the name not to be removed? errno is set then. */
static bool unremoved(struct removing *r)
{
	struct visit visit;
	struct enforce_place *at = &r->policy.at;

	if (!enforce_on || own_caller(r->policy.caller) || !concerns_policy(at))
		return false;
	at->name = enforce_name(at->dirfd, at->path, at->flags, r->text);
	bool kept = at->name && enforce_unlink(&r->policy) == VERDICT_deny;
	if (kept && observe_enter(&visit, r->policy.caller)) {
		wrap_refused_path(&visit, at->dirfd, at->path, at->flags, at->name, KIND_file);
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

	unlinking(&r, SYMBOL_unlink, AT_FDCWD, path, CALLER);
	return unlinked(&r, unremoved(&r) ? -1 : removed(&r, REAL(unlink)(path)));
}

EXPORT int unlinkat(int dirfd, const char *path, int flags)
{
	struct removing r;

	dirfd = wrap_given(dirfd, CALLER);
	if (flags & AT_REMOVEDIR)
		return REAL(unlinkat)(dirfd, path, flags);
	unlinking(&r, SYMBOL_unlinkat, dirfd, path, CALLER);
	/* There is no other flag. */
	if (flags)
		return unlinked(&r, REAL(unlinkat)(dirfd, path, flags));
	return unlinked(&r, unremoved(&r) ? -1 : removed(&r, REAL(unlinkat)(dirfd, path, flags)));
}

EXPORT int remove(const char *path)
{
	struct removing r;

	unlinking(&r, SYMBOL_remove, AT_FDCWD, path, CALLER);
	return unlinked(&r, unremoved(&r) ? -1 : removed(&r, REAL(remove)(path)));
}

/* What the two names of a rename led to before it. */
struct renaming {
	struct enforce_moving moving;
	bool found, replaces;
	bool nothing, no_other; /* was at `from`, at `to` */
	bool unseen;            /* was what had the name `from`, made since and gone by now; or nothing had it */
	bool another;           /* `replaced` is what is at `to` after the call: others change the names as well */
	bool directory;         /* was found: no object of its own, but objects may get other names by it */
	int from_dirfd, to_dirfd;
	struct identity identity, replaced;
	char text[512]; /* of the one that has to be spelled while it is there */
};

static void look_at_both(struct renaming *r, const char *from, const char *to)
{
	enum identity_look look = identity_look(r->from_dirfd, from, AT_SYMLINK_NOFOLLOW, &r->identity),
			   other = identity_look(r->to_dirfd, to, AT_SYMLINK_NOFOLLOW, &r->replaced);

	r->found = look == LOOK_object;
	r->replaces = other == LOOK_object;
	r->nothing = look == LOOK_nothing;
	r->no_other = other == LOOK_nothing;
	r->directory = look == LOOK_other && identity_of_directory(r->from_dirfd, from, &r->identity);
	r->identity.kind = r->replaced.kind = KIND_file;
	if (r->found || r->directory)
		r->identity.name = identity_spelling(from, &r->identity, r->text);
	else if (r->replaces)
		r->replaced.name = identity_spelling(to, &r->replaced, r->text);
}

static void renaming(struct renaming *r, int from_dirfd, const char *from, int to_dirfd, const char *to,
		     const void *caller)
{
	struct visit visit;

	r->found = r->replaces = r->nothing = r->no_other = r->unseen = r->another = r->directory = false;
	r->from_dirfd = from_dirfd;
	r->to_dirfd = to_dirfd;
	if (!observe_enter(&visit, caller))
		return;
	look_at_both(r, from, to);
	if ((r->found || r->directory || r->replaces) && observe_expect(&visit))
		look_at_both(r, from, to);
	observe_leave(&visit);
}

/* Does the policy keep the names as they are? errno is set then. malformed: the call fails, and not it is to say why. */
static bool unmoved(struct enforce_moving *m, bool malformed)
{
	return enforce_on && !own_caller(m->caller) && !malformed && enforce_move(m) == VERDICT_deny;
}

static int moved(const struct enforce_moving *m, int result)
{
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

/*
 * What was made between the look and the call is looked for where it is by now. Of what was replaced so, nobody can say
 * anything. failed: nothing was made.
 */
static void look_again(struct renaming *r, const char *from, const char *to, unsigned flags, bool failed)
{
	const char *name = r->nothing ? identity_spelling_gone(r->from_dirfd, from, r->text) : NULL;

	if (name) {
		enum identity_look look =
			failed ? LOOK_nothing : identity_look(r->to_dirfd, to, AT_SYMLINK_NOFOLLOW, &r->identity);
		r->found = look == LOOK_object;
		r->unseen = look == LOOK_nothing;
		if (r->unseen)
			r->identity = (struct identity){.fd = -1};
		r->identity.kind = KIND_file;
		r->identity.name = name;
	}
	if (!failed && r->no_other && (flags & RENAME_EXCHANGE)) {
		r->replaces = identity_of_path(r->from_dirfd, from, AT_SYMLINK_NOFOLLOW, &r->replaced);
		r->replaced.kind = KIND_file;
		if (r->replaces && !r->found && !r->unseen && !r->directory)
			r->replaced.name = identity_spelling(to, &r->replaced, r->text);
	}
}

/*
 * Is it what was looked at before the call that has the new name? If not, somebody was faster, before the call or after it:
 * which of both the trace tells, where it has those who did it.
 */
static void look_after(struct renaming *r, const char *to)
{
	struct identity after;

	if (identity_look(r->to_dirfd, to, AT_SYMLINK_NOFOLLOW, &after) != LOOK_object ||
	    (after.dev == r->identity.dev && after.ino == r->identity.ino))
		return;
	r->replaced = after;
	r->replaced.kind = KIND_file;
	r->replaces = r->another = true;
}

static bool are_readable(const char *from, const char *to)
{
	uintptr_t page = KERNEL_NO_PAGE;
	return kernel_text_readable(from, &page) && kernel_text_readable(to, &page);
}

static int renamed(struct renaming *r, enum symbol symbol, const char *from, const char *to, unsigned flags, int result,
		   const void *caller)
{
	struct visit visit;
	char text[512];

	bool vain = r->nothing && was_in_vain(result, from);
	if (vain || (result == 0 && (r->nothing || (r->no_other && (flags & RENAME_EXCHANGE))))) {
		if (!observe_enter(&visit, caller))
			return result;
		look_again(r, from, to, flags, vain);
		observe_leave(&visit);
	}
	bool there = r->found || r->unseen || r->directory;
	/* It may have failed before the kernel read both names: by its flags, or by a filter of system calls. */
	if ((!there && !r->replaces) || (result < 0 && !are_readable(from, to)) || !observe_enter(&visit, caller))
		return result;
	if (r->found && !r->nothing && result == 0 && !(flags & RENAME_EXCHANGE))
		look_after(r, to);
	uint32_t replaced = r->replaces && (result == 0 || enforce_denied()) ? observe_object(&visit, &r->replaced) : 0;
	if (replaced && r->moving.to.name)
		enforce_concerns_replaced(r->moving.to.name, replaced);
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
	if (r->found && result == 0 && !r->another)
		ledger_rename(&r->identity, to);
	RECORD(&visit, rename, r->found ? &r->identity : NULL, .symbol = (uint16_t)symbol, .from = from, .to = to,
	       .flags = flags | (r->another ? RENAME_ANOTHER : 0), .error = observe_error(&visit, result < 0),
	       .replaced = result == 0 ? replaced : 0);
	observe_leave(&visit);
	return result;
}

EXPORT int rename(const char *from, const char *to)
{
	struct renaming r;

	renaming(&r, AT_FDCWD, from, AT_FDCWD, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, AT_FDCWD, from, AT_FDCWD, to, 0, CALLER);
	int result = unmoved(m, false) ? -1 : moved(m, REAL(rename)(from, to));
	return renamed(&r, SYMBOL_rename, from, to, 0, result, CALLER);
}

EXPORT int renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	struct renaming r;

	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	renaming(&r, from_dirfd, from, to_dirfd, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, from_dirfd, from, to_dirfd, to, 0, CALLER);
	int result = unmoved(m, false) ? -1 : moved(m, REAL(renameat)(from_dirfd, from, to_dirfd, to));
	return renamed(&r, SYMBOL_renameat, from, to, 0, result, CALLER);
}

EXPORT int renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
	struct renaming r;

	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	renaming(&r, from_dirfd, from, to_dirfd, to, CALLER);
	struct enforce_moving *m = rename_of(&r.moving, from_dirfd, from, to_dirfd, to, flags, CALLER);
	bool denied = unmoved(m, is_no_rename(flags));
	int result = denied ? -1 : moved(m, REAL(renameat2)(from_dirfd, from, to_dirfd, to, flags));
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

/* Only what says by its text that it is an object's name: to look at what is there is not worth a call that did nothing. */
static void link_failed(enum symbol symbol, const char *from, const char *to, const void *caller)
{
	struct visit visit;

	if (!observe_enter(&visit, caller))
		return;
	if (are_readable(from, to) && (identity_says_shm(from) || identity_says_shm(to)))
		RECORD(&visit, link, NULL, .symbol = (uint16_t)symbol, .from = from, .to = to,
		       .error = observe_error(&visit, true));
	observe_leave(&visit);
}

static int linked(enum symbol symbol, int from_dirfd, const char *from, int to_dirfd, const char *to, int result,
		  const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512], from_text[512];

	if (result < 0)
		link_failed(symbol, from, to, caller);
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
	int result = unmoved(m, false) ? -1 : moved(m, REAL(link)(from, to));
	return linked(SYMBOL_link, AT_FDCWD, from, AT_FDCWD, to, result, CALLER);
}

EXPORT int linkat(int from_dirfd, const char *from, int to_dirfd, const char *to, int flags)
{
	from_dirfd = wrap_given(from_dirfd, CALLER);
	to_dirfd = wrap_given(to_dirfd, CALLER);
	struct enforce_moving moving, *m = link_of(&moving, from_dirfd, from, to_dirfd, to, flags, CALLER);
	linking(from_dirfd, from, m->from.flags, CALLER);
	bool denied = unmoved(m, is_no_link(flags));
	int result = denied ? -1 : moved(m, REAL(linkat)(from_dirfd, from, to_dirfd, to, flags));
	return linked(SYMBOL_linkat, from_dirfd, from, to_dirfd, to, result, CALLER);
}
