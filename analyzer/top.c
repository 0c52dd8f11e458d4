#include "analyzer/top.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/machine_text.h"
#include "analyzer/memory.h"

static uint64_t key_of(const struct machine_object *object)
{
	/* Kinds without a file of their own share a device. */
	return (uint64_t)object->device ^ (uint64_t)object->kind << 56;
}

static uint64_t before_of(const struct map *map, uint64_t a, uint64_t b)
{
	uintptr_t found = (uintptr_t)map_get(map, a, b);

	return found ? found - 1 : 0;
}

static void remember(struct top *top)
{
	const struct machine *machine = top->machine;

	map_clear(&top->before);
	map_clear(&top->fs_before);
	for (size_t i = 0; i < machine->count; i++)
		map_put(&top->before, key_of(machine->objects[i]), machine->objects[i]->inode,
			(void *)(uintptr_t)(machine->objects[i]->allocated + 1));
	for (size_t i = 0; i < machine->fs_count; i++)
		map_put(&top->fs_before, machine->fs[i]->device, 0, (void *)(uintptr_t)(machine->fs[i]->used + 1));
}

static double rate(const struct top *top, uint64_t now, uint64_t before)
{
	return top->seconds > 0 ? ((double)now - (double)before) / top->seconds : 0;
}

double top_growth(const struct top *top, const struct machine_object *object)
{
	return rate(top, object->allocated, before_of(&top->before, key_of(object), object->inode));
}

static void take_fs(struct top *top)
{
	free(top->fs);
	top->fs = NULL;
	top->fs_count = 0;
	for (size_t i = 0; i < top->machine->fs_count; i++) {
		const struct machine_fs *fs = top->machine->fs[i];
		struct top_fs *made;

		/* One of another mount namespace may be out of reach, and nothing is known of it. */
		if ((!fs->size && !fs->used) || !(fs->is_shm || fs->shared))
			continue;
		top->fs = memory_grow(top->fs, top->fs_count, sizeof(*top->fs));
		made = &top->fs[top->fs_count++];
		*made = (struct top_fs){.fs = fs, .full_in = -1};
		made->growth = rate(top, fs->used, before_of(&top->fs_before, fs->device, 0));
		if (made->growth > 0 && fs->size)
			made->full_in = fs->used < fs->size ? (double)(fs->size - fs->used) / made->growth : 0;
	}
}

bool top_look(struct top *top, char **error)
{
	struct machine *machine = machine_look(0, MACHINE_RECENT, error);

	if (!machine)
		return false;
	if (top->machine) {
		remember(top);
		top->seconds = (double)(machine->when - top->machine->when) / 1e9;
		machine_free(top->machine);
	}
	top->machine = machine;
	take_fs(top);
	return true;
}

void top_free(struct top *top)
{
	if (top->machine)
		machine_free(top->machine);
	free(top->fs);
	map_clear(&top->before);
	map_clear(&top->fs_before);
	*top = (struct top){0};
}

static bool matches(const char *text, const char *filter)
{
	return strcasestr(text, filter) || fnmatch(filter, text, FNM_CASEFOLD) == 0;
}

static bool process_matches(const struct machine_process *process, const char *filter)
{
	char *program = machine_text_program(process);
	bool found = matches(program, filter);

	free(program);
	return found;
}

/* The ordinary files of other file systems and memory without a file are not what a person looks for here. */
bool top_shows(const struct machine_object *object)
{
	return object->kind != MACHINE_anonymous &&
	       !(object->kind == MACHINE_file && !object->fs->is_shm && !object->holder_count);
}

static bool object_matches(const struct machine_object *object, const char *filter)
{
	bool found = !*filter || matches(object->name, filter);

	for (size_t i = 0; !found && i < object->holder_count; i++)
		found = process_matches(object->holders[i].process, filter);
	return found;
}

struct lines {
	const struct top *top;
	const struct top_settings *settings;
	struct top_line *all;
	size_t count;
};

static int compare_numbers(double a, double b)
{
	return (a < b) - (a > b);
}

static const char *text_of(const struct top_line *line)
{
	if (line->object)
		return line->object->name;
	return line->process->exe ? line->process->exe : line->process->comm;
}

static int64_t born(const struct top_line *line)
{
	if (!line->object)
		return line->process->pid;
	return line->object->born ? line->object->born : line->object->touched;
}

