#!/usr/bin/env bats
# The audit trail: whole lines from threads, forks and signal handlers, a limit to how many, and what they say.
load helpers
load enforce
bats_require_minimum_version 1.5.0

@test "threads, forks and a signal handler leave whole lines" {
	policy 'world-writable = deny'
	guarded 'import signal, threading
def one(*_):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for child in range(8):
    if os.fork() == 0:
        signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        threads = [threading.Thread(target=lambda: [one() for _ in range(300)]) for _ in range(4)]
        [t.start() for t in threads]; [one() for _ in range(300)]; [t.join() for t in threads]
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
signal.setitimer(signal.ITIMER_REAL, 0)'
	[ ! -e "/dev/shm/$NAME" ]
	whole_lines audit.log
	[ "$(sed 's/.* pid=\([0-9]*\) .*/\1/' audit.log | sort -u | wc -l)" -ge 8 ]
}

@test "of hundreds of threads each is told its own decision, and the log names no other's object" {
	policy 'world-writable = deny'
	env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PROGRAMS/crowd" 300 40 "/$NAME" >out
	[ "$(cat out)" = "6000 0" ]
	whole_lines audit.log
	grep -v 'held-back=' audit.log >told.log
	grep -q "rule=world-writable object=/$NAME\.[0-9]*[02468]\.[0-9]* action=denied" told.log
	run -1 grep -Ev "rule=(world-writable object=/$NAME\.[0-9]*[02468]\.[0-9]+ action=denied|predictable-name object=/$NAME\.[0-9]*[13579]\.[0-9]+ action=recorded)" told.log
	[ -z "$(find /dev/shm -name "$NAME.*")" ]
}

@test "ten lines a second for a place, and a count of what was held back" {
	policy 'world-writable = deny'
	guarded 'import time
def burst():
    for _ in range(50):
        try:
            shm_open(NAME, RWC, mode=0o666)
        except PermissionError:
            pass
burst(); time.sleep(1.1); burst()'
	whole_lines audit.log
	[ "$(wc -l <audit.log)" -ge 20 ]
	[ "$(wc -l <audit.log)" -le 40 ]
	grep -q 'held-back=[1-9]' audit.log
}

