#!/usr/bin/env bats
# What is opened for a moment within one thread's call takes no number from another thread, and none into its children.
load helpers
load enforce

CALLS="map resize grow resize_path chmod_fd chmod_path chmod_below link_path rename_path"

# numbers COMMAND...: what the program tells of all calls, run by that.
numbers()
{
	"$@" sh -c 'for call in $3; do "$1" forks $call "$2"; "$1" opens $call "$2"; done' sh \
		"$BUILD/tests/programs/hidden_numbers" "/$NAME" "$CALLS"
}

# as_bare COMMAND...: no child has a descriptor that its parent never had, and each open gives what it gives bare.
as_bare()
{
	numbers env >bare
	[ "$(grep -cx 0 bare)" -eq "$(wc -w <<<"$CALLS")" ]
	[ "$(grep -c 'after the object' bare)" -eq "$(wc -w <<<"$CALLS")" ]
	numbers "$@" >out
	diff bare out
}

@test "while a thread resizes, maps and names what is recorded, others' opens and children are as they are bare" {
	as_bare "$SHMGUARD" run --quiet --report=none -o trace --
	# A report of that, of thousands of processes, takes long.
	"$SHMGUARD" run --quiet --report=told -o short -- "$BUILD/tests/programs/hidden_numbers" opens chmod_fd "/$NAME" || true
	grep -q 'world-writable' told
}

@test "while a thread resizes, maps and names what a policy repairs, others' opens and children are as they are bare" {
	policy 'world-writable = fix' 'acl-grants = fix' 'grow-exposes-tail = fix' 'shrink-under-map = fix' "names = /$NAME*" \
		'[k]' "name = /$NAME-k*" 'max-mode = 0640'
	as_bare env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so"
	grep -q 'rule=world-writable .* action=fixed' audit.log
}

@test "while a thread resizes, maps and names what a recorded policy guards, others' opens and children are as they are bare" {
	policy 'world-writable = fix' 'acl-grants = fix'
	as_bare "$SHMGUARD" run --quiet --report=none --policy="$PWD/policy.ini" -o trace --
}

@test "while a thread resizes, maps and names under the safe profile, others' opens and children are as they are bare" {
	as_bare env SHMGUARD_PROFILE=safe LD_PRELOAD="$BUILD/libshmguard.so"
}

@test "while a thread resizes, maps and names an object, what another closes is closed as it is bare" {
	closes='for call in map resize grow resize_path chmod_fd chmod_path chmod_below; do "$1" closes $call "$2"; done'
	sh -c "$closes" sh "$BUILD/tests/programs/hidden_numbers" "/$NAME" >bare
	[ "$(grep -cx 'address free, lock free' bare)" -eq 7 ]
	"$SHMGUARD" run --quiet --report=none -o trace -- sh -c "$closes" sh "$BUILD/tests/programs/hidden_numbers" "/$NAME" >out
	diff bare out
	# By a path a policy repairs with all descriptors.
	closes=${closes/ resize_path/}
	sed -i 1d bare
	SHMGUARD_PROFILE=safe LD_PRELOAD="$BUILD/libshmguard.so" \
		sh -c "$closes" sh "$BUILD/tests/programs/hidden_numbers" "/$NAME" >out
	diff bare out
}

@test "a thread that is cancelled while it opens ends where it is asked once more whether the kernel refuses that" {
	mkdir "/dev/shm/$NAME"
	local cancelled="$BUILD/tests/programs/cancelled_opening"
	[ "$("$cancelled" "/dev/shm/$NAME")" = "200 cancelled" ]
	[ "$(SHMGUARD_PROFILE=safe LD_PRELOAD="$BUILD/libshmguard.so" timeout 60 "$cancelled" "/dev/shm/$NAME")" = "200 cancelled" ]
	rmdir "/dev/shm/$NAME"
}
