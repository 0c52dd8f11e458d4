#!/usr/bin/env bats
# secret-left in a recording: at the exit as the process sees it itself, after a SIGKILL from what lies there at the end. And
# every way by which a process leaves a secret that is to be wiped.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load secret

# secret HOW [LINE...]: a segment with a key in it, left in one of the ways, under a policy that calls it secret.
secret()
{
	printf '%s\n' '[keys]' "name = /$NAME" 'secret = yes' "${@:2}" >policy.ini
	program 'import mmap, signal
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); m[4096:4099] = b"key"
def wiped(): m[4096:4099] = bytes(3)
def die(): os.kill(os.getpid(), signal.SIGKILL)
'"$1"
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py || true
	report recording >report.json
}

# left COUNT EXPRESSION: so many findings of the rule, of which that is true.
left()
{
	holds "[.findings[] | select(.rule == \"secret-left\")] | (map(.count) | add // 0) == $1 and ($2)"
}

@test "killed with a secret: the recording tells" {
	secret 'die()'
	left 1 '.[0].severity == "warning" and (.[0].message | test("holds data and nobody uses it: python.* did not wipe it when it was killed"))
		and ([.[0].stacks[].role] == ["created", "mapped"])'
}

@test "killed after it had been wiped: nothing is left" {
	secret 'wiped(); die()'
	left 0 true
}

@test "killed while another process still uses it" {
	secret 'holder = os.fork()
if holder == 0: __import__("time").sleep(2); wiped(); os._exit(0)
die()'
	left 0 true
}

@test "exit, _exit and the last unmap: told once, by the process itself" {
	secret 'm.close()'
	left 1 '.[0].stacks[0].role == "left"'
	rm -rf recording "/dev/shm/$NAME"
	secret 'os._exit(0)'
	left 1 '.[0].stacks[0].role == "left"'
}

@test "fixed at the exit: the report says so, and nothing is left" {
	secret 'pass' 'secret-left = fix'
	left 1 '.[0].action == "fixed"'
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
}

@test "a program that the policy's section is not about has no secret" {
	secret 'die()' 'exe = /usr/bin/other'
	left 0 true
}

@test "what was a secret and is over, of many, makes none of an object that comes later" {
	printf '%s\n' '[keys]' "name = /$NAME-*" 'exe = *python*' 'secret = yes' >policy.ini
	program 'import subprocess
for i in range(4300):
    fd = shm_open("%s-%d" % (NAME, i), RWC | os.O_EXCL, mode=0o600); os.close(fd); shm_unlink("%s-%d" % (NAME, i))
subprocess.run(["bash", "-c", "echo public >%s-other" % PATH])'
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py
	report recording >report.json
	holds '.trace.objects_left_out > 0'
	left 0 true
}

@test "quick_exit, exit_group by syscall(2) and the end of the last thread wipe a secret as exit does" {
	leaves 'libc.quick_exit(3)'
	wiped
	leaves 'libc.syscall({"x86_64": 231, "aarch64": 94}[os.uname().machine], 3)'
	wiped
	leaves 'libc.pthread_exit(None)'
	wiped
}

@test "the last mapping that another takes the place of is its last unmap" {
	policy 'secret-left = fix' 'secret = yes'
	for over in 'libc.mmap(at(m), 8192, 3, 0x32, -1, long(0))' 'libc.mremap(at(z), 8192, 8192, 3, at(m))'; do
		program 'import signal
long = ctypes.c_long; at = ctypes.c_void_p; libc.mremap.restype = ctypes.c_void_p
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192)
m = libc.mmap(None, 8192, 3, 1, fd, long(0)); z = libc.mmap(None, 8192, 3, 0x22, -1, long(0)); os.close(fd)
ctypes.memset(m, 83, 8192); libc.mmap(at(m), 4096, 3, 0x32, -1, long(0)); print(open(PATH, "rb").read(2))
assert '"$over"' == m; os.kill(os.getpid(), signal.SIGKILL)'
		run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" -u program.py
		[[ "$output" == "b'SS'"* ]]
		[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
		rm -f "/dev/shm/$NAME"
	done
}

