/*
 * The writer starts anew by cutting the object short; the reader still maps all of it.
 * expect: shrink-under-map error 1
 */
#include "rule.h"

int main(void)
{
	char object[64];
	int fd, status;
	pid_t reader;

	strcpy(object, name());
	fd = create(object, 4 * PAGE);
	reader = start_reader(object, 4 * PAGE);
	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	end_reader(reader, &status);
	close(fd);
	must(shm_unlink(object) == 0 && status == 0, "shm_unlink");
	return 0;
}
