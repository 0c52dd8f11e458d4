#include "preload/enforce_directory.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/statfs.h>

#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/entries.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/text.h"

/* UNKNOWN: it cannot be looked at. */
enum { LEVELS = 6, PIECE = 512, UNKNOWN = -1, MOUNTED_READ_ONLY = 1 /* ST_RDONLY of statfs(2) */ };

/* Is there anything in the directory but, so many levels down, directories? 0, 1 or UNKNOWN. */
static int look_into(int dirfd, const char *path, unsigned levels)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	long fd = kernel_call(SYS_openat, dirfd, (long)path, flags, 0, 0, 0);
	_Alignas(struct dirent64) char buffer[PIECE];
	struct entries entries = {.fd = (int)fd, .buffer = buffer, .size = sizeof buffer};
	const struct dirent64 *entry;
	int found = 0;

	if (fd < 0)
		return UNKNOWN;
	while (!found && (entry = entries_next(&entries)))
		if (!entries_is_dot(entry))
			found = levels && entry->d_type == DT_DIR ? look_into((int)fd, entry->d_name, levels - 1) : 1;
	kernel_close((int)fd);
	return entries.got < 0 ? UNKNOWN : found;
}

struct looking {
	const struct enforce_place *at;
	unsigned levels;
};

static long look(void *context)
{
	const struct looking *l = context;

	return look_into(l->at->dirfd, l->at->path, l->levels);
}

static int holds(const struct enforce_place *at, unsigned levels)
{
	return (int)apart_hidden(APART_ALL, look, &(struct looking){at, levels});
}

int enforce_look_at(const struct enforce_place *place, struct stat *st)
{
	return (int)-kernel_stat_at(place->dirfd, place->path, place->flags, st);
}

bool enforce_directory_allowed(const struct policy_list *names, const struct enforce_place *at, const char *name)
{
	struct stat st;

	if (enforce_look_at(at, &st) || S_ISREG(st.st_mode))
		return false;
	/* A link, a FIFO, a socket: no object, whatever it is called. */
	if (!S_ISDIR(st.st_mode))
		return true;
	for (unsigned i = 0; i < names->count; i++)
		if (policy_glob_below(names->item[i], enforce_posix_name(name)))
			return true;
	return holds(at, LEVELS) == 0;
}

static size_t without_slashes(const char *path, size_t length)
{
	while (length > 1 && path[length - 1] == '/')
		length--;
	return length;
}

/* Where the last part of a path of that length begins. */
static size_t last_part(const char *path, size_t length)
{
	while (length && path[length - 1] != '/')
		length--;
	return length;
}

/* How much of its path is that of the directory that the place lies in. */
static int directory_of(const struct enforce_place *place, size_t *length)
{
	const char *path = place->path;

	if (!kernel_one_text_readable(path))
		return EFAULT;
	*length = strnlen(path, PATH_MAX);
	if (!*length)
		return ENOENT;
	if (*length == PATH_MAX)
		return ENAMETOOLONG;
	*length = last_part(path, without_slashes(path, *length));
	return 0;
}

/* As it is walked through ("."): whoever may not search it gets no further. Or as a directory ("/"). */
static const char *walked(const struct enforce_place *place, size_t length, const char *suffix, char *path)
{
	memcpy(path, place->path, length);
	strcpy(path + length, suffix);
	return path;
}

static bool ends_with_slash(const char *path)
{
	size_t length = strlen(path);
	return length && path[length - 1] == '/';
}

/* Is its last part none that a directory has for an entry: ".", "..", or the root? */
static bool is_no_entry(const char *path)
{
	size_t end = without_slashes(path, strlen(path)), start = last_part(path, end);

	return end - start <= 2 && strspn(path + start, ".") >= end - start;
}

static int look_around(const struct enforce_place *place, struct stat *st)
{
	size_t length;
	int error = directory_of(place, &length);

	if (error)
		return error;
	char directory[length + 2];
	return (int)-kernel_stat_at(place->dirfd, walked(place, length, ".", directory), 0, st);
}

/* May this user put nothing into the directory, or take nothing out? */
static int is_closed(const struct enforce_place *place)
{
	size_t length;

	if (directory_of(place, &length))
		return 0;
	char directory[length + 2];
	return facts_refused(place->dirfd, walked(place, length, ".", directory), W_OK | X_OK, 0);
}

/*
 * The kernel says so before it looks for what is there, in answer to unlink(2), which removes nothing that has a slash behind
 * its name; of a descriptor it tells the flags. A filter of system calls may kill for that.
 */
bool enforce_read_only(const struct enforce_place *place)
{
	struct statfs fs;

	if (!kernel_one_text_readable(place->path))
		return false;
	if (!*place->path)
		return kernel_call(SYS_fstatfs, place->dirfd, (long)&fs, 0, 0, 0, 0) == 0 &&
		       (fs.f_flags & MOUNTED_READ_ONLY);
	if (recorder_filtered)
		return false;
	size_t length = strnlen(place->path, PATH_MAX);
	char path[length + 2];

	return kernel_call(SYS_unlinkat, place->dirfd, (long)walked(place, length, "/", path), 0, 0, 0, 0) == -EROFS;
}

