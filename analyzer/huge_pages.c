#include "analyzer/huge_pages.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/escape.h"
#include "analyzer/memory.h"

static uint64_t pool_free(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t pages = 0, reserved = 0, kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "HugePages_Free: %" SCNu64, &pages);
		sscanf(line, "HugePages_Rsvd: %" SCNu64, &reserved);
		sscanf(line, "Hugepagesize: %" SCNu64, &kib);
	}
	if (file)
		fclose(file);
	return pages > reserved ? (pages - reserved) * kib * 1024 : 0;
}

/* "always within_size advise [never] deny force": the word in brackets, or "". */
static void kernels_mode(char mode[static 16])
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "re");
	char line[128] = "";
	const char *at;

	*mode = '\0';
	if (file && fgets(line, sizeof(line), file) && (at = strchr(line, '[')))
		sscanf(at, "[%15[a-z_]", mode);
	if (file)
		fclose(file);
}

/* Where the device is mounted, and the option huge= of its mount; false: nowhere. */
static bool mount_of(dev_t device, char mode[static 16], char **mount)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0) {
		const char *type = strstr(line, " - tmpfs "), *option = type ? strstr(type, "huge=") : NULL;
		unsigned major_number, minor_number;

		if (!type || sscanf(line, "%*d %*d %u:%u / %ms", &major_number, &minor_number, mount) != 3)
			continue;
		found = makedev(major_number, minor_number) == device;
		if (!found)
			free(*mount);
		else if (!option || sscanf(option, "huge=%15[a-z_]", mode) != 1)
			strcpy(mode, "never");
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

void huge_pages_describe(json_t *object, dev_t device)
{
	char mode[16], of_mount[16], *mount = NULL;

	json_object_set_new(object, "pool", json_integer((json_int_t)pool_free()));
	kernels_mode(mode);
	if (mount_of(device, of_mount, &mount)) {
		char *safe = escape_utf8(mount);

		json_object_set_new(object, "mount", json_string(safe));
		if (*mode && strcmp(mode, "deny") != 0 && strcmp(mode, "force") != 0)
			strcpy(mode, of_mount);
		free(safe);
		free(mount);
	}
	json_object_set_new(object, "thp", json_string(mode));
}
