#!/usr/bin/env bats
# The policy where all may write and nobody may remove: O_CREAT of what another has put there answers as the kernel does.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load enforce_users

# lay: a link, a socket and a FIFO of the user 65534's in /dev/shm, and in three directories: of a group, of his own, and one
# that keeps nothing.
lay()
{
	rm -rf "/dev/shm/$NAME"*
	mkdir -m 1775 "/dev/shm/$NAME-group"
	mkdir -m 1777 "/dev/shm/$NAME-his"
	mkdir -m 777 "/dev/shm/$NAME-all"
	chgrp 65534 "/dev/shm/$NAME-group"
	by 65534 -b 'import socket
for at in PATH, *(PATH + place + "/x" for place in ("-group", "-his", "-all")):
    name = os.path.basename(at); os.symlink(name + "-gone", at + "-link"); os.mkfifo(at + "-fifo", 0o666); os.mkfifo(at + "-read", 0o644)
    socket.socket(socket.AF_UNIX).bind(at + "-socket"); os.symlink(name + "-socket", at + "-to")
    os.close(os.open(at + "-file", RWC, 0o666))'
	chown 65534 "/dev/shm/$NAME-his"
}

# openings NAME...: by all the ways that have O_CREAT, and none that waits.
openings()
{
	printf 'NAMES = %s\n' "$1"
	cat <<-'END'
		def one(*what): print(*what[:2]); attempt(*what[2:])
		for name in NAMES:
		    for flags in 0, os.O_TRUNC, os.O_NOFOLLOW, os.O_NOFOLLOW | os.O_TRUNC:
		        for access in os.O_RDONLY, os.O_WRONLY, os.O_RDWR:
		            one(name, flags | access, os.open, PATH + name, os.O_CREAT | os.O_NONBLOCK | flags | access, 0o600)
		    for flags in 0, os.O_TRUNC: one(name, flags, shm_open, NAME + name, RWC | os.O_NONBLOCK | flags, 0o600)
		for place in "", "-group/x", "-his/x", "-all/x":
		    one(place, "stream", open, PATH + place + "-socket", "w")
	END
}

ALL='[place + kind for place in ("", "-group/x", "-his/x", "-all/x") for kind in ("-link", "-socket", "-to", "-fifo", "-read", "-file")]'

# as_bare CODE LINE...: it prints the same of what `lay` has laid with the policy and without.
as_bare()
{
	policy 'log = stderr' "${@:2}"
	lay
	by 1234 -b "$1"
	sed 's/^ok .*/ok/' out >bare
	lay
	by 1234 "$1" 2>log
	sed -i 's/^ok .*/ok/' out
	same bare out
	run -1 grep 'action=denied' log
}

@test "O_CREAT of another's link, socket or FIFO gets the errno of the bare call" {
	as_bare "$(openings "$ALL")" 'world-writable = fix'
	for error in EACCES ELOOP ENXIO ok; do
		grep -qx "$error" out
	done
}

@test "O_CREAT of what the policy denies, too, gets the errno of the bare call where the kernel refuses it" {
	as_bare "$(openings '("-to", "-socket", "-group/x-socket")')" 'symlink-or-special = deny' 'world-writable = fix'
}

# fifos VALUE: what O_CREAT of FIFOs answers under that symlink-or-special = deny, as if fs.protected_fifos were so.
fifos()
{
	echo "$1" >level
	unshare -m bash -c 'mount --bind level /proc/sys/fs/protected_fifos && exec "$@"' fifos \
		setpriv --reuid=1234 --regid=1234 --clear-groups env LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" \
		SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py >out 2>log
}

