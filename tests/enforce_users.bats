#!/usr/bin/env bats
# The policy between two users: squatting, adopted objects, links laid as traps, access lists, sticky directories.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load enforce_users

@test "a squatted name is not adopted, by any call" {
	policy 'foreign-owner = deny' 'symlink-or-special = deny'
	by 65534 -b 'os.ftruncate(shm_open(NAME, RWC, mode=0o666), 4096)'
	by 1234 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME, os.O_RDWR); attempt(os.open, PATH, os.O_RDWR)
attempt(open, PATH, "r+b"); attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC); print(len(os.listdir("/proc/self/fd")))'
	[ "$(head -n 5 out | sort -u)" = EACCES ]
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ]
	by 1234 'attempt(shm_open, NAME + "-own", RWC, mode=0o600); attempt(shm_open, NAME + "-own", RWC, mode=0o600)'
	[ "$(sed 's/ok .*/ok/' out)" = $'ok\nok' ]
}

@test "create-without-excl: another's object is EEXIST, one's own is attached to" {
	for action in deny fix; do
		policy "create-without-excl = $action"
		rm -f "/dev/shm/$NAME-own"
		by 65534 -b 'shm_open(NAME, RWC, mode=0o666)'
		by 1234 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME, os.O_RDWR)
shm_open(NAME + "-own", RWC, mode=0o600); attempt(shm_open, NAME + "-own", RWC, mode=0o600)'
		[ "$(sed 's/ok .*/ok/' out)" = $'EEXIST\nok\nok' ]
	done
}

@test "a world-writable object of the owner can be truncated by a stranger: under the policy it never exists" {
	code='fd = shm_open(NAME, RWC, mode=0o666); os.ftruncate(fd, 4096)'
	policy 'world-writable = warn'
	by 1234 "$code"
	by 65534 -b 'attempt(os.truncate, PATH, 0)'
	[ "$(cat out)" = 'ok None' ]
	rm "/dev/shm/$NAME"
	policy 'world-writable = fix'
	by 1234 "$code"
	by 65534 -b 'attempt(os.truncate, PATH, 0)'
	[ "$(cat out)" = EACCES ] && [ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ]
}

@test "links and FIFOs of another user are not followed" {
	policy 'symlink-or-special = deny'
	echo secret >target
	chmod 666 target
	by 65534 -b "os.symlink('$PWD/target', PATH + '-l'); os.mkfifo(PATH + '-f', 0o666); os.chmod(PATH + '-f', 0o666)
os.close(shm_open(NAME, RWC, mode=0o666)); os.link(PATH, PATH + '-hard')"
	by 1234 'attempt(os.open, PATH + "-l", os.O_RDWR); attempt(os.open, PATH + "-f", os.O_RDWR); attempt(os.open, PATH + "-hard", os.O_RDWR)
attempt(open, PATH + "-l", "w")
os.symlink("/dev/null", PATH + "-own"); attempt(os.open, PATH + "-own", os.O_RDWR); attempt(os.open, "/dev/null", os.O_RDWR)'
	[ "$(sed 's/ok .*/ok/' out)" = $'ELOOP\nELOOP\nELOOP\nELOOP\nok\nok' ]
	[ "$(cat target)" = secret ]
}

@test "another's second name is not opened by shm_open either, nor what lies behind another's link to a directory" {
	policy 'symlink-or-special = deny'
	by 65534 -b 'os.close(shm_open(NAME, RWC, mode=0o666)); os.link(PATH, PATH + "-hard")
os.mkdir(PATH + "-evil", 0o777); os.symlink(PATH + "-evil", PATH + "-d")'
	by 1234 'os.mkdir(PATH + "-own"); os.symlink(PATH + "-own", PATH + "-l")
attempt(shm_open, NAME + "-hard", os.O_RDWR); attempt(os.open, PATH + "-hard", os.O_RDWR)
attempt(os.open, PATH + "-d/x", RWC, 0o600); attempt(os.open, PATH + "-d/x", RWC | os.O_EXCL, 0o600)
os.chdir("/dev/shm"); attempt(os.open, NAME[1:] + "-d/x", RWC, 0o600)
attempt(os.open, PATH + "-l/x", RWC, 0o600); attempt(os.open, PATH + "-l/x", os.O_RDWR)'
	[ "$(cut -d" " -f1 out | xargs)" = 'ELOOP ELOOP ELOOP ELOOP ELOOP ok ok' ]
	policy 'symlink-or-special = deny' 'world-readable = note'
	by 1234 'attempt(shm_open, NAME + "-hard", os.O_RDWR)'
	[ "$(cut -d" " -f1 out)" = ELOOP ]
	[ -z "$(ls "/dev/shm/$NAME-evil")" ]
	rm -r "/dev/shm/$NAME-evil" "/dev/shm/$NAME-own"
}

