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
#include "analyzer/loader.h"
#include "analyzer/memory.h"

/* As the kernel: a script's interpreter may be a script, up to here. */
#define INTERPRETERS_MAX 5
#define SCRIPT_LINE (PROGRAM_SCRIPT_WORD - 1)

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

bool program_script(int fd, char interpreter[PATH_MAX], char word[PROGRAM_SCRIPT_WORD])
{
	char line[SCRIPT_LINE + 1];
	ssize_t got = pread(fd, line, SCRIPT_LINE, 0);
	char *start, *rest;
	size_t length;

	if (got < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	length = strcspn(start, " \t");
	if (!length)
		return false;
	snprintf(interpreter, PATH_MAX, "%.*s", (int)length, start);
	rest = start + length + strspn(start + length, " \t");
	for (length = strlen(rest); length && strchr(" \t", rest[length - 1]);)
		length--;
	snprintf(word, PROGRAM_SCRIPT_WORD, "%.*s", (int)length, rest);
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
	char at[PATH_MAX], interpreter[PATH_MAX], word[PROGRAM_SCRIPT_WORD];
	int r = 0;

	snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; !r && i < INTERPRETERS_MAX; i++) {
		int fd = open(at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		/* What may be executed need not be readable. */
		if (fd < 0)
			return 0;
		if (!program_script(fd, interpreter, word)) {
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

static char *program_image(const struct image *image)
{
	const char *name = strrchr(image->loader, '/');

	/* What is none is the kernel's, or execvp's, business. */
	if (!image->bits)
		return NULL;
	if (image->bits != OWN_BITS)
		return memory_format("it is a %d-bit program", image->bits);
	if (!image->own)
		return memory_text("it is a program for another machine");
	if (!image->loaded)
		return memory_text("it is statically linked");
	if (name && strncmp(name, "/ld-musl", 8) == 0)
		return memory_format("it runs on another C library (%s)", image->loader);
	return NULL;
}

/* Of what the loader is to load. By it nothing gains rights; what has no slash it looks for among libraries. */
static char *program_given(char *const *words)
{
	const char *only, *path = loader_program(words, &only);
	char *why, *whole = NULL;
	struct image image;
	int fd;

	if (only)
		return memory_format("with %s the dynamic loader runs no program", only);
	fd = path && strchr(path, '/') ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return NULL;
	image = image_headers(fd);
	why = program_image(&image);
	if (why)
		whole = memory_format("of %s, which the dynamic loader is to load: %s", path, why);
	free(why);
	close(fd);
	return whole;
}

static bool program_is_loader(int fd)
{
	struct image image = image_read(fd);
	bool is = loader_is(&image);

	image_free(&image);
	return is;
}

static char *program_at(int fd, char *const *words, uid_t uid, gid_t gid)
{
	struct image image = image_headers(fd);
	bool loader = image.own && !image.loaded && program_is_loader(fd);
	char *why = !loader ? program_image(&image) : words ? program_given(words) : NULL;

	return why ?: program_set_id(fd, uid, gid) ?: program_capabilities(fd, uid);
}

char *program_unseen(const char *path, const char *cwd, uid_t uid, gid_t gid, char *const *arguments)
{
	char at[PATH_MAX], script[PATH_MAX], interpreter[PATH_MAX] = "", word[PROGRAM_SCRIPT_WORD], *why = NULL;
	/* What the kernel puts before a script's own arguments. */
	char *by_script[] = {word, script, NULL}, *const *words = arguments && arguments[0] ? arguments + 1 : NULL;
	bool is_script = true;

	if ((size_t)snprintf(at, sizeof(at), "%s%s%s", path[0] == '/' ? "" : cwd, path[0] == '/' || !cwd[0] ? "" : "/",
			     path) >= sizeof(at))
		return NULL;
	for (int i = 0; is_script && i < INTERPRETERS_MAX; i++) {
		int fd = open(at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			return NULL;
		is_script = program_script(fd, interpreter, word);
		if (is_script) {
			memcpy(script, at, sizeof(script));
			memcpy(at, interpreter, sizeof(at));
			words = by_script + !*word;
		} else {
			why = program_at(fd, words, uid, gid);
		}
		close(fd);
	}
	if (why && interpreter[0]) {
		char *whole = memory_format("of its interpreter %s: %s", at, why);

		free(why);
		return whole;
	}
	return why;
}
