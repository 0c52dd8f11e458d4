#!/usr/bin/env bats
# Secrets that are handed on: by fork, over an exec, to a daemon, to who becomes another user; and those that others have open.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load secret

@test "a secret that an exec leaves without a user is told, and kept if the exec fails" {
	leaves 'os.execv("/bin/true", ["true"])'
	told exec
	leaves 'attempt(os.execv, "/nowhere", ["nowhere"]); os.write(1, m[4096:4099]); os.abort()' >out
	grep -q key out
	leaves 'if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait(); m[4096:4099] = bytes(3)'
	[ "$(grep -c rule=secret-left audit.log)" -eq 0 ]
}

# shell COMMAND [ARG...]: runs bash under the fixed policy; $SECRET is the segment.
shell()
{
	rm -f audit.log "/dev/shm/$NAME"
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	env SECRET="/dev/shm/$NAME" SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" bash -c "$@" >out
}

@test "an exec of what is no program to anybody leaves no secret, and tells of none" {
	install -m 644 /bin/true no-program
	for try in 'attempt(os.execv, "/nowhere", ["nowhere"])' 'attempt(os.execv, "/bin", ["bin"])' 'attempt(os.execv, "no-program", ["no-program"])' \
		'libc.execvp(b"nowhere", (ctypes.c_char_p * 2)(b"nowhere"))' 'libc.execlp(b"nowhere", b"nowhere", None)' \
		'libc.execveat(-100, b"nowhere", (ctypes.c_char_p * 2)(b"nowhere"), None, 0)'; do
		leaves "$try; os.write(1, m[4096:4099]); os.abort()" >out
		tail -n 1 out | grep -q 'key$'
		run -1 grep secret-left audit.log
	done
	leaves 'fd = os.open("/bin/true", os.O_PATH); libc.fexecve(fd, (ctypes.c_char_p * 2)(b"true"), (ctypes.c_char_p * 1)())'
	told exec
	cp /bin/true program; chmod 755 program
	leaves 'fd = os.open("program", os.O_RDONLY); os.unlink("program"); libc.fexecve(fd, (ctypes.c_char_p * 2)(b"true"), (ctypes.c_char_p * 1)())'
	told exec
	leaves 'fd = os.open("/bin", os.O_RDONLY); libc.execveat(fd, b"true", (ctypes.c_char_p * 2)(b"true"), (ctypes.c_char_p * 1)(), 0)'
	told exec
	leaves 'libc.execlp(b"true", b"true", None)'
	told exec
}

@test "a secret is wiped by its last user where that got the descriptor over an exec" {
	shell '/bin/echo key >"$SECRET"; true'
	wiped
	shell 'exec /bin/echo key >"$SECRET"'
	wiped
	shell 'exec 3<>"$SECRET"; exec /bin/echo key >&3'
	wiped
	for left in 'm = mmap.mmap(3, 4096); m.close(); os.close(3)' 'm = mmap.mmap(3, 4096); m.close()' \
		'm = mmap.mmap(3, 4096); os.close(3)' 'os.close(3)' pass; do
		program 'os.ftruncate(3, 4096); os.pwrite(3, b"key", 0)
'"$left"
		shell 'exec 3<>"$SECRET"; exec "$0" program.py' "$PYTHON"
		[ "$(stat -c %s "/dev/shm/$NAME")" -eq 4096 ]
		wiped
		run -1 grep not-wiped audit.log
	done
}

@test "a secret that who forked or executed has open itself is wiped by that one alone" {
	for user in '(echo key >&3)' '/bin/echo key >&3' '"$0" -c "import mmap, os; os.ftruncate(3, 4096); m = mmap.mmap(3, 4096); m[:3] = b\"key\""'; do
		shell 'exec 3<>"$SECRET"; '"$user"'; exec 4<"$SECRET"; head -c 3 <&4' "$PYTHON"
		[ "$(cat out)" = key ]
		wiped
		[ "$(grep -c rule=secret-left audit.log)" -eq 1 ]
	done
}

@test "what no section wipes stays, whoever got the descriptor" {
	rm -f "/dev/shm/$NAME"
	policy '[keys]' 'name = /other' 'secret = yes' 'secret-left = fix'
	env SECRET="/dev/shm/$NAME" SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" \
		bash -c '/bin/echo key >"$SECRET"; exec 3<>"$SECRET"; exec /bin/cat <&3' >out
	[ "$(cat out)" = key ]
	[ "$(cat "/dev/shm/$NAME")" = key ]
}

