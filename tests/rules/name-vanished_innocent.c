/* Removes the name itself, and then finds it gone. */
#include "rule.h"

int main(void)
{
	close(create(name(), PAGE));
	must(shm_unlink(name()) == 0, "shm_unlink");
	must(shm_open(name(), O_RDWR, 0) == -1 && errno == ENOENT, "shm_open of what is gone");
	return 0;
}
