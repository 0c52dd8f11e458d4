/*
 * RULES: everything shmguard can find wrong with a program's shared memory. One row gives the enumerator, what
 * `shmguard rules` prints, the keys of a policy and the tables of the README and the manual page. An id is permanent.
 *
 * A row is X(name, id, group, severity, seen, deny, fix, safe, cwe, checked, summary), enumerators without prefix:
 *	severity: its usual one; a finding may carry a lower one where the help says so
 *	seen:     where it can be seen first
 *	deny:     the errno with which a policy may refuse the call, 0 if it cannot
 *	fix:      a policy may have the call repaired instead
 *	safe:     what the profile `safe` does about it
 *	cwe:      number in the Common Weakness Enumeration, 0 if none fits
 *	checked:  without being asked; the others where a policy sets the key that their help names
 */
#ifndef SHMGUARD_RULES_H
#define SHMGUARD_RULES_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

enum severity {
	SEVERITY_NOTE,    /* worth knowing */
	SEVERITY_WARNING, /* likely wrong */
	SEVERITY_ERROR,   /* will crash, corrupt, leak or expose */
};

enum rule_group {
	GROUP_size,
	GROUP_lifetime,
	GROUP_permission,
	GROUP_zeroing,
	GROUP_use,
};

/* At the call, before the damage; in the SIGBUS handler; from the whole trace; once, before the program starts. */
enum rule_seen {
	SEEN_call,
	SEEN_crash,
	SEEN_trace,
	SEEN_start,
};

enum rule_safe {
	SAFE_none,
	SAFE_deny,
	SAFE_fix,
};

/* Size and mapping: the SIGBUS foretold. */
#define RULES_SIZE(X)                                                                                                  \
	X(map_beyond_end, "map-beyond-end", size, ERROR, call, ENXIO, false, none, 788, true,                          \
	  "maps past the end of an object: touching that part is a SIGBUS")                                            \
	X(map_before_size, "map-before-size", size, ERROR, call, ENXIO, true, none, 909, true,                         \
	  "maps an object that still has no size: any touch is a SIGBUS")                                              \
	X(resize_failed_ignored, "resize-failed-ignored", size, ERROR, call, ENXIO, false, none, 252, true,            \
	  "maps an object whose resize failed just before")                                                            \
	X(shrink_under_map, "shrink-under-map", size, ERROR, call, EPERM, true, none, 362, true,                       \
	  "shrinks an object below the end of a live mapping")                                                         \
	X(truncate_on_open, "truncate-on-open", size, ERROR, call, EACCES, true, deny, 362, true,                      \
	  "opens an existing object with O_TRUNC, which empties it under its mappers")                                 \
	X(resize_by_attacher, "resize-by-attacher", size, WARNING, call, EPERM, false, none, 283, true,                \
	  "resizes an object that another process, or itself before an exec, created and sized")                       \
	X(shm_fs_full, "shm-fs-full", size, ERROR, call, ENOSPC, true, none, 754, true,                                \
	  "sizes an object beyond what its file system can still hold")                                                \
	X(sparse_unreserved, "sparse-unreserved", size, NOTE, call, 0, true, none, 0, true,                            \
	  "maps writable memory that nobody reserved: it can fail when it is touched")                                 \
	X(memory_limit, "memory-limit", size, WARNING, call, ENOMEM, false, none, 770, true,                           \
	  "grows an object beyond what the memory cgroup has left")                                                    \
	X(huge_page_unbacked, "huge-page-unbacked", size, ERROR, call, ENOMEM, true, none, 754, true,                  \
	  "maps huge pages that the pool does not have: touching them is a SIGBUS")                                    \
	X(huge_page_misaligned, "huge-page-misaligned", size, WARNING, call, EINVAL, false, none, 131, true,           \
	  "gives a length or an offset that is no multiple of the huge page")                                          \
	X(punch_unreserves, "punch-unreserves", size, NOTE, call, 0, true, none, 0, true,                              \
	  "punches a hole into memory that had been reserved")                                                         \
	X(tail_overrun, "tail-overrun", size, NOTE, call, 0, false, none, 131, true,                                   \
	  "maps the rest of the last page: what is written there is never stored")                                     \
	X(size_disagreement, "size-disagreement", size, WARNING, trace, 0, false, none, 131, true,                     \
	  "processes map one object with different lengths")                                                           \
	X(file_size_limit, "file-size-limit", size, WARNING, call, EFBIG, false, none, 754, true,                      \
	  "resizes an object beyond RLIMIT_FSIZE")                                                                     \
	X(lock_limit, "lock-limit", size, WARNING, call, EAGAIN, false, none, 0, true,                                 \
	  "locks more memory than RLIMIT_MEMLOCK allows")                                                              \
	X(private_map, "private-map", size, WARNING, call, 0, false, none, 0, true,                                    \
	  "maps shared memory privately and writable: its writes are never shared")                                    \
	X(access_mismatch, "access-mismatch", size, WARNING, call, 0, false, none, 628, true,                          \
	  "asks for an access or an offset that the descriptor cannot give")                                           \
	X(sigbus_cause, "sigbus-cause", size, ERROR, crash, 0, true, none, 755, true,                                  \
	  "died of SIGBUS in shared memory; says why")                                                                 \
	X(reservation_interrupted, "reservation-interrupted", size, WARNING, call, 0, true, fix, 755, true,            \
	  "posix_fallocate was interrupted by a signal and reserved nothing")

