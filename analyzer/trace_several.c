#include "trace_several.h"

#include <stdlib.h>

#include "memory.h"
#include "trace_child.h"
#include "trace_settings.h"
#include "trace_wire.h"

static void send_alive(void *context, uint64_t done, uint64_t total)
{
	(void)done, (void)total;
	wire_progress(context, 0, 1);
}

static void ignore(void *context, const struct trace_event *event)
{
	(void)context, (void)event;
}

/* Whether babeltrace2 reads the trace number `index` by itself, and finds events for us. *said: what is wrong, or NULL. */
static bool is_readable(const struct trace_job *job, size_t index, char **said)
{
	struct trace_totals totals = {0};
	struct trace_files alone = *job->files;
	struct trace_job look = *job;
	char *error = NULL;
	int result;

	alone.dirs += index;
	alone.count = 1;
	look.files = &alone;
	look.totals = &totals;
	look.event = ignore;
	look.progress = send_alive;
	result = trace_babeltrace_read(&look, &error);
	*said = result < 0 ? memory_format("%s: %s", alone.dirs->path, error) : NULL;
	free(error);
	/* The reading of all numbers what stands in anew. */
	if (alone.copies)
		trace_stand_in_remove(alone.copies);
	free(alone.copies);
	if (totals.events || (result == 0 && totals.foreign == 0))
		return true;
	job->totals->foreign += totals.foreign;
	job->totals->unknown += totals.unknown;
	return false;
}

int trace_several_find(const struct trace_job *job, const char *dir, const struct trace_look *look, char **error)
{
	struct trace_files *files = job->files;
	struct trace_look rest = *look;
	char **said;
	int result = 0;

	if (trace_settings.decoder == DECODER_direct || files->count < 2)
		return 0;
	said = memory_new(files->count, sizeof(char *));
	rest.left_out = memory_new(files->count, sizeof(char *));
	trace_child_allow(CHILD_MEMORY + files->count * MEMORY_OF_TRACE);
	for (size_t i = 0; i < files->count; i++) {
		char **text = &said[rest.left_out_count];

		if (files->dirs[i].known || rest.left_out_count + 1 == files->count)
			continue;
		if (is_readable(job, i, text)) {
			free(*text);
			*text = NULL;
		} else {
			rest.left_out[rest.left_out_count++] = memory_text(files->dirs[i].path);
		}
	}
	if (rest.left_out_count) {
		trace_files_free(files);
		result = trace_files_find(dir, &rest, files, error);
	}
	for (size_t i = 0; i < rest.left_out_count; i++) {
		free(rest.left_out[i]);
		if (said[i] && result == 0)
			trace_files_problem(files, said[i]);
		else
			free(said[i]);
	}
	free(rest.left_out);
	free(said);
	return result;
}
