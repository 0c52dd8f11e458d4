# shellcheck shell=bash
# What the tests of a policy in force share: a policy, a program under it, and a name that goes with the test.

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	NAME=enforce-$$-$BATS_TEST_NUMBER
	export NAME
	rm -f audit.log
}

teardown()
{
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME"-*
}

# policy LINE...: writes ./policy.ini, with an audit trail.
policy()
{
	printf '%s\n' '[default]' "log = file:$PWD/audit.log" "$@" >policy.ini
	chmod 600 policy.ini
}

# guarded CODE: runs Python under the policy; `attempt` prints what a call answered, or its errno. mmap(2) through ctypes,
# since CPython's own looks at the size first. `refuse` and `confine`: a filter answers one system call with that, or kills.
guarded()
{
	program "$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
}

# program CODE: writes ./program.py, what `guarded` runs.
program()
{
	cat >program.py <<'END'
import ctypes, errno, mmap, os, struct, sys
from _posixshmem import shm_open, shm_unlink
NAME = "/" + os.environ["NAME"]
PATH = "/dev/shm" + NAME
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
def attempt(call, *args, **named):
    try:
        print("ok", call(*args, **named))
    except OSError as e:
        print(errno.errorcode[e.errno])
def map(fd, length, prot=3, flags=1):
    address = libc.mmap(None, ctypes.c_size_t(length), prot, flags, fd, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return "mapped"
RWC = os.O_RDWR | os.O_CREAT
os.umask(0)
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]
KILL = 0x80000000
def confine(number, action):
    code = b"".join(struct.pack("HBBI", *line) for line in ((0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, action), (6, 0, 0, 0x7fff0000)))
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, ctypes.byref(Filter(4, code))):
        raise OSError(ctypes.get_errno(), "seccomp")
def refuse(number, error):
    confine(number, 0x50000 | error)
END
	printf '%s\n' "$1" >>program.py
}

LINE='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z pid=[0-9]+ exe=/[^ ]+ rule=[a-z-]+ object=[^ ]+ action=(recorded|fixed|denied|unguarded|audit would=(fixed|denied)) errno=[A-Z0-9]+ at=[^ ]+( why=[^ ]+)?( held-back=[0-9]+)?$'

# whole_lines FILE: of the audit trail, each as README has it.
whole_lines()
{
	! grep -Evn "$LINE" "$1"
}

# Of what a program opens: all that it may ask by, only the path, to read, to write.
# shellcheck disable=SC2034 # by the files that load this
DESCRIPTORS='fd = os.open(PATH, RWC, 0o600)
path, read, write = (os.open(PATH, flags) for flags in (os.O_PATH, os.O_RDONLY, os.O_WRONLY))
'

# vain CODE LINE...: the program's output is the same without a policy; the lines are what its twins answer, which are made
# once it has printed "twins", and the audit trail has a line of each error of theirs alone.
vain()
{
	program "$1"
	"$PYTHON" program.py >bare
	rm -rf "/dev/shm/$NAME" "/dev/shm/$NAME"-*
	rm -f audit.log
	guarded "$1"
	same <(sed '/^twins$/,$d' bare) <(sed '/^twins$/,$d' out)
	same <(sed '1,/^twins$/d' out) <(printf '%s\n' "${@:2}")
	run -1 grep -vE '^(ok|mapped)' <(sed '1,/^twins$/d' bare)
	same <(sed -n 's/.* action=denied errno=\([A-Z]*\) .*/\1/p' audit.log) <(printf '%s\n' "${@:2}" | grep '^E')
}
