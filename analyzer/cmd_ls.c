/* shmguard ls: every object of shared memory on this machine now. */
#include "analyzer/cmd_ls.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"
#include "analyzer/terminal.h"

enum { EXIT_DONE, EXIT_NOTHING, EXIT_USAGE, EXIT_CANNOT };
enum { OPTION_json = 0x100, OPTION_all, OPTION_older };

static const struct option_row rows[] = {
	{"json", OPTION_json, NULL, "for programs, all of it: see tests/ls.schema.json"},
	{"all", OPTION_all, NULL,
	 "anonymous shared mappings as well, and files outside of a /dev/shm that nobody has open or mapped"},
	{"long", 'l', NULL, "a line for each holder (-l): process, addresses, protection, Rss and Pss"},
	{"older", OPTION_older, "AGE",
	 "what nobody holds is a ghost from this age on: seconds, or 10m, 2h, 1d; 60 without it"},
	{NULL, 0, NULL, NULL},
};

const struct option_table ls_option_table = {
	"ls", "[NAME-GLOB...]",
	"Print every object of shared memory on this machine now, or those whose names match, and who holds it.", rows,
	"States: live, some process has it open or mapped; idle, none has, but it was touched a short time ago or is "
	"kept "
	"by design; ghost, none has; unlinked, it has no name and lasts as long as its holders.\n"
	"Exit status: 0 done; 1 no name matched; 2 wrong usage; 3 this machine could not be looked at."};

struct listing {
	struct machine *machine;
	struct terminal terminal;
	bool json, all, details;
	char **globs;
	int glob_count;
	const struct machine_object **shown;
	size_t count, left_out;
	bool some_swapped;
};

/* Ordinary files on ordinary file systems, and memory that threads and children share by birth. */
static bool listing_is_aside(const struct machine_object *object)
{
	if (object->kind == MACHINE_anonymous)
		return true;
	return object->kind == MACHINE_file && !object->fs->is_shm && !object->holder_count;
}

static bool listing_wants(const struct listing *listing, const struct machine_object *object)
{
	for (int i = 0; i < listing->glob_count; i++)
		if (machine_matches(object, listing->globs[i]))
			return true;
	return !listing->glob_count;
}

static void listing_select(struct listing *listing)
{
	const struct machine *machine = listing->machine;

	listing->shown = memory_new(machine->count, sizeof(struct machine_object *));
	for (size_t i = 0; i < machine->count; i++) {
		struct machine_object *object = machine->objects[i];

		if (!listing_wants(listing, object))
			continue;
		if (!listing->all && listing_is_aside(object)) {
			listing->left_out++;
			continue;
		}
		if (listing->details)
			machine_measure(object);
		listing->some_swapped |= object->swapped > 0;
		listing->shown[listing->count++] = object;
	}
}

