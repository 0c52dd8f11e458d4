#!/usr/bin/env bats
# Zeroing in force: what is wiped, what is left alone because somebody uses it, and what is told of either. The bytes are
# looked at from outside the guarded process.
bats_require_minimum_version 1.5.0
load helpers
load enforce

@test "bytes past the end are cleared before they become readable" {
	policy 'grow-exposes-tail = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 100)
m = mmap.mmap(fd, 100); ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(m)), 65, 4096); os.ftruncate(fd, 4096)'
	[ "$(tr -d '\0' <"/dev/shm/$NAME")" = "$(printf 'A%.0s' {1..100})" ]
}

@test "bytes past the end that a sandbox keeps from being looked at are told, and no call is made that it kills for" {
	local grown='READV = 310 if os.uname().machine == "x86_64" else 270
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 100)
m = mmap.mmap(fd, 100); ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(m)), 65, 4096)
'
	policy 'grow-exposes-tail = fix'
	guarded "$grown"'if len(sys.argv) < 2:
    refuse(READV, errno.EPERM); os.execv(sys.executable, [sys.executable, sys.argv[0], "confined"])
attempt(os.ftruncate, fd, 4096)'
	[ "$(cat out)" = 'ok None' ]
	guarded "$grown"'confine(READV, KILL); attempt(os.ftruncate, fd, 4096)'
	[ "$(cat out)" = 'ok None' ]
	[ "$(grep -c 'rule=grow-exposes-tail .* action=recorded' audit.log)" -eq 2 ]
}

@test "a secret is wiped at the last unmap, at exit and at unlink" {
	policy "[secrets]" "name = /$NAME*" 'secret = yes' 'secret-left = fix' 'zero = on-unlink, on-last-unmap'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 9000); m = mmap.mmap(fd, 9000); m[8000:8006] = b"secret"; m.close()
fd2 = shm_open(NAME + "-exit", RWC, mode=0o600); os.ftruncate(fd2, 9000); m = mmap.mmap(fd2, 9000); m[0:6] = b"secret"
fd3 = shm_open(NAME + "-name", RWC, mode=0o600); os.pwrite(fd3, b"secret", 0); shm_unlink(NAME + "-name"); print(os.pread(fd3, 6, 0))
os._exit(0)'
	[ "$(stat -c %s "/dev/shm/$NAME" "/dev/shm/$NAME-exit" | sort -u)" -eq 9000 ]
	[ "$(cat "/dev/shm/$NAME" "/dev/shm/$NAME-exit" | tr -d '\0' | wc -c)" -eq 0 ]
	[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" -eq 3 ]
}

@test "a secret that others still map is left alone" {
	policy "[secrets]" "name = /$NAME" 'secret = yes' 'zero = on-unlink, on-last-unmap'
	printf 'secret' >"/dev/shm/$NAME"
	"$PYTHON" -c 'import mmap, sys, time
f = open(sys.argv[1], "r+b"); m = mmap.mmap(f.fileno(), 6); print("mapped", flush=True); time.sleep(20)' "/dev/shm/$NAME" >ready 3>&- &
	holder=$!
	until grep -q mapped ready; do sleep 0.05; done
	guarded 'fd = os.open(PATH, os.O_RDWR); m = mmap.mmap(fd, 6); m.close()'
	kill "$holder"
	[ "$(cat "/dev/shm/$NAME")" = secret ]
}

@test "what a process whose first thread has ended still maps is in use" {
	policy "[secrets]" "name = /$NAME*" 'secret = yes' 'zero = on-attach, on-last-unmap'
	guarded 'import threading, time
fd = shm_open(NAME, RWC, mode=0o600); os.write(fd, b"secret"); m = mmap.mmap(fd, 6)
ready, go = os.pipe(), os.pipe()
if os.fork() == 0:
    def rest():
        while open("/proc/self/stat").read().split()[2] != "Z": time.sleep(0.01)
        os.write(ready[1], b"1"); os.read(go[0], 1); os._exit(0)
    threading.Thread(target=rest).start()
    libc.pthread_exit(None)
os.read(ready[0], 1); m.close(); shm_open(NAME, RWC, mode=0o600); print(os.pread(fd, 6, 0)); os.write(go[1], b"1"); os.wait()'
	[ "$(cat out)" = "b'secret'" ]
}

