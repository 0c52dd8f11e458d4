#!/usr/bin/env bats
# Record locks (fcntl(2), lockf(3)) belong to the process and end with the close of any descriptor of their file: what a
# policy, or a recording, looks at and repairs costs the program none of them. Another process asks the kernel.
load helpers
load enforce

# kept COMMAND...: all that kept_locks does, run by it, loses no lock.
kept()
{
	"$@" "$BUILD/tests/programs/kept_locks" "$NAME" >kept.out
	cat kept.out
	[ "$(wc -l <kept.out)" -eq "$(grep -c '^	{"' "$ROOT/tests/programs/kept_locks.c")" ]
	[ "$(grep -cv ' kept$' kept.out)" -eq 0 ]
}

# kept_under VAR=VALUE...: the same with the library, and with threads about, of which any may take a lock.
kept_under()
{
	kept env "$@" LD_PRELOAD="$BUILD/libshmguard.so"
	kept env "$@" THREADED=1 LD_PRELOAD="$BUILD/libshmguard.so"
}

@test "without a policy a program keeps its record locks" {
	kept env
	kept env LD_PRELOAD="$BUILD/libshmguard.so"
}

@test "what a recording looks at costs no record lock" {
	kept "$SHMGUARD" run --quiet --report=none -o trace --
	kept "$SHMGUARD" run --quiet --report=none --profile=safe -o trace2 --
}

@test "under the profiles a program keeps its record locks" {
	kept_under SHMGUARD_PROFILE=observe
	kept_under SHMGUARD_PROFILE=safe
}

@test "what is wiped at unlink, at the last unmap and at exec costs no record lock" {
	policy "[zero]" 'name = *' 'zero = on-unlink, on-last-unmap' 'secret = yes'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=secret-left .* action=fixed' audit.log)" -ge 5 ]
}

@test "what is wiped at an attach and reserved at a growth costs no record lock" {
	policy "[zero]" 'name = *' 'zero = on-attach' 'reserve = yes' 'truncate-on-open = fix' 'sparse-unreserved = fix'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=stale-bytes .* action=fixed' audit.log)" -ge 1 ]
	[ "$(grep -c 'rule=sparse-unreserved .* action=fixed' audit.log)" -ge 1 ]
	[ "$(grep -c 'rule=truncate-on-open .* action=fixed' audit.log)" -ge 1 ]
}

@test "what is cleared at a growth, and punched in place of a shrinking, costs no record lock" {
	policy 'grow-exposes-tail = fix' 'shrink-under-map = fix'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	[ "$(grep -c 'rule=grow-exposes-tail .* action=fixed' audit.log)" -ge 2 ]
	[ "$(grep -c 'rule=shrink-under-map .* action=fixed' audit.log)" -ge 1 ]
}

@test "an opening that is denied costs no record lock" {
	policy 'stale-bytes = deny' 'truncate-on-open = deny'
	kept_under SHMGUARD_POLICY="$PWD/policy.ini"
	for rule in stale-bytes truncate-on-open; do
		[ "$(grep -c "rule=$rule .* action=denied" audit.log)" -ge 1 ]
	done
}

@test "an opening of what is locked is answered as without a lock" {
	policy 'truncate-on-open = deny'
	printf secret >"/dev/shm/$NAME"
	program 'import fcntl
held = os.open(PATH, os.O_RDWR)
def all():
    attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC, mode=0o600)
    attempt(os.open, PATH, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    attempt(os.open, PATH, os.O_RDONLY | os.O_DIRECTORY)
    attempt(os.open, PATH + "/", os.O_RDONLY)
    for fd in (os.open(PATH, os.O_RDWR | os.O_CREAT), shm_open(NAME, os.O_RDONLY, mode=0o600)):
        print(fd, os.get_inheritable(fd), fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE, os.pread(fd, 6, 0)); os.close(fd)
    os.fchmod(held, 0o400 if os.geteuid() else 0o600)
    attempt(os.open, PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.fchmod(held, 0o600)
all()'
	cp program.py unlocked.py
	sed -i 's/^all()$/fcntl.lockf(held, fcntl.LOCK_EX); all()/' program.py
	for script in unlocked program; do
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" $script.py >$script.out
	done
	same unlocked.out program.out
	[ "$(grep -c EACCES program.out)" -ge 1 ]
}

@test "what is not locked is opened once, by who has locked something else" {
	program 'import fcntl, struct
held = shm_open(NAME + "-held", RWC, mode=0o600); fcntl.lockf(held, fcntl.LOCK_EX)
os.close(shm_open(NAME, RWC, mode=0o600))
seen = libc.inotify_init1(os.O_NONBLOCK); libc.inotify_add_watch(seen, b"/dev/shm", 0x20)
shm_open(NAME, RWC, mode=0o600)
print(len(os.read(seen, 4096)) // (16 + 16 * ((len(NAME) + 15) // 16)))'
	for profile in observe safe; do
		env SHMGUARD_PROFILE=$profile LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py
	done >out
	[ "$(cat out)" = $'1\n1' ]
}
