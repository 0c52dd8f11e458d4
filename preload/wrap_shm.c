/* shm_open, shm_unlink, memfd_create and named semaphores. */
#include <stdarg.h>
#include <string.h>

#include "preload/enforce_open.h"
#include "preload/fault.h"
#include "preload/kernel.h"
#include "preload/observe.h"
#include "preload/page.h"
#include "preload/real.h"
#include "preload/turns.h"
#include "preload/recorder.h"
#include "preload/unsignalled.h"
#include "preload/wrap.h"

/* What only a look before the call tells, where it has no O_EXCL: will it create the object, what will O_TRUNC empty? */
struct before {
	bool creates;
	uint64_t size;
};

static struct before before(const char *name, const char *prefix, int flags, const void *caller)
{
	struct before b = {0};
	struct visit visit;
	struct identity identity;
	char path[512];

	if (!(flags & (O_CREAT | O_TRUNC)) || !observe_enter(&visit, caller))
		return b;
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	bool exists =
		!exclusive && identity_shm_path(name, prefix, path) && identity_of_path(AT_FDCWD, path, 0, &identity);
	b.creates = (flags & O_CREAT) && !exists;
	b.size = exists ? identity.size : 0;
	observe_leave(&visit);
	return b;
}

static int call_shm_open(const struct enforce_opening *o, int flags, mode_t mode)
{
	return REAL(shm_open)(o->name, flags, mode);
}

/* With O_PATH the kernel ignores most of the others: nothing is made or emptied. */
static int heeded(int flags)
{
	return flags & O_PATH ? flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : flags;
}

static int enforced_shm_open(const char *name, int flags, mode_t mode, struct before *b, const void *caller)
{
	struct enforce_opened opened = {0};
	int result = enforce_open(&(struct enforce_opening){.call = call_shm_open,
							    .name = name,
							    .shm = true,
							    .dirfd = AT_FDCWD,
							    .flags = heeded(flags),
							    .mode = mode,
							    .caller = caller,
							    .opened = &opened});
	*b = (struct before){opened.created, opened.size_before};
	return result;
}

/*
 * LTTng-UST maps a page of the program's /dev/shm, by which a session daemon that starts later would wake it. On a full
 * or tiny tmpfs that page is one too many; ours is no file there, and says that it need not wait. LTTng reads no more of it
 * than one word, that is not to be 0: where the program may have no file so large (RLIMIT_FSIZE), any executable has that.
 */
static int wait_page(void)
{
	long fd = kernel_call(SYS_memfd_create, (long)"lttng-ust-wait", MFD_CLOEXEC, 0, 0, 0, 0);
	const int32_t awake = 1;

	if (fd < 0)
		return -1;
	if (unsignalled_ftruncate((int)fd, page_round(1)) < 0 || unsignalled_write((int)fd, &awake, sizeof awake) < 0) {
		kernel_close((int)fd);
		fd = kernel_open("/proc/thread-self/exe", O_RDONLY | O_CLOEXEC);
	}
	return fd < 0 ? -1 : own_fd_hide((int)fd);
}

