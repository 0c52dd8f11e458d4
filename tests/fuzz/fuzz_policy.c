/*
 * Whatever bytes a policy is made of: nothing is read or written out of bounds, every refusal is told with a line that is
 * there, what is decided can be done, and the section that is named for it says so.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tracepoints/policy.h"

static struct policy policy;

struct told {
	unsigned errors, lines;
};

static void require(bool good)
{
	if (!good)
		abort();
}

static void take_error(void *context, const char *file, unsigned line, const char *what, const char *hint)
{
	struct told *told = context;

	told->errors++;
	/* Of an included file nothing is known. */
	require(strcmp(file, "fuzz") != 0 || line <= told->lines);
	require(*what && strlen(what) < 512);
	for (; *what; what++)
		require((unsigned char)*what >= ' ' && *what != 0x7f);
	require(!hint || *hint);
}

static bool in_text(const char *text)
{
	return text >= policy.text && text + strlen(text) < policy.text + policy.text_used;
}

static void require_list(const struct policy_list *list)
{
	require(list->count <= POLICY_LIST);
	for (size_t i = 0; i < list->count; i++)
		require(in_text(list->item[i]) && policy_glob_valid(list->item[i]));
}

static void require_sections(void)
{
	require(policy.section_count <= POLICY_SECTIONS && policy.text_used <= sizeof(policy.text));
	for (size_t i = 0; i < policy.section_count; i++) {
		require(in_text(policy.section[i].label) && in_text(policy.section[i].file));
		require_list(&policy.section[i].name);
		require_list(&policy.section[i].exe);
		require_list(&policy.section[i].uid);
		require_list(&policy.section[i].names);
	}
	require(policy.log != LOG_file || (policy.log_path && policy.log_path[0] == '/'));
}

static void require_decision(const char *name, const char *exe, uint32_t uid, enum rule_id rule)
{
	const struct policy_section *origin = policy_origin(&policy, name, exe, uid, rule, NULL);
	struct policy_decision decision;

	policy_decide(&policy, name, exe, uid, &decision);
	for (int i = 0; i < RULE_COUNT; i++) {
		enum policy_action action = decision.action[i];

		require(action <= ACTION_fix);
		require(action != ACTION_deny || rules[i].deny);
		require(action != ACTION_fix || rules[i].fix);
	}
	/* To ask this of every rule each time would be most of the time. */
	require(decision.action[rule] == (origin ? origin->value.action[rule] : ACTION_warn));
	require(decision.max_mode <= 07777 && decision.wait_ms <= 60000 && decision.zero <= 7);
	require(!decision.has_names == !policy_origin(&policy, name, exe, uid, rule, "names"));
	policy_allows_name(&decision, name ? name : "/");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told told = {.lines = 1};
	enum rule_id rule = (enum rule_id)(size % RULE_COUNT);
	char name[64] = "/";
	bool good;

	for (size_t i = 0; i < size; i++)
		told.lines += data[i] == '\n';
	/* As zeroed: a section is cleared when it begins. */
	policy.section_count = policy.text_used = 0;
	policy.audit = policy.full = false;
	policy.log = LOG_none;
	policy.log_path = NULL;
	good = policy_add_text(&policy, (const char *)data, size, "fuzz", take_error, &told);
	require(good == !told.errors);
	require_sections();
	/* The end of the input is a name as well. */
	memcpy(name + 1, data + (size > 30 ? size - 30 : 0), size > 30 ? 30 : size);
	require_decision(name, "/usr/bin/y", 1000, rule);
	require_decision(NULL, name, 0, rule);
	return 0;
}
