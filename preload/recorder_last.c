/*
 * A process whose first thread ended by itself (pthread_exit(3), a cancellation, exit(2)) ends with its last thread, where
 * the C library, and the kernel, count LTTng's: they are ended with the first one, and what is recorded after it needs them
 * no more. Where it ended unseen, one of them notices that the program is gone.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "preload/kernel.h"
#include "preload/note.h"
#include "preload/observe.h"
#include "preload/own_threads.h"
#include "preload/recorder_inner.h"
#include "preload/text.h"

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
		LIBC(pthread_setspecific)(first, &first);
}

void recorder_last_initialise(void)
{
	watched = LIBC(pthread_key_create)(&first, end) == 0;
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

void recorder_last_left(void)
{
	end(NULL);
}

/* A zombie has no executable (proc(5)). No descriptor is taken for it: the program may count on the number. */
static bool first_has_ended(void)
{
	char name[8];

	return kernel_readlink("/proc/self/exe", name, sizeof name) == -ENOENT &&
	       kernel_readlink("/proc/thread-self/exe", name, sizeof name) > 0;
}

/* Of the first thread: the last word of its stat. */
static int status_of_first(void)
{
	char text[1024];
	long length = text_read("/proc/self/stat", text, sizeof text);
	const char *space = length > 0 ? strrchr(text, ' ') : NULL, *word = space ? space + 1 : "";
	uint64_t status;

	return text_decimal(&word, &status) ? (int)(status >> 8 & 0xff) : 0;
}

enum { LOOK_EVERY = 250000000 /* nanoseconds */ };

/* A daemon that is stopped lets nobody in: who waits for that hears that it is gone, and looks for it from time to time. */
static bool awaits_stopped(void)
{
	return (!recorder_emit || !recorder_emit->enabled()) && note_marked(NOTES_CLOSED);
}

enum awaited recorder_last_wait(int socket, int *status)
{
	struct pollfd ready = {.fd = socket, .events = POLLIN};
	struct timeval limit = {1, 0};
	socklen_t size = sizeof limit;

	/* Where it waits for an answer it has a time for that, and is soon back. */
	if (kernel_call(SYS_getsockopt, socket, SOL_SOCKET, SO_RCVTIMEO, (long)&limit, (long)&size, 0) != 0 ||
	    limit.tv_sec || limit.tv_usec)
		return AWAITED_message;
	for (bool others = false;;) {
		struct timespec pause = {.tv_nsec = LOOK_EVERY};
		if (kernel_call(SYS_ppoll, (long)&ready, 1, (long)&pause, 0, sizeof(uint64_t), 0) != 0)
			return AWAITED_message;
		if (awaits_stopped())
			return AWAITED_daemon;
		if (!first_has_ended())
			continue;
		if (own_threads_only()) {
			/* The process has the status of its last thread: the C library ends threads with 0. */
			*status = others ? 0 : status_of_first();
			return AWAITED_end;
		}
		others = true;
	}
}
