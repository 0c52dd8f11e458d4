# shellcheck shell=bash
# What the tests of `shmguard run` share.

bats_require_minimum_version 1.5.0

setup_file()
{
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
}

teardown_file()
{
	remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	if [ -n "${LONELY:-}" ]; then
		kill -9 "$LONELY" 2>/dev/null || true
	fi
}

# run_only COMMAND...: recorded without a report, as most tests here want it.
run_only()
{
	"$SHMGUARD" run --report=none -o recording -- "$@"
}

# as_nobody_run DIR [OPTION...] -- COMMAND...
as_nobody_run()
{
	local dir=$1
	shift
	as_nobody "$NOBODY_BUILD/shmguard" run --report=none -o "$NOBODY_HOME/$dir" "$@"
}

# One shmguard: line on stderr, and nothing else in the file.
one_message()
{
	[ "$(wc -l <"$1")" -eq 1 ]
	grep -q "^shmguard: .*$2" "$1" || { cat "$1"; return 1; }
}

# machine COMMAND...: as root on a machine of its own: process ids, /run, /tmp and /dev/shm.
machine()
{
	unshare --mount --pid --fork --mount-proc --propagation private bash -c '
		mount -t tmpfs tmpfs /run && mkdir /run/lttng && rmdir /run/lttng
		mount -t tmpfs tmpfs /dev/shm
		"$@"' machine "$@"
}

# Builds the smallest C program NAME, with compiler options.
tiny()
{
	echo 'int main(void) { return 3; }' >"$1.c"
	gcc "$1.c" -o "$1" "${@:2}"
}

started()
{
	for _ in $(seq 200); do
		! grep -q "$2" "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "no '$2' in $1"
	return 1
}
