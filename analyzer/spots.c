#include "analyzer/spots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/memory.h"
#include "tracepoints/environment.h"

bool spots_is_plumbing(const struct module *module)
{
	static const char *const names[] = {LIBRARY_PRELOAD,   LIBRARY_TRACEPOINTS, "libc.so.6",      "librt.so.1",
					    "libpthread.so.0", "linux-vdso.so.1",   "libstdc++.so.6", "libgcc_s.so.1"};
	const char *name = module ? report_basename(module->path) : "";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "ld-linux", 8) || !strncmp(name, "ld-2.", 5);
}

static bool spots_is_ours(const struct module *module)
{
	const char *name = module ? report_basename(module->path) : "";

	return !strcmp(name, LIBRARY_PRELOAD) || !strcmp(name, LIBRARY_TRACEPOINTS);
}

bool spots_shows(const struct stack *stack, size_t nth)
{
	if (!spots_is_ours(stack->frames[nth].module))
		return true;
	for (size_t i = 0; i < stack->count; i++)
		if (!spots_is_ours(stack->frames[i].module))
			return false;
	return true;
}

static void spots_add(struct spots *spots, const struct spot *spot)
{
	spots->all = memory_grow(spots->all, spots->count, sizeof(*spots->all));
	spots->all[spots->count++] = *spot;
}

static void spots_frame(struct spots *spots, const struct report *report, const struct frame *frame)
{
	const struct symbols_answer *answer;
	size_t i;

	if (!frame->module) {
		spots_add(spots, &(struct spot){.frame = frame, .why = "no module was known at this address"});
		return;
	}
	answer = symbols_resolve(report->symbols, frame->module->path, frame->module->build_id, frame->offset,
				 SYMBOLS_RETURN);
	if (!answer->count)
		spots_add(spots, &(struct spot){.frame = frame, .why = answer->why});
	for (i = 0; i < answer->count; i++)
		spots_add(spots, &(struct spot){.frame = frame,
						.function = answer->frames[i].function,
						.file = answer->frames[i].file,
						.line = answer->frames[i].line,
						.inlined = answer->frames[i].inlined,
						.borrowed = answer->frames[i].borrowed,
						.own = answer->frames[i].own});
}

struct spots spots_of(const struct report *report, const struct stack *stack)
{
	struct spots spots = {0};
	size_t i;

	spots.cut = stack && stack->cut;
	for (i = 0; stack && i < stack->count; i++)
		if (spots_shows(stack, i))
			spots_frame(&spots, report, &stack->frames[i]);
	return spots;
}

void spots_free(struct spots *spots)
{
	free(spots->all);
	*spots = (struct spots){0};
}

static const struct spot *spots_own_from(const struct spots *spots, size_t i)
{
	for (; i < spots->count; i++)
		if (spots->all[i].frame->module && !spots_is_plumbing(spots->all[i].frame->module))
			return &spots->all[i];
	return NULL;
}

const struct spot *spots_own(const struct spots *spots)
{
	return spots_own_from(spots, 0);
}

const struct spot *spots_own_caller(const struct spots *spots, const struct spot *spot)
{
	return spots_own_from(spots, (size_t)(spot - spots->all) + 1);
}

static char *spot_address(const struct spot *spot)
{
	const struct frame *frame = spot->frame;

	if (!frame->module)
		return memory_format("0x%" PRIx64, frame->offset);
	return memory_format("%s+0x%" PRIx64, report_basename(frame->module->path), frame->offset);
}

char *spot_label(const struct spot *spot)
{
	return spot->function ? memory_text(spot->function) : spot_address(spot);
}

char *spot_place(const struct spot *spot)
{
	if (!spot->file)
		return spot_address(spot);
	return spot->line ? memory_format("%s:%u", spot->file, spot->line) : memory_text(spot->file);
}

char *spots_file(const struct report *report, const char *file)
{
	const char *cwd = report->analysis->recording->cwd;
	char *path = memory_new(strlen(file) + 2, 1), *to = path;
	const char *from = file;

	while (*from) {
		size_t length = strcspn(from, "/") + (strchr(from, '/') != NULL);

		if (to > path && !strncmp(from, "../", 3) && strncmp(to - (to - path >= 3 ? 3 : 0), "../", 3) != 0) {
			for (to--; to > path && to[-1] != '/';)
				to--;
		} else if (strncmp(from, "./", 2) != 0 && (*from != '/' || to == path)) {
			memcpy(to, from, length);
			to += length;
		}
		*to = '\0';
		from += length;
	}
	if (cwd && *cwd && strcmp(cwd, "/") != 0 && !strncmp(path, cwd, strlen(cwd)) && path[strlen(cwd)] == '/')
		memmove(path, path + strlen(cwd) + 1, strlen(path + strlen(cwd) + 1) + 1);
	return path;
}
