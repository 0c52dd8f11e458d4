/* What else a policy would say of a call that a recording tells one thing of. */
#include <stdio.h>

#include "analyzer/habits_inner.h"
#include "tracepoints/policy.h"

static int tests, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

/* How often `counted` is to be expected of such a call, of which `found` was told. */
static uint64_t also(struct call call, enum rule_id found, enum rule_id counted)
{
	struct habit habit = {0};
	struct runner runner = {.habit = &habit};

	call.runner = &runner;
	call.found[found][RESPONSE_recorded] = 1;
	habits_settle(&call);
	return habits_times(&habit, counted, RESPONSE_recorded);
}

/* Of a growth that was told to find no room. */
static uint64_t memory_limits(bool grows, enum rule_id found)
{
	return also((struct call){.grows = grows}, found, RULE_memory_limit);
}

static void check_room(void)
{
	check(memory_limits(true, RULE_shm_fs_full) == 1, "a growth without room may pass the memory limit, too");
	check(memory_limits(false, RULE_shm_fs_full) == 0, "a mapping does not");
	check(memory_limits(true, RULE_memory_limit) == 1, "what was told is counted once");
	check(memory_limits(true, RULE_shrink_under_map) == 0, "what has room does not");
}

static uint64_t unbacked(bool unreserved, enum rule_id found)
{
	return also((struct call){.unreserved = unreserved}, found, RULE_huge_page_unbacked);
}

static void check_pool(void)
{
	check(unbacked(true, RULE_huge_page_misaligned) == 1, "the pool may lack what is misaligned, too");
	check(unbacked(false, RULE_huge_page_misaligned) == 0, "it has what was reserved");
	check(unbacked(true, RULE_huge_page_unbacked) == 1, "what was told is counted once");
	check(unbacked(true, RULE_sparse_unreserved) == 0, "other pages are of no pool");
}

int main(void)
{
	check_room();
	check_pool();
	printf("1..%d\n", tests);
	return failures != 0;
}
