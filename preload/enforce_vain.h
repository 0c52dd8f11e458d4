/*
 * Calls that the kernel would refuse, whatever the policy says of them: their errno is the kernel's, and nothing is told. It is
 * asked only once the policy is about to refuse; the call is not made all the same, as the kernel might do it by now. Where it
 * can be, the kernel is asked by the very call, but for one thing that it refuses after all that is to be known.
 */
#ifndef SHMGUARD_ENFORCE_VAIN_H
#define SHMGUARD_ENFORCE_VAIN_H

#include "preload/enforce_open.h"
#include "preload/enforce_size.h"

/* Does it matter what the kernel would say: is the call to be denied, or in audit mode to be told as denied? */
bool enforce_matters(enum enforce_verdict verdict);
/* error: of the kernel for what was decided so; 0: none is known, and the decision stands. */
void enforce_refused_nothing(enum enforce_verdict verdict, int error);
/* Asked of what is to be fixed: error: with which the kernel refuses the call, which then has no effect; 0: it does not. */
bool enforce_fails(int error);

/* A call that decide_NAME() decides; vain: with which the kernel would refuse it, asked where that matters. */
#define POLICED(name, parameters, arguments, vain)                                                                     \
	enum enforce_verdict enforce_##name parameters                                                                 \
	{                                                                                                              \
		enforce_begin();                                                                                       \
		enum enforce_verdict verdict = decide_##name arguments;                                                \
		if (enforce_matters(verdict))                                                                          \
			enforce_refused_nothing(verdict, vain);                                                        \
		enforce_end(caller);                                                                                   \
		return verdict;                                                                                        \
	}

/* May nothing be executed on the mount of that descriptor; -1: of /dev/shm? */
bool enforce_noexec(int fd);

/*
 * The errno of the kernel, or 0, for a mapping (that it cannot be locked lock-limit tells, where it has denied it, but with
 * _and_lock), one that is to grow,
 */
int enforce_vain_map(const struct mmap_event *e, const struct identity *identity);
int enforce_vain_map_and_lock(const struct mmap_event *e, const struct identity *identity);
int enforce_vain_remap(const struct mremap_event *e);
/* and one that is to show other pages, */
int enforce_vain_pages(const struct mmap_event *e);
/* a size that is given by ftruncate and truncate, or by fallocate, */
int enforce_vain_size(const struct ftruncate_event *e, const struct identity *identity);
int enforce_vain_allocation(const struct fallocate_event *e);
/* a message: what the kernel answers of its connection, its address and its control data, */
int enforce_vain_message(const struct enforce_message *m);
/* a mode or an access list, another owner and group (-1: the same), */
int enforce_vain_mode(const struct identity *identity);
int enforce_vain_owner(const struct identity *identity, uid_t uid, gid_t gid);
/* the flags of an opening, whatever they are to open, and that a descriptor is left for it; an opening of what lies there. */
int enforce_vain_flags(const struct enforce_opening *o);
int enforce_vain_opening(const struct enforce_opening *o, const char *path);
/* The same of what is to be made, and is not there. */
int enforce_vain_creation(const struct enforce_opening *o, const char *path);
/* The same of the C library for a semaphore, which lies at the path, or would. */
int enforce_vain_semaphore(const struct enforce_semaphore *s, const char *path);

#endif
