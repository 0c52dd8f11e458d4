#!/usr/bin/env bats
# The audit trail: whole lines from threads, forks and signal handlers, a limit to how many, and where they can go.
load helpers
load enforce
bats_require_minimum_version 1.5.0

LINE='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z pid=[0-9]+ exe=/[^ ]+ rule=[a-z-]+ object=[^ ]+ action=(recorded|fixed|denied|unguarded|audit would=(fixed|denied)) errno=[A-Z0-9]+ at=[^ ]+( why=[^ ]+)?( held-back=[0-9]+)?$'

whole_lines()
{
	! grep -Evn "$LINE" "$1"
}

@test "threads, forks and a signal handler leave whole lines" {
	policy 'world-writable = deny'
	guarded 'import signal, threading
def one(*_):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for child in range(8):
    if os.fork() == 0:
        signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        threads = [threading.Thread(target=lambda: [one() for _ in range(300)]) for _ in range(4)]
        [t.start() for t in threads]; [one() for _ in range(300)]; [t.join() for t in threads]
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
signal.setitimer(signal.ITIMER_REAL, 0)'
	[ ! -e "/dev/shm/$NAME" ]
	whole_lines audit.log
	[ "$(sed 's/.* pid=\([0-9]*\) .*/\1/' audit.log | sort -u | wc -l)" -ge 8 ]
}

@test "of hundreds of threads each is told its own decision, and the log names no other's object" {
	policy 'world-writable = deny'
	env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PROGRAMS/crowd" 300 40 "/$NAME" >out
	[ "$(cat out)" = "6000 0" ]
	whole_lines audit.log
	grep -v 'held-back=' audit.log >told.log
	grep -q "rule=world-writable object=/$NAME\.[0-9]*[02468]\.[0-9]* action=denied" told.log
	run -1 grep -Ev "rule=(world-writable object=/$NAME\.[0-9]*[02468]\.[0-9]+ action=denied|predictable-name object=/$NAME\.[0-9]*[13579]\.[0-9]+ action=recorded)" told.log
	[ -z "$(find /dev/shm -name "$NAME.*")" ]
}

@test "ten lines a second for a place, and a count of what was held back" {
	policy 'world-writable = deny'
	guarded 'import time
def burst():
    for _ in range(50):
        try:
            shm_open(NAME, RWC, mode=0o666)
        except PermissionError:
            pass
burst(); time.sleep(1.1); burst()'
	whole_lines audit.log
	[ "$(wc -l <audit.log)" -ge 20 ]
	[ "$(wc -l <audit.log)" -le 40 ]
	grep -q 'held-back=[1-9]' audit.log
}

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

