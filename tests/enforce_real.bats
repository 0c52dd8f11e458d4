#!/usr/bin/env bats
# Real programs under the profile safe do what they do without it: nothing that they need is denied.
load helpers

setup()
{
	export POSTGRES=/usr/lib/postgresql/15/bin
	make_nobody_build
	cd "$NOBODY_HOME" || return 1
	printf '[default]\nlog = file:%s/audit.log\n' "$PWD" >policy.ini
	chmod 644 policy.ini
	: >audit.log
	chown "$NOBODY_UID" audit.log
	SAFE=(SHMGUARD_PROFILE=safe "SHMGUARD_POLICY=$PWD/policy.ini" "LD_PRELOAD=$NOBODY_BUILD/libshmguard.so")
}

teardown()
{
	[ -z "${POSTMASTER:-}" ] || kill -QUIT "$POSTMASTER" 2>/dev/null || true
	remove_nobody_build
}

# Nor was the policy out of force: what is only told was told, of every program that is named.
nothing_denied() # PROGRAM...
{
	local program
	for program; do
		grep -q "exe=[^ ]*/$program .*action=\(recorded\|fixed\)" audit.log || { head audit.log; false; }
	done
	! grep 'action=denied' audit.log
}

@test "PostgreSQL: initdb, a parallel query, a fast shutdown" {
	[ -x "$POSTGRES/postgres" ] || skip "no PostgreSQL 15"
	as_nobody env "${SAFE[@]}" "$POSTGRES/initdb" -D "$PWD/data" -A trust -U postgres -N --no-locale >initdb.log
	as_nobody env "${SAFE[@]}" "$POSTGRES/postgres" -D "$PWD/data" -k "$PWD" -c listen_addresses= \
		-c dynamic_shared_memory_type=posix >postgres.log 2>&1 3>&- &
	SERVER=$!
	for _ in $(seq 300); do
		! as_nobody "$POSTGRES/pg_isready" -q -h "$PWD" -U postgres || break
		sleep 0.05
	done
	POSTMASTER=$(head -n 1 data/postmaster.pid)
	grep -q libshmguard "/proc/$POSTMASTER/maps"
	as_nobody env PGOPTIONS="-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0" \
		"$POSTGRES/psql" -X -q -A -t -h "$PWD" -U postgres -d postgres -v ON_ERROR_STOP=1 \
		-c "create table numbers as select i, i % 7 as k from generate_series(1, 300000) i" -c "analyze numbers" \
		-c "explain (analyze, costs off) select k, sum(i) from numbers group by k" \
		-c "select sum(s) from (select k, sum(i) as s from numbers group by k) x" >result
	grep -q 'Workers Launched: [1-9]' result
	[ "$(tail -n 1 result)" = 45000150000 ]
	kill -INT "$POSTMASTER"
	wait "$SERVER"
	POSTMASTER=
	grep -q 'database system is shut down' postgres.log
	nothing_denied postgres
}

@test "CPython: multiprocessing's pools, queues, managers and shared memory" {
	cat >program.py <<'END'
import multiprocessing as mp
from multiprocessing import shared_memory, managers
def square(x):
    return x * x
def fill(name, at):
    segment = shared_memory.SharedMemory(name)
    segment.buf[at] = at
    segment.close()
def put(queue, value):
    queue.put(value)
if __name__ == "__main__":
    with mp.Pool(4) as pool:
        print(sum(pool.map(square, range(1000))))
    segment = shared_memory.SharedMemory(create=True, size=4096)
    for context in mp.get_context("fork"), mp.get_context("spawn"):
        workers = [context.Process(target=fill, args=(segment.name, i)) for i in range(4)]
        [w.start() for w in workers]; [w.join() for w in workers]
        print([w.exitcode for w in workers])
    print(list(segment.buf[:4])); segment.close(); segment.unlink()
    queue = mp.Queue(); workers = [mp.Process(target=put, args=(queue, i)) for i in range(4)]
    [w.start() for w in workers]; print(sorted(queue.get() for _ in workers)); [w.join() for w in workers]
    array = mp.Array("i", range(5)); print(list(array))
    with managers.SharedMemoryManager() as manager:
        print(list(manager.ShareableList([1, "two", 3.0])))
END
	as_nobody "$PYTHON" program.py >bare 2>&1
	as_nobody env "${SAFE[@]}" "$PYTHON" program.py >safe 2>&1
	same bare safe
	nothing_denied python3[.0-9]*
}

@test "Open MPI: two ranks exchange messages through shared memory" {
	command -v mpirun >/dev/null && command -v mpicc >/dev/null || skip "no Open MPI"
	cat >exchange.c <<'END'
#include <mpi.h>
#include <stdio.h>
static int words[1 << 18];
int main(int argc, char **argv)
{
	int rank, size, sum, *memory;
	MPI_Win window;
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	for (int i = 0; i < 1 << 18; i++)
		words[i] = rank;
	for (int round = 0; round < 20; round++)
		MPI_Sendrecv_replace(words, 1 << 18, MPI_INT, size - 1 - rank, 0, size - 1 - rank, 0, MPI_COMM_WORLD,
				     MPI_STATUS_IGNORE);
	MPI_Win_allocate_shared(4096, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
	MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	if (!rank)
		printf("%d of %d, sum %d\n", words[7], size, sum);
	MPI_Win_free(&window);
	MPI_Finalize();
}
END
	mpicc -O1 exchange.c -o exchange
	run_mpi=(timeout 60 mpirun --oversubscribe --mca plm_rsh_agent /bin/true -n 2)
	as_nobody "${run_mpi[@]}" ./exchange >bare
	as_nobody env "${SAFE[@]}" "${run_mpi[@]}" ./exchange >safe
	[ "$(cat safe)" = '0 of 2, sum 1' ]
	same bare safe
	nothing_denied exchange
}