@test "what was held back is told at the latest when the process exits, ends at once or becomes another program" {
	for how in 'pass' 'os._exit(0)' 'os.execv("/bin/true", ["true"])'; do
		policy 'world-writable = deny'
		rm -f audit.log
		guarded 'for i in range(500):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
'"$how"
		whole_lines audit.log
		# Each decision is a line, or counted by one.
		[ "$(awk '{lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 500 ]
		[ "$(wc -l <audit.log)" -lt 100 ]
	done
}

@test "a place that went quiet has its count told by the next line, of any place" {
	policy 'world-writable = deny' 'max-size = 1K' 'object-too-large = deny'
	guarded 'import time, signal
for i in range(50):
    attempt(shm_open, NAME, RWC, mode=0o666)
time.sleep(1.1); attempt(os.ftruncate, shm_open(NAME, RWC, mode=0o600), 2048); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)' || true
	whole_lines audit.log
	[ "$(sed -n 's/.*rule=world-writable .*held-back=//p' audit.log | awk '{sum += $1 + 1} END {print sum}')" -gt 0 ]
	[ "$(awk '/rule=world-writable/ {lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 50 ]
}

# decisions: of ./audit.log, each as rule, object, action and errno, as they came.
decisions()
{
	whole_lines audit.log && sed "s/$NAME/x/g"';s/.*rule=//;s/ at=.*//;s/object=//;s/action=//;s/errno=//' audit.log
}

@test "in audit mode a line says what would have been done" {
	policy 'mode = audit' 'create-without-excl = off' 'predictable-name = off' 'world-writable = deny' 'world-readable = fix'
	guarded 'shm_open(NAME, RWC, mode=0o606)'
	decisions | same /dev/stdin <(printf '%s\n' 'world-writable /x audit would=denied EACCES' 'world-readable /x audit would=fixed 0')
}

@test "a rename is one decision for each of its names" {
	policy 'mode = audit' 'names = /none' 'name-not-allowed = deny'
	: >"/dev/shm/$NAME"
	guarded 'os.rename(PATH, PATH + "-2")'
	decisions | same /dev/stdin <(printf 'name-not-allowed /x%s audit would=denied EACCES\n' '' -2)
}

@test "a reservation for which there is no room is a denial, not a fix" {
	needs_root "a small /dev/shm"
	policy 'create-without-excl = off' 'predictable-name = off' 'shm-fs-full = fix'
	unshare -m sh -c 'mount -t tmpfs -o size=64k,mode=1777 tmpfs /dev/shm; exec "$@"' sh env SHMGUARD_POLICY="$PWD/policy.ini" \
		LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" -c 'import os; from _posixshmem import shm_open
try: os.ftruncate(shm_open("/'"$NAME"'", os.O_RDWR | os.O_CREAT, mode=0o600), 1 << 20)
except OSError as e: print(e.strerror)' >out
	[ "$(cat out)" = "No space left on device" ]
	decisions | same /dev/stdin <(echo shm-fs-full /x denied ENOSPC)
}

@test "an object that create-without-excl has made exclusively, or looked at, is told as fixed, any other not at all" {
	for lines in 'create-without-excl = warn' 'create-without-excl = deny' 'create-without-excl = fix' $'create-without-excl = fix\nmode = audit'; do
		policy 'predictable-name = off' "$lines"
		rm -f audit.log "/dev/shm/$NAME"
		guarded 'fd = shm_open(NAME, RWC, mode=0o600); shm_open(NAME, RWC, mode=0o600)
shm_open(NAME, os.O_RDWR); os.open(PATH, RWC); os.unlink(PATH); shm_open(NAME, RWC | os.O_EXCL, mode=0o600)'
		cut -d ' ' -f 4,6- audit.log | sed 's/ at=.*//'
	done >told
	same told <(for action in recorded recorded fixed 'audit would=fixed'; do
		printf "rule=create-without-excl action=$action errno=0\n%.0s" 1 2
	done)
}

@test "objects have their name in the trail whether they were seen before or not, memfds theirs" {
	policy 'world-writable = fix' 'memfd-no-cloexec = fix' 'memfd-executable = off'
	: >"/dev/shm/$NAME"
	guarded 'os.chmod(PATH, 0o602); os.memfd_create("x", 0)'
	decisions | same /dev/stdin <(printf '%s\n' 'world-writable /x fixed 0' 'memfd-no-cloexec x fixed 0')
}

@test "a long name or path is cut, not what stands behind it" {
	local long
	long=$NAME-$(printf '%0200d' 0)
	policy 'world-writable = deny'
	mkdir -p "$long/$long"
	cp "$(readlink -f "$PYTHON")" "$long/$long/python"
	program 'attempt(shm_open, NAME, RWC, mode=0o666)'
	env NAME="$long" SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" PYTHONHOME=/usr "$long/$long/python" program.py
	whole_lines audit.log
	grep -Eq 'exe=[^ ]{300}\.\.\. rule=world-writable object=/enforce-[0-9-]*-0{200} action=denied errno=EACCES at=[^+ ]+\+0x' audit.log
}

# unguarded: of ./audit.log, what was executed without the library, and why.
unguarded()
{
	whole_lines audit.log
	sed -n "s,$PWD/,,"';s/.*rule=- object=\([^ ]*\) action=unguarded errno=0 at=[^ ]* why=/\1 /p' audit.log
}

@test "programs that no library is loaded into are told as they are executed, whatever the way" {
	policy 'world-writable = deny'
	echo 'int main(void) { return 0; }' >tiny.c
	gcc -static -o static tiny.c && gcc -o plain tiny.c
	printf '#!%s/static\n' "$PWD" >script && chmod 755 script
	guarded 'import subprocess
os.environ["PATH"] = os.getcwd() + ":/bin"; here = os.getcwd() + "/"
def child(run, *args):
    if os.fork() == 0: run(*args)
    os.wait()
child(os.execv, here + "static", ["x"]); child(os.execv, here + "plain", ["x"]); child(os.execvp, "static", ["x"])
child(os.execv, here + "script", ["x"]); subprocess.run([here + "static"]); os.waitpid(os.posix_spawn(here + "static", ["x"], {}), 0)
child(os.execv, "'"$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')"'", ["ld.so", "/bin/true"])
attempt(os.execv, "/nowhere/static", ["x"])'
	[ "$(cat out)" = ENOENT ]
	unguarded | same /dev/stdin <(printf 'static static\n%.0s' 1 2 3 4 5)
}

@test "programs that gain rights are told, where they gain any" {
	needs_root "set-user-ID programs"
	chmod 711 . .. ../..
	policy 'world-writable = deny'
	echo 'int main(void) { return 0; }' >tiny.c
	gcc -o set-id tiny.c && cp set-id capable && chmod 4755 set-id
	"$PYTHON" -c 'import os, struct; os.setxattr("capable", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))'
	guarded 'def child(uid, name, confine=0):
    if os.fork() == 0: libc.prctl(38, confine, 0, 0, 0); os.setuid(uid); os.execv(os.getcwd() + "/" + name, [name])
    os.wait()
child(0, "set-id"); child(65534, "set-id"); child(65534, "capable"); child(0, "capable"); child(65534, "set-id", 1)' 2>/dev/null
	unguarded | same /dev/stdin <(printf '%s\n' 'set-id set-user-ID' 'capable file-capabilities')
}

# noticed ACTION: what `run` tells at once of a world-writable object under the policy.
noticed()
{
	policy "world-writable = $1"
	program 'attempt(shm_open, NAME, RWC, mode=0o666)'
	rm -rf recording
	"$SHMGUARD" run --report=none --policy policy.ini -o recording -- "$PYTHON" program.py 2>told >out
	cat told
	report recording >report.json
	holds '.findings[] | select(.rule == "world-writable") | .stacks[0].role == "created"'
}

@test "what is told at once, and the report, say what the policy has made of it" {
	noticed fix
	grep -q "error: world-writable: .* asks for /$NAME with mode 0666: .*; by the policy it was fixed" told
	rm "/dev/shm/$NAME"
	noticed deny
	grep -q "error: world-writable: .* asks for /$NAME with mode 0666: .*; the policy denied it (EACCES)" told
	noticed warn
	grep -q "error: world-writable: .* leaves /$NAME with mode 0666: any user may write to it, and [^;]*$" told
}

# promised LINE CODE [BEFORE]: in audit mode the trail promises of CODE what enforcement does to it.
promised()
{
	local mode
	for mode in enforce audit; do
		policy "mode = $mode" 'predictable-name = off' 'memfd-no-cloexec = off' 'memfd-executable = off' 'foreign-owner = off' "$1"
		rm -f audit.log "/dev/shm/$NAME"
		eval "${3:-:}"
		guarded "$2"
		decisions | sed 's/audit would=//' >"$mode.decided"
	done
	[ -s enforce.decided ]
	same enforce.decided audit.decided
}

@test "audit mode promises a refusal where a fix would come to one, and a fix where it would not" {
	local create='attempt(shm_open, NAME, RWC, mode=0o600)'
	needs_root 'makes an object of another user'
	promised 'create-without-excl = fix' "$create"
	[ "$(cat audit.decided)" = 'create-without-excl /x fixed 0' ]
	# shellcheck disable=SC2016
	promised 'create-without-excl = fix' "$create" 'touch "/dev/shm/$NAME"; chown 1000 "/dev/shm/$NAME"; chmod 666 "/dev/shm/$NAME"'
	[ "$(cat audit.decided)" = 'create-without-excl /x denied EEXIST' ]
}

@test "audit mode promises that huge pages of an empty pool are refused, as their probe is" {
	local huge
	pool_is_empty
	huge='fd = os.memfd_create("h", os.MFD_CLOEXEC | os.MFD_HUGETLB); os.ftruncate(fd, 2 << 20); attempt(map, fd, 2 << 20, flags=0x4001)'
	promised 'huge-page-unbacked = fix' "$huge"
	[ "$(cat audit.decided)" = 'huge-page-unbacked h denied ENOMEM' ]
}

@test "audit mode promises that what there is no room for is refused, as its reservation is" {
	needs_root "a small /dev/shm"
	# shellcheck disable=SC2016
	unshare -m bash -c "$(declare -f promised policy guarded program decisions whole_lines same)
		set -e; LINE='$LINE'; mount -t tmpfs -o size=1m,mode=1777 tmpfs /dev/shm"'
		promised "shm-fs-full = fix" "attempt(os.ftruncate, shm_open(NAME, RWC | os.O_EXCL, mode=0o600), 8 << 20)"
		grep -qx "shm-fs-full /x denied ENOSPC" audit.decided
		promised "shm-fs-full = fix" "attempt(map, shm_open(NAME, os.O_RDWR), 8 << 20)" "truncate -s 8M /dev/shm/\$NAME"
		grep -qx "shm-fs-full /x denied ENOMEM" audit.decided'
}

@test "what the policy has averted is told as what it would have been" {
	policy 'shrink-under-map = deny' 'truncate-on-open = deny'
	program 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192)
if os.fork() == 0: attempt(os.open, PATH, os.O_RDWR | os.O_TRUNC); attempt(os.ftruncate, fd, 4096); sys.stdout.flush(); os._exit(0)
os.wait()'
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py >out
	same out <(printf '%s\n' EACCES EPERM)
	report recording >report.json
	holds '[.findings[] | select(.rule == "truncate-on-open" or .rule == "shrink-under-map") | .message |
		test("would (empty|be).*the policy denied it")] == [true, true]'
}

