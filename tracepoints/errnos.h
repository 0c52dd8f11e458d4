/*
 * ERRNOS: the errors that the recorded calls can set, by the names of errno(3), so that a trace is read without a table at
 * hand. Every process registers each of them with LTTng for each event that has one, so this is not all there are.
 */
#ifndef SHMGUARD_ERRNOS_H
#define SHMGUARD_ERRNOS_H

#include <errno.h>

#define ERRNOS(X) \
	X(EPERM) X(ENOENT) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) \
	X(ECHILD) X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(EBUSY) X(EEXIST) X(EXDEV) \
	X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY) X(ETXTBSY) \
	X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE) X(ERANGE) X(EDEADLK) \
	X(ENAMETOOLONG) X(ENOSYS) X(ENOTEMPTY) X(ELOOP) X(EOVERFLOW) X(EILSEQ) X(ENOTSOCK) X(EMSGSIZE) \
	X(EOPNOTSUPP) X(ENOBUFS) X(ENOTCONN) X(ETIMEDOUT) X(ECONNREFUSED) X(ECONNRESET) X(EDQUOT) X(ESTALE)

#endif
