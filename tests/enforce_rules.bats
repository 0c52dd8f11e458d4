#!/usr/bin/env bats
# Every rule's deny and fix at its call, beside the innocent call that stays as it was. Outcomes are looked at from
# outside the guarded process.
load helpers
load cgroup
load enforce
bats_require_minimum_version 1.5.0

@test "resize-failed-ignored is denied" {
	policy 'resize-failed-ignored = deny'
	guarded 'import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
fd = shm_open(NAME, RWC, mode=0o600); attempt(os.ftruncate, fd, 8192); attempt(map, fd, 8192); os.ftruncate(fd, 4096); attempt(map, fd, 4096)'
	[ "$(cat out)" = $'EFBIG\nENXIO\nok mapped' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ]
}

@test "file-size-limit is denied, and no signal comes" {
	policy 'file-size-limit = deny'
	guarded 'import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
fd = shm_open(NAME, RWC, mode=0o600); attempt(os.ftruncate, fd, 4096); attempt(os.ftruncate, fd, 8192)'
	[ "$(cat out)" = $'ok None\nEFBIG' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ]
}

@test "resize-by-attacher is denied, the creator resizes" {
	policy 'resize-by-attacher = deny'
	truncate -s 4096 "/dev/shm/$NAME"
	guarded 'fd = shm_open(NAME, os.O_RDWR); attempt(os.ftruncate, fd, 8192); attempt(os.truncate, PATH, 100)
own = shm_open(NAME + "-own", RWC, mode=0o600); os.ftruncate(own, 10); attempt(os.ftruncate, own, 20)'
	[ "$(cat out)" = $'EPERM\nEPERM\nok None' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ] && [ "$(stat -c %s "/dev/shm/$NAME-own")" -eq 20 ]
}

@test "resize-by-attacher lets who was the first to size another's object size it again, and sees fallocate grow" {
	policy 'resize-by-attacher = deny'
	truncate -s 0 "/dev/shm/$NAME-empty" "/dev/shm/$NAME-reserved"
	truncate -s 4096 "/dev/shm/$NAME"
	guarded 'attempt(os.ftruncate, fd := shm_open(NAME + "-empty", os.O_RDWR), 100); attempt(os.ftruncate, fd, 200); sys.stdout.flush()
if os.fork() == 0: attempt(os.ftruncate, fd, 300); sys.stdout.flush(); os._exit(0)
os.wait(); fd = shm_open(NAME + "-reserved", os.O_RDWR); attempt(os.posix_fallocate, fd, 0, 100); attempt(os.posix_fallocate, fd, 0, 200)
fd = shm_open(NAME, os.O_RDWR); attempt(os.posix_fallocate, fd, 0, 4097); attempt(os.posix_fallocate, fd, 0, 4096)
print(libc.fallocate(fd, 1, ctypes.c_long(0), ctypes.c_long(8192)), os.fstat(fd).st_size)'
	[ "$(cat out)" = $'ok None\nok None\nEPERM\nok None\nok None\nEPERM\nok None\n0 4096' ]
}

@test "huge-page-misaligned is denied" {
	policy 'huge-page-misaligned = deny'
	guarded 'fd = libc.memfd_create(b"huge", 5); os.ftruncate(fd, 2 << 20)
def punch(fd):
    if libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(4096)) < 0:
        raise OSError(ctypes.get_errno(), "fallocate")
attempt(punch, fd); attempt(map, fd, 4096, 3, 0x4001); attempt(map, fd, 2 << 20, 3, 0x4001)
fd = os.memfd_create("small"); os.ftruncate(fd, 8192); attempt(punch, fd); attempt(map, fd, 4096)'
	[ "$(cat out)" = $'EINVAL\nEINVAL\nok mapped\nok None\nok mapped' ]
}

