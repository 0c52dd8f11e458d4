#!/usr/bin/env bats
# Canned traces, which need no session daemon: what the model makes of them, and of what is damaged beside them.
# They were made by tests/traces/forge.sh from the script that lies with each.

bats_require_minimum_version 1.5.0

load helpers
load traces.bash

# reads_as CASE: the parts of the report that select.jq picks are those of expected.json.
reads_as()
{
	timeout 20 "$SHMGUARD" report --format=json "$1" >full.json
	jq -f select.jq full.json >got.json
	same "$1/expected.json" got.json
}

@test "a recording without its description says what is not known, and is no whole one" {
	rm leaks/recording.json
	run -0 "$SHMGUARD" report leaks
	[[ $output == *"[the recording is incomplete]"* ]]
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"leaks/recording.json is missing: what was recorded, how processes ended"* ]]
	# A trace alone is none.
	"$SHMGUARD" report --format=json leaks/trace >report.json
	holds '.trace.complete and .trace.problems == []'
}

@test "what a process may yet unlink is no error while it is recorded" {
	cat >live.py <<-'END'
		import os, signal, sys
		from _posixshmem import shm_open
		os.close(shm_open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		os.kill(os.getpid(), signal.SIGKILL)
	END
	"$SHMGUARD" run --quiet --report=none -o live -- "$PYTHON" live.py "/traces-live-$$" || true
	rm "/dev/shm/traces-live-$$"
	jq 'del(.ended, .command_status, .processes_bytes)' live/recording.json >new && mv new live/recording.json
	rm live/shm.json
	sed -i -E '/"type": ?"(end|reaped|leave)"/d' live/processes.jsonl
	"$SHMGUARD" report --format=json live >report.json
	holds '.findings[] | select(.rule == "segment-leak") | .severity == "note" and .uncertain'
	holds '[.objects[].leaked] == [false]'
	run -0 "$SHMGUARD" report live
	[[ $output != *"it is not known how it ended"* && $output != *"when the recording stopped"* ]]
}

@test "a recording: growth, a lost segment, a fork, who unlinked first, who was not seen" {
	reads_as leaks
}

@test "a bare trace: gaps in the numbers make the findings uncertain" {
	reads_as lost
}

@test "two recordings in one trace keep their processes apart" {
	reads_as two-recordings
}

@test "the trace directory itself can be given" {
	"$SHMGUARD" report --format=json two-recordings/trace/ust | jq -f select.jq >got.json
	# Where it is the whole that is given, nothing is missing beside it.
	jq '.trace.complete = true' two-recordings/expected.json >expected.json
	same expected.json got.json
}

@test "of two recordings in one trace only the one that recording.json names is read" {
	jq '.id = "22222222"' leaks/recording.json >two-recordings/recording.json
	"$SHMGUARD" report --format=json two-recordings >got.json
	[ "$(jq -r '[.processes[].exe] | join(" ")' got.json)" = /usr/bin/b ]
	[ "$(jq .trace.events got.json)" -eq 5 ]
	[ "$(jq .trace.foreign got.json)" -eq 5 ]
}

@test "two traces made of one are read in one order" {
	cp -r lost/trace two-recordings/trace/other
	"$SHMGUARD" report --format=json two-recordings >got.json
	[ "$(jq .trace.events got.json)" -eq 16 ]
}

@test "no name at all is refused as one that does not exist" {
	run -3 "$SHMGUARD" report ''
	[ "$output" = "shmguard: '': No such file or directory" ]
}

@test "a directory without a trace is refused" {
	mkdir nothing
	refuses nothing "holds no CTF trace"
}

@test "a recording in which nothing touched shared memory has an empty report" {
	rm -r leaks/trace/ust
	"$SHMGUARD" report --format=json leaks >got.json
	[ "$(jq .trace.events got.json)" -eq 0 ]
	[ "$(jq '.processes | length' got.json)" -eq 3 ]
	[ "$(jq .trace.complete got.json)" = true ]
}

# The canned ones do not say how many bytes they had.
@test "a recording of which nothing is left is refused, by every reader, and not called clean" {
	jq '.stream_bytes = 16384' leaks/recording.json >new && mv new leaks/recording.json
	cp -r leaks whole
	find leaks -name '*_[0-9]' -exec truncate -s 0 {} +
	refuses leaks "the trace is gone: of the 16384 bytes that were recorded none can be read"
	find leaks -name '*_[0-9]' -exec truncate -s 100 {} +
	refuses leaks "the trace is gone"
	find leaks -name '*_[0-9]' -delete
	refuses leaks "the trace is gone"
	find leaks -name metadata -delete
	refuses leaks "the trace is gone"
	rm -r leaks/trace/ust
	refuses leaks "the trace is gone"
	rm -r leaks/trace
	refuses leaks "the trace is gone"
	run -3 "$SHMGUARD" log leaks
	run -3 "$SHMGUARD" objects leaks
	run -3 "$SHMGUARD" diff whole leaks
	run -3 "$SHMGUARD" diff leaks whole
}

@test "events of another recording are told of in the text as well" {
	jq '.id = "00000001"' leaks/recording.json >new && mv new leaks/recording.json
	"$SHMGUARD" report leaks >out
	grep -q "none of the trace's 37 events is of this recording" out
}

@test "a recording.json that is damaged is named, and the trace is read without it" {
	truncate -s 40 leaks/recording.json
	incomplete "leaks/recording.json is damaged"
	: >leaks/recording.json
	incomplete "leaks/recording.json is damaged"
	"$SHMGUARD" log leaks 2>&1 >/dev/null | grep -q "recording.json is damaged"
	mkdir fleet
	cp -r leaks fleet/damaged
	"$SHMGUARD" report --format=json fleet >report.json
	holds '.trace.events == 37 and any(.trace.problems[]; contains("fleet/damaged/recording.json is damaged"))'
	rm -r leaks/trace
	refuses leaks "holds no CTF trace"
}

@test "a recording.json without an id is named, and the trace is read without it" {
	echo '{"schema":"shmguard-recording/1"}' >leaks/recording.json
	incomplete "no valid id"
}

@test "a look at /dev/shm that is damaged is named, and the rest is read" {
	local file
	for file in shm.json shm-before.json; do
		: >leaks/$file
		incomplete "leaks/$file is damaged"
		echo '[' >leaks/$file
		incomplete "leaks/$file is damaged"
		echo '[]' >leaks/$file
		incomplete "leaks/$file is damaged: it is not an object"
	done
}

@test "what is no file in the place of one beside the trace is named, and not waited for" {
	local file kind verb
	for file in recording.json processes.jsonl shm.json shm-before.json symbols.json; do
		for kind in pipe device socket directory; do
			rm -rf leaks
			cp -r "$ROOT/tests/traces/leaks" leaks
			rm -f leaks/$file
			case $kind in
			pipe) mkfifo leaks/$file ;;
			device) ln -s /dev/zero leaks/$file ;;
			socket) "$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' leaks/$file ;;
			directory) mkdir leaks/$file ;;
			esac
			timeout 20 "$SHMGUARD" report --format=json leaks >report.json 2>errors
			[ "$(cat errors <(jq -r '.trace.problems[]' report.json) | grep -c "leaks/$file is not a file")" -eq 1 ]
			run ! grep -q 'is missing' report.json
			for verb in log objects; do
				timeout 20 "$SHMGUARD" $verb leaks >out 2>errors
				# Who holds what is told without the names of functions.
				[ $file$verb = symbols.jsonobjects ] || grep -q "leaks/$file is not a file" errors
			done
			holds '.trace.events == 37'
		done
	done
}

