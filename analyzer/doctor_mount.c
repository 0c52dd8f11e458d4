/* /dev/shm: what is mounted there, how large, how full, who may. */
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "analyzer/cause.h"
#include "analyzer/doctor.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

#define SHM_ROOT "/dev/shm"
/* Docker's default, with which browsers and PyTorch's loaders die. */
#define SIZE_SMALL (UINT64_C(64) << 20)
#define SIZE_TINY (UINT64_C(16) << 20)
/* More than this need not grow with the memory. */
#define SIZE_AMPLE (UINT64_C(1) << 30)

/* Of several mounts on one place the last is seen. */
static void mount_entry(struct surroundings *at, const char *root)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;

	while (table && (entry = getmntent(table))) {
		if (strcmp(entry->mnt_dir, root) != 0)
			continue;
		free(at->type);
		free(at->options);
		at->type = memory_text(entry->mnt_type);
		at->options = memory_text(entry->mnt_opts);
	}
	if (table)
		endmntent(table);
}

static bool mount_is_root(const struct stat *root)
{
	struct statx status;
	struct stat parent;

	if (!statx(AT_FDCWD, SHM_ROOT, AT_STATX_SYNC_AS_STAT, 0, &status) &&
	    status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return status.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return !stat(SHM_ROOT "/..", &parent) && parent.st_dev != root->st_dev;
}

static uint64_t mount_memory(const char *name)
{
	long long kib = cause_memory(name);

	return kib < 0 ? 0 : (uint64_t)kib << 10;
}

void doctor_mount_look(struct surroundings *at)
{
	char *root = realpath(SHM_ROOT, NULL);

	at->memory = mount_memory("MemTotal");
	at->swap = mount_memory("SwapTotal");
	at->there = root && !stat(SHM_ROOT, &at->root) && S_ISDIR(at->root.st_mode) && !statfs(SHM_ROOT, &at->fs);
	at->mounted = at->there && mount_is_root(&at->root);
	if (root)
		mount_entry(at, root);
	free(root);
}

static uint64_t mount_size(const struct surroundings *at)
{
	return (uint64_t)at->fs.f_blocks * (uint64_t)at->fs.f_frsize;
}

char *doctor_half(const struct surroundings *at)
{
	/* A part of the memory is known to tmpfs itself, but not that a group may have less of it. */
	if (at->memory && at->allowed < at->memory)
		return memory_format("size=%juM", (uintmax_t)((at->allowed / 2 >> 20) + 1));
	return memory_text("size=50%");
}

enum fitness doctor_mounted(const struct surroundings *at, struct answer *answer)
{
	char *half = doctor_half(at);

	doctor_truth(answer, "mounted", at->mounted);
	answer->change = memory_format("%smount -t tmpfs -o mode=1777,nosuid,nodev,%s tmpfs " SHM_ROOT,
				       at->there ? "" : "mkdir -p " SHM_ROOT " && ", half);
	free(half);
	if (!at->there)
		return doctor_found(answer, FITNESS_bad, "there is no " SHM_ROOT);
	if (!at->mounted)
		return doctor_found(answer, FITNESS_bad, "a directory of the file system below it, nothing is mounted");
	return doctor_found(answer, FITNESS_ok, "%s", at->options ? at->options : "mounted");
}

enum fitness doctor_type(const struct surroundings *at, struct answer *answer)
{
	const char *type = at->type;

	if (!at->mounted)
		return FITNESS_aside;
	if (!type)
		type = at->fs.f_type == TMPFS_MAGIC ? "tmpfs" : at->fs.f_type == RAMFS_MAGIC ? "ramfs" : "not tmpfs";
	doctor_words(answer, "type", type);
	if (at->fs.f_type == TMPFS_MAGIC)
		return doctor_found(answer, FITNESS_ok, "%s", type);
	if (at->fs.f_type == RAMFS_MAGIC)
		return doctor_found(answer, FITNESS_warn, "%s: memory without a limit, which is never swapped", type);
	return doctor_found(answer, FITNESS_bad, "%s, no memory", type);
}

/* "50% of the memory (24G)" */
static char *size_share(const struct surroundings *at, uint64_t size)
{
	double share = at->memory ? 100.0 * (double)size / (double)at->memory : 0;
	char *memory, *text;

	if (!at->memory)
		return memory_text("the machine's memory is not known");
	memory = machine_text_size(at->memory);
	text = memory_format(share < 1 ? "%.2g%% of the memory (%s)" : "%.0f%% of the memory (%s)", share, memory);
	free(memory);
	return text;
}

static enum fitness size_judge(const struct surroundings *at, uint64_t size, const char **why)
{
	uint64_t all = at->memory + at->swap;

	*why = "";
	if (size < SIZE_TINY)
		*why = ": too little for most programs";
	else if (size <= SIZE_SMALL || (size < SIZE_AMPLE && size < at->memory / 8))
		*why = ": little, as in a container";
	else if (at->memory && size > all - all / 10)
		*why = ": filled, it leaves programs no memory, and the kernel kills them";
	return size < SIZE_TINY ? FITNESS_bad : **why ? FITNESS_warn : FITNESS_ok;
}

enum fitness doctor_size(const struct surroundings *at, struct answer *answer)
{
	uint64_t size = mount_size(at);
	enum fitness fitness;
	char *text, *share, *half;
	const char *why;

	if (!at->mounted)
		return FITNESS_aside;
	half = doctor_half(at);
	answer->change = memory_format("mount -o remount,%s " SHM_ROOT, half);
	free(half);
	doctor_value(answer, "size", size ? size : UINT64_MAX);
	doctor_value(answer, "memory", at->memory ? at->memory : UINT64_MAX);
	if (!size)
		return doctor_found(answer, FITNESS_warn, "without a limit: filled, it leaves programs no memory");
	fitness = size_judge(at, size, &why);
	text = machine_text_size(size);
	share = size_share(at, size);
	doctor_found(answer, fitness, "%s, %s%s", text, share, why);
	free(text);
	free(share);
	return fitness;
}

/* What would go with `shmguard clean --yes`. */
static uint64_t mount_ghosts(size_t *count)
{
	char *error = NULL;
	struct machine *machine = machine_look(0, MACHINE_RECENT, &error);
	uint64_t bytes = 0;

	free(error);
	*count = 0;
	for (size_t i = 0; machine && i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];

		if (object->state != MACHINE_STATE_ghost || !object->fs || !object->fs->is_shm || object->fs->through)
			continue;
		bytes += object->allocated;
		++*count;
	}
	machine_free(machine);
	return bytes;
}

