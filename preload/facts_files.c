#include "preload/facts_files.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "preload/acl.h"
#include "preload/apart.h"
#include "preload/kernel.h"
#include "preload/parent.h"
#include "preload/place.h"
#include "preload/process.h"
#include "preload/recent.h"
#include "preload/recorder.h"
#include "preload/text.h"

enum { LOOKED_AT = 1 << 20, PIECE = 4096, FEW = 64, DAY = 86400 };

bool facts_path(enum event_id by, int dirfd, const char *name, char path[static 512])
{
	path[0] = 0;
	if (by == EVENT_shm_open || by == EVENT_sem_open)
		return identity_shm_path(name, by == EVENT_sem_open ? "sem." : "", path);
	if (name[0] != '/' && dirfd >= 0) {
		text_descriptor(path, dirfd);
		text_append(path, 512, "/");
	}
	return text_append(path, 512, name);
}

static bool status(const char *path, int flags, struct facts_file *file)
{
	struct stat st;

	if (kernel_stat_at(AT_FDCWD, path, flags, &st) < 0)
		return false;
	*file = (struct facts_file){.mode = st.st_mode, .uid = st.st_uid};
	return true;
}

bool facts_file(const char *path, struct facts_file *file)
{
	return status(path, AT_SYMLINK_NOFOLLOW, file);
}

bool facts_directory(const char *path, struct facts_file *directory)
{
	struct parent parent;
	const char *at = parent_begin(&parent, path);
	bool known = at && status(at, 0, directory);

	parent_end(&parent);
	return known;
}

static bool descriptor_name(int fd, char *name, size_t size)
{
	char path[TEXT_DESCRIPTOR];

	long length = kernel_readlink(text_descriptor(path, fd), name, size - 1);
	name[length > 0 ? length : 0] = 0;
	return length > 0 && (size_t)length < size - 1;
}

/* The name as the kernel has it: whatever links and relative paths led there. */
static bool real_name(const struct identity *identity, char *name, size_t size)
{
	if (identity->fd >= 0)
		return descriptor_name(identity->fd, name, size);
	return identity->name && place_real(identity->dirfd, identity->name, name, size);
}

/* Can other users search all the directories that lead there? unknown: what to say where one cannot be looked at. */
static bool searchable(char *name, bool unknown)
{
	struct facts_file directory;

	for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		bool known = status(name, 0, &directory);
		*slash = '/';
		if (known ? !(directory.mode & S_IXOTH) : !unknown)
			return false;
	}
	return true;
}

bool facts_reachable(const struct identity *identity)
{
	char name[512];

	return real_name(identity, name, sizeof name) && name[0] == '/' && identity->links && searchable(name, false);
}

bool facts_private(const struct identity *identity)
{
	char name[512];

	if (!real_name(identity, name, sizeof name) || name[0] != '/')
		return false;
	if (!identity->links)
		return true;
	/* Where another of its names lies nobody says. */
	return identity->links == 1 && !identity_name_is_past(identity, name) && !searchable(name, true);
}

bool facts_private_path(const char *path)
{
	char name[512] = "";

	return path[0] == '/' && text_append(name, sizeof name, path) && !searchable(name, true);
}

/* A user whom this user namespace does not know is shown as the overflow uid, whoever it is (user_namespaces(7)). */
static bool is_nobody_known(uint32_t uid)
{
	char map[512];

	if (text_limit("/proc/sys/kernel/overflowuid") != uid ||
	    text_read("/proc/thread-self/uid_map", map, sizeof map) <= 0)
		return true;
	return text_maps(map, uid);
}

uint32_t facts_user(void)
{
	return (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0);
}

/* As proc(5) lists them: the real, the effective, the saved set, the file system's. */
enum { USER_effective = 1, USER_of_files = 3 };

static bool read_user(const char *path, int which, uint32_t *user)
{
	char status[512];
	const char *at;
	uint64_t uid = 0;

	if (text_read(path, status, sizeof status) <= 0 || !(at = strstr(status, "\nUid:")))
		return false;
	at += strlen("\nUid:");
	for (int i = 0; i <= which; i++) {
		at += strspn(at, "\t");
		if (!text_decimal(&at, &uid))
			return false;
	}
	*user = (uint32_t)uid;
	return true;
}

