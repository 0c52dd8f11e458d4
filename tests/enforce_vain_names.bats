#!/usr/bin/env bats
# The policy in force, without a recording: names that the kernel would neither give nor take get its errno, and nothing is told.
bats_require_minimum_version 1.5.0
load helpers
load enforce

teardown()
{
	rm -rf "/dev/shm/$NAME"-*
}

# lay: what there is to be named.
lay()
{
	rm -rf "/dev/shm/$NAME"-*
	mkdir -m 700 "/dev/shm/$NAME-closed"
	mkdir "/dev/shm/$NAME-d"
	touch "/dev/shm/$NAME"-{closed/x,x,y}
	chmod 666 "/dev/shm/$NAME"-{closed/x,x,y}
	chown 1000 "/dev/shm/$NAME"-{closed/x,x,d}
	chown 2000 "/dev/shm/$NAME-y"
	ln -s gone "/dev/shm/$NAME-dangling"
	mkdir -m 755 "/dev/shm/$NAME-locked"
	ln -s gone "/dev/shm/$NAME-locked/l"
	mkdir -m 0 "/dev/shm/$NAME-bound"
	chown 1000 "/dev/shm/$NAME-bound"
	install -m 600 -o 1000 /dev/null "/dev/shm/$NAME-own"
	install -m 444 -o 1000 /dev/null "/dev/shm/$NAME-only"
}

# calls CODE: by the user 1000; each is printed with its errno.
calls()
{
	program 'libc.shm_unlink.restype = ctypes.c_int
def one(call, *args): print(call, *(str(arg)[:80] for arg in args), errno.errorcode[ctypes.get_errno()] if libc[call](*args) < 0 else "ok")
def at(name): return (PATH + name).encode()
LONG = at("-" + "n" * 300); os.setgid(1000); os.setuid(1000)
'"$1"
}

# as_bare LINE CODE: whatever the user 1000 does fails as it does without the policy, and is not told as denied. Its descriptor
# 7 is of an object of his.
as_bare()
{
	calls "$2"
	lay
	"$PYTHON" program.py >bare 7<"/dev/shm/$NAME-own"
	lay
	policy "names = /$NAME-[xdy]" "$1"
	: >audit.log
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out 7<"/dev/shm/$NAME-own"
	same bare out
	run -1 grep ' ok$' bare
	run -1 grep 'action=denied' audit.log
}

# as_bare_on COMMAND: the same of the last `calls` and `policy`, by root, on a /dev/shm of its own with the command behind `lay`.
as_bare_on()
{
	: >audit.log
	# shellcheck disable=SC2016
	unshare -m bash -c "$(declare -f lay)"'; mount -t tmpfs -o mode=1777 tmpfs /dev/shm && lay && eval "$0" || exit 1
		"$PYTHON" program.py >bare; SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so exec "$PYTHON" program.py >out' "$1"
	same bare out
	run -1 grep 'action=denied' audit.log
}

@test "a rename that no kernel would make gets the errno of the bare call" {
	needs_root "takes another user"
	for line in 'name-not-allowed = deny' 'unlink-by-stranger = deny' 'world-writable = deny'; do
		as_bare "$line" 'for to in at("-closed/x"), at("-closed/n"), at("-none/n"), at("-x/n"), LONG + b"/n": one("rename", at("-new"), to)
one("rename", at("-x"), LONG); one("rename", LONG, at("-n")); one("rename", at("-x"), at("-n/")); one("rename", at("-x/"), at("-n")); one("rename", at("-x"), at("-d/.."))
one("rename", at("-x"), at("-d/.")); one("rename", at("-d/."), at("-n")); one("rename", at("-d/../"), at("-n")); one("rename", b"/dev/shm/.", at("-n")); one("rename", at("-x"), b"/")
for name in b"/tmp/q", b"/proc/self/fd/999": one("rename", at("-closed/x"), name)
for name in at("-bound"), at("-bound/"): one("rename", name, at("-d/n")); one("rename", name, at("-dangling/")); one("renameat2", -100, name, -100, at("-dangling/"), 2)
one("rename", at("-x/"), LONG); one("rename", at("-dangling/"), at("-n")); one("rename", at("-dangling/"), LONG)
for flags in 1, 2, 4: one("renameat2", -100, at("-y"), -1, b"", flags); one("renameat2", -1, b"", -100, at("-y"), flags)
for flags in 1, 2: one("renameat2", -100, at("-new"), -1, b"n", flags); one("renameat2", -100, at("-x"), -100, at("-d/.."), flags); one("renameat2", -100, at("-x"), -100, LONG, flags)'
	done
}

