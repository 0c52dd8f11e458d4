#!/usr/bin/env bats
# Several recordings below one directory: each is read with what lies beside its own trace, and none with another's.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir fleet
}

# found REPORT: its findings, each by rule and fingerprint.
found()
{
	jq -c '[.findings[] | [.rule, .fingerprint, .count]] | sort' "$1"
}

@test "a recording in a directory of its own gives the report that it gives alone" {
	mkdir programs
	cp "$PROGRAMS/story" "$BUILD/tests/rules/segment-leak" programs
	record fleet/a bash -c 'programs/story shrunk; programs/segment-leak; true' >out 2>errors
	"$SHMGUARD" report --format=json fleet/a >alone.json
	"$SHMGUARD" report fleet/a >alone.txt
	mv programs hidden
	jq -e '[.findings[].rule] | index("segment-leak") and index("sigbus-cause")' alone.json
	"$SHMGUARD" report --format=json fleet >report.json
	same alone.json report.json
	"$SHMGUARD" report fleet/ >report.txt
	same alone.txt report.txt
	"$SHMGUARD" report --format=json --decoder=babeltrace2 fleet >report.json
	same alone.json report.json
}

@test "two recordings of two machines give the findings of both, whatever pids, names and inodes they share" {
	record fleet/a "$PROGRAMS/story" shrunk >out 2>errors || true
	"$SHMGUARD" report --format=json fleet/a >a.json
	cp -r fleet/a fleet/b
	# The same calls on another machine: another id, host and trace, but pids and inodes as before.
	jq '.host = "elsewhere"' fleet/b/recording.json >new && mv new fleet/b/recording.json
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/b
	"$SHMGUARD" report --format=json fleet >report.json
	holds --slurpfile a a.json '(.processes | length) == 2 * ($a[0].processes | length)'
	holds --slurpfile a a.json '(.objects | length) == 2 * ($a[0].objects | length)'
	holds '.trace.complete and (.trace.hosts | length) == 2'
	jq -c '[.findings[] | [.rule, .fingerprint, .count / 2]] | sort' report.json >both
	jq -c '[.findings[] | [.rule, .fingerprint, .count / 1]] | sort' a.json >one
	same one both
	COLUMNS=200 "$SHMGUARD" report fleet >out
	[ "$(grep -c '^  command: ' out)" -eq 2 ]
	grep -q '^  process .*, killed by SIGBUS; recorded in fleet/[ab]$' out
	holds '[.processes[].recording] | unique == ["fleet/a", "fleet/b"]'
	[ "$(grep -A99 '^Objects' out | grep -c '^    recorded in fleet/[ab]$')" -eq "$(jq '.objects | length' report.json)" ]
	"$SHMGUARD" objects --all fleet | grep -q '^  recorded in fleet/b$'
	"$SHMGUARD" report --format=timeline fleet >timeline.json
	jq -e --slurpfile a report.json '[.traceEvents[] | select(.name == "process_name")] |
		(map(.pid) | length == (unique | length)) and (map(.args.name | capture("in (?<d>.*)\\)").d) | unique == ["fleet/a", "fleet/b"])' timeline.json
	grep -q 'events in [0-9.]* s from the start of the first of 2 recordings; no' out
}

@test "from when on a recording keeps its calls is said from its own start on" {
	local cpus size from alone
	cpus=$(getconf _NPROCESSORS_CONF)
	size=$((cpus << 17))
	for part in a b; do
		"$SHMGUARD" run --quiet --report=none --max-size=$size -o fleet/$part -- "$PROGRAMS/rate" 125000 0.4 >out
	done
	"$SHMGUARD" report --format=json fleet >report.json
	for part in a b; do
		from=$(jq -r ".trace.problems[] | select(startswith(\"fleet/$part: the recording keeps\"))" report.json)
		alone=$("$SHMGUARD" report --format=json fleet/$part | jq -r '.trace.problems[0]')
		[[ $alone == "the recording keeps the newest calls, from "*" s on: "*" before them were let go" ]]
		[ "$from" = "fleet/$part: ${alone// s on/ s after its own start on}" ]
	done
}

@test "a copy of a recording beside it counts for nothing, and what is damaged in one is told of that one" {
	record fleet/a "$PROGRAMS/leaky" 20 /fleet. >out
	"$SHMGUARD" report --format=json fleet/a >alone.json
	cp -r fleet/a fleet/b
	"$SHMGUARD" report --format=json fleet >report.json
	same alone.json report.json
	jq 'del(.ended)' fleet/a/recording.json >new && mv new fleet/a/recording.json
	rm -r fleet/b
	"$SHMGUARD" report --format=json fleet >report.json
	holds '.trace.problems[0] | startswith("fleet/a: the recording did not end properly")'
	echo '{' >fleet/a/recording.json
	"$SHMGUARD" report --format=json fleet >report.json
	holds '.trace.complete == false and (.trace.problems[0] | startswith("fleet/a/recording.json is damaged"))'
}

