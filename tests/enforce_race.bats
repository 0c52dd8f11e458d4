#!/usr/bin/env bats
# Eight processes create, attach to and remove one name, a ninth one watches it. `make soak` does so for longer.
load helpers
load enforce
bats_require_minimum_version 1.5.0

@test "under safe no name is ever wide, no creation is lost and no open fails that would not" {
	SHMGUARD_PROFILE=safe LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/race" 5 "$NAME" >out
	cat out
	read -r _ opened _ looked _ <out
	[ "${opened%,}" -gt 1000 ] && [ "${looked%;}" -gt 1000 ]
}

@test "the race is one: without a policy the name is wide" {
	run "$PROGRAMS/race" 0.5 "$NAME"
	[ "$status" -eq 1 ]
	[[ $output == *"failed 0 (Success), exclusive failed 0, lost 0" && $output != *"wide 0,"* ]]
}

# kept ZERO...: nothing that processes and threads keep in one object is lost to wipes under that policy, which do happen.
kept()
{
	policy 'create-without-excl = off' 'predictable-name = off' "[wiped]" "name = /$NAME" "$@"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/slots" 5 "/$NAME" >out || { cat out; return 1; }
	read -r _ rounds _ <out
	[ "${rounds%,}" -gt 500 ]
	grep -Eq 'action=fixed' audit.log
}

@test "a secret is wiped after its last use, never while a process or a thread has just begun another" {
	kept 'secret = yes' 'secret-left = fix'
}

@test "stale bytes are wiped when nobody maps the object, never while a process or a thread has just begun to" {
	kept 'zero = on-attach, on-last-unmap'
}

# parting ROUNDS HOW: what it printed, as nobody: of root's objects nothing is certain where a process of root's is not shown.
parting()
{
	as_nobody SHMGUARD_POLICY="$NOBODY_HOME/policy.ini" LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" \
		"$NOBODY_BUILD/tests/programs/parting" "$1" "$NAME" "$2"
	rm "/dev/shm/$NAME"
}

nobodys_policy()
{
	make_nobody_build
	printf '%s\n' '[default]' "log = file:$NOBODY_HOME/audit.log" 'predictable-name = off' "[secret]" "name = /$NAME" \
		'secret = yes' 'secret-left = fix' >"$NOBODY_HOME/policy.ini"
	chmod 644 "$NOBODY_HOME/policy.ini"
}

@test "of users that end at one moment one wipes the secret, whatever threads they have, unmapped just before or not" {
	nobodys_policy
	for how in ee ue uu et eeett; do
		[ "$(parting 40 "$how")" = "left 0" ]
	done
	remove_nobody_build
}

@test "of one that ends and one that executes another program at that moment one wipes the secret, or says that it is left" {
	nobodys_policy
	parting 200 ex >out
	cp "$NOBODY_HOME/audit.log" .
	remove_nobody_build
	cat out audit.log
	run awk '/rule=secret-left/ { told++; if (match($0, /held-back=[0-9]+/)) told += substr($0, RSTART + 10, RLENGTH - 10) }
		END { print told + 0 }' audit.log
	[ "$output" -ge 200 ]
}

@test "a child that another thread forks as the process ends loses nothing" {
	policy 'create-without-excl = off' 'predictable-name = off' "[wiped]" "name = /$NAME" 'secret = yes' 'secret-left = fix'
	run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/amid_exit" 100 "/$NAME"
	[ "$status" -eq 0 ]
}

# attaching SIZE RULE: nothing is lost where that rule alone is fixed, which happens.
attaching()
{
	policy 'create-without-excl = off' 'predictable-name = off' "$2 = fix"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/attaching" 100 "/$NAME" "$1" || return
	grep -q "rule=$2 .*action=fixed" audit.log
}

@test "what several write that attach at one moment stays, when an old run's bytes are wiped" {
	attaching 8192 stale-bytes
}

@test "what several write that grow an object at one moment stays, when what was behind its end is cleared" {
	attaching 10 grow-exposes-tail
}

# left_over HOW EXPECTED RULE...: what four processes that come to a leftover at one moment get, ten times.
left_over()
{
	rm -f audit.log
	policy 'create-without-excl = off' 'predictable-name = off' "${@:3}"
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so "$PROGRAMS/left_over" 10 "/$NAME" "$1" >out
	echo "$*: $(cat out)"
	[ "$(cat out)" = "$2" ]
}

