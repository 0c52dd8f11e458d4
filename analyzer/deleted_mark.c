#include "deleted_mark.h"

#include <string.h>

size_t deleted_mark(const char *text)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(text), own = sizeof(mark) - 1;

	return length > own && strcmp(text + length - own, mark) == 0 ? length - own : length;
}
