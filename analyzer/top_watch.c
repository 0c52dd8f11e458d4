#include "analyzer/top_watch.h"

#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/memory.h"

#define SHM_DIRECTORY "/dev/shm"

void watch_open(struct watch *watch)
{
	*watch = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
	if (watch->fd < 0 ||
	    inotify_add_watch(watch->fd, SHM_DIRECTORY, IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR) >= 0)
		return;
	close(watch->fd);
	watch->fd = -1;
}

static const char *word_of(uint32_t mask)
{
	return mask & IN_CREATE       ? "created"
	       : mask & IN_DELETE     ? "removed"
	       : mask & IN_MOVED_FROM ? "renamed from"
				      : "renamed to";
}

static void take(struct watch *watch, const struct inotify_event *event)
{
	struct watch_news *news = &watch->news[watch->count % WATCH_KEPT];
	struct timespec now;

	watch->missed |= (event->mask & IN_Q_OVERFLOW) != 0;
	if (!event->len)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	free(news->name);
	*news = (struct watch_news){.time = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
				    .what = word_of(event->mask),
				    .name = memory_format("/%s", event->name)};
	watch->count++;
}

void watch_read(struct watch *watch)
{
	_Alignas(struct inotify_event) char buffer[16384];
	ssize_t got;

	while (watch->fd >= 0 && (got = read(watch->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			take(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
}

void watch_close(struct watch *watch)
{
	for (size_t i = 0; i < WATCH_KEPT; i++)
		free(watch->news[i].name);
	if (watch->fd >= 0)
		close(watch->fd);
}
