/*
 * A process whose first thread ended by itself (pthread_exit(3), a cancellation) ends with its last thread, where the C
 * library counts LTTng's: they are ended with the first one, and what is recorded after it needs them no more.
 */
#include <pthread.h>

#include "preload/observe.h"
#include "preload/recorder_inner.h"

/* Of threads the first alone has a value: its destructor runs however the thread ends, but not when the process does. */
static pthread_key_t first;
static bool watched;
static atomic_bool ended;

static void end(void *context)
{
	int kept = errno;
	(void)context;

	atomic_store(&ended, true);
	/* A handler that jumped out of a visit, as nothing of the thread's own is under way here. */
	if (recorder_thread.depth)
		observe_forget();
	recorder_live_alone();
	errno = kept;
}

static void watch(void)
{
	if (watched)
		pthread_setspecific(first, &first);
}

void recorder_last_initialise(void)
{
	watched = pthread_key_create(&first, end) == 0;
	watch();
}

void recorder_last_forked(void)
{
	atomic_store(&ended, false);
	watch();
}

void recorder_last_loaded(void)
{
	if (atomic_load(&ended))
		recorder_live_alone();
}