@test "another's FIFO is not opened by shm_open whatever else the policy asks, nor what his link to a directory elsewhere leads to" {
	mkdir elsewhere
	echo secret >elsewhere/s
	chmod 777 elsewhere
	for more in '' 'foreign-owner = deny' 'mode = audit'; do
		rm -f "/dev/shm/$NAME"-*
		policy 'log = stderr' 'symlink-or-special = deny' "$more"
		by 65534 -b "os.mkfifo(PATH + '-f'); os.symlink('$PWD/elsewhere', PATH + '-d')"
		by 1234 'os.symlink(os.getcwd() + "/elsewhere", PATH + "-own"); home = os.getcwd()
libc.mkstemp.restype = ctypes.c_int
attempt(shm_open, NAME + "-f", os.O_RDWR); attempt(os.open, PATH + "-d/x", RWC, 0o600); attempt(open, PATH + "-d/s")
at = os.open("/dev/shm", os.O_RDONLY); os.chdir("/dev/shm"); attempt(os.open, NAME[1:] + "-d/s", os.O_RDONLY)
attempt(os.open, NAME[1:] + "-d/y", RWC, 0o600, dir_fd=at); attempt(os.mknod, PATH + "-d/z", 0o600)
attempt(os.posix_spawn, "/bin/true", ["true"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 9, PATH + "-d/s", 0, 0)])
print("ok" if libc.mkstemp((PATH + "-d/XXXXXX").encode()) >= 0 else errno.errorcode[ctypes.get_errno()])
attempt(os.open, PATH + "-own/s", os.O_RDONLY); os.chdir(home); attempt(os.open, "elsewhere/s", os.O_RDONLY)' 2>trail
		echo "$(cut -d" " -f1 out | xargs) $(find elsewhere -type f | wc -l) $(grep -c 'rule=symlink-or-special.*\(denied\|would=denied\)' trail)" >>told
		rm -f elsewhere/[!s]*
	done
	same told <(printf '%s\n' 'ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ok ok 1 8' \
		'ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ELOOP ok ok 1 8' 'ok ok ok ok ok ok ok ok ok ok 5 8')
}

@test "O_EXCL follows no link, so another's link is EEXIST as it is without the policy" {
	policy 'symlink-or-special = deny' 'world-writable = deny'
	by 65534 -b 'os.symlink("/x", PATH)'
	for preload in -b ""; do
		by 1234 $preload 'attempt(os.open, PATH, RWC | os.O_EXCL, 0o600); attempt(shm_open, NAME, RWC | os.O_EXCL, mode=0o600)
attempt(os.open, PATH, RWC | os.O_EXCL | os.O_NOFOLLOW, 0o600)'
		[ "$(xargs <out)" = 'EEXIST EEXIST EEXIST' ]
	done
}

@test "an opening fails with the errno that it has without the policy, whatever the policy asks" {
	policy
	by 65534 -b 'os.symlink(PATH + "-x", PATH)'
	by 1234 -b 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME, os.O_RDWR)'
	mv out bare
	for line in 'exec-map = deny' 'world-writable = fix' 'create-without-excl = deny' 'mode = audit'; do
		policy "$line"
		by 1234 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME, os.O_RDWR)'
		diff bare out
	done
}

