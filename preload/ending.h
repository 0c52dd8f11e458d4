/*
 * A process that ends under a policy that wipes looks for other users of what it leaves, for milliseconds in which other
 * threads would go on. A child that one of them forks then, and without us would not have, would be a user unseen: forks
 * wait for the end.
 */
#ifndef SHMGUARD_ENDING_H
#define SHMGUARD_ENDING_H

#include <stdbool.h>

/* What other threads are forking is there to be seen, and they fork no more, for a second at most. */
void ending_begin(void);

/* Around a fork. True: ending_forked() is to be called in the parent. */
bool ending_fork(void);
void ending_forked(void);

/* In the child. */
void ending_reset(void);

#endif
