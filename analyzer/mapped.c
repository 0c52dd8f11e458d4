#include "analyzer/mapped.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void mapped_ask_size(struct mapped *mapped, int32_t pid, unsigned long long start, unsigned long long end)
{
	char path[96];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", (int)pid, start, end);
	if (stat(path, &status))
		return;
	mapped->has_size = true;
	mapped->size = (uint64_t)status.st_size;
}

/* "7f00-7f10 rw-s 00001000 00:1b 5406    /dev/shm/x" */
static void mapped_line(struct mapped *mapped, const char *line, int32_t pid, uint64_t dev, uint64_t ino)
{
	unsigned long long start, end, offset, inode;
	unsigned device_major, device_minor;
	char protection[5];

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu", &start, &end, protection, &offset, &device_major,
		   &device_minor, &inode) != 7 ||
	    inode != ino || makedev(device_major, device_minor) != dev)
		return;
	mapped->any = true;
	mapped->shared |= protection[3] == 's';
	if (strncmp(protection, "---", 3) != 0 && offset + (end - start) > mapped->end)
		mapped->end = offset + (end - start);
	if (!mapped->has_size)
		mapped_ask_size(mapped, pid, start, end);
}

struct mapped mapped_by(int32_t pid, uint64_t dev, uint64_t ino)
{
	struct mapped mapped = {0};
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	/* One that has ended has no lines, nor may be read. */
	while (maps && getline(&line, &room, maps) > 0)
		mapped_line(&mapped, line, pid, dev, ino);
	free(line);
	if (maps)
		fclose(maps);
	return mapped;
}

/* The first process other than `except` that does so, 0: none is to be seen. */
static int32_t mapped_find(int32_t except, uint64_t dev, uint64_t ino, bool shared)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	int32_t found = 0;

	while (processes && !found && (entry = readdir(processes))) {
		int32_t pid = isdigit((unsigned char)entry->d_name[0]) ? (int32_t)strtol(entry->d_name, NULL, 10) : 0;
		struct mapped mapped = {0};

		if (pid && pid != except)
			mapped = mapped_by(pid, dev, ino);
		if (shared ? mapped.shared : mapped.any)
			found = pid;
	}
	if (processes)
		closedir(processes);
	return found;
}

int32_t mapped_by_other(int32_t pid, uint64_t dev, uint64_t ino)
{
	return mapped_find(pid, dev, ino, false);
}

bool mapped_shared(uint64_t dev, uint64_t ino)
{
	return mapped_find(0, dev, ino, true) != 0;
}
