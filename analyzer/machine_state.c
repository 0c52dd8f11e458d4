/* What the look means: states, what is kept by design, what of the catalogue can be seen from outside. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/machine_inner.h"
#include "analyzer/memory.h"

const struct machine_keep machine_keeps[] = {
	{"/jack-shm-registry", NULL, "JACK's registry of segments stays for the next server, by design"},
	{"/jack-*", "jackd", "JACK's clients attach to its segments while the server lives"},
	{"/pulse-shm-*", "pulseaudio", "PulseAudio removes its own when it starts"},
	{"/pulse-shm-*", "pipewire-pulse", "a client of PipeWire may still announce it"},
	{"/lttng-ust-wait-*", NULL, "LTTng wakes the programs of a user by it"},
	{"/ust-shm-*", "lttng-consumerd", "LTTng's buffers, passed on by descriptor"},
	{"/PostgreSQL.*", "postgres", "PostgreSQL keeps segments that no backend maps while its postmaster lives"},
	{NULL, NULL, NULL},
};

/* Does a process of that name and user live? In doubt it does. */
static bool state_lives(const char *comm, uid_t uid)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool lives = proc == NULL;

	while (!lives && (entry = readdir(proc))) {
		char path[NAME_MAX + 16], text[32] = "";
		struct stat status;
		FILE *file;

		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (file && fgets(text, sizeof(text), file)) {
			text[strcspn(text, "\n")] = '\0';
			/* That of a process that may not be dumped is root's. */
			lives = !strcmp(text, comm) && !fstat(fileno(file), &status) &&
				(status.st_uid == uid || status.st_uid == 0);
		}
		if (file)
			fclose(file);
	}
	if (proc)
		closedir(proc);
	return lives;
}

/* lives: what state_lives() said of a row and an owner, for there may be thousands of a kind. */
static const char *state_kept(const struct machine_object *object, struct map *lives)
{
	static char no[] = "", yes[] = "";

	for (const struct machine_keep *keep = machine_keeps; keep->glob; keep++) {
		uint64_t row = (uint64_t)(keep - machine_keeps);

		if (fnmatch(keep->glob, object->name, 0))
			continue;
		if (!keep->process)
			return keep->why;
		if (!map_get(lives, row, object->uid))
			map_put(lives, row, object->uid, state_lives(keep->process, object->uid) ? yes : no);
		if (map_get(lives, row, object->uid) == yes)
			return keep->why;
	}
	return NULL;
}

static bool state_has_name(const struct machine_object *object)
{
	if (object->kind == MACHINE_sysv)
		return object->links || !object->has_status;
	return object->path || (object->has_status && object->links && object->fs->mount);
}

static enum machine_state state_of(struct machine_object *object, int64_t now, int64_t recent, struct map *lives)
{
	if (!state_has_name(object))
		return MACHINE_STATE_unlinked;
	/* Segments that another namespace's processes have attached. */
	if (object->holder_count || (object->kind == MACHINE_sysv && object->incomplete))
		return MACHINE_STATE_live;
	if (object->kind != MACHINE_sysv)
		object->kept = state_kept(object, lives);
	return object->kept || now - object->touched < recent ? MACHINE_STATE_idle : MACHINE_STATE_ghost;
}

/*
 * A process that may not be looked at may hold what its user can open. Root could open anything; were that counted, an
 * ordinary user's look would never be complete.
 */
static bool state_incomplete(const struct machine *machine, const struct machine_object *object)
{
	if (!object->path)
		return false;
	for (size_t i = 0; i < machine->unseen_count; i++) {
		uid_t uid = machine->unseen[i].uid;

		/* In a container init may have more rights than anyone else there; it holds nothing of theirs. */
		if (machine->unseen[i].pid != 1 && (uid == object->uid || (uid && object->mode & 0066)))
			return true;
	}
	return machine->hidepid && object->mode & 0066;
}

static void __attribute__((format(printf, 4, 5)))
state_find(struct machine_object *object, enum rule_id rule, enum severity severity, const char *format, ...)
{
	struct machine_finding *finding;
	va_list arguments;
	char *message = NULL;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = memory_text("");
	va_end(arguments);
	object->findings = memory_grow(object->findings, object->finding_count, sizeof(*finding));
	finding = &object->findings[object->finding_count++];
	*finding = (struct machine_finding){rule, severity, message};
}

