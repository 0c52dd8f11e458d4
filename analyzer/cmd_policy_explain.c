/* shmguard policy explain: for one object in one program, which sections apply, and which of them decides what. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/cmd_policy.h"
#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/policy_load.h"

struct question {
	const char *profile, *file, *name, *exe;
	uint32_t uid;
	char uid_text[16];
	const struct policy *policy;
};

static void put(const char *text)
{
	char *escaped = escape_terminal(text);

	fputs(escaped, stdout);
	free(escaped);
}

static void put_place(const struct policy_section *section)
{
	put(section->file);
	printf(":%u [", section->line);
	put(section->label);
	putchar(']');
}

struct condition {
	const char *key, *value; /* value NULL: there is none */
	const struct policy_list *list;
	const char *match; /* NULL: none of the list does */
};

static void put_unmet(const struct condition *condition)
{
	printf("does not apply: %s ", condition->key);
	put(condition->value ? condition->value : "is none, which");
	printf(" matches none of ");
	for (size_t i = 0; i < condition->list->count; i++) {
		fputs(i ? ", " : "", stdout);
		put(condition->list->item[i]);
	}
	putchar('\n');
}

static void put_section(const struct question *question, const struct policy_section *section)
{
	const char *name = question->name, *uid = question->uid_text;
	const struct condition conditions[] = {
		{"name", name, &section->name, name ? policy_match(&section->name, name) : NULL},
		{"exe", question->exe, &section->exe, policy_match_exe(&section->exe, question->exe)},
		{"uid", uid, &section->uid, policy_match(&section->uid, uid)},
	};
	unsigned met = 0;

	printf("  ");
	put_place(section);
	printf("\n    ");
	for (size_t i = 0; i < 3; i++)
		if (conditions[i].list->count && !conditions[i].match) {
			put_unmet(&conditions[i]);
			return;
		}
	for (size_t i = 0; i < 3; i++) {
		if (!conditions[i].match)
			continue;
		printf("%s%s ", met++ ? ", " : "applies: ", conditions[i].key);
		put(conditions[i].value);
		printf(" matches ");
		put(conditions[i].match);
	}
	puts(met ? "" : "applies to all");
}

static void put_origin(const struct question *question, enum rule_id rule, const char *key)
{
	const struct policy_section *section =
		policy_origin(question->policy, question->name, question->exe, question->uid, rule, key);

	if (section)
		put_place(section);
	else
		fputs("built in", stdout);
	putchar('\n');
}

static void put_rules(const struct question *question, const struct policy_decision *decision)
{
	puts("\nRules: what is done, and the last section that applies and says so");
	for (int i = 0; i < RULE_COUNT; i++) {
		enum policy_action action = decision->action[i];
		const char *result = action == ACTION_deny ? strerrorname_np(rules[i].deny) : "";

		if (question->policy->audit && action >= ACTION_deny)
			result = "audit: only told";
		printf("  %-24s %-5s %-*s ", rules[i].id, policy_action_name(action), question->policy->audit ? 17 : 7,
		       result);
		put_origin(question, (enum rule_id)i, NULL);
	}
}

static char *number_or_any(uint64_t number)
{
	return number == UINT64_MAX ? memory_text("any") : memory_format("%" PRIu64, number);
}

static char *joined(const struct policy_list *list)
{
	char *all = memory_text("");

	for (size_t i = 0; list && i < list->count; i++) {
		char *longer = memory_format("%s%s%s", all, i ? ", " : "", list->item[i]);

		free(all);
		all = longer;
	}
	return all;
}

static char *number_of(uint64_t number, const struct policy_list *names)
{
	char *text = number_or_any(number);

	if (names) {
		char *list = joined(names), *longer = memory_format("%s of %s", text, list);

		free(text);
		free(list);
		text = longer;
	}
	return text;
}

static char *joined_uids(const struct policy_uids *list)
{
	char *all = memory_text("");

	for (size_t i = 0; list && i < list->count; i++) {
		char *longer = memory_format("%s%s%" PRIu32, all, i ? ", " : "", list->item[i]);

		free(all);
		all = longer;
	}
	return all;
}

static char *moments(unsigned zero)
{
	return memory_format("%s%s%s%s%s%s", zero ? "" : "never", zero & ZERO_on_attach ? "on-attach" : "",
			     zero & ZERO_on_attach && zero > ZERO_on_attach ? ", " : "",
			     zero & ZERO_on_unlink ? "on-unlink" : "",
			     zero & ZERO_on_unlink && zero & ZERO_on_last_unmap ? ", " : "",
			     zero & ZERO_on_last_unmap ? "on-last-unmap" : "");
}

static const char *yes(bool value)
{
	return value ? "yes" : "no";
}

