/*
 * A chmod by path opens an object of 0600 to all readers.
 * expect: world-readable warning 1
 */
#include "rule.h"

int main(void)
{
	char path[80];

	create(name(), PAGE);
	snprintf(path, sizeof(path), "/dev/shm%s", name());
	must(chmod(path, 0644) == 0, "chmod");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
