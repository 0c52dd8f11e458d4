#!/usr/bin/env bats
# A trace is read more than once. Whichever reading's child stands still or dies, what lacks something says so.

bats_require_minimum_version 1.5.0

load helpers.bash
load reading.bash

# stopped SIGNAL NTH BYTES VERB...: `shmguard VERB`, whose NTH reading's child gets the SIGNAL when it has told so many bytes.
stopped()
{
	# A short one may be over before that is seen.
	for _ in {1..20}; do
		run --separate-stderr timeout 60 "$PYTHON" "$ROOT/tests/stall.py" "${@:1:3}" "$SHMGUARD" "${@:4}"
		# shellcheck disable=SC2154 # run sets it
		[ "$status" -eq 99 ] || return 0
	done
	return 1
}

# remembers: ./kept, a recording that keeps the newest calls, and reads its trace for what they speak of before all else.
remembers()
{
	"$SHMGUARD" run --quiet --report=none --max-size=512K -o kept -- "$PROGRAMS/rounds" 25000 remove
}

teardown()
{
	rm -f /dev/shm/rounds-*
}

@test "a form whose own reading ends early keeps what it has, and says that it is cut; the report is whole" {
	local case why form
	many trace 100000 4 1
	for case in "STOP|the decoder stood still" "KILL|the decoder died of signal 9 (Killed)"; do
		why="the reading of the trace for it ended early: ${case#*|}; what follows [0-9.]+ s is missing in it"
		why=${why//[(]/\\(} why=${why//[)]/\\)}
		for form in timeline html folded speedscope; do
			stopped "${case%|*}" 2 500000 report --decoder=auto:1s --format=$form:x.$form --format=json:report.json trace
			[ "$status" -eq 0 ]
			# shellcheck disable=SC2154 # run sets it
			[ "$(grep -cE "^shmguard: x.$form: $why\$" <<<"$stderr")" -eq 1 ]
			[ "$(wc -l <<<"$stderr")" -eq 1 ]
			holds '.trace.complete'
		done
		grep -qE "flame graph: $why\"" x.html
		grep -q '</html>' x.html
		jq -e --arg why "^$why\$" '(.otherData.missing | test($why)) and (.traceEvents | length > 100)' x.timeline
	done
	# Nothing of it is said where all was read.
	run --separate-stderr -0 "$SHMGUARD" report --format=timeline:x.timeline --format=html:x.html trace
	[ -z "$stderr" ]
	jq -e '.otherData == null' x.timeline
	run -1 grep 'ended early' x.html
}

@test "a form whose own reading has nothing has what the report tells, and the status of what cannot be read" {
	local form why="the reading of the trace ended early: the decoder stood still; it has none of the calls"
	many trace 4000 4 1
	for form in timeline html folded; do
		stopped STOP 2 0 report --decoder=babeltrace2:1s --format=$form:x.$form --format=json:report.json trace
		[ "$status" -eq 3 ]
		[ "$stderr" = "shmguard: x.$form: $why" ]
		holds '.trace.complete'
	done
	grep -qF "flame graph: $why" x.html
	jq -e --arg why "$why" '.otherData.missing == $why' x.timeline
	jq -e --slurpfile report report.json '[.traceEvents[] | select(.cat == "finding")] | length == ($report[0].findings | length)' x.timeline
	# As where the report's own reading has nothing.
	stopped STOP 1 0 report --decoder=babeltrace2:1s trace
	[ "$status" -eq 3 ]
}

@test "a report whose own reading ends early is no less for forms that were read to the end" {
	many trace 100000 4 1
	stopped STOP 1 500000 report --decoder=auto:1s --format=timeline:x --format=json:report.json trace
	[ "$status" -eq 0 ]
	holds '.trace.problems[0] | test("^the reading of the trace ended early: the decoder stood still; what follows its first")'
	jq -e '.otherData.missing == "the trace was not read to its end"' x
}

@test "log: what its first reading would have told is said to be missing" {
	local all
	many trace 100000 4 1
	"$SHMGUARD" log trace >whole 2>errors
	[ ! -s errors ]
	stopped STOP 1 500000 log --decoder=auto:1s trace
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq "$(wc -l <whole)" ]
	[ "$stderr" = "shmguard: a first reading of the trace ended early: the decoder stood still; what it would have told of sizes, names and findings is missing" ]
	# The second one itself.
	stopped STOP 2 500000 log --decoder=auto:1s trace
	[ "$status" -eq 0 ]
	all=$(wc -l <whole)
	[ "${#lines[@]}" -gt 100 ]
	[ "${#lines[@]}" -lt "$all" ]
	[[ $stderr == "shmguard: the reading of the trace ended early: the decoder stood still; what follows its first "*" events is missing" ]]
}

