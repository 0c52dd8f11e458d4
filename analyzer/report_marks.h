/* The marks of the page's timeline: of a recording of any length so many that a page can have them. */
#ifndef SHMGUARD_REPORT_MARKS_H
#define SHMGUARD_REPORT_MARKS_H

#include <jansson.h>

#include "analyzer/chronicle.h"

struct marks;

struct marks *marks_new(int64_t from, int64_t to);
/* Before the first of them: those of this object must not give way to those of others. */
void marks_tell(struct marks *marks, const struct object *object);
void marks_add(struct marks *marks, const struct moment *moment);
/* In the order in which they were added. */
json_t *marks_json(const struct marks *marks);
/* How many marks_json() lacks; *told: of them those of a SIGBUS or of an object of marks_tell(). */
uint64_t marks_left_out(const struct marks *marks, uint64_t *told);
void marks_free(struct marks *marks);

#endif