@test "punch-unreserves: fixed, the hole has new pages" {
	policy 'punch-unreserves = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.posix_fallocate(fd, 0, 65536); os.pwrite(fd, b"x" * 65536, 0)
libc.fallocate(fd, 3, ctypes.c_long(4096), ctypes.c_long(8192))
fd = shm_open(NAME + "-madvise", RWC, mode=0o600); os.posix_fallocate(fd, 0, 65536); os.pwrite(fd, b"x" * 65536, 0)
m = mmap.mmap(fd, 65536); m.madvise(mmap.MADV_REMOVE, 4096, 8192)
fd = shm_open(NAME + "-plain", RWC, mode=0o600); os.pwrite(fd, b"x" * 65536, 0); libc.fallocate(fd, 3, ctypes.c_long(4096), ctypes.c_long(8192))'
	[ "$(stat -c %b "/dev/shm/$NAME" "/dev/shm/$NAME-madvise" | sort -u)" -eq 128 ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 57344 ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-madvise" | wc -c)" -eq 57344 ]
	[ "$(stat -c %b "/dev/shm/$NAME-plain")" -eq 112 ]
	[ "$(grep -c 'rule=punch-unreserves .* action=fixed' audit.log)" -eq 2 ]
}

@test "lock-limit is denied at mlock and MAP_LOCKED, with what the kernel answers" {
	[ "$(id -u)" -eq 0 ] || skip "the limit is set for another user"
	policy 'lock-limit = deny'
	locks='import resource
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 65536)
resource.setrlimit(resource.RLIMIT_MEMLOCK, (8192, 8192)); os.setuid(65534)
address = libc.mmap(None, ctypes.c_size_t(65536), 3, 1, fd, ctypes.c_long(0))
def lock(length):
    if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(length)) < 0:
        raise OSError(ctypes.get_errno(), "mlock")
def lock2(length, flags):
    if libc.mlock2(ctypes.c_void_p(address), ctypes.c_size_t(length), flags) < 0:
        raise OSError(ctypes.get_errno(), "mlock2")
attempt(lock, 65536); attempt(lock, 4096); attempt(map, fd, 65536, 3, 0x2001)
attempt(lock, 8192); attempt(lock, 8192); attempt(lock, 1); attempt(lock, 8193)
attempt(lock2, 65536, 1); attempt(lock2, 8192, 1); attempt(lock2, 65536, 6)
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
attempt(lock, 65536); attempt(lock2, 65536, 0); attempt(map, fd, 65536, 3, 0x2001)'
	guarded "$locks"
	"$PYTHON" program.py >bare
	same bare out
	[ "$(head -n 10 out)" = $'ENOMEM\nok None\nEAGAIN\nok None\nok None\nok None\nENOMEM\nENOMEM\nok None\nEINVAL' ]
	[ "$(tail -n 3 out)" = $'EPERM\nEPERM\nEPERM' ]
	[ "$(sed -n 's/.*rule=lock-limit .* action=denied errno=\([A-Z]*\) .*/\1/p' audit.log)" = \
		$'ENOMEM\nEAGAIN\nENOMEM\nENOMEM\nEPERM\nEPERM\nEPERM' ]
}

@test "a mapping that grows past the end is denied" {
	policy 'map-beyond-end = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); address = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0))
libc.mremap.restype = ctypes.c_void_p
def grow(length):
    global address
    now = libc.mremap(ctypes.c_void_p(address), ctypes.c_size_t(4096), ctypes.c_size_t(length), 1)
    if now == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mremap")
    address = now
attempt(grow, 12288); attempt(grow, 8192)'
	[ "$(cat out)" = $'ENXIO\nok None' ]
}

@test "a mapping that is to show other pages is held to what there is, and holds what it shows" {
	policy 'map-beyond-end = deny' 'shrink-under-map = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192)
at = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0)); private = libc.mmap(None, ctypes.c_size_t(4096), 3, 2, fd, ctypes.c_long(0))
def show(page, prot=0, at=at, length=4096):
    if call(ctypes.c_void_p(at), ctypes.c_size_t(length), prot, ctypes.c_size_t(page), 0):
        raise OSError(ctypes.get_errno(), "remap_file_pages")
