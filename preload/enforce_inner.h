/* What the files of the policy at opening and naming share. */
#ifndef SHMGUARD_ENFORCE_INNER_H
#define SHMGUARD_ENFORCE_INNER_H

#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "preload/acl.h"
#include "preload/enforce_open.h"
#include "preload/ledger.h"

/* What the decisions that follow are about: a name, or what has it and is asked for it only if it is told; NULL: nothing. */
void enforce_about(const char *name, const struct identity *identity);
/* Room of the decision under way for such a name: 512 bytes. */
char *enforce_text(void);
/* Does some section apply to certain names only? */
extern bool enforce_by_name;
/* Of an existing object that is opened by shm_open(3) it is asked only whose it is, and the answer is nobody's to hear. */
extern bool enforce_plainly;
/* The descriptor, which another thread may have closed, or the path it was opened by may lead to another object by now. */
bool enforce_leads_to(int fd, const struct identity *identity);
/* What applies to an object of that name, and by its other names, which lie beside it. */
void enforce_decide_linked(const char *name, const struct identity *identity, struct policy_decision *decision);
/*
 * Is it nothing that was found, where the policy asks something of what is there? errno is ENOENT then: the call is not
 * made, as by now something may be there at which nobody has looked.
 */
bool enforce_is_missed(const struct policy_decision *d, enum identity_look look);
/* May the contents outlive their last user? */
bool enforce_lasts(const struct policy_decision *d);
/* The same in that program of that user, which knows the object by the names that it has. */
bool enforce_lasts_in(const struct identity *identity, const char *exe, uint32_t user);
/* The path of one that this process knows; false: it has none. */
bool enforce_known_path(const struct object *object, char path[static 512]);
/* Is what lies there itself a symbolic link? */
bool enforce_is_link(int dirfd, const char *path);
/* The path at the end of the links, in `way`; `target` is room for it. False: that cannot be known. */
bool enforce_follow(int dirfd, const char *path, char way[static PATH_MAX], char target[static PATH_MAX]);
/* In a forked child: nobody but this thread decides. */
void enforce_rooms_forked(void);

/* "/x" of "/dev/shm/x", as policies know it. */
const char *enforce_posix_name(const char *name);

/*
 * The name that an object has now, whoever gave it: of its descriptor or its path. NULL if neither tells; the ledger knows
 * how this process came to know it.
 */
const char *enforce_object_name(const struct identity *identity, char text[static 512]) __attribute__((nonnull));

/* May the policy's program use the name? shm: it was given to shm_open, and must be portable. */
enum enforce_verdict enforce_name_allowed(const struct policy_decision *d, const char *name, bool shm);

/* The same of what is opened, which may have none. */
enum enforce_verdict enforce_opening_allowed(const struct policy_decision *d, const struct enforce_opening *o);

/* Root and the program's own user, or those whom the policy names instead, and those whom it names beside. */
bool enforce_owner_allowed(const struct policy_decision *d, uint32_t uid);

/* Is the object one of nobody of these? What the process made itself, as another user or to give it away, is its own. */
bool enforce_strange(const struct policy_decision *d, const struct identity *identity);
/* Is it, whoever is named as an owner, neither this user's nor made by this process? */
bool enforce_of_another(const struct policy_decision *d, const struct identity *identity);

/* The same for what was given by a path, whose name enforce_decide_object() answered; by a descriptor it was opened. */
enum enforce_verdict enforce_path_allowed(const struct policy_decision *d, const struct identity *identity,
					  const char *name);

/* One object more: may there be? */
enum enforce_verdict enforce_one_more(const struct policy_decision *d);
/* The object of that name (NULL: of another) gets one beside or instead, of which that is decided: is it one more of these? */
enum enforce_verdict enforce_one_named(const struct policy_decision *d, const struct identity *identity,
				       const char *name);
/* Did this process make the object, not one that it was forked from? */
bool enforce_is_own(const struct identity *identity);

/* A link, or a special file, that others may have laid as a trap. */
enum enforce_verdict enforce_trap(const struct policy_decision *d, const struct stat *st);
/* In a directory that others can write to: a link, a FIFO or a second name may be a trap laid by them. */
enum enforce_verdict enforce_special(const struct enforce_opening *o, const struct policy_decision *d);
/* Of what O_CREAT finds: is it, or what was opened by then, no regular file? fd: that, or -1. */
bool enforce_meets_special(const struct enforce_opening *o, int fd);
/* Does the kernel refuse O_CREAT of what lies there, by whatever link? itself: none is followed. */
bool enforce_sticky(const struct enforce_opening *o, const char *path, bool itself, const struct stat *st);
/* By which its directories are known; of shm_open the name, which says so itself where it is none. */
const char *enforce_whole_path(const struct enforce_opening *o, char text[static 512]);
/* By which it is found, from `dirfd`. */
const char *enforce_opening_path(const struct enforce_opening *o, char text[static 512]);
/* The umask takes bits away that the program asks for: are they given back, or told? */
bool enforce_widens(const struct enforce_opening *o, const struct policy_decision *d);

/* Does any rule ask of what an opening makes, or finds? If not the call is made as it came. */
bool enforce_asks_at_opening(const struct policy_decision *d);

/* Where an object's mode is judged: what is private is open to nobody. */
struct enforce_whereabouts {
	const struct identity *identity; /* or */
	const char *path;                /* of what is about to be made, or named */
};

