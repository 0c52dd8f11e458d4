#!/usr/bin/env bats
# The policy in force, without a recording: a call that the kernel would refuse gets the kernel's errno, and nothing is told.
# What it would do is refused as ever, with the errno of the rule.
bats_require_minimum_version 1.5.0
load helpers
load enforce

@test "a mapping that the descriptor, the seals or the mount do not allow gets the errno of the bare call" {
	policy 'map-before-size = deny' 'map-beyond-end = deny' 'exec-map = deny' 'memfd-unsealed-share = off'
	vain "$DESCRIPTORS"'sealed = libc.memfd_create(b"sealed", 2); libc.fcntl(sealed, 1033, 8)
for one in path, read, write:
    for flags in (1, 3) if one == read else (1, 2, 3):
        attempt(map, one, 4096, 3, flags)
        attempt(map, one, 4096, 2, flags)
    attempt(map, one, 4096, 7)
attempt(map, path, 4096, 1); attempt(map, write, 4096, 1); attempt(map, sealed, 4096)
print("twins", flush=True)
attempt(map, fd, 4096); attempt(map, read, 4096, 1); attempt(map, sealed, 4096, 1); attempt(map, fd, 4096, 5)' ENXIO ENXIO ENXIO EACCES
}

@test "a mapping to be executed, on a mount that forbids it, gets the errno of the bare call" {
	needs_root "mounts"
	policy 'exec-map = deny'
	mount -o remount,noexec /dev/shm
	program 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); attempt(map, fd, 4096, 5)'
	"$PYTHON" program.py >bare
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); attempt(map, fd, 4096, 5)'
	mount -o remount,exec /dev/shm
	same bare out
	[ "$(cat out)" = EPERM ]
}

@test "a mapping that cannot be locked gets the errno of the bare call, and lock-limit says so itself" {
	needs_root "takes another user"
	local code='import resource
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); resource.setrlimit(resource.RLIMIT_MEMLOCK, (4096, 4096)); os.setuid(65534)
LOCKED = 0x2001; attempt(map, fd, 16384, 3, LOCKED); attempt(map, fd, 8192, 7, LOCKED); attempt(map, fd, 4096, 3, LOCKED)
'
	policy 'map-beyond-end = deny' 'exec-map = deny' 'lock-limit = off'
	vain "$code"'print("twins", flush=True)
attempt(map, fd, 16384); attempt(map, fd, 8192, 7)' ENXIO EACCES
	policy 'map-beyond-end = deny' 'lock-limit = deny'
	guarded "$code"
	same out <(printf '%s\n' EAGAIN EAGAIN 'ok mapped')
	[ "$(grep -c 'rule=lock-limit .* action=denied errno=EAGAIN' audit.log)" -ge 1 ]
}

@test "a size that the descriptor, the seals or the number do not allow gets the errno of the bare call" {
	policy 'max-size = 8K' 'object-too-large = deny' '[other]' "name = /$NAME" "names = /none" 'name-not-allowed = deny'
	vain "fd = os.open(PATH + '-s', RWC, 0o600); path, read = (os.open(PATH + '-s', flags) for flags in (os.O_PATH, os.O_RDONLY))"'
sealed = libc.memfd_create(b"sealed", 2); libc.fcntl(sealed, 1033, 4)
for one in path, read, sealed:
    attempt(os.ftruncate, one, 1 << 20); attempt(os.posix_fallocate, one, 0, 1 << 20)
attempt(os.truncate, PATH + "-s", -1); attempt(os.truncate, PATH + "-none", 1 << 20)
print("twins", flush=True)
attempt(os.ftruncate, fd, 1 << 20); attempt(os.posix_fallocate, fd, 0, 1 << 20); attempt(os.truncate, PATH + "-s", 1 << 20)' EFBIG EFBIG EFBIG
}

@test "a mode and an owner by what is no descriptor for that get the errno of the bare call" {
	policy 'max-mode = 0600' 'mode-too-open = deny' 'owner = 0' 'foreign-owner = deny'
	vain "$DESCRIPTORS"'attempt(os.fchmod, path, 0o666); attempt(os.fchown, path, 1, -1); attempt(os.setxattr, path, "system.posix_acl_access", b"\2\0\0\0")
print("twins", flush=True)
attempt(os.fchmod, fd, 0o666); attempt(os.fchmod, read, 0o666)' EACCES EACCES
}

