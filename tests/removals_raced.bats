#!/usr/bin/env bats
# Names that several processes make, give, move and remove at one time, and of which they tell in another order.

load helpers
load enforce
bats_require_minimum_version 1.5.0

@test "what two processes make at one time without O_EXCL is one object, that is gone once it is removed" {
	cat >both.c <<-'END'
		#include <fcntl.h>
		#include <semaphore.h>
		#include <stdatomic.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void meet(atomic_int *count, int number)
		{
			atomic_fetch_add(count, 1);
			while (*count < 2 * number)
				;
		}
		static int make(const char *how, const char *name)
		{
			char path[80];
			if (strcmp(how, "sem_open") == 0)
				return sem_close(sem_open(name, O_CREAT, 0600, 1));
			snprintf(path, sizeof path, "/dev/shm%s", name);
			int fd = strcmp(how, "open") == 0 ? open(path, O_CREAT | O_RDWR, 0600)
							  : shm_open(name, O_CREAT | O_RDWR, 0600);
			return close(fd);
		}
		int main(int count, char **arguments)
		{
			atomic_int *met = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
			char name[60];
			int child, failures = make("shm_open", arguments[2]);
			failures += shm_unlink(arguments[2]);
			child = fork() == 0;
			for (int i = 0; i < 300; i++) {
				snprintf(name, sizeof name, "%s-%d", arguments[2], i);
				meet(met, 2 * i + 1);
				failures += make(arguments[1], name);
				meet(met, 2 * i + 2);
				if (!child)
					failures += strcmp(arguments[1], "sem_open") == 0 ? sem_unlink(name) : shm_unlink(name);
			}
			if (!child)
				wait(NULL);
			return failures != 0;
		}
	END
	gcc -w -O both.c -o both
	local how
	for how in shm_open open sem_open; do
		rm -rf recording
		"$SHMGUARD" run --quiet --report=none -o recording -- ./both "$how" "/$NAME"
		report recording >report.json
		holds '(.objects | length) == 301 and all(.objects[]; .unlinked_by != null) and
			all(.findings[]; .rule != "name-vanished" and .rule != "split-brain")'
	done
}

# A process in a time namespace tells of its removal by a clock of its own: later than who misses the name then.
@test "a name that is removed at a later time than it is missed has not vanished" {
	unshare --time --monotonic 1000000 true || skip "needs time namespaces"
	[ "$(nproc)" -gt 1 ] || skip "needs two processors"
	cat >clocks.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char command[500], name[100], path[120];
			long result;
			if (argc == 3)
				return shm_unlink(argv[2]);
			snprintf(name, sizeof name, "%s-2", argv[1]);
			if (shm_open(argv[1], O_CREAT | O_RDWR | O_EXCL, 0600) < 0 || shm_open(name, O_CREAT | O_RDWR, 0600) < 0)
				return 2;
			snprintf(command, sizeof command, "unshare --time --monotonic 1000000 --fork taskset -c 0 %s remove %s",
				 argv[0], argv[1]);
			if (system(command) || shm_open(argv[1], O_RDWR, 0) >= 0)
				return 3;
			/* The system call itself stands for a stranger's. */
			snprintf(path, sizeof path, "/dev/shm%s", name);
			__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_unlink), "D"(path) : "rcx", "r11", "memory");
			if (result)
				return 4;
			return shm_open(name, O_RDWR, 0) >= 0;
		}
	END
	gcc -w clocks.c -o clocks
	taskset -c 1 "$SHMGUARD" run --quiet --report=none -o recording -- ./clocks "/$NAME"
	report recording >report.json
	holds --arg name "/$NAME" '[.findings[] | select(.rule == "name-vanished") | .message | split(",")[0]] == [$name + "-2"] and
		(.objects[] | select(.names == [$name]) | .unlinked_by != null)'
}

# What was looked at before the call is gone by then, and its maker's next object has the name.
@test "what is renamed while its maker removes it and makes the next is the next" {
	[ "$(nproc)" -gt 1 ] || skip "needs two processors"
	cat >next.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char path[100], to[120];
			snprintf(path, sizeof path, "/dev/shm%s", argv[1]);
			volatile sig_atomic_t *over = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
			pid_t mover = fork();
			if (mover == 0) {
				for (int i = 0; !*over; i++) {
					snprintf(to, sizeof to, "%s-%d", path, i);
					if (rename(path, to) == 0 && unlink(to))
						return 1;
				}
				return 0;
			}
			int status, moved = 0;
			for (int i = 0; i < atoi(argv[2]); i++) {
				int fd = shm_open(argv[1], O_CREAT | O_RDWR, 0600);
				close(fd);
				moved += unlink(path) != 0;
			}
			*over = 1;
			waitpid(mover, &status, 0);
			return status || moved < 10;
		}
	END
	gcc -w -O next.c -o next
	"$SHMGUARD" run --quiet --report=none -o recording -- ./next "/$NAME" 6000
	report recording >report.json
	holds 'all(.objects[]; .unlinked_by != null and (.leaked | not)) and
		all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
}

# Its `to` has another object right after the call, as here: that is no sign that it was that one which it moved.
@test "what several processes move to one name is what each has made" {
	cat >publish.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char name[100], from[120], to[120];
			int rounds = atoi(argv[2]), status, failures = 0;
			snprintf(to, sizeof to, "/dev/shm%s", argv[1]);
			for (int child = 0; child < 3; child++) {
				if (fork())
					continue;
				for (int i = 0; i < rounds; i++) {
					snprintf(name, sizeof name, "%s-%d-%d", argv[1], child, i);
					snprintf(from, sizeof from, "/dev/shm%s", name);
					int fd = shm_open(name, O_CREAT | O_RDWR | O_EXCL, 0600);
					ftruncate(fd, 4096);
					close(fd);
					if (rename(from, to))
						failures++;
					if (i % 3 == 0)
						unlink(to);
				}
				_exit(failures != 0);
			}
			while (wait(&status) > 0)
				failures += status != 0;
			unlink(to);
			return failures;
		}
	END
	gcc -w -O publish.c -o publish
	"$SHMGUARD" run --quiet --report=none -o recording -- ./publish "/$NAME" 400
	report recording >report.json
	holds '(.objects | length) == 1200 and all(.objects[]; .unlinked_by != null and (.leaked | not)) and
		all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
}

@test "what gets its name by a link is gone where another tells first that he removed it" {
	cat >linked.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char path[100], from[40];
			snprintf(path, sizeof path, "/dev/shm%s", argv[1]);
			int rounds = atoi(argv[2]), status;
			if (fork() == 0) {
				for (int removed = 0; removed < rounds;)
					removed += unlink(path) == 0;
				_exit(0);
			}
			for (int i = 0; i < rounds; i++) {
				int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
				ftruncate(fd, 4096);
				munmap(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 4096);
				snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
				while (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW))
					;
				close(fd);
			}
			wait(&status);
			return status != 0;
		}
	END
	gcc -w -O linked.c -o linked
	"$SHMGUARD" run --quiet --report=none -o recording -- ./linked "/$NAME" 300
	report recording >report.json
	holds '(.objects | length) >= 300 and all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
	"$SHMGUARD" objects recording >listed
	run -1 grep -F "$NAME" listed
}
