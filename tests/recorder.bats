#!/usr/bin/env bats
# What the recorder sees, and that the program does not see it: programs in tests/programs that say themselves what they
# did, run bare and recorded.

load helpers
bats_require_minimum_version 1.5.0

# What mapping, named, closing and replaced ask for is recorded together, but by two: findings of one program with one stack
# would be one finding.
setup_file()
{
	export NAME=shmguard-recorder-$$
	mkdir "$BATS_FILE_TMPDIR/more"
	cd "$BATS_FILE_TMPDIR" || return 1
	sed -n 's/^\t\(mapping\|named\|closing\|replaced\) \([^ ]*\).*/\1 \2/p' "$BATS_TEST_FILENAME" | while read -r which how; do
		case $which in
		mapping) echo "$which-$how $PROGRAMS/mappings $how /$NAME-$which-$how" ;;
		named) echo "$which-$how $PROGRAMS/names $how $NAME-$how" ;;
		closing) echo "$which-$how $PROGRAMS/closing $how /$NAME-$which-$how" ;;
		replaced) echo "$which-$how $PROGRAMS/ordinary $how /$NAME-$which-$how" ;;
		esac
	done >all
	grep -E '^(mapping|closing)-' all >runs
	run_all bare
	grep -vE '^(mapping-kept|named-symlink) ' all >runs
	record_all
	cd more || return 1
	grep -E '^(mapping-kept|named-symlink) ' ../all >runs
	record_all
	mv named-* mapping-* ..
}

teardown_file()
{
	rm -f /dev/shm/"$NAME"* /dev/shm/sem."$NAME"*
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/"$NAME" /dev/shm/"$NAME".*
}

# together LABEL: as `recorded`, of what setup_file has recorded.
together()
{
	cp "$BATS_FILE_TMPDIR/$1.recorded" out
	cp "$BATS_FILE_TMPDIR/$1.json" report.json
	cat "$BATS_FILE_TMPDIR/$1.recorded.errors"
	holds '.trace.lost == 0 and .trace.complete and .unseen == []'
}

# together_as_bare LABEL: the same, which prints the same and ends the same way as without the recorder.
together_as_bare()
{
	together "$1"
	cp "$BATS_FILE_TMPDIR/$1.bare" bare
	[ -s bare ]
	same bare out
	cmp "$BATS_FILE_TMPDIR/$1.bare.status" "$BATS_FILE_TMPDIR/$1.recorded.status"
}

# mapping HOW [RULE]: the program's own sum of what stays mapped is in a note of RULE; nothing stays: no note.
mapping()
{
	together_as_bare "mapping-$1"
	holds --argjson bytes "$(cat out)" --arg rule "${2:-}" '
		(.objects | length == 1 and .[0].size == 32768 and .[0].unlinked_by == .[0].created_by) and
		([.findings[] | select(.severity == "error" or .rule == "mapping-leak" or .rule == "partial-unmap") |
			[.rule, .severity, .count, .bytes]] ==
			if $rule == "" then [] else [[$rule, "note", 1, $bytes]] end)'
	[ -n "${2:-}" ] || [ "$(cat out)" -eq 0 ]
}

# named HOW KIND: the object that was left is reported as created by the program, under the name that it has in the end.
named()
{
	together "named-$1"
	[ "$(cat "$BATS_FILE_TMPDIR/named-$1.recorded.status")" -eq 0 ]
	local inode name
	read -r inode name <out
	[ "$1" != sem_open ] || name=sem.$name
	[ "$(stat -c %i "/dev/shm/$name")" -eq "$inode" ]
	holds --argjson inode "$inode" --arg name "/$name" --arg kind "$2" '
		(.objects | length == 1) and
		(.objects[0] | .ino == $inode and .names[-1] == $name and .kind == $kind and .leaked and .maps >= 1 and
			.created_by and .unlinked_by == null) and
		([.findings[] | select(.severity == "error")] | length == 1) and
		(.findings[] | select(.severity == "error") | .rule == "segment-leak" and (.message | startswith($name + " ")) and
			(.stacks[0].frames | any(.function == "opened" and (.file | endswith("names.c")))))'
}

# closing HOW: numbers and bytes as bare, and what follows is recorded.
closing()
{
	together_as_bare "closing-$1"
	holds '[.objects[] | .maps] == [1, 1, 1] and ([.findings[] | select(.rule == "fd-leak")] == [])'
}

@test "threads and a signal handler: every object unlinked, nothing left mapped, whatever the order" {
	recorded threads 1
	holds '(.objects | length > 100) and all(.objects[]; .created_by and (.leaked | not) and
			(.kind == "memfd" or .unlinked_by == .created_by)) and
		([.findings[] | select(.severity == "error" or .rule == "mapping-leak")] == []) and (.processes | length == 1)'
}

