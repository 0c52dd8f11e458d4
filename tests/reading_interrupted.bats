#!/usr/bin/env bats
# A reading that somebody watches, interrupts or kills, and whose own reader goes away.

bats_require_minimum_version 1.5.0

load helpers.bash
load reading.bash

@test "a terminal shows how far the reading is, and its line is gone at the end" {
	many trace 4000000 4 1
	TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" watch "$SHMGUARD" trace >out
	[[ $(head -n 1 out) == 0\ *" progress cleared" ]]
	tail -n +2 out >report.json
	holds '.trace.complete'
}

@test "Ctrl-C gives the report so far, and the status of an interrupted program" {
	local events
	events=$(many trace 8000000 4 1)
	TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" interrupt "$SHMGUARD" trace >out
	[[ $(head -n 1 out) == 130\ *" progress cleared" ]]
	tail -n +2 out >report.json
	holds --argjson events "$events" '.trace.events > 1000 and .trace.events < $events and (.trace.complete | not)'
	holds '.trace.problems[0] | contains("it was interrupted; what follows its first")'
}

@test "Ctrl-C at whatever reading: every form that was asked for, soon, and those that lack something say so" {
	local how reading events
	events=$(many trace 4000000 4 1)
	for how in interrupt again; do
		rm -f x.*
		TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" "$how" "$SHMGUARD" trace html:x.html timeline:x.timeline \
			csv:x.csv folded:x.folded text:x.text >out
		[[ $(head -n 1 out) == 130\ * ]]
		tail -n +2 out >report.json
		[ "$(sed -n 's/^answered in \([0-9]*\).*/\1/p' terminal)" -lt 8 ]
		grep -q '</html>' x.html
		head -n 1 x.csv | cmp - <(head -n 1 "$ROOT/tests/traces/leaks/expected.csv")
		[ -e x.folded ]
		jq -e '.traceEvents | length > 1000' x.timeline
		if [ "$how" = interrupt ]; then
			holds --argjson all "$events" '.trace.events < $all and (.trace.complete | not)'
			# A line of the text may end in its midst.
			tr -s ' \n' ' ' <x.text | grep -q 'the trace was not read to its end'
			# What was read for the report is read for them, in the same time, and no more of it.
			run ! grep -q 'none of the calls' terminal x.html x.timeline
			jq -e --slurpfile report report.json '.otherData.missing and
				(.traceEvents | map(select(.ph == "i").ts) | max) <= $report[0].trace.seconds * 1e6 + 1' x.timeline
		else
			# What could be said without that reading is whole.
			holds --argjson all "$events" '.trace.events == $all and .trace.complete'
			grep -q 'flame graph: the reading of the trace for it was interrupted: ' x.html
			for reading in html timeline folded; do
				[ "$(grep -cE "shmguard: x.$reading: .* for it was interrupted: what follows [0-9.]+ s is missing" terminal)" -eq 1 ]
			done
			[ "$(grep -c 'for it was interrupted' terminal)" -eq 3 ]
			[[ $(tr -s ' \n' ' ' <x.text) != *'the trace was not read to its end'* ]]
		fi
	done
	# Alone, and cut in its midst.
	TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" again "$SHMGUARD" trace timeline:y >out
	[[ $(head -n 1 out) == 130\ * ]]
	jq -e '.otherData.missing | test(": what follows [0-9.]+ s is missing in it$")' y
	jq -e '.traceEvents | length > 1000' y
}

@test "of a name that is gone at the end nothing is said where the reading did not come to its removal" {
	cp -r "$ROOT/tests/traces/leaks" trace
	jq 'del(.objects[] | select(.name == "/seg"))' trace/shm.json >new && mv new trace/shm.json
	"$SHMGUARD" report --format=json trace >report.json
	holds 'any(.findings[]; .rule == "name-vanished")'
	many trace/trace/later 4000000 4 1
	sed -i 's/offset = 1795435892631428537/offset = 1795445892631428537/' trace/trace/later/metadata
	TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" interrupt "$SHMGUARD" trace >out
	tail -n +2 out >report.json
	holds 'any(.trace.problems[]; contains("it was interrupted"))'
	holds 'all(.findings[]; .rule != "name-vanished") and any(.objects[]; .names == ["/seg"])'
	TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" interrupt "$SHMGUARD" trace text:text >out
	[[ $(head -n 1 out) == 130\ * ]]
	grep -qE '^  /seg .* not known$' text
}

@test "a log ends with its reader, without a word, and nothing is drawn between its lines on a terminal" {
	many trace 200000 4 1
	[ "$(TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" log "$SHMGUARD" trace)" = "silence, 50000 lines" ]
	run -0 bash -c '"$0" log trace 2>&1 | head -n 1' "$SHMGUARD"
	[ "${#lines[@]}" -eq 1 ]
	"$SHMGUARD" log trace 2>errors | head -n 1
	[ ! -s errors ]
}

