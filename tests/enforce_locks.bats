#!/usr/bin/env bats
# Record locks (fcntl(2), lockf(3)) belong to the process and end with the close of any descriptor of their file: what a
# policy, or a recording, looks at and repairs costs the program none of them. Another process asks the kernel.
load helpers
load enforce

# kept COMMAND...: all that kept_locks does, run by it, loses no lock.
kept()
{
	"$@" "$BUILD/tests/programs/kept_locks" "$NAME" >kept.out
	cat kept.out
	[ "$(wc -l <kept.out)" -eq "$(grep -c '^	{"' "$ROOT/tests/programs/kept_locks.c")" ]
	[ "$(grep -cv ' kept$' kept.out)" -eq 0 ]
}

# kept_under VAR=VALUE...: the same with the library, and with threads about, of which any may take a lock.
kept_under()
{
	kept env "$@" LD_PRELOAD="$BUILD/libshmguard.so"
	kept env "$@" THREADED=1 LD_PRELOAD="$BUILD/libshmguard.so"
}

@test "without a policy a program keeps its record locks" {
	kept env
	kept env LD_PRELOAD="$BUILD/libshmguard.so"
}

@test "what a recording looks at costs no record lock" {
	kept "$SHMGUARD" run --quiet --report=none -o trace --
}

@test "under the profiles a program keeps its record locks" {
	kept_under SHMGUARD_PROFILE=observe
	policy 'truncate-on-open = warn'
	kept_under SHMGUARD_PROFILE=safe SHMGUARD_POLICY="$PWD/policy.ini"
}

@test "what is wiped at unlink, at the last unmap and at exec costs no record lock" {
	policy "[zero]" 'name = *' 'zero = on-unlink, on-last-unmap' 'secret = yes'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" -ge 5 ]
}

@test "what is wiped at an attach and reserved at a growth costs no record lock" {
	policy "[zero]" 'name = *' 'zero = on-attach' 'reserve = yes' 'truncate-on-open = fix' 'sparse-unreserved = fix'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=stale-bytes .* action=fixed' audit.log)" -ge 1 ]
	[ "$(grep -c 'rule=sparse-unreserved .* action=fixed' audit.log)" -ge 1 ]
	[ "$(grep -c 'rule=truncate-on-open .* action=fixed' audit.log)" -ge 1 ]
}

@test "what is cleared at a growth, and punched in place of a shrinking, costs no record lock" {
	policy 'grow-exposes-tail = fix' 'shrink-under-map = fix'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=grow-exposes-tail .* action=fixed' audit.log)" -ge 2 ]
	[ "$(grep -c 'rule=shrink-under-map .* action=fixed' audit.log)" -ge 1 ]
}
