#!/usr/bin/env bats
# An object is known by the names that it has, whatever symbolic links led to it.

load helpers
bats_require_minimum_version 1.5.0

setup_file()
{
	export NAME=shmguard-links-$$
	cd "$BATS_FILE_TMPDIR" || return 1
	sed -n 's/^\tby \([a-z]*\).*/\1/p' "$BATS_TEST_FILENAME" | while read -r how; do
		echo "$how $PROGRAMS/links $how $NAME-$how"
	done >runs
	record_all
}

teardown_file()
{
	rm -rf /dev/shm/"$NAME"*
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# by HOW [SUFFIX]: the object has had the name $NAME-HOW, that with the suffix, and no other.
by()
{
	cp "$BATS_FILE_TMPDIR/$1.json" report.json
	[ "$(cat "$BATS_FILE_TMPDIR/$1.recorded.status")" -eq 0 ]
	holds '.trace.lost == 0 and .unseen == [] and all(.findings[]; .rule != "name-vanished")'
	holds --arg name "/$NAME-$1" --arg more "${2:-}" '.objects[0].names == [$name, ($name + ($more | select(. != "")))]'
}

unlinked()
{
	holds 'all(.objects[]; (.leaked | not) and .unlinked_by == .created_by)'
}

@test "a symbolic link, and one with a relative target" {
	by absolute
	unlinked
	by relative
	unlinked
}

@test "a link to a link, and by one from outside" {
	by chain
	unlinked
	by outside
	unlinked
}

@test "a link in a directory, and one found by a directory's descriptor" {
	by nested
	unlinked
	by at
	unlinked
}

@test "a link to a stream" {
	by stream
	unlinked
}

@test "a link that is renamed" {
	by moved
	unlinked
}

@test "an object that is renamed has its new name too, and when that was the link's" {
	by renamed .o
	unlinked
	by replaced .l
	unlinked
}

@test "what is no object takes an object's name, which is gone then" {
	by over
	unlinked
	by fifo
	unlinked
	by overat
	unlinked
}

@test "what is no object changes places with an object" {
	by exchanged .l
	unlinked
	by turned .l
	unlinked
}

# alone HOW [SUFFIX]: as by(), where the object stays.
alone()
{
	rm -rf recording
	recorded links "$1" "$NAME-$1"
	holds --arg name "/$NAME-$1" --arg more "${2:-}" '.objects[0] | .leaked and .unlinked_by == null and
		.names == [$name, ($name + ($more | select(. != "")))]'
	holds 'any(.findings[]; .rule == "segment-leak") and all(.findings[]; .rule != "name-vanished")'
}

@test "an object whose first name was taken lives by its second" {
	alone survives .o
	alone object .o
	holds '.objects | length == 2 and (.[1] | .leaked | not)'
}

@test "what is renamed over an object by a process that has called nothing before" {
	local how
	for how in "ln -sfT nowhere" "mv -T -- /dev/shm/$NAME-new"; do
		rm -rf recording
		: >"/dev/shm/$NAME-new"
		# shellcheck disable=SC2016
		record recording sh -c '"$PROGRAMS/links" left "$1" && $2 "/dev/shm/$1"' sh "$NAME-taken" "$how"
		rm "/dev/shm/$NAME-taken"
		report recording >report.json
		holds --arg name "/$NAME-taken" '[.objects[] | select(.created_by)] | length == 1 and
			(.[0] | .names == [$name] and (.leaked | not) and .unlinked_by != null and .unlinked_by != .created_by)'
	done
}

@test "a rename that changes nothing takes no name" {
	alone itself .o
	alone refused
}

@test "log says which object lost its name, and objects does not show it" {
	record recording "$PROGRAMS/links" over "$NAME-lost"
	"$SHMGUARD" objects recording >listed
	run -1 grep -F "$NAME-lost" listed
	"$SHMGUARD" log --object="/$NAME-lost" recording >told
	grep -qF "\"/dev/shm/$NAME-lost\", 0) = 0 /* /$NAME-lost, 4096 bytes */" told
	record second "$PROGRAMS/links" survives "$NAME-first"
	"$SHMGUARD" objects second >listed
	grep -qxF "/$NAME-first (removed), /$NAME-first.o" listed
}

@test "log calls an object by the name that is removed, not by an older one that is its end" {
	record recording "$PYTHON" -c 'import os, sys
at = "/dev/shm/%s-d" % sys.argv[1]; os.mkdir(at); one = at + "/../" + sys.argv[1] + "-up"
os.close(os.open(one, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
os.rename(one, at + "/" + sys.argv[1] + "-up"); os.unlink(at + "/" + sys.argv[1] + "-up"); os.rmdir(at)' "$NAME"
	"$SHMGUARD" log recording >told
	grep -qE "unlink\(\"/dev/shm/$NAME-d/$NAME-up\"\) = 0 /\* /$NAME-d/$NAME-up, 0 bytes \*/$" told
}

@test "a second name by link(2) stays a name, also when a symbolic link led to it" {
	by second .o
	unlinked
	by kept .o
	holds '.objects[0].leaked and any(.findings[]; .rule == "segment-leak")'
}

@test "what O_CREAT makes at the end of a link has the target's name" {
	by dangling
	holds --arg name "/$NAME-dangling.o" '.objects | length == 2 and .[1].names == [$name]'
	unlinked
}

@test "what has no name any more gets none by a path of /proc" {
	by unlinked
	unlinked
}

@test "another object may be given the name that the link had" {
	by reused
	holds --arg name "/$NAME-reused.l" '.objects | length == 2 and .[1].names == [$name]'
	unlinked
}

@test "an object that is left is reported by its own name" {
	recorded links left "$NAME-left"
	holds --arg name "/$NAME-left" '.objects[0].leaked and .objects[0].names == [$name] and
		any(.findings[]; .rule == "segment-leak" and (.message | startswith($name + " ")))'
}

@test "one that was there before, and is changed by the link alone" {
	: >"/dev/shm/$NAME-before"
	ln -s "$NAME-before" "/dev/shm/$NAME-before.l"
	recorded links change "/dev/shm/$NAME-before.l"
	holds --arg name "/$NAME-before" '.objects | length == 1 and .[0].names == [$name]'
	(cd /dev/shm && record again "$PROGRAMS/links" change "$NAME-before.l")
	report again >report.json
	holds --arg name "/$NAME-before" '.objects | length == 1 and .[0].names == [$name]'
}

@test "without /proc the names are looked for in the directory" {
	needs_root "mounts"
	: >"/dev/shm/$NAME-hidden"
	ln -s "$NAME-hidden" "/dev/shm/$NAME-hidden.l"
	cat >hidden.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <sched.h>
		#include <stdlib.h>
		#include <sys/mount.h>
		int main(int count, char **path)
		{
			if (count != 2 || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			    mount("none", "/proc", "tmpfs", 0, NULL))
				return 99;
			return open(path[1], O_RDWR) < 0;
		}
	END
	cc -o hidden hidden.c
	record recording ./hidden "/dev/shm/$NAME-hidden.l"
	report recording >report.json
	holds --arg name "/$NAME-hidden" '.objects | length == 1 and .[0].names == [$name]'
}

@test "another user's link is a trap by any spelling, and called by its own name" {
	needs_root "another user"
	# Links of the directory's own owner are followed in spite of fs.protected_symlinks.
	# shellcheck disable=SC2016
	unshare --mount bash -c 'mount -t tmpfs -o mode=1777,uid=65534 tmpfs /dev/shm && head -c 4096 /dev/zero >/dev/shm/secret &&
		setpriv --reuid=65534 --clear-groups ln -s secret /dev/shm/ring &&
		cp /dev/shm/secret /dev/shm/mine && ln -s mine /dev/shm/own &&
		for path in /dev/shm/ring /dev/shm//ring /dev/shm/own; do
			"$SHMGUARD" run --quiet --report=none -o "${path//\//-}" -- "$PROGRAMS/links" open "$path" || exit 1
		done'
	for path in -dev-shm-ring -dev-shm--ring; do
		"$SHMGUARD" report --format=json ./"$path" >report.json
		holds '[.findings[] | select(.rule == "symlink-or-special")] | length == 1 and
			.[0].severity == "error" and (.[0].message | test("ring, which is a symlink that uid 65534 put there"))'
		holds '.objects[0].names == ["/secret"]'
	done
	"$SHMGUARD" report --format=json ./-dev-shm-own >report.json
	holds 'all(.findings[]; .rule != "symlink-or-special") and .objects[0].names == ["/mine"]'
}

@test "a policy knows the object by one name, with the link and without it" {
	head -c 4096 /dev/zero >"/dev/shm/$NAME-named"
	ln -s "$NAME-named" "/dev/shm/$NAME-named.l"
	printf '[default]\nnames = /%s-named\nname-not-allowed = deny\n' "$NAME" >policy
	chmod 600 policy
	"$SHMGUARD" run --quiet --report=none --policy=policy -o allowed -- "$PROGRAMS/links" open "/dev/shm/$NAME-named.l"
	printf '[default]\nnames = /%s-named.l\nname-not-allowed = deny\n' "$NAME" >policy
	run -99 "$SHMGUARD" run --quiet --report=none --policy=policy -o denied -- "$PROGRAMS/links" open "/dev/shm/$NAME-named.l"
	report allowed >report.json
	holds --arg name "/$NAME-named" '.objects | length == 1 and .[0].names == [$name]'
}

@test "an ordinary file costs one fstat to open, one that is missing nothing" {
	cat >opens.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int count, char **arguments)
		{
			for (int i = atoi(arguments[1]); i > 0; i--) {
				close(open("/etc/passwd", O_RDONLY));
				open("/etc/missing", O_RDONLY);
			}
			return 0;
		}
	END
	gcc -w opens.c -o opens
	local times
	for times in 10 110; do
		record recording strace -f -o trace ./opens "$times"
		rm -r recording
		sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' trace | sort | uniq -c >"calls.$times"
	done
	join -1 2 -2 2 -o 0,1.1,2.1 calls.10 calls.110 | awk '$3 - $2 > 20 { print $1, int(($3 - $2 + 10) / 100) }' >each
	[ "$(cat each)" = $'close 1\nfstat 1\nopenat 2' ]
}

@test "an object goes by the first of the names that it has, and what it leaves by all of them" {
	cat >two.py <<-'END'
		import mmap, os
		from _posixshmem import shm_open
		fd = shm_open("/links-first", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 65536)
		os.link("/dev/shm/links-first", "/dev/shm/links-second")
		at = mmap.mmap(fd, 65536)
		if os.fork() == 0:
		    own = shm_open("/links-first", os.O_RDWR, 0)
		    os.ftruncate(own, 4096)
		    at[60000]
		os.wait()
	END
	"$SHMGUARD" run -o two -- "$PYTHON" two.py 2>errors || true
	tr -s '\n ' ' ' <errors >report
	grep -q "sigbus-cause: .* reading /links-first at offset 60000" errors
	grep -q "died of SIGBUS reading /links-first at offset 60000" report
	grep -q "/links-first (4096 bytes, also /links-second) still exists" report
	"$SHMGUARD" log two >calls
	grep -q 'shm_open("/links-first", O_RDWR.* /\* /links-first, 65536 bytes \*/' calls
	"$SHMGUARD" report --format=html:page.html two
	grep -q '"called": *{"o[0-9]*": *"/links-first"}' page.html
	rm /dev/shm/links-first /dev/shm/links-second
}

@test "who loses the first of its names goes by the next, and by the last when none is left" {
	cat >gone.py <<-'END'
		import os
		from _posixshmem import shm_open, shm_unlink
		fd = shm_open("/links-a", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.link("/dev/shm/links-a", "/dev/shm/links-b")
		shm_unlink("/links-a")
		os.ftruncate(fd, 4096)
		shm_unlink("/links-b")
		os.ftruncate(fd, 8192)
	END
	"$SHMGUARD" run --quiet --report=none -o gone -- "$PYTHON" gone.py
	"$SHMGUARD" log gone >calls
	grep -q 'ftruncate64*([0-9]*, 4096) = 0 /\* /links-b, 4096 bytes' calls
	grep -q 'ftruncate64*([0-9]*, 8192) = 0 /\* /links-b, 8192 bytes' calls
}

@test "a link of /proc is no name: the notice has the one that the object has" {
	cat >through.py <<-'END'
		import mmap, os, time
		fd = os.memfd_create("frames", 0)
		os.ftruncate(fd, 65536)
		at = mmap.mmap(fd, 65536)
		if os.fork() == 0:
		    at[60000]
		    os.read(0, 1)
		os.truncate(f"/proc/self/fd/{fd}", 4096)
		time.sleep(1)
	END
	"$SHMGUARD" run --report=none -o through -- "$PYTHON" through.py 2>errors </dev/null
	grep -q "shrinks memfd:frames from 65536 to 4096 bytes" errors
}

@test "what lies below a directory that is renamed has its new name, and the old one is over" {
	cat >below.py <<-'END'
		import ctypes, mmap, os
		libc = ctypes.CDLL(None)
		held = []
		def make(name, size):
		    fd = os.open(f"/dev/shm/{name}", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.ftruncate(fd, size)
		    held.append(mmap.mmap(fd, size))
		def exchange(one, other):
		    assert libc.renameat2(-100, f"/dev/shm/{one}".encode(), -100, f"/dev/shm/{other}".encode(), 2) == 0
		os.chdir("/dev/shm")
		for directory in "links-d", "links-d/in", "links-dx", "links-p", "links-q", "links-u", "links-t", "links-r":
		    os.mkdir(directory)
		make("links-d/o", 4096)
		make("links-d/in/o", 8192)
		make("links-dx/o", 12288) # its name only begins alike
		make("links-p/o", 16384)
		make("links-p/only", 20480)
		make("links-q/o", 24576)
		os.link("links-p/only", "links-q/also")
		make("links-u/o", 28672)
		os.link("links-u/o", "links-u/second")
		make("links-o", 32768)
		make("links-r/o", 36864)
		os.rename("links-d", "/dev/shm/links-e")
		os.rename("links-e/in/", "links-f/")
		exchange("links-p", "links-q")
		exchange("links-u", "links-o") # a directory and an object
		os.rename("links-t", "links-v") # an empty one
		try:
		    os.rename("links-r", "links-p") # not empty
		except OSError:
		    pass
		make("links-v/o", 40960)
		os.mkdir("links-d")
		make("links-d/o", 45056) # another by the old name
		os.unlink("links-f/o")
	END
	"$SHMGUARD" run -o below -- "$PYTHON" below.py 2>errors || true
	rm -rf /dev/shm/links-*
	"$SHMGUARD" objects --all below >world
	[ "$(grep ^/ world)" = "/links-d/o (removed), /links-e/o
/links-d/in/o (removed), /links-e/in/o (removed), /links-f/o (removed)
/links-dx/o
/links-p/o (removed), /links-q/o
/links-p/only (removed), /links-q/also (removed), /links-q/only, /links-p/also
/links-q/o (removed), /links-p/o
/links-u/o (removed), /links-u/second (removed), /links-o/o, /links-o/second
/links-o (removed), /links-u
/links-r/o
/links-v/o
/links-d/o" ]
	tr -s '\n ' ' ' <errors >report
	grep -q "/links-e/o (4096 bytes) still exists" report
	run -1 grep -q "name-vanished" report
}
