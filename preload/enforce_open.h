/* The policy at the opening, creating, naming and removing of objects. */
#ifndef SHMGUARD_ENFORCE_OPEN_H
#define SHMGUARD_ENFORCE_OPEN_H

#include "preload/enforce.h"

/* By what an object is made. */
enum enforce_maker { MAKER_open, MAKER_mknod, MAKER_sem_open };

/* An opening by shm_open, open and their kin: `call` makes the real one, with what flags and mode the policy leaves. */
struct enforce_opening {
	int (*call)(const struct enforce_opening *o, int flags, mode_t mode);
	const void *real;         /* for `call`: the original */
	const char *name;         /* "/x" of shm_open, else the path */
	bool shm;                 /* shm_open: no symbolic link is followed, the name must be portable */
	enum enforce_maker maker; /* MAKER_mknod: `call` answers 0 and opens nothing */
	int dirfd;
	const char *path;
	int flags;
	mode_t mode;
	const void *caller;
	struct enforce_opened {
		bool created;
		uint64_t size_before; /* bytes, of what existed */
	} * opened;                   /* told there, or NULL */
};

int enforce_open(const struct enforce_opening *o);

/*
 * A path that leads to no object: is one of its directories another user's link on /dev/shm, which the policy denies? errno
 * is set then.
 */
bool enforce_astray(const struct enforce_opening *o);

/*
 * The name by which the policy knows what lies at the path, or would lie there once created, however it is spelled:
 * "/dev/shm/x", or the path itself below a directory of /dev/shm; NULL if that is not on the tmpfs at /dev/shm. The last
 * component's symbolic link is followed unless flags has AT_SYMLINK_NOFOLLOW; AT_EMPTY_PATH is known, too.
 */
const char *enforce_name(int dirfd, const char *path, int flags, char text[static 512]);

/*
 * Before a call on what the path leads to. LOOK_nothing: nothing is there, the policy asks something of that name, and errno is
 * ENOENT: the call would have failed so a moment ago, and is not made, as by now something may be there at which nobody has
 * looked. LOOK_other: it is no object, or nothing that matters; the call is made as it came.
 */
enum identity_look enforce_look(int dirfd, const char *path, int flags, struct identity *identity);

/* What a child will open later; of the flags and the mode is left what they may have. */
enum enforce_verdict enforce_promised(const struct enforce_opening *o, int *flags, mode_t *mode);

/* mkstemp(3) and its kin, whose template, by which the name is known and which is the path, stands for it. */
enum enforce_verdict enforce_temporary(const char *name, const char *path, const void *caller);

/* sem_open(3): `call` makes the real one. NULL: refused, errno is set. */
struct enforce_semaphore {
	void *(*call)(const struct enforce_semaphore *s, int flags, mode_t mode);
	const char *name;
	int flags;
	mode_t mode;
	unsigned value;
	const void *caller;
};

void *enforce_semaphore(const struct enforce_semaphore *s);

/* One end of a rename(2) or link(2). flags as fstatat(2)'s; name is the callee's. */
struct enforce_place {
	int dirfd;
	const char *path;
	int flags;
	const char *name;
};

/* What a call takes a name from, if it succeeds. */
struct enforce_lost {
	bool is_object;
	int fd; /* by which it is wiped then, or a negative errno */
	uint64_t
		mask; /* with fd, of before signals were blocked: a handler that jumped out of the call would leave it open */
	struct identity identity;
};

enum enforce_move { MOVE_link, MOVE_rename, MOVE_exchange };

struct enforce_moving {
	enum enforce_move how;
	bool keeps; /* what has the name `to`: RENAME_NOREPLACE */
	struct enforce_place from, to;
	const void *caller;
	/* The callee's: */
	char from_text[512], to_text[512];
	struct enforce_narrowed {
		bool done;
		bool listed; /* an access list grants by it nothing now, and is dropped once the call has succeeded */
		mode_t before, now, after;
	} narrowed[2];                /* what lies at `from`, and at `to` */
	struct enforce_lost replaced; /* what lay at `to` */
};

/*
 * A name is about to be put into place: VERDICT_deny with errno set, else the object's mode is made narrow enough for it.
 * After the call that is given back where it failed; where it did not, what was replaced is wiped if the policy wants that.
 */
enum enforce_verdict enforce_move(struct enforce_moving *m);
void enforce_moved(const struct enforce_moving *m, bool failed);

/* unlink(2) and its kin. */
struct enforce_removing {
	struct enforce_place at;
	const void *caller;
	struct enforce_lost lost; /* the callee's */
};

/* A name is about to be removed: VERDICT_deny with errno set. After the call what had it is wiped if the policy wants that. */
enum enforce_verdict enforce_unlink(struct enforce_removing *r);
void enforce_unlinked(const struct enforce_removing *r, bool failed);

/* memfd_create's flags as the policy wants them; a kernel that does not know one answers EINVAL. */
unsigned enforce_memfd_flags(const char *name, unsigned flags, const void *caller);

/* A descriptor was duplicated, or lost its FD_CLOEXEC. */
void enforce_inherited(int fd, const struct identity *identity, const void *caller);

/*
 * The mode that chmod and its kin may set: VERDICT_deny with errno set, else *mode is clamped where the policy fixes, and
 * enforce_mode_set() is to follow the call. Of a memfd a mode means nothing.
 */
enum enforce_verdict enforce_mode(const struct identity *identity, mode_t *mode, const void *caller);

/* The same for an access list, which on a fix is narrowed where it stands: it gets no longer. */
enum enforce_verdict enforce_list(const struct identity *identity, void *list, size_t *bytes, const void *caller);
/* The kernel may have refused it: then nothing was fixed. */
void enforce_mode_set(bool list, bool failed, const void *caller);

/* A record lock is asked for: an opening that is denied from now on is not to end it. */
void enforce_locking(int fd);

/* An object is about to be given to another user and group; -1: to none. */
enum enforce_verdict enforce_given(const struct identity *identity, uid_t uid, gid_t gid, const void *caller);

#endif
