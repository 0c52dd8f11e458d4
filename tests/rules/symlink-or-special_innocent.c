/* A symlink, a FIFO and a hard link of one's own. */
#include "rule.h"

int main(void)
{
	char object[80], path[80];

	create(name(), PAGE);
	snprintf(object, sizeof(object), "/dev/shm%s", name());
	snprintf(path, sizeof(path), "/dev/shm%s.other", name());
	must(symlink(object, path) == 0 && open(path, O_RDWR) >= 0 && unlink(path) == 0, "symlink");
	must(mkfifo(path, 0600) == 0 && open(path, O_RDWR) >= 0 && unlink(path) == 0, "mkfifo");
	must(link(object, path) == 0 && open(path, O_RDWR) >= 0 && unlink(path) == 0, "link");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
