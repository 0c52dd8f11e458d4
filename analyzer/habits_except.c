/*
 * Which of a program's names need more than the others. What all need, and what could not be told by the name, is the
 * program's; an exception gives more than that, never less, so that it does no harm where globs take the same name.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

/* How much is told by the name; what is not is given to all. */
enum detail { DETAIL_all, DETAIL_but_sizes, DETAIL_none };

/* That a policy decides by the name of the object. What depends on the room that is left may come with any the next time. */
static const enum rule_id of_objects[] = {
	RULE_map_beyond_end,   RULE_map_before_size,     RULE_resize_failed_ignored,
	RULE_shrink_under_map, RULE_truncate_on_open,    RULE_resize_by_attacher,
	RULE_stale_reattach,   RULE_unlink_by_stranger,  RULE_world_writable,
	RULE_world_readable,   RULE_create_without_excl, RULE_foreign_owner,
	RULE_acl_grants,       RULE_name_nonportable,    RULE_exec_map,
};

/* Of the names, in their order. */
struct needing {
	struct habits_needs *each;
	const char **samples;
	size_t count;
};

/* Where a policy refused or mended some of it, or the report knows of more, the names do not tell all. */
static bool goes_by_name(const struct habit *habit, enum rule_id rule)
{
	return !habits_times(habit, rule, RESPONSE_fixed) && !habits_times(habit, rule, RESPONSE_denied) &&
	       habits_times(habit, rule, RESPONSE_recorded) <=
		       habit->told[rule][RESPONSE_recorded] + habit->told[rule][RESPONSE_audit];
}

/* Trusted owners are also spared other rules: what those refused when it was recorded they are to refuse again. */
static bool trusts_owners(const struct habit *habit, const struct habits_users *owners)
{
	static const enum rule_id others[] = {RULE_foreign_owner, RULE_unlink_by_stranger, RULE_create_without_excl,
					      RULE_symlink_or_special};
	bool known = owners->count && owners->all[0] != 0 && owners->all[owners->count - 1] != UINT32_MAX;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		known = known && !habits_times(habit, others[i], RESPONSE_denied);
	return known;
}

static bool takes(const char *glob, const struct habits_name *name)
{
	return habits_covers(glob, name->glob) || (name->sample && policy_glob(glob, name->sample));
}

static struct needing needs_of(const struct habit *habit)
{
	struct needing needing = {.each = memory_new(habit->name_count + 1, sizeof(struct habits_needs)),
				  .samples = memory_new(habit->name_count + 1, sizeof(char *)),
				  .count = habit->name_count};

	for (size_t i = 0; i < needing.count; i++)
		for (size_t j = 0; j < habit->seen_count; j++) {
			if (!takes(habit->names[i], &habit->seen[j]))
				continue;
			habits_needs_join(&needing.each[i], &habit->seen[j].needs);
			if (!needing.samples[i])
				needing.samples[i] = habit->seen[j].sample;
		}
	return needing;
}

static void forget(struct needing *needing)
{
	for (size_t i = 0; i < needing->count; i++)
		habits_needs_free(&needing->each[i]);
	free(needing->each);
	free(needing->samples);
}

static void base_mode(struct habits_needs *base, struct needing *needing, enum detail detail)
{
	uint32_t common = 07777, any = 0;
	bool moded = false;

	for (size_t i = 0; i < needing->count; i++) {
		if (!needing->each[i].moded)
			continue;
		moded = true;
		common &= needing->each[i].mode;
		any |= needing->each[i].mode;
	}
	base->mode |= detail == DETAIL_none ? any : moded ? common : 0;
	for (size_t i = 0; i < needing->count; i++)
		needing->each[i].mode |= base->mode;
}

