#!/usr/bin/env bats
# Who is let in: modes and access lists, denied and fixed at creation and after, beside what stays as it was. Outcomes are
# looked at from outside the guarded process.
load helpers
load enforce
bats_require_minimum_version 1.5.0

@test "umask-mismatch: fixed, the mode is what was asked for, but never what the policy forbids" {
	policy 'umask-mismatch = fix' 'world-writable = fix'
	guarded 'os.umask(0o077); shm_open(NAME, RWC, mode=0o664); shm_open(NAME + "-w", RWC, mode=0o666); os.open(PATH + "-open", RWC, 0o660)'
	[ "$(stat -c %a "/dev/shm/$NAME" "/dev/shm/$NAME-w" "/dev/shm/$NAME-open")" = $'664\n664\n600' ]
}

@test "umask-mismatch: fixed, no bit is lost that the umask leaves" {
	policy 'umask-mismatch = fix'
	guarded 'os.umask(0o077)
for mode in 0o7777, 0o1700, 0o4640:
    shm_open(NAME + "-%o" % mode, RWC, mode=mode)'
	[ "$(stat -c '%a %n' "/dev/shm/$NAME"-* | sed 's/ .*-/ /')" = $'1700 1700\n4640 4640\n7777 7777' ]
}

@test "umask-mismatch is not found of what the policy took away" {
	policy 'umask-mismatch = warn' 'world-writable = fix' '[narrow]' "name = /$NAME-n" 'max-mode = 0600' 'mode-too-open = fix'
	guarded 'shm_open(NAME, RWC, mode=0o666); shm_open(NAME + "-n", RWC, mode=0o660)'
	[ "$(grep -c 'action=fixed' audit.log)" -eq 2 ]
	[ "$(grep -c 'rule=umask-mismatch' audit.log)" -eq 0 ]
	guarded 'os.umask(0o020); shm_open(NAME + "-u", RWC, mode=0o662)'
	grep -q "rule=umask-mismatch object=/$NAME-u action=recorded" audit.log
}

@test "world-readable is denied, at creation and after; a mode without it is not" {
	policy 'world-readable = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o604); fd = shm_open(NAME + "-2", RWC, mode=0o660); attempt(os.fchmod, fd, 0o664); attempt(os.fchmod, fd, 0o640)'
	[ "$(cat out)" = $'EACCES\nEACCES\nok None' ]
	[ ! -e "/dev/shm/$NAME" ] && [ "$(stat -c %a "/dev/shm/$NAME-2")" = 640 ]
}

@test "mode-too-open is denied at creation and after" {
	policy 'max-mode = 0640' 'mode-too-open = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o660); fd = shm_open(NAME + "-2", RWC, mode=0o640); attempt(os.fchmod, fd, 0o660); attempt(os.chmod, PATH + "-2", 0o600)'
	[ "$(cat out)" = $'EACCES\nEACCES\nok None' ]
	[ ! -e "/dev/shm/$NAME" ] && [ "$(stat -c %a "/dev/shm/$NAME-2")" = 600 ]
}

@test "max-mode holds for the set-user-ID, set-group-ID and sticky bits, too" {
	policy 'max-mode = 0640' 'mode-too-open = deny'
	guarded 'attempt(os.open, PATH, RWC, 0o4600); fd = os.open(PATH + "-2", RWC, 0o600)
for mode in 0o4600, 0o2600, 0o1600, 0o640:
    attempt(os.fchmod, fd, mode)'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES\nEACCES\nok None' ]
	policy 'max-mode = 01640' 'mode-too-open = fix'
	guarded 'os.open(PATH + "-3", RWC, 0o7666); os.chmod(PATH + "-2", 0o7777)'
	[ "$(stat -c %a "/dev/shm/$NAME-3" "/dev/shm/$NAME-2" | xargs)" = '1640 1640' ]
}

