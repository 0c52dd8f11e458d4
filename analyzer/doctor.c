/* Makes the checks, and what they share. */
#include "analyzer/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"

const char *const fitness_names[] = {
	[FITNESS_aside] = "aside", [FITNESS_ok] = "ok", [FITNESS_warn] = "warn", [FITNESS_bad] = "bad"};

const char *const doctor_area_names[] = {
#define DOCTOR_AREA_NAME(name) #name,
	DOCTOR_AREAS(DOCTOR_AREA_NAME)
#undef DOCTOR_AREA_NAME
};

enum fitness doctor_found(struct answer *answer, enum fitness fitness, const char *format, ...)
{
	va_list arguments;

	free(answer->found);
	va_start(arguments, format);
	if (vasprintf(&answer->found, format, arguments) < 0)
		answer->found = memory_text("");
	va_end(arguments);
	return fitness;
}

static void doctor_set(struct answer *answer, const char *name, json_t *value)
{
	if (!answer->values)
		answer->values = json_object();
	json_object_set_new(answer->values, name, value);
}

void doctor_value(struct answer *answer, const char *name, uint64_t value)
{
	/* JSON's integers end here; what is larger is as good as without a limit. */
	doctor_set(answer, name, value > INT64_MAX ? json_null() : json_integer((json_int_t)value));
}

void doctor_words(struct answer *answer, const char *name, const char *text)
{
	char *safe = escape_utf8(text);

	doctor_set(answer, name, json_string(safe));
	free(safe);
}

void doctor_truth(struct answer *answer, const char *name, bool value)
{
	doctor_set(answer, name, json_boolean(value));
}

int doctor_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	int error;

	if (!file)
		return errno;
	errno = 0;
	error = fgets(line, (int)size, file) ? 0 : errno ? errno : ENODATA;
	fclose(file);
	if (!error)
		line[strcspn(line, "\n")] = '\0';
	return error;
}

int doctor_number(const char *path, uint64_t *number)
{
	char line[128], *end;
	int error = doctor_line(path, line, sizeof(line));

	if (error)
		return error;
	errno = 0;
	*number = strtoull(line, &end, 10);
	return end == line ? EINVAL : errno;
}

int doctor_choice(const char *path, char *word, size_t size)
{
	char line[256];
	const char *from;
	int error = doctor_line(path, line, sizeof(line));

	if (error)
		return error;
	from = strchr(line, '[');
	if (!from)
		return EINVAL;
	snprintf(word, size, "%.*s", (int)strcspn(from + 1, "]"), from + 1);
	return 0;
}

enum fitness doctor_unread(struct answer *answer, const char *path, int error)
{
	struct stat status;

	if (error == ENOENT && !stat("/proc/sys/kernel", &status))
		return doctor_found(answer, FITNESS_ok, "this kernel has no such setting");
	return doctor_found(answer, FITNESS_warn, "not known: %s: %s", path, strerror(error));
}

char *doctor_quote(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
	bool odd = false;
	char *all, *to;

	if (*word && !word[strspn(word, plain)])
		return memory_text(word);
	for (const char *at = word; *at; at++)
		odd |= (unsigned char)*at < ' ' || (unsigned char)*at > '~' || *at == '\'';
	all = to = memory_new(4 * strlen(word) + 4, 1);
	to += sprintf(to, odd ? "$'" : "'");
	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (odd && (c < ' ' || c > '~' || c == '\'' || c == '\\'))
			to += sprintf(to, "\\x%02x", c);
		else
			*to++ = (char)c;
	}
	*to = '\'';
	return all;
}

static void doctor_add(struct diagnoses *diagnoses, const struct check *check, const struct surroundings *at)
{
	struct diagnosis diagnosis = {.check = check};

	diagnosis.fitness = check->look(at, &diagnosis.answer);
	if (!diagnosis.answer.change && check->change)
		diagnosis.answer.change = memory_text(check->change);
	if (!diagnosis.answer.values)
		diagnosis.answer.values = json_object();
	diagnoses->counts[diagnosis.fitness]++;
	diagnoses->all = memory_grow(diagnoses->all, diagnoses->count, sizeof(diagnosis));
	diagnoses->all[diagnoses->count++] = diagnosis;
}

struct diagnoses doctor_look(char *const *command)
{
	struct diagnoses diagnoses = {0};
	struct surroundings at = {0};

	at.daemon = doctor_daemon_answer();
	at.allowed = doctor_cgroup_allowed();
	doctor_mount_look(&at);
	if (*command)
		at.suspect = doctor_suspect(command);
	for (const struct check *check = checks; check->id; check++)
		if (*command ? check->area >= AREA_program : check->area != AREA_program)
			doctor_add(&diagnoses, check, &at);
	doctor_suspect_free(at.suspect);
	free(at.type);
	free(at.options);
	return diagnoses;
}

void doctor_free(struct diagnoses *diagnoses)
{
	for (size_t i = 0; i < diagnoses->count; i++) {
		free(diagnoses->all[i].answer.found);
		free(diagnoses->all[i].answer.change);
		json_decref(diagnoses->all[i].answer.values);
	}
	free(diagnoses->all);
	*diagnoses = (struct diagnoses){0};
}
