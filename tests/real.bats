#!/usr/bin/env bats
# Real programs through the whole pipeline: PostgreSQL and CPython as Debian ships them, recorded and reported. What the
# report says is compared with what the kernel, or the program itself, says.

load helpers
bats_require_minimum_version 1.5.0

setup_file()
{
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
	export POSTGRES=/usr/lib/postgresql/15/bin
	export PREFIX=shmguard-real-$$
}

teardown_file()
{
	remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	STARTED=()
}

teardown()
{
	for pid in "${STARTED[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
	done
	rm -f /dev/shm/"$PREFIX"* /dev/shm/sem."$PREFIX"*
	find /dev/shm -maxdepth 1 -name 'PostgreSQL.*' -user "$NOBODY_UID" -delete
}

# watch PREFIX: what happens on /dev/shm from now on is in ./watched.
watch()
{
	"$PYTHON" "$ROOT/tests/programs/watch_shm.py" "$1" >watched 3>&- &
	STARTED+=($!)
	WATCHER=$!
	until grep -q ready watched; do sleep 0.02; done
}

unwatch()
{
	sleep 0.1
	kill "$WATCHER"
	wait "$WATCHER" || true
}

# Names that were created, and removed, as the report has them and as the kernel has them.
same_names()
{
	jq -r '.objects[] | .names[] | ltrimstr("/")' report.json | sort >reported
	sed -n 's/^created //p' watched | sort >created
	same created reported
	jq -r '.objects[] | select(.unlinked_by) | .names[] | ltrimstr("/")' report.json | sort >reported
	sed -n 's/^removed //p' watched | sort >removed
	same removed reported
}

# postgres_start DIR: a new cluster, recorded as nobody, ready for queries; $POSTMASTER is its pid, $RECORDER run's.
postgres_start()
{
	DATA=$NOBODY_HOME/$1
	mkdir -p "$DATA"
	chown "$NOBODY_UID" "$DATA"
	cd "$DATA" || return
	as_nobody "$POSTGRES/initdb" -D "$DATA/data" -A trust -U postgres -N --no-locale >initdb.log
	watch PostgreSQL.
	as_nobody "$NOBODY_BUILD/shmguard" run --quiet -o "$DATA/recording" -- "$POSTGRES/postgres" -D "$DATA/data" -k "$DATA" \
		-c listen_addresses= -c dynamic_shared_memory_type=posix >postgres.log 2>&1 3>&- &
	RECORDER=$!
	STARTED+=("$RECORDER")
	for _ in $(seq 300); do
		! as_nobody "$POSTGRES/pg_isready" -q -h "$DATA" -U postgres || break
		sleep 0.05
	done
	POSTMASTER=$(head -n 1 "$DATA/data/postmaster.pid")
	STARTED+=("$POSTMASTER")
}

# Every scan goes parallel, whatever it costs.
postgres_query()
{
	as_nobody env PGOPTIONS="-c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0" \
		"$POSTGRES/psql" -X -q -A -t -h "$DATA" -U postgres -d postgres -v ON_ERROR_STOP=1 "$@"
}

postgres_table()
{
	postgres_query -c "create table numbers as select i, i % 7 as k from generate_series(1, 300000) i" -c "analyze numbers"
}

@test "PostgreSQL: a parallel query, a fast shutdown: every segment created, mapped and unlinked, no error" {
	postgres_start orderly
	postgres_table
	postgres_query -c "explain (analyze, costs off) select k, sum(i) from numbers group by k" >plan
	grep -q 'Workers Launched: [1-9]' plan
	[ "$(postgres_query -c "select sum(s) from (select k, sum(i) as s from numbers group by k) x")" = 45000150000 ]
	kill -INT "$POSTMASTER"
	wait "$RECORDER"
	unwatch
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json "$DATA/recording" >report.json
	same_names
	holds --argjson postmaster "$POSTMASTER" --argjson uid "$NOBODY_UID" '
		.trace.lost == 0 and .trace.complete and .unseen == [] and
		([.findings[] | select(.severity == "error")] == []) and
		(.objects | length >= 4) and
		all(.objects[]; (.names | length == 1) and (.names[0] | startswith("/PostgreSQL.")) and .kind == "shm" and
			.uid == $uid and .mode == 384 and .size > 0 and .maps > 0 and .created_by and .unlinked_by and
			(.leaked | not)) and
		([.objects[] | select(.maps >= 3)] | length >= 2) and
		([.objects[] | select(.created_by == ($postmaster | tostring))] | length == 1) and
		all(.processes[]; (.exe | endswith("/postgres")) and .uid == $uid and .ended == "exit") and
		([.processes[] | select(.started_by == "exec")] | length == 1 and .[0].pid == $postmaster and
			.[0].status == 0 and .[0].argv[1] == "-D")'
}

