/*
 * syscall(2): numbers that make, map or release objects, execute, or set a disposition, go through the wrappers of their
 * names, a futex that others may share is noted, and to other calls that have a wrapper the descriptors of our libraries do not
 * exist. All others jump straight to the original, stack untouched, since a system call may come back twice or on another
 * stack (vfork, clone); that these make a child which shares our memory is noticed before.
 */
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload/jump.h"
#include "preload/kernel.h"
#include "preload/observe.h"
#include "preload/real.h"
#include "preload/recorder.h"
#include "preload/turns.h"
#include "preload/wrap.h"

static int raw_memfd_create(const char *name, unsigned flags)
{
	return (int)REAL(syscall)(SYS_memfd_create, name, flags);
}

static int raw_close(int fd)
{
	return (int)REAL(syscall)(SYS_close, fd);
}

static int raw_close_range(unsigned first, unsigned last, int flags)
{
	return (int)REAL(syscall)(SYS_close_range, first, last, flags);
}

static int raw_ftruncate(int fd, off_t length)
{
	return (int)REAL(syscall)(SYS_ftruncate, fd, length);
}

static void *raw_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)REAL(syscall)(SYS_mmap, addr, length, prot, flags, fd, offset);
}

static int raw_munmap(void *addr, size_t length)
{
	return (int)REAL(syscall)(SYS_munmap, addr, length);
}

static void *raw_mremap(void *addr, size_t length, size_t new_length, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	void *new_addr = va_arg(arguments, void *);
	va_end(arguments);
	return (void *)REAL(syscall)(SYS_mremap, addr, length, new_length, flags, new_addr);
}

static int raw_remap_file_pages(void *start, size_t size, int prot, size_t page, int flags)
{
	return (int)REAL(syscall)(SYS_remap_file_pages, start, size, prot, page, flags);
}

static int raw_unshare(int flags)
{
	return (int)REAL(syscall)(SYS_unshare, flags);
}

static int raw_setns(int fd, int type)
{
	return (int)REAL(syscall)(SYS_setns, fd, type);
}

static int raw_prlimit(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
	return (int)REAL(syscall)(SYS_prlimit64, pid, resource, new_limit, old_limit);
}

static int raw_get_or_set(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old_limit)
{
	(void)pid;
	return (int)(new_limit ? REAL(syscall)(SYS_setrlimit, resource, new_limit)
			       : REAL(syscall)(SYS_getrlimit, resource, old_limit));
}

static int raw_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)REAL(syscall)(SYS_execve, path, argv, envp);
}

static int raw_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)REAL(syscall)(SYS_execveat, dirfd, path, argv, envp, flags);
}

/* These take a descriptor first, and are otherwise passed on as they came. */
#if defined(__x86_64__)
#define GIVEN_OLD(X) X(dup2)
#else
#define GIVEN_OLD(X)
#endif
#define GIVEN(X)                                                                                                       \
	X(dup)                                                                                                         \
	X(dup3)                                                                                                        \
	X(fallocate)                                                                                                   \
	X(fchmod)                                                                                                      \
	X(fchmodat)                                                                                                    \
	X(fchown)                                                                                                      \
	X(fchownat)                                                                                                    \
	X(fcntl)                                                                                                       \
	X(flock)                                                                                                       \
	X(fsetxattr)                                                                                                   \
	X(mknodat)                                                                                                     \
	X(openat)                                                                                                      \
	X(recvmmsg)                                                                                                    \
	X(recvmsg)                                                                                                     \
	X(sendmmsg)                                                                                                    \
	X(sendmsg)                                                                                                     \
	X(unlinkat)                                                                                                    \
	GIVEN_OLD(X)
/* These have a second one, as their third argument. */
#define GIVEN_TWO(X)                                                                                                   \
	X(linkat)                                                                                                      \
	X(renameat)                                                                                                    \
	X(renameat2)
#define CASE(name) case SYS_##name:

