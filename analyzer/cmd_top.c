/* shmguard top: what moves in shared memory on this machine, on a screen, once, or for programs. */
#include "analyzer/cmd_top.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/escape.h"
#include "analyzer/json_out.h"
#include "analyzer/machine_text.h"
#include "analyzer/memory.h"
#include "analyzer/selection.h"
#include "analyzer/terminal.h"
#include "analyzer/top_screen.h"
#include "analyzer/top_text.h"

enum { EXIT_DONE, EXIT_USAGE = 2, EXIT_CANNOT };
enum { OPTION_once = 0x100, OPTION_json, OPTION_sort, OPTION_tree, OPTION_filter };

static const struct option_row rows[] = {
	{"delay", 'd', "SECONDS", "between two looks (-d), 0.1 to 60; 2, or 1 with --once and --json"},
	{"once", OPTION_once, NULL, "print the table once, after two looks, and end"},
	{"json", OPTION_json, NULL, "the same for programs: see tests/top.schema.json"},
	{"sort", OPTION_sort, "KEY", "resident (as without it), size, growth, name, age or holders"},
	{"tree", OPTION_tree, "BY", "object: its holders below each; process: what it holds below each"},
	{"filter", OPTION_filter, "TEXT", "only objects and processes whose names hold it, or match it as a glob"},
	{NULL, 0, NULL, NULL},
};

const struct option_table top_option_table = {
	"top", "",
	"Show what is in shared memory and what grows: objects, file systems with the time until they are full, and "
	"names as they come and go.",
	rows,
	"Keys: q quit; r s g n a h sort by RES, SIZE, GROWTH, name, age, holders; R reverse; t flat, tree by object, "
	"tree by process; / filter (Enter keeps it, Esc drops it); + - faster, slower; space looks now.\n"
	"Exit status: 0 done; 2 wrong usage or no terminal; 3 this machine could not be looked at."};

struct request {
	struct top_settings settings;
	int64_t delay; /* nanoseconds; 0: not given */
	bool once, json;
};

static bool take_delay(const char *text, int64_t *delay)
{
	return selection_time(text, delay) && *delay >= 100000000 && *delay <= 60000000000;
}

static bool take_word(const char *const *words, size_t count, const char *text, int *found)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], text) != 0)
			continue;
		*found = (int)i;
		return true;
	}
	return false;
}

/* False: stderr was told what was expected. */
static bool take_option(struct request *request, int option, const char *argument)
{
	static const char *const sorts[] = {
#define SORT_NAME(name, key, heading) #name,
		TOP_SORTS(SORT_NAME)
#undef SORT_NAME
	};
	static const char *const trees[] = {
		[TOP_flat] = "none", [TOP_by_object] = "object", [TOP_by_process] = "process"};
	const char *expected = NULL;
	int word = 0;

	request->once |= option == OPTION_once;
	request->json |= option == OPTION_json;
	if (option == 'd' && !take_delay(argument, &request->delay))
		expected = "a number of seconds from 0.1 to 60";
	if (option == OPTION_sort && !take_word(sorts, TOP_SORT_COUNT, argument, &word))
		expected = "resident, size, growth, name, age or holders";
	else if (option == OPTION_sort)
		request->settings.sort = (enum top_sort)word;
	if (option == OPTION_tree && !take_word(trees, TOP_VIEW_COUNT, argument, &word))
		expected = "object or process";
	else if (option == OPTION_tree)
		request->settings.view = (enum top_view)word;
	if (option == OPTION_filter && strlen(argument) >= sizeof(request->settings.filter))
		expected = "at most 63 characters";
	else if (option == OPTION_filter)
		strcpy(request->settings.filter, argument);
	if (expected) {
		char *safe = escape_terminal(argument);

		fprintf(stderr, "shmguard: '%s': expected %s\n", safe, expected);
		free(safe);
	}
	return !expected;
}

static void print_line(char *text)
{
	size_t length = strlen(text);

	while (length && text[length - 1] == ' ')
		text[--length] = '\0';
	puts(text);
	free(text);
}

