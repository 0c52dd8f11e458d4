#include "preload/note.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/text.h"
#include "preload/unsignalled.h"

static uint32_t recording;
static const char *file_path, *socket_name;

void note_initialise(uint32_t id, const char *file, const char *name)
{
	recording = id;
	file_path = file;
	socket_name = name;
}

static bool to_file(const char *record, size_t size)
{
	long fd = file_path ? kernel_open(file_path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -ENOENT;
	if (fd < 0)
		return false;
	long written = unsignalled_write((int)fd, record, size);
	kernel_close((int)fd);
	return written == (long)size;
}

/* A negative error where it is not sent. */
static long to_socket(const char *record, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = socket_name ? strnlen(socket_name, sizeof address.sun_path - 1) : 0;
	long fd = length ? kernel_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0) : -ENOENT;

	if (fd < 0)
		return fd;
	memcpy(address.sun_path + 1, socket_name, length);
	long sent = kernel_call(SYS_sendto, fd, (long)record, (long)size, MSG_DONTWAIT | MSG_NOSIGNAL, (long)&address,
				(long)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
	kernel_close((int)fd);
	return sent;
}

struct record {
	const char *bytes;
	size_t size;
};

static long hand_over(void *context)
{
	const struct record *record = context;

	return to_file(record->bytes, record->size) ? 0 : to_socket(record->bytes, record->size);
}

bool note_marked(const char *mark)
{
	size_t size = file_path ? strnlen(file_path, NOTE_SIZE_MAX) + strlen(mark) + 1 : 1;
	char path[size];
	struct stat status;

	*path = 0;
	return file_path && text_append(path, size, file_path) && text_append(path, size, mark) &&
	       kernel_stat_at(AT_FDCWD, path, 0, &status) == 0;
}

/* Of the texts as much as fits in a record, each with its NUL. Answers how many they are. */
static uint32_t measure(const struct note_content *content, size_t length[2], size_t *size)
{
	uint32_t texts = 0;

	for (; texts < 2 && content->text[texts] && *size < NOTE_SIZE_MAX - 1; texts++) {
		length[texts] = strnlen(content->text[texts], NOTE_SIZE_MAX - *size - 1);
		*size += length[texts] + 1;
	}
	return texts;
}

bool note_write(enum note_type type, const struct note_content *content)
{
	size_t length[2], size = sizeof(struct note);

	if (!recording)
		return true;
	uint32_t texts = measure(content, length, &size);
	/* No larger than it has to be: a signal handler on a small stack forks, waits, executes and ends, too. */
	char bytes[size], *at = bytes + sizeof(struct note);
	for (uint32_t i = 0; i < texts; i++) {
		memcpy(at, content->text[i], length[i]);
		at[length[i]] = 0;
		at += length[i] + 1;
	}
	struct note note = {
		.magic = NOTE_MAGIC,
		.size = (uint16_t)size,
		.type = (uint16_t)type,
		.recording = recording,
		.pid = (int32_t)kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0),
		.ppid = (int32_t)kernel_call(SYS_getppid, 0, 0, 0, 0, 0, 0),
		.uid = (uint32_t)kernel_call(SYS_getuid, 0, 0, 0, 0, 0, 0),
		.euid = (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0),
		.gid = (uint32_t)kernel_call(SYS_getgid, 0, 0, 0, 0, 0, 0),
		.child = content->child,
		.status = content->status,
		.error = content->error,
		.found = content->found,
		.texts = texts,
		.time = kernel_clock(CLOCK_MONOTONIC),
	};
	memcpy(bytes, &note, sizeof note);
	struct record record = {bytes, size};
	long told = apart_hidden(APART_NONE, hand_over, &record);
	if (told == -EMFILE)
		told = apart_spare(hand_over, &record);
	return told >= 0;
}
