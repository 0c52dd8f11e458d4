#!/usr/bin/env bats
# What is learned of objects that are reached by other ways than their whole path: the program runs as before.

load helpers
load policy
load learn
bats_require_minimum_version 1.5.0

@test "O_EXCL without O_CREAT makes nothing, and empties what is there" {
	for flags in os.O_EXCL os.O_APPEND; do
		unchanged "emptied$flags" "
fd = say(shm, 'a')
os.ftruncate(fd, 4171)
os.close(fd)
say(shm, 'a', 0, os.O_RDWR | os.O_TRUNC | $flags)
shm_unlink('/shmguard-learn-a')"
		grep -qx 'truncate-on-open = warn' "emptied$flags.ini"
	done
	unchanged attached "
os.close(say(shm, 'a'))
say(shm, 'a', 0, os.O_RDWR | os.O_EXCL)
shm_unlink('/shmguard-learn-a')"
	run -1 grep -x 'truncate-on-open = warn' attached.ini
}

@test "what O_TMPFILE made in a directory of /dev/shm has its first name by the link" {
	for below in "" d; do
		unchanged "linked$below" "
os.close(say(shm, 'x'))
os.mkdir(BASE + 'd')
fd = os.open('/dev/shm/' + ('shmguard-learn-d' if '$below' else ''), os.O_TMPFILE | os.O_RDWR, 0o600)
print(libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, (BASE + 'a').encode(), 0x400))
os.rmdir(BASE + 'd'); os.unlink(BASE + 'x'); os.unlink(BASE + 'a')"
		grep -qx 'max-objects = 2' "linked$below.ini"
		run -1 grep -x 'unlink-by-stranger = warn' "linked$below.ini"
	done
	# One that was called by a number has had a name.
	unchanged numbered '
fd = say(os.open, BASE + "a", MAKE, 0o600)
os.rename(BASE + "a", "/dev/shm/#17")
os.link("/dev/shm/#17", BASE + "b")
os.unlink("/dev/shm/#17"); os.unlink(BASE + "b")'
	grep -qx 'max-objects = 1' numbered.ini
}

@test "an open that fails by a relative name, or by a descriptor, fails the same way" {
	local here='
os.symlink(BASE + "a", BASE + "link")
os.close(os.open("/dev/shm", os.O_RDONLY))
at = os.open("/dev/shm", os.O_RDONLY)
os.chdir("/dev/shm")
LINK = "shmguard-learn-link"
def failing(name, flags, at=None):
    return os.open(name, os.O_RDWR | flags, 0o600, dir_fd=at)
' gone='
os.unlink(BASE + "link")'
	unchanged nofollow "$here
say(failing, './' + LINK, os.O_NOFOLLOW, at)$gone"
	grep -qx 'names = /shmguard-learn-link' nofollow.ini
	unchanged exclusive "$here
say(failing, LINK, os.O_CREAT | os.O_EXCL, at)$gone"
	unchanged making "$here
say(failing, LINK, os.O_CREAT | os.O_NOFOLLOW, at)$gone"
	unchanged directory "$here
say(failing, 'shmguard-learn-b', os.O_CREAT | os.O_DIRECTORY, at)$gone"
	unchanged working "$here
say(failing, LINK, os.O_NOFOLLOW)
say(failing, '/proc/self/cwd/' + LINK, os.O_NOFOLLOW)$gone"
	unchanged through '
os.mkdir(BASE + "d"); os.symlink("shmguard-learn-d", BASE + "dl")
os.close(os.open("/dev/shm/shmguard-learn-dl/x", os.O_RDWR | os.O_CREAT, 0o600)); os.mkfifo(BASE + "d/f"); os.mkfifo(BASE + "d/g")
say(os.open, BASE + "dl/f", os.O_RDWR | os.O_CREAT | os.O_EXCL)
say(os.open, BASE + "d/../shmguard-learn-d/g", os.O_RDWR)
os.system("rm -r " + BASE + "d " + BASE + "dl")'
	[ "$(grep '^names = /shmguard-learn-d/[fgx]$' through.ini | sort -u | wc -l)" -eq 3 ]
	# Where nothing leads to /dev/shm nothing is learned.
	unchanged elsewhere '
os.symlink("nowhere", "link")
say(os.open, "link", os.O_RDWR | os.O_NOFOLLOW)
say(os.open, "none", os.O_RDWR)
say(os.open, "link/x", os.O_RDWR | os.O_CREAT)
say(shm, "a")
os.unlink("link"); os.unlink(BASE + "a")'
	[ "$(grep -c '^names = /.' elsewhere.ini)" -eq 1 ]
}