for call in libc.remap_file_pages, lambda *args: libc.syscall(216, *args):
    attempt(show, 5, 3); attempt(show, 5, at=private); attempt(show, 5, length=1 << 30); attempt(show, 1 << 51); attempt(show, 2**64 - 1)
    attempt(show, 5); attempt(show, 1); attempt(os.ftruncate, fd, 4096); attempt(show, 0); attempt(os.ftruncate, fd, 4096); os.ftruncate(fd, 8192)'
	[ "$(xargs <out)" = "$(printf '%s ' {,}'EINVAL EINVAL EINVAL EOVERFLOW EINVAL ENXIO ok None EPERM ok None ok None' | xargs)" ]
	[ "$(grep -c 'rule=map-beyond-end .* action=denied errno=ENXIO' audit.log)" -eq 2 ]
	[ "$(grep -c 'rule=shrink-under-map .* action=denied errno=EPERM' audit.log)" -eq 2 ]
}

@test "an interrupted reservation is tried again" {
	policy 'reservation-interrupted = fix'
	guarded 'import signal
signal.signal(signal.SIGALRM, lambda *_: None); libc.siginterrupt(signal.SIGALRM, 1)
fd = shm_open(NAME, RWC, mode=0o600); signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
print(libc.posix_fallocate(fd, ctypes.c_long(0), ctypes.c_long(48 << 20)))
signal.setitimer(signal.ITIMER_REAL, 0)'
	[ "$(cat out)" = 0 ]
	[ "$(stat -c '%s %b' "/dev/shm/$NAME")" = "$((48 << 20)) $((48 << 11))" ]
}

@test "stale-reattach is denied, or the object is made anew; a younger one is attached to" {
	printf 'stale' >"/dev/shm/$NAME"
	policy 'stale-reattach = deny'
	sleep 0.02
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME, os.O_RDWR)
import subprocess; subprocess.run(["cp", PATH, PATH + "-new"], env={"PATH": os.environ["PATH"]}); attempt(shm_open, NAME + "-new", RWC, mode=0o600)'
	[ "$(sed 's/ok .*/ok/' out)" = $'EEXIST\nok\nok' ]
	[ "$(cat "/dev/shm/$NAME")" = stale ]
	old=$(stat -c %i "/dev/shm/$NAME")
	policy 'stale-reattach = fix'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o640)'
	grep -q '^ok' out
	[ "$(stat -c '%s %a' "/dev/shm/$NAME")" = '0 640' ]
	[ "$(stat -c %i "/dev/shm/$NAME")" != "$old" ]
	grep -q 'rule=stale-reattach .* action=fixed' audit.log
}

@test "stale-reattach: what an earlier worker left is stale to the next, what the parent made is not" {
	policy 'stale-reattach = deny'
	guarded 'import time
def worker(code):
    sys.stdout.flush(); time.sleep(0.02)
    if os.fork() == 0:
        code(); sys.stdout.flush(); os._exit(0)
    os.wait()
os.truncate(shm_open(NAME + "-parent", RWC, mode=0o600), 4096)
worker(lambda: os.truncate(shm_open(NAME, RWC, mode=0o600), 4096))
worker(lambda: (attempt(shm_open, NAME, RWC, mode=0o600), attempt(shm_open, NAME + "-parent", RWC, mode=0o600)))'
	[ "$(sed 's/ok .*/ok/' out)" = $'EEXIST\nok' ]
}

# attached_while CODE: another process runs CODE with the object as sys.argv[1], prints, and stays: then it is in use.
attached_while()
{
	printf 'in use' >"/dev/shm/$NAME"
	"$PYTHON" -c "import mmap, sys, time
$1; print(\"there\", flush=True); time.sleep(20)" "/dev/shm/$NAME" >ready 3>&- &
	holder=$!
	until grep -q there ready; do sleep 0.05; done
	policy 'stale-reattach = fix'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600)'
	kill "$holder"
	grep -q '^ok' out && [ "$(cat "/dev/shm/$NAME")" = 'in use' ]
}

