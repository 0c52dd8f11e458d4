#!/usr/bin/env bats
# Signals and cancellations that come amid a call, and handlers that make calls, end the process or jump: as bare.

load helpers
load unchanged
bats_require_minimum_version 1.5.0

@test "a handler every 100 us that maps" {
	unchanged "$PROGRAMS/hostile_signals" timer
	holds '.trace.lost == 0 and .trace.complete and (.objects | length == 1)'
}

@test "a handler on an alternate stack of a page more than the least" {
	unchanged "$PROGRAMS/hostile_signals" alternate_stack
	holds '.trace.lost == 0 and .trace.complete and .objects[0].maps == 2100'
}

@test "handlers on a small alternate stack: their calls take no stack of ours from the kernel, and give none back, each time" {
	local traced=(strace -f -qq -o calls -e 'trace=mprotect,munmap' -e signal=none "$PROGRAMS/hostile_signals" alternate_stack)
	"${traced[@]}" >out
	bare=$(wc -l <calls)
	record recording "${traced[@]}" >out
	recorded=$(wc -l <calls)
	echo "$bare calls bare, $recorded recorded"
	[ "$bare" -gt 2000 ]
	[ "$recorded" -lt $((bare + 1000)) ]
}

@test "a handler on an alternate stack with a page for it makes children" {
	unchanged "$PROGRAMS/hostile_signals" children_on_alternate_stack
	holds '.trace.lost == 0 and .unseen == [] and ([.processes[] | select(.status == 7)] | length == 1) and
		([.processes[] | select(.argv == ["true"])] | length == 3)'
	SHMGUARD_PROFILE=safe LD_PRELOAD=$BUILD/libshmguard.so timeout 60 "$PROGRAMS/hostile_signals" children_on_alternate_stack >out
	[ "$(cat out)" = "went on" ]
}

@test "a handler on an alternate stack that ends the process: its calls are recorded" {
	unchanged "$PROGRAMS/hostile_signals" ends_on_alternate_stack
	holds '.trace.lost == 0 and .trace.complete and .objects[0].maps == 2'
}

@test "a handler on an alternate stack that makes the only calls and ends the process: that they are missing is told" {
	unchanged "$PROGRAMS/hostile_signals" ends_on_alternate_stack_first
	holds '[.unseen[].reason] == ["a signal handler on a small stack made its only calls, and ended it"]'
}

@test "a handler on an alternate stack that lets its signal kill: its calls are recorded" {
	unchanged "$PROGRAMS/hostile_signals" dies_on_alternate_stack
	holds '.trace.lost == 0 and .trace.complete and .objects[0].maps == 2'
}

# Two, each with a frame of the kernel's, are all that there is room for beside calls.
@test "handlers that come amid a call, and amid each other's, on the smallest stack that a thread can have" {
	local begun
	for begun in "" _first; do
		rm -rf recording
		unchanged "$PROGRAMS/hostile_signals" "smallest_interrupted$begun"
		holds '.trace.lost == 0 and .trace.complete and (.objects | length == 1)'
	done
}

# mapped HOW: $mapped are there when the program ends, $missing of them by nothing that the recording tells, which has lost $lost.
mapped()
{
	record recording "$PROGRAMS/hostile_signals" "$1" >out
	"$SHMGUARD" log recording >calls
	report recording >report.json
	lost=$(jq .trace.lost report.json)
	read -r mapped _ <out
	missing=$((mapped - $(grep -c 'mmap(.* = 0x' calls) + $(grep -c 'munmap(.* = 0 ' calls)))
	echo "$mapped mapped, $missing missing, $lost lost"
}

@test "a handler that jumps out of what it interrupted: what was told is what the kernel has, but for what is said to be lost" {
	mapped longjmp
	[ "$missing" -ge 0 ]
	[ "$missing" -le "$lost" ]
	[ "$lost" -le 4 ]
}

@test "threads that are cancelled at any instruction: what was told is what the kernel has" {
	mapped cancel
	[ "$mapped" -gt 0 ]
	[ "$missing" -eq 0 ]
	[ "$lost" -eq 0 ]
}

# interrupted HANDLER...: a thread is in all it is told of its cancellation as bare, recorded and under a policy.
interrupted()
{
	local type call
	printf '[default]\nshrink-under-map=warn\nstale-bytes=warn\nlog=none\n' >policy
	for type in deferred async; do
		for call in map shrink; do
			rm -rf recording
			unchanged "$PROGRAMS/jumped_cancel" "$type" "$call" "$@"
			[ "$1" != within ] || holds '.trace.complete'
			{
				SHMGUARD_PROFILE=strict SHMGUARD_POLICY=$PWD/policy LD_PRELOAD=$BUILD/libshmguard.so timeout 60 \
					"$PROGRAMS/jumped_cancel" "$type" "$call" "$@"
				echo "status $?"
			} >guarded
			same bare guarded
		done
	done
}

@test "a thread whose handler has jumped out of a call can be cancelled as before" {
	interrupted out
	interrupted out alternate
	grep -qx 'cancelled, 0 wrong' bare
}

@test "a thread whose handler has set its cancellation, and jumped out of a call, is left with that" {
	interrupted sets
	interrupted sets alternate
	grep -qx 'was disabled, deferred' bare
}

@test "a thread whose handler has jumped within itself, amid a call, can be cancelled as before" {
	interrupted within
	interrupted within alternate
	grep -qx 'was enabled, asynchronous' bare
}
