#!/usr/bin/env bats
# The files of a canned trace, its metadata and its streams, cut short, damaged, gone, or beside what is none of them.

bats_require_minimum_version 1.5.0

load helpers
load traces.bash

STREAM=ust/uid/65534/64-bit/events_

# The stream that holds the events: those of the other processor are empty.
full_stream()
{
	find "$1" -name 'events_*' -size +0 -exec sh -c 'strings -n 4 "$1" | grep -q server && echo "$1"' - {} \; | head -n 1
}

@test "of a stream that is cut short the whole packets are read, and the report is incomplete" {
	stream=$(full_stream leaks)
	cat "$stream" "$stream" | head -c 6000 >cut.stream
	mv cut.stream "$stream"
	"$SHMGUARD" report --format=json leaks >got.json
	[ "$(jq .trace.events got.json)" -eq 37 ]
	[ "$(jq .trace.complete got.json)" = false ]
	jq -e '.trace.problems[0] | contains("1904 bytes of it could not be read")' got.json
	"$SHMGUARD" report --decoder=babeltrace2 --format=json leaks >other.json
	same got.json other.json
	run find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'shmguard.??????' -newer select.jq
	[ -z "$output" ]
}

@test "a stream without one whole packet leaves the rest readable" {
	for stream in leaks/trace/"$STREAM"*; do truncate -s 1000 "$stream"; done
	"$SHMGUARD" report --format=json leaks >got.json
	[ "$(jq .trace.events got.json)" -eq 0 ]
	[ "$(jq .trace.complete got.json)" = false ]
}

@test "metadata that is cut short is refused and does not hang" {
	truncate -s 9000 leaks/trace/ust/uid/65534/64-bit/metadata
	refuses leaks "metadata is cut short"
	# Between two packets, too, of which the first ends within a declaration.
	truncate -s 4096 leaks/trace/ust/uid/65534/64-bit/metadata
	refuses leaks "metadata is cut short"
}

@test "a beginning of metadata without a byte of a stream hides nothing else of the recording" {
	local length
	for length in 0 4096 9000; do
		rm -rf begun
		cp -r leaks begun
		find begun -name 'events_*' -exec truncate -s 0 {} +
		truncate -s "$length" begun/trace/ust/uid/65534/64-bit/metadata
		jq '.stream_bytes = 0' leaks/recording.json >begun/recording.json
		printf '%s\n' '{"type": "unseen", "time": 1, "pid": 7, "exe": "/late", "reason": "it was late"}' >>begun/processes.jsonl
		"$SHMGUARD" report --format=json begun >report.json
		holds '.trace.events == 0 and (.trace.complete | not) and .unseen[0].exe == "/late"'
		holds '[.trace.problems[] | select(test("cannot be read: its metadata is (cut short|empty)"))] | length == 1'
		run -0 --separate-stderr "$SHMGUARD" log begun
		[ -z "$output" ]
		# shellcheck disable=SC2154
		[[ $stderr == *"its metadata is "* ]]
		rm begun/recording.json
		refuses begun "metadata is "
	done
	rm begun/trace/ust/uid/65534/64-bit/metadata
	cp leaks/trace/ust/uid/65534/64-bit/events_* begun/trace/ust/uid/65534/64-bit
	cp leaks/recording.json begun
	refuses begun "metadata is gone"
}

@test "metadata that has something behind its last whole packet, or less of its padding, is read" {
	local metadata=leaks/trace/ust/uid/65534/64-bit/metadata tail decoder
	cp "$metadata" whole
	truncate -s -1 "$metadata"
	for decoder in direct babeltrace2; do
		timeout 20 "$SHMGUARD" report --decoder=$decoder --format=json leaks >full.json
		jq -f select.jq full.json >got.json
		same leaks/expected.json got.json
		[ "$(jq .trace.complete full.json)" = true ]
	done
	# shellcheck disable=SC1003,SC2059 # octal escapes, for printf
	for tail in '\0\0\0' 'hi\n.' "$(head -c 100 whole | od -An -v -to1 | tr -d '\n' | tr ' ' '\\')"; do
		cp whole "$metadata"
		printf "$tail" >>"$metadata"
		for decoder in direct babeltrace2; do
			timeout 20 "$SHMGUARD" report --decoder=$decoder --format=json leaks >report.json
			holds '.trace.events == 37 and (.trace.complete | not) and (.trace.problems | length) == 1'
			holds --arg lost "metadata is cut short or damaged: $(($(stat -c %s "$metadata") - $(stat -c %s whole))) bytes" \
				'.trace.problems[0] | contains($lost) and endswith("of it could not be read")'
		done
	done
}

@test "empty metadata is refused" {
	: >leaks/trace/ust/uid/65534/64-bit/metadata
	refuses leaks "metadata is empty"
}

