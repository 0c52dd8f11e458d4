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

/* Of a growth that was told to find no room, and of a mapping of huge pages. */
static const struct {
	bool grows, unreserved;
	enum rule_id found, counted;
	uint64_t times;
	const char *what;
} rows[] = {
	{true, false, RULE_shm_fs_full, RULE_memory_limit, 1, "a growth without room may pass the memory limit, too"},
	{false, false, RULE_shm_fs_full, RULE_memory_limit, 0, "a mapping does not"},
	{true, false, RULE_memory_limit, RULE_memory_limit, 1, "a limit that was told is counted once"},
	{true, false, RULE_shrink_under_map, RULE_memory_limit, 0, "what has room does not"},
	{false, true, RULE_huge_page_misaligned, RULE_huge_page_unbacked, 1,
	 "the pool may lack what is misaligned, too"},
	{false, false, RULE_huge_page_misaligned, RULE_huge_page_unbacked, 0, "it has what was reserved"},
	{false, true, RULE_huge_page_unbacked, RULE_huge_page_unbacked, 1, "a lack that was told is counted once"},
	{false, true, RULE_sparse_unreserved, RULE_huge_page_unbacked, 0, "other pages are of no pool"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct call call = {.grows = rows[i].grows, .unreserved = rows[i].unreserved};

		check(also(call, rows[i].found, rows[i].counted) == rows[i].times, rows[i].what);
	}
	printf("1..%d\n", tests);
	return failures != 0;
}
