#!/usr/bin/env bats
# The objects of a recording after an exec: whose descriptors they are then, and whose mappings no longer.

bats_require_minimum_version 1.5.0

load helpers

# It prepares descriptors of /dev/shm/heirs-KIND, and has the program begin anew with them by the way that KIND names. That
# prints what /proc tells of them, and makes a call whose time is that moment's; "silent" leaves that to its parent.
setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	cat >heirs.c <<-'END'
		#define _GNU_SOURCE
		#include <dirent.h>
		#include <fcntl.h>
		#include <spawn.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/socket.h>
		#include <sys/wait.h>
		#include <unistd.h>
		extern char **environ;
		static void list(void)
		{
			char link[300];
			DIR *directory = opendir("/proc/self/fd");
			printf("process %d\n", (int)getpid());
			for (struct dirent *e; (e = readdir(directory));) {
				ssize_t length = readlinkat(dirfd(directory), e->d_name, link, sizeof link - 1);
				link[length > 0 ? length : 0] = 0;
				if (strncmp(link, "/dev/shm/heirs", 14) == 0)
					printf("descriptor %s\n", e->d_name);
			}
			closedir(directory);
			fflush(stdout);
		}
		static void mark(void)
		{
			shm_open("/mark", O_RDONLY, 0);
		}
		static void map(int fd)
		{
			munmap(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
		}
		static int heir(const char *how)
		{
			char byte;
			if (strcmp(how, "closing") == 0) {
				close(80);
				dup2(0, 81);
				close_range(82, 83, 0);
				close(85); /* which it does not have */
				if (!vfork()) {
					close(84);
					_exit(0);
				}
				if (!fork())
					return close(84);
			}
			if (strcmp(how, "closefrom") == 0)
				closefrom(3);
			if (strcmp(how, "used") == 0) {
				map(fcntl(80, F_DUPFD, 40));
				close(40);
				ftruncate(fcntl(80, F_DUPFD, 41), 8192);
				dup2(0, 41);
				map(dup2(80, 42));
				close_range(42, 43, 0);
				fchmod(dup2(80, 90), 0600);
				fallocate(dup3(80, 91, 0), 0, 0, 4096);
				closefrom(90);
				map(dup2(80, 50));
				ftruncate(dup2(80, 51), 4096);
				dup2(50, 52); /* of one that is followed */
				dup2(52, 53);
				close(52);
			}
			if (strcmp(how, "copied") == 0) {
				dup2(80, 60);
				fcntl(80, F_DUPFD, 62);
				dup(60);
				dup2(80, 64);
				close(64);
				close(80);
			}
			list();
			if (strcmp(how, "silent"))
				mark();
			else
				write(200, "", 1) < 0 || read(201, &byte, 1);
			return 0;
		}
		static void receive(int fd)
		{
			int ends[2];
			char byte, room[CMSG_SPACE(sizeof fd)] = {0};
			struct iovec io = {&byte, 1};
			struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
			struct cmsghdr *c = CMSG_FIRSTHDR(&m);
			*c = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
			memcpy(CMSG_DATA(c), &fd, sizeof fd);
			socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
			sendmsg(ends[0], &m, 0);
			m.msg_controllen = sizeof room;
			recvmsg(ends[1], &m, 0);
		}
		int main(int count, char **argv)
		{
			const char *kind = argv[1];
			char *again[] = {argv[0], argv[1], "heir", NULL}, command[300];
			int ours[2], its[2];
			pid_t child = 0;
			if (count > 2)
				return heir(kind);
			int fd = open("/dev/shm/heirs", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (strcmp(kind, "closing") == 0 || strcmp(kind, "closefrom") == 0)
				for (int to = 80; to < 85; to++)
					dup2(fd, to);
			if (strcmp(kind, "copied") == 0)
				dup2(fd, 80);
			if (strcmp(kind, "used") == 0)
				ftruncate(dup2(fd, 80), 4096);
			if (strcmp(kind, "none") == 0)
				fcntl(fd, F_SETFD, FD_CLOEXEC);
			if (strcmp(kind, "many") == 0)
				for (int i = 0; i < 600; i++)
					dup(fd);
			if (strcmp(kind, "changed") == 0) {
				dup2(fd, 80);
				dup3(fd, 81, O_CLOEXEC);
				fcntl(fd, F_DUPFD, 90);
				fcntl(fd, F_DUPFD_CLOEXEC, 95);
				fcntl(open("/dev/shm/heirs", O_RDWR | O_CLOEXEC), F_SETFD, 0);
				receive(fd);
				fcntl(fd, F_SETFD, FD_CLOEXEC);
			}
			if (strcmp(kind, "posix_spawn") == 0) {
				posix_spawn_file_actions_t actions;
				posix_spawn_file_actions_init(&actions);
				posix_spawn_file_actions_adddup2(&actions, fd, 70);
				posix_spawn(&child, argv[0], &actions, NULL, again, environ);
			} else if (strcmp(kind, "vfork") == 0) {
				child = vfork();
				if (!child) {
					execv(argv[0], again);
					_exit(1);
				}
			} else if (strcmp(kind, "system") == 0) {
				snprintf(command, sizeof command, "%s system heir; :", argv[0]);
				system(command);
			} else if (strcmp(kind, "silent") == 0) {
				pipe(ours), pipe(its);
				dup2(ours[1], 200), dup2(its[0], 201);
				posix_spawn(&child, argv[0], NULL, NULL, again, environ);
				read(ours[0], command, 1);
				shm_unlink("/heirs");
				close(fd);
				mark();
				write(its[1], "", 1);
			} else {
				child = fork();
				if (!child)
					execv(argv[0], again);
			}
			waitpid(child, NULL, 0);
			shm_unlink("/heirs");
			return 0;
		}
	END
	cc -w -o heirs heirs.c
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# heirs KIND: what `objects` says of the new program at that moment is what it found itself.
heirs()
{
	"$SHMGUARD" run --quiet --report=none -o "$1" -- "$BATS_FILE_TMPDIR/heirs" "$1" >told
	at=$("$SHMGUARD" log "$1" | awk '/shm_open\("\/mark"/ { print $2; exit }')
	"$SHMGUARD" objects --all --at="$at" "$1" >"$1.objects"
	sed -n 's/^descriptor //p' told | sort >"$1.true"
	sed -n "s/^ *$(grep process told) heirs: descriptor //p" "$1.objects" >"$1.listed"
	sort -n -c "$1.listed"
	sort "$1.listed" >"$1.said"
	same "$1.true" "$1.said"
}

@test "a descriptor survives fork and exec, posix_spawn, vfork and system" {
	heirs fork
	heirs posix_spawn
	heirs vfork
	heirs system
	[ "$(wc -l <posix_spawn.true)" -eq 2 ]
}

@test "what dup2, F_DUPFD, F_SETFD and recvmsg made of descriptors is what survives an exec" {
	heirs changed
	[ "$(wc -l <changed.true)" -eq 4 ]
	heirs many
	[ "$(wc -l <many.true)" -eq 601 ]
	heirs none
	[ ! -s none.true ]
}

@test "who got an object over an exec and never touches it has it open all the same" {
	heirs silent
	[ -s silent.true ]
	grep -q 'heirs' silent.objects
}

@test "what the new program closes before anything else of it is recorded, it has no more" {
	heirs closing
	[ "$(tail -n 1 closing.true)" = 84 ]
	[ "$(wc -l <closing.true)" -eq 2 ]
	heirs closefrom
	[ ! -s closefrom.true ]
}

@test "what the new program duplicates before it does anything else it has" {
	heirs copied
	[ "$(grep -cx '60\|62' copied.true)" -eq 2 ]
	[ "$(wc -l <copied.true)" -eq 4 ]
}

@test "a duplicate of an inherited descriptor is followed from its first use to its close" {
	heirs used
	[ "$(grep -x '[0-9][0-9]' used.true | sort | xargs)" = "50 51 53 80" ]
	"$SHMGUARD" log --pid="$(sed -n 's/^process //p' told)" used >calls
	# 43 is none, and 52 was one of a descriptor that is followed.
	[ "$(sed -n 's/.* \(dup\|close\)(\(4[0-9]\|5[2-9]\|9[0-9]\)\()\|, .*\) = .*/\1 \2/p' calls | xargs)" = \
		"close 40 close 41 close 42 close 90 close 91 dup 52 close 52" ]
}

# surviving CHILD: a program whose child has mapped what it made; CHILD ends before the program does, or stays behind it. ./said:
# what processes hold when the recording ends with the program, asked for without a moment and with that of the end.
surviving()
{
	[ -x survivor ] || cc -w -o survivor -xc - <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int fd = shm_open("/survivor", O_CREAT | O_EXCL | O_RDWR, 0600), ready[2];
			char c;
			if (ftruncate(fd, 4096) || pipe(ready))
				return 1;
			pid_t child = fork();
			if (child == 0) {
				mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
				if (*argv[1] == 's')
					for (int i = 0; i < 3; i++)
						close(i);
				alarm(60);
				write(ready[1], "", 1);
				return *argv[1] == 's' ? pause() : 0;
			}
			read(ready[0], &c, 1);
			if (*argv[1] != 's')
				waitpid(child, NULL, 0);
			printf("%d\n", (int)child);
			return 0;
		}
	END
	"$SHMGUARD" run --quiet --report=none --until=command -o "$1" -- ./survivor "$1" >child 3>&-
	kill "$(cat child)" || [ "$1" = ends ]
	rm -f /dev/shm/survivor
	"$SHMGUARD" objects "$1" >"$1.end"
	at=$(jq '(.ended - .started) / 1000000000' "$1/recording.json")
	"$SHMGUARD" objects --at="$at" "$1" >"$1.at"
	same "$1.end" "$1.at"
	grep '^ *process' "$1.end" | sed 's/ at 0x.*//; s/^ *//; s/ [0-9]* / /' >said || true
}

@test "who is still there when the recording ends has what it has" {
	surviving stays
	[ "$(cat said)" = $'process survivor: descriptor 3\nprocess survivor: maps [0, 4096)' ]
	"$SHMGUARD" report stays | grep -q '^  /survivor .* in use$'
	surviving ends
	[ ! -s said ]
	grep -q '^/survivor' ends.end
	"$SHMGUARD" report ends | grep -q '^  /survivor .* LEAKED$'
}

@test "folded, folded-count: what was mapped at an exec was not left, what a killed process had is" {
	cat >leaver.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(int count, char **argv)
		{
			if (count > 2)
				return shm_open("/none", O_RDONLY, 0) >= 0;
			int fd = shm_open("/leaver", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (ftruncate(fd, 65536) || mmap(0, 65536, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
				return 2;
			shm_unlink("/leaver");
			if (*argv[1] == 'e')
				execl(argv[0], argv[0], "x", "x", (char *)0);
			return kill(getpid(), SIGKILL);
		}
	END
	cc -o leaver leaver.c
	record execs ./leaver exec
	run -137 record killed ./leaver kill
	[ -z "$("$SHMGUARD" report --format=folded execs)" ]
	[ -z "$("$SHMGUARD" report --format=folded-count execs)" ]
	[[ "$("$SHMGUARD" report --format=folded killed)" == *" 65536" ]]
	[[ "$("$SHMGUARD" report --format=folded-count killed)" == *" 1" ]]
}

@test "a semaphore whose length is not known is mapped, and not from 0 to 0" {
	local at
	cat >held.py <<-'END'
		import _multiprocessing, sys, time
		held = _multiprocessing.SemLock(1, 1, 1, sys.argv[1], True)
		time.sleep(0.3)
	END
	"$SHMGUARD" run --quiet --report=none -o held -- "$PYTHON" held.py "/held-$$"
	at=$("$SHMGUARD" log held | awk '/ sem_open\(/{ print $2 + 0.1 }')
	run -0 "$SHMGUARD" objects --at="$at" held
	[[ $output =~ "semaphore, 32 B (32 bytes)".*": maps [0, 32) at 0x"[0-9a-f]+$ ]]
	find held/trace -name 'state_[0-9]*' -type f -size +0 -delete
	run -0 "$SHMGUARD" objects --at="$at" held
	[[ $output =~ "semaphore, size not known, ".*": maps it, how much is not known, at 0x"[0-9a-f]+$ ]]
	[[ $output != *"[0, 0)"* ]]
}

@test "what nobody in the recording removed is gone all the same, where the look at its end did not find it" {
	cat >stranger.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/syscall.h>
		int main(int argc, char **argv)
		{
			char path[100];
			long result;
			shm_open(argv[1], O_CREAT | O_RDWR, 0600);
			shm_open(argv[2], O_CREAT | O_RDWR, 0600);
			/* The system call itself stands for a stranger's. */
			snprintf(path, sizeof path, "/dev/shm%s", argv[1]);
			__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_unlink), "D"(path) : "rcx", "r11", "memory");
			return result != 0;
		}
	END
	gcc -w stranger.c -o stranger
	"$SHMGUARD" run --quiet --report=none -o strange -- ./stranger "/taken-$$" "/stays-$$"
	rm "/dev/shm/stays-$$"
	run -0 "$SHMGUARD" objects strange
	[[ $output == "/stays-$$"$'\n'* ]]
	[[ $output != *taken* ]]
	run -0 "$SHMGUARD" objects --all strange
	[[ $output == *"/taken-$$ (gone, removed by nobody in the recording)"$'\n'* ]]
	run -0 "$SHMGUARD" objects --at=9 strange
	[[ $output == *"/taken-$$"$'\n'* ]]
	"$SHMGUARD" report strange >told || true
	grep -qE "^ +/taken-$$ .* gone$" told
	grep -qE "^ +/stays-$$ .* LEAKED$" told
}
