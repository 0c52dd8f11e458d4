#include "analyzer/notices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/at_once.h"
#include "analyzer/deleted_mark.h"
#include "analyzer/escape.h"
#include "analyzer/exe.h"
#include "analyzer/judge_call.h"
#include "analyzer/judge_size.h"
#include "analyzer/map.h"
#include "analyzer/mapped.h"
#include "analyzer/memory.h"

/* Nanoseconds that a mapping may wait for its object to get its size, and a size for its pages to be reserved. */
#define PATIENCE 900000000
/* So many files wait for somebody who maps them, for whom all processes are looked through. */
#define FILES_MAX 16
/* Notices within a second, and none that standard error has no room for; the report has them all. */
#define RATE 10

struct waiting {
	struct waiting *next;
	int64_t due;
	struct note note;
	char *name, *exe;
};

struct notices {
	struct waiting *first; /* in the order in which they came */
	struct map told;       /* (hash of rule, object, process) */
	int64_t second;
	unsigned within, withheld;
	unsigned files; /* among those that wait */
};

static int64_t notices_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct notices *notices_new(void)
{
	return memory_new(1, sizeof(struct notices));
}

static void notices_print(struct notices *notices, const char *rule, char *words)
{
	int64_t now = notices_now();
	char *safe = escape_terminal(words), *line = memory_format("shmguard: error: %s: %s\n", rule, safe);

	if (now - notices->second > 1000000000) {
		notices->second = now;
		notices->within = 0;
	}
	if (notices->within++ >= RATE || !at_once_tell(line))
		notices->withheld++;
	free(line);
	free(safe);
	free(words);
}

static bool notices_is_object(const char *path, const struct note *note, uint64_t *size)
{
	struct stat st;

	if (stat(path, &st) < 0 || st.st_dev != note->found.dev || st.st_ino != note->found.ino)
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

/* As the program would call it: "/dev/shm/x" is "/x", "/memfd:x (deleted)" is "memfd:x". */
static char *notices_name(const char *link)
{
	static const char directory[] = "/dev/shm";
	const char *name = strncmp(link, directory, strlen(directory)) == 0 ? link + strlen(directory)
			   : strncmp(link, "/memfd:", 7) == 0               ? link + 1
									    : link;
	char *copy = memory_text(name);

	copy[deleted_mark(copy)] = '\0';
	return copy;
}

/* By what the process told of it. */
static char *notices_called(const struct note *note, const char *text)
{
	bool bare = note->found.kind == KIND_memfd && *text && strncmp(text, "/memfd:", 7) != 0;

	return bare ? memory_format("memfd:%s", text) : notices_name(text);
}

/* The object among the descriptors of the process; *name is a new text, NULL if it is not there. */
static bool notices_find(const struct note *note, uint64_t *size, char **name)
{
	char path[PATH_MAX], link[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)note->pid);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)note->pid, entry->d_name);
		found = notices_is_object(path, note, size);
	}
	length = found ? readlink(path, link, sizeof(link) - 1) : -1;
	link[length > 0 ? length : 0] = '\0';
	*name = found ? notices_name(link) : NULL;
	if (directory)
		closedir(directory);
	return found;
}

static char *notices_exe(int32_t pid)
{
	char path[64], *exe;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	exe = exe_path(AT_FDCWD, path);
	return exe ? exe : memory_text("");
}

/* The same sentences as in the report, of what a note knows. */
static char *notices_words(const struct note *note, const char *name, const char *exe)
{
	char *other_exe = notices_exe(note->found.other), *words;
	const struct note_found *found = &note->found;
	struct name names = {.text = name};
	struct process process = {.pid = note->pid, .exe = exe}, other = {.pid = note->found.other, .exe = other_exe};
	struct object object = {.size = found->size, .names = &names, .name_count = *name != 0};
	struct charge charge = {
		.event = {.rule = (uint16_t)found->rule,
			  .severity = (uint8_t)found->severity,
			  .response = (uint8_t)found->response,
			  .offset = found->offset,
			  .length = found->length,
			  .size = found->size,
			  .limit = found->limit,
			  .other = found->other,
			  .error = (int16_t)note->error,
			  .name = name},
		.process = &process,
		.object = &object,
		.other = note->found.other ? &other : NULL,
		.resizing = found->offset == 0 && found->length > found->size,
	};
	struct fault_event fault = {.cause = (uint8_t)found->rule,
				    .offset = found->offset,
				    .length = found->length,
				    .size = found->size,
				    .available = found->limit,
				    .survived = found->survived != 0,
				    .access = (uint8_t)found->access};

	if (note->type == NOTE_finding && rules[found->rule].group == GROUP_permission)
		words = permission_words(&object, &charge.event, &(struct site){.process = &process});
	else
		words = note->type == NOTE_fault ? fault_words(&process, &object, &fault) : size_words(&charge);
	free(other_exe);
	return note->type == NOTE_finding ? judge_response(words, &charge.event) : words;
}

