/*
 * What is in shared memory on this machine now, and who holds it: every named object on /dev/shm and on each tmpfs or
 * hugetlbfs where a process maps a file shared, unlinked ones and memfds that somebody still has open or mapped,
 * semaphores, and System V segments beside them. One look reads /proc once; processes that vanish meanwhile are normal.
 * It opens no object (unless MACHINE_swapped asks for it) and changes nothing.
 *
 * Units: bytes; times in nanoseconds since 1970. All belongs to the struct machine and ends with machine_free(). Names,
 * paths and links are as the kernel gave them: escape.h before they are shown.
 */
#ifndef SHMGUARD_MACHINE_H
#define SHMGUARD_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "analyzer/map.h"
#include "tracepoints/rules.h"

/* file: one made without shm_open(): in a directory below the root, or on another tmpfs. anonymous: a shared mapping
 * without any file. */
#define MACHINE_KINDS(X) X(shm) X(sem) X(file) X(memfd) X(anonymous) X(sysv)

enum machine_kind {
#define MACHINE_KIND_ENUMERATOR(name) MACHINE_##name,
	MACHINE_KINDS(MACHINE_KIND_ENUMERATOR)
#undef MACHINE_KIND_ENUMERATOR
};

/*
 * live: open or mapped by a process. idle: by none, but touched a short time ago, or kept by design (`kept`). ghost: by
 * none, for longer. unlinked: has no name (any more), lives as long as who holds it.
 */
#define MACHINE_STATES(X) X(live) X(idle) X(ghost) X(unlinked)

enum machine_state {
#define MACHINE_STATE_ENUMERATOR(name) MACHINE_STATE_##name,
	MACHINE_STATES(MACHINE_STATE_ENUMERATOR)
#undef MACHINE_STATE_ENUMERATOR
};

extern const char *const machine_kind_names[];
extern const char *const machine_state_names[];

/* A file system that can hold objects. */
struct machine_fs {
	dev_t device;
	char *mount;   /* where it is mounted, in the mount namespace where it was found; NULL: the kernel's own */
	char *path;    /* the same place as we can reach it; NULL: we cannot, or it is the kernel's own */
	pid_t through; /* the process in whose mount namespace it was found; 0: in ours */
	bool is_shm;   /* mounted on /dev/shm */
	bool huge;     /* hugetlbfs */
	bool whole;    /* its own root is mounted there, not a part of it */
	bool shared;   /* a process maps a file of it shared, or is_shm */
	bool listed;   /* its names were read */
	uint64_t size, used; /* 0, 0: no limit, or not known */
};

struct machine_process {
	pid_t pid;
	uid_t uid; /* effective */
	char *exe; /* its last part is what a person knows it by; NULL: may not be read */
	char comm[17];
};

struct machine_mapping {
	uint64_t start, end, offset;
	char protection[5];      /* "rw-s" */
	uint64_t rss, pss, swap; /* by machine_measure() */
	bool measured;
};

struct machine_holder {
	struct machine_process *process;
	unsigned descriptors;
	struct machine_mapping *mappings;
	size_t mapping_count;
};

struct machine_finding {
	enum rule_id rule;
	enum severity severity;
	char *message;
};

struct machine_object {
	enum machine_kind kind;
	enum machine_state state;
	struct machine_fs *fs; /* NULL: System V */
	char *name; /* "/x" as of shm_open() on a /dev/shm, a path on other file systems, "memfd:x", "SYSV 0x1f" */
	char *path; /* by which it can be reached now, NULL: by none */
	dev_t device;
	ino_t inode;     /* System V: the shmid */
	bool has_status; /* owner, mode, size, allocated and times are known; else the size is what mappings reach to */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	uint64_t links;
	uint64_t size;
	uint64_t page;      /* huge ones are larger; 0: not known */
	uint64_t allocated; /* memory and swap together */
	uint64_t swapped;
	bool knows_swapped;             /* else swapped is 0 and allocated is both */
	int64_t born;                   /* 0: the file system does not keep it */
	int64_t touched;                /* the last of its times */
	bool incomplete;                /* a process that could not be looked at may hold it */
	const char *kept;               /* why nobody shall remove it although nobody holds it; NULL: no reason */
	struct machine_holder *holders; /* ascending by pid */
	size_t holder_count, open_count, mapped_count; /* processes */
	struct machine_finding *findings;
	size_t finding_count;
};

struct machine_unseen {
	pid_t pid;
	uid_t uid;
	char comm[17];
};

struct machine {
	struct machine_object **objects; /* by file system, then name */
	size_t count;
	struct machine_process **processes; /* those that may hold something, ascending by pid */
	size_t process_count;
	struct machine_fs **fs;
	size_t fs_count;
	uint64_t looked;               /* processes looked at */
	uint64_t vanished;             /* ended while being looked at */
	struct machine_unseen *unseen; /* processes that may not be looked at */
	size_t unseen_count;
	bool hidepid;                /* /proc lists not even all processes of this pid namespace */
	bool inner_pid_namespace;    /* processes outside of our pid namespace are not listed */
	uint64_t unseen_directories; /* that could not be read for names */
	int64_t when;                /* of the look */
	int64_t duration;
	/* The rest is the scan's own. */
	struct map index, mounts, own_fs;
};

enum {
	MACHINE_swapped = 1, /* tell memory from swap: opens objects that may be read, where swap is in use at all */
};

/* How long after it was touched an object that nobody holds counts as idle, not as a ghost. */
#define MACHINE_RECENT (INT64_C(60) * 1000000000)

/* NULL: neither /dev/shm nor /proc can be read, and *error is one line for free(3). */
struct machine *machine_look(unsigned flags, int64_t recent, char **error);
void machine_free(struct machine *machine);

/* Reads smaps of the object's mappers: rss, pss and swap of each mapping. */
void machine_measure(struct machine_object *object);
/* Is anything in swap at all? */
bool machine_swaps(void);

/* What could not be seen, in sentences of `count` lines for free(3), the array too; NULL: all was seen. */
char **machine_unseen_words(const struct machine *machine, size_t *count);

/* The keep list: names that nobody shall remove although nobody holds them. */
struct machine_keep {
	const char *glob;    /* of fnmatch(3), against the name */
	const char *process; /* only while a process of this comm and of the object's owner lives; NULL: always */
	const char *why;
};
extern const struct machine_keep machine_keeps[]; /* ends with a NULL glob */

#endif
