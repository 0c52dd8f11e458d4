/* What went wrong with a recording, a sentence each: told on stderr at once, kept for recording.json. */
#ifndef SHMGUARD_PROBLEMS_H
#define SHMGUARD_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problems {
	bool quiet; /* only keep */
	char **text;
	size_t count;
	int64_t gone; /* nanoseconds since 1970: when that ended which records, while programs went on; 0: it did not */
};

void problems_add(struct problems *problems, const char *format, ...) __attribute__((format(printf, 2, 3)));
void problems_free(struct problems *problems);

#endif
