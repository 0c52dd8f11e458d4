/* An opening that is denied closes what it has opened, and so ends the record locks of the process on it (see apart.h). */
#include "preload/apart.h"
#include "preload/enforce_inner.h"
#include "preload/kernel.h"
#include "preload/text.h"

atomic_bool enforce_locks;

void enforce_locking(int fd)
{
	struct identity identity;

	if (enforce_on && !enforce_locks && identity_of_fd(fd, &identity))
		enforce_locks = true;
}

struct attempt {
	int fd, flags;
};

/* Does the kernel let it be opened, and has anybody a lock on it? */
static long opens_locked(void *context)
{
	const struct attempt *attempt = context;
	char path[TEXT_DESCRIPTOR];
	long fd = kernel_open(text_descriptor(path, attempt->fd), attempt->flags | O_CLOEXEC);
	bool locked = fd >= 0 && !apart_is_unlocked((int)fd);

	if (fd >= 0)
		kernel_close((int)fd);
	return locked;
}

int enforce_open_locked(const struct enforce_opening *o, const char *path)
{
	struct identity identity;

	int how = O_PATH | O_CLOEXEC | (o->shm ? O_NOFOLLOW : o->flags & O_NOFOLLOW);
	int fd = (int)kernel_call(SYS_openat, o->dirfd, (long)path, how, 0, 0, 0);
	struct attempt attempt = {fd, o->flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW)};
	if (fd >= 0 && identity_of_fd(fd, &identity) && apart_run(fd, opens_locked, &attempt))
		return fd;
	if (fd >= 0)
		kernel_close(fd);
	return -1;
}
