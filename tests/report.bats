#!/usr/bin/env bats
# shmguard report: on a recording of a program that leaks, and on what is no recording at all.

bats_require_minimum_version 1.5.0

setup_file()
{
	load helpers.bash
	export NAME="/report-$$-" RECORDING=$BATS_FILE_TMPDIR/leaky
	cp "$BUILD/tests/programs/leaky" "$BATS_FILE_TMPDIR/program"
	run "$SHMGUARD" run --quiet --report=none -o "$RECORDING" -- "$BATS_FILE_TMPDIR/program" 3 "$NAME" kill
	[ "$status" -eq 137 ]
}

teardown_file()
{
	rm -f /dev/shm"$NAME"*
}

setup()
{
	load helpers.bash
}

# The last line of output is one line for people that names $1.
complains()
{
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == shmguard:* ]]
	[[ ${lines[0]} == *"$1"* ]]
}

@test "the JSON report is valid against its schema" {
	"$SHMGUARD" report --format=json "$RECORDING" >"$BATS_TEST_TMPDIR/report.json"
	"$PYTHON" - "$ROOT/tests/report.schema.json" "$BATS_TEST_TMPDIR/report.json" <<-'END'
		import json, sys, jsonschema
		schema, report = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema).validate(report)
		ids = {p["id"] for p in report["processes"]}
		objects = {o["id"] for o in report["objects"]}
		assert len(ids) == len(report["processes"]) and len(objects) == len(report["objects"])
		for o in report["objects"]:
		    assert {o["created_by"], o["unlinked_by"]} <= ids | {None}
		for f in report["findings"]:
		    assert f["process"] in ids | {None} and f["object"] in objects | {None}
		    assert {s["process"] for s in f["stacks"]} <= ids | {None}
	END
}

@test "a segment that is left is an error, with count, bytes and the line that made it" {
	run --separate-stderr "$SHMGUARD" report --format=json "$RECORDING"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -e '.findings[0] | .rule == "segment-leak" and .severity == "error" and .count == 3 and .bytes == 196608' <<<"$output"
	jq -e '[.findings[0].stacks[0].frames[] | select(.function == "leaky_make" and .line == 19)
		| .file | endswith("/leaky.c")] == [true]' <<<"$output"
	jq -e '[.objects[] | select(.leaked)] | length == 3' <<<"$output"
	jq -e '[.processes[] | select(.ended == "signal" and .signal == 9)] | length == 1' <<<"$output"
}

@test "an inlined function is a frame of its own" {
	run "$SHMGUARD" report --format=json "$RECORDING"
	jq -e '[.findings[0].stacks[0].frames[] | select(.function | IN("leaky_open", "leaky_make")) | .inlined]
		== [true, false]' <<<"$output"
}

@test "the text says verdict, cause, line and what to do on its first screen" {
	run --separate-stderr "$SHMGUARD" report "$RECORDING"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "shmguard: 1 error"* ]]
	first=$(head -n 24 <<<"$output")
	[[ $first == *"error: segment-leak (3 times, 192 KiB)"* ]]
	[[ $first == *"killed by SIGKILL"* ]]
	[[ $first == *"at leaky_open ("*"leaky.c:14)"*"by leaky_make ("*"leaky.c:19)"* ]]
	[[ $first == *"what to do: "* ]]
}

@test "a process that becomes another program is one process, with shared memory if either image used it" {
	# shellcheck disable=SC2016 # for Python
	record images "$PYTHON" -c 'import os, sys
os.close(os.open("/dev/shm" + sys.argv[2], os.O_CREAT | os.O_RDWR))
os.execv(sys.argv[1], [sys.argv[1], "1", sys.argv[2]])' "$PROGRAMS/leaky" "/report-images-$$-"
	rm -f "/dev/shm/report-images-$$-"*
	report images | jq -e '[.processes[] | select(.traced)] | length == 2'
	"$SHMGUARD" report "$BATS_TEST_TMPDIR/images" | grep -q '  1 process (1 with shared memory), 2 shared memory objects,'
}

@test "text to a file has no colour; on a terminal it has, unless NO_COLOR is set" {
	export TERM=xterm
	run -0 "$SHMGUARD" report "$RECORDING"
	[[ $output != *$'\033'* ]]
	run -0 script -qec "'$SHMGUARD' report '$RECORDING'" /dev/null
	[[ $output == *$'\033['* ]]
	export NO_COLOR=1
	run -0 script -qec "'$SHMGUARD' report '$RECORDING'" /dev/null
	[[ $output != *$'\033'* ]]
}

@test "text keeps to the width it is given" {
	COLUMNS=72 "$SHMGUARD" report "$RECORDING" >"$BATS_TEST_TMPDIR/narrow"
	run awk 'length($0) > 72' "$BATS_TEST_TMPDIR/narrow"
	[ -z "$output" ]
}

