/* What stands behind the = of a policy. */
#include <string.h>

#include "policy_inner.h"
#include "words.h"

/* Milliseconds. */
enum { DURATION_MAX = 60000 };

#define BLANKS " \t\r\v\f"

/* Splits the next item off a list with commas; NULL at its end. Blanks around it are cut. */
static char *next_item(char **rest)
{
	char *item = *rest, *end;
	size_t length;

	if (!item)
		return NULL;
	item += strspn(item, BLANKS);
	end = strchr(item, ',');
	*rest = end ? end + 1 : NULL;
	length = end ? (size_t)(end - item) : strlen(item);
	while (length && strchr(BLANKS, item[length - 1]))
		length--;
	item[length] = '\0';
	return item;
}

/* Digits of a base up to `limit`, then `*end`. False: no digits, or too many. */
static bool number(const char *text, unsigned base, uint64_t limit, uint64_t *value, const char **end)
{
	const char *at = text;

	for (*value = 0; *at >= '0' && *at < (char)('0' + base); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (*value > (limit - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	*end = at;
	return at != text;
}

/* A number and its unit, or "any"; units go up to *units of the text "KMG", each 1024 times the one before. */
static bool amount(const char *text, bool units, uint64_t *value)
{
	static const char letters[] = "KMG";
	const char *end, *unit;
	uint64_t factor = 1;

	if (strcmp(text, "any") == 0) {
		*value = UINT64_MAX;
		return true;
	}
	if (!number(text, 10, UINT64_MAX - 1, value, &end))
		return false;
	if (units && *end && (unit = strchr(letters, *end))) {
		factor = UINT64_C(1) << 10 * (unit - letters + 1);
		end++;
	}
	if (*end || *value >= UINT64_MAX / factor)
		return false;
	*value *= factor;
	return true;
}

static bool duration(const char *text, uint32_t *milliseconds)
{
	const char *end;
	uint64_t value;

	if (!number(text, 10, DURATION_MAX, &value, &end))
		return false;
	if (strcmp(end, "s") == 0)
		value *= 1000;
	else if (strcmp(end, "ms") != 0)
		return false;
	if (value > DURATION_MAX)
		return false;
	*milliseconds = (uint32_t)value;
	return true;
}

static bool mode(const char *text, uint32_t *bits)
{
	const char *end;
	uint64_t value;

	if (!number(text, 8, 07777, &value, &end) || *end)
		return false;
	*bits = (uint32_t)value;
	return true;
}

static bool yes(const char *text, bool *value)
{
	*value = strcmp(text, "yes") == 0;
	return *value || strcmp(text, "no") == 0;
}

static bool moments(char *text, uint8_t *zero)
{
	static const struct {
		const char *word;
		enum policy_zero zero;
	} words[] = {
		{"never", ZERO_never},
		{"on-attach", ZERO_on_attach},
		{"on-unlink", ZERO_on_unlink},
		{"on-last-unmap", ZERO_on_last_unmap},
	};
	bool never = false;
	char *item;

	*zero = 0;
	while ((item = next_item(&text))) {
		size_t i = 0;

		while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].word, item) != 0)
			i++;
		if (i == sizeof(words) / sizeof(words[0]))
			return false;
		never = never || !words[i].zero;
		*zero |= (uint8_t)words[i].zero;
	}
	return !never || !*zero;
}

static bool globs(struct parse *parse, const char *key, char *text, struct policy_list *list)
{
	char *item;

	while ((item = next_item(&text))) {
		if (!*item)
			return parse_tell(parse, NULL, "'", key, "': an item of the list is empty", NULL);
		if (!policy_glob_valid(item))
			return parse_tell(parse, NULL, "'", key, "': the [ of '", item, "' is not closed", NULL);
		if (list->overfull)
			continue;
		list->overfull = list->count == POLICY_LIST;
		if (list->overfull)
			return parse_tell(parse, NULL, "'", key,
					  "' has more than 32 items; a glob may stand for several", NULL);
		list->item[list->count] = parse_keep(parse, item, strlen(item));
		if (!list->item[list->count])
			return false;
		list->count++;
	}
	return true;
}

