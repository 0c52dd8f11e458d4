#include "analyzer/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"

void problems_add(struct problems *problems, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	problems->text = memory_grow(problems->text, problems->count, sizeof(*problems->text));
	problems->text[problems->count++] = memory_text(text);
	if (!problems->quiet) {
		char *safe = escape_terminal(text);

		fprintf(stderr, "shmguard: %s\n", safe);
		free(safe);
	}
}

void problems_free(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->text[i]);
	free(problems->text);
}
