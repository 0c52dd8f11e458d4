/* What a recording is read with. */
#ifndef SHMGUARD_RECORDING_INNER_H
#define SHMGUARD_RECORDING_INNER_H

#include <jansson.h>
#include <stdio.h>

#include "recording.h"
#include "shape.h"

/* As it was before it was written, to be freed; NULL where there is none. */
char *recording_text(const json_t *object, const char *key);
/* 0 where there is none. */
int64_t recording_integer(const json_t *object, const char *key);

/* Whether a file that says so is of the recording; id: NULL where an earlier version wrote it. */
bool recording_owns(const struct recording *recording, const char *id);

/* NULL when there is no such file, or one that is damaged or may not be read, which is a problem of the recording. */
json_t *recording_load(struct recording *recording, const char *dir, const char *name);
/* What is not as shmguard writes it is a problem of the recording, and nothing of it is used. */
bool recording_is_damaged(struct recording *recording, const char *dir, const char *name, enum shape shape,
			  const json_t *root);

/* Takes the look from before the recording; when that was, 0: there is none. */
int64_t recording_look_first(struct recording *recording, const char *dir);
/* The one from its end, once it is settled when it started. */
void recording_look_last(struct recording *recording, const char *dir);
void recording_looks_free(struct recording *recording);

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
/* By so many nanoseconds are all its times moved. */
void recording_move(struct recording *recording, int64_t offset);
/* By time; equal times keep their order in the file. */
void recording_lines_sort(struct recording *recording);

#endif
