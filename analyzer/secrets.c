#include "analyzer/secrets.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *words_of(const struct policy_list *list)
{
	json_t *words = json_array();

	for (unsigned i = 0; i < list->count; i++)
		json_array_append_new(words, json_string(list->item[i]));
	return words;
}

json_t *secrets_describe(const struct policy *policy)
{
	json_t *secrets = json_array();

	for (size_t i = 0; i < policy->section_count; i++) {
		const struct policy_section *section = &policy->section[i];

		if (section->set >> POLICY_KEY_secret & 1)
			json_array_append_new(secrets,
					      json_pack("{s:b, s:o, s:o, s:o}", "secret", section->value.secret, "name",
							words_of(&section->name), "exe", words_of(&section->exe), "uid",
							words_of(&section->uid)));
	}
	if (json_array_size(secrets))
		return secrets;
	json_decref(secrets);
	return NULL;
}

/* A list that is not there applies to all. */
static bool takes(const json_t *section, const char *key, const char *text,
		  const char *(*match)(const struct policy_list *, const char *))
{
	const json_t *words = json_object_get(section, key), *word;
	struct policy_list list = {0};
	size_t i;

	json_array_foreach (words, i, word)
		if (json_is_string(word) && list.count < POLICY_LIST)
			list.item[list.count++] = json_string_value(word);
	return list.count == 0 || (text && match(&list, text));
}

bool secrets_hold(const json_t *secrets, const char *name, const char *exe, uint32_t uid)
{
	const json_t *section;
	char number[16];
	bool secret = false;
	size_t i;

	snprintf(number, sizeof(number), "%u", uid);
	json_array_foreach (secrets, i, section)
		if (takes(section, "name", name, policy_match) && takes(section, "exe", exe, policy_match_exe) &&
		    takes(section, "uid", number, policy_match))
			secret = json_is_true(json_object_get(section, "secret"));
	return secret;
}

static bool may_be_secret(const json_t *secrets, const char *name)
{
	const json_t *section;
	size_t i;

	json_array_foreach (secrets, i, section)
		if (json_is_true(json_object_get(section, "secret")) && takes(section, "name", name, policy_match))
			return true;
	return false;
}

/* Reads what is there, never a hole. */
static bool has_data(const char *name)
{
	char path[4096], bytes[65536];
	off_t at = 0, hole;
	bool found = false;
	ssize_t got;

	if (snprintf(path, sizeof(path), "/dev/shm%s", name) >= (int)sizeof(path))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	while (fd >= 0 && !found && (at = lseek(fd, at, SEEK_DATA)) >= 0 && (hole = lseek(fd, at, SEEK_HOLE)) > at)
		for (; !found && at < hole && (got = pread(fd, bytes, sizeof(bytes), at)) > 0; at += got)
			for (ssize_t i = 0; !found && i < got; i++)
				found = bytes[i] != 0;
	if (fd >= 0)
		close(fd);
	return found;
}

void secrets_look(const json_t *secrets, json_t *look)
{
	json_t *object;
	size_t i;

	if (!secrets)
		return;
	json_array_foreach (json_object_get(look, "objects"), i, object) {
		const char *name = json_string_value(json_object_get(object, "name"));

		if (name && may_be_secret(secrets, name) && has_data(name))
			json_object_set_new(object, "data", json_true());
	}
}
