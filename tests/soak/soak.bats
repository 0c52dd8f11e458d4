#!/usr/bin/env bats
# What takes too long for every day: `make soak`.

load ../helpers
load ../leaks
load ../machine
load ../scarce
load ../ledger
bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/hostile-*
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

# thousand HOW COUNT_OF_PROCESSES
thousand()
{
	timeout -k 1 900 "$SHMGUARD" run --quiet --report=none -o recording -- "$PROGRAMS/hostile_processes" "$1" 1000 >out
	[ "$(cat out)" = "went on" ]
	report recording >report.json
	holds --argjson count "$2" '.unseen == [] and .trace.lost == 0 and ([.processes[] | select(.traced)] | length == $count)'
}

@test "eight processes race for one name under the profile safe" {
	SHMGUARD_PROFILE=safe LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/race" "${SOAK_SECONDS:-30}" >&3
}

@test "damaged traces are reported" {
	"$BUILD/tests/fuzz/mutate" "$ROOT/tests/traces/leaks" "${MUTATIONS:-10000}" >&3
	troubled "$BATS_TEST_TMPDIR/troubled"
	"$BUILD/tests/fuzz/mutate" "$BATS_TEST_TMPDIR/troubled" $((${MUTATIONS:-10000} / 4)) >&3
}

@test "cleaners race for ghosts" {
	needs_root "a machine of its own"
	in_machine "$PROGRAMS/clean_race $SHMGUARD ${SOAK_RACES:-20000}" >&3
}

@test "1,000 forks of a program whose threads are busy" {
	thousand forks 1001
}

@test "1,000 forks of a program that makes threads meanwhile, and each child makes one" {
	thousand thread_forks 1001
}

@test "3,000 forks by threads that make threads, and each child makes two" {
	thousand forking_threads 3001
}

@test "1,000 execs in a row" {
	thousand execs 1001
}

@test "every allocation and open of ours fails, alone and with all that follow: the program goes on" {
	scarce_sweep 1
}

@test "the daemons are stopped meanwhile" {
	needs_root "a machine of its own"
	rm -f /dev/shm/hostile-usual
	"$PROGRAMS/hostile_usual" >bare
	in_machine "daemon_is STOP sessiond"
	in_machine "daemon_is STOP consumerd"
}

@test "eight threads open, size, map, unmap, unlink and dlopen at random for a minute: the ledger and the trace are as /proc/self" {
	ledger_threads 60
}

# The ledger is in the trace: what it took for mapped, and never unmapped, would be a finding.
@test "eight threads and a signal handler at random for a minute" {
	timeout -k 1 200 "$SHMGUARD" run --quiet --report=none -o recording -- "$PROGRAMS/threads" 60
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and
		([.findings[] | select(.rule | IN("mapping-leak", "partial-unmap", "fd-leak", "segment-leak"))] | length == 0)'
}

# verdicts FILE: the tests that ran, without times and addresses, and what did not pass of them. What a child of theirs prints
# may stand where "ok" would; a test that failed has a line of its own besides.
verdicts()
{
	sed -nE -e 's/^(test_[^ ]* \([^ ]*\) \.\.\. )(skipped|FAIL|ERROR|expected|unexpected).*/\1\2/p; t' \
		-e 's/^(test_[^ ]* \([^ ]*\) \.\.\. ).*/\1/p; t' -e '/^(FAIL|ERROR|Tests result): /p' "$1" | sort
}

# passes COMMAND...: the same tests pass bare, preloaded and recorded.
passes()
{
	local how
	for how in bare preloaded recorded; do
		case $how in
		bare) "$@" ;;
		preloaded) SHMGUARD_PROFILE=observe LD_PRELOAD=$BUILD/libshmguard.so "$@" ;;
		recorded) "$SHMGUARD" run --quiet --report=none -o recording -- "$@" ;;
		esac >$how.all 2>&1 || true
		verdicts $how.all >$how
		tail -n 1 $how.all
	done
	[ "$(wc -l <bare)" -ge "$TESTS" ]
	same bare preloaded
	same bare recorded
}

@test "CPython's own test_mmap and test_posix: the same passes" {
	TESTS=150 passes "$PYTHON" -m unittest -v test.test_mmap test.test_posix
}

@test "CPython's own tests of multiprocessing with fork: the same passes" {
	TESTS=300 passes timeout -k 1 600 "$PYTHON" -m test -v test_multiprocessing_fork
}

@test "CPython's own tests of multiprocessing with forkserver and spawn: the same passes" {
	TESTS=600 passes timeout -k 1 1200 "$PYTHON" -m test -v test_multiprocessing_forkserver test_multiprocessing_spawn
}

