/* The policy when an object's last user goes: what is marked secret, or to be zeroed then, must not outlive it. */
#ifndef SHMGUARD_ENFORCE_LEAVE_H
#define SHMGUARD_ENFORCE_LEAVE_H

#include "preload/enforce.h"
#include "preload/ledger.h"

/* Why an object is not wiped: it is in use, it may be, it has another name. */
extern const char enforce_is_mapped[], enforce_perhaps_mapped[], enforce_linked[];

/*
 * Wipes the object, which nobody was seen to map, unless somebody maps it meanwhile. NULL, or why it is not wiped: see
 * enforce_not_done(). goes_on: it is about to be used; own_mappings_go: those of this process do not count.
 */
const char *enforce_wipe(int fd, const struct identity *identity, bool goes_on, bool own_mappings_go);

/* Who maps the object? NULL: certainly nobody, else a word for it as above. */
const char *enforce_use(const struct identity *identity, bool own_mappings_go);
/* Does anybody else map the object, or have a descriptor of it? */
enum facts_use enforce_holders(const struct identity *identity);
/*
 * Of those who cannot be looked at the kernel knows. A lease that it refuses says that somebody has the object: who holds
 * it for all to see is no mapper, and this process itself is asked of its own.
 */
enum facts_use enforce_use_by_unseen(const struct identity *identity, enum facts_use likely);
/*
 * Who would lose the pages that are about to be taken away? FACTS_unknown: somebody who cannot be seen has the object, or may
 * have, and so may map it. FACTS_unseen: that nobody can tell, as who does not map it, but has it open, explains the refusal.
 */
enum facts_use enforce_losers(const struct identity *identity);
/* The same where nobody was seen to. likely: where the kernel may not be asked. */
enum facts_use enforce_losers_unseen(const struct identity *identity, enum facts_use likely);

/*
 * The object at the path is about to lose that name, and may have to be wiped: a descriptor for that, or a negative errno;
 * -ENOENT: there is nothing to wipe.
 */
int enforce_leaving_name(const struct policy_decision *decision, int dirfd, const char *path,
			 const struct identity *identity);

/* The name is gone: wipes by it what is to be wiped, or tells why not, and closes it. */
void enforce_leave_name(const struct policy_decision *decision, int fd, const struct identity *identity);

/* A mapping of the object is gone: was it the last one of all? False: nothing was done that is to be recorded. */
bool enforce_last_unmap(const struct object *object, const void *caller);
/* The same of the last descriptor of one that is not mapped here, a copy that ledger_let_go() has handed out. */
bool enforce_last_close(const struct object *object, const void *caller);

/* The program begins: what it finds open and must not outlive its last user is as if it had been opened here. */
void enforce_take_up(void);

/* What an exec names; searches: along PATH, as execvp(3) does; by_fd: so /proc calls what a descriptor leads to. */
struct enforce_executed {
	const char *file;
	bool searches, by_fd;
};

/* Is it certain that the exec fails, for want of a program of that name? */
bool enforce_is_no_program(const struct enforce_executed *program);

/* Does the policy make that program take it up? So, too, where that cannot be known. */
bool enforce_is_taken_up(const struct identity *identity, const struct enforce_executed *program);
/* The same of a process that uses the object: will it wipe it after its own use, or tell? */
bool enforce_answers_too(const struct identity *identity, int32_t pid);

/* The policy knows it for a secret by its name, or this user: it stays one when it has these no more. */
void enforce_keep_secret(const struct policy_decision *decision, const struct identity *identity);

/* The process is about to become that program, by which its mappings go: tells what nobody then answers for. */
void enforce_exec(const struct enforce_executed *program, const void *caller);
/* It came back. */
void enforce_exec_failed(void);

/* The process ends, and all its mappings with it. record: what was done to that object. */
void enforce_exit(void (*record)(const struct object *object, void *context), void *context);

#endif