@test "a mode with flags that the C library does not take gets the errno of the bare call" {
	local code='fd = os.open(PATH, RWC, 0o600)
def mode(dirfd, path, flags):
    if libc.fchmodat(dirfd, path, 0o666, flags): raise OSError(ctypes.get_errno(), "fchmodat")
for flags in 0x200, 0x400, 0x4000, 0x1000, 0x1100, 0x101, -1: attempt(mode, -100, PATH.encode(), flags); attempt(mode, fd, b"", flags)
attempt(mode, -100, b"/dev/shm/" + NAME.encode() + b"-none", 0x4000); print(oct(os.stat(PATH).st_mode)); os.symlink("nowhere", PATH + "-l")
attempt(mode, -100, PATH.encode() + b"-l", 0x100)
print("twins", flush=True)
attempt(mode, -100, PATH.encode(), 0); attempt(mode, -100, PATH.encode(), 0x100)'
	policy 'world-writable = deny'
	vain "$code" EACCES EACCES
	policy 'max-mode = 0600' 'mode-too-open = deny' 'mode = audit'
	program "$code"
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME-l"
	"$PYTHON" program.py >bare
	rm -f audit.log "/dev/shm/$NAME" "/dev/shm/$NAME-l"
	guarded "$code"
	same bare out
	[ "$(grep -c 'action=audit would=denied' audit.log)" -eq 2 ]
}

@test "what another user, or an ordinary one, may not do gets the errno of the bare call" {
	needs_root "takes another user"
	policy 'max-mode = 0600' 'mode-too-open = deny' 'max-size = 8K' 'object-too-large = deny' 'owner = 0, 65534' 'foreign-owner = deny'
	vain 'fd = os.open(PATH, RWC, 0o600); os.seteuid(65534)
attempt(os.fchmod, fd, 0o666); attempt(os.chmod, PATH, 0o666); attempt(os.truncate, PATH, 1 << 20); attempt(os.fchown, fd, 1, -1)
own = os.open(PATH + "-own", RWC, 0o600); attempt(os.fchown, own, 1, -1)
print("twins", flush=True)
attempt(os.fchmod, own, 0o666); attempt(os.truncate, PATH + "-own", 1 << 20); os.seteuid(0); attempt(os.chmod, PATH + "-own", 0o666)
attempt(os.fchown, own, 1, -1)' EACCES EFBIG EACCES EACCES
}

@test "an object that has lost its last name gets no other one, with the errno of the bare call" {
	policy 'max-objects = 1' 'too-many-objects = deny' "names = /$NAME-*" 'name-not-allowed = deny'
	vain 'gone = os.open(PATH + "-c", RWC, 0o600); os.unlink(PATH + "-c"); os.close(os.open(PATH + "-c", RWC, 0o600))
def linked(fd, name, by=b"", flags=0x1000):
    if libc.linkat(fd, by, -100, (PATH + name).encode(), flags) < 0:
        raise OSError(ctypes.get_errno(), "linkat")
for name in "-n", "", "-c", "-d/n":
    attempt(linked, gone, name); attempt(linked, -100, name, b"/proc/self/fd/%d" % gone, 0x400)
one, other = (os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600) for _ in range(2)); attempt(linked, one, "-c")
print("twins", flush=True)
attempt(linked, one, "-n"); attempt(linked, -100, "", b"/proc/self/fd/%d" % other, 0x400)' EMFILE EACCES
}

