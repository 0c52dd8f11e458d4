#include "analyzer/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"

const char *const machine_kind_names[] = {
#define KIND_NAME(name) #name,
	MACHINE_KINDS(KIND_NAME)
#undef KIND_NAME
};

const char *const machine_state_names[] = {
#define STATE_NAME(name) #name,
	MACHINE_STATES(STATE_NAME)
#undef STATE_NAME
};

struct machine_object *machine_meet(struct machine *machine, struct machine_key key, struct machine_fs *fs)
{
	struct machine_object *object = map_get(&machine->index, key.device, key.inode);

	if (object)
		return object;
	object = memory_new(1, sizeof(*object));
	object->fs = fs;
	object->device = fs ? fs->device : 0;
	machine->objects = memory_grow(machine->objects, machine->count, sizeof(struct machine_object *));
	machine->objects[machine->count++] = object;
	map_put(&machine->index, key.device, key.inode, object);
	return object;
}

static int64_t machine_time(const struct statx_timestamp *time)
{
	return time->tv_sec * 1000000000 + time->tv_nsec;
}

void machine_take_status(struct machine_object *object, const struct statx *status)
{
	int64_t times[] = {machine_time(&status->stx_atime), machine_time(&status->stx_mtime),
			   machine_time(&status->stx_ctime)};

	object->has_status = true;
	object->uid = status->stx_uid;
	object->gid = status->stx_gid;
	object->mode = status->stx_mode & 07777;
	object->links = status->stx_nlink;
	object->size = status->stx_size;
	object->page = status->stx_blksize;
	object->allocated = status->stx_blocks * 512;
	object->born = status->stx_mask & STATX_BTIME ? machine_time(&status->stx_btime) : 0;
	object->touched = object->born;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] > object->touched)
			object->touched = times[i];
}

struct machine_holder *machine_hold(struct machine_object *object, struct machine_process *process)
{
	struct machine_holder *holder = object->holder_count ? &object->holders[object->holder_count - 1] : NULL;

	if (holder && holder->process == process)
		return holder;
	object->holders = memory_grow(object->holders, object->holder_count, sizeof(*object->holders));
	holder = &object->holders[object->holder_count++];
	*holder = (struct machine_holder){.process = process};
	return holder;
}

static void machine_free_object(struct machine_object *object)
{
	for (size_t i = 0; i < object->holder_count; i++)
		free(object->holders[i].mappings);
	for (size_t i = 0; i < object->finding_count; i++)
		free(object->findings[i].message);
	free(object->holders);
	free(object->findings);
	free(object->name);
	free(object->path);
	free(object);
}

/* Of a file system where nobody maps anything shared. */
static bool machine_is_foreign(const struct machine_object *object)
{
	return object->fs && object->fs->mount && !object->fs->shared;
}

static void machine_drop_foreign(struct machine *machine)
{
	size_t kept = 0;

	for (size_t i = 0; i < machine->count; i++) {
		if (machine_is_foreign(machine->objects[i]))
			machine_free_object(machine->objects[i]);
		else
			machine->objects[kept++] = machine->objects[i];
	}
	machine->count = kept;
}

static int machine_rank(const struct machine_object *object)
{
	if (!object->fs)
		return 4;
	if (!object->fs->mount)
		return 3;
	return object->fs->is_shm ? object->fs->through != 0 : 2;
}

static int machine_order(const void *a, const void *b)
{
	const struct machine_object *one = *(struct machine_object *const *)a;
	const struct machine_object *other = *(struct machine_object *const *)b;
	int order = machine_rank(one) - machine_rank(other);

	if (!order && one->fs != other->fs)
		order = one->device < other->device ? -1 : one->device > other->device;
	if (!order)
		order = strcmp(one->name, other->name);
	return order ? order : (one->inode > other->inode) - (one->inode < other->inode);
}

static void machine_count_holders(struct machine *machine)
{
	for (size_t i = 0; i < machine->count; i++) {
		struct machine_object *object = machine->objects[i];

		for (size_t j = 0; j < object->holder_count; j++) {
			object->open_count += object->holders[j].descriptors > 0;
			object->mapped_count += object->holders[j].mapping_count > 0;
		}
	}
}

static int64_t machine_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct machine *machine_look(unsigned flags, int64_t recent, char **error)
{
	struct machine *machine;
	int64_t start = machine_now(CLOCK_MONOTONIC);

	if (access("/proc/self/maps", R_OK)) {
		*error = memory_format("/proc: %s", strerror(errno));
		return NULL;
	}
	machine = memory_new(1, sizeof(*machine));
	machine->when = machine_now(CLOCK_REALTIME);
	machine_mounts(machine, AT_FDCWD, 0);
	machine_own_mounts(machine);
	machine_processes(machine);
	machine_drop_foreign(machine);
	machine_count_holders(machine);
	machine_names(machine);
	machine_sysv(machine);
	map_clear(&machine->index);
	if (machine->count)
		qsort(machine->objects, machine->count, sizeof(struct machine_object *), machine_order);
	if (flags & MACHINE_swapped)
		machine_look_for_swap(machine);
	machine_judge(machine, recent);
	machine->duration = machine_now(CLOCK_MONOTONIC) - start;
	return machine;
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	for (size_t i = 0; i < machine->count; i++)
		machine_free_object(machine->objects[i]);
	for (size_t i = 0; i < machine->process_count; i++) {
		free(machine->processes[i]->exe);
		free(machine->processes[i]);
	}
	for (size_t i = 0; i < machine->fs_count; i++) {
		free(machine->fs[i]->mount);
		free(machine->fs[i]->path);
		free(machine->fs[i]);
	}
	free(machine->objects);
	free(machine->processes);
	free(machine->fs);
	free(machine->unseen);
	map_clear(&machine->index);
	map_clear(&machine->mounts);
	map_clear(&machine->own_fs);
	free(machine);
}