@test "none of several that come at one moment to what an earlier run left gets it, where that is denied" {
	left_over create 'old 0, other 0, refused 40' 'stale-bytes = deny'
	left_over create 'old 0, other 0, refused 40' 'stale-reattach = deny'
	left_over create 'old 0, other 0, refused 40' 'stale-bytes = deny' 'stale-reattach = deny'
	left_over map 'old 0, other 0, refused 40' 'stale-bytes = deny'
}

@test "of several that come at one moment to what an earlier run left one has it made anew, or cleared, and all get that" {
	left_over create 'old 0, other 40, refused 0' 'stale-reattach = fix'
	[ "$(grep -c 'rule=stale-reattach .*action=fixed' audit.log)" -ge 5 ]
	left_over create 'old 0, other 40, refused 0' 'stale-bytes = fix'
	left_over create 'old 0, other 40, refused 0' 'zero = on-attach'
}

@test "the leftover is one: without a rule all get its bytes" {
	left_over create 'old 40, other 0, refused 0' 'stale-bytes = off' 'stale-reattach = off'
}

# comes_late WHAT LINE...: what the call answers, and the mode and size of the object at the name, which another makes once the
# library has looked at that and before the kernel does: in its stead stands the next definition of the call.
comes_late()
{
	policy "${@:2}"
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME"-*
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD="$BUILD/libshmguard.so $PWD/late.so" "$PYTHON" late.py "$1" "/dev/shm/$NAME"
	if [ -e "/dev/shm/$NAME" ]; then
		stat -c '%a %s' "/dev/shm/$NAME"
	fi
}

late()
{
	cat >late.c <<-'END'
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <stddef.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <sys/types.h>
		#include <unistd.h>
		static const char *make(const char *path)
		{
			const char *wanted = getenv("NAME");
			if (wanted && strstr(path, wanted)) {
				int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);
				syscall(SYS_fchmod, fd, strstr(path, "-from") ? 0666 : 0600);
				syscall(SYS_close, fd);
			}
			return path;
		}
		int chmod(const char *path, mode_t mode) { return (int)syscall(SYS_chmod, make(path), mode); }
		int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
		{
			(void)flags;
			return (int)syscall(SYS_fchmodat, dirfd, make(path), mode);
		}
		int lchmod(const char *path, mode_t mode) { return chmod(path, mode); }
		int truncate(const char *path, off_t size) { return (int)syscall(SYS_truncate, make(path), size); }
		int truncate64(const char *path, off_t size) { return truncate(path, size); }
		int chown(const char *path, uid_t user, gid_t group) { return (int)syscall(SYS_chown, make(path), user, group); }
		int lchown(const char *path, uid_t user, gid_t group) { return (int)syscall(SYS_lchown, make(path), user, group); }
		int fchownat(int dirfd, const char *path, uid_t user, gid_t group, int flags)
		{
			return (int)syscall(SYS_fchownat, dirfd, make(path), user, group, flags);
		}
		int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
		{
			return (int)syscall(SYS_setxattr, make(path), name, value, size, flags);
		}
		int link(const char *from, const char *to) { return (int)syscall(SYS_link, make(from), to); }
		int linkat(int at, const char *from, int to_at, const char *to, int flags)
		{
			return (int)syscall(SYS_linkat, at, make(from), to_at, to, flags);
		}
		int rename(const char *from, const char *to) { return (int)syscall(SYS_rename, make(from), to); }
		int renameat2(int at, const char *from, int to_at, const char *to, unsigned flags)
		{
			return (int)syscall(SYS_renameat2, at, make(from), to_at, to, flags);
		}
	END
	gcc -w -shared -fPIC -O late.c -o late.so
	cat >late.py <<-'END'
		import ctypes, errno, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		what, path = sys.argv[1], sys.argv[2].encode()
		wide = struct.pack("<IHHIHHIHHI", 2, 1, 6, 0xffffffff, 4, 6, 0xffffffff, 32, 6, 0xffffffff)
		calls = {
		    "chmod": lambda: libc.chmod(path, 0o666),
		    "lchmod": lambda: libc.lchmod(path, 0o666),
		    "fchmodat": lambda: libc.fchmodat(-100, path, 0o666, 0),
		    "setxattr": lambda: libc.setxattr(path, b"system.posix_acl_access", wide, ctypes.c_size_t(len(wide)), 0),
		    "truncate": lambda: libc.truncate(path, ctypes.c_long(100000)),
		    "truncate64": lambda: libc.truncate64(path, ctypes.c_long(100000)),
		    "chown": lambda: libc.chown(path, 4321, 4321),
		    "lchown": lambda: libc.lchown(path, 4321, 4321),
		    "fchownat": lambda: libc.fchownat(-100, path, 4321, 4321, 0),
		    "link": lambda: libc.link(path + b"-from", path),
		    "linkat": lambda: libc.linkat(-100, path + b"-from", -100, path, 0),
		    "rename": lambda: libc.rename(path + b"-from", path),
		    "renameat2": lambda: libc.renameat2(-100, path + b"-from", -100, path, 0),
		}
		print("ok" if calls[what]() == 0 else errno.errorcode[ctypes.get_errno()])
	END
}

