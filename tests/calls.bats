#!/usr/bin/env bats
# Every intercepted call, with valid, boundary and invalid arguments: the program sees the same results, errno and state
# whether it runs bare, with the library preloaded, or recorded.

load helpers
load unchanged

# All are recorded together; turns by itself, as its test asks what is in its recording.
setup_file()
{
	local program
	cd "$BATS_FILE_TMPDIR" || return 1
	sed -n 's/^\trecorded //p' "$BATS_TEST_FILENAME" | grep -vx turns | while read -r program; do
		echo "$program $BUILD/tests/calls/$program 2>&1 3>&- 4>&-"
	done >runs
	run_all bare
	run_all recorded "$SHMGUARD" run --quiet --report=none -o recording --
	rm -rf /dev/shm/shmguard-calls.* /dev/shm/sem.shmguard-calls.*
}

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
	if [ "$1" = turns ]; then
		run_program "$BUILD/tests/calls/$1" >bare
	else
		ran_together bare "$1"
	fi
	[ "$(wc -l <bare)" -gt 10 ]
}

preloaded()
{
	LD_PRELOAD=$BUILD/libshmguard.so run_program "$BUILD/tests/calls/$1" >preloaded
}

recorded()
{
	if [ "$1" = turns ]; then
		run_program record "$1" "$BUILD/tests/calls/$1" >recorded
	else
		ran_together recorded "$1"
	fi
}

run_program()
{
	local status=0
	"$@" 2>&1 3>&- 4>&- || status=$?
	echo "status $status"
}

ran_together() # KIND NAME
{
	{
		cat "$BATS_FILE_TMPDIR/$2.$1"
		echo "status $(cat "$BATS_FILE_TMPDIR/$2.$1.status")"
	} >"$1"
}

@test "every symbol of CALLS is called by a program here" {
	nm -D --undefined-only "$BUILD"/tests/calls/* | sed -n 's/^ *U \([a-zA-Z0-9_]*\).*/\1/p' | sort -u >called
	call_symbols | sort -u >table
	[ -s table ]
	missing=$(comm -13 called table)
	echo "missing: $missing"
	[ -z "$missing" ]
}

# By descriptors of ours a program that goes through all numbers would change what LTTng has.
@test "every call that takes a descriptor refuses those of our libraries, and the program with which that is tried has it" {
	local calls tried
	# What a spawned child opens takes a number there.
	calls=$(tr -d '\n\134' <"$ROOT/tracepoints/calls.h" | sed 's/\tX(/\n&/g' | grep -v '^.X(posix_spawn' |
		sed -nE 's/^\tX\(([a-z0-9_A-Z]+),[^#]*int (fd|[a-z_]*dirfd|socket)[,)].*/\1/p' | sort -u)
	[ "$(wc -l <<<"$calls")" -ge 40 ]
	tried=$(sed -nE 's/^\tX\(([a-z0-9_A-Z]+),.*/\1/p' "$ROOT/tests/programs/strangers.c" | sort -u)
	[ -z "$(comm -23 <(echo "$calls") <(echo "$tried"))" ]
	unchanged "$BUILD/tests/programs/strangers" number
	[ "$(cat number)" -gt 5 ]
	holds '.unseen == [] and .trace.lost == 0 and .trace.complete and .objects[0].maps == 2'
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

@test "children: preloaded as bare" {
	bare children
	preloaded children
	same bare preloaded
}

@test "children: recorded as bare" {
	bare children
	recorded children
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
	local each name
	make_nobody_build
	cd "$NOBODY_HOME"
	# shellcheck disable=SC2016
	each='for name in names opens descriptors sizes maps processes children turns lookups; do
		"$0/$name" >"$name.$1" 2>&1
		echo "status $?" >>"$name.$1"
	done'
	as_nobody sh -c "$each" "$NOBODY_BUILD/tests/calls" bare 3>&- 4>&-
	as_nobody "$NOBODY_BUILD/shmguard" run --quiet --report=none -o recording -- \
		sh -c "$each" "$NOBODY_BUILD/tests/calls" recorded 3>&- 4>&-
	for name in names opens descriptors sizes maps processes children turns lookups; do
		[ "$(wc -l <"$name.bare")" -gt 10 ]
		same "$name.bare" "$name.recorded"
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

@test "lookups: preloaded as bare" {
	bare lookups
	preloaded lookups
	same bare preloaded
}

@test "lookups: recorded as bare" {
	bare lookups
	recorded lookups
	same bare recorded
}

@test "a handler that jumps out of what it interrupts is recorded without a gap" {
	record jump "$BUILD/tests/programs/jump" 1 >out
	[ "$(cat out)" = "done" ]
	report jump >report.json
	holds '.trace.lost == 0 and .trace.complete and .trace.events > 1000'
}