@test "what is to be wiped at unlink and is in use, or has another name, is told as not wiped" {
	policy "[zero]" "name = /$NAME*" 'zero = on-unlink'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 9000); m = mmap.mmap(fd, 9000); m[0:4] = b"used"; shm_unlink(NAME)
print(m[0:4]); fd = shm_open(NAME + "-2", RWC, mode=0o600); os.pwrite(fd, b"kept", 0); os.link(PATH + "-2", PATH + "-3")
shm_unlink(NAME + "-2"); print(os.pread(fd, 4, 0)); shm_unlink(NAME + "-3"); print(os.pread(fd, 4, 0))'
	[ "$(cat out)" = $'b\'used\'\nb\'kept\'\nb\'\\x00\\x00\\x00\\x00\'' ]
	sed 's/.*rule=\([a-z-]*\) object=\([^ ]*\) action=\([a-z]*\) .* at=[^ ]*/\1 \2 \3/' audit.log | grep secret |
		same /dev/stdin <(printf '%s\n' "secret-left /$NAME recorded why=not-wiped:mapped" \
			"secret-left /$NAME-2 recorded why=not-wiped:linked" "secret-left /$NAME-3 fixed")
}

@test "what its owner may write and not read is wiped as well, and what may not be written, nor is open for that, is told" {
	needs_root "takes another user"
	local line code='os.seteuid(65534)
def filled(name, mode, length=9000):
    fd = shm_open(NAME + name, RWC, mode=0o600); os.ftruncate(fd, 9000); os.pwrite(fd, b"secret"[:length], 8000); os.chmod(PATH + name, mode)
    return fd
'
	for line in 'zero = on-unlink' $'secret = yes\nsecret-left = fix'; do
		rm -f audit.log
		policy '[zero]' "name = /$NAME*" "$line"
		guarded "$code"'def unlinked(name, mode):
    fd = filled(name, mode); os.chmod(PATH + name, 0o600); reads = os.open(PATH + name, os.O_RDONLY); os.chmod(PATH + name, mode)
    os.close(fd); shm_unlink(NAME + name); print(oct(mode), os.pread(reads, 6, 8000))
for mode in 0o200, 0o220, 0o600, 0o400, 0: unlinked("-" + str(mode), mode)
empty = filled("-empty", 0o200, 0); shm_unlink(NAME + "-empty")
used = filled("-used", 0o200); m = mmap.mmap(used, 9000); shm_unlink(NAME + "-used"); print(m[8000:8006])'
		same out <(printf "%s b'%s'\n" 0o200 '\x00\x00\x00\x00\x00\x00' 0o220 '\x00\x00\x00\x00\x00\x00' \
			0o600 '\x00\x00\x00\x00\x00\x00' 0o400 secret 0o0 secret; echo "b'secret'")
		[ "$(grep -c 'rule=secret-left object=[^ ]*-[0-9]* action=fixed' audit.log)" = 3 ]
		[ "$(grep -c 'why=not-wiped:EACCES' audit.log)" = 2 ]
		run -1 grep -e "secret-left.*-empty" audit.log
	done
	rm -f audit.log
	policy 'secret = yes' 'secret-left = fix'
	guarded "$code"'for mode in 0o200, 0o400: os.close(filled("-" + str(mode), mode))
m = mmap.mmap(filled("", 0o200), 9000)'
	[ "$(cat "/dev/shm/$NAME-128" "/dev/shm/$NAME" | tr -d '\0')" = "" ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME-256")" = secret ]
}