/* NULL for the keys that are no parameters. */
static char *parameter(const struct policy_decision *decision, enum policy_key_id id)
{
	switch (id) {
	case POLICY_KEY_names:
		return decision->has_names ? joined(decision->names) : memory_text("*");
	case POLICY_KEY_max_mode:
		return memory_format("%#o", (unsigned)decision->max_mode);
	case POLICY_KEY_owner:
		return decision->owner ? joined_uids(decision->owner) : memory_text("the own user and root");
	case POLICY_KEY_allow_uid:
		return decision->allow_uid ? joined_uids(decision->allow_uid) : memory_text("none");
	case POLICY_KEY_max_size:
		return number_or_any(decision->max_size);
	case POLICY_KEY_max_objects:
		return number_of(decision->max_objects, decision->counted);
	case POLICY_KEY_secret:
		return memory_text(yes(decision->secret));
	case POLICY_KEY_zero:
		return moments(decision->zero);
	case POLICY_KEY_reserve:
		return memory_text(yes(decision->reserve));
	case POLICY_KEY_wait_for_size:
		return memory_format("%" PRIu32 "ms", decision->wait_ms);
	default:
		return NULL;
	}
}

static void put_parameters(const struct question *question, const struct policy_decision *decision)
{
	puts("\nParameters");
	for (int i = 0; i < POLICY_KEY_COUNT; i++) {
		char *value = parameter(decision, (enum policy_key_id)i);

		if (!value)
			continue;
		printf("  %-14s ", policy_keys[i].key);
		put(value);
		printf("%*s ", (int)(strlen(value) < 23 ? 23 - strlen(value) : 0), "");
		put_origin(question, (enum rule_id)0, policy_keys[i].key);
		free(value);
	}
	if (decision->has_names && question->name)
		printf("\nThe name is %s that the program may use.\n",
		       policy_allows_name(decision, question->name) ? "one" : "none");
}

static int answer(struct question *question)
{
	struct policy *policy = policy_load(question->profile, question->file);
	struct policy_decision decision;

	if (!policy)
		return POLICY_BAD;
	question->policy = policy;
	snprintf(question->uid_text, sizeof(question->uid_text), "%" PRIu32, question->uid);
	policy_decide(policy, question->name, question->exe, question->uid, &decision);
	printf("Object ");
	put(question->name ? question->name : "without a name");
	printf(", program ");
	put(*question->exe ? question->exe : "unknown");
	printf(", user %" PRIu32 "\n\nSections, in the order in which they are applied\n", question->uid);
	for (size_t i = 0; i < policy->section_count; i++)
		put_section(question, &policy->section[i]);
	put_rules(question, &decision);
	put_parameters(question, &decision);
	free(policy);
	return POLICY_GOOD;
}

static bool take_uid(const char *text, uint32_t *uid)
{
	uint64_t value;
	bool taken = options_number(text, UINT32_MAX - 1, &value);

	*uid = (uint32_t)value;
	if (taken)
		return true;
	fputs("shmguard: --uid takes a number, as `id -u NAME` prints it\n", stderr);
	return false;
}

static bool take_name(const char *text, const char **name)
{
	const char *below = policy_below_shm(text);
	char *given;

	*name = text;
	if (!below)
		return true;
	given = escape_terminal(text);
	fprintf(stderr, "shmguard: --name takes what follows /dev/shm, not '%s'", given);
	free(given);
	given = escape_terminal(below);
	fprintf(stderr, *below ? "; did you mean '%s'?\n" : "%s\n", given);
	free(given);
	return false;
}

enum { PROFILE = 0x100, NAME, EXE, UID };

static const struct option_row rows[] = {
	{"profile", PROFILE, "PROFILE", "applied before FILE: observe (default), safe, strict"},
	{"name", NAME, "NAME", "of the object, as /x; else one without a name"},
	{"exe", EXE, "PATH", "of the program"},
	{"uid", UID, "N", "its effective user; else yours"},
	{NULL, 0, NULL, NULL},
};

const struct option_table policy_explain_option_table = {
	"policy explain", "[FILE]", "Tell which section of a policy decides what for one object in one program.", rows,
	"Exit status: 0 done; 2 wrong usage, or an error in FILE; 3 not written."};

int policy_explain(int argc, char **argv)
{
	struct question question = {.profile = "observe", .exe = "", .uid = geteuid()};
	int option;

	optind = 0;
	while ((option = options_next(&policy_explain_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return 0;
		if (option == OPTIONS_BAD)
			return POLICY_BAD;
		if (option == PROFILE)
			question.profile = optarg;
		else if (option == EXE)
			question.exe = optarg;
		else if (option == NAME ? !take_name(optarg, &question.name) : !take_uid(optarg, &question.uid))
			return policy_usage();
	}
	if (!policy_load_known(question.profile))
		return POLICY_BAD;
	if (argc - optind > 1)
		return policy_usage();
	question.file = argv[optind];
	return answer(&question);
}
