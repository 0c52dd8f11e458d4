/*
 * Writes of ours by which the program must not get a signal: a pipe that nobody reads any more (SIGPIPE), a limit on the
 * size of files (SIGXFSZ) that is the program's and not meant for what we write, a terminal that stops who writes in the
 * background (SIGTTOU). Async-signal-safe.
 */
#ifndef SHMGUARD_UNSIGNALLED_H
#define SHMGUARD_UNSIGNALLED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* -errno, or the bytes written. */
long unsignalled_write(int fd, const void *bytes, size_t length);
/* -EAGAIN: it had to wait; -EOPNOTSUPP: what it is cannot be asked so. */
long unsignalled_writev_at_once(int fd, const struct iovec *text);
long unsignalled_pwrite(int fd, const void *bytes, size_t length, uint64_t offset);
long unsignalled_ftruncate(int fd, uint64_t length);
long unsignalled_truncate(const char *path, uint64_t length);
long unsignalled_fallocate(int fd, int mode, int64_t offset, int64_t length);

#endif
