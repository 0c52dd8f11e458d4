/* What is to be done about a finding, where its rule alone does not say: the cause does. */
#ifndef SHMGUARD_REMEDY_H
#define SHMGUARD_REMEDY_H

enum remedy {
	REMEDY_of_rule,
	REMEDY_shrunk,        /* by another process */
	REMEDY_shrunk_itself, /* by the one that touched it */
	REMEDY_emptied,       /* opened with O_TRUNC */
	REMEDY_too_short,     /* it never had been as long */
	REMEDY_full,          /* its file system was */
	REMEDY_punched,       /* a hole, and then its file system was full */
	REMEDY_no_huge_page,
	REMEDY_hardware,
	REMEDY_sent,     /* the signal was, by a process */
	REMEDY_not_ours, /* what was touched is no shared memory */
	REMEDY_COUNT
};

#endif
