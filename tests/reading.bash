# shellcheck shell=bash
# Traces as long as one wants them, and what either decoder makes of one.

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

# reported DIR [OPTION...]: report.json, the same from both decoders.
reported()
{
	"$SHMGUARD" report --decoder=babeltrace2 --format=json "$@" >babeltrace2.json
	"$SHMGUARD" report --decoder=direct --format=json "$@" >report.json
	same babeltrace2.json report.json
}

# refused DIR TEXT [OPTION...]: exit status 3 and one line that contains TEXT.
refused()
{
	run -3 timeout 20 "$SHMGUARD" report "${@:3}" "$1"
	# shellcheck disable=SC2154 # run sets them
	[ "${#lines[@]}" -eq 1 ]
	# shellcheck disable=SC2154
	[[ $output == *"$2"* ]]
}