@test "a secret that was renamed is wiped, whatever name it has then" {
	leaves 'os.rename(PATH, PATH + "-public")'
	wiped "$NAME-public"
	rm "/dev/shm/$NAME-public"
	leaves 'os.link(PATH, PATH + "-public"); os.unlink(PATH)'
	wiped "$NAME-public"
	grep -q "rule=secret-left object=/$NAME action=recorded .* why=not-wiped:linked" audit.log
}

@test "what has no name is wiped at its last unmap where a descriptor of it is still open, or told" {
	rm -f audit.log
	policy '[keys]' "name = /$NAME, key" 'secret = yes' 'secret-left = fix'
	guarded 'def kept(fd, address, length): libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(length)); print(os.pread(fd, 3, 0))
def filled(fd, length=8192):
    os.ftruncate(fd, length); address = libc.mmap(None, ctypes.c_size_t(length), 3, 1, fd, ctypes.c_long(0))
    ctypes.memmove(address, b"key", 3); return fd, address, length
def held(fd):
    os.ftruncate(fd, 4096); os.pwrite(fd, b"key", 0); import fcntl; fcntl.fcntl(fd, 1033, 8)
    return fd, libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0)), 4096
fd = shm_open(NAME, RWC, mode=0o600); filled(fd); segment = filled(fd); shm_unlink(NAME)
kept(*segment); kept(*filled(os.memfd_create("other"))); kept(*filled(os.memfd_create("key"))); kept(*held(os.memfd_create("key", 2)))'
	cat out audit.log
	[ "$(cat out)" = $'b\'key\'\nb\'key\'\nb\'\\x00\\x00\\x00\'\nb\'key\'' ]
	[ "$(grep -c 'rule=secret-left object=[^ ]*key action=fixed' audit.log)" -eq 1 ]
	grep -q 'rule=secret-left object=[^ ]*key action=recorded .* why=not-wiped:EPERM$' audit.log
	rm audit.log
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); m[0:3] = b"key"; shm_unlink(NAME)
libc.munmap(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(m))), ctypes.c_size_t(8192)); print(os.pread(fd, 3, 0)); sys.stdout.flush(); os._exit(0)'
	[ "$(cat out)" = "b'\\x00\\x00\\x00'" ]
	grep -q "rule=secret-left object=/$NAME action=fixed" audit.log
}

@test "what has no name is wiped at exit where it is mapped and a descriptor of it open, whoever else has one" {
	for policy in 'zero = never' 'zero = on-unlink, on-last-unmap'; do
		rm -f audit.log
		policy '[keys]' "name = /$NAME, key" 'secret = yes' 'secret-left = fix' "$policy"
		program 'import time
def gone(how, kept=True, memfd=None):
    fd = os.memfd_create(memfd) if memfd else shm_open(NAME, RWC, mode=0o600)
    if os.fork() == 0:
        os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); m[0:3] = b"key"
        if not memfd:
            shm_unlink(NAME)
        if not kept:
            m.close(); os.pwrite(fd, b"key", 0)
        how()
        os._exit(0)
    os.wait(); print(os.pread(fd, 3, 0)); os.close(fd)
gone(sys.exit); gone(lambda: os._exit(0)); gone(lambda: libc.quick_exit(0)); gone(lambda: os._exit(0), memfd="key")
gone(lambda: os._exit(0), kept=False); gone(lambda: os._exit(0), memfd="other")
def sharing():
    if os.fork() == 0:
        time.sleep(0.3); os.abort()
gone(sharing)'
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" -u program.py >out
		cat out audit.log
		zeros="b'\\x00\\x00\\x00'"
		same out <(printf '%s\n' "$zeros" "$zeros" "$zeros" "$zeros" "b'key'" "b'key'" "b'key'")
	done
}

@test "a secret that its last user may not open any more is told, one below another root is wiped or told" {
	needs_root "setuid and chroot"
	leaves 'os.close(fd); os.setuid(65534); m.close()'
	told EACCES
	# Of root's processes, which it may not look at any more, each could map it.
	leaves 'os.setuid(65534)'
	told perhaps-mapped
	mkdir -p root
	leaves 'os.chroot("'"$PWD"'/root")'
	told perhaps-mapped
	mkdir root/proc
	leaves 'libc.unshare(0x20000); libc.mount(None, b"/", None, 0x44000, None); libc.mount(b"/proc", b"root/proc", None, 0x1000, None)
os.chroot("'"$PWD"'/root")'
	wiped
}