@test "a path that is too long is so before what is to be renamed is missed" {
	needs_root "takes another user"
	for line in 'name-not-allowed = deny' 'unlink-by-stranger = deny' 'secret = yes'; do
		as_bare "$line" 'os.chdir("/dev/shm"); TOO, NEAR = b"a/" * 2100, b"./" * 300 + at("-x/n")[9:]
for name in at("-new"), at("-new")[9:], at("-none/n"): one("rename", name, TOO); one("rename", TOO, name); one("rename", name, NEAR); one("rename", NEAR, name)
for name in TOO, NEAR: one("unlink", name); one("link", at("-x"), name); one("link", name, at("-n"))'
		grep -q ENAMETOOLONG bare
	done
}

@test "on a read-only mount names stay for that reason, be it the file system that is read-only or the mount alone" {
	needs_root "mounts"
	calls 'for name in b"-n", b"-x", b"-d", b"-closed/x", b"-closed/n", b"-none/n", b"-x/", b"-n/", b"-d/", b"-d/.", b"-" + b"n" * 300:
    one("unlink", at(name.decode())); one("remove", at(name.decode())); one("shm_unlink", (NAME + name.decode()).encode()); one("sem_unlink", (NAME + name.decode()).encode())
    for to in at("-q"), at("-y"), at("-d/."), at("-none/n"), LONG, b"/tmp/q": one("rename", at(name.decode()), to); one("link", at(name.decode()), to)
    for flags in 1, 2: one("renameat2", -100, at(name.decode()), -100, at("-y"), flags)'
	for line in 'name-not-allowed = deny' 'unlink-by-stranger = deny' 'secret = yes' 'zero = on-unlink'; do
		for how in ro bind,ro; do
			policy "names = /$NAME-[xdy]" "$line"
			as_bare_on "mount -o remount,$how /dev/shm"
			grep -q EROFS bare
		done
	done
}

@test "a link that no kernel would make gets the errno of the bare call" {
	needs_root "takes another user"
	for line in 'name-not-allowed = deny' 'unlink-by-stranger = deny' 'world-writable = deny'; do
		as_bare "$line" 'for name in b"/dev/shm", at("-x"), at("-y"), at("-d"): one("link", name, LONG); one("link", name, at("-d/..")); one("link", name, b"/dev/shm/.")
for name in at("-closed/n"), at("-none/n"), at("-x/n"), at("-n/"), at("-x/"), at("-dangling/"), b"": one("link", at("-x"), name); one("link", b"/dev/shm", name)
for name in at("-new"), LONG, at("-closed/x"), b"": one("link", name, at("-n")); one("link", name, at("-closed/n"))
for flags in 0, 0x400: one("linkat", -100, at("-dangling"), -100, b"/dev/shm/", flags); one("linkat", -100, at("-x"), -1, b"", flags); one("linkat", -1, b"", -100, LONG, flags)'
	done
}

@test "a creation that no kernel would make gets the errno of the bare call, whatever refuses one more, its mode or its name" {
	needs_root "takes another user"
	local line code='libc.fopen.restype = ctypes.c_void_p; libc.sem_open.restype = ctypes.c_void_p; X = os.O_EXCL
def temporary(path): print(path, "ok" if libc.mkstemp(path + b"XXXXXX") >= 0 else errno.errorcode[ctypes.get_errno()])
def stream(path, mode): print(path, mode, "ok" if libc.fopen(path, mode) else errno.errorcode[ctypes.get_errno()])
for name in at("-locked/n"), at("-closed/n"), at("-none/n"), at("-x/n"), at("-locked/n/"), LONG, at("-locked/" + "n" * 300), at("-locked/l"), at("-l/n"), at("-none/n/"):
    one("open", name, RWC, 0o666); one("open", name, RWC | X, 0o666); one("creat", name, 0o666); one("mknod", name, 0o100666, 0)
    stream(name, b"a+"); stream(name, b"wx"); temporary(name.rstrip(b"/")); one("openat", os.open("/dev/shm", os.O_PATH), name[9:], RWC, 0o666)
    one("shm_open", b"/" + name[9:], RWC, 0o666)
'
	for line in 'max-objects = 0'$'\n''too-many-objects = deny' 'max-mode = 0'$'\n''mode-too-open = deny' 'world-writable = deny' \
		'name-not-allowed = deny' 'owner = 2000'$'\n''foreign-owner = deny'; do
		as_bare "$line" "$code"
	done
}

