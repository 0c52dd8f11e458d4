/* O_EXCL, and a second open without O_CREAT. */
#include "rule.h"

int main(void)
{
	create(name(), PAGE);
	must(shm_open(name(), O_RDWR, 0) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
