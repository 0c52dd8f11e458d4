#!/usr/bin/env bats
# `shmguard run`: exit statuses, signals, job control, the session daemon, and that nothing is left behind.

load helpers
bats_require_minimum_version 1.5.0

setup_file()
{
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
}

teardown_file()
{
	remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	if [ -n "${LONELY:-}" ]; then
		kill -9 "$LONELY" 2>/dev/null || true
	fi
}

# run_only COMMAND...: recorded without a report, as most tests here want it.
run_only()
{
	"$SHMGUARD" run --report=none -o recording -- "$@"
}

# as_nobody_run DIR [OPTION...] -- COMMAND...
as_nobody_run()
{
	local dir=$1
	shift
	as_nobody "$NOBODY_BUILD/shmguard" run --report=none -o "$NOBODY_HOME/$dir" "$@"
}

# One shmguard: line on stderr, and nothing else in the file.
one_message()
{
	[ "$(wc -l <"$1")" -eq 1 ]
	grep -q "^shmguard: .*$2" "$1" || { cat "$1"; return 1; }
}

# machine COMMAND...: as root on a machine of its own: process ids, /run, /tmp and /dev/shm.
machine()
{
	unshare --mount --pid --fork --mount-proc --propagation private bash -c '
		mount -t tmpfs tmpfs /run && mkdir /run/lttng && rmdir /run/lttng
		mount -t tmpfs tmpfs /dev/shm
		"$@"' machine "$@"
}

# Builds the smallest C program NAME, with compiler options.
tiny()
{
	echo 'int main(void) { return 3; }' >"$1.c"
	gcc "$1.c" -o "$1" "${@:2}"
}

started()
{
	for _ in $(seq 200); do
		! grep -q "$2" "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "no '$2' in $1"
	return 1
}

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
	head -c 100 whole >cut
	chmod +x cut
	run -126 run_only ./cut
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

@test "a directory that holds something is refused" {
	mkdir full
	touch full/thing
	run -125 "$SHMGUARD" run -o full -- true
	echo "$output" >messages
	one_message messages "full exists and is not empty"
	[ "$(ls full)" = thing ]
}