@test "the report is the same without the binaries, elsewhere" {
	"$SHMGUARD" report "$RECORDING" >"$BATS_TEST_TMPDIR/text.here"
	"$SHMGUARD" report --format=json "$RECORDING" >"$BATS_TEST_TMPDIR/json.here"
	mv "$BATS_FILE_TMPDIR/program" "$BATS_FILE_TMPDIR/program.gone"
	cp -r "$RECORDING" "$BATS_TEST_TMPDIR/elsewhere"
	cd /
	"$SHMGUARD" report "$BATS_TEST_TMPDIR/elsewhere" >"$BATS_TEST_TMPDIR/text.there"
	"$SHMGUARD" report --format=json "$BATS_TEST_TMPDIR/elsewhere" >"$BATS_TEST_TMPDIR/json.there"
	mv "$BATS_FILE_TMPDIR/program.gone" "$BATS_FILE_TMPDIR/program"
	same "$BATS_TEST_TMPDIR/text.here" "$BATS_TEST_TMPDIR/text.there"
	same "$BATS_TEST_TMPDIR/json.here" "$BATS_TEST_TMPDIR/json.there"
}

@test "the report is the same each time: of many objects at one place it tells of the first" {
	cat >"$BATS_TEST_TMPDIR/many.c" <<-'END'
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			char name[32];
			for (int i = 0; i < 40; i++) {
				snprintf(name, sizeof name, "many-%d", i);
				int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
				ftruncate(fd, 4096);
				mmap(0, 8192, PROT_READ, MAP_SHARED, fd, 0);
				close(fd);
			}
			return 0;
		}
	END
	gcc -g -D_GNU_SOURCE -DMFD_NOEXEC_SEAL=8u -w "$BATS_TEST_TMPDIR/many.c" -o "$BATS_TEST_TMPDIR/many"
	cd "$BATS_TEST_TMPDIR"
	"$SHMGUARD" run --quiet --report=none -o recording -- ./many
	for number in 1 2 3; do
		"$SHMGUARD" report --format=json recording >"$number.json"
	done
	cmp 1.json 2.json
	cmp 1.json 3.json
	jq -e '[.findings[] | select(.rule == "map-beyond-end")] | map([.count, (.message | test("memfd:many-0,"))]) == [[40, true]]' 1.json
}

@test "a name with escape sequences and bytes that are not UTF-8 stays harmless" {
	name=$(printf '/report-%s-\033]0;x\a\377' $$)
	"$SHMGUARD" run --quiet --report=none -o "$BATS_TEST_TMPDIR/hostile" -- "$BUILD/tests/programs/leaky" 1 "$name"
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report "$BATS_TEST_TMPDIR/hostile" >"$BATS_TEST_TMPDIR/text"
	run -1 grep -P '[\x00-\x08\x0b-\x1f\x7f]' "$BATS_TEST_TMPDIR/text"
	grep -F '\x1b]0;x\x07\xff0' "$BATS_TEST_TMPDIR/text"
	iconv -f UTF-8 -t UTF-8 "$BATS_TEST_TMPDIR/text" >/dev/null
	"$SHMGUARD" report --format=json "$BATS_TEST_TMPDIR/hostile" | "$PYTHON" -c 'import json, sys; json.load(sys.stdin)'
}

@test "--fail-on tells by the exit status" {
	run "$SHMGUARD" report --fail-on=error "$RECORDING"
	[ "$status" -eq 1 ]
	run "$SHMGUARD" report --format=json --fail-on=note "$RECORDING"
	[ "$status" -eq 1 ]
	"$SHMGUARD" run --quiet --report=none -o "$BATS_TEST_TMPDIR/clean" -- "$BUILD/tests/programs/leaky" 0 /unused
	run "$SHMGUARD" report --fail-on=note "$BATS_TEST_TMPDIR/clean"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "shmguard: nothing found"* ]]
}

@test "wrong usage is exit status 2 and a hint" {
	run --separate-stderr "$SHMGUARD" report
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	run --separate-stderr "$SHMGUARD" report a b
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	run --separate-stderr "$SHMGUARD" report --format=nonsense "$RECORDING"
	[ "$status" -eq 2 ]
	[[ $stderr == *"text json"* ]]
	run --separate-stderr "$SHMGUARD" report --fail-on=nonsense "$RECORDING"
	[ "$status" -eq 2 ]
	[[ $stderr == *"error, warning or note"* ]]
	run --separate-stderr "$SHMGUARD" report --nonsense "$RECORDING"
	[ "$status" -eq 2 ]
	[[ $stderr == *"--help"* ]]
	run --separate-stderr "$SHMGUARD" nonsense
	[ "$status" -eq 2 ] && [[ $stderr == *"--help"* ]]
}