static bool is_wait_page(const char *name)
{
	static const char prefix[] = "/lttng-ust-wait-";
	return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
	struct visit visit;
	bool ours = own_caller(CALLER);

	if (__builtin_expect(name && is_wait_page(name), false) && (ours || (own_find_tracer() && own_caller(CALLER))))
		return wait_page();
	bool enforced = enforce_on && !ours;
	char path[512];
	struct before b = {0};

	observe_awaken(CALLER);
	if (!enforced)
		b = before(name, "", flags, CALLER);
	bool changing = ours && own_changing(CALLER);
	int result = enforced ? enforced_shm_open(name, flags, mode, &b, CALLER) : REAL(shm_open)(name, flags, mode);
	if (ours && result >= 0)
		result = own_fd_hide(result);
	own_changed(changing);
	/* Of an object that it did not make there is nothing to remember, unless who has it open decides what is wiped. */
	if (enforced && result >= 0 && !b.creates && enforce_unheard && !enforce_clears && recorder_silent())
		return result;
	if (observe_enter(&visit, CALLER)) {
		struct identity identity;
		bool tracked = identity_of_fd(result, &identity);
		identity.name = name;
		if (!tracked && identity_shm_path(name, "", path))
			wrap_refused_path(&visit, AT_FDCWD, path, 0, path, KIND_shm);
		RECORD(&visit, shm_open, tracked ? &identity : NULL, .name = name, .flags = (uint32_t)flags,
		       .mode = (flags & O_CREAT) ? mode : 0, .result = result, .created = b.creates && result >= 0,
		       .size_before = b.size, .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

/*
 * An unlink by any name of a path that leads to an object: emitted before the call, or after it when there is none. One that
 * was made between the look, which found nothing, and the call, is removed all the same: which it was nobody can say.
 */
static struct released unlinking(struct visit *visit, enum symbol symbol, const char *name, const char *prefix,
				 bool *nothing)
{
	struct unlink_event call = {.symbol = (uint16_t)symbol, .dirfd = AT_FDCWD, .name = name};
	uint8_t kind = symbol == SYMBOL_sem_unlink ? KIND_semaphore : KIND_shm;
	struct released released = {0, 0};
	char path[512];

	if (identity_shm_path(name, prefix, path))
		*nothing = observe_unlink(visit, call, path, kind, &released) == LOOK_nothing;
	return released;
}

static int unlink_shm(int (*real_unlink)(const char *), enum symbol symbol, const char *name, const char *prefix,
		      const void *caller)
{
	struct visit visit;
	struct released released = {0, 0};
	bool nothing = false;

	if (observe_enter(&visit, caller)) {
		released = unlinking(&visit, symbol, name, prefix, &nothing);
		observe_leave(&visit);
	}
	/* By its path a semaphore has another name than an object of shm_open. */
	char path[512];
	struct enforce_removing removing = {.at = {AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, path}, .caller = caller};
	bool asked = enforce_on && identity_shm_path(name, prefix, path);
	bool denied = asked && enforce_unlink(&removing) == VERDICT_deny;
	/* The C library makes one of the other. */
	if (denied && errno == EPERM)
		errno = EACCES;
	if (denied && observe_enter(&visit, caller)) {
		wrap_refused_path(&visit, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, path,
				  symbol == SYMBOL_sem_unlink ? KIND_semaphore : KIND_shm);
		observe_leave(&visit);
	}
	int result = denied ? -1 : real_unlink(name);
	if (asked && !denied)
		enforce_unlinked(&removing, result < 0);
	if (result < 0 && released.seq) {
		observe_failed(released.seq, caller);
	} else if (result == 0 && !nothing) {
		if (asked)
			observe_judged(&released, caller);
	} else if (observe_enter(&visit, caller)) {
		RECORD(&visit, unlink, NULL, .symbol = (uint16_t)symbol, .dirfd = AT_FDCWD, .name = name,
		       .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

EXPORT int shm_unlink(const char *name)
{
	return unlink_shm(REAL(shm_unlink), SYMBOL_shm_unlink, name, "", CALLER);
}

EXPORT int sem_unlink(const char *name)
{
	return unlink_shm(REAL(sem_unlink), SYMBOL_sem_unlink, name, "sem.", CALLER);
}

int wrap_memfd_create(int (*real_create)(const char *, unsigned), const char *name, unsigned flags, const void *caller)
{
	struct visit visit;
	unsigned given = flags;

	recorder_may_begin();
	if (enforce_on && !own_caller(caller))
		flags = enforce_memfd_flags(name, flags, caller);
	int result = real_create(name, flags);
	/* MFD_NOEXEC_SEAL is known since Linux 6.3. */
	if (result < 0 && errno == EINVAL && flags != given) {
		enforce_not_fixed(RULE_memfd_executable);
		result = real_create(name, given | (flags & MFD_CLOEXEC));
	}

	if (wrap_hides(result, caller))
		return own_fd_hide(result);
	if (observe_enter(&visit, caller)) {
		struct identity identity;
		bool tracked = identity_of_fd(result, &identity);
		identity.name = name;
		identity.kind = KIND_memfd;
		/* It may have failed before the kernel read the name. */
		RECORD(&visit, memfd_create, tracked ? &identity : NULL,
		       .name = result < 0 && !kernel_one_text_readable(name) ? "" : name, .flags = flags,
		       .result = result, .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

EXPORT int memfd_create(const char *name, unsigned flags)
{
	return wrap_memfd_create(REAL(memfd_create), name, flags, CALLER);
}

static void *call_sem_open(const struct enforce_semaphore *s, int flags, mode_t mode)
{
	sem_t *opened = REAL(sem_open)(s->name, flags, mode, s->value);
	return opened == SEM_FAILED ? NULL : opened;
}

static sem_t *enforced_sem_open(const char *name, int flags, mode_t mode, unsigned value, const void *caller)
{
	if (!enforce_on || own_caller(caller))
		return REAL(sem_open)(name, flags, mode, value);
	sem_t *opened = enforce_semaphore(&(struct enforce_semaphore){call_sem_open, name, flags, mode, value, caller});
	return opened ? opened : SEM_FAILED;
}

EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	struct visit visit;
	struct before b = {0};
	mode_t mode = 0;
	unsigned value = 0;

	observe_awaken(CALLER);
	if (flags & O_CREAT) {
		va_list arguments;
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		value = va_arg(arguments, unsigned);
		va_end(arguments);
		b = before(name, "sem.", flags, CALLER);
	}
	char path[512];
	sem_t *result = enforced_sem_open(name, flags, mode, value, CALLER);
	if (observe_enter(&visit, CALLER)) {
		struct identity identity;
		bool tracked = result != SEM_FAILED && identity_shm_path(name, "sem.", path) &&
			       identity_of_path(AT_FDCWD, path, 0, &identity);
		identity.kind = KIND_semaphore;
		if (!tracked && identity_shm_path(name, "sem.", path))
			wrap_refused_path(&visit, AT_FDCWD, path, 0, path, KIND_semaphore);
		RECORD(&visit, sem_open, tracked ? &identity : NULL, .name = name, .flags = (uint32_t)flags,
		       .mode = mode, .result = (uint64_t)(uintptr_t)result,
		       .created = b.creates && result != SEM_FAILED,
		       .error = observe_error(&visit, result == SEM_FAILED));
		observe_leave(&visit);
	}
	if (result != SEM_FAILED) {
		fault_expect();
		turns_taken(SYMBOL_sem_open, result, CALLER);
	}
	return result;
}

EXPORT int sem_close(sem_t *sem)
{
	struct visit visit;
	uint32_t seq = 0;

	if (observe_enter(&visit, CALLER)) {
		seq = RECORD(&visit, sem_close, NULL, .addr = (uint64_t)(uintptr_t)sem);
		observe_leave(&visit);
	}
	int result = REAL(sem_close)(sem);
	if (result < 0)
		observe_failed(seq, CALLER);
	return result;
}
