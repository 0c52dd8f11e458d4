#include "analyzer/oom.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where it is mounted by convention, and what its line in /proc/self/cgroup has before the path. */
static const struct {
	const char *line, *mount, *file;
} hierarchies[] = {
	{"0::", "/sys/fs/cgroup", "memory.events"},
	{":memory:", "/sys/fs/cgroup/memory", "memory.oom_control"},
};

static int64_t oom_count(const char *path)
{
	static const char key[] = "oom_kill ";
	FILE *file = fopen(path, "re");
	int64_t kills = -1;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			kills = strtoll(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return kills;
}

int64_t oom_kills(void)
{
	FILE *groups = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX], path[2 * PATH_MAX];
	int64_t kills = -1;

	while (groups && kills < 0 && fgets(line, sizeof(line), groups)) {
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]) && kills < 0; i++) {
			const char *group = strstr(line, hierarchies[i].line);

			if (!group)
				continue;
			snprintf(path, sizeof(path), "%s%s/%s", hierarchies[i].mount,
				 group + strlen(hierarchies[i].line), hierarchies[i].file);
			kills = oom_count(path);
		}
	}
	if (groups)
		fclose(groups);
	return kills;
}
