/* An object of huge pages, more than any machine that runs these tests has in its pool. */
#ifndef SHMGUARD_TESTS_HUGE_H
#define SHMGUARD_TESTS_HUGE_H

#include "rule.h"

#define HUGE_LENGTH ((size_t)1 << 40)

UNUSED static int create_huge(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	must(fd >= 0, "memfd_create");
	must(ftruncate(fd, (off_t)HUGE_LENGTH) == 0, "ftruncate");
	return fd;
}

#endif
