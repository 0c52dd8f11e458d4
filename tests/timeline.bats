#!/usr/bin/env bats
# The timeline against what happened: the bytes that each process has mapped, whatever way they came or went.

bats_require_minimum_version 1.5.0

load helpers

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	"$SHMGUARD" run --quiet --report=none -o inherits -- "$PROGRAMS/inherits" >pids
	"$SHMGUARD" report --format=timeline inherits >timeline.json
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return 1
}

# counted PID [FILE]: what the counter of the process shows, in the order of time.
counted()
{
	jq -r --argjson pid "$1" '[.traceEvents[] | select(.ph == "C" and .pid == $pid)] | sort_by(.ts) | map(.args.bytes) | join(" ")' \
		"${2:-timeline.json}"
}

@test "mapped bytes: mremap, a mapping over a part, what a child inherits, and an exec" {
	mapfile -t pid <pids
	[ "$(counted "${pid[0]}")" == "1048576 1052672 1114112 1048576 65536 8192 0" ]
	[ "$(counted "${pid[1]}")" == "1048576 983040 0" ]
	[ "$(counted "${pid[2]}")" == "1048576 0" ]
	[ "$(counted "${pid[3]}")" == "1048576 0" ]
}

@test "mapped bytes: between two events they are what objects has" {
	mapfile -t times < <(jq -r '[.traceEvents[] | select(.ts) | .ts] | unique | [., .[1:]] | transpose[] |
		select(.[1] and .[1] - .[0] > 5000) | (.[0] + 2000) / 1e6' timeline.json)
	[ "${#times[@]}" -ge 8 ]
	for at in "${times[@]}"; do
		"$SHMGUARD" objects --at="$at" inherits | sed -n 's/^ *process \([0-9]*\) .*: maps \[\([0-9]*\), \([0-9]*\)) .*/\1 \2 \3/p' |
			awk '{sum[$1] += $3 - $2} END {for (pid in sum) print pid, sum[pid]}' | sort -n >held
		jq -r --argjson at "$at" '[.traceEvents[] | select(.ph == "C" and .ts <= $at * 1e6)] | group_by(.pid)[] |
			max_by(.ts) | select(.args.bytes > 0) | "\(.pid) \(.args.bytes)"' timeline.json | sort -n >counted
		same held counted
	done
}

@test "mapped bytes: what was mapped before the time that was asked for is there as that begins" {
	mapfile -t pid <pids
	since=$(jq --argjson pid "${pid[1]}" '[.traceEvents[] | select(.ph == "C" and .pid == $pid)][0].ts / 1e6 + 0.005' timeline.json)
	"$SHMGUARD" report --format=timeline --since="$since" inherits >later.json
	[ "$(counted "${pid[0]}" later.json)" == "1048576 65536 8192 0" ]
	[ "$(counted "${pid[1]}" later.json)" == "1048576 983040 0" ]
	jq -e --argjson since "$since" '[.traceEvents[] | select(.ph == "C").ts] | min >= $since * 1e6 - 1' later.json
	"$SHMGUARD" report --format=timeline --pid="${pid[1]}" inherits >one.json
	[ "$(counted "${pid[0]}" one.json)" == "" ]
	[ "$(counted "${pid[1]}" one.json)" == "1048576 983040 0" ]
}

@test "what a process did, made or has mapped lies under its name, whether it was asked for or not" {
	mapfile -t pid <pids
	"$SHMGUARD" report --format=timeline --pid="${pid[1]}" inherits >one.json
	jq -e --argjson pid "${pid[0]}" '[.traceEvents[] | select(.ph == "b" and .pid == $pid)] | length == 1' one.json
	for file in timeline.json one.json; do
		jq -e '.traceEvents as $all | [$all[] | select(.ph == "M").pid] as $named |
			($named | length == (unique | length)) and ([$all[].pid] | unique - $named - [0] == [])' "$file"
	done
}

@test "mapped bytes: of what was asked for, as what the stacks left" {
	cat >two.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void *map(void *where, const char *name, int length)
		{
			int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
			if (ftruncate(fd, length))
				_exit(1);
			return mmap(where, length, PROT_READ, MAP_SHARED | (where ? MAP_FIXED : 0), fd, 0);
		}
		int main(void)
		{
			char *a = map(NULL, "/part-a", 16384);
			map(NULL, "/part-b", 8192);
			map(a + 4096, "/part-c", 4096);
			if (fork() == 0)
				_exit(0);
			wait(NULL);
			munmap(a, 4096);
			return shm_unlink("/part-a") + shm_unlink("/part-b") + shm_unlink("/part-c");
		}
	END
	cc -g -o two two.c
	"$SHMGUARD" run --quiet --report=none -o two.rec -- ./two
	# by_started FILTER...: what the program's counter shows, and its child's.
	by_started()
	{
		"$SHMGUARD" report --format=timeline:part.json --format=json:part.report "$@" two.rec
		for began in exec fork; do
			counted "$(jq --arg began "$began" '[.processes[] | select(.started_by == $began)][0].pid' part.report)" part.json
		done
	}
	same <(by_started) <(printf '%s\n' "16384 24576 20480 24576 20480 0" "24576 0")
	same <(by_started --object=/part-a) <(printf '%s\n' "16384 12288 8192 0" "12288 0")
	same <(by_started --object=/part-b) <(printf '%s\n' "8192 0" "8192 0")
	same <(by_started --object=/part-c) <(printf '%s\n' "4096 0" "4096 0")
	same <(by_started --object='/part-[ab]') <(printf '%s\n' "16384 24576 20480 16384 0" "20480 0")
	same <(by_started --object=/nothing) <(printf '%s\n' "" "")
	since=$(jq '[.traceEvents[] | select(.cat == "call" and .name == "map" and .args.object == "/part-c")][0].ts / 1e6' \
		<("$SHMGUARD" report --format=timeline two.rec))
	same <(by_started --object=/part-a --since="$since") <(printf '%s\n' "12288 8192 0" "12288 0")
}
