/* Of what kind the file system is that a descriptor or a path leads to. */
#ifndef SHMGUARD_FILESYSTEM_H
#define SHMGUARD_FILESYSTEM_H

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "preload/kernel.h"

enum filesystem { FILESYSTEM_other, FILESYSTEM_tmpfs, FILESYSTEM_hugetlbfs, FILESYSTEM_perhaps /* one of these two */ };

/*
 * Where a filter of system calls lets nobody ask, one without a device of its own, as both are, may be one: what is then looked
 * at in vain is no loss, and a policy stays in force.
 */
static inline enum filesystem filesystem_told(long error, const struct statfs *fs, uint64_t dev)
{
	if (error)
		return major(dev) ? FILESYSTEM_other : FILESYSTEM_perhaps;
	if (fs->f_type == HUGETLBFS_MAGIC)
		return FILESYSTEM_hugetlbfs;
	return fs->f_type == TMPFS_MAGIC || fs->f_type == RAMFS_MAGIC ? FILESYSTEM_tmpfs : FILESYSTEM_other;
}

/* dev: as stat(2) has it. */
static inline enum filesystem filesystem_of_fd(int fd, uint64_t dev)
{
	struct statfs fs;
	long error = kernel_call(SYS_fstatfs, fd, (long)&fs, 0, 0, 0, 0);

	return filesystem_told(error, &fs, dev);
}

static inline enum filesystem filesystem_of_path(const char *path, uint64_t dev)
{
	struct statfs fs;
	long error = kernel_call(SYS_statfs, (long)path, (long)&fs, 0, 0, 0, 0);

	return filesystem_told(error, &fs, dev);
}

#endif
