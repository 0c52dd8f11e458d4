#!/usr/bin/env bats
# Where the audit trail goes: a file, standard error or syslog, that is taken away, full, refused, or comes back.
bats_require_minimum_version 1.5.0
load helpers
load enforce

@test "the log outlives a closed range of descriptors, chdir and chroot" {
	[ "$(id -u)" -eq 0 ] || skip "chroot needs root"
	policy 'world-writable = deny'
	mkdir -p root/dev/shm
	guarded 'os.closerange(3, 10000); os.chdir("/"); attempt(shm_open, NAME, RWC, mode=0o666)
os.chroot("'"$PWD"'/root"); attempt(shm_open, NAME, RWC, mode=0o666); sys.stdout.flush(); os._exit(0)'
	whole_lines audit.log
	grep -q 'action=denied errno=EACCES' audit.log
}

@test "a log whose descriptor is lost is opened again, if it is still the same; what became of the number is the program's" {
	policy 'world-writable = deny'
	cat >lose.py <<-'END'
		libc.fdopen.restype = libc.freopen.restype = ctypes.c_void_p
		def log():
		    path = os.path.dirname(os.path.abspath(__file__)) + "/audit.log"
		    return [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.realpath("/proc/self/fd/" + fd) == path]
		def stream(): return ctypes.c_void_p(libc.fdopen(log()[0], b"w"))
		def lose(way): ways[way](); attempt(shm_open, NAME, RWC, mode=0o666)
		own = os.open("own", os.O_RDWR | os.O_CREAT)
		ways = {
		    "fclose": lambda: libc.fclose(stream()),
		    "freopen": lambda: libc.freopen(b"/dev/null", b"w", stream()),
		    "dup3": lambda: libc.syscall(ctypes.c_long(292), own, log()[0], 0),
		}
	END
	for way in fclose freopen dup3; do
		guarded "$(cat lose.py)
lose('$way'); lose('$way'); print(len(log()), log()[0] > 100)
attempt(os.closerange, 3, 10000); attempt(shm_open, NAME, RWC, mode=0o666)"
		[ "$(xargs <out)" = 'EACCES EACCES 1 True ok None EACCES' ]
		[ "$(grep -c action=denied audit.log)" -eq 3 ]
		whole_lines audit.log
		[ ! -s own ]
		: >audit.log
	done
	guarded "$(cat lose.py)"'
lost = log()[0]; libc.syscall(ctypes.c_long(292), own, lost, 0); attempt(shm_open, NAME, RWC, mode=0o666)
os.write(lost, b"mine"); os.close(lost); attempt(os.close, lost)'
	[ "$(xargs <out)" = 'EACCES EBADF' ]
	[ "$(cat own)" = mine ]
}

@test "a log that has lost its descriptor and is another file now gets nothing, and what it was to get is counted" {
	policy 'world-writable = deny'
	guarded 'path = os.getcwd() + "/audit.log"
def one(): attempt(shm_open, NAME, RWC, mode=0o666)
libc.fdopen.restype = ctypes.c_void_p
fd = [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.realpath("/proc/self/fd/" + fd) == path][0]
one(); os.rename("audit.log", "rotated.log"); one(); open("audit.log", "w").close()
libc.fclose(ctypes.c_void_p(libc.fdopen(fd, b"w"))); one(); one()
os.unlink("audit.log"); one(); os.rename("rotated.log", "audit.log"); one()'
	[ "$(xargs <out)" = 'EACCES EACCES EACCES EACCES EACCES EACCES' ]
	whole_lines audit.log
	[ "$(($(grep -c action=denied audit.log) + $(sed -n 's/.*held-back=//p' audit.log | paste -sd+)))" -eq 6 ]
	[ "$(grep -c action=denied audit.log)" -lt 6 ]
}

@test "stderr gets the lines, syslog gets datagrams" {
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666)' 2>err
	whole_lines err && [ "$(wc -l <err)" -eq 1 ]
	[ "$(id -u)" -eq 0 ] || skip "a /dev/log needs root"
	[ ! -e /dev/log ] || skip "there is a /dev/log"
	"$PYTHON" -c 'import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("/dev/log"); s.settimeout(20); open("bound", "w").close()
