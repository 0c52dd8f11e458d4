#!/usr/bin/env bats
# As reading.bats, of several traces at once: of many processes, machines, chunks and copies.

bats_require_minimum_version 1.5.0

load helpers.bash
load reading.bash

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

@test "metadata that only a parser finds damaged, and another's trace that has no clock, take no other with them" {
	local decoder at
	mkdir -p broken other
	cp -r "$CANNED" broken/whole
	cp -r "$CANNED" broken/bent
	at=$(grep -abo 'integer {' broken/bent/metadata | sed -n 20p | cut -d : -f 1)
	printf X | dd of=broken/bent/metadata bs=1 seek="$at" conv=notrunc status=none
	cp -r "$CANNED" other/whole
	mkdir other/theirs
	cat >other/theirs/metadata <<-'END'
		/* CTF 1.8 */
		typealias integer { size = 32; align = 8; signed = false; } := uint32_t;
		trace { major = 1; minor = 8; byte_order = le; packet.header := struct { uint32_t magic; uint32_t stream_id; }; };
		stream { id = 0; packet.context := struct { uint32_t content_size; uint32_t packet_size; };
			event.header := struct { uint32_t id; }; };
		event { name = "foo:bar"; id = 0; stream_id = 0; fields := struct { uint32_t x; }; };
	END
	"$PYTHON" -c 'import struct; open("other/theirs/stream", "wb").write(struct.pack("<6I", 0xc1fc1fc1, 0, 192, 192, 0, 7))'
	for decoder in babeltrace2 auto; do
		"$SHMGUARD" report "--decoder=$decoder" --format=json broken >report.json
		holds '.trace.events == 37 and (.trace.complete | not)'
		holds '.trace.problems | length == 1 and (.[0] | startswith("broken/bent: the trace cannot be read: "))'
		"$SHMGUARD" report "--decoder=$decoder" --format=json other >report.json
		holds '.trace.events == 37 and .trace.foreign == 1'
	done
	"$PYTHON" -c 'import struct; open("other/theirs/stream", "wb").write(struct.pack("<6I", 0xc1fc1fc1, 0, 192, 192, 9, 7))'
	report other >report.json
	holds '.trace.events == 37 and (.trace.problems | length == 1 and (.[0] | test("theirs: .*event-class-id=9$") and
		(contains("addr=") | not)))'
}

@test "of several traces some have what stands in for them, and a layout of their own" {
	local one
	for one in f/a f/b d/aa d/ab d/b; do
		mkdir -p "$one"
		cp -r "$CANNED/." "$one"
		[[ $one == */b ]] && continue
		# Not LTTng's by its own words, and not to be given as it is.
		sed -i 's/tracer_name = "lttng-ust"/tracer_name = "lttng-abc"/' "$one/metadata"
		mkdir "$one/empty"
	done
	rm f/b/events_*
	"$SHMGUARD" report --format=json f >report.json
	holds '.trace.events == 37 and .trace.problems == []'
	# What is no stream of LTTng's by its own words is nobody's copy.
	for one in auto babeltrace2; do
		"$SHMGUARD" report --format=json "--decoder=$one" d >report.json
		holds '.trace.events == 3 * 37 and .trace.problems == []'
	done
}
