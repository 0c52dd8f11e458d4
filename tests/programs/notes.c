/* Fifteen places that map an object and keep the mapping: a note each, and no error. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACE()                                                                                                        \
	do {                                                                                                           \
		if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)                                      \
			return 1;                                                                                      \
	} while (0)
#define FIVE_PLACES()                                                                                                  \
	PLACE();                                                                                                       \
	PLACE();                                                                                                       \
	PLACE();                                                                                                       \
	PLACE();                                                                                                       \
	PLACE()

int main(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/shmguard-notes-%d", (int)getpid());
	fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
	if (fd < 0 || ftruncate(fd, 4096) || shm_unlink(name))
		return 1;
	FIVE_PLACES();
	FIVE_PLACES();
	FIVE_PLACES();
	close(fd);
	return 0;
}
