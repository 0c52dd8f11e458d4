#include "analyzer/json_out.h"

#include <string.h>

struct json_out {
	FILE *file;
	unsigned int column;
};

/*
 * DEL is the one control character that ASCII has left and jansson leaves; outside of a string there is none. A line's end
 * is never within a string.
 */
static int json_out_part(const char *bytes, size_t size, void *context)
{
	const struct json_out *out = context;
	const char *end = bytes + size;

	while (bytes < end) {
		size_t plain = 0;

		while (bytes + plain < end && bytes[plain] != 0x7f && bytes[plain] != '\n')
			plain++;
		fwrite(bytes, 1, plain, out->file);
		bytes += plain;
		if (bytes == end)
			break;
		if (*bytes++ == '\n')
			fprintf(out->file, "\n%*s", (int)out->column, "");
		else
			fputs("\\u007f", out->file);
	}
	return ferror(out->file) ? -1 : 0;
}

int json_out_within(const json_t *json, FILE *out, size_t flags, unsigned int column)
{
	struct json_out place = {out, column};

	return json_dump_callback(json, json_out_part, &place, flags | JSON_ENSURE_ASCII);
}

int json_out(const json_t *json, FILE *out, size_t flags)
{
	return json_out_within(json, out, flags, 0);
}
