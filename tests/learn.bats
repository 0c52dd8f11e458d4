#!/usr/bin/env bats
# A policy learned from a recording, put in force: the program runs as before, and can do nothing else.

load helpers
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
