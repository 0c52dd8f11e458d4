#include "analyzer/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/notices.h"
#include "tracepoints/notes.h"
#include "tracepoints/rules.h"
#include "analyzer/unseen.h"
#include "analyzer/usage.h"

#define TEXTS_MAX 8
#define BUFFER (16 * NOTE_SIZE_MAX)

static const char *const type_names[NOTE_COUNT] = {
#define NOTE_NAME(name) [NOTE_##name] = #name,
	NOTES(NOTE_NAME)
#undef NOTE_NAME
};

struct notes {
	uint32_t recording;
	char path[PATH_MAX], socket_name[40];
	int file, socket;
	char buffer[BUFFER]; /* of the file; `have` bytes, a record starts it */
	size_t have;
	int64_t realtime; /* added to CLOCK_MONOTONIC */
	FILE *out;
	int unwritten;    /* errno of the first line that could not be written */
	uint64_t damaged; /* bytes that belong to no record */
	struct unseen_watch *unseen;
	struct usage_watch *usage;
	struct notices *notices; /* NULL: not wanted */
	bool error;              /* told since notes_error() */
};

static int64_t notes_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void notes_line(struct notes *notes, json_t *line)
{
	if ((json_dumpf(line, notes->out, JSON_COMPACT) || putc('\n', notes->out) == EOF) && !notes->unwritten)
		notes->unwritten = errno;
	json_decref(line);
}

static json_t *notes_text(const char *bytes)
{
	char *text = escape_utf8(bytes);
	json_t *json = json_string(text);

	free(text);
	return json;
}

static void notes_unseen(void *context, pid_t pid, const char *exe, const char *reason)
{
	struct notes *notes = context;

	notes_line(notes,
		   json_pack("{s:s, s:i, s:o, s:o, s:I}", "type", "unseen", "pid", (int)pid, "exe", notes_text(exe),
			     "reason", notes_text(reason), "time", (json_int_t)notes_clock(CLOCK_REALTIME)));
}

/* A file that every user may append to, as the programs may change theirs, but that only who was told of can name. */
static int notes_make_file(struct notes *notes, const char *private, const unsigned char *random, char **error)
{
	snprintf(notes->path, sizeof(notes->path), "%s/notes-%02x%02x%02x%02x%02x%02x%02x%02x", private, random[0],
		 random[1], random[2], random[3], random[4], random[5], random[6], random[7]);
	notes->file = open(notes->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (notes->file >= 0 && !fchmod(notes->file, 0622))
		return 0;
	*error = memory_format("%s: %s", notes->path, strerror(errno));
	return -1;
}

static int notes_make_socket(struct notes *notes, const unsigned char *random, char **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length;

	snprintf(notes->socket_name, sizeof(notes->socket_name), "shmguard-%02x%02x%02x%02x%02x%02x%02x%02x", random[8],
		 random[9], random[10], random[11], random[12], random[13], random[14], random[15]);
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(notes->socket_name));
	memcpy(address.sun_path + 1, notes->socket_name, strlen(notes->socket_name));
	notes->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notes->socket >= 0 && !bind(notes->socket, (const struct sockaddr *)&address, length))
		return 0;
	*error = memory_format("socket for notes: %s", strerror(errno));
	return -1;
}

static void notes_free(struct notes *notes)
{
	if (notes->file >= 0)
		close(notes->file);
	if (notes->socket >= 0)
		close(notes->socket);
	if (notes->out)
		fclose(notes->out);
	unseen_free(notes->unseen);
	usage_free(notes->usage);
	if (notes->notices)
		notices_free(notes->notices);
	free(notes);
}

struct notes *notes_open(const char *private, const char *dir, uint32_t recording, char **error)
{
	struct notes *notes = memory_new(1, sizeof(*notes));
	unsigned char random[16];
	char path[PATH_MAX];
	int r;

	notes->recording = recording;
	notes->file = notes->socket = -1;
	notes->realtime = notes_clock(CLOCK_REALTIME) - notes_clock(CLOCK_MONOTONIC);
	notes->unseen = unseen_new(notes_unseen, notes);
	notes->usage = usage_new();
	snprintf(path, sizeof(path), "%s/processes.jsonl", dir);
	notes->out = fopen(path, "wxe");
	if (!notes->out) {
		*error = memory_format("%s: %s", path, strerror(errno));
		notes_free(notes);
		return NULL;
	}
	r = getrandom(random, sizeof(random), 0) == sizeof(random) ? 0 : -1;
	if (r)
		*error = memory_format("getrandom: %s", strerror(errno));
	if (r || notes_make_file(notes, private, random, error) || notes_make_socket(notes, random, error)) {
		notes_free(notes);
		return NULL;
	}
	notes_line(notes, json_pack("{s:s, s:o}", "type", "recording", "id", json_sprintf("%08x", recording)));
	return notes;
}

void notes_tell(struct notes *notes)
{
	notes->notices = notices_new();
}

const char *notes_path(const struct notes *notes)
{
	return notes->path;
}

const char *notes_socket(const struct notes *notes)
{
	return notes->socket_name;
}

int notes_descriptor(const struct notes *notes)
{
	return notes->socket;
}

