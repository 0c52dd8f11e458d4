/* The modes of objects: chmod and its kin, and the access lists (acl(5)) that bring a mode with them. */
#include <alloca.h>
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "preload/acl.h"
#include "preload/enforce_open.h"
#include "preload/kernel.h"
#include "preload/names.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/wrap.h"

static int mode_changed(enum symbol symbol, int fd, int dirfd, const char *path, mode_t mode, int flags, int result,
			const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512];

	if (!observe_enter(&visit, caller))
		return result;
	if (path ? names_of_path(dirfd, path, flags, &identity, text) : identity_of_fd(fd, &identity))
		RECORD(&visit, chmod, &identity, .symbol = (uint16_t)symbol, .fd = fd, .mode = mode,
		       .error = observe_error(&visit, result < 0));
	observe_leave(&visit);
	return result;
}

/* A mode that is to be set. */
struct setting_mode {
	mode_t mode;
	bool decided; /* the policy waits for what comes of it */
};

static enum identity_look look_behind(int fd, struct identity *identity)
{
	return identity_of_fd(fd, identity) ? LOOK_object : LOOK_other;
}

/* What the policy makes of it; false: the call is denied. */
static bool allow_mode(struct setting_mode *s, int fd, int dirfd, const char *path, int flags, const void *caller)
{
	struct identity identity;

	if (!enforce_on || own_caller(caller))
		return true;
	enum identity_look look = path ? enforce_look(dirfd, path, flags, &identity) : look_behind(fd, &identity);
	if (look != LOOK_object || identity.kind == KIND_memfd)
		return look != LOOK_nothing;
	s->decided = enforce_mode(&identity, &s->mode, caller) != VERDICT_deny;
	return s->decided;
}

static int done(bool decided, bool list, int result, const void *caller)
{
	if (decided)
		enforce_mode_set(list, result < 0, caller);
	return result;
}

#define SET_MODE(fd, dirfd, path, flags, call)                                                                         \
	(allow_mode(&s, fd, dirfd, path, flags, CALLER) ? done(s.decided, false, call, CALLER) : -1)

EXPORT int chmod(const char *path, mode_t mode)
{
	struct setting_mode s = {.mode = mode};
	int result = SET_MODE(-1, AT_FDCWD, path, 0, REAL(chmod)(path, s.mode));
	return mode_changed(SYMBOL_chmod, -1, AT_FDCWD, path, mode, 0, result, CALLER);
}

EXPORT int fchmod(int fd, mode_t mode)
{
	struct setting_mode s = {.mode = mode};
	fd = wrap_given(fd, CALLER);
	int result = SET_MODE(fd, -1, NULL, 0, REAL(fchmod)(fd, s.mode));
	return mode_changed(SYMBOL_fchmod, fd, -1, NULL, mode, 0, result, CALLER);
}

/* Which flags there are is for the C library, and a kernel with fchmodat2(2), to say: asked of a path that begins nowhere. */
static bool takes_flags(int flags)
{
	int kept = errno;
	bool refused = flags && REAL(fchmodat)(-1, "-", 0, flags) < 0 && errno == EINVAL;

	errno = kept;
	return !refused;
}

EXPORT int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	struct setting_mode s = {.mode = mode};
	bool asks = enforce_on && takes_flags(flags);
	dirfd = wrap_given(dirfd, CALLER);
	int result = asks ? SET_MODE(-1, dirfd, path, flags, REAL(fchmodat)(dirfd, path, s.mode, flags))
			  : REAL(fchmodat)(dirfd, path, mode, flags);
	return mode_changed(SYMBOL_fchmodat, -1, dirfd, path, mode, flags, result, CALLER);
}

EXPORT int lchmod(const char *path, mode_t mode)
{
	struct setting_mode s = {.mode = mode};
	int result = SET_MODE(-1, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, REAL(lchmod)(path, s.mode));
	return mode_changed(SYMBOL_lchmod, -1, AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW, result, CALLER);
}