@test "a line says where the program called, or that it was at its exit" {
	leaves 'm.close(); os.close(fd)'
	grep -q 'rule=secret-left .* at=[^ ]*+0x[0-9a-f]*$' audit.log
	for end in 'os._exit(0)' 'libc.quick_exit(0)'; do
		leaves "$end"
		grep -q 'rule=secret-left .*action=fixed errno=0 at=exit$' audit.log
	done
}

@test "a recording names the secret that its last user had got over an exec" {
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- bash -c '/bin/echo key >"$0"; true' "/dev/shm/$NAME"
	report recording >report.json
	left 1 '.[0].action == "fixed" and (.[0].message | contains("'"$NAME"'"))'
	holds '.objects | length == 1'
}

# seen CODE LINE...: what others read, once it has ended, of an object that another made, of four bytes and zeros.
seen()
{
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME"-*
	printf 'LIVE%04096d' 0 | tr 0 '\0' >"/dev/shm/$NAME"
	printf '%s\n' '[default]' "${@:2}" >policy.ini
	program "$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >/dev/null 2>&1 || true
	tr -d '\0' <"/dev/shm/$NAME"
}

# all_see TEXT CODE LINE...: that, at the exit and wherever else the policy wipes, whatever the log is.
all_see()
{
	local log policy
	for policy in $'secret = yes\nsecret-left = fix' 'zero = on-last-unmap'; do
		for log in "log = file:$PWD/audit.log" 'log = none' '# no log'; do
			echo "$2 | ${*:3} | $policy | $log"
			[ "$(seen "$2" "$log" "$policy" "${@:3}")" = "$1" ] || return 1
		done
	done
}

@test "who only names an object is no user of it, whose end would wipe what others have" {
	local call
	for call in 'os.chmod(PATH, 0o600)' 'os.truncate(PATH, 9000)' 'os.link(PATH, PATH + "-2")' 'os.chown(PATH, -1, -1)' \
		'os.rename(PATH, PATH + "-2"); os.rename(PATH + "-2", PATH)' 'fd = os.open(PATH, os.O_PATH); os.dup(fd)'; do
		all_see LIVE "$call"
	done
}

@test "who is denied an object is no user of it" {
	local call
	for call in 'shm_open(NAME, os.O_RDWR)' 'os.open(PATH, os.O_RDONLY)' 'shm_unlink(NAME)' 'os.truncate(PATH, 1)' \
		'os.rename(PATH, PATH + "-2")' 'os.link(PATH, PATH + "-2")'; do
		all_see LIVE "attempt(lambda: $call)" 'names = /other' 'name-not-allowed = deny'
	done
	all_see LIVE 'os.chmod(PATH, 0o666)' 'world-writable = deny'
	all_see LIVE 'os.truncate(PATH, 9000)' 'max-size = 1' 'object-too-large = deny'
	all_see LIVE 'shm_open(NAME, os.O_RDWR | os.O_TRUNC)' 'truncate-on-open = deny'
	all_see LIVE 'shm_open(NAME, RWC, mode=0o600)' 'create-without-excl = off' 'stale-reattach = deny'
}

@test "another user's object is not wiped by whom the policy denies it" {
	needs_root "another user"
	local holder
	mkfifo ready go
	printf LIVE >"/dev/shm/$NAME"
	chown 1001 "/dev/shm/$NAME"
	setpriv --reuid 1001 --regid 1001 --clear-groups "$PYTHON" -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDWR); print("open", flush=True); sys.stdin.readline(); print(os.pread(fd, 4, 0))' \
		"/dev/shm/$NAME" >ready <go 3>&- &
	holder=$!
	exec 8<>go 9<>ready
	read -r <&9
	printf '%s\n' '[default]' 'secret = yes' 'secret-left = fix' 'foreign-owner = deny' >policy.ini
	program 'attempt(shm_open, NAME, os.O_RDWR)'
	run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py 8>&- 9<&-
	[ "$output" = EACCES ]
	echo >&8
	read -r read_by_owner <&9
	exec 8>&- 9<&-
	wait "$holder"
	[ "$read_by_owner" = "b'LIVE'" ]
}

