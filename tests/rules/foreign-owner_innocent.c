/* A client opens what root made for it. */
#include "users.h"

static void attach(void)
{
	must(shm_open("/shmguard-rules.server", O_RDONLY, 0) >= 0, "attach");
}

int main(void)
{
	private_shm("mode=1777");
	must(fchmod(create("/shmguard-rules.server", PAGE), 0640) == 0, "fchmod");
	must(chown("/dev/shm/shmguard-rules.server", 0, NOBODY) == 0, "chown");
	as_nobody(attach);
	must(shm_unlink("/shmguard-rules.server") == 0, "shm_unlink");
	return 0;
}
