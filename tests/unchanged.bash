# shellcheck shell=bash
# A program as it is without us, and recorded.

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/hostile-*
}

# unchanged COMMAND...: output and status as bare; it ends within a minute.
unchanged()
{
	local status=0
	timeout -k 1 60 "$@" >bare 2>&1 3>&- || status=$?
	echo "status $status" >>bare
	[ "$(wc -l <bare)" -ge 2 ]
	[ "$status" -eq 0 ]
	status=0
	timeout -k 1 90 "$SHMGUARD" run --quiet --report=none -o recording -- timeout -k 1 60 "$@" >recorded 2>&1 3>&- || status=$?
	echo "status $status" >>recorded
	same bare recorded
	report recording >report.json
}

# interposed LIBRARIES...: with one of them, preloaded in each of these orders, that counts mappings and says "counted" at the
# end, the program goes on, and nothing is missing from its recording, or there twice.
interposed()
{
	local order
	for order; do
		rm -rf recording
		# shellcheck disable=SC2016
		timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'LD_PRELOAD=$0 exec "$@"' "$order" \
			"$PROGRAMS/hostile_processes" plain >out
		[ "$(sort out | tr '\n' ' ')" = "counted went on " ]
		report recording >report.json
		holds '.trace.complete and (.objects | length == 1 and .[0].maps == 2)'
	done
}