@test "flags that no open knows get the errno of the bare call" {
	policy 'max-objects = 1' 'too-many-objects = deny' 'max-mode = 0600' 'mode-too-open = deny' "names = /$NAME-*" 'name-not-allowed = deny'
	vain 'os.close(os.open(PATH + "-c", RWC, 0o600)); opened = lambda *args: os.close(os.open(*args))
both = RWC | os.O_DIRECTORY
for name in "-c", "-n":
    for mode in 0o600, 0o666:
        attempt(opened, PATH + name, both, mode); attempt(opened, PATH + name, both | os.O_EXCL, mode)
        attempt(opened, PATH + name, both | os.O_TRUNC, mode)
attempt(opened, PATH, both, 0o600); attempt(opened, PATH, both | os.O_EXCL, 0o600); attempt(opened, PATH + "-c", RWC | os.O_EXCL, 0o666)
attempt(shm_open, NAME + "-c", RWC | os.O_EXCL, mode=0o666)
print("twins", flush=True)
attempt(opened, PATH + "-n", RWC, 0o600); attempt(opened, PATH, RWC, 0o600); os.unlink(PATH + "-c"); attempt(opened, PATH + "-n", RWC, 0o666)' EMFILE EACCES EACCES
	[ -z "$(find /dev/shm -name "*$NAME*")" ]
}

@test "an opening of what is not there, or not of that kind, gets the errno of the bare call whatever names are allowed" {
	policy "names = /$NAME-c" 'name-not-allowed = deny'
	vain 'os.close(os.open(PATH + "-c", RWC, 0o600)); opened = lambda *args: os.close(os.open(*args))
os.symlink("/dev/shm/" + NAME + "-none", PATH + "-l"); os.symlink(NAME[1:] + "-r", PATH + "-r"); os.mkdir(PATH + "-d")
for name in "-l", "-r", "-d", "-none", "-d/none", "-none/none", "-c/none":
    for flags in os.O_RDWR, os.O_RDWR | os.O_NOFOLLOW, os.O_RDWR | os.O_CREAT | os.O_EXCL, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW:
        if not (flags & os.O_CREAT and "none" in name) and not (name == "-d" and flags & os.O_DIRECTORY): attempt(opened, PATH + name, flags)
    if "/" not in name: attempt(shm_open, NAME + name, os.O_RDWR)
for name in "-r", "-d": attempt(opened, PATH + name, os.O_RDWR | os.O_CREAT)
print("twins", flush=True)
attempt(opened, PATH + "-none", RWC); attempt(opened, PATH + "-d/none", RWC); os.unlink("/dev/shm/" + NAME + "-d/none") if os.path.exists(PATH + "-d/none") else 0
os.unlink(PATH + "-none") if os.path.exists(PATH + "-none") else 0; attempt(opened, PATH + "-l", os.O_RDWR | os.O_CREAT); os.rmdir(PATH + "-d")' EACCES EACCES EACCES
}

@test "a name that shm_open knows as none gets the errno of the bare call" {
	# The twins are another place than the many, whose lines are held back.
	local names='def opened(name, flags):
    if libc.shm_open(name.encode(), flags, 0o600) < 0: raise OSError(ctypes.get_errno(), "")
for name in "", "/", "//", "/.", "..", NAME + "/", NAME + "/x", NAME + "x" * 250, "x" * 256, "/" + "x" * 260, "x" * 298, "/" + "x" * 5000:
    for flags in os.O_RDWR, RWC, RWC | os.O_EXCL, RWC | os.O_TRUNC, os.O_RDWR | os.O_TRUNC: attempt(shm_open, name, flags, mode=0o600)
    if "." not in name: attempt(shm_open, name, os.O_RDONLY, mode=0)
attempt(shm_open, NAME[1:], os.O_RDWR, mode=0o600); attempt(shm_open, "//" + NAME[1:], os.O_RDONLY, mode=0o600)
print("twins", flush=True)
attempt(opened, NAME[1:], RWC); attempt(opened, "/" + NAME + "-n", RWC | os.O_EXCL)'
	policy 'name-nonportable = deny'
	vain "$names" EINVAL EINVAL
	policy 'names = /none' 'name-not-allowed = deny' 'name-nonportable = deny' 'stale-bytes = deny'
	vain "$names" EACCES EACCES
	[ -z "$(find /dev/shm -name "*$NAME*")" ]
}

