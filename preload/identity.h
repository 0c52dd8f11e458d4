/* Which object a descriptor or a path leads to: (device, inode) and what the kernel says of it at this moment. */
#ifndef SHMGUARD_IDENTITY_H
#define SHMGUARD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/mounts.h"
#include "tracepoints/events.h"

struct identity {
	uint64_t dev, ino;
	uint64_t size;      /* st_size, bytes */
	uint64_t allocated; /* bytes that have pages behind them */
	uint64_t page;      /* bytes: the huge page on hugetlbfs, else the page */
	bool huge;          /* on hugetlbfs */
	uint32_t mode, uid, gid;
	uint32_t links;   /* names that it has */
	uint8_t kind;     /* enum kind, as far as the call or the name tells */
	int fd;           /* a descriptor of it, or -1 */
	const char *name; /* as the program gave it, or NULL: asked of /proc/self/fd when the object is new */
	int dirfd;        /* that a relative path as name begins at */
	const char *link; /* the symbolic link on /dev/shm that led to it, as the program gave its path, or NULL */
	uint32_t link_mode, link_uid; /* the link's own, the mode with the type */
};

/*
 * True for an object of POSIX shared memory: a regular file on the tmpfs at /dev/shm, on what is mounted below it (see
 * mounts.h), or on the kernel's internal tmpfs or hugetlbfs (memfd_create(2)). One fstat(2); the file system is asked only
 * for a device not seen before.
 */
bool identity_of_fd(int fd, struct identity *out);
/* The same; fifo: what the descriptor leads to is no object, but a FIFO there. */
bool identity_of_opened(int fd, struct identity *out, bool *fifo);

/* The same for a descriptor that is mapped; one of an ordinary file is remembered for identity_is_ordinary(). */
bool identity_of_mapped(int fd, struct identity *out);
/*
 * In a loop of mappings (see recent.h): is this descriptor known to lead to an ordinary file? What is known of it ends when
 * the program closes it or puts another in its place. What an object's size is now is asked each time, loop or not.
 */
bool identity_is_ordinary(int fd);
void identity_descriptor_ends(int fd);
void identity_descriptors_end(unsigned first, unsigned last);

/*
 * The same for a path that leads onto /dev/shm, whatever its spelling; flags as fstatat(2)'s, e.g. AT_SYMLINK_NOFOLLOW.
 * LOOK_nothing: ENOENT; LOOK_other: it is no object, or cannot be looked at.
 */
enum identity_look { LOOK_nothing, LOOK_other, LOOK_object };
enum identity_look identity_look(int dirfd, const char *path, int flags, struct identity *out);
bool identity_of_path(int dirfd, const char *path, int flags, struct identity *out);

/* The same for a directory, which is no object: where it is, and by which path, is all that is told. */
bool identity_of_directory(int dirfd, const char *path, struct identity *out);

/*
 * Does the path lead to something on the tmpfs at /dev/shm that is no directory, or does its last component lie there: a
 * symbolic link, a FIFO? One stat for most files elsewhere.
 */
bool identity_on_shm(int dirfd, const char *path);

/*
 * The directory /dev/shm of this moment stays one, whatever root the program takes: no path may lead to it then, but
 * descriptors and the working directory do.
 */
void identity_keep_home(mounts_unheld *unheld);

/* Is it what /dev/shm leads to now? */
bool identity_sees_home(void);

/*
 * Where is a directory: that one, or what lies at /dev/shm now; below it, whatever its path; perhaps below it, which its
 * path tells, as others are on its device, too; or elsewhere?
 */
enum identity_where { WHERE_elsewhere, WHERE_perhaps, WHERE_below, WHERE_home };
enum identity_where identity_where(uint64_t dev, uint64_t ino);

/* "/dev/shm/..." for a path by which the kernel tells the same from another root, or by another mount; false: it is none. */
bool identity_from_home(char text[static 512]);

/* What /proc/self/fd tells of a descriptor, "" if nothing. */
const char *identity_fd_name(int fd, char target[static 512]);

/* Is that the name by which the object was opened or made, gone since, while it has another? The kernel does not tell that. */
bool identity_name_is_past(const struct identity *identity, const char *name);

/* Does the path, itself no link, lead to that object? */
bool identity_leads_to(const char *path, const struct identity *identity);

/* Does the kernel tell a name of the descriptor that still leads to that object? It does not where /proc is missing. */
bool identity_has_name(const struct identity *identity, int fd, char name[static 512]);

/* Is a symbolic link what lies at the path that led to the object? If it lies on /dev/shm the identity says so from then on. */
bool identity_by_link(const char *path, struct identity *identity);

/* "/dev/shm/NAME" for a path that leads to the object there by another spelling, else the path as it was given. */
const char *identity_spelling(const char *path, const struct identity *identity, char text[static 512]);

/* Is it by its text below /dev/shm? */
bool identity_says_shm(const char *path);

/* As identity_spelling, of a path at which an object lay; NULL: none can have, as its directory is not on /dev/shm. */
const char *identity_spelling_gone(int dirfd, const char *path, char text[static 512]);

/* "/dev/shm/" and name without leading slashes, as shm_open(3) does; false when that does not fit (NAME_MAX). */
bool identity_shm_path(const char *name, const char *prefix, char path[static 512]);

/* The program may have another /dev/shm now. */
void identity_forget_devices(void);

#endif
