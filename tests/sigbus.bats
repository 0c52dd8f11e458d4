#!/usr/bin/env bats
# A SIGBUS foretold and explained across processes: who died, where, and who had done it.

bats_require_minimum_version 1.5.0

load helpers
load cgroup

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	remove_group
	rm -f /dev/shm/shmguard-sigbus.*
}

# cause CASE: records tests/programs/story CASE; its report is report.json, what run says while it runs is notices.
cause()
{
	"$SHMGUARD" run --report=none "${OPTIONS[@]}" -o story -- "${WITHIN[@]}" "$BUILD/tests/programs/story" "$@" 2>notices
	report story >report.json
	cat notices
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' report.json
}

# says REGEX [ROLE FUNCTION]...: the one finding of sigbus-cause says so, and its stacks lead to those functions.
says()
{
	local message=$1
	shift
	jq -e --arg message "$message" '[.findings[] | select(.rule == "sigbus-cause")] |
		length == 1 and (.[0].message | test($message))' report.json
	while [ $# -gt 0 ]; do
		jq -e --arg role "$1" --arg function "$2" '[.findings[] | select(.rule == "sigbus-cause").stacks[] |
			select(.role == $role).frames[].function] | index($function) != null' report.json ||
			{ echo "no stack '$1' through $2"; false; }
		shift 2
	done
}

severity_is()
{
	jq -e --arg severity "$1" '[.findings[] | select(.rule == "sigbus-cause").severity] == [$severity]' report.json
}

@test "a reader dies where the writer has shrunk the object" {
	cause shrunk
	says 'died of SIGBUS reading /shmguard-sigbus\.[0-9]+ at offset 8192: story \(pid [0-9]+\) had shrunk it from 1048576 to 4096 bytes [0-9.]+ m?s before' \
		touched read_object shrunk shrink_object mapped map_object
	severity_is error
	grep -q '^shmguard: error: shrink-under-map: story (pid [0-9]*) shrinks /shmguard-sigbus.* from 1048576 to 4096 bytes while .*pid [0-9]*)* maps it up to 1048576' notices
	grep -q '^shmguard: error: sigbus-cause: story (pid [0-9]*) got a SIGBUS reading /shmguard-sigbus.* at offset 8192: it is 4096 bytes long' notices
}

@test "a reader dies where another process has opened the object with O_TRUNC" {
	cause truncated
	says 'died of SIGBUS .*: story \(pid [0-9]+\) had opened it with O_TRUNC, which emptied it of 1048576 bytes' \
		touched read_object emptied truncate_object mapped map_object
	severity_is error
}

@test "a writer dies in a hole that was punched while /dev/shm filled up" {
	cause punched
	says 'SIGBUS writing .*file system is full \(0 bytes left\); story \(pid [0-9]+\) had punched \[8192, 16384\) out of it .*; by size the largest on it: /shmguard-sigbus\..*\.filler of [0-9]+ bytes, created by story' \
		touched write_object punched punch_object filled fill_shm
	severity_is error
}

# advises REGEX: in every form that tells what to do about it.
advises()
{
	"$SHMGUARD" report --format=text:text --format=sarif:sarif --format=html:page.html story
	jq -r '.findings[] | select(.rule == "sigbus-cause").advice' report.json >advice
	cat advice
	grep -qE "^$1" advice
	jq -r '.runs[0].results[] | select(.ruleId == "sigbus-cause").properties.advice' sarif >other
	same advice other
	page_data page.html |
		jq -r '.report.findings[] | select(.rule == "sigbus-cause").advice' >other
	same advice other
	tr -s ' \n' ' ' <text | grep -qF "what to do: $(<advice)."
}

# advised CASE REGEX
advised()
{
	rm -rf story
	cause "$1"
	advises "$2"
}

