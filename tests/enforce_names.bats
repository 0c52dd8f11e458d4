#!/usr/bin/env bats
# The policy at every way to a name: whatever the spelling, and whatever the call that puts an object there.
load helpers
load enforce

@test "rename and link put no object under a name that is not allowed" {
	policy "names = /$NAME, /$NAME-ok" 'name-not-allowed = deny'
	guarded 'shm_open(NAME, RWC, mode=0o600)
attempt(os.rename, PATH, PATH + "-x"); attempt(os.link, PATH, PATH + "-x"); attempt(os.symlink, PATH, PATH + "-s")
attempt(libc.renameat2, -100, PATH.encode(), -100, (PATH + "-x").encode(), 0)
attempt(os.link, PATH, PATH + "-ok"); attempt(os.unlink, PATH + "-ok"); attempt(os.rename, PATH, PATH + "-ok")'
	[ "$(cat out)" = $'EACCES\nEACCES\nok None\nok -1\nok None\nok None\nok None' ]
	[ ! -e "/dev/shm/$NAME-x" ] && [ -e "/dev/shm/$NAME-ok" ] && [ ! -e "/dev/shm/$NAME" ]
}

@test "rename and link put no object into place with a mode that is denied; fixed, it is narrow before" {
	policy '[wide]' "name = /$NAME-narrow*" 'max-mode = 0600' 'mode-too-open = deny'
	code='shm_open(NAME, RWC, mode=0o666); shm_open(NAME + "-2", RWC, mode=0o600)
attempt(os.rename, PATH, PATH + "-narrow"); attempt(os.link, PATH, PATH + "-narrow"); attempt(os.rename, PATH + "-2", PATH + "-narrow2")'
	guarded "$code"
	[ "$(cat out)" = $'EACCES\nEACCES\nok None' ]
	[ ! -e "/dev/shm/$NAME-narrow" ]
	[ -e "/dev/shm/$NAME-narrow2" ]
	[ "$(stat -c %a "/dev/shm/$NAME")" = 666 ]
	policy '[wide]' "name = /$NAME-narrow*" 'max-mode = 0600' 'mode-too-open = fix'
	guarded 'attempt(os.rename, PATH, PATH + "-narrow")'
	[ "$(stat -c %a "/dev/shm/$NAME-narrow")" = 600 ]
}

@test "a rename or link that is denied, or fails, leaves the mode as it was and tells of nothing fixed" {
	[ "$(id -u)" -eq 0 ] || skip "only root can make another user's object"
	policy 'world-writable = fix' 'mode-too-open = fix' '[theirs]' "name = /$NAME-x" 'unlink-by-stranger = deny' 'max-mode = 0600'
	mkdir -m 700 "/dev/shm/$NAME-d"
	install -m 600 -o 65534 /dev/null "/dev/shm/$NAME-x"
	mkdir "/dev/shm/$NAME-dd"
	code='held = PATH + "-d/f"; os.close(os.open(held, RWC, 0o1666)); os.close(os.open(PATH + "-y", RWC, 0o600))
def left():
    print(oct(os.stat(held).st_mode & 0o7777))
attempt(os.rename, held, PATH + "-x"); attempt(os.link, held, PATH + "-y"); attempt(os.rename, held, PATH + "-dd"); left()
done = libc.renameat2(-100, held.encode(), -100, (PATH + "-y").encode(), 1); print(done, errno.errorcode[ctypes.get_errno()]); left()
libc.renameat2(-100, held.encode(), -100, (PATH + "-none").encode(), 2); print(errno.errorcode[ctypes.get_errno()]); left()'
	guarded "$code"
	[ "$(xargs <out)" = 'EACCES EEXIST EISDIR 0o1666 -1 EEXIST 0o1666 ENOENT 0o1666' ]
	[ "$(grep -v '=predictable-name\|=create-without-excl' audit.log | grep -o 'rule=.* errno=[A-Z0]*')" = \
		"rule=unlink-by-stranger object=/$NAME-x action=denied errno=EACCES" ]
	guarded 'os.link(PATH + "-d/f", PATH + "-z")'
	[ "$(stat -c %a "/dev/shm/$NAME-z")" = 1664 ]
	[ "$(grep -c "rule=world-writable object=/$NAME-z action=fixed" audit.log)" -eq 1 ]
	rm -r "/dev/shm/$NAME-d" "/dev/shm/$NAME-dd"
}

