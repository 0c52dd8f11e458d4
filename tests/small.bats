#!/usr/bin/env bats
# A small /dev/shm, as containers have it: nothing of ours lies on it, real programs live and die there as they do without
# us, each death is foretold and explained, each survival is silent. All this needs root, to mount.

load helpers

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
	cat >segment.py <<-'END'
		import sys
		from multiprocessing import shared_memory, Process

		def attach(name):
		    segment = shared_memory.SharedMemory(name)
		    segment.buf[0] = 7
		    segment.close()

		segment = shared_memory.SharedMemory(create=True, size=int(sys.argv[1]))
		child = Process(target=attach, args=(segment.name,))
		child.start()
		child.join()
		assert segment.buf[0] == 7 and child.exitcode == 0
		for at in range(0, int(sys.argv[2]), 4096):
		    segment.buf[at] = 1
		segment.close()
		segment.unlink()
	END
}

# A command of small's: with a /dev/shm of that size to itself.
small() # SIZE COMMAND [ARG...]
{
	unshare -m sh -c 'mount -t tmpfs -o "size=$0,mode=1777" tmpfs /dev/shm && exec "$@"' "$@"
}

# cpython SIZE BYTES TOUCHED [OPTION...]: run and the program in the small /dev/shm; then only the program.
cpython_inside()
{
	small "$1" "$SHMGUARD" run --report=none "${@:4}" -o recording -- "$PYTHON" segment.py "$2" "$3" 2>notices
}

cpython_outside()
{
	"$SHMGUARD" run --report=none "${@:4}" -o recording -- unshare -m sh -c \
		'mount -t tmpfs -o "size=$0,mode=1777" tmpfs /dev/shm && exec "$@"' "$1" "$PYTHON" segment.py "$2" "$3" 2>notices
}

# All was recorded, nobody died, and no rule says error.
lived()
{
	report recording >report.json
	cat notices
	grep -q 'error:' notices && return 1
	holds '.trace.complete and .trace.lost == 0 and .unseen == [] and
		([.findings[] | select(.severity == "error")] == []) and ([.processes[] | select(.signal)] == []) and
		([.objects[] | select(.names[0] | startswith("/psm_"))] | length == 1)'
}

# It was foretold when it was sized, told when it came, and both are in the report.
died()
{
	report recording >report.json
	cat notices
	grep -q "shmguard: error: shm-fs-full: python.* sizes /psm_[0-9a-f]* to $1 bytes, but its file system has only $2 bytes left" notices
	grep -q 'shmguard: error: sigbus-cause: python.* got a SIGBUS writing /psm_[0-9a-f]* at offset [0-9]*: .* file system is full (0 bytes left)' notices
	holds '.trace.complete and ([.findings[] | select(.severity == "error").rule] | unique == ["shm-fs-full", "sigbus-cause"])'
}

@test "4 KiB, run inside: the one page is the program's" {
	cpython_inside 4k 4096 4096
	lived
}

@test "4 KiB, run outside" {
	cpython_outside 4k 4096 4096
	lived
}

@test "4 KiB, as an ordinary user" {
	cp segment.py "$NOBODY_HOME/"
	cd "$NOBODY_HOME"
	small 4k setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$NOBODY_HOME" "$NOBODY_BUILD/shmguard" run \
		--report=none -o "$NOBODY_HOME/recording" -- "$PYTHON" segment.py 4096 4096 2>"$BATS_TEST_TMPDIR/notices"
	mv "$NOBODY_HOME/recording" "$BATS_TEST_TMPDIR/"
	cd "$BATS_TEST_TMPDIR"
	lived
}

@test "4 KiB: two pages are one too many" {
	cpython_inside 4k 8192 8192 && return 1
	died 8192 4096
}

@test "2 MiB: what fits" {
	cpython_inside 2m 1048576 1048576
	lived
}

@test "2 MiB: what does not fit, run inside" {
	cpython_inside 2m 4194304 4194304 && return 1
	died 4194304 2097152
}

@test "2 MiB: what does not fit, run outside" {
	cpython_outside 2m 4194304 4194304 && return 1
	died 4194304 2097152
}

@test "2 MiB: what does not fit and is not touched is a note" {
	cpython_inside 2m 4194304 4096 --quiet
	report recording >report.json
	holds '[.findings[] | select(.rule == "shm-fs-full").severity] == ["note"]'
}

@test "64 MiB: what fits" {
	cpython_inside 64m 50331648 50331648
	lived
}

@test "64 MiB: what does not fit" {
	cpython_outside 64m 134217728 134217728 && return 1
	died 134217728 67108864
}