@test "what to do about a SIGBUS follows from its cause" {
	advised shrunk 'do not shrink what others map'
	advised truncated 'leave O_TRUNC out'
	advised short 'ftruncate\(\) to the whole length before'
	advised full 'reserve with posix_fallocate\(\) before the first touch'
	advised punched 'posix_fallocate\(\) a range that was punched'
	advised unseen 'do not shrink what others map'
	rm -r story
	"$SHMGUARD" run --quiet --report=none -o story -- "$PYTHON" -c 'import mmap, os
fd = os.memfd_create("own"); os.ftruncate(fd, 8192); map = mmap.mmap(fd, 8192); os.ftruncate(fd, 0); map[0]' || [ "$?" -eq 135 ]
	report story >report.json
	advises 'munmap\(\) or mremap\(\) what lies past the new end'
}

@test "a writer dies because another process has filled /dev/shm" {
	cause full
	says 'SIGBUS writing .*file system is full \(0 bytes left\); by size the largest on it: /shmguard-sigbus\..*\.filler of [0-9]+ bytes, created by story' \
		touched write_object filled fill_shm
	severity_is error
}

# filled PRELUDE [AFTER]: a /dev/shm of 4 MiB of which an object of 1 MiB is there before. A child fills the rest: by PRELUDE, in
# Python, then dies of its touch of /small; AFTER is run in the end.
filled()
{
	needs_root "a /dev/shm of its own"
	cat >full.py <<-END
		import mmap, os, time
		def make(name):
		    return os.open("/dev/shm/" + name, os.O_RDWR | os.O_CREAT, 0o600)
		def write(name, size):
		    fd = make(name)
		    try:
		        while size > 0: size -= os.write(fd, bytes(4096))
		    except OSError: pass
		    os.close(fd)
		if os.fork() == 0:
		    $1
		    fd = make("small")
		    os.ftruncate(fd, 8192)
		    mmap.mmap(fd, 8192)[0] = 1
		os.wait()
		${2-}
	END
	rm -rf story
	unshare -m bash -c 'mount -t tmpfs -o size=4m,mode=1777 tmpfs /dev/shm || exit
		head -c 1M /dev/zero >/dev/shm/ghost
		{ while [ ! -e /dev/shm/wanted ] && [ -d /dev/shm ]; do sleep 0.02; done; head -c 3M /dev/zero >/dev/shm/stranger; } 2>/dev/null &
		"$@"; kill $! 2>/dev/null || true' - "$SHMGUARD" run --quiet --report=none -o story -- "$PYTHON" full.py 2>&1
	report story | jq -r '.findings[] | select(.rule == "sigbus-cause").message' >message
	cat message
}

@test "who filled a file system is told by what the looks found, not by sizes alone" {
	# What was written is in no trace.
	filled 'write("cache", 8 << 20)'
	grep -Eq '\(0 bytes left\); the largest on it: /cache of 3145728 bytes, created by python[^;]*; /ghost of 1048576 bytes, created by somebody before the recording began$' message
	# A size may be one of holes.
	filled 'os.ftruncate(make("sparse"), 1 << 30); write("cache", 8 << 20)'
	grep -Eq '\(0 bytes left\); the largest on it: /cache of 3145728 bytes, created by python[^;]*; /ghost of' message
	# Of one that came unseen there is a name.
	filled 'make("wanted"); time.sleep(0.5); write("cache", 8 << 20)'
	grep -Eq '\(0 bytes left\); the largest on it: /stranger of 3145728 bytes, created by somebody whose call is not in the trace; /ghost of' message
}

@test "who filled a file system is told as well where another one's objects have the numbers of what was there" {
	filled 'write("cache", 8 << 20)'
	mkdir fleet
	mv story fleet
	# Both give them from the same one on, and may have the same device.
	unshare -m bash -c 'mount -t tmpfs tmpfs /dev/shm && exec "$@"' - "$SHMGUARD" run --quiet --report=none -o fleet/other -- \
		"$PYTHON" -c 'import os; [os.open("/dev/shm/%d" % i, os.O_RDWR | os.O_CREAT) for i in range(9)]'
	report fleet | jq -r '.findings[] | select(.rule == "sigbus-cause").message' >other
	same message other
}

