#include "preload/filter.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "preload/kernel.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/*
 * What is called in a process with a filter: no thread apart is made there (apart.h), nor what recorder_filtered keeps from.
 * Arguments that a filter is likely to look at; the others are taken for 0.
 */
static const struct needed {
	const char *name;
	uint64_t arguments[4];
	int number;
	bool may_fail; /* where the filter refuses it nothing is lost */
} needed[] =
	{
#define NEEDED(name, ...)                                                                                              \
	{                                                                                                              \
#name, {__VA_ARGS__ }, SYS_##name, false                                                               \
	}
#define NEEDED_UNLESS_REFUSED(name)                                                                                    \
	{                                                                                                              \
#name, {0 }, SYS_##name, true                                                                          \
	}
		NEEDED(clock_gettime, CLOCK_MONOTONIC),
		NEEDED(close, 3),
		NEEDED(exit_group),
		NEEDED(fcntl, 3, F_DUPFD_CLOEXEC),
		NEEDED(fstat, 3),
		NEEDED(fstatfs, 3),
		NEEDED(futex, 0, FUTEX_WAIT_PRIVATE),
		NEEDED(getcpu),
		NEEDED_UNLESS_REFUSED(getcwd),
		NEEDED(getdents64, 3),
		NEEDED(geteuid),
		NEEDED(getgid),
		NEEDED(getpid),
		NEEDED(getppid),
		NEEDED(getsockopt, 3),
		NEEDED(getuid),
		NEEDED(gettid),
		NEEDED(madvise),
		NEEDED(membarrier),
		NEEDED_UNLESS_REFUSED(mincore),
		NEEDED(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED),
		NEEDED(munmap, 0, 4096),
		NEEDED(nanosleep),
		NEEDED(newfstatat, (uint64_t)AT_FDCWD),
		NEEDED(openat, (uint64_t)AT_FDCWD, 0, O_RDONLY | O_CLOEXEC),
		NEEDED(openat, (uint64_t)AT_FDCWD, 0, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW),
		NEEDED(ppoll),
		NEEDED(prlimit64),
		NEEDED(read, 3),
		NEEDED(readlinkat, (uint64_t)AT_FDCWD),
		NEEDED(recvmsg, 3),
		NEEDED(rt_sigaction, 7),
		NEEDED(rt_sigpending),
		NEEDED(rt_sigprocmask),
		NEEDED(rt_sigtimedwait),
		NEEDED(sendmsg, 3),
		NEEDED(sigaltstack),
		NEEDED(statfs),
		NEEDED(write, 3),
},
  needed_to_come_up[] = {
	  NEEDED(clock_nanosleep),
	  NEEDED(clone3),
	  NEEDED(connect, 3),
	  NEEDED(exit),
	  NEEDED_UNLESS_REFUSED(get_mempolicy),
	  NEEDED_UNLESS_REFUSED(getegid),
	  NEEDED(geteuid),
	  NEEDED_UNLESS_REFUSED(memfd_create),
	  NEEDED(mprotect, 0, 4096, PROT_READ | PROT_WRITE),
	  NEEDED_UNLESS_REFUSED(pipe2),
#ifdef SYS_poll
	  NEEDED(poll),
#endif
	  NEEDED(prctl, PR_SET_NAME),
	  NEEDED(rseq),
	  NEEDED(sched_getaffinity),
	  NEEDED_UNLESS_REFUSED(set_mempolicy),
	  NEEDED(set_robust_list),
	  NEEDED_UNLESS_REFUSED(setsockopt),
	  NEEDED(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC),
};

/* One run of it, as the kernel makes it (seccomp(2), "classic" BPF). */
struct run {
	const struct seccomp_data *data;
	uint32_t a, x, memory[BPF_MEMWORDS];
};

static uint32_t calculated(const struct run *run, const struct sock_filter *at)
{
	uint32_t with = BPF_SRC(at->code) == BPF_X ? run->x : at->k;

	switch (BPF_OP(at->code)) {
	case BPF_ADD:
		return run->a + with;
	case BPF_SUB:
		return run->a - with;
	case BPF_MUL:
		return run->a * with;
	case BPF_DIV:
		return with ? run->a / with : 0;
	case BPF_AND:
		return run->a & with;
	case BPF_OR:
		return run->a | with;
	case BPF_XOR:
		return run->a ^ with;
	case BPF_LSH:
		return with < 32 ? run->a << with : 0;
	case BPF_RSH:
		return with < 32 ? run->a >> with : 0;
	default:
		return -run->a;
	}
}

static uint32_t loaded(const struct run *run, const struct sock_filter *at)
{
	uint32_t value = 0;

	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		return at->k;
	case BPF_MEM:
		return at->k < BPF_MEMWORDS ? run->memory[at->k] : 0;
	case BPF_LEN:
		return sizeof *run->data;
	default:
		if (at->k <= sizeof *run->data - sizeof value)
			memcpy(&value, (const char *)run->data + at->k, sizeof value);
		return value;
	}
}

/* How many instructions are to be left out. */
static uint32_t jump(const struct run *run, const struct sock_filter *at)
{
	uint32_t with = BPF_SRC(at->code) == BPF_X ? run->x : at->k;

	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		return run->a == with ? at->jt : at->jf;
	case BPF_JGT:
		return run->a > with ? at->jt : at->jf;
	case BPF_JGE:
		return run->a >= with ? at->jt : at->jf;
	default:
		return run->a & with ? at->jt : at->jf;
	}
}

static uint32_t answer(const struct sock_fprog *program, const struct seccomp_data *data)
{
	struct run run = {.data = data};

	/* Jumps lead forwards only, so it ends. */
	for (uint32_t i = 0; i < program->len; i++) {
		const struct sock_filter *at = &program->filter[i];
		switch (BPF_CLASS(at->code)) {
		case BPF_LD:
			run.a = loaded(&run, at);
			break;
		case BPF_LDX:
			run.x = loaded(&run, at);
			break;
		case BPF_ST:
		case BPF_STX:
			if (at->k < BPF_MEMWORDS)
				run.memory[at->k] = BPF_CLASS(at->code) == BPF_ST ? run.a : run.x;
			break;
		case BPF_ALU:
			run.a = calculated(&run, at);
			break;
		case BPF_JMP:
			i += jump(&run, at);
			break;
		case BPF_RET:
			return BPF_RVAL(at->code) == BPF_A ? run.a : at->k;
		default:
			if (BPF_MISCOP(at->code) == BPF_TAX)
				run.x = run.a;
			else
				run.a = run.x;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static const char *refuses(const struct sock_fprog *program, const struct needed *some, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct seccomp_data data = {.nr = some[i].number, .arch = ARCHITECTURE};
		for (int k = 0; k < 4; k++)
			data.args[k] = some[i].arguments[k];
		uint32_t action = answer(program, &data) & SECCOMP_RET_ACTION_FULL;
		bool fails = action == SECCOMP_RET_ERRNO && some[i].may_fail;
		if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && !fails)
			return some[i].name;
	}
	return NULL;
}

const char *filter_refuses(const struct sock_fprog *program)
{
	return refuses(program, needed, sizeof needed / sizeof *needed);
}

const char *filter_refuses_to_come_up(const struct sock_fprog *program)
{
	return refuses(program, needed_to_come_up, sizeof needed_to_come_up / sizeof *needed_to_come_up);
}
