/*
 * What each program of recordings needs to be allowed in /dev/shm, as AppArmor's permissions: gathered for
 * `shmguard profile`.
 */
#ifndef SHMGUARD_RIGHTS_H
#define SHMGUARD_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

enum { RIGHT_read = 1, RIGHT_write = 2, RIGHT_link = 4, RIGHT_exec = 8 };

/* To the objects of one name. */
struct right {
	char *path;      /* below "/", a glob as of habits_glob() */
	unsigned rights; /* or-ed */
	bool owner;      /* each of them belonged to the user who did it */
	char **calls;    /* which calls ask for it, as "shm_open O_RDWR|O_CREAT"; in the order in which they came */
	size_t call_count;
};

struct program_rights {
	char *exe;
	struct right *all; /* sorted by path */
	size_t count;
	bool memfds; /* it made some */
};

struct rights {
	struct program_rights *all; /* sorted by exe */
	size_t count;
};

/* Adds a recording's. False: *error is one line for people, to be freed by the caller. */
bool rights_gather(struct rights *rights, const char *dir, char **error);
void rights_sort(struct rights *rights);
void rights_free(struct rights *rights);

#endif
