#include "analyzer/aside.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/memory.h"
#include "tracepoints/environment.h"

#define ASIDE "SHMGUARD_ASIDE_"
#define PRELOAD "LD_PRELOAD="
#define AUDIT "LD_AUDIT="

extern char **environ;

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* A recording that run is part of is to see it; "" if there is none. */
static char *aside_ours(const char *list)
{
	char *copy = memory_text(list), *ours = memory_text(""), *rest = copy, *path;

	while (!*ours && (path = strsep(&rest, ": "))) {
		const char *slash = strrchr(path, '/');

		if (slash && !strcmp(slash + 1, LIBRARY_PRELOAD)) {
			free(ours);
			ours = memory_text(path);
		}
	}
	free(copy);
	return ours;
}

void aside_put(char **arguments)
{
	char exe[PATH_MAX], **plain;
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *preload = getenv("LD_PRELOAD"), *audit = getenv("LD_AUDIT");
	char *ours = aside_ours(preload ? preload : "");
	size_t count = 0, made = 0;

	if (length > 0 && ((preload && strcmp(preload, ours)) || (audit && *audit))) {
		exe[length] = '\0';
		while (environ[count])
			count++;
		plain = memory_new(count + 2, sizeof(*plain));
		for (size_t i = 0; i < count; i++)
			plain[made++] = begins(environ[i], PRELOAD) || begins(environ[i], AUDIT)
						? memory_format(ASIDE "%s", environ[i])
						: environ[i];
		if (*ours)
			plain[made++] = memory_format(PRELOAD "%s", ours);
		execve(exe, arguments, plain);
	}
	free(ours);
}

const char *aside_entry(const char *entry)
{
	return begins(entry, ASIDE PRELOAD) || begins(entry, ASIDE AUDIT) ? entry + strlen(ASIDE) : entry;
}

const char *aside_preload(void)
{
	const char *kept = getenv(ASIDE "LD_PRELOAD");

	return kept ? kept : getenv("LD_PRELOAD");
}
