/* The writer cuts short what the reader does not map. */
#include "rule.h"

int main(void)
{
	char object[64];
	int fd, status;
	pid_t reader;

	strcpy(object, name());
	fd = create(object, 4 * PAGE);
	reader = start_reader(object, PAGE);
	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	end_reader(reader, &status);
	close(fd);
	must(shm_unlink(object) == 0 && status == 0, "shm_unlink");
	return 0;
}