print(s.recv(4096).decode()); os.unlink("/dev/log")' >datagram &
	reader=$! # bats keeps a job of its own, which a plain wait would wait for
	until [ -e bound ]; do sleep 0.05; done
	sed -i 's/^log = .*/log = syslog/' policy.ini
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666)'
	wait "$reader"
	grep -Eq '^<84>shmguard: 2[^ ]* pid=.* rule=world-writable .* action=denied errno=EACCES' datagram
}

# A private /dev, with a listen.py TYPE that binds /dev/log and prints each line, and with what it came.
with_own_dev()
{
	[ "$(id -u)" -eq 0 ] || skip "a /dev/log needs root"
	cat >listen.py <<-'END'
		import os, socket, sys
		if os.path.exists("/dev/log"): os.unlink("/dev/log")
		s = socket.socket(socket.AF_UNIX, getattr(socket, "SOCK_" + sys.argv[1]))
		s.bind("/dev/log"); s.settimeout(20)
		if sys.argv[1] == "STREAM": s.listen(); s = s.accept()[0]
		while data := s.recv(4096):
		    os.write(1, repr(data).encode() + b"\n")
	END
	cat >own_dev.sh <<-'END'
		mkdir dev dev/shm && mount -t tmpfs tmpfs dev && mkdir dev/shm && mknod -m 666 dev/null c 1 3 && mount --move dev /dev
		mount -t tmpfs -o mode=1777 tmpfs /dev/shm
		exec "$@"
	END
}