@test "an access list brings no mode with it that chmod could not set" {
	command -v setfacl >/dev/null || skip "no setfacl"
	printf 'SHM' >source
	chmod 666 source
	copy()
	{
		for command in "cp -p source /dev/shm/$NAME" "setfacl -m o::rw /dev/shm/$NAME" "setfacl -m g::rw,o::r /dev/shm/$NAME"; do
			install -m 600 /dev/null "/dev/shm/$NAME"
			SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so $command 2>told || grep -o Permission told
			stat -c %a "/dev/shm/$NAME"
		done
	}
	policy 'world-writable = deny' 'world-readable = deny'
	copy | same /dev/stdin <(printf '%s\n' Permission 600 Permission 600 Permission 600)
	[ "$(grep -c 'exe=.*/cp rule=world-writable .* action=denied' audit.log)" -ge 1 ]
	[ "$(grep -c 'exe=.*/setfacl .* action=denied' audit.log)" -eq 2 ]
	policy 'world-writable = fix' 'world-readable = fix' 'max-mode = 0640' 'mode-too-open = fix'
	copy | same /dev/stdin <(printf '%s\n' 640 600 640)
	grep -q 'rule=world-readable .* action=fixed' audit.log
	policy "names = /$NAME-other" 'name-not-allowed = deny'
	copy | same /dev/stdin <(printf '%s\n' Permission 600 Permission 600 Permission 600)
}

@test "an access list that names others is denied, or set without them" {
	command -v setfacl >/dev/null || skip "no setfacl"
	grant()
	{
		install -m 600 /dev/null "/dev/shm/$NAME"
		SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so setfacl -m "$1" "/dev/shm/$NAME" 2>told || grep -o Permission told
		getfacl -cn "/dev/shm/$NAME" 2>/dev/null | xargs
	}
	policy 'acl-grants = deny'
	grant u:1234:rw | same /dev/stdin <(printf '%s\n' Permission 'user::rw- group::--- other::---')
	grant g:1234:rw | same /dev/stdin <(printf '%s\n' Permission 'user::rw- group::--- other::---')
	grant u:1234:rw,m::- | same /dev/stdin <(printf '%s\n' 'user::rw- user:1234:rw- #effective:--- group::--- mask::--- other::---')
	grant g::r | same /dev/stdin <(printf '%s\n' 'user::rw- group::r-- other::---')
	policy 'acl-grants = fix'
	grant u:1234:rw,g::x,o::x | same /dev/stdin <(printf '%s\n' 'user::rw- group::--x other::--x')
	grant "$(seq -f 'u:%g:rw' -s , 5000 5600)" | same /dev/stdin <(printf '%s\n' 'user::rw- group::--- other::---')
	grep -q 'rule=acl-grants .* action=fixed' audit.log
}

@test "a list of which the mask lets nobody in is as good as none, whatever the action" {
	command -v setfacl >/dev/null || skip "no setfacl"
	for action in 'acl-grants = warn' 'acl-grants = deny' 'acl-grants = fix' $'acl-grants = deny\nmode = audit'; do
		install -m 600 /dev/null "/dev/shm/$NAME-none"
		install -m 600 /dev/null "/dev/shm/$NAME-some"
		setfacl -m u:1234:r,m::- "/dev/shm/$NAME-none"
		setfacl -m u:1234:r,m::r "/dev/shm/$NAME-some"
		policy "$action" 'resize-by-attacher = off'
		rm -f audit.log
		guarded 'attempt(lambda: os.close(shm_open(NAME + "-none", os.O_RDWR))); attempt(lambda: os.close(os.open(PATH + "-none", os.O_RDWR)))
for mode in 0o600, 0o620: attempt(os.chmod, PATH + "-none", mode)'
		run ! grep acl-grants audit.log
		getfacl -cn "/dev/shm/$NAME-none" | grep -q 'user:1234:r--.*effective:---'
		guarded 'attempt(lambda: os.close(shm_open(NAME + "-some", os.O_RDWR))); attempt(os.chmod, PATH + "-none", 0o640)'
		cat out
		grep -o 'rule=acl-grants .* errno' audit.log | cut -d ' ' -f 3-
	done >told
	same told <(printf '%s\n' 'ok None' 'ok None' 'action=recorded errno' 'action=recorded errno' EACCES EACCES 'action=denied errno' 'action=denied errno' \
		'ok None' 'ok None' 'action=fixed errno' 'action=fixed errno' \
		'ok None' 'ok None' 'action=audit would=denied errno' 'action=audit would=denied errno')
}

