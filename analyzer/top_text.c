#include "analyzer/top_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"
#include "analyzer/terminal.h"

enum { FIXED = 64, NARROW = 100, FIXED_NARROW = 50, BY_NARROW = 14, NAME_LEAST = 12, NAME_MOST = 48, BAR = 20 };

/* Then there is no room for the owner and the age, as who holds it says more. */
static bool is_narrow(int width)
{
	return width < NARROW;
}

/* What is left of the line for the name, and behind it for the holders. */
static int name_columns(int width)
{
	int columns = width - (is_narrow(width) ? FIXED_NARROW + BY_NARROW : FIXED);

	if (!is_narrow(width) && columns > NAME_LEAST + 24)
		columns -= 24;
	return columns < NAME_LEAST ? NAME_LEAST : columns > NAME_MOST ? NAME_MOST : columns;
}

static char *cut_to(char *text, int width)
{
	char *cut = terminal_cut(text, width, false);

	free(text);
	return cut;
}

/* Filled up by columns, which printf's width, of bytes, does not know. */
static char *name_cell(const char *name, unsigned depth, int columns)
{
	char *cut = terminal_cut(name, columns - 2 * (int)depth, false);
	char *cell = memory_format("%*s%s%*s", 2 * (int)depth, "", cut,
				   columns - 2 * (int)depth - terminal_columns(cut), "");

	free(cut);
	return cell;
}

static char *growth_text(double growth)
{
	char *size, *text;

	if (fabs(growth) < 1)
		return memory_text("-");
	size = machine_text_size((uint64_t)fabs(growth));
	text = memory_format("%c%s", growth < 0 ? '-' : '+', size);
	free(size);
	return text;
}

/* The order of the table is marked where its column has a heading. */
char *top_text_heading(const struct top_settings *settings, int width)
{
	static const char *const headings[] = {
#define SORT_HEADING(name, key, heading) heading,
		TOP_SORTS(SORT_HEADING)
#undef SORT_HEADING
	};
	bool narrow = is_narrow(width);
	char *line =
		memory_format("%-*s  %-5s%s %5s %5s %8s %4s %4s%s %-8s  %s", name_columns(width),
			      settings->view == TOP_by_process ? "PROCESS" : "NAME", "KIND", narrow ? "" : " OWNER   ",
			      "SIZE", "RES", "GROWTH/s", "OPEN", "MAPS", narrow ? "" : "  AGE", "STATE", "HELD BY");
	char *at = strstr(line, headings[settings->sort]);

	if (at && at > line && at[-1] == ' ')
		at[-1] = settings->reversed ? '<' : '>';
	return cut_to(line, width);
}

static char *owner_cell_of(const char *owner, int width)
{
	return is_narrow(width) ? memory_text("") : memory_format(" %-8.8s", owner);
}

static char *object_text(const struct top *top, const struct top_line *line, int width)
{
	const struct machine_object *object = line->object;
	char *name = machine_text_name(object), *cell = name_cell(name, line->depth, name_columns(width));
	char *owner = object->has_status ? machine_text_user(object->uid) : memory_text("?");
	char *size = machine_text_size(object->size), *resident = machine_text_size(object->allocated);
	char *growth = growth_text(line->growth), *holders = machine_text_holders(object, 2);
	char *age = machine_text_age(object->born ? object->born : object->touched, top->machine->when);
	char *age_cell = is_narrow(width) ? memory_text("") : memory_format(" %4s", age);
	char *owner_cell = owner_cell_of(owner, width);
	char *text = memory_format("%s  %-5.5s%s %5s %5s %8s %4zu %4zu%s %-8s  %s", cell,
				   object->kind == MACHINE_anonymous ? "anon" : machine_kind_names[object->kind],
				   owner_cell, size, resident, growth, object->open_count, object->mapped_count,
				   age_cell, machine_state_names[object->state], holders);

	free(age_cell);
	free(owner_cell);

	free(name);
	free(cell);
	free(owner);
	free(size);
	free(resident);
	free(growth);
	free(holders);
	free(age);
	return text;
}

