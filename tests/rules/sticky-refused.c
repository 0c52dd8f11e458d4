/*
 * The mode lets everyone in, and the kernel refuses O_CREAT all the same.
 * expect: sticky-refused note 1
 */
#include "users.h"

static void offer(void)
{
	umask(0);
	must(shm_open("/shmguard-rules.board", O_CREAT | O_EXCL | O_RDWR, 0660) >= 0, "offer");
}

int main(void)
{
	private_shm("mode=1777");
	as_nobody(offer);
	must(shm_open("/shmguard-rules.board", O_CREAT | O_RDWR, 0600) < 0 && errno == EACCES, "refusal");
	must(shm_unlink("/shmguard-rules.board") == 0, "shm_unlink");
	return 0;
}
