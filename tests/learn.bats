#!/usr/bin/env bats
# A policy learned from a recording, put in force: the program runs as before, and can do nothing else.

load helpers
load learn
bats_require_minimum_version 1.5.0

setup_file()
{
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
	export POSTGRES=/usr/lib/postgresql/15/bin
}

teardown_file()
{
	remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	umask 022
	STARTED=()
}

teardown()
{
	for pid in "${STARTED[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
	done
}

# cluster NAME: an empty one, in ./NAME.
cluster()
{
	mkdir "$NOBODY_HOME/$1"
	chown "$NOBODY_UID" "$NOBODY_HOME/$1"
	cd "$NOBODY_HOME/$1" || return
	as_nobody "$POSTGRES/initdb" -D data -A trust -U postgres -N --no-locale >initdb.log
}

# work [OPTION...]: starts the cluster under run, lets it answer a parallel query, and stops it.
work()
{
	local directory=$PWD recorder
	as_nobody "$NOBODY_BUILD/shmguard" run --quiet "$@" -- "$POSTGRES/postgres" -D "$directory/data" -k "$directory" \
		-c listen_addresses= -c dynamic_shared_memory_type=posix >postgres.log 2>&1 3>&- &
	recorder=$!
	STARTED+=("$recorder")
	for _ in $(seq 300); do
		! as_nobody "$POSTGRES/pg_isready" -q -h "$directory" -U postgres || break
		sleep 0.05
	done
	STARTED+=("$(head -n 1 data/postmaster.pid)")
	as_nobody env PGOPTIONS="-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0" \
		"$POSTGRES/psql" -X -q -A -t -h "$directory" -U postgres -d postgres -v ON_ERROR_STOP=1 \
		-c "create table numbers as select i, i % 7 as k from generate_series(1, 300000) i" -c "analyze numbers" \
		-c "explain (analyze, costs off) select k, sum(i) from numbers group by k" \
		-c "select sum(s) from (select k, sum(i) as s from numbers group by k) x" >answer
	grep -q 'Workers Launched: [1-9]' answer
	[ "$(tail -n 1 answer)" = 45000150000 ]
	kill -INT "$(head -n 1 data/postmaster.pid)"
	wait "$recorder"
}

@test "PostgreSQL runs under what was learned from it, and another program can open nothing" {
	cluster first
	work -o "$PWD/recording"
	as_nobody "$NOBODY_BUILD/shmguard" policy learn "$PWD/recording" >"$BATS_TEST_TMPDIR/postgres.ini"
	cat "$BATS_TEST_TMPDIR/postgres.ini"
	grep -qxF 'names = /PostgreSQL.[0-9]*' "$BATS_TEST_TMPDIR/postgres.ini"
	cp "$BATS_TEST_TMPDIR/postgres.ini" "$NOBODY_HOME/postgres.ini"
	chmod 644 "$NOBODY_HOME/postgres.ini"
	cluster second
	work -o "$PWD/recording" --policy="$NOBODY_HOME/postgres.ini"
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json "$PWD/recording" >report.json
	holds '[.findings[] | select(.action == "denied")] == []'

	run as_nobody env LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" SHMGUARD_POLICY="$NOBODY_HOME/postgres.ini" "$PYTHON" -c '
import _posixshmem, os
_posixshmem.shm_open("/PostgreSQL.1", os.O_RDWR | os.O_CREAT, mode=0o600)'
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"Permission denied"* ]]
	[ ! -e /dev/shm/PostgreSQL.1 ]
}

@test "CPython's multiprocessing runs under what was learned from it, semaphores and all" {
	cat >program.py <<-'END'
		import sys
		from multiprocessing import Pool, shared_memory

		def double(i):
		    return 2 * i

		names = sys.argv[1:]
		memory = shared_memory.SharedMemory(create=True, size=8192)
		again = shared_memory.SharedMemory(memory.name)
		again.close()
		memory.close()
		memory.unlink()
		for name in names:
		    shared_memory.SharedMemory(name, create=True, size=1)
		with Pool(2) as pool:
		    print(sum(pool.map(double, range(10))))
	END
	record first "$PYTHON" program.py
	# Random names of one run could all be letters, which no glob is made of.
	record second "$PYTHON" program.py
	"$SHMGUARD" policy learn first second >learned.ini
	cat learned.ini
	run --separate-stderr "$SHMGUARD" run -o third --policy=learned.ini --report=none -- "$PYTHON" program.py
	# shellcheck disable=SC2154 # run sets it
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = 90 ]
	run "$SHMGUARD" run -o fourth --policy=learned.ini --report=none -- "$PYTHON" program.py shmguard-learn-other
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"Permission denied"* ]]
	[ ! -e /dev/shm/shmguard-learn-other ]
}