@test "a link to a file beside the trace is as good as the file" {
	"$SHMGUARD" report --format=json leaks >before.json
	mv leaks/processes.jsonl leaks/shm.json .
	ln -s ../processes.jsonl ../shm.json leaks
	"$SHMGUARD" report --format=json leaks | cmp - before.json
}

@test "a recording of another version is refused" {
	echo '{"schema":"shmguard-recording/2"}' >leaks/recording.json
	refuses leaks "version"
}

@test "lines of processes.jsonl that are cut or damaged are left out, and that is said" {
	truncate -s -20 leaks/processes.jsonl
	incomplete "processes.jsonl is damaged in line"
	holds '.processes | length == 4'
	sed -i '2s/.*/{"type":/' leaks/processes.jsonl
	incomplete "processes.jsonl is damaged in line 2 and others: what cannot be read was left out"
}

@test "the last line of a recording that was killed may be cut short" {
	jq 'del(.ended)' leaks/recording.json >r && mv r leaks/recording.json
	truncate -s -20 leaks/processes.jsonl
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.problems | length == 1 and (.[0] | contains("did not end"))'
}

@test "a processes.jsonl that is cut at the end of a line is said to be, where its length is known" {
	jq --argjson size "$(stat -c %s leaks/processes.jsonl)" '.processes_bytes = $size' leaks/recording.json >r
	mv r leaks/recording.json
	reads_as leaks
	sed -i '/"reaped"/d' leaks/processes.jsonl
	incomplete "leaks/processes.jsonl is cut short: "
	holds 'any(.processes[]; .ended == "unknown") and all(.processes[]; .ended != "running")'
	rm leaks/processes.jsonl
	incomplete "leaks/processes.jsonl is cut short: "
}

@test "a recording that did not end is incomplete" {
	jq 'del(.ended)' leaks/recording.json >r && mv r leaks/recording.json
	"$SHMGUARD" report --format=json leaks >got.json
	[ "$(jq .trace.complete got.json)" = false ]
	jq -e '.trace.problems[] | select(contains("did not end"))' got.json
}

@test "a form that has no place for it says on stderr what a damaged or a lossy recording lacks" {
	local form
	cp -r "$ROOT/tests/traces/leaks" damaged
	truncate -s -1000 damaged/trace/ust/uid/65534/64-bit/*_0
	for form in csv folded folded-count speedscope timeline suppressions; do
		"$SHMGUARD" report --format="$form:form" damaged 2>errors
		[[ $(cat errors) == "shmguard: form: the trace is cut short or damaged: "* ]]
		"$SHMGUARD" report --format="$form:form" "$ROOT/tests/traces/lost" 2>errors
		grep -qx 'shmguard: form: [0-9]* events were lost' errors
		"$SHMGUARD" report --format="$form:form" "$ROOT/tests/traces/leaks" 2>errors
		[ ! -s errors ]
	done
	for form in text json sarif junit html; do
		"$SHMGUARD" report --format="$form:form" damaged 2>errors
		[ ! -s errors ]
	done
}

@test "the answer to a call that came late does not bring forward what happened before it" {
	"$SHMGUARD" log late-answer >got
	grep -q '^100 .* munmap(0x7f0000000000, 4096) = -1 EINVAL' got
	grep -q '^200 .* mmap(.* = 0x7f0000000000 /\* /kept, 4096 bytes \*/$' got
	[ "$(grep -n 'exec by 50: second' got | cut -d : -f 1)" -gt "$(grep -n 'mmap(' got | cut -d : -f 1)" ]
	"$SHMGUARD" objects --at=1.03 late-answer >got
	grep -q 'process 200 first: maps \[0, 4096) at 0x7f0000000000' got
}
