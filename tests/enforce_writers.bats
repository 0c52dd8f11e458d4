#!/usr/bin/env bats
# A secret whose process ends while its threads write on. The bytes are looked at from outside the process.
bats_require_minimum_version 1.5.0
load helpers
load enforce

ends()
{
	rm -f audit.log "/dev/shm/$NAME" "/dev/shm/$NAME-plain"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$BUILD/tests/programs/writing" "/$NAME" "$@"
}

# wiped: nothing is left of it, and of the object beside it everything.
wiped()
{
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 16384 ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
	[ "$(tr -cd s <"/dev/shm/$NAME-plain" | wc -c)" -eq 16384 ]
}

@test "what a thread writes to a secret while the process ends does not outlive it" {
	for lines in 'secret-left = fix' 'zero = on-last-unmap'; do
		policy '[keys]' "name = /$NAME" 'secret = yes' "$lines"
		for how in r e q t 'r n' 'e n'; do
			for rest in 100 1000 -1; do
				# shellcheck disable=SC2086 # two words
				ends "$rest" $how
				wiped
				[ "$(grep -c 'rule=secret-left' audit.log)" -eq 1 ]
				grep -q "rule=secret-left object=/$NAME action=fixed" audit.log
			done
		done
	done
}

@test "what threads map, move, protect and unmap while the process ends is theirs, and what they store in it is not" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for round in {1..25}; do
		for what in o x; do
			ends -1 r "$what"
			[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
		done
	done
}

@test "nor what it had cleared when the process looked" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for round in {1..12}; do
		for rest in 700 5000; do
			ends "$((rest + 20 * round))" e c
			wiped
		done
	done
}

@test "a child that ends so leaves its parent's memory as it is" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for rest in 100 -1; do
		ends "$rest" f
	done
}

@test "no policy that wipes, no secret: what a thread wrote last stays" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = note'
	ends 100 r
	[ "$(tr -cd s <"/dev/shm/$NAME" | wc -c)" -eq 16384 ]
	policy 'secret-left = fix'
	ends 100 e
	[ "$(tr -cd s <"/dev/shm/$NAME" | wc -c)" -eq 16384 ]
}

# told: that it was not wiped, and why.
told()
{
	grep 'rule=secret-left' audit.log | tail -1 | grep -q 'action=recorded .* at=exit why=not-wiped:written$'
}

@test "what a thread writes where its memory cannot be replaced is not told as wiped" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for how in r e; do
		for rest in 100 -1; do
			ends "$rest" "$how" g
			told
		done
	done
}

@test "what a thread writes by pwrite is not told as wiped, unless the machine keeps the thread from it" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for how in r e u; do
		local times=0
		for _ in {1..6}; do
			ends 100 "$how" p
			if told; then times=$((times + 1)); fi
		done
		[ "$times" -ge 3 ]
	done
}
