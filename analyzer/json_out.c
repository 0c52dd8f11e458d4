#include "analyzer/json_out.h"

#include <string.h>

/* DEL is the one control character that ASCII has left and jansson leaves; outside of a string there is none. */
static int json_out_part(const char *bytes, size_t size, void *out)
{
	const char *end = bytes + size;

	while (bytes < end) {
		const char *del = memchr(bytes, 0x7f, (size_t)(end - bytes)), *until = del ? del : end;

		fwrite(bytes, 1, (size_t)(until - bytes), out);
		if (del)
			fputs("\\u007f", out);
		bytes = until + (del != NULL);
	}
	return ferror(out) ? -1 : 0;
}

int json_out(const json_t *json, FILE *out, size_t flags)
{
	return json_dump_callback(json, json_out_part, out, flags | JSON_ENSURE_ASCII);
}
