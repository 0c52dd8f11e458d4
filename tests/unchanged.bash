# shellcheck shell=bash
# A program as it is without us, and recorded.

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
