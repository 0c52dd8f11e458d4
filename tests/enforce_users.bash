# shellcheck shell=bash
# What the tests of a policy between two users share.

setup()
{
	[ "$(id -u)" -eq 0 ] || skip "two users need root"
	make_nobody_build
	cd "$NOBODY_HOME" || return 1
	NAME=enforce-$$-$BATS_TEST_NUMBER
	export NAME
}

teardown()
{
	regular_back
	# One that is skipped in its setup has no name yet.
	[ -z "${NAME:-}" ] || rm -rf "/dev/shm/$NAME" "/dev/shm/$NAME"-*
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

# by UID CODE: a program of that user under the policy; by UID -b CODE: without it.
by()
{
	local uid=$1 preload=$NOBODY_BUILD/libshmguard.so
	shift
	if [ "$1" = -b ]; then
		preload=
		shift
	fi
	program "$1"
	chmod 644 program.py policy.ini
	setpriv --reuid="$uid" --regid="$uid" --clear-groups env ${preload:+LD_PRELOAD="$preload"} \
		SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py >out
}

policy()
{
	printf '%s\n' '[default]' "$@" >policy.ini
	chown 0 .
	chmod 755 .
}
