#!/usr/bin/env bats
# The policy in force, without a recording: what it denies has no effect, what it fixes is fixed. Outcomes are looked at
# from outside the guarded process.
load helpers
load enforce

@test "a fixed mode is narrow from the first moment, by shm_open, open and fopen" {
	policy 'world-writable = fix' 'world-readable = fix'
	guarded 'shm_open(NAME, RWC, mode=0o666); os.open(PATH + "-o", RWC, 0o666); open(PATH + "-f", "w").close()'
	[ "$(stat -c %a "/dev/shm/$NAME" "/dev/shm/$NAME-o" "/dev/shm/$NAME-f" | sort -u)" = 660 ]
	[ "$(grep -c 'action=fixed' audit.log)" -eq 6 ]
}

@test "a denied mode creates nothing" {
	policy 'world-writable = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666); attempt(os.open, PATH, RWC, 0o602)'
	[ "$(cat out)" = $'EACCES\nEACCES' ]
	[ ! -e "/dev/shm/$NAME" ]
	grep -q "rule=world-writable object=/$NAME action=denied errno=EACCES" audit.log
}

@test "a mode that the umask narrows all the same is not denied" {
	policy 'world-writable = deny' 'world-readable = deny'
	guarded 'os.umask(0o077); shm_open(NAME, RWC, mode=0o666)'
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
}

@test "chmod and fchmod are clamped" {
	policy 'world-writable = fix'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); os.fchmod(fd, 0o622)'
	[ "$(stat -c %a "/dev/shm/$NAME")" = 620 ]
	guarded 'os.chmod(PATH, 0o606)'
	[ "$(stat -c %a "/dev/shm/$NAME")" = 604 ]
}

@test "chmod is denied" {
	policy 'world-writable = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); attempt(os.fchmod, fd, 0o622); attempt(os.chmod, PATH, 0o666)'
	[ "$(cat out)" = $'EACCES\nEACCES' ]
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
}

@test "max-mode masks what is too open" {
	policy 'max-mode = 0600' 'mode-too-open = fix'
	guarded 'shm_open(NAME, RWC, mode=0o660)'
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
}

@test "another user's object is not adopted" {
	[ "$(id -u)" -eq 0 ] || skip "only root can make another user's object"
	install -m 666 -o 65534 /dev/null "/dev/shm/$NAME"
	policy 'foreign-owner = deny'
	guarded 'attempt(shm_open, NAME, os.O_RDWR); attempt(os.open, PATH, os.O_RDWR); print(len(os.listdir("/proc/self/fd")))'
	[ "$(head -n 2 out)" = $'EACCES\nEACCES' ]
	policy 'foreign-owner = deny' 'allow-uid = 65534'
	guarded 'attempt(shm_open, NAME, os.O_RDWR)'
	grep -q '^ok' out
}

@test "O_TRUNC of an object with contents is denied, or leaves its size" {
	printf 'contents' >"/dev/shm/$NAME"
	policy 'truncate-on-open = deny'
	guarded 'attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC); held = mmap.mmap(os.open(PATH, os.O_RDWR), 8)
attempt(os.open, PATH, RWC | os.O_TRUNC, 0o600); attempt(open, PATH, "w")'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES' ]
	[ "$(cat "/dev/shm/$NAME")" = contents ]
	policy 'truncate-on-open = fix'
	guarded 'attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC)'
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 8 ]
	[ -z "$(tr -d '\0' <"/dev/shm/$NAME")" ]
}

@test "a stream that is opened again without a path empties no object that is mapped" {
	printf 'contents' >"/dev/shm/$NAME"
	program 'libc.fopen.restype = libc.freopen.restype = ctypes.c_void_p; libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.freopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
held = mmap.mmap(os.open(PATH, os.O_RDWR), 8)
def again(mode): return bool(libc.freopen(None, mode, libc.fopen(PATH.encode(), b"r+")))
print(again(b"r"), again(b"a"), again(b"w"), os.stat(PATH).st_size)'
	for action in off deny fix; do
		policy "truncate-on-open = $action"
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >>out
		printf 'contents' >"/dev/shm/$NAME"
	done
	[ "$(cat out)" = $'True True True 0\nTrue True False 8\nTrue True True 8' ]
	"$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" program.py
	"$SHMGUARD" log recording | grep "freopen(.*O_TRUNC.*/$NAME"
}

