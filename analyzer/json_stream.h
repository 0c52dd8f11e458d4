/*
 * JSON of more than is to be held at once: objects and arrays are opened, filled one member at a time and closed. The
 * bytes are those that json_out() makes of the whole with JSON_INDENT(1).
 */
#ifndef SHMGUARD_JSON_STREAM_H
#define SHMGUARD_JSON_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { JSON_STREAM_DEPTH = 8 };

/* {.out = stream} is one of which nothing is written. Where it cannot be written, ferror(out) says so. */
struct json_stream {
	FILE *out;
	struct {
		char closing;
		bool filled;
	} open[JSON_STREAM_DEPTH];
	unsigned int depth;
};

/* `name` is NULL within an array and at the top; `kind` is '{' or '['. */
void json_stream_open(struct json_stream *stream, const char *name, char kind);
void json_stream_close(struct json_stream *stream);
/* Takes `value`. */
void json_stream_put(struct json_stream *stream, const char *name, json_t *value);

#endif