@test "what was held back is told at the latest when the process exits, ends at once or becomes another program" {
	for how in 'pass' 'os._exit(0)' 'os.execv("/bin/true", ["true"])'; do
		policy 'world-writable = deny'
		rm -f audit.log
		guarded 'for i in range(500):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
'"$how"
		whole_lines audit.log
		# Each decision is a line, or counted by one.
		[ "$(awk '{lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 500 ]
		[ "$(wc -l <audit.log)" -lt 100 ]
	done
}

@test "a place that went quiet has its count told by the next line, of any place" {
	policy 'world-writable = deny' 'max-size = 1K' 'object-too-large = deny'
	guarded 'import time, signal
for i in range(50):
    attempt(shm_open, NAME, RWC, mode=0o666)
time.sleep(1.1); attempt(os.ftruncate, shm_open(NAME, RWC, mode=0o600), 2048); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)' || true
	whole_lines audit.log
	[ "$(sed -n 's/.*rule=world-writable .*held-back=//p' audit.log | awk '{sum += $1 + 1} END {print sum}')" -gt 0 ]
	[ "$(awk '/rule=world-writable/ {lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 50 ]
}

# decisions: of ./audit.log, each as rule, object, action and errno, as they came.
decisions()
{
	whole_lines audit.log && sed "s/$NAME/x/g"';s/.*rule=//;s/ at=.*//;s/object=//;s/action=//;s/errno=//' audit.log
}

@test "in audit mode a line says what would have been done" {
	policy 'mode = audit' 'create-without-excl = off' 'predictable-name = off' 'world-writable = deny' 'world-readable = fix'
	guarded 'shm_open(NAME, RWC, mode=0o606)'
	decisions | same /dev/stdin <(printf '%s\n' 'world-writable /x audit would=denied EACCES' 'world-readable /x audit would=fixed 0')
}

@test "a rename is one decision for each of its names" {
	policy 'mode = audit' 'names = /none' 'name-not-allowed = deny'
	: >"/dev/shm/$NAME"
	guarded 'os.rename(PATH, PATH + "-2")'
	decisions | same /dev/stdin <(printf 'name-not-allowed /x%s audit would=denied EACCES\n' '' -2)
}

@test "a reservation for which there is no room is a denial, not a fix" {
	needs_root "a small /dev/shm"
	policy 'create-without-excl = off' 'predictable-name = off' 'shm-fs-full = fix'
	unshare -m sh -c 'mount -t tmpfs -o size=64k,mode=1777 tmpfs /dev/shm; exec "$@"' sh env SHMGUARD_POLICY="$PWD/policy.ini" \
		LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" -c 'import os; from _posixshmem import shm_open
try: os.ftruncate(shm_open("/'"$NAME"'", os.O_RDWR | os.O_CREAT, mode=0o600), 1 << 20)
except OSError as e: print(e.strerror)' >out
	[ "$(cat out)" = "No space left on device" ]
	decisions | same /dev/stdin <(echo shm-fs-full /x denied ENOSPC)
}

@test "an object that create-without-excl has made exclusively, or looked at, is told as fixed, any other not at all" {
	for lines in 'create-without-excl = warn' 'create-without-excl = deny' 'create-without-excl = fix' $'create-without-excl = fix\nmode = audit'; do
		policy 'predictable-name = off' "$lines"
		rm -f audit.log "/dev/shm/$NAME"
		guarded 'fd = shm_open(NAME, RWC, mode=0o600); shm_open(NAME, RWC, mode=0o600)
shm_open(NAME, os.O_RDWR); os.open(PATH, RWC); os.unlink(PATH); shm_open(NAME, RWC | os.O_EXCL, mode=0o600)'
		cut -d ' ' -f 4,6- audit.log | sed 's/ at=.*//'
	done >told
	same told <(for action in recorded recorded fixed 'audit would=fixed'; do
		printf "rule=create-without-excl action=$action errno=0\n%.0s" 1 2
	done)
}

@test "objects have their name in the trail whether they were seen before or not, memfds theirs" {
	policy 'world-writable = fix' 'memfd-no-cloexec = fix' 'memfd-executable = off'
	: >"/dev/shm/$NAME"
	guarded 'os.chmod(PATH, 0o602); os.memfd_create("x", 0)'
	decisions | same /dev/stdin <(printf '%s\n' 'world-writable /x fixed 0' 'memfd-no-cloexec x fixed 0')
}

@test "a long name or path is cut, not what stands behind it" {
	local long
	long=$NAME-$(printf '%0200d' 0)
	policy 'world-writable = deny'
	mkdir -p "$long/$long"
	cp "$(readlink -f "$PYTHON")" "$long/$long/python"
	program 'attempt(shm_open, NAME, RWC, mode=0o666)'
	env NAME="$long" SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" PYTHONHOME=/usr "$long/$long/python" program.py
	whole_lines audit.log
	grep -Eq 'exe=[^ ]{300}\.\.\. rule=world-writable object=/enforce-[0-9-]*-0{200} action=denied errno=EACCES at=[^+ ]+\+0x' audit.log
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

# unguarded: of ./audit.log, what was executed without the library, and why.
unguarded()
{
	whole_lines audit.log
	sed -n "s,$PWD/,,"';s/.*rule=- object=\([^ ]*\) action=unguarded errno=0 at=[^ ]* why=/\1 /p' audit.log
}

@test "programs that no library is loaded into are told as they are executed, whatever the way" {
	policy 'world-writable = deny'
	echo 'int main(void) { return 0; }' >tiny.c
	gcc -static -o static tiny.c && gcc -o plain tiny.c
	printf '#!%s/static\n' "$PWD" >script && chmod 755 script
	guarded 'import subprocess
os.environ["PATH"] = os.getcwd() + ":/bin"; here = os.getcwd() + "/"
def child(run, *args):
    if os.fork() == 0: run(*args)
    os.wait()
child(os.execv, here + "static", ["x"]); child(os.execv, here + "plain", ["x"]); child(os.execvp, "static", ["x"])
child(os.execv, here + "script", ["x"]); subprocess.run([here + "static"]); os.waitpid(os.posix_spawn(here + "static", ["x"], {}), 0)
child(os.execv, "'"$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')"'", ["ld.so", "/bin/true"])
attempt(os.execv, "/nowhere/static", ["x"])'
	[ "$(cat out)" = ENOENT ]
	unguarded | same /dev/stdin <(printf 'static static\n%.0s' 1 2 3 4 5)
}

@test "programs that gain rights are told, where they gain any" {
	needs_root "set-user-ID programs"
	chmod 711 . .. ../..
	policy 'world-writable = deny'
	echo 'int main(void) { return 0; }' >tiny.c
	gcc -o set-id tiny.c && cp set-id capable && chmod 4755 set-id
	"$PYTHON" -c 'import os, struct; os.setxattr("capable", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))'
	guarded 'def child(uid, name, confine=0):
    if os.fork() == 0: libc.prctl(38, confine, 0, 0, 0); os.setuid(uid); os.execv(os.getcwd() + "/" + name, [name])
    os.wait()
child(0, "set-id"); child(65534, "set-id"); child(65534, "capable"); child(0, "capable"); child(65534, "set-id", 1)' 2>/dev/null
	unguarded | same /dev/stdin <(printf '%s\n' 'set-id set-user-ID' 'capable file-capabilities')
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

# noticed ACTION: what `run` tells at once of a world-writable object under the policy.
noticed()
{
	policy "world-writable = $1"
	program 'attempt(shm_open, NAME, RWC, mode=0o666)'
	rm -rf recording
	"$SHMGUARD" run --report=none --policy policy.ini -o recording -- "$PYTHON" program.py 2>told >out
	cat told
	report recording >report.json
	holds '.findings[] | select(.rule == "world-writable") | .stacks[0].role == "created"'
}

@test "what is told at once, and the report, say what the policy has made of it" {
	noticed fix
	grep -q "error: world-writable: .* asks for /$NAME with mode 0666: .*; by the policy it was fixed" told
	rm "/dev/shm/$NAME"
	noticed deny
	grep -q "error: world-writable: .* asks for /$NAME with mode 0666: .*; the policy denied it (EACCES)" told
	noticed warn
	grep -q "error: world-writable: .* leaves /$NAME with mode 0666: any user may write to it, and [^;]*$" told
}
