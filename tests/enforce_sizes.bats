#!/usr/bin/env bats
# The policy in force, without a recording: how large an object may get, how many there may be, and what is mapped of them.
load helpers
load enforce

@test "a size beyond max-size" {
	policy 'max-size = 64K' 'object-too-large = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); attempt(os.ftruncate, fd, 65537); attempt(os.posix_fallocate, fd, 0, 65537)
attempt(os.ftruncate, fd, 65536)'
	[ "$(cat out)" = $'EFBIG\nEFBIG\nok None' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 65536 ]
}

@test "an object that is larger than max-size shrinks, and does not grow" {
	head -c 40960 /dev/zero >"/dev/shm/$NAME"
	policy 'max-size = 8K' 'object-too-large = deny'
	guarded 'fd = shm_open(NAME, os.O_RDWR); attempt(os.ftruncate, fd, 40961); attempt(os.ftruncate, fd, 20480); attempt(os.ftruncate, fd, 20481)'
	[ "$(cat out)" = $'EFBIG\nok None\nEFBIG' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 20480 ]
}

@test "more objects than max-objects" {
	policy 'max-objects = 2' 'too-many-objects = deny'
	guarded 'shm_open(NAME, RWC, mode=0o600); shm_open(NAME + "-2", RWC, mode=0o600)
attempt(shm_open, NAME + "-3", RWC, mode=0o600); shm_unlink(NAME); attempt(shm_open, NAME + "-3", RWC, mode=0o600)'
	[ "$(head -n 1 out)" = EMFILE ]
	grep -q '^ok' out
}

@test "what another process made is none of this one's objects, and frees no place when it is removed" {
	policy 'predictable-name = off' 'max-objects = 2' 'too-many-objects = deny'
	guarded 'def made(name):
    os.close(os.open(PATH + name, RWC, 0o600))
for old in range(3):
    if os.fork() == 0:
        made("-old%d" % old); os._exit(0)
    os.wait(); os.unlink(PATH + "-old%d" % old)
made("-1"); made("-2"); attempt(made, "-3"); sys.stdout.flush()
for old in "-1", "-2":
    if os.fork() == 0:
        os.unlink(PATH + old); attempt(made, "-3"); attempt(made, "-4"); attempt(made, "-5"); os.unlink(PATH + "-3"); attempt(made, "-5")
        os.unlink(PATH + "-4"); os.unlink(PATH + "-5"); sys.stdout.flush(); os._exit(0)
    os.wait(); attempt(made, old + "a"); sys.stdout.flush()
attempt(made, "-3")'
	same out <(printf '%s\n' EMFILE 'ok None' 'ok None' EMFILE 'ok None' 'ok None' 'ok None' 'ok None' EMFILE 'ok None' 'ok None' EMFILE)
}

@test "what mkstemp made, and what had no name at first, counts until it is removed" {
	policy 'predictable-name = off' 'max-objects = 2' 'too-many-objects = deny'
	guarded 'libc.mkstemp.argtypes = [ctypes.c_char_p]
def temporary():
    name = ctypes.create_string_buffer((PATH + "-XXXXXX").encode()); fd = libc.mkstemp(name)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "mkstemp")
    os.close(fd); return name.value.decode()
nameless = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)
def linked(name):
    if libc.linkat(nameless, b"", -100, (PATH + name).encode(), 0x1000) < 0:
        raise OSError(ctypes.get_errno(), "linkat")
for _ in range(4):
    os.unlink(temporary())
one, other = temporary(), temporary(); attempt(temporary); os.unlink(one); one = temporary(); attempt(temporary); os.unlink(one); sys.stdout.flush()
if os.fork() == 0:
    attempt(linked, "-a"); temporary(); attempt(temporary); os.unlink(PATH + "-a"); attempt(lambda: temporary() and None); attempt(temporary)
    sys.stdout.flush(); os._exit(0)
