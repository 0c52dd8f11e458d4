/* Removes the name before it ends. */
#include "rule.h"

int main(void)
{
	close(create(name(), 3 * PAGE));
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
