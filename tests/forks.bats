#!/usr/bin/env bats
# What a child by fork(2) has of its parent's mappings, and what is said of it.

bats_require_minimum_version 1.5.0

load helpers

# at_fork kept|emptied|anew ADVICE...: a program that advises so, forks, and then keeps its mapping, or gives it up and empties
# the object or makes another of its name, while its child lives on.
at_fork()
{
	[ -x "$BATS_TEST_TMPDIR/at_fork" ] || cc -o "$BATS_TEST_TMPDIR/at_fork" -xc - <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <signal.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			size_t length = 65536;
			int fd = shm_open("/at-fork", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600), ready[2];
			char *map, c;
			pid_t child;
			if (posix_fallocate(fd, 0, length) || pipe(ready))
				return 1;
			map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			for (int i = 2; i < argc; i++)
				madvise(map, length, strcmp(argv[i], "dofork") ? MADV_DONTFORK : MADV_DOFORK);
			if ((child = fork()) == 0) {
				close(fd);
				/* It signs in when it calls something. */
				fd = shm_open("/none", O_RDONLY, 0);
				if (write(ready[1], "", 1) == 1)
					pause();
				return 1;
			}
			if (read(ready[0], &c, 1) != 1)
				return 1;
			if (!strcmp(argv[1], "kept")) {
				/* A child that lives shorter is on its way to another program. */
				usleep(150000);
				goto end;
			}
			munmap(map, length);
			close(fd);
			if (!strcmp(argv[1], "anew"))
				shm_unlink("/at-fork");
			fd = shm_open("/at-fork", O_RDWR | (strcmp(argv[1], "anew") ? O_TRUNC : O_CREAT | O_EXCL), 0600);
			if (posix_fallocate(fd, 0, length))
				return 1;
			map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		end:
			map[0] = 1;
			munmap(map, length);
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			shm_unlink("/at-fork");
			return 0;
		}
	END
	record "$*" "$BATS_TEST_TMPDIR/at_fork" "$@"
	report "$*" >report.json
}

# found FINDINGS: those of the rules that concern a mapping which the child has, or has not.
found()
{
	holds --arg all "$1" '[.findings[] | select(.rule == "truncate-on-open" or .rule == "split-brain" or
		.rule == "unsynchronised-sharing") | .severity + " " + .rule] | sort | join(", ") == $all'
}

@test "what was MADV_DONTFORK when a process forked, its child does not map" {
	cd "$BATS_TEST_TMPDIR"
	at_fork emptied dontfork
	found "warning truncate-on-open"
	at_fork kept dontfork
	found ""
	at_fork anew dontfork
	found ""
	at_fork anew dofork dontfork
	found ""
}

@test "what became MADV_DOFORK again, or never was anything else, it does" {
	cd "$BATS_TEST_TMPDIR"
	at_fork emptied
	found "error truncate-on-open"
	at_fork emptied dontfork dofork
	found "error truncate-on-open"
	at_fork kept dontfork dofork
	found "note unsynchronised-sharing"
	at_fork anew dontfork dofork
	found "warning split-brain"
}

# regrown SIZES...: a child gives up what it inherited, its parent maps up to the first size and then makes it that large, and
# gives that up; the child attaches by name, and the parent makes the object of the other sizes before it reads it.
regrown()
{
	[ -x "$BATS_TEST_TMPDIR/regrown" ] || cc -o "$BATS_TEST_TMPDIR/regrown" -xc - <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			size_t small = 65536, large = atoi(argv[1]);
			int fd = shm_open("/regrown", O_CREAT | O_EXCL | O_RDWR, 0600), ours[2], its[2];
			char *map, c;
			if (ftruncate(fd, small) || pipe(ours) || pipe(its))
				return 1;
			map = mmap(NULL, small, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			if (fork() == 0) {
				munmap(map, small);
				close(fd);
				read(ours[0], &c, 1);
				fd = shm_open("/regrown", O_RDWR, 0);
				map = mmap(NULL, large, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
				write(its[1], "", 1);
				read(ours[0], &c, 1);
				_exit(((volatile char *)map)[large - 1]);
			}
			map = mremap(map, small, large, MREMAP_MAYMOVE);
			if (ftruncate(fd, large))
				return 1;
			map[0] = 1;
			munmap(map, large);
			write(ours[1], "", 1);
			read(its[0], &c, 1);
			for (int i = 2; i < argc; i++)
				if (ftruncate(fd, atoi(argv[i])))
					return 1;
			write(ours[1], "", 1);
			wait(NULL);
			shm_unlink("/regrown");
			return 0;
		}
	END
	record "$*" "$BATS_TEST_TMPDIR/regrown" "$@"
	report "$*" >report.json
	holds '[.objects[] | .created_by != null] == [true]'
}

@test "an object that a parent tells of again stays its child's, and who shrank it is known" {
	cd "$BATS_TEST_TMPDIR"
	regrown 131072 4096
	holds '[.findings[] | select(.rule == "sigbus-cause") | .message | test("regrown \\(pid \\d+\\) had shrunk it")] == [true]'
	regrown 131072 131072
	holds '[.findings[] | select(.severity == "error" and .rule != "map-beyond-end")] == []'
}

# daemons kept|left: 40 of them, each by two forks, of which the middle process is waited for; it has, or has left, a mapping and
# a descriptor of an object that its parent leaves then. ./said: who holds what while all of them live.
daemons()
{
	[ -x "$BATS_TEST_TMPDIR/daemons" ] || cc -o "$BATS_TEST_TMPDIR/daemons" -xc - <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int lives[2], ends[2];
			char name[32], c;
			if (pipe(lives) || pipe(ends))
				return 1;
			for (int i = 0; i < 40; i++) {
				snprintf(name, sizeof name, "/daemon-%d", i);
				int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
				if (ftruncate(fd, 4096))
					return 1;
				char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
				pid_t child = fork();
				if (child == 0) {
					if (*argv[1] == 'l') {
						munmap(map, 4096);
						close(fd);
					}
					if (fork())
						_exit(0);
					close(ends[1]);
					write(lives[1], "", 1);
					_exit(read(ends[0], &c, 1));
				}
				waitpid(child, NULL, 0);
				munmap(map, 4096);
				close(fd);
				shm_unlink(name);
			}
			for (int i = 0; i < 40; i++)
				read(lives[0], &c, 1);
			shm_open("/mark", O_RDONLY, 0);
			return 0;
		}
	END
	record "$*" "$BATS_TEST_TMPDIR/daemons" "$@"
	at=$("$SHMGUARD" log "$*" | awk '/shm_open\("\/mark"/ { print $2; exit }')
	"$SHMGUARD" objects --at="$at" "$*" >said
}

@test "a child holds what it inherited although its parent is over before it tells of itself" {
	cd "$BATS_TEST_TMPDIR"
	daemons kept
	[ "$(grep -c 'daemons: maps \[0, 4096)' said)" -eq 40 ]
	[ "$(grep -c 'daemons: descriptor' said)" -eq 40 ]
	daemons left
	[ "$(cat said)" = "no object" ]
}