@test "audit mode promises a wipe of what has no name any more, and no seal where none can be set" {
	local code='fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 4096); m = mmap.mmap(fd, 4096); m[:3] = b"abc"
shm_unlink(NAME); m.close(); import array, socket
plain = libc.memfd_create(b"plain", 0); a, b = socket.socketpair()
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [plain]))])'
	policy 'zero = on-last-unmap' 'memfd-unsealed-share = fix'
	guarded "$code"
	grep -o 'rule=\(secret-left\|memfd-unsealed-share\) .*action=[a-z]*' audit.log | sed 's/ object=[^ ]*//' >enforced
	same enforced <(printf '%s\n' 'rule=secret-left action=fixed' 'rule=memfd-unsealed-share action=recorded')
	rm audit.log
	policy 'mode = audit' 'zero = on-last-unmap' 'memfd-unsealed-share = fix'
	guarded "$code"
	grep -o 'rule=\(secret-left\|memfd-unsealed-share\) .*action=[a-z]*\( would=[a-z]*\)*' audit.log | sed 's/ object=[^ ]*//' >watched
	same watched <(printf '%s\n' 'rule=secret-left action=audit would=fixed' 'rule=memfd-unsealed-share action=recorded')
}

@test "of a program that the loader was told to run the place is the program's" {
	local loader
	loader=$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	policy 'world-readable = deny'
	cat >prog.c <<-END
		#include <fcntl.h>
		#include <sys/mman.h>
		int main(void) { return shm_open("/$NAME", O_CREAT | O_RDWR | O_EXCL, 0644) >= 0; }
	END
	gcc prog.c -o prog
	env LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$loader" --argv0 other ./prog
	grep -q "rule=world-readable object=/$NAME action=denied errno=EACCES at=prog+0x" audit.log
}