@test "an access list is denied, or dropped" {
	command -v setfacl >/dev/null || skip "no setfacl"
	policy 'acl-grants = deny'
	by 1234 -b 'os.write(shm_open(NAME, RWC, mode=0o600), b"private")'
	setfacl -m u:65534:rw "/dev/shm/$NAME"
	by 1234 'attempt(shm_open, NAME, os.O_RDWR)'
	[ "$(cat out)" = EACCES ]
	by 65534 -b 'print(open(PATH).read())'
	[ "$(cat out)" = private ]
	policy 'acl-grants = fix'
	by 1234 'attempt(shm_open, NAME, os.O_RDWR)'
	grep -q '^ok' out
	by 65534 -b 'attempt(open, PATH)'
	[ "$(cat out)" = EACCES ]
}

@test "where an access list was dropped the group has what it had itself, not what the list's mask let others have" {
	command -v setfacl >/dev/null || skip "no setfacl"
	policy 'acl-grants = fix'
	for call in 'attempt(shm_open, NAME, os.O_RDWR)' 'attempt(os.chmod, PATH, 0o660)'; do
		rm -f "/dev/shm/$NAME"
		by 1234 -b 'os.write(shm_open(NAME, RWC, mode=0o600), b"private")'
		chgrp 4242 "/dev/shm/$NAME"
		setfacl -m u:65534:rw,g::x "/dev/shm/$NAME"
		by 1234 "$call"
		grep -q '^ok' out
		by 4242 -b 'attempt(open, PATH)'
		[ "$(cat out)" = EACCES ]
		stat -c %a "/dev/shm/$NAME"
		getfacl -cn "/dev/shm/$NAME" 2>/dev/null | grep -c user:65534 || true
	done >modes
	same modes <(printf '%s\n' 610 0 600 0)
}

@test "a long access list is dropped, too" {
	command -v setfacl >/dev/null || skip "no setfacl"
	policy 'acl-grants = fix'
	by 1234 -b 'os.write(shm_open(NAME, RWC, mode=0o600), b"private")'
	setfacl -m "$(seq -f 'u:%g:rw' -s , 5000 5300)" "/dev/shm/$NAME"
	by 1234 'attempt(shm_open, NAME, os.O_RDWR)'
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
	[ "$(getfacl -cn "/dev/shm/$NAME" 2>/dev/null | grep -c user:)" -eq 1 ]
}

@test "an access list that chmod would put into force is denied, or dropped before" {
	command -v setfacl >/dev/null || skip "no setfacl"
	for action in deny fix; do
		rm -f "/dev/shm/$NAME" "/dev/shm/$NAME-plain"
		policy "acl-grants = $action"
		by 1234 -b 'os.write(shm_open(NAME, RWC, mode=0o600), b"private"); os.close(shm_open(NAME + "-plain", RWC, mode=0o600))'
		setfacl -m u:65534:rw "/dev/shm/$NAME"
		chmod 600 "/dev/shm/$NAME"
		by 1234 'attempt(os.chmod, PATH, 0o660); attempt(os.fchmod, os.open("/dev/shm", os.O_RDONLY), 0o777)
at = os.open("/dev/shm", os.O_RDONLY); attempt(os.chmod, NAME[1:], 0o660, dir_fd=at); attempt(os.chmod, PATH + "-plain", 0o660)'
		cat out
		by 65534 -b 'attempt(open, PATH)'
		[ "$(cat out)" = EACCES ]
		[ "$(stat -c %a "/dev/shm/$NAME-plain")" = 660 ]
		stat -c %a "/dev/shm/$NAME"
	done >both
	grep -v Permission both | same /dev/stdin <(printf '%s\n' EACCES EPERM EACCES 'ok None' 600 'ok None' EPERM 'ok None' 'ok None' 660)
}

# Objects with an access list, for programs of `by`.
LISTED='def listed(fd, mask=6):
    entries = ((1, 6, -1), (2, 6, 65534), (4, 4, -1), (16, mask, -1), (32, 0, -1))
    os.setxattr(fd, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries))
    return fd