os.wait(); temporary(); attempt(temporary)'
	same out <(printf '%s\n' EMFILE EMFILE 'ok None' EMFILE 'ok None' EMFILE EMFILE)
}

@test "an object that could not be removed still counts" {
	needs_root "takes another user"
	policy 'predictable-name = off' 'max-objects = 2' 'too-many-objects = deny'
	guarded 'def made(name):
    os.close(os.open(PATH + name, RWC, 0o600)); os.chown(PATH + name, 65534, -1)
os.mkdir(PATH + "-d", 0o755); made("-d/1"); made("-2"); os.seteuid(65534)
for _ in range(3):
    attempt(os.unlink, PATH + "-d/1"); attempt(os.remove, PATH + "-d/1")
os.seteuid(0); attempt(made, "-3"); os.unlink(PATH + "-d/1"); os.rmdir(PATH + "-d"); attempt(made, "-3"); attempt(made, "-4")'
	same out <(printf '%s\n' EACCES EACCES EACCES EACCES EACCES EACCES EMFILE 'ok None' EMFILE)
}

@test "memory past max-size is refused where the size stays as it is, too" {
	policy 'max-size = 64K' 'object-too-large = deny'
	guarded 'long = ctypes.c_long; fd = shm_open(NAME, RWC, mode=0o600)
def reserve(mode, end):
    if libc.fallocate(fd, mode, long(0), long(end)) < 0:
        raise OSError(ctypes.get_errno(), "fallocate")
attempt(reserve, 1, 65536); attempt(reserve, 1, 65537); attempt(reserve, 3, 1 << 20)'
	[ "$(cat out)" = $'ok None\nEFBIG\nok None' ]
	[ "$(stat -c %b "/dev/shm/$NAME")" -eq 0 ]
}

@test "the limit of objects of certain names counts those alone" {
	policy '[few]' "name = /$NAME-a*" 'max-objects = 1' 'too-many-objects = deny'
	guarded 'for other in ("-b1", "-b2"):
    shm_open(NAME + other, RWC, mode=0o600)
attempt(lambda: os.close(shm_open(NAME + "-a1", RWC, mode=0o600))); attempt(shm_open, NAME + "-a2", RWC, mode=0o600)
attempt(lambda: os.close(shm_open(NAME + "-b3", RWC, mode=0o600)))
if os.fork() == 0:
    attempt(lambda: os.close(shm_open(NAME + "-b4", RWC, mode=0o600))); attempt(lambda: os.close(shm_open(NAME + "-a3", RWC, mode=0o600)))
    sys.stdout.flush(); os._exit(0)
os.wait(); os.rename(PATH + "-a1", PATH + "-c"); attempt(lambda: os.close(shm_open(NAME + "-a2", RWC, mode=0o600)))'
	cat out
	[ "$(xargs <out)" = 'ok None EMFILE ok None ok None ok None ok None' ]
}

@test "shrinking under a mapping is denied, or frees the tail and keeps the size" {
	policy 'shrink-under-map = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); map(fd, 8192); attempt(os.ftruncate, fd, 4096)'
	[ "$(cat out)" = EPERM ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 8192 ]
	rm "/dev/shm/$NAME"
	policy 'shrink-under-map = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.pwrite(fd, b"x" * 8192, 0); map(fd, 8192); attempt(os.ftruncate, fd, 4096)'
	[ "$(cat out)" = 'ok None' ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 8192 ]
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 4096 ]
}

@test "truncate is fixed where the kernel, or a filter, does not say what the program may" {
	policy 'shrink-under-map = fix'
	for error in ENOSYS EPERM; do
		guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.pwrite(fd, b"x" * 8192, 0); map(fd, 8192)
refuse(439, errno.'$error'); attempt(os.truncate, PATH, 4096); print(os.fstat(fd).st_size)'
		[ "$(cat out)" = $'ok None\n8192' ]
		[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 4096 ]
	done
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); map(fd, 8192); os.fchmod(fd, 0o444)
os.setresuid(65534, 65534, 65534) if os.geteuid() == 0 else None
attempt(os.truncate, PATH, 4096); print(os.fstat(fd).st_size)'
	[ "$(cat out)" = $'EACCES\n8192' ]
	[ "$(grep -c 'rule=shrink-under-map .* action=fixed' audit.log)" -eq 2 ]
}