# Python's own os.link does not follow the links of /proc.
LINKAT='def linkat(fd, path, to, flags):
    done = libc.linkat(fd, path.encode(), -100, (PATH + to).encode(), flags)
    print("ok" if done == 0 else errno.errorcode[ctypes.get_errno()])
def named(fd, to):
    linkat(fd, "", to, 0x1000)
def followed(fd, to):
    linkat(-100, f"/proc/self/fd/{fd}", to, 0x400)
def made(mode=0o600):
    return os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, mode)
'

@test "what lost the name that it was made by is held to the one that it has, and so is what seems to be deleted" {
	[ "$(id -u)" -eq 0 ] || skip "linkat of a descriptor needs root"
	policy 'world-writable = fix' '[small]' "name = /$NAME-[123]" 'max-size = 4096' 'object-too-large = deny'
	code="$LINKAT"'
def linked(fd, to):
    os.link(PATH, PATH + to); os.unlink(PATH); return fd
def try_(fd, to):
    attempt(os.fchmod, fd, 0o666); attempt(os.chmod, PATH + to, 0o622); attempt(os.ftruncate, fd, 4097)
    print(oct(os.stat(PATH + to).st_mode & 0o777))
try_(linked(shm_open(NAME, RWC, mode=0o600), "-1"), "-1")
fd = made(); named(fd, "-2"); try_(fd, "-2"); fd = made(); followed(fd, "-3"); try_(fd, "-3")
try_(shm_open(NAME + "-4 (deleted)", RWC, mode=0o600), "-4 (deleted)")
os.mkdir(PATH + "-5", 0o700); fd = os.open(PATH + "-5/x", RWC, 0o600); os.link(PATH + "-5/x", PATH + "-6"); try_(fd, "-6")
os.unlink(PATH + "-5/x"); try_(fd, "-6"); os.rmdir(PATH + "-5")
fd = made(); os.fchmod(fd, 0o666); print(oct(os.fstat(fd).st_mode & 0o777))'
	guarded "$code"
	same out <(for i in 1 2 3; do [ $i = 1 ] || echo ok; printf '%s\n' 'ok None' 'ok None' EFBIG 0o620; done
		for i in 4 6 6; do printf '%s\n' 'ok None' 'ok None' 'ok None' 0o620; done; echo 0o666)
	rm -r "/dev/shm/$NAME"-*
	policy 'world-writable = deny'
	guarded "$code"
	[ "$(grep -c EACCES out)" -eq 12 ]
	[ "$(grep -c 'world-writable.*action=denied' audit.log)" -eq 12 ]
}

@test "a second name leads to no object whose first is not allowed" {
	[ "$(id -u)" -eq 0 ] || skip "linkat of a descriptor needs root"
	policy "names = /$NAME-*" 'name-not-allowed = deny'
	touch "/dev/shm/$NAME"
	guarded "$LINKAT"'
held = os.open(PATH, os.O_PATH)
attempt(os.link, PATH, PATH + "-1"); followed(held, "-2"); named(held, "-3")
followed(made(), "-4"); named(made(), "-5"); attempt(os.link, PATH + "-4", PATH + "-6")'
	[ "$(xargs <out)" = 'EACCES EACCES EACCES ok ok ok None' ]
	[ "$(cd /dev/shm && echo "$NAME-"*)" = "$NAME-4 $NAME-5 $NAME-6" ]
}