@test "what a rename replaces is wiped once it has, and not where the rename fails" {
	policy "[secrets]" "name = /$NAME*" 'zero = on-unlink'
	guarded 'fd = os.open(PATH, os.O_RDWR | os.O_CREAT, 0o600); os.write(fd, b"secret")
attempt(os.rename, PATH + "-missing", PATH)
os.close(os.open(PATH + "-new", os.O_RDWR | os.O_CREAT, 0o600)); os.mkdir(PATH + "-d")
print(ctypes.CDLL(None).renameat2(-100, (PATH + "-new").encode(), -100, PATH.encode(), 1))
attempt(os.rename, PATH + "-d", PATH); print(os.pread(fd, 6, 0)); sys.stdout.flush()
numbers = [os.dup(0)]; os.rename(PATH + "-new", PATH); numbers.append(os.dup(0)); print(numbers[1] - numbers[0], os.pread(fd, 6, 0))' >out
	rmdir "/dev/shm/$NAME-d"
	[ "$(grep -c secret out)" -eq 1 ]
	[ "$(tail -n 1 out)" = "1 b'\\x00\\x00\\x00\\x00\\x00\\x00'" ]
	[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" -eq 1 ]
}

@test "a rename of a name onto itself wipes nothing" {
	policy "[zero]" "name = /$NAME*" 'zero = on-unlink'
	printf kept >"/dev/shm/$NAME"
	guarded 'os.rename(PATH, PATH); os.link(PATH, PATH + "-2"); os.rename(PATH + "-2", PATH)'
	[ "$(cat "/dev/shm/$NAME")" = kept ]
}

@test "stale bytes are refused, or wiped" {
	printf 'stale' >"/dev/shm/$NAME"
	policy 'stale-bytes = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600)'
	[ "$(cat out)" = EEXIST ]
	policy 'stale-bytes = fix'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600)'
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 5 ] && [ -z "$(tr -d '\0' <"/dev/shm/$NAME")" ]
}

@test "a wipe of what goes on to be used leaves its memory reserved" {
	local how
	for how in "zero = on-attach" "stale-bytes = fix"; do
		policy "[stale]" "name = /$NAME" "$how"
		fallocate -l 9000 "/dev/shm/$NAME"
		printf 'stale' | dd of="/dev/shm/$NAME" bs=1 seek=8192 conv=notrunc status=none
		dd if=/dev/zero of="/dev/shm/$NAME" bs=1 count=1 seek=5000 conv=notrunc status=none
		guarded 'attempt(shm_open, NAME, RWC, mode=0o600)'
		[ "$(stat -c '%s %b' "/dev/shm/$NAME")" = "9000 24" ]
		[ -z "$(tr -d '\0' <"/dev/shm/$NAME")" ]
		rm "/dev/shm/$NAME"
	done
	fallocate -l 4096 "/dev/shm/$NAME"
	printf 'stale' | dd of="/dev/shm/$NAME" conv=notrunc status=none
	policy 'truncate-on-open = fix'
	guarded 'fd = os.open(PATH, os.O_RDWR); m = mmap.mmap(fd, 4096); os.open(PATH, os.O_RDWR | os.O_TRUNC); print(m[0:5])'
	[ "$(cat out)" = "b'\\x00\\x00\\x00\\x00\\x00'" ] && [ "$(stat -c '%s %b' "/dev/shm/$NAME")" = "4096 8" ]
}

