#include "analyzer/moment.h"

const char *moment_name(enum moment_of of)
{
	static const char *const names[] = {
#define MOMENT_NAME(name) [MOMENT_##name] = #name,
		MOMENTS(MOMENT_NAME)
#undef MOMENT_NAME
	};

	return names[of];
}

bool moment_is(const struct trace_event *event, const struct outcome *outcome, enum moment_of *of)
{
	if (outcome->error || trace_integer(event, "error", 0))
		return false;
	switch (event->id) {
	case EVENT_process:
		*of = MOMENT_start;
		return true;
	case EVENT_shm_open:
	case EVENT_open:
	case EVENT_sem_open:
		*of = trace_integer(event, "created", 0) ? MOMENT_create : MOMENT_open;
		return true;
	case EVENT_memfd_create:
		*of = MOMENT_create;
		return true;
	case EVENT_ftruncate:
	case EVENT_fallocate:
		*of = MOMENT_resize;
		return trace_integer(event, "size", 0) != trace_integer(event, "size_before", 0);
	case EVENT_mmap:
		*of = MOMENT_map;
		return true;
	case EVENT_munmap:
		*of = MOMENT_unmap;
		return true;
	case EVENT_unlink:
		*of = MOMENT_unlink;
		return true;
	case EVENT_fault:
		*of = MOMENT_sigbus;
		return true;
	default:
		return false;
	}
}
