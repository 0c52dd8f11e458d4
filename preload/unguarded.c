#include "preload/unguarded.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/own.h"
#include "preload/real.h"
#include "preload/text.h"

/* BINPRM_BUF_SIZE, and how many interpreters of interpreters the kernel follows. */
enum { SCRIPT_LINE = 256, INTERPRETERS = 5, HEADERS = 64 };

/* Our own header, as the linker places it. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static bool is_executable(const char *path)
{
	struct stat st;

	return kernel_stat_at(AT_FDCWD, path, 0, &st) == 0 && S_ISREG(st.st_mode) &&
	       kernel_call(SYS_faccessat2, AT_FDCWD, (long)path, X_OK, AT_EACCESS, 0, 0) != -EACCES;
}

static const char *search_path(void)
{
	return LIBC(getenv)("PATH") ?: "/bin:/usr/bin";
}

/* Does it depend on the working directory where that leads? */
static bool is_relative(const char *file, bool searches)
{
	if (!searches || strchr(file, '/'))
		return file[0] != '/';
	for (const char *at = search_path(); at[0] == '/'; at++) {
		at += strcspn(at, ":");
		if (!at[0])
			return false;
	}
	return true;
}

bool unguarded_find(const char *file, bool searches, char path[static UNGUARDED_PATH])
{
	const char *at = search_path();

	path[0] = 0;
	if (!searches || strchr(file, '/'))
		return text_append(path, UNGUARDED_PATH, file) && is_executable(path);
	for (size_t length; length = strcspn(at, ":"), true; at += length + 1) {
		path[0] = 0;
		if (length < UNGUARDED_PATH) {
			memcpy(path, at, length);
			path[length] = 0;
		}
		if ((!length || text_append(path, UNGUARDED_PATH, "/")) && text_append(path, UNGUARDED_PATH, file) &&
		    is_executable(path))
			return true;
		if (!at[length])
			return false;
	}
}

/* Of a script, what interprets it takes its place. */
static bool interpreted(int fd, char path[static UNGUARDED_PATH])
{
	char line[SCRIPT_LINE + 1];
	long got = kernel_call(SYS_pread64, fd, (long)line, SCRIPT_LINE, 0, 0, 0);

	if (got < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[got] = 0;
	line[strcspn(line, "\n")] = 0;
	char *start = line + 2 + strspn(line + 2, " \t");
	start[strcspn(start, " \t")] = 0;
	path[0] = 0;
	return start[0] && text_append(path, UNGUARDED_PATH, start);
}

/* As the kernel maps the executable. dl_iterate_phdr(3) takes a lock that a child of a threaded process may never get. */
static const char *own_loader(void)
{
	const ElfW(Phdr) *headers = (const void *)LIBC(getauxval)(AT_PHDR);
	uintptr_t base = 0, name = 0;

	for (unsigned long i = 0; headers && i < LIBC(getauxval)(AT_PHNUM); i++) {
		if (headers[i].p_type == PT_PHDR)
			base = (uintptr_t)headers - headers[i].p_vaddr;
		if (headers[i].p_type == PT_INTERP)
			name = headers[i].p_vaddr;
	}
	return name ? (const char *)(base + name) : NULL;
}

/* The loader, as a command, loads what it is told to as ever. */
static bool is_loader(int fd)
{
	struct stat own, st;
	const char *loader = own_loader();

	return loader && kernel_stat_at(AT_FDCWD, loader, 0, &own) == 0 &&
	       kernel_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) == 0 && own.st_ino == st.st_ino &&
	       own.st_dev == st.st_dev;
}

/* One header at a time: together they would be much of a signal handler's small stack. */
static const char *image(int fd)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	char loader[256] = "";

	if (kernel_call(SYS_pread64, fd, (long)&header, sizeof header, 0, 0, 0) != sizeof header ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	if (header.e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS])
		return header.e_ident[EI_CLASS] == ELFCLASS32 ? "32-bit" : "64-bit";
	if (header.e_machine != __ehdr_start.e_machine)
		return "another-machine";
	if (header.e_phentsize != sizeof segment || header.e_phnum > HEADERS)
		return NULL;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		long at = (long)(header.e_phoff + i * sizeof segment);
		if (kernel_call(SYS_pread64, fd, (long)&segment, sizeof segment, at, 0, 0) != sizeof segment)
			return NULL;
		if (segment.p_type == PT_INTERP) {
			kernel_call(SYS_pread64, fd, (long)loader, sizeof loader - 1, (long)segment.p_offset, 0, 0);
			return strstr(loader, "/ld-musl") ? "another-C-library" : NULL;
		}
	}
	return is_loader(fd) ? NULL : "static";
}

