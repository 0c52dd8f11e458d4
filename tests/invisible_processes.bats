#!/usr/bin/env bats
# Processes that fork, start others and end in every way, with threads and without: recorded as bare.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

setup_file()
{
	export PROGRAMS=$BUILD/tests/programs
}

@test "100 forks of a program whose threads are busy" {
	unchanged "$PROGRAMS/hostile_processes" forks 100
	holds '([.processes[] | select(.started_by == "fork" and .traced)] | length == 100) and .unseen == []'
}

@test "100 forks of a program that makes threads meanwhile, and each child makes one" {
	unchanged "$PROGRAMS/hostile_processes" thread_forks 100
	holds '([.processes[] | select(.started_by == "fork" and .traced)] | length == 100) and .unseen == []'
}

@test "threads that make threads and fork, and children that make threads" {
	unchanged "$PROGRAMS/hostile_processes" forking_threads 40
	holds '([.processes[] | select(.started_by == "fork" and .traced)] | length == 120) and .unseen == []'
}

# A child in which a thread that is not there holds the loader's lock hangs where it needs it.
@test "calls take no lock of the loader" {
	"$SHMGUARD" run --quiet --report=none -o recording -- "$PROGRAMS/loader" >out
	same out <(echo few)
	report recording >report.json
	holds '.trace.lost == 0 and .objects[0].maps == 1020'
}

# 41 mappings: one at first, and for each fork the handlers' before and after it, the child handler's and the child's own.
@test "an allocator whose lock is held across fork: LTTng goes on after its handlers, which are recorded too" {
	unchanged "$PROGRAMS/atfork" fork
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and .objects[0].maps == 41 and
		([.processes[] | select(.started_by == "fork" and .traced and .ended == "exit")] | length == 10)'
}

@test "the same through forkpty" {
	unchanged "$PROGRAMS/atfork" forkpty
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and .objects[0].maps == 41'
}

@test "the same through daemon, whose own children go on" {
	unchanged "$PROGRAMS/atfork" daemon
	holds '.trace.lost == 0 and .trace.complete and .unseen == []'
}

@test "a child's threads, which have the ids of those of LTTng in its parent, are not cancelled at its end" {
	unchanged "$PROGRAMS/hostile_processes" inherits
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and .objects[0].maps == 4'
}

@test "every way to end, of the first thread and of another" {
	unchanged "$PROGRAMS/hostile_processes" ends
	holds '([.processes[] | select(.ended == "signal" and .signal == 6)] | length == 2)'
}

# ended_last HOW: the process ends with its last thread, which runs the handlers, status 0.
ended_last()
{
	unchanged "$PROGRAMS/last_thread" "$1"
	grep '^a handler ran' bare
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length == 1) and
		all(.processes[]; .ended | IN("exit", "exec"))'
}

@test "the first thread ends, alone" {
	ended_last alone
}

@test "the first thread ends before another" {
	ended_last thread
}

@test "the first thread ends before a detached one" {
	ended_last detached
}

@test "the first thread is cancelled" {
	ended_last cancelled
}

@test "the first thread ends by thrd_exit" {
	ended_last c11
}

@test "the first thread ends before anything is called" {
	ended_last later
}

@test "the first thread ends, another forks, and the child ends with it" {
	ended_last forked
}

# exits HOW CALLERS [before]: by exit(2), at once, and each of CALLERS processes made calls that are recorded.
exits()
{
	local how=$1 callers=$2 began=$SECONDS
	unchanged bash -c '"$@"; echo "it ended with $?"' bash "$PROGRAMS/exits" "$how" ${3:+"$3"}
	[ $((SECONDS - began)) -lt 20 ]
	holds --argjson callers "$callers" '.trace.lost == 0 and .trace.complete and .unseen == [] and
		([.processes[] | select((.exe | endswith("/exits")) and .events > 2)] | length) == $callers'
	rm -rf recording
}

@test "a child by clone returns, and ends by exit(2)" {
	exits clone 1
	exits clone 2 before
}

@test "a child by clone in the memory of its parent, which it does not end" {
	local how
	for how in memory memory-files vfork; do
		exits $how 1
		exits $how 1 before
	done
}

@test "exit(2) of the only thread, by syscall and past the C library" {
	exits number 1
	exits bare 1
}

@test "exit(2) of the first thread, by syscall and past the C library, before another" {
	exits first 1
	exits bare-first 1
}