static void base_size(struct habits_needs *base, struct needing *needing, enum detail detail)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (size_t i = 0; i < needing->count; i++) {
		habits_raise(&most, needing->each[i].size);
		if (needing->each[i].size && needing->each[i].size < least)
			least = needing->each[i].size;
	}
	habits_raise(&base->size, detail == DETAIL_all && most ? least : most);
	for (size_t i = 0; i < needing->count; i++)
		habits_raise(&needing->each[i].size, base->size);
}

/* Two are enough to know what it is about. */
static char *words_for(const struct habit *habit, const struct needing *needing, size_t rule)
{
	enum { TOLD = 2 };
	size_t did = 0, first[TOLD] = {0};

	for (size_t i = 0; i < needing->count; i++)
		if (needing->each[i].done[rule] && did++ < TOLD)
			first[did - 1] = i;
	if (did < TOLD)
		return did ? memory_text(habit->names[first[0]]) : NULL;
	if (did == TOLD)
		return memory_format("%s and %s", habit->names[first[0]], habit->names[first[1]]);
	return memory_format("%s, %s and %zu more", habit->names[first[0]], habit->names[first[1]], did - TOLD);
}

/* What they all did, or something without a name, is no exception. */
static void base_rule(struct habit *habit, struct needing *needing, enum rule_id rule, bool by_name)
{
	bool all = habit->unnamed.done[rule] || !by_name || !needing->count;
	size_t did = 0;

	for (size_t i = 0; i < needing->count; i++)
		did += needing->each[i].done[rule] != 0;
	habit->by_name[rule] = !all && did && did < needing->count;
	for (size_t i = 0; i < needing->count && !habit->by_name[rule]; i++)
		needing->each[i].done[rule] = 0;
}

static bool has_user(const struct habits_users *users, uint32_t user)
{
	for (size_t i = 0; i < users->count; i++)
		if (users->all[i] == user)
			return true;
	return false;
}

static bool have_all(const struct needing *needing, uint32_t user)
{
	for (size_t i = 0; i < needing->count; i++)
		if (!has_user(&needing->each[i].owners, user))
			return false;
	return true;
}

/* To whom objects may be given is asked only where it is said whose they may be. */
static void allow_given(struct habits_needs *base, struct needing *needing)
{
	for (size_t i = 0; i < needing->count && base->owners.count; i++)
		habits_users_join(&base->given, &needing->each[i].given);
	if (base->owners.count)
		habits_users_join(&base->owners, &base->given);
	for (size_t i = 0; i < needing->count; i++) {
		struct habits_needs *needs = &needing->each[i];

		habits_users_join(&needs->owners, &base->owners);
		if (needs->owners.count > base->owners.count)
			habits_users_join(&needs->owners, &needs->given);
		else
			needs->owners.count = 0;
	}
}

static void base_owners(struct habits_needs *base, struct needing *needing, enum detail detail)
{
	struct habits_users all = {0};

	for (size_t i = 0; i < needing->count; i++)
		habits_users_join(&all, &needing->each[i].owners);
	for (size_t i = 0; i < all.count; i++)
		if (detail == DETAIL_none || have_all(needing, all.all[i]))
			habits_users_add(&base->owners, all.all[i]);
	free(all.all);
	allow_given(base, needing);
}

static bool are_too_many(const struct habits_needs *base, const struct needing *needing)
{
	bool too_many = base->owners.count > POLICY_LIST;

	for (size_t i = 0; i < needing->count; i++)
		too_many = too_many || needing->each[i].owners.count > POLICY_LIST;
	return too_many;
}

/* By their numbers, unless it is not known who they are, or they are too many for a list. */
static void settle_owners(struct habit *habit, struct needing *needing, enum detail detail)
{
	struct habits_users all = {0};

	habits_users_join(&all, &habit->unnamed.owners);
	for (size_t i = 0; i < needing->count; i++)
		habits_users_join(&all, &needing->each[i].owners);
	bool trusts = trusts_owners(habit, &all);
	free(all.all);
	if (trusts)
		base_owners(&habit->base, needing, detail);
	if (trusts && !are_too_many(&habit->base, needing)) {
		for (size_t i = 0; i < needing->count; i++)
			needing->each[i].done[RULE_foreign_owner] = 0;
		habit->by_owner = true;
		return;
	}
	habit->base.owners.count = 0;
	for (size_t i = 0; i < needing->count; i++)
		needing->each[i].owners.count = 0;
}

