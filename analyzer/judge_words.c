/* Words that the judges share. */
#include "judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pages.h"
#include "units.h"

char *judge_response(char *message, const struct finding_event *event)
{
	const char *error = event->error ? strerrorname_np(event->error) : NULL;
	char *whole;

	switch (event->response) {
	case RESPONSE_denied:
		whole = memory_format("%s; the policy denied it%s%s%s", message, error ? " (" : "", error ? error : "",
				      error ? ")" : "");
		break;
	case RESPONSE_fixed:
		whole = memory_format("%s; by the policy it was fixed", message);
		break;
	case RESPONSE_audit:
		whole = memory_format("%s; the policy only watches, or it would not have let this pass", message);
		break;
	default:
		return message;
	}
	free(message);
	return whole;
}

const char *judge_name_of(const struct object *object)
{
	const char *name = object ? object_name(object) : NULL;

	return name ? name : "a nameless object";
}

const char *judge_unit(uint64_t bytes)
{
	return bytes == 1 ? "byte" : "bytes";
}

char *judge_bytes(uint64_t bytes)
{
	return units_bytes(bytes, 10240, judge_unit(bytes));
}

char *judge_memory_of(const struct leftover *look, uint64_t size)
{
	if (look == NULL || look->blocks >= pages_round(size))
		return memory_text("");
	return memory_format(", of which %" PRIu64 " have memory", look->blocks);
}

char *judge_time(int64_t nanoseconds)
{
	double value = (double)nanoseconds;

	if (nanoseconds < 1000000)
		return memory_format("%.1f us", value / 1e3);
	if (nanoseconds < 1000000000)
		return memory_format("%.1f ms", value / 1e6);
	return memory_format("%.1f s", value / 1e9);
}

char *judge_nobody(const struct object *object)
{
	enum origin origin = object ? object_origin(object) : ORIGIN_unknown;

	if (origin == ORIGIN_before)
		return memory_text("somebody before the recording began");
	if (object && object->recording && object->recording->lets_go)
		return memory_text("somebody before the calls that were kept");
	return memory_text(origin == ORIGIN_unrecorded ? "somebody whose call is not in the trace"
						       : "an unknown process");
}

char *judge_process(const struct process *process)
{
	const char *slash;

	if (process == NULL)
		return memory_text("an unknown process");
	slash = strrchr(process->exe, '/');
	if (*process->exe == 0)
		return memory_format("pid %d", (int)process->pid);
	return memory_format("%s (pid %d)", slash ? slash + 1 : process->exe, (int)process->pid);
}

const char *judge_end(const struct process *process)
{
	switch (process->ended) {
	case ENDED_exit:
		return "when it exited";
	case ENDED_signal:
		return "when it was killed";
	case ENDED_exec:
		return "when it ran another program";
	default:
		/* One that is still being made has no end yet. */
		return process->recording && !process->recording->ended ? "when last heard of"
									: "when the recording ended";
	}
}
