#!/usr/bin/env bats
# What the reader remembers of objects: of thousands that are over the number, and nothing that grows with it.

bats_require_minimum_version 1.5.0

load helpers.bash

# peak REPORT...: KiB that it needs.
peak()
{
	"$PYTHON" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

teardown()
{
	rm -f /dev/shm/rounds-*
}

@test "objects that another one was renamed over are forgotten" {
	local small large
	record few "$PROGRAMS/rounds" 9000 map
	record many "$PROGRAMS/rounds" 25000 map
	small=$(peak "$SHMGUARD" report few)
	large=$(peak "$SHMGUARD" report many)
	echo "$small KiB, $large KiB"
	[ "$((large - small))" -lt 9000 ]
	report many >report.json
	holds '.objects | length < 17000'
	holds '.trace.objects_left_out + (.objects | length) == 25000'
	holds '[.findings[] | select(.rule == "predictable-name")] | length == 1 and .[0].count == 25000'
	holds '[.findings[] | select(.rule == "segment-leak")] | length == 1'
}

@test "files that were never mapped are forgotten, and nothing is found of them" {
	record plain "$PROGRAMS/rounds" 15000 rename
	report plain >report.json
	holds '.trace.objects_left_out + (.objects | length) == 15000'
	holds '.objects | length < 10000'
	holds '[.findings[].rule] - ["weak-mount"] == []'
}

@test "objects whose calls were let go are forgotten, but for those that a later call speaks of" {
	local form small large count bound=9000
	for count in 9000 25000; do
		"$SHMGUARD" run --quiet --report=none --max-size=512K -o "$count" -- "$PROGRAMS/rounds" "$count" remove
	done
	for form in text html; do
		small=$(peak "$SHMGUARD" report "--format=$form" 9000)
		large=$(peak "$SHMGUARD" report "--format=$form" 25000)
		echo "$form: $small KiB, $large KiB"
		[ "$((large - small))" -lt "$bound" ]
		# Of the page the marks that it keeps are a part, however many there were.
		bound=30000
	done
	report 25000 >report.json
	holds '.trace.let_go > 0 and .trace.lost == 0'
	holds '.trace.objects_left_out + (.objects | length) == 25001'
	holds '.objects | length < 10000'
	holds '[.objects[] | select(.names[0] | endswith("first"))]
		| length == 1 and .[0].kind == "file" and .[0].size == 2048 and .[0].ino > 0 and .[0].unlinked_by != null'
}