@test "O_TRUNC of a file that nobody maps, by other calls than shm_open, goes through and is recorded" {
	for action in deny fix; do
		policy "truncate-on-open = $action"
		rm -f audit.log
		printf 'contents' >"/dev/shm/$NAME"
		guarded 'open(PATH, "w").write("new"); libc.creat(PATH.encode(), 0o600); os.write(os.open(PATH, os.O_WRONLY), b"more")
attempt(os.open, PATH, RWC | os.O_TRUNC, 0o600)'
		grep -q '^ok' out
		[ ! -s "/dev/shm/$NAME" ]
		[ "$(grep -c "rule=truncate-on-open object=/$NAME action=recorded" audit.log)" -eq 3 ]
	done
	printf 'contents' >"/dev/shm/$NAME"
	policy 'mode = audit' 'truncate-on-open = deny'
	rm -f audit.log
	guarded 'open(PATH, "w").write("contents"); shm_open(NAME, os.O_RDWR | os.O_TRUNC)'
	[ "$(grep -o 'action=.*errno=[A-Z0]*' audit.log)" = $'action=recorded errno=0\naction=audit would=denied errno=EACCES' ]
}

@test "the sections of a user hold while he is the effective one, whoever started the program" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become another user"
	policy '[root]' 'uid = 0' 'world-writable = deny' '[user]' 'uid = 65534' 'world-writable = fix' 'max-size = 4096' 'object-too-large = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o606); os.seteuid(65534); fd = shm_open(NAME, RWC, mode=0o606); attempt(os.ftruncate, fd, 8192)
print(oct(os.fstat(fd).st_mode & 0o777)); os.seteuid(0); attempt(os.fchmod, fd, 0o666); attempt(os.ftruncate, fd, 8192)'
	[ "$(xargs <out)" = 'EACCES EFBIG 0o604 EACCES ok None' ]
}

@test "what goes by an old name is held to the policy, too" {
	for action in deny fix; do
		policy "world-writable = $action"
		guarded 'def old(name, *args):
    if getattr(libc, name)(*args) < 0: raise OSError(ctypes.get_errno(), name)
none = ctypes.byref(ctypes.c_ulong(0)); libc._IO_fopen.restype = ctypes.c_void_p; shm_open(NAME, RWC, mode=0o600)
attempt(old, "lchmod", PATH.encode(), 0o622); attempt(old, "__xmknod", 0, PATH.encode() + b"-2", 0o100622, none)
attempt(old, "__xmknodat", 0, -100, PATH.encode() + b"-3", 0o100622, none); print(bool(libc._IO_fopen(PATH.encode() + b"-4", b"w")))'
		echo "$action $(xargs <out) $(cd /dev/shm && stat -c %a "$NAME"* | xargs) $(grep -c world-writable audit.log)" >>told
		rm "/dev/shm/$NAME"* audit.log
	done
	same told <(printf '%s\n' 'deny EACCES EACCES EACCES False 600 4' 'fix ok None ok None ok None True 620 620 620 664 4')
}

@test "where nothing is asked O_TRUNC still truncates, by every open mode" {
	printf 'contents' >"/dev/shm/$NAME"
	policy 'world-writable = fix'
	guarded 'os.open(PATH, os.O_RDONLY | os.O_TRUNC)'
	[ "$(stat -c %s "/dev/shm/$NAME")" -eq 0 ]
}

