/* Locks, semaphores and the like that several processes can use: made, or asked for, which may take long. */
#include <pthread.h>
#include <semaphore.h>

#include "preload/enforce_open.h"
#include "preload/ledger.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/turns.h"
#include "preload/wrap.h"

/* Of a mutex in an object that other processes are to lock as well. */
static void tell_mutex(const pthread_mutex_t *mutex, const pthread_mutexattr_t *attr, const void *caller)
{
	struct visit visit;
	int robust = 0;

	if (!ledger_may_map(mutex, sizeof *mutex) || LIBC(pthread_mutexattr_getrobust)(attr, &robust) ||
	    !observe_enter(&visit, caller))
		return;
	RECORD(&visit, mutex, NULL, .addr = (uint64_t)(uintptr_t)mutex, .robust = robust == PTHREAD_MUTEX_ROBUST);
	observe_leave(&visit);
}

EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	int result = REAL(pthread_mutex_init)(mutex, attr), shared = PTHREAD_PROCESS_PRIVATE;

	if (!attr || result || LIBC(pthread_mutexattr_getpshared)(attr, &shared) || shared != PTHREAD_PROCESS_SHARED)
		return result;
	turns_taken(SYMBOL_pthread_mutex_init, mutex, CALLER);
	tell_mutex(mutex, attr, CALLER);
	return result;
}

EXPORT int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
	int result = REAL(pthread_rwlock_init)(lock, attr), shared = 0;

	if (attr && !result && !LIBC(pthread_rwlockattr_getpshared)(attr, &shared) && shared == PTHREAD_PROCESS_SHARED)
		turns_taken(SYMBOL_pthread_rwlock_init, lock, CALLER);
	return result;
}

EXPORT int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr, unsigned count)
{
	int result = REAL(pthread_barrier_init)(barrier, attr, count), shared = 0;

	if (attr && !result && !LIBC(pthread_barrierattr_getpshared)(attr, &shared) && shared == PTHREAD_PROCESS_SHARED)
		turns_taken(SYMBOL_pthread_barrier_init, barrier, CALLER);
	return result;
}

EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	int result = REAL(pthread_spin_init)(lock, shared);

	if (!result && shared == PTHREAD_PROCESS_SHARED)
		turns_taken(SYMBOL_pthread_spin_init, (const void *)lock, CALLER);
	return result;
}

EXPORT int sem_init(sem_t *sem, int shared, unsigned value)
{
	int result = REAL(sem_init)(sem, shared, value);

	if (!result && shared)
		turns_taken(SYMBOL_sem_init, sem, CALLER);
	return result;
}

/* These may wait, and a thread may be cancelled in them: they are told before. */
#define WRAP_ASKING(name, parameters, arguments)                                                                       \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		turns_taken(SYMBOL_##name, NULL, CALLER);                                                              \
		return REAL(name) arguments;                                                                           \
	}
WRAP_ASKING(semop, (int id, struct sembuf *operations, size_t count), (id, operations, count))
WRAP_ASKING(semtimedop, (int id, struct sembuf *operations, size_t count, const struct timespec *timeout),
	    (id, operations, count, timeout))

/* record: the lock is the process's, as by fcntl(2), not the open file description's. */
#define WRAP_LOCKING(name, record, parameters, arguments)                                                              \
	EXPORT int name parameters                                                                                     \
	{                                                                                                              \
		fd = wrap_given(fd, CALLER);                                                                           \
		turns_taken(SYMBOL_##name, NULL, CALLER);                                                              \
		if (record)                                                                                            \
			enforce_locking(fd);                                                                           \
		return REAL(name) arguments;                                                                           \
	}
WRAP_LOCKING(flock, false, (int fd, int operation), (fd, operation))
WRAP_LOCKING(lockf, true, (int fd, int command, off_t length), (fd, command, length))
WRAP_LOCKING(lockf64, true, (int fd, int command, off_t length), (fd, command, length))
