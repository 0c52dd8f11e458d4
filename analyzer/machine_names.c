/* Objects by their names: what the file systems list, and the segments of System V. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"

enum machine_kind machine_kind_of(const struct machine_fs *fs, const char *name)
{
	if (!fs->is_shm || *name != '/' || strchr(name + 1, '/'))
		return MACHINE_file;
	return strncmp(name, "/sem.", 5) != 0 ? MACHINE_shm : MACHINE_sem;
}

/* fts has walked there without changing directory: accpath is the path. */
static void names_take(struct machine *machine, struct machine_fs *fs, const FTSENT *entry)
{
	const char *below = entry->fts_path + strlen(fs->path);
	struct machine_object *object;
	enum machine_kind kind;
	struct statx status;
	char *name;

	if (statx(AT_FDCWD, entry->fts_accpath, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS | STATX_BTIME, &status) ||
	    !S_ISREG(status.stx_mode))
		return;
	object = machine_meet(machine, (struct machine_key){fs->device, status.stx_ino}, fs);
	name = fs->is_shm ? memory_text(below) : memory_format("%s%s", fs->mount, below);
	kind = machine_kind_of(fs, name);
	/* Another name of the same: the first stays, unless this is one of shm_open(). */
	if (object->path && (object->kind != MACHINE_file || kind == MACHINE_file)) {
		free(name);
		return;
	}
	object->inode = status.stx_ino;
	machine_take_status(object, &status);
	free(object->name);
	free(object->path);
	object->name = name;
	object->path = memory_text(entry->fts_path);
	object->kind = kind;
}

static void names_list(struct machine *machine, struct machine_fs *fs)
{
	char *roots[] = {fs->path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	fs->listed = walk != NULL;
	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_F)
			names_take(machine, fs, entry);
		machine->unseen_directories += entry->fts_info == FTS_DNR;
	}
	if (walk)
		fts_close(walk);
}

void machine_names(struct machine *machine)
{
	for (size_t i = 0; i < machine->fs_count; i++)
		if (machine->fs[i]->shared && machine->fs[i]->path)
			names_list(machine, machine->fs[i]);
}

/* Who has it attached was met in maps already; here come those that nobody has, and what they are. */
static void sysv_line(struct machine *machine, const char *line)
{
	int key;
	unsigned id, mode, uid, gid;
	uint64_t size, attached, rss, swap;
	int64_t attach, detach, change;
	struct machine_object *object;

	if (sscanf(line,
		   "%d %u %o %" SCNu64 " %*d %*d %" SCNu64 " %u %u %*u %*u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64
		   " %" SCNu64,
		   &key, &id, &mode, &size, &attached, &uid, &gid, &attach, &detach, &change, &rss, &swap) != 12)
		return;
	object = machine_meet(machine, (struct machine_key){UINT32_MAX, id}, NULL);
	free(object->name);
	object->name = memory_format("SYSV 0x%08x", (unsigned)key);
	object->kind = MACHINE_sysv;
	object->inode = id;
	object->has_status = object->knows_swapped = true;
	object->uid = uid;
	object->gid = gid;
	/* SHM_DEST: removed, and there until the last one detaches. */
	object->links = mode & 01000 ? 0 : 1;
	object->mode = mode & 0777;
	object->size = size;
	object->allocated = rss + swap;
	object->swapped = swap;
	object->born = change * 1000000000;
	object->touched = (attach > detach ? attach : detach) * 1000000000;
	if (object->touched < object->born)
		object->touched = object->born;
	/* By processes that we do not see, or of which we may not see the mappings. */
	object->incomplete = attached > object->mapped_count;
}

void machine_sysv(struct machine *machine)
{
	FILE *file = fopen("/proc/sysvipc/shm", "re");
	char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0)
		sysv_line(machine, line);
	free(line);
	if (file)
		fclose(file);
}
