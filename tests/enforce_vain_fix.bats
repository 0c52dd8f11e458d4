#!/usr/bin/env bats
# The policy in force, without a recording: what the kernel would refuse is not fixed, nor told by an audit.
bats_require_minimum_version 1.5.0
load helpers
load enforce

@test "with mode = audit nothing is told of a call that the kernel refuses" {
	policy 'mode = audit' 'map-before-size = deny' 'max-size = 8K' 'object-too-large = deny' 'max-mode = 0600' 'mode-too-open = deny' \
		'name-nonportable = deny'
	guarded "$DESCRIPTORS"'attempt(map, path, 4096); attempt(map, read, 4096); attempt(map, fd, 4096)
attempt(os.ftruncate, read, 1 << 20); attempt(os.fchmod, path, 0o666); attempt(os.open, PATH + "-n", RWC | os.O_DIRECTORY, 0o666)
for name in "/", "", "x" * 298, NAME[1:] + "-none": attempt(shm_open, name, os.O_RDWR, mode=0)
attempt(os.fchmod, fd, 0o666); os.close(shm_open(NAME[1:], os.O_RDWR, mode=0))'
	same out <(printf '%s\n' EBADF EACCES 'ok mapped' EINVAL EBADF EINVAL EINVAL EINVAL EINVAL ENOENT 'ok None')
	same <(grep -o 'rule=[a-z-]*.*would=[a-z]*' audit.log | sed 's/ object=[^ ]*//') <(printf '%s\n' \
		'rule=map-before-size action=audit would=denied' 'rule=mode-too-open action=audit would=denied' \
		'rule=name-nonportable action=audit would=denied')
}

@test "with mode = audit a call that the kernel refuses is made once, and comes back as bare" {
	policy 'mode = audit' 'memfd-unsealed-share = deny' 'map-before-size = deny' 'object-too-large = deny' 'max-size = 8K' "names = /$NAME" 'name-not-allowed = deny'
	local code='import array, signal, socket
signal.signal(signal.SIGPIPE, lambda *_: print("pipe", flush=True)); memfd = libc.memfd_create(b"shared", 2)
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memfd]))]; fd = os.open(PATH, RWC, 0o600)
for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
    one, other = socket.socketpair(socket.AF_UNIX, kind); other.close(); attempt(one.sendmsg, [b"a"], rights)
    one, other = socket.socketpair(socket.AF_UNIX, kind); one.send(b"b"); other.close(); [attempt(one.sendmsg, [b"a"], rights) for _ in range(2)]
attempt(socket.socket(socket.AF_UNIX).sendmsg, [b"a"], rights); attempt(map, fd, 1 << 50); attempt(shm_unlink, NAME + "-none")
if libc.fallocate(fd, 0x10, ctypes.c_long(0), ctypes.c_long(1 << 20)) < 0: print(errno.errorcode[ctypes.get_errno()])'
	program "$code"
	"$PYTHON" program.py >bare
	rm "/dev/shm/$NAME"
	guarded "$code"$'\none, other = socket.socketpair(); attempt(one.sendmsg, [b"a"], rights); attempt(map, fd, 4096)'
	same <(cat bare; printf '%s\n' 'ok 1' 'ok mapped') out
	same <(grep -o 'rule=[a-z-]*.*would=denied' audit.log | cut -d ' ' -f 1) <(printf '%s\n' rule=memfd-unsealed-share rule=map-before-size)
}

@test "what the kernel refuses is not fixed: nothing is cleared, grown or reserved" {
	policy 'shrink-under-map = fix' 'grow-exposes-tail = fix' 'reserve = yes' 'sparse-unreserved = off'
	local code='import resource
def bytes_of(fd): return (ctypes.c_char * 4096).from_address(libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0)))
fd = os.open(PATH, RWC, 0o600); os.ftruncate(fd, 10); read = os.open(PATH, os.O_RDONLY); there = bytes_of(fd); there[0] = there[200] = b"A"
sealed = libc.memfd_create(b"sealed", 2); os.ftruncate(sealed, 8192); kept = bytes_of(sealed); kept[0] = b"A"; libc.fcntl(sealed, 1033, 6)
for length in 0, 5, 8192: attempt(os.ftruncate, read, length)
for length in 0, 100, 16384: attempt(os.ftruncate, sealed, length)
attempt(os.posix_fallocate, read, 0, 8192); attempt(os.posix_fallocate, sealed, 0, 16384)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY)); attempt(os.ftruncate, fd, 8192); attempt(os.posix_fallocate, fd, 0, 8192)
print(there[0], there[200], kept[0], os.fstat(fd).st_size, os.fstat(sealed).st_size)'
	program "$code"
	"$PYTHON" program.py >bare
	rm "/dev/shm/$NAME"
	guarded "$code"
	same bare out
	grep -qxF "b'A' b'A' b'A' 10 8192" out
}