@test "where nothing tells who filled a file system nobody is named" {
	filled 'write("cache", 8 << 20)' 'os.unlink("/dev/shm/cache")'
	grep -q 'file system is full (0 bytes left)$' message
	# Its size is more than there is.
	filled 'os.ftruncate(make("sparse"), 1 << 30); write("cache", 8 << 20)' 'os.unlink("/dev/shm/sparse"); os.unlink("/dev/shm/cache")'
	grep -q 'file system is full (0 bytes left)$' message
	# By the time of the look it was another size.
	filled 'write("cache", 8 << 20)' 'os.ftruncate(make("cache"), 4096)'
	grep -q 'file system is full (0 bytes left)$' message
}

@test "an object that never was long enough: who sized it" {
	cause short
	says 'at offset 8192: it is 4096 bytes long \(story \(pid [0-9]+\) had sized it from 0 to 4096 bytes' \
		touched read_object mapped map_object
}

@test "somebody who is not recorded shrank it" {
	cause unseen
	says 'it is 4096 bytes long, somebody who is not recorded must have shrunk it'
}

@test "the program's own handler goes on: a warning" {
	cause handled
	says 'got a SIGBUS reading .*, and its own handler went on: story \(pid [0-9]+\) had shrunk it'
	run -1 grep 'sigbus-cause' notices
	severity_is warning
}

@test "the program's own handler goes on, and its status is another matter" {
	cause failed
	says 'got a SIGBUS reading .*, and its own handler went on: story \(pid [0-9]+\) had shrunk it'
	severity_is warning
}

@test "a signal that the program sends itself when it has got over the fault is another matter" {
	cause raised
	jq -e '[.findings[] | select(.rule == "sigbus-cause") | .severity] == ["warning", "note"]' report.json
}

@test "the program's own handler sends the signal once more: it died of the fault" {
	cause reraised
	says 'died of SIGBUS reading /shmguard-sigbus\.[0-9]+ at offset 8192: story \(pid [0-9]+\) had shrunk it' \
		touched read_object shrunk shrink_object mapped map_object
	severity_is error
	rm -rf story
	cause nodefer
	says 'died of SIGBUS reading /shmguard-sigbus\.[0-9]+ at offset 8192: story \(pid [0-9]+\) had shrunk it' \
		touched read_object shrunk shrink_object mapped map_object
	severity_is error
	grep -q '^shmguard: error: sigbus-cause: story (pid [0-9]*) got a SIGBUS reading' notices
}

@test "the program's own handler ends it: an error" {
	cause ended
	says 'got a SIGBUS reading .*, and its own handler ended it with status 3: story'
	grep -q '^shmguard: error: sigbus-cause: story (pid [0-9]*) got a SIGBUS reading' notices
	severity_is error
}

@test "a SIGBUS that is blocked kills without a word: the report says so" {
	cause blocked
	says 'died of a SIGBUS that it had blocked or ignored.*: it maps /shmguard-sigbus\.[0-9]+ up to 1048576, which is 4096 bytes long \(story \(pid [0-9]+\) had shrunk it from 1048576 to 4096' \
		mapped map_object shrunk shrink_object
	severity_is error
}

@test "--on-sigbus=survive goes on with zeros, and says so" {
	OPTIONS=(--on-sigbus=survive)
	cause shrunk
	says 'got a zero page instead of a SIGBUS reading .* at offset 8192: story \(pid [0-9]+\) had shrunk it'
	severity_is error
	jq -e '[.processes[] | select(.signal == 7)] == []' report.json
	run "$SHMGUARD" run --on-sigbus=sometimes true
	[ "$status" -eq 125 ]
	[ "$output" = "shmguard: --on-sigbus wants 'explain' or 'survive', not 'sometimes'; see \`shmguard run --help\`" ]
}

@test "in a child by vfork it is told at once" {
	cause vforked
	grep -q '^shmguard: error: sigbus-cause: story (pid [0-9]*) got a SIGBUS reading /shmguard-sigbus\.[0-9]* at offset 8192: it is 4096 bytes long' notices
}

@test "a memfd has its name at once, with and without a descriptor" {
	"$SHMGUARD" run --report=none -o story -- "$PYTHON" -c 'import ctypes, mmap, os
fd = os.memfd_create("cam"); os.ftruncate(fd, 4096); libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
address = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); os.close(fd)
ctypes.memset(address + 4096, 1, 1)' 2>notices || [ "$?" -eq 135 ]
	cat notices
	grep -q 'error: sigbus-cause: .* writing memfd:cam at offset 4096' notices
	grep -q 'error: map-beyond-end: .* of memfd:cam, which is 4096 bytes' notices
}