@test "what is learned of names in a directory of /dev/shm holds however they are spelled" {
	mkdir "/dev/shm/shmguard-learn-names"
	cat >program.py <<-'END'
		import os, sys
		at = os.open(sys.argv[1], os.O_RDONLY)
		os.close(os.open("made", os.O_RDWR | os.O_CREAT, 0o600, dir_fd=at))
		os.chdir(sys.argv[1])
		os.rename("made", "renamed")
		os.link("renamed", "linked")
		os.unlink("renamed")
		os.unlink("linked", dir_fd=at)
	END
	record first "$PYTHON" program.py "/dev/shm/shmguard-learn-names"
	"$SHMGUARD" policy learn first >learned.ini
	grep ^names learned.ini
	[ "$(grep -c "^names = /shmguard-learn-names/\(made\|renamed\|linked\)$" learned.ini)" -eq 3 ]
	[ "$(grep -c '^names = /[^s]' learned.ini)" -eq 0 ]
	"$SHMGUARD" run --quiet --report=none -o second --policy=learned.ini -- "$PYTHON" program.py "/dev/shm/shmguard-learn-names"
	rmdir "/dev/shm/shmguard-learn-names"
}

@test "what was linked into place, or replaced, counts for as long as it has a name" {
	cat >program.py <<-'END'
		import os
		BASE = "/dev/shm/shmguard-learn-place"
		def made(name):
		    os.close(os.open(BASE + name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
		for i in "123":
		    made("tmp"); os.link(BASE + "tmp", BASE + i); os.unlink(BASE + "tmp")
		for i in "123":
		    made("tmp"); os.rename(BASE + "tmp", BASE + i)
		for i in "123":
		    os.unlink(BASE + i)
	END
	record first "$PYTHON" program.py
	"$SHMGUARD" policy learn first >learned.ini
	cat learned.ini
	grep -qxF 'max-objects = 4' learned.ini
	"$SHMGUARD" run --quiet --report=none -o second --policy=learned.ini -- "$PYTHON" program.py
}

@test "a program whose whole path nobody knows is learned by the last part of it" {
	needs_root "/proc is unmounted"
	"$SHMGUARD" run --quiet --report=none -o recording -- unshare --mount --propagation private bash -c '
		while umount -l /proc 2>/dev/null; do :; done
		cd "$1" && exec env ./leaky 1 "$2"' bash "$PROGRAMS" "/learn-$$."
	rm -f "/dev/shm/learn-$$."*
	: >recording/processes.jsonl
	"$SHMGUARD" policy learn recording >learned.ini
	grep -qx 'exe = leaky' learned.ini
	"$SHMGUARD" policy check learned.ini
	env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/learned.ini" "$PROGRAMS/leaky" 1 "/learn-$$."
	rm "/dev/shm/learn-$$."*
}

@test "names that are too many for a list are told to be wider than what was learned" {
	cat >many.py <<-'END'
		import _posixshmem, os
		for name in ["/%s%s-word" % (c, d) for c in "abcdefghijklmnopqrstuvwxyz" for d in "xy"]:
		    _posixshmem.shm_open(name, os.O_RDONLY | os.O_CREAT, mode=0o600)
		    _posixshmem.shm_unlink(name)
	END
	"$SHMGUARD" run --quiet --report=none -o many -- "$PYTHON" many.py
	"$SHMGUARD" policy learn many >many.ini
	grep -qx '# These stand for 52 names, more than a list may have (32), and let in others that begin alike.' many.ini
	"$SHMGUARD" run --quiet --report=none -o few -- "$PROGRAMS/leaky" 1 "/learn-few-$$."
	rm "/dev/shm/learn-few-$$."*
	"$SHMGUARD" policy learn few >few.ini
	run -1 grep 'These stand for' few.ini
}

@test "what all may write and read is learned as both, whatever of it was told" {
	unchanged shm 'os.umask(0); bits(say(shm, "a", 0o666)); shm_unlink("/shmguard-learn-a")'
	grep -qx 'world-writable = warn' shm.ini
	grep -qx 'world-readable = warn' shm.ini
	unchanged chmod 'fd = say(shm, "a"); say(os.fchmod, fd, 0o606); bits(fd); shm_unlink("/shmguard-learn-a")'
	unchanged semaphore '
os.umask(0)
print(bool(libc.sem_open(b"/shmguard-learn-s", os.O_CREAT, 0o666, 1)), libc.sem_unlink(b"/shmguard-learn-s"))'
	unchanged renamed '
os.umask(0)
os.mkdir(BASE + "d", 0o700)
os.close(os.open(BASE + "d/x", MAKE, 0o606))
say(os.rename, BASE + "d/x", BASE + "x")
os.unlink(BASE + "x")
os.rmdir(BASE + "d")'

	# What only they may write, or nobody can reach, is not learned to be more.
	unchanged writable 'os.umask(0); bits(say(shm, "a", 0o602)); shm_unlink("/shmguard-learn-a")'
	grep -qx 'world-writable = warn' writable.ini
	run -1 grep -x 'world-readable = warn' writable.ini
	unchanged private '
os.umask(0)
os.mkdir(BASE + "d", 0o700)
os.close(os.open(BASE + "d/x", MAKE, 0o666))
say(os.rename, BASE + "d/x", BASE + "d/y")
os.unlink(BASE + "d/y")
os.rmdir(BASE + "d")'
	run -1 grep '^world-.* = warn' private.ini
}

@test "a mapping past the end is learned as such, whether or not a resize had failed before" {
	for size in 0 4096; do
		unchanged "failed$size" "
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, -1))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fd = say(shm, 'a')
os.ftruncate(fd, $size)
say(os.ftruncate, fd, 8192)
say(map, fd, 8192)
shm_unlink('/shmguard-learn-a')"
		grep -qx 'resize-failed-ignored = warn' "failed$size.ini"
	done
	unchanged beyond 'fd = say(shm, "a"); os.ftruncate(fd, 4096); say(map, fd, 8192); shm_unlink("/shmguard-learn-a")'
	grep -qx 'map-beyond-end = warn' beyond.ini
	run -1 grep -x 'map-before-size = warn' beyond.ini
	run -1 grep -x 'resize-failed-ignored = warn' beyond.ini
}

