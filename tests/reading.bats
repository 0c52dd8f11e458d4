#!/usr/bin/env bats
# A trace as it comes: damaged, cut, still being written. It gives the right report or one clear sentence, whichever decoder
# reads it.

bats_require_minimum_version 1.5.0

load helpers.bash
load reading.bash

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
	record recording "$PROGRAMS/leaky" 20 "/reading-$$." >out
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

@test "what a process holds that lives is told as of the end of the recording, and of what is there while it is made" {
	cat >piles.py <<-'END'
		import mmap, os, time
		if os.fork() == 0:
		    fd, kept = os.memfd_create("piled"), []
		    os.ftruncate(fd, 4096)
		    for _ in range(40):
		        kept.append(mmap.mmap(fd, 4096))
		        time.sleep(0.005)
		    open("piled", "w").write(str(os.getpid()))
		    while os.path.exists("piled"):
		        time.sleep(0.02)
		    os._exit(0)
		while not os.path.exists("enough"):
		    time.sleep(0.02)
	END
	# piled WORDS: the report has a leak that ends so.
	piled()
	{
		"$SHMGUARD" report --format=json live >report.json
		jq -e --arg words ", 40 $1 (160 KiB; the latest of memfd:piled)" \
			'any(.findings[]; .rule == "mapping-leak" and .severity == "error" and (.message | endswith($words)))' report.json >/dev/null
	}
	"$SHMGUARD" run --quiet --report=none --until=command -o live -- "$PYTHON" piles.py 3>&- &
	local recorder=$! tries
	for ((tries = 0; tries < 100; tries++)); do
		[ ! -e piled ] || ! piled 'when last heard of' || break
		sleep 0.1
	done
	touch enough
	wait "$recorder"
	rm piled
	[ "$tries" -lt 100 ]
	piled 'when the recording ended' || { jq .findings report.json; false; }
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
	# No option left that out.
	run -0 --separate-stderr "$SHMGUARD" report --format=json empty
	# shellcheck disable=SC2154 # run sets it
	[ -z "$stderr" ]
}

# errs DIR: for who shows tests' results one case is an error, and says what $line has; none has passed.
errs()
{
	"$SHMGUARD" report --format=junit "$1" >got.xml
	"$PYTHON" - "$line" <<-'END'
		import sys, xml.etree.ElementTree as tree
		suites = tree.parse("got.xml").getroot()
		cases = suites.findall("testsuite/testcase")
		errors = [case for case in cases if case.find("error") is not None]
		assert [case.find("error").get("message") for case in errors] == [sys.argv[1]]
		assert all(case.find("skipped").get("message") == sys.argv[1] for case in cases if case not in errors)
		for node in [suites, suites.find("testsuite")]:
		    assert (int(node.get("tests")), node.get("errors"), node.get("failures")) == (len(cases), "1", "0"), node.attrib
		assert int(suites.find("testsuite").get("skipped")) == len(cases) - 1 > 10
	END
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
		[ "$stderr" = "shmguard: $line" ]
	done
	# Every form says that, once, and nothing of options: none was given, or it is not they that left nothing.
	local form option
	for form in json junit csv sarif html folded folded-count speedscope timeline suppressions; do
		for option in --verbose --exe=nope --object=/nope; do
			run -0 --separate-stderr "$SHMGUARD" report --format=$form $option trace
			[ "$stderr" = "shmguard: $line" ]
		done
	done
	run -0 --separate-stderr "$SHMGUARD" report --format=csv:1 --format=timeline:2 --format=text trace
	[ "$stderr" = "shmguard: $line" ]
	# Who compares with it, or shows tests' results, sees it.
	run -0 --separate-stderr "$SHMGUARD" diff "$ROOT/tests/traces/leaks" trace
	grep -qxF "shmguard: trace: $line: what is fixed may only be missing" <<<"$stderr"
	[ "$(grep -cF "$line" <<<"$stderr")" -eq 1 ]
	run -0 --separate-stderr "$SHMGUARD" diff trace trace
	[ "$stderr" = "$(printf "shmguard: trace: $line: %s\n" 'what is new may have been there' \
		'what is fixed may only be missing')" ]
	run -0 --separate-stderr "$SHMGUARD" diff report.json trace
	grep -qxF "shmguard: report.json: $line: what is new may have been there" <<<"$stderr"
	errs trace
	# Where a part cannot be read, that may have been ours.
	printf x >>trace/events_0
	reported trace
	holds '.trace.others == null'
	"$SHMGUARD" report trace >text
	head -n 3 text | tr -s '\n ' ' ' | grep -qF 'nothing found: no call is in it [the recording is incomplete]'
	[ "$(grep -cF "$line" text)" -eq 1 ]
	run -1 grep 'passed over' text
	errs trace
	for verb in log objects; do
		run -0 --separate-stderr "$SHMGUARD" $verb trace
		[[ $stderr == *"could not be read"*"shmguard: $line" ]]
	done
}