@test "a syslog that was started again is connected to anew, and what it did not get is counted" {
	with_own_dev
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = syslog/' policy.ini
	program 'import subprocess, time
def one(): attempt(shm_open, NAME, RWC, mode=0o666)
def listen(to): return subprocess.Popen([sys.executable, "listen.py", to], env={}, stdout=open(to, "ab", 0))
def until(ready):
    while not ready(): time.sleep(0.02)
def ended(listener):
    listener.kill(); listener.wait()
    if os.path.exists("/dev/log"): os.unlink("/dev/log")
def lines(): return sum(open(to, "rb").read().count(b"denied") for to in ("DGRAM", "STREAM") if os.path.exists(to))
if os.fork() == 0:
    for to in "DGRAM", "DGRAM", "STREAM", "DGRAM":
        listener = listen(to); until(lambda: os.path.exists("/dev/log"))
        before = lines(); open("listening", "w").close(); until(lambda: lines() >= before + 2)
        ended(listener); os.rename("listening", "gone"); until(lambda: not os.path.exists("gone"))
    os._exit(0)
os.environ.update(SHMGUARD_POLICY=os.getcwd() + "/policy.ini", LD_PRELOAD=os.environ["LIBRARY"])
until(lambda: os.path.exists("listening"))
os.execv(sys.executable, [sys.executable, "rounds.py"])'
	sed '/^if os.fork/,$d' program.py >rounds.py
	cat >>rounds.py <<-'END'
		before = sorted(os.listdir("/proc/self/fd"))
		for round in range(4):
		    until(lambda: os.path.exists("listening"))
		    one(); one()
		    until(lambda: os.path.exists("gone"))
		    one(); time.sleep(1.1); os.unlink("gone")
		print(len(before) == len(os.listdir("/proc/self/fd")))
	END
	LIBRARY="$BUILD/libshmguard.so" timeout 60 unshare -m bash own_dev.sh "$PYTHON" program.py >out
	[ "$(sort out | uniq -c | xargs)" = '12 EACCES 1 True' ]
	[ "$(grep -c 'held-back=1' DGRAM)" -eq 2 ]
	[ "$(grep -c 'held-back=1' STREAM)" -eq 1 ]
	[ "$(grep -c "action=denied.*'$" DGRAM)" -eq 6 ]
	[ "$(grep -o 'action=denied' STREAM | wc -l)" -eq 2 ]
	run -1 grep -E '\\n|[^0]$' <(sed "s/'$//" STREAM)
}

@test "a syslog that takes a stream gets one, and no program waits for it" {
	with_own_dev
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = syslog/' policy.ini
	cat >deaf.py <<-'END'
		import os, socket, subprocess, sys, time
		s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.bind("/dev/log"); s.listen(0)
		began = time.monotonic()
		guarded = dict(os.environ, SHMGUARD_POLICY=os.getcwd() + "/policy.ini", LD_PRELOAD=os.environ["LIBRARY"])
		print(subprocess.run([sys.executable, "program.py"], env=guarded).returncode, time.monotonic() - began < 15)
	END
	program 'import time
count = 0
for second in range(12):
    for i in range(300):
        try: shm_open(NAME + str(i), RWC, mode=0o666)
        except PermissionError: count += 1
    time.sleep(0.01)
print(count); sys.stdout.flush()'
	LIBRARY="$BUILD/libshmguard.so" timeout 60 unshare -m bash own_dev.sh "$PYTHON" deaf.py >out
	[ "$(xargs <out)" = '3600 0 True' ]
}

@test "a closed standard error is not what the program opens in its place, a redirected one is" {
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	guarded 'os.close(2); fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); print(fd)
attempt(shm_open, NAME + "-2", RWC, mode=0o666); print(os.pread(fd, 4096, 0).strip(b"\0"))
os.close(2); fd = os.open("data", RWC, 0o600); attempt(shm_open, NAME + "-2", RWC, mode=0o666)
os.dup2(os.open("log", os.O_WRONLY | os.O_CREAT), 2); attempt(shm_open, NAME + "-2", RWC, mode=0o666)'
	[ "$(cat out)" = $'2\nEACCES\nb\'\'\nEACCES\nEACCES' ]
	[ ! -s data ]
	whole_lines log && [ "$(wc -l <log)" -eq 1 ]
	rm "/dev/shm/$NAME"
	guarded 'shm_open(NAME, RWC, mode=0o666)' 2>"/dev/shm/$NAME-err" || true
	grep -q 'action=denied errno=EACCES' "/dev/shm/$NAME-err"
}

@test "a standard error that nobody reads any more does not end the program" {
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	guarded 'import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)
r, w = os.pipe(); os.dup2(w, 2); os.close(r); os.close(w); attempt(shm_open, NAME, RWC, mode=0o666)
print(signal.sigpending(), signal.pthread_sigmask(signal.SIG_BLOCK, []))'
	same out <(printf '%s\n' EACCES 'set() set()')
}

# limited KIB CODE: runs under a limit on the size of files that kills whoever writes past it; memory counts as a file.
limited()
{
	program 'import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, ('"$1"' << 10, resource.RLIM_INFINITY))
'"$2"'
print(signal.sigpending(), signal.pthread_sigmask(signal.SIG_BLOCK, []))'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py | cat >out
	[ "${PIPESTATUS[0]}" -eq 0 ]
	[ "$(tail -1 out)" = 'set() set()' ]
}

@test "a limit on the size of files does not end the program where the log, a note or a wipe reaches it" {
	policy 'world-writable = deny' '[data]' "name = /$NAME-data" 'zero = on-attach'
	limited 0 'attempt(shm_open, NAME, RWC, mode=0o666)'
	[ "$(head -1 out)" = EACCES ]
	yes x | head -c 65536 >audit.log
	limited 64 'attempt(shm_open, NAME, RWC, mode=0o666)'
	[ "$(head -1 out)" = EACCES ]
	head -c 8192 <(yes x) >"/dev/shm/$NAME-data"
	limited 4 'shm_open(NAME + "-data", RWC, mode=0o600)'
	"$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" -c '
import resource, signal, os
from _posixshmem import shm_open
signal.signal(signal.SIGXFSZ, signal.SIG_DFL); os.umask(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
shm_open("/" + os.environ["NAME"], os.O_RDWR | os.O_CREAT, mode=0o666)'
}

# refused: the program is not started, for what is said of the log.
refused()
{
	timeout 20 env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" /bin/echo started >out 2>told || echo $? >>out
	[ "$(cat out)" = 125 ]
	[ "$(cat told)" = "shmguard: $PWD/audit.log: the log $1; the program is not started" ]
}

@test "a log that is no file of ours is refused, and says why" {
	policy 'world-writable = deny'
	mkfifo audit.log
	refused 'is no regular file, as a log must be'
	rm audit.log && ln -s other audit.log
	refused 'cannot be opened: Too many levels of symbolic links'
	rm audit.log && mkdir audit.log
	refused 'cannot be opened: Is a directory'
	rmdir audit.log && : >other && ln other audit.log
	refused 'has a second name, as what is no log of ours might have'
	rm audit.log other
	needs_root "a file of another user"
	install -o 65534 /dev/null audit.log
	refused 'belongs to another user, who could change the log'
	sed -i 's,^log = .*,log = file:/dev/null,' policy.ini
	guarded 'print("started")'
	[ "$(cat out)" = started ]
}

@test "a line that cannot be written is counted, and one that was cut is ended" {
	policy 'world-writable = deny'
	limited 0 'import time
limit = lambda bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))
def one(): attempt(shm_open, NAME, RWC, mode=0o666)
def at(bytes): limit(bytes); one(); one()
at(0); at(50)
limit(resource.RLIM_INFINITY); time.sleep(1.1); one()'
	cat audit.log
	[ "$(wc -l <audit.log)" -eq 2 ]
	[ "$(head -1 audit.log | wc -c)" -eq 51 ]
	whole_lines <(tail -n +2 audit.log)
	tail -1 audit.log | grep -q 'held-back=4$'
}

