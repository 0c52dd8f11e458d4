#!/usr/bin/env bats
# Memory that is to be there before it is touched: what shm-fs-full and sparse-unreserved deny, reserve, and give back.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# small SIZE CODE: like guarded, on a /dev/shm of that size.
small()
{
	needs_root "a small /dev/shm"
	program "$2"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size="$0",mode=1777 tmpfs /dev/shm &&
		exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' "$1" "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
}

@test "shm-fs-full is ENOMEM at mmap" {
	policy 'shm-fs-full = deny'
	small 1m 'fd = shm_open(NAME, RWC, mode=0o600); big = open(PATH + "-2", "wb"); os.ftruncate(fd, 800 << 10)
big.write(b"x" * (600 << 10)); big.flush(); attempt(map, fd, 800 << 10); attempt(map, fd, 4096)'
	[ "$(cat out)" = $'ENOMEM\nok mapped' ]
}

@test "shm-fs-full: fixed, the pages are reserved, or the size stays" {
	policy 'shm-fs-full = fix' '[reserved]' "name = /$NAME" 'reserve = yes'
	small 1m 'fd = shm_open(NAME, RWC, mode=0o600); attempt(os.ftruncate, fd, 512 << 10); print(os.stat(PATH).st_blocks * 512)
attempt(os.ftruncate, fd, 2 << 20); print(os.stat(PATH).st_size)'
	[ "$(cat out)" = $'ok None\n524288\nENOSPC\n524288' ]
}

@test "sparse-unreserved: fixed, the pages are there before they are touched" {
	policy 'sparse-unreserved = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 65536); attempt(map, fd, 65536)
bare = shm_open(NAME + "-read", RWC, mode=0o600); os.ftruncate(bare, 65536); attempt(map, bare, 65536, 1)'
	[ "$(stat -c %b "/dev/shm/$NAME")" -eq 128 ] && [ "$(stat -c %b "/dev/shm/$NAME-read")" -eq 0 ]
}

# window FD LENGTH OFFSET, in programs.
window='def window(fd, length, offset):
    address = libc.mmap(None, ctypes.c_size_t(length), 3, 1, fd, ctypes.c_long(offset))
    if address == ctypes.c_void_p(-1).value: raise OSError(ctypes.get_errno(), "mmap")
def kib(): return os.stat(PATH).st_blocks // 2
fd = shm_open(NAME, RWC, mode=0o600)'

@test "sparse-unreserved: fixed, what is mapped is reserved, wherever the object has memory, and nothing else" {
	policy 'sparse-unreserved = fix'
	guarded "$window"'
os.ftruncate(fd, 64 << 20); window(fd, 1 << 20, 8 << 20); print(kib()); window(fd, 1 << 20, 8 << 20); window(fd, 1 << 20, 16 << 20); print(kib())
window(fd, 1 << 30, 63 << 20); print(kib()); os.pwrite(fd, b"x" * 4096, (32 << 20) + 4096); window(fd, 8192, (32 << 20) + 100 * 4096); print(kib())'
	same out <(printf '%s\n' 1024 2048 3072 3084)
	[ "$(grep -c 'rule=sparse-unreserved .* action=fixed' audit.log)" -eq 4 ]
}

@test "sparse-unreserved: what cannot be reserved is denied, and leaves the memory as it was" {
	policy 'sparse-unreserved = fix'
	small 1m "$window"'
os.ftruncate(fd, 4 << 20); attempt(window, fd, 65536, 0); os.pwrite(fd, b"x" * 4096, 1 << 20); print(kib())
attempt(window, fd, 4 << 20, 0); print(kib(), os.pread(fd, 1, 1 << 20)); attempt(window, fd, 65536, 2 << 20); print(kib())
open(PATH + "-2", "wb").write(b"x" * (512 << 10))'
	same out <(printf '%s\n' 'ok None' 68 ENOMEM "68 b'x'" 'ok None' 132)
	grep -q 'rule=sparse-unreserved .* action=denied errno=ENOMEM' audit.log
}

@test "what was reserved before stays so where a growth cannot be reserved" {
	policy 'reserve = yes'
	small 1m "$window"'
os.posix_fallocate(fd, 0, 64 << 10); attempt(os.ftruncate, fd, 4 << 20); print(kib(), os.stat(PATH).st_size)'
	same out <(printf '%s\n' ENOSPC '64 65536')
}

@test "what was reserved for one mapping stays so where another is refused, and nothing more does" {
	policy 'sparse-unreserved = fix'
	small 1m "$window"'
os.ftruncate(fd, 4 << 20); window(fd, 65536, 4096); window(fd, 65536, 512 << 10); os.pwrite(fd, b"x", 0)
big = open(PATH + "-2", "wb"); big.write(b"y" * (512 << 10)); big.flush()
print(kib()); attempt(window, fd, 700 << 10, 0); print(kib(), os.pread(fd, 1, 0)); attempt(window, fd, 200 << 10, 0); print(kib())'
	same out <(printf '%s\n' 132 ENOMEM "132 b'x'" 'ok None' 264)
}

@test "what several steps have reserved for a mapping goes where the last one has no room" {
	policy 'sparse-unreserved = fix'
	small 96m "$window"'
open(PATH + "-2", "wb").write(bytes(8 << 20)); os.ftruncate(fd, 200 << 20); window(fd, 65536, 8192); os.pwrite(fd, b"x", 1 << 20); print(kib())
attempt(window, fd, 95 << 20, 0); print(kib(), os.pread(fd, 1, 1 << 20)); attempt(window, fd, 1 << 20, 150 << 20); print(kib())'
	same out <(printf '%s\n' 68 ENOMEM "68 b'x'" 'ok None' 1092)
}

@test "what is wiped at a mapping stays reserved" {
	for line in 'stale-bytes = fix' 'zero = on-attach'; do
		policy 'sparse-unreserved = fix' "$line"
		printf 'stale' >"/dev/shm/$NAME"
		truncate -s 32768 "/dev/shm/$NAME"
		rm -f audit.log
		guarded 'fd = shm_open(NAME, os.O_RDWR); attempt(map, fd, 32768); print(os.stat(PATH).st_blocks, os.pread(fd, 5, 0) == bytes(5))'
		same out <(printf '%s\n' 'ok mapped' '64 True')
		same <(grep -o 'rule=.* action=fixed' audit.log | cut -d ' ' -f 1 | sort) <(printf '%s\n' rule=sparse-unreserved rule=stale-bytes)
	done
}
