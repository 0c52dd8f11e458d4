#!/usr/bin/env bats
# As rules.bats, for the rules of permission and zeroing and those of lifetime that are found at a call.

load helpers
load rules

# shellcheck disable=SC2034 # rules.bash reads it
BY_ITSELF=(sticky-refused stale-at-start weak-mount)

teardown()
{
	rm -f /dev/shm/shmguard-rules.* /dev/shm/sem.shmguard-rules.*
	regular_back
}

# All of shmguard runs with a /dev/shm of its own, mounted with these options, on which the words were run.
with_shm() # OPTIONS WORD...
{
	local options=$1
	shift
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	cat >shmguard <<-END
		#!/bin/sh
		exec unshare -m sh -c 'mount -t tmpfs -o $options tmpfs /dev/shm && $* && exec "\$@"' sh $SHMGUARD "\$@"
	END
	chmod +x shmguard
	SHMGUARD=$PWD/shmguard
}

# Two users are needed.
as_root()
{
	[ "$(id -u)" -eq 0 ] || skip "only root can be two users"
}

@test "world-writable is found" {
	check_faulty world-writable
}

@test "world-writable: the innocent twin is silent" {
	check_innocent world-writable
}

@test "world-readable is found" {
	check_faulty world-readable
}

@test "world-readable: the innocent twin is silent" {
	check_innocent world-readable
}

@test "umask-mismatch is found" {
	check_faulty umask-mismatch
}

@test "umask-mismatch: the innocent twin is silent" {
	check_innocent umask-mismatch
}

@test "create-without-excl is found" {
	check_faulty create-without-excl
}

@test "create-without-excl: the innocent twin is silent" {
	check_innocent create-without-excl
}

@test "foreign-owner is found" {
	as_root
	check_faulty foreign-owner
}

@test "foreign-owner: the innocent twin is silent" {
	as_root
	check_innocent foreign-owner
}

@test "symlink-or-special is found" {
	as_root
	check_faulty symlink-or-special
}

@test "symlink-or-special: the innocent twin is silent" {
	check_innocent symlink-or-special
}

@test "acl-grants is found" {
	check_faulty acl-grants
}

@test "acl-grants: the innocent twin is silent" {
	check_innocent acl-grants
}

@test "predictable-name is found" {
	check_faulty predictable-name
}

@test "predictable-name: the innocent twin is silent" {
	check_innocent predictable-name
}

@test "name-nonportable is found" {
	check_faulty name-nonportable
}

@test "name-nonportable: the innocent twin is silent" {
	check_innocent name-nonportable
}

@test "sticky-refused is found" {
	as_root
	regular_is 1
	check_faulty sticky-refused
}

@test "sticky-refused: the innocent twin is silent" {
	as_root
	check_innocent sticky-refused
}

@test "exec-map is found" {
	check_faulty exec-map
}

@test "exec-map: the innocent twin is silent" {
	check_innocent exec-map
}

@test "memfd-no-cloexec is found" {
	check_faulty memfd-no-cloexec
}

@test "memfd-no-cloexec: the innocent twin is silent" {
	check_innocent memfd-no-cloexec
}

@test "memfd-unsealed-share is found" {
	check_faulty memfd-unsealed-share
}

@test "memfd-unsealed-share: the innocent twin is silent" {
	check_innocent memfd-unsealed-share
}

@test "memfd-executable is found" {
	check_faulty memfd-executable
}

@test "memfd-executable: the innocent twin is silent" {
	check_innocent memfd-executable
}

@test "stale-bytes is found" {
	check_faulty stale-bytes
}

@test "stale-bytes: the innocent twin is silent" {
	check_innocent stale-bytes
}

@test "grow-exposes-tail is found" {
	check_faulty grow-exposes-tail
}

@test "grow-exposes-tail: the innocent twin is silent" {
	check_innocent grow-exposes-tail
}

@test "discard-no-op is found" {
	check_faulty discard-no-op
}

@test "discard-no-op: the innocent twin is silent" {
	check_innocent discard-no-op
}

@test "stale-reattach is found" {
	check_faulty stale-reattach
}