@test "help goes to stdout, fits a screen, and is no error" {
	run --separate-stderr "$SHMGUARD" --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -lt 24 ]
	run --separate-stderr "$SHMGUARD" report --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -lt 24 ]
	run --separate-stderr "$SHMGUARD" --version
	[ "$status" -eq 0 ] && [[ $output == "shmguard "[0-9]* ]]
}

@test "a directory that is not there is one message and exit status 3" {
	run "$SHMGUARD" report "$BATS_TEST_TMPDIR/nowhere"
	[ "$status" -eq 3 ]
	complains nowhere
}

@test "an empty directory is one message and exit status 3" {
	mkdir "$BATS_TEST_TMPDIR/empty"
	run "$SHMGUARD" report "$BATS_TEST_TMPDIR/empty"
	[ "$status" -eq 3 ]
	complains empty
}

@test "a directory of other things is one message and exit status 3" {
	run timeout 20 "$SHMGUARD" report "$ROOT/analyzer"
	[ "$status" -eq 3 ]
	complains analyzer
}

@test "a file in the place of a directory is one message and exit status 3" {
	run "$SHMGUARD" report "$ROOT/Makefile"
	[ "$status" -eq 3 ]
	complains Makefile
}

@test "a recording that may not be read is one message and exit status 3" {
	needs_root "to become another user"
	export NOBODY_HOME=/nonexistent
	mkdir -m 0700 "$BATS_TEST_TMPDIR/closed"
	cp -r "$RECORDING" "$BATS_TEST_TMPDIR/closed/recording"
	cp "$SHMGUARD" "$BATS_TEST_TMPDIR/shmguard"
	chmod 0755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	run as_nobody "$BATS_TEST_TMPDIR/shmguard" report "$BATS_TEST_TMPDIR/closed/recording"
	[ "$status" -eq 3 ]
	complains "Permission denied"
}

@test "a stripped program gives module and offset, and the report says why" {
	strip -o "$BATS_TEST_TMPDIR/bare" "$BUILD/tests/programs/leaky"
	"$SHMGUARD" run --quiet --report=none -o "$BATS_TEST_TMPDIR/stripped" -- "$BATS_TEST_TMPDIR/bare" 1 "$NAME-bare"
	rm -f "/dev/shm$NAME-bare0"
	run -0 "$SHMGUARD" report "$BATS_TEST_TMPDIR/stripped"
	[[ $output == *"at bare+0x"* ]]
	[[ $output == *"function names of bare: stripped"* ]]
	run -0 "$SHMGUARD" report --format=json "$BATS_TEST_TMPDIR/stripped"
	jq -e '.findings[0].stacks[0].frames[0] | .function == null and (.module | endswith("/bare"))
		and (.build_id | length == 40) and .offset > 0 and (.unresolved | startswith("stripped"))' <<<"$output"
}

@test "a report that cannot be written is one message and exit status 3" {
	run bash -c "'$SHMGUARD' report '$RECORDING' 2>&1 >/dev/full"
	[ "$status" -eq 3 ]
	complains "No space left on device"
	run bash -c "'$SHMGUARD' report --format=json '$RECORDING' 2>&1 >/dev/full"
	[ "$status" -eq 3 ]
	complains "No space left on device"
	run bash -c "'$SHMGUARD' report '$RECORDING' 2>&1 >&-"
	[ "$status" -eq 3 ]
}

@test "a reader that goes away ends every subcommand without a word, by SIGPIPE; files are written all the same" {
	cd "$BATS_TEST_TMPDIR"
	"$PYTHON" - "$SHMGUARD" "$RECORDING" <<-'END'
		import os, subprocess, sys
		shmguard, recording = sys.argv[1:]
		of_recordings = ["report", "report --format=text --format=json:after.json", "report --gen-suppressions", "log --stacks",
		                 "objects --all", "profile --apparmor", "policy learn", "diff " + recording]
		others = ["--help", "--version", "run --help", "report --show-suppressions", "rules --json", "explain segment-leak",
		          "explain EACCES", "policy show safe", "status 1", "ls --json", "top --once", "clean --show-keep"]
		for line in [line + " " + recording for line in of_recordings] + others:
		    unread, out = os.pipe()
		    os.close(unread)
		    ended = subprocess.run([shmguard] + line.split(), stdout=out, stderr=subprocess.PIPE)
		    os.close(out)
		    assert (ended.returncode, ended.stderr) == (-13, b""), (line, ended)
	END
	jq -e '.findings | length > 0' after.json
}

