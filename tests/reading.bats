#!/usr/bin/env bats
# Traces as they come: damaged, copied, cut, of many processes and several machines. Each gives the right report or one
# clear sentence, whichever decoder reads it.

bats_require_minimum_version 1.5.0

load helpers.bash
load reading.bash

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
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$2"* ]]
}

@test "both decoders give the same calls of a canned trace, and the same report" {
	local case
	for case in leaks lost two-recordings; do
		reported "$ROOT/tests/traces/$case"
		"$SHMGUARD" log --decoder=direct --stacks "$ROOT/tests/traces/$case" >direct.log
		"$SHMGUARD" log --decoder=babeltrace2 --stacks "$ROOT/tests/traces/$case" >babeltrace2.log
		same direct.log babeltrace2.log
		[ -s direct.log ]
	done
}

@test "both decoders give the same calls of a recording made now" {
	record recording "$PROGRAMS/leaky" 20 /reading. >out
	reported recording
	"$SHMGUARD" log --decoder=direct --stacks recording >direct.log
	"$SHMGUARD" log --decoder=babeltrace2 --stacks recording >babeltrace2.log
	same direct.log babeltrace2.log
	holds '.trace.complete'
}

@test "both decoders give the same report of 200,000 events of twenty processes" {
	events=$(many trace 200000 20 1)
	reported trace
	holds --argjson events "$events" '.trace.events == $events and .trace.complete and (.processes | length) == 20'
}

@test "a trace of another layout is read by babeltrace2 alone" {
	babeltrace2 "$CANNED" --component=sink.ctf.fs --params='path="converted"' >/dev/null
	"$SHMGUARD" report --format=json "$CANNED" >canned.json
	"$SHMGUARD" report --format=json converted >report.json
	jq 'del(.trace.hosts)' canned.json >one
	jq 'del(.trace.hosts)' report.json >other
	same one other
	holds '.trace.events == 37'
	refused converted "a layout that only babeltrace2 can decode" --decoder=direct
}

@test "four hundred processes, each with a trace of its own" {
	events=$(many trace 240000 400 400)
	"$SHMGUARD" report --format=json trace >report.json
	holds --argjson events "$events" '.trace.events == $events and .trace.complete and (.processes | length) == 400'
}

@test "the clock of a host is set, and its events take their places" {
	many trace 4000 2 2
	sed -i 's/hostname = "vm"/hostname = "other"/' trace/1/metadata
	reported trace
	holds '.trace.hosts == ["vm", "other"] and .trace.seconds < 5'
	reported trace --clock-offset=other=100 --clock-offset=vm=-0.5
	holds '.trace.seconds > 100 and .trace.seconds < 105'
	"$SHMGUARD" log --clock-offset=other=+100 trace >calls
	[[ $(tail -n 1 calls) == other:1001* ]]
	"$SHMGUARD" log --clock-offset=other=-100 trace >calls
	[[ $(tail -n 1 calls) == vm:1000* ]]
}

@test "of a number that two hosts have for a process one is asked for" {
	many trace 4000 2 2
	sed -i 's/hostname = "vm"/hostname = "other:1"/' trace/1/metadata
	LC_ALL=C sed -i 's/\xe9\x03\x00\x00/\xe8\x03\x00\x00/g' trace/1/*_0
	reported trace
	holds '.trace.hosts == ["vm", "other:1"] and (.processes | map(.pid) == [1000, 1000])'
	"$SHMGUARD" log --pid=1000 trace >calls
	"$SHMGUARD" log --pid=vm:1000 trace >of_vm
	"$SHMGUARD" log --pid=other:1:1000 trace >of_other
	run -1 grep -v '^vm:1000 ' of_vm
	run -1 grep -v '^other:1:1000 ' of_other
	[ "$(wc -l <of_vm)" -ne "$(wc -l <of_other)" ]
	same <(sort calls) <(sort of_vm of_other)
	# Times stand in one column, however long the hosts' names are.
	[ "$(sed -E 's/^([^ ]+ +).*/\1/' calls | awk '{ print length }' | sort -u | wc -l)" -eq 1 ]
	[ -z "$("$SHMGUARD" log --pid=nowhere:1000 trace)" ]
	"$SHMGUARD" report --format=json --pid=vm:1000 trace >report.json
	holds '.selection == {"pid": 1000, "host": "vm"} and (.objects | length) > 0'
	for pid in :1 vm: vm:x vm:0 vm:1x; do
		run -2 "$SHMGUARD" log --pid="$pid" trace
		[ "${lines[0]}" = "shmguard: '$pid' is no pid, nor HOST:PID" ]
	done
}