__attribute__((used)) long wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	switch (number) {
	case SYS_memfd_create:
		return wrap_memfd_create(raw_memfd_create, (const char *)a, (unsigned)b, CALLER);
	case SYS_close:
		return wrap_close(raw_close, (int)a, CALLER);
	case SYS_close_range:
		return wrap_close_range(raw_close_range, (unsigned)a, (unsigned)b, (int)c, CALLER);
	case SYS_ftruncate:
		return wrap_ftruncate(raw_ftruncate, SYMBOL_syscall, (int)a, b, CALLER);
	case SYS_mmap:
		return (long)wrap_mmap(raw_mmap, (void *)a, (size_t)b, (int)c, (int)d, (int)e, f, CALLER);
	case SYS_munmap:
		return wrap_munmap(raw_munmap, (void *)a, (size_t)b, CALLER);
	case SYS_mremap:
		return (long)wrap_mremap(raw_mremap, (void *)a, (size_t)b, (size_t)c, (int)d, (void *)e, CALLER);
	case SYS_remap_file_pages:
		return wrap_remap_file_pages(raw_remap_file_pages, (void *)a, (size_t)b, (int)c, (size_t)d, (int)e,
					     CALLER);
	case SYS_execve:
		return wrap_execve(raw_execve, (const char *)a, (char *const *)b, (char *const *)c, CALLER);
	case SYS_execveat:
		return wrap_execveat(raw_execveat, (int)a, (const char *)b, (char *const *)c, (char *const *)d, (int)e,
				     CALLER);
	case SYS_exit_group:
		wrap_leaving((int)a);
		return REAL(syscall)(number, a, b, c, d, e, f);
	case SYS_exit:
		wrap_thread_leaving((int)a);
		return REAL(syscall)(number, a, b, c, d, e, f);
	case SYS_seccomp:
	case SYS_prctl:
		wrap_confining(number, a, b, c);
		return REAL(syscall)(number, a, b, c, d, e, f);
	case SYS_unshare:
		return wrap_unshare(raw_unshare, (int)a, CALLER);
	case SYS_setns:
		return wrap_setns(raw_setns, (int)a, (int)b, CALLER);
	case SYS_getrlimit:
		return wrap_prlimit(raw_get_or_set, 0, (int)a, NULL, (struct rlimit *)b);
	case SYS_setrlimit:
		return b ? wrap_prlimit(raw_get_or_set, 0, (int)a, (const struct rlimit *)b, NULL)
			 : REAL(syscall)(number, a, b, c, d, e, f);
	case SYS_prlimit64:
		return wrap_prlimit(raw_prlimit, (pid_t)a, (int)b, (const struct rlimit *)c, (struct rlimit *)d);
	case SYS_rt_sigaction:
		return wrap_rt_sigaction(REAL(syscall), a, b, c, d);
	case SYS_futex:
		if (!(b & FUTEX_PRIVATE_FLAG))
			turns_taken(SYMBOL_syscall, (const void *)a, CALLER);
		return REAL(syscall)(number, a, b, c, d, e, f);
		GIVEN(CASE)
		return REAL(syscall)(number, wrap_given((int)a, CALLER), b, c, d, e, f);
		GIVEN_TWO(CASE)
		return REAL(syscall)(number, wrap_given((int)a, CALLER), b, wrap_given((int)c, CALLER), d, e, f);
	default:
		return REAL(syscall)(number, a, b, c, d, e, f);
	}
}

/* clone3(2) has its flags in memory, first, of which the kernel alone may say that it is not there. */
static uint64_t clone_flags(long number, long a)
{
	uint64_t flags;

	if (number != SYS_clone3)
		return (uint64_t)a;
	if (!kernel_readable((const void *)a) || !kernel_readable((const char *)a + sizeof flags - 1))
		return 0;
	memcpy(&flags, (const void *)a, sizeof flags);
	return flags;
}

static bool is_vfork(long number)
{
#if defined(SYS_vfork)
	return number == SYS_vfork;
#else
	(void)number;
	return false;
#endif
}