@test "stale bytes are refused, or wiped, at the first mapping of what was opened without O_CREAT, and then no more" {
	printf 'stale' >"/dev/shm/$NAME"
	policy 'stale-bytes = deny'
	guarded 'attempt(map, shm_open(NAME, os.O_RDWR), 5); own = shm_open(NAME + "-own", RWC, mode=0o600); os.pwrite(own, b"x", 0); attempt(map, own, 1)'
	[ "$(cat out)" = $'EEXIST\nok mapped' ]
	[ "$(cat "/dev/shm/$NAME")" = stale ]
	policy 'stale-bytes = fix'
	guarded 'fd = shm_open(NAME, os.O_RDWR); m = mmap.mmap(fd, 5); print(m[:]); m[:] = b"fresh"; m.close(); m = mmap.mmap(fd, 5); print(m[:])'
	[ "$(cat out)" = $'b\'\\x00\\x00\\x00\\x00\\x00\'\nb\'fresh\'' ] && [ "$(cat "/dev/shm/$NAME")" = fresh ]
}

@test "stale bytes are refused as often as they are mapped, until somebody has cleared them" {
	printf 'stale' >"/dev/shm/$NAME"
	policy 'create-without-excl = off' 'stale-bytes = deny'
	guarded 'import subprocess
def mapped(*flags, how=os.O_RDWR):
    fd = shm_open(NAME, how)
    for how in flags: attempt(map, fd, 5, 1, how)
mapped(1, 1, 2, 0x8001); mapped(1); attempt(shm_open, NAME, RWC, mode=0o600); attempt(os.ftruncate, os.open(PATH, os.O_RDONLY), 0)
mapped(1, how=os.O_RDONLY); sys.stdout.flush()
if os.fork() == 0:
    mapped(1, 1); sys.stdout.flush(); os._exit(0)
os.wait(); print("cleared")
subprocess.run(["dd", "if=/dev/zero", "of=" + PATH, "bs=5", "count=1", "status=none"], env={"PATH": os.environ["PATH"]})
mapped(1); os.pwrite(os.open(PATH, os.O_RDWR), b"fresh", 0); mapped(1); os.close(shm_open(NAME, RWC, mode=0o600))'
	same out <(printf '%s\n' EEXIST EEXIST EEXIST EEXIST EEXIST EEXIST EINVAL EEXIST EEXIST EEXIST cleared 'ok mapped' 'ok mapped')
	[ "$(cat "/dev/shm/$NAME")" = fresh ]
	[ "$(grep -c 'rule=stale-bytes .*action=denied' audit.log)" -eq 9 ]
	guarded 'attempt(map, shm_open(NAME, os.O_RDWR), 5)'
	[ "$(cat out)" = EEXIST ]
}

# unwiped ERRNO LENGTH POLICY...: the mapping of what was left is refused: no byte is gone, and nothing is told to be fixed.
# One that is not is wiped.
unwiped()
{
	local rule
	for rule in 'stale-bytes = fix' 'zero = on-attach'; do
		rm -f audit.log
		printf '%-5000s' stale >"/dev/shm/$NAME"
		policy "$rule" "${@:3}"
		guarded "fd = shm_open(NAME, os.O_RDWR); attempt(map, fd, $2); attempt(map, fd, $2)"
		same out <(printf '%s\n' "$1" "$1")
		[ "$(head -c 5 "/dev/shm/$NAME")" = stale ]
		[[ $(cat audit.log) != *action=fixed* ]]
		guarded 'attempt(map, shm_open(NAME, os.O_RDWR), 4096)'
		[ "$(cat out)" = 'ok mapped' ]
		[ -z "$(tr -d '\0' <"/dev/shm/$NAME")" ]
		grep -q 'rule=stale-bytes .* action=fixed' audit.log
	done
}

@test "a mapping that another rule refuses wipes nothing, the next one does" {
	unwiped ENXIO 16384 'map-beyond-end = deny'
	unwiped EACCES '4096, 5' 'exec-map = deny'
	printf 'stale' >"/dev/shm/$NAME-2"
	truncate -s 1T "/dev/shm/$NAME-2"
	for rule in 'shm-fs-full = fix' 'shm-fs-full = deny'; do
		rm -f audit.log
		policy 'stale-bytes = fix' 'zero = on-attach' "$rule"
		guarded 'attempt(map, shm_open(NAME + "-2", os.O_RDWR), 1 << 40)'
		[ "$(cat out)" = ENOMEM ]
		[ "$(head -c 5 "/dev/shm/$NAME-2")" = stale ]
		[[ $(cat audit.log) != *action=fixed* ]]
	done
}

