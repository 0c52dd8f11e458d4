/* Processes: how each image began and ended, and from whom it inherited. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "memory.h"
#include "world_holdings.h"
#include "world_process_inner.h"
#include "world_stacks.h"

static uint64_t place_key(const char *host, uint32_t recording)
{
	return (uint64_t)(uintptr_t)host * 31 + recording;
}

static const struct recording *part_of(const struct world *world, uint32_t id)
{
	return world->private->recording ? recording_part(world->private->recording, id) : NULL;
}

const char *process_host(struct world *world, uint32_t id, const char *host)
{
	const struct recording *recording = part_of(world, id);
	const char *own;

	if (recording && recording->described && recording->host)
		host = recording->host;
	if (world->private->latest_host && strcmp(world->private->latest_host, host) == 0)
		return world->private->latest_host;
	own = world->private->latest_host = world_intern(world, host);
	for (size_t i = 0; i < world->host_count; i++)
		if (world->hosts[i] == own)
			return own;
	world->hosts = memory_grow(world->hosts, world->host_count, sizeof(*world->hosts));
	return world->hosts[world->host_count++] = own;
}

static uint32_t recording_of(const struct world *world, uint32_t recording)
{
	const struct recording *known = world->private->recording;

	return known && known->described ? 0 : recording;
}

struct process *process_current(const struct world *world, const char *host, uint32_t recording, pid_t pid)
{
	return map_get(&world->private->current, place_key(host, recording), (uint64_t)(unsigned)pid);
}

const struct process *world_process(const struct world *world, const struct process *process, pid_t pid)
{
	const struct process *other = NULL;

	for (size_t i = world->process_count; pid && i > 0; i--) {
		const struct process *known = world->processes[i - 1];

		if (known->pid != pid || known->place != process->place)
			continue;
		if (known->recording == process->recording)
			return known;
		/* Numbers are given again: it is one that was there at that time. */
		if (!other && !known->over)
			other = known;
	}
	return other;
}

uint64_t process_key(const struct process *process)
{
	return map_hash(MAP_HASH, process->id, strlen(process->id));
}

static struct process *process_new(struct world *world, const char *host, uint32_t recording, pid_t pid, int64_t time)
{
	struct process *process = memory_new(1, sizeof(*process));
	uintptr_t images = (uintptr_t)map_get(&world->private->images, (uint64_t)(unsigned)pid, 0) + 1;

	map_put(&world->private->images, (uint64_t)(unsigned)pid, 0, (void *)images);
	if (images > 1)
		snprintf(process->id, sizeof(process->id), "%d.%u", (int)pid, (unsigned)images);
	else
		snprintf(process->id, sizeof(process->id), "%d", (int)pid);
	process->watcher = world->private->watcher;
	process->host = host;
	process->recording = part_of(world, recording);
	process->place = process->recording && process->recording->ground ? (uintptr_t)process->recording->ground
									  : place_key(host, recording);
	process->pid = pid;
	process->exe = process->argv = "";
	process->began_at = time;
	process->ended = ENDED_unknown;
	process->definitions = memory_new(1, sizeof(*process->definitions));
	process->holdings = memory_new(1, sizeof(*process->holdings));
	world->processes = memory_grow(world->processes, world->process_count, sizeof(struct process *));
	world->processes[world->process_count++] = process;
	map_put(&world->private->current, place_key(host, recording), (uint64_t)(unsigned)pid, process);
	return process;
}

static void process_over(struct world *world, struct process *process)
{
	if (process->over)
		return;
	process->over = true;
	process->over_nth = ++world->private->overs;
	holes_end(process);
	world->private->watcher->ending(world->private->watcher->context, process);
	remains_keep(world, process);
}

void process_leave(struct world *world, struct process *process, int status, int64_t time)
{
	struct world_private *private = world->private;

	if (process->leaving || process->over)
		return;
	process->leaving = true;
	process->ended = ENDED_exit;
	process->status = status & 0xff;
	process->ended_at = time;
	private->leaving = memory_grow(private->leaving, private->leaving_count, sizeof(*private->leaving));
	private->leaving[private->leaving_count++] = process;
}