@test "a call that failed fails the same way under what was learned" {
	unchanged missing '
say(os.rename, BASE + "no1", BASE + "no2")
say(os.rename, BASE + "no1", BASE + "nodir/no2")
say(os.rename, BASE + "no1", "/run/no2")
say(os.rename, "/run/no1", BASE + "no2")
say(os.rename, BASE + "no1", "/nodir/no2")
say(os.link, BASE + "no3", BASE + "no4")
say(os.link, BASE + "no3", "/run/no4")
print(libc.rename((BASE + "no1").encode(), None), libc.rename(None, (BASE + "no1").encode()))
os.close(say(shm, "a"))
say(os.link, BASE + "no3", BASE + "a")
say(os.rename, BASE + "no3", BASE + "a")
say(os.unlink, BASE + "a")'
	# Names that are there stay refused.
	run -1 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/missing.ini" "$PYTHON" -c "$PRELUDE"'
os.close(shm("a"))
os.rename(BASE + "a", BASE + "other")'
	[[ $output == *"Permission denied"* ]]
	[ ! -e /dev/shm/shmguard-learn-other ]
	rm /dev/shm/shmguard-learn-a
	unchanged mapped '
fd = say(shm, "a")
reader = say(shm, "a", 0, os.O_RDONLY)
say(map, reader, 4096)
say(os.ftruncate, reader, 1 << 20)
shm_unlink("/shmguard-learn-a")'
	unchanged open '
os.umask(0)
os.close(say(shm, "a"))
shm_unlink("/shmguard-learn-a")
null = [os.open("/dev/null", 0)]
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
try:
    while True:
        null.append(os.dup(null[0]))
except OSError:
    pass
say(shm, "a", 0o666)'
}

