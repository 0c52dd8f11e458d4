#!/usr/bin/env bats
# Threads at random: what the ledger, and the recording, say that they hold is what the kernel says.

load helpers
load ledger

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "eight threads open, size, map, unmap, unlink and dlopen at random: the ledger and the trace are as /proc/self" {
	# Beside others that want the processors: calls that take long are what may be got wrong.
	local busy=()
	timeout 60 sh -c 'while :; do :; done' 3>&- &
	busy+=($!)
	timeout 60 sh -c 'while :; do :; done' 3>&- &
	busy+=($!)
	ledger_threads 5
	kill "${busy[@]}"
}

@test "a handler that jumps out of the ledger under a policy leaves it to the other threads" {
	printf '%s\n' '[default]' 'world-writable = fix' 'secret = yes' >policy.ini
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/tests/ledger/libshmguard.so" \
		timeout 20 "$BUILD/tests/ledger/left" >out
	[ "$(cat out)" = "went on" ]
}
