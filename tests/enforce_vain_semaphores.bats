#!/usr/bin/env bats
# The policy in force, without a recording: a semaphore that would not be opened gets the errno of the bare call.
bats_require_minimum_version 1.5.0
load helpers
load enforce

@test "a semaphore that is not opened gets the errno of the bare call" {
	local code='libc.sem_open.restype = ctypes.c_void_p
def opened(name, flags, value=1):
    if not libc.sem_open((NAME + name).encode(), flags, 0o666, ctypes.c_uint(value)): raise OSError(ctypes.get_errno(), "sem_open")
CE = os.O_CREAT | os.O_EXCL; there = "/dev/shm/sem." + NAME[1:] + "-there"; os.close(os.open(there, os.O_RDWR | CE, 0o600))
attempt(opened, "-none", 0); attempt(opened, "-none", os.O_CREAT, 1 << 31); attempt(opened, "-none", CE, 1 << 31); attempt(opened, "-there", CE)
attempt(opened, "-there", CE, 1 << 31); os.unlink(there)
print("twins", flush=True)
attempt(opened, "-n", os.O_CREAT); os.path.exists("/dev/shm/sem." + NAME[1:] + "-n") and os.unlink("/dev/shm/sem." + NAME[1:] + "-n"); attempt(opened, "-n", CE)
os.path.exists("/dev/shm/sem." + NAME[1:] + "-n") and os.unlink("/dev/shm/sem." + NAME[1:] + "-n")'
	policy "names = /sem.$NAME-there" 'name-not-allowed = deny'
	vain "$code" EACCES EACCES
	policy 'max-mode = 0600' 'mode-too-open = deny'
	vain "$code" EACCES EACCES
}

@test "a directory, or a link, that has the name of a semaphore gets the errno of the bare call" {
	local line code='libc.sem_open.restype = ctypes.c_void_p
def opened(name, flags, value=1):
    if not libc.sem_open((NAME + name).encode(), flags, 0o600, ctypes.c_uint(value)): raise OSError(ctypes.get_errno(), "sem_open")
SEM = "/dev/shm/sem." + NAME[1:]; X = os.O_CREAT | os.O_EXCL
opened("-real", X); os.mkdir(SEM + "-dir"); os.symlink("nowhere", SEM + "-dangling"); os.symlink(SEM + "-loop", SEM + "-loop"); os.symlink(SEM + "-real", SEM + "-link")
for name in "-dir", "-dangling", "-loop", "-link":
    for flags in 0, os.O_CREAT, X: attempt(opened, name, flags)
for name in "-dangling", "-none": attempt(opened, name, os.O_CREAT, 1 << 31)
os.rmdir(SEM + "-dir"); [os.unlink(SEM + name) for name in ("-dangling", "-loop", "-link", "-real")]
print("twins", flush=True)
attempt(opened, "-new", os.O_CREAT); attempt(opened, "-new", os.O_CREAT); os.path.exists(SEM + "-new") and os.unlink(SEM + "-new")'
	for line in 'max-mode = 0600' 'max-objects = 9' 'foreign-owner = deny' $'mode = audit\nforeign-owner = deny'; do
		policy "$line"
		program "$code"
		"$PYTHON" program.py >bare
		guarded "$code"
		same bare out
		[ "$(sed '1,/^twins$/d' out | grep -c '^ok')" = 2 ]
		[ ! -s audit.log ]
	done
	policy "names = /sem.$NAME-real" 'name-not-allowed = deny'
	vain "$code" EACCES EACCES
}

@test "a semaphore that is opened leaves errno as the bare call does" {
	local line code='libc.sem_open.restype = ctypes.c_void_p
SEM = "/dev/shm/sem." + NAME[1:]; C = os.O_CREAT
def opened(flags, mode=0o600):
    ctypes.set_errno(77); print(bool(libc.sem_open(NAME.encode(), flags, mode, ctypes.c_uint(1))), ctypes.get_errno())
opened(C); opened(C); opened(0); os.unlink(SEM); opened(C | os.O_EXCL); os.unlink(SEM); opened(C, 0o666); os.unlink(SEM)'
	program "$code"
	"$PYTHON" program.py >bare
	[ "$(cat bare)" = $'True 2\nTrue 77\nTrue 77\nTrue 77\nTrue 2' ]
	for line in $'max-mode = 0600\nmode-too-open = fix' 'world-writable = fix' 'foreign-owner = deny' $'mode = audit\nworld-writable = fix'; do
		policy "$line"
		guarded "$code"
		same bare out
	done
	for line in observe safe; do
		env SHMGUARD_PROFILE="$line" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
		same bare out
	done
}

@test "a semaphore gets the errno of the bare call where /dev/shm may not be searched" {
	needs_root "takes another user"
	program 'libc.sem_open.restype = ctypes.c_void_p
def opened(flags, value=1, name=NAME, mode=0o600):
    if not libc.sem_open(name.encode(), flags, mode, ctypes.c_uint(value)): raise OSError(ctypes.get_errno(), "sem_open")
    libc.sem_unlink(NAME.encode())
for mode in 0o700, 0o744, 0o711, 0o755, 0o777:
    os.chmod("/dev/shm", mode); os.seteuid(65534); attempt(opened, 0)
    for flags in os.O_CREAT, os.O_CREAT | os.O_EXCL:
        if mode != 0o777: attempt(opened, flags)
        if mode in (0o700, 0o744): attempt(opened, flags, mode=0o666)
        attempt(opened, flags, 1 << 31)
    attempt(opened, os.O_CREAT, 1, "/" + "n" * 252); os.seteuid(0)
    if mode == 0o744: print(os.path.exists("audit.log") and os.path.getsize("audit.log") > 0)
print("twin", flush=True); attempt(opened, os.O_CREAT, mode=0o666)'
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm && "$1" program.py' sh "$PYTHON" >bare
	for line in 'max-mode = 0600'$'\n''mode-too-open = deny' 'world-writable = deny' 'foreign-owner = deny' 'create-without-excl = fix' \
		'names = /none'$'\n''name-not-allowed = deny' 'mode = audit'$'\n''world-writable = deny'; do
		echo "$line"
		policy "$line"
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm && exec env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py' \
			sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON" >out
		same <(sed '/^twin$/,$d' bare) <(sed '/^twin$/,$d' out)
		sed '1,/^twin$/d' out >>twins
		rm -f audit.log
	done
	[ "$(xargs <twins)" = 'EACCES EACCES ok None ok None EACCES ok None' ]
}