/* An attribute that is to be set by setxattr(2) and its kin; of interest is the one that is an access list. */
struct setting {
	enum symbol symbol;
	int fd;
	const char *path;
	int flags; /* as fstatat(2)'s */
	const void *value;
	size_t bytes;
	int how; /* XATTR_CREATE or XATTR_REPLACE, or 0 */
	struct acl acl;
	bool listed;
	bool decided; /* the policy waits for what comes of it */
	size_t room;  /* for a copy that the policy may change; 0: it is not asked */
	void *memory; /* ours to free, where that is much */
};

enum { LIST_LIMIT = 65536 /* XATTR_SIZE_MAX */, LIST_PAGE = 4096 };

static bool readable(const char *value, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += LIST_PAGE)
		if (!kernel_readable(value + at))
			return false;
	return kernel_readable(value + bytes - 1);
}

static void setting(struct setting *s, const char *name, const void *caller)
{
	s->listed = !own_caller(caller) && s->bytes && s->bytes <= LIST_LIMIT && kernel_one_text_readable(name) &&
		    strcmp(name, ACL_ACCESS) == 0 && readable(s->value, s->bytes) &&
		    acl_parse(s->value, s->bytes, &s->acl);
	/* Which ways there are the kernel says before it looks at the path. */
	if (!s->listed || !enforce_on || (s->how & ~(XATTR_CREATE | XATTR_REPLACE)) ||
	    !acl_names_known(s->value, s->bytes))
		return;
	s->room = s->bytes > ACL_OF_MODE ? s->bytes : ACL_OF_MODE;
	if (s->room > LIST_PAGE && !(s->memory = kernel_memory(s->room)))
		s->room = 0;
}

/* False: it is denied. */
static bool allow_list(struct setting *s, void *copy, const void *caller)
{
	struct identity identity;

	enum identity_look look =
		s->path ? enforce_look(AT_FDCWD, s->path, s->flags, &identity) : look_behind(s->fd, &identity);
	if (look != LOOK_object || identity.kind == KIND_memfd)
		return look != LOOK_nothing;
	memcpy(copy, s->value, s->bytes);
	s->value = copy;
	s->decided = enforce_list(&identity, copy, &s->bytes, caller) != VERDICT_deny;
	return s->decided;
}

static int set(const struct setting *s, int result, const void *caller)
{
	if (s->memory)
		kernel_memory_free(s->memory, s->room);
	if (!s->listed)
		return result;
	return mode_changed(s->symbol, s->fd, AT_FDCWD, s->path, acl_mode(&s->acl), s->flags, result, caller);
}

#define WRAP_SETXATTR(name, parameters, given_fd, given_path, given_flags, call)                                       \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		struct setting s = {.symbol = SYMBOL_##name,                                                           \
				    .fd = given_fd,                                                                    \
				    .path = given_path,                                                                \
				    .flags = given_flags,                                                              \
				    .value = value,                                                                    \
				    .bytes = bytes,                                                                    \
				    .how = how};                                                                       \
		setting(&s, attribute, CALLER);                                                                        \
		bool allowed = !s.room || allow_list(&s, s.memory ? s.memory : alloca(s.room), CALLER);                \
		return set(&s, allowed ? done(s.decided, true, REAL(name) call, CALLER) : -1, CALLER);                 \
	}
WRAP_SETXATTR(setxattr, (const char *path, const char *attribute, const void *value, size_t bytes, int how), -1, path,
	      0, (path, attribute, s.value, s.bytes, how))
WRAP_SETXATTR(lsetxattr, (const char *path, const char *attribute, const void *value, size_t bytes, int how), -1, path,
	      AT_SYMLINK_NOFOLLOW, (path, attribute, s.value, s.bytes, how))
WRAP_SETXATTR(fsetxattr, (int fd, const char *attribute, const void *value, size_t bytes, int how),
	      wrap_given(fd, CALLER), NULL, 0, (s.fd, attribute, s.value, s.bytes, how))