static void print_table(const struct top *top, const struct top_settings *settings)
{
	struct terminal terminal = terminal_on(stdout);
	int width = terminal.rows ? terminal.width : 160;
	struct top_line *lines;
	size_t count;

	print_line(top_text_summary(top));
	for (size_t i = 0; i < top->fs_count; i++)
		print_line(top_text_fs(&top->fs[i]));
	lines = top_lines(top, settings, &count);
	if (count)
		print_line(top_text_heading(settings, width));
	for (size_t i = 0; i < count; i++)
		print_line(top_text_line(top, &lines[i], width));
	free(lines);
}

static json_t *json_fs(const struct top_fs *fs)
{
	char *mount = fs->fs->mount ? escape_utf8(fs->fs->mount) : NULL;
	json_t *json = json_pack("{s:s?, s:I, s:I, s:f, s:o}", "mount", mount, "size", (json_int_t)fs->fs->size, "used",
				 (json_int_t)fs->fs->used, "growth", fs->growth, "full_in",
				 fs->full_in < 0 ? json_null() : json_real(fs->full_in));

	free(mount);
	return json;
}

static void print_json(const struct top *top, const struct top_settings *settings)
{
	json_t *objects = json_array(), *file_systems = json_array(), *root;
	struct top_settings flat = *settings;
	struct top_line *lines;
	size_t count;

	flat.view = TOP_flat;
	lines = top_lines(top, &flat, &count);
	for (size_t i = 0; i < count; i++) {
		json_t *object = machine_json_object(lines[i].object);

		json_object_set_new(object, "growth", json_real(lines[i].growth));
		json_array_append_new(objects, object);
	}
	free(lines);
	for (size_t i = 0; i < top->fs_count; i++)
		json_array_append_new(file_systems, json_fs(&top->fs[i]));
	root = json_pack("{s:s, s:f, s:o, s:o, s:o}", "schema", "shmguard-top/1", "seconds", top->seconds,
			 "file_systems", file_systems, "objects", objects, "seen", machine_json_seen(top->machine));
	json_out(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static int print_once(const struct request *request)
{
	const int64_t delay = request->delay ? request->delay : 1000000000;
	struct timespec pause = {.tv_sec = delay / 1000000000, .tv_nsec = delay % 1000000000};
	struct top top = {0};
	char *error = NULL;

	if (top_look(&top, &error) && nanosleep(&pause, NULL) == 0)
		top_look(&top, &error);
	if (error) {
		fprintf(stderr, "shmguard: %s\n", error);
		free(error);
		top_free(&top);
		return EXIT_CANNOT;
	}
	if (request->json)
		print_json(&top, &request->settings);
	else
		print_table(&top, &request->settings);
	top_free(&top);
	return EXIT_DONE;
}

/* A signal ends us as it would have without the screen. */
static int show(struct request *request)
{
	int ended = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO)
			    ? screen_run(&request->settings, request->delay ? request->delay : 2000000000)
			    : -1;

	if (ended == -1) {
		fputs("shmguard: top needs a terminal that can move its cursor; --once and --json need none\n", stderr);
		return EXIT_USAGE;
	}
	if (ended > 0) {
		signal(ended, SIG_DFL);
		raise(ended);
	}
	return ended ? EXIT_CANNOT : EXIT_DONE;
}

int cmd_top(int argc, char **argv)
{
	struct request request = {0};
	int option;

	optind = 0;
	while ((option = options_next(&top_option_table, argc, argv)) != OPTIONS_END) {
		if (option == OPTIONS_HELP)
			return EXIT_DONE;
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		if (!take_option(&request, option, optarg))
			return options_usage(&top_option_table, EXIT_USAGE);
	}
	if (optind < argc) {
		fputs("shmguard: top takes no operand; --filter shows a part\n", stderr);
		return options_usage(&top_option_table, EXIT_USAGE);
	}
	signal(SIGPIPE, SIG_IGN);
	return request.once || request.json ? print_once(&request) : show(&request);
}