@test "who blocks SIGPIPE, or is the first process of a container, whom it does not end, says no more of such a reader" {
	cd "$BATS_TEST_TMPDIR"
	"$PYTHON" - "$SHMGUARD" "$RECORDING" <<-'END'
		import os, signal, subprocess, sys
		shmguard, recording = sys.argv[1:]
		def ended(out, *before):
		    return subprocess.run([*before, shmguard, "log", recording], stdout=out, stderr=subprocess.PIPE,
		                          preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE}))
		first = ["unshare", "--user", "--pid", "--fork"]
		ways = [([], -13)] + [(first, 128 + 13)] * (subprocess.run(first + ["true"], stderr=subprocess.DEVNULL).returncode == 0)
		for before, status in ways:
		    unread, out = os.pipe()
		    os.close(unread)
		    end = ended(out, *before)
		    os.close(out)
		    assert (end.returncode, end.stderr) == (status, b""), (before, end)
		    with open("/dev/full", "w") as full:
		        end = ended(full, *before)
		    assert (end.returncode, end.stderr) == (3, b"shmguard: the output could not be written: No space left on device\n"), end
	END
}

@test "a filter that is given twice is a mistake, and a report into - goes to standard output" {
	cd "$BATS_TEST_TMPDIR"
	local filter verb
	for filter in --pid=1 --exe=x --object=/x --rule=fd-leak --severity=note --since=1 --until=2; do
		for verb in report log; do
			run -2 "$SHMGUARD" $verb $filter $filter "$RECORDING"
			[[ ${lines[0]} == "shmguard: ${filter%=*} can be given once" ]]
		done
	done
	run -2 "$SHMGUARD" objects --object=/x --object=/y "$RECORDING"
	"$SHMGUARD" report --format=json:- --format=csv:leaky.csv "$RECORDING" | jq -e .findings >/dev/null
	[[ -s leaky.csv && ! -e - ]]
	run -2 "$SHMGUARD" report --format=json --format=csv:- "$RECORDING"
}

@test "a stack of more frames than are recorded is nowhere taken for a whole one" {
	cd "$BATS_TEST_TMPDIR" || return 1
	"$SHMGUARD" run --quiet --report=none -o deep -- "$PROGRAMS/deep" 100 "/report-deep-$$"
	rm "/dev/shm/report-deep-$$"
	"$SHMGUARD" run --quiet --report=none -o flat -- "$PROGRAMS/deep" 20 "/report-deep-$$"
	rm "/dev/shm/report-deep-$$"
	"$SHMGUARD" report --format=text:deep.txt --format=json:deep.json --format=folded:deep.folded \
		--format=speedscope:deep.scope --format=html:deep.html --format=sarif:deep.sarif --format=junit:deep.xml deep
	"$SHMGUARD" report --verbose deep >deep.all
	"$SHMGUARD" log --stacks deep >deep.log
	jq -e '[.findings[].stacks[] | select(.frames | length > 0) | .cut] | length > 0 and all' deep.json
	grep -E '^    \.\.\. [0-9]+ more frames, and those further out, which are not recorded$' deep.txt
	grep -x '    \.\.\. those further out, which are not recorded' deep.all
	grep -x '    > \.\.\. those further out, which are not recorded' deep.log
	grep -E '^deep;\[cut\];descend;' deep.folded
	jq -e '.shared.frames | any(.name == "[cut]")' deep.scope
	grep -F '"frames":["deep","[cut]","descend"' deep.html
	grep -x '  \.\.\. those further out, which are not recorded' deep.xml
	jq -e '[.. | .threadFlows? // empty | .[].message.text | test(", without those further out")] | length > 0 and all' deep.sarif
	"$SHMGUARD" report --format=text:flat.txt --format=json:flat.json --format=folded:flat.folded --format=sarif:flat.sarif \
		--format=junit:flat.xml flat
	jq -e '[.findings[].stacks[] | has("cut")] | any | not' flat.json
	run -1 grep -E 'not recorded|\[cut\]' flat.txt flat.folded flat.sarif flat.xml
}

@test "text: of many objects those come first that the gravest findings tell of" {
	cd "$BATS_TEST_TMPDIR"
	cat >many.py <<-'END'
		import mmap, os
		def made(name, size):
		    fd = os.open("/dev/shm/" + name, os.O_RDWR | os.O_CREAT, 0o600)
		    os.ftruncate(fd, size)
		    return fd
		fd = made("small", 8192)
		for i in range(20):
		    other = made(f"large-{i}", 1 << 20)
		    os.close(other)
		    os.unlink(f"/dev/shm/large-{i}")
		kept = mmap.mmap(fd, 8192)
		if os.fork() == 0:
		    os.ftruncate(fd, 4096)
		    os._exit(0)
		os.wait()
		os.unlink("/dev/shm/small")
	END
	"$SHMGUARD" run --quiet --report=none -o many -- "$PYTHON" many.py
	"$SHMGUARD" report many | grep -A 2 '^Objects$' | grep '^  /small '
}
