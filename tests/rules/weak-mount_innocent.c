/* Uses a /dev/shm that is mounted as it should be. */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
