/* For programs that play two users: they need root, and a /dev/shm of their own where the other one may own things. */
#ifndef SHMGUARD_TESTS_USERS_H
#define SHMGUARD_TESTS_USERS_H

#include <sched.h>
#include <sys/mount.h>

#include "rule.h"

enum { NOBODY = 65534 };

/* options: of tmpfs, e.g. "mode=1777". */
UNUSED static void private_shm(const char *options)
{
	must(unshare(CLONE_NEWNS) == 0, "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount private");
	must(mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, options) == 0, "mount /dev/shm");
}

/* The other user does it in a process of his own. */
UNUSED static void as_nobody(void (*deed)(void))
{
	int status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
		deed();
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
}

#endif