static void state_permission(struct machine_object *object)
{
	const struct machine_process *stranger = NULL;
	size_t strangers = 0;

	/* A file in a directory of its own is as open as that directory; what lies on the root anybody can reach. */
	if ((object->kind == MACHINE_shm || object->kind == MACHINE_sem) && object->path && object->mode & 002)
		state_find(object, RULE_world_writable, rules[RULE_world_writable].severity,
			   "its mode is %04o: any user may write to it, and truncate it under whoever maps it",
			   (unsigned)object->mode);
	for (size_t i = 0; object->has_status && object->uid && i < object->holder_count; i++)
		if (object->holders[i].process->uid != object->uid) {
			stranger = stranger ? stranger : object->holders[i].process;
			strangers++;
		}
	/* A memfd is passed on to whoever is meant to have it. */
	if (stranger && object->kind != MACHINE_memfd)
		state_find(object, RULE_foreign_owner, SEVERITY_NOTE,
			   strangers > 1 ? "user %u owns it; process %d of user %u and %zu more use it"
					 : "user %u owns it; process %d of user %u uses it",
			   (unsigned)object->uid, (int)stranger->pid, (unsigned)stranger->uid, strangers - 1);
}

static void state_size(struct machine_object *object)
{
	uint64_t page = object->page ? object->page : 4096, end = 0;
	uint64_t covered = (object->size + page - 1) / page * page;
	const struct machine_process *process = NULL;
	bool writable = false;

	for (size_t i = 0; i < object->holder_count; i++)
		for (size_t j = 0; j < object->holders[i].mapping_count; j++) {
			const struct machine_mapping *mapping = &object->holders[i].mappings[j];
			uint64_t reach = mapping->offset + (mapping->end - mapping->start);

			if (!object->has_status && reach > object->size)
				object->size = reach;
			if (object->has_status && reach > covered && reach > end &&
			    strncmp(mapping->protection, "---", 3)) {
				end = reach;
				process = object->holders[i].process;
				writable = mapping->protection[1] == 'w';
			}
		}
	if (process && object->kind != MACHINE_sysv)
		state_find(object, RULE_map_beyond_end, writable ? SEVERITY_ERROR : SEVERITY_WARNING,
			   "process %d maps it up to %" PRIu64 ", it is %" PRIu64
			   " bytes long: the first touch past %" PRIu64 " is a SIGBUS",
			   (int)process->pid, end, object->size, covered);
}

void machine_judge(struct machine *machine, int64_t recent)
{
	struct map lives = {0};

	for (size_t i = 0; i < machine->count; i++) {
		struct machine_object *object = machine->objects[i];

		object->state = state_of(object, machine->when, recent, &lives);
		if (object->kind != MACHINE_sysv)
			object->incomplete = state_incomplete(machine, object);
		state_size(object);
		state_permission(object);
	}
	map_clear(&lives);
}

static void state_say(char ***words, size_t *count, char *line)
{
	*words = memory_grow(*words, *count, sizeof(char *));
	(*words)[(*count)++] = line;
}

char **machine_unseen_words(const struct machine *machine, size_t *count)
{
	char **words = NULL;
	bool one = machine->unseen_count == 1;

	*count = 0;
	if (machine->unseen_count)
		state_say(&words, count,
			  memory_format(
				  "%zu process%s of other users or with more rights could not be looked at, %d (%s) "
				  "%s",
				  machine->unseen_count, one ? "" : "es", (int)machine->unseen[0].pid,
				  machine->unseen[0].comm, one ? "" : "the first of them"));
	if (machine->hidepid)
		state_say(&words, count,
			  memory_text("/proc is mounted with hidepid: other users' processes are not listed"));
	if (machine->inner_pid_namespace)
		state_say(&words, count,
			  memory_text("this is a pid namespace of its own: processes outside of it are not listed"));
	if (machine->unseen_directories)
		state_say(&words, count,
			  memory_format("%" PRIu64 " director%s could not be read", machine->unseen_directories,
					machine->unseen_directories == 1 ? "y" : "ies"));
	return words;
}