@test "streams whose metadata is gone are not called gone themselves" {
	jq '.stream_bytes = 16384' leaks/recording.json >new && mv new leaks/recording.json
	mkdir both
	cp -r leaks/trace both/gone
	cp -r lost/trace both/whole
	find leaks both/gone -name metadata -delete
	refuses leaks "64-bit cannot be read: its metadata is gone"
	"$SHMGUARD" report --format=json both >report.json
	holds '.trace.events > 0 and (.trace.complete | not)'
	holds '.trace.problems | length == 1 and (.[0] | contains("both/gone/ust/uid/65534/64-bit cannot be read: its metadata is gone"))'
}

# reads_by_both CASE: as expected, whoever decodes it.
reads_by_both()
{
	local decoder
	for decoder in direct babeltrace2; do
		timeout 20 "$SHMGUARD" report --decoder=$decoder --format=json "$1" >full.json
		jq -f select.jq full.json >got.json
		same "$1/expected.json" got.json
	done
}

@test "a stray file beside the streams is left alone by either decoder" {
	local dir=leaks/trace/ust/uid/65534/64-bit
	echo hello >"$dir/notes.txt"
	mkdir "$dir/old"
	reads_by_both leaks
}

@test "a file that is called as the directory of indexes is left out, or is a stream, for either decoder" {
	local dir=leaks/trace/ust/uid/65534/64-bit content stream
	stream=$(full_stream leaks)
	for content in 'hello\n' x ''; do
		# shellcheck disable=SC2059 # escapes, for printf
		printf "$content" >"$dir/index"
		reads_by_both leaks
	done
	mv "$stream" "$dir/index"
	reads_by_both leaks
	mv "$dir/index" "$stream"
	mkdir "$dir/index"
	reads_by_both leaks
}

@test "a file that is called like a stream and is none is named, and the rest is read" {
	echo hello >leaks/trace/ust/uid/65534/64-bit/events_7
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.events == 37 and (.trace.complete | not)'
	holds '.trace.problems[0] | contains("events_7 is not a CTF stream, and was left out")'
}

@test "a stray file takes nothing from a recording whose streams are all there" {
	local size
	size=$(find leaks/trace -name 'events_*' -printf '%s\n' | paste -sd + | bc)
	jq --argjson size "$size" '.stream_bytes = $size' leaks/recording.json >r && mv r leaks/recording.json
	head -c 5000 /dev/zero | tr '\0' x >leaks/trace/ust/uid/65534/64-bit/junk_0
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.events == 37 and .trace.complete and (.trace.problems | length) == 1'
	holds '.trace.problems[0] | contains("junk_0 is not a CTF stream, and was left out")'
	truncate -s 4096 leaks/trace/ust/uid/65534/64-bit/junk_0
	truncate -s 0 "$(full_stream leaks)"
	run -3 "$SHMGUARD" report leaks
}

@test "a symlink that leads to no stream takes nothing from a recording either, whatever it is called" {
	local size to decoder
	size=$(find leaks/trace -name 'events_*' -printf '%s\n' | paste -sd + | bc)
	jq --argjson size "$size" '.stream_bytes = $size' leaks/recording.json >r && mv r leaks/recording.json
	for to in /etc/passwd /nowhere /etc /dev/null; do
		ln -sfn $to leaks/trace/ust/uid/65534/64-bit/events_99
		for decoder in direct babeltrace2; do
			"$SHMGUARD" report --decoder=$decoder --format=json leaks >report.json
			holds '.trace.events == 37 and .trace.complete and (.trace.problems | length) == 1'
			holds '.trace.problems[0] | contains("events_99 is not a CTF stream, and was left out")'
			holds 'all(.findings[]; .uncertain | not)'
		done
	done
	# One that leads to a stream is read.
	mv "$(full_stream leaks)" moved
	ln -sfn "$PWD/moved" leaks/trace/ust/uid/65534/64-bit/events_99
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.events == 37 and .trace.complete and .trace.problems == []'
}

@test "a stream with a wrong magic number is named, and the rest is read" {
	printf 'XXXX' | dd of="$(full_stream leaks)" bs=1 conv=notrunc status=none
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.events == 0 and (.trace.complete | not)'
	holds '.trace.problems | map(select(contains("is not a CTF stream"))) | length == 1'
	holds '.trace.problems | map(select(contains("4096 bytes of it could not be read"))) | length == 1'
}

@test "a packet whose sizes cannot be is lost, and its bytes are counted" {
	stream=$(full_stream leaks)
	printf '\0\0\0\0\0\0\0\0' | dd of="$stream" bs=1 seek=56 conv=notrunc status=none
	"$SHMGUARD" report --format=json leaks >report.json
	holds '.trace.events == 0 and (.trace.complete | not)'
	holds '.trace.problems | map(select(contains("4096 bytes of it could not be read"))) | length == 1'
}