@test "a directory is not emptied, nor opened where it may not be read, with the errno of the bare call" {
	needs_root "takes another user"
	local line
	for line in 'truncate-on-open = deny' 'name-not-allowed = deny' 'owner = 4711'$'\n''foreign-owner = deny'; do
		as_bare "$line" 'os.symlink(at("-d"), at("-new"))
for flags in os.O_RDWR | os.O_TRUNC, os.O_TRUNC, RWC | os.O_TRUNC, os.O_CREAT | os.O_TRUNC, os.O_TRUNC | os.O_DIRECTORY:
    for name in "-d", "-closed", "-only": one("shm_open", (NAME + name).encode(), flags, 0o600); one("open", at(name), flags, 0o600)
    one("open", at("-new"), flags, 0o600)'
	done
}

@test "a name with a slash behind it is no file's to be made, whatever is there" {
	needs_root "takes another user"
	local line
	for line in 'name-not-allowed = deny' 'max-mode = 0'$'\n''mode-too-open = deny' 'max-objects = 0'$'\n''too-many-objects = deny'; do
		as_bare "$line" 'for name in at("-d/"), at("-closed/"), at("-dangling/"), at("-n/"), at("-x/"), at("-x/n/"), at("-d/."), b"/dev/shm/":
    for flags in 0, os.O_EXCL, os.O_EXCL | os.O_TRUNC: one("open", name, RWC | flags, 0o666)
    one("mknod", name, 0o100666, 0); one("creat", name, 0o666)'
	done
}

@test "by a link that leads nowhere nothing is made where the kernel makes nothing" {
	needs_root "takes another user"
	local line
	for line in 'name-not-allowed = deny' 'max-mode = 0'$'\n''mode-too-open = deny' 'max-objects = 0'$'\n''too-many-objects = deny' \
		'owner = 4711'$'\n''foreign-owner = deny'; do
		as_bare "$line" 'os.chdir("/dev/shm")
for n, to in enumerate((at("-none/n"), at("-none/n")[9:], at("-n/"), at("-n/")[9:], b"/tmp" + at("-none/n"), at("-closed/n"), at("-locked/n"), at("-x/n"), LONG, b"")):
    name = at("-l%d" % n); os.symlink(to or at("-l0")[9:], name)
    for path in name, name[9:]:
        for flags in 0, os.O_TRUNC, os.O_EXCL, os.O_NOFOLLOW: one("open", path, RWC | flags, 0o666)
    one("mknod", name, 0o100666, 0)'
	done
}

@test "through a link of another's that is no directory nothing is opened, with the errno of the bare call" {
	needs_root "takes another user"
	as_bare 'owner = 4711'$'\n''symlink-or-special = deny' 'os.symlink(at("-x"), at("-l"))
for name in at("-dangling/"), at("-dangling/n"), at("-l/"), at("-l/n"), at("-closed/x/n"):
    for flags in 0, os.O_RDWR, RWC, RWC | os.O_EXCL, os.O_TRUNC, os.O_DIRECTORY: one("open", name, flags, 0o600)
    one("mknod", name, 0o100600, 0); one("creat", name, 0o600)'
}

@test "what may not be opened by its mode is not told as denied" {
	needs_root "takes another user"
	as_bare 'name-not-allowed = deny' 'import socket
os.umask(0o777); socket.socket(socket.AF_UNIX).bind(at("-n0")); os.umask(0); socket.socket(socket.AF_UNIX).bind(at("-n"))
for name in at("-closed"), at("-only"), at("-n0"), at("-n"):
    for flags in os.O_WRONLY, os.O_RDWR, RWC, os.O_TRUNC: one("open", name, flags, 0o600); one("shm_open", name[8:], flags, 0o600)'
}

