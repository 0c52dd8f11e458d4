#!/usr/bin/env bats
# `shmguard run`: which commands it takes, which it refuses and why, exit statuses, and children that it cannot see.

load helpers
load run
bats_require_minimum_version 1.5.0

@test "the exit status is the command's" {
	run "$SHMGUARD" run --report=none -o a -- true
	[ "$status" -eq 0 ]
	run "$SHMGUARD" run --report=none -o b -- sh -c 'exit 77'
	[ "$status" -eq 77 ]
}

@test "a command that a signal kills gives 128 and the signal" {
	run run_only sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	[ "$(jq .command_status recording/recording.json)" -eq 9 ]
}

@test "a command that does not exist gives 127 and leaves no directory" {
	run -127 run_only ./nothing-there
	[ ! -e recording ]
	run -127 run_only nothing-there-in-path
}

@test "a command that cannot be executed gives 126" {
	echo data >file
	run run_only ./file
	[ "$status" -eq 126 ]
	run run_only /usr
	[ "$status" -eq 126 ]
	[ ! -e recording ]
}

@test "a script whose interpreter is missing gives 127, and names the interpreter" {
	printf '#!/nothing/there -e\n' >script
	printf '#!%s/script\n' "$PWD" >second
	printf '#!/etc/passwd\n' >third
	chmod +x script second third
	for script in script second; do
		run -127 run_only "./$script"
		[ "$output" = "shmguard: cannot execute './$script': its interpreter /nothing/there: No such file or directory" ]
	done
	run -126 run_only ./third
	[[ $output == *"its interpreter /etc/passwd: Permission denied" ]]
	[ ! -e recording ]
}

@test "a program whose loader is missing gives 127, one that is cut short gives 126" {
	tiny lost -Wl,--dynamic-linker=/nothing/ld.so
	run -127 run_only ./lost
	[[ $output == *"its loader /nothing/ld.so: No such file or directory" ]]
	tiny whole
	head -c 100 whole >short
	chmod +x short
	run -126 run_only ./short
	[[ $output == *"cut short"*"it has 100" ]]
	[ ! -e recording ]
}

@test "wrong usage gives 125 and one line" {
	for arguments in "" "--nonsense true" "--until=never true" "--error-exitcode=0 true" "--error-exitcode=x true" "-o"; do
		# shellcheck disable=SC2086
		run "$SHMGUARD" run $arguments
		[ "$status" -eq 125 ]
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "a static command is refused with 126, and named unseen when it is allowed" {
	tiny static -static
	run run_only ./static
	[ "$status" -eq 126 ]
	[[ $output == *"statically linked"* ]]
	[ ! -e recording ]
	run "$SHMGUARD" run --report=none --allow-unseen -o recording -- ./static
	[ "$status" -eq 3 ]
	jq -e 'select(.type == "unseen") | .exe == "./static" and .reason == "it is statically linked"' recording/processes.jsonl
}

@test "a 32-bit command is refused" {
	tiny small -m32 2>/dev/null || skip "gcc cannot build 32-bit programs here"
	run run_only ./small
	[ "$status" -eq 126 ]
	[[ $output == *"32-bit"* ]]
}

@test "a set-user-ID or set-group-ID command is refused" {
	needs_root "a command of another user"
	tiny privileged
	chown 65534 privileged
	chmod 4755 privileged
	run run_only ./privileged
	[ "$status" -eq 126 ]
	[[ $output == *"set-user-ID"* ]]
	chown 0:65534 privileged
	chmod 2755 privileged
	run run_only ./privileged
	[ "$status" -eq 126 ]
	[[ $output == *"set-group-ID"* ]]
}

@test "a set-user-ID command of one's own gains nothing, and is recorded" {
	tiny own
	chmod 4755 own
	run run_only ./own
	[ "$status" -eq 3 ]
}

@test "a command with file capabilities is refused to an ordinary user" {
	needs_root "to give a file capabilities"
	tiny "$NOBODY_HOME/capable"
	setcap cap_net_raw+ep "$NOBODY_HOME/capable"
	run as_nobody_run capable.d -- "$NOBODY_HOME/capable"
	[ "$status" -eq 126 ]
	[[ $output == *"file capabilities"* ]]
}

@test "of a script the interpreter counts" {
	tiny static -static
	printf '#!%s/static\n' "$PWD" >script
	printf '#!/bin/sh -e\nexit 9\n' >usual
	chmod +x script usual
	run run_only ./script
	[ "$status" -eq 126 ]
	[[ $output == *"interpreter"*"static"* ]]
	run run_only ./usual
	[ "$status" -eq 9 ]
}

@test "a child that never signs in is named, with the reason" {
	tiny static -static
	run run_only sh -c './static; ls / >/dev/null; exit 5'
	[ "$status" -eq 5 ]
	[ "$(jq -r 'select(.type == "unseen") | .reason' recording/processes.jsonl)" = "it is statically linked" ]
	[ "$(jq -r 'select(.type == "start") | .texts[0]' recording/processes.jsonl | grep -c '/ls$')" -eq 1 ]
}

@test "of a child that never signed in it is told which signal killed it" {
	cat >killer.c <<-'END'
		#include <signal.h>
		#include <sys/ptrace.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int child = fork(), status;
			if (!child) {
				ptrace(PTRACE_TRACEME, 0, 0, 0);
				execl("/bin/true", "true", NULL);
			}
			waitpid(child, &status, 0);
			kill(child, SIGKILL);
			return waitpid(child, &status, 0) != child;
		}
	END
	gcc -o killer killer.c
	run -0 run_only ./killer
	[[ $(jq -r 'select(.type == "unseen") | .reason' recording/processes.jsonl) == "it never signed in: it ended (killed by SIGKILL) before"* ]]
}

