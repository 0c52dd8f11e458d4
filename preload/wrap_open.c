/* The ways to open a path, and to remove and rename one: those that lead onto /dev/shm are recorded. */
#include <stdarg.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/enforce_open.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/ledger.h"
#include "preload/names.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/text.h"
#include "preload/wrap.h"

struct opening {
	enum symbol symbol;
	int dirfd;
	const char *path;
	int flags;
	mode_t mode;
	bool creates;
	uint64_t size_before;
	const char *object; /* its name as the policy knows it */
	bool changing;
	bool astray; /* the policy denies the way there */
};

/* Before the call: will it create the file, what will O_TRUNC empty? Without O_EXCL only a look beforehand tells. */
static void opening(struct opening *o, const void *caller)
{
	struct visit visit;
	struct stat st;

	o->changing = own_changing(caller);
	o->creates = (o->flags & O_CREAT) && (o->flags & O_EXCL);
	if (o->creates || !(o->flags & (O_CREAT | O_TRUNC)) || !observe_enter(&visit, caller))
		return;
	long missing = kernel_stat_at(o->dirfd, o->path, 0, &st);
	o->creates = (o->flags & O_CREAT) && missing == -ENOENT;
	if (!missing)
		o->size_before = (uint64_t)st.st_size;
	observe_leave(&visit);
}

/* Of these a policy asks nothing: where O_TMPFILE leads is a directory. */
static bool has_no_object(const struct opening *o)
{
	return (o->flags & O_PATH) || (o->flags & O_TMPFILE) == O_TMPFILE;
}

/* Is no symbolic link right at the path followed to what is opened? */
static bool takes_no_link(const struct opening *o)
{
	return (o->flags & O_NOFOLLOW) || (o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ||
	       (o->flags & O_TMPFILE) == O_TMPFILE;
}

/* The name by which a policy knows what the path leads to, or would make; NULL if that is not at /dev/shm. */
static const char *known_name(const struct opening *o, char text[static 512])
{
	return enforce_name(o->dirfd, o->path, takes_no_link(o) ? AT_SYMLINK_NOFOLLOW : 0, text);
}

static bool may_lie_on_shm(const struct opening *o)
{
	return (o->flags & O_CREAT) || identity_on_shm(o->dirfd, o->path);
}

/* A failed open, and one of what is no object, are worth telling where they were meant for /dev/shm: by which name? */
static const char *odd_on_shm(const struct visit *visit, const struct opening *o, int fd, char text[static 512])
{
	if (o->astray)
		return o->path;
	if (fd < 0 ? visit->saved_errno == EFAULT : o->flags & (O_DIRECTORY | O_PATH))
		return NULL;
	if (strncmp(o->path, "/dev/shm/", 9) == 0)
		return o->path;
	if (fd < 0 ? has_no_object(o) || !may_lie_on_shm(o) : !identity_other_on_shm(fd))
		return NULL;
	return known_name(o, text);
}

/* A plain open of what is no object's, where nobody would hear of it. */
static bool unheard(const struct opening *o)
{
	return enforce_on && enforce_unheard && recorder_silent() && !o->object &&
	       !(o->flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)));
}

/* Without /proc, as in a chroot, the kernel tells no name of a descriptor: the policy knows it by this one. */
static void keep_name(const struct identity *identity, const char *name)
{
	char known[512];

	if (enforce_on && name[0] == '/' && !ledger_name(identity, known))
		ledger_rename(identity, name);
}

static int opened(const struct opening *o, int fd, const void *caller)
{
	struct visit visit;

	if (wrap_hides(fd, caller))
		fd = own_fd_hide(fd);
	own_changed(o->changing);
	if (unheard(o) || !observe_enter(&visit, caller))
		return fd;
	char text[512];
	struct identity identity;
	bool tracked = identity_of_fd(fd, &identity);
	identity.dirfd = o->dirfd;
	if (tracked && identity.kind == KIND_shm)
		identity.kind = KIND_file;
	const char *name = !tracked           ? odd_on_shm(&visit, o, fd, text)
			   : takes_no_link(o) ? identity_spelling(o->path, &identity, text)
					      : names_followed(o->path, &identity, text);
	if (name)
		RECORD(&visit, open, tracked ? &identity : NULL, .symbol = (uint16_t)o->symbol, .dirfd = o->dirfd,
		       .name = name, .flags = (uint32_t)o->flags, .mode = o->mode, .result = fd,
		       .created = o->creates && fd >= 0, .size_before = o->size_before,
		       .error = observe_error(&visit, fd < 0));
	if (tracked)
		keep_name(&identity, name);
	observe_leave(&visit);
	return fd;
}