@test "a directory that cannot be made or written gives 125" {
	touch file
	run "$SHMGUARD" run -o file -- true
	[ "$status" -eq 125 ]
	run "$SHMGUARD" run -o /proc/recording -- true
	[ "$status" -eq 125 ]
	mkdir -m 555 "$NOBODY_HOME/roots"
	run as_nobody_run roots -- true
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "a full disk gives 125 and one line, and the command does not run" {
	needs_root "to mount a small disk"
	mkdir disk
	# shellcheck disable=SC2016
	run unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=64k tmpfs disk
		dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null
		"$0" run -o disk/recording -- touch ran' "$SHMGUARD"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e ran ]
}

@test "an empty directory is taken, and one is named after the command by default" {
	mkdir empty
	run "$SHMGUARD" run --report=none -o empty -- true
	[ "$status" -eq 0 ]
	[ -s empty/recording.json ]
	run "$SHMGUARD" run --report=none -- true
	[ "$status" -eq 0 ]
	made=$(echo shmguard.true.*)
	[ -s "$made/recording.json" ]
}

@test "standard input and output are the command's, notices go to stderr with a prefix" {
	echo input | "$SHMGUARD" run --report=none -o recording -- sh -c 'cat; echo error >&2; exit 2' >out 2>err || [ $? -eq 2 ]
	[ "$(cat out)" = input ]
	[ "$(grep -v '^shmguard: ' err)" = error ]
	"$SHMGUARD" run --quiet -o quiet -- true 2>err
	[ ! -s err ]
}

@test "signal mask, dispositions, descriptors and process group are as under env" {
	cat >look.py <<-'END'
		import os
		print([line for line in open("/proc/self/status") if line[:3] == "Sig" and line[:4] not in ("SigQ", "SigC")])
		print(sorted(os.listdir("/proc/self/fd")), os.getpgrp(), os.getsid(0), os.nice(0), os.umask(0), os.getcwd())
	END
	cat >start.py <<-'END'
		import os, signal, sys
		signal.signal(signal.SIGINT, signal.SIG_IGN)
		signal.signal(signal.SIGCHLD, signal.SIG_IGN)
		signal.signal(signal.SIGPIPE, signal.SIG_DFL)
		signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	"$PYTHON" start.py env "$PYTHON" look.py >bare 7</dev/null
	"$PYTHON" start.py "$SHMGUARD" run --quiet -o recording -- "$PYTHON" look.py >recorded 7</dev/null
	[ "$(wc -l <bare)" -eq 2 ]
	same bare recorded
}

@test "the environment gains only what is documented, and another preload stays" {
	run_only env >recorded 2>/dev/null
	env >bare
	added=$(sort recorded | comm -13 <(sort bare) - | sed 's/=.*//' | grep -v '^_$' | tr '\n' ' ')
	# An ordinary user has a session daemon of one's own, in a home of its own.
	home=LTTNG_HOME\ 
	[ "$(id -u)" -ne 0 ] || home=
	[ "$added" = "LD_PRELOAD ${home}LTTNG_UST_REGISTER_TIMEOUT SHMGUARD_NOTES SHMGUARD_NOTES_SOCKET SHMGUARD_RECORDING " ]
	LD_PRELOAD=libm.so.6 "$SHMGUARD" run --quiet -o other -- sh -c 'echo "$LD_PRELOAD"' >out
	[ "$(cat out)" = "$BUILD/libshmguard.so:libm.so.6" ]
}

@test "a signal that is sent to run alone reaches the command" {
	"$SHMGUARD" run --report=none -o recording -- sh -c 'trap "echo got; exit 7" TERM; echo ready; while :; do sleep 0.1; done' >out 2>err 3>&- &
	LONELY=$!
	started out ready
	kill -TERM "$LONELY"
	wait "$LONELY" || [ $? -eq 7 ]
	[ "$(tail -n 1 out)" = got ]
	LONELY=
}

@test "what the command sends to its process group is not handed on a second time" {
	cat >group.py <<-'END'
		import os, signal, time
		got = []
		signal.signal(signal.SIGUSR1, lambda *_: got.append(1))
		os.kill(0, signal.SIGUSR1)
		time.sleep(0.5)
		print(len(got))
	END
	setsid "$SHMGUARD" run --quiet -o recording -- "$PYTHON" group.py >out
	[ "$(cat out)" = 1 ]
}

@test "Ctrl-C reaches the command once, and run waits on" {
	cat >interrupted.py <<-'END'
		import signal, sys, time
		got = []
		signal.signal(signal.SIGINT, lambda *_: got.append(1))
		print("ready", flush=True)
		end = time.time() + 1
		while time.time() < end:
		    time.sleep(0.05)
		print("interrupted", len(got), flush=True)
		sys.exit(4)
	END
	run "$PYTHON" "$ROOT/tests/run_terminal.py" interrupt "$SHMGUARD" run --quiet -o recording -- "$PYTHON" interrupted.py
	[[ $output == *"interrupted 1"* ]]
	[ "${lines[-1]}" = "status 4" ]
}

@test "a stopped command stops run, and both are continued" {
	cat >stopped.py <<-'END'
		import signal, sys, time
		got = []
		def continued(*_):
		    got.append(1)
		    print("ready", flush=True)
		signal.signal(signal.SIGCONT, continued)
		print("ready", flush=True)
		end = time.time() + 15
		while len(got) < 2 and time.time() < end:
		    time.sleep(0.05)
		sys.exit(len(got))
	END
	run "$PYTHON" "$ROOT/tests/run_terminal.py" stop "$SHMGUARD" run --quiet -o recording -- "$PYTHON" stopped.py
	[ "${lines[-3]}" = "stopped by SIGTSTP" ]
	[ "${lines[-2]}" = "stopped by SIGTSTP" ]
	[ "${lines[-1]}" = "status 2" ]
}

@test "the recording ends with the last descendant" {
	run run_only sh -c '(sleep 1; : >late) & exit 6'
	[ "$status" -eq 6 ]
	[ -e late ]
}

@test "the recording ends with the command when told so" {
	run "$SHMGUARD" run --report=none --until=command -o recording -- sh -c '(sleep 3; : >late) >/dev/null 2>&1 3>&- & exit 6'
	[ "$status" -eq 6 ]
	[ ! -e late ]
}

@test "once the command has ended, a signal ends the recording, and that is told" {
	"$SHMGUARD" run --report=none -o recording -- sh -c 'sleep 30 >/dev/null 2>&1 & echo $!; exit 6' >out 2>err 3>&- &
	LONELY=$!
	started err "has ended, but processes"
	kill -TERM "$LONELY"
	wait "$LONELY" || [ $? -eq 6 ]
	LONELY=$(cat out)
	kill -0 "$LONELY"
	jq -e '.problems[0] | test("while processes of the command still ran")' recording/recording.json
}

@test "as root nothing is left behind but the directory" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --quiet --report=none -o recording -- "$1" -c "
import os
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.unlink()
print(os.path.dirname(os.environ[\"SHMGUARD_NOTES\"]), file=open(\"private\", \"w\"))" || exit 1
		sleep 0.1
		find /run /dev/shm "$(cat private)" -mindepth 1 ! -path /run/mount 2>/dev/null; pgrep -a lttng; ps -e -o args= | grep -v -e ^ps -e ^grep -e bash' "$SHMGUARD" "$PYTHON"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ ! -e "$(cat private)" ]
	[ -s recording/trace/ust/uid/0/64-bit/metadata ]
}

@test "as an ordinary user nothing is left behind but the directory" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		setpriv --reuid=65534 --regid=65534 --clear-groups "$0" run --report=none --quiet -o "$2/clean" -- "$1" -c "
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.unlink()
import os
print(os.path.dirname(os.environ[\"SHMGUARD_NOTES\"]), file=open(\"$2/private\", \"w\"))" || exit 1
		sleep 0.1
		find /run /dev/shm -mindepth 1 ! -path /run/mount; ls -d "$(cat "$2/private")" 2>/dev/null; pgrep -a lttng
		ls "$2/clean" "$2/clean/trace"' "$NOBODY_BUILD/shmguard" "$PYTHON" "$NOBODY_HOME"
	[ "$output" = "$(printf '%s\n' "$NOBODY_HOME/clean:" processes.jsonl recording.json shm-before.json shm.json symbols.json trace "" "$NOBODY_HOME/clean/trace:" ust)" ]
}

@test "a run that is killed leaves nothing behind either" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --quiet --report=none -o recording -- sh -c "dirname \$SHMGUARD_NOTES >private; exec sleep 2" &
		for _ in $(seq 100); do pgrep -x sleep >/dev/null && [ -s private ] && break; sleep 0.05; done
		kill -9 $!
		pgrep -x sleep >/dev/null || echo the command is gone
		for _ in $(seq 100); do pgrep lttng >/dev/null || break; sleep 0.05; done
		sleep 0.3
		find /run /dev/shm -mindepth 1 ! -path /run/mount; ls -d "$(cat private)" 2>/dev/null; pgrep -a lttng; pgrep -a shmguard' "$SHMGUARD"
	[ -z "$output" ] || [[ $output == *Killed* && $(wc -l <<<"$output") -eq 1 ]]
}

@test "two recordings at once share root's daemon, do not mix, and the last stops it" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		program="
import sys, time
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096, name=sys.argv[1]); time.sleep(float(sys.argv[2])); s.unlink()"
		"$0" run --quiet --report=none -o one -- "$1" -c "$program" object-one 1 &
		"$0" run --quiet --report=none -o two -- "$1" -c "$program" object-two 2.5 &
		wait -n || echo failed
		pgrep -c lttng-sessiond
		wait || echo failed
		pgrep -c lttng-sessiond' "$SHMGUARD" "$PYTHON"
	[ "${lines[0]}" -eq 1 ]
	[ "${lines[1]}" -eq 0 ]
	ids=$(jq -r .id one/recording.json two/recording.json | sort -u | wc -l)
	[ "$ids" -eq 2 ]
	grep -q object-one <(babeltrace2 one/trace)
	grep -q object-two <(babeltrace2 two/trace)
}

@test "two recordings at once of an ordinary user do not mix" {
	as_nobody_run first -- sh -c 'sleep 1; exit 1' &
	first=$!
	as_nobody_run second -- sh -c 'exit 2' || [ $? -eq 2 ]
	wait "$first" || [ $? -eq 1 ]
	run ! grep -q '"blind"' "$NOBODY_HOME"/first/processes.jsonl "$NOBODY_HOME"/second/processes.jsonl
	[ "$(jq -s 'map(select(.type == "start")) | length' "$NOBODY_HOME/second/processes.jsonl")" -eq 1 ]
}

@test "the machine's daemon is used if there is one, and left as it was" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		lttng create mine --output=mine >/dev/null
		before=$(pgrep -x lttng-sessiond)
		"$0" run --quiet --report=none -o recording -- true; echo "status $?"
		[ "$before" = "$(pgrep -x lttng-sessiond)" ] && echo same daemon
		lttng --mi=xml list | grep -c "<name>"
		ls -d /run/shmguard* 2>/dev/null
		kill $before; sleep 1' "$SHMGUARD"
	[ "${lines[0]}" = "status 0" ]
	[ "${lines[1]}" = "same daemon" ]
	[ "${lines[2]}" = 1 ]
	[ "${#lines[@]}" -eq 3 ]
}

@test "a daemon of the machine that is stopped gives 125 and one line" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		kill -STOP $(pgrep -x lttng-sessiond)
		"$0" run --report=none -o recording -- touch ran 2>messages; echo "status $?"
		[ -e recording ] && echo recording is left
		kill -9 $(pgrep lttng) 2>/dev/null; sleep 0.2
		cat messages' "$SHMGUARD"
	[ "${lines[0]}" = "status 125" ]
	[[ ${lines[1]} == "shmguard: the LTTng session daemon is stopped"* ]]
	[ "${#lines[@]}" -eq 2 ]
	[ ! -e ran ]
}

