/*
 * Why a call on shared memory gives an errno here: each reason that the manual pages name, looked at on this system, for
 * the user who asks.
 */
#ifndef SHMGUARD_CAUSE_H
#define SHMGUARD_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* yes: it is so now. no: it is not. maybe: it depends on the call, or on the process that made it. */
enum verdict { VERDICT_no, VERDICT_maybe, VERDICT_yes };

/* What there is of a name. */
struct scene {
	const char *name;    /* as given, NULL: none was; not safe for a terminal */
	const char *base;    /* without leading slashes */
	char *path;          /* below /dev/shm */
	bool mounted, there; /* /dev/shm is a directory; the name leads to something */
	bool good;           /* the name is one that shm_open() takes */
	struct stat root, status;
	struct statvfs room;
};

struct cause {
	int error;
	const char *reason; /* "the object exists already and O_EXCL was given" */
	/* *detail: what was found, for free(3), or NULL. */
	enum verdict (*check)(const struct scene *scene, char **detail);
	const char *cure; /* NULL: the detail says it */
};

extern const struct cause causes[]; /* ends with error 0 */

/* cause_permission.c */
enum verdict cause_directory(const struct scene *scene, char **detail);
enum verdict cause_mode(const struct scene *scene, char **detail);
enum verdict cause_acl(const struct scene *scene, char **detail);
enum verdict cause_protected(const struct scene *scene, char **detail);
enum verdict cause_sticky(const struct scene *scene, char **detail);
enum verdict cause_confined(const struct scene *scene, char **detail);
enum verdict cause_owner(const struct scene *scene, char **detail);

/* cause_room.c */
enum verdict cause_space(const struct scene *scene, char **detail);
enum verdict cause_inodes(const struct scene *scene, char **detail);
enum verdict cause_descriptors(const struct scene *scene, char **detail);
enum verdict cause_files(const struct scene *scene, char **detail);
enum verdict cause_file_size(const struct scene *scene, char **detail);
enum verdict cause_address_space(const struct scene *scene, char **detail);
enum verdict cause_map_count(const struct scene *scene, char **detail);
enum verdict cause_commit(const struct scene *scene, char **detail);
enum verdict cause_lock(const struct scene *scene, char **detail);

/* A number in a file of /proc/sys or such; -1: it cannot be read. */
long long cause_number(const char *path);
/* KiB of a line of /proc/meminfo; -1: it cannot be read. */
long long cause_memory(const char *name);

#endif