static bool without_quotes(struct parse *parse, const char *key, const char *item)
{
	char inner[256];
	size_t length;

	if (*item != '"' && *item != '\'')
		return true;
	stpncpy(inner, item + 1, sizeof(inner) - 1)[0] = '\0';
	length = strlen(inner);
	if (length && inner[length - 1] == *item)
		inner[length - 1] = '\0';
	return parse_tell(parse, *inner ? inner : NULL, "'", key, "' takes no quotes around '", inner, "'", NULL);
}

static bool follows_shm(struct parse *parse, const char *key, const char *item)
{
	const char *below = policy_below_shm(item);

	return !below || parse_expected(parse, key, "what follows /dev/shm", item,
					strspn(below, "/") < strlen(below) ? below : "/*");
}

/* Where a path begins with no directory. What the kernel cannot name has a parenthesis in front: getcwd(2). */
static bool names_a_program(struct parse *parse, const char *key, const char *item)
{
	char anywhere[256] = "*/";
	const char *rest = item;

	if (!strchr(item, '/') || strchr("/*?[(", *item))
		return true;
	while (strncmp(rest, "./", 2) == 0 || strncmp(rest, "../", 3) == 0 || strncmp(rest, "~/", 2) == 0)
		rest = strchr(rest, '/') + 1;
	strncat(anywhere, rest, sizeof(anywhere) - strlen(anywhere) - 1);
	return parse_expected(parse, key, "a whole path or, without a slash, the last part of one", item, anywhere);
}

/* Names of objects or programs. What could match none of them, as it is not written as they are, is no pattern. */
static bool patterns(struct parse *parse, enum policy_key_id id, char *text, struct policy_list *list)
{
	const char *key = policy_keys[id].key;
	unsigned before = list->count;

	if (!globs(parse, key, text, list))
		return false;
	for (unsigned i = before; i < list->count; i++)
		if (!without_quotes(parse, key, list->item[i]) ||
		    !(id == POLICY_KEY_exe ? names_a_program : follows_shm)(parse, key, list->item[i]))
			return false;
	return true;
}

/* Can it stand for any user? A range that is not in brackets, and a number that is too large, stand for none. */
static bool fits_a_uid(const char *item)
{
	const char *end;
	uint64_t value;
	bool within = false;

	if (!strpbrk(item, "*?["))
		return number(item, 10, UINT32_MAX - 1, &value, &end) && !*end;
	for (; *item; item++) {
		if (!within && (*item == '-' || *item == '!' || *item == ']'))
			return false;
		within = *item == '[' || (within && *item != ']');
	}
	return true;
}

/* Names of users would need NSS, which loads libraries and allocates: not inside somebody's program. */
static bool where_uid(struct parse *parse, const char *key, char *text, struct policy_list *list)
{
	size_t length = strspn(text, "0123456789*?[]-!," BLANKS);
	unsigned before = list->count;

	if (text[length])
		return parse_expected(parse, key, policy_kinds[POLICY_KIND_users], text, NULL);
	if (!globs(parse, key, text, list))
		return false;
	for (unsigned i = before; i < list->count; i++)
		if (!fits_a_uid(list->item[i]))
			return parse_expected(parse, key, policy_kinds[POLICY_KIND_users], list->item[i], NULL);
	return true;
}

static bool uids(struct parse *parse, const char *key, char *text, struct policy_uids *list)
{
	const char *end;
	uint64_t value;
	char *item;

	while ((item = next_item(&text))) {
		if (!number(item, 10, UINT32_MAX - 1, &value, &end) || *end)
			return parse_expected(parse, key, policy_kinds[POLICY_KIND_numbers], item, NULL);
		if (list->overfull)
			continue;
		list->overfull = list->count == POLICY_LIST;
		if (list->overfull)
			return parse_tell(parse, NULL, "'", key, "' has more than 32 items", NULL);
		list->item[list->count++] = (uint32_t)value;
	}
	return true;
}