/* What has the name before the slashes: a link, too, which is not followed for them. */
static int look_at_entry(const struct enforce_place *place, struct stat *st)
{
	size_t length = without_slashes(place->path, strnlen(place->path, PATH_MAX));
	char name[length + 1];

	return (int)-kernel_stat_at(place->dirfd, walked(place, length, "", name), AT_SYMLINK_NOFOLLOW, st);
}

struct filling {
	int dirfd;
	const char *directory;
	unsigned names;
	bool written;
};

static long has_no_room(void *context)
{
	const struct filling *f = context;
	struct statfs fs;
	long fd = kernel_call(SYS_openat, f->dirfd, (long)f->directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
	bool known = fd >= 0 && kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0) == 0;

	if (fd >= 0)
		kernel_close((int)fd);
	return known && ((fs.f_files && fs.f_ffree < f->names) || (f->written && fs.f_blocks && !fs.f_bavail));
}

/* A tmpfs counts an inode for every name. */
static bool is_full(const struct enforce_place *place, unsigned names, bool written)
{
	size_t length;

	if (directory_of(place, &length))
		return false;
	char directory[length + 2];
	struct filling filling = {place->dirfd, walked(place, length, ".", directory), names, written};
	return apart_hidden(APART_ALL, has_no_room, &filling);
}

static int is_complete(const struct enforce_place *place, unsigned names, bool written)
{
	int error = enforce_read_only(place) ? EROFS : is_closed(place);

	return error || !is_full(place, names, written) ? error : ENOSPC;
}

/* A semaphore has another name first, by which the C library writes it. */
int enforce_made_twice(const char *path, enum enforce_maker maker)
{
	const struct enforce_place at = {.dirfd = AT_FDCWD, .path = path};
	int error = maker == MAKER_sem_open ? is_complete(&at, 1, true) : 0;

	if (error)
		return error;
	return maker == MAKER_open && ends_with_slash(path) ? EISDIR : EEXIST;
}

int enforce_made_in_vain(int dirfd, const char *path, enum enforce_maker maker)
{
	const struct enforce_place at = {.dirfd = dirfd, .path = path};
	struct stat st;
	int error = enforce_look_at(&at, &st);

	/* Only of a long name it is said that it is one. With a slash behind it no name is looked for. */
	if (error && error != ENOENT && !ends_with_slash(path))
		return error;
	if ((error = look_around(&at, &st)))
		return error;
	if (ends_with_slash(path))
		return maker == MAKER_open ? EISDIR : look_at_entry(&at, &st) ? ENOENT : EEXIST;
	return maker == MAKER_sem_open ? is_complete(&at, 2, true) : is_complete(&at, 1, false);
}

/* Nor what is there: in a sticky directory that is for its owner, and the directory's. */
static int is_kept(const struct enforce_place *place, const struct stat *entry)
{
	struct stat around;
	int error = is_closed(place);

	if (error || look_around(place, &around))
		return error;
	bool may = !(around.st_mode & S_ISVTX) || facts_own(entry->st_uid) || facts_own(around.st_uid) ||
		   facts_capable(CAP_FOWNER);
	return may ? 0 : EPERM;
}

int enforce_removed_in_vain(const struct enforce_place *at)
{
	struct stat st;
	int error = enforce_look_at(at, &st);

	if (*at->path && enforce_read_only(at))
		return EROFS;
	/* Such a path leads to a directory, whose it is has not been asked yet. */
	if (!error && (is_no_entry(at->path) || ends_with_slash(at->path)))
		return EISDIR;
	if (!error)
		error = is_kept(at, &st);
	return error ? error : S_ISDIR(st.st_mode) ? EISDIR : 0;
}

/*
 * What has lost its last name gets no other one; what O_TMPFILE made, and the kernel calls "#" and its inode, gets its first.
 * Whether it was made with O_EXCL, by which it gets none either, is not to be known.
 */
static bool is_gone(const struct enforce_place *place, const struct stat *st)
{
	char first[24] = "/#";
	const char *last = place->name ? strrchr(place->name, '/') : NULL;

	return !st->st_nlink && last && text_append_decimal(first, sizeof first, st->st_ino) &&
	       strcmp(last, first) != 0;
}

/* Of others' objects fs.protected_hardlinks (proc(5)) lets nobody link what he may not both read and write, or is no file. */
static bool is_protected(const struct enforce_place *place, const struct stat *st)
{
	const mode_t runs_as_group = S_ISGID | S_IXGRP;
	uint64_t level = text_limit("/proc/sys/fs/protected_hardlinks");

	if (!level || level == UINT64_MAX || facts_own(st->st_uid) || facts_capable(CAP_FOWNER))
		return false;
	if (!S_ISREG(st->st_mode) || (st->st_mode & S_ISUID) || (st->st_mode & runs_as_group) == runs_as_group)
		return true;
	return facts_refused(place->dirfd, place->path, R_OK | W_OK, place->flags) == EACCES;
}