@test "a static child is named however it was executed" {
	tiny static -static
	cat >ways.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			char *arguments[] = { "static", NULL };
			for (int way = 0; way < 5; way++) {
				if (fork() == 0) {
					if (way == 0)
						fexecve(open("static", O_RDONLY | O_CLOEXEC), arguments, environ);
					if (way == 1)
						execveat(open(".", O_RDONLY | O_CLOEXEC), "static", arguments, environ, 0);
					if (way == 2)
						syscall(SYS_execve, "./static", arguments, environ);
					if (way == 3)
						syscall(SYS_execveat, open("static", O_PATH | O_CLOEXEC), "", arguments, environ, AT_EMPTY_PATH);
					exit(system("exec ./static") == 3 << 8 ? 0 : 9);
				}
				wait(NULL);
			}
			return 0;
		}
	END
	gcc -D_GNU_SOURCE ways.c -o ways
	run_only ./ways
	jq -r 'select(.type == "unseen") | .exe + " " + .reason' recording/processes.jsonl | sed "s|^$PWD|.|" | sort | uniq -c >unseen
	cat unseen
	[ "$(cat unseen)" = "      5 ./static it is statically linked" ]
}

@test "standard streams that are closed stay closed for the command, and nothing else gets their numbers" {
	cat >ends.py <<-'END'
		import mmap, os, sys
		def look(fd):
		    try:
		        return os.readlink(f"/proc/self/fd/{fd}")
		    except OSError as error:
		        return error.errno
		before = [look(fd) for fd in range(3)]
		fd = os.memfd_create("ends")
		os.ftruncate(fd, 4096)
		mmap.mmap(fd, 4096).close()
		os.close(fd)
		with open(sys.argv[1], "w") as file:
		    print(before, fd, file=file)
		os._exit(3)
	END
	local ends status
	for ends in '<&-' '>&-' '2>&-' '<&- >&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		rm -rf recording told.txt
		status=0
		eval "/usr/bin/python3 ends.py bare </dev/null >/dev/null 2>/dev/null $ends" || status=$?
		[ "$status" -eq 3 ]
		status=0
		eval "\"\$SHMGUARD\" run --report=told.txt -o recording -- /usr/bin/python3 ends.py got \
			</dev/null >/dev/null 2>/dev/null $ends" || status=$?
		[ "$status" -eq 3 ]
		same bare got
		grep -q '1 process (1 with shared memory), 1 shared memory object' told.txt
		[ -s recording/symbols.json ]
		[ -z "$(cat recording/*.json* | grep -a '^shmguard:' || true)" ]
	done
	# shellcheck disable=SC2016
	run -3 sh -c '"$SHMGUARD" report recording >&-'
	[ "$output" = "shmguard: the output could not be written: Bad file descriptor" ]
}

