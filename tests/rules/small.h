/* A /dev/shm of this program alone, as small as a container's. Needs root. */
#ifndef SHMGUARD_TESTS_SMALL_H
#define SHMGUARD_TESTS_SMALL_H

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "rule.h"

UNUSED static void small(const char *size)
{
	char options[64];

	snprintf(options, sizeof(options), "size=%s,mode=1777", size);
	must(unshare(CLONE_NEWNS) == 0, "unshare");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount");
	must(mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, options) == 0, "mount");
}

#endif
