/* The policy at the names of objects: which may be used, removed, and put into place by rename and link. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "preload/enforce_directory.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/enforce_vain.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/names.h"
#include "preload/own.h"
#include "preload/signals.h"
#include "preload/text.h"

/* What a mode can break, and the access list whose mask its group bits are. */
static const enum rule_id of_modes[] = {RULE_world_writable, RULE_world_readable, RULE_mode_too_open, RULE_acl_grants};

static bool holds(const struct policy_uids *uids, uint32_t uid)
{
	for (unsigned i = 0; uids && i < uids->count; i++)
		if (uids->item[i] == uid)
			return true;
	return false;
}

bool enforce_owner_allowed(const struct policy_decision *d, uint32_t uid)
{
	bool usual = !d->owner && (uid == 0 || facts_own(uid));

	return usual || holds(d->owner, uid) || holds(d->allow_uid, uid);
}

bool enforce_strange(const struct policy_decision *d, const struct identity *identity)
{
	return !enforce_owner_allowed(d, identity->uid) && (d->owner || !(ledger_marks(identity) & MARK_CREATED));
}

bool enforce_of_another(const struct policy_decision *d, const struct identity *identity)
{
	return !enforce_owner_allowed(d, identity->uid) && !facts_own(identity->uid) &&
	       !(ledger_marks(identity) & MARK_CREATED);
}

bool enforce_foreign(const struct identity *identity, bool stranger)
{
	struct policy_decision d;

	if (!enforce_on)
		return stranger;
	enforce_decide_object(identity, &d);
	return (d.owner || stranger) && enforce_strange(&d, identity);
}

bool enforce_judges_removal(const struct identity *identity)
{
	struct policy_decision d;

	if (!enforce_on)
		return false;
	enforce_decide_object(identity, &d);
	return enforce_asks(&d, RULE_unlink_by_stranger) && enforce_of_another(&d, identity);
}

static bool is_listed(const struct policy_decision *d, const char *name)
{
	return policy_allows_name(d, enforce_posix_name(name));
}

enum enforce_verdict enforce_name_allowed(const struct policy_decision *d, const char *name, bool shm)
{
	if (!is_listed(d, name) && ENFORCE(d, name_not_allowed) == VERDICT_deny)
		return VERDICT_deny;
	name = enforce_posix_name(name);
	const char *rest = name + (name[0] == '/');
	if (shm && enforce_asks(d, RULE_name_nonportable) &&
	    (name[0] != '/' || strchr(rest, '/') || strlen(rest) > NAME_MAX || !rest[strspn(rest, ".")]))
		return ENFORCE(d, name_nonportable);
	return VERDICT_go;
}

enum enforce_verdict enforce_opening_allowed(const struct policy_decision *d, const struct enforce_opening *o)
{
	struct stat st;

	/* Made by O_TMPFILE, or unlinked since: a link of /proc leads to it all the same. */
	if (!o->shm && !is_listed(d, o->name) && kernel_stat_at(o->dirfd, o->path, 0, &st) == 0 && !st.st_nlink)
		return VERDICT_go;
	return enforce_name_allowed(d, o->name, o->shm);
}

enum enforce_verdict enforce_path_allowed(const struct policy_decision *d, const struct identity *identity,
					  const char *name)
{
	char text[512];

	if (identity->fd >= 0 || !identity->links || !d->has_names)
		return VERDICT_go;
	/* Without sections for certain names nobody asked which one it is. */
	const char *now = enforce_object_name(identity, text);
	return now || name ? enforce_name_allowed(d, now ? now : name, false) : VERDICT_go;
}

/* What this process still uses, or is to come back to, is known by a name that it keeps. */
static void keep_a_name(const struct policy_decision *d, const struct identity *identity, const char *gone)
{
	const uint32_t lasting = MARK_CREATED | MARK_SECRET | MARK_WIPED_LAST;
	char name[512];

	if (identity->links <= 1 || !ledger_name(identity, name) ||
	    strcmp(enforce_posix_name(name), enforce_posix_name(gone)) != 0)
		return;
	if ((d->secret || d->zero || ledger_holds(identity, -1) || (ledger_marks(identity) & lasting)) &&
	    names_find(identity, gone, name))
		ledger_rename(identity, name);
}