@test "a stream of no mode that there is gets the errno of the bare call" {
	policy "names = /$NAME-c" 'name-not-allowed = deny' 'max-mode = 0600' 'mode-too-open = deny'
	vain 'libc.fopen.restype = libc.freopen.restype = ctypes.c_void_p
def stream(mode):
    if not libc.fopen(PATH.encode(), mode): raise OSError(ctypes.get_errno(), "")
for mode in b"q", b"", b"+w", b"b": attempt(stream, mode)
print("twins", flush=True)
attempt(stream, b"w")' EACCES
}

@test "a mapping at no place that there is gets the errno of the bare call" {
	local code='other = os.open(PATH + "-o", RWC, 0o600); os.ftruncate(other, 8192)
room = libc.mmap(None, ctypes.c_size_t(1 << 20), 0, 0x22, -1, ctypes.c_long(0)); big = 1 << 50
taken = libc.mmap(ctypes.c_void_p(room), ctypes.c_size_t(8192), 3, 0x11, other, ctypes.c_long(0))
def at(fd, address, length, flags, offset=0, prot=3):
    if libc.mmap(ctypes.c_void_p(address), ctypes.c_size_t(length), prot, flags, fd, ctypes.c_long(offset)) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return "mapped"
for one in (fd, read, write):
    for prot in 1, 3:
        for place in (None, big, 1), (None, 1 << 64 - 1, 1), (None, 4096, 1, -4096), (taken, 65536, 1 | 0x100000), (5, 4096, 0x11), (None, 8192, 1 | 0x40000), \
            (None, 8192, 2 | 0x100), (None, 8192, 3 | 0x80000): attempt(at, one, *place, prot=prot)
sealed = libc.memfd_create(b"sealed", 2); libc.fcntl(sealed, 1033, 8)
attempt(at, sealed, None, big, 1); attempt(at, sealed, None, 4096, 1, -4096); attempt(at, sealed, None, 8192, 1)
print("twins", flush=True)
attempt(at, fd, None, 8192, 1); attempt(at, fd, taken, 65536, 0x11); attempt(at, fd, taken, 65536, 1)
print("held" if any(line.startswith("%x-" % taken) and NAME + "-o" in line for line in open("/proc/self/maps")) else "mapped")'
	policy 'map-before-size = deny' 'memfd-unsealed-share = off'
	vain "$DESCRIPTORS$code" ENXIO ENXIO ENXIO held
	policy 'map-beyond-end = deny'
	vain "$DESCRIPTORS"'os.ftruncate(fd, 10); '"$code" ENXIO ENXIO ENXIO held
}

@test "a mapping of what another has left, at no place that there is, gets the errno of the bare call" {
	policy 'stale-bytes = deny'
	local code='fd, read = (os.open(PATH + "-left", flags) for flags in (os.O_RDWR, os.O_RDONLY)); attempt(map, fd, 1 << 50); attempt(map, read, 1 << 50, 1); attempt(map, read, 4096)'
	printf 'left' >"/dev/shm/$NAME-left"
	program "$code"
	"$PYTHON" program.py >bare
	guarded "$code"
	same bare out
	run -1 grep denied audit.log
	guarded 'attempt(map, os.open(PATH + "-left", os.O_RDWR), 4096)'
	[ "$(cat out)" = EEXIST ]
}

@test "a mapping that cannot grow so gets the errno of the bare call" {
	policy 'map-beyond-end = deny'
	vain 'libc.mremap.restype = ctypes.c_void_p; fd = os.open(PATH, RWC, 0o600); os.ftruncate(fd, 8192)
room = libc.mmap(None, ctypes.c_size_t(65536), 0, 0x22, -1, ctypes.c_long(0))
shared = libc.mmap(ctypes.c_void_p(room), ctypes.c_size_t(4096), 3, 0x11, fd, ctypes.c_long(0))
def grown(address, length, new_length, flags, to=None):
    if libc.mremap(ctypes.c_void_p(address), ctypes.c_size_t(length), ctypes.c_size_t(new_length), flags, ctypes.c_void_p(to)) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mremap")
    return "mapped"
for flags in 0, 0x77, 2, 4, 5, 6, 8: attempt(grown, shared, 4096, 65536, flags, room + (1 << 30))
attempt(grown, shared + 1, 4096, 65536, 1); attempt(grown, shared, 4096, 1 << 50, 1); attempt(grown, shared, 4096, (1 << 64) - 1, 1)
attempt(grown, shared, 4096, 65536, 3, room + 4097); attempt(grown, shared, 8192, 65536, 3, room + 4096)
print("twins", flush=True)
attempt(grown, shared, 4096, 65536, 1)' ENXIO
	grep -q 'rule=map-beyond-end' audit.log
}