@test "who has had an object open or mapped, or got it, is a user of it, whatever the log is" {
	local use killed='import signal; os.kill(os.getpid(), signal.SIGKILL)'
	for use in 'shm_open(NAME, os.O_RDWR)' 'os.close(shm_open(NAME, os.O_RDONLY))' 'os.open(PATH, os.O_RDWR)' 'open(PATH).close()' \
		'fd = shm_open(NAME, os.O_RDWR); os.pwrite(fd, b"MINE", 0)' 'mmap.mmap(shm_open(NAME, os.O_RDWR), 4)' \
		'fd = shm_open(NAME, os.O_RDWR); m = mmap.mmap(fd, 4); m.close()' "map(shm_open(NAME, os.O_RDWR), 4); os._exit(0)" \
		"fd = shm_open(NAME, os.O_RDWR); m = mmap.mmap(fd, 4); os.close(fd); m.close(); $killed" 'os.chmod(PATH, 0o600); shm_open(NAME, os.O_RDWR)' \
		'os.fchmod(os.open(os.open(PATH, os.O_PATH) and PATH, os.O_RDWR), 0o600)'; do
		all_see '' "$use"
	done
	all_see LIVE "shm_open(NAME, os.O_RDWR); $killed"
}

@test "who got a descriptor by a socket is a user of what it leads to" {
	local policy
	for policy in $'secret = yes\nsecret-left = fix' 'zero = on-last-unmap'; do
		for log in 'log = none' "log = file:$PWD/audit.log"; do
			[ -z "$(seen 'import socket
ours, theirs = socket.socketpair()
unguarded = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "SHMGUARD_POLICY")}
code = "import os, socket, sys; socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b\"x\"], [os.open(sys.argv[2], os.O_RDWR)])"
theirs.set_inheritable(True)
if os.fork() == 0:
    os.execve(sys.executable, [sys.executable, "-c", code, str(theirs.fileno()), PATH], unguarded)
os.wait(); socket.recv_fds(ours, 1, 1)' "$log" "$policy")" ]
		done
	done
}

