/*
 * The group was meant to write; the umask says no.
 * expect: umask-mismatch note 1
 */
#include "rule.h"

int main(void)
{
	umask(027);
	must(shm_open(name(), O_CREAT | O_EXCL | O_RDWR, 0660) >= 0, "shm_open");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
