#!/usr/bin/env bats
# As rules.bats, for the rules of sizes: of objects, of what maps them, and of the memory behind both.

load helpers
load cgroup
load rules

# shellcheck disable=SC2034 # rules.bash reads it
BY_ITSELF=(memory-limit)

teardown()
{
	remove_group
	rm -f /dev/shm/shmguard-rules.*
}

@test "size-disagreement is found" {
	check_faulty size-disagreement
}

@test "size-disagreement: each maps what it did, whoever mapped it first or was done with it first" {
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
		[.stacks[].role] == ["mapped", "mapped as well"] and $pid[.stacks[1].process] == $first)' sizes.json
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

@test "map-beyond-end: a resize to what is left of the mapping makes it a note, after one that was too short" {
	check_faulty map-beyond-end_reduced
}

@test "map-beyond-end: what a daemon mapped before it was one, and makes up for, is only a note" {
	check_faulty map-beyond-end_daemon
}

@test "map-beyond-end: what a daemon never makes up for" {
	check_faulty map-beyond-end_orphan
}

@test "map-beyond-end: what a daemon gives up in time is only a note" {
	check_faulty map-beyond-end_dropped
}

@test "map-beyond-end: what was given up, and a child keeps to its end" {
	check_faulty map-beyond-end_kept
}

@test "map-beyond-end: what was given up, and a child touches" {
	check_faulty map-beyond-end_inherited
}

@test "map-beyond-end: what was given up, and a child makes up for, is only a note" {
	check_faulty map-beyond-end_handed
}

@test "map-beyond-end: also when mremap does it" {
	check_faulty map-beyond-end_remapped
}

@test "map-beyond-end: threads that have mappings grown at one time are each told of by the object's name" {
	recorded growing 8 300
	holds '[.findings[] | select(.rule == "map-beyond-end")] | length > 0 and
		all(.severity == "note" and (.message | contains(" of /shmguard-growing.")))'
}

@test "map-beyond-end: also when remap_file_pages does it" {
	check_faulty map-beyond-end_repaged
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

@test "shrink-under-map: also of pages that remap_file_pages brought" {
	check_faulty shrink-under-map_repaged
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