# A log that is full to the last byte, and that takes lines again; its flags are the program's.
FILLED='import fcntl, pty, socket, subprocess, termios, time, tty
def one(): attempt(shm_open, NAME, RWC, mode=0o666)
def all_of(fd, each, size):
    flags = fcntl.fcntl(fd, fcntl.F_GETFL); os.set_blocking(fd, False)
    try:
        while each(fd, size): pass
    except BlockingIOError: pass
    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
def fill(fd):
    for size in 4096, 1: all_of(fd, lambda fd, size: os.write(fd, b"x" * (size - 1) + b"\n"), size)
def taken(fd):
    parts = []; all_of(fd, lambda fd, size: parts.append(os.read(fd, size)) or parts[-1], 65536); return b"".join(parts)
def told(data):
    for line in data.splitlines():
        if line := line.strip(b"x\r"): os.write(log, line + b"\n")
def around(reader, writer, to=2):
    if to == 2: os.dup2(writer, 2)
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    fill(writer); one(); one(); one(); full = taken(reader); time.sleep(1.1); one(); told(full + taken(reader))
    print(fcntl.fcntl(writer, fcntl.F_GETFL) == flags, flush=True)
def another(reader, writer, **to):
    more = [str(reader.fileno()), str(writer.fileno())]
    subprocess.run([sys.executable, "program.py", *more], pass_fds=[int(fd) for fd in more], **to)
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
if sys.argv[1:]: around(int(sys.argv[1]), int(sys.argv[2]), to=None); sys.exit()'

# never_waiting CODE: is killed where it waits, as no signal but that may get through.
never_waiting()
{
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	program "$FILLED
$1"
	timeout -s KILL 30 env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
}

# all_of COUNT: whole lines, and the counts of those held back, come to so many.
all_of()
{
	whole_lines log
	[ "$(($(wc -l <log) + $(sed -n 's/.*held-back=//p' log | paste -sd+ | grep . || echo 0)))" -eq "$1" ]
}

# rounds COUNT: of `around`, each with its four calls refused and the flags as they were.
rounds()
{
	for ((i = 0; i < $1; i++)); do printf '%s\n' EACCES EACCES EACCES EACCES True; done
}

