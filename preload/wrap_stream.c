/* The ways to open a path as a stream: those that lead onto /dev/shm are recorded. */
#include <stdio_ext.h>
#include <string.h>

#include "preload/facts_files.h"
#include "preload/real.h"
#include "preload/text.h"
#include "preload/wrap.h"
#include "preload/wrap_opening.h"

/* The open(2) flags of an fopen(3) mode, as POSIX tables them. */
static int mode_flags(const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
	if (*mode == 'w')
		flags |= O_CREAT | O_TRUNC;
	else if (*mode == 'a')
		flags |= O_CREAT | O_APPEND;
	if (memchr(mode, 'e', strcspn(mode, ",")))
		flags |= O_CLOEXEC;
	return strchr(mode, 'x') ? flags | O_EXCL : flags;
}

static FILE *opened_stream(const struct wrap_opening *o, FILE *stream, const void *caller)
{
	int kept = errno;
	int fd = stream ? LIBC(fileno)(stream) : -1;
	errno = kept;
	/* A stream's descriptor cannot be moved. */
	if (wrap_hides(fd, caller))
		own_changed(o->changing);
	else
		wrap_opened(o, fd, caller);
	return stream;
}

/* What fopen(3) refuses before it looks at the path. */
static bool is_mode(const char *mode)
{
	return *mode == 'r' || *mode == 'w' || *mode == 'a';
}

static FILE *enforced_stream(const struct wrap_opening *o, const char *mode, const void *caller)
{
	int fd = wrap_opening_open(o, caller);
	FILE *stream = fd >= 0 ? LIBC(fdopen)(fd, mode) : NULL;

	if (fd >= 0 && !stream)
		REAL(close)(fd);
	return stream;
}

#define WRAP_FOPEN(name)                                                                                               \
	EXPORT FILE *name(const char *path, const char *mode)                                                          \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, mode_flags(mode), 0666);                                                 \
		FILE *stream = is_mode(mode) && wrap_opening_polices(&o, text, CALLER)                                 \
				       ? enforced_stream(&o, mode, CALLER)                                             \
				       : REAL(name)(path, mode);                                                       \
		return opened_stream(&o, stream, CALLER);                                                              \
	}
WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)
FILE *_IO_fopen(const char *path, const char *mode);
WRAP_FOPEN(_IO_fopen)

/* As glibc does it: the descriptor is closed on exec, and the stream is for one thread at a time. */
EXPORT FILE *setmntent(const char *path, const char *mode)
{
	OPENING(setmntent, AT_FDCWD, path, mode_flags(mode) | O_CLOEXEC, 0666);
	bool polices = is_mode(mode) && wrap_opening_polices(&o, text, CALLER);
	FILE *stream = polices ? enforced_stream(&o, mode, CALLER) : REAL(setmntent)(path, mode);
	if (polices && stream)
		__fsetlocking(stream, FSETLOCKING_BYCALLER);
	return opened_stream(&o, stream, CALLER);
}

/*
 * The stream is closed whatever comes of it; what was opened is opened once more, by the descriptor's own path. What that
 * would empty is put in the place of /dev/null.
 */
static FILE *enforced_again(const struct wrap_opening *o, const char *mode, FILE *stream, const void *caller)
{
	char path[TEXT_DESCRIPTOR], again[16] = "";
	int fd = wrap_opening_open(o, caller);

	if (fd < 0) {
		int error = errno;
		REAL(fclose)(stream);
		errno = error;
		return NULL;
	}
	/* It exists by now. */
	for (size_t i = 0; *mode && i < sizeof again - 1; mode++)
		if (*mode != 'x')
			again[i++] = *mode;
	bool stands_in = *again == 'w' && facts_may_open(AT_FDCWD, "/dev/null", O_WRONLY);
	stream = REAL(freopen)(stands_in ? "/dev/null" : text_descriptor(path, fd), again, stream);
	if (stream && stands_in)
		REAL(dup3)(fd, LIBC(fileno)(stream), strchr(again, 'e') ? O_CLOEXEC : 0);
	int error = errno;
	REAL(close)(fd);
	errno = error;
	return stream;
}

/* Without a path it opens what is open, by its link in /proc. */
#define WRAP_FREOPEN(name)                                                                                             \
	EXPORT FILE *name(const char *path, const char *mode, FILE *stream)                                            \
	{                                                                                                              \
		char own[TEXT_DESCRIPTOR];                                                                             \
		const char *at = path ?: text_descriptor(own, LIBC(fileno)(stream));                                   \
		OPENING(name, AT_FDCWD, at, mode_flags(mode), 0666);                                                   \
		wrap_closing(LIBC(fileno)(stream), CALLER);                                                            \
		stream = is_mode(mode) && wrap_opening_polices(&o, text, CALLER)                                       \
				 ? enforced_again(&o, mode, stream, CALLER)                                            \
				 : REAL(name)(path, mode, stream);                                                     \
		stream = opened_stream(&o, stream, CALLER);                                                            \
		wrap_closed(true, CALLER);                                                                             \
		return stream;                                                                                         \
	}
WRAP_FREOPEN(freopen)
WRAP_FREOPEN(freopen64)
