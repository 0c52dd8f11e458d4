/* An opening that is denied closes what it has opened, and so ends the record locks of the process on it (see apart.h). */
#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/text.h"

atomic_bool enforce_locks;

enum { OBJECTS = 32 };

/* One number for each object of which that is known. Of two with one number, and where there are more, both may be locked. */
static _Atomic uint64_t objects[OBJECTS];

static uint64_t number_of(const struct identity *identity)
{
	return (identity->ino * 0x9e3779b97f4a7c15u ^ identity->dev) | 1;
}

static bool may_be_locked(const struct identity *identity)
{
	for (int i = 0; i < OBJECTS && objects[i]; i++)
		if (objects[i] == number_of(identity))
			return true;
	return objects[OBJECTS - 1];
}

void enforce_locking(int fd)
{
	struct identity identity;
	uint64_t none = 0;

	if (!enforce_on || !identity_of_fd(fd, &identity) || may_be_locked(&identity))
		return;
	/* First: who finds the number there goes on at once. */
	enforce_locks = true;
	for (int i = 0; i < OBJECTS && !atomic_compare_exchange_strong(&objects[i], &none, number_of(&identity)); i++)
		none = 0;
}

struct attempt {
	int fd, flags;
};

/* Does the kernel let it be opened, and has anybody a lock on it? */
static long opens_locked(void *context)
{
	const struct attempt *attempt = context;
	long fd = text_reopen(attempt->fd, attempt->flags);
	bool locked = fd >= 0 && !apart_is_unlocked((int)fd);

	if (fd >= 0)
		kernel_close((int)fd);
	return locked;
}

int enforce_open_locked(const struct enforce_opening *o, const char *path, struct identity *identity)
{
	int how = O_PATH | O_CLOEXEC | (o->shm ? O_NOFOLLOW : o->flags & O_NOFOLLOW);
	int fd = (int)kernel_call(SYS_openat, o->dirfd, (long)path, how, 0, 0, 0);
	/* Who has a lease on it is waited for by the program's own open, which a signal can end. */
	int flags = o->flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW);
	struct attempt attempt = {fd, flags | O_NONBLOCK};

	if (fd >= 0 && identity_of_fd(fd, identity) && may_be_locked(identity) && apart_run(fd, opens_locked, &attempt))
		return fd;
	if (fd >= 0)
		kernel_close(fd);
	return -1;
}
