/* Stacks in the text report: the program's frames first, those of libc and of shmguard itself folded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"
#include "analyzer/report_text.h"
#include "analyzer/spots.h"

/* A finding fits a screen of 24 lines: so many are left to the stacks, of which each has a title and a line on the rest. */
enum { STACKS_LINES = 16, STACK_FRAME_LINES = 2, FRAMES_MIN = 2, FILE_COLUMNS = 40 };

const struct symbols_answer *text_names(const struct report *report, const struct frame *frame)
{
	static const struct symbols_answer nothing;

	if (!frame->module)
		return &nothing;
	return symbols_resolve(report->symbols, frame->module->path, frame->module->build_id, frame->offset,
			       SYMBOLS_RETURN);
}

static bool stack_is_plumbing(const struct report *report, const struct frame *frame)
{
	const struct symbols_answer *names;

	if (spots_is_plumbing(frame->module))
		return true;
	names = text_names(report, frame);
	return names->count && names->frames[0].function && !strcmp(names->frames[0].function, "_start");
}

/* The last directories of a long path: the function beside it says more. */
static const char *stack_tail(const char *path)
{
	const char *tail = path, *slash;

	while (terminal_columns(tail) > FILE_COLUMNS && (slash = strchr(tail + 1, '/')))
		tail = slash;
	return tail;
}

/* Where a frame is: file and line if known, else the module. */
static char *stack_place(const struct report *report, const struct frame *frame, const struct symbols_frame *name)
{
	const char *module = frame->module ? report_basename(frame->module->path) : NULL;
	char *file, *place, *safe;
	const char *tail;

	if (name && name->file) {
		file = spots_file(report, name->file);
		tail = stack_tail(file);
		place = name->line ? memory_format("%s%s:%u", tail > file ? "..." : "", tail, name->line)
				   : memory_text(tail);
		free(file);
	} else if (module && name && name->function) {
		place = memory_text(module);
	} else if (module) {
		place = memory_format("%s+0x%" PRIx64, module, frame->offset);
	} else {
		place = memory_format("0x%" PRIx64, frame->offset);
	}
	safe = escape_terminal(place);
	free(place);
	return safe;
}

/* Where the last part of a C++ name begins, behind its classes and their arguments. */
static const char *stack_method(const char *name)
{
	const char *method = name, *at;
	int depth = 0;

	for (at = name; *at; at++) {
		if (strchr("<({[", *at))
			depth++;
		else if (strchr(">)}]", *at))
			depth -= depth > 0;
		else if (!depth && !strncmp(at, "::", 2))
			method = ++at + 1;
		else if (at == method && !strncmp(at, "operator", 8))
			break; /* its brackets are its name */
	}
	return method;
}

/* What a class is made of gives way to what is called of it. */
static char *stack_function(const char *name, int columns)
{
	const char *method = stack_method(name);
	char *head, *front, *end, *whole;

	if (terminal_columns(name) <= columns || method == name)
		return terminal_cut(name, columns, false);
	end = terminal_cut(method, columns * 2 / 3, false);
	head = strndup(name, (size_t)(method - name));
	front = terminal_cut(head, columns - terminal_columns(end), false);
	whole = memory_format("%s%s", front, end);
	free(front);
	free(head);
	free(end);
	return whole;
}

static void stack_line(const struct report *report, const struct terminal *terminal, const struct frame *frame,
		       const struct symbols_frame *name, bool first)
{
	char *place = stack_place(report, frame, name);
	int left = terminal->width - 10 - terminal_columns(place);
	char *function = NULL;

	fprintf(terminal->out, "    %s ", first ? "at" : "by");
	if (name && name->function) {
		char *whole = escape_terminal(name->function), *cut;

		cut = stack_function(whole, left > 32 ? left : 32);
		function = name->into ? memory_format("%s+0x%" PRIx64, cut, name->into) : memory_text(cut);
		free(cut);
		free(whole);
		terminal_put(terminal, INK_strong, function);
		terminal_put(terminal, INK_plain, " (");
	}
	if (!function) {
		terminal_put(terminal, INK_plain, place);
	} else {
		char *cut = terminal_cut(place, terminal->width - 10 - terminal_columns(function), true);

		terminal_put(terminal, INK_faint, terminal_columns(cut) > 8 ? cut : place);
		terminal_put(terminal, INK_plain, ")");
		free(cut);
	}
	fputc('\n', terminal->out);
	free(function);
	free(place);
}