@test "what was made without a name is narrow before it gets one, and told as fixed only if it was; it counts from then" {
	[ "$(id -u)" -eq 0 ] || skip "linkat of a descriptor needs root"
	policy 'max-mode = 0600' 'mode-too-open = fix' 'max-objects = 3' 'too-many-objects = deny'
	guarded "$LINKAT"'
wide = made(0o666)
named(made(0o666), "-1"); named(os.open(f"/proc/self/fd/{wide}", os.O_PATH), "-2"); followed(made(0o666), "-3")
followed(made(0o666), "-4"); attempt(shm_open, NAME + "-5", RWC, mode=0o600)
os.unlink(PATH + "-1"); followed(made(0o666), "-6"); attempt(os.link, PATH + "-2", PATH + "-7")'
	[ "$(xargs <out)" = 'ok ok ok EMFILE EMFILE ok ok None' ]
	[ "$(cd /dev/shm && stat -c '%n %a' "$NAME-"* | sed "s/$NAME-//" | xargs)" = '2 600 3 600 6 600 7 600' ]
	[ "$(grep -c 'mode-too-open.*action=fixed' audit.log)" -eq 4 ]
}

@test "rename over another user's object is denied" {
	[ "$(id -u)" -eq 0 ] || skip "only root can make another user's object"
	install -m 600 -o 65534 /dev/null "/dev/shm/$NAME"
	policy 'unlink-by-stranger = deny'
	guarded 'shm_open(NAME + "-2", RWC, mode=0o600); attempt(os.rename, PATH + "-2", PATH); attempt(os.unlink, PATH); attempt(shm_unlink, NAME)
attempt(os.unlink, PATH + "-2")'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES\nok None' ]
	[ "$(stat -c %u "/dev/shm/$NAME")" -eq 65534 ]
	[ "$(grep -c rule=unlink-by-stranger audit.log)" -eq 3 ]
}

@test "a name spelled in another way meets the section of its name" {
	policy '[narrow]' "name = /$NAME*" 'max-mode = 0600' 'mode-too-open = fix'
	ln -s /dev/shm shm
	guarded 'home = os.getcwd(); os.open("/dev/../dev/shm" + NAME, RWC, 0o666); os.open("shm" + NAME + "-link", RWC, 0o666)
os.chdir("/dev/shm"); os.open(NAME[1:] + "-cwd", RWC, 0o666)
at = os.open("/dev/shm", os.O_RDONLY); os.open(NAME[1:] + "-at", RWC, 0o666, dir_fd=at); os.chdir(home)
os.open(PATH + "x", RWC, 0o666); os.close(os.open("/dev/shm//" + NAME + "-slash", RWC, 0o666))'
	[ "$(stat -c %a "/dev/shm/$NAME" "/dev/shm/$NAME-link" "/dev/shm/$NAME-cwd" "/dev/shm/$NAME-at" "/dev/shm/$NAME-slash" |
		sort -u)" = 600 ]
	rm -f "/dev/shm/${NAME}x"
}

@test "below a directory of /dev/shm a name is the whole one, however it is spelled" {
	mkdir "/dev/shm/$NAME-sub" "/dev/shm/$NAME-ok"
	policy "names = /ok*, /$NAME-ok/*" 'name-not-allowed = deny' '[wide]' "name = /$NAME-ok/*" 'world-writable = deny'
	guarded 'at = os.open(PATH + "-sub", os.O_RDONLY); other = os.open(PATH + "-ok", os.O_RDONLY)
libc.fopen.restype = ctypes.c_void_p
def fopen(path):
    if not libc.fopen(path, b"w"):
        raise OSError(ctypes.get_errno(), path)
os.chdir(PATH + "-sub"); open_ = lambda path, **named: os.close(os.open(path, RWC, 0o600, **named))
attempt(open_, PATH + "-sub/ok"); attempt(open_, "ok", dir_fd=at); attempt(open_, "ok"); attempt(open_, "./ok"); attempt(fopen, b"ok")
attempt(libc.creat, b"ok", 0o600)
libc.syscall(257, at, b"ok", RWC, 0o600)
attempt(os.unlink, "ok"); attempt(os.unlink, "ok", dir_fd=at); attempt(os.rename, "ok", PATH + "-ok/b"); attempt(os.chmod, "ok", 0o640)
attempt(os.open, "a", RWC, 0o602, dir_fd=other); os.chdir(PATH + "-ok"); attempt(os.open, "a", RWC, 0o602); attempt(open_, "a"); attempt(os.unlink, "a")'
	same out <(printf '%s\n' EACCES EACCES EACCES EACCES EACCES 'ok -1' EACCES EACCES EACCES EACCES EACCES EACCES 'ok None' 'ok None')
	[ "$(cd /dev/shm && ls "$NAME-sub" "$NAME-ok")" = "$(printf '%s\n' "$NAME-ok:" '' "$NAME-sub:" ok)" ]
	grep -q "object=/$NAME-sub/ok action=denied" audit.log
	rm -r "/dev/shm/$NAME-sub" "/dev/shm/$NAME-ok"
}