@test "what a handler that interrupts the recorder opens and closes is all in the log, another file of the same number is not" {
	recorded interrupting 100
	read -r came mapped <out
	"$SHMGUARD" log recording >lines
	run -0 grep -c ' memfd_create("handler"' lines
	[ "$output" -eq "$came" ]
	run -0 grep -c ' dup(.*/\* memfd:handler' lines
	[ "$output" -eq "$came" ]
	run -0 grep -c ' close(.*/\* memfd:handler' lines
	[ "$output" -eq $((2 * came)) ]
	run -0 grep -c ' close(' lines
	[ "$output" -eq $((2 * came + 1)) ]
	run -0 grep -c ' munmap(' lines
	[ "$output" -eq "$mapped" ]
	holds '[.objects[] | select(.leaked)] == [] and [.findings[] | select(.rule == "fd-leak")] == []'
}

# moving HOW: each time that the program maps, moves and unmaps is in the log as such, and that the mapping is too long.
moving()
{
	recorded moving "$@"
	local count call
	count=$(<out)
	"$SHMGUARD" log recording >lines
	for call in ' dup(' ' mmap(' ' mremap(' ' munmap(' 'map-beyond-end'; do
		echo "$call $(grep -cF -- "$call" lines) of $count"
		[ "$(grep -cF -- "$call" lines)" -eq "$count" ]
	done
	rm -rf recording
}

@test "what a handler on a small stack maps, moves and unmaps is all in the log" {
	moving small 10
}

@test "what coroutines map, move and unmap, between which a handler changes, is all in the log" {
	moving coroutines 3000
}

@test "closing every descriptor in a loop: numbers and bytes as bare, what follows is recorded" {
	closing loop
}

@test "closefrom: numbers and bytes as bare, what follows is recorded" {
	closing closefrom
}

@test "close_range: numbers and bytes as bare, what follows is recorded" {
	closing close_range
}

@test "close_range through syscall(2): numbers and bytes as bare, what follows is recorded" {
	closing syscall
}

@test "MAP_FIXED over a whole mapping unmaps it" {
	mapping fixed-over-all
}

@test "MAP_FIXED over a mapping's middle splits it" {
	mapping fixed-over-middle partial-unmap
}

@test "MAP_FIXED over a mapping by the same object replaces it" {
	mapping fixed-over-itself
	holds '.objects[0].maps == 2'
}

@test "a mapping that is unmapped in pieces is gone" {
	mapping pieces
}

@test "a hole in a mapping leaves the rest" {
	mapping hole partial-unmap
}

@test "one munmap across two mappings unmaps both" {
	mapping unmap-across
}

@test "mremap to another place, unmapped there" {
	mapping move
}

@test "mremap that shrinks leaves the rest" {
	mapping shrink mapping-leak
}

@test "mremap of no length makes a second view, which stays when the first is unmapped" {
	mapping second-view mapping-leak
}

@test "a mapping that is kept is a note, not an error" {
	mapping kept mapping-leak
}

@test "munmap through syscall(2)" {
	mapping other-way
}

@test "a segment left by shm_open" {
	named shm_open shm
}

@test "a file on /dev/shm by open" {
	named open file
}

@test "a file on /dev/shm by openat" {
	named openat file
}

@test "a file on /dev/shm by creat" {
	named creat file
}

@test "a file on /dev/shm by a relative path" {
	named relative file
	holds '.objects[0].names | length == 1'
}

@test "a file on /dev/shm by a path with dots and double slashes" {
	named dots file
	holds '.objects[0].names | length == 1'
}

@test "a file on /dev/shm through a symlink" {
	named symlink file
	holds '.objects[0].names | length == 1'
}

@test "a file on /dev/shm by fopen" {
	named fopen file
}

@test "a file on /dev/shm by mkstemp" {
	named mkstemp file
}

@test "a file on /dev/shm that is renamed" {
	named rename file
	holds --arg name "/$NAME-rename" '.objects[0].names == [$name, $name + ".new"]'
}

@test "a file on /dev/shm with a second name, of which the first is unlinked" {
	named link file
	holds --arg name "/$NAME-link" '.objects[0].names == [$name, $name + ".new"]'
}

@test "a semaphore left by sem_open" {
	named sem_open file
	holds '.objects[0].semaphore'
}

@test "a file on /dev/shm by an open that only the kernel saw is noticed when it is mapped" {
	recorded names syscall "$NAME"
	holds --argjson inode "$(cut -d ' ' -f 1 out)" --arg name "/$NAME" '
		.objects | length == 1 and .[0].ino == $inode and .[0].names == [$name] and .[0].maps == 1'
}