# beside HOW: as leaves, with an unguarded process that uses the segment by a descriptor, and by MAP if that is given.
beside()
{
	rm -f audit.log "/dev/shm/$NAME" ready
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	"$PYTHON" -c 'import mmap, os, sys, time
while not os.path.exists(sys.argv[1]) or os.path.getsize(sys.argv[1]) < 8192: time.sleep(0.01)
fd = os.open(sys.argv[1], os.O_RDWR)
if sys.argv[2]: m = mmap.mmap(fd, 8192)
open("ready", "w").close(); time.sleep(60)' "/dev/shm/$NAME" "${2:-}" 3>&- &
	other=$!
	program 'import time
fd = os.open(PATH, RWC, 0o600); os.ftruncate(fd, 8192); os.pwrite(fd, b"key", 4096)
while not os.path.exists("ready"): time.sleep(0.01)
'"$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py
	cp "/proc/$other/fd/3" seen
	kill "$other"
	tr -d '\0' <seen >contents
	cat contents audit.log
}

# kept_for WHY: it was not wiped, of which there is this one line.
kept_for()
{
	[ "$(cat contents)" = key ]
	[ "$(grep -c rule=secret-left audit.log)" -eq 1 ]
	grep -q "rule=secret-left object=/$NAME action=recorded errno=0 at=[^ ]* why=not-wiped:$1\$" audit.log
}

@test "a secret that another process maps is not wiped by who made it, which is told at its exit" {
	beside 'm = mmap.mmap(fd, 8192); m.close()' map
	kept_for mapped
	beside 'm = mmap.mmap(fd, 8192)' map
	kept_for mapped
	beside 'os.pwrite(fd, bytes(3), 4096)' map
	[ "$(cat contents)" = "" ]
	run -1 grep rule=secret-left audit.log
}

@test "a secret without a name and a descriptor that another process has is told" {
	beside 'm = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); os.close(fd); shm_unlink(NAME)
libc.munmap(ctypes.c_void_p(m), ctypes.c_size_t(8192))'
	kept_for no-descriptor
	beside 'm = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); os.close(fd); shm_unlink(NAME)'
	kept_for no-descriptor
	beside 'm = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); shm_unlink(NAME); os.execv("/bin/true", ["true"])'
	kept_for exec
	leaves 'm.close(); m = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); os.close(fd); shm_unlink(NAME)
libc.munmap(ctypes.c_void_p(m), ctypes.c_size_t(8192))'
	run -1 grep not-wiped audit.log
}

@test "a secret that an exec leaves open, or closes, is wiped by the next program, or told" {
	beside 'os.set_inheritable(fd, True); os.execv("/bin/true", ["true"])'
	kept_for held
	leaves 'm.close(); os.pwrite(fd, b"key", 4096); os.set_inheritable(fd, True); os.execv("/bin/true", ["true"])'
	wiped
	run -1 grep not-wiped audit.log
	leaves 'm.close(); os.pwrite(fd, b"key", 4096); os.execv("/bin/true", ["true"])'
	told exec
	leaves 'm.close(); os.pwrite(fd, b"key", 4096)
if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait()'
	wiped
	run -1 grep not-wiped audit.log
}

@test "a daemon is the last user when its parent is gone, whoever else has a descriptor" {
	beside 'r, w = os.pipe()
if os.fork(): os.close(w); os.close(fd); os.wait(); os.read(r, 1); os._exit(0)
parent = os.getpid()
if os.fork(): os._exit(0)
while os.getppid() == parent: time.sleep(0.01)
os.pwrite(fd, b"key", 4096); os._exit(0)'
	[ "$(cat contents)" = "" ]
	run -1 grep not-wiped audit.log
}

# goes_on HOW: who made the secret ends in that way; `on` is for its descendant, ./read has what that one finds thereafter.
goes_on()
{
	rm -f audit.log read "/dev/shm/$NAME"
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	cat >on.py <<'END'
import os, sys, time
def on(first, fd):
    try:
        while not os.kill(first, 0): time.sleep(0.01)
    except ProcessLookupError:
        pass
    with open("new", "wb") as found: found.write(os.pread(fd, 3, 4096))
    os.rename("new", "read"); os._exit(0)
if __name__ == "__main__": on(int(sys.argv[1]), int(sys.argv[2]))
END
	program 'sys.path.insert(0, "."); from on import on
fd = os.open(PATH, RWC, 0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); os.set_inheritable(fd, True)
first = os.getpid(); heir = [sys.executable, "on.py", str(first), str(fd)]
'"$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py
	for ((i = 0; i < 200; i++)); do
		if [ -e read ] && grep -qs action=fixed audit.log; then break; fi
		sleep 0.05
	done
	cat read audit.log
}

@test "a secret is not wiped under a daemon, nor under a program, that goes on with its descriptor, and wipes it in turn" {
	for how in 'm.close(); os.pwrite(fd, b"key", 4096)
if os.fork(): os._exit(0)
on(first, fd)' 'm.close(); os.pwrite(fd, b"key", 4096)
if os.fork(): os.close(fd); sys.exit(0)
os.setsid()
if os.fork(): os._exit(0)
on(first, fd)' 'child = os.fork()
if not child: m = None; os.execv(sys.executable, heir)
m[4096:4099] = b"key"; __import__("time").sleep(0.5); m.close()' 'm.close(); os.pwrite(fd, b"key", 4096)
os.posix_spawn(sys.executable, heir, os.environ); os._exit(0)'; do
		# On a machine that is busy the look at the others may be given up: then it is asked again.
		for _ in 1 2 3; do
			goes_on "$how"
			grep -q perhaps-mapped audit.log || break
		done
		[ "$(cat read)" = key ]
		wiped
		[ "$(grep -c rule=secret-left audit.log)" -eq 2 ]
		grep -q "rule=secret-left object=/$NAME action=recorded .* at=exit why=not-wiped:held\$" audit.log
	done
}

