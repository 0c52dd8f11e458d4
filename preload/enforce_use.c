/* Who uses an object at this moment, and the wiping of what nobody does. */
#include "preload/apart.h"
#include "preload/claim.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/facts.h"
#include "preload/held.h"
#include "preload/kernel.h"
#include "preload/lease.h"
#include "preload/own_threads.h"
#include "preload/real.h"
#include "preload/unshare.h"
#include "preload/wipe.h"

const char enforce_is_mapped[] = "mapped", enforce_perhaps_mapped[] = "perhaps-mapped", enforce_linked[] = "linked";

/* A thread of this process goes on writing, or can. */
static const char written[] = "written";

/* How often it is wiped, and how often it is looked at then, a millisecond apart. */
enum { WIPES = 4, LOOKS = 3 };

/* How often the kernel is asked for a lease that nobody is seen to be in the way of. */
enum { ASKS = 2 };

bool enforce_leads_to(int fd, const struct identity *identity)
{
	struct identity now;

	return identity_of_fd(fd, &now) && now.ino == identity->ino && now.dev == identity->dev;
}

enum facts_use enforce_use_by_unseen(const struct identity *identity, enum facts_use likely)
{
	if (identity->fd < 0 || identity->kind == KIND_memfd)
		return likely;
	/* Who had it open only for a moment, and was not seen any more, does not refuse it again. */
	for (int i = 0; i < ASKS; i++) {
		enum lease answer = lease_ask(identity->fd);
		if (answer == LEASE_granted)
			return enforce_leads_to(identity->fd, identity) ? FACTS_unused : likely;
		if (answer != LEASE_refused || ledger_holds(identity, identity->fd) || !facts_left_by_others(identity))
			return likely;
	}
	return FACTS_unknown;
}

static enum facts_use own_use(const struct identity *identity)
{
	return ledger_mapped_end(identity) ? FACTS_mapped : facts_use_by_itself(identity);
}

enum facts_use enforce_losers_unseen(const struct identity *identity, enum facts_use likely)
{
	if (identity->fd < 0)
		return likely;
	if (identity->kind == KIND_memfd)
		return FACTS_unseen;
	switch (lease_ask(identity->fd)) {
	case LEASE_granted:
		return enforce_leads_to(identity->fd, identity) ? FACTS_unused : likely;
	case LEASE_refused:
		return ledger_holds(identity, identity->fd) || own_use(identity) == FACTS_mapped ||
				       facts_use_by_holders(identity) == FACTS_mapped
			       ? FACTS_unseen
			       : FACTS_unknown;
	default:
		return likely;
	}
}

enum facts_use enforce_losers(const struct identity *identity)
{
	enum facts_use own = own_use(identity), others = own == FACTS_mapped ? own : facts_use_by_others(identity);

	/* Who does not know its own mappings sees nobody's. */
	return others == FACTS_mapped || others == FACTS_unused ? others : enforce_losers_unseen(identity, others);
}

enum facts_use enforce_holders(const struct identity *identity)
{
	enum facts_use others = facts_use_by_holders(identity);

	return others == FACTS_unknown ? enforce_use_by_unseen(identity, others) : others;
}

const char *enforce_use(const struct identity *identity, bool own_mappings_go)
{
	enum facts_use own = own_mappings_go ? FACTS_unused : own_use(identity);
	enum facts_use others = own == FACTS_mapped ? own : facts_use_by_others(identity);

	if (others == FACTS_mapped)
		return enforce_is_mapped;
	if (others == FACTS_unseen || others == FACTS_unknown)
		others = enforce_use_by_unseen(identity, others);
	return own == FACTS_unknown || others == FACTS_unknown ? enforce_perhaps_mapped : NULL;
}

static bool is_unused(const struct identity *identity)
{
	return !enforce_use(identity, false);
}

static bool is_unused_by_others(const struct identity *identity)
{
	return !enforce_use(identity, true);
}

struct wiping {
	int fd;
	const struct identity *identity;
	bool goes_on, own_mappings_go;
	const char *why; /* it was not wiped */
};

/* Again and again, as threads may write meanwhile: 0, EOPNOTSUPP if it has data yet, or another errno. */
static int wipe_often(const struct wiping *w)
{
	bool (*unused)(const struct identity *identity) = w->own_mappings_go ? is_unused_by_others : is_unused;
	int error = EOPNOTSUPP;

	for (int i = 0; i < WIPES && error == EOPNOTSUPP; i++)
		error = wipe_object(w->fd, w->identity, w->goes_on, unused);
	return error;
}

static bool stays_empty(const struct wiping *w)
{
	for (int i = 0; i < LOOKS; i++) {
		kernel_rest(1000000);
		if (wipe_has_data(w->fd, w->identity))
			return false;
	}
	return true;
}

/*
 * The process ends, and what its threads store until then is to be nobody's: a mapping is taken from them once it is known
 * that the object may be wiped. Those that write to it otherwise are given a moment to show.
 */
static int wipe_at_end(const struct wiping *w)
{
	int error = wipe_object(w->fd, w->identity, false, is_unused_by_others);

	if (error && error != EOPNOTSUPP)
		return error;
	bool unshared = unshare_mappings(w->identity);
	error = wipe_has_data(w->fd, w->identity) ? wipe_often(w) : 0;
	if (error || own_threads_only())
		return error;
	if (!unshared || held_descriptor(w->identity, O_WRONLY) < 0)
		return unshared ? 0 : EOPNOTSUPP;
	for (int i = 0; i < WIPES && !error; i++) {
		if (stays_empty(w))
			return 0;
		error = wipe_often(w);
	}
	return error ? error : EOPNOTSUPP;
}

static long wipe(void *context)
{
	struct wiping *w = context;
	struct claim claim;

	if (!claim_take(&claim, w->identity))
		return -1;
	w->why = enforce_use(w->identity, w->own_mappings_go);
	int error = w->why ? 0 : w->own_mappings_go ? wipe_at_end(w) : wipe_often(w);
	if (!w->why && w->own_mappings_go && !own_threads_only())
		claim_hold(&claim, w->identity);
	else
		claim_give(&claim);
	if (error)
		w->why = error == EBUSY                               ? enforce_is_mapped
			 : error == EOPNOTSUPP && !own_threads_only() ? written
								      : LIBC(strerrorname_np)(error);
	return 0;
}

const char *enforce_wipe(int fd, const struct identity *identity, bool goes_on, bool own_mappings_go)
{
	struct wiping w = {fd, identity, goes_on, own_mappings_go, NULL};

	return apart_hidden(APART_ALL, wipe, &w) < 0 ? enforce_perhaps_mapped : w.why;
}
