#!/usr/bin/env bats
# What the log says of findings, at the calls at which they were told.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "log --rule, --severity: the findings that were told at a call, and that call" {
	"$SHMGUARD" run --quiet --report=none -o recording -- "$BUILD/tests/rules/map-beyond-end"
	"$SHMGUARD" log --severity=warning recording | sed -E 's/^[^ ]+ +[^ ]+ //; s/\(.*//' >got
	[ "$(cat got)" = $'mmap\n*** error: map-beyond-end ***' ]
	"$SHMGUARD" log --rule='predictable-*' recording | sed -E 's/^[^ ]+ +[^ ]+ //; s/\(.*//' >got
	[ "$(cat got)" = $'shm_open\n*** note: predictable-name ***' ]
	[ -z "$("$SHMGUARD" log --rule=churn recording)" ]
	cat >longer.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = shm_open("/longer", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (ftruncate(fd, 4096))
				return 1;
			mremap(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096, 8192, MREMAP_MAYMOVE);
			shm_unlink("/longer");
			return 0;
		}
	END
	cc -o longer longer.c
	"$SHMGUARD" run --quiet --report=none -o lengthened -- ./longer
	"$SHMGUARD" log --severity=warning lengthened | sed -E 's/^[^ ]+ +[^ ]+ //; s/\(.*//' >got
	[ "$(cat got)" = $'mremap\n*** warning: map-beyond-end ***' ]
}

@test "log: what was told at a call has the report's severity, and says where it was told otherwise" {
	cat >graded.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = shm_open("/graded", O_CREAT | O_EXCL | O_RDWR, 0600), ready[2];
			void *early = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			char byte;
			pid_t pid;
			if (ftruncate(fd, 4096) || pipe(ready))
				return 1;
			pid = fork();
			if (pid == 0) {
				if (write(ready[1], "", 1) == 1)
					pause();
				_exit(1);
			}
			if (read(ready[0], &byte, 1) != 1)
				return 1;
			munmap(early, 4096);
			close(open("/dev/shm/graded", O_RDWR | O_TRUNC));
			mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
			kill(pid, SIGTERM);
			waitpid(pid, NULL, 0);
			shm_unlink("/graded");
			return 0;
		}
	END
	cc -o graded graded.c
	"$SHMGUARD" run --quiet --report=none -o recording -- ./graded
	"$SHMGUARD" log recording | sed -n 's/^[^*]*\*\*\* \(.*\) \*\*\*$/\1/p' | grep -E 'map-before-size|truncate-on-open' >got
	same got - <<-'END'
		note: map-before-size (error at the call)
		error: truncate-on-open (warning at the call)
		error: map-before-size
	END
	for level in note warning error; do
		"$SHMGUARD" log --severity=$level recording | grep -oE '\*\*\* [a-z]*: (map-before-size|truncate-on-open)' | cut -c5- | sort >told
		"$SHMGUARD" report --format=json --severity=$level recording | jq -r '.findings[] | . as $one | range(.count) |
			$one.severity + ": " + $one.rule' | grep -E 'map-before-size|truncate-on-open' | sort >reported
		same told reported
	done
	"$SHMGUARD" log --severity=error recording | grep -qE ' open(64)?\("/dev/shm/graded", O_RDWR\|O_TRUNC'
}

@test "log --rule=sigbus-cause has what run told of it, and a log without a call says why" {
	cd "$BATS_TEST_TMPDIR"
	record killed "$PROGRAMS/story" shrunk >/dev/null 2>&1 || true
	"$SHMGUARD" log --rule=sigbus-cause killed | grep -qE '^[0-9]+ +[0-9.]+ --- SIGBUS .*past_end ---$'
	[ -z "$("$SHMGUARD" log --rule=churn killed)" ]
	"$SHMGUARD" run --quiet --report=none --snapshot-on=error -o none -- "$PROGRAMS/rate" 10 0.1 >/dev/null
	run -0 "$SHMGUARD" log none
	[ "$output" = "shmguard: there was no error, so no call was kept: the recording was made with --snapshot-on=error" ]
}
