#!/usr/bin/env bats
# What may not be opened anew, by its mode or as another user, is wiped and mended by what the program has of it already.
bats_require_minimum_version 1.5.0
load helpers
load enforce

# own CODE: the code under the policy, as a user whom modes bind; `filled` makes an object of two pages with a key in each.
own()
{
	guarded 'if os.geteuid() == 0:
    os.seteuid(65534)
def filled(name, mode=0o600):
    fd = shm_open(NAME + name, RWC, mode); os.ftruncate(fd, 8192); os.pwrite(fd, b"key", 0); os.pwrite(fd, b"key", 8000)
    return fd
'"$1"
}

@test "a secret whose mode forbids to open it is wiped at the last unmap, at exit and at unlink" {
	local ways='for mode in 0o400, 0o440, 0:
    fd = filled("-unmapped%o" % mode, mode); m = mmap.mmap(fd, 8192); m.close()
    filled("-open%o" % mode, mode)
    fd = filled("-mapped%o" % mode, mode); map(fd, 8192); os.close(fd)
    fd = filled("-both%o" % mode); map(fd, 4096); map(fd, 8192, 1); os.fchmod(fd, mode)
    fd = filled("-removed%o" % mode, mode); shm_unlink(NAME + "-removed%o" % mode); print(os.pread(fd, 8192, 0).strip(b"\0"))
'
	for policy in 'zero = on-unlink' 'zero = on-unlink, on-last-unmap'; do
		rm -f audit.log "/dev/shm/$NAME"*
		policy 'secret = yes' 'secret-left = fix' "$policy"
		own "$ways"'os._exit(0)'
		same out <(printf "b''\n%.0s" 1 2 3)
		same <(cat "/dev/shm/$NAME"-* | tr -d '\0') /dev/null
		[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" = 15 ]
		run -1 grep why=not-wiped audit.log
	done
}

@test "what is mapped alone is wiped by its mappings, in pieces and where they are locked" {
	policy 'secret = yes' 'secret-left = fix'
	own 'libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
fd = filled("-locked", 0); at = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); print(libc.mlock(at, 4096)); os.close(fd)
fd = filled("-pieces", 0)
for offset in 4096, 0: libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(offset))
os.close(fd)
os._exit(0)'
	[ "$(cat out)" = 0 ]
	same <(cat "/dev/shm/$NAME"-* | tr -d '\0') /dev/null
	[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" = 2 ]
}

@test "where other threads may give a number another file meanwhile nothing is written by it" {
	policy 'secret = yes' 'secret-left = fix'
	own 'import threading
fd = filled("-numbered", 0)
threading.Thread(target=threading.Event().wait, daemon=True).start()
refuse(140, errno.EPERM)
os._exit(0)'
	[ "$(tr -d '\0' <"/dev/shm/$NAME-numbered")" = keykey ]
	[ "$(grep -c 'rule=secret-left .* why=not-wiped:EACCES' audit.log)" = 1 ]
}

@test "a secret that the program has only to be read, or has no more, is told" {
	policy 'secret = yes' 'secret-left = fix'
	own 'fd = filled("-gone"); os.fchmod(fd, 0); os.close(fd)
fd = filled("-read"); os.open(PATH + "-read", os.O_RDONLY); map(fd, 8192, 1); os.fchmod(fd, 0o400); os.close(fd)
fd = filled("-part", 0); map(fd, 4096); os.close(fd)
fd = filled("-late", 0); libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(4096)); os.close(fd)
fd = filled("-gap", 0); os.ftruncate(fd, 16384); os.pwrite(fd, b"key", 12288)
for offset in 12288, 0: libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(offset))
os.close(fd)
fd = filled("-empty", 0); os.ftruncate(fd, 0); os.ftruncate(fd, 8192); os.close(fd)
os._exit(0)'
	[ "$(tr -d '\0' <"/dev/shm/$NAME-gone")" = keykey ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-read")" = keykey ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-part")" = key ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-late")" = key ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-gap")" = key ]
	[ "$(grep -c 'rule=secret-left .* why=not-wiped:EACCES' audit.log)" = 5 ]
	run -1 grep -e '-empty.*secret-left\|secret-left.*-empty' audit.log
}

@test "what the program made as another user is wiped, shrunk and grown as if it were its own" {
	needs_root "takes other users"
	policy 'secret = yes' 'secret-left = fix' 'grow-exposes-tail = fix' 'shrink-under-map = fix'
	guarded 'os.setresuid(65533, 65533, 0)
fd = shm_open(NAME, RWC, 0o600); os.ftruncate(fd, 8192); os.pwrite(fd, b"x" * 8192, 0); map(fd, 8192)
tail = shm_open(NAME + "-tail", RWC, 0o600); os.ftruncate(tail, 4096); m = mmap.mmap(tail, 4096); m.write(b"x" * 4096)
os.ftruncate(tail, 100); ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(m)), 65, 4096)
os.setresuid(-1, 0, -1); os.setresuid(65534, 65534, 65534)
os.ftruncate(fd, 4096); print(os.fstat(fd).st_size, os.pread(fd, 8192, 0).count(b"x"))
os.ftruncate(tail, 4096); print(os.pread(tail, 4096, 0).count(b"A"))
os._exit(0)'
	[ "$(cat out)" = $'8192 4096\n100' ]
	same <(cat "/dev/shm/$NAME" "/dev/shm/$NAME-tail" | tr -d '\0') /dev/null
}

@test "a shrink and a growth are mended by the descriptor that asks for them, whose offset, mode of writing and locks stay" {
	policy 'grow-exposes-tail = fix' 'shrink-under-map = fix'
	for threads in 0 1; do
		rm -f "/dev/shm/$NAME"* audit.log
		own 'import fcntl, threading
for _ in range('$threads'): threading.Thread(target=threading.Event().wait, daemon=True).start()
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def mapped(fd, letter):
    at = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); ctypes.memset(ctypes.c_void_p(at), letter, min(8192, os.fstat(fd).st_size + 4095 & -4096))
    return at
for mode, flags in (0o400, 0), (0, 0), (0, os.O_APPEND), (0o600, os.O_APPEND):
    fd = os.open(PATH + "-%o-%d" % (mode, flags), RWC | flags, mode); os.ftruncate(fd, 8192); os.lseek(fd, 7, 0); fcntl.lockf(fd, fcntl.LOCK_EX)
    at = mapped(fd, 120); os.ftruncate(fd, 4096); kept = os.fstat(fd).st_size, os.pread(fd, 8192, 0).count(b"x"); libc.munmap(at, 8192)
    os.ftruncate(fd, 100); mapped(fd, 65); os.ftruncate(fd, 4096); now = os.pread(fd, 8192, 0)
    child = os.fork()
    if child == 0:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB); os._exit(0)
        except OSError:
            os._exit(1)
    print(kept, len(now), now.count(b"A"), os.lseek(fd, 0, 1), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))'
		[ "$(sort -u out)" = '(8192, 4096) 4096 100 7 1' ]
		[ "$(grep -c 'rule=grow-exposes-tail .* action=fixed' audit.log)" = 4 ]
		[ "$(grep -c 'rule=shrink-under-map .* action=fixed' audit.log)" = 4 ]
	done
}