@test "a table of mounts that setmntent makes or empties is held to the policy" {
	policy 'world-writable = fix' 'max-objects = 2' 'too-many-objects = deny' 'truncate-on-open = deny'
	guarded 'libc.setmntent.restype = ctypes.c_void_p; libc.endmntent.argtypes = [ctypes.c_void_p]; libc.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
def table(name, mode, text=b""):
    stream = libc.setmntent((PATH + name).encode(), mode)
    if not stream:
        raise OSError(ctypes.get_errno(), name)
    print(os.get_inheritable(libc.fileno(ctypes.c_void_p(stream))))
    libc.fputs(text, stream); libc.endmntent(stream)
attempt(table, "-1", b"w", b"one"); attempt(table, "-1", b"a", b"two"); attempt(table, "-2", b"a+"); attempt(table, "-3", b"w"); attempt(table, "-3", b"r")
fd = os.open(PATH + "-1", os.O_RDWR); m = mmap.mmap(fd, 6); attempt(table, "-1", b"w"); print(m[:])'
	[ "$(xargs <out)" = 'False ok None False ok None False ok None EMFILE ENOENT EACCES bonetwo' ]
	[ "$(cd /dev/shm && stat -c '%n %a' "$NAME"-* | sed "s/$NAME//" | xargs)" = '-1 664 -2 664' ]
}

@test "only the names that are allowed" {
	policy "names = /$NAME" 'name-not-allowed = deny'
	guarded 'attempt(shm_open, NAME, RWC, mode=0o600); attempt(shm_open, NAME + "-x", RWC, mode=0o600)
attempt(os.open, PATH + "-y", RWC, 0o600); attempt(os.open, "/dev/../dev/shm" + NAME + "-z", RWC, 0o600)'
	[ "$(tail -n +2 out)" = $'EACCES\nEACCES\nEACCES' ]
	[ -e "/dev/shm/$NAME" ] && [ ! -e "/dev/shm/$NAME-x" ] && [ ! -e "/dev/shm/$NAME-y" ] && [ ! -e "/dev/shm/$NAME-z" ]
}

@test "a policy holds and changes nothing else once the first thread has ended" {
	policy 'world-writable = deny' 'truncate-on-open = warn' 'acl-grants = deny' 'umask-mismatch = fix'
	program 'import threading, time
libc.fopen.restype = libc.freopen.restype = ctypes.c_void_p; libc.freopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
def rest():
    while sys.argv[1:] and open("/proc/self/stat").read().split()[2] != "Z": time.sleep(0.01)
    os.umask(0o022); fd = os.open(PATH, RWC, 0o666); os.write(fd, b"12345678"); print("mode", oct(os.fstat(fd).st_mode & 0o777))
    os.close(os.open(PATH, os.O_RDONLY | os.O_TRUNC)); print("size", os.fstat(fd).st_size)
    stream = libc.fopen(b"/dev/null", b"r"); print("again", bool(libc.freopen(PATH.encode(), b"r+", stream)))
    print("once", bool(libc.fopen(PATH.encode() + b"-2", b"w"))); shm_open(NAME + "-3", RWC, mode=0o640)
    print("fixed", oct(os.stat(PATH + "-3").st_mode & 0o777)); sys.stdout.flush(); os._exit(0)
threading.Thread(target=rest).start()
if sys.argv[1:]: libc.pthread_exit(None)
time.sleep(60)'
	for first in "" ended; do
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py $first >"out$first" 2>&1
		rm -f "/dev/shm/$NAME"*
	done
	same out <(printf '%s\n' 'mode 0o644' 'size 0' 'again True' 'once True' 'fixed 0o640')
	same out outended
}

@test "a profile that changes nothing, and is heard by nobody, makes no system call after the start" {
	cat >calls.c <<-'END_OF_PROGRAM'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = shm_open("/enforce-calls", O_CREAT | O_RDWR, 0600);
			write(1, "began\n", 6);
			fd = shm_open("/enforce-calls", O_CREAT | O_RDWR, 0600);
			char *map = ftruncate(fd, 4096) ? MAP_FAILED : mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			return map == MAP_FAILED || munmap(map, 4096) || close(fd) || shm_unlink("/enforce-calls");
		}
	END_OF_PROGRAM
	gcc -o calls calls.c
	strace -o bare ./calls >out
	strace -o guarded -E "LD_PRELOAD=$BUILD/libshmguard.so" -E SHMGUARD_PROFILE=observe ./calls >out
	sed -i '1,/began/d; s/0x[0-9a-f]*/0x/' bare guarded
	[ "$(wc -l <bare)" -ge 5 ]
	same bare guarded
}

@test "audit mode changes nothing and says what would have been done" {
	policy 'mode = audit' 'world-writable = deny' 'max-size = 1K' 'object-too-large = deny'
	guarded 'fd = shm_open(NAME, RWC, mode=0o666); attempt(os.ftruncate, fd, 4096)'
	[ "$(stat -c '%a %s' "/dev/shm/$NAME")" = '666 4096' ]
	[ "$(grep -c 'action=audit' audit.log)" -eq 2 ]
}

