/* A plain group in the mode; and a list whose mask takes back what it grants. */
#include <sys/xattr.h>

#include "rule.h"

static const struct {
	unsigned version;
	struct {
		unsigned short tag, rights;
		unsigned id;
	} entry[5];
} list = {2, {{1, 6, ~0u}, {2, 6, 12345}, {4, 0, ~0u}, {16, 0, ~0u}, {32, 0, ~0u}}};

int main(void)
{
	int fd = create(name(), PAGE);

	must(fchmod(fd, 0660) == 0, "fchmod");
	must(shm_open(name(), O_RDWR, 0) >= 0, "shm_open");
	must(fsetxattr(fd, "system.posix_acl_access", &list, sizeof(list), 0) == 0, "fsetxattr");
	must(shm_open(name(), O_RDWR, 0) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