/* Does the program start with more than its caller's rights, so that the loader heeds no environment: ld.so(8)? */
static const char *gains(int fd)
{
	struct stat st;
	struct statfs fs;
	uint32_t uid = (uint32_t)kernel_call(SYS_getuid, 0, 0, 0, 0, 0, 0),
		 gid = (uint32_t)kernel_call(SYS_getgid, 0, 0, 0, 0, 0, 0),
		 new_uid = (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0),
		 new_gid = (uint32_t)kernel_call(SYS_getegid, 0, 0, 0, 0, 0, 0);
	bool may_gain = kernel_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) != 1 &&
			kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0) == 0 && !(fs.f_flags & MS_NOSUID);

	if (kernel_call(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) < 0)
		return NULL;
	if (may_gain && (st.st_mode & S_ISUID))
		new_uid = st.st_uid;
	if (may_gain && (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		new_gid = st.st_gid;
	if (new_uid != uid)
		return "set-user-ID";
	if (new_gid != gid)
		return "set-group-ID";
	return may_gain && uid && kernel_call(SYS_fgetxattr, fd, (long)"security.capability", 0, 0, 0, 0) > 0
		       ? "file-capabilities"
		       : NULL;
}

const char *unguarded_library(void)
{
	struct stat st;
	/* From this process's root and with its rights, which the program inherits. */
	long answer = kernel_call(SYS_faccessat2, AT_FDCWD, (long)own_path(), R_OK, AT_EACCESS, 0, 0);

	/* An old kernel, or a filter that does not know the call: whether it is there can be seen all the same. */
	if (answer == -ENOSYS || answer == -EPERM)
		answer = kernel_stat_at(AT_FDCWD, own_path(), 0, &st);
	switch (answer) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
		return "library-not-found";
	case -EACCES:
		return "library-not-readable";
	default:
		return NULL;
	}
}

struct looking {
	int dirfd;
	char *path;
	const char *why;
};

/* Of an empty path the descriptor itself. What may be executed need not be readable: of that only its rights are known. */
static long open_program(int dirfd, const char *path, bool *readable)
{
	if (!path[0]) {
		long flags = kernel_call(SYS_fcntl, dirfd, F_GETFD, 0, 0, 0, 0);
		*readable = flags >= 0;
		return flags < 0 ? flags : dirfd;
	}
	long fd = kernel_call(SYS_openat, dirfd, (long)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0, 0);
	*readable = fd >= 0;
	return fd == -EACCES ? kernel_call(SYS_openat, dirfd, (long)path, O_PATH | O_CLOEXEC, 0, 0, 0) : fd;
}

/* path: that of the program, and then those of its interpreters. */
static long look_at_program(void *context)
{
	struct looking *l = context;
	int dirfd = l->dirfd;
	char *path = l->path;
	bool script = true;

	for (int i = 0; script && i < INTERPRETERS; i++, dirfd = AT_FDCWD) {
		bool given = !path[0], readable;
		long fd = open_program(dirfd, path, &readable);
		if (fd < 0)
			return fd;
		script = readable && interpreted((int)fd, path);
		if (!script)
			l->why = (readable ? image((int)fd) : NULL) ?: gains((int)fd);
		if (!given)
			kernel_close((int)fd);
	}
	return 0;
}

const char *unguarded_program(const char *file, bool searches, char path[static UNGUARDED_PATH])
{
	struct looking l = {AT_FDCWD, path, NULL};

	if (!unguarded_find(file, searches, path) || apart_hidden(APART_ALL, look_at_program, &l) < 0)
		return NULL;
	return l.why ?: unguarded_library();
}

bool unguarded_for_want(const struct unguarded_program *program, char path[static UNGUARDED_PATH])
{
	struct looking l = {program->dirfd, path, NULL};

	path[0] = 0;
	if (program->dirfd == AT_FDCWD ? !unguarded_find(program->file, program->searches, path)
				       : !text_append(path, UNGUARDED_PATH, program->file))
		return program->elsewhere && is_relative(program->file, program->searches);
	switch (apart_hidden(APART_ALL, look_at_program, &l)) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -EBADF:
		/* The kernel will say so, too, but execvp(3) goes on to search. */
		return program->searches;
	default:
		return !l.why;
	}
}