@test "a clock of a host that is not there is an error, and so is what is no time" {
	refused "$CANNED" "no trace here is of host 'nowhere'; the first is of 'vm'" --clock-offset=nowhere=1
	run -2 "$SHMGUARD" report --clock-offset=vm "$CANNED"
	run -2 "$SHMGUARD" report --clock-offset=vm=soon "$CANNED"
	run -2 "$SHMGUARD" report --decoder=perl "$CANNED"
	run -2 "$SHMGUARD" report --decoder=auto:never "$CANNED"
}

@test "the chunks of a rotation are one trace" {
	many trace 20000 2 1
	reported trace
	cp report.json whole.json
	mkdir -p chunks/archives/1 chunks/archives/2
	cp trace/metadata chunks/archives/1
	cp trace/metadata chunks/archives/2
	head -c 262144 trace/events_0 >chunks/archives/1/events_0
	tail -c +262145 trace/events_0 >chunks/archives/2/events_0
	cp trace/events_1 chunks/archives/2
	reported chunks
	same whole.json report.json
}

@test "of a rotation whose middle chunk is gone either decoder says so, and that the count is the least it can be" {
	local chunk
	many trace 60000 2 1
	for chunk in 0 1 2; do
		mkdir -p "chunks/$chunk"
		cp trace/metadata "chunks/$chunk"
		tail -c +$((chunk * 262144 + 1)) trace/events_0 | head -c 262144 >"chunks/$chunk/events_0"
	done
	reported chunks
	holds '.trace.complete'
	rm -r chunks/1
	reported chunks
	holds '.trace.problems == ["1 packet of the trace is missing: more events may be lost than are counted"] and .trace.lost > 0'
	cp -r trace/. chunks
	truncate -s 262144 chunks/events_0
	tail -c +$((3 * 262144 + 1)) trace/events_0 >>chunks/events_0
	reported chunks
	holds '.trace.problems | length == 1 and (.[0] | startswith("1 packet of the trace is missing: "))'
}

@test "a trace that is there twice, and a third time in part, is read once" {
	many trace 20000 2 1
	reported trace
	cp report.json whole.json
	mkdir -p all/partly
	cp -r trace all/first
	cp -r trace all/second
	cp trace/metadata all/partly
	head -c 262144 trace/events_0 >all/partly/events_0
	reported all
	same whole.json report.json
}

