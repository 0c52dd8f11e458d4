#include "analyzer/loader.h"

#include <string.h>

#include "analyzer/image.h"

#define SONAME "ld-linux"

static const struct {
	const char *name;
	bool takes_word, runs_none;
} options[] = {
	{"--argv0", true, false},
	{"--audit", true, false},
	{"--glibc-hwcaps-mask", true, false},
	{"--glibc-hwcaps-prepend", true, false},
	{"--help", false, true},
	{"--inhibit-cache", false, false},
	{"--inhibit-rpath", true, false},
	{"--library-path", true, false},
	{"--list", false, true},
	{"--list-diagnostics", false, true},
	{"--list-tunables", false, true},
	{"--preload", true, false},
	{"--verify", false, true},
	{"--version", false, true},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

bool loader_is(const struct image *image)
{
	return image->own && !image->loaded && image->soname && strncmp(image->soname, SONAME, strlen(SONAME)) == 0;
}

const char *loader_program(char *const *words, const char **only)
{
	*only = NULL;
	for (; *words && strncmp(*words, "--", 2) == 0; words++) {
		size_t i = 0;

		while (i < OPTIONS && strcmp(*words, options[i].name) != 0)
			i++;
		if (i == OPTIONS)
			return NULL;
		if (options[i].runs_none) {
			*only = options[i].name;
			return NULL;
		}
		if (options[i].takes_word && !*++words)
			return NULL;
	}
	return *words;
}
