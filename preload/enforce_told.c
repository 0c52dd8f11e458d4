/* What was decided of a call, from its decision on until its event is recorded. */
#include <string.h>

#include "preload/enforce_inner.h"
#include "preload/enforce_level.h"

static __thread struct enforce_told *settled; /* of the event that is settled, which was queued; NULL: none is */

/* Once nothing more is decided of a call, but its event not recorded: a handler's has interrupted `depth` decisions. */
struct decisions {
	unsigned count;
	struct enforce_decided *decided;
};

static struct decisions decisions(void)
{
	struct enforce_level *k = enforce_level();

	if (settled)
		return (struct decisions){settled->count, settled->decided};
	return (struct decisions){k->count, k->count ? k->at->decided : NULL};
}

bool enforce_denied(void)
{
	struct decisions all = decisions();

	for (unsigned i = 0; i < all.count; i++)
		if (all.decided[i].response == RESPONSE_denied)
			return true;
	return false;
}

uint32_t enforce_clamped(void)
{
	struct decisions all = decisions();
	uint32_t bits = 0;

	for (unsigned i = 0; i < all.count; i++) {
		const struct enforce_decided *d = &all.decided[i];
		enum rule_id rule = d->finding.rule;
		if (d->response != RESPONSE_fixed)
			continue;
		if (rule == RULE_world_writable || rule == RULE_world_readable || rule == RULE_mode_too_open)
			bits |= (uint32_t)(d->finding.length & ~d->finding.limit);
		else if (rule == RULE_acl_grants)
			bits |= 0777;
	}
	return bits;
}

bool enforce_has(enum rule_id rule)
{
	struct decisions all = decisions();

	for (unsigned i = 0; i < all.count; i++)
		if (all.decided[i].finding.rule == rule)
			return true;
	return false;
}

void enforce_concerns(uint32_t object)
{
	struct decisions all = decisions();

	for (unsigned i = 0; i < all.count; i++)
		if (all.decided[i].response == RESPONSE_denied)
			all.decided[i].object = object;
}

void enforce_concerns_replaced(const char *name, uint32_t object)
{
	struct decisions all = decisions();

	for (unsigned i = 0; i < all.count; i++) {
		struct enforce_decided *d = &all.decided[i];
		if (d->name == name &&
		    (d->finding.rule == RULE_unlink_by_stranger || d->finding.rule == RULE_secret_left))
			d->object = object;
	}
}

/* What was decided of the call that was interrupted waits for its own event. */
void enforce_hand_over(struct enforce_told *told, const void *caller)
{
	struct enforce_level *k = enforce_level();
	bool own = k->caller == caller;
	unsigned count = own ? k->count : 0;

	if (told) {
		told->count = count;
		if (count)
			memcpy(told->decided, k->at->decided, count * sizeof *told->decided);
	}
	if (own)
		enforce_recorded(k);
}

void enforce_settle(struct enforce_told *told)
{
	settled = told;
}

void enforce_kept(void (*each)(const struct check_finding *finding, enum response response, uint32_t object))
{
	struct decisions all = decisions();
	struct enforce_level *k = settled ? NULL : enforce_level();

	if (k)
		k->count = k->audited = 0;
	for (unsigned i = 0; i < all.count; i++)
		if (!all.decided[i].trail_only)
			each(&all.decided[i].finding, (enum response)all.decided[i].response, all.decided[i].object);
	if (k)
		enforce_give_room(k);
}