@test "what is missing of traces is told with the recordings that lack it" {
	local name=fleet/b decoder
	record fleet/a taskset -c "$(taskset -cp $$ | grep -oE '[0-9]+' | tail -n 1)" "$PROGRAMS/rate" 400000 0.5 >out
	cp -r fleet/a fleet/b
	cp -r fleet/a fleet/c
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/b 1
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/c 2
	"$SHMGUARD" report --format=json fleet >report.json
	holds '.trace.complete and ([.processes[].recording] | unique == ["fleet/a", "fleet/b", "fleet/c"])'
	cat >second.py <<-'END'
		import pathlib, struct, sys
		# Takes the second packet out of the longest stream; the index tells where it lies, in bits and from the highest byte on.
		stream = max(pathlib.Path(sys.argv[1]).rglob("calls_*[0-9]"), key=lambda path: path.stat().st_size)
		index = (stream.parent / "index" / (stream.name + ".idx")).read_bytes()
		at, bits = struct.unpack(">QQ", index[16 + 72:16 + 72 + 16])
		content = stream.read_bytes()
		stream.write_bytes(content[:at] + content[at + bits // 8:])
	END
	for part in b c; do
		"$PYTHON" second.py fleet/$part
		for decoder in direct babeltrace2; do
			COLUMNS=200 "$SHMGUARD" report --decoder=$decoder fleet >out
			grep -qE "^  [0-9]+ of the [0-9]+ bytes that were recorded are gone: .* \(in $name\)$" out
			grep -qE "^  [12] packets? of the trace (is|are) missing \(in $name\): more events may be lost than are counted$" out
			grep -qE "^  [0-9,]+ events lost \(in $name\): findings about" out
		done
		"$SHMGUARD" log fleet 2>&1 >calls | grep -qE " are gone: .* \(in $name\)$"
		name+=" and 1 other"
	done
	# Of one there is nothing to tell apart.
	COLUMNS=200 "$SHMGUARD" report fleet/b >out
	run -1 grep -F '(in ' out
	grep -qE '^  1 packet of the trace is missing: ' out
}

@test "events in the trace that are not of its recording are told with its place, and no line names one twice" {
	local decoder
	for place in a b c; do
		cp -r "$ROOT/tests/traces/leaks" fleet/$place
	done
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/b
	rm -r fleet/c/trace
	jq '.id = "00000003"' fleet/c/recording.json >new && mv new fleet/c/recording.json
	"$SHMGUARD" report fleet >out
	run -1 grep -F 'passed over' out
	# Those of a and b were taken for each other's.
	mv fleet/a/recording.json kept
	mv fleet/b/recording.json fleet/a
	mv kept fleet/b/recording.json
	echo '{}' >fleet/c/shm.json
	for decoder in direct babeltrace2; do
		COLUMNS=200 "$SHMGUARD" report --decoder=$decoder fleet >out
		for place in a b; do
			[ "$(grep -cF "fleet/$place: 37 events in the trace: not of this recording, passed over" out)" -eq 1 ]
		done
		[ "$(grep -cF 'passed over' out)" -eq 2 ]
		grep -qF '  fleet/c/shm.json is damaged: looked: expected' out
		run -1 grep -E '(fleet/.).*\1' out
		"$SHMGUARD" report --decoder=$decoder --format=json fleet >report.json
		holds '.trace.foreign == 74'
	done
	# One alone is the one that was asked for.
	COLUMNS=200 "$SHMGUARD" report fleet/a >out
	grep -qxF "  none of the trace's 37 events is of this recording" out
}

@test "what a process of another recording removed, made on the same machine at the same time, has not vanished" {
	local beside
	cat >apart.py <<-'END'
		import _posixshmem, mmap, os, sys, time
		name, other = sys.argv[1:3]
		fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 4096)
		mmap.mmap(fd, 4096).close()
		for turn, path in enumerate((sys.argv[3], sys.argv[4])):
		    open(path, "w").close()
		    while len([p for p in os.listdir() if p.startswith("turn-%d" % turn)]) < 2:
		        time.sleep(0.01)
		    if turn == 0 and other:
		        os.rename("/dev/shm" + other, "/dev/shm/taken" + other[1:])
		        os.unlink("/dev/shm/taken" + other[1:])
	END
	record fleet/a "$PYTHON" apart.py "/apart-a-$$" "/apart-b-$$" turn-0a turn-1a &
	beside=$!
	record fleet/b "$PYTHON" apart.py "/apart-b-$$" "" turn-0b turn-1b
	wait "$beside"
	rm "/dev/shm/apart-a-$$"
	report fleet >report.json
	holds --arg a "/apart-a-$$" '[.objects[] | select(.names != [$a])] | length == 1 and all(.unlinked_by != null)'
	holds 'all(.findings[]; .rule != "name-vanished")'
	# By itself the one does not tell who it was; nor does that of a machine that was started anew.
	report fleet/b >report.json
	holds '[.findings[] | select(.rule == "name-vanished")] | length == 1'
	local other
	for other in '.boot = "another"' 'del(.boot)'; do
		cp fleet/a/recording.json kept
		jq "$other" kept >fleet/a/recording.json
		report fleet >report.json
		holds '[.findings[] | select(.rule == "name-vanished")] | length == 1'
		mv kept fleet/a/recording.json
	done
}
