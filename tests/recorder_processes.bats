#!/usr/bin/env bats
# As recorder.bats, of processes: whatever the way in which they come, each has what it did itself.

load helpers
bats_require_minimum_version 1.5.0

setup()
{
	NAME=shmguard-processes-$$
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/"$NAME" /dev/shm/"$NAME".*
}

# as_bare PROGRAM ARG...: prints the same and ends the same way as without the recorder.
as_bare()
{
	local bare=0
	"$PROGRAMS/$1" "${@:2}" >bare || bare=$?
	[ -s bare ]
	recorded "$@" || [ $? -eq "$bare" ]
	same bare out
}

# family HOW PROCESSES STARTED: each process that printed its pid has an object of its own, made and unlinked by it.
family()
{
	recorded family "$1" "/$NAME"
	jq -r '.objects[].created_by as $id | .processes[] | select(.id == $id) | .pid' report.json | sort >reported
	sort out >pids
	[ "$(wc -l <pids)" -eq "$2" ]
	same pids reported
	holds --argjson count "$2" --arg started "$3" '
		(.objects | length == $count) and
		all(.objects[]; .unlinked_by == .created_by and (.leaked | not) and .maps == 1) and
		([.objects[].created_by] | unique | length == $count) and
		(.objects | map(.created_by)) as $creators |
		[.processes[] | select(.id | IN($creators[])) | .started_by] == ["exec"] + [range($count - 1) | $started]'
}

@test "a process that forks 100 children: each with its own objects" {
	family forks 101 fork
	holds '([.processes[] | select(.parent)] | length == 100) and ([.processes[].parent | select(.)] | unique | length == 1) and
		all(.processes[]; .ended == "exit" and .status == 0)'
}

@test "exec with an empty environment is followed" {
	family empty-environment 2 exec
	holds '[.processes[] | [.ended, .argv[1]]] == [["exec", "empty-environment"], ["exit", "child"]] and
		.processes[1].previous == .processes[0].id and .processes[1].pid == .processes[0].pid'
}

@test "daemon() is followed" {
	family daemon 2 fork
	holds '.processes[1].parent == .processes[0].id and all(.processes[]; .ended == "exit" and .status == 0)'
}

@test "a daemon by double fork is followed" {
	family double-fork 2 fork
	holds '(.processes | length == 3) and .processes[2].parent == .processes[1].id and .processes[1].parent == .processes[0].id'
}

@test "a child by a clone system call is followed" {
	family clone 2 adopted
	holds '.processes[1].ppid == .processes[0].pid'
}

@test "a child by posix_spawn with an empty environment is followed" {
	family spawn 2 exec
	holds '.processes[1].parent == .processes[0].id and .processes[1].argv[1] == "child"'
}

@test "a child by vfork and exec with an empty environment is followed" {
	family vfork 2 exec
	holds '.processes[1].parent == .processes[0].id and .processes[1].argv[1] == "child"'
}

# sharing HOW: what a child that runs in the program's memory closes is the child's; the program's descriptor is known on.
sharing()
{
	as_bare sharing "$1" "/$NAME"
	"$SHMGUARD" log recording >calls.txt
	rm -rf recording
	cat calls.txt
	[ "$(grep -c "dup(" calls.txt)" -eq 1 ]
	[ "$(grep -c "close(" calls.txt)" -eq 2 ]
}

@test "what a child by vfork closes, its parent still has" {
	sharing vfork
}

@test "what a child by clone closes that shares the memory, its parent still has" {
	sharing clone
}

@test "a child by the number of clone or clone3 in the memory of its parent, which is recorded on" {
	sharing number
	sharing number3
}

@test "a child that no hook saw come ends or executes in the memory of its parent, which is recorded on" {
	local how
	for how in bare bare-exit bare-exec; do
		sharing $how
		holds '[.processes[] | select(.exe | endswith("/sharing")) | .ended] == ["exit"]'
	done
}

@test "a child by vfork and exec through syscall(2) with an empty environment is followed" {
	family system-call 2 exec
	holds '.processes[1].parent == .processes[0].id and .processes[1].argv[1] == "child"'
}

@test "a child by execveat of a descriptor, through syscall(2) with an empty environment, is followed" {
	family descriptor 2 exec
	holds '.processes[2].previous == .processes[1].id and .processes[2].argv[1] == "child"'
}

@test "what execveat is only asked about is no exec, and none that failed" {
	cat >check.py <<-END
		import ctypes, os
		from _posixshmem import shm_open, shm_unlink
		os.close(shm_open("/$NAME", os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600))
		shm_unlink("/$NAME")
		libc, words = ctypes.CDLL(None), (ctypes.c_char_p * 2)(b"true", None)
		at_execve_check = 0x10000
		assert libc.execveat(-100, b"/bin/true", words, None, at_execve_check) == 0
	END
	"$PYTHON" check.py || skip "the kernel does not know the question (Linux 6.14)"
	record first "$PYTHON" check.py
	"$SHMGUARD" log first >calls
	grep -q shm_open calls
	run -1 grep -F "exec(" calls
}

@test "a child that is killed is reported as killed, its events are there" {
	family killed 2 fork
	holds '.processes[1] | .ended == "signal" and .signal == 9 and .signal_name == "SIGKILL"'
}
