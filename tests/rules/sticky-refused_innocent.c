/* EACCES for want of permission, which says nothing new. */
#include "users.h"

static void fail(void)
{
	must(shm_open("/shmguard-rules.board", O_CREAT | O_RDWR, 0600) < 0 && errno == EACCES, "refusal");
}

int main(void)
{
	private_shm("mode=1777");
	create("/shmguard-rules.board", PAGE);
	as_nobody(fail);
	must(shm_unlink("/shmguard-rules.board") == 0, "shm_unlink");
	return 0;
}