@test "killed for want of memory: the cgroup's count explains it" {
	make_group $((96 << 20))
	"${IN_GROUP[@]}" "$SHMGUARD" run --report=none -o story -- "$BUILD/tests/programs/story" outgrown 2>notices
	report story >report.json
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' report.json
	jq -e '[.findings[] | select(.rule == "memory-limit" and (.message | test("was killed by SIGKILL, and the memory cgroup counted [0-9]+ kills? for want of memory meanwhile: .* /shmguard-sigbus\\.[0-9]+, has 268435456 bytes")))] | length == 1' report.json
}

@test "what is made up for within a second is not told" {
	cause grown
	grep -q 'error' notices && return 1
	jq -e '[.findings[] | select(.severity == "error")] == []' report.json
	jq -e '[.findings[] | select(.rule == "map-before-size" and .severity == "note")] | length == 1' report.json
}

@test "O_TRUNC under a mapping of another process is told while both run, of what nobody maps it is not" {
	"$SHMGUARD" run --report=none -o story -- "$PYTHON" -c 'import mmap, os, sys, time
name = "/dev/shm/shmguard-sigbus.%d" % os.getpid()
for path in name, name + ".alone":
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600); os.ftruncate(fd, 8192)
m = mmap.mmap(os.open(name, os.O_RDWR), 8192)
if os.fork() == 0:
    m.close()
    for path in name, name + ".alone":
        os.close(os.open(path, os.O_RDWR | os.O_TRUNC))
    os._exit(0)
os.wait(); time.sleep(0.7)
for path in name, name + ".alone":
    os.unlink(path)
print("over", file=sys.stderr, flush=True)' 2>notices
	cat notices
	sed '/^over/q' notices | grep -q 'error: truncate-on-open: python.* opens .*/shmguard-sigbus\.[0-9]* with O_TRUNC, which empties it of 8192 bytes while python.* maps it'
	[ "$(grep -c truncate-on-open notices)" -eq 1 ]
}

@test "a refused O_TRUNC is told with who maps the object, of what nobody maps it is not" {
	printf '%s\n' '[default]' 'truncate-on-open = deny' >policy.ini
	"$SHMGUARD" run --report=none --policy=policy.ini -o story -- "$PYTHON" -c 'import _posixshmem, mmap, os, time
names = ["/shmguard-sigbus.%d%s" % (os.getpid(), end) for end in (".alone", "", ".too")]
fds = [_posixshmem.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600) for name in names]
for fd in fds:
    os.ftruncate(fd, 8192)
m = [mmap.mmap(fd, 8192) for fd in fds[1:]]
print(os.getpid(), flush=True)
if os.fork() == 0:
    m.clear()
    for name in names:
        try:
            _posixshmem.shm_open(name, os.O_RDWR | os.O_TRUNC, mode=0)
        except PermissionError as e:
            print(e.strerror, flush=True)
    os._exit(0)
os.wait(); time.sleep(0.7)
for name in names:
    _posixshmem.shm_unlink(name)' 2>notices >out
	cat out notices
	[ "$(grep -c 'Permission denied' out)" -eq 3 ]
	[ "$(grep -c 'error: truncate-on-open: ' notices)" -eq 2 ]
	[ "$(grep -cE "opens .*/shmguard-sigbus\.[0-9]+(\.too)? with O_TRUNC.* while python.* \(pid $(head -n 1 out)\) maps it" notices)" -eq 2 ]
}

@test "what is not made up for within a second is told, once" {
	cause ungrown
	[ "$(grep -c '^shmguard: error: map-before-size: story (pid [0-9]*) maps \[0, 4096) of .*, which has no size yet' notices)" -eq 1 ]
}

@test "--quiet leaves it to the report" {
	OPTIONS=(--quiet)
	cause shrunk
	[ ! -s notices ]
	severity_is error
}