@test "what is refused has not been fixed in part: neither the mode, nor the size, nor the name" {
	policy 'grow-exposes-tail = fix' 'reserve = yes' 'shm-fs-full = off'
	printf 'left' >"/dev/shm/$NAME-2"
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 100)
m = mmap.mmap(fd, 100); ctypes.memset(ctypes.addressof(ctypes.c_char.from_buffer(m)), 65, 4096); attempt(os.ftruncate, fd, 1 << 40)
print(os.fstat(fd).st_size, ctypes.string_at(ctypes.addressof(ctypes.c_char.from_buffer(m)) + 100, 1)); os.ftruncate(fd, 4096); print(os.pread(fd, 4096, 100).count(b"A"))'
	same out <(printf '%s\n' ENOSPC "100 b'A'" 0)
	[ "$(grep -c 'rule=grow-exposes-tail .*action=fixed' audit.log)" -eq 1 ]
	rm -f audit.log
	policy 'stale-reattach = fix' 'world-writable = deny' 'world-readable = fix'
	sleep 0.02
	guarded 'attempt(shm_open, NAME + "-2", RWC, mode=0o666)'
	[ "$(cat out)" = EACCES ]
	[ "$(cat "/dev/shm/$NAME-2")" = left ]
	[[ $(cat audit.log) != *action=fixed* ]]
	guarded 'attempt(os.fstat, shm_open(NAME + "-2", RWC, mode=0o600))'
	[ "$(stat -c '%s %a' "/dev/shm/$NAME-2")" = '0 600' ]
}

STALE_RULES=('zero = on-attach' 'stale-bytes = fix' 'stale-bytes = deny' $'mode = audit\nstale-bytes = fix')

# not_stale EXPECTED CODE: what the program prints whatever is done about stale bytes, of which nothing is told.
not_stale()
{
	local rule
	for rule in "${STALE_RULES[@]}"; do
		rm -f "/dev/shm/$NAME" "/dev/shm/$NAME"-*
		policy 'create-without-excl = off' "$rule"
		guarded "$2"
		same out <(printf '%s\n' "$1")
		[[ ! -e audit.log || $(cat audit.log) != *stale-bytes* ]]
	done
}

FILLED='import socket
def filled(fd):
    os.write(fd, b"live"); os.set_inheritable(fd, True); return fd
def nameless(where="/dev/shm", flags=0):
    return filled(os.open(where, os.O_TMPFILE | os.O_RDWR | flags, 0o600))
def unlinked():
    fd = os.open(PATH, RWC, 0o600); os.unlink(PATH); return filled(fd)
def seen(fd):
    print(mmap.mmap(fd, 4)[:], os.pread(fd, 4, 0), flush=True)
def child(run, *args):
    if os.fork() == 0:
        run(*args); os._exit(0)
    os.wait()
'

@test "what a program made without a name and filled is not stale" {
	not_stale "$(yes "b'live' b'live'" | head -n 8)" "$FILLED"'os.mkdir(PATH + "-d")
seen(nameless()); seen(nameless(flags=os.O_EXCL)); seen(nameless(PATH + "-d")); seen(os.dup(nameless()))
os.chdir("/dev/shm"); seen(nameless(".")); child(seen, nameless()); seen(os.open("/proc/self/fd/%d" % nameless(), os.O_RDWR))
seen(os.open("/proc/self/fd/%d" % nameless(), RWC)); os.rmdir(PATH + "-d")'
}

