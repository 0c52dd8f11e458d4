#include "policy.h"

#include <string.h>

const struct policy_key policy_keys[POLICY_KEY_COUNT] = {
#define KEY_ROW(name, key, kind, help) {key, help, POLICY_KIND_##kind},
	POLICY_KEYS(KEY_ROW)
#undef KEY_ROW
};

const char *const policy_kinds[] = {
#define KIND_ROW(name, expected) expected,
	POLICY_KINDS(KIND_ROW)
#undef KIND_ROW
};

/* Who asks: computed once for all sections. */
struct subject {
	const char *name, *exe, *exe_last;
	char uid[11];
};

static struct subject subject_of(const char *name, const char *exe, uint32_t uid)
{
	struct subject subject = {.name = name, .exe = exe ? exe : ""};
	const char *slash = strrchr(subject.exe, '/');
	char *at = subject.uid + sizeof(subject.uid) - 1;

	subject.exe_last = slash ? slash + 1 : subject.exe;
	do
		*--at = (char)('0' + uid % 10);
	while (uid /= 10);
	memmove(subject.uid, at, strlen(at) + 1);
	return subject;
}

const char *policy_match(const struct policy_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (policy_glob(list->item[i], text))
			return list->item[i];
	return NULL;
}

static const char *match_exe(const struct policy_list *list, const char *exe, const char *last)
{
	for (size_t i = 0; i < list->count; i++)
		if (policy_glob(list->item[i], strchr(list->item[i], '/') ? exe : last))
			return list->item[i];
	return NULL;
}

const char *policy_match_exe(const struct policy_list *list, const char *exe)
{
	const char *slash = strrchr(exe, '/');

	return match_exe(list, exe, slash ? slash + 1 : exe);
}

static bool section_applies(const struct policy_section *section, const struct subject *subject)
{
	return (!section->uid.count || policy_match(&section->uid, subject->uid)) &&
	       (!section->exe.count || match_exe(&section->exe, subject->exe, subject->exe_last)) &&
	       (!section->name.count || (subject->name && policy_match(&section->name, subject->name)));
}

static bool section_sets(const struct policy_section *section, enum policy_key_id key)
{
	return section->set >> key & 1;
}

static void section_apply(const struct policy_section *section, struct policy_decision *decision)
{
	const struct policy_decision *value = &section->value;

	for (size_t i = 0; i < RULE_COUNT; i++)
		decision->action[i] = section->action_set[i] ? value->action[i] : decision->action[i];
	if (section_sets(section, POLICY_KEY_max_mode))
		decision->max_mode = value->max_mode;
	if (section_sets(section, POLICY_KEY_max_size))
		decision->max_size = value->max_size;
	if (section_sets(section, POLICY_KEY_max_objects)) {
		decision->max_objects = value->max_objects;
		decision->counted = section->name.count ? &section->name : NULL;
	}
	if (section_sets(section, POLICY_KEY_wait_for_size))
		decision->wait_ms = value->wait_ms;
	if (section_sets(section, POLICY_KEY_zero))
		decision->zero = value->zero;
	if (section_sets(section, POLICY_KEY_secret))
		decision->secret = value->secret;
	if (section_sets(section, POLICY_KEY_reserve))
		decision->reserve = value->reserve;
	if (section_sets(section, POLICY_KEY_owner))
		decision->owner = &section->owner;
	if (section_sets(section, POLICY_KEY_allow_uid))
		decision->allow_uid = &section->allow_uid;
	if (section_sets(section, POLICY_KEY_names)) {
		decision->has_names = true;
		decision->names = &section->names;
	}
}

void policy_add_sections(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
			 struct policy_sections *sections)
{
	struct subject subject = subject_of(name, exe, uid);

	for (size_t i = 0; i < policy->section_count; i++)
		if (section_applies(&policy->section[i], &subject))
			sections->bits[i / 64] |= UINT64_C(1) << i % 64;
}

void policy_decide_sections(const struct policy *policy, const struct policy_sections *sections,
			    struct policy_decision *decision)
{
	*decision = (struct policy_decision){
		.max_mode = 07777, .max_size = UINT64_MAX, .max_objects = UINT64_MAX, .zero = ZERO_never};
	memset(decision->action, ACTION_warn, sizeof(decision->action));
	for (size_t i = 0; i < policy->section_count; i++)
		if (sections->bits[i / 64] >> i % 64 & 1)
			section_apply(&policy->section[i], decision);
}

void policy_decide(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
		   struct policy_decision *decision)
{
	struct policy_sections sections = {0};

	policy_add_sections(policy, name, exe, uid, &sections);
	policy_decide_sections(policy, &sections, decision);
}

bool policy_allows_name(const struct policy_decision *decision, const char *name)
{
	return !decision->has_names || policy_match(decision->names, name);
}

const struct policy_section *policy_origin(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
					   enum rule_id rule, const char *key)
{
	struct subject subject = subject_of(name, exe, uid);
	size_t wanted = 0;

	while (key && wanted < POLICY_KEY_COUNT && strcmp(policy_keys[wanted].key, key) != 0)
		wanted++;
	if (wanted == POLICY_KEY_COUNT)
		return NULL;
	for (size_t i = policy->section_count; i-- > 0;) {
		const struct policy_section *section = &policy->section[i];

		if (!(key ? section_sets(section, (enum policy_key_id)wanted) : section->action_set[rule]))
			continue;
		if (section_applies(section, &subject))
			return section;
	}
	return NULL;
}

const char *policy_action_name(enum policy_action action)
{
	static const char *const names[] = {
#define ACTION_NAME(name) #name,
		ACTIONS(ACTION_NAME)
#undef ACTION_NAME
	};

	return names[action];
}
