/*
 * Texts that the process keeps from its start, one behind another: most are short, and a page that each begins on would be
 * touched in every program. Called before there is a second thread.
 */
#ifndef SHMGUARD_KEEP_H
#define SHMGUARD_KEEP_H

/* The copy, which stays, however long it is; "" when there is no memory. */
const char *keep_text(const char *text);

#endif
