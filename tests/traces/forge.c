/*
 * Makes canned traces: emits the events that a script names, through the real provider, with processes that never were.
 *
 *	forge PROVIDER.so < SCRIPT
 *
 * A line of a script is an event and its fields, `munmap pid=100 addr=0x1000 length=4096`; what is not given is 0 or "".
 * `seq` counts by itself for each pid (seq=+N leaves a gap of N), `tid` is the pid. Blanks in a text are written as %20.
 * `frames=0x10,0x20` is a list. `sleep MS` waits, `# ...` is a remark.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracepoints/emit.h"

#define FRAMES_MAX 64
#define PIDS_MAX 1024

static uint64_t addresses[FRAMES_MAX];

static struct {
	int32_t pid;
	uint32_t seq;
} counters[PIDS_MAX];

static uint32_t *counter_of(int32_t pid)
{
	for (size_t i = 0; i < PIDS_MAX; i++) {
		if (counters[i].pid == 0)
			counters[i].pid = pid;
		if (counters[i].pid == pid)
			return &counters[i].seq;
	}
	fprintf(stderr, "forge: more than %d processes\n", PIDS_MAX);
	exit(1);
}

static int64_t number(const char *text)
{
	char *end;
	int64_t value = (int64_t)strtoull(text, &end, 0);

	if (*text == '-')
		value = strtoll(text, &end, 0);
	if (end == text || *end != 0) {
		fprintf(stderr, "forge: '%s' is no number\n", text);
		exit(1);
	}
	return value;
}

static const char *text_of(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '%' && from[1] && from[2]) {
			*to = (char)strtol((char[]){from[1], from[2], 0}, NULL, 16);
			from += 3;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
	return text;
}

static struct frames frames_of(char *text)
{
	struct frames frames = {0, addresses};

	for (char *word = strtok(text, ","); word && frames.count < FRAMES_MAX; word = strtok(NULL, ","))
		addresses[frames.count++] = (uint64_t)number(word);
	return frames;
}

/* By the type of the field: a new kind of integer needs nothing here. */
static void set_text(void *field, char *value)
{
	*(const char **)field = text_of(value);
}

static void set_frames(void *field, char *value)
{
	*(struct frames *)field = frames_of(value);
}

static void set_nothing(void *field, char *value)
{
	(void)field;
	(void)value;
}

static void set_1(void *field, char *value)
{
	*(uint8_t *)field = (uint8_t)number(value);
}

static void set_2(void *field, char *value)
{
	*(uint16_t *)field = (uint16_t)number(value);
}

static void set_4(void *field, char *value)
{
	*(uint32_t *)field = (uint32_t)number(value);
}

static void set_8(void *field, char *value)
{
	*(uint64_t *)field = (uint64_t)number(value);
}

#define SETTER(field)                                                                                                  \
	_Generic((field),                                                                                              \
		const char *: set_text,                                                                                \
		struct frames: set_frames,                                                                             \
		uint8_t: set_1,                                                                                        \
		uint16_t: set_2,                                                                                       \
		int16_t: set_2,                                                                                        \
		uint32_t: set_4,                                                                                       \
		int32_t: set_4,                                                                                        \
		default: set_8)

#define SET(kind, name)                                                                                                \
	if (strcmp(key, #name) == 0) {                                                                                 \
		SETTER(event.name)(&event.name, value);                                                                \
		continue;                                                                                              \
	}

/* Nothing given is "" for a text. */
#define DEFAULT(kind, name)                                                                                            \
	_Generic((event.name), const char * : set_text, default : set_nothing)(&event.name, (char[]){""});

static bool split(char *word, char **value)
{
	*value = strchr(word, '=');
	if (*value == NULL)
		return false;
	*(*value)++ = 0;
	return true;
}

static uint32_t next_seq(int32_t pid, uint32_t given, uint32_t gap)
{
	uint32_t *seq = counter_of(pid);

	*seq = given ? given : *seq + 1 + gap;
	return *seq;
}

static void unknown_field(const char *event, const char *key)
{
	fprintf(stderr, "forge: %s has no field '%s'\n", event, key);
	exit(1);
}

#define EMIT_FROM(name, channel)                                                                                       \
	static void forge_##name(const struct emit *emit, char **words, size_t count)                                  \
	{                                                                                                              \
		struct name##_event event = {0};                                                                       \
		uint32_t gap = 0;                                                                                      \
		char *value;                                                                                           \
                                                                                                                       \
		FIELDS_##name(DEFAULT) for (size_t i = 1; i < count; i++)                                              \
		{                                                                                                      \
			const char *key = words[i];                                                                    \
			if (!split(words[i], &value))                                                                  \
				unknown_field(#name, key);                                                             \
			if (strcmp(key, "seq") == 0 && *value == '+') {                                                \
				gap = (uint32_t)number(value + 1);                                                     \
				continue;                                                                              \
			}                                                                                              \
			FIELDS_HEAD(SET) FIELDS_##name(SET) unknown_field(#name, key);                                 \
		}                                                                                                      \
		if (event.recording == 0)                                                                              \
			event.recording = 0x1a2b3c4d;                                                                  \
		if (event.tid == 0)                                                                                    \
			event.tid = event.pid;                                                                         \
		event.seq = next_seq(event.pid, event.seq, gap);                                                       \
		emit->name(&event);                                                                                    \
	}
EVENTS(EMIT_FROM)

#define FORGE_ROW(name, channel) {#name, forge_##name},
static const struct {
	const char *name;
	void (*forge)(const struct emit *emit, char **words, size_t count);
} forges[] = {EVENTS(FORGE_ROW)};

static void forge_line(const struct emit *emit, char *line)
{
	char *words[64], *rest;
	size_t count = 0;

	for (char *word = strtok_r(line, " \t\n", &rest); word && count < 64; word = strtok_r(NULL, " \t\n", &rest))
		words[count++] = word;
	if (count == 0 || words[0][0] == '#')
		return;
	if (count == 2 && strcmp(words[0], "sleep") == 0) {
		usleep((useconds_t)number(words[1]) * 1000);
		return;
	}
	for (size_t i = 0; i < sizeof(forges) / sizeof(*forges); i++) {
		if (strcmp(words[0], forges[i].name) == 0) {
			forges[i].forge(emit, words, count);
			return;
		}
	}
	fprintf(stderr, "forge: no event '%s'\n", words[0]);
	exit(1);
}

int main(int argc, char **argv)
{
	char line[8192];
	void *provider = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	const struct emit *emit = provider ? dlsym(provider, EMIT_SYMBOL) : NULL;

	if (emit == NULL) {
		fprintf(stderr, "usage: forge PROVIDER.so < SCRIPT\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin))
		forge_line(emit, line);
	return 0;
}
