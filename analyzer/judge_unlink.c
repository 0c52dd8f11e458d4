/*
 * double-unlink: the name that is removed has been removed before. To remove whatever may be there and then to create it is
 * a habit, not a mistake: what a process missed waits for what it does next with that name.
 */
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "memory.h"

/* So many wait; of the oldest it is taken then that nobody creates them any more. */
#define MISSES_MAX 4096

struct miss {
	struct miss *older, *newer;
	uint64_t name; /* its hash */
	struct finding finding;
	struct role roles[2];
};

static uint64_t hash_of(const struct name_state *name)
{
	return map_hash(MAP_HASH, name->text, strlen(name->text));
}

/* It is a miss of that process no more. */
static void take_out(struct court *court, struct miss *miss)
{
	struct misses *misses = &court->misses;

	map_remove(&misses->by_name, (uintptr_t)miss->finding.process, miss->name);
	*(miss->older ? &miss->older->newer : &misses->oldest) = miss->newer;
	*(miss->newer ? &miss->newer->older : &misses->newest) = miss->older;
	misses->count--;
	if (miss->finding.object)
		((struct object *)(uintptr_t)miss->finding.object)->charges--;
}

static void tell(struct court *court, struct miss *miss)
{
	take_out(court, miss);
	court_find(court, &miss->finding, miss->roles, 2);
	free(miss);
}

static void keep(struct court *court, struct miss *miss)
{
	struct misses *misses = &court->misses;
	struct miss *before = map_get(&misses->by_name, (uintptr_t)miss->finding.process, miss->name);

	if (before)
		tell(court, before);
	map_put(&misses->by_name, (uintptr_t)miss->finding.process, miss->name, miss);
	miss->older = misses->newest;
	*(misses->newest ? &misses->newest->newer : &misses->oldest) = miss;
	misses->newest = miss;
	if (miss->finding.object)
		((struct object *)(uintptr_t)miss->finding.object)->charges++;
	if (++misses->count > MISSES_MAX)
		tell(court, misses->oldest);
}

/* It was another name's from then on: that is no removal. */
static bool was_moved(const struct name_state *name)
{
	const struct object *former = object_real(name->former);

	for (size_t i = former ? former->name_count : 0; i > 0; i--)
		if (former->names[i - 1].from == name->removed.time)
			return true;
	return false;
}

static void unlink_missed(struct court *court, struct process *process, const struct name_state *name,
			  const struct site *site)
{
	struct miss *miss;
	char *who, *first, *ago;

	if (name->object || name->removed.process == NULL || was_moved(name))
		return;
	who = judge_process(process);
	first = judge_process(name->removed.process);
	ago = judge_time(site->time - name->removed.time);
	miss = memory_new(1, sizeof(*miss));
	*miss = (struct miss){.name = hash_of(name),
			      .finding = {.rule = RULE_double_unlink,
					  .severity = SEVERITY_WARNING,
					  .process = process,
					  .object = name->former,
					  .name = name->former ? NULL : world_intern(court->world, name->text)},
			      .roles = {{"unlinked", *site}, {"unlinked first", name->removed}}};
	/* In one process the program has an order of its own. */
	if (name->removed.process != process)
		miss->finding.parties = PARTIES_equal;
	miss->finding.message = memory_format("%s unlinked %s, which %s had unlinked %s before", who, name->text,
					      name->removed.process == process ? "it" : first, ago);
	keep(court, miss);
	free(who);
	free(first);
	free(ago);
}

static void unlink_renewed(struct court *court, struct process *process, const struct name_state *name,
			   const struct site *site)
{
	struct miss *miss = map_get(&court->misses.by_name, (uintptr_t)process, hash_of(name));

	(void)site;
	if (miss == NULL)
		return;
	take_out(court, miss);
	free(miss->finding.message);
	free(miss);
}

static void unlink_finish(struct court *court)
{
	while (court->misses.oldest)
		tell(court, court->misses.oldest);
	map_clear(&court->misses.by_name);
}

const struct judge judge_unlink = {.unlink_missed = unlink_missed, .renewed = unlink_renewed, .finish = unlink_finish};
