#!/usr/bin/env bats
# Recordings of which calls are missing, let go or lost: what they would have told is said to be not known, not guessed.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cd "$BATS_TEST_TMPDIR" || return 1
	CPUS=$(getconf _NPROCESSORS_CONF)
	# shrunk.py NAME WAY COUNT: a child shrinks the object; COUNT mappings later the parent touches what was cut off.
	cat >shrunk.py <<-'END'
		import ctypes, mmap, os, sys
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
		path, way, count = "/dev/shm" + sys.argv[1], sys.argv[2], int(sys.argv[3])
		# Each processor keeps the newest of its own.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 65536)
		at = libc.mmap(None, 65536, 3, 1, fd, 0)
		if way != "whole" and os.fork() == 0:
		    if way == "emptied":
		        os.ftruncate(os.open(path, os.O_RDWR | os.O_TRUNC), 12288)
		    else:
		        os.ftruncate(fd, 12288)
		    os._exit(0)
		if way != "whole":
		    os.wait()
		other = os.memfd_create("other", os.MFD_CLOEXEC)
		os.ftruncate(other, 4096)
		for _ in range(count):
		    mmap.mmap(other, 4096).close()
		os.unlink(path)
		ctypes.string_at(at + 20000, 1)
		os._exit(135)
	END
}

# shrunk WAY COUNT [OPTION...]: its report is ./report.json.
shrunk()
{
	local way=$1 count=$2
	shift 2
	rm -rf recording
	run -135 "$SHMGUARD" run --quiet --report=none "$@" -o recording -- "$PYTHON" shrunk.py "/missing-$$" "$way" "$count"
	report recording >report.json
}

# cause PATTERN: what sigbus-cause says.
cause()
{
	holds --arg pattern "$1" '[.findings[] | select(.rule == "sigbus-cause") | .message | test($pattern)] == [true]'
}

@test "SIGBUS: who shrank the object is told though that call was let go, as a finding was told at it" {
	local deed='had shrunk it from 65536 to 12288 bytes [0-9.]+ m?s before$'
	shrunk told 10
	holds '.trace.let_go == 0'
	cause "$deed"
	shrunk told 40000 --max-size=$((CPUS << 18))
	holds '.trace.let_go > 10000'
	# It was found to be so after the call.
	local found=${deed/bytes /bytes at least }
	cause "$found"
	holds 'any(.findings[]; .rule == "sigbus-cause" and (.uncertain | not) and any(.stacks[]; .role == "shrunk"))'
	shrunk told 40000 --max-size=$((CPUS << 18)) --snapshot-on=error
	cause "$found"
	# What came of it since was let go.
	shrunk emptied 40000 --max-size=$((CPUS << 18))
	cause 'had opened it with O_TRUNC, which emptied it of 65536 bytes, at least [0-9.]+ m?s before$'
	holds 'any(.findings[]; .rule == "sigbus-cause" and .uncertain)'
}

@test "SIGBUS: nobody who is not recorded is accused of what a call may have done that was let go" {
	printf '%s = off\n' shrink-under-map resize-by-attacher >silent.ini
	shrunk untold 10 --policy=silent.ini
	cause 'had shrunk it from 65536 to 12288 bytes [0-9.]+ m?s before$'
	shrunk untold 40000 --policy=silent.ini --max-size=$((CPUS << 18))
	cause 'it is 12288 bytes long, who shrank it is not known, as older calls were let go'
	holds 'any(.findings[]; .rule == "sigbus-cause" and .uncertain)'
}

@test "SIGBUS: one that nobody recorded shrank is said to be, with --max-size too" {
	cat >outside.py <<-'END'
		import mmap, os, subprocess, sys
		path = "/dev/shm" + sys.argv[1]
		fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 65536)
		memory = mmap.mmap(fd, 65536)
		open("mapped", "w").close()
		while os.fstat(fd).st_size == 65536:
		    pass
		os.unlink(path)
		memory[20000]
	END
	(
		until [ -e mapped ]; do sleep 0.05; done
		truncate -s 12288 "/dev/shm/missing-$$"
	) &
	run -135 "$SHMGUARD" run --quiet --report=none --max-size=64M -o recording -- "$PYTHON" outside.py "/missing-$$"
	wait "$!"
	report recording >report.json
	holds '.trace.let_go == 0'
	cause 'it is 12288 bytes long, somebody who is not recorded must have shrunk it'
}

