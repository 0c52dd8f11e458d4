/*
 * POLICY: what a program may do with shared memory, and what is done about the rest. Read by the preload, which enforces
 * it, and by `shmguard policy`, which explains it; so it is part of the contract, with no dependency but libc and libinih.
 *
 * A policy is INI. `[default]` applies to all; any other heading is only a label, and the keys `name`, `exe` and `uid`
 * below it (globs, comma lists) say where the section applies. Of the sections that apply, the last that sets a key wins.
 * The profile comes first, then the file, `include = PATH` where it stands.
 */
#ifndef SHMGUARD_POLICY_H
#define SHMGUARD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules.h"

/*
 * KEYS: what may stand in a section beside the actions, whose keys are the ids of the rules. A row is
 * X(name, key, kind, help); from it come the parser, `shmguard policy keys`, the README's table and the manual page.
 * KINDS: what a key takes, as told when it got something else. A list may be continued by repeating its key.
 */
#define POLICY_KINDS(X)                                                                                                \
	X(globs, "names or globs (* ? [a-z]), with commas between")                                                    \
	X(numbers, "numbers of users, with commas between, as `id -u NAME` prints them")                               \
	X(users, "numbers of users or globs of them, with commas between, as `id -u NAME` prints them")                \
	X(mode, "an octal mode, 0 to 07777")                                                                           \
	X(size, "a number of bytes, with K, M or G for more, or any")                                                  \
	X(count, "a number, or any")                                                                                   \
	X(duration, "a time such as 200ms or 2s, at most 60s")                                                         \
	X(yes, "yes or no")                                                                                            \
	X(moments, "never, or of on-attach, on-unlink, on-last-unmap some, with commas between")                       \
	X(path, "the path of a file")                                                                                  \
	X(enforcing, "enforce or audit")                                                                               \
	X(log, "none, stderr, syslog, or file: and an absolute path")

#define POLICY_KEYS(X)                                                                                                 \
	X(name, "name", globs, "the section applies to objects of these names")                                        \
	X(exe, "exe", globs, "to these programs: whole paths or, without a slash, the last part of them")              \
	X(uid, "uid", users, "to programs whose effective user is one of these")                                       \
	X(names, "names", globs, "the names that the program may use: see name-not-allowed")                           \
	X(max_mode, "max-mode", mode, "permission bits that an object may have: see mode-too-open")                    \
	X(owner, "owner", numbers, "users to one of whom an object must belong, in place of the own user and root: "   \
				   "see foreign-owner")                                                                \
	X(allow_uid, "allow-uid", numbers, "owners of objects that are trusted beside those: "                         \
					   "see foreign-owner")                                                        \
	X(max_size, "max-size", size, "how large an object may get: see object-too-large")                             \
	X(max_objects, "max-objects", count, "named objects of the section that a process may have alive: "           \
						   "see too-many-objects")                                              \
	X(secret, "secret", yes, "the contents must not outlive their last user: see secret-left, dumpable-secret")    \
	X(zero, "zero", moments, "when an object is wiped")                                                            \
	X(reserve, "reserve", yes, "memory is reserved when an object is sized: see sparse-unreserved")                \
	X(wait_for_size, "wait-for-size", duration, "how long a mapping waits for a size when map-before-size is fix") \
	X(include, "include", path, "another file is read here; only in [default]")                                    \
	X(mode, "mode", enforcing, "audit: what would be denied or fixed is only told; only in [default]")             \
	X(log, "log", log, "where decisions are written; only in [default]")

enum policy_kind {
#define KIND_ENUMERATOR(name, expected) POLICY_KIND_##name,
	POLICY_KINDS(KIND_ENUMERATOR)
#undef KIND_ENUMERATOR
};

enum policy_key_id {
#define KEY_ENUMERATOR(name, key, kind, help) POLICY_KEY_##name,
	POLICY_KEYS(KEY_ENUMERATOR)
#undef KEY_ENUMERATOR
	POLICY_KEY_COUNT
};

struct policy_key {
	const char *key, *help;
	enum policy_kind kind;
};

/* Indexed by enum policy_key_id and enum policy_kind. */
extern const struct policy_key policy_keys[POLICY_KEY_COUNT];
extern const char *const policy_kinds[];

/* What is done when a rule is broken. note records; warn also tells live; deny refuses the call; fix repairs it. */
#define ACTIONS(X)                                                                                                     \
	X(off)                                                                                                         \
	X(note)                                                                                                        \
	X(warn)                                                                                                        \
	X(deny)                                                                                                        \
	X(fix)

enum policy_action {
#define ACTION_ENUMERATOR(name) ACTION_##name,
	ACTIONS(ACTION_ENUMERATOR)
#undef ACTION_ENUMERATOR
};

/* When an object of this name is wiped. */
enum policy_zero {
	ZERO_never = 0,
	ZERO_on_attach = 1,
	ZERO_on_unlink = 2,
	ZERO_on_last_unmap = 4,
};

/* Lists are of bounded length, so that deciding allocates nothing. */
enum { POLICY_LIST = 32 };

struct policy_list {
	uint16_t count;
	bool overfull; /* there were more, which was told */
	const char *item[POLICY_LIST]; /* globs, or numbers as text */
};

