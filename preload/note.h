/* Writes the records of tracepoints/notes.h. Async-signal-safe, and safe in a vfork(2) child; errno is kept. */
#ifndef SHMGUARD_NOTE_H
#define SHMGUARD_NOTE_H

#include <stdbool.h>

#include "tracepoints/notes.h"

/* What varies; the rest is asked of the kernel. Texts may be NULL. */
struct note_content {
	int32_t child, status, error;
	struct note_found found;
	const char *text[2];
};

/* Where notes go, and the recording they belong to. */
void note_initialise(uint32_t recording, const char *file, const char *socket_name);

/* NOTES_CLOSED, NOTES_ENDED: has `run` left that mark? */
bool note_marked(const char *mark);

/* False: it could not be told, as where the process has no descriptor left for it. */
bool note_write(enum note_type type, const struct note_content *content);

#endif