@test "Chromium renders a page, recorded" {
	echo '<p id=there>before</p><script>there.textContent = "render" + "ed"</script>' >page.html
	HOME=$PWD timeout 120 "$SHMGUARD" run --quiet --report=none -o recording -- chromium --headless --no-sandbox --disable-gpu \
		--no-first-run --user-data-dir="$PWD/chromium" --dump-dom "file://$PWD/page.html" >page 2>messages
	grep -q 'id="there">rendered<' page
	report recording >report.json
	holds '.trace.lost == 0 and (.objects | length > 0)'
}

@test "stress-ng: shm, mmap, memfd and fork, half a minute each" {
	local stressor
	for stressor in shm mmap memfd fork; do
		rm -rf recording
		timeout -k 1 120 "$SHMGUARD" run --quiet --report=none -o recording -- stress-ng --quiet --timeout 30 --$stressor 2
	done
}

@test "make -j2 of this project: the same bytes" {
	local how
	mkdir source
	cp -r "$ROOT"/{Makefile,analyzer,preload,tracepoints,tests} source/
	for how in bare recorded; do
		rm -rf project
		cp -r source project
		if [ $how = bare ]; then
			make -s -j2 -C project BUILD=out out/libshmguard.so out/shmguard >/dev/null
		else
			"$SHMGUARD" run --quiet --report=none -o recording -- make -s -j2 -C project BUILD=out out/libshmguard.so \
				out/shmguard >/dev/null
		fi
		(cd project/out && find . -name '*.o' -exec sha256sum {} + -o -name shmguard -exec sha256sum {} + | sort) >$how
	done
	[ "$(wc -l <bare)" -gt 50 ]
	same bare recorded
	report recording >report.json
	holds '.trace.complete and .unseen == []'
}

@test "PostgreSQL: pgbench with parallel queries for two minutes" {
	local postgres=/usr/lib/postgresql/15/bin
	make_nobody_build
	cd "$NOBODY_HOME"
	as_nobody $postgres/initdb -D "$PWD/data" -A trust -U postgres -N --no-locale >/dev/null
	as_nobody "$NOBODY_BUILD/shmguard" run --quiet --report=none -o "$PWD/recording" -- $postgres/postgres -D "$PWD/data" \
		-k "$PWD" -c listen_addresses= -c dynamic_shared_memory_type=posix >postgres.log 2>&1 3>&- &
	timeout 60 bash -c "until $postgres/pg_isready -q -h '$PWD'; do sleep 0.2; done"
	as_nobody $postgres/pgbench -q -i -s 5 -h "$PWD" -U postgres postgres 2>/dev/null
	echo 'set min_parallel_table_scan_size = 0; set parallel_setup_cost = 0; set parallel_tuple_cost = 0;
		select sum(abalance) from pgbench_accounts;' >query.sql
	as_nobody $postgres/pgbench -h "$PWD" -U postgres -c 2 -T "${PGBENCH_SECONDS:-120}" -f query.sql postgres >bench
	kill -INT "$(head -n 1 data/postmaster.pid)"
	wait $!
	grep -q "number of failed transactions: 0 " bench
	"$SHMGUARD" report --format=json "$PWD/recording" >"$BATS_TEST_TMPDIR/report.json"
	cd "$BATS_TEST_TMPDIR"
	holds '.trace.lost == 0 and ([.findings[] | select(.severity == "error")] | length == 0)'
}

@test "the shim with UndefinedBehaviorSanitizer: the same tests" {
	make -s -C "$ROOT" BUILD="$PWD/ubsan" CFLAGS='-O1 -g -fsanitize=undefined -fsanitize-undefined-trap-on-error' all >/dev/null
	cp -r "$BUILD/tests" ubsan/
	cd "$ROOT"
	BUILD=$BATS_TEST_TMPDIR/ubsan SUITE_RESULTS=$BATS_TEST_TMPDIR/results tests/run-suite tests/calls.bats tests/hostile.bats \
		tests/recorder.bats tests/recorder_processes.bats
}

@test "gcc's analyzer says nothing of the shim" {
	cd "$ROOT"
	local file
	for file in preload/*.c; do
		gcc -std=gnu11 -D_GNU_SOURCE -O1 -I. -fanalyzer -Werror -fPIC -fvisibility=hidden -c "$file" -o /dev/null
	done
}

@test "what threads share in the preload, under ThreadSanitizer" {
	make -s -C "$ROOT" BUILD="$PWD/build" tsan
}

@test "the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer" {
	make -s -C "$ROOT" BUILD="$PWD/build" asan
}
