# shellcheck shell=bash
# Programs that are run again under what was learned from them.

# unchanged NAME PROGRAM [OPTION...]: the Python program says the same when it is recorded, with the options, and under what was
# learned then, in NAME.ini; with a log, too, for which more is looked at.
unchanged()
{
	local name=$1 program=$2 policy
	shift 2
	"$SHMGUARD" run --quiet --report=none -o "$name" "$@" -- "$PYTHON" -c "$PRELUDE$program" >"$name.recorded"
	"$SHMGUARD" policy learn "$name" >"$name.ini"
	"$SHMGUARD" policy check "$name.ini"
	sed "s,^\[default\],&\nlog = file:$PWD/$name.log," "$name.ini" >"$name.logged.ini"
	sed -n '/^exe/,$p' "$name.ini"
	for policy in "$name.ini" "$name.logged.ini"; do
		env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/$policy" "$PYTHON" -c "$PRELUDE$program" >"$name.learned"
		diff "$name.recorded" "$name.learned"
	done
}

PRELUDE='
import ctypes, mmap, os, resource, signal, sys
from _posixshmem import shm_open, shm_unlink
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.sem_open.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL
BASE = "/dev/shm/shmguard-learn-"
def say(call, *given):
    try:
        result = call(*given)
    except OSError as e:
        result = e.strerror
    print(call.__name__, result if isinstance(result, str) else "done", flush=True)
    return result
def shm(name, mode=0o600, flags=MAKE):
    return shm_open("/shmguard-learn-" + name, flags, mode=mode)
def map(fd, length, prot=3, flags=1):
    address = libc.mmap(None, length, prot, flags, fd, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return address
def bits(fd):
    print(oct(os.fstat(fd).st_mode & 0o7777), flush=True)
'