@test "mkstemp, freopen and sem_open are held to the names" {
	policy "names = /$NAME-ok*, /sem.$NAME-ok" 'name-not-allowed = deny'
	guarded 'def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result in (-1, 0, None) and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), name)
    ctypes.set_errno(0)
    return "done"
libc.fopen.restype = libc.freopen.restype = libc.sem_open.restype = ctypes.c_void_p
for end in b"-no", b"-ok":
    template = ctypes.create_string_buffer(PATH.encode() + end + b"XXXXXX")
    attempt(call, "mkstemp", template)
    stream = ctypes.c_void_p(libc.fopen(b"/dev/null", b"r"))
    attempt(call, "freopen", PATH.encode() + end, b"w", stream)
    attempt(call, "sem_open", NAME.encode() + end, RWC, 0o600, 1)'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES\nok done\nok done\nok done' ]
	ls "/dev/shm/$NAME-ok" "/dev/shm/$NAME-ok"?????? "/dev/shm/sem.$NAME-ok"
	rm "/dev/shm/sem.$NAME-ok"
	run ls "/dev/shm/$NAME-no"*
	[ "$status" -ne 0 ]
	[ ! -e "/dev/shm/sem.$NAME-no" ]
}

@test "mknod makes no object of a name or mode that is not allowed, and counts it" {
	policy "names = /$NAME, /$NAME-[12]" 'name-not-allowed = deny' 'world-writable = deny' 'max-objects = 1' 'too-many-objects = deny'
	guarded 'at = os.open("/dev/shm", os.O_RDONLY); regular = 0o100000
attempt(os.mknod, PATH + "-3", regular | 0o600); attempt(os.mknod, PATH, regular | 0o602); attempt(os.mknod, NAME[1:], 0o602, dir_fd=at)
attempt(os.mknod, NAME[1:], 0o600, dir_fd=at); attempt(os.mknod, PATH, regular | 0o602); attempt(os.mknod, PATH + "-1", regular | 0o600)
attempt(os.mkfifo, PATH + "-fifo", 0o600)'
	same out <(printf '%s\n' EACCES EACCES EACCES 'ok None' EEXIST EMFILE 'ok None')
	[ "$(cd /dev/shm && stat -c '%n %a' "$NAME"* | xargs)" = "$NAME 600 $NAME-fifo 600" ]
	policy 'world-writable = fix' 'world-readable = fix'
	guarded 'os.mknod(PATH + "-1", 0o100666)'
	[ "$(stat -c %a "/dev/shm/$NAME-1")" = 660 ]
}

@test "a spawned child gets nothing of a stranger's, by no link of his, and empties nothing that is mapped" {
	[ "$(id -u)" -eq 0 ] || skip "only root can make another user's object"
	policy 'foreign-owner = deny' 'symlink-or-special = deny' 'truncate-on-open = deny' "[mended]" "name = /$NAME-fix" 'truncate-on-open = fix'
	install -m 666 -o 65534 /dev/null "/dev/shm/$NAME-x"
	ln -s /etc/passwd "/dev/shm/$NAME-l"
	chown -h 65534 "/dev/shm/$NAME-l"
	for own in y z fix; do printf contents >"/dev/shm/$NAME-$own"; done
	guarded 'held = [mmap.mmap(os.open(PATH + "-" + own, os.O_RDWR), 8) for own in ("y", "fix")]
def spawn(name, flags):
    pid = os.posix_spawn("/bin/true", ["true"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 9, PATH + "-" + name, flags, 0o600)])
    return os.waitpid(pid, 0)[1]
