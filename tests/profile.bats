#!/usr/bin/env bats
# shmguard profile --apparmor: rules that AppArmor's own parser takes, the same for the same recordings.
load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	NAME=profile-$$-$BATS_TEST_NUMBER
}

teardown()
{
	rm -rf "/dev/shm/$NAME"*
}

# profile NAME...: of these recordings, as ./profiles; AppArmor's parser takes it.
profile()
{
	"$SHMGUARD" profile --apparmor "$@" >profiles
	apparmor_parser --skip-kernel-load --skip-cache --skip-bad-cache -Q profiles 2>parser || { cat parser profiles; return 1; }
	cat profiles
}

# rule LINE [CALLS]: stands in the profile, with the comment above it that names the calls.
rule()
{
	grep -B1 -xF "  $1" profiles | head -n 1 | same /dev/stdin <(echo "  # $2")
}

@test "names, rights, owner and calls of one program" {
	cat >program.py <<-'END'
		import os, sys
		from _posixshmem import shm_open, shm_unlink
		name = "/" + sys.argv[1]
		fd = shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
		os.ftruncate(fd, 4096)
		shm_open(name, os.O_RDONLY)
		os.rename("/dev/shm" + name, "/dev/shm" + name + "-moved")
		os.link("/dev/shm" + name + "-moved", "/dev/shm" + name + "-twin")
		shm_unlink(name + "-moved")
		os.open("/dev/shm" + name + "-log", os.O_CREAT | os.O_WRONLY, 0o600)
	END
	record recording "$PYTHON" program.py fixed
	rm -f /dev/shm/fixed*
	profile recording
	grep -x 'profile "/usr/bin/python3[.0-9]*" flags=(complain) {' profiles
	rule 'owner "/dev/shm/fixed" rw,' 'shm_open O_RDWR|O_CREAT, shm_open O_RDONLY, rename from'
	rule 'owner "/dev/shm/fixed-moved" w,' 'rename to, unlink'
	rule 'owner "/dev/shm/fixed-twin" l,' 'link'
	rule 'owner "/dev/shm/fixed-log" w,' 'open O_WRONLY|O_CREAT'
	[ "$(grep -c '"/dev/shm/' profiles)" -eq 4 ]
}

@test "CPython's semaphores and segments: random names are globs, a semaphore is linked into place" {
	cat >pool.py <<-'END'
		import multiprocessing
		from multiprocessing import shared_memory
		lock = multiprocessing.Lock()
		segment = shared_memory.SharedMemory(create=True, size=4096)
		segment.close()
		segment.unlink()
	END
	record one "$PYTHON" pool.py
	record two "$PYTHON" pool.py
	profile one two
	rule 'owner "/dev/shm/psm_????????" rw,' 'shm_open O_RDWR|O_CREAT, unlink'
	rule 'owner "/dev/shm/sem.mp-????????" rwl,' 'sem_open, unlink'
	rule 'owner "/dev/shm/sem.??????" rw,' 'sem_open, before it has its name'
	profile one >first
	profile two >second
	same <(tail -n +2 first) <(tail -n +2 second)
}

@test "what mkstemp chose of a name is one rule, whatever it looks like, for who made it and who removes it" {
	cat >many.c <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/stat.h>
		#include <unistd.h>
		int main(int count, char **names)
		{
			char path[100];
			mkdir(names[1], 0700);
			for (int i = 0; i < 200; i++) {
				snprintf(path, sizeof path, "%s%scache.XXXXXX", names[1], i % 2 ? "/" : "-");
				close(mkstemp(path));
				unlink(path);
			}
			return count - 2;
		}
	END
	gcc -w many.c -o many
	"$SHMGUARD" run --quiet --report=none -o many.rec -- ./many "/dev/shm/$NAME"
	profile many.rec
	[ "$(grep -c cache profiles)" -eq 2 ]
	[ "$(grep -cE '"/dev/shm/.*[-/]cache\.\?\?\?\?\?\?" rw,$' profiles)" -eq 2 ]
}

@test "another user's object has no owner in its rule; names cannot break out of theirs" {
	needs_root "another user's object"
	install -m 666 -o 65534 /dev/null "/dev/shm/$NAME"
	# shellcheck disable=SC2016
	record recording "$PYTHON" -c 'import os, sys
os.open("/dev/shm/" + sys.argv[1], os.O_RDWR)
for tail in ("\" rwmlk, }", "a, b", "new\nline", "{x,y}", "@{HOME}", "back\\slash", "a]b", "c[d", "caf\u00e9"):
    os.unlink(os.open("/dev/shm/" + sys.argv[1] + tail, os.O_CREAT | os.O_RDWR, 0o600) and "/dev/shm/" + sys.argv[1] + tail)' "$NAME"
	profile recording
	grep -qE '^  "/dev/shm/profile-.*" rw,$' profiles
	[ "$(grep -cvE '^$|^#|^  #|^abi|^profile |^}$|^  (owner )?"[^"]*" [rwlm]+,$' profiles)" -eq 0 ]
}

@test "an executable mapping asks for m, a memfd for nothing" {
	record recording "$PYTHON" -c 'import mmap, os, sys
fd = os.open("/dev/shm/" + sys.argv[1], os.O_CREAT | os.O_RDWR, 0o700); os.ftruncate(fd, 4096)
mmap.mmap(fd, 4096, prot=5); m = os.memfd_create("x"); os.ftruncate(m, 4096); mmap.mmap(m, 4096)' "$NAME"
	profile recording
	grep -qE '^  owner "/dev/shm/profile-.*" rwm,$' profiles
	grep -qx '  # memfd_create: AppArmor does not mediate it.' profiles
}

@test "usage, and what cannot be read" {
	run "$SHMGUARD" profile
	[ "$status" -eq 2 ]
	run "$SHMGUARD" profile recording
	[ "$status" -eq 2 ]
	run "$SHMGUARD" profile --apparmor
	[ "$status" -eq 2 ]
	run "$SHMGUARD" profile --apparmor /nowhere
	[ "$status" -eq 3 ]
	[ "$(grep -c nowhere <<<"$output")" -eq 1 ]
}
