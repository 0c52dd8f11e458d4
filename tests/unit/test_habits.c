/* Names that change from run to run become globs that take the next run's, and few others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/habits.h"
#include "analyzer/memory.h"
#include "tracepoints/policy.h"

static int tests, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static void becomes(const char *name, const char *expected)
{
	char *glob = habits_glob(name, &(struct habits_pids){37, 121}),
	     *what = memory_format("%s becomes %s", name, expected);

	check(strcmp(glob, expected) == 0, what);
	if (strcmp(glob, expected) != 0)
		printf("# %s\n", glob);
	free(what);
	free(glob);
}

static void check_globs(void)
{
	becomes("/plain-name", "/plain-name");
	becomes("/queue-12", "/queue-12");
	becomes("/queue-37.0121", "/queue-[0-9]*.[0-9]*");
	becomes("/queue-3.1210", "/queue-3.[0-9]*");
	becomes("/PostgreSQL.1234567890", "/PostgreSQL.[0-9]*");
	becomes("/worker31337.lock", "/worker[0-9]*.lock");
	becomes("/psm_1a2b3c4d", "/psm_????????");
	becomes("/psm_abcdef12", "/psm_????????");
	becomes("/sem.mp-nvszx3hb", "/sem.mp-????????");
	becomes("/sem.mp-z9a_e62f", "/sem.mp-????????");
	becomes("/psm_abcdefgh", "/psm_????????");
	becomes("/tmp.aB3xYz", "/tmp.??????");
	becomes("/CamelCase.JSON", "/CamelCase.JSON");
	becomes("/a*b[c]?", "/a[*]b[[]c][?]");
	becomes("/a,b;c d", "/a?b?c?d");
	becomes("/\xc3\xa4", "/??");
}

static void check_temporary(void)
{
	static const char *const names[][2] = {{"/tmp-abcdef", "/tmp-??????"},
					       {"/dir/t.plyGb7", "/dir/t.??????"},
					       {"/build37Abcdef", "/build[0-9]*??????"}};
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *glob = habits_temporary(names[i][0], &(struct habits_pids){37, 121});

		all = all && strcmp(glob, names[i][1]) == 0;
		free(glob);
	}
	check(all, "what mkstemp made is any name of its template");
}

static void check_takes(void)
{
	static const char *const names[] = {"/a*b[c]?", "/a,b;c d", "/x[1234]", "/PostgreSQL.77777", "/-[!a]-]"};
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *glob = habits_glob(names[i], &(struct habits_pids){37, 121});

		all = all && policy_glob_valid(glob) && policy_glob(glob, names[i]) && !policy_glob(glob, "/another");
		free(glob);
	}
	check(all, "a name's glob is valid and takes it");
}

static void check_long(void)
{
	char name[300] = "/", *glob;

	memset(name + 1, 'x', 255);
	glob = habits_glob(name, &(struct habits_pids){37, 121});
	check(strlen(glob) < 170 && policy_glob(glob, name), "a name of 255 characters");
	free(glob);
	for (size_t i = 1; i < 255; i += 2)
		name[i] = '.';
	glob = habits_glob(name, &(struct habits_pids){37, 121});
	check(strlen(glob) < 170 && policy_glob(glob, name), "one that is cut ends in a star");
	free(glob);
}

/* Are all names taken by what their globs come down to? */
static bool all_taken(const char *const *names, size_t count, size_t most, size_t *left)
{
	char **globs = memory_new(count, sizeof(*globs));
	bool all = true;

	for (size_t i = 0; i < count; i++)
		globs[i] = habits_glob(names[i], NULL);
	*left = habits_reduce(globs, count, most);
	for (size_t i = 0; i < count; i++) {
		bool one = false;

		for (size_t j = 0; j < *left; j++)
			one = one || policy_glob(globs[j], names[i]);
		all = all && one;
	}
	for (size_t i = 0; i < *left; i++)
		free(globs[i]);
	free(globs);
	return all;
}

static void check_special(void)
{
	static const char *const names[] = {"/n zed", "/n,", "/aone", "/atwo"}, *const sets[] = {"/q-12", "/q-123456",
												 "/q-[", "/q?",
												 "/q-]x"};
	size_t left;

	check(all_taken(names, 4, 3, &left) && left <= 3, "a ? at a glob's end takes no * of another");
	for (size_t most = 4; most; most--) {
		char *what = memory_format("sets, as %zu globs", most);

		check(all_taken(sets, 5, most, &left) && left <= most, what);
		free(what);
	}
	char *globs[] = {memory_text("/a*"), memory_text("/a[0-9]*"), memory_text("/a[*]b"), memory_text("/b[0-9]*"),
			 memory_text("/b1"), memory_text("/b?"),      memory_text("/c????"), memory_text("/c[0-9]")};
	left = habits_reduce(globs, 8, 32);
	check(left == 5 && strcmp(globs[0], "/a*") == 0 && strcmp(globs[1], "/b?") == 0 &&
		      strcmp(globs[2], "/b[0-9]*") == 0 && strcmp(globs[4], "/c[0-9]") == 0,
	      "what a set is covered by");
	for (size_t i = 0; i < left; i++)
		free(globs[i]);
}

static void check_reduced(void)
{
	char *few[] = {memory_text("/b"), memory_text("/a?"), memory_text("/b"), memory_text("/ab"),
		       memory_text("/c*")};
	char *many[100];
	size_t count = habits_reduce(few, 5, 32);
	bool taken = true;

	check(count == 3 && strcmp(few[0], "/a?") == 0 && strcmp(few[1], "/b") == 0 && strcmp(few[2], "/c*") == 0,
	      "equal and covered ones are left out, the rest is sorted");
	for (size_t i = 0; i < count; i++)
		free(few[i]);
	for (size_t i = 0; i < 100; i++)
		many[i] = memory_format("/%s-%c%zu", i % 2 ? "odd" : "even", (char)('a' + i % 26), i);
	count = habits_reduce(many, 100, 32);
	for (size_t i = 0; i < 100; i++) {
		char *name = memory_format("/%s-%c%zu", i % 2 ? "odd" : "even", (char)('a' + i % 26), i);
		bool by_one = false;

		for (size_t j = 0; j < count; j++)
			by_one = by_one || policy_glob(many[j], name);
		taken = taken && by_one;
		free(name);
	}
	check(count > 1 && count <= 32 && taken, "too many become fewer that still take all, and not just one");
	for (size_t i = 0; i < count; i++)
		free(many[i]);
	check(habits_reduce(NULL, 0, 32) == 0, "none");
}

int main(void)
{
	check_globs();
	check_temporary();
	check_takes();
	check_long();
	check_reduced();
	check_special();
	printf("1..%d\n", tests);
	return failures != 0;
}