/* Those who left long enough ago are over: there is no line or wait that says so when the parent is not recorded. */
void process_sweep(struct world *world, int64_t now)
{
	struct world_private *private = world->private;

	while (private->left < private->leaving_count && private->leaving[private->left]->ended_at + LEAVING_TIME < now)
		process_over(world, private->leaving[private->left++]);
	if (private->left && private->left == private->leaving_count)
	private->left = private->leaving_count = 0;
}

static void set_status(struct process *process, int status, int64_t time)
{
	/* The exit event is nearer to the end of its work than the parent's wait. */
	if (process->ended_at == 0 || WIFSIGNALED(status))
		process->ended_at = time;
	process->ended = WIFSIGNALED(status) ? ENDED_signal : ENDED_exit;
	process->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	process->status = WIFSIGNALED(status) ? 0 : WEXITSTATUS(status);
}

/* A death can be told twice, by the parent's wait and by a line: the later one must not hit the pid's next owner. */
void process_died(struct world *world, const char *host, uint32_t recording, pid_t pid, int status, int64_t time)
{
	uint32_t id = recording_of(world, recording);
	struct process *process = process_current(world, process_host(world, id, host), id, pid);

	if (process == NULL || process->over || WIFSTOPPED(status) || WIFCONTINUED(status))
		return;
	if (process->began_at > time + CLOCK_SLACK)
		return;
	set_status(process, status, time);
	process_over(world, process);
}

struct process *process_successor(struct world *world, struct process *process, const char *host, uint32_t recording,
				  pid_t pid, bool exec, int64_t time)
{
	struct process *next;

	if (process == NULL || process->over)
		return process_new(world, host, recording, pid, time);
	if (exec) {
		process->ended = ENDED_exec;
		process->ended_at = time;
	}
	next = process_new(world, host, recording, pid, time);
	if (exec) {
		next->previous = process;
		process->next = next;
		next->parent = process->parent;
		next->ppid = process->ppid;
		next->uid = process->uid;
		next->euid = process->euid;
		next->gid = process->gid;
		if (!next->recording || !next->recording->holds)
			holdings_keep_over_exec(next, process);
	}
	process_over(world, process);
	return next;
}

struct process *process_latest(const struct world *world, const struct trace_event *event)
{
	const struct event_head *head = &event->event.head;

	for (size_t i = world->process_count; i > 0; i--) {
		struct process *process = world->processes[i - 1];

		if (process->pid == head->pid &&
		    (world->private->recording == NULL ||
		     process->recording == recording_part(world->private->recording, head->recording)))
			return process;
	}
	return NULL;
}

struct process *process_of_event(struct world *world, const struct trace_event *event)
{
	const struct event_head *head = &event->event.head;
	uint32_t recording = recording_of(world, head->recording);
	const char *host = process_host(world, recording, event->host);
	struct process *process = process_current(world, host, recording, head->pid);

	if (event->id == EVENT_process) {
		bool exec = event->event.process.began == BEGAN_exec;

		if (process == NULL || process->over || process->announced)
			process = process_successor(world, process, host, recording, head->pid, exec, event->time);
	} else if (process == NULL) {
		process = process_new(world, host, recording, head->pid, event->time);
	}
	process->traced = true;
	return process;
}

struct process *process_parent(struct world *world, const struct process *process, uint32_t recording, pid_t ppid)
{
	struct process *parent = process_current(world, process->host, recording, ppid);

	/* The parent may have gone on to another image since: the fork was made by the one that counted so far. */
	while (parent && parent->previous && parent->began_at > process->began_at)
		parent = parent->previous;
	return parent == process ? NULL : parent;
}

/* A recording that is made within another has that one's `run` for the parent of its command, and of its orphans. */
void process_look_elsewhere(struct world *world, struct process *process)
{
	const struct recording *part;

	if (process->parent || process->ppid <= 1 || !process->recording)
		return;
	for (size_t i = 0; (part = recording_each(world->private->recording, i)); i++) {
		struct process *parent;

		if (part == process->recording || !recording_shares(part, process->recording))
			continue;
		parent = process_current(world, process_host(world, part->id, ""), part->id, process->ppid);
		if (parent && !parent->over && parent->began_at <= process->began_at)
			process->elsewhere = parent;
	}
}