@test "who has a descriptor of a secret without the library is no user of it" {
	beside 'pass'
	[ "$(cat contents)" = "" ]
	run -1 grep not-wiped audit.log
}

@test "a secret that is handed on to a program to which the policy does not call it one is told" {
	hand='m.close(); os.pwrite(fd, b"key", 4096); os.set_inheritable(fd, True)
'
	leaves "$hand"'os.execv("/bin/true", ["true"])' 'exe = python3*'
	told exec
	leaves "$hand"'os.execv("/bin/bash", ["bash", "-c", "exec /bin/true"])' 'exe = python3*, bash'
	told exec
	leaves "$hand"'libc.execlp(b"true", b"true", None)' 'exe = python3*, true'
	wiped
	run -1 grep not-wiped audit.log
	leaves "$hand"'if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait()' 'exe = true'
	told held
	leaves "$hand"'if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait()' 'exe = python3*'
	wiped
	run -1 grep not-wiped audit.log
}

@test "what was a secret of a user stays one when the process becomes another, what it makes then is none" {
	needs_root "setuid"
	leaves 'os.setuid(65534)' 'uid = 0'
	told perhaps-mapped
	leaves 'os.fchown(fd, 65533, -1); os.setuid(65534)' 'uid = 0'
	wiped
	leaves 'm.close(); os.pwrite(fd, b"key", 4096); os.setuid(65534); os.close(fd)' 'uid = 0'
	told EACCES
	leaves 'm.close(); os.pwrite(fd, b"key", 4096); os.fchown(fd, 65534, 65534); os.setuid(65534)' 'uid = 0'
	wiped
	leaves 'm.close(); os.pwrite(fd, b"key", 4096); os.set_inheritable(fd, True); os.setuid(65534)
os.execv("/bin/true", ["true"])' 'uid = 0'
	told exec
	leaves 'm.close(); os.unlink(PATH); os.setuid(65534); fd = shm_open(NAME, RWC, mode=0o600); os.pwrite(fd, b"key", 0)' 'uid = 0'
	[ "$(tr -d '\0' <"/dev/shm/$NAME")" = key ]
	[ "$(grep -c rule=secret-left audit.log)" -eq 1 ]
}

@test "a secret that is handed on by fork and exit, again and again, is not lost on the way" {
	policy '[secrets]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	cat >chain.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int fd = open(argv[1], O_RDWR | O_CREAT, 0600), out = open("chained", O_WRONLY | O_CREAT | O_APPEND, 0600);
			char byte = 'K';
			if (argc != 3 || write(fd, &byte, 1) != 1)
				return 1;
			for (int i = 0; i < 60; i++) {
				if (pread(fd, &byte, 1, 0) != 1 || byte != 'K')
					return dprintf(out, "lost at %d\n", i) < 0;
				if (fork())
					_exit(0);
				usleep((useconds_t)atoi(argv[2]));
			}
			return dprintf(out, "kept\n") < 0;
		}
	END
	gcc -Wall -Werror -o chain chain.c
	for pause in 0 0 200 500; do
		rm -f chained "/dev/shm/$NAME"
		SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so timeout 20 ./chain "/dev/shm/$NAME" "$pause" 3>&- 4>&-
		timeout 20 sh -c 'until [ -s chained ]; do sleep 0.1; done'
		[ "$(cat chained)" = kept ]
	done
}

@test "a secret of a process whose first thread has ended is not lost to the exit of its parent" {
	policy '[secrets]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	cat >headless.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		static int fd;
		static void *work(void *out)
		{
			char bytes[7] = "";
			usleep(500000);
			if (pread(fd, bytes, 6, 0) == 6)
				fputs(bytes, out);
			fclose(out);
			return NULL;
		}
		int main(int argc, char **argv)
		{
			pthread_t thread;
			fd = open(argv[argc - 1], O_RDWR | O_CREAT, 0600);
			if (write(fd, "secret", 6) != 6)
				return 1;
			if (fork() == 0) {
				pthread_create(&thread, NULL, work, fopen("read", "w"));
				pthread_exit(NULL);
			}
			usleep(200000);
			exit(0);
		}
	END
	gcc -Wall -Werror -pthread -o headless headless.c
	SHMGUARD_POLICY=$PWD/policy.ini LD_PRELOAD=$BUILD/libshmguard.so timeout 20 ./headless "/dev/shm/$NAME" 3>&- 4>&-
	timeout 20 sh -c 'until [ -s read ]; do sleep 0.1; done'
	[ "$(cat read)" = secret ]
}
