/* The writer cuts short what the reader does not map; what it maps is sealed, or not open for writing, and stays. */
#include "rule.h"

static void try_in_vain(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC | 8u), read_only;
	char path[32];

	if (fd < 0)
		fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	must(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0, "memfd_create");
	must(mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	pid_t reader = fork();
	if (reader == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	must(reader > 0 && read_only >= 0 && ftruncate(read_only, PAGE) < 0, "a descriptor to read from");
	must(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 && ftruncate(fd, PAGE) < 0, "F_SEAL_SHRINK");
	must(kill(reader, SIGKILL) == 0 && waitpid(reader, NULL, 0) == reader, "waitpid");
}

/* Its only mapping showed later pages once; of a hole in it nothing is left. */
static void shows_others(void)
{
	int fd = memfd_create("pages", MFD_CLOEXEC);
	char *address;

	must(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0, "memfd_create");
	address = map(fd, 2 * PAGE);
	must(remap_file_pages(address, 2 * PAGE, 0, 2, 0) == 0, "remap_file_pages");
	must(remap_file_pages(address, 2 * PAGE, PROT_READ, 5, 0) < 0, "remap_file_pages with a protection");
	must(remap_file_pages(address + PAGE, PAGE, 0, 1, 0) == 0, "remap_file_pages of a part");
	must(remap_file_pages(address, PAGE, 0, 0, 0) == 0, "remap_file_pages of the rest");
	must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
	memset(address, 1, 2 * PAGE);
	must(munmap(address, 2 * PAGE) == 0, "munmap");
	close(fd);
}

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
	try_in_vain();
	shows_others();
	close(fd);
	must(shm_unlink(object) == 0 && status == 0, "shm_unlink");
	return 0;
}
