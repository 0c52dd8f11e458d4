/*
 * A signal comes while it reserves, and it does not try again. Kernels differ on whether they let it, so a filter does.
 * expect: reservation-interrupted warning 1
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "rule.h"

static void interrupt_fallocate(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINTR),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "prctl");
}

int main(void)
{
	int fd = create(name(), PAGE);

	interrupt_fallocate();
	must(posix_fallocate(fd, 0, 16 * PAGE) == EINTR, "posix_fallocate");
	close(fd);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
