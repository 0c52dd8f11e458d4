# shellcheck shell=bash
# One place that does the same to many objects.

# workers: records six forks of one program, each of which leaves an object of its own behind, the fourth the largest.
workers()
{
	cat >workers.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void work(const char *prefix, int i)
		{
			char name[64];
			size_t size = i == 3 ? 1 << 20 : 4096 * (i + 1);
			snprintf(name, sizeof name, "%s%d", prefix, i);
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			ftruncate(fd, size);
			mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			close(fd);
		}
		int main(int argc, char **argv)
		{
			for (int i = 0; i < 6; i++) {
				if (fork() == 0) {
					work(argv[argc - 1], i);
					exit(0);
				}
				wait(0);
			}
			return 0;
		}
	END
	gcc -g -D_GNU_SOURCE -w workers.c -o workers
	"$SHMGUARD" run --quiet --report=none -o work -- ./workers "/workers-$$-"
	rm -f /dev/shm/workers-"$$"-*
}
