/* What a recording is read with. */
#ifndef SHMGUARD_RECORDING_INNER_H
#define SHMGUARD_RECORDING_INNER_H

#include <jansson.h>
#include <stdio.h>

#include "recording.h"

/* As it was before it was written, to be freed; NULL where there is none. */
char *recording_text(const json_t *object, const char *key);
/* 0 where there is none. */
int64_t recording_integer(const json_t *object, const char *key);

/*
 * A file of the recording, to be closed. NULL where there is none; what is no file, or may not be read, is a problem of the
 * recording.
 */
FILE *recording_file(struct recording *recording, const char *path);

/*
 * Adds what processes.jsonl below `dir` has to `lines` and `usages`. What is damaged becomes a problem, but for the last line
 * of a recording that was killed, which may be cut short.
 */
void recording_lines_take(struct recording *recording, const char *dir);
/* By time; equal times keep their order in the file. */
void recording_lines_sort(struct recording *recording);

#endif
