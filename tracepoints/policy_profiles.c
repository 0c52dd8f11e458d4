/* The profiles: made of the table of rules, in the language of a policy. */
#include <string.h>

#include "policy_inner.h"

static enum policy_action action_observe(const struct rule *rule)
{
	(void)rule;
	return ACTION_warn;
}

static enum policy_action action_safe(const struct rule *rule)
{
	switch (rule->safe) {
	case SAFE_deny:
		return ACTION_deny;
	case SAFE_fix:
		return ACTION_fix;
	case SAFE_none:
		break;
	}
	return ACTION_warn;
}

static enum policy_action action_strict(const struct rule *rule)
{
	return rule->deny ? ACTION_deny : action_safe(rule);
}

static const struct {
	const char *name, *says;
	enum policy_action (*action)(const struct rule *rule);
} profiles[] = {
	{"observe", "everything is told, nothing is changed", action_observe},
	{"safe", "denies and repairs what programs do not rely on, tells the rest", action_safe},
	{"strict", "denies all that can be denied", action_strict},
};

enum { PROFILES = sizeof(profiles) / sizeof(profiles[0]), LINE = 64 };

static char texts[PROFILES][LINE * (RULE_COUNT + 4)];

const char *policy_profile_name(size_t i)
{
	return i < PROFILES ? profiles[i].name : NULL;
}

const char *policy_profile_text(const char *name)
{
	size_t i = 0;
	char *at;

	while (i < PROFILES && strcmp(profiles[i].name, name) != 0)
		i++;
	if (i == PROFILES)
		return NULL;
	/* Whoever else writes it now writes the same. */
	at = stpcpy(stpcpy(stpcpy(stpcpy(texts[i] + 1, " "), profiles[i].name), ": "), profiles[i].says);
	at = stpcpy(at, "\n[default]\n");
	for (size_t rule = 0; rule < RULE_COUNT; rule++) {
		at = stpcpy(stpcpy(at, rules[rule].id), " = ");
		at = stpcpy(stpcpy(at, policy_action_name(profiles[i].action(&rules[rule]))), "\n");
	}
	texts[i][0] = '#';
	return texts[i];
}

bool policy_add_profile(struct policy *policy, const char *name, policy_error *error, void *context)
{
	const char *text = policy_profile_text(name);
	struct parse parse = {.policy = policy, .error = error, .context = context, .file = "profile"};
	char file[LINE] = "profile ";

	if (!text)
		return parse_tell(&parse, NULL, "there is no profile '", name, "': observe, safe, strict", NULL);
	return policy_add_text(policy, text, strlen(text), strncat(file, name, sizeof(file) - sizeof("profile ")),
			       error, context);
}
