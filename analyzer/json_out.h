/* JSON where people may see it: ASCII alone, and nothing in it that a terminal or an editor takes for more than text. */
#ifndef SHMGUARD_JSON_OUT_H
#define SHMGUARD_JSON_OUT_H

#include <jansson.h>
#include <stdio.h>

/* Of `flags` of json_dumpf(); 0, or -1 where it could not be written. */
int json_out(const json_t *json, FILE *out, size_t flags);
/* With each line but the first moved to the right by `column` blanks. */
int json_out_within(const json_t *json, FILE *out, size_t flags, unsigned int column);

#endif
