/* Removes what an earlier run may have left, creates the object, removes it once. */
#include "rule.h"

int main(void)
{
	must(shm_unlink(name()) != 0 && errno == ENOENT, "shm_unlink of nothing");
	close(create(name(), PAGE));
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
