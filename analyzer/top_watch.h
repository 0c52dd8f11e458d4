/* Names that come and go on the /dev/shm of this mount namespace, as they do (inotify(7)). */
#ifndef SHMGUARD_TOP_WATCH_H
#define SHMGUARD_TOP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_KEPT = 32 };

struct watch_news {
	int64_t time;     /* nanoseconds since 1970 */
	const char *what; /* "created", "removed", "renamed from", "renamed to" */
	char *name;       /* as in the directory, with a slash before it */
};

struct watch {
	int fd; /* to poll; -1: nothing can be watched */
	struct watch_news news[WATCH_KEPT];
	size_t count; /* ever; the latest WATCH_KEPT are kept, the i-th at i % WATCH_KEPT */
	bool missed;  /* the kernel had no room for all of them */
};

void watch_open(struct watch *watch);
/* Takes what has come. */
void watch_read(struct watch *watch);
void watch_close(struct watch *watch);

#endif