/* Clamps *mode; `mask`: bits that the process's umask takes away all the same, 0 after the fact. */
enum enforce_verdict enforce_clamp(const struct policy_decision *d, struct enforce_whereabouts at, mode_t *mode,
				   mode_t mask);
/* Is any bit of the mode one that the policy asks about? Only then is the umask worth its price. */
bool enforce_wants_modes(const struct policy_decision *d, mode_t mode);

/* How a mode that is asked for at a creation turns out, and whom the object's access list will let in. */
struct enforce_making {
	mode_t mask; /* bits that it cannot have */
	bool listed; /* the directory has a default access list, for which the umask counts nothing */
	struct acl acl;
};

/*
 * Before something is made at that path: VERDICT_deny with errno set, else *mode is clamped. unmasked: what the umask takes
 * away will be given back. VERDICT_fix: it is to be made with enforce_made_with() of the mode, and enforce_made() called.
 */
enum enforce_verdict enforce_making(const struct policy_decision *d, const char *path, bool unmasked, mode_t *mode,
				    struct enforce_making *making);
/* The same of one object more, which would be the own user's. */
enum enforce_verdict enforce_makeable(const struct policy_decision *d, const char *path, bool unmasked, mode_t *mode,
				      struct enforce_making *making);
/* Does what lies there have an access list that lets anybody in who is named? */
bool enforce_grants_at(const struct enforce_place *at, struct acl *acl);
/* It has that mode instead of its list, if somebody has not given it another meanwhile. now: the mode that it was left with. */
bool enforce_drop_list_at(const struct enforce_place *at, mode_t now, mode_t mode);
/* Nobody is let in until the list that it came with is gone. at: a path that leads to what was made. */
mode_t enforce_made_with(mode_t mode);
void enforce_made(const struct enforce_making *making, const char *at, mode_t mode);

/*
 * Is it the first mapping of an object that this process has opened by its name, without O_CREAT, and does the policy ask
 * about its bytes? VERDICT_deny: errno is set. *first: it is, and once nothing denies it any more the verdict is to be
 * handed to enforce_first_mapped().
 */
enum enforce_verdict enforce_first_map(const struct policy_decision *d, const struct mmap_event *e,
				       const struct identity *identity, bool *first);
void enforce_first_mapped(enum enforce_verdict verdict, int fd, const struct identity *identity);

/*
 * An object that existed was opened nothing was done to it yet. VERDICT_deny: errno is set; VERDICT_fix: its name was
 * removed, so that the opening is to be tried again. In audit mode all was done, and is only told.
 */
enum enforce_verdict enforce_attached(const struct enforce_opening *o, const struct policy_decision *d, int fd);
/*
 * The same by a descriptor that need not be the program's: nothing is emptied by it. VERDICT_go: with a *truncation other than
 * VERDICT_deny the program's own is to be handed to enforce_truncate().
 */
enum enforce_verdict enforce_judged(const struct enforce_opening *o, const struct policy_decision *d, int fd,
				    enum enforce_verdict *truncation);
void enforce_truncate(int fd, enum enforce_verdict verdict);

/* Is what O_CREAT has found to be looked at for what an earlier run may have left? */
bool enforce_asks_of_left(const struct enforce_opening *o, const struct policy_decision *d,
			  const struct identity *identity);
/* Who uses it could not be seen: that is told of what would be denied or fixed if nobody did. */
void enforce_left_unknown(const struct enforce_opening *o, const struct policy_decision *d, int fd,
			  const struct identity *identity);

struct enforce_judgement {
	struct identity of;
	enum enforce_verdict verdict, truncation;
};

/*
 * Before the program opens it, by a descriptor (O_PATH) that is closed again, where that is the better way. True: it was
 * judged, and the kernel would let the program open it.
 */
bool enforce_judged_beforehand(const struct enforce_opening *o, const struct policy_decision *d, const char *path,
			       struct enforce_judgement *judgement);
/* Was another opened than was judged, and is that to be, before it is opened? Not where a lock may go with it. */
bool enforce_is_to_be_judged(const struct enforce_opening *o, const struct policy_decision *d, int fd);

/*
 * A descriptor (O_PATH) of what the path leads to, if the program could open it and may have a record lock on it, which it
 * keeps where the opening is denied by that; -1: it is to be opened as usual.
 */
int enforce_open_locked(const struct enforce_opening *o, const char *path, struct identity *identity);
/* The process has asked for a record lock on some object. What it held before an exec(2) it is not known to. */
extern atomic_bool enforce_locks;

/* create-without-excl is fixed: the object was made with O_EXCL, or whose it is was looked at. */
void enforce_verified(const struct enforce_opening *o, const struct policy_decision *d, const struct identity *identity,
		      bool created);

/*
 * The same of what a child is to open: whose it is, and whether it may be emptied. It is not opened for that, by which this
 * process's locks on it would go (fcntl(2)).
 */
enum enforce_verdict enforce_attached_later(const struct enforce_opening *o, const struct policy_decision *d,
					    int *flags);

/* It has contents, and is opened with O_TRUNC. VERDICT_go: it may lose them. */
enum enforce_verdict enforce_truncation(const struct enforce_opening *o, const struct policy_decision *d,
					const struct identity *identity);

#endif
