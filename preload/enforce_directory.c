#include "preload/enforce_directory.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>

#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/entries.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/recorder.h"
#include "preload/text.h"

/* UNKNOWN: it cannot be looked at. */
enum { LEVELS = 6, PIECE = 512, UNKNOWN = -1 };

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

/* May this user put nothing into the directory, or take nothing out? Other errnos are those of a kernel that cannot tell. */
static int is_closed(const struct enforce_place *place)
{
	size_t length;

	if (directory_of(place, &length))
		return 0;
	char directory[length + 2];
	walked(place, length, ".", directory);
	long error = -kernel_call(SYS_faccessat2, place->dirfd, (long)directory, W_OK | X_OK, AT_EACCESS, 0, 0);
	return error == EACCES || error == EROFS ? (int)error : 0;
}

/*
 * Does the place lie on a mount, or a file system, that is read-only? The kernel says so before it looks for what is there, in
 * answer to unlink(2), which removes nothing that has a slash behind its name. A filter of system calls may kill for that.
 */
static bool is_read_only(const struct enforce_place *place)
{
	if (recorder_filtered || !kernel_one_text_readable(place->path))
		return false;
	size_t length = strnlen(place->path, PATH_MAX);
	char path[length + 2];

	return kernel_call(SYS_unlinkat, place->dirfd, (long)walked(place, length, "/", path), 0, 0, 0, 0) == -EROFS;
}

int enforce_made_in_vain(int dirfd, const char *path, bool node)
{
	const struct enforce_place at = {.dirfd = dirfd, .path = path};
	struct stat st;
	int error = enforce_look_at(&at, &st);

	/* Only of a long name it is said that it is one. */
	if (error && error != ENOENT)
		return error;
	if ((error = look_around(&at, &st)))
		return error;
	if (ends_with_slash(path))
		return node ? ENOENT : EISDIR;
	return is_read_only(&at) ? EROFS : is_closed(&at);
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

	if (is_read_only(at))
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

/* Of others' objects fs.protected_hardlinks (proc(5)) lets nobody link what he may not both read and write. */
static bool is_protected(const struct enforce_place *place, const struct stat *st)
{
	uint64_t level = text_limit("/proc/sys/fs/protected_hardlinks");

	if (!level || level == UINT64_MAX || facts_own(st->st_uid) || facts_capable(CAP_FOWNER))
		return false;
	return kernel_call(SYS_faccessat2, place->dirfd, (long)place->path, R_OK | W_OK, AT_EACCESS | place->flags, 0,
			   0) == -EACCES;
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
		return ENOENT;
	if (is_read_only(&m->to))
		return EROFS;
	if (from.st_dev != around.st_dev)
		return EXDEV;
	if (is_protected(&m->from, &from))
		return EPERM;
	int closed = is_closed(&m->to);
	return closed ? closed : S_ISDIR(from.st_mode) ? EPERM : is_gone(&m->from, &from) ? ENOENT : 0;
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

/* What one replaces, once both are known to be there. */
static int replace_in_vain(const struct enforce_place *to, const struct stat *from_stat, const struct stat *to_stat)
{
	bool from_directory = S_ISDIR(from_stat->st_mode), to_directory = S_ISDIR(to_stat->st_mode);

	if (from_directory != to_directory)
		return from_directory ? ENOTDIR : EISDIR;
	return to_directory && holds(to, 0) > 0 ? ENOTEMPTY : 0;
}

/* May the two directories not be changed so? to: NULL: nothing has that name. */
static int entries_stay(const struct enforce_moving *m, const struct stat *from, const struct stat *to)
{
	if (to && from->st_ino == to->st_ino && from->st_dev == to->st_dev)
		return 0;
	int error = is_kept(&m->from, from);

	if (!error)
		error = to ? is_kept(&m->to, to) : is_closed(&m->to);
	return error || !to || m->how == MOVE_exchange ? error : replace_in_vain(&m->to, from, to);
}

/* rename(2) looks at both directories before. */
static int rename_in_vain(const struct enforce_moving *m)
{
	struct stat from, to;
	int from_error = look_around(&m->from, &from), to_error = look_around(&m->to, &to);
	bool exchange = m->how == MOVE_exchange;

	if (from_error || to_error)
		return from_error ? from_error : to_error;
	if (from.st_dev != to.st_dev)
		return EXDEV;
	if (is_no_entry(m->from.path))
		return EBUSY;
	if (is_no_entry(m->to.path))
		return m->keeps ? EEXIST : EBUSY;
	if (is_read_only(&m->from))
		return EROFS;
	from_error = enforce_look_at(&m->from, &from);
	to_error = enforce_look_at(&m->to, &to);
	if (from_error || (to_error && (exchange || to_error == ENAMETOOLONG)))
		return from_error ? from_error : to_error;
	if (m->keeps && !to_error)
		return EEXIST;
	if (!exchange && !S_ISDIR(from.st_mode) && ends_with_slash(m->to.path))
		return ENOTDIR;
	if (is_below(&m->to, &m->from))
		return EINVAL;
	if (is_below(&m->from, &m->to))
		return exchange ? EINVAL : ENOTEMPTY;
	return entries_stay(m, &from, to_error ? NULL : &to);
}

int enforce_in_vain(const struct enforce_moving *m)
{
	return m->how == MOVE_link ? link_in_vain(m) : rename_in_vain(m);
}