@test "a default access list of the directory counts in place of the umask, and lets in nobody whom the policy keeps out" {
	command -v setfacl >/dev/null || skip "no setfacl"
	made()
	{
		rm -f "/dev/shm/$NAME-d/"* "/dev/shm/$NAME-d/".[a-z]* audit.log
		# The C library makes semaphores in /dev/shm alone.
		guarded 'os.umask(0o077); PATH += "-d/"
attempt(lambda: os.close(os.open(PATH + "a", RWC, 0o666))); attempt(lambda: os.close(os.open(PATH + "b", RWC | os.O_EXCL, 0o640)))'
		cat out
		(cd "/dev/shm/$NAME-d" && for file in [ab]; do [ ! -e "$file" ] || getfacl -cn "$file" 2>/dev/null | xargs; done)
	}
	mkdir "/dev/shm/$NAME-d"
	setfacl -d -m u::rw,g::x,o::rw "/dev/shm/$NAME-d"
	policy 'world-writable = deny'
	made | same /dev/stdin <(printf '%s\n' EACCES 'ok None' 'user::rw- group::--- other::---')
	policy 'world-writable = fix' 'world-readable = fix'
	made | same /dev/stdin <(printf '%s\n' 'ok None' 'ok None' 'user::rw- group::--- other::---' 'user::rw- group::--- other::---')
	[ "$(grep -c 'action=fixed' audit.log)" -eq 2 ]
	setfacl -d -m u:1234:rw,g::rx,o::- "/dev/shm/$NAME-d"
	policy 'acl-grants = deny' 'world-writable = deny'
	made | same /dev/stdin <(printf '%s\n' EACCES EACCES)
	policy 'acl-grants = fix' 'world-writable = deny'
	made | same /dev/stdin <(printf '%s\n' 'ok None' 'ok None' 'user::rw- group::r-- other::---' 'user::rw- group::r-- other::---')
	[ "$(grep -c 'rule=acl-grants .* action=fixed' audit.log)" -eq 2 ]
	rm -r "/dev/shm/$NAME-d"
}

@test "a default access list of /dev/shm lets nobody in to a semaphore or an object" {
	command -v setfacl >/dev/null || skip "no setfacl"
	needs_root "a /dev/shm of its own"
	for action in fix deny; do
		policy "acl-grants = $action" 'world-writable = fix'
		program 'libc.sem_open.restype = ctypes.c_void_p; print(libc.sem_open(b"/s", os.O_CREAT, 0o666, 1) is not None)
attempt(lambda: os.close(shm_open("/o", RWC, mode=0o666)))'
		# shellcheck disable=SC2016
		unshare -m sh -c 'mount -t tmpfs tmpfs /dev/shm && setfacl -d -m u:1234:rw,o::rw /dev/shm &&
			env SHMGUARD_POLICY="$1" LD_PRELOAD="$2" "$3" program.py; getfacl -cpn /dev/shm/[os]* 2>/dev/null | xargs' \
			sh "$PWD/policy.ini" "$BUILD/libshmguard.so" "$PYTHON"
	done >out
	same out <(printf '%s\n' True 'ok None' 'user::rw- group::rw- other::r-- user::rw- group::rw- other::r--' False EACCES '')
}