/* Of objects that others made, and of names beside which there are more, none is counted. */
static bool is_last_of_own(const struct identity *identity)
{
	return identity->links <= 1 && enforce_is_own(identity);
}

static void losing(const struct policy_decision *d, const struct identity *identity, const char *name)
{
	if (is_last_of_own(identity))
		ledger_count_created(-1);
	keep_a_name(d, identity, name);
}

/* May what lies at the place have that name? */
static enum enforce_verdict named(const struct policy_decision *d, const struct enforce_place *at, const char *name)
{
	if (is_listed(d, name) || enforce_directory_allowed(d->names, at, name))
		return VERDICT_go;
	return enforce_name_allowed(d, name, false);
}

/* Is it to be known what loses that name: whose it is, or what is in it? */
static bool must_be_known(const struct policy_decision *d)
{
	return !enforce_audits() &&
	       (d->secret || (d->zero & ZERO_on_unlink) || enforce_asks(d, RULE_unlink_by_stranger));
}

static void hold_lost(const struct policy_decision *d, const struct enforce_place *at, struct enforce_lost *lost)
{
	lost->mask = signals_block();
	lost->fd = own_fd_hide(enforce_leaving_name(d, at->dirfd, at->path, &lost->identity));
	if (lost->fd < 0)
		signals_restore(lost->mask);
}

/*
 * lost: what loses the name by the call, which may fail yet; NULL: it only gets another. needed: without it the call fails,
 * as that of a moment ago would have: it is not made then, as by now something may be there at which nobody has looked.
 */
static enum enforce_verdict unlinking(const struct enforce_place *at, struct enforce_lost *lost, bool needed)
{
	struct policy_decision d;
	struct identity identity;

	enforce_decide(at->name, &d);
	if (named(&d, at, at->name) == VERDICT_deny)
		return VERDICT_deny;
	enum identity_look look = identity_look(at->dirfd, at->path, at->flags, &identity);
	if (look == LOOK_nothing && needed && must_be_known(&d)) {
		errno = ENOENT;
		return VERDICT_deny;
	}
	if (look != LOOK_object)
		return VERDICT_go;
	enforce_decide_linked(at->name, &identity, &d);
	if (enforce_asks(&d, RULE_unlink_by_stranger) && enforce_of_another(&d, &identity) &&
	    ENFORCE(&d, unlink_by_stranger, .other = (int32_t)identity.uid) == VERDICT_deny)
		return VERDICT_deny;
	if (!lost) {
		enforce_keep_secret(&d, &identity);
		return VERDICT_go;
	}
	*lost = (struct enforce_lost){true, -ENOENT, 0, identity};
	if ((d.zero & ZERO_on_unlink) || d.secret)
		hold_lost(&d, at, lost);
	return VERDICT_go;
}

/* What the policy is to do with what has lost the name is what it was to do before. */
static void was_lost(const struct enforce_lost *lost, const char *name, const void *caller)
{
	struct policy_decision d;

	enforce_resume();
	enforce_decide_linked(name, &lost->identity, &d);
	losing(&d, &lost->identity, name);
	enforce_leave_name(&d, lost->fd, &lost->identity);
	enforce_end(caller);
}

static void end_losing(const struct enforce_lost *lost, const char *name, bool failed, const void *caller)
{
	if (!lost->is_object)
		return;
	own_fd_forget(lost->fd);
	if (!failed)
		was_lost(lost, name, caller);
	else if (lost->fd >= 0)
		kernel_close(lost->fd);
	if (lost->fd >= 0)
		signals_restore(lost->mask);
}

enum enforce_verdict enforce_unlink(struct enforce_removing *r)
{
	r->lost.is_object = false;
	enforce_begin();
	enum enforce_verdict verdict = unlinking(&r->at, &r->lost, true);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_removed_in_vain(&r->at));
	enforce_end(r->caller);
	return verdict;
}

/* What is to be wiped was held by a descriptor while the call was made. */
void enforce_unlinked(const struct enforce_removing *r, bool failed)
{
	int kept = errno;

	end_losing(&r->lost, r->at.name, failed, r->caller);
	errno = kept;
}

