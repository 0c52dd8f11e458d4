/*
 * Opens with O_TRUNC "to be sure", while another process works in there.
 * expect: truncate-on-open error 1
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
	close(fd);
	fd = shm_open(object, O_CREAT | O_TRUNC | O_RDWR, 0600);
	must(fd >= 0, "shm_open");
	end_reader(reader, &status);
	close(fd);
	must(shm_unlink(object) == 0 && status == 0, "shm_unlink");
	return 0;
}
