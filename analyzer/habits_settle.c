/*
 * What a call teaches once it is known what was found at it. Of several rules about one matter a call tells of one, and of a
 * call that the kernel refused hardly any: what a learned policy would refuse of it all the same, with another errno perhaps,
 * the call's own numbers say.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"

enum { WRITABLE = 002, READABLE = 004 };

bool habits_was_found(const struct call *call, size_t rule)
{
	for (int response = 0; response < HABITS_RESPONSES; response++)
		if (call->found[rule][response])
			return true;
	return false;
}

static bool was_refused(const struct call *call)
{
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		if (call->found[rule][RESPONSE_denied])
			return true;
	return false;
}

void habits_raise(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

static void need_mode(struct call *call, uint32_t mode)
{
	call->needs.moded = true;
	call->needs.mode |= mode;
}

/* It stays refused, by the same rule and with the same errno: what the policy asks before that rule must let it pass. */
static void settle_refused(struct call *call, struct habit *habit)
{
	bool by_limit = call->found[RULE_mode_too_open][RESPONSE_denied];
	bool by_mode = by_limit || call->found[RULE_world_writable][RESPONSE_denied] ||
		       call->found[RULE_world_readable][RESPONSE_denied] ||
		       call->found[RULE_acl_grants][RESPONSE_denied];

	if (by_mode && call->has_mode && by_limit)
		habit->wider |= call->mode;
	else if (by_mode && call->has_mode)
		need_mode(call, call->mode);
	if (by_mode && call->makes)
		habits_raise(&habit->peak, call->count);
	if (!call->found[RULE_object_too_large][RESPONSE_denied])
		habits_raise(&call->needs.size, call->size);
}

static void settle_mode(struct call *call, struct habit *habit)
{
	const struct {
		enum rule_id rule;
		uint32_t bit;
	} others[] = {{RULE_world_writable, WRITABLE}, {RULE_world_readable, READABLE}};
	bool limited = call->found[RULE_mode_too_open][RESPONSE_fixed];
	bool reachable = call->reachable || habits_was_found(call, RULE_world_writable) ||
			 habits_was_found(call, RULE_world_readable);
	uint32_t taken = call->taken & ~call->runner->masked, mode = call->mode & ~taken;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (call->found[others[i].rule][RESPONSE_fixed])
			mode |= others[i].bit;
		else if (limited && (taken & others[i].bit))
			habit->told[others[i].rule][RESPONSE_fixed]++;
		else if (reachable && (mode & others[i].bit))
			call->met[others[i].rule] = true;
	}
	need_mode(call, mode);
	if (limited)
		habit->wider |= taken;
}

/* Of an object that is another's, and is no trap, the policy asks further. */
static void settle_party(struct call *call)
{
	bool trap = habits_was_found(call, RULE_symlink_or_special);

	if (call->error || (!trap && !habits_was_found(call, RULE_foreign_owner)))
		return;
	call->met[RULE_foreign_owner] |= trap && call->foreign;
	call->met[RULE_create_without_excl] |= (call->flags & O_CREAT) && (call->foreign || !trap);
}

/* Of what finds no room on the file system it is not told whether the memory limit leaves any. */
static void settle_room(struct call *call)
{
	call->met[RULE_memory_limit] |= call->grows && habits_was_found(call, RULE_shm_fs_full);
}

/* What answers as the rule would, answers so under it. */
static void settle_met(struct call *call)
{
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		if (call->met[rule] && !habits_was_found(call, rule) && call->error != rules[rule].deny)
			call->needs.done[rule]++;
	if (call->needs.done[RULE_foreign_owner])
		habits_users_add(&call->needs.owners, call->owner);
}

void habits_settle(struct call *call)
{
	struct habit *habit = call->runner ? call->runner->habit : NULL;

	if (!habit)
		return;
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		call->needs.done[rule] += call->found[rule][RESPONSE_recorded] + call->found[rule][RESPONSE_audit];
	if (!call->taken && !call->error)
		call->runner->masked |= call->asked & ~call->mode & 0777;
	if (was_refused(call)) {
		settle_refused(call, habit);
	} else {
		if (call->has_mode && !call->moot)
			settle_mode(call, habit);
		if (call->makes && !call->moot)
			habits_raise(&habit->peak, call->count);
		if (call->error != rules[RULE_object_too_large].deny)
			habits_raise(&call->needs.size, call->size);
		settle_party(call);
		settle_room(call);
		habits_huge_settle(call);
		settle_met(call);
	}
	for (size_t rule = 0; rule < RULE_COUNT; rule++) {
		habit->told[rule][RESPONSE_recorded] += call->needs.done[rule];
		habit->told[rule][RESPONSE_fixed] += call->found[rule][RESPONSE_fixed];
		habit->told[rule][RESPONSE_denied] += call->found[rule][RESPONSE_denied];
	}
	habits_settle_names(call);
	habits_needs_free(&call->needs);
	memset(call, 0, sizeof(*call));
}