@test "what is made between the look of a call by its path and that call is not what the call is for: it fails as it would have" {
	late
	for call in chmod lchmod fchmodat setxattr link linkat rename renameat2; do
		same <(comes_late $call 'world-writable = fix') <(echo ENOENT)
		same <(comes_late $call 'max-mode = 0660' 'mode-too-open = deny') <(echo ENOENT)
		same <(comes_late $call 'world-writable = warn') <(printf '%s\n' ok '666 0')
		same <(comes_late $call 'mode = audit' 'world-writable = fix') <(printf '%s\n' ok '666 0')
	done
	for call in truncate truncate64; do
		same <(comes_late $call 'max-size = 8K' 'object-too-large = deny') <(echo ENOENT)
		same <(comes_late $call) <(printf '%s\n' ok '600 100000')
	done
	for call in chown lchown fchownat; do
		same <(comes_late $call 'owner = 0' 'foreign-owner = deny') <(echo ENOENT)
	done
	run -1 grep -E 'action=(denied|fixed)' audit.log
}

@test "a look that finds nothing changes no errno but that: flags and lengths that there are not come first, as does what is in the way" {
	policy 'predictable-name = off' 'world-writable = deny' 'object-too-large = deny' 'max-size = 8K' 'owner = 0' 'foreign-owner = deny'
	vain 'os.mkdir(PATH + "-d", 0o700)
os.close(os.open(PATH + "-f", RWC, 0o600))
def call(name, *args):
    print(name, "ok" if getattr(libc, name)(*args) == 0 else errno.errorcode[ctypes.get_errno()])
path = PATH.encode()
call("truncate", path, ctypes.c_long(-1))
call("truncate", path, ctypes.c_long(1))
call("truncate", path + b"-f/x", ctypes.c_long(1))
call("fchownat", -100, path, 0, 0, 0x40)
call("fchownat", -100, path, 0, 0, 0)
call("fchmodat", -100, path, 0o666, 0x40)
call("fchmodat", -100, path, 0o666, 0)
call("chmod", path + b"-d/x/y", 0o666)
call("link", path, path + b"-d/x/y")
call("linkat", -100, path, -100, path + b"-l", 1)
call("rename", path, path + b"-f/x")
call("rename", path, path + b"-d/x/y")
call("renameat2", -100, path + b"-f", -100, path, 2)
acl = struct.pack("<IHHIHHIHHI", 2, 1, 6, 0xffffffff, 4, 6, 0xffffffff, 32, 6, 0xffffffff)
call("setxattr", path, b"system.posix_acl_access", acl, ctypes.c_size_t(len(acl)), 7)
call("setxattr", path, b"system.posix_acl_access", acl, ctypes.c_size_t(len(acl)), 0)
os.rmdir(PATH + "-d"); os.unlink(PATH + "-f")
print("twins")
os.close(os.open(PATH, RWC, 0o600)); attempt(os.chmod, PATH, 0o666); os.unlink(PATH)' EACCES
	[ "$(grep -c ' ENOENT$' bare)" -ge 8 ]
}