@test "an allocation of no kind that there is gets the errno of the bare call" {
	policy 'max-size = 8K' 'object-too-large = deny'
	vain "$DESCRIPTORS"'def allocated(fd, mode, offset=0, length=1 << 20):
    if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)) < 0: raise OSError(ctypes.get_errno(), "fallocate")
sealed = libc.memfd_create(b"sealed", 2); libc.fcntl(sealed, 1033, 4)
for one in fd, path, read, write, sealed:
    for mode in 0x10, 8, 0x20, 0x40, 2, 0x1000, 0x11, 9: attempt(allocated, one, mode)
    attempt(allocated, one, 0, 1 << 62, (1 << 63) - 1)
attempt(allocated, sealed, 1); attempt(allocated, sealed, 0); attempt(os.truncate, "/proc/self/fd/%d" % sealed, 1 << 20); attempt(os.ftruncate, sealed, 1 << 20)
print("twins", flush=True)
attempt(allocated, fd, 0); attempt(allocated, write, 1)' EFBIG EFBIG
}

@test "a size that huge pages do not have gets the errno of the bare call" {
	local code='huge = libc.memfd_create(b"huge", 4)
if huge < 0: print("no huge pages"); sys.exit()
def allocated(fd, mode, length):
    if libc.fallocate(fd, mode, ctypes.c_long(0), ctypes.c_long(length)) < 0: raise OSError(ctypes.get_errno(), "fallocate")
for size in 5, 4096, 9000: attempt(os.ftruncate, huge, size); attempt(os.truncate, "/proc/self/fd/%d" % huge, size)
attempt(map, huge, (1 << 64) - 1); attempt(map, huge, 1 << 50)
for mode in 0x10, 8, 2: attempt(allocated, huge, mode, 8192)'
	for line in 'object-too-large = deny' 'reserve = yes' 'huge-page-misaligned = deny' 'map-before-size = deny'; do
		policy 'max-size = 1K' 'object-too-large = off' '[second]' "$line"
		program "$code"
		"$PYTHON" program.py >bare
		guarded "$code"
		same bare out
		run -1 grep denied audit.log
	done
}

@test "a message that is not sent gets the errno of the bare call, and its signal" {
	policy 'memfd-unsealed-share = deny'
	vain 'import array, signal, socket
signal.signal(signal.SIGPIPE, lambda *_: print("pipe"))
memfd = libc.memfd_create(b"shared", 2); file = os.open(PATH, RWC, 0o600); bad = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memfd, 99]))]
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memfd]))]; twice = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memfd, memfd]))]
class Header(ctypes.Structure): _fields_ = [(n, t) for n, t in zip("abcdefg", [ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int])]
def sent(fd):
    control = ctypes.create_string_buffer(array.array("q", [20]).tobytes() + array.array("i", [1, 1, memfd, 0]).tobytes(), 24)
    if libc.sendmsg(fd, ctypes.byref(Header(None, 0, None, 0, ctypes.addressof(control), 24, 0)), 0) < 0: raise OSError(ctypes.get_errno(), "")