# lists_program: writes ./program.py, which sets lists by all three calls and prints what came of it; behind a --, good ones.
lists_program()
{
	program 'import struct
ANY = 2**32 - 1
def set(what, *entries, version=2, cut=0):
    whole = struct.pack("<I", version) + b"".join(struct.pack("<HHI", *e, *(ANY,) * (3 - len(e))) for e in entries)
    value = whole[:len(whole) - cut]
    for call in "setxattr", "lsetxattr", "fsetxattr":
        fd = shm_open(NAME, RWC, mode=0o600)
        os.fchmod(fd, 0o604)
        try:
            os.setxattr(fd if call == "fsetxattr" else PATH, "system.posix_acl_access", value, follow_symlinks=call != "lsetxattr")
            told = "ok"
        except OSError as e:
            told = errno.errorcode[e.errno]
        print(what, call, told, oct(os.fstat(fd).st_mode & 0o7777), len(os.listxattr(PATH)))
        os.close(fd); os.unlink(PATH)
u, U, g, G, m, o = (1, 6), (2, 6, 4321), (4, 6), (8, 6, 4321), (16, 6), (32, 6)
for what, entries in {
    "order": (u, g, U, m, o), "order-mask": (u, U, m, g, o), "order-other": (U, g, m, o, u), "order-groups": (u, G, g, m, o),
    "rights-owner": ((1, 15), U, g, m, o), "rights-named": (u, (2, 14, 4321), g, m, o), "rights-group": (u, U, (4, 0x106), m, o),
    "rights-mask": (u, U, g, (16, 8), o), "rights-other": (u, g, (32, 10)), "rights-high": (u, U, g, m, (32, 0x8006)),
    "no-owner": (U, g, m, o), "no-group": (u, U, m, o), "no-other": (u, U, g, m), "no-mask": (u, U, g, o), "no-mask-group": (u, g, G, o),
    "only-named": (U,), "twice-owner": (u, u, U, g, m, o), "twice-group": (u, U, g, g, m, o), "twice-mask": (u, U, g, m, m, o),
    "twice-other": (u, U, g, m, o, o), "after": (u, U, g, m, o, G), "tag-0": (u, U, g, (0, 6), m, o), "tag-3": (u, (3, 6, 1), g, m, o),
    "tag-64": (u, U, g, m, o, (64, 6)), "tag-high": (u, U, g, m, (0x120, 6)), "nobody": (u, (2, 6), g, m, o),
    "nobody-group": (u, g, (8, 6), m, o)}.items():
    set(what, *entries)
set("version", u, U, g, m, o, version=3); set("version-wide", u, U, g, m, o, version=0x10002)
set("cut", u, U, g, m, o, cut=1); set("cut-entry", u, U, g, m, o, cut=5); set("cut-last", u, U, g, m, o, cut=8); set("none"); set("head", cut=2)
print("--")
set("user", u, U, g, m, o); set("group", u, g, G, m, o); set("same-twice", u, U, U, g, G, G, m, o)
set("mask", u, g, m, o); set("owners", u, g, o); set("numbered", (1, 6, 5), (4, 6, 5), (32, 6, 5))'
}

@test "an access list that the kernel would not take is left to it, and those that it takes to the policy" {
	lists_program
	"$PYTHON" program.py >all
	sed '/^--/,$d' all >bare
	[ "$(grep -c ' EINVAL 0o604 0$' bare)" -eq 93 ]
	for action in fix deny; do
		policy "acl-grants = $action" "world-writable = $action" 'max-mode = 0606' "mode-too-open = $action"
		rm -f audit.log
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
		sed '/^--/,$d' out | same bare /dev/stdin
		sed '1,/^--/d' out | cut -d ' ' -f 1,3- | uniq >"$action"
	done
	same fix <(printf '%s ok 0o604 %s\n' user 0 group 0 same-twice 0 mask 1 owners 0 numbered 0)
	same deny <(printf '%s EACCES 0o604 0\n' user group same-twice mask owners numbered)
	grep -q 'rule=acl-grants .* action=denied' audit.log
}

@test "a list that names one whom the user namespace does not know is left to the kernel" {
	unshare -r true || skip "no user namespace"
	program 'import struct
for tag, id in (2, 70000), (8, 70000), (2, 0), (8, 0):
    fd = shm_open(NAME, RWC, mode=0o600)
    entries = sorted([(1, 6, 0), (4, 0, 0), (16, 6, 0), (32, 0, 0), (tag, 6, id)])
    attempt(os.setxattr, fd, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))
    print(oct(os.fstat(fd).st_mode & 0o777)); os.unlink(PATH)'
	unshare -r "$PYTHON" program.py >bare
	[ "$(xargs <bare)" = 'EINVAL 0o600 EINVAL 0o600 ok None 0o660 ok None 0o660' ]
	policy 'acl-grants = deny'
	unshare -r env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	[ "$(xargs <out)" = 'EINVAL 0o600 EINVAL 0o600 EACCES 0o600 EACCES 0o600' ]
	policy 'acl-grants = fix'
	unshare -r env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	[ "$(xargs <out)" = 'EINVAL 0o600 EINVAL 0o600 ok None 0o600 ok None 0o600' ]
}

