#!/usr/bin/env bats
# The first call of a process that is recorded, with which LTTng comes up, is told when it was: before what others did of it.

load helpers
bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	NAME=/beginnings-$$
}

teardown()
{
	rm -f "/dev/shm$NAME"*
}

# meets MAKER: what a process makes by its first call another, recorded for long, finds and removes at once.
meets()
{
	cat >meets.py <<-END
		import os, sys, time
		from _posixshmem import shm_open, shm_unlink
		name, path = sys.argv[1], "/dev/shm" + sys.argv[1]
		maker = os.fork()
		if maker == 0:
		    time.sleep(0.3)
		    $1
		    os._exit(0)
		os.close(shm_open(name + "-warm", os.O_CREAT | os.O_RDWR, 0o600))
		while not os.path.exists(path):
		    pass
		time.sleep(0.005)
		shm_unlink(name)
		os.waitpid(maker, 0)
		shm_unlink(name + "-warm")
	END
	# The maker may be held up between the call and what it tells of it, by a busy machine: not each time.
	for _ in 1 2 3; do
		rm -rf recording
		[ -e "/dev/shm$NAME-first" ] || : >"/dev/shm$NAME-first"
		record recording "$PYTHON" meets.py "$NAME"
		report recording >report.json
		holds '.trace.complete and (.findings | all(.rule != "name-vanished"))'
		"$SHMGUARD" log recording | grep -F "$NAME\"" | grep -v 'ENOENT' >calls
		[ "$(wc -l <calls)" -ge 2 ]
		[[ $(tail -n 1 calls) != *shm_unlink* ]] || break
	done
	[[ $(tail -n 1 calls) == *shm_unlink* ]]
}

@test "shm_open that makes an object" {
	meets 'shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)'
}

@test "open that makes an object, with O_EXCL and without" {
	meets 'os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)'
	meets 'os.open(path, os.O_CREAT | os.O_RDWR, 0o600)'
	meets 'open(path, "w")'
}

@test "a rename onto /dev/shm, and a link" {
	meets 'os.rename(path + "-first", path)'
	meets 'os.link(path + "-first", path)'
}

@test "O_TRUNC under a mapping that somebody touches all the time" {
	cat >empties.py <<-'END'
		import mmap, os, sys, time
		from _posixshmem import shm_open
		fd = shm_open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
		os.ftruncate(fd, 65536)
		writer = os.fork()
		if writer == 0:
		    time.sleep(0.3)
		    exec(sys.argv[2])
		    os._exit(0)
		m = mmap.mmap(fd, 65536)
		while True:
		    m[40000] = 1
	END
	local how
	for how in 'open("/dev/shm" + sys.argv[1], "w")' 'os.execlp("sh", "sh", "-c", ": >/dev/shm" + sys.argv[1])'; do
		rm -rf recording "/dev/shm$NAME"
		run timeout -k 1 30 "$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" empties.py "$NAME" "$how"
		[ "$status" -eq 135 ]
		report recording >report.json
		# Of a touch between the call and what is told of it the object's new size is all that is known by then.
		holds '[.findings[] | select(.rule == "sigbus-cause")] | length == 1 and (.[0].message | test("O_TRUNC|had found it resized"))'
		holds 'any(.findings[]; .rule == "truncate-on-open" and .severity == "error")'
	done
}

@test "what is no object, or is not there, brings up nothing" {
	cat >ordinary.py <<-'END'
		import os, tempfile
		with tempfile.NamedTemporaryFile(dir=".") as file:
		    os.rename(file.name, "other")
		    os.link("other", file.name)
		open("other", "w").close()
		print(len(os.listdir("/proc/self/task")))
	END
	[ "$(record recording "$PYTHON" ordinary.py)" = 1 ]
	report recording >report.json
	holds '.trace.events == 0 and .unseen == []'
}