@test "a stream that lies there twice is read once, whatever its second name is" {
	local copy from stream
	"$SHMGUARD" run --quiet --report=none -o whole -- "$PROGRAMS/story" shrunk || true
	reported whole
	mv report.json whole.json
	"$SHMGUARD" log whole >whole.log
	stream=$(find whole -name 'calls_*' -size +0 | head -n 1)
	stream=${stream##*/}
	for copy in "$stream calls_9" "$stream ${stream}_0" "$stream 00_1" "state_0 state_7" "state_1 calls_9"; do
		from=${copy% *}
		cp -r whole again
		find again -name "$from" -execdir cp {} "${copy#* }" \;
		reported again
		jq --slurpfile whole whole.json -e '. == $whole[0]' report.json
		"$SHMGUARD" log again | cmp - whole.log
		# What a copy has more is its own.
		find again -name "$from" -exec truncate -s -1000 {} +
		reported again
		jq --slurpfile whole whole.json -e '.trace.events == $whole[0].trace.events' report.json
		rm -r again
	done
	# A copy is none of the bytes that were recorded.
	cp -r whole again
	find again -name "$stream" -execdir sh -c 'for other in state_*; do cp "$other" "calls_9${other#state}"; done; rm "$0"' {} \;
	run "$SHMGUARD" report --format=json again
	[[ $output == *"bytes that were recorded"*" are gone"* || $output == *"the calls are gone"* ]]
}

@test "a stream is known by its packets, whatever its file is called" {
	local stream
	"$SHMGUARD" run --quiet --report=none -o whole -- "$PROGRAMS/story" shrunk || true
	reported whole
	mv report.json whole.json
	cp -r whole again
	stream=$(find again -name 'calls_*' -size +0 | head -n 1)
	mv "$stream" "${stream%/*}/zzz"
	reported again
	jq --slurpfile whole whole.json -e '. == $whole[0]' report.json
	"$SHMGUARD" log again | cmp - <("$SHMGUARD" log whole)
	# Under both names it is there twice.
	cp "${stream%/*}/zzz" "$stream"
	echo hello >"${stream%/*}/notes"
	reported again
	jq --slurpfile whole whole.json -e '. == $whole[0]' report.json
	# Cut short it is a stream all the same.
	rm "$stream"
	truncate -s -1000 "${stream%/*}/zzz"
	truncate -s +100 "${stream%/*}/zzz"
	cat "$(find whole -name "${stream##*/}")" >>"${stream%/*}/zzz"
	run -0 "$SHMGUARD" report --format=json again
	jq -e '.trace.events > 0 and (.trace.complete | not)' <<<"$output"
}

@test "a damaged trace beside a whole one is named, and the whole one is read" {
	mkdir both
	cp -r "$CANNED" both/whole
	cp -r "$CANNED" both/half
	truncate -s 9000 both/half/metadata
	reported both
	holds '.trace.events == 37 and (.trace.complete | not)'
	holds '.trace.problems == ["the trace in both/half cannot be read: its metadata is cut short"]'
}

@test "of several traces the one that is damaged is named" {
	many whole 20000 1 1
	mkdir both
	cp -r whole both/a
	cp -r whole both/b
	dd if=/dev/zero of=both/b/events_0 bs=4096 count=1 seek=64 conv=notrunc status=none
	reported both
	holds '.trace.problems[0] == "the trace is cut short or damaged: 262144 bytes of it could not be read (in both/b)"'
}

@test "a packet damaged in the middle costs itself, and its bytes are counted" {
	many trace 20000 1 1
	"$SHMGUARD" report --format=json trace >whole.json
	dd if=/dev/zero of=trace/events_0 bs=4096 count=1 seek=64 conv=notrunc status=none
	reported trace
	holds --slurpfile whole whole.json '.trace.events < $whole[0].trace.events and .trace.events > 5000'
	holds '.trace.problems[0] == "the trace is cut short or damaged: 262144 bytes of it could not be read"'
	holds '.trace.lost > 1000 and (.trace.complete | not)'
}

@test "a stream with a long end that is no packet, written or a hole, costs no more than that end" {
	many trace 20000 1 1
	"$SHMGUARD" report --format=json trace >whole.json
	local size
	size=$(stat -c %s trace/events_0)
	head -c 30000000 /dev/zero >>trace/events_0
	truncate -s 900G trace/events_0
	printf '\301\037\374\301' >>trace/events_0
	timeout 20 "$SHMGUARD" report --decoder=direct:2s --format=json trace >report.json
	holds --slurpfile whole whole.json '.trace.events == $whole[0].trace.events and .findings == $whole[0].findings'
	holds --argjson lost $((900 * 1024 * 1024 * 1024 + 4 - size)) \
		'.trace.problems[0] == "the trace is cut short or damaged: \($lost) bytes of it could not be read"'
	timeout 20 "$SHMGUARD" report --decoder=babeltrace2:2s --format=json trace >babeltrace2.json
	same babeltrace2.json report.json
}

@test "a trace that is still being written is read up to its last whole packet" {
	many trace 20000 1 1
	truncate -s 300000 trace/events_0
	(for _ in $(seq 50); do head -c 5000 /dev/zero && sleep 0.01; done >>trace/events_0) &
	local writer=$!
	"$SHMGUARD" report --format=json trace >report.json
	wait "$writer"
	holds '.trace.events > 1000 and (.trace.complete | not)'
	holds '.trace.problems[0] | contains("bytes of it could not be read")'
}

@test "a recording that is still being made is reported as such" {
	"$SHMGUARD" run --quiet --report=none -o live -- sleep 3 &
	local recorder=$!
	timeout 10 bash -c 'until [ -s live/recording.json ]; do sleep 0.05; done'
	run "$SHMGUARD" report live
	[[ $output == *"still being made"* ]]
	[ "$status" -eq 0 ] || [ "${#lines[@]}" -eq 1 ]
	wait "$recorder"
}

@test "a trace without a stream, and one with empty streams, have no events" {
	mkdir -p empty none
	cp "$CANNED/metadata" empty
	cp "$CANNED/metadata" none
	: >empty/events_0
	: >empty/events_1
	reported empty
	holds '.trace.events == 0 and .trace.complete'
	reported none
	holds '.trace.events == 0 and .trace.complete'
}

@test "a trace of other programs says that nothing in it is ours" {
	many trace 2000 1 1
	sed -i 's/name = "shmguard:/name = "another:/' trace/metadata
	reported trace
	holds '.trace.events == 0 and (.trace.complete | not)'
	holds '.trace.problems[0] | test("^none of the trace.s [0-9]+ events is of shmguard$")'
	holds '.trace.others'
	local line verb
	line=$(jq -r '.trace.problems[0]' report.json)
	COLUMNS=120 "$SHMGUARD" report trace >text
	[ "$(head -n 1 text)" = "shmguard: nothing found: $line" ]
	run -1 grep -E 'incomplete|Not seen|passed over' text
	for verb in log objects; do
		run -0 --separate-stderr "$SHMGUARD" $verb trace
		# shellcheck disable=SC2154 # run sets it
		[ "$stderr" = "shmguard: $line" ]
	done
	# Where a part cannot be read, that may have been ours.
	printf x >>trace/events_0
	reported trace
	holds '.trace.others == null'
	"$SHMGUARD" report trace >text
	head -n 3 text | tr -s '\n ' ' ' | grep -qF 'nothing found: no call is in it [the recording is incomplete]'
	[ "$(grep -cF "$line" text)" -eq 1 ]
	run -1 grep 'passed over' text
	for verb in log objects; do
		run -0 --separate-stderr "$SHMGUARD" $verb trace
		[[ $stderr == *"could not be read"*"shmguard: $line" ]]
	done
}

@test "an event of a later version is counted and skipped" {
	many trace 2000 1 1
	sed -i 's/name = "shmguard:munmap"/name = "shmguard:mrewrap"/' trace/metadata
	reported trace
	holds '.trace.events > 100'
	holds '.trace.problems[0] | test("^[0-9]+ events are of a kind that this version does not know$")'
}

@test "a field that has another kind is another version" {
	many trace 2000 1 1
	sed -i 's/string _exe;/integer { size = 8; align = 8; signed = 0; encoding = none; base = 10; } _exe;/' trace/metadata
	refused trace "process has another kind of 'exe'"
}

@test "a stream whose file is gone leaves the rest, and the gaps are counted" {
	many trace 20000 1 1
	mkdir -p half
	cp trace/metadata half
	tail -c +262145 trace/events_0 >half/events_0
	reported half
	holds '.trace.events > 1000 and .trace.lost > 500 and (.trace.complete | not)'
}

@test "a recording whose streams were deleted says how many bytes are gone" {
	record recording "$PROGRAMS/leaky" 20 /deleted. >out
	rm -f /dev/shm/deleted.*
	"$SHMGUARD" report --format=json recording >report.json
	holds '.trace.complete'
	cp -r recording uncalled
	find uncalled/trace -name 'calls_[0-9]*' -type f -size +0 -delete
	refused uncalled "cannot be read, and there is no call in what is left" --format=junit
	run -3 "$SHMGUARD" diff recording uncalled
	find recording/trace -name 'state_[0-9]*' -type f -size +0 -delete
	reported recording
	holds '.trace.events > 0 and (.trace.complete | not)'
	holds '.trace.problems[0] | test("^[1-9][0-9]* of the [0-9]+ bytes that were recorded are gone")'
	find recording/trace -name '*_[0-9]*' -type f -size +0 -delete
	refused recording "bytes that were recorded none can be read"
}

@test "a recording that its reader may not read is not said to be gone" {
	local user=() verb
	if [ "$(id -u)" -eq 0 ]; then
		user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	fi
	make_nobody_build
	cd "$NOBODY_HOME"
	"$SHMGUARD" run --quiet --report=none -o closed -- "$PROGRAMS/leaky" 20 /closed. >out
	rm -f /dev/shm/closed.*
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 .
	chmod -R u=rwX,go= closed
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json closed >whole.json
	chmod 0 closed/trace/ust
	for verb in report log objects "diff closed"; do
		# shellcheck disable=SC2086
		run -3 "${user[@]}" "$NOBODY_BUILD/shmguard" $verb closed
		[ "$output" == "shmguard: closed/trace/ust: Permission denied" ] || [ "$verb" == "diff closed" ]
		[[ ${lines[0]} == *"closed/trace/ust: Permission denied" ]]
		[ "${#lines[@]}" -eq 1 ]
	done
	# All of its streams, some of them, and what lies beside them and is none of its own.
	chmod 700 closed/trace/ust
	find closed/trace -name '*_[0-9]*' -type f -exec chmod 0 {} +
	run -3 "${user[@]}" "$NOBODY_BUILD/shmguard" report closed
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "shmguard: closed/trace/ust/"*_[0-9]*": Permission denied" ]]
	find closed/trace -name 'calls_[0-9]*' -type f -exec chmod 600 {} +
	"${user[@]}" "$NOBODY_BUILD/shmguard" report --format=json closed >report.json
	holds '.trace.events > 0 and (.trace.problems | map(select(test(": Permission denied$"))) | length > 0)'
	holds '.trace.problems | map(select(test("^[1-9][0-9]* of the [0-9]+ bytes that were recorded cannot be read$"))) | length == 1'
	find closed/trace -type f -exec chmod 600 {} +
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json closed >report.json
	same whole.json report.json
	mkdir -m 0 closed/trace/lost+found
	"${user[@]}" "$NOBODY_BUILD/shmguard" report --format=json closed >report.json
	chmod 700 closed/trace/lost+found
	holds --slurpfile whole whole.json '.trace.problems == ["closed/trace/lost+found: Permission denied"] and
		.trace.events == $whole[0].trace.events'
	find closed/trace -name '*_[0-9]*' -type f -size +0 -delete
	refused closed "bytes that were recorded none can be read"
	cd "$BATS_TEST_TMPDIR"
	remove_nobody_build
}