for flags in 0, socket.MSG_NOSIGNAL:
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM:
        one = socket.socket(socket.AF_UNIX, kind); attempt(one.sendmsg, [b"a"], rights, flags)
        if kind == socket.SOCK_DGRAM: continue
        one, other = socket.socketpair(socket.AF_UNIX, kind); other.close(); attempt(one.sendmsg, [b"a"], rights, flags); attempt(one.sendmsg, [b"a"], twice, flags)
    one, other = socket.socketpair(); one.shutdown(socket.SHUT_WR); attempt(one.sendmsg, [b"a"], rights, flags)
    one, other = socket.socketpair(); attempt(one.sendmsg, [b"a"], bad, flags); attempt(one.sendmsg, [b"a"], rights, flags, "/none")
    for kind in socket.SOCK_SEQPACKET, socket.SOCK_DGRAM:
        one, other = socket.socketpair(socket.AF_UNIX, kind); attempt(one.sendmsg, [b"a"], rights, flags | socket.MSG_OOB); one.shutdown(socket.SHUT_WR)
        for data in [b"a"], [b""], []: attempt(one.sendmsg, data, rights, flags); attempt(one.sendmsg, data, bad, flags)
        attempt(one.sendmsg, [b"a"], rights, flags, "/none"); print(other.recv(9) if kind == socket.SOCK_SEQPACKET else "")
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); other.shutdown(socket.SHUT_RD); attempt(one.sendmsg, [b"a"], rights, flags)
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); other.close(); attempt(one.sendmsg, [b"a"], rights, flags, "/none"); attempt(one.sendmsg, [b"a"], rights, flags | socket.MSG_OOB)
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); one.send(b"b"); other.send(b"a"); other.close(); attempt(one.sendmsg, [b"a"], rights, flags); attempt(one.sendmsg, [b"a"], rights, flags)
for fd in file, memfd, 99, -1: attempt(sent, fd)
print("twins", flush=True)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM:
    one, other = socket.socketpair(socket.AF_UNIX, kind); attempt(one.sendmsg, [b"a"], rights); other.setblocking(False)
    try: print("ok", other.recv(1)) if other.recv(1) != b"a" else None
    except BlockingIOError: pass' EPERM EPERM EPERM
}

@test "a name that cannot be removed, or replaced, gets the errno of the bare call" {
	policy "names = /$NAME-c" 'name-not-allowed = deny'
	vain 'libc.shm_unlink.restype = ctypes.c_int
def unlinked(call, *args):
    if call(*args) < 0: raise OSError(ctypes.get_errno(), "")
os.close(os.open(PATH + "-c", RWC, 0o600)); os.mkdir(PATH + "-d"); os.close(os.open("/tmp/q" + NAME[1:], RWC, 0o600))
for name in "-none", "-none/x", "-c/x", "-d": attempt(unlinked, libc.shm_unlink, (NAME + name).encode()); attempt(unlinked, libc.sem_unlink, (NAME + name).encode())
for flags in 0x100, 0x77, 0x201: attempt(unlinked, libc.unlinkat, -100, (PATH + "-c").encode(), flags)
for flags in 99, 3, 6: attempt(unlinked, libc.renameat2, -100, (PATH + "-c").encode(), -100, (PATH + "-n").encode(), flags)
attempt(unlinked, libc.linkat, -100, (PATH + "-c").encode(), -100, (PATH + "-n").encode(), 0x77)
for name in "XXXXX", "-nXXXXX", "-nXXXXXa": attempt(unlinked, libc.mkstemp, ctypes.create_string_buffer((PATH + name).encode()))
attempt(unlinked, libc.mkstemps, ctypes.create_string_buffer((PATH + "XXXXXXa").encode()), 2); attempt(unlinked, libc.mkstemps, ctypes.create_string_buffer((PATH + "XXXXXX").encode()), -1)
os.rmdir(PATH + "-d"); os.unlink("/tmp/q" + NAME[1:])
print("twins", flush=True)
attempt(unlinked, libc.mkstemp, ctypes.create_string_buffer((PATH + "-nXXXXXX").encode())); attempt(os.rename, PATH + "-c", PATH + "-n")' EACCES EACCES
	[ "$(find /dev/shm -name "*$NAME*")" = "/dev/shm/$NAME-c" ]
}

