/* shmguard rules: the catalogue, one rule explained, and the same for programs and for the generated documents. */
#include "cmd_rules.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/json_out.h"
#include "analyzer/options.h"
#include "tracepoints/rules.h"
#include "tracepoints/words.h"

enum { EXIT_USAGE = 2, WIDTH = 79 };

static const char *const seen_sentences[] = {
	[SEEN_call] = "at the call, before the damage",
	[SEEN_crash] = "when the signal arrives",
	[SEEN_trace] = "from the whole recording",
	[SEEN_start] = "once, before the program starts",
};

static const char *const group_titles[] = {
	[GROUP_size] = "Size and mapping", [GROUP_lifetime] = "Lifetime", [GROUP_permission] = "Permission",
	[GROUP_zeroing] = "Zeroing",       [GROUP_use] = "Use",
};

static const char *deny_name(const struct rule *rule)
{
	return rule->deny != 0 ? strerrorname_np(rule->deny) : "-";
}

static const char *fix_name(const struct rule *rule)
{
	return rule->fix ? "fix" : "-";
}

static bool begins_group(size_t i)
{
	return i == 0 || rules[i].group != rules[i - 1].group;
}

static void print_table(void)
{
	size_t checked = 0;

	printf("%-26s%-9s%-7s%-8s%-5s%s\n", "RULE", "SEVERITY", "SEEN", "DENY", "FIX", "SUMMARY");
	for (size_t i = 0; i < RULE_COUNT; i++) {
		const struct rule *rule = &rules[i];

		if (begins_group(i))
			printf("\n%s\n", group_titles[rule->group]);
		printf("%c %-24s%-9s%-7s%-8s%-5s%s\n", rule->checked ? ' ' : '.', rule->id,
		       severity_name(rule->severity), rule_seen_name(rule->seen), deny_name(rule), fix_name(rule),
		       rule->summary);
		checked += rule->checked;
	}
	printf("\n%zu of %d rules are checked always; those with a dot in front where a policy asks for them. DENY "
	       "and\n"
	       "FIX are what a policy can do instead of telling: `shmguard policy --help`. `shmguard rules RULE` "
	       "explains\none.\n",
	       checked, RULE_COUNT);
}

static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		if (column > 0 && column + 1 + length > WIDTH) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)length, text);
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void print_rule(const struct rule *rule)
{
	printf("%s\n\n", rule->id);
	print_wrapped(rule->summary);
	printf("\nseverity  %s\n", severity_name(rule->severity));
	printf("seen      %s\n", seen_sentences[rule->seen]);
	printf("deny      %s\n", rule->deny != 0 ? deny_name(rule) : "cannot be denied");
	printf("fix       %s\n", rule->fix ? "can be fixed" : "cannot be fixed");
	if (rule->safe != SAFE_none)
		printf("safe      the profile `safe` is to %s it\n", rule_safe_name(rule->safe));
	if (rule->cwe != 0)
		printf("class     CWE-%d, https://cwe.mitre.org/data/definitions/%d.html\n", rule->cwe, rule->cwe);
	printf("checked   %s\n\n", rule->checked ? "always" : "where a policy asks for it: `shmguard policy --help`");
	print_wrapped(rule_help[rule - rules]);
}

static json_t *rule_object(const struct rule *rule)
{
	return json_pack("{ss ss ss ss so* sb ss sI sb ss ss}", "id", rule->id, "group", rule_group_name(rule->group),
			 "severity", severity_name(rule->severity), "seen", rule_seen_name(rule->seen), "deny",
			 rule->deny != 0 ? json_string(deny_name(rule)) : json_null(), "fix", rule->fix, "safe",
			 rule_safe_name(rule->safe), "cwe", (json_int_t)rule->cwe, "checked", rule->checked, "summary",
			 rule->summary, "help", rule_help[rule - rules]);
}

static void print_json(const struct rule *only)
{
	json_t *list = json_array();
	json_t *root;

	for (size_t i = 0; i < RULE_COUNT; i++)
		if (only == NULL || only == &rules[i])
			json_array_append_new(list, rule_object(&rules[i]));
	root = json_pack("{ss so}", "schema", "shmguard-rules/1", "rules", list);
	json_out(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static void print_markdown(void)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		const struct rule *rule = &rules[i];

		if (begins_group(i))
			printf("%s**%s**\n\n| rule | severity | seen | deny | fix | CWE | checked | what |\n"
			       "|---|---|---|---|---|---|---|---|\n",
			       i == 0 ? "" : "\n", group_titles[rule->group]);
		printf("| `%s` | %s | %s | %s | %s | ", rule->id, severity_name(rule->severity),
		       rule_seen_name(rule->seen), deny_name(rule), fix_name(rule));
		if (rule->cwe != 0)
			printf("%d", rule->cwe);
		else
			putchar('-');
		printf(" | %s | %s |\n", rule->checked ? "always" : "by policy", rule->summary);
	}
}

/* The rules as a section of a manual page, only those that are checked; dashes and leading dots are escaped. */
static void print_manual(void)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (!rules[i].checked)
			continue;
		printf(".TP\n.B ");
		for (const char *c = rules[i].id; *c != '\0'; c++)
			printf(*c == '-' ? "\\-" : "%c", *c);
		printf(" \\fR(%s)\n%s.\n", severity_name(rules[i].severity), rules[i].summary);
	}
}

const char *rules_nearest(const char *id)
{
	struct nearest nearest = nearest_to(id);

	for (size_t i = 0; i < RULE_COUNT; i++)
		nearest_try(&nearest, rules[i].id);
	return nearest_found(&nearest);
}

static int unknown_rule(const char *id)
{
	const char *nearest = rules_nearest(id);

	options_tell("shmguard: there is no rule '%s'; ", id);
	if (nearest != NULL)
		fprintf(stderr, "did you mean '%s'?\n", nearest);
	else
		fputs("`shmguard rules` lists them\n", stderr);
	return EXIT_USAGE;
}

enum { TEXT, JSON = 0x100, MARKDOWN, MANUAL };

static const struct option_row rows[] = {
	{"json", JSON, NULL, "for programs"},
	{"markdown", MARKDOWN, NULL, "the table, for documents"},
	{"man", MANUAL, NULL, "the rules that are checked, for a manual page"},
	{NULL, 0, NULL, NULL},
};

const struct option_table rules_option_table = {
	"rules", "[RULE]", "List what can be found wrong, or explain RULE.", rows,
	"Exit status: 0 done; 2 wrong usage or an unknown rule; 3 not written."};

int cmd_rules(int argc, char **argv)
{
	const struct rule *rule = NULL;
	int form = TEXT;
	int option;

	optind = 0;
	while ((option = options_next(&rules_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_SUCCESS;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		form = option;
	}
	if (argc - optind > 1 || (argc > optind && (form == MARKDOWN || form == MANUAL))) {
		fputs("shmguard: rules takes one rule, and none with --markdown or --man\n", stderr);
		return options_usage(&rules_option_table, EXIT_USAGE);
	}
	if (argc > optind) {
		rule = rule_find(argv[optind]);
		if (rule == NULL)
			return unknown_rule(argv[optind]);
	}
	if (form == JSON)
		print_json(rule);
	else if (form == MARKDOWN)
		print_markdown();
	else if (form == MANUAL)
		print_manual();
	else if (rule != NULL)
		print_rule(rule);
	else
		print_table();
	return EXIT_SUCCESS;
}