@test "what a program has only found open is wiped at its end, whether that is recorded or not" {
	printf '%s\n' '[default]' 'secret = yes' 'secret-left = fix' >policy.ini
	printf '%s\n' '[default]' 'secret = yes' >lasting.ini
	local how
	for how in "env SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so" \
		"$SHMGUARD run --quiet --report=none --policy policy.ini -o recording --"; do
		printf key >"/dev/shm/$NAME"
		$how true 7<>"/dev/shm/$NAME"
		echo "$how"
		[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
	done
	report recording >report.json
	left 1 '.[0].action == "fixed" and (.[0].message | contains("'"$NAME"'"))'
	printf key >"/dev/shm/$NAME"
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o untouched -- true
	"$SHMGUARD" run --quiet --report=none --policy lasting.ini -o lasting -- true 7<>"/dev/shm/$NAME"
	[ "$(cat "/dev/shm/$NAME")" = key ]
}

# closes CLOSE [LINE...]: what lies in the object, of which the program has only written b"secret", when it has closed it so.
closes()
{
	policy "${@:2}"
	rm -f "/dev/shm/$NAME" audit.log
	guarded 'libc.fdopen.restype = ctypes.c_void_p; stream = lambda fd: ctypes.c_void_p(libc.fdopen(fd, b"w"))
null = os.open("/dev/null", os.O_RDWR); fd = shm_open(NAME, RWC, mode=0o600); os.write(fd, b"secret")
'"$1"'
print(open(PATH, "rb").read()); sys.stdout.flush(); os.kill(os.getpid(), 9)' || true
}

@test "the last close wipes a secret that is not mapped, however it is closed" {
	for close in 'os.close(fd)' 'again = os.dup(fd); os.close(fd); os.close(again)' 'os.dup2(null, fd)' 'libc.dup3(null, fd, 0)' \
		'libc.fclose(stream(fd))' 'libc.fputs(b"more", s := stream(fd)); libc.fclose(s)' 'libc.close_range(fd, fd, 0)' \
		'libc.closefrom(fd)' 'libc.syscall(3, fd) if os.uname().machine == "x86_64" else os.close(fd)' \
		'libc.freopen(b"/dev/null", b"r", stream(fd))' 'm = mmap.mmap(fd, 6); os.close(fd); m.close()'; do
		closes "$close" 'secret-left = fix' 'secret = yes'
		[[ "$(cat out)" =~ ^"b'"(\\x00)+"'"$ ]]
		grep -q "rule=secret-left object=/$NAME action=fixed" audit.log
	done
	closes 'os.close(fd)' 'secret = yes'
	[ "$(cat out)" = "b'secret'" ]
	[ "$(grep -c "rule=secret-left object=/$NAME action=recorded errno=0 at=[^e]" audit.log)" -eq 1 ]
}

@test "what is open yet, mapped, no secret, or to be wiped at the last unmap alone, a close leaves" {
	for close in 'again = os.dup(fd); os.close(fd)' 'm = mmap.mmap(fd, 6); os.close(fd)' 'libc.dup2(1 << 30, fd)' 'os.dup2(fd, fd)' \
		'ready = os.pipe()
if os.fork() == 0: os.close(ready[1]); os.read(ready[0], 1); os._exit(0)
os.close(fd)'; do
		closes "$close" 'secret-left = fix' 'secret = yes'
		[ "$(cat out)" = "b'secret'" ]
	done
	closes 'os.close(fd)' 'secret-left = fix'
	[ "$(cat out)" = "b'secret'" ]
	closes 'os.close(fd)' 'zero = on-last-unmap'
	[ "$(cat out)" = "b'secret'" ]
}

@test "a handler that jumps out of the removal of a secret's name leaves no descriptor open, and the secret is wiped" {
	policy 'predictable-name = off' 'create-without-excl = off' '[secret]' "name = /$NAME*, sem.$NAME" 'secret = yes' \
		'secret-left = fix' 'zero = on-unlink'
	cat >amid.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		static void amid(void) { syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1); }
		int unlink(const char *path) { amid(); return (int)syscall(SYS_unlink, path); }
		int unlinkat(int dirfd, const char *path, int flags) { amid(); return (int)syscall(SYS_unlinkat, dirfd, path, flags); }
		int remove(const char *path) { return unlink(path); }
		int rename(const char *from, const char *to) { amid(); return (int)syscall(SYS_rename, from, to); }
	END
	cat >jumping.c <<-'END'
		#include <dirent.h>
		#include <fcntl.h>
		#include <setjmp.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		static sigjmp_buf back;
		static volatile int jumps, armed;
		static void jump(int number)
		{
			if (armed) {
				armed = 0;
				jumps++;
				siglongjmp(back, number);
			}
		}
		static int count(const char *what)
		{
			char path[300], target[300];
			int found = 0;
			struct dirent *entry;
			DIR *directory = opendir("/proc/self/fd");
			while ((entry = readdir(directory))) {
				snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
				ssize_t length = readlink(path, target, sizeof target - 1);
				target[length > 0 ? length : 0] = 0;
				found += strstr(target, what) != NULL;
			}
			closedir(directory);
			return found;
		}
		static int make(const char *path)
		{
			int fd = open(path, O_RDWR | O_CREAT, 0600);
			if (write(fd, "SECRET", 6) != 6)
				abort();
			return fd;
		}
		int main(void)
		{
			char path[100], other[110], bytes[7] = "";
			volatile int left = 0;
			snprintf(path, sizeof path, "/dev/shm/%s", getenv("NAME"));
			snprintf(other, sizeof other, "%s-other", path);
			signal(SIGUSR1, jump);
			for (volatile int i = 0; i < 40; i++) {
				volatile int held = make(path);
				if (i % 4 == 3)
					close(make(other));
				if (sigsetjmp(back, 1) == 0) {
					armed = 1;
					switch (i % 4) {
					case 0: unlink(path); break;
					case 1: unlinkat(AT_FDCWD, path, 0); break;
					case 2: remove(path); break;
					case 3: rename(other, path);
					}
				}
				left += pread(held, bytes, 6, 0) == 6 && memcmp(bytes, "SECRET", 6) == 0;
				close(held);
				unlink(path);
			}
			printf("jumps %d, open %d, secrets %d\n", jumps == 40, count(getenv("NAME")), left);
		}
	END
	gcc -w -O jumping.c -o jumping
	gcc -w -O -shared -fPIC amid.c -o amid.so
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD="$BUILD/libshmguard.so $PWD/amid.so" ./jumping >out
	same out <(echo 'jumps 1, open 0, secrets 0')
}