@test "exit(2) past the C library in a child by fork, and in one by its number" {
	local how
	for how in forked raw; do
		exits $how 1
		exits $how 2 before
	done
}

@test "limits of 8, 12, 20 and 30 descriptors, set after the first call: a fork waits for nothing" {
	local limit
	for limit in 8 12 20 30; do
		local began=$SECONDS
		unchanged "$PROGRAMS/lowered" descriptors $limit
		[ $((SECONDS - began)) -lt 20 ]
		holds '.trace.lost == 0 and .trace.complete'
		rm -rf recording
	done
}

@test "limits of address space and of data, set after the first call, are the program's own" {
	local limit
	for limit in "memory 30000000" "memory 200000000" "data 10000000"; do
		# shellcheck disable=SC2086
		unchanged "$PROGRAMS/lowered" $limit
		grep '^room: 1, no end of it: 0$' bare
		rm -rf recording
	done
}

@test "50 execs in a row" {
	unchanged "$PROGRAMS/hostile_processes" execs 50
	holds '([.processes[] | select(.traced)] | length == 51) and .unseen == []'
}

@test "children that close every number while LTTng comes up in them" {
	unchanged "$PROGRAMS/closers" 15
}

@test "the first process of a pid namespace, whose parent knows it by another number, is not said to be unseen" {
	needs_root "a pid namespace"
	"$SHMGUARD" run --quiet --report=none -o recording -- unshare --pid --fork --mount-proc "$PROGRAMS/leaky" 1 "/pidns-$$-"
	rm -f "/dev/shm/pidns-$$-0"
	report recording >report.json
	holds '.unseen == [] and ([.processes[] | select(.traced) | .pid] == [1]) and (.objects | length == 1)'
	rm -rf recording
	exits namespace 2
	exits namespace 2 before
	exits memory-namespace 1
	exits memory-namespace 1 before
}

@test "beside LTTng's own wrapper of fork, before or after us, children come and are recorded" {
	local own=liblttng-ust-fork.so.1 ours=$BUILD/libshmguard.so preload
	cat >forks.py <<-'END'
		import os
		def touch(name):
		    os.close(os.memfd_create(name))
		touch("first")
		for _ in range(3):
		    if os.fork() == 0:
		        touch("child")
		        if os.fork() == 0:
		            touch("grandchild")
		            os._exit(0)
		        os._exit(os.wait()[1])
		    print(os.wait()[1])
		touch("last")
	END
	for preload in "$own:$ours" "$ours:$own" "$own"; do
		unchanged env LD_PRELOAD="$own" "$PYTHON" forks.py
		timeout 60 "$SHMGUARD" run --quiet --report=none -o beside -- env LD_PRELOAD="$preload" "$PYTHON" forks.py >out
		same bare <(cat out; echo "status 0")
		"$SHMGUARD" report --format=json beside >report.json
		holds '.trace.lost == 0 and .unseen == [] and (.objects | length) == 8 and ([.processes[] | select(.events > 2)] | length) == 7'
		rm -rf recording beside
	done
}

@test "a program that brings LTTng-UST itself, preloaded or by dlopen, is recorded from its first call on" {
	local how
	cat >brings.py <<-'END'
		import ctypes, os, sys
		if len(sys.argv) > 1:
		    ctypes.CDLL("liblttng-ust.so.1")
		for _ in range(5):
		    os.close(os.memfd_create("brought"))
		print("done")
	END
	for how in "env LD_PRELOAD=liblttng-ust.so.1 $PYTHON brings.py" "env $PYTHON brings.py later"; do
		# shellcheck disable=SC2086
		unchanged $how
		holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length) == 5'
		rm -rf recording
	done
}

@test "a program that loses every way to tell before its first call is named as not seen, and none that only makes no call" {
	needs_root "chroot and a network namespace"
	mkdir -p empty/dev/shm
	cat >hidden.py <<-'END'
		import ctypes, os, sys
		for way in sys.argv[1:]:
		    if way == "net":
		        ctypes.CDLL(None).unshare(0x40000000)
		    if way == "root":
		        os.chroot("empty")
		    if way == "call":
		        os.close(os.memfd_create("hidden"))
		print("done")
	END
	unchanged "$PYTHON" hidden.py net root call
	holds '(.unseen | length) == 1 and (.unseen[0].reason | startswith("it told that it began, and nothing after that"))'
	rm -rf recording
	unchanged "$PYTHON" hidden.py net
	holds '.unseen == []'
}