@test "what is no object is learned by the name that it has, whatever way leads to it" {
	unchanged fifo '
os.mkfifo(BASE + "f")
fd = os.open(BASE + "f", os.O_PATH)
say(os.open, "/proc/self/fd/%d" % fd, os.O_RDWR)
os.unlink(BASE + "f")'
	grep -qx 'names = /shmguard-learn-f' fifo.ini
	unchanged relative '
os.chdir("/dev/shm")
os.mkfifo("shmguard-learn-f")
say(os.open, "shmguard-learn-f", os.O_RDWR)
os.unlink(BASE + "f")'
	grep -qx 'names = /shmguard-learn-f' relative.ini
	unchanged elsewhere '
os.close(say(shm, "a"))
os.mkfifo("f")
say(os.open, "f", os.O_RDWR)
say(os.open, "/dev/shm", os.O_RDONLY)
say(os.open, "/dev/fd/0", os.O_RDONLY)
os.unlink("f"); os.unlink(BASE + "a")'
	[ "$(grep -c '^names = /.' elsewhere.ini)" -eq 1 ]
}

@test "what was not removed, as its unlinking failed, counts on" {
	needs_root "another user, who may not remove it"
	for removes in '' 'os.seteuid(0); '; do
		unchanged "kept${removes:+not}" "
os.chmod('/dev/shm', 0o1777)
for name in 'abc':
    os.close(say(shm, name))
    os.seteuid(65534); ${removes}say(os.unlink, BASE + name); os.seteuid(0)
os.system('rm -f ' + BASE + '[abc]')"
	done
	grep -qx 'max-objects = 3' kept.ini
	grep -qx 'max-objects = 1' keptnot.ini
}

@test "an object that is there already may be one that an earlier run left, however it is opened" {
	unchanged left '
import subprocess, time
subprocess.run(["env", "-i", "sh", "-c", "echo left >%sa" % BASE], check=True)
time.sleep(0.05)
say(lambda: subprocess.run([sys.executable, "-c", "import os; os.open(\"%sa\", os.O_RDWR | os.O_CREAT)" % BASE], check=True))
os.unlink(BASE + "a")'
	grep -qx 'stale-reattach = warn' left.ini
	unchanged own '
os.close(say(shm, "a")); say(os.open, BASE + "a", os.O_RDWR | os.O_CREAT)
os.unlink(BASE + "a")'
	run -1 grep -x 'stale-reattach = warn' own.ini
}

@test "what another process gave a second name to counts on when one of them goes" {
	unchanged named '
say(shm, "a")
if os.fork() == 0:
    os.link(BASE + "a", BASE + "b")
    os._exit(0)
os.wait()
os.unlink(BASE + "b"); say(shm, "c")
os.unlink(BASE + "a"); os.unlink(BASE + "c")'
	grep -qx 'max-objects = 2' named.ini
}

@test "what mkstemp makes is learned by its template, though its word looks like a number" {
	# Behind us, and by a C library of its own, which nobody intercepts.
	cat >words.c <<-'END'
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <string.h>
		int mkstemp(char *template)
		{
			static int (*make)(const char *, int, ...);
			if (!make)
				make = dlsym(dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW), "open");
			strcpy(template + strlen(template) - 6, "YC4567");
			return make(template, O_RDWR | O_CREAT | O_EXCL, 0600);
		}
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC words.c -o words.so
	cat >words.py <<-'END'
		import ctypes, os
		name = ctypes.create_string_buffer(b"/dev/shm/shmguard-learn-tmp-XXXXXX")
		os.close(ctypes.CDLL(None).mkstemp(name))
		os.unlink(name.value)
	END
	# shellcheck disable=SC2016
	record words sh -c 'LD_PRELOAD=$LD_PRELOAD:$0 exec "$@"' "$PWD/words.so" "$PYTHON" words.py
	"$SHMGUARD" policy learn words >words.ini
	[ "$(grep '^names.*shmguard' words.ini)" = 'names = /shmguard-learn-tmp-??????' ]
}

@test "what mkstemp makes is learned by its template, whatever word came of it" {
	unchanged temporary '
for i in range(20):
    name = ctypes.create_string_buffer((BASE + "tmp-XXXXXX").encode())
    os.close(libc.mkstemp(name))
    os.unlink(name.value)
print(os.listdir("/dev/shm").count("shmguard-learn-tmp"))'
	[ "$(grep '^names' temporary.ini | grep -v '^names = /$')" = 'names = /shmguard-learn-tmp-??????' ]
}

@test "what Python's multiprocessing and tempfile name is learned by their templates, whatever words came of it" {
	unchanged arenas '
from multiprocessing import Array
import tempfile
kept = [Array("i", 4000) for i in range(20)]
made = [tempfile.NamedTemporaryFile(dir="/dev/shm").close() for i in range(20)]
for name in "state-1", "state-2", "reader", "writer": os.close(shm(name)); os.unlink(BASE + name)
print(len(kept) + len(made))'
	diff <(grep '^names' arenas.ini | grep -v '^names = /$') - <<-'END'
		names = /pym-[0-9]*-????????
		names = /sem.mp-????????
		names = /shmguard-learn-reader
		names = /shmguard-learn-state-1
		names = /shmguard-learn-state-2
		names = /shmguard-learn-writer
		names = /tmp????????
	END
}
