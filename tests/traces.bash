# shellcheck shell=bash
# A copy of the canned traces, where a test may damage them.

setup()
{
	load leaks.bash
	cp -r "$ROOT/tests/traces" "$BATS_TEST_TMPDIR/traces"
	cd "$BATS_TEST_TMPDIR/traces" || return 1
}

# refuses DIR TEXT: exit status 3 and one line that contains TEXT.
# shellcheck disable=SC2154 # set by run
refuses()
{
	run timeout 20 "$SHMGUARD" report "$1"
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == *"$2"* ]]
}
