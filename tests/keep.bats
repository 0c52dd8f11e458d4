#!/usr/bin/env bats
# Recordings that keep a part of the calls: the newest, with --max-size, and those that led to an error, with --snapshot-on.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cd "$BATS_TEST_TMPDIR" || return 1
	# Each has its part of the size.
	CPUS=$(getconf _NPROCESSORS_CONF)
}

# bytes_of DIR GLOB: of the files of that name in the trace.
bytes_of()
{
	find "$1/trace" -name "$2" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}

@test "--max-size keeps the newest calls, and what they refer to" {
	"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 20))" -o recording -- sh -c \
		"'$PROGRAMS/leaky' 1 /keep-$$- && '$PROGRAMS/rate' 125000 0.4 && exec '$PROGRAMS/rate' 250000 0.4"
	rm -f "/dev/shm/keep-$$-0"
	[ "$(bytes_of recording 'calls_*')" -le $((CPUS << 20)) ]
	[ "$(bytes_of recording 'calls_*')" -gt $((1 << 19)) ]
	report recording >report.json
	# What came later than the oldest call that is left was not lost, and what was let go is counted.
	holds '.trace.lost == 0 and .trace.let_go > 50000 and (.trace.complete | not)'
	holds '.trace.problems == [.trace.problems[] | select(test("^the recording keeps the newest calls, from [0-9.]+ s on"))]'
	holds --argjson all "$(jq '.trace.events + .trace.let_go' report.json)" '$all > 150000 and $all < 150600'
	# The leak's calls are gone: its object, process and the look at the end are not.
	holds --arg name "/keep-$$-0" 'any(.objects[]; .names == [$name] and .leaked)'
	holds 'any(.findings[]; .rule == "segment-leak" and .severity == "error" and .process != null)'
	# What was found at the call that made it says who that was, and where.
	holds 'any(.findings[]; .rule == "segment-leak" and (.stacks[0].role == "created" and (.stacks[0].frames | length) > 0))'
	holds --arg name "/keep-$$-0" 'any(.objects[]; .names == [$name] and .created_by != null)'
	holds 'any(.findings[]; .rule == "churn" and (.stacks[0].frames | any(.function == "work")))'
	# More of them may have been let go.
	holds '[.findings[] | select(.rule == "churn").message] | length > 0 and all(.[];
		test(" at least [0-9]+ times here, at least [0-9]+ times within a second; the calls .* save up to that each time$"))'
	"$SHMGUARD" report --decoder=babeltrace2 --format=json recording | jq .trace >there.json
	jq .trace report.json >here.json
	same here.json there.json
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output == *"before them were let go"* && $output == *"no event lost"* ]]
	run babeltrace2 --component sink.utils.counter recording/trace
	[ "$status" -eq 0 ]
}

@test "--max-size: an object whose unlink was let go is not shown as one that exists" {
	"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 17))" -o recording -- "$PROGRAMS/churner" 8000 3
	rm -f /dev/shm/churner-*
	run -0 "$SHMGUARD" objects recording
	[ "$(grep -c '^/churner-' <<<"$output")" -eq 3 ]
	[[ $output != *" 0 B (0 bytes)"* ]]
	report recording >report.json
	holds '.trace.let_go > 1000 and ([.objects[] | select(.leaked)] | length) == 3'
	holds 'all(.findings[]; .rule != "name-vanished" and .rule != "resize-by-attacher")'
	# Without the look at the end nobody knows.
	rm recording/shm.json
	run -0 "$SHMGUARD" objects recording
	[[ $output == *"not known: whether "*" more exist"* ]]
	report recording >report.json
	holds 'any(.objects[]; .unknown)'
}

