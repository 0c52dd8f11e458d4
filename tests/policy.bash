# shellcheck shell=bash
# What the files of shmguard policy begin with.

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	umask 022
}

# no COMMAND...: it fails. A bare ! would not fail the test.
no()
{
	if "$@"; then return 1; fi
}