/* Largest, youngest, alphabetically first on top. */
static int compare(const void *a, const void *b, void *context)
{
	const struct top_line *one = a, *other = b;
	const struct top_settings *settings = context;
	int order = 0;

	switch (settings->sort) {
	case TOP_resident:
		order = compare_numbers((double)one->allocated, (double)other->allocated);
		break;
	case TOP_size:
		order = compare_numbers((double)one->size, (double)other->size);
		break;
	case TOP_growth:
		order = compare_numbers(one->growth, other->growth);
		break;
	case TOP_holders:
		order = compare_numbers((double)one->holders, (double)other->holders);
		break;
	case TOP_age:
		order = compare_numbers((double)born(one), (double)born(other));
		break;
	default:
		break;
	}
	if (!order)
		order = strcmp(text_of(one), text_of(other));
	return settings->reversed ? -order : order;
}

static void add(struct lines *lines, const struct top_line *line)
{
	lines->all = memory_grow(lines->all, lines->count, sizeof(*lines->all));
	lines->all[lines->count++] = *line;
}

static struct top_line object_line(const struct lines *lines, const struct machine_object *object)
{
	return (struct top_line){.object = object,
				 .allocated = object->allocated,
				 .size = object->size,
				 .growth = top_growth(lines->top, object),
				 .holders = object->holder_count};
}

static void add_objects(struct lines *lines)
{
	const struct machine *machine = lines->top->machine;

	for (size_t i = 0; i < machine->count; i++) {
		struct top_line line = object_line(lines, machine->objects[i]);

		if (top_shows(machine->objects[i]) && object_matches(machine->objects[i], lines->settings->filter))
			add(lines, &line);
	}
}

static const struct machine_holder *holder_of(const struct machine_object *object,
					      const struct machine_process *process)
{
	for (size_t i = 0; i < object->holder_count; i++)
		if (object->holders[i].process == process)
			return &object->holders[i];
	return NULL;
}

/* What several processes hold counts for each of them. */
static void add_process(struct lines *lines, const struct machine_process *process)
{
	struct top_line sum = {.process = process};
	const char *filter = lines->settings->filter;

	for (size_t i = 0; i < lines->top->machine->count; i++) {
		const struct machine_object *object = lines->top->machine->objects[i];

		if (!top_shows(object) || !holder_of(object, process) ||
		    (*filter && !process_matches(process, filter) && !matches(object->name, filter)))
			continue;
		sum.allocated += object->allocated;
		sum.size += object->size;
		sum.growth += top_growth(lines->top, object);
		sum.holders++;
	}
	if (sum.holders)
		add(lines, &sum);
}

static void sort(struct lines *lines)
{
	if (lines->count)
		qsort_r(lines->all, lines->count, sizeof(*lines->all), compare, (void *)(uintptr_t)lines->settings);
}

/* The lines below one on top: an object's holders, or a process's objects. */
static void add_below(struct lines *below, const struct top_line *on_top)
{
	const struct machine *machine = below->top->machine;

	for (size_t i = 0; on_top->object && i < on_top->object->holder_count; i++)
		add(below, &(struct top_line){.depth = 1,
					      .holder = true,
					      .object = on_top->object,
					      .process = on_top->object->holders[i].process});
	for (size_t i = 0; !on_top->object && i < machine->count; i++) {
		struct top_line line = object_line(below, machine->objects[i]);

		line.depth = 1;
		line.process = on_top->process;
		if (top_shows(machine->objects[i]) && holder_of(machine->objects[i], on_top->process))
			add(below, &line);
	}
	if (!on_top->object)
		sort(below);
}

struct top_line *top_lines(const struct top *top, const struct top_settings *settings, size_t *count)
{
	struct lines on_top = {.top = top, .settings = settings}, all = on_top;

	if (settings->view == TOP_by_process)
		for (size_t i = 0; i < top->machine->process_count; i++)
			add_process(&on_top, top->machine->processes[i]);
	else
		add_objects(&on_top);
	sort(&on_top);
	for (size_t i = 0; i < on_top.count; i++) {
		struct lines below = {.top = top, .settings = settings};

		add(&all, &on_top.all[i]);
		if (settings->view != TOP_flat)
			add_below(&below, &on_top.all[i]);
		for (size_t j = 0; j < below.count; j++)
			add(&all, &below.all[j]);
		free(below.all);
	}
	free(on_top.all);
	*count = all.count;
	return all.all;
}