static int call_openat(const struct enforce_opening *o, int flags, mode_t mode)
{
	return REAL(openat)(o->dirfd, o->path, flags, mode);
}

/* Does it lead elsewhere, by what the policy denies? errno is set then. */
static bool strays(struct opening *o, const void *caller)
{
	o->object = NULL;
	o->astray = enforce_astray(o->dirfd, o->path, caller);
	return o->astray;
}

/* Is there a policy, and does the path lead onto /dev/shm, or to what stands there in an object's place? */
static bool enforces(struct opening *o, char text[static 512], const void *caller)
{
	if (!enforce_on || own_caller(caller) || has_no_object(o))
		return false;
	if (!may_lie_on_shm(o))
		return strays(o, caller);
	o->object = known_name(o, text);
	return o->object || strays(o, caller);
}

static int enforced_by(int (*call)(const struct enforce_opening *, int, mode_t), const struct opening *o, bool node,
		       const void *caller)
{
	if (o->astray)
		return -1;
	return enforce_open(&(struct enforce_opening){.call = call,
						      .node = node,
						      .name = o->object,
						      .dirfd = o->dirfd,
						      .path = o->path,
						      .flags = o->flags,
						      .mode = o->mode,
						      .caller = caller});
}

static int enforced(const struct opening *o, const void *caller)
{
	return enforced_by(call_openat, o, false, caller);
}

/* The original, or what the policy makes of it. */
#define POLICED(original) (enforces(&o, text, CALLER) ? enforced(&o, CALLER) : (original))

#define MODE_ARGUMENT(flags)                                                                                           \
	mode_t mode = 0;                                                                                               \
	if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                        \
		va_list arguments;                                                                                     \
		va_start(arguments, flags);                                                                            \
		mode = va_arg(arguments, mode_t);                                                                      \
		va_end(arguments);                                                                                     \
	}

#define OPENING(name, at, given_path, given_flags, given_mode)                                                         \
	char text[512];                                                                                                \
	struct opening o = {SYMBOL_##name, at, given_path, given_flags, given_mode, false, 0, NULL, false, false};     \
	opening(&o, CALLER)

#define WRAP_OPEN(name)                                                                                                \
	EXPORT int name(const char *path, int flags, ...)                                                              \
	{                                                                                                              \
		MODE_ARGUMENT(flags)                                                                                   \
		OPENING(name, AT_FDCWD, path, flags, mode);                                                            \
		return opened(&o, POLICED(REAL(name)(path, flags, mode)), CALLER);                                     \
	}
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPEN(__open)
WRAP_OPEN(__open64)

#define WRAP_OPEN_2(name)                                                                                              \
	EXPORT int name(const char *path, int flags)                                                                   \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, flags, 0);                                                               \
		return opened(&o, POLICED(REAL(name)(path, flags)), CALLER);                                           \
	}
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
WRAP_OPEN_2(__open_2)
WRAP_OPEN_2(__open64_2)

#define WRAP_OPENAT(name)                                                                                              \
	EXPORT int name(int dirfd, const char *path, int flags, ...)                                                   \
	{                                                                                                              \
		MODE_ARGUMENT(flags)                                                                                   \
		dirfd = wrap_given(dirfd, CALLER);                                                                     \
		OPENING(name, dirfd, path, flags, mode);                                                               \
		return opened(&o, POLICED(REAL(name)(dirfd, path, flags, mode)), CALLER);                              \
	}
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_OPENAT_2(name)                                                                                            \
	EXPORT int name(int dirfd, const char *path, int flags)                                                        \
	{                                                                                                              \
		dirfd = wrap_given(dirfd, CALLER);                                                                     \
		OPENING(name, dirfd, path, flags, 0);                                                                  \
		return opened(&o, POLICED(REAL(name)(dirfd, path, flags)), CALLER);                                    \
	}
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);
WRAP_OPENAT_2(__openat_2)
WRAP_OPENAT_2(__openat64_2)

#define WRAP_CREAT(name)                                                                                               \
	EXPORT int name(const char *path, mode_t mode)                                                                 \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);                                     \
		return opened(&o, POLICED(REAL(name)(path, mode)), CALLER);                                            \
	}
