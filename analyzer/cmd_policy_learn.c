/* shmguard policy learn: from recordings, the tightest policy under which they would have run unchanged. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/cmd_policy.h"
#include "analyzer/escape.h"
#include "analyzer/habits.h"
#include "analyzer/policy_load.h"
#include "tracepoints/version.h"

/* Can what the rule is about be refused, and is it known whether it happened? */
/*
 * stale-bytes is asked at a first mapping too, but only under a policy, so no recording tells whether a program takes up what
 * nobody maps: PostgreSQL does so with memory that it has pinned.
 */
static bool can_deny(size_t rule)
{
	return rules[rule].deny && rules[rule].checked && rule != RULE_stale_bytes;
}

/* These ask for a limit, which learned sections give. */
static bool is_limit(size_t rule)
{
	return rule == RULE_name_not_allowed || rule == RULE_mode_too_open || rule == RULE_object_too_large ||
	       rule == RULE_too_many_objects;
}

static void print_default(const struct habits *habits, char **dirs, size_t count)
{
	printf("# Learned by shmguard %s from", SHMGUARD_VERSION);
	for (size_t i = 0; i < count; i++) {
		char *dir = escape_terminal(dirs[i]);

		printf("%s %s", i ? "," : "", dir);
		free(dir);
	}
	printf(".\n# What they did stays allowed, and nothing else. A number of four digits or more, a pid, and a word "
	       "that looks random, or\n# stands behind a pid, was taken to be another one the next time: see whether "
	       "the "
	       "globs are as narrow as you\n# want them, and the limits as wide.\n");
	if (habits->missing.count)
		printf("# What follows was not seen, so that it may be refused:\n");
	for (size_t i = 0; i < habits->missing.count; i++) {
		char *sentence = escape_terminal(habits->missing.text[i]);

		printf("#   %s\n", sentence);
		free(sentence);
	}
	printf("\n[default]\n# Programs that were not recorded: no object has this name.\nnames = /\nmax-objects = "
	       "0\n");
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (can_deny(i) || is_limit(i))
			printf("%s = deny\n", rules[i].id);
}

/* number: of a section for some of its names; 0: the one for all. */
static void print_label(const char *exe, size_t number)
{
	const char *slash = strrchr(exe, '/'), *last = slash ? slash + 1 : exe;

	printf("\n[");
	for (size_t i = 0; *last && i < 100; i++, last++)
		putchar(*last <= ' ' || *last == ';' || *last == 0x7f ? '?' : *last);
	if (number)
		printf(", names %zu", number);
	printf("]\n");
}

static void print_exe(const char *exe)
{
	/* As it was called, where /proc did not tell the whole path: its last part is what a policy can go by. */
	const char *slash = *exe == '/' ? NULL : strrchr(exe, '/');

	printf("exe = ");
	exe = slash ? slash + 1 : exe;
	for (size_t i = 0; *exe && i < 160; i++, exe++)
		if (strchr("*?[", *exe))
			printf("[%c]", *exe);
		else
			putchar(*exe < ' ' || *exe == 0x7f || strchr(",;#", *exe) ? '?' : *exe);
	puts(*exe ? "*" : "");
}

static const char *plural(uint64_t times)
{
	return times == 1 ? "" : "s";
}

/* A policy was in force while it was recorded: what that kept from the program stays kept from it. */
static void print_kept(const struct habit *habit, enum rule_id rule, const char *what)
{
	uint64_t times = habits_times(habit, rule, RESPONSE_denied);

	if (times)
		printf("# %s, %" PRIu64 " time%s, a policy refused when this was recorded, and so does this one.\n",
		       what, times, plural(times));
}

static void print_limits(const struct habit *habit)
{
	uint64_t narrowed = habits_times(habit, RULE_mode_too_open, RESPONSE_fixed);

	print_kept(habit, RULE_name_not_allowed, "Other names");
	if (habit->wider & ~habit->base.mode)
		printf("# A policy kept %#" PRIo32 " from its objects when this was recorded, and so does this one.\n",
		       habit->wider & ~habit->base.mode);
	printf("max-mode = %#" PRIo32 "\n", habit->base.mode);
	if (narrowed)
		printf("%s = fix\n", rules[RULE_mode_too_open].id);
	print_kept(habit, RULE_object_too_large, "Larger objects");
	printf("max-size = %" PRIu64 "\n", habit->base.size);
	print_kept(habit, RULE_too_many_objects, "More objects");
	printf("max-objects = %" PRIu64 "\n", habit->peak);
}

static void print_done(uint64_t times, const char *with)
{
	printf("# It did so, %" PRIu64 " time%s%s%s: to refuse it would change the program.\n", times, plural(times),
	       with ? ", with " : "", with ? with : "");
}