@test "--max-size: of what was before the calls that are kept, objects tells what is known, and that the rest is not" {
	local at form name=/early-$$
	cat >early.py <<-'END'
		import _posixshmem, mmap, os, sys, time
		def made(name, size):
		    fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR, 0o600)
		    os.ftruncate(fd, size)
		    return fd, mmap.mmap(fd, size)
		# Each processor keeps the newest of its own.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		early = made(sys.argv[1], 65536)
		time.sleep(0.2)
		fd, _ = made("/worked-" + str(os.getpid()), 4096)
		for _ in range(int(sys.argv[2])):
		    mmap.mmap(fd, 4096).close()
		time.sleep(0.2)
		os.fchmod(early[0], 0o400)
		_posixshmem.shm_unlink("/worked-" + str(os.getpid()))
		time.sleep(0.2)
	END
	"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 19))" -o part -- "$PYTHON" early.py "$name" 40000
	rm "/dev/shm$name"
	"$SHMGUARD" run --quiet --report=none -o whole -- "$PYTHON" early.py "$name" 400
	rm "/dev/shm$name"
	for recording in whole part; do
		at=$("$SHMGUARD" log $recording | sed -nE 's/^[0-9]+ +([0-9.]+) fchmod.*/\1/p')
		"$SHMGUARD" objects --object="$name" --at="$(awk "BEGIN { print $at + 0.1 }")" $recording >$recording.late
		"$SHMGUARD" objects --object="$name" --at="$(awk "BEGIN { print $at - 0.3 }")" $recording >$recording.soon
		"$SHMGUARD" objects --object="$name" $recording >$recording.end
		# What the look at the end tells was so before, as no call that is kept changed it.
		grep -q '^  shm, 64 KiB (65536 bytes), mode' $recording.late
		grep -q '^  shm, 64 KiB (65536 bytes), mode' $recording.end
	done
	run ! grep 'not known' whole.late whole.soon whole.end
	grep -q 'maps \[0, 65536)' whole.late
	run ! grep 'maps \[0, 65536)' part.late
	grep -qE '^not known: what older calls had opened, mapped or changed, as some up to [0-9.]+ s were let go$' part.late
	# Before the first of them that is kept.
	at=$("$SHMGUARD" log part | sed -nE '/ \+\+\+ | \*\*\* /!{s/^[0-9]+ +([0-9.]+) .*/\1/p;q}')
	"$SHMGUARD" objects --object="$name" --at="$(awk "BEGIN { print $at - 0.01 }")" part >part.before
	grep -qE '^  shm, 64 KiB \(65536 bytes\) at [0-9.]+ s, its size since then not known, mode' part.before
	grep -qE '^not known: what else there was then, and who had it open or mapped, as calls up to [0-9.]+ s were let go$' part.before
	report part >report.json
	holds '.trace.problems[0] | test("what older ones left mapped or open is not told")'
	holds 'all(.objects[]; has("size_known") | not)'
	# Forms without a place for it say it on stderr.
	for form in folded folded-count speedscope timeline; do
		"$SHMGUARD" report --format=$form:form part 2>errors
		[ "$(cat errors)" = "shmguard: form: what older calls mapped is missing, as they were let go" ]
		"$SHMGUARD" report --format=$form:form whole 2>errors
		[ ! -s errors ]
	done
	# Of two recordings each has its own.
	mkdir both
	cp -r whole part both
	"$SHMGUARD" objects --object="$name" --at="$(awk "BEGIN { print $at - 0.01 }")" both >both.soon
	[ "$(grep -c 'its size since then not known' both.soon)" -eq 1 ]
	# Set right by one clock, both are as they were to each other.
	for form in 0 1000; do
		"$SHMGUARD" report --format=json --clock-offset="$(jq -r .host part/recording.json)=$form" both | jq -r '.trace.problems[]' >"problems.$form"
	done
	grep -q 'keeps the newest calls, from [0-9.]* s after its own start on' problems.0
	same problems.0 problems.1000
	# Without the look at the end nobody knows.
	rm part/shm.json
	"$SHMGUARD" objects --object="$name" part | grep -qE '64 KiB \(65536 bytes\) at [0-9.]+ s, its size since then not known'
	report part >report.json
	holds --arg name "$name" 'any(.objects[]; .names == [$name] and .size_known == false)'
	report whole >report.json
	holds 'all(.objects[]; has("size_known") | not)'
}

