#include "analyzer/smaps.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "analyzer/memory.h"

static const struct {
	const char *key;
	size_t offset;
} amounts[] = {
	{"KernelPageSize:", offsetof(struct smaps, page)},
	{"Rss:", offsetof(struct smaps, rss)},
	{"Pss:", offsetof(struct smaps, pss)},
	{"Referenced:", offsetof(struct smaps, referenced)},
	{"ShmemPmdMapped:", offsetof(struct smaps, huge)},
	{"Swap:", offsetof(struct smaps, swap)},
	{"Locked:", offsetof(struct smaps, locked)},
};

bool smaps_header(char *line, struct smaps *mapping)
{
	unsigned major_number, minor_number;
	char protection[5];
	uint64_t inode;
	int name = 0;

	*mapping = (struct smaps){0};
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64 " %n", &mapping->start, &mapping->end,
		   protection, &major_number, &minor_number, &inode, &name) < 6)
		return false;
	line[strcspn(line, "\n")] = '\0';
	mapping->device = makedev(major_number, minor_number);
	mapping->inode = (ino_t)inode;
	mapping->shared = protection[3] == 's';
	mapping->name = name ? line + name : "";
	return true;
}

static void take_line(struct smaps *mapping, const char *line)
{
	uint64_t kib;

	if (!strncmp(line, "VmFlags:", 8)) {
		mapping->wants_huge = strstr(line, " hg") != NULL;
		mapping->refuses_huge = strstr(line, " nh") != NULL;
		return;
	}
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		size_t length = strlen(amounts[i].key);

		if (strncmp(line, amounts[i].key, length) != 0)
			continue;
		if (sscanf(line + length, "%" SCNu64 " kB", &kib) == 1)
			*(uint64_t *)(void *)((char *)mapping + amounts[i].offset) = kib * 1024;
		return;
	}
}

void smaps_read(FILE *file, void (*take)(void *context, const struct smaps *mapping), void *context)
{
	char *line = NULL, *header = NULL;
	struct smaps mapping, next;
	size_t room = 0;

	while (getline(&line, &room, file) > 0) {
		if (!smaps_header(line, &next)) {
			if (header)
				take_line(&mapping, line);
			continue;
		}
		if (header)
			take(context, &mapping);
		free(header);
		header = memory_text(next.name);
		mapping = next;
		mapping.name = header;
	}
	if (header)
		take(context, &mapping);
	free(header);
	free(line);
}