static void listing_json(const struct listing *listing)
{
	json_t *objects = json_array(), *root;

	for (size_t i = 0; i < listing->count; i++)
		json_array_append_new(objects, machine_json_object(listing->shown[i]));
	root = json_pack("{s:s, s:o, s:o, s:o, s:I}", "schema", "shmguard-ls/1", "objects", objects, "file_systems",
			 machine_json_file_systems(listing->machine), "seen", machine_json_seen(listing->machine),
			 "left_out", (json_int_t)listing->left_out);
	json_out(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

enum {
	COLUMN_kind = 5,
	COLUMN_owner = 8,
	COLUMN_mode = 4,
	COLUMN_size = 5,
	COLUMN_count = 4,
	COLUMN_age = 4,
	COLUMN_state = 8,
	COLUMN_by = 24,
	GAP = 2,
	NAME_LEAST = 12,
	NAME_IN_PIPE = 32
};

struct layout {
	int name;
	bool by; /* room for who holds it */
};

static struct layout listing_layout(const struct listing *listing)
{
	int fixed = COLUMN_kind + COLUMN_owner + COLUMN_mode + 2 * COLUMN_size + 2 * COLUMN_count + COLUMN_age +
		    COLUMN_state + 9 * GAP + (listing->some_swapped ? COLUMN_size + GAP : 0);
	int longest = NAME_LEAST;
	struct layout layout;

	for (size_t i = 0; i < listing->count; i++) {
		char *name = machine_text_name(listing->shown[i]);
		int columns = terminal_columns(name);

		longest = columns > longest ? columns : longest;
		free(name);
	}
	if (!listing->terminal.rows)
		return (struct layout){longest < NAME_IN_PIPE ? longest : NAME_IN_PIPE, true};
	layout.by = listing->terminal.width - fixed - GAP - COLUMN_by >=
		    (longest < 2 * NAME_LEAST ? longest : 2 * NAME_LEAST);
	layout.name = listing->terminal.width - fixed - (layout.by ? GAP + COLUMN_by : 0);
	layout.name = layout.name < NAME_LEAST ? NAME_LEAST : layout.name;
	layout.name = layout.name < longest ? layout.name : longest;
	return layout;
}

/* A number stands at the right of its column. Frees the text. */
static void listing_number(const struct terminal *terminal, int columns, char *text)
{
	fprintf(terminal->out, "%*s%*s", columns, text, GAP, "");
	free(text);
}

static void listing_text(const struct terminal *terminal, enum ink ink, int columns, char *text)
{
	terminal_cell(terminal, ink, text, columns);
	free(text);
}

static void listing_heading(const struct listing *listing, const struct layout *layout)
{
	fprintf(listing->terminal.out, "%-*s  %-5s  %-8s  %4s  %5s  %5s  ", layout->name, "NAME", "KIND", "OWNER",
		"MODE", "SIZE", "RES");
	if (listing->some_swapped)
		fprintf(listing->terminal.out, "%5s  ", "SWAP");
	fprintf(listing->terminal.out, "%4s  %4s  %4s  %-8s", "OPEN", "MAPS", "AGE", "STATE");
	fputs(layout->by ? "  HELD BY\n" : "\n", listing->terminal.out);
}

static enum ink listing_ink(const struct machine_object *object)
{
	static const enum ink inks[] = {
		[MACHINE_STATE_live] = INK_good,
		[MACHINE_STATE_idle] = INK_faint,
		[MACHINE_STATE_ghost] = INK_warning,
		[MACHINE_STATE_unlinked] = INK_note,
	};

	return inks[object->state];
}

static void listing_row(const struct listing *listing, const struct layout *layout, const struct machine_object *object)
{
	const struct terminal *terminal = &listing->terminal;
	const char *kind = object->kind == MACHINE_anonymous ? "anon" : machine_kind_names[object->kind];
	/* Somebody who could not be looked at may hold it: that it is a ghost is not sure. */
	const char *doubt = object->state == MACHINE_STATE_ghost && object->incomplete ? "?" : "";
	char *name = machine_text_name(object);
	bool known = object->has_status;

	if (terminal->rows)
		listing_text(terminal, INK_plain, layout->name, name);
	else
		fprintf(terminal->out, "%-*s  ", layout->name + (int)strlen(name) - terminal_columns(name), name),
			free(name);
	fprintf(terminal->out, "%-5s  ", kind);
	listing_text(terminal, INK_plain, COLUMN_owner, known ? machine_text_user(object->uid) : memory_text("?"));
	listing_number(terminal, COLUMN_mode, known ? memory_format("%04o", object->mode) : memory_text("?"));
	listing_number(terminal, COLUMN_size, machine_text_size(object->size));
	listing_number(terminal, COLUMN_size,
		       known ? machine_text_size(object->allocated - object->swapped) : memory_text("?"));
	if (listing->some_swapped)
		listing_number(terminal, COLUMN_size,
			       object->knows_swapped ? machine_text_size(object->swapped) : memory_text("?"));
	listing_number(terminal, COLUMN_count, memory_format("%zu", object->open_count));
	listing_number(terminal, COLUMN_count, memory_format("%zu", object->mapped_count));
	listing_number(terminal, COLUMN_age,
		       machine_text_age(object->born ? object->born : object->touched, listing->machine->when));
	terminal_put(terminal, listing_ink(object), machine_state_names[object->state]);
	fputs(doubt, terminal->out);
	if (layout->by && object->holder_count) {
		char *by = machine_text_holders(object, 2);
		char *cut = terminal_cut(by, terminal->rows ? COLUMN_by : INT16_MAX, false);

		fprintf(terminal->out, "%*s%s", COLUMN_state - (int)strlen(machine_state_names[object->state]) + GAP,
			"", cut);
		free(by);
		free(cut);
	}
	fputc('\n', terminal->out);
}

static void listing_line(const struct terminal *terminal, enum ink ink, int indent, char *line)
{
	fprintf(terminal->out, "%*s", indent, "");
	terminal_paragraph(terminal, ink, line, indent, indent + 2);
	free(line);
}

static void listing_findings(const struct listing *listing, const struct machine_object *object)
{
	static const enum ink inks[] = {
		[SEVERITY_NOTE] = INK_note, [SEVERITY_WARNING] = INK_warning, [SEVERITY_ERROR] = INK_error};

	for (size_t i = 0; i < object->finding_count; i++) {
		const struct machine_finding *finding = &object->findings[i];

		listing_line(&listing->terminal, inks[finding->severity], 2,
			     memory_format("%s: %s: %s", severity_name(finding->severity), rules[finding->rule].id,
					   finding->message));
	}
	if (object->kept && listing->details)
		listing_line(&listing->terminal, INK_faint, 2, memory_format("kept: %s", object->kept));
}

static void listing_mapping(const struct terminal *terminal, const char *who, const struct machine_mapping *mapping)
{
	char *rss = machine_text_size(mapping->rss), *pss = machine_text_size(mapping->pss);
	char *swap = mapping->swap ? machine_text_size(mapping->swap) : memory_text("");
	char *measured = mapping->measured ? memory_format("Rss %s, Pss %s%s%s", rss, pss, *swap ? ", Swap " : "", swap)
					   : memory_text("not measured");

	listing_line(terminal, INK_plain, 4,
		     memory_format("%s maps [%" PRIu64 ", %" PRIu64 ") %s at %" PRIx64 "-%" PRIx64 ": %s", who,
				   mapping->offset, mapping->offset + (mapping->end - mapping->start),
				   mapping->protection, mapping->start, mapping->end, measured));
	free(measured);
	free(swap);
	free(rss);
	free(pss);
}

static void listing_holders(const struct terminal *terminal, const struct machine_object *object)
{
	for (size_t i = 0; i < object->holder_count; i++) {
		const struct machine_holder *holder = &object->holders[i];
		char *exe = holder->process->exe ? escape_terminal(holder->process->exe)
						 : machine_text_program(holder->process);
		char *user = machine_text_user(holder->process->uid);
		char *who = memory_format("%d %s", (int)holder->process->pid, exe);

		if (holder->descriptors)
			listing_line(terminal, INK_plain, 4,
				     memory_format("%s (%s) has it open: %u descriptor%s", who, user,
						   holder->descriptors, holder->descriptors == 1 ? "" : "s"));
		for (size_t j = 0; j < holder->mapping_count; j++)
			listing_mapping(terminal, who, &holder->mappings[j]);
		free(who);
		free(user);
		free(exe);
	}
}

/* Where the line has no room for it. */
static void listing_held_by(const struct terminal *terminal, const struct machine_object *object)
{
	char *by = machine_text_holders(object, 4);

	listing_line(terminal, INK_faint, 2, memory_format("held by %s", by));
	free(by);
}

static void listing_summary(const struct listing *listing)
{
	const struct terminal *terminal = &listing->terminal;
	size_t ghosts = 0, word_count, i;
	uint64_t ghostly = 0, allocated = 0;
	char **words = machine_unseen_words(listing->machine, &word_count), *all, *dead;

	for (i = 0; i < listing->count; i++) {
		const struct machine_object *object = listing->shown[i];

		allocated += object->allocated;
		ghosts += object->state == MACHINE_STATE_ghost;
		ghostly += object->state == MACHINE_STATE_ghost ? object->allocated : 0;
	}
	all = machine_text_size(allocated);
	dead = machine_text_size(ghostly);
	fputc('\n', terminal->out);
	listing_line(terminal, INK_plain, 0,
		     memory_format("%zu object%s, %s; %zu ghost%s, %s%s; %" PRIu64 " process%s looked at",
				   listing->count, listing->count == 1 ? "" : "s", all, ghosts, ghosts == 1 ? "" : "s",
				   dead, ghosts ? " (`shmguard clean`)" : "", listing->machine->looked,
				   listing->machine->looked == 1 ? "" : "es"));
	free(all);
	free(dead);
	if (listing->left_out)
		listing_line(terminal, INK_faint, 0,
			     memory_format("left out, unless with --all: %zu (anonymous shared mappings, files that "
					   "are no objects)",
					   listing->left_out));
	for (i = 0; i < word_count; i++) {
		char *safe = escape_terminal(words[i]);

		listing_line(terminal, INK_warning, 0, memory_format("not seen: %s", safe));
		free(safe);
		free(words[i]);
	}
	free(words);
}

static void listing_table(const struct listing *listing)
{
	struct layout layout = listing_layout(listing);

	if (listing->count)
		listing_heading(listing, &layout);
	for (size_t i = 0; i < listing->count; i++) {
		listing_row(listing, &layout, listing->shown[i]);
		if (!layout.by && !listing->details && listing->shown[i]->holder_count)
			listing_held_by(&listing->terminal, listing->shown[i]);
		listing_findings(listing, listing->shown[i]);
		if (listing->details)
			listing_holders(&listing->terminal, listing->shown[i]);
	}
	listing_summary(listing);
}

static int listing_print(struct listing *listing, int64_t recent)
{
	char *error = NULL;

	listing->machine = machine_look(MACHINE_swapped, recent, &error);
	if (!listing->machine) {
		fprintf(stderr, "shmguard: %s\n", error);
		free(error);
		return EXIT_CANNOT;
	}
	listing->terminal = terminal_on(stdout);
	listing_select(listing);
	if (listing->json)
		listing_json(listing);
	else
		listing_table(listing);
	free(listing->shown);
	machine_free(listing->machine);
	return listing->count || !listing->glob_count ? EXIT_DONE : EXIT_NOTHING;
}

int cmd_ls(int argc, char **argv)
{
	struct listing listing = {0};
	int64_t recent = MACHINE_RECENT;
	int option;

	optind = 0;
	while ((option = options_next(&ls_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_DONE;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		listing.json |= option == OPTION_json;
		listing.all |= option == OPTION_all;
		listing.details |= option == 'l';
		if (option == OPTION_older && !machine_age(optarg, &recent)) {
			options_tell("shmguard: '%s' is no age: seconds, or 10m, 2h, 1d\n", optarg);
			return options_usage(&ls_option_table, EXIT_USAGE);
		}
	}
	listing.globs = argv + optind;
	listing.glob_count = argc - optind;
	signal(SIGPIPE, SIG_IGN);
	return listing_print(&listing, recent);
}