/* The mildest answer that it had: nobody knows for which names a policy gave which. */
static void print_rule(const struct habit *habit, size_t rule)
{
	static const char was[] = "when this was recorded";
	uint64_t done = habits_times(habit, rule, RESPONSE_recorded), fixed = habits_times(habit, rule, RESPONSE_fixed);
	uint64_t denied = habits_times(habit, rule, RESPONSE_denied);
	const char *id = rules[rule].id;

	if (!can_deny(rule)) {
		if (fixed)
			printf("# A policy mended this, %" PRIu64 " time%s, %s, and nothing here does: %s.\n", fixed,
			       plural(fixed), was, id);
	} else if (done) {
		print_done(done, habit->with[rule]);
		if (fixed || denied)
			printf("# A policy refused or mended it, %" PRIu64 " time%s, %s.\n", fixed + denied,
			       plural(fixed + denied), was);
		printf("%s = warn\n", id);
	} else if (fixed) {
		printf("# A policy mended it, %" PRIu64 " time%s, %s, and so does this one.\n%s = fix\n", fixed,
		       plural(fixed), was, id);
		/* How long it waited, it does not say; that a size came. */
		if (rule == RULE_map_before_size)
			puts("wait-for-size = 10s");
	} else if (denied) {
		printf("# A policy refused it, %" PRIu64 " time%s, %s, and so does this one.\n%s = deny\n", denied,
		       plural(denied), was, id);
	}
}

static void print_users(const struct habits_users *users)
{
	enum { A_LINE = 12 }; /* of which a policy's may have 190 bytes */

	for (size_t i = 0; i < users->count; i++)
		printf("%s%" PRIu32 "%s", i % A_LINE ? ", " : "allow-uid = ", users->all[i],
		       i + 1 == users->count || i % A_LINE == A_LINE - 1 ? "\n" : "");
}

static void print_owners(const struct habits_users *owners, const char *with)
{
	const char *id = rules[RULE_foreign_owner].id;

	if (!owners->count)
		return;
	printf("# It used objects of these users%s%s, or gave them some: those of others stay refused.\n%s = deny\n",
	       with ? ", with " : "", with ? with : "", id);
	print_users(owners);
}

/* More than the program's section lets be, for some of its names. */
static void print_exception(const struct habit *habit, const struct habits_exception *exception, size_t number)
{
	const struct habits_needs *needs = &exception->needs;

	print_label(habit->exe, number);
	printf("# What its other names did not need");
	if (exception->sample) {
		char *sample = escape_terminal(exception->sample);

		printf("; the first was %s", sample);
		free(sample);
	}
	puts(".");
	print_exe(habit->exe);
	for (size_t i = 0; i < exception->name_count; i++)
		printf("name = %s\n", exception->names[i]);
	if (needs->mode != habit->base.mode)
		printf("max-mode = %#" PRIo32 "\n", needs->mode);
	if (needs->size != habit->base.size)
		printf("max-size = %" PRIu64 "\n", needs->size);
	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (!needs->done[i] || !can_deny(i) || is_limit(i))
			continue;
		print_done(needs->done[i], NULL);
		printf("%s = warn\n", rules[i].id);
	}
	print_owners(&needs->owners, NULL);
}

static void print_habit(const struct habit *habit)
{
	if (!*habit->exe) {
		puts("\n# A program used shared memory whose path is not known: nothing below is for it.");
		return;
	}
	print_label(habit->exe, 0);
	print_exe(habit->exe);
	if (habit->widened)
		printf("# These stand for %zu names, more than a list may have (%d), and let in others that begin "
		       "alike.\n",
		       habit->widened, POLICY_LIST);
	for (size_t i = 0; i < habit->name_count; i++)
		printf("names = %s\n", habit->names[i]);
	if (!habit->name_count)
		puts("names = /");
	print_limits(habit);
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (!is_limit(i) && !habit->by_name[i] && !(i == RULE_foreign_owner && habit->by_owner))
			print_rule(habit, i);
	print_owners(&habit->base.owners, habit->with[RULE_foreign_owner]);
	for (size_t i = 0; i < habit->exception_count; i++)
		print_exception(habit, &habit->exceptions[i], i + 1);
}

int policy_learn(int argc, char **argv)
{
	struct habits habits = {.missing = {.quiet = true}};
	int result = POLICY_GOOD;
	char *error = NULL;

	if (argc < 2) {
		fputs("shmguard: policy learn wants directories that `shmguard run` recorded into\n", stderr);
		return policy_usage();
	}
	for (int i = 1; i < argc && result == POLICY_GOOD; i++) {
		if (habits_gather(&habits, argv[i], &error))
			continue;
		fprintf(stderr, "shmguard: %s\n", error);
		free(error);
		result = POLICY_FAILED;
	}
	if (result == POLICY_GOOD) {
		habits_finish(&habits);
		for (size_t i = 0; i < habits.missing.count; i++) {
			char *sentence = escape_terminal(habits.missing.text[i]);

			fprintf(stderr, "shmguard: %s\n", sentence);
			free(sentence);
		}
		if (habits.missing.count)
			fputs("shmguard: not all was seen: the policy may be too tight\n", stderr);
		print_default(&habits, argv + 1, (size_t)argc - 1);
		for (size_t i = 0; i < habits.count; i++)
			print_habit(habits.all[i]);
	}
	habits_free(&habits);
	return result;
}
