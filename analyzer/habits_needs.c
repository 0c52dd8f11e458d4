/* What a policy must let be: sums of it. */
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits_inner.h"
#include "analyzer/memory.h"

void habits_users_add(struct habits_users *users, uint32_t user)
{
	size_t at = 0;

	while (at < users->count && users->all[at] < user)
		at++;
	if (at < users->count && users->all[at] == user)
		return;
	users->all = memory_grow(users->all, users->count, sizeof(*users->all));
	memmove(users->all + at + 1, users->all + at, (users->count - at) * sizeof(*users->all));
	users->all[at] = user;
	users->count++;
}

void habits_users_join(struct habits_users *users, const struct habits_users *more)
{
	for (size_t i = 0; i < more->count; i++)
		habits_users_add(users, more->all[i]);
}

void habits_needs_join(struct habits_needs *needs, const struct habits_needs *more)
{
	needs->moded |= more->moded;
	needs->mode |= more->mode;
	habits_raise(&needs->size, more->size);
	for (size_t rule = 0; rule < RULE_COUNT; rule++)
		needs->done[rule] += more->done[rule];
	habits_users_join(&needs->owners, &more->owners);
	habits_users_join(&needs->given, &more->given);
}

void habits_needs_free(struct habits_needs *needs)
{
	free(needs->owners.all);
	free(needs->given.all);
	*needs = (struct habits_needs){0};
}
