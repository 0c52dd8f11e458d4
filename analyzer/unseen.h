/* Who never signed in: follows the notes of a recording, and finds the images that ran without us. */
#ifndef SHMGUARD_UNSEEN_H
#define SHMGUARD_UNSEEN_H

#include <stdint.h>
#include <sys/types.h>

#include "tracepoints/notes.h"

struct unseen_watch;

/* Called for each; `exe` is "" where nobody knows it. */
typedef void unseen_found(void *context, pid_t pid, const char *exe, const char *reason);

struct unseen_watch *unseen_new(unseen_found *found, void *context);
void unseen_free(struct unseen_watch *watch);

/* texts: as many as note->texts, at least 2, missing ones "". */
void unseen_note(struct unseen_watch *watch, const struct note *note, const char *const *texts);

/* run starts `path` itself, or saw a process end; status: wait(2)'s. */
void unseen_started(struct unseen_watch *watch, pid_t pid, const char *path);
void unseen_ended(struct unseen_watch *watch, pid_t pid, int status);

/*
 * Gives a verdict on the processes that ended before the last call, as a note may come after the one that it caused.
 * `last`: on all, and on those that were to run another image and still have not signed in.
 */
void unseen_settle(struct unseen_watch *watch, int last);

#endif