/* A whole record at `note`: its texts are found, and it is written and judged. */
static void notes_take(struct notes *notes, const struct note *note)
{
	const char *texts[TEXTS_MAX], *next = (const char *)(note + 1), *end = (const char *)note + note->size;
	json_t *list = json_array();
	uint32_t count = 0;

	for (uint32_t i = 0; i < TEXTS_MAX; i++)
		texts[i] = "";
	while (count < note->texts && count < TEXTS_MAX && next < end && memchr(next, 0, (size_t)(end - next))) {
		texts[count++] = next;
		json_array_append_new(list, notes_text(next));
		next += strlen(next) + 1;
	}
	/* The trace has them as well. */
	if (note->type == NOTE_finding || note->type == NOTE_fault) {
		notes->error |= note->type == NOTE_fault || note->found.severity == SEVERITY_ERROR;
		if (notes->notices)
			notices_take(notes->notices, note, texts);
		json_decref(list);
		return;
	}
	notes_line(notes, json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:i, s:i, s:i, s:I, s:o}", "type",
				    type_names[note->type], "pid", note->pid, "ppid", note->ppid, "uid",
				    (json_int_t)note->uid, "euid", (json_int_t)note->euid, "gid", (json_int_t)note->gid,
				    "child", note->child, "status", note->status, "error", note->error, "time",
				    (json_int_t)note->time + notes->realtime, "texts", list));
	unseen_note(notes->unseen, note, texts);
	if (note->type == NOTE_end && notes->notices)
		notices_ended(notes->notices, note->child, note->status != 0);
	if (note->type == NOTE_leave && notes->notices)
		notices_ended(notes->notices, note->pid, note->status != 0);
	if (note->type == NOTE_start || note->type == NOTE_fork)
		usage_process(notes->usage, note->pid);
}

/* The record's size, 0 if more bytes are needed to know, -1 if these bytes are none. */
static int notes_valid(const struct notes *notes, const char *bytes, size_t have)
{
	struct note note;

	if (have < sizeof(note))
		return 0;
	memcpy(&note, bytes, sizeof(note));
	if (note.magic != NOTE_MAGIC || note.size < sizeof(note) || note.size > NOTE_SIZE_MAX ||
	    note.type >= NOTE_COUNT || note.recording != notes->recording)
		return -1;
	return note.size <= have ? note.size : 0;
}

static void notes_take_bytes(struct notes *notes, const char *bytes, size_t size)
{
	union {
		struct note note;
		char bytes[NOTE_SIZE_MAX];
	} record;

	memcpy(record.bytes, bytes, size);
	notes_take(notes, &record.note);
}

/* Takes the whole records at the start of the buffer; what belongs to none is passed over. */
static void notes_parse(struct notes *notes)
{
	size_t at = 0;

	for (;;) {
		int size = notes_valid(notes, notes->buffer + at, notes->have - at);

		if (!size)
			break;
		if (size < 0) {
			notes->damaged++;
			at++;
			continue;
		}
		notes_take_bytes(notes, notes->buffer + at, (size_t)size);
		at += (size_t)size;
	}
	notes->have -= at;
	memmove(notes->buffer, notes->buffer + at, notes->have);
}

static void notes_read_file(struct notes *notes)
{
	ssize_t got;

	while ((got = read(notes->file, notes->buffer + notes->have, sizeof(notes->buffer) - notes->have)) > 0) {
		notes->have += (size_t)got;
		notes_parse(notes);
	}
}

static void notes_read_socket(struct notes *notes)
{
	char datagram[NOTE_SIZE_MAX];
	ssize_t got;

	while ((got = recv(notes->socket, datagram, sizeof(datagram), MSG_DONTWAIT)) >= 0) {
		int size = notes_valid(notes, datagram, (size_t)got);

		if (size > 0)
			notes_take_bytes(notes, datagram, (size_t)size);
		else
			notes->damaged += (uint64_t)got;
	}
}

void notes_look(struct notes *notes)
{
	notes_read_socket(notes);
	notes_read_file(notes);
	unseen_settle(notes->unseen, 0);
	usage_look(notes->usage);
	if (notes->notices)
		notices_look(notes->notices);
	if (fflush(notes->out) && !notes->unwritten)
		notes->unwritten = errno;
}

bool notes_error(struct notes *notes)
{
	bool error = notes->error;

	notes->error = false;
	return error;
}

void notes_started(struct notes *notes, pid_t pid, const char *path)
{
	unseen_started(notes->unseen, pid, path);
}

void notes_reaped(struct notes *notes, pid_t pid, int status)
{
	notes_line(notes, json_pack("{s:s, s:i, s:i, s:I}", "type", "reaped", "pid", (int)pid, "status", status, "time",
				    (json_int_t)notes_clock(CLOCK_REALTIME)));
	unseen_ended(notes->unseen, pid, status);
	if (notes->notices) {
		/* What it told last may not have been read. */
		notes_read_socket(notes);
		notes_read_file(notes);
		notices_ended(notes->notices, pid, status != 0);
	}
}

static void notes_usage(void *context, json_t *line)
{
	notes_line(context, line);
}

void notes_close(struct notes *notes, struct problems *problems)
{
	notes_read_socket(notes);
	notes_read_file(notes);
	unseen_settle(notes->unseen, 1);
	usage_tell(notes->usage, notes_usage, notes);
	notes->damaged += notes->have;
	if (notes->damaged)
		problems_add(problems, "%llu bytes of notes about processes were damaged",
			     (unsigned long long)notes->damaged);
	if (fflush(notes->out) && !notes->unwritten)
		notes->unwritten = errno;
	if (notes->unwritten)
		problems_add(problems, "processes.jsonl is incomplete: %s", strerror(notes->unwritten));
	notes_free(notes);
}
