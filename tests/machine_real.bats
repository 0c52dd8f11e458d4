#!/usr/bin/env bats
# shmguard ls and clean with what real programs have and leave.

load helpers
load machine

setup_file()
{
	[ "$(id -u)" -ne 0 ] || make_nobody_build
}

teardown_file()
{
	[ "$(id -u)" -ne 0 ] || remove_nobody_build
}

setup()
{
	needs_root "a machine of its own"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# holders FILE GLOB: the processes that hold objects of such names.
holders()
{
	jq -r --arg name "$2" '[.objects[] | select(.name | test($name)) | .holders[].pid] | unique | .[]' "$1"
}
export -f holders

@test "PostgreSQL: running, its segments are live and kept; killed, they are ghosts and go" {
	export POSTGRES=/usr/lib/postgresql/15/bin
	in_machine '
		data=$NOBODY_HOME/cluster
		mkdir "$data"; chown 65534 "$data"; chmod 755 "$NOBODY_HOME"
		as_user "$POSTGRES/initdb" -D "$data/data" -A trust -U postgres -N --no-locale >initdb.log
		as_user "$POSTGRES/postgres" -D "$data/data" -k "$data" -F -c listen_addresses= \
			-c dynamic_shared_memory_type=posix >postgres.log 2>&1 &
		for try in $(seq 300); do
			! as_user "$POSTGRES/pg_isready" -q -h "$data" -U postgres || break
			sleep 0.05
		done
		# As one that is pinned and that no backend maps.
		touch /dev/shm/PostgreSQL.42; chown 65534 /dev/shm/PostgreSQL.42
		"$SHMGUARD" ls --json >running.json
		"$SHMGUARD" clean --force --all --older=0 --yes >running.txt 2>&1
		ls /dev/shm >running.ls
		kill -KILL $(holders running.json "PostgreSQL")
		until [ -z "$(holders killed.json PostgreSQL 2>/dev/null || echo none)" ]; do
			"$SHMGUARD" ls --older=0 --json >killed.json
		done
		while kill -0 %1 2>/dev/null; do sleep 0.05; done
		"$SHMGUARD" ls --older=0 --json >killed.json
		"$SHMGUARD" clean --force --all --older=0 --yes >killed.txt 2>&1
		ls /dev/shm >killed.ls'
	valid running.json
	jq -e '[.objects[] | select(.name | test("^/PostgreSQL")) | select(.state == "live" and .mapped >= 1 and .uid == 65534
		and all(.holders[]; .exe | endswith("/postgres")))] | length >= 1' running.json
	jq -e '.objects[] | select(.name == "/PostgreSQL.42") | .state == "idle" and (.kept | test("postmaster"))' running.json
	jq -e '[.objects[] | select(.kind == "sysv" and .state == "live" and .mapped >= 1)] | length == 1' running.json
	grep -q 'keeps /PostgreSQL.42 ' running.txt
	[ "$(grep -c '^PostgreSQL' running.ls)" -ge 2 ]
	jq -e '[.objects[] | select(.name | test("^/PostgreSQL"))] | length >= 2 and all(.state == "ghost")' killed.json
	[ "$(grep -c '^removed /PostgreSQL' killed.txt)" -ge 2 ]
	# That of its main segment.
	tr -s ' \n' ' ' <killed.txt | grep -q 'ipcrm -m [0-9]'
	[ ! -s killed.ls ]
}

@test "CPython: a segment whose owner and resource tracker were killed" {
	in_machine '
		"$PYTHON" -c "
import os
from multiprocessing import resource_tracker, shared_memory
segment = shared_memory.SharedMemory(create=True, size=100000, name=\"frames\")
segment.buf[:] = b\"x\" * 100000
os.kill(resource_tracker._resource_tracker._pid, 9)
os.kill(os.getpid(), 9)" || true
		"$SHMGUARD" ls --older=0 --json >ls.json
		"$SHMGUARD" clean --force --older=0 --yes >out.txt 2>&1
		ls -A /dev/shm >left.txt'
	[ "$(object /frames '[.kind, .state, .size, .allocated, .mode] | @csv')" = '"shm","ghost",100000,102400,384' ]
	grep -qx 'removed /frames: 100K freed' out.txt
	[ ! -s left.txt ]
}

@test "Open MPI: what killed ranks left" {
	command -v mpirun >/dev/null && command -v mpicc >/dev/null || skip "no Open MPI"
	cat >ranks.c <<-'END'
		#include <mpi.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			MPI_Init(&argc, &argv);
			MPI_Barrier(MPI_COMM_WORLD);
			pause();
		}
	END
	mpicc -O1 ranks.c -o ranks
	chmod 777 .
	export NAMES='^/(vader|sm)_segment'
	in_machine '
		env HOME="$PWD" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe \
			--mca plm_rsh_agent /bin/true -n 2 ./ranks >mpi.log 2>&1 & mpirun=$!
		for try in $(seq 300); do
			"$SHMGUARD" ls --json >running.json
			[ "$(holders running.json "$NAMES" | wc -l)" -lt 2 ] || break
			sleep 0.05
		done
		kill -KILL "$mpirun" $(holders running.json "$NAMES")
		wait || true
		"$SHMGUARD" ls --older=0 --json >killed.json
		"$SHMGUARD" clean --force --older=0 --yes >out.txt 2>&1 || true'
	valid running.json
	jq -e --arg names "$NAMES" '[.objects[] | select(.name | test($names))] |
		length >= 1 and all(.state == "live")' running.json
	jq -e --arg names "$NAMES" '[.objects[] | select(.name | test($names))] |
		length >= 1 and all(.state == "ghost")' killed.json
	[ "$(grep -c '^removed /' out.txt)" -ge 1 ]
}