def made(end, mode=0o600):
    return os.open(PATH + end, RWC, mode)
def linked(fd, to):
    done = libc.linkat(-100, f"/proc/self/fd/{fd}".encode(), -100, (PATH + to).encode(), 0x400)
    print("ok" if done == 0 else errno.errorcode[ctypes.get_errno()])
def exchanged(one, other, flags=2):
    done = libc.renameat2(-100, (PATH + one).encode(), -100, (PATH + other).encode(), flags)
    print("ok" if done == 0 else errno.errorcode[ctypes.get_errno()])
def seen(*ends):
    for end in ends:
        print(end, oct(os.stat(PATH + end).st_mode & 0o777), *os.listxattr(PATH + end))
'

@test "an access list that grants is denied, or dropped, where its object gets a name by rename or link" {
	local code="$LISTED"'
listed(made("-1")); listed(made("-2")); listed(made("-3"))
attempt(os.rename, PATH + "-1", PATH + "-x1"); attempt(os.link, PATH + "-2", PATH + "-x2")
linked(listed(os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o600)), "-x3")
made("-x4"); exchanged("-3", "-x4")
print(sum(NAME in os.readlink(f"/proc/self/fd/{fd}") for fd in range(3, 99) if os.path.islink(f"/proc/self/fd/{fd}")))'
	policy '[s]' "name = /$NAME-x*" 'acl-grants = deny'
	by 1234 -b "$code"
	tail -n 1 out >descriptors
	rm -f "/dev/shm/$NAME"-*
	by 1234 "$code
seen('-1', '-2', '-3', '-x4')"
	same out <(printf '%s\n' EACCES EACCES EACCES EACCES; cat descriptors
		for end in 1 2 3; do echo "-$end 0o660 system.posix_acl_access"; done; echo '-x4 0o600')
	[ "$(cd /dev/shm && echo "$NAME-x"*)" = "$NAME-x4" ]
	rm -f "/dev/shm/$NAME"-*
	policy "log = file:$PWD/audit.log" '[s]' "name = /$NAME-x*" 'acl-grants = fix'
	touch audit.log
	chown 1234 audit.log
	by 1234 "$code
seen('-2', '-x1', '-x2', '-x3', '-3', '-x4')"
	same out <(printf '%s\n' 'ok None' 'ok None' ok ok; cat descriptors
		for end in 2 x1 x2 x3; do echo "-$end 0o640"; done; echo '-3 0o600'; echo '-x4 0o640')
	[ "$(grep -c 'rule=acl-grants.*action=fixed' audit.log)" -eq 4 ]
}

@test "an O_TMPFILE of a directory with a default access list gets no name with it" {
	command -v setfacl >/dev/null || skip "no setfacl"
	install -d -m 777 "/dev/shm/$NAME-d"
	setfacl -d -m u:65534:rw,o::- "/dev/shm/$NAME-d"
	for action in deny fix; do
		policy "acl-grants = $action"
		by 1234 "$LISTED"'
linked(os.open(PATH + "-d", os.O_TMPFILE | os.O_RDWR, 0o660), "-d/x"); print(os.path.exists(PATH + "-d/x"))'
		cat out
		getfacl -cn "/dev/shm/$NAME-d/x" 2>/dev/null | grep -c user:65534 || true
	done >both
	rm -r "/dev/shm/$NAME-d"
	same both <(printf '%s\n' EACCES False 0 ok True 0)
}