/*
 * The image that made the fork after its event number `seq`. A child that came to run late begins after the next one: that
 * had not got so far, or is another program than the child's.
 */
static struct process *forker_of(struct world *world, const struct process *child, uint32_t recording, pid_t ppid,
				 uint32_t seq)
{
	struct process *latest = process_parent(world, child, recording, ppid), *likely = NULL;

	for (struct process *image = latest; image; image = image->previous) {
		if (image->top_seq < seq)
			continue;
		if (strcmp(image->exe, child->exe) == 0 && (!image->announced || strcmp(image->argv, child->argv) == 0))
			return image;
		likely = likely ? likely : image;
	}
	return likely ? likely : latest;
}

void process_inherit(struct process *process, struct process *parent, uint32_t parent_seq)
{
	const struct holdings *from = parent ? remains_of(parent) : NULL;

	process->parent = parent;
	process->parent_seq = parent_seq;
	if (from)
		holdings_inherit(process, from, parent_seq);
}

/* A line told of the fork before: what it inherited is known better now, unless the parent's past is forgotten. */
static void inherit_again(struct world *world, struct process *process, struct process *parent, uint32_t parent_seq)
{
	const struct holdings *from = parent ? remains_of(parent) : NULL;

	process->parent = parent;
	process->parent_seq = parent_seq;
	if (from == NULL || process->events || from->forgotten > parent_seq)
		return;
	holdings_free(holdings_leave(world, process));
	holdings_inherit(process, from, parent_seq);
}

void process_announce(struct world *world, struct process *process, const struct trace_event *event)
{
	const struct process_event *e = &event->event.process;
	uint32_t recording = recording_of(world, e->recording);
	bool known = process->began_at != event->time;

	process->announced = true;
	process->ppid = e->parent;
	process->uid = e->uid;
	process->euid = e->euid;
	process->gid = e->gid;
	process->mount_namespace = e->mount_namespace;
	process->ipc_namespace = e->ipc_namespace;
	process->exe = world_intern(world, e->exe);
	process->argv = world_intern(world, e->argv);
	process->began = (enum began)e->began;
	if (e->began != BEGAN_exec) {
		struct process *parent = forker_of(world, process, recording, e->parent, e->parent_seq);

		if (known && process->parent)
			inherit_again(world, process, parent, e->parent_seq);
		else
			process_inherit(process, parent, e->parent_seq);
	} else if (process->parent == NULL) {
		process->parent = process_parent(world, process, recording, e->parent);
	}
	process_look_elsewhere(world, process);
}

/* One that did not end: its parent, or `run` itself, would have told otherwise. */
static bool still_running(const struct process *process)
{
	return process->recording && process->recording->described && !process->recording->lines_gone &&
	       (process->parent == NULL || !process->parent->over);
}

static void mark_held(const struct process *process)
{
	struct map_slot *slot;

	for (size_t cursor = 0; (slot = map_next(&process->holdings->uses, &cursor));) {
		const struct use *use = slot->value;

		if (use->mappings || use->descriptors)
			object_real(use->object)->held = true;
	}
}

void process_settle(struct world *world)
{
	process_lines_until(world, INT64_MAX);
	for (size_t i = 0; i < world->process_count; i++)
		numbers_finish(world, world->processes[i]);
	process_sweep(world, INT64_MAX);
	for (size_t i = 0; i < world->process_count; i++)
		if (!world->processes[i]->over)
			mark_held(world->processes[i]);
}

void process_finish(struct world *world)
{
	/* From the children up: whether a process still runs is read off its parent. */
	for (size_t i = world->process_count; i > 0; i--) {
		struct process *process = world->processes[i - 1];

		if (process->over)
			continue;
		if (still_running(process))
			process->ended = ENDED_running;
		process->ended_at = world->now;
		process_over(world, process);
		process->ended_at = 0;
	}
}
