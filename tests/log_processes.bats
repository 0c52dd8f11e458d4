#!/usr/bin/env bats
# What the log says of processes: how they began, went on by exec, and ended.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "a process that a signal killed has its end in the log" {
	cd "$BATS_TEST_TMPDIR"
	record killed "$PROGRAMS/story" shrunk >/dev/null 2>&1 || true
	"$SHMGUARD" log killed >out
	[ "$(grep -c '^[0-9]* *[0-9.]* +++ killed by SIGBUS +++$' out)" -eq 1 ]
	"$SHMGUARD" log --object=none killed >out
	run ! grep -q killed out
}

@test "that a program began is of the process, whichever of its threads made the first call" {
	cd "$BATS_TEST_TMPDIR"
	cat >threads.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *look(void *unused)
		{
			shm_open("/threads-none", O_RDONLY, 0);
			printf("%d %d\n", (int)getpid(), (int)gettid());
			return unused;
		}
		int main(void)
		{
			pthread_t thread;
			return pthread_create(&thread, NULL, look, NULL) || pthread_join(thread, NULL);
		}
	END
	gcc -w threads.c -o threads -pthread
	record threads.recording ./threads >numbers
	read -r pid tid <numbers
	"$SHMGUARD" log threads.recording >out
	[ "$pid" -ne "$tid" ]
	grep -qE "^$pid +[0-9.]+ \+\+\+ exec by [0-9]+: ./threads \+\+\+$" out
	grep -qE "^$tid +[0-9.]+ shm_open" out
}

@test "a command line has its words as one would type them" {
	cd "$BATS_TEST_TMPDIR"
	record argv "$PROGRAMS/story" grown 'a b' $'n\nl' "back\\slash" >/dev/null
	"$SHMGUARD" log argv | head -n 1 >out
	grep -qF ' grown a\ b n\nl back\\slash +++' out
}

@test "an exec that came back has its error, one that did not has 0, and one that nothing tells of has none" {
	cd "$BATS_TEST_TMPDIR"
	cat >executed.py <<-'END'
		import os, sys
		fd = os.open(f"/dev/shm/executed-{os.getpid()}", os.O_RDWR | os.O_CREAT, 0o600)
		os.unlink(f"/dev/shm/executed-{os.getpid()}")
		for path in "/nonexist", "/etc/passwd":
		    try:
		        os.execv(path, ["x"])
		    except OSError:
		        pass
		os.execv(sys.argv[1], sys.argv[1:])
	END
	record executed "$PYTHON" executed.py "$PROGRAMS/story" grown >/dev/null
	"$SHMGUARD" log executed | sed 's/^[0-9]* *[0-9.]* //' >got
	grep -qxF 'exec("/nonexist") = -1 ENOENT (No such file or directory)' got
	grep -qxF 'exec("/etc/passwd") = -1 EACCES (Permission denied)' got
	grep -qxF "exec(\"$PROGRAMS/story\") = 0" got
	run ! grep -q '<\.\.\.' got
}
