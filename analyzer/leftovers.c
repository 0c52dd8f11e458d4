#include "analyzer/leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/living.h"
#include "analyzer/memory.h"

#define SHM_ROOT "/dev/shm"
/* LTTng's page by which it wakes the programs of a user. */
#define LTTNG_FILE "lttng-ust-wait-"

struct object {
	char *name;
	struct stat status;
	pid_t *holders; /* ascending, each once */
	size_t holder_count;
	bool incomplete;
};

struct look {
	struct object *objects; /* sorted by inode */
	size_t count;
	dev_t device;
};

static int leftovers_order(const void *a, const void *b)
{
	const struct object *one = a, *other = b;

	return (one->status.st_ino > other->status.st_ino) - (one->status.st_ino < other->status.st_ino);
}

/* Either LTTng's own files or all others. */
static int leftovers_list(struct look *look, bool lttng)
{
	char *roots[] = {SHM_ROOT, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	if (!walk)
		return errno;
	while ((entry = fts_read(walk))) {
		struct object *object;

		if (entry->fts_info != FTS_F || !strncmp(entry->fts_name, LTTNG_FILE, strlen(LTTNG_FILE)) != lttng)
			continue;
		look->objects = memory_grow(look->objects, look->count, sizeof(*look->objects));
		object = &look->objects[look->count++];
		*object = (struct object){.name = memory_text(entry->fts_path + strlen(SHM_ROOT)),
					  .status = *entry->fts_statp};
	}
	fts_close(walk);
	if (look->count)
		qsort(look->objects, look->count, sizeof(*look->objects), leftovers_order);
	return 0;
}

static void leftovers_hold(struct look *look, dev_t device, ino_t inode, pid_t pid)
{
	const struct object key = {.status.st_ino = inode};
	struct object *object;

	if (device != look->device || !look->count)
		return;
	object = bsearch(&key, look->objects, look->count, sizeof(*look->objects), leftovers_order);
	if (!object)
		return;
	/* Hard links are several names of one inode. */
	while (object > look->objects && object[-1].status.st_ino == inode)
		object--;
	for (; object < look->objects + look->count && object->status.st_ino == inode; object++) {
		if (object->holder_count && object->holders[object->holder_count - 1] == pid)
			continue;
		object->holders = memory_grow(object->holders, object->holder_count, sizeof(*object->holders));
		object->holders[object->holder_count++] = pid;
	}
}

static bool leftovers_maps(struct look *look, int process, pid_t pid)
{
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = 0;
	char *line = NULL;
	bool complete;

	if (!file) {
		complete = errno == ENOENT || errno == ESRCH;
		if (fd >= 0)
			close(fd);
		return complete;
	}
	while (getline(&line, &size, file) > 0) {
		unsigned long long inode;
		unsigned int major_number, minor_number;

		if (sscanf(line, "%*s %*s %*s %x:%x %llu", &major_number, &minor_number, &inode) == 3 && inode)
			leftovers_hold(look, makedev(major_number, minor_number), (ino_t)inode, pid);
	}
	complete = !ferror(file) || errno == ESRCH;
	free(line);
	fclose(file);
	return complete;
}

static bool leftovers_descriptors(struct look *look, int process, pid_t pid)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		bool complete = errno == ENOENT || errno == ESRCH;

		if (fd >= 0)
			close(fd);
		return complete;
	}
	while ((entry = readdir(dir))) {
		struct statx status;

		/* DONT_SYNC: a network file system that does not answer must not hold us up. */
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !statx(dirfd(dir), entry->d_name, AT_STATX_DONT_SYNC, STATX_INO, &status))
			leftovers_hold(look, makedev(status.stx_dev_major, status.stx_dev_minor), (ino_t)status.stx_ino,
				       pid);
	}
	closedir(dir);
	return true;
}

/*
 * A process that cannot be looked at may hold what its user can open. Root could open anything; were that counted, an
 * ordinary user's look would never be complete.
 */
static void leftovers_unknown(struct look *look, uid_t uid)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct stat *status = &look->objects[i].status;

		if (uid == status->st_uid || (uid && status->st_mode & 0066))
			look->objects[i].incomplete = true;
	}
}

