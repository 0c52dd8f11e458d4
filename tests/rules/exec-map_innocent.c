/* Data; and code in a memfd that nobody can write to any more. */
#include "rule.h"

int main(void)
{
	int code = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING), fd = create(name(), PAGE);

	must(mprotect(map(fd, PAGE), PAGE, PROT_READ) == 0, "mprotect");
	must(code >= 0 && ftruncate(code, (off_t)PAGE) == 0, "memfd_create");
	must(fcntl(code, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0, "seal");
	must(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, code, 0) != MAP_FAILED, "mmap");
	must(shm_unlink(name()) == 0, "shm_unlink");
	return 0;
}
