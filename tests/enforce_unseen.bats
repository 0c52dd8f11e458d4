#!/usr/bin/env bats
# The policy on calls that take pages away from those who map them and cannot be looked at: root's processes to a user, one that
# lets nobody look, those of another pid namespace, all of them without /proc.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load enforce_users

# mapper UID: a process of that user maps the object, which is uid 1234's, lets nobody look, and touches the end after spared().
mapper()
{
	rm -f "/dev/shm/$NAME" go alive
	mkfifo go
	program 'fd = os.open(PATH, RWC | os.O_EXCL, 0o600); os.chown(PATH, 1234, 1234); os.write(fd, b"k" * 8192); os.close(fd)
uid = int(sys.argv[1]); os.setresuid(uid, uid, uid)
m = mmap.mmap(os.open(PATH, os.O_RDWR), 8192); libc.prctl(4, 0); print("mapped", flush=True); sys.stdin.read(1); print(m[8191])'
	mv program.py mapper.py
	"$PYTHON" mapper.py "$1" <>go >alive 3>&- &
	MAPPER=$!
	timeout 10 bash -c 'until grep -q mapped alive; do sleep .01; done'
}

# spared BYTE: the mapper lives, and finds that as the last one.
spared()
{
	echo >go
	wait "$MAPPER"
	[ "$(sed -n 2p alive)" = "$1" ]
}

# elsewhere COMMAND...: the guarded program, as root, where COMMAND brings it.
elsewhere()
{
	chmod 644 program.py policy.ini
	timeout 30 "$@" env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py >out 2>log
}

# is_kept ACTION ERRNO RULE: the program was told so, and the object has its size.
is_kept()
{
	if [ "$1" = deny ]; then
		[ "$(cat out)" = "$2" ]
		grep -q "rule=$3 object=/$NAME action=denied errno=$2 .*why=users-unknown" log
		spared 107
	else
		grep -q '^ok' out
		grep -q "rule=$3 object=/$NAME action=fixed errno=0 .*why=users-unknown" log
		spared 0
	fi
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 8192 ]
}

@test "O_TRUNC of what somebody may map who cannot be looked at is denied, or leaves the size" {
	for action in deny fix; do
		policy 'log = stderr' "truncate-on-open = $action"
		for uid in 0 1234; do
			mapper "$uid"
			by 1234 'attempt(os.open, PATH, os.O_RDONLY | os.O_TRUNC)' 2>log
			is_kept "$action" EACCES truncate-on-open
			mapper "$uid"
			by 1234 'attempt(lambda: open(PATH, "w"))' 2>log
			is_kept "$action" EACCES truncate-on-open
		done
		program 'attempt(os.open, PATH, os.O_RDWR | os.O_TRUNC)'
		mv program.py truncates.py
		for way in 'unshare --pid --fork --mount-proc "$@"' 'unshare --mount bash -c "mount -t tmpfs tmpfs /proc; exec \"\$@\"" - "$@"'; do
			mapper 0
			cp truncates.py program.py
			eval "there() { $way; }"
			export -f there
			elsewhere bash -c 'there "$@"' -
			is_kept "$action" EACCES truncate-on-open
		done
	done
}

@test "in audit mode, and of what a child is to open, O_TRUNC is judged likewise of who cannot be looked at" {
	policy 'log = stderr' 'mode = audit' 'truncate-on-open = deny'
	mapper 0
	by 1234 'os.open(PATH, os.O_RDWR | os.O_TRUNC)' 2>log
	grep -q "rule=truncate-on-open object=/$NAME action=audit would=denied .*why=users-unknown" log
	[ ! -s "/dev/shm/$NAME" ]
	kill "$MAPPER"
	policy 'log = stderr' 'truncate-on-open = deny'
	mapper 0
	by 1234 'attempt(os.posix_spawn, "/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 5, PATH, os.O_WRONLY | os.O_TRUNC, 0)])' 2>log
	is_kept deny EACCES truncate-on-open
}

@test "what nobody else has open is emptied as asked, and so is what somebody is seen to have open" {
	sleep 60 3>&- &
	local another=$!
	policy 'log = stderr' 'truncate-on-open = deny'
	by 1234 'os.umask(0o22); open(PATH, "w").write("old"); attempt(os.open, PATH, os.O_WRONLY | os.O_TRUNC); print(os.stat(PATH).st_size)' 2>log
	[ "$(tail -n 1 out)" = 0 ]
	[ "$(grep -c users-unknown log)" -eq 0 ]
	by 1234 'log = os.open(PATH, RWC | os.O_APPEND, 0o644); os.write(log, b"old")
ready, go = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(go[1]); os.read(go[0], 1); os._exit(0)
os.close(log); attempt(os.truncate, PATH, 2); attempt(os.open, PATH, os.O_WRONLY | os.O_TRUNC); print(os.stat(PATH).st_size)' 2>log
	[ "$(tail -n 1 out)" = 0 ]
	grep -q "rule=truncate-on-open object=/$NAME action=recorded errno=0 .*why=users-unknown" log
	kill "$another"
}

@test "shrinking what somebody may map who cannot be looked at is denied, or leaves the size" {
	for action in deny fix; do
		policy 'log = stderr' "shrink-under-map = $action"
		for uid in 0 1234; do
			for call in 'os.truncate, PATH, 4096' 'os.ftruncate, os.open(PATH, os.O_RDWR), 0'; do
				mapper "$uid"
				by 1234 "attempt($call)" 2>log
				is_kept "$action" EPERM shrink-under-map
			done
		done
		mapper 0
		program 'attempt(os.ftruncate, os.open(PATH, os.O_RDWR), 0)'
		elsewhere unshare --pid --fork --mount-proc
		is_kept "$action" EPERM shrink-under-map
	done
}

@test "who shrinks its own object is not refused, and told where nobody can tell who maps it" {
	policy 'log = stderr' 'shrink-under-map = deny'
	by 1234 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); attempt(os.ftruncate, fd, 0)' 2>log
	[ "$(cat out)" = 'ok None' ]
	[ "$(grep -c shrink-under-map log)" -eq 0 ]
	by 1234 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 4096); attempt(os.truncate, PATH, 4096)
os.ftruncate(fd, 8192); again = os.open(PATH, os.O_RDWR); attempt(os.ftruncate, fd, 4096)' 2>log
	[ "$(cat out)" = $'ok None\nok None' ]
	[ "$(grep -c "rule=shrink-under-map object=/$NAME action=recorded errno=0 .*why=users-unknown" log)" -eq 2 ]
	[ "$(grep -c shrink-under-map log)" -eq 2 ]
}

@test "at the last close a secret that somebody may map who cannot be looked at is not wiped, and that is told" {
	policy 'log = stderr' 'secret-left = fix' 'secret = yes'
	mapper 1234
	by 1234 'os.close(os.open(PATH, os.O_RDWR)); attempt(os.stat, PATH); sys.stdout.flush(); os.kill(os.getpid(), 9)' 2>log || true
	grep -q "rule=secret-left object=/$NAME action=recorded errno=0 at=[^e].* why=not-wiped:perhaps-mapped" log
	spared 107
	by 1234 'fd = shm_open(NAME + "-own", RWC, mode=0o600); os.write(fd, b"1"); os.close(fd); print(open(PATH + "-own", "rb").read())' 2>log
	[ "$(cat out)" = "b'\\x00'" ]
}
