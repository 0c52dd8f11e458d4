/* Size and owner of objects. Shrinking is a release, told before it happens; growth is told after. */
#include "preload/apart.h"
#include "preload/enforce_open.h"
#include "preload/enforce_size.h"
#include "preload/facts.h"
#include "preload/facts_files.h"
#include "preload/kernel.h"
#include "preload/names.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/wipe.h"
#include "preload/wrap.h"

struct sizing {
	bool tracked;
	bool fixed;   /* the policy had something else done, and the identity has the size that came of it */
	uint32_t seq; /* of the event emitted before the call; 0: not yet */
	uint64_t before;
	struct identity identity;
};

/* Will the kernel refuse to shrink it? Nothing then happens to those who map it. */
static bool is_refused(int fd)
{
	if (fd < 0)
		return false;
	long flags = kernel_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	int seals = facts_seals(fd);

	return (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) || (seals > 0 && (seals & F_SEAL_SHRINK));
}

static void shrinking(struct sizing *s, struct visit *visit, enum symbol symbol, int fd, off_t length)
{
	if (length < 0 || (uint64_t)length == s->before || ((uint64_t)length < s->before && is_refused(fd)))
		return;
	/* Past RLIMIT_FSIZE the call may kill the process (SIGXFSZ), so that is told before it happens, too. */
	if ((uint64_t)length > s->before && (uint64_t)length <= facts_file_size_limit())
		return;
	if ((uint64_t)length < s->before)
		s->identity.size = (uint64_t)length;
	s->seq = RECORD(visit, ftruncate, &s->identity, .symbol = (uint16_t)symbol, .fd = fd, .length = length,
			.size_before = s->before);
}

/* What the policy makes of the call: 1: the call is to be made, else what it answers without being made. */
static int policed(struct sizing *s, enum symbol symbol, int fd, off_t length, const void *caller)
{
	struct ftruncate_event e = {
		.symbol = (uint16_t)symbol, .fd = fd, .length = length, .size_before = s->identity.size};

	s->before = s->identity.size;
	if (!enforce_on)
		return 1;
	enum enforce_verdict verdict = enforce_ftruncate(&e, &s->identity, caller);
	struct identity now;
	s->fixed = verdict == VERDICT_fix;
	if (s->fixed && identity_of_fd(fd, &now))
		s->identity.size = now.size;
	return verdict == VERDICT_deny ? -1 : s->fixed ? 0 : 1;
}

static int sized(struct sizing *s, enum symbol symbol, int fd, off_t length, int result, const void *caller)
{
	struct visit visit;

	if (s->tracked && result == 0 && length == 0)
		enforce_emptied(&s->identity);
	if (s->seq && result < 0) {
		observe_failed(s->seq, caller);
	} else if (s->tracked && !s->seq && observe_enter(&visit, caller)) {
		if (result == 0 && !s->fixed)
			s->identity.size = (uint64_t)length;
		RECORD(&visit, ftruncate, &s->identity, .symbol = (uint16_t)symbol, .fd = fd, .length = length,
		       .error = observe_error(&visit, result < 0), .size_before = s->before);
		observe_leave(&visit);
	}
	return result;
}

int wrap_ftruncate(int (*real_ftruncate)(int, off_t), enum symbol symbol, int fd, off_t length, const void *caller)
{
	struct visit visit;
	struct sizing s = {0};
	int answer = 1;

	fd = wrap_given(fd, caller);
	if (observe_enter(&visit, caller)) {
		s.tracked = identity_of_fd(fd, &s.identity);
		if (s.tracked && observe_expect(&visit))
			identity_of_fd(fd, &s.identity);
		if (s.tracked)
			answer = policed(&s, symbol, fd, length, caller);
		if (s.tracked && answer == 1)
			shrinking(&s, &visit, symbol, fd, length);
		visit.saved_errno = answer < 0 ? errno : visit.saved_errno;
		observe_leave(&visit);
	}
	return sized(&s, symbol, fd, length, answer == 1 ? real_ftruncate(fd, length) : answer, caller);
}

EXPORT int ftruncate(int fd, off_t length)
{
	return wrap_ftruncate(REAL(ftruncate), SYMBOL_ftruncate, fd, length, CALLER);
}

EXPORT int ftruncate64(int fd, off_t length)
{
	return wrap_ftruncate(REAL(ftruncate64), SYMBOL_ftruncate64, fd, length, CALLER);
}

/* What is to be fixed is fixed by it; -1: the program may not. */
static int open_path(const char *path)
{
	long fd = kernel_open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0 && wipe_refused((int)fd, R_OK | W_OK)) {
		kernel_close((int)fd);
		fd = -1;
	}
	return (int)(fd < 0 ? -1 : fd);
}

