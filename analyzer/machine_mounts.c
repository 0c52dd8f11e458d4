/* The file systems that can hold objects: tmpfs and hugetlbfs of each mount namespace, and the kernel's own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"

#define SHM_ROOT "/dev/shm"

struct machine_fs *machine_fs_of(const struct machine *machine, dev_t device)
{
	return map_get(&machine->own_fs, device, 0);
}

struct machine_fs *machine_fs_add(struct machine *machine, const struct machine_fs *fs)
{
	struct machine_fs *added = memory_new(1, sizeof(*added));

	*added = *fs;
	machine->fs = memory_grow(machine->fs, machine->fs_count, sizeof(struct machine_fs *));
	machine->fs[machine->fs_count++] = added;
	map_put(&machine->own_fs, fs->device, 0, added);
	return added;
}

/* "\040" and the like in mountinfo. In place. */
static void mounts_decode(char *text)
{
	char *to = text;

	for (char *at = text; *at; at++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
			*to++ = (char)((unsigned)(at[1] & 3) << 6 | (unsigned)(at[2] & 7) << 3 | (unsigned)(at[3] & 7));
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

static void mounts_room(struct machine_fs *fs)
{
	struct statvfs room;

	if (!fs->path || statvfs(fs->path, &room))
		return;
	fs->size = (uint64_t)room.f_blocks * room.f_frsize;
	fs->used = (uint64_t)(room.f_blocks - room.f_bfree) * room.f_frsize;
}

/* Is the file system there what mountinfo says, or does another mount hide it? */
static bool mounts_reachable(const char *path, dev_t device)
{
	struct stat status;

	return !stat(path, &status) && status.st_dev == device;
}

static void mounts_add(struct machine *machine, dev_t device, const char *root, const char *mount, bool huge, pid_t pid)
{
	struct machine_fs *fs = machine_fs_of(machine, device);
	struct machine_fs found = {.device = device,
				   .through = pid,
				   .huge = huge,
				   .whole = !strcmp(root, "/"),
				   .is_shm = !strcmp(mount, SHM_ROOT) && !strcmp(root, "/")};

	if (fs && (fs->is_shm || !found.is_shm) && (fs->whole || !found.whole))
		return;
	found.mount = memory_text(mount);
	found.path = pid ? memory_format("/proc/%d/root%s", (int)pid, mount) : memory_text(mount);
	if (!mounts_reachable(found.path, device)) {
		free(found.path);
		found.path = NULL;
	}
	found.shared = found.is_shm || (fs && fs->shared);
	mounts_room(&found);
	if (!fs) {
		machine_fs_add(machine, &found);
		return;
	}
	free(fs->mount);
	free(fs->path);
	*fs = found;
}

void machine_mounts(struct machine *machine, int process, pid_t pid)
{
	int fd = pid ? openat(process, "mountinfo", O_RDONLY | O_CLOEXEC)
		     : open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (getline(&line, &room, file) > 0) {
		unsigned major_number, minor_number;
		char *root = NULL, *mount = NULL;
		const char *type = strstr(line, " - ");
		bool huge = type && !strncmp(type + 3, "hugetlbfs ", 10);

		if ((huge || (type && !strncmp(type + 3, "tmpfs ", 6))) &&
		    sscanf(line, "%*d %*d %u:%u %ms %ms", &major_number, &minor_number, &root, &mount) == 4) {
			mounts_decode(root);
			mounts_decode(mount);
			mounts_add(machine, makedev(major_number, minor_number), root, mount, huge, pid);
		}
		free(root);
		free(mount);
	}
	free(line);
	fclose(file);
}

void machine_own_mounts(struct machine *machine)
{
	static const unsigned flags[] = {0, MFD_HUGETLB};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int fd = memfd_create("shmguard", MFD_CLOEXEC | flags[i]);
		struct stat status;

		if (fd >= 0 && !fstat(fd, &status) && !machine_fs_of(machine, status.st_dev))
			machine_fs_add(machine, &(struct machine_fs){.device = status.st_dev, .huge = flags[i] != 0});
		if (fd >= 0)
			close(fd);
	}
}