@test "a standard error that takes nothing just now is not waited for, and what it did not get is counted" {
	never_waiting '
r, w = os.pipe(); around(r, w)
os.mkfifo("fifo"); r = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK); around(r, os.open("fifo", os.O_WRONLY))
for type in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    a, b = socket.socketpair(socket.AF_UNIX, type); another(a, b, stderr=b)'
	diff out <(rounds 4)
	all_of 16
}

@test "a terminal that is stopped, that nobody reads, or that stops who writes in the background is not waited for" {
	never_waiting '
master, slave = pty.openpty(); tty.setraw(slave); around(master, slave)
termios.tcflow(2, termios.TCOOFF); one(); one(); termios.tcflow(2, termios.TCOON); time.sleep(1.1); one(); told(taken(master))
os.environ["SHMGUARD_POLICY"] = os.getcwd() + "/terminal.ini"
with open("terminal.ini", "w") as policy: policy.write(open("policy.ini").read().replace("stderr", "file:" + os.ttyname(slave)))
another(open(master, closefd=False), open(slave, "wb", closefd=False))
del os.environ["SHMGUARD_POLICY"]
if (child := os.fork()) == 0:
    os.setsid(); os.dup2(os.open(os.ttyname(slave), os.O_RDWR), 2)
    modes = termios.tcgetattr(2); modes[3] |= termios.TOSTOP; termios.tcsetattr(2, termios.TCSANOW, modes)
    if (background := os.fork()) == 0:
        os.setpgid(0, 0); one(); sys.stdout.flush(); os._exit(0)
    stopped = os.WIFSTOPPED(os.waitpid(background, os.WUNTRACED)[1])
    print(stopped); told(taken(master)); sys.stdout.flush(); os._exit(0)
os.waitpid(child, 0)'
	diff out <(rounds 1; printf '%s\n' EACCES EACCES EACCES; rounds 1; printf '%s\n' EACCES False)
	all_of 12
}

@test "a standard error that somebody reads gets every line whole, from all who write there at once" {
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	guarded 'import threading
def some():
    for i in range(500):
        try: shm_open(NAME, RWC, mode=0o666)
        except PermissionError: pass
children = [os.fork() for i in range(2)]
threads = [threading.Thread(target=some) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
if all(children): [os.waitpid(c, 0) for c in children]' 2> >(while read -r line; do echo "$line"; done >log; : >ended)
	until [ -e ended ]; do sleep 0.05; done
	all_of 16000
}

@test "a line names the object of a call that opened nothing, and of one that has an address alone" {
	policy
	guarded 'import resource
taken = "%s-%d" % (NAME, os.getpid()); os.posix_spawn("/bin/touch", ["touch", "/dev/shm" + taken], {}); os.wait()
attempt(shm_open, taken, RWC | os.O_EXCL, mode=0o600); attempt(os.open, "/dev/shm" + taken, RWC | os.O_EXCL)
attempt(shm_open, NAME[1:] + "/a/b", RWC, mode=0o600)
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); address = ctypes.c_void_p(libc.mmap(None, 4096, 3, 1, fd, 0))
libc.madvise(address, 4096, 4); attribute = ctypes.create_string_buffer(64)
libc.pthread_mutexattr_init(attribute); libc.pthread_mutexattr_setpshared(attribute, 1); libc.pthread_mutex_init(address, attribute)
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)); taken = [os.dup(fd) for i in range(24 - len(os.listdir("/proc/self/fd")) + 1)]
attempt(shm_open, NAME + "-more", RWC, mode=0o600)'
	grep '^E' out
	[ "$(grep -c "rule=name-collision object=/$NAME-[0-9]* " audit.log)" -eq 2 ]
	grep -q "rule=name-nonportable object=/$NAME/a/b " audit.log
	grep -q "rule=discard-no-op object=/$NAME " audit.log
	grep -q "rule=lock-not-robust object=/$NAME " audit.log
	grep -q "rule=descriptor-exhaustion object=/$NAME-more " audit.log
	[ "$(grep -c 'object=-' audit.log)" -eq 0 ]
}
