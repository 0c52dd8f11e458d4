#!/usr/bin/env bats
# For every rule that is checked: a program that commits exactly that fault is told so, with a stack that leads to it and
# no other error; its innocent twin hears nothing of the kind. What is expected stands on top of each program:
# "expect: RULE SEVERITY [COUNT]".

load helpers
load cgroup
load rules

# shellcheck disable=SC2034 # rules.bash reads it
BY_ITSELF=(huge-page-advice lock-advice memory-limit)

setup_file()
{
	record_together faulty ""
	record_together innocent _innocent
}

teardown()
{
	remove_group
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

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
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

@test "size-disagreement is found" {
	check_faulty size-disagreement
}

@test "size-disagreement: who mapped it first is who did, not who was done with it first" {
	cat >sizes.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int fd = shm_open(argv[1], O_CREAT | O_EXCL | O_RDWR, 0600);
			ftruncate(fd, 65536);
			mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			if (fork() == 0) {
				mmap(0, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
				_exit(0);
			}
			wait(0);
			shm_unlink(argv[1]);
			return 0;
		}
	END
	gcc -g -w sizes.c -o sizes
	record sizes.d ./sizes "/sizes-$$"
	report sizes.d >sizes.json
	jq -e '([.processes[] | select(.started_by == "exec").pid] | max) as $first |
		(.processes | map({key: .id, value: .pid}) | from_entries) as $pid |
		[.findings[] | select(.rule == "size-disagreement")] | length == 1 and (.[0] |
		(.message | contains("maps 32768 bytes of ") and contains("(pid \($first)) maps 65536,")) and
		[.stacks[].role] == ["mapped", "mapped before"] and $pid[.stacks[1].process] == $first)' sizes.json
}

@test "size-disagreement: the innocent twin is silent" {
	check_innocent size-disagreement
}

@test "map-beyond-end is found" {
	check_faulty map-beyond-end
}

@test "map-beyond-end: in a loop too the size is that of this moment" {
	check_faulty map-beyond-end_loop
}

@test "map-beyond-end: a resize in time makes it a note" {
	check_faulty map-beyond-end_grown
}

@test "map-beyond-end: also when mremap does it" {
	check_faulty map-beyond-end_remapped
}

@test "map-beyond-end: also when mprotect opens what was kept" {
	check_faulty map-beyond-end_opened
}

@test "map-beyond-end: the innocent twin is silent" {
	check_innocent map-beyond-end
}

@test "map-before-size is found" {
	check_faulty map-before-size
}

@test "map-before-size: a size given in time makes it a note" {
	check_faulty map-before-size_sized
}

@test "map-before-size: the innocent twin is silent" {
	check_innocent map-before-size
}

@test "resize-failed-ignored is found" {
	check_faulty resize-failed-ignored
}

@test "resize-failed-ignored: the innocent twin is silent" {
	check_innocent resize-failed-ignored
}

@test "shrink-under-map is found" {
	check_faulty shrink-under-map
}

@test "shrink-under-map: a warning when nobody else maps it" {
	check_faulty shrink-under-map_own
}

@test "shrink-under-map: a note when it is remapped at once" {
	check_faulty shrink-under-map_remapped
}

@test "shrink-under-map: a warning when the mapping is given up, but a child has died of it before" {
	check_faulty shrink-under-map_late
	jq -e 'all(.findings[]; .message | contains("gave up") | not)' faulty.json
}

@test "shrink-under-map: the innocent twin is silent" {
	check_innocent shrink-under-map
}

@test "truncate-on-open is found" {
	check_faulty truncate-on-open
}

@test "truncate-on-open: a warning when nobody maps it" {
	check_faulty truncate-on-open_alone
}

@test "truncate-on-open: the innocent twin is silent" {
	check_innocent truncate-on-open
}

@test "resize-by-attacher is found" {
	check_faulty resize-by-attacher
}

@test "resize-by-attacher: a forked child is not the creator" {
	check_faulty resize-by-attacher_forked
}

@test "resize-by-attacher: the innocent twin is silent" {
	check_innocent resize-by-attacher
}

@test "shm-fs-full is found" {
	check_faulty shm-fs-full
}

@test "shm-fs-full: a note when nothing came of it" {
	check_faulty shm-fs-full_unused
}

@test "shm-fs-full: the innocent twin is silent" {
	check_innocent shm-fs-full
}

@test "sparse-unreserved is found" {
	check_faulty sparse-unreserved
}

@test "sparse-unreserved: the innocent twin is silent" {
	check_innocent sparse-unreserved
}

@test "huge-page-unbacked is found" {
	check_faulty huge-page-unbacked
}

@test "huge-page-unbacked: also when mprotect opens what was kept" {
	check_faulty huge-page-unbacked_opened
}

@test "huge-page-unbacked: the innocent twin is silent" {
	check_innocent huge-page-unbacked
}

@test "huge-page-misaligned is found" {
	check_faulty huge-page-misaligned
}

@test "huge-page-misaligned: the innocent twin is silent" {
	check_innocent huge-page-misaligned
}

@test "punch-unreserves is found" {
	check_faulty punch-unreserves
}

@test "punch-unreserves: MADV_REMOVE is told with its place in the object" {
	check_faulty punch-unreserves_removed
	jq -e '.findings[] | select(.rule == "punch-unreserves").message | test("12288")' faulty.json
}

@test "punch-unreserves: the innocent twin is silent" {
	check_innocent punch-unreserves
}

@test "tail-overrun is found" {
	check_faulty tail-overrun
}

@test "tail-overrun: the innocent twin is silent" {
	check_innocent tail-overrun
}

@test "file-size-limit is found" {
	check_faulty file-size-limit
}

@test "file-size-limit: the innocent twin is silent" {
	check_innocent file-size-limit
}

@test "lock-limit is found" {
	check_faulty lock-limit
}

@test "lock-limit: the innocent twin is silent" {
	check_innocent lock-limit
}

@test "private-map is found" {
	check_faulty private-map
}

@test "private-map: the innocent twin is silent" {
	check_innocent private-map
}

@test "access-mismatch is found" {
	check_faulty access-mismatch
}

@test "access-mismatch: an offset within a page" {
	check_faulty access-mismatch_offset
}

@test "access-mismatch: a resize through a read-only descriptor" {
	check_faulty access-mismatch_resize
}

@test "access-mismatch: the innocent twin is silent" {
	check_innocent access-mismatch
}

@test "sigbus-cause is found" {
	check_faulty sigbus-cause
}

@test "sigbus-cause: the innocent twin is silent" {
	check_innocent sigbus-cause
}

@test "reservation-interrupted is found" {
	check_faulty reservation-interrupted
}

@test "reservation-interrupted: the innocent twin is silent" {
	check_innocent reservation-interrupted
}

@test "memory-limit is found" {
	make_group $((64 << 20))
	# shellcheck disable=SC2034 # rules.bash reads it
	WITHIN=("${IN_GROUP[@]}")
	check_faulty memory-limit
}

@test "memory-limit: the innocent twin is silent" {
	make_group $((64 << 20))
	# shellcheck disable=SC2034 # rules.bash reads it
	WITHIN=("${IN_GROUP[@]}")
	check_innocent memory-limit
}
