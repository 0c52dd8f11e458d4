/*
 * Writes of ours to what is the program's: a pipe that is full or a terminal that is stopped must not hold it up. Whether
 * that is written to without waiting is a flag shared with whoever has it open, and left alone. Async-signal-safe.
 */
#ifndef SHMGUARD_UNWAITING_H
#define SHMGUARD_UNWAITING_H

#include <stddef.h>

/* -errno, or the bytes written: all, or at a terminal or stream fewer. No signal comes of it. */
long unwaiting_write(int fd, const void *bytes, size_t length);

#endif