attempt(spawn, "x", os.O_RDWR); attempt(spawn, "x", RWC); attempt(spawn, "l", 0); attempt(spawn, "y", RWC | os.O_TRUNC); attempt(spawn, "y", RWC)
attempt(spawn, "fix", RWC | os.O_TRUNC); attempt(spawn, "z", RWC | os.O_TRUNC); attempt(spawn, "new", RWC | os.O_EXCL)'
	[ "$(xargs <out)" = 'EACCES EACCES ELOOP EACCES ok 0 ok 0 ok 0 ok 0' ]
	[ "$(cat "/dev/shm/$NAME-y")" = contents ]
	[ ! -s "/dev/shm/$NAME-z" ]
	[ -e "/dev/shm/$NAME-new" ]
	[ "$(stat -c %s "/dev/shm/$NAME-fix")" -eq 8 ]
	[ -z "$(tr -d '\0' <"/dev/shm/$NAME-fix")" ]
	[ "$(grep -o 'rule=.* errno=[A-Z0]*' audit.log | grep -c 'rule=\(foreign-owner\|symlink-or-special\|truncate-on-open\).*=denied')" -eq 4 ]
	[ "$(grep -c 'rule=truncate-on-open.*=fixed' audit.log)" -eq 1 ]
}

@test "what a spawned child would open is held to the names and modes" {
	policy "names = /$NAME*" 'name-not-allowed = deny' 'world-writable = deny' 'world-readable = fix'
	guarded 'def spawn(path, mode, flags=RWC):
    pid = os.posix_spawn("/bin/true", ["true"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 9, path, flags, mode)])
    return os.waitpid(pid, 0)[1]
attempt(spawn, "/dev/shm/other-" + NAME[1:], 0o600); attempt(spawn, PATH, 0o602); attempt(spawn, PATH, 0o604); attempt(spawn, PATH, 0o666)
attempt(spawn, "/dev/null", 0, os.O_RDWR); attempt(spawn, "/dev/shm/none/x", 0o600)'
	same out <(printf '%s\n' EACCES EACCES 'ok 0' 'ok 0' 'ok 0' ENOENT)
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
	[ ! -e "/dev/shm/other-$NAME" ]
	[ "$(grep -c 'action=denied' audit.log)" -eq 2 ]
}

@test "a semaphore's mode is fixed, and freopen's too" {
	policy 'world-writable = fix' 'world-readable = fix'
	guarded 'libc.sem_open(NAME.encode(), RWC, 0o666, 1); libc.fopen.restype = ctypes.c_void_p
libc.freopen((PATH + "-f").encode(), b"wx", ctypes.c_void_p(libc.fopen(b"/dev/null", b"r")))'
	[ "$(stat -c %a "/dev/shm/sem.$NAME" "/dev/shm/$NAME-f")" = $'660\n660' ]
	rm "/dev/shm/sem.$NAME"
}

@test "a dangling link that O_CREAT follows makes its target, narrow" {
	policy 'world-writable = fix'
	ln -s "/dev/shm/$NAME-target" "/dev/shm/$NAME"
	guarded 'attempt(os.open, PATH, RWC, 0o666)'
	[ "$(stat -c %a "/dev/shm/$NAME-target")" = 664 ]
}

@test "a denied mode does not keep a program from what exists" {
	install -m 600 /dev/null "/dev/shm/$NAME"
	policy 'world-writable = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666); attempt(shm_open, NAME, RWC | os.O_EXCL, mode=0o666); attempt(shm_open, NAME + "-2", RWC, mode=0o666)'
	[ "$(sed 's/ok .*/ok/' out)" = $'ok\nEEXIST\nEACCES' ]
	[ ! -e "/dev/shm/$NAME-2" ]
	[ "$(grep -c action=denied audit.log)" -eq 1 ]
}