/* Lifetime: leaks, ghosts, races. */
#define RULES_LIFETIME(X)                                                                                              \
	X(segment_leak, "segment-leak", lifetime, ERROR, trace, 0, false, none, 772, true,                             \
	  "created an object and left it behind: its name exists, nobody uses it")                                     \
	X(mapping_leak, "mapping-leak", lifetime, ERROR, trace, 0, false, none, 401, true,                             \
	  "mappings made by one place pile up and are never unmapped")                                                 \
	X(fd_leak, "fd-leak", lifetime, ERROR, trace, 0, false, none, 775, true,                                       \
	  "descriptors of shared memory made by one place pile up and are never closed")                               \
	X(partial_unmap, "partial-unmap", lifetime, NOTE, trace, 0, false, none, 404, true,                            \
	  "unmaps a part of a mapping and keeps the rest to the end")                                                  \
	X(stale_at_start, "stale-at-start", lifetime, WARNING, start, 0, false, none, 459, true,                       \
	  "objects of this user that nobody uses fill the file system at the start")                                   \
	X(stale_reattach, "stale-reattach", lifetime, WARNING, call, EEXIST, true, none, 665, true,                    \
	  "opens with O_CREAT and gets a dead process's object, contents and all")                                     \
	X(unlink_by_stranger, "unlink-by-stranger", lifetime, WARNING, call, EACCES, false, deny, 283, true,           \
	  "removes the name of an object that another party created and owns")                                         \
	X(double_unlink, "double-unlink", lifetime, WARNING, trace, 0, false, none, 675, true,                         \
	  "removes a name that was removed before")                                                                    \
	X(name_vanished, "name-vanished", lifetime, WARNING, trace, 0, false, none, 672, true,                         \
	  "an object's name is gone although nobody in the recording removed it")                                      \
	X(split_brain, "split-brain", lifetime, WARNING, trace, 0, false, none, 386, true,                             \
	  "a name leads to a new object while others still map the old one")                                           \
	X(name_collision, "name-collision", lifetime, WARNING, call, 0, false, none, 694, true,                        \
	  "a name made of the own pid already exists, left by an earlier process")                                     \
	X(churn, "churn", lifetime, NOTE, trace, 0, false, none, 1050, true,                                           \
	  "creates and removes, or maps and unmaps, many times a second")                                              \
	X(descriptor_exhaustion, "descriptor-exhaustion", lifetime, WARNING, call, 0, false, none, 770, true,          \
	  "descriptors or mappings are nearly used up")                                                                \
	X(lock_not_robust, "lock-not-robust", lifetime, NOTE, call, 0, false, none, 667, true,                         \
	  "a shared mutex stays locked for ever when its owner dies")