# postgres SIZE QUERY: a new cluster in a small /dev/shm, recorded as nobody; ./answer is what psql says.
postgres()
{
	local data
	data=$(mktemp -d "$NOBODY_HOME/postgres.XXXXXX")
	chown 65534:65534 "$data"
	cat >"$data/session" <<-'END'
		set -e
		cd "$1"
		"$POSTGRES/initdb" -D data -A trust -U postgres -N --no-locale >initdb.log
		"$NOBODY_BUILD/shmguard" run --report=none -o recording -- "$POSTGRES/postgres" -D data -k "$1" \
			-c listen_addresses= -c dynamic_shared_memory_type=posix >postgres.log 2>notices 3>&- &
		for _ in $(seq 300); do
			! "$POSTGRES/pg_isready" -q -h "$1" -U postgres || break
			sleep 0.05
		done
		PGOPTIONS="-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0 -c work_mem=256MB -c enable_mergejoin=off -c enable_nestloop=off" \
			"$POSTGRES/psql" -X -q -A -t -h "$1" -U postgres -d postgres -c 'create table t as select i, i::text as t from generate_series(1, 300000) i' \
			-c 'analyze t' -c "$2" >answer 2>&1 || true
		kill -INT "$(head -n 1 data/postmaster.pid)"
		wait $!
	END
	small "$1" setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$NOBODY_HOME" bash "$data/session" "$data" "$2"
	mv "$data/recording" "$data/answer" "$data/notices" .
	report recording >report.json
	cat answer
}

# What PostgreSQL reserves before it touches it cannot kill it: the query fails, or not, and nothing is wrong.
postgres_lived()
{
	grep -q 'shmguard: error' notices && return 1
	holds '.trace.complete and ([.findings[] | select(.severity == "error")] == []) and
		([.processes[] | select(.signal == 7)] == []) and
		([.objects[] | select(.names[0] // "" | startswith("/PostgreSQL."))] | length >= 1)'
}

@test "PostgreSQL with 64 MiB: a parallel query" {
	postgres 64m 'select count(*) from t a join t b using (i)'
	grep -qx 300000 answer
	postgres_lived
}

@test "PostgreSQL with 2 MiB: a query that needs more is refused" {
	postgres 2m 'select count(*) from t a join t b using (i)'
	grep -q 'No space left on device' answer
	postgres_lived
}

# open_mpi SIZE BYTES: two ranks exchange messages and share a window of so many bytes each; bare, then recorded.
open_mpi()
{
	if ! command -v mpicc >/dev/null; then skip "no Open MPI"; fi
	cat >window.c <<'END'
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int words[1 << 18];
int main(int argc, char **argv)
{
	int rank, size;
	char *memory;
	MPI_Win window;
	MPI_Aint bytes = atol(argv[argc - 1]);
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	for (int round = 0; round < 20; round++)
		MPI_Sendrecv_replace(words, 1 << 18, MPI_INT, size - 1 - rank, 0, size - 1 - rank, 0, MPI_COMM_WORLD,
				     MPI_STATUS_IGNORE);
	MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
	memset(memory, 1, bytes);
	MPI_Win_fence(0, window);
	MPI_Win_free(&window);
	if (!rank)
		puts("exchanged");
	return MPI_Finalize();
}
END
	mpicc -O1 window.c -o window
	local mpi=(timeout 60 mpirun --allow-run-as-root --oversubscribe -n 2 ./window "$2")
	bare=0 recorded=0
	small "$1" "${mpi[@]}" >bare 2>bare.errors || bare=$?
	small "$1" "$SHMGUARD" run --report=none -o recording -- "${mpi[@]}" >recorded 2>notices || recorded=$?
	report recording >report.json
}

@test "Open MPI: two ranks live on 64 MiB, and on 2 MiB, and nothing is said" {
	[ "$(id -u)" -eq 0 ] || skip "a small /dev/shm needs root"
	for size in 64m 2m; do
		open_mpi "$size" 4096
		[ "$bare $recorded" = "0 0" ]
		same bare recorded
		! grep 'error:' notices || false
		holds '.trace.lost == 0 and ([.findings[] | select(.severity == "error")] == []) and (.objects | length > 0)'
		rm -rf recording
	done
}

@test "Open MPI: a window too large for 2 MiB is refused by it, recorded as bare" {
	[ "$(id -u)" -eq 0 ] || skip "a small /dev/shm needs root"
	open_mpi 2m 4000000
	[ "$bare" -ne 0 ]
	[ "$recorded" -eq "$bare" ]
	holds '[.processes[] | select(.signal_name == "SIGBUS")] == []'
}
