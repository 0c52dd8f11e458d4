#!/usr/bin/env bats
# Recordings of one machine, whose processes use the same objects: what one knows of them holds in the other.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cd "$BATS_TEST_TMPDIR" || return 1
	export A="/shared-a-$$" B="/shared-b-$$"
	mkdir fleet
	# Each takes the turns that it has, N:CODE, when that of the number before is done, whoever did it.
	cat >turns.py <<-'END'
		import _posixshmem, mmap, os, signal, sys, time
		A, B = os.environ["A"], os.environ["B"]
		shm = lambda name: "/dev/shm" + name
		opened = lambda name, flags=0: _posixshmem.shm_open(name, os.O_RDWR | flags, 0o600)
		made = lambda name: opened(name, os.O_CREAT | os.O_EXCL)
		for turn in sys.argv[1:]:
		    number, code = turn.split(":", 1)
		    while not os.path.exists("turn-%d" % (int(number) - 1)):
		        time.sleep(0.005)
		    exec(code)
		    open("turn-" + number, "w").close()
	END
	touch turn-0
}

teardown()
{
	rm -f /dev/shm/*-"$$"
}

# turns NAME TURN...: recorded in fleet/NAME.
turns()
{
	local name=$1
	shift
	record "fleet/$name" "$PYTHON" turns.py "$@"
}

# both TURNS-OF-A TURNS-OF-B, the turns of each in lines: at one time.
both()
{
	local beside first second
	mapfile -t first <<<"$1"
	mapfile -t second <<<"$2"
	turns a "${first[@]}" &
	beside=$!
	turns b "${second[@]}"
	wait "$beside"
	report fleet >report.json
}

# leaked NAME...: by the report these are, and no others.
leaked()
{
	holds --arg names "$*" '[.objects[] | select(.leaked) | .names[0]] | sort | join(" ") == $names'
}

@test "what a process of another recording renames, sizes and removes is one object, with all that befell it" {
	both '1:fd = made(A); os.ftruncate(fd, 4096); m = mmap.mmap(fd, 4096)
5:os.ftruncate(fd, 12288)
8:m.close(); os.close(fd)' '2:fd = opened(A)
3:os.rename(shm(A), shm(B))
4:os.ftruncate(fd, 8192); time.sleep(0.02)
6:time.sleep(0.2)
7:os.unlink(shm(B)); time.sleep(0.1)
9:pass'
	holds --arg a "$A" --arg b "$B" '.objects | length == 1 and (.[0] | .names == [$a, $b] and .size == 12288)'
	holds '.objects[0].created_by != null and .objects[0].unlinked_by != null and
		.objects[0].created_by != .objects[0].unlinked_by'
	holds 'all(.findings[]; .rule != "name-vanished" and .rule != "segment-leak")'
	# Whoever it was that had sized it is told.
	holds --arg a "$A" 'any(.findings[]; .rule == "resize-by-attacher" and (.message | test("pid [0-9]+.*pid [0-9]+")))'
	COLUMNS=200 "$SHMGUARD" report fleet >out
	grep -qF 'recorded in fleet/a, fleet/b' out
	holds '[.objects[0].recordings[] | split("/")[-1]] == ["a", "b"] and .objects[0].more_recordings == null'
	load html.bash
	"$SHMGUARD" report --format=html:page.html fleet
	open_page page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom objects) == *" fleet/a, fleet/b"* ]]
	"$SHMGUARD" log --object="$B" fleet >out
	grep -qF "rename(\"/dev/shm$A\"" out || grep -qF "rename(\"$A\"" out
	[ "$(grep -c 'ftruncate' out)" -eq 3 ]
	"$SHMGUARD" objects fleet >out
	run -1 grep -F "$A" out
	"$SHMGUARD" objects --all fleet >out
	[ "$(grep -cF "$B" out)" -eq 1 ]
}

@test "of many recordings that use one object four are named, and that there are more" {
	local name number=1
	load html.bash
	turns a "1:made(A)"
	for name in b c d e; do
		[ $name != e ] || report fleet >four.json
		turns $name "$((++number)):opened(A)"
	done
	report fleet >report.json
	holds --slurpfile four four.json '.objects[0] as $five | $four[0].objects[0] | $five.recordings == .recordings and
		(.recordings | length) == 4 and .more_recordings == null and $five.more_recordings'
	COLUMNS=200 "$SHMGUARD" report fleet >out
	grep -qE 'recorded in fleet/a, .*, fleet/d and others$' out
	"$SHMGUARD" report --format=html:page.html fleet
	open_page page.html >dom
	[[ $(text_of dom objects) == *" fleet/a, fleet/b, fleet/c, fleet/d and others"* ]]
}

@test "what another recording shows to be removed after this one's end is no leak; what nobody touches there is one" {
	turns a '1:os.ftruncate(made(A), 4096); os.ftruncate(made(B), 4096)'
	rm "/dev/shm$B"
	turns b '2:os.unlink(shm(A)); made(A + "x"); os.unlink(shm(A + "x"))'
	report fleet/a >report.json
	leaked "$A" "$B"
	report fleet >report.json
	leaked "$B"
	holds --arg b "$B" '.findings[] | select(.rule == "segment-leak") | .count == 1 and (.message | startswith($b))'
	holds --arg a "$A" '.objects[] | select(.names == [$a]) | .unlinked_by != null and .created_by != null'
	holds 'all(.findings[]; .rule != "name-vanished")'
	# As another boot had it they are two.
	jq '.boot = "another"' fleet/b/recording.json >new
	mv new fleet/b/recording.json
	report fleet >report.json
	leaked "$A" "$B"
}

@test "what a recording leaves to one that ends later is judged by the look of that" {
	both '1:fd = made(A); os.ftruncate(fd, 4096)
4:os.close(fd)' '2:fd = opened(A)
3:time.sleep(0.1)
5:time.sleep(1)'
	holds --arg a "$A" '[.findings[] | select(.rule == "segment-leak")] | length == 1 and
		(.[0].message | startswith($a) and contains("still exists and nobody uses it"))'
	# Whoever ended first had left it to a user.
	report fleet/a >report.json
	holds 'all(.findings[]; .rule != "segment-leak")'
}

# five_apart FILE FILE PATTERN: seconds between the last lines of each that have it, to be five.
five_apart()
{
	local at=()
	mapfile -t at < <(awk -v p="$3" 'FNR == 1 && NR > 1 {print last} $0 ~ p {last = $3} END {print last}' "$1" "$2")
	[ "$(bc <<<"d = ${at[1]} - ${at[0]}; d > 4.99 && d < 5.01")" -eq 1 ]
}

@test "recordings of one kernel are brought to one clock, as the time of day was corrected between them" {
	turns a '1:fd = made(A); os.ftruncate(fd, 4096)'
	run -137 turns b '2:os.ftruncate(opened(A), 8192); os.kill(os.getpid(), signal.SIGKILL)'
	local decoder
	for decoder in direct babeltrace2; do
		"$SHMGUARD" log --decoder=$decoder fleet >whole
		cp fleet/b/recording.json kept
		jq '.clock -= 5000000000' kept >fleet/b/recording.json
		"$SHMGUARD" log --decoder=$decoder fleet >moved
		mv kept fleet/b/recording.json
		five_apart whole moved 'ftruncate.*8192'
		five_apart whole moved SIGKILL
	done
}

@test "what came unseen while several recorded is named once; an object of another machine with its numbers does not hide it" {
	local outside
	(
		until [ -e turn-2 ]; do sleep 0.01; done
		truncate -s 4096 "/dev/shm$B"
		touch turn-3
	) &
	outside=$!
	both '1:fd = made(A); made(A + "x")
5:os.unlink(shm(A)); os.unlink(shm(A + "x"))' '2:pass
4:opened(A)'
	wait "$outside"
	holds --arg b "$B" '[.appeared[].name] == [$b]'
	cp -r fleet/b fleet/c
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/c
	report fleet >report.json
	holds --arg b "$B" '[.appeared[].name] == [$b, $b]'
	# As if that machine had given its inode to what a recorded process made here.
	jq --arg name "${A}x" '.objects[] | select(.names == [$name]) | .ino' report.json >inode
	jq --slurpfile inode inode '.objects[].ino = $inode[0]' fleet/c/shm.json >new
	mv new fleet/c/shm.json
	report fleet >report.json
	holds --arg b "$B" '[.appeared[].name] == [$b, $b]'
}

@test "of one user a family has no strangers, though the child has a recording of its own; who comes from elsewhere is one" {
	cat >family.py <<-'END'
		import _posixshmem, os, subprocess, sys
		A, B = os.environ["A"], os.environ["B"]
		os.close(_posixshmem.shm_open(A, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
		child = 'rm "/dev/shm$A"; touch "/dev/shm$B"; true'
		subprocess.run([sys.argv[1], "run", "--quiet", "--report=none", "-o", "fleet/b", "--", "sh", "-c", child], check=True)
		os.unlink("/dev/shm" + B)
	END
	record fleet/a "$PYTHON" family.py "$SHMGUARD"
	report fleet >report.json
	holds '[.findings[] | select(.rule == "unlink-by-stranger") | .severity, .count] == ["note", 1, "note", 1]'
	rm -r fleet/*
	record fleet/a sh -c 'touch "/dev/shm$A"; true'
	record fleet/b rm "/dev/shm$A"
	report fleet >report.json
	holds '[.findings[] | select(.rule == "unlink-by-stranger") | .severity, .count] == ["warning", 1]'
}

@test "the look that counts is the later one, whichever recording ended first" {
	both '1:fd = made(A); os.ftruncate(fd, 4096)
4:os.close(fd)' '2:fd = opened(A)
3:os.close(fd)
5:time.sleep(1); os.unlink(shm(A))'
	leaked
	report fleet/a >report.json
	leaked "$A"
	# The end of the one is told as later than that of the other, its look as sooner.
	jq --slurpfile b fleet/b/recording.json '.ended = $b[0].ended + 1000000000' fleet/a/recording.json >new
	mv new fleet/a/recording.json
	report fleet >report.json
	leaked
}

@test "who maps what another recording shrinks is named with the stack of the mapping" {
	both '1:fd = made(A); os.ftruncate(fd, 65536); m = mmap.mmap(fd, 65536)
4:m.close(); os.unlink(shm(A))' '2:fd = opened(A)
3:os.ftruncate(fd, 4096)'
	jq '.findings[] | select(.rule == "shrink-under-map")' report.json >finding
	jq -e '[.stacks[].role] == ["shrunk", "mapped"]' finding
	jq -e '.message | test("while python3[.0-9]* \\(pid [0-9]+\\) maps it")' finding
}

@test "a leak whose name another object has got since was one, and is gone" {
	turns a '1:os.ftruncate(made(A), 4096)'
	rm "/dev/shm$A"
	turns b '2:made(A); os.unlink(shm(A))'
	report fleet >report.json
	leaked "$A"
	holds '.findings[] | select(.rule == "segment-leak") | .message |
		contains("still existed when its recording ended") and contains("it is gone since")'
}

@test "a file system that another's device number was given to is another one" {
	needs_root "mounts"
	local job
	for job in a b; do
		echo 0 >turn-0
		JOB=$job A=/job-$job unshare -m bash -c 'mount -t tmpfs none /dev/shm && exec "$@"' mounted \
			"$SHMGUARD" run --quiet --report=none -o "fleet/$job" -- "$PYTHON" turns.py '1:os.ftruncate(made(A), 4096)'
	done
	report fleet >report.json
	leaked /job-a /job-b
	holds '[.objects[].names] | sort == [["/job-a"], ["/job-b"]]'
	# Where the kernel gives a tmpfs no id those that were not there at one time are not taken for one.
	for job in fleet/?/shm*.json; do
		jq 'del(.filesystem)' "$job" >new
		mv new "$job"
	done
	report fleet >report.json
	leaked /job-a /job-b
}

@test "a clock is set by the name that the report has for the machine" {
	local decoder
	turns a '1:os.ftruncate(made(A), 4096)'
	turns b '2:os.ftruncate(opened(A), 8192)'
	# As a container, whose own name its trace does not have.
	jq '.host = "shared-other"' fleet/b/recording.json >new
	mv new fleet/b/recording.json
	for decoder in direct babeltrace2; do
		"$SHMGUARD" log --decoder=$decoder fleet >whole
		"$SHMGUARD" log --decoder=$decoder --clock-offset=shared-other=5 fleet >moved
		five_apart whole moved 'ftruncate.*8192'
		run -3 "$SHMGUARD" log --decoder=$decoder --clock-offset=nowhere=5 fleet
		[[ $output == *"no trace here is of host 'nowhere'"* ]]
	done
}