/* Prints the frame and those inlined into it, at most `room` of them; how many it printed. */
static size_t stack_frame(const struct report *report, const struct terminal *terminal, const struct frame *frame,
			  bool first, size_t room)
{
	const struct symbols_answer *answer = text_names(report, frame);
	size_t i;

	if (!answer->count) {
		stack_line(report, terminal, frame, NULL, first);
		return 1;
	}
	for (i = 0; i < answer->count && i < room; i++)
		stack_line(report, terminal, frame, &answer->frames[i], first && !i);
	return i;
}

/* Without our own, through which every thread starts; whether there was any other. */
static bool stack_folded(const struct terminal *terminal, const struct stack *stack, size_t from, size_t count)
{
	const char *name = NULL;
	char *frames, *safe, *line;
	bool others = false;
	size_t shown = 0, i;

	for (i = from; i < from + count; i++) {
		const char *module = report_basename(stack->frames[i].module->path);

		if (!spots_shows(stack, i))
			continue;
		name = name ? name : module;
		others |= spots_is_plumbing(stack->frames[i].module) && strcmp(module, name) != 0;
		shown++;
	}
	if (!name)
		return false;
	frames = text_count(shown, "frame");
	safe = escape_terminal(name);
	line = memory_format("    ... %s of %s%s", frames, safe, others ? " and others" : "");
	terminal_put(terminal, INK_faint, line);
	fputc('\n', terminal->out);
	free(line);
	free(safe);
	free(frames);
	return true;
}

static size_t stack_left(const struct stack *stack, size_t from)
{
	size_t left = 0;

	for (; from < stack->count; from++)
		left += spots_shows(stack, from);
	return left;
}

static void stack_frames(const struct report *report, const struct terminal *terminal, const struct stack *stack,
			 size_t room)
{
	size_t first = 0, shown = 0, i, run, left;
	bool fold;

	/* The innermost plumbing is how every call gets here: left out, unless there is nothing else. */
	while (first < stack->count && stack_is_plumbing(report, &stack->frames[first]))
		first++;
	fold = first < stack->count;
	if (!fold)
		first = 0;
	for (i = first; i < stack->count && shown < room; i += run) {
		for (run = 0; fold && i + run < stack->count && stack_is_plumbing(report, &stack->frames[i + run]);)
			run++;
		if (run) {
			shown += stack_folded(terminal, stack, i, run);
			continue;
		}
		if (spots_shows(stack, i))
			shown += stack_frame(report, terminal, &stack->frames[i], !shown, room - shown);
		run = 1;
	}
	left = stack_left(stack, i);
	if (left || stack->cut) {
		char *more = left ? text_count(left, "more frame") : NULL;
		char *line = memory_format("    ... %s%s%s", more ? more : "", more && stack->cut ? ", and " : "",
					   stack->cut ? SPOTS_CUT : "");

		terminal_put(terminal, INK_faint, line);
		fputc('\n', terminal->out);
		free(line);
		free(more);
	}
}

void text_stack(const struct report *report, const struct terminal *terminal, const struct finding *finding,
		const struct finding_stack *stack)
{
	size_t room = STACKS_LINES / finding->stack_count;
	char *by = NULL;

	room = room > STACK_FRAME_LINES + FRAMES_MIN ? room - STACK_FRAME_LINES : FRAMES_MIN;
	if (stack->process && stack->process != finding->process)
		by = text_process(stack->process);
	if (!stack->stack || !stack->stack->count) {
		fprintf(terminal->out, "  %s%s%s, no stack was recorded\n", stack->role, by ? " by process " : "",
			by ? by : "");
	} else {
		fprintf(terminal->out, "  %s%s%s here:\n", stack->role, by ? " by process " : "", by ? by : "");
		stack_frames(report, terminal, stack->stack, report->verbose ? SIZE_MAX : room);
	}
	free(by);
}