/* Whose are the files that this thread makes: the effective user, unless setfsuid(2) was called. */
static uint32_t file_user(void)
{
	uint32_t user;
	return read_user("/proc/thread-self/status", USER_of_files, &user) ? user : facts_user();
}

bool facts_program(int32_t pid, char exe[static PATH_MAX], uint32_t *user)
{
	char path[64] = "/proc/";

	text_append_decimal(path, sizeof path, (uint64_t)pid);
	size_t directory = strlen(path);
	text_append(path, sizeof path, "/exe");
	long length = process_exe_of(path, exe, PATH_MAX);
	path[directory] = 0;
	text_append(path, sizeof path, "/status");
	return length > 0 && read_user(path, USER_effective, user);
}

bool facts_own(uint32_t uid)
{
	return uid == facts_user() || uid == file_user();
}

bool facts_in_group(uint32_t gid)
{
	long count = kernel_call(SYS_getgroups, 0, 0, 0, 0, 0, 0);
	size_t bytes = count > 0 ? (size_t)count * sizeof gid : 0;
	uint32_t *group = bytes ? kernel_memory(bytes) : NULL;
	bool found = (uint32_t)kernel_call(SYS_getegid, 0, 0, 0, 0, 0, 0) == gid;

	if (!group)
		return found;
	count = kernel_call(SYS_getgroups, count, (long)group, 0, 0, 0, 0);
	for (long i = 0; i < count && !found; i++)
		found = group[i] == gid;
	kernel_memory_free(group, bytes);
	return found;
}

bool facts_stranger(uint32_t uid)
{
	return uid != 0 && !facts_own(uid) && is_nobody_known(uid);
}

int facts_access(uint32_t flags)
{
	return (flags & O_ACCMODE) == O_RDONLY ? R_OK : (flags & O_ACCMODE) == O_WRONLY ? W_OK : R_OK | W_OK;
}

bool facts_may_open(int dirfd, const char *path, uint32_t flags)
{
	return kernel_call(SYS_faccessat2, dirfd, (long)path, facts_access(flags), AT_EACCESS, 0, 0) == 0;
}

/* A kernel without faccessat2(2) (before 5.8), or a filter of system calls, tells nothing by another errno. */
int facts_refused(int dirfd, const char *path, int access, int flags)
{
	long error = -kernel_call(SYS_faccessat2, dirfd, (long)path, access, AT_EACCESS | flags, 0, 0);
	return error == EACCES || error == EROFS ? (int)error : 0;
}

/* Of a link, a socket or a device nobody has a say in it. */
static uint64_t sticky_level(uint32_t type)
{
	return type == S_IFREG   ? text_limit("/proc/sys/fs/protected_regular")
	       : type == S_IFIFO ? text_limit("/proc/sys/fs/protected_fifos")
				 : 1;
}

bool facts_sticky(const struct facts_file *file, const struct facts_file *directory, bool unknown)
{
	uint64_t least = directory->mode & S_IWOTH ? 1 : 2;

	if (!(directory->mode & S_ISVTX) || !(directory->mode & (S_IWGRP | S_IWOTH)) ||
	    (file->uid == directory->uid && (!unknown || !file->uid || is_nobody_known(file->uid))) ||
	    file->uid == file_user())
		return false;
	uint64_t level = sticky_level(file->mode & S_IFMT);
	return level == UINT64_MAX ? unknown : level >= least;
}

bool facts_grant(const struct identity *identity, struct facts_grant *grant)
{
	struct acl acl;
	char path[TEXT_DESCRIPTOR];
	const char *at = identity->name;

	if (identity->fd >= 0)
		at = text_descriptor(path, identity->fd);
	/*
	 * With named entries the mode's group bits are the list's mask: what they lack nobody is granted. A filter of system
	 * calls may kill for the question.
	 */
	if (!(identity->mode & 070) || recorder_filtered || !at || !acl_read(at, ACL_ACCESS, &acl) || !acl.grant.rights)
		return false;
	*grant = acl.grant;
	return true;
}

int facts_seals(int fd)
{
	long seals = kernel_call(SYS_fcntl, fd, F_GET_SEALS, 0, 0, 0, 0);
	return seals < 0 ? -1 : (int)seals;
}