/* A process, not a thread, which has a recorder_thread of its own: see wrap_vfork.c. */
__attribute__((used)) jump_target target_making(long number, long a);
jump_target target_making(long number, long a)
{
	if (atomic_load_explicit(&recorder_state, memory_order_relaxed) == RECORDER_OFF)
		return (jump_target)REAL(syscall);
	if (is_vfork(number))
		recorder_thread.vforked = true;
	else if ((clone_flags(number, a) & (CLONE_VM | CLONE_THREAD)) == CLONE_VM)
		recorder_share_memory();
	return (jump_target)REAL(syscall);
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* The address of the original stands in real_table, which the first call fills if no constructor has yet. */
#if defined(__x86_64__)
#define WHEN_TO(number, label) "	cmpq $" TEXT(number) ", %rdi\n	je " label "\n"
#define TO_ORIGINAL                                                                                                    \
	"	movq real_syscall(%rip), %rax\n"                                                                             \
	"	testq %rax, %rax\n"                                                                                          \
	"	je 1f\n"                                                                                                     \
	"	jmp *%rax\n"
#define TO_WRAPPER "1:	jmp wrap_syscall\n"
#elif defined(__aarch64__)
#define WHEN_TO(number, label) "	cmp x0, #" TEXT(number) "\n	b.eq " label "\n"
#define TO_ORIGINAL                                                                                                    \
	"	adrp x16, real_syscall\n"                                                                                    \
	"	ldr x16, [x16, :lo12:real_syscall]\n"                                                                        \
	"	cbz x16, 1f\n"                                                                                               \
	"	br x16\n"
#define TO_WRAPPER "1:	b wrap_syscall\n"
#endif

#define WHEN(number) WHEN_TO(number, "1f")
#define WHEN_GIVEN(name) WHEN(__NR_##name)
#define WHEN_MAKING(number) WHEN_TO(number, "2f")
#if defined(__NR_vfork)
#define MAKING_OLD WHEN_MAKING(__NR_vfork)
#else
#define MAKING_OLD
#endif
#define NUMBERS                                                                                                        \
	WHEN(__NR_memfd_create)                                                                                        \
	WHEN(__NR_close)                                                                                               \
	WHEN(__NR_close_range)                                                                                         \
	WHEN(__NR_ftruncate)                                                                                           \
	WHEN(__NR_mmap)                                                                                                \
	WHEN(__NR_munmap)                                                                                              \
	WHEN(__NR_mremap)                                                                                              \
	WHEN(__NR_remap_file_pages)                                                                                    \
	WHEN(__NR_execve)                                                                                              \
	WHEN(__NR_futex)                                                                                               \
	WHEN(__NR_execveat)                                                                                            \
	WHEN(__NR_seccomp)                                                                                             \
	WHEN(__NR_prctl)                                                                                               \
	WHEN(__NR_unshare)                                                                                             \
	WHEN(__NR_setns)                                                                                               \
	WHEN(__NR_membarrier)                                                                                          \
	WHEN(__NR_rt_sigaction)                                                                                        \
	WHEN(__NR_getrlimit)                                                                                           \
	WHEN(__NR_setrlimit)                                                                                           \
	WHEN(__NR_prlimit64)                                                                                           \
	WHEN(__NR_exit)                                                                                                \
	WHEN(__NR_exit_group)                                                                                          \
	WHEN_MAKING(__NR_clone)                                                                                        \
	WHEN_MAKING(__NR_clone3)                                                                                       \
	MAKING_OLD                                                                                                     \
	GIVEN(WHEN_GIVEN)                                                                                              \
	GIVEN_TWO(WHEN_GIVEN)
#define TO_CLONE "2:\n" JUMP("making")

__asm__(".pushsection .text\n"
	".globl syscall\n"
	".type syscall, %function\n"
	"syscall:\n"
	"	.cfi_startproc\n" NUMBERS TO_ORIGINAL TO_WRAPPER TO_CLONE "	.cfi_endproc\n"
	".size syscall, . - syscall\n"
	".popsection\n");
