#include "analyzer/shots.h"

#include <time.h>

/* Nanoseconds from the first to the second. It doubles each time, so that errors without end fill no disk. */
#define PAUSE INT64_C(500000000)

void shots_look(struct shots *shots, struct notes *notes, struct session *session)
{
	struct timespec clock;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &clock);
	now = (int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec;
	if (notes_error(notes))
		shots->wanted = shots->errors = true;
	if (!session || !shots->wanted || now < shots->due)
		return;
	session_shoot(session);
	shots->wanted = false;
	shots->pause = shots->pause ? 2 * shots->pause : PAUSE;
	shots->due = now + shots->pause;
}
