#include "analyzer/json_stream.h"

#include "analyzer/json_out.h"

static void new_line(struct json_stream *stream)
{
	fprintf(stream->out, "\n%*s", (int)stream->depth, "");
}

/* What stands before a value: the comma of the one before it, its line and its name. */
static void place(struct json_stream *stream, const char *name)
{
	if (stream->depth) {
		if (stream->open[stream->depth - 1].filled)
			fputc(',', stream->out);
		stream->open[stream->depth - 1].filled = true;
		new_line(stream);
	}
	if (name)
		fprintf(stream->out, "\"%s\": ", name);
}

void json_stream_open(struct json_stream *stream, const char *name, char kind)
{
	place(stream, name);
	fputc(kind, stream->out);
	stream->open[stream->depth].closing = kind == '{' ? '}' : ']';
	stream->open[stream->depth++].filled = false;
}

void json_stream_close(struct json_stream *stream)
{
	stream->depth--;
	if (stream->open[stream->depth].filled)
		new_line(stream);
	fputc(stream->open[stream->depth].closing, stream->out);
	if (!stream->depth)
		fputc('\n', stream->out);
}

void json_stream_put(struct json_stream *stream, const char *name, json_t *value)
{
	place(stream, name);
	json_out_within(value, stream->out, JSON_INDENT(1) | JSON_ENCODE_ANY, stream->depth);
	json_decref(value);
}