static bool enforcing(const char *text, bool *audit)
{
	*audit = strcmp(text, "audit") == 0;
	return *audit || strcmp(text, "enforce") == 0;
}

/* Words that a key takes; the nearest one is told where it got another. */
static const char *const words_of_kind[][5] = {
	[POLICY_KIND_yes] = {"yes", "no"},
	[POLICY_KIND_moments] = {"never", "on-attach", "on-unlink", "on-last-unmap"},
	[POLICY_KIND_enforcing] = {"enforce", "audit"},
	[POLICY_KIND_log] = {"none", "stderr", "syslog", "file:/"},
};

static bool wrong_value(struct parse *parse, const struct policy_key *key, const char *value)
{
	struct nearest nearest = nearest_to(value);

	for (const char *const *word = words_of_kind[key->kind]; *word && !strchr(value, ','); word++)
		nearest_try(&nearest, *word);
	return parse_expected(parse, key->key, policy_kinds[key->kind], value, nearest_found(&nearest));
}

/* Any key but the lists and the log. */
static bool set_scalar(struct policy *policy, struct policy_decision *value, enum policy_key_id id, char *text)
{
	switch (id) {
	case POLICY_KEY_max_mode:
		return mode(text, &value->max_mode);
	case POLICY_KEY_max_size:
		return amount(text, true, &value->max_size);
	case POLICY_KEY_max_objects:
		return amount(text, false, &value->max_objects);
	case POLICY_KEY_wait_for_size:
		return duration(text, &value->wait_ms);
	case POLICY_KEY_zero:
		return moments(text, &value->zero);
	case POLICY_KEY_secret:
		return yes(text, &value->secret);
	case POLICY_KEY_reserve:
		return yes(text, &value->reserve);
	case POLICY_KEY_mode:
		return enforcing(text, &policy->audit);
	default:
		return false;
	}
}

static bool log_to(struct parse *parse, const char *text)
{
	struct policy *policy = parse->policy;

	policy->log_file = parse->file;
	policy->log_line = parse->line;
	if (strncmp(text, "file:/", strlen("file:/")) == 0) {
		policy->log_path = parse_keep(parse, text + strlen("file:"), strlen(text) - strlen("file:"));
		policy->log = LOG_file;
		return policy->log_path;
	}
	if (strcmp(text, "none") == 0)
		policy->log = LOG_none;
	else if (strcmp(text, "stderr") == 0)
		policy->log = LOG_stderr;
	else if (strcmp(text, "syslog") == 0)
		policy->log = LOG_syslog;
	else
		return wrong_value(parse, &policy_keys[POLICY_KEY_log], text);
	return true;
}

static bool set_key(struct parse *parse, struct policy_section *section, enum policy_key_id id, char *text)
{
	const struct policy_key *key = &policy_keys[id];
	char copy[256];

	switch (id) {
	case POLICY_KEY_name:
		return patterns(parse, id, text, &section->name);
	case POLICY_KEY_exe:
		return patterns(parse, id, text, &section->exe);
	case POLICY_KEY_uid:
		return where_uid(parse, key->key, text, &section->uid);
	case POLICY_KEY_names:
		return patterns(parse, id, text, &section->names);
	case POLICY_KEY_owner:
		return uids(parse, key->key, text, &section->owner);
	case POLICY_KEY_allow_uid:
		return uids(parse, key->key, text, &section->allow_uid);
	case POLICY_KEY_log:
		return log_to(parse, text);
	default:
		stpncpy(copy, text, sizeof(copy) - 1)[0] = '\0';
		return set_scalar(parse->policy, &section->value, id, text) || wrong_value(parse, key, copy);
	}
}