static void notices_tell(struct notices *notices, const struct note *note, const char *name, const char *exe)
{
	bool fault = note->type == NOTE_fault;
	const char *rule = rules[fault ? RULE_sigbus_cause : note->found.rule].id;
	uint64_t hash = map_hash(map_hash(MAP_HASH, rule, strlen(rule)), &note->pid, sizeof(note->pid)), size;
	/* A link of /proc is a way to the object, and no name of it. */
	const char *own = name_is_way(name) ? "" : name;
	char *called = NULL;

	if (map_get(&notices->told, hash ^ note->found.dev, note->found.ino))
		return;
	map_put(&notices->told, hash ^ note->found.dev, note->found.ino, notices);
	if (*own || !notices_find(note, &size, &called))
		called = notices_called(note, own);
	notices_print(notices, rule, notices_words(note, called, exe));
	free(called);
}

/* A handler of its own may go on, or end the process: judge_fault.c. */
static bool notices_may_go_on(const struct note *note)
{
	return note->type == NOTE_fault && note->found.severity < SEVERITY_ERROR;
}

/* Some mistakes a program makes up for: it grows what it has mapped, or gives up what it could not reserve. */
static bool notices_may_be_mended(const struct note *note)
{
	return note->type == NOTE_finding &&
	       (note->found.rule == RULE_map_beyond_end || note->found.rule == RULE_map_before_size ||
		note->found.rule == RULE_resize_failed_ignored || note->found.rule == RULE_shm_fs_full);
}

/* What open(2) made is no shared memory before it is mapped so: see judge_permission.c. */
static bool notices_may_be_a_file(const struct note *note)
{
	return note->type == NOTE_finding && rules[note->found.rule].group == GROUP_permission &&
	       note->found.kind == KIND_file && note->found.response == RESPONSE_recorded;
}

static bool notices_is_same(const struct note *a, const struct note *b)
{
	return a->found.dev == b->found.dev && a->found.ino == b->found.ino;
}

static void notices_remove(struct notices *notices, struct waiting **at)
{
	struct waiting *waiting = *at;

	*at = waiting->next;
	notices->files -= notices_may_be_a_file(&waiting->note);
	free(waiting->name);
	free(waiting->exe);
	free(waiting);
}

static void notices_wait(struct notices *notices, const struct note *note, const char *name, const char *exe)
{
	struct waiting **end = &notices->first, *waiting = memory_new(1, sizeof(*waiting));

	*waiting = (struct waiting){
		.due = notices_now() + PATIENCE, .note = *note, .name = memory_text(name), .exe = memory_text(exe)};
	notices->files += notices_may_be_a_file(note);
	for (; *end; end = &(*end)->next) {
		/* Of mappings in a loop the first speaks for all. */
		if (notices_is_same(&(*end)->note, note) && (*end)->note.pid == note->pid &&
		    (*end)->note.type == note->type && (*end)->note.found.rule == note->found.rule) {
			notices_remove(notices, &waiting);
			return;
		}
	}
	*end = waiting;
}

static bool notices_concerns_object(const struct note *waiting, const struct note *note)
{
	return notices_is_same(waiting, note) && !notices_may_go_on(waiting) && !notices_may_be_a_file(waiting);
}

static bool notices_was_last_fault(const struct note *waiting, const struct note *note)
{
	return waiting->pid == note->pid && notices_may_go_on(waiting);
}

static void notices_tell_waiting(struct notices *notices, const struct note *note,
				 bool (*which)(const struct note *, const struct note *))
{
	for (struct waiting **at = &notices->first; *at;) {
		if (which(&(*at)->note, note)) {
			notices_tell(notices, &(*at)->note, (*at)->name, (*at)->exe);
			notices_remove(notices, at);
		} else {
			at = &(*at)->next;
		}
	}
}

