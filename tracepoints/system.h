/*
 * System calls as a policy's files are read by them: of the command, by libc (system.c); in a program past all functions that
 * are named as libc's (preload/system.c), as one of its own may be there, and not be ready before its constructor has run.
 */
#ifndef SHMGUARD_SYSTEM_H
#define SHMGUARD_SYSTEM_H

/* -errno, if it failed. */
long system_call(long number, long a, long b, long c, long d);

#endif