WRAP_CREAT(creat)
WRAP_CREAT(creat64)

/* mkstemp(3) opens with O_EXCL and mode 0600; the path is known only afterwards. */
#define WRAP_MKSTEMP(name, parameters, arguments, more_flags)                                                          \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, O_CREAT | O_EXCL | O_RDWR | (more_flags), 0600);                         \
		bool polices = enforces(&o, text, CALLER);                                                             \
		if (polices && (o.astray || enforce_temporary(o.object, CALLER) == VERDICT_deny))                      \
			return opened(&o, -1, CALLER);                                                                 \
		int fd = REAL(name) arguments;                                                                         \
		if (polices && fd >= 0)                                                                                \
			ledger_count_created(1);                                                                       \
		return opened(&o, fd, CALLER);                                                                         \
	}
WRAP_MKSTEMP(mkstemp, (char *path), (path), 0)
WRAP_MKSTEMP(mkstemp64, (char *path), (path), 0)
WRAP_MKSTEMP(mkostemp, (char *path, int flags), (path, flags), flags)
WRAP_MKSTEMP(mkostemp64, (char *path, int flags), (path, flags), flags)
WRAP_MKSTEMP(mkstemps, (char *path, int suffix), (path, suffix), 0)
WRAP_MKSTEMP(mkstemps64, (char *path, int suffix), (path, suffix), 0)
WRAP_MKSTEMP(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags), flags)
WRAP_MKSTEMP(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags), flags)

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

static FILE *opened_stream(const struct opening *o, FILE *stream, const void *caller)
{
	int kept = errno;
	int fd = stream ? fileno(stream) : -1;
	errno = kept;
	/* A stream's descriptor cannot be moved. */
	if (wrap_hides(fd, caller))
		own_changed(o->changing);
	else
		opened(o, fd, caller);
	return stream;
}

static FILE *enforced_stream(const struct opening *o, const char *mode, const void *caller)
{
	int fd = enforced(o, caller);
	FILE *stream = fd >= 0 ? fdopen(fd, mode) : NULL;

	if (fd >= 0 && !stream)
		REAL(close)(fd);
	return stream;
}

#define WRAP_FOPEN(name)                                                                                               \
	EXPORT FILE *name(const char *path, const char *mode)                                                          \
	{                                                                                                              \
		OPENING(name, AT_FDCWD, path, mode_flags(mode), 0666);                                                 \
		FILE *stream =                                                                                         \
			enforces(&o, text, CALLER) ? enforced_stream(&o, mode, CALLER) : REAL(name)(path, mode);       \
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
	bool polices = enforces(&o, text, CALLER);
	FILE *stream = polices ? enforced_stream(&o, mode, CALLER) : REAL(setmntent)(path, mode);
	if (polices && stream)
		__fsetlocking(stream, FSETLOCKING_BYCALLER);
	return opened_stream(&o, stream, CALLER);
}

/*
 * The stream is closed whatever comes of it; what was opened is opened once more, by the descriptor's own path. What that
 * would empty is put in the place of /dev/null.
 */
static FILE *enforced_again(const struct opening *o, const char *mode, FILE *stream, const void *caller)
{
	char path[TEXT_DESCRIPTOR], again[16] = "";
	int fd = enforced(o, caller);

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
	bool stands_in = *again == 'w' && facts_may_open("/dev/null", O_WRONLY);
	stream = REAL(freopen)(stands_in ? "/dev/null" : text_descriptor(path, fd), again, stream);
	if (stream && stands_in)
		REAL(dup3)(fd, fileno(stream), strchr(again, 'e') ? O_CLOEXEC : 0);
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
		const char *at = path ?: text_descriptor(own, fileno(stream));                                         \
		OPENING(name, AT_FDCWD, at, mode_flags(mode), 0666);                                                   \
		wrap_closing(fileno(stream), CALLER);                                                                  \
		stream = enforces(&o, text, CALLER) ? enforced_again(&o, mode, stream, CALLER)                         \
						    : REAL(name)(path, mode, stream);                                  \
		return opened_stream(&o, stream, CALLER);                                                              \
	}
WRAP_FREOPEN(freopen)
WRAP_FREOPEN(freopen64)

/* What glibc calls _MKNOD_VER where a word has 64 bits. */
enum { MKNOD_VERSION = 0 };