static bool set_mode(const struct enforce_place *from, mode_t mode)
{
	char path[TEXT_DESCRIPTOR];

	if (*from->path)
		return kernel_call(SYS_fchmodat, from->dirfd, (long)from->path, mode, 0, 0, 0) == 0;
	/* AT_EMPTY_PATH; a descriptor of O_PATH can be asked for its mode, and not be given one. */
	return kernel_call(SYS_fchmod, from->dirfd, mode, 0, 0, 0, 0) == 0 ||
	       kernel_call(SYS_fchmodat, AT_FDCWD, (long)text_descriptor(path, from->dirfd), mode, 0, 0, 0) == 0;
}

static bool exists(const struct enforce_place *place)
{
	struct stat st;
	return enforce_look_at(place, &st) == 0;
}

/* A name more of what has that one changes nothing. */
static bool has_name(const struct identity *identity, const struct enforce_place *to)
{
	struct identity there;

	return identity_of_path(to->dirfd, to->path, to->flags, &there) && there.ino == identity->ino &&
	       there.dev == identity->dev;
}

/* Is it an object of none of those whose objects may have such names? */
static bool is_misplaced(const struct policy_decision *d, const struct identity *identity,
			 const struct enforce_place *to)
{
	return d->owner && enforce_asks(d, RULE_foreign_owner) && enforce_strange(d, identity) &&
	       !has_name(identity, to);
}

/*
 * Whom do its mode and its access list let in by the name? The list is dropped only once the call has succeeded: until then
 * its mask grants nobody anything, which can be given back.
 */
static enum enforce_verdict opening_to(const struct policy_decision *d, const struct enforce_place *from,
				       const struct enforce_place *to, const struct identity *identity,
				       struct enforce_narrowed *narrowed)
{
	struct acl acl = {0};
	mode_t mode = identity->mode;
	bool grants = enforce_asks(d, RULE_acl_grants) && (mode & 070) && !has_name(identity, to) &&
		      enforce_grants_at(from, &acl);

	if (grants && d->action[RULE_acl_grants] == ACTION_deny &&
	    ENFORCE(d, acl_grants, .length = mode) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_wants_modes(d, mode) &&
	    enforce_clamp(d, (struct enforce_whereabouts){.path = to->name}, &mode, 0) == VERDICT_deny)
		return VERDICT_deny;
	mode_t after = mode;
	bool drops = grants && d->action[RULE_acl_grants] == ACTION_fix &&
		     ENFORCE(d, acl_grants, .length = mode) == VERDICT_fix;
	if (drops) {
		after &= acl_mode_of_owners(&acl);
		mode &= ~(mode_t)070;
	}
	*narrowed =
		(struct enforce_narrowed){mode != identity->mode, drops, identity->mode & 07777, mode & 07777, after};
	return VERDICT_go;
}

/* The object at `from` gets the name `to`; it must be narrow enough before it has. */
static enum enforce_verdict naming(const struct enforce_place *from, const struct enforce_place *to,
				   struct enforce_narrowed *narrowed)
{
	struct policy_decision d;
	struct identity identity;

	enforce_decide(to->name, &d);
	if (named(&d, from, to->name) == VERDICT_deny)
		return VERDICT_deny;
	enum identity_look look = identity_look(from->dirfd, from->path, from->flags, &identity);
	if (look != LOOK_object)
		return enforce_is_missed(&d, look) ? VERDICT_deny : VERDICT_go;
	if (is_misplaced(&d, &identity, to) &&
	    ENFORCE(&d, foreign_owner, .other = (int32_t)identity.uid) == VERDICT_deny)
		return VERDICT_deny;
	/* What was made without a name gets its first. */
	if (!identity.links && enforce_one_more(&d) == VERDICT_deny)
		return VERDICT_deny;
	/* In the place of another there are no more than before. */
	if (identity.links && !exists(to) && enforce_one_named(&d, &identity, from->name) == VERDICT_deny)
		return VERDICT_deny;
	return opening_to(&d, from, to, &identity, narrowed);
}

/* rename(2) of an object onto a name of its own does nothing. */
static bool are_one(const struct enforce_place *from, const struct enforce_place *to)
{
	struct identity one;

	return identity_of_path(from->dirfd, from->path, from->flags, &one) && has_name(&one, to);
}

/* A second name leads to what the first may not be used for. What is called so is a secret by its new name, too. */
static enum enforce_verdict linking(const struct enforce_place *from)
{
	struct policy_decision d;
	struct identity identity;