# recorded CODE: records Python under the policy; ./sizes has what the report, the list of objects and the log say.
recorded()
{
	program "$1"
	rm -rf recording
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py >out
	"$SHMGUARD" report --format=json recording | jq -c '.objects[].size' >sizes
	"$SHMGUARD" objects recording | grep -o '([0-9]* bytes)' >>sizes
	"$SHMGUARD" log recording | grep "$2" | grep -o '/[*] .*, [0-9]* bytes' | cut -d ' ' -f 3- >>sizes
}

@test "a size that a fix has kept is the one that the recording tells" {
	for action in fix warn; do
		policy "shrink-under-map = $action" "truncate-on-open = $action"
		recorded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 65536); map(fd, 65536); os.ftruncate(fd, 4096); os.truncate(PATH, 8192)
print(os.fstat(fd).st_size)' truncate
		paste -sd ' ' out sizes
		rm "/dev/shm/$NAME"
		recorded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 65536); map(fd, 65536); shm_open(NAME, os.O_RDWR | os.O_TRUNC)
print(os.fstat(fd).st_size)' O_TRUNC
		paste -sd ' ' out sizes
		rm "/dev/shm/$NAME"
	done >told
	sed 's/bytes//g' told | tr -s ' ' | same /dev/stdin <(printf '%s\n' \
		'65536' '65536 (65536 ) 65536 65536 65536 ' '65536' '65536 (65536 ) 65536 ' \
		'8192' '8192 (8192 ) 65536 4096 8192 ' '0' '0 (0 ) 0 ')
}

@test "what another process maps is neither shrunk nor truncated: denied, or its pages are freed and stay" {
	cat >holder.py <<-'END'
		import mmap, os, sys
		path = "/dev/shm/" + os.environ["NAME"]
		with open(path, "wb") as file: file.write(b"x" * 8192)
		fd = os.open(path, os.O_RDWR)
		held = mmap.mmap(fd, 8192)
		print("held", flush=True)
		for line in sys.stdin:
		    print(os.fstat(fd).st_size, held[:4096].count(b"x"), held[4096:].count(b"x"), held[4096:].count(b"\0"), flush=True)
		    held[:] = b"x" * 8192
	END
	coproc HOLDER { exec "$PYTHON" holder.py; }
	local held
	read -r held <&"${HOLDER[0]}"
	for action in deny fix; do
		policy "shrink-under-map = $action" "truncate-on-open = $action"
		guarded 'fd = shm_open(NAME, os.O_RDWR); attempt(os.ftruncate, fd, 4096)'
		echo look >&"${HOLDER[1]}"
		read -r held <&"${HOLDER[0]}"
		echo "$action $(cat out) $held" >>told
		guarded 'attempt(os.close, shm_open(NAME, os.O_RDWR))
attempt(lambda: os.close(shm_open(NAME, os.O_RDWR | os.O_TRUNC)))'
		echo look >&"${HOLDER[1]}"
		read -r held <&"${HOLDER[0]}"
		echo "$action $(paste -s out) $held" >>told
	done
	kill "$HOLDER_PID"
	same told <(printf '%s\n' 'deny EPERM 8192 4096 4096 0' $'deny ok None\tEACCES 8192 4096 4096 0' \
		'fix ok None 8192 4096 0 4096' $'fix ok None\tok None 8192 0 0 4096')
}

@test "mappings past the end, before a size and with PROT_EXEC are denied" {
	policy 'map-beyond-end = deny' 'map-before-size = deny' 'exec-map = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); attempt(map, fd, 4096); os.ftruncate(fd, 4096); attempt(map, fd, 8192)
attempt(map, fd, 4096, 5); attempt(map, fd, 4096)'
	[ "$(cat out)" = $'ENXIO\nENXIO\nEACCES\nok mapped' ]
}