@test "without lttng-sessiond there is one message that names the package" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		mkdir original others && mount --bind /usr/bin original && ln -s "$PWD"/original/* others/ && rm others/lttng-sessiond
		mount --bind others /usr/bin
		"$0" run -o recording -- touch ran; echo "status $?"' "$SHMGUARD"
	[ "${lines[0]}" = "shmguard: lttng-sessiond is not installed (Debian package lttng-tools)" ]
	[ "${lines[1]}" = "status 125" ]
	[ ! -e ran ]
	[ ! -e recording ]
}

@test "a daemon that is killed meanwhile is told of, and the command goes on" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --report=none -o recording -- sh -c "pkill -9 lttng; sleep 2; exit 8" 2>messages; echo "status $?"
		grep -c "the LTTng session daemon has ended" messages' "$SHMGUARD"
	[ "${lines[0]}" = "status 8" ]
	[ "${lines[1]}" -ge 1 ]
	jq -e '.problems | length >= 1' recording/recording.json
}

@test "a daemon that is stopped meanwhile is told of, and does not hold up the end" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --report=none -o recording -- sh -c "pkill -STOP lttng; sleep 2; exit 8" 2>messages; echo "status $?"
		grep -c "is stopped (SIGSTOP)" messages
		pgrep -c lttng' "$SHMGUARD"
	[ "${lines[0]}" = "status 8" ]
	[ "${lines[1]}" -ge 1 ]
	[ "${lines[2]}" -eq 0 ]
}

@test "a /dev/shm of 16 KB is enough for us, and nothing of ours lies there" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		mount -t tmpfs -o size=16k tmpfs /dev/shm
		"$0" run --quiet --report=none -o recording -- "$1" -c "
import os
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.buf[0] = 1
print([name for name in os.listdir(\"/dev/shm\") if not name.startswith((\"lttng-ust-wait\", \"psm_\"))])
s.unlink()"' "$SHMGUARD" "$PYTHON"
	[ "$status" -eq 0 ]
	[ "$output" = "[]" ]
	grep -q 'shmguard:shm_open' <(babeltrace2 recording/trace)
}

@test "what is left on /dev/shm is listed with its holders" {
	cat >leave.py <<-'END'
		import mmap, os, sys
		fd = os.open("/dev/shm/shmguard-run-" + sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
		os.ftruncate(fd, 8192)
		if os.fork() == 0:
		    m = mmap.mmap(fd, 4096)
		    os.close(fd)
		    os.setsid()
		    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
		    os.execlp("sleep", "sleep", "0") if sys.argv[1] == "gone" else os.read(os.pipe()[0], 1)
	END
	timeout 20 "$SHMGUARD" run --quiet --report=none -o gone -- "$PYTHON" leave.py gone 3>&-
	timeout 20 "$SHMGUARD" run --quiet --report=none --until=command -o held -- "$PYTHON" leave.py held 3>&-
	LONELY=$(jq '.objects[] | select(.name == "/shmguard-run-held") | .holders[0]' held/shm.json)
	rm /dev/shm/shmguard-run-gone /dev/shm/shmguard-run-held
	jq -e '.objects[] | select(.name == "/shmguard-run-gone") | .size == 8192 and .holders == [] and .holders_complete == $root' \
		--argjson root "$([ "$(id -u)" -eq 0 ] && echo true || echo false)" gone/shm.json
	jq -e '.objects[] | select(.name == "/shmguard-run-held") | (.holders | length) == 1' held/shm.json
	[ -d "/proc/$LONELY" ]
}

@test "names that are not UTF-8 do not spoil the files" {
	name=$(printf 'shmguard-run-\xff\xfe\n"x')
	: >"/dev/shm/$name"
	run "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'exit 0' "$name"
	rm "/dev/shm/$name"
	[ "$status" -eq 0 ]
	jq -e '.objects[] | select(.name == "/shmguard-run-\\xff\\xfe\n\"x")' recording/shm.json
	jq -e '.command[3] == "shmguard-run-\\xff\\xfe\n\"x"' recording/recording.json
}

@test "children that a shell had before it execs run are not waited for" {
	begin=$SECONDS
	# shellcheck disable=SC2016
	run bash -c 'sleep 30 >/dev/null 2>&1 3>&- & echo $! >elder; exec "$0" run --quiet --report=none -o recording -- sh -c "(sleep 1; : >late) & exit 3"' "$SHMGUARD"
	LONELY=$(cat elder)
	[ "$status" -eq 3 ]
	[ -e late ]
	[ $((SECONDS - begin)) -lt 20 ]
	kill -0 "$LONELY"
}

@test "an error finding replaces an exit status of 0, and no other" {
	leak='import os, mmap
fd = os.open("/dev/shm/shmguard-run-leak", os.O_CREAT | os.O_RDWR)
os.ftruncate(fd, 4096); mmap.mmap(fd, 4096)'
	run -9 "$SHMGUARD" run --report=none --error-exitcode=9 -o leaky -- "$PYTHON" -c "$leak"
	run -4 "$SHMGUARD" run --report=none --error-exitcode=9 -o failing -- "$PYTHON" -c "$leak; os._exit(4)"
	rm /dev/shm/shmguard-run-leak
	run -0 "$SHMGUARD" run --report=none --error-exitcode=9 -o clean -- true
}

@test "the report goes to stderr, or to a file, or nowhere" {
	"$SHMGUARD" run -o a -- true >out 2>err
	[ ! -s out ]
	grep -q 'a process\|process' err
	"$SHMGUARD" run --report=text -o b -- true 2>err
	grep -q process text
	[ "$(grep -vc '^shmguard: ' err)" -eq 0 ]
	run -125 "$SHMGUARD" run --report=/nonexistent/file -o c -- true
	[[ $output == *"cannot write the report to /nonexistent/file"* ]]
}

@test "100,000 events a second for 10 seconds lose nothing" {
	needs_root "a machine of its own"
	cat >many.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <time.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = memfd_create("many", 0);
			const struct timespec pause = { 0, 800000 };
			ftruncate(fd, 4096);
			for (int i = 0; i < 500000; i++) {
				munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
				if (i % 50 == 49)
					nanosleep(&pause, 0);
			}
			return 0;
		}
	END
	gcc -O1 -w -D_GNU_SOURCE many.c -o many
	run -0 machine "$SHMGUARD" run --quiet --report=none -o recording -- ./many
	events=$(babeltrace2 recording/trace 2>lost | grep -cE 'shmguard:(mmap|munmap):')
	[ "$events" -eq 1000000 ]
	[ ! -s lost ]
}

@test "a disk that fills meanwhile gives 125 instead of 0, and is told of" {
	needs_root "to mount a small disk"
	mkdir disk
	# shellcheck disable=SC2016
	run -125 unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=3m tmpfs disk
		"$0" run --report=none -o disk/recording -- sh -c "dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null; exit 0"' "$SHMGUARD"
	[[ $output == *"recording.json: No space left on device"* ]]
	[[ $output != *"recorded in"* ]]
}

@test "a directory's name may hold anything" {
	mkdir "a b"
	run -3 "$SHMGUARD" run --quiet --report=none -o "a b/c@:%x#é" -- sh -c 'exit 3'
	[ -s "a b/c@:%x#é/recording.json" ]
}