@test "of an object whose definition is gone device, inode, mode and owner are not known, nor is its kind by open alone" {
	cat >kinds.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			int shm = shm_open("/kinds.shm", O_CREAT | O_EXCL | O_RDWR, 0640);
			int file = open("/dev/shm/kinds.file", O_CREAT | O_EXCL | O_RDWR, 0640);
			int memfd = memfd_create("kinds", MFD_CLOEXEC);
			return ftruncate(shm, 8192) || ftruncate(file, 4096) || ftruncate(memfd, 12288) || memfd_create("empty", 0) < 0;
		}
	END
	cc -o kinds kinds.c
	record recording ./kinds
	rm -f /dev/shm/kinds.*
	"$SHMGUARD" objects --all recording >whole
	[ "$(grep -cE '^  (shm|file|memfd), .*, mode 0[67][47][07], uid [0-9]+, device 0:[1-9][0-9]* inode [1-9][0-9]*$' whole)" -eq 4 ]
	run -1 grep 'not known' whole
	"$SHMGUARD" report --format=json recording >report.json
	holds 'all(.objects[]; (.kind and .dev and .ino and .mode and (.uid | type) == "number") and (has("size_known") | not))'
	find recording/trace -name 'state_[0-9]*' -type f -size +0 -delete
	"$SHMGUARD" objects --all recording >part
	same <(grep '^  ' part | sort) <(printf '  %s, mode, owner, device and inode not known\n' 'kind not known, 4 KiB (4096 bytes)' \
		'memfd, 0 B (0 bytes)' 'memfd, 12 KiB (12288 bytes)' 'shm, 8 KiB (8192 bytes)')
	reported recording
	holds '[.objects[] | select(.names == ["/kinds.file"]) | .kind] == [null]'
	holds 'all(.objects[]; .dev == null and .ino == null and .mode == null and .uid == null and .gid == null)'
	"$PYTHON" -c 'import json, sys, jsonschema; jsonschema.validate(*[json.load(open(p)) for p in sys.argv[1:]])' \
		report.json "$ROOT/tests/report.schema.json"
	COLUMNS=120 "$SHMGUARD" report recording >text
	grep -qE '^  /kinds.file +- +4 KiB ' text
	"$SHMGUARD" report --format=timeline recording >timeline.json
	jq -e '.traceEvents | map(select(.cat == "object" and .ph == "b") | .args.inode) | unique == [null]' timeline.json
}

@test "a million events cost less than 100 MB, and without a terminal nothing but the report is written" {
	many trace 1000000 4 1
	"$PYTHON" "$ROOT/tests/reading.py" memory "$SHMGUARD" trace >out 2>errors
	read -r status memory _ <out
	[ "$status" -eq 0 ]
	[ "$memory" -lt 102400 ]
	[ ! -s errors ]
}
