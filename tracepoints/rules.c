#include "rules.h"

#include <string.h>

const struct rule rules[RULE_COUNT] = {
#define RULE_ROW(name, id, group, severity, seen, deny, fix, safe, cwe, checked, summary)                              \
	[RULE_##name] = {id,      GROUP_##group, SEVERITY_##severity, SEEN_##seen, deny, fix, SAFE_##safe, cwe,        \
			 checked, summary},
	RULES(RULE_ROW)
#undef RULE_ROW
};

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NOTE] = "note",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_ERROR] = "error",
	};

	return names[severity];
}

const char *rule_group_name(enum rule_group group)
{
	static const char *const names[] = {
		[GROUP_size] = "size",       [GROUP_lifetime] = "lifetime", [GROUP_permission] = "permission",
		[GROUP_zeroing] = "zeroing", [GROUP_use] = "use",
	};

	return names[group];
}

const char *rule_seen_name(enum rule_seen seen)
{
	static const char *const names[] = {
		[SEEN_call] = "call",
		[SEEN_crash] = "crash",
		[SEEN_trace] = "trace",
		[SEEN_start] = "start",
	};

	return names[seen];
}

const char *rule_safe_name(enum rule_safe safe)
{
	static const char *const names[] = {
		[SAFE_none] = "none",
		[SAFE_deny] = "deny",
		[SAFE_fix] = "fix",
	};

	return names[safe];
}

const struct rule *rule_find(const char *id)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (strcmp(rules[i].id, id) == 0)
			return &rules[i];
	return NULL;
}