	enforce_decide(from->name, &d);
	enum identity_look look = identity_look(from->dirfd, from->path, from->flags, &identity);
	if (look != LOOK_object)
		return enforce_is_missed(&d, look) ? VERDICT_deny : VERDICT_go;
	if (identity.links && enforce_name_allowed(&d, from->name, false) == VERDICT_deny)
		return VERDICT_deny;
	if (enforce_wipes)
		enforce_keep_secret(&d, &identity);
	return VERDICT_go;
}

static enum enforce_verdict moving(struct enforce_moving *m)
{
	const struct enforce_place *from = &m->from, *to = &m->to;

	if (m->how == MOVE_link && from->name && linking(from) == VERDICT_deny)
		return VERDICT_deny;
	if (m->how != MOVE_link && from->name && unlinking(from, NULL, true) == VERDICT_deny)
		return VERDICT_deny;
	if (!to->name)
		return VERDICT_go;
	if (naming(from, to, &m->narrowed[0]) == VERDICT_deny)
		return VERDICT_deny;
	if (m->how == MOVE_exchange && from->name && naming(to, from, &m->narrowed[1]) == VERDICT_deny)
		return VERDICT_deny;
	if (m->how == MOVE_link || !exists(to) || are_one(from, to))
		return VERDICT_go;
	return unlinking(to, m->how == MOVE_exchange ? NULL : &m->replaced, false);
}

/* Once nothing denies the call any more. */
static enum enforce_verdict narrowing(struct enforce_moving *m)
{
	const struct enforce_place *place[] = {&m->from, &m->to};
	enum enforce_verdict verdict = VERDICT_go;

	for (int i = 0; i < 2; i++) {
		struct enforce_narrowed *n = &m->narrowed[i];
		if (!n->done)
			continue;
		n->done = set_mode(place[i], n->now);
		for (size_t rule = 0; !n->done && rule < sizeof of_modes / sizeof *of_modes; rule++)
			enforce_not_fixed(of_modes[rule]);
		if (n->done)
			verdict = VERDICT_fix;
	}
	return verdict;
}

static void undone(void)
{
	for (size_t i = 0; i < sizeof of_modes / sizeof *of_modes; i++)
		enforce_undone(of_modes[i]);
}

enum enforce_verdict enforce_move(struct enforce_moving *m)
{
	m->from.name = enforce_name(m->from.dirfd, m->from.path, m->from.flags, m->from_text);
	m->to.name = enforce_name(m->to.dirfd, m->to.path, m->to.flags, m->to_text);
	if (!m->from.name && !m->to.name)
		return VERDICT_go;
	enforce_begin();
	enum enforce_verdict verdict = moving(m);
	if (enforce_matters(verdict))
		enforce_refused_nothing(verdict, enforce_in_vain(m));
	if (verdict != VERDICT_deny)
		verdict = narrowing(m);
	else
		undone();
	if (verdict != VERDICT_fix)
		enforce_end(m->caller);
	return verdict;
}

/* Unless somebody else has given it another mode meanwhile. */
static void give_back(const struct enforce_place *place, const struct enforce_narrowed *n)
{
	struct identity identity;

	if (identity_of_path(place->dirfd, place->path, place->flags, &identity) && (identity.mode & 07777) == n->now)
		set_mode(place, n->before);
}

static void end_narrowing(const struct enforce_moving *m, bool failed)
{
	const struct enforce_place *before[] = {&m->from, &m->to}, *after[] = {&m->to, &m->from};

	for (int i = 0; i < 2; i++) {
		const struct enforce_narrowed *n = &m->narrowed[i];
		if (n->done && failed)
			give_back(before[i], n);
		else if (n->done && n->listed && !enforce_drop_list_at(after[i], n->now, n->after))
			enforce_not_fixed(RULE_acl_grants);
	}
	if (failed)
		undone();
	enforce_end(m->caller);
}

void enforce_moved(const struct enforce_moving *m, bool failed)
{
	int kept = errno;

	if (m->narrowed[0].done || m->narrowed[1].done)
		end_narrowing(m, failed);
	end_losing(&m->replaced, m->to.name, failed, m->caller);
	errno = kept;
}
