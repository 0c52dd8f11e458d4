#!/usr/bin/env bats
# Every intercepted call, with valid, boundary and invalid arguments: the program sees the same results, errno and state
# whether it runs bare, with the library preloaded, or recorded.

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -rf /dev/shm/shmguard-calls.* /dev/shm/sem.shmguard-calls.*
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

# bare NAME, preloaded NAME, recorded NAME: output and status into a file of that name.
bare()
{
	local status=0
	"$BUILD/tests/calls/$1" >bare 2>&1 3>&- 4>&- || status=$?
	echo "status $status" >>bare
	[ "$(wc -l <bare)" -gt 10 ]
}

preloaded()
{
	local status=0
	LD_PRELOAD=$BUILD/libshmguard.so "$BUILD/tests/calls/$1" >preloaded 2>&1 3>&- 4>&- || status=$?
	echo "status $status" >>preloaded
}

recorded()
{
	local status=0
	record "$1" "$BUILD/tests/calls/$1" >recorded 2>&1 3>&- 4>&- || status=$?
	echo "status $status" >>recorded
}

@test "every symbol of CALLS is called by a program here" {
	nm -D --undefined-only "$BUILD"/tests/calls/* | sed -n 's/^ *U \([a-zA-Z0-9_]*\).*/\1/p' | sort -u >called
	call_symbols | sort -u >table
	[ -s table ]
	missing=$(comm -13 called table)
	echo "missing: $missing"
	[ -z "$missing" ]
}

@test "names: preloaded as bare" {
	bare names
	preloaded names
	same bare preloaded
}

@test "names: recorded as bare" {
	bare names
	recorded names
	same bare recorded
}

@test "opens: preloaded as bare" {
	bare opens
	preloaded opens
	same bare preloaded
}

@test "opens: recorded as bare" {
	bare opens
	recorded opens
	same bare recorded
}

@test "descriptors: preloaded as bare" {
	bare descriptors
	preloaded descriptors
	same bare preloaded
}

@test "descriptors: recorded as bare" {
	bare descriptors
	recorded descriptors
	same bare recorded
}

@test "sizes: preloaded as bare" {
	bare sizes
	preloaded sizes
	same bare preloaded
}

@test "sizes: recorded as bare" {
	bare sizes
	recorded sizes
	same bare recorded
}

@test "maps: preloaded as bare" {
	bare maps
	preloaded maps
	same bare preloaded
}

@test "maps: recorded as bare" {
	bare maps
	recorded maps
	same bare recorded
}

@test "processes: preloaded as bare" {
	bare processes
	preloaded processes
	same bare preloaded
}

@test "processes: recorded as bare" {
	bare processes
	recorded processes
	same bare recorded
}

@test "turns: preloaded as bare" {
	bare turns
	preloaded turns
	same bare preloaded
}

@test "turns: recorded as bare" {
	bare turns
	recorded turns
	same bare recorded
	"$SHMGUARD" log turns >calls.txt
	for call in pthread_rwlock_init pthread_barrier_init pthread_spin_init sem_init syscall semop semtimedop flock \
		lockf lockf64 fcntl; do
		[ "$(grep -c " $call(" calls.txt)" -ge 1 ] || { echo "$call"; cat calls.txt; false; }
	done
}

@test "all of them recorded by an ordinary user as bare" {
	local name
	make_nobody_build
	cd "$NOBODY_HOME"
	for name in names opens descriptors sizes maps processes turns; do
		as_nobody sh -c '"$1"; echo "status $?"' - "$NOBODY_BUILD/tests/calls/$name" >bare 2>&1 3>&- 4>&-
		as_nobody sh -c '"$@"; echo "status $?"' - "$NOBODY_BUILD/shmguard" run --quiet --report=none -o "$name" -- \
			"$NOBODY_BUILD/tests/calls/$name" >recorded 2>&1 3>&- 4>&-
		[ "$(wc -l <bare)" -gt 10 ]
		same bare recorded
	done
}

@test "signals: preloaded as bare" {
	bare signals
	preloaded signals
	same bare preloaded
}

@test "signals: recorded as bare" {
	bare signals
	recorded signals
	same bare recorded
}

@test "jumps: preloaded as bare" {
	bare jumps
	preloaded jumps
	same bare preloaded
}

@test "jumps: recorded as bare" {
	bare jumps
	recorded jumps
	same bare recorded
}

@test "a handler that jumps out of what it interrupts is recorded without a gap" {
	record jump "$BUILD/tests/programs/jump" 1 >out
	[ "$(cat out)" = "done" ]
	report jump >report.json
	holds '.trace.lost == 0 and .trace.complete and .trace.events > 1000'
}