@test "a FIFO that the policy denies gets EACCES only where fs.protected_fifos keeps O_CREAT from it" {
	policy 'log = stderr' 'symlink-or-special = deny'
	lay
	program 'for place in "", "-group/x", "-his/x", "-all/x": attempt(os.open, PATH + place + "-fifo", RWC, 0o600)
attempt(os.open, PATH + "-fifo", os.O_RDWR)'
	fifos 0
	same out <(printf '%s\n' ELOOP ELOOP ELOOP ELOOP ELOOP)
	fifos 1
	same out <(printf '%s\n' EACCES ELOOP ELOOP ELOOP ELOOP)
	fifos 2
	same out <(printf '%s\n' EACCES EACCES ELOOP ELOOP ELOOP)
	[ "$(grep -c 'rule=symlink-or-special .* action=denied errno=ELOOP' log)" -eq 3 ]
}

@test "a FIFO is opened once, as the program asks for it" {
	policy 'world-writable = fix'
	by 1234 'import signal; os.mkfifo(PATH + "-own", 0o600)
class Late(Exception): pass
def late(*_): raise Late()
signal.signal(signal.SIGALRM, late)
for how in os.O_RDONLY, os.O_WRONLY | os.O_TRUNC:
    signal.alarm(1)
    try: os.open(PATH + "-own", os.O_CREAT | how, 0o600)
    except Late: print("late")
reader = os.open(PATH + "-own", os.O_RDONLY | os.O_NONBLOCK); attempt(os.open, PATH + "-own", os.O_CREAT | os.O_WRONLY, 0o600)'
	[ "$(sed 's/^ok .*/ok/' out)" = $'late\nlate\nok' ]
	command -v strace >/dev/null || skip "no strace"
	rm "/dev/shm/$NAME-own"
	program 'os.mkfifo(PATH + "-own", 0o600)
for flags in RWC, RWC | os.O_TRUNC: os.close(os.open(PATH + "-own", flags, 0o666)); os.close(shm_open(NAME + "-own", flags, mode=0o666))'
	strace -o calls -e trace=openat -E LD_PRELOAD="$BUILD/libshmguard.so" -E SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py
	grep -- '-own"' calls >asked
	[ "$(wc -l <asked)" -eq 4 ]
	[ "$(grep -c 'O_RDWR|O_CREAT.*, 0600)' asked)" -eq 4 ]
}

@test "an open that waits for a lease ends at a signal" {
	policy 'world-writable = fix'
	program 'import fcntl, signal
class Late(Exception): pass
def late(*_): raise Late()
signal.signal(signal.SIGALRM, late); signal.signal(signal.SIGIO, signal.SIG_IGN)
held = os.open(PATH, os.O_CREAT | os.O_RDWR, 0o600); fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
signal.alarm(1)
try: os.open(PATH, os.O_CREAT | os.O_RDWR, 0o600)
except Late: print("late")'
	run -0 timeout 20 env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py
	[ "$output" = late ]
}

# reattached: what cannot be removed, and why; a look at who maps it may end in vain on a busy machine.
reattached()
{
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME-own" "/dev/shm/$NAME-link"
	by 65534 -b 'os.write(shm_open(NAME, RWC, mode=0o666), b"stale")'
	by 1234 -b 'os.write(shm_open(NAME + "-own", RWC, mode=0o600), b"stale"); os.symlink(PATH + "-own", PATH + "-link")'
	sleep 0.02
	by 1234 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(os.open, PATH + "-link", RWC, 0o600); attempt(shm_open, NAME + "-own", RWC, mode=0o600)' 2>log
	[ "$(sed 's/^ok .*/ok/' out)" = $'ok\nok\nok' ] || return 1
	same <(sed -n 's/.*rule=stale-reattach.* \(action=[a-z]*\) .* at=[^ ]*/\1/p' log) <(printf '%s\n' \
		'action=recorded why=not-removed:EPERM' 'action=recorded why=not-removed:elsewhere' 'action=fixed')
}

@test "stale-reattach: what keeps its name where it cannot be removed is told with the reason" {
	policy 'log = stderr' 'stale-reattach = fix'
	reattached || reattached || reattached
}