@test "a mode or an access list that the kernel refuses was not fixed" {
	needs_root "another user"
	policy 'predictable-name = off' 'world-writable = fix' 'max-mode = 0660' 'mode-too-open = fix' 'acl-grants = fix'
	install -m 600 /dev/null "/dev/shm/$NAME"
	program 'import struct
os.setresuid(1234, 1234, 1234)
entry = lambda tag, rights, id=2**32 - 1: struct.pack("<HHI", tag, rights, id)
list = struct.pack("<I", 2) + entry(1, 6) + entry(2, 6, 4321) + entry(4, 6) + entry(16, 6) + entry(32, 6)
for path in PATH, PATH + "-own":
    if path != PATH: os.close(os.open(path, RWC, 0o600))
    attempt(os.chmod, path, 0o666); attempt(os.setxattr, path, "system.posix_acl_access", list)'
	sed -i "s,^log = .*,log = stderr," policy.ini
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out 2>err
	[ "$(cat out)" = $'EPERM\nEPERM\nok None\nok None' ]
	run -1 grep "object=/$NAME " err
	grep -o "rule=.* action=fixed" err | cut -d ' ' -f 1 | xargs | same /dev/stdin \
		<(echo rule=world-writable rule=mode-too-open rule=world-writable rule=mode-too-open rule=acl-grants)
	[ "$(stat -c %a "/dev/shm/$NAME-own")" = 660 ]
}

@test "the report calls an object that was denied as it calls any other, however its name was spelled" {
	policy 'world-writable = deny' 'names = /enforce-*' 'name-not-allowed = deny'
	program 'attempt(shm_open, NAME, RWC, mode=0o666); attempt(os.open, PATH, RWC, 0o666); attempt(os.open, "/dev/shm/other", RWC, 0o600)
shm_open(NAME + "-2", RWC, mode=0o600)'
	rm -rf recording
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py >out
	"$SHMGUARD" report --verbose recording >told
	[ "$(head -n 3 out | xargs)" = 'EACCES EACCES EACCES' ]
	grep -q "asks for /$NAME with mode 0666" told
	grep -q 'python.* /other: uses a name' told
	run -1 grep '/dev/shm/[eo]' <(grep -v 'process [0-9]' told)
}

@test "O_TRUNC of an empty object does under a policy what it does without: its time is set, its set-user-ID bit goes" {
	make_nobody_build
	printf '%s\n' '[default]' 'log = none' 'world-writable = deny' 'truncate-on-open = deny' >"$NOBODY_HOME/policy.ini"
	chmod 644 "$NOBODY_HOME/policy.ini"
	program 'for flags in os.O_RDWR | os.O_CREAT, os.O_WRONLY, os.O_RDONLY | os.O_CREAT:
    os.close(os.open(PATH, RWC | os.O_EXCL, 0o600)); os.chmod(PATH, 0o4600); os.utime(PATH, (1, 1))
    os.close(os.open(PATH, flags | os.O_TRUNC, 0o600)); print(oct(os.stat(PATH).st_mode), os.stat(PATH).st_mtime > 1); os.unlink(PATH)
    os.close(os.open(PATH, RWC | os.O_EXCL, 0o600)); os.chmod(PATH, 0o4600); os.utime(PATH, (1, 1))
    os.close(shm_open(NAME, flags & ~3 | os.O_RDWR | os.O_TRUNC)); print(oct(os.stat(PATH).st_mode), os.stat(PATH).st_mtime > 1); os.unlink(PATH)'
	cp program.py "$NOBODY_HOME/"
	as_nobody NAME="$NAME" "$PYTHON" "$NOBODY_HOME/program.py" >bare
	as_nobody NAME="$NAME" SHMGUARD_POLICY="$NOBODY_HOME/policy.ini" LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" \
		"$PYTHON" "$NOBODY_HOME/program.py" >out
	remove_nobody_build
	[ "$(sort -u bare)" = "0o100600 True" ]
	same bare out
}