@test "what a program got from another over an exec or by a socket is not stale, with a name or without" {
	not_stale "$(yes "b'live' b'live'" | head -n 7)" "$FILLED"'if sys.argv[1:]:
    seen(int(sys.argv[1])); sys.exit()
def executed(fd):
    os.execv(sys.executable, [sys.executable, "program.py", str(fd)])
def sent(made):
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        seen(socket.recv_fds(theirs, 1, 1)[1][0]); os._exit(0)
    fd = made(); socket.send_fds(ours, [b"x"], [fd]); os.close(fd); os.wait()
def named():
    return filled(os.open(PATH, RWC, 0o600))
for made in nameless, unlinked, named: child(executed, made())
os.unlink(PATH); sent(nameless); sent(unlinked); sent(named)
executed(nameless())'
}

@test "what a program made itself and opens again is not stale, nor is what it empties" {
	not_stale $'onetwo\nb\'live\'\nnew' "$FILLED"'for text in "one", "two": open(PATH, "a").write(text)
print(open(PATH).read(), flush=True)
os.close(filled(shm_open(NAME + "-2", RWC, mode=0o600))); print(os.read(shm_open(NAME + "-2", RWC, mode=0o600), 4), flush=True)
unguarded = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "SHMGUARD_POLICY")}
child(os.execve, "/bin/sh", ["sh", "-c", "printf left >" + PATH + "-3"], unguarded)
open(PATH + "-3", "w").write("new"); print(open(PATH + "-3").read())'
}

LEFT='unguarded = {"PATH": os.environ["PATH"]}
def left(text, path=PATH):
    child(os.execve, "/bin/sh", ["sh", "-c", "printf \"" + text + "\" >" + path], unguarded)
'

@test "what a program was attached to, and has filled since, is not stale when it or its child opens it once more" {
	# shellcheck disable=SC2030,SC2031 # each test has its own
	local STALE_RULES=($'zero = on-attach\nstale-bytes = off' "${STALE_RULES[@]:1}")
	not_stale "$(yes "b'live' b'live'" | head -n 6)" "$FILLED$LEFT"'left(""); fd = filled(shm_open(NAME, RWC, mode=0o600)); seen(shm_open(NAME, RWC, mode=0o600)); seen(fd)
child(lambda: (os.close(fd), seen(shm_open(NAME, RWC, mode=0o600)))); os.close(fd); seen(shm_open(NAME, RWC, mode=0o600))
left("", PATH + "-2"); fd = filled(shm_open(NAME + "-2", os.O_RDWR)); seen(shm_open(NAME + "-2", RWC, mode=0o600)); seen(fd)'
	local rule
	for rule in 'zero = on-attach' 'stale-bytes = fix'; do
		rm -f audit.log
		printf 'stale' >"/dev/shm/$NAME"
		policy 'create-without-excl = off' "$rule"
		guarded "$FILLED"'def again(): print(os.pread(shm_open(NAME, RWC, mode=0o600), 5, 0), flush=True)
again(); os.pwrite(fd := os.open(PATH, os.O_RDWR), b"live", 0); again(); child(lambda: (os.close(fd), again())); again()'
		same out <(printf '%s\n' "b'\\x00\\x00\\x00\\x00\\x00'" "b'live\\x00'" "b'live\\x00'" "b'live\\x00'")
		[ "$(tr -d '\0' <"/dev/shm/$NAME")" = live ]
		[ "$(grep -c 'rule=stale-bytes .*action=fixed' audit.log)" -eq 1 ]
		guarded 'shm_open(NAME, RWC, mode=0o600)'
		[ -z "$(tr -d '\0' <"/dev/shm/$NAME")" ]
	done
}