@test "stale-reattach: an object that somebody maps is attached to" {
	attached_while 'f = open(sys.argv[1], "r+b"); m = mmap.mmap(f.fileno(), 6); f.close()'
}

@test "stale-reattach: an object that somebody has open is attached to" {
	attached_while 'f = open(sys.argv[1], "r+b")'
}

@test "name-nonportable is denied" {
	policy 'name-nonportable = deny'
	guarded 'attempt(shm_open, NAME[1:], RWC, mode=0o600); attempt(shm_open, "/" + NAME, RWC, mode=0o600)
attempt(shm_open, NAME, RWC, mode=0o600)'
	[ "$(sed 's/ok .*/ok/' out)" = $'EINVAL\nEINVAL\nok' ]
}

@test "memfd: no exec, and not through it" {
	policy 'memfd-executable = fix' 'memfd-no-cloexec = fix'
	guarded 'import fcntl, subprocess
fd = libc.memfd_create(b"x", 0); print(oct(os.fstat(fd).st_mode & 0o777), fcntl.fcntl(fd, fcntl.F_GETFD))
fcntl.fcntl(fd, fcntl.F_SETFD, 0); print(fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(libc.dup(fd), fcntl.F_GETFD))
libc.dup2(fd, 0); print(fcntl.fcntl(0, fcntl.F_GETFD))
fd = libc.memfd_create(b"x", 16); print(oct(os.fstat(fd).st_mode & 0o777))'
	[ "$(cat out)" = $'0o666 1\n1 1\n0\n0o777' ]
}

@test "memfd-unsealed-share is denied, or sealed, of several messages at once, up to the first that is denied" {
	code='import fcntl, socket, struct
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); kept = []
def message(fd):
    control = ctypes.create_string_buffer(struct.pack("QiiiI", 20, 1, 1, fd, 0)); byte = ctypes.create_string_buffer(b"x")
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(byte), 1)); kept.append((control, byte, vector))
    return struct.pack("QQQQQQQQ", 0, 0, ctypes.addressof(vector), 1, ctypes.addressof(control), 24, 0, 0)
def send(*fds):
    done = libc.sendmmsg(a.fileno(), b"".join([message(fd) for fd in fds]), len(fds), 0)
    print(done if done >= 0 else errno.errorcode[ctypes.get_errno()], *[fcntl.fcntl(fd, 1034) for fd in fds])
def memfd(seals=0):
    fd = os.memfd_create("x", os.MFD_ALLOW_SEALING); fcntl.fcntl(fd, 1033, seals); return fd
send(memfd()); send(memfd(2), memfd(), memfd()); send(memfd(2), memfd(2))
broken = message(memfd()); control = kept[-1][0]; control[:8] = struct.pack("Q", 1 << 40)
print(libc.sendmmsg(a.fileno(), broken, 1, 0), errno.errorcode[ctypes.get_errno()])'
	policy 'memfd-unsealed-share = deny'
	guarded "$code"
	same out <(printf '%s\n' 'EPERM 0' '1 2 0 0' '2 2 2' '-1 EINVAL')
	policy 'memfd-unsealed-share = fix'
	guarded "$code"
	same out <(printf '%s\n' '1 2' '3 2 2 2' '2 2 2' '-1 EINVAL')
}

