/* Files that hold a policy: who may have written them, and what they include. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "policy_inner.h"
#include "system.h"

static int open_file(const char *path, int flags)
{
	return (int)system_call(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0);
}

static void close_file(int fd)
{
	system_call(SYS_close, fd, 0, 0, 0);
}

static bool ask(const char *path, int flags, struct stat *st)
{
	return system_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)st, flags) == 0;
}

/* What a reading of uid_map or gid_map has come to: lines of three numbers, of which the first and the last are a range. */
struct id_map {
	uint64_t number[3];
	unsigned at;
	bool digits, knows;
};

static void take_map(struct id_map *map, char c, id_t id)
{
	if (c >= '0' && c <= '9') {
		map->number[map->at] = map->number[map->at] * 10 + (uint64_t)(c - '0');
		map->digits = true;
		return;
	}
	if (!map->digits)
		return;
	map->digits = false;
	if (++map->at < 3)
		return;
	map->knows = map->knows || (id >= map->number[0] && id - map->number[0] < map->number[2]);
	*map = (struct id_map){.knows = map->knows};
}

/*
 * Has this user namespace no number for an owner, or a group? Then he is shown as the overflow uid, whoever he is, root
 * above all (user_namespaces(7)).
 */
static bool is_unknown(const char *map_of_ids, id_t id)
{
	char buffer[512];
	struct id_map map = {.at = 0};
	int fd = open_file(map_of_ids, O_RDONLY);
	long got;

	if (fd < 0)
		return false;
	while ((got = system_call(SYS_read, fd, (long)buffer, sizeof(buffer), 0)) > 0)
		for (long i = 0; i < got; i++)
			take_map(&map, buffer[i], id);
	close_file(fd);
	return got == 0 && !map.knows;
}

static bool is_trusted_owner(uid_t uid)
{
	return uid == 0 || uid == (uid_t)system_call(SYS_geteuid, 0, 0, 0, 0) || is_unknown("/proc/self/uid_map", uid);
}

/* Of a directory: whoever has the root directory has everything. */
static bool is_trusted_user(uid_t uid)
{
	struct stat root;

	return is_trusted_owner(uid) || (ask("/", 0, &root) && uid == root.st_uid);
}

static bool is_trusted_group(gid_t gid)
{
	struct stat root;

	return gid == 0 || gid == (gid_t)system_call(SYS_getegid, 0, 0, 0, 0) ||
	       is_unknown("/proc/self/gid_map", gid) ||
	       (ask("/", 0, &root) && (root.st_mode & S_IWGRP) && gid == root.st_gid);
}

/* An access list as the kernel hands it out (linux/posix_acl_xattr.h): a version, then entries, little-endian. */
struct acl_entry {
	uint16_t tag, rights;
	uint32_t id;
};

enum { ACL_HEAD = 4, ACL_USER = 0x02, ACL_GROUP_OBJ = 0x04, ACL_GROUP = 0x08, ACL_WRITE = 2, ACL_ENTRIES = 512 };

static bool lets_write(const struct acl_entry *entry, gid_t owning)
{
	/* A list that names somebody unknown means hardly root. */
	bool known = entry->id != UINT32_MAX;

	if (!(entry->rights & ACL_WRITE))
		return false;
	switch (entry->tag) {
	case ACL_USER:
		return !known || !is_trusted_user(entry->id);
	case ACL_GROUP:
		return !known || !is_trusted_group(entry->id);
	default:
		return entry->tag == ACL_GROUP_OBJ && !is_trusted_group(owning);
	}
}

/* Of a directory whose mode lets its group write: with an access list that is what its mask lets through (acl(5)). */
static bool group_is_theirs(const char *directory, gid_t owning)
{
	char list[ACL_HEAD + ACL_ENTRIES * sizeof(struct acl_entry)];
	struct acl_entry entry;
	long bytes =
		system_call(SYS_getxattr, (long)directory, (long)"system.posix_acl_access", (long)list, sizeof(list));

	if (bytes < 0)
		return bytes == -ERANGE || !is_trusted_group(owning);
	for (long at = ACL_HEAD; at + (long)sizeof(entry) <= bytes; at += (long)sizeof(entry)) {
		memcpy(&entry, list + at, sizeof(entry));
		if (lets_write(&entry, owning))
			return true;
	}
	return false;
}