# calls POLICY-LINE...: the openings that the kernel sees of a program.
calls()
{
	rm -f "/dev/shm/$NAME"* calls
	policy "$@"
	strace -f -qq -o calls -e trace=open,openat,ftruncate -E LD_PRELOAD="$BUILD/libshmguard.so" \
		-E SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" program.py >/dev/null
	sed -n 's/^[0-9]* *//; /^ftruncate\|"[^"]*\/dev\/shm\/enforce/p' calls
}

@test "where no rule asks, and in audit mode, the calls reach the kernel as they came" {
	command -v strace >/dev/null || skip "no strace"
	program 'import ctypes
os.close(shm_open(NAME, RWC, mode=0o666)); os.close(shm_open(NAME, RWC | os.O_TRUNC, mode=0o666)); os.close(shm_open(NAME, os.O_RDWR))
os.close(os.open(PATH + "-2", RWC, 0o600)); os.close(os.open(PATH + "-2", RWC | os.O_TRUNC, 0o600)); libc.fopen((PATH + "-3").encode(), b"wex")'
	calls 'exec-map = deny' >asked
	[ "$(wc -l <asked)" -eq 6 ]
	grep -q 'O_WRONLY|O_CREAT|O_EXCL|O_TRUNC|O_CLOEXEC, 0666' asked
	[ "$(grep -c O_TRUNC asked)" -eq 3 ]
	for line in 'world-writable = warn' $'[y]\nname = /none-*\nworld-writable = deny' $'[x]\nexe = /opt/other\nworld-writable = deny' \
		$'mode = audit\ninclude = safe.ini'; do
		"$SHMGUARD" policy show safe >safe.ini
		chmod 600 safe.ini
		calls "$line" >as_they_came
		diff asked as_they_came
	done
}

@test "a creation that fails fixed nothing" {
	policy 'world-writable = fix'
	guarded 'attempt(os.open, PATH, RWC | os.O_DIRECTORY, 0o666); attempt(os.open, PATH + "x" * 255, RWC, 0o666)'
	[ "$(xargs <out)" = 'EINVAL ENAMETOOLONG' ]
	[ "$(grep -c action=fixed audit.log)" -eq 0 ]
}

@test "a policy that cannot be loaded starts nothing" {
	policy 'world-writable = fxi'
	run env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" /bin/touch started
	[ "$status" -eq 125 ]
	[ ! -e started ]
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == "shmguard: $PWD/policy.ini:3: "*fix* ]]
	run env SHMGUARD_POLICY=policy.ini LD_PRELOAD="$BUILD/libshmguard.so" /bin/touch started
	[ "$status" -eq 125 ]
	[ ! -e started ]
	[[ $output == *"no absolute path"* ]]
	run env SHMGUARD_POLICY="$PWD/missing.ini" LD_PRELOAD="$BUILD/libshmguard.so" /bin/touch started
	[ "$status" -eq 125 ] && [ ! -e started ]
}

@test "a program keeps the policy through an emptied environment, chdir and closed descriptors" {
	policy 'world-writable = deny'
	guarded 'os.closerange(3, 5000); os.chdir("/"); sys.stdout.flush()
os.execve(sys.executable, [sys.executable, "-c", "import _posixshmem, os\ntry:\n _posixshmem.shm_open(\"" + NAME + "\", os.O_RDWR | os.O_CREAT, mode=0o606)\nexcept OSError as e:\n print(e.errno)"], {})'
	[ "$(cat out)" = 13 ]
	[ ! -e "/dev/shm/$NAME" ]
	grep -q "action=denied" audit.log
}

@test "the shells of system and popen keep the policy, whatever became of the environment" {
	policy 'world-writable = deny'
	cat >child.py <<-'END'
		import _posixshmem, os, sys
		try:
		    _posixshmem.shm_open(sys.argv[1], os.O_RDWR | os.O_CREAT, mode=0o606)
		except OSError as e:
		    print(e.errno)
	END
	guarded 'command = "exec \"%s\" child.py \"%s\"" % (sys.executable, NAME)
libc.popen.restype = ctypes.c_void_p; libc.pclose.argtypes = [ctypes.c_void_p]
for lose in (lambda: os.unsetenv("LD_PRELOAD"), libc.clearenv, lambda: os.environ.update(LD_PRELOAD="", SHMGUARD_POLICY="/none")):
    lose(); print(os.system(command), libc.pclose(libc.popen(command.encode(), b"w")), flush=True)'
	[ "$(sed 's/^0 0$/ended/' out)" = $'13\n13\nended\n13\n13\nended\n13\n13\nended' ]
	[ ! -e "/dev/shm/$NAME" ]
	[ "$(grep -c "action=denied" audit.log)" -eq 6 ]
}

