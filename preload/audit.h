/*
 * The audit trail: one line a decision, written whole by one write(2) to where the policy says. Its descriptor is high and
 * hidden, so that it outlives chroot and close-all; lines of one rule and place are held back beyond ten a second.
 */
#ifndef SHMGUARD_AUDIT_H
#define SHMGUARD_AUDIT_H

#include "preload/check.h"
#include "tracepoints/policy.h"

/* In a forked child: what the parent wrote and held back is the parent's. */
void audit_fork_reset(void);

/* Tells what is still held back: the process ends, or becomes another program. */
void audit_flush(void);

struct audit_decision {
	enum rule_id rule; /* RULE_COUNT: none */
	enum response response;
	int error;          /* that the call answers or, of RESPONSE_audit, would answer; 0: none */
	bool doubtful;      /* nobody has looked whether the object is in use, without which there is nothing wrong */
	const char *why;    /* why nothing was wiped, or no name removed, or NULL; of no rule, why it was decided so */
	const void *caller; /* the program's return address, or NULL */
};

/* A program is about to be executed in which nothing is decided; why: in a word. Also in a child by vfork(2). */
void audit_unguarded(const char *path, const char *why, const void *caller);

/* The process begins, and of what lies at that path nothing, or not all, will be decided. */
void audit_unheld(const char *path, const char *why);

/* name may be NULL. */
void audit_line(const struct audit_decision *decision, const char *name);
/* The same once for each object, whatever the place. Async-signal-safe. */
void audit_line_once(const struct audit_decision *decision, const char *name, uint64_t dev, uint64_t ino);

#endif
