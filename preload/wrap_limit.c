/* Limits of memory that the program sets or asks for: of what a recording takes it is to notice nothing. */
#include <sys/resource.h>

#include "preload/kernel.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/room.h"
#include "preload/wrap.h"

_Static_assert(sizeof(struct rlimit) == sizeof(struct rlimit64), "rlimit");

/* A child that only shares our memory sets its limits for what it executes. */
static bool concerns(pid_t pid, int resource)
{
	return __builtin_expect(room_concerns(pid, resource), false) && !recorder_is_vfork_child();
}

int wrap_prlimit(prlimit_function *real_call, pid_t pid, int resource, const struct rlimit *new, struct rlimit *old)
{
	struct rlimit asked, given;

	if (!concerns(pid, resource) || (new && !kernel_readable(new)) || (old && !kernel_readable(old)))
		return real_call(pid, resource, new, old);
	if (new) {
		asked = *new;
		given = room_given(resource, asked);
	}
	int result = real_call(pid, resource, new ? &given : NULL, old);
	if (result == 0 && old)
		*old = room_seen(resource, *old);
	if (result == 0 && new)
		room_gave(resource, asked, given);
	return result;
}

/* The C library's own way to both: no others of its calls set or tell limits. */
static int get_or_set(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old)
{
	(void)pid;
	return new ? REAL(setrlimit)((__rlimit_resource_t)resource, new)
		   : REAL(getrlimit)((__rlimit_resource_t)resource, old);
}

static int control(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old)
{
	return REAL(prlimit)(pid, (enum __rlimit_resource)resource, new, old);
}

EXPORT int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	return wrap_prlimit(get_or_set, 0, (int)resource, NULL, limit);
}

EXPORT int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit)
{
	return wrap_prlimit(get_or_set, 0, (int)resource, NULL, (struct rlimit *)limit);
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return wrap_prlimit(get_or_set, 0, (int)resource, limit, NULL);
}

EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return setrlimit(resource, (const struct rlimit *)limit);
}

EXPORT int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new, struct rlimit *old)
{
	return wrap_prlimit(control, pid, (int)resource, new, old);
}

EXPORT int prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *new, struct rlimit64 *old)
{
	return wrap_prlimit(control, pid, (int)resource, (const struct rlimit *)new, (struct rlimit *)old);
}
