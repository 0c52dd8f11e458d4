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

/* Copies as much of the text as fits, always with its NUL. */
static size_t append(char *record, size_t at, const char *text)
{
	size_t length = strnlen(text, NOTE_SIZE_MAX - at - 1);
	memcpy(record + at, text, length);
	record[at + length] = 0;
	return at + length + 1;
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

static void to_socket(const char *record, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = socket_name ? strnlen(socket_name, sizeof address.sun_path - 1) : 0;
	long fd = length ? kernel_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0, 0) : -ENOENT;

	if (fd < 0)
		return;
	memcpy(address.sun_path + 1, socket_name, length);
	kernel_call(SYS_sendto, fd, (long)record, (long)size, MSG_DONTWAIT | MSG_NOSIGNAL, (long)&address,
		    (long)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
	kernel_close((int)fd);
}

struct record {
	char bytes[NOTE_SIZE_MAX];
	size_t size;
};

static long hand_over(void *context)
{
	const struct record *record = context;

	if (!to_file(record->bytes, record->size))
		to_socket(record->bytes, record->size);
	return 0;
}

bool note_marked(const char *mark)
{
	char path[NOTE_SIZE_MAX] = "";
	struct stat status;

	return file_path && text_append(path, sizeof path, file_path) && text_append(path, sizeof path, mark) &&
	       kernel_stat_at(AT_FDCWD, path, 0, &status) == 0;
}

void note_write(enum note_type type, const struct note_content *content)
{
	struct record record = {.size = sizeof(struct note)};
	uint32_t texts = 0;

	if (!recording)
		return;
	for (; texts < 2 && content->text[texts] && record.size < NOTE_SIZE_MAX - 1; texts++)
		record.size = append(record.bytes, record.size, content->text[texts]);
	struct note note = {
		.magic = NOTE_MAGIC,
		.size = (uint16_t)record.size,
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
	memcpy(record.bytes, &note, sizeof note);
	apart_hidden(APART_NONE, hand_over, &record);
}