@test "what a handler does while the process ends, and wipes, is told once, and of the call" {
	policy 'world-writable = fix' 'grow-exposes-tail = fix' 'umask-mismatch = warn' '[secret]' "name = /$NAME" 'secret = yes' 'secret-left = fix'
	for lines in 1 2 3; do
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PROGRAMS/amid_wipe" "/$NAME" $((48 << 20)) >out
		[ ! -s out ]
		rm -f "/dev/shm/$NAME"*
	done
	whole_lines audit.log
	grep -q "rule=secret-left object=/$NAME action=fixed errno=0 at=exit" audit.log
	grep "object=/$NAME-" audit.log >handler.log
	[ "$(grep -o 'rule=.*action=fixed errno=0' handler.log | cut -d ' ' -f 1 | sort -u | xargs)" = "rule=grow-exposes-tail rule=world-writable" ]
	run -1 grep 'at=exit' handler.log
	run -1 grep 'rule=\(umask-mismatch\|\(grow-exposes-tail\|world-writable\).*action=recorded\)' handler.log
}

@test "a shrink that was mended has no errno, though nobody may look at all processes" {
	needs_root "takes another user"
	policy 'shrink-under-map = fix'
	guarded 'os.setgid(1000); os.setuid(1000)
fd = shm_open(NAME, RWC, mode=0o666); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); attempt(os.ftruncate, fd, 4096); print(m[5000], os.fstat(fd).st_size)'
	same out <(printf '%s\n' 'ok None' '0 8192')
	grep -q "rule=shrink-under-map object=/$NAME action=fixed errno=0 at=" audit.log
}
