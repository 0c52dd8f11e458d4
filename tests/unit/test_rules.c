/* The catalogue: every row is complete, every rule explained, an id found again and a slip of the pen understood. */
#include <stdio.h>
#include <string.h>

#include "analyzer/cmd_rules.h"
#include "tracepoints/rules.h"

static int tests, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static bool well_formed(const struct rule *rule)
{
	return strspn(rule->id, "abcdefghijklmnopqrstuvwxyz-") == strlen(rule->id) && strlen(rule->id) < 25 &&
	       rule->summary[0] != '\0' && rule->summary[strlen(rule->summary) - 1] != '.' && rule->deny >= 0;
}

static void check_rows(void)
{
	bool formed = true, explained = true, found = true, unique = true, grouped = true;

	for (size_t i = 0; i < RULE_COUNT; i++) {
		formed = formed && well_formed(&rules[i]);
		explained = explained && rule_help[i] != NULL && strlen(rule_help[i]) > 100;
		found = found && rule_find(rules[i].id) == &rules[i];
		grouped = grouped && (i == 0 || rules[i].group >= rules[i - 1].group);
		for (size_t j = 0; j < i; j++)
			unique = unique && strcmp(rules[i].id, rules[j].id) != 0 &&
				 strcmp(rule_help[i], rule_help[j]) != 0;
	}
	check(formed, "ids and summaries are well formed");
	check(explained, "every rule is explained");
	check(found, "every rule is found by its id");
	check(unique, "ids and explanations are unique");
	check(grouped, "rules of a group stand together");
}

static void check_actions(void)
{
	bool possible = true;

	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (rules[i].safe == SAFE_deny)
			possible = possible && rules[i].deny != 0;
		if (rules[i].safe == SAFE_fix)
			possible = possible && rules[i].fix;
		if (rules[i].seen == SEEN_trace)
			possible = possible && rules[i].deny == 0 && !rules[i].fix;
	}
	check(possible, "what a profile does can be done, and nothing once the recording is over");
}

static void check_nearest(void)
{
	check(strcmp(rules_nearest("segment-leek"), "segment-leak") == 0, "one wrong letter");
	check(strcmp(rules_nearest("splitbrain"), "split-brain") == 0, "a missing dash");
	check(strcmp(rules_nearest("vanished"), "name-vanished") == 0, "a part of an id");
	check(rules_nearest("qqqqqq") == NULL, "nothing is like it");
	check(rules_nearest("") == NULL, "the empty id");
	check(rules_nearest("segment-leak-segment-leak-segment-leak-segment-leak-segment-leak-segment-leak") == NULL,
	      "a very long id");
	check(rule_find("segment-leek") == NULL && rule_find("") == NULL, "what does not exist is not found");
}

int main(void)
{
	check_rows();
	check_actions();
	check_nearest();
	printf("1..%d\n", tests);
	return failures != 0;
}