/* The least change that gives room: ghosts, a limit up to half of the memory, else twice what there is. */
static void usage_change(const struct surroundings *at, uint64_t size, bool scarce, struct answer *answer)
{
	size_t count = 0;
	uint64_t ghosts = scarce ? mount_ghosts(&count) : 0;
	char *half, *text;

	if (scarce)
		doctor_value(answer, "ghosts", ghosts);
	if (count) {
		text = machine_text_size(ghosts);
		half = memory_format("%s; %s of it in %zu ghost%s that nobody holds", answer->found, text, count,
				     count == 1 ? "" : "s");
		free(answer->found);
		free(text);
		answer->found = half;
		answer->change = memory_text("shmguard clean --yes");
		return;
	}
	half = size < at->memory / 2 ? doctor_half(at) : memory_format("size=%juM", (uintmax_t)(size >> 19));
	answer->change = memory_format("mount -o remount,%s " SHM_ROOT, half);
	free(half);
}

enum fitness doctor_usage(const struct surroundings *at, struct answer *answer)
{
	uint64_t size = mount_size(at), left = (uint64_t)at->fs.f_bavail * (uint64_t)at->fs.f_frsize, used;
	enum fitness fitness;
	char *some, *rest;

	if (!at->mounted || !size)
		return FITNESS_aside;
	used = size - left;
	fitness = left < size / 50 ? FITNESS_bad : left < size / 5 ? FITNESS_warn : FITNESS_ok;
	doctor_value(answer, "used", used);
	doctor_value(answer, "left", left);
	some = machine_text_size(used);
	rest = machine_text_size(left);
	doctor_found(answer, fitness, "%s (%.0f%%), %s left", some, 100.0 * (double)used / (double)size, rest);
	free(some);
	free(rest);
	usage_change(at, size, fitness != FITNESS_ok, answer);
	return fitness;
}

