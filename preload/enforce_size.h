/* The policy at the sizing and mapping of objects. identity: as it is before the call. */
#ifndef SHMGUARD_ENFORCE_SIZE_H
#define SHMGUARD_ENFORCE_SIZE_H

#include <sys/socket.h>

#include "preload/enforce.h"
#include "preload/fault_site.h"

/* VERDICT_deny: errno is set; VERDICT_fix: done already, the call succeeded without being made. */
enum enforce_verdict enforce_ftruncate(const struct ftruncate_event *e, const struct identity *identity,
				       const void *caller);
enum enforce_verdict enforce_fallocate(const struct fallocate_event *e, const struct identity *identity,
				       const void *caller);

/* The program has taken all that the object held: what it holds from now on is nobody else's. */
void enforce_emptied(const struct identity *identity);

/* What can be repaired before the mapping exists is repaired; VERDICT_fix: enforce_probed() is to follow the call. */
enum enforce_verdict enforce_mmap(const struct mmap_event *e, struct identity *identity, const void *caller);
/* The mapping exists, its event is not recorded yet: what is to be done to it. */
void enforce_mapped(const struct mmap_event *e, const struct identity *identity, const void *caller);

/* Are there pages for all of the new mapping, if there is one? If not it is gone, and errno is ENOMEM. */
bool enforce_probed(void *mapping, uint64_t length, const void *caller);

/* Of a mapping of the object: it is about to be locked (mlock2(2)), or to grow; site: what was found at its address. */
enum enforce_verdict enforce_mlock(uint64_t address, uint64_t length, unsigned flags, const struct identity *identity,
				   const void *caller);
enum enforce_verdict enforce_mremap(const struct mremap_event *e, struct fault_site *site, const void *caller);
/* The same of one that is to show other pages, as mmap(2) would. */
enum enforce_verdict enforce_remap_file_pages(const struct mmap_event *e, const struct identity *identity,
					      const void *caller);
/* MADV_REMOVE has just made a hole. */
void enforce_removed(uint64_t start, uint64_t length, const struct identity *identity, const void *caller);

/* site: what was found at the address. */
enum enforce_verdict enforce_mprotect(struct fault_site *site, uint64_t address, uint64_t length, int prot,
				      const void *caller);

/* A memfd is about to be handed to another process, with that message. */
struct enforce_message {
	int socket, flags;
	const struct msghdr *header;
	bool first;   /* of those that one call sends */
	bool allowed; /* nothing in it is denied: what is to be fixed, is fixed now */
};

/* VERDICT_fix: it is to be asked once more if the message is allowed. */
enum enforce_verdict enforce_share(const struct enforce_message *m, int fd, const struct identity *identity,
				   const void *caller);

/* posix_fallocate in pieces that are tried again after a signal; false: the program's own call is to be made. */
bool enforce_reserves(const struct identity *identity);

#endif