@test "SIGBUS: one that no event tells of was blocked only where none can be missing" {
	shrunk told 10
	rm recording/trace/ust/uid/*/64-bit/state_*
	report recording >report.json
	cause 'died of a SIGBUS, and the event that would tell where is missing$'
	holds 'any(.findings[]; .rule == "sigbus-cause" and .uncertain)'
}

# What the log tells of the size of the object at its unlink, and the timeline at an event of the kind.
logged()
{
	"$SHMGUARD" log recording | sed -nE "s/.* unlink\\(.*missing-$$.*\\) = 0 //p"
}

drawn()
{
	"$SHMGUARD" report --format=timeline recording 2>/dev/null |
		jq -c --arg of "$1" --arg name "/missing-$$" \
			'.traceEvents[] | select(.name == $of and .args.object == $name) | .args.size'
}

@test "log and timeline: the size that an object had is that which a later event tells, where a call was let go" {
	local way
	for way in told emptied; do
		shrunk $way 10
		[ "$(logged)" = "/* /missing-$$, 12288 bytes */" ]
		[ "$(drawn unlink) $(drawn sigbus)" = "12288 12288" ]
		shrunk $way 40000 --max-size=$((CPUS << 18))
		[ "$(logged)" = "/* /missing-$$, 12288 bytes */" ]
		[ "$(drawn unlink) $(drawn sigbus)" = "12288 12288" ]
	done
}

@test "log and timeline: no size is told of an object that a call may have resized which is missing" {
	shrunk whole 10
	[ "$(logged)" = "/* /missing-$$, 65536 bytes */" ]
	[ "$(drawn unlink)" = 65536 ]
	shrunk whole 40000 --max-size=$((CPUS << 18))
	[ "$(logged)" = "/* /missing-$$ */" ]
	[ "$(drawn unlink)" = null ]
	# Of a stream that is gone nobody knows when.
	shrunk told 10
	rm recording/trace/ust/uid/*/64-bit/state_*
	"$SHMGUARD" log recording >calls
	grep -qE 'mmap\(.*, 65536, .* bytes \*/$' calls
	run ! grep -E 'unlink\(.* bytes \*/$' calls
}

