/*
 * Another user's symlink leads the server to a file of its own.
 * expect: symlink-or-special error 1
 */
#include "users.h"

static void plant(void)
{
	must(symlink("/dev/shm/shmguard-rules.secret", "/dev/shm/shmguard-rules.ring") == 0, "symlink");
}

int main(void)
{
	/* Links of the directory's own owner are followed in spite of fs.protected_symlinks. */
	private_shm("mode=1777,uid=65534");
	create("/shmguard-rules.secret", PAGE);
	as_nobody(plant);
	must(open("/dev/shm/shmguard-rules.ring", O_RDWR) >= 0, "open");
	must(shm_unlink("/shmguard-rules.secret") == 0, "shm_unlink");
	return 0;
}
