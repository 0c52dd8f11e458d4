/*
 * REAL(call): the originals of every row of CALLS, found with RTLD_NEXT once: the C library's, or another interposer's between
 * us. What our own libraries do goes past such, who may need the loader's lock to find the next: a thread of LTTng's must
 * not, while dlopen(3) holds it and waits for that thread.
 */
#ifndef SHMGUARD_REAL_H
#define SHMGUARD_REAL_H

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "preload/own.h"
#include "tracepoints/calls.h"

#define REAL_MEMBER(symbol, event, result, parameters) result(*symbol) parameters;
struct real {
	CALLS(REAL_MEMBER)
};
#undef REAL_MEMBER

extern struct real real_table;
extern const struct real *real_own_table; /* of our own libraries */
extern bool real_resolved;
/* The original of syscall(2) once more, where assembly finds it. */
extern long (*real_syscall)(long, ...);

/* Of libc's own, as a program, or a library before libc, may have those names for something else. */
#define REAL_OTHERS(X)                                                                                                 \
	X(clock_gettime)                                                                                               \
	X(dl_iterate_phdr)                                                                                             \
	X(dladdr1)                                                                                                     \
	X(dlsym)                                                                                                       \
	X(fdopen)                                                                                                      \
	X(fileno)                                                                                                      \
	X(get_nprocs_conf)                                                                                             \
	X(getauxval)                                                                                                   \
	X(getcontext)                                                                                                  \
	X(getenv)                                                                                                      \
	X(on_exit)                                                                                                     \
	X(posix_spawn_file_actions_addclose)                                                                           \
	X(pthread_attr_getstacksize)                                                                                   \
	X(pthread_barrierattr_getpshared)                                                                              \
	X(pthread_key_create)                                                                                          \
	X(pthread_key_delete)                                                                                          \
	X(pthread_mutexattr_getpshared)                                                                                \
	X(pthread_mutexattr_getrobust)                                                                                 \
	X(pthread_rwlockattr_getpshared)                                                                               \
	X(pthread_mutex_trylock)                                                                                       \
	X(pthread_mutex_unlock)                                                                                        \
	X(pthread_setcancelstate)                                                                                      \
	X(pthread_setcanceltype)                                                                                       \
	X(pthread_setspecific)                                                                                         \
	X(pthread_sigmask)                                                                                             \
	X(secure_getenv)                                                                                               \
	X(sigaddset)                                                                                                   \
	X(sigemptyset)                                                                                                 \
	X(sigismember)                                                                                                 \
	X(strerrorname_np)
#define REAL_OTHER(symbol) __typeof__(symbol) *symbol;
extern struct real_others {
	REAL_OTHERS(REAL_OTHER)
} real_others;
#undef REAL_OTHER

/* Fills the tables; called by REAL() where another library's constructor calls a wrapper before ours has run. */
void real_resolve(void);
/* Before a library of ours is loaded. */
void real_resolve_own(bool sanitized);
/*
 * Is this what our wrapper of that name goes on to? The same function under another name may lie between us and another
 * interposer.
 */
bool real_is(const void *original, const char *name);

#define REAL(symbol)                                                                                                   \
	(__builtin_expect(real_resolved, true) ? (void)0 : real_resolve(),                                             \
	 __builtin_expect(own_thread, false) ? real_own_table->symbol : real_table.symbol)

#define LIBC(symbol) (__builtin_expect(real_resolved, true) ? (void)0 : real_resolve(), real_others.symbol)

#endif