@test "what a sticky directory, or a closed one, keeps gets the errno of the bare call" {
	needs_root "takes another user"
	local code='libc.shm_unlink.restype = ctypes.c_int
def unlinked(call, *args):
    if call(*args) < 0: raise OSError(ctypes.get_errno(), "")
def removals():
    for name in "-root", "-closed/x": attempt(os.unlink, PATH + name); attempt(os.remove, PATH + name)
    attempt(unlinked, libc.shm_unlink, (NAME + "-root").encode()); attempt(os.rename, PATH + "-root", PATH + "-n"); attempt(os.rename, PATH + "-own", PATH + "-root")
    attempt(os.rename, PATH + "-closed/x", PATH + "-n"); attempt(os.rename, PATH + "-own", PATH + "-closed/n")
    attempt(unlinked, libc.renameat2, -100, (PATH + "-own").encode(), -100, (PATH + "-root").encode(), 1)
    attempt(os.link, PATH + "-root", PATH + "-n"); attempt(os.link, PATH + "-own", PATH + "-closed/n")
    attempt(unlinked, libc.unlinkat, -100, (PATH + "-root").encode(), 0x77)'
	for line in "names = /$NAME-c" 'unlink-by-stranger = deny'; do
		policy "$line" 'name-not-allowed = deny' 'owner = 4711'
		rm -rf "/dev/shm/$NAME"*
		mkdir -m 755 "/dev/shm/$NAME-closed"
		touch "/dev/shm/$NAME-root" "/dev/shm/$NAME-closed/x"
		install -o 65534 -m 600 /dev/null "/dev/shm/$NAME-own"
		program "$code"$'\nos.seteuid(65534); removals()'
		"$PYTHON" program.py >bare
		rm -f audit.log
		guarded "$code"$'\nos.seteuid(65534); removals()'
		same bare out
		run -1 grep denied audit.log
		guarded 'attempt(os.unlink, PATH + "-own")'
		[ "$(cat out)" = EACCES ]
	done
	rm -rf "/dev/shm/$NAME-closed"
}

@test "an opening for which no descriptor is left gets the errno of the bare call" {
	local lines code='import resource
libc.sem_open.restype = ctypes.c_void_p
def semaphore(name, flags):
    if not libc.sem_open((NAME + name).encode(), flags, 0o666, ctypes.c_uint(1)): raise OSError(ctypes.get_errno(), "sem_open")
def temporary(name):
    if libc.mkstemp(ctypes.create_string_buffer(PATH.encode() + name)) < 0: raise OSError(ctypes.get_errno(), "mkstemp")
def made(name): os.close(shm_open(NAME + name, RWC, mode=0o666)); os.unlink(PATH + name)
before = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
for name in "-n", "/n":
    for flags in os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, 0:
        attempt(shm_open, NAME + name, os.O_RDWR | flags, mode=0o666); attempt(os.open, PATH + name, os.O_RDWR | flags, 0o666); attempt(semaphore, name, flags)
attempt(os.open, PATH + "-n", RWC | os.O_DIRECTORY, 0o666); attempt(shm_open, "/" + "x" * 298, RWC, mode=0o666)
attempt(temporary, b"-nXXXXXX"); attempt(temporary, b"-nXXXXX"); resource.setrlimit(resource.RLIMIT_NOFILE, before)
print("twins", flush=True)
attempt(made, "-n"); attempt(made, "-n")'
	for lines in $'names = /none\nname-not-allowed = deny' 'world-writable = deny' 'world-readable = deny' \
		$'max-mode = 0600\nmode-too-open = deny'; do
		policy "$lines"
		vain "$code" EACCES EACCES
	done
}

@test "what only its owner opens without a mark of the reading gets the errno of the bare call" {
	needs_root "takes another user"
	policy 'names = /none' 'name-not-allowed = deny'
	printf there >"/dev/shm/$NAME-root"
	printf kept >"/dev/shm/$NAME-closed"
	chmod 644 "/dev/shm/$NAME-root"
	chmod 600 "/dev/shm/$NAME-closed"
	local code='os.seteuid(65534); attempt(os.open, PATH + "-root", os.O_RDONLY | os.O_NOATIME); attempt(os.open, PATH + "-closed", os.O_RDONLY | os.O_NOATIME)
attempt(os.open, PATH + "-none", os.O_RDONLY | os.O_NOATIME); os.seteuid(0)'
	program "$code"
	"$PYTHON" program.py >bare
	guarded "$code"$'\nattempt(os.open, PATH + "-root", os.O_RDONLY | os.O_NOATIME); attempt(os.open, PATH + "-root", os.O_RDONLY)'
	same out <(cat bare; printf '%s\n' EACCES EACCES)
	grep -qx EPERM bare
}