@test "a mapping that the kernel refuses wipes, reserves and tells nothing" {
	local rule code='import resource
def mapping(fd, length=4096, prot=3, flags=1, offset=0, at=None):
    address = libc.mmap(ctypes.c_void_p(at), ctypes.c_size_t(length), prot, flags, fd, ctypes.c_long(offset))
    if address == ctypes.c_void_p(-1).value: raise OSError(ctypes.get_errno(), "mmap")
    return address
read, write, both = (os.open(PATH, flags) for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR))
anonymous = libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))
attempt(mapping, read); attempt(mapping, write, prot=1); attempt(mapping, both, length=1 << 50); attempt(mapping, both, length=(1 << 64) - 1)
attempt(mapping, both, offset=-4096); attempt(mapping, both, offset=(1 << 63) - 4096, length=8192); attempt(mapping, both, offset=1)
attempt(mapping, both, length=0); attempt(mapping, both, flags=0); attempt(mapping, both, flags=0x100001, at=anonymous)
attempt(mapping, both, flags=0x11, at=0x7ffffffff000); attempt(mapping, both, flags=3 | 0x80000)
attempt(mapping, both, flags=0x101)
resource.setrlimit(resource.RLIMIT_AS, (1 << 32, resource.RLIM_INFINITY)); attempt(mapping, both, length=1 << 33)
print(os.read(both, 4), os.fstat(both).st_blocks)'
	program "$code"
	printf left >"/dev/shm/$NAME"
	truncate -s 8192 "/dev/shm/$NAME"
	"$PYTHON" program.py >bare
	run -1 grep ok bare
	for rule in 'zero = on-attach' 'stale-bytes = fix' 'stale-bytes = deny' $'mode = audit\nstale-bytes = fix' 'sparse-unreserved = fix'; do
		policy "$rule"
		guarded "$code"
		same bare out
		[[ ! -e audit.log || $(cat audit.log) != *rule=s* ]]
	done
	grep -qxF "b'left' 8" out
}

@test "a mapping that the kernel makes is wiped first, wherever it is to be" {
	local how
	policy 'stale-bytes = fix'
	for how in 'flags=1' 'flags=0x11, at=anonymous' 'flags=0x100001, at=free' 'flags=2' 'prot=1' 'flags=0x8001'; do
		printf left >"/dev/shm/$NAME"
		guarded "fd = os.open(PATH, os.O_RDWR)
anonymous, free = (libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0)) for _ in range(2))
libc.munmap(ctypes.c_void_p(free), ctypes.c_size_t(4096))
def mapped(prot=3, flags=1, at=None):
    return ctypes.string_at(libc.mmap(ctypes.c_void_p(at), ctypes.c_size_t(4096), prot, flags, fd, ctypes.c_long(0)), 4)
print(mapped($how), os.read(fd, 4))"
		same out <(printf '%s\n' "b'\x00\x00\x00\x00' b'\x00\x00\x00\x00'")
	done
}

@test "what shm_open opens for its path alone is neither made nor emptied, whatever other flags there are" {
	policy 'create-without-excl = deny' 'truncate-on-open = fix' 'max-mode = 0600' 'mode-too-open = deny' "names = /$NAME-*" 'name-not-allowed = deny'
	local code='opened = lambda *args, **named: os.close(shm_open(*args, **named))
with open(PATH + "-c", "w") as file: file.write("kept")
for flags in -64, os.O_PATH | RWC, os.O_PATH | RWC | os.O_EXCL, os.O_PATH | RWC | os.O_TRUNC, os.O_PATH | RWC | os.O_DIRECTORY:
    for name in "-c", "-n": attempt(opened, NAME + name, flags, mode=0o4755)
attempt(opened, NAME, os.O_PATH | RWC, mode=0o600); attempt(opened, NAME, -64, mode=0o600); print(open(PATH + "-c").read())'
	program "$code"
	"$PYTHON" program.py >bare
	guarded "$code"
	same bare out
	run -1 grep -E 'action=(denied|fixed)' audit.log
	guarded 'attempt(shm_open, NAME + "-n", RWC, mode=0o4755); attempt(shm_open, NAME, RWC, mode=0o600)'
	[ "$(cat out)" = $'EACCES\nEACCES' ]
}

@test "an allocation for which there is no room gets the errno of the bare call, and one for which there is the policy's" {
	needs_root "a small /dev/shm"
	local mode code='fd = shm_open(NAME, RWC | os.O_EXCL, mode=0o600)
def allocated(offset, length, mode=0):
    if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)) < 0: raise OSError(ctypes.get_errno(), "fallocate")
os.posix_fallocate(fd, 0, 65536); os.pwrite(fd, bytes([1]) * 65536, 0); os.pwrite(fd, b"x", 1 << 19)
attempt(os.posix_fallocate, fd, 0, 1 << 30); attempt(allocated, 0, (1 << 20) + 1); attempt(allocated, 4096, 1 << 30, 1)
attempt(allocated, 1 << 19, (1 << 20) - 61440); attempt(allocated, 1 << 19, 1 << 20, 1)
attempt(allocated, 65537, (1 << 20) - 8193); attempt(allocated, 1 << 40, 1 << 20)
print(os.fstat(fd).st_size, os.fstat(fd).st_blocks)'
	program "$code"
	unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=1777 tmpfs /dev/shm && exec "$0" program.py' "$PYTHON" >bare
	[ "$(grep -c ENOSPC bare)" -eq 7 ]
	for mode in enforce audit; do
		policy "mode = $mode" 'max-size = 64K' 'object-too-large = deny' 'predictable-name = off'
		rm -f audit.log
		unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=1777 tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$0" program.py' \
			"$PYTHON" "$PWD/policy.ini" "$BUILD/libshmguard.so" >out
		same bare out
		run -1 grep object-too-large audit.log
	done
	policy 'max-size = 64K' 'object-too-large = deny'
	guarded 'fd = shm_open(NAME, RWC | os.O_EXCL, mode=0o600); attempt(os.posix_fallocate, fd, 0, 1 << 20)
import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY)); attempt(os.posix_fallocate, fd, 0, 1 << 50)'
	same out <(printf '%s\n' EFBIG EFBIG)
}