@test "a mapping waits for a size" {
	policy 'map-before-size = fix' 'wait-for-size = 2s'
	guarded 'import threading, time
fd = shm_open(NAME, RWC, mode=0o600)
def later():
    time.sleep(0.2)
    os.ftruncate(fd, 4096)
threading.Thread(target=later).start()
attempt(map, fd, 4096)'
	[ "$(cat out)" = 'ok mapped' ]
	grep -q 'rule=map-before-size .* action=fixed' audit.log
}

@test "a full /dev/shm is told at ftruncate" {
	[ "$(id -u)" -eq 0 ] || skip "a small /dev/shm needs root"
	policy 'shm-fs-full = deny'
	guarded 'print()'
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=1777 tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" -c "
import os, _posixshmem
fd = _posixshmem.shm_open(\"/full\", os.O_RDWR | os.O_CREAT, mode=0o600)
try:
    os.ftruncate(fd, 2 << 20)
except OSError as e:
    print(e.errno, os.fstat(fd).st_size)
"' sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
	[ "$(cat out)" = "28 0" ]
}

# answers TEXT CODE LINE...: what the program prints, whatever the log is.
answers()
{
	local log
	for log in "log = file:$PWD/audit.log" 'log = none' '# no log'; do
		rm -f "/dev/shm/$NAME" audit.log
		printf '%s\n' '[default]' "$log" "${@:3}" >policy.ini
		program "$2"
		SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PYTHON" program.py >out
		echo "$log"
		same out <(printf '%s\n' "$1")
	done
}

@test "what is known of an object, and so what is denied, is the same whatever the log is" {
	local made='fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192)
def protect(address, prot):
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(8192), prot) < 0: raise OSError(ctypes.get_errno(), "mprotect")
def mapped(prot, flags=1): return libc.mmap(None, ctypes.c_size_t(8192), prot, flags, fd, ctypes.c_long(0))
'
	answers $'EFBIG\nENXIO' "$made"'import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
attempt(os.ftruncate, fd, 16384); attempt(map, fd, 16384)' 'resize-failed-ignored = deny'
	answers $'EFBIG\nok mapped' "$made"'attempt(os.ftruncate, fd, 16384); attempt(map, fd, 16384)' \
		'max-size = 8192' 'object-too-large = deny' 'resize-failed-ignored = deny'
	answers $'ok mapped' "$made"'libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(0)); attempt(map, fd, 16384)' \
		'resize-failed-ignored = deny'
	answers $'ok None\nENXIO\nok None' "$made"'at = mapped(3); protect(at, 1); attempt(protect, at, 3); protect(at, 1); os.ftruncate(fd, 4096)
attempt(protect, at, 3); os.ftruncate(fd, 8192); attempt(protect, at, 3)' 'map-beyond-end = deny'
}

@test "a mapping of one's own pages takes no room of the file system, whatever the log is" {
	needs_root "a small /dev/shm"
	local log
	program 'made = []
for name in "-1", "-2":
    made.append(shm_open(NAME + name, RWC, mode=0o600)); os.ftruncate(made[-1], 512 << 10)
os.posix_fallocate(os.open(PATH + "-3", RWC, 0o600), 0, 900 << 10)
def protect(fd, flags):
    at = libc.mmap(None, ctypes.c_size_t(512 << 10), 1, flags, fd, ctypes.c_long(0))
    if libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(512 << 10), 3) < 0: raise OSError(ctypes.get_errno(), "mprotect")
attempt(protect, made[0], 2); attempt(protect, made[1], 1)'
	for log in "log = file:$PWD/audit.log" 'log = none'; do
		printf '%s\n' '[default]' "$log" 'shm-fs-full = deny' >policy.ini
		unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=1777 tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' \
			sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
		echo "$log"
		same out <(printf '%s\n' 'ok None' ENOMEM)
	done
}
