#!/usr/bin/env bats
# Which policy a program starts under: the one it is told, or the one of the program that executed it, and no other.
load helpers
load enforce
bats_require_minimum_version 1.5.0

teardown()
{
	rm -f "/dev/shm/$NAME"
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

# starts NAME=VALUE...: does a program with these variables, of which some may be as long as they like? It is told in ./told.
starts()
{
	local status=0
	env LD_PRELOAD="$BUILD/libshmguard.so" "$@" /bin/touch "/dev/shm/$NAME" 2>told || status=$?
	[[ $status -eq 0 || $status -eq 125 ]]
	[ "$(wc -l <told)" -eq "$((status != 0))" ]
	return "$status"
}

@test "a policy holds however long its path is; what is too long for any path is refused in one line" {
	local n at
	policy 'world-writable = deny'
	for n in 486 487 488 489 490 1000 4095; do
		at=$PWD
		while [ $((n - ${#at})) -gt 202 ]; do at+=/$(printf 'd%.0s' {1..200}); done
		at+=/$(printf "%0$((n - ${#at} - 1))d")
		mkdir -p "${at%/*}"
		cp policy.ini "$at"
		env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$at" "$PYTHON" -c 'import os, sys
os.umask(0)
os.execv(sys.executable, [sys.executable, "-c", "import os\ntry: os.open(os.sys.argv[1], os.O_CREAT, 0o666)\nexcept OSError as e: print(e.errno)", sys.argv[1]])' "/dev/shm/$NAME" >>out
		rm "$at"
		run -125 starts SHMGUARD_POLICY="$at"
		grep -q 'cannot be opened: No such file or directory; the program is not started$' told
	done
	[ "$(xargs <out)" = '13 13 13 13 13 13 13' ]
	run -125 starts SHMGUARD_POLICY="/$(printf '%05000d' 0)"
	grep -q 'cannot be opened: File name too long; the program is not started$' told
	run -125 starts SHMGUARD_POLICY="/$(printf '%0100000d' 0)"
	grep -q 'cannot be opened: File name too long; the program is not started$' told
	run -125 starts SHMGUARD_PROFILE="$(printf 's%.0s' {1..500})"
	grep -q "^shmguard: profile: there is no profile 's*'*.*; the program is not started$" told
	[ ! -e "/dev/shm/$NAME" ]
	starts SHMGUARD_PROFILE=safe
}

@test "run takes a policy however long its path is" {
	local at
	at=$PWD/$(printf 'd%.0s' {1..200})/$(printf 'e%.0s' {1..200})/$(printf 'f%.0s' {1..200})
	mkdir -p "${at%/*}"
	printf '[default]\nworld-writable = deny\n' >"$at"
	"$SHMGUARD" run --quiet --report=none -o recording --policy="$at" -- "$PYTHON" -c 'import os
os.umask(0)
try: os.open("/dev/shm/" + os.environ["NAME"], os.O_CREAT, 0o666)
except OSError as e: print(e.errno)' >out
	[ "$(cat out)" = 13 ]
}

# again FILE CHANGE: what a copy of the shell of that name, which executes itself again after the change, may make then, with
# its environment and without.
again()
{
	local clear
	for clear in '' -c; do
		cp "$(command -v bash)" "$1"
		cp "$1" new
		env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "./$1" -c "$2
			exec $clear /proc/self/exe -c 'umask 0; if : >/dev/shm/$NAME; then echo made; else echo refused; fi'" 2>/dev/null
		rm -f "/dev/shm/$NAME" service*
	done
}

@test "a section with exe = holds a program that executes itself after its file was replaced or removed" {
	local exe
	for exe in service "$PWD/service"; do
		policy 'world-writable = note' '[service]' "exe = $exe" 'world-writable = deny'
		for change in : 'mv new service' 'rm service' 'mv new service; cp service "service (deleted)"'; do
			again service "$change"
		done
	done >out
	[ "$(sort out | uniq -c | xargs)" = '16 refused' ]
	[ "$(grep -c "exe=$PWD/service rule=world-writable" audit.log)" -eq 16 ]
	: >audit.log
	again 'service (deleted)' : >out
	again 'service (deleted)' 'cp new service' >>out
	again 'service (deleted)' 'mv new "service (deleted)"' >>out
	policy '[service]' "exe = service (deleted)" 'world-writable = deny'
	again 'service (deleted)' : >>out
	again 'service (deleted)' 'rm "service (deleted)"' >>out
	[ "$(xargs <out)" = 'made made made made made made refused refused refused refused' ]
	[ "$(grep -c "exe=$PWD/service?(deleted) rule=world-writable" audit.log)" -eq 4 ]
}

# modes NAME=VALUE... -- NAME=VALUE...: of a program that the first start and the second are given to a child of, by exec,
# posix_spawn, system and popen: the modes of what the children make, as bare 666.
modes()
{
	local given=()
	while [ "$1" != -- ]; do given+=("$1") && shift; done
	shift
	rm -f "/dev/shm/$NAME"
	cat >children.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.popen.restype = ctypes.c_void_p; libc.pclose.argtypes = [ctypes.c_void_p]
		path = "/dev/shm/" + os.environ["NAME"]
		command = "umask 0; : >" + path
		arguments = ["/bin/sh", "-c", command]
		os.environ.update(entry.split("=", 1) for entry in sys.argv[1:])
		os.umask(0)
		def mode():
		    try:
		        print("%o" % (os.stat(path).st_mode & 0o777), end=" "); os.unlink(path)
		    except FileNotFoundError:
		        print("none", end=" ")
		if not os.fork(): os.execv(arguments[0], arguments)
		os.wait(); mode()
		os.waitpid(os.posix_spawn(arguments[0], arguments, os.environ), 0); mode()
		os.system(command); mode()
		libc.pclose(libc.popen(command.encode(), b"w")); mode()
	END
	env LD_PRELOAD="$BUILD/libshmguard.so" "${given[@]}" "$PYTHON" children.py "$@"
}

@test "a child gets no policy beside the profile that a program runs under, nor a profile beside its policy" {
	printf '[default]\nworld-writable = off\nworld-readable = off\n' >off.ini
	policy 'world-writable = fix'
	chmod 600 off.ini
	[ "$(modes SHMGUARD_PROFILE=safe -- SHMGUARD_POLICY="$PWD/off.ini")" = '660 660 660 660 ' ]
	[ "$(modes SHMGUARD_PROFILE=safe -- SHMGUARD_POLICY=/nowhere.ini SHMGUARD_PROFILE=observe)" = '660 660 660 660 ' ]
	[ "$(modes SHMGUARD_POLICY="$PWD/policy.ini" -- SHMGUARD_PROFILE=bogus)" = '664 664 664 664 ' ]
	[ "$(modes SHMGUARD_POLICY="$PWD/policy.ini" -- SHMGUARD_PROFILE=safe)" = '664 664 664 664 ' ]
	[ "$(modes SHMGUARD_PROFILE=safe SHMGUARD_POLICY="$PWD/off.ini" -- SHMGUARD_POLICY=/nowhere.ini)" = '666 666 666 666 ' ]
}

@test "a program that runs under none may start another under one" {
	[ "$(modes UNRELATED=1 -- SHMGUARD_PROFILE=safe)" = '660 660 660 660 ' ]
	record recording env SHMGUARD_PROFILE=safe sh -c "umask 0; : >/dev/shm/$NAME"
	[ "$(stat -c %a "/dev/shm/$NAME")" = 660 ]
}

# make_root: ./root, whose programs answer 0: /bin/sh and the like, which need a loader, and /bin/static.
make_root()
{
	echo 'int main(void) { return 0; }' >tiny.c
	mkdir -p root/bin
	gcc -o root/bin/sh tiny.c
	gcc -static -o root/bin/static tiny.c
	printf '#!/bin/sh\n' >root/bin/script
	chmod 755 root root/bin root/bin/script
	ldd root/bin/sh | grep -o ' /[^ ]*\|^\s*/[^ ]*' | xargs -I{} cp --parents {} root
}

# rooted NAME: what comes of /bin/NAME in that root, in ./bare without the policy and in ./out under it.
rooted()
{
	rm -f audit.log
	"$PROGRAMS/rooted" "$PWD/root" "$1" >bare
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/rooted" "$PWD/root" "$1" >out
	[ ! -e audit.log ] || whole_lines audit.log
}

# Of ./bare what is refused where the shell, and what an unknown directory leads to, is.
refused()
{
	sed 's/^system .*/system 0x7f00 EACCES/; s/^shell .*/shell 0/; s/^popen .*/popen EACCES 0/; s/^\(posix_spawn-chdir\) .*/\1 EACCES/' bare
}

@test "where the loader would not find the library no program is started that would lose the policy, in whatever way" {
	needs_root "chroot"
	make_root
	for lines in 'world-writable = deny' 'secret-left = fix' 'max-mode = 0600'; do
		policy "$lines"
		rooted sh
		grep -q '^fexecve ran ran' bare
		same out <(refused | sed 's/\<ran\>/EACCES/g')
		[ "$(grep -c 'rule=- object=.* action=denied errno=EACCES at=rooted+0x[0-9a-f]* why=library-not-found$' audit.log)" -eq 31 ]
		[ "$(grep -c ' object=/bin/sh ' audit.log)" -eq 23 ]
		[ "$(wc -l <audit.log)" -eq 31 ]
	done
	rooted script
	same <(sed '/^fexecve\|execveat/d' out) <(refused | sed 's/\<ran\>/EACCES/g; /^fexecve\|execveat/d')
}

@test "what no library is loaded into, and what a policy that changes nothing is told of, is started in such a root, too" {
	needs_root "chroot"
	make_root
	policy 'world-writable = deny'
	rooted static
	grep -q '^fexecve ran ran' bare
	same out <(refused)
	[ "$(grep -c 'object=/bin/static action=unguarded errno=0 at=.* why=static$' audit.log)" -eq 20 ]
	policy 'world-writable = warn'
	rooted sh
	same out bare
	[ ! -s audit.log ]
	policy 'mode = audit' 'world-writable = deny'
	rooted sh
	same out bare
	grep -q 'object=/bin/sh action=unguarded errno=0 at=.* why=library-not-found$' audit.log
	run -1 grep action=denied audit.log
}

@test "a program goes on after such a refusal, the policy still in force, and the log counts what is often refused" {
	needs_root "chroot"
	make_root
	policy 'world-writable = deny' 'predictable-name = off'
	guarded 'import subprocess
fd = os.open(PATH, RWC, 0o600); os.chroot("root")
for i in range(200): assert libc.execv(b"/bin/sh", None) == -1 and ctypes.get_errno() == errno.EACCES
attempt(subprocess.call, ["/bin/sh"]); attempt(subprocess.call, ["none"]); attempt(os.fchmod, fd, 0o606); attempt(os.fchmod, fd, 0o640)'
	same out <(printf '%s\n' EACCES ENOENT EACCES 'ok None')
	whole_lines audit.log
	[ "$(grep -c 'rule=world-writable object=/.* action=denied' audit.log)" -eq 1 ]
	sed -n '/ object=\/bin\/sh action=denied /s/.* at=libffi[^ ]* why=library-not-found\( held-back=\)*/1 /p' audit.log |
		awk '{ told += $1; held += $2 } END { exit !(told >= 10 && told < 40 && told + held == 200) }'
}

@test "nor is one started whose user may not read the library, or that is no more there" {
	needs_root "setuid"
	policy 'world-writable = deny'
	mkdir -m 700 library
	make_root
	chmod 711 . .. ../..
	cp "$BUILD/libshmguard.so" library
	program 'here = os.getcwd() + "/root/bin/sh"
def nobody():
    os.setgid(65534); os.setuid(65534); attempt(os.execv, here, ["sh"]); attempt(os.execv, here + "-none", ["sh"]); print(os.system("true") >> 8, flush=True)
if not os.fork(): nobody(); os._exit(0)
os.wait(); os.unlink("library/libshmguard.so"); attempt(os.posix_spawn, here, ["sh"], {})'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$PWD/library/libshmguard.so" "$PYTHON" program.py >out
	same out <(printf '%s\n' EACCES ENOENT 127 EACCES)
	sed "s,$PWD,,"';s/.*rule=- object=\([^ ]*\) action=denied errno=EACCES at=[^ ]* why=/\1 /' audit.log |
		same /dev/stdin <(printf '%s\n' '/root/bin/sh library-not-readable' '/bin/sh library-not-readable' '/root/bin/sh library-not-found')
}

@test "a program into which the loader cannot bring the library is told by a policy that only tells, by its root or its user" {
	needs_root "chroot and setuid"
	policy 'mode = audit' 'world-writable = deny'
	mkdir -m 700 library
	make_root
	chmod 711 . .. ../..
	cp "$BUILD/libshmguard.so" library
	program 'def child(before, run, *args):
    if os.fork() == 0:
        before()
        try: run(*args)
        except OSError: pass
        os._exit(1)
    os.wait()
tiny = ("/bin/sh", ["sh"]); here = os.getcwd() + "/root/bin/sh"
def rooted(): os.chroot("root")
def nobody(): os.setgid(65534); os.setuid(65534)
child(rooted, os.execv, *tiny); child(rooted, os.execve, *tiny, {}); child(rooted, os.spawnv, os.P_WAIT, *tiny)
child(rooted, os.posix_spawn, *tiny, os.environ); child(rooted, libc.system, b"true")
child(nobody, os.execv, here, ["sh"]); child(nobody, os.execv, here + "-none", ["sh"])
child(lambda: os.chroot("/"), os.execv, here, ["sh"]); child(lambda: os.setuid(os.getuid()), os.execv, here, ["sh"])
child(lambda: os.seteuid(65534) or os.seteuid(0), os.system, here)
os.unlink("library/libshmguard.so"); child(int, os.execv, here, ["sh"])'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$PWD/library/libshmguard.so" "$PYTHON" program.py 2>/dev/null
	cat audit.log
	[ "$(sed -n "s,$PWD,,; s/.*rule=- object=\([^ ]*\) action=unguarded errno=0 at=[^ ]* why=/\1 /p" audit.log | sort | uniq -c | xargs)" = \
		'5 /bin/sh library-not-found 1 /root/bin/sh library-not-found 1 /root/bin/sh library-not-readable' ]
	[ "$(wc -l <audit.log)" -eq 7 ]
}

@test "in a user namespace that knows no number for a policy's owner it may be root's; who is known there is a third one" {
	needs_root "files of several users"
	unshare -U true || skip "no user namespaces here"
	make_nobody_build
	cp /dev/null "$NOBODY_HOME/audit.log"
	chmod 666 "$NOBODY_HOME/audit.log"
	chmod 755 "$NOBODY_HOME"
	chown 0 "$NOBODY_HOME"
	printf '%s\n' '[default]' "log = file:$NOBODY_HOME/audit.log" 'world-writable = deny' >"$NOBODY_HOME/policy.ini"
	cat >"$NOBODY_HOME/mapped.py" <<-'END'
		import ctypes, os, sys
		ready, mapped = os.pipe(), os.pipe()
		pid = os.fork()
		if not pid:
		    assert ctypes.CDLL(None).unshare(0x10000000) == 0
		    os.write(ready[1], b"1"); os.read(mapped[0], 1)
		    os.execvp(sys.argv[1], sys.argv[1:])
		os.read(ready[0], 1); open("/proc/%d/uid_map" % pid, "w").write("0 0 70000"); os.write(mapped[1], b"1")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	local guard=(env LD_PRELOAD="$NOBODY_BUILD/libshmguard.so" SHMGUARD_POLICY="$NOBODY_HOME/policy.ini")
	local wide="umask 0; : >/dev/shm/$NAME; ls /dev/shm/$NAME"
	for kind in -Ur -U -Urpf -Urm; do
		run -2 as_nobody "${guard[@]}" unshare $kind sh -c "$wide"
		[[ $output == *"Permission denied"* ]]
	done
	chmod o+w "$NOBODY_HOME/policy.ini"
	run -125 as_nobody "${guard[@]}" unshare -Ur true
	chmod o-w "$NOBODY_HOME/policy.ini"
	run -0 "${guard[@]}" "$PYTHON" "$NOBODY_HOME/mapped.py" true
	chown 1234 "$NOBODY_HOME/policy.ini"
	run -125 "$PYTHON" "$NOBODY_HOME/mapped.py" "${guard[@]}" true
	[[ $output == *"belongs to another user, who could change the policy; the program is not started" ]]
	run -125 as_nobody "${guard[@]}" true
	chown 0 "$NOBODY_HOME/policy.ini"
	chown 1234 "$NOBODY_HOME/audit.log"
	run -125 "$PYTHON" "$NOBODY_HOME/mapped.py" "${guard[@]}" true
}
