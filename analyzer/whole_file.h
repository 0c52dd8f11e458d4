/* A file that has its new contents when they are whole, and until then what it had before. */
#ifndef SHMGUARD_WHOLE_FILE_H
#define SHMGUARD_WHOLE_FILE_H

#include <stdio.h>

struct whole_file {
	FILE *file;
	char *target, *part; /* NULL: it is written as it stands, being none that can be replaced */
};

/* Devices, pipes and files that others share by a link or as their owner are written as they stand. 0, or -1 with errno. */
int whole_file_open(struct whole_file *whole, const char *path);
/* 0, or -1 with errno: nothing has changed then of a file that can be replaced. */
int whole_file_close(struct whole_file *whole);

#endif
