#include "preload/process.h"

#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "preload/keep.h"
#include "preload/kernel.h"
#include "preload/maps.h"
#include "preload/real.h"
#include "preload/text.h"

static const char *exe = "", *program = "", *argv_text = "";
static enum began began = BEGAN_exec;
static int32_t began_parent;

enum { ARGV_SIZE = 3072 };

/* Appends with blanks, backslashes and newlines escaped; false when it did not fit. */
static bool append_word(char text[static ARGV_SIZE], size_t *length, const char *word)
{
	for (; *word; word++) {
		bool escape = strchr(" \\\n", *word) != NULL;
		if (*length + 2 >= ARGV_SIZE)
			return false;
		if (escape)
			text[(*length)++] = '\\';
		text[(*length)++] = *word == '\n' ? 'n' : *word;
	}
	text[*length] = 0;
	return true;
}

/* A path with the mark may be a file's own name, and then leads to that. */
static bool leads_to(const char *path, uint64_t dev, uint64_t ino)
{
	struct stat st;
	return kernel_stat_at(AT_FDCWD, path, 0, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

long process_exe_of(const char *link, char *path, size_t size)
{
	struct stat st = {0};
	long length = kernel_readlink(link, path, size - 1);

	path[length > 0 ? length : 0] = 0;
	char *mark = text_gone_mark(path);
	if (mark)
		kernel_stat_at(AT_FDCWD, link, 0, &st);
	if (mark && !leads_to(path, st.st_dev, st.st_ino))
		*mark = 0;
	return length;
}

/* Where the loader was what was executed (ld.so(8)), it had none itself, and says where the program's own code begins. */
static const char *find_program(void)
{
	char buffer[MAPS_LINE];
	struct maps_line line;

	if (LIBC(getauxval)(AT_BASE) || !maps_find(LIBC(getauxval)(AT_ENTRY), buffer, &line))
		return exe;
	char *path = buffer + (line.path - buffer), *mark = text_gone_mark(path);
	if (mark && !leads_to(path, line.dev, line.ino))
		*mark = 0;
	return keep_text(path);
}

void process_initialise(int argc, char **argv)
{
	char text[4096];
	size_t length = 0;
	long bytes = process_exe_of("/proc/thread-self/exe", text, sizeof text);

	/* Without /proc what was executed is known by the name that it was called by. */
	exe = keep_text(bytes > 0 ? text : (const char *)LIBC(getauxval)(AT_EXECFN) ?: "");
	program = find_program();
	began_parent = (int32_t)kernel_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
	text[0] = 0;
	for (int i = 0; i < argc && argv[i]; i++) {
		if (i && length + 1 < ARGV_SIZE)
			text[length++] = ' ';
		if (!append_word(text, &length, argv[i]))
			break;
	}
	text[length] = 0;
	argv_text = keep_text(text);
}

const char *process_exe(void)
{
	return exe;
}

const char *process_program(void)
{
	return program;
}

const char *process_argv(void)
{
	return argv_text;
}

/* "mnt:[4026531841]" */
static uint64_t namespace_number(const char *link)
{
	char text[64];
	long length = kernel_readlink(link, text, sizeof text - 1);
	uint64_t number = 0;

	text[length > 0 ? length : 0] = 0;
	const char *digit = strchr(text, '[');
	for (digit = digit ? digit + 1 : ""; *digit >= '0' && *digit <= '9'; digit++)
		number = number * 10 + (uint64_t)(*digit - '0');
	return number;
}

void process_describe(struct process_event *e)
{
	*e = (struct process_event){
		.uid = (uint32_t)kernel_call(SYS_getuid, 0, 0, 0, 0, 0, 0),
		.gid = (uint32_t)kernel_call(SYS_getgid, 0, 0, 0, 0, 0, 0),
		.euid = (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0),
		.mount_namespace = namespace_number("/proc/thread-self/ns/mnt"),
		.ipc_namespace = namespace_number("/proc/thread-self/ns/ipc"),
		.exe = exe,
		.argv = argv_text,
	};
}

void process_forked(int32_t parent)
{
	began = BEGAN_fork;
	began_parent = parent;
}

enum began process_began(void)
{
	return began;
}

int32_t process_parent(void)
{
	return began_parent;
}