@test "what would not have been made anyway fails as it does without the policy" {
	install -m 600 /dev/null "/dev/shm/$NAME"
	ln -s "/dev/shm/$NAME-target" "/dev/shm/$NAME-link"
	policy 'world-writable = deny' 'mode-too-open = deny' 'max-mode = 0600' 'max-objects = 1' 'too-many-objects = deny'
	guarded 'attempt(os.open, PATH, RWC | os.O_EXCL, 0o666); attempt(os.open, PATH + "-link", RWC | os.O_EXCL, 0o666)
attempt(os.open, PATH + "-link", RWC, 0o666); attempt(os.close, os.open(PATH + "-one", RWC, 0o600))
attempt(os.open, PATH, RWC | os.O_EXCL, 0o600)
libc.sem_open.restype = ctypes.c_void_p
def sem(name, flags, mode):
    if not libc.sem_open(name.encode(), flags, mode, 1):
        raise OSError(ctypes.get_errno(), name)
os.unlink(PATH + "-one"); attempt(sem, NAME, os.O_CREAT, 0o600); attempt(sem, NAME, os.O_CREAT | os.O_EXCL, 0o666)'
	same out <(printf '%s\n' EEXIST EEXIST EACCES 'ok None' EEXIST 'ok None' EEXIST)
	rm "/dev/shm/sem.$NAME"
}

@test "an exchange of names is judged for both of them" {
	mkdir -m 700 "/dev/shm/$NAME-d"
	policy 'world-writable = deny'
	guarded 'os.open(PATH, RWC, 0o600); os.open(PATH + "-d/wide", RWC, 0o666)
def exchange(one, other):
    if libc.renameat2(-100, one.encode(), -100, other.encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), one)
attempt(exchange, PATH, PATH + "-d/wide"); attempt(exchange, PATH + "-d/wide", PATH); attempt(os.chmod, PATH + "-d/wide", 0o660)
attempt(exchange, PATH, PATH + "-d/wide")'
	same out <(printf '%s\n' EACCES EACCES 'ok None' 'ok None')
	[ "$(stat -c %a "/dev/shm/$NAME")" = 660 ]
	rm -r "/dev/shm/$NAME-d"
}

@test "what lies where others cannot search is open to nobody, until it is moved to where they can" {
	mkdir -m 700 "/dev/shm/$NAME-d"
	mkdir -m 711 "/dev/shm/$NAME-d/open" "/dev/shm/$NAME-o"
	policy 'world-writable = deny' 'world-readable = deny'
	guarded 'attempt(os.close, os.open(PATH + "-d/a", RWC, 0o606)); os.chdir(PATH + "-d/open"); attempt(os.close, os.open("b", RWC, 0o602))
attempt(os.chmod, "b", 0o666); attempt(os.open, PATH + "-o/c", RWC, 0o606)
attempt(os.rename, "b", PATH + "-o/b"); attempt(os.link, "b", PATH); attempt(os.rename, "b", "d")'
	same out <(printf '%s\n' 'ok None' 'ok None' 'ok None' EACCES EACCES EACCES 'ok None')
	policy 'world-writable = deny' 'max-mode = 0660' 'mode-too-open = deny'
	guarded 'attempt(os.open, PATH + "-d/e", RWC, 0o606)'
	[ "$(cat out)" = EACCES ]
	rm -r "/dev/shm/$NAME-d" "/dev/shm/$NAME-o"
}

@test "no mode is too open to others where /dev/shm itself is closed to them" {
	needs_root "a /dev/shm of its own"
	policy 'world-writable = deny'
	program 'attempt(lambda: os.close(shm_open(NAME, RWC, mode=0o666))); attempt(os.chmod, PATH, 0o606)
libc.sem_open.restype = ctypes.c_void_p; print(libc.sem_open(NAME.encode(), os.O_CREAT, 0o666, 1) is not None)'
	for mode in 700 711; do
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount -t tmpfs -o mode=$4 tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' \
			sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" "$mode" || true
	done >out
	same out <(printf '%s\n' 'ok None' 'ok None' True EACCES ENOENT False)
}

