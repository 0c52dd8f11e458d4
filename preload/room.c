#include "preload/room.h"

#include "preload/kernel.h"

/* Changed by calls that set a limit, which no two threads make at once with any sense. */
static struct taken {
	rlim_t bytes; /* 0: none */
	bool set;
	struct rlimit asked, given;
} address_space, data;

static struct taken *taken(int resource)
{
	return resource == RLIMIT_AS ? &address_space : &data;
}

void room_taken(rlim_t address_space_bytes, rlim_t data_bytes)
{
	address_space.bytes = address_space_bytes;
	data.bytes = data_bytes;
}

bool room_concerns(pid_t pid, int resource)
{
	return (resource == RLIMIT_AS || resource == RLIMIT_DATA) && taken(resource)->bytes &&
	       (!pid || pid == kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
}

static bool get(int resource, struct rlimit *limit)
{
	return kernel_call(SYS_prlimit64, 0, resource, 0, (long)limit, 0, 0) == 0;
}

static rlim_t more(rlim_t limit, rlim_t bytes)
{
	return limit < RLIM_INFINITY - bytes ? limit + bytes : RLIM_INFINITY;
}

struct rlimit room_given(int resource, struct rlimit asked)
{
	rlim_t bytes = taken(resource)->bytes;
	struct rlimit now, given = {more(asked.rlim_cur, bytes), more(asked.rlim_max, bytes)};

	if (asked.rlim_cur > asked.rlim_max || !get(resource, &now))
		return asked;
	struct rlimit seen = room_seen(resource, now);
	/* To raise the hard limit is a privilege, and is to be refused as it would be. */
	if (asked.rlim_max > seen.rlim_max)
		return seen.rlim_max == now.rlim_max ? asked : given;
	if (given.rlim_max > now.rlim_max)
		given.rlim_max = now.rlim_max;
	if (given.rlim_cur > given.rlim_max)
		given.rlim_cur = given.rlim_max;
	return given;
}

void room_gave(int resource, struct rlimit asked, struct rlimit given)
{
	struct taken *t = taken(resource);

	t->asked = asked;
	t->given = given;
	t->set = true;
}

struct rlimit room_seen(int resource, struct rlimit limit)
{
	const struct taken *t = taken(resource);

	if (t->set && limit.rlim_cur == t->given.rlim_cur)
		limit.rlim_cur = t->asked.rlim_cur;
	if (t->set && limit.rlim_max == t->given.rlim_max)
		limit.rlim_max = t->asked.rlim_max;
	return limit;
}

static void change(int resource, bool leaves)
{
	const struct taken *t = taken(resource);
	struct rlimit limit;
	rlim_t from = leaves ? t->given.rlim_cur : t->asked.rlim_cur;

	if (!t->set || !get(resource, &limit) || limit.rlim_cur != from)
		return;
	limit.rlim_cur = leaves ? t->asked.rlim_cur : t->given.rlim_cur;
	kernel_call(SYS_prlimit64, 0, resource, (long)&limit, 0, 0, 0);
}

void room_leave(void)
{
	change(RLIMIT_AS, true);
	change(RLIMIT_DATA, true);
}

void room_return(void)
{
	change(RLIMIT_AS, false);
	change(RLIMIT_DATA, false);
}
