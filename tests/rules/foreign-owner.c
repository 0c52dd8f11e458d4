/*
 * Another user was there first, and waits under the name of the server's object.
 * expect: foreign-owner error 1
 */
#include "users.h"

static void squat(void)
{
	must(shm_open("/shmguard-rules.server", O_CREAT | O_EXCL | O_RDWR, 0600) >= 0, "squat");
}

int main(void)
{
	/* Where the directory's owner is that of the file, fs.protected_regular lets O_CREAT through. */
	private_shm("mode=1777,uid=65534");
	as_nobody(squat);
	must(shm_open("/shmguard-rules.server", O_CREAT | O_RDWR, 0600) >= 0, "shm_open");
	must(shm_unlink("/shmguard-rules.server") == 0, "shm_unlink");
	return 0;
}