@test "memfd-unsealed-share is denied, or sealed" {
	code='import array, fcntl, socket
a, b = socket.socketpair()
fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
if os.fork() == 0:
    os.close(fd); a.close(); got = b.recvmsg(1, 64)[1]; b.recv(1)
    print("received", fcntl.fcntl(int.from_bytes(got[0][2], "little"), 1034)) if got else print("none"); sys.stdout.flush(); os._exit(0)
b.close(); attempt(a.sendmsg, [b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
sys.stdout.flush(); a.shutdown(socket.SHUT_RDWR); os.wait(); a, b = socket.socketpair()
fcntl.fcntl(fd, 1033, 2)
attempt(a.sendmsg, [b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])'
	policy 'memfd-unsealed-share = deny'
	guarded "$code"
	[ "$(cat out)" = $'EPERM\nnone\nok 1' ]
	policy 'memfd-unsealed-share = fix'
	guarded "$code"
	[ "$(cat out)" = $'ok 1\nreceived 2\nok 1' ]
}

@test "memfd-unsealed-share: nothing is sealed of a message that is denied for another in it" {
	policy '[free]' 'name = free*' 'memfd-unsealed-share = fix' '[kept]' 'name = kept*' 'memfd-unsealed-share = deny'
	guarded 'import array, fcntl, socket
a, b = socket.socketpair()
fds = [os.memfd_create(name, os.MFD_ALLOW_SEALING) for name in ("free", "kept", "free2")]
def sent(*which):
    attempt(a.sendmsg, [b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fds[i] for i in which]))])
    print(*[fcntl.fcntl(fd, 1034) for fd in fds])
sent(0, 1, 2); sent(1, 0); sent(0, 2)'
	same out <(printf '%s\n' EPERM '0 0 0' EPERM '0 0 0' 'ok 1' '2 0 2')
	same <(sed -n 's/.*rule=memfd-unsealed-share .*action=\([a-z]*\) .*/\1/p' audit.log) <(printf '%s\n' denied denied fixed fixed)
}

@test "bytes past the end are cleared before fallocate and truncate uncover them" {
	policy 'grow-exposes-tail = fix'
	guarded 'def tail(name):
    fd = shm_open(name, RWC, mode=0o600); os.ftruncate(fd, 100)
    m = mmap.mmap(fd, 100); ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(m)), 65, 4096)
    return fd
os.posix_fallocate(tail(NAME), 0, 4096); tail(NAME + "-2"); os.truncate(PATH + "-2", 4096)'
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 100 ] && [ "$(tr -d '\0' <"/dev/shm/$NAME-2" | wc -c)" -eq 100 ]
}

@test "dumpable-secret: fixed, the mapping is left out of core dumps" {
	policy '[secret]' "name = /$NAME" 'secret = yes' 'dumpable-secret = fix'
	guarded 'for name in NAME, NAME + "-plain":
    fd = shm_open(name, RWC, mode=0o600); os.ftruncate(fd, 4096); map(fd, 4096)
print(open("/proc/self/smaps").read())'
	awk -v name="$NAME" '$NF == "/dev/shm/" name {at = 1} $NF == "/dev/shm/" name "-plain" {at = 2}
		/^VmFlags:/ && at {flag[at] = / dd/; at = 0} END {exit !(flag[1] && !flag[2])}' out
}

@test "what a limit or a secret in the policy is about is told where it is neither denied nor fixed" {
	policy '[limits]' "name = /$NAME, /$NAME-i" 'max-mode = 0600' 'max-size = 4096' 'max-objects = 1' "names = /none" \
		'[keys]' "name = /$NAME-k*" 'secret = yes'
	guarded 'fd = shm_open(NAME + "-i", RWC, mode=0o600); shm_open(NAME, RWC, mode=0o640); os.truncate(PATH, 8192)
def secret(name, *advice):
    fd = shm_open(NAME + name, RWC, mode=0o600); os.ftruncate(fd, 4096); m = mmap.mmap(fd, 4096); m[0:3] = b"key"
    [m.madvise(a) for a in advice]; m.close()
    if advice: os.pwrite(fd, bytes(4096), 0)
secret("-k"); secret("-kept", 16)'
	sed -n 's/.*rule=\([a-z-]*\) object=\([^ ]*\) action=recorded.*/\1 \2/p' audit.log |
		grep -E '^(mode|name-not|object-too|too-many|secret|dumpable)' | sort | uniq | sed "s/$NAME/x/" |
		same /dev/stdin <(printf '%s\n' 'dumpable-secret /x-k' 'mode-too-open /x' 'name-not-allowed /x' 'name-not-allowed /x-i' \
			'object-too-large /x' 'secret-left /x-k' 'secret-left /x-kept' 'too-many-objects /x')
	[ "$(stat -c '%a %s' "/dev/shm/$NAME")" = '640 8192' ] && [ "$(head -c 3 "/dev/shm/$NAME-k")" = key ]
}

