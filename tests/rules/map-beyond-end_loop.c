/*
 * Maps one object over and over, faster than a clock ticks, while another process makes it smaller: the mapping after that
 * reaches past the end.
 * expect: map-beyond-end error 1
 * also: shrink-under-map
 */
#include "rule.h"

#include <stdatomic.h>

struct turns {
	atomic_int shrink, shrunk;
};

static void take_turn(atomic_int *turn)
{
	while (!atomic_load(turn))
		;
}

int main(void)
{
	int fd = create(name(), 4 * PAGE);
	struct turns *turns = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t writer = fork();

	must(writer >= 0 && turns != MAP_FAILED, "fork");
	if (writer == 0) {
		take_turn(&turns->shrink);
		must(ftruncate(fd, (off_t)PAGE) == 0, "ftruncate");
		atomic_store(&turns->shrunk, 1);
		_exit(0);
	}
	for (int i = 0; i < 2000; i++) {
		if (i == 1990) {
			atomic_store(&turns->shrink, 1);
			take_turn(&turns->shrunk);
		}
		size_t length = i <= 1990 ? 4 * PAGE : PAGE;
		must(munmap(map(fd, length), length) == 0, "munmap");
	}
	must(waitpid(writer, NULL, 0) == writer && shm_unlink(name()) == 0, "end");
	return 0;
}
