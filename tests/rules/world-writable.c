/*
 * A ring buffer that everybody may write to, and so truncate.
 * expect: world-writable error 1
 */
#include "rule.h"

int main(void)
{
	umask(0);
	must(shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0666) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