static int call_mknodat(const struct enforce_opening *o, int flags, mode_t mode)
{
	(void)flags;
	return REAL(mknodat)(o->dirfd, o->path, S_IFREG | mode, 0);
}

/* A regular file is made, or not, as by O_CREAT | O_EXCL, and no descriptor comes of it. */
static int noded(const struct opening *o, int result, const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512];

	if (!observe_enter(&visit, caller))
		return result;
	bool tracked = result == 0 && identity_of_path(o->dirfd, o->path, AT_SYMLINK_NOFOLLOW, &identity);
	identity.kind = KIND_file;
	const char *name = tracked      ? identity_spelling(o->path, &identity, text)
			   : result < 0 ? odd_on_shm(&visit, o, -1, text)
					: NULL;
	if (name)
		RECORD(&visit, open, tracked ? &identity : NULL, .symbol = (uint16_t)o->symbol, .dirfd = o->dirfd,
		       .name = name, .flags = (uint32_t)o->flags, .mode = o->mode, .result = -1, .created = tracked,
		       .error = observe_error(&visit, result < 0));
	observe_leave(&visit);
	return result;
}

/* Other types than regular files are no objects. valid: the interface's version, of the old names. */
#define WRAP_MKNOD(name, parameters, at, arguments, valid)                                                             \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		char text[512];                                                                                        \
		struct opening o = {SYMBOL_##name, at,    path, O_CREAT | O_EXCL, mode & 07777, true, 0,               \
				    NULL,          false, false};                                                      \
		if ((mode & S_IFMT && !S_ISREG(mode)) || !(valid))                                                     \
			return REAL(name) arguments;                                                                   \
		return noded(&o,                                                                                       \
			     enforces(&o, text, CALLER) ? enforced_by(call_mknodat, &o, true, CALLER)                  \
							: REAL(name) arguments,                                        \
			     CALLER);                                                                                  \
	}
WRAP_MKNOD(mknod, (const char *path, mode_t mode, dev_t device), AT_FDCWD, (path, mode, device), true)
WRAP_MKNOD(mknodat, (int dirfd, const char *path, mode_t mode, dev_t device), wrap_given(dirfd, CALLER),
	   (o.dirfd, path, mode, device), true)
int __xmknod(int version, const char *path, mode_t mode, dev_t *device);
int __xmknodat(int version, int dirfd, const char *path, mode_t mode, dev_t *device);
WRAP_MKNOD(__xmknod, (int version, const char *path, mode_t mode, dev_t *device), AT_FDCWD,
	   (version, path, mode, device), version == MKNOD_VERSION)
WRAP_MKNOD(__xmknodat, (int version, int dirfd, const char *path, mode_t mode, dev_t *device),
	   wrap_given(dirfd, CALLER), (version, o.dirfd, path, mode, device), version == MKNOD_VERSION)

static bool promised(const struct opening *o, int *flags, mode_t *mode, const void *caller)
{
	const struct enforce_opening asked = {.name = o->object,
					      .dirfd = o->dirfd,
					      .path = o->path,
					      .flags = o->flags,
					      .mode = o->mode,
					      .caller = caller};

	return !o->astray && enforce_promised(&asked, flags, mode) != VERDICT_deny;
}

/* Of what the policy keeps a spawned child from opening nothing else would tell. */
static int not_promised(const struct opening *o, const void *caller)
{
	struct visit visit;
	int error = errno;

	if (observe_enter(&visit, caller)) {
		RECORD(&visit, open, NULL, .symbol = (uint16_t)o->symbol, .dirfd = o->dirfd, .name = o->path,
		       .flags = (uint32_t)o->flags, .mode = o->mode, .result = -1, .error = (int16_t)error);
		observe_leave(&visit);
	}
	return error;
}

/* The child opens it before any code of ours runs there, so the policy decides when the opening is asked for. */
EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags,
					    mode_t mode)
{
	char text[512];
	struct opening o = {
		SYMBOL_posix_spawn_file_actions_addopen, AT_FDCWD, path, flags, mode, false, 0, NULL, false, false};
	int kept = errno;

	if (enforces(&o, text, CALLER) && !promised(&o, &flags, &mode, CALLER)) {
		int error = not_promised(&o, CALLER);
		errno = kept;
		return error;
	}
	errno = kept;
	return REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
}