@test "PostgreSQL: killed with its children during a parallel query: what it left is reported, with the stack that made it" {
	postgres_start killed
	postgres_table
	postgres_query -c "select count(*) from numbers a join numbers b on a.i + b.i < 0" >query.log 2>&1 3>&- &
	STARTED+=($!)
	for _ in $(seq 200); do
		[ "$(grep -c created watched)" -lt $((3 + $(grep -c removed watched))) ] || break
		sleep 0.05
	done
	# A call that is under way is not in the trace yet.
	sleep 0.3
	# shellcheck disable=SC2046
	kill -9 "$POSTMASTER" $(pgrep -P "$POSTMASTER")
	wait "$RECORDER" || status=$?
	[ "$status" -eq 137 ]
	unwatch
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json "$DATA/recording" >report.json
	same_names
	sort created removed | uniq -u >left
	[ "$(wc -l <left)" -ge 3 ]
	jq -r '.findings[] | select(.rule == "segment-leak") | .message | split(" ")[0] | ltrimstr("/")' \
		report.json | sort >reported
	same left reported
	holds '.trace.lost == 0 and .trace.complete and
		([.findings[] | select(.severity == "error" and .rule != "segment-leak")] == []) and
		all(.findings[] | select(.rule == "segment-leak"); (.uncertain | not) and .bytes > 0 and
			any(.stacks[].frames[]; .function == "dsm_create" or .function == "dsm_postmaster_startup") and
			all(.stacks[]; .role == "created" and .process) and
			any(.stacks[].frames[]; .function == "PostmasterMain" and (.module | endswith("/postgres")))) and
		([.processes[] | select(.ended == "signal" and .signal == 9)] | length >= 5)'
}

# python: the script on standard input as ./script.py, recorded as ./recording and reported as report.json.
python()
{
	cat >script.py
	record recording "$PYTHON" script.py "$PREFIX" >out
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and .unseen == [] and all(.processes[]; .ended == "exit" and .status == 0)'
}

