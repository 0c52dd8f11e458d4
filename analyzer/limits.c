#include "analyzer/limits.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "analyzer/limited.h"

/*
 * A stack grows up to the limit of the moment, so that ours gains by it, too. LTTng's daemons die of less, as does what reads
 * the program's file. With fewer descriptors they start, and then hang or record nothing; daemon.c raises that limit.
 * Each of their timers takes a place among the signals that may be pending: without, no event comes.
 */
static const struct {
	enum limits_of of;
	__rlimit_resource_t resource;
	const char *name, *whose, *what;
	rlim_t wanted; /* 0: it is not raised here */
	rlim_t least, per_processor;
} limits[] = {
	{LIMITS_OF_run, RLIMIT_STACK, "RLIMIT_STACK (ulimit -Hs)", "run and LTTng's daemons", "bytes", 8 << 20,
	 256 << 10, 0},
	{LIMITS_OF_daemons, RLIMIT_NOFILE, "RLIMIT_NOFILE (ulimit -Hn)", "LTTng's daemons",
	 "descriptors on this machine", 0, 70, 13},
	{LIMITS_OF_daemons, RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING (ulimit -Hi)", "LTTng's daemons", "for their timers",
	 4096, 6, 0},
};

enum { LIMITS = sizeof(limits) / sizeof(*limits) };

static struct rlimit before[LIMITS];
static bool raised[LIMITS];

/* The C library has taken what the limit was at the start for that of threads. */
static void limits_of_threads(void)
{
	struct rlimit now;
	pthread_attr_t attributes;
	size_t size;

	if (pthread_getattr_default_np(&attributes))
		return;
	if (!getrlimit(RLIMIT_STACK, &now) && now.rlim_cur != RLIM_INFINITY &&
	    !pthread_attr_getstacksize(&attributes, &size) && size < now.rlim_cur &&
	    !pthread_attr_setstacksize(&attributes, now.rlim_cur))
		pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

void limits_raise(void)
{
	for (size_t i = 0; i < LIMITS; i++) {
		struct rlimit higher = {limits[i].wanted, limits[i].wanted};

		if (getrlimit(limits[i].resource, &before[i]) || before[i].rlim_cur >= limits[i].wanted)
			continue;
		raised[i] = true;
		if (higher.rlim_max < before[i].rlim_max)
			higher.rlim_max = before[i].rlim_max;
		if (!setrlimit(limits[i].resource, &higher))
			continue;
		higher = (struct rlimit){before[i].rlim_max, before[i].rlim_max};
		setrlimit(limits[i].resource, &higher);
	}
	limits_of_threads();
}

void limits_restore(void)
{
	for (size_t i = 0; i < LIMITS; i++)
		if (raised[i])
			setrlimit(limits[i].resource, &before[i]);
}

bool limits_lack(enum limits_of of, char *error)
{
	for (size_t i = 0; i < LIMITS; i++) {
		rlim_t least = limits[i].least + limits[i].per_processor * (rlim_t)sysconf(_SC_NPROCESSORS_CONF);
		struct rlimit now;

		if (limits[i].of != of || getrlimit(limits[i].resource, &now) || now.rlim_cur >= least)
			continue;
		snprintf(error, LIMITED_TEXT, "%s is %ju, and %s need %ju %s", limits[i].name, (uintmax_t)now.rlim_cur,
			 limits[i].whose, (uintmax_t)least, limits[i].what);
		return true;
	}
	return false;
}
