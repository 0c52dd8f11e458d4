/* The kinds of fields that an event may have (events.h), and the enumerations of those whose values have names. */
#ifndef SHMGUARD_FIELDS_H
#define SHMGUARD_FIELDS_H

#include <stdint.h>

/* Kinds of fields, and their type in the structs. `text` is NUL-terminated and never NULL. */
#define TYPE_addr uint64_t   /* an address or a bit pattern, printed in hexadecimal */
#define TYPE_size uint64_t   /* bytes */
#define TYPE_off int64_t     /* bytes, as the program gave it */
#define TYPE_number uint64_t /* a count, an inode number */
#define TYPE_fd int32_t      /* descriptor, or -1 */
#define TYPE_pid int32_t     /* process, thread */
#define TYPE_id uint32_t     /* refers to a definition in `state`; 0: none */
#define TYPE_user uint32_t   /* uid or gid */
#define TYPE_flags uint32_t  /* printed in hexadecimal */
#define TYPE_mode uint32_t   /* printed in octal */
#define TYPE_status int32_t  /* wait(2) status */
#define TYPE_bool uint8_t
#define TYPE_error int16_t    /* errno, enumeration ERRNOS; 0: success */
#define TYPE_symbol uint16_t  /* enumeration `symbol` of calls.h */
#define TYPE_prot uint8_t     /* enumeration PROTS */
#define TYPE_began uint8_t    /* enumeration BEGAN */
#define TYPE_kind uint8_t     /* enumeration KINDS */
#define TYPE_rule uint16_t    /* enum rule_id of rules.h */
#define TYPE_severity uint8_t /* enum severity of rules.h */
#define TYPE_cause uint8_t    /* enumeration CAUSES */
#define TYPE_access uint8_t   /* enumeration ACCESSES */
#define TYPE_response uint8_t /* enumeration RESPONSES */
#define TYPE_text const char *
#define TYPE_frames struct frames /* return addresses, innermost first */

/* Of a deeper stack the outermost are not recorded. */
enum { STACK_FRAMES = 64 };

struct frames {
	uint32_t count;
	const uint64_t *address;
};

/* The eight values of mmap's prot; PROT_GROWSDOWN and the like are not recorded. */
#define PROTS(X)                                                                                                       \
	X(0, "PROT_NONE")                                                                                              \
	X(1, "PROT_READ")                                                                                              \
	X(2, "PROT_WRITE")                                                                                             \
	X(3, "PROT_READ|PROT_WRITE")                                                                                   \
	X(4, "PROT_EXEC")                                                                                              \
	X(5, "PROT_READ|PROT_EXEC")                                                                                    \
	X(6, "PROT_WRITE|PROT_EXEC")                                                                                   \
	X(7, "PROT_READ|PROT_WRITE|PROT_EXEC")

/* How a process came to run the image whose events follow. `adopted`: made by a clone that no hook saw. */
#define BEGAN(X)                                                                                                       \
	X(exec)                                                                                                        \
	X(fork)                                                                                                        \
	X(adopted)

enum began {
#define BEGAN_ENUMERATOR(name) BEGAN_##name,
	BEGAN(BEGAN_ENUMERATOR)
#undef BEGAN_ENUMERATOR
};

/* What an object is: made by shm_open, by memfd_create, a file made in /dev/shm by open, a semaphore of sem_open. */
#define KINDS(X)                                                                                                       \
	X(shm)                                                                                                         \
	X(memfd)                                                                                                       \
	X(file)                                                                                                        \
	X(semaphore)

enum kind {
#define KIND_ENUMERATOR(name) KIND_##name,
	KINDS(KIND_ENUMERATOR)
#undef KIND_ENUMERATOR
};

/* What came of a broken rule. audit: the policy would have denied or fixed it, but only watches. */
#define RESPONSES(X)                                                                                                   \
	X(recorded)                                                                                                    \
	X(denied)                                                                                                      \
	X(fixed)                                                                                                       \
	X(audit)

enum response {
#define RESPONSE_ENUMERATOR(name) RESPONSE_##name,
	RESPONSES(RESPONSE_ENUMERATOR)
#undef RESPONSE_ENUMERATOR
};

/* Why a SIGBUS came. tmpfs_full: no room for a page not yet allocated. sent: by kill(2) and its kin. */
#define CAUSES(X)                                                                                                      \
	X(past_end)                                                                                                    \
	X(tmpfs_full)                                                                                                  \
	X(no_huge_page)                                                                                                \
	X(hardware)                                                                                                    \
	X(not_ours)                                                                                                    \
	X(sent)                                                                                                        \
	X(unknown)

enum cause {
#define CAUSE_ENUMERATOR(name) CAUSE_##name,
	CAUSES(CAUSE_ENUMERATOR)
#undef CAUSE_ENUMERATOR
};

/* What an instruction did that faulted; unknown: no page fault (a hardware error, kill(2)), or the kernel does not say. */
#define ACCESSES(X)                                                                                                    \
	X(unknown)                                                                                                     \
	X(read)                                                                                                        \
	X(write)

enum access {
#define ACCESS_ENUMERATOR(name) ACCESS_##name,
	ACCESSES(ACCESS_ENUMERATOR)
#undef ACCESS_ENUMERATOR
};

#endif