@test "what a program has emptied, and filled since, is not stale, however it has emptied it" {
	# shellcheck disable=SC2030,SC2031 # each test has its own
	local STALE_RULES=($'zero = on-attach\nstale-bytes = off' "${STALE_RULES[@]:1}")
	not_stale "$(yes "b'live' b'live'" | head -n 8)" "$FILLED$LEFT"'def opened():
    left("stale"); return os.open(PATH, os.O_RDWR)
fd = opened(); os.ftruncate(fd, 0); seen(filled(fd)); seen(shm_open(NAME, RWC, mode=0o600))
os.unlink(PATH); fd = opened(); os.truncate(PATH, 0); seen(filled(fd)); seen(shm_open(NAME, RWC, mode=0o600))
os.unlink(PATH); fd = opened(); os.open(PATH, os.O_WRONLY | os.O_TRUNC); seen(filled(fd)); seen(shm_open(NAME, RWC, mode=0o600))
os.unlink(PATH); fd = opened(); libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(4096)); seen(filled(fd)); seen(shm_open(NAME, RWC, mode=0o600))'
}

@test "what a program has emptied in part, or in vain, is stale" {
	policy 'create-without-excl = off' 'stale-bytes = deny' 'truncate-on-open = deny'
	printf '%-5000s' stale >"/dev/shm/$NAME"
	guarded 'fd = os.open(PATH, os.O_RDWR); libc.fallocate(fd, 3, ctypes.c_long(4096), ctypes.c_long(4096)); os.ftruncate(fd, 4500)
attempt(map, fd, 4096); attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC); attempt(map, fd, 4096)
os.seteuid(65534); attempt(os.truncate, PATH, 0); os.seteuid(0); attempt(map, fd, 4096)'
	same out <(printf '%s\n' EEXIST EACCES EEXIST EACCES EEXIST)
	[ "$(head -c 5 "/dev/shm/$NAME")" = stale ]
}

@test "what is removed is wiped once it is, and not where the kernel refuses that" {
	local how
	for how in 'zero = on-unlink' $'secret = yes\nsecret-left = fix'; do
		rm -f audit.log
		policy 'create-without-excl = off' "$how"
		guarded 'fd = os.open(PATH, RWC, 0o600); os.write(fd, b"live")
def removed(flags):
    if libc.unlinkat(-100, PATH.encode(), flags) < 0: raise OSError(ctypes.get_errno(), "unlinkat")
for flags in 0x100, 0x77, 0x1000, 0x201: attempt(removed, flags)
print(os.pread(fd, 4, 0), os.path.exists(PATH)); attempt(removed, 0); print(os.pread(fd, 4, 0), os.path.exists(PATH))'
		same out <(printf '%s\n' EINVAL EINVAL EINVAL EINVAL "b'live' True" 'ok None' "b'\x00\x00\x00\x00' False")
		[ "$(grep -c "rule=secret-left object=/$NAME action=fixed" audit.log)" -eq 1 ]
	done
}

@test "audit mode wipes and reserves nothing either" {
	printf 'stale' >"/dev/shm/$NAME"
	policy 'mode = audit' 'zero = on-attach, on-unlink, on-last-unmap' 'reserve = yes' 'secret = yes' 'secret-left = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); attempt(os.pread, fd, 5, 0); m = mmap.mmap(fd, 5); m.close(); os.ftruncate(fd, 65536)
other = shm_open(NAME + "-2", RWC, mode=0o600); os.pwrite(other, b"secret", 0); shm_unlink(NAME + "-2"); attempt(os.pread, other, 6, 0)'
	[ "$(cat out)" = $'ok b\'stale\'\nok b\'secret\'' ]
	[ "$(stat -c '%s %b' "/dev/shm/$NAME")" = '65536 8' ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME")" = stale ]
	grep -q 'rule=stale-bytes .* action=audit' audit.log
	grep -q 'rule=sparse-unreserved .* action=audit' audit.log
	[ "$(grep -c 'rule=secret-left .* action=audit' audit.log)" -eq 2 ]
}

