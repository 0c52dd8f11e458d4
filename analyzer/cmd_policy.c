#include "analyzer/cmd_policy.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/policy_load.h"
#include "tracepoints/words.h"

static int policy_check(int argc, char **argv)
{
	int result = POLICY_GOOD;

	if (argc < 2) {
		fputs("shmguard: policy check wants a file\n", stderr);
		return policy_usage();
	}
	for (int i = 1; i < argc; i++) {
		struct policy *policy = policy_load(NULL, argv[i]);
		char *name = escape_terminal(argv[i]);

		if (policy)
			printf("%s: good, %zu section%s\n", name, policy->section_count,
			       policy->section_count == 1 ? "" : "s");
		else
			result = POLICY_BAD;
		free(name);
		free(policy);
	}
	return result;
}

static int policy_show(int argc, char **argv)
{
	if (argc != 2) {
		fputs("shmguard: policy show wants a profile: observe, safe or strict\n", stderr);
		return policy_usage();
	}
	if (!policy_load_known(argv[1]))
		return POLICY_BAD;
	fputs(policy_profile_text(argv[1]), stdout);
	return POLICY_GOOD;
}

static void keys_text(void)
{
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++)
		printf("%-14s %s\n%-14s   %s\n", policy_keys[i].key, policy_keys[i].help, "",
		       policy_kinds[policy_keys[i].kind]);
	printf("%-14s %s\n%-14s   %s\n", "RULE", "what is done when the rule is broken; see `shmguard rules`", "",
	       "off, note, warn, deny or fix");
}

static void keys_markdown(void)
{
	puts("| key | takes | what |\n|---|---|---|");
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++)
		printf("| `%s` | %s | %s |\n", policy_keys[i].key, policy_kinds[policy_keys[i].kind],
		       policy_keys[i].help);
}

static void keys_manual(void)
{
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++) {
		printf(".TP\n.B ");
		for (const char *c = policy_keys[i].key; *c; c++)
			printf(*c == '-' ? "\\-" : "%c", *c);
		printf("\n%s. Takes %s.\n", policy_keys[i].help, policy_kinds[policy_keys[i].kind]);
	}
}

static int policy_list_keys(int argc, char **argv)
{
	if (argc == 1)
		keys_text();
	else if (argc == 2 && strcmp(argv[1], "--markdown") == 0)
		keys_markdown();
	else if (argc == 2 && strcmp(argv[1], "--man") == 0)
		keys_manual();
	else
		return policy_usage();
	return POLICY_GOOD;
}

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *summary;
	const char *operands; /* NULL: it has options */
};

static const struct verb verbs[] = {
	{"check", policy_check, "check FILE...", "every error: file, line, key, what was expected", "FILE..."},
	{"explain", policy_explain, "explain [OPTION...] [FILE]", "which section decides what for an object, and why",
	 NULL},
	{"show", policy_show, "show PROFILE", "a profile: observe, safe, strict", "PROFILE"},
	{"learn", policy_learn, "learn DIR...", "the tightest policy under which these run unchanged", "DIR..."},
	{"keys", policy_list_keys, "keys", "what may stand in a policy", NULL},
};

static void policy_help(FILE *out)
{
	fputs("Usage: shmguard policy VERB ...\n\n", out);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-26s %s\n", verbs[i].usage, verbs[i].summary);
	fputc('\n', out);
	options_help(&policy_explain_option_table, out);
}

int policy_usage(void)
{
	fputs("shmguard: try `shmguard policy --help`\n", stderr);
	return POLICY_BAD;
}

static int unknown_verb(const char *verb)
{
	struct nearest nearest = nearest_to(verb);
	char *given = escape_terminal(verb);

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		nearest_try(&nearest, verbs[i].name);
	fprintf(stderr, "shmguard: policy cannot '%s'", given);
	if (nearest_found(&nearest))
		fprintf(stderr, "; did you mean '%s'?", nearest_found(&nearest));
	fputc('\n', stderr);
	free(given);
	return policy_usage();
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* argv[0] is the verb. */
static int run_verb(const struct verb *verb, int argc, char **argv)
{
	static const struct option_row none[] = {{NULL, 0, NULL, NULL}};
	struct option_table table = {NULL, verb->operands, verb->summary, none, ""};
	char *whole;
	int option;

	optind = 0;
	if (!verb->operands)
		return verb->run(argc, argv);
	table.verb = whole = memory_format("policy %s", verb->name);
	option = options_next(&table, argc, argv);
	free(whole);
	if (option != OPTIONS_END)
		return option == OPTIONS_HELP ? POLICY_GOOD : POLICY_BAD;
	argv[optind - 1] = argv[0];
	return verb->run(argc - optind + 1, argv + optind - 1);
}

int cmd_policy(int argc, char **argv)
{
	if (argc < 2) {
		fputs("shmguard: policy wants a verb\n", stderr);
		return policy_usage();
	}
	/* But one that has options, and so a help of its own, the verbs are told of together. */
	if (asks_help(argv[1]) || (argc > 2 && asks_help(argv[2]) && strcmp(argv[1], "explain") != 0)) {
		policy_help(stdout);
		return POLICY_GOOD;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return run_verb(&verbs[i], argc - 1, argv + 1);
	return unknown_verb(argv[1]);
}