static bool is_exception(const struct habits_needs *needs, const struct habits_needs *base)
{
	bool does = needs->mode != base->mode || needs->size != base->size || needs->owners.count;

	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		does = does || needs->done[rule];
	return does;
}

static bool are_equal(const struct habits_needs *a, const struct habits_needs *b)
{
	bool equal = a->mode == b->mode && a->size == b->size && a->owners.count == b->owners.count;

	for (size_t i = 0; equal && i < a->owners.count; i++)
		equal = a->owners.all[i] == b->owners.all[i];
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		equal = equal && !a->done[rule] == !b->done[rule];
	return equal;
}

static struct habits_exception *exception_of(struct habit *habit, const struct habits_needs *needs)
{
	for (size_t i = 0; i < habit->exception_count; i++)
		if (are_equal(&habit->exceptions[i].needs, needs))
			return &habit->exceptions[i];
	habit->exceptions = memory_grow(habit->exceptions, habit->exception_count, sizeof(*habit->exceptions));
	habit->exceptions[habit->exception_count] = (struct habits_exception){0};
	return &habit->exceptions[habit->exception_count++];
}

static void add_exceptions(struct habit *habit, const struct needing *needing)
{
	for (size_t i = 0; i < needing->count; i++) {
		const char *sample = needing->samples[i];

		if (!is_exception(&needing->each[i], &habit->base))
			continue;
		struct habits_exception *exception = exception_of(habit, &needing->each[i]);

		habits_needs_join(&exception->needs, &needing->each[i]);
		exception->names = memory_grow(exception->names, exception->name_count, sizeof(char *));
		exception->names[exception->name_count++] = habit->names[i];
		if (!exception->sample && sample && strcmp(sample, habit->names[i]) != 0)
			exception->sample = memory_text(sample);
	}
}

void habits_exceptions_free(struct habit *habit)
{
	for (size_t i = 0; i < habit->exception_count; i++) {
		free(habit->exceptions[i].names);
		free(habit->exceptions[i].sample);
		habits_needs_free(&habit->exceptions[i].needs);
	}
	for (size_t rule = 0; rule < RULE_COUNT; rule++) {
		free(habit->with[rule]);
		habit->with[rule] = NULL;
	}
	free(habit->exceptions);
	habit->exceptions = NULL;
	habit->exception_count = 0;
}

static void except(struct habit *habit, enum detail detail)
{
	struct needing needing = needs_of(habit);
	bool by_name[RULE_COUNT] = {false};

	for (size_t i = 0; i < sizeof(of_objects) / sizeof(*of_objects); i++)
		by_name[of_objects[i]] = detail != DETAIL_none && goes_by_name(habit, of_objects[i]);
	habits_exceptions_free(habit);
	habits_needs_free(&habit->base);
	habit->by_owner = false;
	habits_needs_join(&habit->base, &habit->unnamed);
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		habit->with[rule] = words_for(habit, &needing, rule);
	base_mode(&habit->base, &needing, detail);
	base_size(&habit->base, &needing, detail);
	settle_owners(habit, &needing, detail);
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		base_rule(habit, &needing, (enum rule_id)rule, by_name[rule]);
	add_exceptions(habit, &needing);
	forget(&needing);
}

/* Sizes differ more often than anything else, and matter less. */
void habits_except(struct habit *habit, size_t most)
{
	for (int detail = DETAIL_all; detail <= DETAIL_none; detail++) {
		except(habit, (enum detail)detail);
		if (habit->exception_count <= most)
			return;
	}
}
