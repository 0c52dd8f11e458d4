#!/usr/bin/env bats
# For every rule that is checked: a program that commits exactly that fault is told so, with a stack that leads to it and
# no other error; its innocent twin hears nothing of the kind. What is expected stands on top of each program:
# "expect: RULE SEVERITY [COUNT]".

load helpers
load rules

# shellcheck disable=SC2034 # rules.bash reads it
BY_ITSELF=(huge-page-advice lock-advice)

teardown()
{
	[ -z "${SWAP:-}" ] || swapoff "$SWAP"
	rm -f /dev/shm/shmguard-rules.*
}

# A little swap, on a file of this test.
add_swap()
{
	needs_root "only root can add swap"
	dd if=/dev/zero of=swap bs=1M count=8 status=none
	chmod 600 swap
	mkswap swap
	swapon swap || skip "no swap can be added here"
	SWAP=$PWD/swap
}

@test "segment-leak is found" {
	check_faulty segment-leak
}

@test "segment-leak: the innocent twin is silent" {
	check_innocent segment-leak
}

@test "mapping-leak is found" {
	check_faulty mapping-leak
}

@test "mapping-leak: the innocent twin is silent" {
	check_innocent mapping-leak
}

@test "mapping-leak: what did not grow is a note of who ended by itself, and nothing of who was killed" {
	local how
	cd "$BATS_TEST_TMPDIR" || return
	cat >holder.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int fd = memfd_create("held", MFD_CLOEXEC);
			if (ftruncate(fd, 65536))
				return 1;
			for (int i = 0; i < 5; i++)
				mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
			switch (*argv[argc - 1]) {
			case 'r': return 0;
			case 'e': exit(0);
			case '_': _exit(0);
			case 'a': abort();
			default: return kill(getpid(), SIGKILL);
			}
		}
	END
	gcc -D_GNU_SOURCE -g -w holder.c -o holder
	for how in return exit _exit; do
		record "$how" ./holder "$how"
		"$SHMGUARD" report --format=json "$how" | jq -e '[.findings[] | select(.rule == "mapping-leak")
			| .severity, .count] == ["note", 5]'
	done
	for how in abort kill; do
		run record "$how" ./holder "$how"
		[ "$status" -gt 128 ]
		"$SHMGUARD" report --format=json "$how" | jq -e 'all(.findings[]; .rule != "mapping-leak")'
	done
	"$SHMGUARD" rules mapping-leak | tr -s ' \n' ' ' >text
	grep -q 'of a process that ended by itself, a note of what it still held' text
}

@test "fd-leak is found" {
	check_faulty fd-leak
}

@test "fd-leak: the innocent twin is silent" {
	check_innocent fd-leak
}

@test "partial-unmap is found" {
	check_faulty partial-unmap
}

@test "partial-unmap: the innocent twin is silent" {
	check_innocent partial-unmap
}

@test "double-unlink is found" {
	check_faulty double-unlink
}

@test "double-unlink: the innocent twin is silent" {
	check_innocent double-unlink
}

@test "name-vanished is found" {
	check_faulty name-vanished
}

@test "name-vanished: the innocent twin is silent" {
	check_innocent name-vanished
}

@test "split-brain is found" {
	check_faulty split-brain
}

@test "split-brain: the innocent twin is silent" {
	check_innocent split-brain
}

@test "unsynchronised-sharing is found" {
	check_faulty unsynchronised-sharing
}

@test "unsynchronised-sharing: the innocent twin is silent" {
	check_innocent unsynchronised-sharing
}

@test "huge-page-advice is found" {
	# Where none are made, or all are without being asked, there is nothing to advise (tests/huge.bats does so itself).
	if ! grep -qE '\[(never|advise|within_size|always)\]' /sys/kernel/mm/transparent_hugepage/shmem_enabled ||
		grep -E ' /dev/shm tmpfs .*huge=(always|within_size)' /proc/mounts; then
		record trace "$BUILD/tests/rules/huge-page-advice"
		report trace | jq -e '[.findings[] | select(.rule == "huge-page-advice")] == []'
		return
	fi
	check_faulty huge-page-advice
	jq -e '.findings[] | select(.rule == "huge-page-advice") | .message |
		test("32 MiB of .* on pages of 4096 bytes, .*: 16 of 2 MiB would do; .*(remount,huge=advise|MADV_HUGEPAGE|HUGETLB)")' faulty.json
}

@test "huge-page-advice: the innocent twin is silent" {
	check_innocent huge-page-advice
}

@test "lock-advice is found" {
	add_swap
	check_faulty lock-advice
}

@test "lock-advice: the innocent twin is silent" {
	add_swap
	check_innocent lock-advice
}

@test "lock-advice: told from the line that run writes, the swapped bytes and the limit among it" {
	record told "$BUILD/tests/rules/tail-overrun"
	report told >told.json
	jq -r '[.processes[0].pid, .objects[0].dev, .objects[0].ino] | @tsv' told.json | {
		read -r pid device inode
		printf '{"type":"usage","pid":%d,"dev":%d,"ino":%d,"since":0,"time":%d,"length":65536,"page":4096,' \
			"$pid" "$device" "$inode" "$(date +%s%N)"
		printf '"swap":20480,"memlock":8388608}\n'
	} >>told/processes.jsonl
	report told >told.json
	jq -e '[.findings[] | select(.rule == "lock-advice")] | length == 1 and (.[0] | .severity == "note" and
		.bytes == 20480 and (.message | test("up to 20 KiB .* moved to swap .* RLIMIT_MEMLOCK: 8 MiB")))' told.json
}

@test "churn is found" {
	check_faulty churn
	jq -e '.findings[] | select(.rule == "churn") | .message | test("5000 times here, up to [1-9][0-9]{3} times within a " +
		"second; the calls from one to the next took [0-9.]+ us, .* save up to [0-9.]+ m?s$")' faulty.json
}

@test "churn: the innocent twin is silent" {
	check_innocent churn
}
