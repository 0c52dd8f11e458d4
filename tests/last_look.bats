#!/usr/bin/env bats
# What was done to objects by nobody who was recorded: the look at /dev/shm when a recording stops knows, and every form says.

bats_require_minimum_version 1.5.0

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >makes.py <<-'END'
		import _posixshmem, os, sys, time
		for i in range(5):
		    fd = _posixshmem.shm_open("%s-%d" % (sys.argv[1], i), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.ftruncate(fd, 4096)
		    os.close(fd)
		open("made", "w").close()
		while not os.path.exists("done"):
		    time.sleep(0.02)
	END
	NAME=/looked-$$
}

teardown()
{
	rm -rf "/dev/shm$NAME"-*
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

# recorded RECORDING CHANGES: the shell's changes are made meanwhile, by nobody who is recorded.
recorded()
{
	local recorder
	# shellcheck disable=SC2086 # there may be none
	"$SHMGUARD" run --quiet --report=none ${3:-} -o "$1" -- "$PYTHON" makes.py "$NAME" 3>&- &
	recorder=$!
	until [ -e made ]; do sleep 0.02; done
	eval "$2"
	touch "done"
	wait $recorder
	rm made "done"
}

@test "names, sizes and modes at the end are those that the look found" {
	local shm=/dev/shm$NAME
	recorded out "mv '$shm-1' '$shm-9'; ln '$shm-0' '$shm-hard'; truncate -s 100000 '$shm-2'; chmod 666 '$shm-3'"
	"$SHMGUARD" objects --object="$NAME-*" out | grep -v '^  recorded' >list
	grep -qE "^$NAME-0, $NAME-hard$|^$NAME-hard, $NAME-0$" list
	grep -qx "$NAME-1 (removed), $NAME-9" list
	grep -A1 -x "$NAME-2" list | grep -q ' 98 KiB (100000 bytes), mode 0600'
	grep -A1 -x "$NAME-3" list | grep -q ' 4 KiB (4096 bytes), mode 0666'
	report out >report.json
	holds --arg name "$NAME-9" 'any(.objects[]; (.names | index($name)) and .size == 4096)'
	holds --arg name "$NAME-2" 'any(.objects[]; .names == [$name] and .size == 100000)'
	holds --arg name "$NAME-3" 'any(.objects[]; .names == [$name] and .mode == 438)'
	for name in 9 hard; do
		run -1 "$SHMGUARD" report --fail-on=error --object="$NAME-$name" out
		[[ $output == *"$NAME-$name"* ]]
	done
	printf 'segment-leak:%s\n' "$NAME-9" "$NAME-hard" "$NAME-[234]" >known
	run -0 "$SHMGUARD" report --fail-on=error --suppress=known out
	[[ $output != *unused* ]]
}

@test "so they are with --max-size and --snapshot-on, and where a clock is set" {
	local how shm=/dev/shm$NAME host
	for how in --max-size=64M --snapshot-on=error ""; do
		recorded "out$how" "mv '$shm-1' '$shm-9'; truncate -s 100000 '$shm-2'" "$how"
		host=$(jq -r .host "out$how/recording.json")
		for offset in 0 1000 -1000; do
			"$SHMGUARD" objects --clock-offset="$host=$offset" "out$how" >list
			grep -qx "$NAME-1 (removed), $NAME-9" list
			grep -A1 -x "$NAME-2" list | grep -q ' 98 KiB (100000 bytes)'
		done
		rm -f "$shm"-*
	done
}

@test "a name in a directory that the look may not read is not said to be removed" {
	needs_root "a directory of another user"
	make_nobody_build
	mkdir -m 733 "/dev/shm$NAME-closed"
	cat >"$NOBODY_HOME/links.py" <<-'END'
		import _posixshmem, os, sys
		os.close(_posixshmem.shm_open(sys.argv[1] + "-0", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		os.link("/dev/shm" + sys.argv[1] + "-0", "/dev/shm" + sys.argv[1] + "-closed/second")
	END
	chmod 644 "$NOBODY_HOME/links.py"
	(cd "$NOBODY_HOME" && as_nobody "$NOBODY_BUILD/shmguard" run --quiet --report=none -o out -- "$PYTHON" links.py "$NAME")
	"$SHMGUARD" objects "$NOBODY_HOME/out" >list
	grep -qx "$NAME-0, $NAME-closed/second" list
}

@test "what nobody else touched is as it was recorded, and what was removed has vanished" {
	recorded out "rm '/dev/shm$NAME-4'"
	report out >report.json
	holds --arg name "$NAME-4" '[.findings[] | select(.rule == "name-vanished")] | length == 1 and (.[0].message | contains($name))'
	holds --arg name "$NAME-" '[.objects[] | select(.leaked) | .names[0]] | length == 4 and all(startswith($name))'
	"$SHMGUARD" objects --all out | grep -qx "$NAME-4 (gone, removed by nobody in the recording)"
}

@test "what nobody seen linked before its name was removed still exists, and no form has it removed; what is removed after the look is" {
	echo 'import _posixshmem; _posixshmem.shm_unlink(sys.argv[1] + "-0")' >>makes.py
	recorded out "ln '/dev/shm$NAME-0' '/dev/shm$NAME-hard'"
	report out >report.json
	holds --arg name "$NAME-hard" 'any(.findings[]; .rule == "segment-leak" and (.message | startswith($name) and contains("never unlinked")))'
	holds --arg name "$NAME-hard" 'any(.objects[]; .names[-1] == $name and .leaked and .unlinked_by == null)'
	COLUMNS=120 "$SHMGUARD" report out | grep -E "^  $NAME-hard .* -  +LEAKED$"
	# Of a process that outlives the recording.
	jq --slurpfile recording out/recording.json '.looked = $recording[0].started + 1' out/shm.json >later
	mv later out/shm.json
	report out >report.json
	holds --arg name "$NAME-0" 'any(.objects[]; (.names | index($name)) and (.leaked | not) and .unlinked_by != null)'
	holds --arg name "$NAME-1" 'any(.objects[]; (.names | index($name)) and .leaked)'
	holds '[.findings[] | select(.rule == "segment-leak") | .count] == [4]'
}