enum fitness doctor_inodes(const struct surroundings *at, struct answer *answer)
{
	uint64_t all = at->fs.f_files, left = at->fs.f_ffree;

	if (!at->mounted)
		return FITNESS_aside;
	doctor_value(answer, "inodes", all ? all : UINT64_MAX);
	doctor_value(answer, "left", all ? left : UINT64_MAX);
	answer->change = memory_format("mount -o remount,nr_inodes=%ju " SHM_ROOT,
				       all < 524288 ? (uintmax_t)1048576 : (uintmax_t)all * 2);
	if (!all)
		return doctor_found(answer, FITNESS_ok, "without a limit");
	return doctor_found(answer,
			    left < all / 50 || !left ? FITNESS_bad
			    : left < all / 5         ? FITNESS_warn
						     : FITNESS_ok,
			    "%ju of %ju left", (uintmax_t)left, (uintmax_t)all);
}

enum fitness doctor_writable(const struct surroundings *at, struct answer *answer)
{
	bool only = at->fs.f_flags & ST_RDONLY;

	if (!at->mounted)
		return FITNESS_aside;
	doctor_truth(answer, "writable", !only);
	return doctor_found(answer, only ? FITNESS_bad : FITNESS_ok, only ? "mounted read-only" : "mounted read-write");
}

enum fitness doctor_options(const struct surroundings *at, struct answer *answer)
{
	bool nosuid = at->fs.f_flags & ST_NOSUID, nodev = at->fs.f_flags & ST_NODEV,
	     noexec = at->fs.f_flags & ST_NOEXEC;

	if (!at->mounted)
		return FITNESS_aside;
	doctor_truth(answer, "nosuid", nosuid);
	doctor_truth(answer, "nodev", nodev);
	doctor_truth(answer, "noexec", noexec);
	if (nosuid && nodev)
		return doctor_found(answer, FITNESS_ok, "nosuid and nodev, %s", noexec ? "noexec too" : "not noexec");
	return doctor_found(answer, FITNESS_warn, "without%s%s%s", nosuid ? "" : " nosuid",
			    nosuid || nodev ? "" : " and", nodev ? "" : " nodev");
}

enum fitness doctor_root(const struct surroundings *at, struct answer *answer)
{
	mode_t mode = at->root.st_mode & 07777;
	char *owner;
	const char *why = "";

	if (!at->there)
		return FITNESS_aside;
	if (at->root.st_uid)
		why = ": its owner may remove everybody's objects";
	else if ((mode & 0777) != 0777)
		why = ": not all users may make objects";
	else if (!(mode & S_ISVTX))
		why = ": not sticky, anybody may remove or replace anybody's objects";
	owner = machine_text_user(at->root.st_uid);
	doctor_value(answer, "uid", at->root.st_uid);
	doctor_value(answer, "mode", mode);
	doctor_found(answer, FITNESS_ok, "%04o of %s%s", mode, owner, why);
	answer->change = memory_format("%schmod 1777 " SHM_ROOT, at->root.st_uid ? "chown root: " SHM_ROOT " && " : "");
	free(owner);
	return *why ? FITNESS_bad : FITNESS_ok;
}