static void leftovers_process(struct look *look, int proc, const char *name)
{
	int process = living_open(proc, name);
	pid_t pid = atoi(name);
	struct stat status;
	bool complete;

	if (process < 0)
		return;
	complete = leftovers_maps(look, process, pid);
	complete = leftovers_descriptors(look, process, pid) && complete;
	/* In a container init may have more rights than anyone else there; it holds nothing of theirs. */
	if (!complete && pid != 1 && !fstat(process, &status))
		leftovers_unknown(look, status.st_uid);
	close(process);
}

static void leftovers_holders(struct look *look)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			leftovers_process(look, dirfd(proc), entry->d_name);
	if (!proc) {
		for (size_t i = 0; i < look->count; i++)
			look->objects[i].incomplete = true;
		return;
	}
	closedir(proc);
}

static json_t *leftovers_object(const struct object *object)
{
	json_t *holders = json_array();
	char *name = escape_utf8(object->name);
	const struct stat *status = &object->status;
	json_t *json;

	for (size_t i = 0; i < object->holder_count; i++)
		json_array_append_new(holders, json_integer(object->holders[i]));
	json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:o, s:b}", "name", name, "dev",
			 (json_int_t)status->st_dev, "ino", (json_int_t)status->st_ino, "size",
			 (json_int_t)status->st_size, "blocks", (json_int_t)status->st_blocks * 512, "mode",
			 (int)status->st_mode & 07777, "uid", (json_int_t)status->st_uid, "gid",
			 (json_int_t)status->st_gid, "nlink", (json_int_t)status->st_nlink, "holders", holders,
			 "holders_complete", (int)!object->incomplete);
	free(name);
	return json;
}

static int leftovers_scan(struct look *look, bool lttng)
{
	struct stat root = {0};
	int r = stat(SHM_ROOT, &root) ? errno : 0;

	*look = (struct look){.device = root.st_dev};
	if (!r)
		r = leftovers_list(look, lttng);
	if (!r && look->count)
		leftovers_holders(look);
	return r;
}

static void leftovers_free(struct look *look)
{
	for (size_t i = 0; i < look->count; i++) {
		free(look->objects[i].name);
		free(look->objects[i].holders);
	}
	free(look->objects);
}

/* How the file system of the objects is mounted, its room in bytes, and whose directory it is. */
static json_t *leftovers_mount(void)
{
	struct statvfs fs;
	struct stat root;

	if (statvfs(SHM_ROOT, &fs) || stat(SHM_ROOT, &root))
		return json_null();
	return json_pack("{s:b, s:b, s:b, s:I, s:I, s:i, s:I}", "nosuid", (fs.f_flag & ST_NOSUID) != 0, "nodev",
			 (fs.f_flag & ST_NODEV) != 0, "noexec", (fs.f_flag & ST_NOEXEC) != 0, "size",
			 (json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize, "free",
			 (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize, "mode", (int)root.st_mode & 07777, "uid",
			 (json_int_t)root.st_uid);
}

/* The device's number is given again once nothing of the file system is left. NULL where the kernel gives it no id. */
static json_t *leftovers_filesystem(void)
{
	struct statvfs fs;

	return statvfs(SHM_ROOT, &fs) || !fs.f_fsid ? NULL : json_sprintf("%016lx", fs.f_fsid);
}

json_t *leftovers_look(char **error)
{
	json_t *objects = json_array();
	struct timespec now;
	struct look look;
	int r = leftovers_scan(&look, false);

	for (size_t i = 0; i < look.count; i++)
		json_array_append_new(objects, leftovers_object(&look.objects[i]));
	leftovers_free(&look);
	if (r) {
		*error = memory_format(SHM_ROOT ": %s", strerror(r));
		json_decref(objects);
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return json_pack("{s:I, s:I, s:o*, s:I, s:o, s:o}", "looked", (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec,
			 "device", (json_int_t)look.device, "filesystem", leftovers_filesystem(), "uid",
			 (json_int_t)geteuid(), "mount", leftovers_mount(), "objects", objects);
}

void leftovers_tidy(void)
{
	char path[PATH_MAX];
	struct look look;

	leftovers_scan(&look, true);
	for (size_t i = 0; i < look.count; i++) {
		snprintf(path, sizeof(path), SHM_ROOT "%s", look.objects[i].name);
		if (!look.objects[i].holder_count && look.objects[i].status.st_uid == geteuid())
			unlink(path);
	}
	leftovers_free(&look);
}
