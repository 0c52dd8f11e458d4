#!/usr/bin/env bats
# The policy on an object that has several names, or lost one: it is what it was, whichever name leads there.
bats_require_minimum_version 1.5.0
load helpers
load enforce

# left_by CODE: a secret object with a key in it, under a policy that wipes what is left.
left_by()
{
	rm -rf audit.log "/dev/shm/$NAME"*
	policy 'predictable-name = off' '[keys]' "name = /$NAME, /$NAME-d/sec" 'secret = yes' 'secret-left = fix' 'zero = on-last-unmap'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.write(fd, b"key")
'"$1"
}

# wiped PATH...: nothing is left of the key, and the trail says that this was done, and of what.
wiped()
{
	for path; do
		[ -z "$(tr -d '\0' <"/dev/shm/$path")" ]
		[ "$(stat -c %s "/dev/shm/$path")" -eq 3 ]
		grep -q "rule=secret-left object=/$path action=fixed" audit.log
	done
}

@test "a secret is wiped at exit whatever names it had meanwhile" {
	left_by 'os.link(PATH, PATH + "-2"); os.unlink(PATH + "-2")'
	wiped "$NAME"
	left_by 'os.link(PATH, PATH + "-2"); os.unlink(PATH + "-2"); m = mmap.mmap(fd, 3); os.close(fd); m.close()'
	wiped "$NAME"
	left_by 'os.mkdir(PATH + "-d"); os.link(PATH, PATH + "-d/x"); os.unlink(PATH + "-d/x")'
	wiped "$NAME"
	left_by 'os.mkdir(PATH + "-d"); os.rename(PATH, PATH + "-d/sec"); os.link(PATH + "-d/sec", PATH + "-d/x"); os.unlink(PATH + "-d/sec")'
	wiped "$NAME-d/x"
	left_by 'os.link(PATH, PATH + "-2"); os.link(PATH, PATH + "-3"); os.unlink(PATH); os.unlink(PATH + "-2")'
	wiped "$NAME-3"
	left_by 'shm_open(NAME + "-2", RWC, mode=0o600); os.link(PATH, PATH + "-3"); os.rename(PATH + "-2", PATH)'
	wiped "$NAME-3"
	rm -r "/dev/shm/$NAME"*
}

@test "a secret is wiped at exit where another process has given it its only name" {
	rm -f made moved
	(
		until [ -e made ]; do sleep 0.01; done
		ln "/dev/shm/$NAME" "/dev/shm/$NAME-2"
		rm "/dev/shm/$NAME"
		: >moved
	) &
	local mover=$!
	left_by 'import time; open("made", "w")
while not os.path.exists("moved"):
    time.sleep(0.01)'
	wait "$mover"
	wiped "$NAME-2"
}

@test "an object of several names is held to the sections of all of them, until they are gone" {
	policy 'predictable-name = off' 'create-without-excl = off' '[small]' "name = /$NAME" 'max-size = 4096' 'object-too-large = deny' \
		'[closed]' "name = /$NAME-2" 'max-mode = 0600' 'mode-too-open = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); os.link(PATH, PATH + "-2")
other = shm_open(NAME + "-2", os.O_RDWR, mode=0)
attempt(os.ftruncate, other, 4097); attempt(os.ftruncate, fd, 4097); attempt(os.truncate, PATH + "-2", 4097); attempt(os.posix_fallocate, other, 0, 4097)
attempt(os.fchmod, fd, 0o640); attempt(os.chmod, PATH, 0o640); attempt(os.chmod, PATH + "-2", 0o640)
os.unlink(PATH + "-2"); attempt(os.fchmod, other, 0o640); attempt(os.ftruncate, other, 4097)
os.link(PATH, PATH + "-3"); os.unlink(PATH); attempt(os.ftruncate, other, 4097)'
	same out <(printf '%s\n' EFBIG EFBIG EFBIG EFBIG EACCES EACCES EACCES 'ok None' EFBIG 'ok None')
	rm "/dev/shm/$NAME-3"
	rm audit.log
	guarded 'fd = shm_open(NAME + "-4", RWC, mode=0o600); os.link(PATH + "-4", PATH + "-5"); attempt(os.ftruncate, fd, 4097); attempt(os.fchmod, fd, 0o640)'
	[ "$(cat out)" = $'ok None\nok None' ]
	cat audit.log
	[ ! -s audit.log ]
}

@test "a section of one name decides what is attached to by the other" {
	policy 'predictable-name = off' '[fresh]' "name = /$NAME" 'zero = on-attach'
	printf left >"/dev/shm/$NAME"
	printf kept >"/dev/shm/$NAME-3"
	ln "/dev/shm/$NAME" "/dev/shm/$NAME-2"
	ln "/dev/shm/$NAME-3" "/dev/shm/$NAME-4"
	guarded 'print(os.read(shm_open(NAME + "-2", RWC, mode=0o600), 9)); print(os.read(os.open(PATH + "-4", RWC), 9))'
	cat out audit.log
	[ "$(cat out)" = "b'\\x00\\x00\\x00\\x00'"$'\n'"b'kept'" ]
}

