/* What the child of a reading does: it finds the traces, decodes them, and sends what they hold to its parent. */
#include "trace_reader_child.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "trace_child.h"
#include "trace_files.h"
#include "trace_job.h"
#include "trace_settings.h"
#include "trace_several.h"

/* By another trace than one that has no owner, or that of nobody knows what. */
static bool is_owned(const struct trace_scope *scope, uint32_t recording)
{
	for (size_t i = 0; recording && i < scope->owner_count; i++)
		if (scope->owners[i].recording == recording)
			return true;
	return false;
}

static void count_foreign(const struct trace_job *job, struct trace_dir *dir)
{
	job->totals->foreign++;
	dir->foreign++;
}

void trace_deliver(const struct trace_job *job, struct trace_dir *dir, const struct trace_event *event)
{
	struct trace_totals *totals = job->totals;
	uint32_t id = event->event.head.recording;

	if (dir->recording ? id != dir->recording : is_owned(job->scope, id)) {
		count_foreign(job, dir);
		return;
	}
	if (totals->events++ == 0)
		totals->first = event->time;
	totals->last = event->time;
	job->event(job->context, event);
}

void trace_count_other(const struct trace_job *job, struct trace_dir *dir, bool ours)
{
	if (ours)
		job->totals->unknown++;
	else
		count_foreign(job, dir);
}

static void send_event(void *context, const struct trace_event *event)
{
	wire_event(context, event);
}

static void send_progress(void *context, uint64_t done, uint64_t total)
{
	wire_progress(context, done, total);
}

static void send_copies(void *context, const char *directory)
{
	wire_text(context, WIRE_copies, directory);
}

static void send_tick(void *context)
{
	wire_progress(context, 0, 1);
}

/* Of several traces, which one it is, as one may be a copy of another that is whole. */
static char *where_lost(const struct trace_files *files)
{
	const struct trace_dir *first = NULL;
	size_t others = 0;

	for (size_t i = 0; files->count > 1 && i < files->count; i++) {
		if (files->dirs[i].lost && first)
			others++;
		else if (files->dirs[i].lost)
			first = &files->dirs[i];
	}
	if (first == NULL)
		return memory_text("");
	return others ? memory_format(" (in %s and %zu other%s)", first->path, others, others == 1 ? "" : "s")
		      : memory_format(" (in %s)", first->path);
}

static void send_losses(struct wire_out *out, const struct trace_files *files, uint64_t lost)
{
	char *text, *where;

	for (size_t i = 0; i < files->problem_count; i++)
		wire_text(out, WIRE_problem, files->problems[i]);
	if (files->refused)
		wire_text(out, WIRE_refused, files->refused);
	if (lost == 0)
		return;
	where = where_lost(files);
	text = memory_format("the trace is cut short or damaged: %" PRIu64 " bytes of it could not be read%s", lost,
			     where);
	wire_text(out, WIRE_problem, text);
	free(where);
	free(text);
}

static bool has_host(const struct trace_files *files, const char *host)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->dirs[i].host, host) == 0)
			return true;
	return false;
}

/* The line that says which hosts there are, when a clock is to be set that is not. */
static char *wrong_host(const struct trace_files *files)
{
	const char *host;

	for (size_t i = 0; (host = trace_clock_host(i)); i++)
		if (!has_host(files, host))
			return memory_format("--clock-offset: no trace here is of host '%s'; the first is of '%s'",
					     host, files->dirs[0].host);
	return NULL;
}

static int decode(const struct trace_job *job, char **error)
{
	bool known = trace_settings.decoder != DECODER_babeltrace2 && trace_direct_knows(job->files);

	*error = job->scope->part ? NULL : wrong_host(job->files);
	if (*error)
		return -1;
	if (known)
		return trace_direct_read(job, error);
	if (trace_settings.decoder != DECODER_direct) {
		trace_child_allow(CHILD_MEMORY + job->files->count * MEMORY_OF_TRACE);
		return trace_babeltrace_read(job, error);
	}
	*error = memory_text("the trace has a layout that only babeltrace2 can decode");
	return -1;
}

bool trace_owner_has(const struct trace_owner *owner, const char *path)
{
	const char *own = owner->path;

	while (*own && *path == *own) {
		bool slash = *own == '/';

		own += slash ? strspn(own, "/") : 1;
		path += slash ? strspn(path, "/") : 1;
	}
	return *own == '\0' && (*path == '/' || *path == '\0');
}

static void find_owners(const struct trace_scope *scope, struct trace_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		size_t longest = 0;
		int64_t move = 0;

		files->dirs[i].recording = scope->recording;
		files->dirs[i].owner = NULL;
		files->dirs[i].foreign = 0;
		files->dirs[i].host = scope->host;
		for (size_t j = 0; j < scope->owner_count; j++) {
			const struct trace_owner *owner = &scope->owners[j];

			if (strlen(owner->path) < longest || !trace_owner_has(owner, files->dirs[i].path))
				continue;
			longest = strlen(owner->path);
			files->dirs[i].recording = owner->recording;
			files->dirs[i].owner = owner->path;
			files->dirs[i].host = owner->host;
			move = owner->move;
		}
		if (!files->dirs[i].host)
			files->dirs[i].host = files->dirs[i].metadata.host;
		files->dirs[i].move = trace_clock_offset(files->dirs[i].host) + move;
	}
}

static void send_share(struct wire_out *out, const struct trace_files *files, const struct trace_owner *owner)
{
	struct trace_share share = {.path = owner->path};

	for (size_t i = 0; i < files->count; i++) {
		const struct trace_dir *dir = &files->dirs[i];

		if (dir->owner != owner->path)
			continue;
		share.bytes += dir->size;
		share.missing += dir->missing;
		share.skipped += dir->foreign;
	}
	wire_share(out, &share);
}

void trace_reader_child(const char *dir, const struct trace_scope *scope, struct wire_out *out)
{
	const struct trace_look look = {.context = out, .tick = send_tick};
	struct trace_totals totals = {0};
	struct trace_files files;
	struct trace_job job = {.files = &files,
				.scope = scope,
				.totals = &totals,
				.context = out,
				.event = send_event,
				.progress = send_progress,
				.copies = send_copies};
	char *error = NULL;
	int result = trace_files_find(dir, &look, &files, &error);

	if (result == 0)
		result = trace_several_find(&job, dir, &look, &error);
	if (result == 0) {
		find_owners(scope, &files);
		result = decode(&job, &error);
		totals.bytes = files.size;
		totals.bytes_lost += files.lost;
		totals.discarded_events += files.discarded;
		totals.discarded_packets += files.missing;
		totals.strays = files.strays;
		send_losses(out, &files, totals.bytes_lost);
		for (size_t i = 0; i < scope->owner_count; i++)
			send_share(out, &files, &scope->owners[i]);
		trace_files_free(&files);
	}
	if (error)
		wire_text(out, WIRE_error, error);
	free(error);
	wire_end(out, result, &totals);
}
