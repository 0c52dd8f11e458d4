/* What the ways to open a path have in common: descriptors (wrap_open.c), streams, and what opens for somebody else. */
#ifndef SHMGUARD_WRAP_OPENING_H
#define SHMGUARD_WRAP_OPENING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/enforce_open.h"
#include "preload/observe.h"
#include "tracepoints/calls.h"

struct wrap_opening {
	enum symbol symbol;
	int dirfd;
	const char *path;
	int flags;
	mode_t mode;
	bool creates;
	uint64_t size_before;
	const char *object; /* its name as the policy knows it */
	bool changing;
	bool astray; /* the policy denies the way there */
};

/* Before the call: will it create the file, what will O_TRUNC empty? */
void wrap_opening(struct wrap_opening *o, const void *caller);

/* After it: records it. Answers the descriptor as the program is to have it; errno is kept. */
int wrap_opened(const struct wrap_opening *o, int fd, const void *caller);

/* By which name is a call worth telling that failed (fd -1), or opened no object? NULL: it is not. text: for that name. */
const char *wrap_opening_odd(const struct visit *visit, const struct wrap_opening *o, int fd, bool fifo,
			     char text[static 512]);

/* Is there a policy, and does the path lead onto /dev/shm, or to what stands there in an object's place? */
bool wrap_opening_polices(struct wrap_opening *o, char text[static 512], const void *caller);

/* As the policy is asked of it, but for `call`. */
struct enforce_opening wrap_opening_asked(const struct wrap_opening *o, const void *caller);

/* What the policy makes of it, around `call`: its result, or -1 and errno. */
int wrap_opening_enforced(int (*call)(const struct enforce_opening *, int, mode_t), const struct wrap_opening *o,
			  const void *caller);
/* The same around openat(2). */
int wrap_opening_open(const struct wrap_opening *o, const void *caller);

#define OPENING(name, at, given_path, given_flags, given_mode)                                                         \
	char text[512];                                                                                                \
	struct wrap_opening o = {                                                                                      \
		SYMBOL_##name, at, given_path, given_flags, given_mode, false, 0, NULL, false, false};                 \
	wrap_opening(&o, CALLER)

#endif
