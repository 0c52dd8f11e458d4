/* Who uses an object at this moment, and the wiping of what nobody does. */
#include "preload/apart.h"
#include "preload/claim.h"
#include "preload/enforce_inner.h"
#include "preload/enforce_leave.h"
#include "preload/facts.h"
#include "preload/lease.h"
#include "preload/real.h"
#include "preload/wipe.h"

const char enforce_is_mapped[] = "mapped", enforce_perhaps_mapped[] = "perhaps-mapped", enforce_linked[] = "linked";

bool enforce_leads_to(int fd, const struct identity *identity)
{
	struct identity now;

	return identity_of_fd(fd, &now) && now.ino == identity->ino && now.dev == identity->dev;
}

enum facts_use enforce_use_by_unseen(const struct identity *identity, enum facts_use likely)
{
	if (identity->fd < 0 || identity->kind == KIND_memfd)
		return likely;
	switch (lease_ask(identity->fd)) {
	case LEASE_granted:
		return enforce_leads_to(identity->fd, identity) ? FACTS_unused : likely;
	case LEASE_refused:
		return ledger_holds(identity, identity->fd) || !facts_left_by_others(identity) ? likely : FACTS_unknown;
	default:
		return likely;
	}
}

const char *enforce_use(const struct identity *identity, bool own_mappings_go)
{
	enum facts_use own = own_mappings_go               ? FACTS_unused
			     : ledger_mapped_end(identity) ? FACTS_mapped
							   : facts_use_by_itself(identity);
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

static long wipe(void *context)
{
	struct wiping *w = context;
	struct claim claim;

	if (!claim_take(&claim, w->identity))
		return -1;
	w->why = enforce_use(w->identity, w->own_mappings_go);
	bool (*unused)(const struct identity *identity) = w->own_mappings_go ? is_unused_by_others : is_unused;
	int error = w->why ? 0 : wipe_object(w->fd, w->identity, w->goes_on, unused);
	claim_give(&claim);
	if (error)
		w->why = error == EBUSY ? enforce_is_mapped : LIBC(strerrorname_np)(error);
	return 0;
}

const char *enforce_wipe(int fd, const struct identity *identity, bool goes_on, bool own_mappings_go)
{
	struct wiping w = {fd, identity, goes_on, own_mappings_go, NULL};

	return apart_hidden(APART_ALL, wipe, &w) < 0 ? enforce_perhaps_mapped : w.why;
}
