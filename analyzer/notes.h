/* Receives the notes of the recorded processes (tracepoints/notes.h) and makes DIR/processes.jsonl of them. */
#ifndef SHMGUARD_NOTES_RECEIVER_H
#define SHMGUARD_NOTES_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "analyzer/problems.h"

struct notes;

/* The notes' file is made in `private`, the result in `dir`. NULL on failure, with *error one line for free(3). */
struct notes *notes_open(const char *private, const char *dir, uint32_t recording, char **error);

/* From now on what the processes find wrong is told on stderr at once. */
void notes_tell(struct notes *notes);

/* For ENVIRONMENT_NOTES and ENVIRONMENT_NOTES_SOCKET. */
const char *notes_path(const struct notes *notes);
const char *notes_socket(const struct notes *notes);

/* Poll it for reading; notes_look, due every tenth of a second as well, takes what has come there and in the file. */
int notes_descriptor(const struct notes *notes);
void notes_look(struct notes *notes);

/* Whether a process has told of an error finding, or of a SIGBUS, since this was last asked. */
bool notes_error(struct notes *notes);

/* run itself started `path`, or saw a process end with a status of wait(2). */
void notes_started(struct notes *notes, pid_t pid, const char *path);
void notes_reaped(struct notes *notes, pid_t pid, int status);

/* Takes the last ones, names the unseen and frees it all. */
void notes_close(struct notes *notes, struct problems *problems);

#endif
