#include "analyzer/rights.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "analyzer/habits.h"
#include "analyzer/memory.h"
#include "analyzer/replay.h"

/* What an event says of one name. */
struct need {
	const char *name;
	bool semaphore, glob; /* the name is a glob already */
	unsigned rights;
	const char *call;
	bool opens;
	uint32_t flags; /* of an open */
};

static struct program_rights *program_of(struct rights *rights, const char *exe)
{
	for (size_t i = 0; i < rights->count; i++)
		if (strcmp(rights->all[i].exe, exe) == 0)
			return &rights->all[i];
	rights->all = memory_grow(rights->all, rights->count, sizeof(*rights->all));
	rights->all[rights->count] = (struct program_rights){.exe = memory_text(exe)};
	return &rights->all[rights->count++];
}

static struct right *right_to(struct program_rights *program, char *path)
{
	for (size_t i = 0; i < program->count; i++) {
		if (strcmp(program->all[i].path, path) != 0)
			continue;
		free(path);
		return &program->all[i];
	}
	program->all = memory_grow(program->all, program->count, sizeof(*program->all));
	program->all[program->count] = (struct right){.path = path, .owner = true};
	return &program->all[program->count++];
}

static char *call_text(const struct need *need)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

	if (!need->opens)
		return memory_text(need->call);
	return memory_format("%s %s%s%s", need->call, modes[need->flags & O_ACCMODE],
			     need->flags & O_CREAT ? "|O_CREAT" : "", need->flags & O_TRUNC ? "|O_TRUNC" : "");
}

static char *glob_of(const struct need *need, const struct object *object, const char *name,
		     const struct habits_pids *pids)
{
	if (need->glob)
		return memory_text(name);
	char *canonical = name_canonical(need->name, need->semaphore);
	bool random = object && object_is_called_at_random(object, canonical);

	free(canonical);
	return random ? habits_temporary(name, pids) : habits_glob(name, pids);
}

static void add(struct rights *rights, const struct process *process, const struct object *object,
		const struct need *need)
{
	if (!*process->exe || (object && object->kind == KIND_memfd) || name_is_way(need->name))
		return;
	const struct habits_pids pids = habits_pids_of(process);
	char *name = habits_object(need->name, need->semaphore);
	struct right *right = right_to(program_of(rights, process->exe), glob_of(need, object, name, &pids));

	right->rights |= need->rights;
	right->owner &= object == NULL || object->uid == process->euid;
	habits_keep(&right->calls, &right->call_count, call_text(need));
	free(name);
}

static unsigned rights_of(uint32_t flags)
{
	unsigned rights = (flags & O_ACCMODE) == O_WRONLY ? RIGHT_write
			  : (flags & O_ACCMODE) == O_RDWR ? RIGHT_read | RIGHT_write
							  : RIGHT_read;

	return rights | (flags & (O_CREAT | O_TRUNC) ? RIGHT_write : 0);
}

/* The object's latest name, for the calls that give none. */
static void add_unnamed(struct rights *rights, const struct process *process, const struct object *object,
			unsigned right, const char *call)
{
	if (object && object->name_count)
		add(rights, process, object,
		    &(struct need){.name = object->names[object->name_count - 1].text, .rights = right, .call = call});
}

#define NEED(...) add(rights, process, object, &(struct need){__VA_ARGS__})

/* glibc makes a semaphore under a random name, and links it into place. */
static void take_semaphore(struct rights *rights, const struct process *process, const struct object *object,
			   const struct sem_open_event *e)
{
	NEED(.name = e->name, .semaphore = true, .rights = RIGHT_read | RIGHT_write | (e->created ? RIGHT_link : 0),
	     .call = "sem_open");
	if (e->created)
		NEED(.name = "sem.??????", .glob = true, .rights = RIGHT_read | RIGHT_write,
		     .call = "sem_open, before it has its name");
}

static void take(struct rights *rights, struct process *process, const struct object *object,
		 const struct trace_event *event)
{
	const union any_event *any = &event->event;

	switch (event->id) {
	case EVENT_shm_open:
		if (!any->shm_open.error)
			NEED(.name = any->shm_open.name, .rights = rights_of(any->shm_open.flags), .call = "shm_open",
			     .opens = true, .flags = any->shm_open.flags);
		break;
	case EVENT_open:
		if (!any->open.error)
			NEED(.name = any->open.name, .rights = rights_of(any->open.flags), .call = "open",
			     .opens = true, .flags = any->open.flags);
		break;
	case EVENT_sem_open:
		if (!any->sem_open.error)
			take_semaphore(rights, process, object, &any->sem_open);
		break;
	case EVENT_unlink:
		NEED(.name = any->unlink.name, .semaphore = any->unlink.symbol == SYMBOL_sem_unlink,
		     .rights = RIGHT_write, .call = "unlink");
		break;
	case EVENT_rename:
		NEED(.name = any->rename.from, .rights = RIGHT_read | RIGHT_write, .call = "rename from");
		NEED(.name = any->rename.to, .rights = RIGHT_write, .call = "rename to");
		break;
	case EVENT_link:
		NEED(.name = any->link.to, .rights = RIGHT_link, .call = "link");
		break;
	case EVENT_chmod:
		add_unnamed(rights, process, object, RIGHT_write, "chmod");
		break;
	case EVENT_chown:
		add_unnamed(rights, process, object, RIGHT_write, "chown");
		break;
	case EVENT_ftruncate:
		if (any->ftruncate.fd < 0)
			add_unnamed(rights, process, object, RIGHT_write, "truncate");
		break;
	case EVENT_mmap:
		if ((any->mmap.prot & PROT_EXEC) && !any->mmap.error)
			add_unnamed(rights, process, object, RIGHT_exec, "mmap PROT_EXEC");
		break;
	case EVENT_mprotect:
		if ((any->mprotect.prot & PROT_EXEC) && !any->mprotect.error)
			add_unnamed(rights, process, object, RIGHT_exec, "mprotect PROT_EXEC");
		break;
	case EVENT_memfd_create:
		if (*process->exe)
			program_of(rights, process->exe)->memfds = true;
		break;
	default:
		break;
	}
}

static int take_event(void *context, struct world *world, struct process *process, const struct trace_event *event,
		      const struct outcome *outcome)
{
	(void)outcome;
	take(context, process, replay_object(world, process, event), event);
	return 0;
}

bool rights_gather(struct rights *rights, const char *dir, char **error)
{
	return replay(dir, &(struct replay){.context = rights, .event = take_event, .tell = true}, error) == 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct right *)a)->path, ((const struct right *)b)->path);
}

static int by_exe(const void *a, const void *b)
{
	return strcmp(((const struct program_rights *)a)->exe, ((const struct program_rights *)b)->exe);
}

void rights_sort(struct rights *rights)
{
	for (size_t i = 0; i < rights->count; i++)
		if (rights->all[i].count)
			qsort(rights->all[i].all, rights->all[i].count, sizeof(struct right), by_path);
	if (rights->count)
		qsort(rights->all, rights->count, sizeof(struct program_rights), by_exe);
}

void rights_free(struct rights *rights)
{
	for (size_t i = 0; i < rights->count; i++) {
		struct program_rights *program = &rights->all[i];

		for (size_t j = 0; j < program->count; j++) {
			for (size_t k = 0; k < program->all[j].call_count; k++)
				free(program->all[j].calls[k]);
			free(program->all[j].calls);
			free(program->all[j].path);
		}
		free(program->all);
		free(program->exe);
	}
	free(rights->all);
	*rights = (struct rights){0};
}