@test "a recording in which another's trace lies says in every form that nothing in it is its own" {
	local form line="none of the trace's 37 events is of this recording"
	cp -r "$ROOT/tests/traces/leaks" whole
	cp -r whole mixed
	rm mixed/expected*
	sed -i '/"unseen"/d' mixed/processes.jsonl
	sed -i 's/1a2b3c4d/1a2b3c4e/' mixed/recording.json
	reported mixed
	holds --arg line "$line" '.trace | .events == 0 and .foreign == 37 and (.complete | not) and .others and .problems == [$line]'
	COLUMNS=120 "$SHMGUARD" report mixed >text
	[ "$(head -n 1 text)" = "shmguard: nothing found: $line" ]
	run -1 grep 'passed over' text
	errs mixed
	"$SHMGUARD" report --format=sarif mixed | jq -e --arg line "$line" \
		'.runs[0].invocations[0].toolExecutionNotifications | map(.message.text) == [$line]'
	for form in csv folded json timeline; do
		run -0 --separate-stderr "$SHMGUARD" report --format=$form mixed
		[ "$stderr" = "shmguard: $line" ]
	done
	"$SHMGUARD" report --format=html mixed | grep -qF "$line"
	run -0 --separate-stderr "$SHMGUARD" diff whole mixed
	grep -qxF "shmguard: mixed: $line: what is fixed may only be missing" <<<"$stderr"
	for form in log objects; do
		run -0 --separate-stderr "$SHMGUARD" $form mixed
		[ "$stderr" = "shmguard: $line" ]
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

# state_bytes DIR: of its streams that are not of calls.
state_bytes()
{
	find "$1/trace" -name 'state_[0-9]*' ! -name '*.idx' -type f -printf '%s\n' | paste -sd + | bc
}

@test "a recording whose streams were deleted says how many bytes are gone" {
	local all
	record recording "$PROGRAMS/leaky" 20 "/deleted-$$." >out
	rm -f "/dev/shm/deleted-$$."*
	"$SHMGUARD" report --format=json recording >report.json
	holds '.trace.complete'
	cp -r recording uncalled
	find uncalled/trace -name 'calls_[0-9]*' -type f -size +0 -delete
	refused uncalled "cannot be read, and there is no call in what is left" --format=junit
	run -3 "$SHMGUARD" diff recording uncalled
	# What is left of a stream that cannot be read is among it.
	cp -r recording cut
	find cut/trace -name 'calls_[0-9]*' ! -name '*.idx' -type f -size +0 -exec truncate -s 3996 {} +
	all=$(jq .stream_bytes cut/recording.json)
	refused cut "of the $all bytes that were recorded $((all - $(state_bytes cut))) cannot be read"
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
	"$SHMGUARD" run --quiet --report=none -o closed -- "$PROGRAMS/leaky" 20 "/closed-$$." >out
	rm -f "/dev/shm/closed-$$."*
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

# index OFFSET BYTES: that is put into the indexes of a copy of ./recording, and the report by babeltrace2 is that of the whole.
index()
{
	local file
	rm -rf damaged
	cp -r recording damaged
	for file in damaged/trace/ust/uid/*/64-bit/index/*.idx; do
		printf '%b' "$2" | dd of="$file" bs=1 seek="$1" conv=notrunc status=none
	done
	as_whole
}

as_whole()
{
	timeout 20 "$SHMGUARD" report --format=json --decoder=babeltrace2 damaged >damaged.json 2>errors
	same recording.json damaged.json
	timeout 20 "$SHMGUARD" log --decoder=babeltrace2 damaged >damaged.log
	same recording.log damaged.log
}

@test "an index that does not tell of its stream is set aside, and babeltrace2 reads the trace without it" {
	local at file
	record recording "$PROGRAMS/leaky" 20 "/index-$$." >out
	"$SHMGUARD" report --format=json --decoder=direct recording >recording.json
	"$SHMGUARD" log --decoder=direct recording >recording.log
	# A sound one is read where it lies.
	TMPDIR=/nonexistent "$SHMGUARD" report --format=json --decoder=babeltrace2 recording | cmp - recording.json
	index 17 '\x40'
	# Magic, version, length of an entry, and each of the first entry's values.
	for at in 0 7 15 23 24 31 32 39 40 47 48 55 64 71; do
		index $at '\x7f'
	done
	for file in empty cut longer pipe directory; do
		rm -rf damaged
		cp -r recording damaged
		for at in damaged/trace/ust/uid/*/64-bit/index/*.idx; do
			case $file in
			empty) : >"$at" ;;
			cut) truncate -s -1 "$at" ;;
			longer) cat "$at" >>"$at.new" && tail -c 72 "$at" >>"$at.new" && mv "$at.new" "$at" ;;
			pipe) rm "$at" && mkfifo "$at" ;;
			directory) rm "$at" && mkdir "$at" ;;
			esac
		done
		as_whole
	done
	rm -rf damaged/trace/ust/uid/*/64-bit/index
	as_whole
}
