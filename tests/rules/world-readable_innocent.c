/* For a group only; and a file in /dev/shm that is written and read, but never mapped: no shared memory. */
#include "rule.h"

int main(void)
{
	char path[80];
	FILE *file;

	must(fchmod(create(name(), PAGE), 0660) == 0, "fchmod");
	must(shm_unlink(name()) == 0, "shm_unlink");
	umask(022);
	snprintf(path, sizeof(path), "/dev/shm%s.o", name());
	file = fopen(path, "w");
	must(file && fputs("object code", file) >= 0 && fclose(file) == 0, "fopen");
	must(unlink(path) == 0, "unlink");
	return 0;
}
