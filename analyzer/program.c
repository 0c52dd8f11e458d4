#include "analyzer/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "analyzer/image.h"
#include "analyzer/memory.h"

/* As the kernel: a script's interpreter may be a script, up to here. */
#define INTERPRETERS_MAX 5
#define SCRIPT_LINE 256

static int program_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (!S_ISREG(status.st_mode) || access(path, X_OK))
		return EACCES;
	return 0;
}

int program_find(const char *name, char path[PATH_MAX])
{
	const char *list = getenv("PATH"), *next;
	int found = ENOENT;

	if (!list)
		list = "/bin:/usr/bin";
	if (!name[0])
		return ENOENT;
	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return ENAMETOOLONG;
		return program_executable(path);
	}
	for (; list; list = next) {
		size_t length = strcspn(list, ":");
		int r;

		next = list[length] ? list + length + 1 : NULL;
		if ((size_t)snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, list, length ? "/" : "", name) >=
		    PATH_MAX)
			continue;
		r = program_executable(path);
		if (!r)
			return 0;
		if (r == EACCES)
			found = EACCES;
	}
	return found;
}

bool program_script(int fd, char interpreter[PATH_MAX])
{
	char line[SCRIPT_LINE + 1];
	ssize_t got = pread(fd, line, SCRIPT_LINE, 0);
	char *start;

	if (got < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t")] = '\0';
	if (!start[0])
		return false;
	snprintf(interpreter, PATH_MAX, "%s", start);
	return true;
}

/* The loader ignores LD_PRELOAD only where the start gains something. */
static bool program_gains(int fd)
{
	struct statvfs mount;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && (fstatvfs(fd, &mount) || !(mount.f_flag & ST_NOSUID));
}

char *program_set_id(int fd, uid_t uid, gid_t gid)
{
	struct stat status;

	if (fstat(fd, &status) || !program_gains(fd))
		return NULL;
	if (status.st_mode & S_ISUID && status.st_uid != uid)
		return memory_text("it is set-user-ID");
	if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != gid)
		return memory_text("it is set-group-ID");
	return NULL;
}

char *program_capabilities(int fd, uid_t uid)
{
	if (!uid || !program_gains(fd) || fgetxattr(fd, "security.capability", NULL, 0) <= 0)
		return NULL;
	return memory_text("it has file capabilities");
}

#define OWN_BITS ((int)sizeof(void *) * 8)

/* ENOEXEC where an ELF file ends before its program headers do, which libelf gives no number of. */
static int program_elf_broken(int fd, char **why)
{
	struct image image = image_headers(fd);
	struct stat status;
	int r = 0;

	if (fstat(fd, &status) || !image.headers_end)
		return 0;
	if (image.headers_end > (uint64_t)status.st_size) {
		r = ENOEXEC;
		*why = memory_format("it is an ELF file cut short: its program headers reach to byte %" PRIu64
				     ", it has %jd",
				     image.headers_end, (intmax_t)status.st_size);
	} else if (image.bits == OWN_BITS && image.loaded && (r = program_executable(image.loader))) {
		*why = memory_format("its loader %s: %s", image.loader, strerror(r));
	}
	return r;
}

int program_broken(const char *path, char **why)
{
	char at[PATH_MAX], interpreter[PATH_MAX];
	int r = 0;

	snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; !r && i < INTERPRETERS_MAX; i++) {
		int fd = open(at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		/* What may be executed need not be readable. */
		if (fd < 0)
			return 0;
		if (!program_script(fd, interpreter)) {
			r = program_elf_broken(fd, why);
			close(fd);
			break;
		}
		close(fd);
		r = program_executable(interpreter);
		if (r)
			*why = memory_format("its interpreter %s: %s", interpreter, strerror(r));
		memcpy(at, interpreter, sizeof(at));
	}
	return r;
}

static char *program_image(int fd)
{
	struct image image = image_headers(fd);
	const char *name = strrchr(image.loader, '/');

	/* What is none is the kernel's, or execvp's, business. */
	if (!image.bits)
		return NULL;
	if (image.bits != OWN_BITS)
		return memory_format("it is a %d-bit program", image.bits);
	if (!image.own)
		return memory_text("it is a program for another machine");
	if (!image.loaded)
		return memory_text("it is statically linked");
	if (name && strncmp(name, "/ld-musl", 8) == 0)
		return memory_format("it runs on another C library (%s)", image.loader);
	return NULL;
}

char *program_unseen(const char *path, const char *cwd, uid_t uid, gid_t gid)
{
	char at[PATH_MAX], interpreter[PATH_MAX] = "", *why = NULL;
	bool script = true;

	if ((size_t)snprintf(at, sizeof(at), "%s%s%s", path[0] == '/' ? "" : cwd, path[0] == '/' || !cwd[0] ? "" : "/",
			     path) >= sizeof(at))
		return NULL;
	for (int i = 0; script && i < INTERPRETERS_MAX; i++) {
		int fd = open(at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			return NULL;
		script = program_script(fd, interpreter);
		if (script)
			memcpy(at, interpreter, sizeof(at));
		else if (!(why = program_image(fd)))
			why = program_set_id(fd, uid, gid) ?: program_capabilities(fd, uid);
		close(fd);
	}
	if (why && interpreter[0]) {
		char *whole = memory_format("of its interpreter %s: %s", at, why);

		free(why);
		return whole;
	}
	return why;
}