@test "without a recording no LTTng is loaded and no thread started" {
	policy 'world-writable = deny'
	guarded 'shm_open(NAME, RWC, mode=0o600); print(sum("lttng" in line for line in open("/proc/self/maps")), len(os.listdir("/proc/self/task")))'
	[ "$(cat out)" = '0 1' ]
}

@test "a directory is not opened to be made or emptied" {
	policy 'world-writable = fix' 'truncate-on-open = off'
	code='os.mkdir(PATH)
for flags in RWC, os.O_CREAT, os.O_CREAT | os.O_NONBLOCK, os.O_TRUNC: attempt(os.open, PATH, flags); attempt(shm_open, NAME, flags)
attempt(os.open, "/dev/shm/", os.O_CREAT); attempt(os.open, PATH, os.O_CREAT | os.O_DIRECTORY)
os.close(os.open(PATH, os.O_RDONLY)); os.rmdir(PATH)'
	program "$code"
	"$PYTHON" program.py >bare
	guarded "$code"
	same bare out
	[ "$(grep -c '^ok' out)" -eq 0 ]
}

@test "a handler on a stack of 8 KiB opens and names files under a policy as without one" {
	small=$BUILD/tests/programs/small_handler
	"$small" 8192 "/$NAME" >bare
	for lines in 'world-writable = warn' 'world-writable = fix' $'acl-grants = fix\nsymlink-or-special = deny\nzero = on-unlink, on-attach'; do
		rm -rf "/dev/shm/$NAME" "/dev/shm/$NAME"-* small*.log
		policy "$lines" 'world-readable = fix' 'mode-too-open = fix' 'max-mode = 0600' 'foreign-owner = deny'
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$small" 8192 "/$NAME" >out
		same bare out
	done
}

@test "a handler on a stack of 8 KiB opens what an earlier run left under a policy as without one" {
	small=$BUILD/tests/programs/small_handler
	for lines in '' 'stale-bytes = fix' 'zero = on-attach' 'stale-reattach = fix'; do
		rm -rf "/dev/shm/$NAME" "/dev/shm/$NAME"-* small*.log
		printf stale >"/dev/shm/$NAME"
		sleep 0.05
		policy 'create-without-excl = off' 'predictable-name = off' "$lines"
		env ${lines:+"SHMGUARD_POLICY=$PWD/policy.ini" "LD_PRELOAD=$BUILD/libshmguard.so"} "$small" 8192 "/$NAME" >out
		[ -e bare ] || mv out bare
		[ -z "$lines" ] || same bare out
	done
}

@test "below a root without /proc a policy knows the umask and the program, and refuses nothing that it need not" {
	[ "$(id -u)" -eq 0 ] || skip "chroot needs root"
	policy 'world-writable = deny' 'world-readable = deny' 'mode-too-open = fix' 'max-mode = 0600' 'truncate-on-open = deny'
	mkdir -p root/dev/shm
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c '
		for part in usr lib lib64 bin "${BUILD#/}" "${PWD#/}"; do
			[ ! -e "/$part" ] || { mkdir -p "root/$part" && mount --rbind "/$part" "root/$part"; }
		done
		mount --bind /dev/shm root/dev/shm
		LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_POLICY=$PWD/policy.ini exec chroot root /bin/bash -c "
			umask 077; echo one >/dev/shm/$NAME && echo two >/dev/shm/$NAME || echo refused; cat /dev/shm/$NAME
			umask 022; echo one >/dev/shm/$NAME-wide || echo refused"' >out 2>/dev/null
	[ "$(cat out)" = $'two\nrefused' ]
	[ "$(stat -c %a "/dev/shm/$NAME")" = 600 ]
	grep -q 'exe=/[^ ]*bash rule=world-readable object=.*-wide action=denied' audit.log
	[ "$(grep -c 'action=fixed\|action=denied' audit.log)" -eq 1 ]
}