@test "stale-reattach: the innocent twin is silent" {
	check_innocent stale-reattach
}

@test "unlink-by-stranger is found" {
	as_root
	check_faulty unlink-by-stranger
}

@test "unlink-by-stranger: the innocent twin is silent" {
	check_innocent unlink-by-stranger
}

@test "unlink-by-stranger: of one user a family has no strangers, and who comes from elsewhere is one" {
	local object=/dev/shm/shmguard-family-$$ how
	# shellcheck disable=SC2016
	for how in 'sh -c "rm $OBJECT; true"' 'sh -c "sh -c \"rm $OBJECT; true\"; true"' 'setsid -f sh -c "sleep .3; rm $OBJECT"; sleep 1'; do
		rm -rf "$BATS_TEST_TMPDIR/family"
		OBJECT=$object record family sh -c '(touch $OBJECT; true); '"$how"'; true'
		report family >report.json
		holds '[.findings[] | select(.rule == "unlink-by-stranger").severity] == ["note"]'
	done
	# shellcheck disable=SC2016
	OBJECT=$object record elsewhere sh -c 'touch $OBJECT; env -0 >environment.new; mv environment.new environment
		for i in $(seq 100); do [ ! -e $OBJECT ] || sleep 0.1; done' &
	until [ -e environment ]; do sleep 0.1; done
	# shellcheck disable=SC2016
	xargs -0 -a environment sh -c 'exec env "$@" rm "$0"' "$object"
	wait $!
	report elsewhere >report.json
	holds '[.findings[] | select(.rule == "unlink-by-stranger").severity] == ["warning"]'
}

@test "name-collision is found" {
	check_faulty name-collision
}

@test "name-collision: the innocent twin is silent" {
	check_innocent name-collision
}

@test "descriptor-exhaustion is found" {
	check_faulty descriptor-exhaustion
}

@test "descriptor-exhaustion: the innocent twin is silent" {
	check_innocent descriptor-exhaustion
}

@test "weak-mount is found" {
	with_shm mode=1777,nosuid,nodev true
	check_faulty weak-mount
}

@test "weak-mount: the innocent twin is silent" {
	with_shm mode=1777,nosuid,nodev,noexec true
	check_innocent weak-mount
}

@test "stale-at-start is found" {
	with_shm mode=1777,size=16m head -c 8M /dev/zero '>/dev/shm/old'
	check_faulty stale-at-start
}

@test "stale-at-start: the innocent twin is silent" {
	with_shm mode=1777,size=16m head -c 1M /dev/zero '>/dev/shm/old'
	check_innocent stale-at-start
}

@test "lock-not-robust is found" {
	check_faulty lock-not-robust
}

@test "lock-not-robust: the innocent twin is silent" {
	check_innocent lock-not-robust
}

@test "an object that all may write to is found whichever way it became so" {
	record ways "$BUILD/tests/programs/ways"
	report ways >report.json
	jq -r '.findings[] | select(.rule == "world-writable") | .message' report.json >messages
	for way in shm_open open openat sem_open fchmod chmod fchmodat mknod setxattr rename linkat; do
		[ "$(grep -c "shmguard-rules.[0-9]*\.$way with" messages)" -eq 1 ] || { echo "$way"; cat messages; false; }
	done
	[ "$(wc -l <messages)" -eq 11 ]
}

@test "resize-by-attacher: who has made thousands of objects is known to have made the first" {
	record recording "$PROGRAMS/churner" 6000 6000
	rm -f /dev/shm/churner-*
	report recording >report.json
	holds 'all(.findings[]; .rule != "resize-by-attacher" and .rule != "stale-reattach")'
	"$SHMGUARD" log recording | grep -c -e stale-reattach -e resize-by-attacher && false
	"$SHMGUARD" run --quiet --report=none --max-size="$(($(getconf _NPROCESSORS_CONF) << 17))" -o newest -- \
		"$PROGRAMS/churner" 6000 6000
	rm -f /dev/shm/churner-*
	report newest >report.json
	holds 'all(.findings[]; .rule != "resize-by-attacher" and .rule != "stale-reattach")'
}