struct by_path {
	struct sizing *s;
	enum symbol symbol;
	const char *path;
	off_t length;
	const void *caller;
};

static long policed_path(void *context)
{
	const struct by_path *by = context;
	int fd = open_path(by->path), answer = policed(by->s, by->symbol, fd, by->length, by->caller);

	if (fd >= 0)
		kernel_close(fd);
	return answer;
}

/* -1: the policy has it fail, as nothing is there. Of a negative length the kernel says so before it looks at the path. */
static int look_at(struct sizing *s, const char *path, off_t length, char text[static 512])
{
	enum identity_look look;
	bool asks = enforce_on && length >= 0;

	/* What is there by the second look is looked at once more. */
	do {
		s->tracked = names_of_path(AT_FDCWD, path, 0, &s->identity, text);
		look = s->tracked || !asks ? LOOK_other : enforce_look(AT_FDCWD, path, 0, &s->identity);
	} while (look == LOOK_object);
	return look == LOOK_nothing ? -1 : 1;
}

static int truncate_path(int (*real_truncate)(const char *, off_t), enum symbol symbol, const char *path, off_t length,
			 const void *caller)
{
	struct visit visit;
	struct sizing s = {0};
	char text[512];
	int answer = 1;

	if (observe_enter(&visit, caller)) {
		answer = look_at(&s, path, length, text);
		if (s.tracked && observe_expect(&visit))
			answer = look_at(&s, path, length, text);
		if (s.tracked)
			answer = enforce_on ? (int)apart_hidden(APART_ALL, policed_path,
								&(struct by_path){&s, symbol, path, length, caller})
					    : policed(&s, symbol, -1, length, caller);
		if (s.tracked && answer == 1)
			shrinking(&s, &visit, symbol, -1, length);
		visit.saved_errno = answer < 0 ? errno : visit.saved_errno;
		observe_leave(&visit);
	}
	return sized(&s, symbol, -1, length, answer == 1 ? real_truncate(path, length) : answer, caller);
}

EXPORT int truncate(const char *path, off_t length)
{
	return truncate_path(REAL(truncate), SYMBOL_truncate, path, length, CALLER);
}

EXPORT int truncate64(const char *path, off_t length)
{
	return truncate_path(REAL(truncate64), SYMBOL_truncate64, path, length, CALLER);
}

/* A reservation that a signal interrupts each time must end some day. */
enum { INTERRUPTIONS = 10000 };

struct allocating {
	enum symbol symbol;
	int fd, mode;
	off_t offset, length;
	struct sizing sizing;
	int denied;    /* the errno that the policy answers, or 0 */
	bool done;     /* the policy had it done in a way of its own */
	bool reserves; /* the policy has an interrupted reservation tried again */
};

#define ALLOCATION(a)                                                                                                  \
	.symbol = (uint16_t)(a)->symbol, .fd = (a)->fd, .mode = (uint32_t)(a)->mode, .offset = (a)->offset,            \
	.length = (a)->length, .size_before = (a)->sizing.before

/* A mode other than plain allocation and keeping the size takes data away, so it is told before it happens. */
static void allocating(struct allocating *a, const void *caller)
{
	struct visit visit;

	if (!observe_enter(&visit, caller))
		return;
	a->sizing.tracked = identity_of_fd(a->fd, &a->sizing.identity);
	if (a->sizing.tracked && observe_expect(&visit))
		identity_of_fd(a->fd, &a->sizing.identity);
	a->sizing.before = a->sizing.identity.size;
	if (a->sizing.tracked && enforce_on) {
		struct fallocate_event e = {ALLOCATION(a)};
		enum enforce_verdict verdict = enforce_fallocate(&e, &a->sizing.identity, caller);
		a->denied = verdict == VERDICT_deny ? errno : 0;
		a->done = verdict == VERDICT_fix;
		a->reserves = enforce_reserves(&a->sizing.identity);
	}
	if (a->sizing.tracked && !a->denied && (a->mode & ~FALLOC_FL_KEEP_SIZE))
		a->sizing.seq = RECORD(&visit, fallocate, &a->sizing.identity, ALLOCATION(a));
	observe_leave(&visit);
}

static bool empties(const struct allocating *a)
{
	return (a->mode & FALLOC_FL_PUNCH_HOLE) && a->offset == 0 && (uint64_t)a->length >= a->sizing.before;
}

static void allocated(struct allocating *a, bool failed, int error, const void *caller)
{
	struct visit visit;

	if (a->sizing.tracked && !failed && empties(a))
		enforce_emptied(&a->sizing.identity);
	if (a->sizing.seq) {
		if (failed)
			observe_failed(a->sizing.seq, caller);
	} else if (a->sizing.tracked && observe_enter(&visit, caller)) {
		struct identity now;
		if (identity_of_fd(a->fd, &now))
			a->sizing.identity.size = now.size;
		RECORD(&visit, fallocate, &a->sizing.identity, ALLOCATION(a), .error = (int16_t)error);
		observe_leave(&visit);
	}
}

