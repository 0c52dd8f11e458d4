/* What the kernel says at this moment of files, descriptors and users: for the checks, never remembered. */
#ifndef SHMGUARD_FACTS_FILES_H
#define SHMGUARD_FACTS_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "preload/identity.h"

/* The path by which shm_open, sem_open or open looks the name up; false when it does not fit. */
bool facts_path(enum event_id by, int dirfd, const char *name, char path[static 512]);

/* What lies at a path, not what a symlink there leads to; false: nothing, or it cannot be known. */
struct facts_file {
	uint32_t mode; /* with the type, as in st_mode */
	uint32_t uid;
};

bool facts_file(const char *path, struct facts_file *file);

/* The same for the directory that holds it. */
bool facts_directory(const char *path, struct facts_file *directory);

/* Can every user search all the directories that lead to the object's name? False for an object without a name. */
bool facts_reachable(const struct identity *identity);

/*
 * Is it certain that other users cannot come to the object by its name, or to what would be made at the path? Of a
 * directory that cannot be looked at it is not.
 */
bool facts_private(const struct identity *identity);
bool facts_private_path(const char *path);

/* geteuid(2). */
uint32_t facts_user(void);

/* Which program a process runs, and as which effective user; false: that may not be seen. */
bool facts_program(int32_t pid, char exe[static PATH_MAX], uint32_t *user);
/* Is the user the one who acts: geteuid(2), or setfsuid(2)'s, whose the files are that are made. */
bool facts_own(uint32_t uid);

/* Is it the effective group, or one of the others that this process is in? */
bool facts_in_group(uint32_t gid);

/* Is the user a stranger: neither this process's own nor root, and known in its user namespace? */
bool facts_stranger(uint32_t uid);

/* May this process open the path with these flags, O_CREAT apart? */
bool facts_may_open(int dirfd, const char *path, uint32_t flags);

/* Of access(2), what an opening with these flags asks for; O_TRUNC asks for W_OK as well. */
int facts_access(uint32_t flags);

/* Is the effective user refused that access: EACCES or EROFS; 0: no, or it cannot be known. flags: of faccessat2(2). */
int facts_refused(int dirfd, const char *path, int access, int flags);

/*
 * Does the kernel refuse O_CREAT of what is there, and is no directory, whoever may open it: another's, in a sticky directory
 * (fs.protected_regular, fs.protected_fifos, proc(5))? unknown: the answer where nothing tells.
 */
bool facts_sticky(const struct facts_file *file, const struct facts_file *directory, bool unknown);

/* The first entry of the object's access control list that names a user or group and grants it something. */
struct facts_grant {
	uint32_t id;     /* uid or gid */
	uint32_t rights; /* as in a mode: 4 read, 2 write, 1 execute */
	bool group;
};

bool facts_grant(const struct identity *identity, struct facts_grant *grant);

/* F_GET_SEALS; -1: the descriptor has none to give. */
int facts_seals(int fd);

/* Does the descriptor lack FD_CLOEXEC? */
bool facts_survives_exec(int fd);

/*
 * Looks for a byte that is not zero in [from, to) of the object, holes left out, up to 1 MiB of data: 1 and *at, 0, or -1
 * when its contents cannot be read. The program's descriptors and offsets are left alone.
 */
int facts_data(const struct identity *identity, uint64_t from, uint64_t to, uint64_t *at);

/* RLIMIT_NOFILE. */
uint64_t facts_descriptor_limit(void);

/* Mappings of this process and vm.max_map_count; asked of the kernel at most once a second, false in between. */
bool facts_mappings(uint64_t *used, uint64_t *limit);

/* Is it a number that others can know: of this process, its user, or the time? */
bool facts_known_number(uint64_t number);

#endif