@test "the dynamic loader as the command: the program that it is given counts, and its own frames are the program's" {
	local loader words
	loader=$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	cat >prog.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int make_it(const char *name)
		{
			return shm_open(name, O_CREAT | O_RDWR, 0600);
		}
		int main(int argc, char **argv)
		{
			int fd = make_it("/shmguard-run-loader");
			shm_unlink("/shmguard-run-loader");
			printf("%d %d %s\n", argc, fd, argv[argc - 1]);
			return 3;
		}
	END
	gcc -g -O0 prog.c -o prog
	tiny static -static
	ln -s "$loader" by-name
	printf '#!%s ./prog\n' "$loader" >script
	chmod +x script
	chmod -x prog
	for words in "$loader ./prog" "./by-name --argv0 other --library-path /lib --inhibit-cache --preload libm.so.6 ./prog one" \
		"./script two"; do
		rm -rf recording
		# shellcheck disable=SC2086
		run -3 "$SHMGUARD" run --quiet --report=none -o recording -- $words
		# shellcheck disable=SC2086
		[ "$output" = "$($words)" ]
		report recording >report.json
		holds '.unseen == [] and (.objects | length) == 1'
		"$SHMGUARD" log --stacks recording >told
		grep -q 'make_it (.*prog.c:7)' told
		grep -q 'main (.*prog.c:11)' told
		[ "$(grep -c 'ld-linux' told)" -eq 0 ]
	done
	run -126 run_only "$loader" --inhibit-cache ./static
	[ "$output" = "shmguard: '$loader' cannot be recorded: of ./static, which the dynamic loader is to load: it is statically linked (--allow-unseen runs it all the same)" ]
	run -126 run_only "$loader" --library-path /lib --list ./prog
	[[ $output == *"with --list the dynamic loader runs no program"* ]]
}

# As systemd and systemd-socket-activate do: what is for another process is no concern of the program's.
@test "what a service manager says to run by its process id it says to the command" {
	cat >prog.sh <<-'END'
		named() { [ "$1" = $$ ] && echo "mine" || echo "${1-unset}"; }
		echo "$(named $LISTEN_PID) $(named $WATCHDOG_PID) $(named $SYSTEMD_EXEC_PID) $LISTEN_FDS $(named $OTHER_PID)"
	END
	cat >started.sh <<-'END'
		export LISTEN_FDS=1 LISTEN_PID=$$ WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$
		exec "$@"
	END
	run -0 bash started.sh "$SHMGUARD" run --quiet --report=none -o recording -- sh prog.sh
	[ "$output" = "mine mine mine 1 unset" ]
	rm -rf recording
	run -0 env LD_PRELOAD=libm.so.6 bash started.sh "$SHMGUARD" run --quiet --report=none -o recording -- sh prog.sh
	[ "$output" = "mine mine mine 1 unset" ]
	rm -rf recording
	run -0 env LISTEN_FDS=2 LISTEN_PID=1 WATCHDOG_PID= "$SHMGUARD" run --quiet --report=none -o recording -- sh prog.sh
	[ "$output" = "1 unset unset 2 unset" ]
	rm -rf recording
	# shellcheck disable=SC2016
	run -0 bash -c 'OTHER_PID=$$ exec "$@"' - "$SHMGUARD" run --quiet --report=none -o recording -- \
		sh -c '[ "$OTHER_PID" = $PPID ] && echo "not ours"'
	[ "$output" = "not ours" ]
}
