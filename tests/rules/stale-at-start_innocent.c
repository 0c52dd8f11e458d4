/* Starts where what lies in /dev/shm is little. */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
