/* The policy at the opening, creating, naming and removing of objects. */
#ifndef SHMGUARD_ENFORCE_OPEN_H
#define SHMGUARD_ENFORCE_OPEN_H

#include "preload/enforce.h"

/* An opening by shm_open, open and their kin: `call` makes the real one, with what flags and mode the policy leaves. */
struct enforce_opening {
	int (*call)(const struct enforce_opening *o, int flags, mode_t mode);
	const void *real; /* for `call`: the original */
	const char *name; /* "/x" of shm_open, else the path */
	bool shm;         /* shm_open: no symbolic link is followed, the name must be portable */
	int dirfd;
	const char *path;
	int flags;
	mode_t mode;
	const void *caller;
};

int enforce_open(const struct enforce_opening *o);

/* Does the path lead, or would it lead if created, onto the tmpfs at /dev/shm? */
bool enforce_is_shm(int dirfd, const char *path);

/* Before a name is removed: VERDICT_deny with errno set, else what the policy wants wiped is wiped. */
enum enforce_verdict enforce_unlink(int dirfd, const char *path, const char *name, const void *caller);

/* May the program use this name? VERDICT_deny with errno set if not. */
enum enforce_verdict enforce_name(const char *name, const void *caller);

/* memfd_create's flags as the policy wants them. */
unsigned enforce_memfd_flags(unsigned flags, const void *caller);

/* The mode that chmod and its kin may set: VERDICT_deny with errno set, else *mode is clamped where the policy fixes. */
enum enforce_verdict enforce_mode(const struct identity *identity, mode_t *mode, const void *caller);

#endif