@test "a line tells the name that the object has, and none that is gone" {
	policy 'predictable-name = off' 'create-without-excl = warn' 'object-too-large = deny' 'max-size = 4096'
	guarded 'fd = shm_open(NAME, RWC | os.O_EXCL, mode=0o600); os.link(PATH, PATH + "-2"); os.unlink(PATH + "-2")
attempt(shm_open, NAME, os.O_RDWR | os.O_CREAT, mode=0o600); attempt(os.ftruncate, fd, 4097)
os.link(PATH, PATH + "-3"); os.unlink(PATH); attempt(os.ftruncate, fd, 4097)'
	cat audit.log
	run -1 grep "object=/$NAME-2" audit.log
	[ "$(grep -c "object=/$NAME " audit.log)" -ge 1 ]
	[ "$(grep -o 'rule=object-too-large object=[^ ]*' audit.log | xargs)" = \
		"rule=object-too-large object=/$NAME rule=object-too-large object=/$NAME-3" ]
}

@test "an object counts as one until its last name is gone" {
	policy 'predictable-name = off' 'max-objects = 2' 'too-many-objects = deny'
	guarded 'def made(name):
    os.close(os.open(PATH + name, RWC, 0o600))
made("-1"); os.link(PATH + "-1", PATH + "-2"); os.unlink(PATH + "-2"); os.link(PATH + "-1", PATH + "-3"); os.unlink(PATH + "-1")
made("-4"); attempt(made, "-5"); os.unlink(PATH + "-3"); attempt(made, "-5"); os.rename(PATH + "-4", PATH + "-5"); attempt(made, "-6")
attempt(made, "-7")'
	same out <(printf '%s\n' EMFILE 'ok None' 'ok None' EMFILE)
}

@test "what has no name uses none that could be refused, by whatever path it is come to; what has one does" {
	policy 'predictable-name = off' "names = /$NAME-ok*" 'name-not-allowed = deny' 'truncate-on-open = deny' 'max-mode = 0600' 'mode-too-open = deny'
	guarded 'def way(fd, root="/proc/self/fd"):
    return "%s/%d" % (root, fd)
def opened(path, flags=os.O_RDWR):
    os.close(os.open(path, flags))
fd = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600); os.ftruncate(fd, 4096); map(fd, 4096)
attempt(opened, way(fd)); attempt(opened, way(fd, "/dev/fd"), os.O_RDONLY); attempt(lambda: open(way(fd)).close()); attempt(os.truncate, way(fd), 8192)
attempt(os.chmod, way(fd), 0o400); attempt(os.chmod, way(fd), 0o644); attempt(opened, way(fd), os.O_RDWR | os.O_TRUNC)
os.chmod(way(fd), 0o600); actions = [(os.POSIX_SPAWN_OPEN, 9, way(fd), os.O_RDWR, 0)]
attempt(lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ, file_actions=actions), 0)[1])
libc.linkat(-100, way(fd).encode(), -100, (PATH + "-ok").encode(), 0x400); attempt(opened, way(fd)); os.rename(PATH + "-ok", PATH + "-ok2"); attempt(opened, way(fd))
other = os.open(PATH + "-ok", RWC, 0o600); os.unlink(PATH + "-ok"); attempt(opened, way(other))
unguarded = {"x86_64": 316, "aarch64": 276}[os.uname().machine]
libc.syscall(unguarded, -100, (PATH + "-ok2").encode(), -100, (PATH + "-no").encode(), 0)
attempt(opened, way(fd)); attempt(os.truncate, way(fd), 1); attempt(os.chmod, way(fd), 0o600)'
	same out <(printf '%s\n' 'ok None' 'ok None' 'ok None' 'ok None' 'ok None' EACCES EACCES 'ok 0' 'ok None' 'ok None' 'ok None' EACCES EACCES EACCES)
}

@test "an object that gets one of the names that are limited counts, by rename and by link" {
	policy 'predictable-name = off' '[few]' "name = /$NAME-a*" 'max-objects = 2' 'too-many-objects = deny'
	guarded 'def made(name):
    os.close(os.open(PATH + name, RWC, 0o600))
for name in "-b1", "-b2", "-b3":
    made(name)
move = lambda call, one, other: attempt(call, PATH + one, PATH + other)
move(os.rename, "-b1", "-a1"); move(os.link, "-b2", "-a2"); move(os.rename, "-b3", "-a3"); move(os.link, "-b3", "-a3"); attempt(made, "-a3")
move(os.link, "-b2", "-a4"); move(os.link, "-a4", "-b4"); move(os.link, "-b4", "-a5"); move(os.rename, "-a1", "-a6")
move(os.link, "-b3", "-a2"); move(os.rename, "-b3", "-a6"); move(os.rename, "-a6", "-b5"); made("-a7")'
	same out <(printf '%s\n' 'ok None' 'ok None' EMFILE EMFILE EMFILE 'ok None' 'ok None' 'ok None' 'ok None' EEXIST 'ok None' 'ok None')
	[ "$(grep -c 'rule=too-many-objects .*action=denied errno=EMFILE' audit.log)" -eq 3 ]
}

@test "what another process made does not count where it is renamed, nor what fails anyway" {
	install -m 600 /dev/null "/dev/shm/$NAME-b1"
	mkdir "/dev/shm/$NAME-a2"
	policy 'predictable-name = off' '[few]' "name = /$NAME-a*" 'max-objects = 1' 'too-many-objects = deny'
	guarded 'os.close(os.open(PATH + "-a", RWC, 0o600)); os.close(os.open(PATH + "-c", RWC, 0o600))
attempt(os.rename, PATH + "-b1", PATH + "-a1"); attempt(os.rename, PATH + "-c", PATH + "-a2"); attempt(os.rename, PATH + "-none", PATH + "-a3")
attempt(os.rename, PATH + "-c", PATH + "-d")'
	rmdir "/dev/shm/$NAME-a2"
	same out <(printf '%s\n' 'ok None' EISDIR ENOENT 'ok None')
	run -1 grep too-many-objects audit.log
}