@test "memory-limit is denied, what fits is not" {
	make_group $((64 << 20))
	policy 'memory-limit = deny'
	program 'fd = shm_open(NAME, RWC, mode=0o600); attempt(os.ftruncate, fd, 256 << 20)
import time; time.sleep(1.1); attempt(os.ftruncate, fd, 2 << 20)'
	"${IN_GROUP[@]}" env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	remove_group
	[ "$(cat out)" = $'ENOMEM\nok None' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq $((2 << 20)) ]
}

@test "a mapping that the kernel would refuse whatever the object holds fails as it does without the policy" {
	policy 'map-before-size = deny' 'map-beyond-end = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600)
def at(length, flags, offset, address=None):
    if libc.mmap(ctypes.c_void_p(address), ctypes.c_size_t(length), 3, flags, fd, ctypes.c_long(offset)) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
attempt(at, 4096, 1, 0); attempt(at, 4096, 1, 100); attempt(at, 4096, 0, 0); attempt(at, 4096, 4, 0); attempt(at, 0, 1, 0)
attempt(at, 4096, 0x11, 0, 0x10001)'
	same out <(printf '%s\n' ENXIO EINVAL EINVAL EINVAL EINVAL EINVAL)
}

@test "exec-map is denied at mprotect and pkey_mprotect" {
	policy 'exec-map = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); address = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0))
def protect(prot):
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), prot) < 0:
        raise OSError(ctypes.get_errno(), "mprotect")
def keyed(prot):
    if libc.pkey_mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), prot, -1) < 0:
        raise OSError(ctypes.get_errno(), "pkey_mprotect")
attempt(protect, 5); attempt(protect, 1); attempt(keyed, 5); attempt(keyed, 1)'
	[ "$(cat out)" = $'EACCES\nok None\nEACCES\nok None' ]
}

@test "exec-map is denied where reading lets execute, by the personality, and nowhere else" {
	local code='libc.mmap.restype = ctypes.c_void_p; fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096)
at = libc.mmap(None, ctypes.c_size_t(4096), 0, 1, fd, ctypes.c_long(0)); memfd = libc.memfd_create(b"m", 1); os.ftruncate(memfd, 4096)
def protect(prot):
    if libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(4096), prot) < 0:
        raise OSError(ctypes.get_errno(), "mprotect")
for persona in 0, 0x400000, 0:
    libc.personality(persona); print("bits", oct(persona))
    attempt(map, fd, 4096, 1); attempt(map, fd, 4096, 3); attempt(map, fd, 4096, 2); attempt(map, fd, 4096, 0); attempt(map, memfd, 4096, 1)
    attempt(protect, 1); attempt(protect, 2); attempt(map, os.open(sys.executable, os.O_RDONLY), 4096, 1, 2)
    print([line.split()[1] for line in open("/proc/self/maps") if NAME + "\n" in line and "x" in line.split()[1]])'
	policy 'exec-map = deny'
	program "$code"
	"$PYTHON" program.py >bare
	grep -q "'r-xs'" bare
	rm -f "/dev/shm/$NAME"
	guarded "$code"
	[ "$(sed -n '/0o0$/,/0o2/p' out | grep -c '^ok')" = 16 ]
	[ "$(sed '1,/0o2/d; /bits/,$d' out | xargs)" = 'EACCES EACCES ok mapped ok mapped EACCES EACCES ok None ok mapped []' ]
	[ "$(grep -c 'rule=exec-map .* action=denied errno=EACCES' audit.log)" -eq 4 ]
	needs_root "mounts"
	rm -f audit.log
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o noexec tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' \
		sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
	[ "$(grep -c '^ok' out)" = 23 ]
	[ "$(grep -c "^EACCES" out)" = 1 ]
}

