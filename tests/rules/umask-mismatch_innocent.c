/* The same umask takes nothing from 0600. */
#include "rule.h"

int main(void)
{
	umask(027);
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