# An ordinary file was mapped in a loop; the object that has its descriptor's number next is seen each time it is mapped.
replaced()
{
	together "replaced-$1"
	[ "$(cat "$BATS_FILE_TMPDIR/replaced-$1.recorded.status")" -eq 0 ]
	holds --argjson inode "$(cat out)" '.objects | length == 1 and .[0].ino == $inode and .[0].maps == 1000'
}

@test "an object in the place of an ordinary descriptor that was closed" {
	replaced close
}

@test "an object in the place of an ordinary descriptor that close_range closed" {
	replaced close_range
}

@test "an object in the place of an ordinary descriptor that libc closed behind our back" {
	replaced behind
}

@test "an object that dup2 puts in the place of an ordinary descriptor" {
	replaced dup2
}

# A memfd of 20 KiB mapped twice, by the process that got it.
passed()
{
	holds --argjson inode "$(cat out)" '
		(.objects | length == 1) and (.objects[0] | .ino == $inode and .kind == "memfd" and .size == 20480 and .maps == 2) and
		([.findings[] | select(.rule == "mapping-leak") | .bytes] == [20480, 20480])'
}

@test "a descriptor that comes by SCM_RIGHTS from a process that is recorded too" {
	# shellcheck disable=SC2016
	record recording sh -c '"$0" send socket & "$0" receive socket; wait' "$PROGRAMS/passing" >out
	report recording >report.json
	passed
	holds '(.processes | map({(.id): .argv[1]}) | add) as $did | $did[.objects[0].created_by] == "send" and
		all(.findings[] | select(.rule == "mapping-leak"); $did[.process] == "receive")'
}

@test "a descriptor that comes by SCM_RIGHTS from a process that is not recorded" {
	"$PROGRAMS/passing" send socket 3>&- &
	recorded passing receive socket
	passed
	holds '.objects[0].created_by == null and .objects[0].names == ["memfd:passing"]'
}

@test "a descriptor that is inherited across exec" {
	recorded passing leave "$PROGRAMS/passing" inherit
	passed
	holds '.processes[1].id as $id | .objects[0].created_by == .processes[0].id and .processes[1].argv[1] == "inherit" and
		all(.findings[] | select(.rule == "mapping-leak"); .process == $id)'
}

@test "files without a name on /dev/shm, two of them, are two objects of their creator" {
	cat >nameless.py <<-'END'
		import mmap, os
		for size in (4096, 8192):
		    fd = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)
		    os.ftruncate(fd, size)
		    mmap.mmap(fd, size).close()
		    os.close(fd)
	END
	record recording "$PYTHON" nameless.py
	report recording >report.json
	holds '[.objects[] | [.size, .names, .created_by != null, .maps]] == [[4096, [], true, 1], [8192, [], true, 1]] and
		([.findings[] | select(.severity != "note")] == [])'
}

@test "files below a directory of /dev/shm: made, removed and moved by relative paths" {
	cat >below.py <<-'END'
		import mmap, os, sys
		os.mkdir("/dev/shm/" + sys.argv[1])
		os.chdir("/dev/shm/" + sys.argv[1])
		def make(name):
		    fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.ftruncate(fd, 4096)
		    mmap.mmap(fd, 4096).close()
		    os.close(fd)
		make("removed")
		os.unlink("removed")
		make("moved")
		os.rename("moved", "../" + sys.argv[1] + ".top")
		make("../" + sys.argv[1] + ".beside")
		os.remove("/dev/shm/" + sys.argv[1] + ".beside")
		os.rmdir("/dev/shm/" + sys.argv[1])
	END
	record recording "$PYTHON" below.py "$NAME"
	report recording >report.json
	holds --arg name "/$NAME" '[.objects[] | [.names, .unlinked_by == .created_by, .leaked]] == [
			[[$name + "/removed"], true, false],
			[[$name + "/moved", $name + ".top"], false, true],
			[[$name + ".beside"], true, false]] and
		([.findings[] | select(.severity == "error") | .rule] == ["segment-leak"])'
}

@test "a memfd opened by its link in /proc: the link is no name, and leads elsewhere later" {
	cat >again.py <<-'END'
		import mmap, os
		kept = []
		for size in (4096, 8192):
		    fd = os.memfd_create("frames")
		    os.ftruncate(fd, size)
		    again = os.open("/proc/self/fd/%d" % fd, os.O_RDWR)
		    kept.append(mmap.mmap(again, size))
		    os.close(again)
		    os.close(fd)
	END
	record recording "$PYTHON" again.py
	report recording >report.json
	holds '[.objects[] | .names] == [["memfd:frames"], ["memfd:frames"]] and
		([.findings[] | select(.rule == "split-brain")] == [])'
}