# halved GLOB: the streams of that name in ./recording have lost their second halves.
halved()
{
	local file
	# shellcheck disable=SC2231
	for file in recording/trace/ust/uid/*/64-bit/$1; do
		truncate -s $(($(stat -c %s "$file") / 2 / 4096 * 4096)) "$file"
	done
}

@test "events lost: their number is the least that it can be where an end is missing, and exact where it is not" {
	shrunk whole 60000
	local all
	all=$(jq .trace.events report.json)
	halved 'calls_*'
	report recording >report.json
	holds --argjson all "$all" '.trace.lost > 0 and .trace.events + .trace.lost == $all'
	holds '.trace | has("lost_at_least") or has("unended") | not'
	holds 'all(.processes[]; has("lost_at_least") | not)'
	run -0 "$SHMGUARD" report recording
	[[ $output == *" events of it lost"* && ! $output =~ at\ least\ [0-9,]+\ events ]]
	halved 'state_*'
	report recording >report.json
	holds --argjson all "$all" '.trace.lost > 0 and .trace.events + .trace.lost < $all and .trace.lost_at_least'
	holds 'any(.processes[]; .lost > 0 and .lost_at_least)'
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output =~ ", at least "[0-9,]+" events of it lost" && $output =~ "; at least "[0-9,]+" events lost" ]]
	"$SHMGUARD" report --format=csv recording 2>errors >csv
	grep -qE '^shmguard: csv: at least [0-9]+ events were lost$' errors
}

# besides TYPE...: lines of ./recording tell of one more process, of whose events there is none, from the beginning on.
besides()
{
	local type
	for type in "$@"; do
		jq -c --arg type "$type" '{type: $type, pid: 4194303, ppid: .pid, uid, euid, gid, child: 0, status: 0, error: 0, time,
			texts: ["/bin/true", ""]}' <(grep -m 1 '"reaped"' recording/processes.jsonl)
	done >added
	cat added >>recording/processes.jsonl
	jq --argjson size "$(stat -c %s recording/processes.jsonl)" '.processes_bytes = $size' recording/recording.json >described
	mv described recording/recording.json
}

@test "events lost: a process of which nothing is left may have made any number, one that called nothing none" {
	shrunk whole 60000
	cp recording/processes.jsonl lines
	halved 'calls_*'
	besides start leave
	report recording >report.json
	holds '.trace.lost > 0 and any(.processes[]; .pid == 4194303 and (.traced | not))'
	holds '.trace | has("lost_at_least") | not'
	cp lines recording/processes.jsonl
	besides start loading loaded leave
	report recording >report.json
	holds '.trace.lost > 0 and .trace.lost_at_least and any(.processes[]; .pid == 4194303 and (.traced | not))'
	# LTTng does not come up once more in a child of one that is recorded.
	cp lines recording/processes.jsonl
	besides fork leave
	report recording >report.json
	holds '.trace.lost > 0 and .trace.lost_at_least'
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output =~ "; at least "[0-9,]+" events lost" ]]
}

@test "events lost: where parts of the trace are gone and none is counted, their number is not known" {
	shrunk told 10
	besides fork loading loaded leave
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output == *" events in "*"; no event lost"* ]]
	jq '.stream_bytes += 100000' recording/recording.json >gone.json
	mv gone.json recording/recording.json
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output == *"; how many events are lost is not known"* && $output != *"no event lost"* ]]
	report recording >report.json
	holds '.trace.lost == 0 and .trace.lost_at_least'
}

@test "events lost: of a recording that did not end they may be not written yet" {
	shrunk told 3000
	jq 'del(.ended, .stream_bytes)' recording/recording.json >unended.json
	mv unended.json recording/recording.json
	report recording >report.json
	holds '.trace.lost == 0 and .trace.unended'
	halved 'calls_*'
	report recording >report.json
	holds '.trace.lost > 0 and .trace.unended'
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output =~ [0-9]" events lost or not written yet: findings" ]]
}

@test "severity: uncertain where a call that was let go may have changed it" {
	shrunk emptied 10
	holds '[.findings[] | select(.rule == "truncate-on-open") | .severity, .uncertain] == ["error", false]'
	shrunk emptied 40000 --max-size=$((CPUS << 18))
	holds '[.findings[] | select(.rule == "truncate-on-open") | .severity, .uncertain] == ["warning", true]'
	# A shrinking that hits others is what it is, whatever came of it.
	shrunk told 40000 --max-size=$((CPUS << 18))
	holds '[.findings[] | select(.rule == "shrink-under-map") | .severity, .uncertain] == ["error", false]'
}

@test "events lost: a count of the tracer's for which there was no time is damage, and not used" {
	local decoder stream
	shrunk whole 10
	for stream in recording/trace/ust/uid/*/64-bit/calls_*; do
		# events_discarded, after the header of the packet and five numbers of its context.
		printf '\007' | dd of="$stream" bs=1 seek=78 conv=notrunc status=none
	done
	for decoder in direct babeltrace2; do
		"$SHMGUARD" report --decoder=$decoder --format=json recording >report.json
		holds '.trace.lost < 1000 and (.trace.complete | not)'
		holds 'any(.trace.problems[]; startswith("the trace is damaged: its count of lost events"))'
	done
}