@test "a section of a name holds an object that came by open, fopen, a path, a rename or another program's descriptor" {
	policy '[small]' "name = /$NAME-n*" 'max-size = 4096' 'object-too-large = deny' 'max-mode = 0600' 'mode-too-open = fix'
	install -m 600 /dev/null "/dev/shm/$NAME-n-path"
	guarded 'PATH += "-n-"; paths = [PATH + "path"]; opened = os.open(paths[0], os.O_RDWR); os.close(opened)
attempt(os.chmod, paths[0], 0o666); attempt(os.truncate, paths[0], 4097)
def resize(fd):
    attempt(os.ftruncate, fd, 4097); os.fchmod(fd, 0o666)
fd = os.open(PATH + "open", RWC, 0o600); resize(fd)
stream = open(PATH + "fopen", "wb"); resize(stream.fileno()); os.set_inheritable(fd, True)
other = shm_open(NAME, RWC, mode=0o600); os.rename("/dev/shm" + NAME, PATH + "renamed"); resize(other)
sys.stdout.flush(); import subprocess
subprocess.run([sys.executable, "-c", "import os\ntry: os.ftruncate(%d, 4097)\nexcept OSError: print(\"child\")" % fd], close_fds=False)'
	[ "$(cat out)" = $'ok None\nEFBIG\nEFBIG\nEFBIG\nEFBIG\nchild' ]
	[ "$(stat -c '%s %a' "/dev/shm/$NAME"-n-* | sort | uniq -c | awk '{print $1, $2, $3}')" = '4 0 600' ]
	grep -q "object=/$NAME-n-open action=denied" audit.log
	[ "$(grep -c "object=-" audit.log)" -eq 0 ]
}

@test "objects made by open count against max-objects, and their secrets are wiped at exit" {
	policy 'max-objects = 2' 'too-many-objects = deny' '[secrets]' "name = /$NAME-s*" 'secret = yes' 'secret-left = fix'
	guarded 'fd = os.open(PATH + "-s", RWC, 0o600); os.pwrite(fd, b"secret", 0); m = mmap.mmap(fd, 6)
fd = os.open(PATH + "-2", RWC, 0o600); attempt(os.open, PATH + "-3", RWC, 0o600); os.pwrite(fd, b"secret", 0); m2 = mmap.mmap(fd, 6)
os.rename(PATH + "-2", PATH + "-s2"); attempt(os.open, PATH + "-3", RWC, 0o600)'
	[ "$(cat out)" = $'EMFILE\nEMFILE' ]
	[ ! -e "/dev/shm/$NAME-3" ]
	[ "$(cat "/dev/shm/$NAME-s" "/dev/shm/$NAME-s2" | tr -d '\0' | wc -c)" -eq 0 ]
}

@test "a dangling link elsewhere leads to no name that is not allowed" {
	policy "names = /$NAME-ok" 'name-not-allowed = deny' 'world-writable = fix'
	mkdir -p elsewhere
	ln -s "/dev/shm/$NAME-no" absolute
	ln -s ../absolute elsewhere/relative
	ln -s "/dev/shm/$NAME-ok" allowed
	guarded 'attempt(os.open, "absolute", RWC, 0o666); attempt(os.open, "elsewhere/relative", RWC, 0o666); attempt(os.open, "allowed", RWC, 0o666)
attempt(os.truncate, "absolute", 1)'
	[ "$(sed "s/ok .*/ok/" out)" = $'EACCES\nEACCES\nok\nENOENT' ]
	[ ! -e "/dev/shm/$NAME-no" ] && [ "$(stat -c %a "/dev/shm/$NAME-ok")" = 664 ]
}

@test "a name that is not allowed is not resized, given away or opened up by its path" {
	install -m 600 /dev/null "/dev/shm/$NAME-no"
	policy "names = /$NAME-ok" 'name-not-allowed = deny'
	guarded 'attempt(os.truncate, PATH + "-no", 10); attempt(os.chmod, PATH + "-no", 0o666); attempt(os.chown, PATH + "-no", 1, 1)'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES' ]
	[ "$(stat -c '%s %a %u' "/dev/shm/$NAME-no")" = "0 600 $(id -u)" ]
}