@test "where no inode is left nothing is made for that reason, by whatever call" {
	needs_root "mounts"
	local line more
	for line in 'name-not-allowed = deny' 'max-mode = 0'$'\n''mode-too-open = deny' 'max-objects = 0'$'\n''too-many-objects = deny' \
		'owner = 4711'$'\n''foreign-owner = deny'; do
		for more in 0 1; do
			# A semaphore needs two: the C library makes it by another name first.
			calls 'libc.fopen.restype = ctypes.c_void_p; libc.sem_open.restype = ctypes.c_void_p
def pointer(call, *args): print(call, args, "ok" if libc[call](*args) else errno.errorcode[ctypes.get_errno()])
for flags in 0, os.O_EXCL: pointer("sem_open", at("-n")[8:], os.O_CREAT | flags, 0o666, 1)
'"if $more: sys.exit()"'
pointer("sem_open", at("-s")[8:], os.O_CREAT | os.O_EXCL, 0o666, 1); os.chdir("/dev/shm")
for name in at("-n"), at("-n")[9:], at("-dangling"), at("-d/n"), at("-x"):
    one("open", name, RWC | os.O_EXCL, 0o666); one("mknod", name, 0o100666, 0); pointer("fopen", name, b"wx"); one("link", at("-x"), name)
for name in at("-n"), at("-dangling"), at("-d/n"): one("open", name, RWC, 0o666); one("creat", name, 0o666); one("shm_open", name[8:], RWC, 0o666)
one("mkstemp", at("-nXXXXXX")); one("open", b"/dev/shm", os.O_TMPFILE | os.O_RDWR, 0o666)'
			policy "names = /$NAME-[xdy]" "$line"
			as_bare_on 'head -c 32 /dev/zero >"/dev/shm/sem.$NAME-s" &&
				mount -o "remount,nr_inodes=$(($(df --output=iused /dev/shm | tail -n 1) + '$more'))" /dev/shm'
			grep -q ENOSPC bare
			run -1 grep ' ok$' bare
		done
	done
}

@test "an owner or a mode that no kernel would set is refused as the kernel refuses it" {
	needs_root "takes another user"
	local line
	for line in 'name-not-allowed = deny' 'owner = 4711'$'\n''foreign-owner = deny' 'allow-uid = 4711'$'\n''foreign-owner = deny'; do
		as_bare "$line" 'own, way = 7, os.open(at("-own"), os.O_PATH)
for name, uid, gid in (at("-y"), 2000, -1), (at("-y"), -1, 1000), (at("-x"), 1000, 4), (at("-x"), 2000, -1), (at("-own"), 1000, 4), (at("-own"), -1, 4), (at("-own"), 2000, -1), (at("-none"), 2000, -1), (at("-x/n"), 1, 1), (at("-closed/x"), 1, 1), (LONG, 1, 1):
    for call in "chown", "lchown": one(call, name, uid, gid)
    for flags in 0, 0x100, 0x1000, 0x8000: one("fchownat", -100, name, uid, gid, flags)
    if name == at("-own"): one("fchown", own, uid, gid); one("fchown", way, uid, gid); one("fchownat", way, b"", uid, gid, 0x1000)
one("fchown", -1, 2000, -1); one("fchownat", -1, b"x", 2000, -1, 0); one("chown", None, 2000, -1)'
	done
	calls 'one("chown", at("-x"), 2000, -1); one("chown", at("-x"), 1000, -1); one("chown", at("-y"), 2000, -1); one("chmod", at("-x"), 0o666); one("chmod", at("-y"), 0o666)
one("fchown", 7, 2000, -1); one("fchmod", 7, 0o666); one("fchownat", 7, b"", 2000, -1, 0x1000)'
	for line in 'name-not-allowed = deny' 'owner = 4711'$'\n''foreign-owner = deny' 'world-writable = deny'; do
		policy "$line" "names = /none"
		as_bare_on 'mount -o remount,ro /dev/shm && exec 7<"/dev/shm/$NAME-own"'
		run -1 grep -v ' EROFS$' bare
	done
}

@test "what is no name of its own cannot be removed, with the errno of the bare call" {
	needs_root "takes another user"
	for line in 'name-not-allowed = deny' 'unlink-by-stranger = deny' 'owner = 4711, unlink-by-stranger = deny'; do
		as_bare "${line/, /$'\n'}" 'for name in b"/..", b"/.", b"..", b"/": one("shm_unlink", name)
for name in b"/dev/shm/..", b"/dev/shm/.", b"/dev/shm/../", at("-closed/.."), at("-d/."), at("-d/"), at("-x/"), at("-closed/x"), LONG, b"": one("unlink", name); one("unlinkat", -100, name, 0)'
	done
}

@test "what the kernel would rename, link or remove is refused as ever" {
	needs_root "takes another user"
	policy "names = /$NAME-[xdy]" 'name-not-allowed = deny'
	lay
	program 'for call in os.rename, os.link: attempt(call, PATH + "-x", PATH + "-n"); attempt(call, PATH + "-x", PATH + "-d/../" + NAME[1:] + "-n")
attempt(os.rename, PATH + "-x", PATH + "-y"); attempt(os.rename, PATH + "-y", PATH + "-x"); attempt(os.link, PATH + "-x", PATH + "-y")'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	same out <(printf '%s\n' EACCES EACCES EACCES EACCES 'ok None' 'ok None' 'ok None')
}