/* An error if another process maps what was emptied. */
static bool notices_empties_another(struct note *note)
{
	note->found.other = mapped_by_other(note->pid, note->found.dev, note->found.ino);
	note->found.severity = SEVERITY_ERROR;
	return note->found.other != 0;
}

void notices_take(struct notices *notices, const struct note *given, const char *const texts[2])
{
	struct note own = *given, *note = &own;

	if (note->type == NOTE_finding && note->found.rule == RULE_truncate_on_open && !notices_empties_another(note))
		return;
	if (note->type == NOTE_fault ? note->found.rule > CAUSE_unknown || note->found.severity < SEVERITY_WARNING
				     : note->found.rule >= RULE_COUNT || note->found.severity < SEVERITY_ERROR)
		return;
	if (notices_may_be_a_file(note) && notices->files == FILES_MAX)
		return;
	if (notices_may_be_mended(note) || notices_may_go_on(note) || notices_may_be_a_file(note)) {
		notices_wait(notices, note, texts[0], texts[1]);
		return;
	}
	/* It is too late to mend that. */
	if (note->type == NOTE_fault)
		notices_tell_waiting(notices, note, notices_concerns_object);
	notices_tell(notices, note, texts[0], texts[1]);
}

void notices_ended(struct notices *notices, int32_t pid, bool badly)
{
	if (badly)
		notices_tell_waiting(notices, &(struct note){.pid = pid}, notices_was_last_fault);
}

static uint64_t notices_round(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* The object's size now, by its name or through the process that maps it; false when neither leads there. */
static bool notices_find_size(const struct waiting *waiting, uint64_t *size)
{
	char path[PATH_MAX], *name;
	bool found;

	snprintf(path, sizeof(path), "/proc/%d/root/dev/shm/%s", (int)waiting->note.pid,
		 waiting->name + strspn(waiting->name, "/"));
	if (*waiting->name && notices_is_object(path, &waiting->note, size))
		return true;
	found = notices_find(&waiting->note, size, &name);
	free(name);
	return found;
}

/*
 * One that has ended meanwhile did so without a SIGBUS, else there were a note of it. What lay past the end may have been
 * unmapped, or closed by PROT_NONE. An object that nothing leads to any more may have its size, or be gone: the report
 * knows.
 */
static bool notices_is_unmended(const struct waiting *waiting)
{
	const struct note_found *found = &waiting->note.found;
	struct mapped mapped = mapped_by(waiting->note.pid, found->dev, found->ino);
	uint64_t end = (uint64_t)found->offset + found->length, size;
	bool seen = notices_find_size(waiting, &size);

	if (found->rule == RULE_shm_fs_full)
		return seen && size >= found->length;
	if (!seen && mapped.has_size)
		size = mapped.size;
	seen |= mapped.has_size;
	if (mapped.any && mapped.end < end)
		end = mapped.end;
	/* The kernel's mapping ends with a page, as the object's last page does. */
	return seen && notices_round(size) < notices_round(end);
}

/* By the process that made it, while it does: it may end at once. */
static bool notices_maps_file(const struct note *waiting, const struct note *none)
{
	(void)none;
	return notices_may_be_a_file(waiting) && mapped_by(waiting->pid, waiting->found.dev, waiting->found.ino).shared;
}

/* Has its time proved it right? */
static bool notices_stands(const struct waiting *waiting)
{
	if (notices_may_be_a_file(&waiting->note))
		return mapped_shared(waiting->note.found.dev, waiting->note.found.ino);
	return !notices_may_go_on(&waiting->note) && notices_is_unmended(waiting);
}

static void notices_tell_withheld(struct notices *notices)
{
	char *line =
		memory_format("shmguard: error: %u more of the kind; the report has them all\n", notices->withheld);

	if (at_once_tell(line))
		notices->withheld = 0;
	free(line);
}

void notices_look(struct notices *notices)
{
	int64_t now = notices_now();

	if (notices->files)
		notices_tell_waiting(notices, NULL, notices_maps_file);
	while (notices->first && notices->first->due <= now) {
		const struct waiting *waiting = notices->first;

		if (notices_stands(waiting))
			notices_tell(notices, &waiting->note, waiting->name, waiting->exe);
		notices_remove(notices, &notices->first);
	}
	if (notices->withheld && now - notices->second > 1000000000)
		notices_tell_withheld(notices);
}

void notices_free(struct notices *notices)
{
	while (notices->first)
		notices_remove(notices, &notices->first);
	map_clear(&notices->told);
	free(notices);
}