@test "what one rule denies no other one fixes: not the call's effects, and not the audit trail" {
	command -v setfacl >/dev/null || skip "no setfacl"
	policy 'world-writable = fix' 'world-readable = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666)'
	[ "$(cat out)" = EACCES ]
	[ "$(grep -c action= audit.log)" -eq 1 ]
	printf 'stale' >"/dev/shm/$NAME"
	setfacl -m u:1234:rw "/dev/shm/$NAME"
	policy 'acl-grants = fix' 'stale-bytes = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600)'
	[ "$(cat out)" = EEXIST ]
	getfacl -cn "/dev/shm/$NAME" 2>/dev/null | grep -q '^user:1234:rw-'
}

@test "another root takes the policy away from nothing that descriptors, the working directory or the root lead to" {
	[ "$(id -u)" -eq 0 ] || skip "chroot needs root"
	mkdir -p root jail/dev/shm
	policy 'world-writable = deny' 'name-not-allowed = deny' "names = /$NAME-*" '[k]' "name = /$NAME-k*" 'max-mode = 0640' \
		'mode-too-open = deny'
	program 'os.mkdir(PATH + "-d"); BASE = NAME[1:]
shm, root = os.open("/dev/shm", os.O_RDONLY), os.getcwd() + "/root"
tmp = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o666)
def below(path, call, *args, **named):
    sys.stdout.flush()
    if os.fork() == 0:
        os.chdir("/dev/shm"); os.chroot(path)
        try:
            attempt(call, *args, **named)
        finally:
            sys.stdout.flush(); os._exit(0)
    os.wait()
def opened(path, **at):
    fd = os.open(path, RWC, 0o600, **at)
    os.fchmod(fd, 0o660)
def rooted(call, *args):
    os.chdir("/"); call(*args)
below(root, os.open, BASE + "-1", RWC, 0o666, dir_fd=shm)
below(root, os.open, BASE + "-2", RWC, 0o666)
below(root, os.open, BASE, RWC, 0o600)
below(root, os.link, f"/proc/self/fd/{tmp}", BASE + "-3", dst_dir_fd=shm)
below("/dev", os.open, f"/shm{NAME}-4", RWC, 0o666)
below("/dev/shm", os.open, NAME + "-5", RWC, 0o666)
below(PATH + "-d", rooted, os.open, NAME + "-6", RWC, 0o600)
below(root, opened, BASE + "-k7")
below("/dev", opened, f"/shm{NAME}-k8")
below("/dev/shm", opened, NAME + "-9")'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	diff out - <<<$'EACCES\nEACCES\nEACCES\nENOENT\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nok None'
	[ "$(cd /dev/shm && stat -c '%n %a' "$NAME"-[0-9k]* | sed "s/$NAME-//")" = $'9 660\nk7 600\nk8 600' ]
	rmdir "/dev/shm/$NAME-d"
}

@test "what another mount of a directory of /dev/shm leads to has the names that it has there" {
	needs_root "a mount"
	mkdir -p mounted "/dev/shm/$NAME-d/below" "/dev/shm/$NAME-o"
	policy "names = /$NAME-d/*" 'name-not-allowed = deny' '[small]' "name = /$NAME-d/*" 'max-size = 4096' 'object-too-large = deny'
	program 'def made(path):
    fd = os.open(path, RWC, 0o600); attempt(os.ftruncate, fd, 4097); attempt(os.truncate, path, 4097); attempt(os.unlink, path)
for path in "mounted/a", "mounted/below/b", "mounted/../mounted/c":
    made(path)
os.chdir("mounted"); made("d"); os.chdir(".."); attempt(os.open, "other/e", RWC, 0o600)'
	mkdir other
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "/dev/shm/$4-d" mounted && mount --bind "/dev/shm/$4-o" other &&
		exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' \
		sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" "$NAME" >out
	cat out audit.log
	same out <(for _ in a b c d; do printf '%s\n' EFBIG EFBIG 'ok None'; done; echo EACCES)
	[ "$(grep -c "rule=object-too-large object=/$NAME-d/[^ ]* action=denied" audit.log)" -eq 8 ]
	grep -q "rule=name-not-allowed object=/$NAME-o/e action=denied" audit.log
	rm -r "/dev/shm/$NAME-d" "/dev/shm/$NAME-o"
}