@test "what was mapped past the end without access is not opened" {
	policy 'map-beyond-end = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); address = libc.mmap(None, ctypes.c_size_t(8192), 0, 1, fd, ctypes.c_long(0))
def protect(length, prot):
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), prot) < 0:
        raise OSError(ctypes.get_errno(), "mprotect")
attempt(protect, 4096, 3); attempt(protect, 8192, 3); attempt(protect, 8192, 0); os.ftruncate(fd, 8192); attempt(protect, 8192, 3)'
	[ "$(cat out)" = $'ok None\nENXIO\nok None\nok None' ]
	grep -q 'rule=map-beyond-end .* action=denied' audit.log
}

@test "sigbus-cause: fixed, the program outlives it" {
	code='fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096)
address = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); print(ctypes.string_at(address + 4096, 1))'
	policy 'sigbus-cause = fix'
	guarded "$code"
	[ "$(cat out)" = "b'\\x00'" ]
	policy 'sigbus-cause = warn'
	run guarded "$code"
	[ "$status" -eq 135 ]
}

@test "sigbus-cause: the program's own handler may end it, or fork, with a log and no recording" {
	code='fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096)
address = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0))
def fork(number):
    child = os.fork()
    os._exit(3 if child == 0 else 40 + os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
fork = ctypes.CFUNCTYPE(None, ctypes.c_int)(fork)
libc.signal(7, END); ctypes.string_at(address + 4096, 1)'
	for log in "file:$PWD/audit.log" none; do
		for end in 'libc._exit 7' 'libc.exit 7' 'libc.quick_exit 7' 'fork 43'; do
			policy
			sed -i "s|^log = .*|log = $log|" policy.ini
			run -"${end#* }" guarded "${code/END/${end% *}}"
		done
	done
}

@test "a filter of system calls that does not let pass by what objects are looked at leaves the policy in force" {
	policy 'predictable-name = off' 'world-writable = deny' "names = /$NAME, /$NAME-wide" 'name-not-allowed = deny' 'max-size = 8K' \
		'object-too-large = deny' 'memfd-unsealed-share = off' '[secret]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	local refused when error
	# fstat, statfs and fstatfs, fcntl, newfstatat: without the last two Python does not start.
	for refused in 5 '137, 138' 72 262; do
		for when in now before; do
			if [[ $when == before && ($refused == 72 || $refused == 262) ]]; then
				continue
			fi
			for error in EPERM ENOSYS; do
				guarded "for number in ($refused,):
    if sys.argv[1:] != ['confined']:
        refuse(number, errno.$error)
if '$when' == 'before' and sys.argv[1:] != ['confined']:
    os.execv(sys.executable, [sys.executable, sys.argv[0], 'confined'])
fd = os.open(PATH, RWC, 0o600)
attempt(os.fchmod, fd, 0o666)
attempt(os.chmod, PATH, 0o666)
attempt(os.ftruncate, fd, 100000)
attempt(os.truncate, PATH, 100000)
attempt(os.open, PATH + '-no', RWC, 0o600)
attempt(os.open, PATH + '-wide', RWC, 0o666)
attempt(os.ftruncate, libc.memfd_create(b'x', 0), 100000)
os.pwrite(fd, b'SECRET', 0)"
				same out <(printf '%s\n' EACCES EACCES EFBIG EFBIG EACCES EACCES EFBIG)
				same <(stat -c '%a %s' "/dev/shm/$NAME") <(echo 600 6)
				# Whose fcntl is refused nobody hears of who else uses an object.
				if [ "$refused" = 72 ]; then
					grep -q 'rule=secret-left .*action=recorded .*why=not-wiped:perhaps-mapped' audit.log
				else
					run -1 grep -q SECRET "/dev/shm/$NAME"
				fi
				rm -f "/dev/shm/$NAME"
			done
		done
	done
}