@test "a directory is published by rename, or refused, under what was learned as it was before" {
	elsewhere=$(mktemp -d)
	publish='os.mkdir(BASE + "tmp")
os.close(say(os.open, BASE + "tmp/data", MAKE, 0o600))
say(os.rename, BASE + "tmp", BASE + "d")'
	unchanged published "$publish
os.close(say(os.open, BASE + 'd/data', os.O_RDWR)); os.unlink(BASE + 'd/data'); os.rmdir(BASE + 'd')"
	# Another is to open it.
	unchanged handed "$publish
os.system('rm -r ' + BASE + 'd')"
	unchanged at "import shutil
$publish
at = os.open('/dev/shm', os.O_RDONLY)
os.chdir(BASE + 'd'); os.mkdir('sub'); os.close(say(os.open, 'sub/x', MAKE, 0o600))
say(os.rename, 'sub', '../shmguard-learn-d/other')
os.rename('shmguard-learn-d/', 'shmguard-learn-e/', src_dir_fd=at, dst_dir_fd=at)
say(os.rename, BASE + 'e', BASE + 'e'); say(os.rename, BASE + 'e', BASE + 'e/other'); say(os.rename, BASE + 'e', '$elsewhere/e')
say(os.link, BASE + 'e', BASE + 'f'); say(os.rename, '$elsewhere', BASE + 'f')
shutil.rmtree(BASE + 'e')"
	# No other name.
	run -1 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/handed.ini" "$PYTHON" -c "$PRELUDE${publish/%\"d\")/\"other\")}
os.stat(BASE + 'other')"
	[[ $output == *"rename Permission denied"*"No such file"* ]]
	rm -r /dev/shm/shmguard-learn-tmp
	rmdir "$elsewhere"
}

@test "what no finding tells of is learned from the call itself" {
	unchanged sealed '
import fcntl
fd = os.memfd_create("m", os.MFD_ALLOW_SEALING)
os.ftruncate(fd, 4096)
fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
say(map, fd, 4096, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE)'
	unchanged reserved '
fd = say(shm, "a")
os.ftruncate(fd, 4096)
print(libc.fallocate(fd, 1, ctypes.c_long(0), ctypes.c_long(1 << 20)))
shm_unlink("/shmguard-learn-a")'
	unchanged nameless '
os.umask(0)
fd = say(os.open, "/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o644)
print(libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, (BASE + "a").encode(), 0x400))
os.unlink(BASE + "a")'
	grep -qx 'max-objects = 1' nameless.ini
	needs_root "another user's object"
	unchanged foreign '
import subprocess
def others(*words):
    subprocess.run(["env", "-i", "PATH=" + os.environ["PATH"], *words], check=True)
others("sh", "-c", "printf 12345 >%sa; ln %sa %sb; chown 65534 %sa" % (BASE, BASE, BASE, BASE))
say(os.truncate, BASE + "a", 4096)
say(os.chmod, BASE + "a", 0o640)
say(shm, "b", 0, os.O_RDWR | os.O_CREAT)
say(os.rename, BASE + "b", BASE + "c")
others("rm", BASE + "a", BASE + "c")'
}

@test "what a policy refused or mended while it was recorded, what was learned does, too, and says so" {
	local wide='os.umask(0)
fd = say(shm, "a", 0o666)
if isinstance(fd, int):
    bits(fd)
    shm_unlink("/shmguard-learn-a")'
	printf '[default]\nworld-writable = fix\n' >fix.ini
	unchanged fixed "$wide" --policy=fix.ini
	grep -qx 'max-mode = 0666' fixed.ini
	grep -qx 'world-writable = fix' fixed.ini
	grep -qx 'world-readable = warn' fixed.ini
	grep -qxF '# A policy mended it, 1 time, when this was recorded, and so does this one.' fixed.ini
	[ "$(cat fixed.recorded)" = $'shm done\n0o664' ]

	unchanged safe "$wide" --profile=safe
	[ "$(cat safe.recorded)" = $'shm done\n0o660' ]

	printf '[default]\nmax-mode = 0600\nmode-too-open = fix\n' >limit.ini
	unchanged limited "$wide" --policy=limit.ini
	grep -qxF '# A policy kept 066 from its objects when this was recorded, and so does this one.' limited.ini
	grep -qx 'max-mode = 0600' limited.ini
	grep -qx 'mode-too-open = fix' limited.ini
	[ "$(cat limited.recorded)" = $'shm done\n0o600' ]

	printf '[default]\nworld-writable = deny\n' >deny.ini
	unchanged denied "$wide" --policy=deny.ini
	grep -qx 'max-mode = 0666' denied.ini
	grep -qx 'max-objects = 1' denied.ini
	grep -qxF '# A policy refused it, 1 time, when this was recorded, and so does this one.' denied.ini
	run -1 grep -x 'world-writable = warn' denied.ini
	[ "$(cat denied.recorded)" = 'shm Permission denied' ]

	printf '[default]\nnames = /shmguard-learn-a\nname-not-allowed = deny\nmax-size = 4096\nobject-too-large = deny\n' >names.ini
	unchanged named '
fd = say(shm, "a")
say(os.ftruncate, fd, 4096)
say(os.ftruncate, fd, 8192)
say(shm, "b")
shm_unlink("/shmguard-learn-a")' --policy=names.ini
	run -1 grep -x 'names = /shmguard-learn-b' named.ini
	grep -qxF '# Other names, 1 time, a policy refused when this was recorded, and so does this one.' named.ini
	grep -qx 'max-size = 4096' named.ini

	# With audit all is as the program did it.
	printf '[default]\nmode = audit\nworld-writable = deny\nworld-readable = fix\n' >audit.ini
	unchanged audited "$wide" --policy=audit.ini
	grep -qx 'world-writable = warn' audited.ini
	[ "$(cat audited.recorded)" = $'shm done\n0o666' ]
}
