/*
 * What the files beside a trace have to have, as every version of shmguard wrote them. They may come from elsewhere, and one
 * that is not so is damaged: a key that is missing is not to be read as nothing that was there.
 */
#ifndef SHMGUARD_SHAPE_H
#define SHMGUARD_SHAPE_H

#include <jansson.h>

#include "recording.h"

enum shape {
	SHAPE_DESCRIPTION, /* recording.json */
	SHAPE_LOOK,        /* shm.json and shm-before.json */
	SHAPE_SYMBOLS,     /* symbols.json */
	SHAPE_USAGE,       /* a line of processes.jsonl that tells of a usage */
	SHAPE_OWNER,       /* the same of the recording whose lines follow */
	SHAPE_COUNT
};

/* Where a value is not as it has to be, and what was expected, to be freed; NULL: nowhere. */
char *shape_wrong(enum shape shape, const json_t *object);
/* The same of a line of processes.jsonl of that type. */
char *shape_wrong_line(enum line_type type, const json_t *line);

#endif
