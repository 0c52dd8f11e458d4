# shellcheck shell=bash
# Traces as long as one wants them.

setup()
{
	MANY=$BUILD/tests/bench/many
	# shellcheck disable=SC2034 # the tests'
	CANNED=$ROOT/tests/traces/leaks/trace/ust/uid/65534/64-bit
	cd "$BATS_TEST_TMPDIR" || return 1
}

# many DIR EVENTS PROCESSES TRACES: a new trace; prints how many events it has.
many()
{
	"$MANY" "$CANNED/metadata" "$@"
}
