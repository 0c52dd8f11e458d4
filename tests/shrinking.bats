#!/usr/bin/env bats
# How often a process looks around before it shrinks an object, and what it says where it does not.

bats_require_minimum_version 1.5.0

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >shrinks.c <<-'END'
		#include <errno.h>
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int fd = shm_open("/shrinking", O_CREAT | O_EXCL | O_RDWR, 0600), refused = 0, held[2], mapped[2];
			pid_t child = 0;
			if (ftruncate(fd, 8192) || pipe(held) || pipe(mapped))
				return 1;
			if (argc > 2 && (child = fork()) == 0) {
				char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
				close(held[1]);
				return map == MAP_FAILED || write(mapped[1], "", 1) != 1 || read(held[0], held, 1) || argv[2] == NULL;
			}
			close(mapped[1]);
			if (child && read(mapped[0], mapped, 1) != 1)
				return 1;
			for (int i = 0; i < atoi(argv[1]); i++) {
				refused += ftruncate(fd, 4096) && errno == EPERM;
				if (ftruncate(fd, 8192))
					return 1;
			}
			close(held[1]);
			waitpid(child, NULL, 0);
			shm_unlink("/shrinking");
			printf("%d refused\n", refused);
			return 0;
		}
	END
	cc -o shrinks shrinks.c
	idle=()
}

teardown()
{
	[ ${#idle[@]} -eq 0 ] || kill "${idle[@]}"
}

# shrunk JQ: of the findings of shrink-under-map, in ./report.json.
shrunk()
{
	holds "[.findings[] | select(.rule == \"shrink-under-map\")] | $1"
}

@test "a process that shrinks objects all the time looks around in a part of it, and says so" {
	# However few others there are, a look takes its time.
	for _ in {1..20}; do
		sleep 600 3>&- &
		idle+=($!)
	done
	record often ./shrinks 20000
	report often >report.json
	shrunk 'length == 1 and .[0].severity == "note" and .[0].count > 10000 and .[0].count < 20000 and
		(.[0].message | test("was not looked at: it shrinks objects too often for that$"))'
	record seldom ./shrinks 3
	report seldom >report.json
	shrunk 'length == 0'
}

@test "whom it looks at is found, and one that is recorded without a look" {
	record mapped ./shrinks 20000 mapped
	report mapped >report.json
	shrunk 'any(.severity == "error" and (.message | test("while shrinks \\(pid [0-9]+\\) maps it up to 8192")))'
	shrunk 'map(.count) | add == 20000'
}

@test "under a policy each shrinking is looked at" {
	printf '%s\n' '[default]' 'shrink-under-map = deny' >policy.ini
	chmod 600 policy.ini
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_POLICY=$PWD/policy.ini ./shrinks 4000 mapped >out
	[ "$(cat out)" = "4000 refused" ]
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_POLICY=$PWD/policy.ini ./shrinks 20 >out
	[ "$(cat out)" = "0 refused" ]
}

@test "without /proc that is why nobody was looked at" {
	needs_root "chroot"
	cat >rooted.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <sys/stat.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = shm_open("/shrinking", O_CREAT | O_EXCL | O_RDWR, 0600);
			shm_unlink("/shrinking");
			return mkdir("empty", 0755) || ftruncate(fd, 8192) ||
				mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED || chroot("empty") || ftruncate(fd, 4096);
		}
	END
	cc -o rooted rooted.c
	record chrooted ./rooted
	report chrooted >report.json
	shrunk 'length == 1 and (.[0].message | test("\\(others could not be looked at: there is no /proc\\)"))'
}