static bool is_theirs(const char *directory)
{
	struct stat st;

	if (ask(directory, AT_SYMLINK_NOFOLLOW, &st) && S_ISLNK(st.st_mode) && !is_trusted_user(st.st_uid))
		return true;
	if (!ask(directory, 0, &st))
		return false;
	if (!is_trusted_user(st.st_uid))
		return true;
	return !(st.st_mode & S_ISVTX) &&
	       ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) && group_is_theirs(directory, st.st_gid)));
}

/* Could others put another file in the place of the one at the path? Then that is the directory, or link, in which. */
static bool replaceable(char path[PATH_MAX])
{
	char *slash;

	do {
		slash = strrchr(path, '/');
		if (slash)
			slash[slash == path] = '\0';
		else
			strcpy(path, ".");
		if (is_theirs(path))
			return true;
	} while (slash && slash != path);
	return false;
}

/* The preload has no stdio. */
static void descriptor_path(char path[static 64], int fd)
{
	char digits[12] = "", *at = digits + sizeof(digits) - 1;

	do
		*--at = (char)('0' + fd % 10);
	while (fd /= 10);
	strcpy(path, "/proc/self/fd/");
	strcat(path, at);
}

/* By the path as it was given, whose links may lead elsewhere tomorrow, and as it leads today. */
static bool replaceable_now(const char *path, int fd, char directory[PATH_MAX])
{
	char link[64];
	struct stat st;
	long length;

	if (strlen(path) >= PATH_MAX)
		return false;
	strcpy(directory, path);
	if ((ask(path, AT_SYMLINK_NOFOLLOW, &st) && S_ISLNK(st.st_mode) && !is_trusted_user(st.st_uid)) ||
	    replaceable(directory))
		return true;
	descriptor_path(link, fd);
	length = system_call(SYS_readlinkat, AT_FDCWD, (long)link, (long)directory, PATH_MAX - 1);
	directory[length > 0 ? length : 0] = '\0';
	return length > 0 && replaceable(directory);
}

/* What is wrong with the file, as a whole: where it was asked for, if another one includes it. NULL ends the words. */
static bool refuse_file(struct parse *parse, const char *path, const char *what, const char *more, const char *end)
{
	if (parse->includer)
		return parse_tell(parse->includer, NULL, path, ": ", what, more, end, NULL);
	return parse_tell(parse, NULL, what, more, end, NULL);
}

/* Whoever can write a policy can do what it allows. */
static bool trusted(struct parse *parse, const struct stat *file, const char *path, int fd)
{
	char directory[PATH_MAX];

	if (!S_ISREG(file->st_mode))
		return refuse_file(parse, path, "is not a regular file", NULL, NULL);
	if (!is_trusted_owner(file->st_uid))
		return refuse_file(parse, path, "belongs to another user, who could change the policy", NULL, NULL);
	if (file->st_mode & (S_IWGRP | S_IWOTH))
		return refuse_file(parse, path, "can be written by others: chmod go-w", NULL, NULL);
	if (replaceable_now(path, fd, directory))
		return refuse_file(parse, path, "can be replaced by others, to whom ", directory,
				   " belongs or is open to write to");
	if (file->st_size > POLICY_FILE_MAX)
		return refuse_file(parse, path, "is too large for a policy", NULL, NULL);
	return true;
}

/* Of those beyond the first the includes are so many at most. */
static void keep_file(struct policy *policy, const struct stat *file)
{
	if (policy->file_count < POLICY_FILES)
		policy->file[policy->file_count++] = (struct policy_file){file->st_dev, file->st_ino};
}

