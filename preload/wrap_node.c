/* Ways to make an object, or to have one opened, without a descriptor of one's own. */
#include <spawn.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "preload/real.h"
#include "preload/wrap.h"
#include "preload/wrap_opening.h"

/* What glibc calls _MKNOD_VER where a word has 64 bits. */
enum { MKNOD_VERSION = 0 };

static int call_mknodat(const struct enforce_opening *o, int flags, mode_t mode)
{
	(void)flags;
	return REAL(mknodat)(o->dirfd, o->path, S_IFREG | mode, 0);
}

/* A regular file is made, or not, as by O_CREAT | O_EXCL, and no descriptor comes of it. */
static int noded(const struct wrap_opening *o, int result, const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512];

	if (!observe_enter(&visit, caller))
		return result;
	bool tracked = result == 0 && identity_of_path(o->dirfd, o->path, AT_SYMLINK_NOFOLLOW, &identity);
	identity.kind = KIND_file;
	const char *name = tracked      ? identity_spelling(o->path, &identity, text)
			   : result < 0 ? wrap_opening_odd(&visit, o, -1, false, text)
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
		struct wrap_opening o = {SYMBOL_##name, at,    path, O_CREAT | O_EXCL, mode & 07777, true, 0,          \
					 NULL,          false, false};                                                 \
		if ((mode & S_IFMT && !S_ISREG(mode)) || !(valid))                                                     \
			return REAL(name) arguments;                                                                   \
		return noded(&o,                                                                                       \
			     wrap_opening_polices(&o, text, CALLER) ? wrap_opening_enforced(call_mknodat, &o, CALLER)  \
								    : REAL(name) arguments,                            \
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

static bool promised(const struct wrap_opening *o, int *flags, mode_t *mode, const void *caller)
{
	const struct enforce_opening asked = wrap_opening_asked(o, caller);

	return !o->astray && enforce_promised(&asked, flags, mode) != VERDICT_deny;
}

/* Of what the policy keeps a spawned child from opening nothing else would tell. */
static int not_promised(const struct wrap_opening *o, const void *caller)
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

/* Beyond all numbers that any list of actions has as a target. */
static atomic_int targets_end;

static void targeted(int fd)
{
	int end = atomic_load(&targets_end);

	while (fd >= end && !atomic_compare_exchange_weak(&targets_end, &end, fd + 1))
		;
}

/*
 * The child has a copy of ours until its exec, and nobody has closed it there. An action before this may have put one of the
 * program's in its place: so it is closed only if no list ever did, of whatever number.
 */
EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int to)
{
	bool closes = own_fd(fd) && !own_caller(CALLER) && fd >= atomic_load(&targets_end);
	int error = closes ? LIBC(posix_spawn_file_actions_addclose)(actions, fd) : 0;

	targeted(to);
	return error ?: REAL(posix_spawn_file_actions_adddup2)(actions, fd, to);
}

/* The child opens it before any code of ours runs there, so the policy decides when the opening is asked for. */
EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags,
					    mode_t mode)
{
	char text[512];
	struct wrap_opening o = {
		SYMBOL_posix_spawn_file_actions_addopen, AT_FDCWD, path, flags, mode, false, 0, NULL, false, false};
	int kept = errno;

	targeted(fd);
	if (wrap_opening_polices(&o, text, CALLER) && !promised(&o, &flags, &mode, CALLER)) {
		int error = not_promised(&o, CALLER);
		errno = kept;
		return error;
	}
	errno = kept;
	return REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
}