@test "what no access list opens, or gets no name that the policy judges, is moved and linked as ever" {
	local code="$LISTED"'
made("-1", 0o660); listed(made("-2"), 0); listed(made("-3"))
attempt(os.rename, PATH + "-1", PATH + "-x1"); attempt(os.rename, PATH + "-2", PATH + "-x2"); attempt(os.link, PATH + "-x2", PATH + "-x4")
attempt(os.rename, PATH + "-3", PATH + "-y3"); attempt(os.link, PATH + "-y3", PATH + "-y4")
made("-x5"); attempt(os.link, PATH + "-y3", PATH + "-x5"); exchanged("-y3", "-x5", 1); attempt(os.rename, PATH + "-y3", PATH + "-no/x")
attempt(os.rename, PATH + "-none", PATH + "-x6"); exchanged("-y4", "-x-none")
seen("-x1", "-x4", "-y3", "-y4", "-x5")'
	policy
	by 1234 -b "$code"
	mv out bare
	for action in deny fix; do
		rm -f "/dev/shm/$NAME"-*
		: >audit.log
		chown 1234 audit.log
		policy "log = file:$PWD/audit.log" '[s]' "name = /$NAME-x*" 'acl-grants = '$action
		by 1234 "$code"
		same bare out
		[ "$(grep -c 'rule=acl-grants.*action=[df]' audit.log)" -eq 0 ]
	done
	# It has the name already.
	rm -f "/dev/shm/$NAME"-*
	by 1234 -b "$LISTED"'
listed(made("-x1")); os.link(PATH + "-x1", PATH + "-x2")'
	by 1234 "$LISTED"'
attempt(os.rename, PATH + "-x1", PATH + "-x2"); attempt(os.rename, PATH + "-x1", PATH + "-x1"); seen("-x1", "-x2")'
	same out <(printf '%s\n' 'ok None' 'ok None' '-x1 0o660 system.posix_acl_access' '-x2 0o660 system.posix_acl_access')
}

@test "a secret of another user that can only be read is told as not wiped" {
	policy 'log = stderr' 'secret-left = fix' 'secret = yes' 'zero = on-last-unmap'
	by 65534 -b 'os.write(shm_open(NAME, RWC, mode=0o644), b"secret")'
	by 1234 'fd = os.open(PATH, os.O_RDONLY); m = mmap.mmap(fd, 6, prot=1); m.close()' 2>told
	grep -q "rule=secret-left object=/$NAME action=recorded" told
	[ "$(grep -c 'action=fixed' told)" -eq 0 ]
	[ "$(cat "/dev/shm/$NAME")" = secret ]
}

@test "what cannot be unlinked, as its sticky directory is nobody's to change, keeps its contents" {
	policy 'log = stderr' 'zero = on-unlink'
	by 65534 -b 'os.umask(0); os.write(shm_open(NAME, RWC, mode=0o666), b"kept")'
	by 1234 'attempt(shm_unlink, NAME); attempt(os.rename, PATH + "-own", PATH) if shm_open(NAME + "-own", RWC, mode=0o600) else 0' 2>told
	same out <(printf '%s\n' EACCES EPERM)
	[ "$(cat "/dev/shm/$NAME")" = kept ]
}

@test "a secret that a process of the same user may map, who lets nobody look, is not wiped, and that is told" {
	policy 'log = stderr' 'secret-left = fix' 'secret = yes'
	by 1234 'fd = shm_open(NAME, RWC, mode=0o600); os.write(fd, b"secret"); m = mmap.mmap(fd, 6)
ready, go = os.pipe(), os.pipe()
if os.fork() == 0:
    libc.prctl(4, 0); os.write(ready[1], b"1"); os.read(go[0], 1); print(m[:]); sys.stdout.flush(); os._exit(0)
os.read(ready[0], 1); m.close(); os.write(go[1], b"1"); os.wait()' 2>told
	[ "$(cat out)" = "b'secret'" ]
	grep -q "rule=secret-left object=/$NAME action=recorded .* why=not-wiped:perhaps-mapped" told
}

# sticky VALUE: what O_CREAT of another's object answers with fs.protected_regular at VALUE, guarded as bare.
sticky()
{
	local code='attempt(shm_open, NAME, RWC, mode=0o600); attempt(os.open, PATH, RWC, 0o600); attempt(shm_open, NAME, os.O_RDWR)
attempt(shm_open, NAME, RWC | os.O_EXCL, mode=0o600)'
	regular_is "$1"
	by 1234 -b "$code"
	sed 's/ok .*/ok/' out >bare
	by 1234 "$code"
	sed -i 's/ok .*/ok/' out
	same bare out
}