bool facts_survives_exec(int fd)
{
	long flags = kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
	return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* Is there a byte that is not zero? Of no more than `size` from there on. */
static int data_at(int fd, uint64_t from, uint64_t to, char *piece, uint64_t size, uint64_t *at)
{
	long got = kernel_call(SYS_pread64, fd, (long)piece, (long)(to - from < size ? to - from : size), (long)from, 0,
			       0);

	for (long i = 0; i < got; i++)
		if (piece[i]) {
			*at = from + (uint64_t)i;
			return 1;
		}
	return got < 0 ? -1 : 0;
}

/* Looks at no more than so many bytes with data. */
static int data_in(int fd, uint64_t from, uint64_t to, char *piece, uint64_t budget, uint64_t *at)
{
	for (; from < to && budget >= PIECE; from += PIECE, budget -= PIECE) {
		long begin = kernel_call(SYS_lseek, fd, (long)from, SEEK_DATA, 0, 0, 0);
		if (begin < 0)
			return begin == -ENXIO ? 0 : -1;
		from = (uint64_t)begin;
		int found = from < to ? data_at(fd, from, to, piece, PIECE, at) : 0;
		if (found)
			return found;
	}
	return 0;
}

struct data {
	const struct identity *identity;
	uint64_t from, to, *at;
};

static long data(void *context)
{
	const struct data *d = context;
	char path[TEXT_DESCRIPTOR];
	const char *name = d->identity->name;

	if (d->identity->fd >= 0)
		name = text_descriptor(path, d->identity->fd);
	long fd = name ? kernel_open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return -1;
	char *piece = kernel_memory(PIECE);
	int found = piece ? data_in((int)fd, d->from, d->to, piece, LOOKED_AT, d->at) : -1;
	if (piece)
		kernel_memory_free(piece, PIECE);
	kernel_close((int)fd);
	return found;
}

/* By the program's own descriptor, if it can be read: as far as nothing is to be sought its offset stays where it is. */
static int data_near(int fd, uint64_t from, uint64_t to, uint64_t *at)
{
	char few[FEW];

	if (fd < 0)
		return -1;
	/* What holds data has some at its beginning, mostly. */
	int found = data_at(fd, from, to, few, FEW, at);
	if (found || to - from <= FEW)
		return found;
	char *piece = to - from <= PIECE ? kernel_memory(PIECE) : NULL;
	if (!piece)
		return -1;
	found = data_at(fd, from, to, piece, PIECE, at);
	kernel_memory_free(piece, PIECE);
	return found;
}

int facts_data(const struct identity *identity, uint64_t from, uint64_t to, uint64_t *at)
{
	struct data d = {identity, from, to, at};
	int near = data_near(identity->fd, from, to, at);

	return near >= 0 ? near : (int)apart_run(identity->fd, data, &d);
}

uint64_t facts_descriptor_limit(void)
{
	struct rlimit limit;

	if (kernel_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0) < 0)
		return UINT64_MAX;
	return limit.rlim_cur;
}

static long count_lines(void *context)
{
	char *piece = kernel_memory(PIECE);
	long lines = 0;
	long fd = piece ? kernel_open(context, O_RDONLY | O_CLOEXEC) : -1, got;

	while (fd >= 0 && (got = kernel_read((int)fd, piece, PIECE)) > 0)
		for (long i = 0; i < got; i++)
			lines += piece[i] == '\n';
	if (fd >= 0)
		kernel_close((int)fd);
	if (piece)
		kernel_memory_free(piece, PIECE);
	return lines;
}

bool facts_mappings(uint64_t *used, uint64_t *limit)
{
	static atomic_ullong asked;

	if (!recent_second(&asked))
		return false;
	*limit = text_limit("/proc/sys/vm/max_map_count");
	*used = (uint64_t)apart_hidden(APART_NONE, count_lines, (char[]){"/proc/thread-self/maps"});
	return *limit != UINT64_MAX && *used;
}

bool facts_known_number(uint64_t number)
{
	static const long calls[] = {SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid};
	struct timespec now = {0};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (number == (uint64_t)kernel_call(calls[i], 0, 0, 0, 0, 0, 0))
			return true;
	kernel_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&now, 0, 0, 0, 0);
	return number > (uint64_t)now.tv_sec - DAY && number < (uint64_t)now.tv_sec + DAY;
}