/* What is appended to it would be read as policy the next time. */
static bool logs_elsewhere(struct policy *policy, policy_error *error, void *context)
{
	struct parse parse = {.policy = policy,
			      .error = error,
			      .context = context,
			      .file = policy->log_file,
			      .line = policy->log_line};
	struct stat log;

	if (policy->log != LOG_file || !ask(policy->log_path, 0, &log))
		return true;
	for (size_t i = 0; i < policy->file_count; i++)
		if (policy->file[i].dev == log.st_dev && policy->file[i].ino == log.st_ino)
			return parse_expected(&parse, policy_keys[POLICY_KEY_log].key,
					      "a file of its own, none that the policy is read from", policy->log_path,
					      NULL);
	return true;
}

static bool is_open_already(const struct parse *parse)
{
	for (const struct parse *outer = parse->includer; outer; outer = outer->includer)
		if (outer->dev == parse->dev && outer->ino == parse->ino)
			return true;
	return false;
}

static bool cannot_open(struct parse *parse, const char *path, int error)
{
	const char *hint = error == EACCES ? "; every user that the program becomes must be able to read it" : NULL;

	return refuse_file(parse, path, "cannot be opened: ", strerrordesc_np(error), hint);
}

/* A filter of system calls may let pass but one of the two. What cannot be looked at is not trusted, and that is told. */
static long look_behind(int fd, struct stat *file)
{
	long error = system_call(SYS_fstat, fd, (long)file, 0, 0);

	return error ? system_call(SYS_newfstatat, fd, (long)"", (long)file, AT_EMPTY_PATH) : 0;
}

bool policy_file_open(struct parse *parse, const char *path)
{
	struct stat file;
	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	int fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return cannot_open(parse, path, -fd);
	long error = look_behind(fd, &file);
	if (error)
		cannot_open(parse, path, (int)-error);
	if (!error && trusted(parse, &file, path, fd)) {
		parse->source = (struct source){.fd = fd};
		parse->dev = file.st_dev;
		parse->ino = file.st_ino;
		keep_file(parse->policy, &file);
		if (!is_open_already(parse))
			return true;
		parse_tell(parse->includer, NULL, "'", path, "' would include itself", NULL);
	}
	close_file(fd);
	return false;
}

static bool add_file(struct policy *policy, const char *path, struct parse *includer, unsigned *includes,
		     policy_error *error, void *context)
{
	struct parse parse = {.policy = policy,
			      .error = error,
			      .context = context,
			      .file = path,
			      .depth = includer ? includer->depth + 1 : 0,
			      .includer = includer,
			      .includes = includes};
	bool good;

	parse.file = parse_keep(&parse, path, strlen(path));
	if (!parse.file)
		return false;
	if (!policy_file_open(&parse, path))
		return false;
	good = parse_source(&parse);
	close_file(parse.source.fd);
	return good;
}

bool policy_file_include(struct parse *parse, const char *path)
{
	const char *slash = strrchr(parse->file, '/');
	size_t directory = *path != '/' && slash ? (size_t)(slash - parse->file) + 1 : 0;
	char whole[PATH_MAX];

	if (parse->depth + 1 == POLICY_DEPTH || ++*parse->includes > POLICY_INCLUDES)
		return parse_tell(parse, NULL, "too many includes: '", path, "' is one more than may be", NULL);
	if (directory + strlen(path) >= sizeof(whole))
		return parse_tell(parse, NULL, "the path is too long", NULL);
	memcpy(whole, parse->file, directory);
	memcpy(whole + directory, path, strlen(path) + 1);
	if (!add_file(parse->policy, whole, parse, parse->includes, parse->error, parse->context))
		parse->failed = true;
	return !parse->failed;
}

bool policy_add_file(struct policy *policy, const char *path, policy_error *error, void *context)
{
	unsigned includes = 0;
	int kept = errno;
	bool good = add_file(policy, path, NULL, &includes, error, context);

	good = logs_elsewhere(policy, error, context) && good;
	errno = kept;
	return good;
}