struct policy_uids {
	uint16_t count;
	bool overfull;
	uint32_t item[POLICY_LIST];
};

/* What applies to one object name in one program: the result of all sections. */
struct policy_decision {
	uint8_t action[RULE_COUNT]; /* enum policy_action */
	uint32_t max_mode;	    /* permission bits that an object may have; 07777: any */
	uint64_t max_size;	    /* bytes; UINT64_MAX: any */
	uint64_t max_objects;	    /* named objects of one process alive at once; UINT64_MAX: any */
	const struct policy_list *counted; /* those of these names; NULL: of all */
	uint32_t wait_ms;	    /* wait-for-size: how long a mapping waits for a size */
	uint8_t zero;		    /* enum policy_zero, or-ed */
	bool secret, reserve;
	bool has_names; /* `names` was set: other names are not allowed */
	const struct policy_list *names;
	const struct policy_uids *owner;     /* NULL: euid and 0 */
	const struct policy_uids *allow_uid; /* NULL: none but those */
};

enum policy_log { LOG_none, LOG_stderr, LOG_file, LOG_syslog };

struct policy_section {
	const char *label, *file;
	unsigned line;
	struct policy_list name, exe, uid; /* where it applies; count 0: everywhere */
	/* What it sets; `set` has a bit for each row of POLICY_KEYS, action_set one for each rule. */
	uint32_t set; /* 1 << enum policy_key_id */
	bool action_set[RULE_COUNT];
	struct policy_decision value;
	struct policy_list names;
	struct policy_uids owner, allow_uid;
};

enum { POLICY_SECTIONS = 256, POLICY_TEXT = 256 * 1024, POLICY_FILES = 65 };

struct policy_file {
	uint64_t dev, ino;
};

/* No memory of its own: the caller provides the whole struct, zeroed. Texts of the sections lie in `text`. */
struct policy {
	size_t section_count;
	bool full; /* there were more sections or texts than there is room for, which was told */
	struct policy_section section[POLICY_SECTIONS + 1]; /* in the last are keys looked at for which there is no room */
	bool audit; /* mode = audit: deny and fix become findings that say what would have been done */
	enum policy_log log;
	const char *log_path;
	const char *log_file; /* where that was said */
	unsigned log_line;
	size_t file_count;
	struct policy_file file[POLICY_FILES]; /* it was read from */
	size_t text_used;
	char text[POLICY_TEXT];
};

/* An error, told as it is found; every one of a file is told. `hint` is the nearest valid word, or NULL. */
typedef void policy_error(void *context, const char *file, unsigned line, const char *what, const char *hint);

/* Names of the profiles: "observe" (all rules warn, nothing changed), "safe", "strict". NULL: no such profile. */
const char *policy_profile_text(const char *name);
/* Name of the i-th profile, NULL after the last. */
const char *policy_profile_name(size_t i);

/* Adds a profile's, or a file's, sections. False if there was any error. A file that others can write or replace, or that a
 * third uid owns, is an error. Neither stdio nor malloc is used, so that it works in the program before its allocator does. */
bool policy_add_profile(struct policy *policy, const char *name, policy_error *error, void *context);
bool policy_add_file(struct policy *policy, const char *path, policy_error *error, void *context);
/* The same for text that is already in memory; `file` names it in errors. */
bool policy_add_text(struct policy *policy, const char *text, size_t length, const char *file, policy_error *error,
		     void *context);

/* What applies to an object `name` ("/x"; NULL: an object without a name) in a program. Allocates nothing. */
void policy_decide(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
		   struct policy_decision *decision);

/* Sections that apply, a bit each: to an object of several names those do that apply to any of them. */
struct policy_sections {
	uint64_t bits[POLICY_SECTIONS / 64];
};

void policy_add_sections(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
			 struct policy_sections *sections);
void policy_decide_sections(const struct policy *policy, const struct policy_sections *sections,
			    struct policy_decision *decision);

/* Is it one of `names`, or are all allowed? */
bool policy_allows_name(const struct policy_decision *decision, const char *name);

/* The section that decided a rule's action or, with key not NULL, a parameter; NULL: the built-in default. */
const struct policy_section *policy_origin(const struct policy *policy, const char *name, const char *exe, uint32_t uid,
					   enum rule_id rule, const char *key);

/* Globs as in the policy: * ? [a-z] [!a-z], * and ? take a / as well. As in shm_open(3), leading slashes do not count. */
bool policy_glob(const char *glob, const char *text);
/* Does the glob take any name below the directory? Slashes at the end of that do not count. */
bool policy_glob_below(const char *glob, const char *directory);
/* The first glob of the list that takes the text, or NULL; a glob of programs without a slash takes the last part of it. */
const char *policy_match(const struct policy_list *list, const char *text);
const char *policy_match_exe(const struct policy_list *list, const char *exe);
/* Is every [ closed? */
bool policy_glob_valid(const char *glob);

/* What follows /dev/shm in the path of something there, "" if nothing does; NULL: it is no such path. */
const char *policy_below_shm(const char *path);

const char *policy_action_name(enum policy_action action);

#endif