@test "a log that prints nothing for long shows how far it is, until its first line" {
	many trace 4000000 4 1
	[ "$(TERM=xterm "$PYTHON" "$ROOT/tests/reading.py" quiet "$SHMGUARD" log --object=/nothere trace)" = "progress 0 lines" ]
}

@test "Ctrl-C at objects and diff: one line says so, and nothing else" {
	many trace 4000000 4 1
	for verb in "objects trace" "diff trace trace"; do
		# shellcheck disable=SC2086
		env --default-signal=INT "$SHMGUARD" $verb >out 2>errors 3>&- &
		sleep 0.4
		kill -s INT $!
		wait $! && status=0 || status=$?
		[ "$status" -eq 130 ]
		same errors <(echo "shmguard: interrupted before the trace was read to its end")
		[ ! -s out ]
	done
}

@test "Ctrl-C at log, before its first line too, gives the lines so far, whole ones, and one line says so" {
	local wait events
	many trace 4000000 4 1
	for wait in 0.3 3; do
		env --default-signal=INT "$SHMGUARD" log trace >out 2>errors 3>&- &
		sleep "$wait"
		kill -s INT $!
		wait $! && status=0 || status=$?
		[ "$status" -eq 130 ]
		events=$(sed -n 's/.*it was interrupted; what follows its first \([0-9]*\) events is missing$/\1/p' errors)
		[ "$(wc -l <errors)" -eq 1 ]
		[ "$events" -gt 0 ]
		[ "$events" -lt 4000000 ]
		[ "$(wc -l <out)" -gt 100 ]
		[ "$(wc -l <out)" -le "$events" ]
		[ -z "$(tail -c 1 out)" ]
	done
}

@test "Ctrl-C at the end of run ends the reading: there is a report, and a trace that was not read is kept" {
	"$PYTHON" "$ROOT/tests/run_terminal.py" interrupt "$SHMGUARD" run --snapshot-on=error -o ready -- \
		"$PROGRAMS/rate" 400000 0.5 >out
	# A line of it may end in its midst.
	sed 's/\x1b\[[0-9;]*m//g' out | tr -s ' \r\n' ' ' | grep -q 'not read to its end\]'
	grep -q '^status 0$' out
	[ -n "$(find ready/trace -name 'calls_*' -size +0)" ]
	run -0 "$SHMGUARD" report ready
	[[ ${lines[0]} != *"not read to its end"* ]]
}

@test "who is killed amid a reading leaves no copies of a damaged trace behind" {
	many trace 200000 1 1
	truncate -s -1000 trace/events_0
	mkdir tmp
	mkfifo pipe
	for signal in TERM INT; do
		TMPDIR=$PWD/tmp env --default-signal=INT "$SHMGUARD" log --decoder=babeltrace2 trace >pipe 3>&- &
		exec 5<pipe
		read -r _ <&5
		[ -n "$(ls tmp)" ]
		kill -s "$signal" $!
		# What it has for whoever asked for the end goes into the pipe, too.
		cat <&5 >/dev/null
		wait $! && status=0 || status=$?
		exec 5<&-
		[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
		[ -z "$(ls tmp)" ]
	done
}

@test "Ctrl-C while nobody reads what is written: it is written to its end; a second one ends that" {
	many trace 200000 1 1
	mkfifo pipe
	for times in 1 2; do
		env --default-signal=INT "$SHMGUARD" log trace >pipe 2>errors 3>&- &
		exec 5<pipe
		read -r _ <&5
		# It waits for the reader.
		for ((i = 0; i < 100; i++)); do
			[[ $(cat "/proc/$!/wchan") != *pipe_write* ]] || break
			sleep 0.1
		done
		for ((i = 0; i < times; i++)); do
			kill -s INT $!
			sleep 0.2
		done
		[ -e "/proc/$!/exe" ] && alive=1 || alive=2
		[ "$alive" -eq "$times" ]
		cat <&5 >rest
		wait $! && status=0 || status=$?
		exec 5<&-
		[ "$status" -eq 130 ]
		run -1 grep "could not be written" errors
		[ "$times" -eq 2 ] || [ -z "$(tail -c 1 rest)" ]
	done
}

@test "run reports and passes on its command's status when nobody reads its messages" {
	run -0 bash -c '{ "$0" run --error-exitcode=7 --report=report -o recording -- "$1" shrunk; echo $? >status; } 2>&1 >out | true' \
		"$SHMGUARD" "$PROGRAMS/story"
	[ "$(cat status)" -eq 7 ]
	grep -q "^error: " report
}