@test "a hole between the calls that are kept is told, and nothing is held across it for certain" {
	local at form from until
	[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] || skip "each processor keeps its own newest calls: two are needed"
	cat >hole.py <<-'END'
		import _posixshmem, mmap, os, sys
		name, count, kept = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		first, second = sorted(os.sched_getaffinity(0))[:2]
		fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		os.ftruncate(fd, 65536)
		def early():
		    return [mmap.mmap(fd, 65536) for _ in range(20)], [os.dup(fd) for _ in range(20)]
		def late():
		    return [mmap.mmap(fd, 65536) for _ in range(kept)]
		os.sched_setaffinity(0, {first})
		maps, fds = early()
		os.sched_setaffinity(0, {second})
		for one in maps:
		    one.close()
		for one in fds:
		    os.close(one)
		for _ in range(count):
		    mmap.mmap(fd, 4096).close()
		held = late()
		_posixshmem.shm_unlink(name)
		os._exit(0)
	END
	"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 17))" -o hole -- "$PYTHON" hole.py "/hole-$$" 20000 3
	"$SHMGUARD" run --quiet --report=none -o whole -- "$PYTHON" hole.py "/hole-$$" 200 3
	report hole >report.json
	holds '.trace.let_go > 10000 and .trace.lost == 0'
	# From when on the calls are whole, and that older ones are among those that are kept.
	holds '.trace.problems[0] | test("^the recording keeps the newest calls, from [0-9.]+ s on, and parts of older ones, from [0-9.]+ s on: ")'
	read -r from until <<<"$(jq -r '.trace.problems[0] | [scan("from ([0-9.]+) s on")[0]] | "\(.[1]) \(.[0])"' report.json)"
	"$SHMGUARD" log hole >hole.log
	[ "$(grep -cE ' --- [0-9]+ events let go since [0-9.]+ ---$' hole.log)" -eq 1 ]
	at=$(sed -nE 's/^[0-9]+ +([0-9.]+) --- .* let go since .*/\1/p' hole.log)
	[ "$(printf '%.3f' "$at")" = "$until" ]
	grep -qE ' dup\(' <(grep -B 1 -e ' --- ' hole.log)
	awk -v from="$from" -v until="$until" 'BEGIN { exit !(from < until) }'
	[ "$("$SHMGUARD" log --until="$(awk "BEGIN { print $until - 0.002 }")" hole | grep -c ' --- .* since')" -eq 0 ]
	"$SHMGUARD" objects hole | grep -F "as some up to $at s were let go"
	# What was held before may have been given back; what came later was not.
	holds '[.findings[] | select(.rule == "mapping-leak") | .message | capture("still held (?<n>[0-9]+) mappings").n] == ["3"]'
	holds 'all(.findings[]; .rule != "fd-leak" and .rule != "partial-unmap")'
	holds 'all(.findings[] | select(.rule == "mapping-leak"); .uncertain)'
	for form in folded folded-count; do
		"$SHMGUARD" report --format=$form hole 2>/dev/null >hole.$form
		"$SHMGUARD" report --format=$form whole 2>/dev/null >whole.$form
		[ "$(awk '{ sum += $NF } END { print sum }' hole.$form)" -eq "$(awk '{ sum += $NF } END { print sum }' whole.$form)" ]
	done
	"$SHMGUARD" report --format=speedscope hole 2>/dev/null | jq -e '.profiles[1].endValue == 3 and .profiles[2].endValue > 20'
	COLUMNS=1000 "$SHMGUARD" report hole >hole.txt
	grep -E '^shmguard: [0-9]+ notes? \([0-9]+ uncertain\)' hole.txt
	# Without a hole all of it is as it was.
	report whole >report.json
	holds '.trace.complete and .trace.problems == []'
	holds '[.findings[] | select(.rule == "mapping-leak") | .message | capture("still held (?<n>[0-9]+) mappings").n] == ["3"]'
	run -0 "$SHMGUARD" log whole
	[[ $output != *" --- "* ]]
	COLUMNS=1000 run -0 "$SHMGUARD" report whole
	[[ ${lines[0]} != *uncertain* ]]
}

@test "who mapped an object before a hole may not map it behind: that it was emptied under him is uncertain" {
	local held
	[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] || skip "each processor keeps its own newest calls: two are needed"
	cat >emptied.py <<-'END'
		import _posixshmem, mmap, os, sys
		first, second = sorted(os.sched_getaffinity(0))[:2]
		os.sched_setaffinity(0, {first})
		fds = [_posixshmem.shm_open(sys.argv[1] + end, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600) for end in "ab"]
		for fd in fds:
		    os.ftruncate(fd, 65536)
		done, go = os.pipe(), os.pipe()
		if os.fork() == 0:
		    held = mmap.mmap(fds[0], 65536)
		    os.sched_setaffinity(0, {second})
		    held.close()
		    for _ in range(int(sys.argv[2])):
		        mmap.mmap(fds[1], 4096).close()
		    held = mmap.mmap(fds[0], 65536) if sys.argv[3] == "again" else None
		    os.write(done[1], b"x")
		    os.read(go[0], 1)
		    os._exit(0)
		os.read(done[0], 1)
		_posixshmem.shm_open(sys.argv[1] + "a", os.O_RDWR | os.O_TRUNC, 0o600)
		os.write(go[1], b"x")
		os.wait()
		for end in "ab":
		    _posixshmem.shm_unlink(sys.argv[1] + end)
	END
	for held in gone again; do
		"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 17))" -o $held -- "$PYTHON" emptied.py "/emptied-$$" 20000 $held
		report $held >report.json
		holds '.trace.let_go > 10000'
		holds --argjson uncertain "$([[ $held == gone ]] && echo true || echo false)" \
			'[.findings[] | select(.rule == "truncate-on-open") | .severity, .uncertain] == ["error", $uncertain]'
	done
	COLUMNS=1000 run -0 "$SHMGUARD" report gone
	[[ ${lines[0]} == "shmguard: 1 error (uncertain), "*"; the worst, uncertain: "* ]]
}
