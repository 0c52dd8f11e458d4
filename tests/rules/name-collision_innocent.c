/* Its own object of that name; and another's, whose name has the pid's digits in a longer number. */
#include "rule.h"

int main(void)
{
	char object[64];

	create(name(), PAGE);
	must(shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST, "EEXIST");
	must(shm_unlink(name()) == 0, "shm_unlink");
	snprintf(object, sizeof(object), "/shmguard-rules.%d0", getpid());
	create(object, PAGE);
	must(shm_open(object, O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST, "EEXIST");
	must(shm_unlink(object) == 0, "shm_unlink");
	return 0;
}