# Pids, names and times are other ones each time.
same_form()
{
	sed -E 's/[a-z]+ \(pid [0-9]+\)/PROCESS/g; s/\/(shmguard-sigbus\.[0-9]+|ring)/OBJECT/g; s/[0-9.]+ (us|ms|s) before/TIME before/g
		s/(filler of) [0-9]+/\1 N/g'
}

@test "the README's table says what the report says" {
	local story
	sed -n 's/^| .* | .* | \([a-z]* (pid .*\) |$/\1/p' "$ROOT/README.md" | same_form | sort >table
	for story in shrunk truncated full punched short unseen handled blocked; do
		"$SHMGUARD" run --quiet -o "$story" -- "$BUILD/tests/programs/story" "$story"
		report "$story" | jq -r '.findings[] | select(.severity != "note" and .rule != "truncate-on-open").message'
	done | same_form | sort -u >told
	same table told
}

# An object that all may open is mapped by root, and shrunk by nobody in a recording of its own: report.json.
shrunk_by_nobody() # [MOUNT-OPTION for /proc]
{
	needs_root "another user's process is mapped in"
	local object=/dev/shm/shmguard-sigbus.$$
	make_nobody_build
	cat >"$NOBODY_HOME/shrink.py" <<-'END'
		import os, sys
		os.ftruncate(os.open(sys.argv[1], os.O_RDWR), 4096)
	END
	mkfifo end
	truncate -s 1M "$object"
	chmod 666 "$object"
	"$PYTHON" -c 'import mmap, os, sys
m = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 1 << 20); os.write(1, b"x"); os.read(0, 1)' "$object" <end >mapped 3>&- &
	exec 9>end
	while [ ! -s mapped ]; do sleep 0.05; done
	# shellcheck disable=SC2016
	unshare -m sh -c 'test -z "$1" || mount -o remount,"$1" /proc || exit 77; shift; exec "$@"' sh "${1:-}" \
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$NOBODY_HOME" "$NOBODY_BUILD/shmguard" run --quiet \
		--report=none -o "$NOBODY_HOME/recording" -- "$PYTHON" "$NOBODY_HOME/shrink.py" "$object"
	exec 9>&-
	"$SHMGUARD" report --format=json "$NOBODY_HOME/recording" >report.json
	remove_nobody_build
}

unseen='whether others map what is cut off is not known: it may not look at other users'

@test "shrunk where another user's mappings may not be looked at: a note that says so" {
	shrunk_by_nobody
	holds --arg words "$unseen" '[.findings[] | select(.rule == "shrink-under-map") | [.severity, (.message | contains($words))]] ==
		[["note", true]]'
}

@test "the same where /proc hides other users' processes" {
	shrunk_by_nobody hidepid=2
	holds --arg words "$unseen" '[.findings[] | select(.rule == "shrink-under-map") | [.severity, (.message | contains($words))]] ==
		[["note", true]]'
}

@test "a semaphore that another process has shrunk: who did it, and what the program has of it" {
	cd "$BATS_TEST_TMPDIR"
	cat >gate.c <<-'END'
		#include <fcntl.h>
		#include <semaphore.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			sem_t *gate = sem_open("/gate", O_CREAT | O_EXCL, 0600, 1);
			int go[2], status;
			char c;
			if (gate == SEM_FAILED || pipe(go))
				return 2;
			if (fork() == 0) {
				read(go[0], &c, 1);
				sem_wait(gate);
				_exit(0);
			}
			if (truncate("/dev/shm/sem.gate", 0) || write(go[1], "", 1) != 1)
				return 2;
			wait(&status);
			sem_unlink("/gate");
			return !(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
		}
	END
	cc -w -o gate gate.c
	"$SHMGUARD" run --quiet --report=none -o gated -- ./gate
	report gated >report.json
	holds '[.findings[] | select(.rule == "sigbus-cause")] | length == 1 and
		(.[0].message | test("died of SIGBUS reading /sem.gate at offset 0: gate .* had shrunk it from 32 to 0 bytes"))'
	at=$("$SHMGUARD" log gated | awk '/sem_open/ { print $2 }')
	"$SHMGUARD" objects --at="$at" gated | grep -F 'maps [0, 32) at 0x'
}