#define WRAP_FALLOCATE(name)                                                                                           \
	EXPORT int name(int fd, int mode, off_t offset, off_t length)                                                  \
	{                                                                                                              \
		fd = wrap_given(fd, CALLER);                                                                           \
		struct allocating a = {SYMBOL_##name, fd, mode, offset, length, {0}, 0, false, false};                 \
		allocating(&a, CALLER);                                                                                \
		int result = a.denied ? -1 : a.done ? 0 : REAL(name)(fd, mode, offset, length);                        \
		errno = a.denied ? a.denied : errno;                                                                   \
		allocated(&a, result < 0, result < 0 ? errno : 0, CALLER);                                             \
		return result;                                                                                         \
	}
WRAP_FALLOCATE(fallocate)
WRAP_FALLOCATE(fallocate64)

/* posix_fallocate(3) answers the error and leaves errno alone. */
#define WRAP_POSIX_FALLOCATE(name)                                                                                     \
	EXPORT int name(int fd, off_t offset, off_t length)                                                            \
	{                                                                                                              \
		fd = wrap_given(fd, CALLER);                                                                           \
		struct allocating a = {SYMBOL_##name, fd, 0, offset, length, {0}, 0, false, false};                    \
		allocating(&a, CALLER);                                                                                \
		int result = a.denied ? a.denied : REAL(name)(fd, offset, length);                                     \
		for (int more = INTERRUPTIONS; result == EINTR && a.reserves && more; more--)                          \
			result = REAL(name)(fd, offset, length);                                                       \
		allocated(&a, result != 0, result, CALLER);                                                            \
		return result;                                                                                         \
	}
WRAP_POSIX_FALLOCATE(posix_fallocate)
WRAP_POSIX_FALLOCATE(posix_fallocate64)

static int owner_changed(enum symbol symbol, int fd, int dirfd, const char *path, uid_t uid, gid_t gid, int flags,
			 int result, const void *caller)
{
	struct visit visit;
	struct identity identity;
	char text[512];

	if (!observe_enter(&visit, caller))
		return result;
	if (path ? names_of_path(dirfd, path, flags, &identity, text) : identity_of_fd(fd, &identity))
		RECORD(&visit, chown, &identity, .symbol = (uint16_t)symbol, .fd = fd, .uid = uid, .gid = gid,
		       .error = observe_error(&visit, result < 0));
	observe_leave(&visit);
	return result;
}

static bool allow_owner(int fd, int dirfd, const char *path, uid_t uid, gid_t gid, int flags, const void *caller)
{
	struct identity identity;

	if (!enforce_on || own_caller(caller))
		return true;
	/* Flags that there are not the kernel refuses before it looks at the path. */
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return true;
	enum identity_look look = path ? enforce_look(dirfd, path, flags, &identity) : LOOK_object;
	if (look != LOOK_object || (!path && !identity_of_fd(fd, &identity)))
		return look != LOOK_nothing;
	return enforce_given(&identity, uid, gid, caller) != VERDICT_deny;
}

EXPORT int chown(const char *path, uid_t uid, gid_t gid)
{
	int result = allow_owner(-1, AT_FDCWD, path, uid, gid, 0, CALLER) ? REAL(chown)(path, uid, gid) : -1;
	return owner_changed(SYMBOL_chown, -1, AT_FDCWD, path, uid, gid, 0, result, CALLER);
}

EXPORT int fchown(int fd, uid_t uid, gid_t gid)
{
	fd = wrap_given(fd, CALLER);
	int result = allow_owner(fd, -1, NULL, uid, gid, 0, CALLER) ? REAL(fchown)(fd, uid, gid) : -1;
	return owner_changed(SYMBOL_fchown, fd, -1, NULL, uid, gid, 0, result, CALLER);
}

EXPORT int lchown(const char *path, uid_t uid, gid_t gid)
{
	int result = allow_owner(-1, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW, CALLER)
			     ? REAL(lchown)(path, uid, gid)
			     : -1;
	return owner_changed(SYMBOL_lchown, -1, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW, result, CALLER);
}

EXPORT int fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	dirfd = wrap_given(dirfd, CALLER);
	int result = allow_owner(-1, dirfd, path, uid, gid, flags, CALLER)
			     ? REAL(fchownat)(dirfd, path, uid, gid, flags)
			     : -1;
	return owner_changed(SYMBOL_fchownat, -1, dirfd, path, uid, gid, flags, result, CALLER);
}