@test "objects --at: without the look ahead nothing is said to be known that only it tells" {
	remembers
	run --separate-stderr -0 "$SHMGUARD" objects --all --at=0.05 kept
	[ -z "$stderr" ]
	stopped KILL 2 100000 objects --decoder=babeltrace2 --all --at=0.05 kept
	[ "$status" -eq 0 ]
	[ "$stderr" = "shmguard: the reading of the trace for what came later ended early: the decoder died of signal 9 (Killed)" ]
	[[ ${lines[-1]} == "not known: what else there was then, and who had it open or mapped, as it is not known which calls were let go" ]]
	run -1 grep -E '^  shm, .* bytes\), mode' <<<"$output"
}

@test "what is looked for first in a recording of the newest calls, and not found to the end, changes nothing that is told" {
	local nth
	# Objects that two programs define, with sizes that only later calls tell of.
	cat >twice.py <<-'END'
		import mmap, os, subprocess, sys, _posixshmem
		if len(sys.argv) > 1:
		    for i in range(10):
		        _posixshmem.shm_open(f"/twice-{i}", os.O_RDWR, 0o600)
		    sys.exit()
		# Each processor keeps its own newest calls.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		fds = []
		for i in range(20):
		    fds.append(_posixshmem.shm_open(f"/twice-{i}", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		    os.ftruncate(fds[i], 4096 * (i + 1))
		    if i == 9:
		        subprocess.run([sys.executable, sys.argv[0], "again"], check=True)
		for _ in range(20000):
		    mmap.mmap(fds[0], 4096).close()
		for i in range(20):
		    _posixshmem.shm_unlink(f"/twice-{i}")
		for i in range(20):
		    os.ftruncate(fds[i], 100 + i)
	END
	"$SHMGUARD" run --quiet --report=none --max-size=512K -o twice -- "$PYTHON" twice.py
	"$SHMGUARD" log twice >whole
	grep -qF '/* /twice-12, 53248 bytes */' whole
	grep -q 'events let go before' whole
	for nth in 1 3; do
		stopped KILL $nth 0 log --decoder=babeltrace2 twice
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		same whole - <<<"$output"
	done
	# Those that are over are remembered then, and told of.
	remembers
	"$SHMGUARD" report --format=json kept >report.json
	stopped KILL 1 0 report --decoder=babeltrace2 --format=json kept
	[ "$status" -eq 0 ]
	same <(jq .findings <<<"$output") <(jq .findings report.json)
	same <(jq '.trace.objects_left_out + (.objects | length)' <<<"$output") \
		<(jq '.trace.objects_left_out + (.objects | length)' report.json)
}

@test "traces of which nothing else tells: the reading for whose they are is missed" {
	mkdir -p fleet/a/trace fleet/b/trace
	many fleet/a/trace/x 100000 4 1
	many fleet/b/trace/x 4000 4 1
	"$SHMGUARD" report --format=json fleet >report.json
	holds 'all(.trace.problems[]; contains("ended early") | not)'
	stopped KILL 1 500000 report --format=json fleet
	[ "$status" -eq 0 ]
	echo "$output" >report.json
	holds '.trace.complete | not'
	holds '[.trace.problems[] | select(contains("ended early"))] ==
		["fleet/a: a first reading of the trace, for whose its events are, ended early: the decoder died of signal 9 (Killed)"]'
}

@test "policy learn: what its second reading did not come to may be refused, and it says so" {
	many trace 100000 4 1
	run --separate-stderr -0 "$SHMGUARD" policy learn trace
	run -1 grep 'ended early' <<<"$stderr"
	stopped KILL 2 500000 policy learn trace
	[ "$status" -eq 0 ]
	grep -qE '^shmguard: trace: a second reading of the trace ended early: the decoder died of signal 9 \(Killed\); what follows its first [0-9]+ events is missing$' <<<"$stderr"
	grep -qF 'shmguard: not all was seen: the policy may be too tight' <<<"$stderr"
	grep -qE '^#   trace: a second reading of the trace ended early' <<<"$output"
}