static int link_in_vain(const struct enforce_moving *m)
{
	struct stat from, to, around;
	int from_error = enforce_look_at(&m->from, &from), to_error = from_error ? 0 : look_around(&m->to, &around);

	if (from_error || to_error)
		return from_error ? from_error : to_error;
	to_error = enforce_look_at(&m->to, &to);
	/* What follows the slash behind a name that is there does not matter; one that is to be is no directory. */
	if (to_error != ENOENT)
		return to_error == ENAMETOOLONG ? to_error : EEXIST;
	if (ends_with_slash(m->to.path))
		return look_at_entry(&m->to, &to) ? ENOENT : EEXIST;
	if (enforce_read_only(&m->to))
		return EROFS;
	if (from.st_dev != around.st_dev)
		return EXDEV;
	if (is_protected(&m->from, &from))
		return EPERM;
	int closed = is_closed(&m->to);
	if (closed || S_ISDIR(from.st_mode) || is_gone(&m->from, &from))
		return closed ? closed : S_ISDIR(from.st_mode) ? EPERM : ENOENT;
	/* What has no name yet has its inode. */
	return from.st_nlink && is_full(&m->to, 1, false) ? ENOSPC : 0;
}

/* By their names, as the kernel has them. */
static bool is_below(const struct enforce_place *place, const struct enforce_place *directory)
{
	if (!place->name || !directory->name)
		return false;
	size_t length = strlen(directory->name);

	while (length && directory->name[length - 1] == '/')
		length--;
	const char *rest = place->name + length;
	return strncmp(place->name, directory->name, length) == 0 && *rest == '/' && rest[strspn(rest, "/")];
}

/* A directory in another one has another "..", which is for who may write to it. */
static bool keeps_parent(const struct enforce_place *place, const struct stat *st)
{
	return S_ISDIR(st->st_mode) && facts_refused(place->dirfd, place->path, W_OK, AT_SYMLINK_NOFOLLOW) == EACCES;
}

/* May the two directories, if they are two, not be changed so? to: NULL: nothing has that name. */
static int entries_stay(const struct enforce_moving *m, const struct stat *from, const struct stat *to, bool two)
{
	bool exchange = m->how == MOVE_exchange;

	if (to && from->st_ino == to->st_ino && from->st_dev == to->st_dev)
		return 0;
	int error = is_kept(&m->from, from);

	if (!error)
		error = to ? is_kept(&m->to, to) : is_closed(&m->to);
	if (!error && to && !exchange && S_ISDIR(from->st_mode) != S_ISDIR(to->st_mode))
		error = S_ISDIR(from->st_mode) ? ENOTDIR : EISDIR;
	if (error)
		return error;
	if (two && (keeps_parent(&m->from, from) || (exchange && keeps_parent(&m->to, to))))
		return EACCES;
	return to && !exchange && S_ISDIR(to->st_mode) && holds(&m->to, 0) > 0 ? ENOTEMPTY : 0;
}

/* rename(2) looks at both directories before. */
static int rename_in_vain(const struct enforce_moving *m)
{
	struct stat from, to;
	int from_error = look_around(&m->from, &from), to_error = look_around(&m->to, &to);
	bool exchange = m->how == MOVE_exchange;

	if (from_error || to_error)
		return from_error ? from_error : to_error;
	bool two = from.st_ino != to.st_ino;
	if (from.st_dev != to.st_dev)
		return EXDEV;
	if (is_no_entry(m->from.path))
		return EBUSY;
	if (is_no_entry(m->to.path))
		return m->keeps ? EEXIST : EBUSY;
	if (enforce_read_only(&m->from))
		return EROFS;
	from_error = look_at_entry(&m->from, &from);
	to_error = look_at_entry(&m->to, &to);
	if (from_error || (to_error && (exchange || to_error == ENAMETOOLONG)))
		return from_error ? from_error : to_error;
	if (m->keeps && !to_error)
		return EEXIST;
	if (exchange && !S_ISDIR(to.st_mode) && ends_with_slash(m->to.path))
		return ENOTDIR;
	if (!S_ISDIR(from.st_mode) && (ends_with_slash(m->from.path) || (!exchange && ends_with_slash(m->to.path))))
		return ENOTDIR;
	if (is_below(&m->to, &m->from))
		return EINVAL;
	if (is_below(&m->from, &m->to))
		return exchange ? EINVAL : ENOTEMPTY;
	return entries_stay(m, &from, to_error ? NULL : &to, two);
}

int enforce_in_vain(const struct enforce_moving *m)
{
	return m->how == MOVE_link ? link_in_vain(m) : rename_in_vain(m);
}