@test "--max-size: names that calls that were let go may have changed are not known, until the end tells" {
	local at one=/names-one-$$ two=/names-two-$$ three=/names-three-$$
	cat >names.py <<-'END'
		import _posixshmem, mmap, os, sys, time
		one, two, three = sys.argv[1:4]
		def path(name): return "/dev/shm" + name
		# Each processor keeps the newest of its own.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		for name in one, two:
		    os.close(_posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR, 0o600))
		for old, new in (one, three), (two, one), (three, two):
		    os.rename(path(old), path(new))
		os.link(path(two), path(two) + "-link")
		fd = _posixshmem.shm_open("/worked-" + str(os.getpid()), os.O_CREAT | os.O_RDWR, 0o600)
		os.ftruncate(fd, 4096)
		for _ in range(int(sys.argv[4])):
		    mmap.mmap(fd, 4096).close()
		_posixshmem.shm_unlink("/worked-" + str(os.getpid()))
		time.sleep(0.2)
		os.rename(path(one), path(three))
		time.sleep(0.2)
	END
	for count in 40000 400; do
		"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 19))" -o $count -- "$PYTHON" names.py "$one" "$two" "$three" $count
		rm "/dev/shm$two" "/dev/shm$three" "/dev/shm$two-link"
		at=$("$SHMGUARD" log $count | sed -nE 's/^[0-9]+ +([0-9.]+) rename\(.*/\1/p' | tail -n 1)
		"$SHMGUARD" objects --at="$(awk "BEGIN { print $at - 0.1 }")" $count | grep '^/names' | sort >$count.before
		"$SHMGUARD" objects --at="$(awk "BEGIN { print $at + 0.1 }")" $count | grep '^/names' | sort >$count.after
		"$SHMGUARD" objects $count | grep '^/names' | sort >$count.end
	done
	# Both were found by the names that they were made with, and the kept rename tells of the one where it is.
	same 40000.before <(printf '%s (not known whether still)\n' "$one" "$two")
	same 40000.after <(printf '%s (not known whether still)%s\n' "$one" "" "$two" ", $three")
	same <(sed 's/, /\n/g' 40000.end | sort) <(printf '%s\n' "$one (removed)" "$two" "$two-link" "$two (removed)" "$three" | sort)
	run ! grep 'not known' 400.before 400.after 400.end
}