@test "a sticky directory answers as it does without the policy" {
	policy 'log = stderr' 'world-writable = fix'
	by 65534 -b 'shm_open(NAME, RWC, mode=0o666)'
	sticky 1 2>log
	[ "$(grep -c "rule=sticky-refused object=/$NAME " log)" -eq 2 ]
	[ "$(cat out)" = $'EACCES\nEACCES\nok\nEEXIST' ]
	sticky 0
	[ "$(cat out)" = $'ok\nok\nok\nEEXIST' ]
}

@test "an attach to a foreign object leaves the locks on it that the process has" {
	policy 'world-writable = fix'
	regular_is 1
	by 65534 -b 'os.umask(0); os.mkdir(PATH + "-d", 0o777); os.write(shm_open(NAME, RWC, mode=0o666), b"kept"); open(PATH + "-d/x", "w")'
	chown 0 "/dev/shm/$NAME" "/dev/shm/$NAME-d/x"
	chmod 666 "/dev/shm/$NAME-d/x"
	by 65534 'import fcntl
for path in PATH, PATH + "-d/x":
    fd = os.open(path, os.O_RDWR); fcntl.lockf(fd, fcntl.LOCK_EX); again = os.open(path, RWC, 0o600); sys.stdout.flush()
    if os.fork() == 0:
        attempt(fcntl.lockf, os.open(path, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB); sys.stdout.flush(); os._exit(0)
    os.wait()'
	rm -r "/dev/shm/$NAME-d"
	same out <(printf '%s\n' EAGAIN EAGAIN)
}

@test "a child that changes its user and cannot read the policy is not started, and told why in one line" {
	policy 'world-writable = deny'
	program 'os.open("started", RWC)'
	chmod 600 policy.ini
	run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$PYTHON" program.py
	[ "$status" -eq 125 ]
	[ ! -e started ]
	[ "$output" = "shmguard: $PWD/policy.ini: cannot be opened: Permission denied; every user that the program becomes must be able to read it; the program is not started" ]
}

# lives MODE: a process of root's makes the object, maps it, closes it, and ends when it is told to; its number is in $LIVES.
lives()
{
	program 'fd = shm_open(NAME, RWC, mode='"$1"'); os.chown(PATH, int(sys.argv[1]), -1); os.ftruncate(fd, 4096)
m = mmap.mmap(fd, 4096); m[:4] = b"live"; os.close(fd); print("there", flush=True); sys.stdin.read()
print(m[:4])'
	mv program.py lives.py
	exec {GO}> >(exec "$PYTHON" lives.py "$2" >lives.out)
	LIVES=$!
	until grep -q there lives.out; do sleep 0.05; done
}

dies()
{
	exec {GO}>&-
	wait "$LIVES" || true
	until [ "$(wc -l <lives.out)" -eq 2 ]; do sleep 0.05; done
	[ "$(tail -n 1 lives.out)" = "b'live'" ]
	rm -f "/dev/shm/$NAME"
}

@test "what a root process maps is neither wiped nor taken for left behind by an ordinary user" {
	for rule in 'zero = on-attach' 'stale-bytes = deny' 'stale-bytes = fix' 'stale-reattach = deny' 'stale-reattach = fix'; do
		lives 0o666 0
		policy 'log = stderr' "$rule"
		by 1234 'attempt(shm_open, NAME, RWC, mode=0o600)' 2>log
		[ "$(sed 's/ok .*/ok/' out)" = ok ]
		! grep -E 'action=(fixed|denied)' log
		dies
	done
	for rule in 'zero = on-unlink' 'zero = on-last-unmap'; do
		lives 0o666 1234
		policy 'log = stderr' 'create-without-excl = off' "$rule"
		by 1234 'fd = shm_open(NAME, RWC, mode=0o600); m = mmap.mmap(fd, 4096); os.close(fd); m.close(); shm_unlink(NAME)' 2>log
		! grep -E 'action=(fixed|denied)' log
		dies
	done
}

@test "what nobody uses is wiped by an ordinary user, whatever processes root has" {
	policy 'log = stderr' 'zero = on-attach'
	by 1234 -b 'os.write(shm_open(NAME, RWC, mode=0o600), b"left")'
	by 1234 'print(os.read(shm_open(NAME, RWC, mode=0o600), 4))' 2>log
	grep -q 'rule=stale-bytes .*action=fixed' log
	[ "$(cat out)" = "b'\\x00\\x00\\x00\\x00'" ]
}

@test "a file that is open twice is emptied as asked beside processes of others, where nobody is seen to map it" {
	needs_root "processes of two users"
	program 'fd = os.open(PATH, RWC | os.O_APPEND, 0o644); os.write(fd, b"lock"); attempt(lambda: open(PATH, "w").close()); print(os.fstat(fd).st_size)'
	mv program.py opens.py
	setpriv --reuid 1234 --regid 1234 --clear-groups sleep 60 3>&- &
	local another=$!
	for action in deny fix; do
		policy 'log = stderr' "truncate-on-open = $action"
		chmod 644 policy.ini
		setpriv --reuid 65534 --regid 65534 --clear-groups env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" \
			"$PYTHON" opens.py >out 2>log
		[ "$(cat out)" = $'ok None\n0' ]
		grep -q 'rule=truncate-on-open .*action=recorded' log
		rm "/dev/shm/$NAME"
	done
	kill "$another"
}

@test "what exists is judged alike where nobody is to hear of it: owners, links, FIFOs, and what is no object" {
	local code='shm_open(NAME + "-own", RWC, mode=0o600); shm_open(NAME + "-linked", RWC, mode=0o600); os.link(PATH + "-linked", PATH + "-again")
for end in ["-own", "-again", "-roots", "-theirs", "-twice", "-closed", "-dir", "-link", "-none"]: attempt(shm_open, NAME + end, os.O_RDONLY)
attempt(shm_open, NAME + "-fifo", os.O_RDONLY | os.O_NONBLOCK); print(len(os.listdir("/proc/self/fd")))'
	policy 'world-writable = off'
	by 65534 -b 'os.umask(0)
def made(name, mode=0o666): os.close(os.open(PATH + name, RWC | os.O_EXCL, mode))
os.mkfifo(PATH + "-fifo", 0o666); os.mkdir(PATH + "-dir"); os.symlink("/dev/null", PATH + "-link")
made("-theirs"); made("-twice"); os.link(PATH + "-twice", PATH + "-thrice"); made("-closed", 0o600)'
	install -m 666 /dev/null "/dev/shm/$NAME-roots"
	for log in none stderr; do
		policy "log = $log" 'foreign-owner = deny' 'symlink-or-special = deny'
		by 1234 "$code" 2>log
		sed 's/^ok .*/ok/' out >"out.$log"
		rm "/dev/shm/$NAME"-{own,linked,again}
	done
	same out.none out.stderr
	[ "$(head -n 10 out.none | xargs)" = 'ok ok ok EACCES EACCES EACCES ok ELOOP ENOENT ELOOP' ]
	[ "$(grep -c 'action=denied' log)" -eq 3 ]
	rmdir "/dev/shm/$NAME-dir"
}

@test "who may only read an object does not open it to be emptied" {
	for rule in 'world-writable = fix' 'truncate-on-open = deny' 'truncate-on-open = fix'; do
		policy "$rule"
		by 65534 -b 'os.write(shm_open(NAME, RWC, mode=0o444), b"kept"); shm_open(NAME + "-empty", RWC, mode=0o444)'
		for library in -b ''; do
			by 1234 ${library:+"$library"} 'attempt(os.open, PATH, os.O_TRUNC); attempt(os.open, PATH + "-empty", os.O_TRUNC)
attempt(shm_open, NAME, os.O_TRUNC); attempt(os.open, PATH, os.O_CREAT | os.O_TRUNC)'
			same out <(printf '%s\n' EACCES EACCES EACCES EACCES)
		done
		[ "$(cat "/dev/shm/$NAME")" = kept ]
		rm -f "/dev/shm/$NAME" "/dev/shm/$NAME-empty"
	done
}