@test "the log does not call stale what somebody uses, and says where it has not looked" {
	for actions in 'stale-bytes = deny|stale-reattach = deny' 'stale-bytes = warn|stale-reattach = warn'; do
		rm -f audit.log
		IFS='|' read -ra lines <<<"$actions"
		policy 'create-without-excl = off' "${lines[@]}"
		program 'import subprocess
fd = shm_open(NAME, RWC, mode=0o600); os.write(fd, b"live"); m = mmap.mmap(fd, 4); os.close(fd)
attach = "import os, _posixshmem; _posixshmem.shm_open(\"" + NAME + "\", os.O_RDWR | os.O_CREAT, mode=0o600)"
new = dict(os.environ, SHMGUARD_POLICY=os.path.abspath("policy.ini"), LD_PRELOAD=os.environ["LIBRARY"])
subprocess.run([sys.executable, "-c", attach], env=new, check=True); shm_unlink(NAME)'
		LIBRARY=$BUILD/libshmguard.so "$PYTHON" program.py
		grep -h stale- audit.log || true
	done >told
	[ "$(wc -l <told)" -eq 2 ]
	[ "$(grep -c 'action=recorded errno=0 .*why=users-unknown' told)" -eq 2 ]
}

# with_few_left SPARE CODE: what the program gets of what was left, with so many descriptors left.
with_few_left()
{
	rm -f audit.log
	printf 'stale' >"/dev/shm/$NAME"
	guarded "import resource, threading, time
$2
free = os.dup(0); os.close(free); resource.setrlimit(resource.RLIMIT_NOFILE, (free + $1, free + $1))
attempt(lambda: os.read(shm_open(NAME, RWC, mode=0o600), 5)); os._exit(0)"
	echo "$1 left, ${2:-alone}: $(cat out policy.ini audit.log)"
}

@test "what is stale is denied, too, where the open itself takes one of the last descriptors" {
	for rule in stale-bytes stale-reattach; do
		policy 'create-without-excl = off' "$rule = deny"
		for left in 1 2 3 4 5; do
			for code in '' 'threading.Thread(target=time.sleep, args=(60,)).start()'; do
				with_few_left "$left" "$code"
				[ "$(cat out)" = EEXIST ]
			done
		done
	done
}

@test "what is stale is mended where the open itself takes one of the last descriptors, or told not to be" {
	policy 'create-without-excl = off' 'stale-reattach = fix'
	for left in 1 2 3 4 5; do
		with_few_left "$left" ''
		[ "$(cat out)" = "ok b''" ]
	done
	policy 'create-without-excl = off' 'stale-reattach = off' 'stale-bytes = fix'
	for left in 1 2 3 4 5; do
		with_few_left "$left" ''
		[ "$(cat out)" = "ok b'\\x00\\x00\\x00\\x00\\x00'" ] || grep -q 'rule=stale-bytes .*action=recorded .*why=' audit.log
	done
}

@test "a wipe passes over holes, however large" {
	policy 'zero = on-last-unmap'
	program 'fd = os.open(PATH, RWC, 0o600); os.ftruncate(fd, 1 << 60); address = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0))
os.pwrite(fd, b"key", 1 << 59); ctypes.memset(address, 65, 10); libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096)); print(os.pread(fd, 3, 1 << 59), os.pread(fd, 3, 0), os.fstat(fd).st_blocks)'
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so timeout -s KILL 20 "$PYTHON" program.py >out
	same out <(printf '%s\n' "b'\\x00\\x00\\x00' b'\\x00\\x00\\x00' 0")
}

@test "what a hole takes of a reserved object is reserved anew, and nothing behind its end" {
	policy 'punch-unreserves = fix' 'sparse-unreserved = off'
	guarded 'fd = os.open(PATH, RWC, 0o600); os.posix_fallocate(fd, 0, 8192)
print(libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(12 << 20)), os.fstat(fd).st_size, os.fstat(fd).st_blocks)'
	same out <(echo 0 8192 16)
}