@test "CPython: a SharedMemory that is unregistered and never unlinked is a leak, with the extension that made it" {
	python <<-'END'
		import sys
		from multiprocessing import resource_tracker, shared_memory
		lost = shared_memory.SharedMemory(sys.argv[1] + "-lost", create=True, size=100000)
		resource_tracker.unregister(lost._name, "shared_memory")
		kept = shared_memory.SharedMemory(sys.argv[1] + "-kept", create=True, size=5000)
		kept.close()
		kept.unlink()
		lost.close()
	END
	holds --arg prefix "/$PREFIX" '
		([.findings[] | select(.severity == "error")] | length == 1) and
		(.findings[] | select(.severity == "error") | .rule == "segment-leak" and .bytes == 100000 and .count == 1 and
			(.uncertain | not) and (.message | startswith($prefix + "-lost ")) and
			any(.stacks[].frames[]; .module // "" | contains("_posixshmem"))) and
		([.objects[] | [.names, .size, .leaked, .unlinked_by != null, .maps]] ==
			[[[$prefix + "-lost"], 100000, true, false, 1], [[$prefix + "-kept"], 5000, false, true, 1]])'
	[ -e "/dev/shm/$PREFIX-lost" ]
}

@test "CPython: a segment attached from a second process, which subprocess started" {
	python <<-'END'
		import subprocess, sys
		from multiprocessing import shared_memory
		if len(sys.argv) > 2:
		    segment = shared_memory.SharedMemory(sys.argv[1])
		    print(bytes(segment.buf[:5]).decode(), flush=True)
		    segment.close()
		else:
		    segment = shared_memory.SharedMemory(sys.argv[1] + "-both", create=True, size=12288)
		    segment.buf[:5] = b"hello"
		    subprocess.run([sys.executable, __file__, segment.name, "attach"], check=True)
		    segment.close()
		    try:
		        segment.unlink()
		    except FileNotFoundError:
		        print("the attacher's tracker has unlinked it")
	END
	[ "$(head -n 1 out)" = hello ]
	holds --arg name "/$PREFIX-both" '
		def process($id): .processes[] | select(.id == $id);
		([.findings[] | select(.severity == "error")] == []) and
		(.objects | length == 1 and .[0].names == [$name] and .[0].maps == 2 and .[0].size == 12288 and (.[0].leaked | not)) and
		(.processes | length >= 3) and
		(.objects[0].created_by as $id | process($id) | .argv[1:] == ["script.py", ($name[1:] | rtrimstr("-both"))]) and
		([.processes[] | select(.argv[-1] == "attach")] | length == 1 and .[0].traced and .[0].started_by == "exec")'
}

@test "CPython: a memfd, sized and mapped twice" {
	python <<-'END'
		import mmap, os, sys
		fd = os.memfd_create(sys.argv[1])
		os.ftruncate(fd, 32768)
		first = mmap.mmap(fd, 32768)
		second = mmap.mmap(fd, 4096)
		second[:3] = b"abc"
		print(first[:3].decode())
		first.close()
		os.close(fd)
	END
	[ "$(cat out)" = abc ]
	holds --arg name "$PREFIX" '
		(.objects | length == 1) and (.objects[0] | .kind == "memfd" and .size == 32768 and .maps == 2 and
			(.names | length == 1 and (.[0] | contains($name))) and (.leaked | not) and .created_by != null) and
		([.findings[] | select(.severity == "error")] == [])'
}

@test "CPython: a multiprocessing.Pool: its semaphores are unlinked at once, nothing is a leak" {
	python <<-'END'
		import multiprocessing, sys
		def square(number):
		    return number * number
		with multiprocessing.Pool(4) as pool:
		    print(sum(pool.map(square, range(1000))))
		    pool.close()
		    pool.join()
	END
	[ "$(cat out)" = 332833500 ]
	holds '
		([.findings[] | select(.severity == "error")] == []) and
		(.objects | length >= 3) and
		all(.objects[]; .semaphore and .unlinked_by == .created_by and (.leaked | not) and .size == 32) and
		([.processes[] | select(.started_by == "fork")] | length == 4)'
}

@test "CPython: a pool whose workers share a segment and are killed" {
	cat >script.py <<-'END'
		import multiprocessing, os, signal, sys
		from multiprocessing import shared_memory
		segment = shared_memory.SharedMemory(sys.argv[1] + "-pool", create=True, size=65536)
		def work(number):
		    attached = shared_memory.SharedMemory(segment.name)
		    attached.buf[number] = number
		    if number == 3:
		        os.kill(os.getpid(), signal.SIGKILL)
		    os._exit(0)
		children = [multiprocessing.get_context("fork").Process(target=work, args=(number,)) for number in range(1, 4)]
		for child in children:
		    child.start()
		    child.join()
		print(list(segment.buf[:4]), [child.exitcode for child in children])
		segment.close()
		segment.unlink()
	END
	record recording "$PYTHON" script.py "$PREFIX" >out
	[ "$(cat out)" = "[0, 1, 2, 3] [0, 0, -9]" ]
	report recording >report.json
	holds '
		.trace.complete and .trace.lost == 0 and
		(.objects | length == 1 and .[0].maps == 4 and .[0].unlinked_by == .[0].created_by) and
		([.processes[] | select(.started_by == "fork") | [.ended, .status, .signal]] | sort ==
			[["exit", 0, null], ["exit", 0, null], ["signal", null, 9]]) and
		([.findings[] | select(.severity == "error")] == [])'
}