static char *process_text(const struct top_line *line, int width)
{
	char *program = machine_text_program(line->process), *user = machine_text_user(line->process->uid);
	char *name = memory_format("%d %s", (int)line->process->pid, program);
	char *cell = name_cell(name, 0, name_columns(width));
	char *size = machine_text_size(line->size), *resident = machine_text_size(line->allocated);
	char *growth = growth_text(line->growth);
	char *owner_cell = owner_cell_of(user, width);
	char *text = memory_format("%s  %-5s%s %5s %5s %8s  holds %zu object%s", cell, "", owner_cell, size, resident,
				   growth, line->holders, line->holders == 1 ? "" : "s");

	free(owner_cell);
	free(program);
	free(user);
	free(name);
	free(cell);
	free(size);
	free(resident);
	free(growth);
	return text;
}

/* Below an object: how one process holds it. */
static char *holder_text(const struct top_line *line, int width)
{
	const struct machine_holder *holder = NULL;
	char *program = machine_text_program(line->process), *user = machine_text_user(line->process->uid);
	char *name = memory_format("%d %s", (int)line->process->pid, program);
	char *cell = name_cell(name, line->depth, name_columns(width)), *text;

	for (size_t i = 0; !holder && i < line->object->holder_count; i++)
		if (line->object->holders[i].process == line->process)
			holder = &line->object->holders[i];
	text = memory_format("%s  %-5s %-8.8s  %u descriptor%s, %zu mapping%s", cell, "", user,
			     holder ? holder->descriptors : 0, holder && holder->descriptors == 1 ? "" : "s",
			     holder ? holder->mapping_count : 0, holder && holder->mapping_count == 1 ? "" : "s");
	free(program);
	free(user);
	free(name);
	free(cell);
	return text;
}

char *top_text_line(const struct top *top, const struct top_line *line, int width)
{
	char *text = !line->object  ? process_text(line, width)
		     : line->holder ? holder_text(line, width)
				    : object_text(top, line, width);

	return cut_to(text, width);
}

static char *full_text(const struct top_fs *fs)
{
	double seconds = fs->full_in;

	if (seconds < 0)
		return memory_text("");
	if (seconds < 120)
		return memory_format(", full in %.0f s", seconds);
	if (seconds < 7200)
		return memory_format(", full in %.0f min", seconds / 60);
	return memory_format(", full in %.0f h", seconds / 3600);
}

char *top_text_fs(const struct top_fs *fs)
{
	char *mount = escape_terminal(fs->fs->mount ? fs->fs->mount : "(the kernel's own)");
	char *used = machine_text_size(fs->fs->used), *size = machine_text_size(fs->fs->size);
	char *growth = growth_text(fs->growth), *full = full_text(fs), bar[BAR + 1], *text;
	double part = fs->fs->size ? (double)fs->fs->used / (double)fs->fs->size : 0;

	for (int i = 0; i < BAR; i++)
		bar[i] = i < (int)(part * BAR + 0.5) ? '#' : ' ';
	bar[BAR] = '\0';
	if (fs->fs->size)
		text = memory_format("%s  [%s]  %s of %s (%.0f %%), %s/s%s", mount, bar, used, size, part * 100, growth,
				     full);
	else
		text = memory_format("%s  %s, no limit, %s/s", mount, used, growth);
	free(mount);
	free(used);
	free(size);
	free(growth);
	free(full);
	return text;
}

char *top_text_summary(const struct top *top)
{
	const struct machine *machine = top->machine;
	uint64_t allocated = 0, ghostly = 0;
	size_t objects = 0, ghosts = 0;
	char *all, *dead, *gone, *unseen, *text;

	for (size_t i = 0; i < machine->count; i++) {
		const struct machine_object *object = machine->objects[i];

		if (!top_shows(object))
			continue;
		objects++;
		allocated += object->allocated;
		ghosts += object->state == MACHINE_STATE_ghost;
		ghostly += object->state == MACHINE_STATE_ghost ? object->allocated : 0;
	}
	all = machine_text_size(allocated);
	dead = machine_text_size(ghostly);
	unseen = machine->unseen_count ? memory_format(", %zu not seen", machine->unseen_count) : memory_text("");
	gone = ghosts ? memory_format(" %zu ghost%s, %s;", ghosts, ghosts == 1 ? "" : "s", dead) : memory_text("");
	text = memory_format("%zu object%s, %s;%s %" PRIu64 " process%s%s", objects, objects == 1 ? "" : "s", all, gone,
			     machine->looked, machine->looked == 1 ? "" : "es", unseen);
	free(gone);
	free(all);
	free(dead);
	free(unseen);
	return text;
}