/* Keys of the whole policy only in [default], those that say where a section applies only elsewhere. */
static bool may_stand(struct parse *parse, enum policy_key_id id)
{
	const char *key = policy_keys[id].key;

	if (parse->labelled && (id == POLICY_KEY_mode || id == POLICY_KEY_log))
		return parse_tell(parse, NULL, "'", key, "' is of the whole policy and belongs in [default]", NULL);
	if (!parse->labelled && (id == POLICY_KEY_name || id == POLICY_KEY_exe || id == POLICY_KEY_uid))
		return parse_tell(parse, NULL, "[default] applies to all: '", key,
				  "' belongs below a heading of your own", NULL);
	return true;
}

static bool is_list(enum policy_key_id id)
{
	return id == POLICY_KEY_name || id == POLICY_KEY_exe || id == POLICY_KEY_uid || id == POLICY_KEY_names ||
	       id == POLICY_KEY_owner || id == POLICY_KEY_allow_uid;
}

/* Always true. What is wrong with its value is told all the same. */
static bool tell_twice(struct parse *parse, const char *key)
{
	return !parse_tell(parse, NULL, "'", key, "' is set twice in this section", NULL);
}

static bool set_parameter(struct parse *parse, struct policy_section *section, enum policy_key_id id, char *value)
{
	uint32_t bit = UINT32_C(1) << id;

	if (!may_stand(parse, id))
		return false;
	bool twice = section->set & bit && !is_list(id) && tell_twice(parse, policy_keys[id].key);

	section->set |= bit;
	return set_key(parse, section, id, value) && !twice;
}

static bool unknown_action(struct parse *parse, enum rule_id id, const char *value)
{
	struct nearest nearest = nearest_to(value);

	for (int action = ACTION_off; action <= ACTION_fix; action++)
		nearest_try(&nearest, policy_action_name((enum policy_action)action));
	return parse_expected(parse, rules[id].id, "off, note, warn, deny or fix", value, nearest_found(&nearest));
}

static bool set_action(struct parse *parse, struct policy_section *section, enum rule_id id, const char *value)
{
	int action = ACTION_off;

	bool twice = section->action_set[id] && tell_twice(parse, rules[id].id);

	section->action_set[id] = true;
	while (action <= ACTION_fix && strcmp(policy_action_name((enum policy_action)action), value) != 0)
		action++;
	if (action > ACTION_fix)
		return unknown_action(parse, id, value);
	if (action == ACTION_deny && !rules[id].deny)
		return parse_tell(parse, NULL, "'", rules[id].id, "' cannot be denied",
				  rules[id].fix ? ", but fixed" : ": it is off, note or warn", NULL);
	if (action == ACTION_fix && !rules[id].fix)
		return parse_tell(parse, NULL, "'", rules[id].id, "' cannot be fixed",
				  rules[id].deny ? ", but denied" : ": it is off, note or warn", NULL);
	section->value.action[id] = (uint8_t)action;
	return !twice;
}

static bool unknown_key(struct parse *parse, const char *key)
{
	struct nearest nearest = nearest_to(key);

	for (int i = 0; i < POLICY_KEY_COUNT; i++)
		nearest_try(&nearest, policy_keys[i].key);
	for (int i = 0; i < RULE_COUNT; i++)
		nearest_try(&nearest, rules[i].id);
	return parse_tell(parse, nearest_found(&nearest), "there is no key '", key, "'", NULL);
}

bool policy_set(struct parse *parse, struct policy_section *section, const char *key, char *value)
{
	for (int i = 0; i < POLICY_KEY_COUNT; i++)
		if (strcmp(policy_keys[i].key, key) == 0)
			return set_parameter(parse, section, (enum policy_key_id)i, value);
	for (int i = 0; i < RULE_COUNT; i++)
		if (strcmp(rules[i].id, key) == 0)
			return set_action(parse, section, (enum rule_id)i, value);
	return unknown_key(parse, key);
}
