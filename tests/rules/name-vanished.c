/*
 * Creates an object, which somebody unseen removes, and cannot open it again.
 * expect: name-vanished warning 1
 */
#include "rule.h"

#include <sys/syscall.h>

/* The system call itself, as no interposed library sees it: stands for a cleaner outside the recording. */
static long unlink_unseen(const char *path)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_unlink), "D"(path) : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	char path[96];

	close(create(name(), PAGE));
	snprintf(path, sizeof(path), "/dev/shm%s", name());
	must(unlink_unseen(path) == 0, "unlink");
	must(shm_open(name(), O_RDWR, 0) == -1 && errno == ENOENT, "shm_open of what is gone");
	return 0;
}
