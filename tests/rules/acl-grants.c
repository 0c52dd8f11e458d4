/*
 * The mode shows a group; the list behind it lets one more user in.
 * expect: acl-grants warning 1
 */
#include <sys/syscall.h>

#include "rule.h"

/* As acl(5) lays it out: rw for the owner, for uid 12345 and, by the mask, for no one else. */
static const struct {
	unsigned version;
	struct {
		unsigned short tag, rights;
		unsigned id;
	} entry[5];
} list = {2, {{1, 6, ~0u}, {2, 6, 12345}, {4, 0, ~0u}, {16, 6, ~0u}, {32, 0, ~0u}}};

int main(void)
{
	int fd = create(name(), PAGE);

	/* Unseen, as if by another program: what sets it is found as well. */
	must(syscall(SYS_fsetxattr, fd, "system.posix_acl_access", &list, sizeof(list), 0) == 0, "fsetxattr");
	must(shm_open(name(), O_RDWR, 0) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
