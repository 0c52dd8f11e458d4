/* A process that may lock little memory, whoever it runs as. */
#ifndef SHMGUARD_TESTS_LIMITED_H
#define SHMGUARD_TESTS_LIMITED_H

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "rule.h"

UNUSED static void limit_locking(size_t bytes)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	must(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){bytes, bytes}) == 0, "setrlimit");
	must(syscall(SYS_capget, &header, data) == 0, "capget");
	data[0].effective &= ~(1u << CAP_IPC_LOCK);
	must(syscall(SYS_capset, &header, data) == 0, "capset");
}

#endif