@test "--max-size: who removed an object is known by what was found at a call that was let go" {
	needs_root 'removes what another user made'
	local name=/removed-$$ form
	cat >remover.py <<-'END'
		import _posixshmem, ctypes, mmap, os, sys
		name, libc = sys.argv[1], ctypes.CDLL(None)
		# Each processor keeps the newest of its own.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		if os.fork() == 0:
		    os.setuid(65534)
		    os.close(_posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		    libc.sem_open(name.encode(), os.O_CREAT | os.O_EXCL, 0o600, 1)
		    os._exit(0)
		os.wait()
		_posixshmem.shm_unlink(name)
		libc.sem_unlink(name.encode())
		fd = os.memfd_create("worked")
		os.ftruncate(fd, 4096)
		for _ in range(int(sys.argv[2])):
		    mmap.mmap(fd, 4096).close()
	END
	for form in 40000 400; do
		"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 19))" -o $form -- "$PYTHON" remover.py "$name" $form
		[ ! -e "/dev/shm$name" ]
		report $form >report.json
		holds --argjson form $form '(.trace.let_go > 0) == ($form > 400)'
		holds '[.findings[] | select(.rule == "unlink-by-stranger").stacks[0].process] as [$who] | $who != null and
			([.objects[] | select(.kind != "memfd") | .unlinked_by] == [$who, $who])'
		COLUMNS=150 "$SHMGUARD" report $form >out
		[ "$(grep -cE "^  /(sem\\.)?${name#/} .* [0-9]+ pyth[^ ]* +unlinked" out)" -eq 2 ]
	done
}

@test "--max-size: when a call was made that was let go is known by what was found at it, and only to be before that" {
	local name=/shrunk-$$ count least
	cat >shrinker.py <<-'END'
		import _posixshmem, mmap, os, sys
		# Each processor keeps the newest of its own.
		os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
		fd = _posixshmem.shm_open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		_posixshmem.shm_unlink(sys.argv[1])
		os.ftruncate(fd, 65536)
		mapped = mmap.mmap(fd, 65536)
		os.ftruncate(fd, 4096)
		other = os.memfd_create("other")
		os.ftruncate(other, 4096)
		for _ in range(int(sys.argv[2])):
		    mmap.mmap(other, 4096).close()
		mapped[30000] = 1
	END
	for count in 40000 400; do
		least=
		[ $count -eq 400 ] || least='at least '
		"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 19))" -o $count -- \
			"$PYTHON" shrinker.py "$name" $count || true
		report $count >report.json
		holds --argjson count $count '(.trace.let_go > 0) == ($count > 400)'
		holds --arg least "$least" '.findings[0] | .rule == "sigbus-cause" and
			(.message | test("had shrunk it from 65536 to 4096 bytes " + $least + "[0-9.]+ m?s before$"))'
		"$SHMGUARD" report --format=html $count >page.html
		page_data page.html | jq -e --arg least "$least" '[.changes[] | select(.before == 65536) | .told] == [if $least != "" then true else null end]'
	done
}

@test "--max-size: a finding told at a call costs what README says, every time, and a call without one nothing" {
	local flags count bytes name=/costly-$$
	cat >costly.py <<-'END'
		import _posixshmem, os, sys
		for _ in range(int(sys.argv[3])):
		    os.close(_posixshmem.shm_open(sys.argv[1], os.O_RDWR | int(sys.argv[2]), 0o600))
	END
	for flags in 0 "$("$PYTHON" -c 'import os; print(os.O_CREAT)')"; do
		for count in 5000 15000; do
			: >"/dev/shm$name"
			"$SHMGUARD" run --quiet --report=none --max-size="$((CPUS << 17))" -o "$flags-$count" -- \
				"$PYTHON" costly.py "$name" "$flags" "$count"
			rm "/dev/shm$name"
		done
		bytes=$((($(bytes_of "$flags-15000" 'state_*') - $(bytes_of "$flags-5000" 'state_*')) / 10000))
		[ "$bytes" -le $((flags ? 77 + ${#name} : 1)) ]
		[ "$bytes" -ge $((flags ? 70 + ${#name} : 0)) ]
	done
	grep -q '77 bytes and the object.s name' "$ROOT/README.md"
}

@test "--max-size that suffices lets nothing go" {
	"$SHMGUARD" run --quiet --report=none --max-size=64M -o recording -- "$PROGRAMS/rate" 50000 0.4
	report recording >report.json
	holds '.trace.lost == 0 and .trace.let_go == 0 and .trace.complete and .trace.problems == []'
	holds '.trace.events > 20000'
}

@test "--max-size: what is no size, or too little, is refused" {
	local size
	for size in 0 x -1 1T 99999999999999999999G ""; do
		run -125 "$SHMGUARD" run --max-size="$size" -o recording -- true
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"--max-size wants a number of bytes such as 64M"* ]]
	done
	run -125 "$SHMGUARD" run --max-size=1000 -o recording -- true
	[[ $output =~ "--max-size is too little: "[0-9]+" bytes are the least on this machine" ]]
	[ ! -e recording ]
}

@test "--snapshot-on=error without an error keeps no trace, and says so" {
	run -0 "$SHMGUARD" run --report=report --snapshot-on=error -o recording -- "$PROGRAMS/rate" 1000 0.1
	[[ $output == *"there was no error, so no trace is kept"* ]]
	[ -z "$(find recording/trace -type f)" ]
	grep -q churn report || grep -q memfd report
	run -0 "$SHMGUARD" report recording
	[[ ${lines[0]} == "shmguard: no error found: so no call was kept [the recording is incomplete]" ]]
	[[ $output == *"--snapshot-on=error"* ]]
}

@test "--snapshot-on=error writes at the error what led to it, while the program goes on" {
	"$SHMGUARD" run --quiet --report=none --snapshot-on=error --max-size="$((CPUS << 19))" -o recording -- sh -c "
		'$PROGRAMS/rate' 60000 0.5
		ls recording/trace >before
		'$PROGRAMS/story' shrunk
		for _ in \$(seq 100); do [ ! -e recording/trace/calls-1 ] || break; sleep 0.1; done
		sleep 0.3
		cp -r recording/trace/calls-1 early
		exec '$PROGRAMS/rate' 200000 0.3" >out
	[ "$(cat before)" = state ]
	[ -n "$(find early -name 'calls_*' -size +0)" ]
	report recording >report.json
	# Much was let go between the error and the end, but not what led to the error.
	holds '.trace.lost == 0 and .trace.let_go > 30000'
	holds 'any(.findings[]; .rule == "sigbus-cause" and (.message | contains("had shrunk it from 1048576 to 4096 bytes")))'
	holds '[.findings[] | select(.rule == "sigbus-cause") | .stacks[] | select(.frames | length > 0) | .role] | length >= 3'
	"$SHMGUARD" log recording >calls.txt
	[ "$(grep -c 'ftruncate(.*, 4096) = 0 .*shmguard-sigbus' calls.txt)" -eq 1 ]
}

@test "--snapshot-on=error: what only the end shows is an error too" {
	"$SHMGUARD" run --quiet --report=none --snapshot-on=error -o recording -- "$PROGRAMS/leaky" 2 "/keep-$$-"
	rm -f "/dev/shm/keep-$$-0" "/dev/shm/keep-$$-1"
	report recording >report.json
	holds '.trace.complete and .trace.lost == 0 and .trace.let_go == 0'
	holds 'any(.findings[]; .rule == "segment-leak" and .count == 2 and (.stacks[0].frames | any(.function == "leaky_make")))'
}

@test "--snapshot-on takes error alone" {
	run -125 "$SHMGUARD" run --snapshot-on=warning -o recording -- true
	[ "$output" = "shmguard: --snapshot-on wants 'error', not 'warning'; see \`shmguard run --help\`" ]
}