/* Permission: who may reach what. */
#define RULES_PERMISSION(X)                                                                                            \
	X(world_writable, "world-writable", permission, ERROR, call, EACCES, true, fix, 732, true,                     \
	  "any user may write to, and so truncate, a named object")                                                    \
	X(world_readable, "world-readable", permission, WARNING, call, EACCES, true, fix, 732, true,                   \
	  "any user may read a named object")                                                                          \
	X(mode_too_open, "mode-too-open", permission, WARNING, call, EACCES, true, none, 732, false,                   \
	  "a named object has mode bits that the policy does not allow")                                               \
	X(umask_mismatch, "umask-mismatch", permission, NOTE, call, 0, true, none, 0, true,                            \
	  "the umask took away mode bits that the program asked for")                                                  \
	X(create_without_excl, "create-without-excl", permission, WARNING, call, EEXIST, true, none, 367, true,        \
	  "creates with O_CREAT but without O_EXCL: an existing object is adopted silently")                           \
	X(foreign_owner, "foreign-owner", permission, ERROR, call, EACCES, false, deny, 283, true,                     \
	  "uses an object that an unexpected user owns")                                                               \
	X(symlink_or_special, "symlink-or-special", permission, ERROR, call, ELOOP, false, deny, 59, true,             \
	  "opens something in /dev/shm that is a symlink, a FIFO or another user's hard link")                         \
	X(acl_grants, "acl-grants", permission, WARNING, call, EACCES, true, none, 732, true,                          \
	  "an access control list grants more than the mode shows")                                                    \
	X(predictable_name, "predictable-name", permission, NOTE, call, 0, false, none, 340, true,                     \
	  "creates an object under a name that others can guess")                                                      \
	X(name_nonportable, "name-nonportable", permission, NOTE, call, EINVAL, false, none, 758, true,                \
	  "uses a name that POSIX leaves to the implementation")                                                       \
	X(sticky_refused, "sticky-refused", permission, NOTE, call, 0, false, none, 0, true,                           \
	  "O_CREAT on another user's object was refused by fs.protected_regular")                                      \
	X(exec_map, "exec-map", permission, WARNING, call, EACCES, false, none, 732, true,                             \
	  "maps shared memory executable")                                                                             \
	X(memfd_no_cloexec, "memfd-no-cloexec", permission, WARNING, call, 0, true, none, 403, true,                   \
	  "a memfd would survive exec and reach an unrelated program")                                                 \
	X(memfd_unsealed_share, "memfd-unsealed-share", permission, WARNING, call, EPERM, true, none, 668, true,       \
	  "sends a memfd whose receiver can be crashed by shrinking it")                                               \
	X(memfd_executable, "memfd-executable", permission, NOTE, call, 0, true, none, 276, true,                      \
	  "makes a memfd that may be executed")                                                                        \
	X(weak_mount, "weak-mount", permission, NOTE, start, 0, false, none, 276, true,                                \
	  "/dev/shm is mounted with weaker options than it should be")                                                 \
	X(name_not_allowed, "name-not-allowed", permission, ERROR, call, EACCES, false, none, 668, false,              \
	  "uses a name that the policy does not list for this program")                                                \
	X(object_too_large, "object-too-large", permission, WARNING, call, EFBIG, false, none, 770, false,             \
	  "grows an object to more than the policy allows")                                                            \
	X(too_many_objects, "too-many-objects", permission, WARNING, call, EMFILE, false, none, 770, false,            \
	  "has more live objects than the policy allows")

/* Zeroing: what is left in memory. */
#define RULES_ZEROING(X)                                                                                               \
	X(stale_bytes, "stale-bytes", zeroing, WARNING, call, EEXIST, true, none, 226, true,                           \
	  "attaches to an object nobody uses that still holds data")                                                   \
	X(grow_exposes_tail, "grow-exposes-tail", zeroing, WARNING, call, 0, true, fix, 226, true,                     \
	  "grows an object and thereby uncovers bytes stored past its old end")                                        \
	X(secret_left, "secret-left", zeroing, WARNING, call, 0, true, none, 226, false,                               \
	  "a secret object outlives its last user with its contents")                                                  \
	X(discard_no_op, "discard-no-op", zeroing, WARNING, call, 0, false, none, 226, true,                           \
	  "asks madvise to discard shared memory, which keeps the data")                                               \
	X(dumpable_secret, "dumpable-secret", zeroing, NOTE, call, 0, true, none, 528, false,                          \
	  "maps a secret object that a core dump or the swap would contain")
/* Use: how processes get along in it, and at what speed. The last, as traces hold the numbers of rules. */
#define RULES_USE(X)                                                                                                   \
	X(unsynchronised_sharing, "unsynchronised-sharing", use, NOTE, trace, 0, false, none, 662, true,               \
	  "two processes may write an object, and no means by which they take turns was seen")                         \
	X(huge_page_advice, "huge-page-advice", use, NOTE, trace, 0, false, none, 0, true,                             \
	  "works for long in much memory on small pages, where huge ones could be had")                                \
	X(lock_advice, "lock-advice", use, NOTE, trace, 0, false, none, 0, true,                                       \
	  "shared memory in use was moved to swap: a touch may wait for the disk")

#define RULES(X)                                                                                                       \
	RULES_SIZE(X)                                                                                                  \
	RULES_LIFETIME(X)                                                                                              \
	RULES_PERMISSION(X)                                                                                            \
	RULES_ZEROING(X)                                                                                               \
	RULES_USE(X)

enum rule_id {
#define RULE_ENUMERATOR(name, id, group, severity, seen, deny, fix, safe, cwe, checked, summary) RULE_##name,
	RULES(RULE_ENUMERATOR)
#undef RULE_ENUMERATOR
		RULE_COUNT
};

struct rule {
	const char *id;
	enum rule_group group;
	enum severity severity;
	enum rule_seen seen;
	int deny;
	bool fix;
	enum rule_safe safe;
	int cwe;
	bool checked;
	const char *summary;
};

/* Indexed by enum rule_id. */
extern const struct rule rules[RULE_COUNT];

/* A paragraph each: what happens, why it hurts, the exact check, what deny and fix do, what is legal, the cure. */
extern const char *const rule_help[RULE_COUNT];

/* The words used in reports, policies and tables: "error", "lifetime", "trace", "deny". Never NULL. */
const char *severity_name(enum severity severity);
const char *rule_group_name(enum rule_group group);
const char *rule_seen_name(enum rule_seen seen);
const char *rule_safe_name(enum rule_safe safe);

/* NULL if there is no rule of that id. */
const struct rule *rule_find(const char *id);

#endif
