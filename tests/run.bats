#!/usr/bin/env bats
# `shmguard run`: its directory, the command's surroundings, the report at the end.

load helpers
load run
bats_require_minimum_version 1.5.0

@test "a directory that holds something is refused" {
	mkdir full
	touch full/thing
	run -125 "$SHMGUARD" run -o full -- true
	echo "$output" >messages
	one_message messages "full exists and is not empty"
	[ "$(ls full)" = thing ]
}

@test "what run says of itself has no control characters of a directory or a program" {
	local odd=$'./odd\e[7m\n"; y'
	cp /bin/true "$odd"
	run -0 "$SHMGUARD" run --report=none -- "$odd"
	[[ $output == "shmguard: recorded in $PWD/shmguard.odd\\x1b[7m\\n\"; y."* ]]
	mv shmguard.odd* $'full\e[7m\n"'
	run -125 "$SHMGUARD" run -o $'full\e[7m\n"' -- true
	[ "$output" = 'shmguard: full\x1b[7m\n" exists and is not empty: a recording needs a new directory' ]
	run -127 "$SHMGUARD" run -- $'./no\e[7m'
	[[ "$output" == "shmguard: cannot execute './no\\x1b[7m': "* ]]
	cp /bin/sh "$odd"
	"$SHMGUARD" run --report=none -o stray$'\e[5m' -- "$odd" -c 'sleep 2 & exit 0' 2>err
	same err - <<-END
		shmguard: './odd\x1b[7m\n"; y' has ended, but processes that it started have not; Ctrl-C ends the recording
		shmguard: recorded in $PWD/stray\x1b[5m
	END
	run -0 "$SHMGUARD" run --report=none -o "plain one" -- true
	[ "$output" = "shmguard: recorded in $PWD/plain one" ]
}

@test "a directory that cannot be made or written gives 125" {
	touch file
	run "$SHMGUARD" run -o file -- true
	[ "$status" -eq 125 ]
	run "$SHMGUARD" run -o /proc/recording -- true
	[ "$status" -eq 125 ]
	mkdir -m 555 "$NOBODY_HOME/roots"
	run as_nobody_run roots -- true
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "without a /proc of its own pid namespace the command does not run" {
	needs_root "/proc is unmounted"
	# shellcheck disable=SC2016
	run -125 unshare -m bash -c 'while umount -l /proc 2>/dev/null; do :; done; exec "$@"' bash \
		"$SHMGUARD" run -o none -- touch ran
	[ "$output" = 'shmguard: /proc is not mounted: LTTng and the recording need it' ]
	run -125 unshare --pid --fork "$SHMGUARD" run -o none -- touch ran
	[[ $output = 'shmguard: /proc shows the processes of another pid namespace: mount this one'* ]]
	[ ! -e ran ] && [ ! -e none ]
}

@test "a full disk gives 125 and one line, and the command does not run" {
	needs_root "to mount a small disk"
	mkdir disk
	# shellcheck disable=SC2016
	run unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=64k tmpfs disk
		dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null
		"$0" run -o disk/recording -- touch ran' "$SHMGUARD"
	[ "$status" -eq 125 ]
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e ran ]
}

@test "a disk that becomes full: the command ends as it would, and a report does not pass for a whole one" {
	needs_root "to mount a small disk"
	mkdir disk
	# shellcheck disable=SC2016
	run unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=120k tmpfs disk
		"$0" run --report=none -o disk/recording -- sh -c "\"\$0\" 200 /filling. >/dev/null; echo went on" "$1"
		"$0" report disk/recording
		[ $? -eq 3 ] || echo could be read' "$SHMGUARD" "$PROGRAMS/leaky"
	rm -f /dev/shm/filling.*
	echo "$output"
	grep -qx 'went on' <<<"$output"
	grep -qx 'shmguard: .*/disk/recording has [0-9]* bytes left on its disk: .* (No space left on device)' <<<"$output"
	[[ $output != *"jsonl is incomplete: "* || $output == *"jsonl is incomplete: No space left on device"* ]]
	[[ $output != *"could be read"* || $output == *"[the recording is incomplete]"* ]]
	[[ ${output//$'\n'/ } != *"; no event lost"* ]]
}

@test "an empty directory is taken, and one is named after the command by default" {
	mkdir empty
	run "$SHMGUARD" run --report=none -o empty -- true
	[ "$status" -eq 0 ]
	[ -s empty/recording.json ]
	run "$SHMGUARD" run --report=none -- true
	[ "$status" -eq 0 ]
	made=$(echo shmguard.true.*)
	[ -s "$made/recording.json" ]
}

@test "standard input and output are the command's, notices go to stderr with a prefix" {
	echo input | "$SHMGUARD" run --report=none -o recording -- sh -c 'cat; echo error >&2; exit 2' >out 2>err || [ $? -eq 2 ]
	[ "$(cat out)" = input ]
	[ "$(grep -v '^shmguard: ' err)" = error ]
	"$SHMGUARD" run --quiet -o quiet -- true 2>err
	[ ! -s err ]
}

@test "signal mask, dispositions, descriptors and process group are as under env" {
	cat >look.py <<-'END'
		import os
		print([line for line in open("/proc/self/status") if line[:3] == "Sig" and line[:4] not in ("SigQ", "SigC")])
		print(sorted(os.listdir("/proc/self/fd")), os.getpgrp(), os.getsid(0), os.nice(0), os.umask(0), os.getcwd())
	END
	cat >start.py <<-'END'
		import os, signal, sys
		signal.signal(signal.SIGINT, signal.SIG_IGN)
		signal.signal(signal.SIGCHLD, signal.SIG_IGN)
		signal.signal(signal.SIGPIPE, signal.SIG_DFL)
		signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	"$PYTHON" start.py env "$PYTHON" look.py >bare 7</dev/null
	"$PYTHON" start.py "$SHMGUARD" run --quiet -o recording -- "$PYTHON" look.py >recorded 7</dev/null
	[ "$(wc -l <bare)" -eq 2 ]
	same bare recorded
}

@test "the environment gains only what is documented, and another preload stays" {
	run_only env >recorded 2>/dev/null
	env >bare
	added=$(sort recorded | comm -13 <(sort bare) - | sed 's/=.*//' | grep -v '^_$' | tr '\n' ' ')
	# An ordinary user has a session daemon of one's own, in a home of its own.
	home="LTTNG_HOME "
	[ "$(id -u)" -ne 0 ] || home=
	[ "$added" = "LD_PRELOAD ${home}LTTNG_UST_REGISTER_TIMEOUT LTTNG_UST_WITHOUT_BADDR_STATEDUMP SHMGUARD_NOTES SHMGUARD_NOTES_SOCKET SHMGUARD_RECORDING " ]
	LD_PRELOAD=libm.so.6 "$SHMGUARD" run --quiet -o other -- sh -c 'echo "$LD_PRELOAD"' >out
	[ "$(cat out)" = "$BUILD/libshmguard.so:libm.so.6" ]
}

# Libraries for LD_AUDIT, and one that no LTTng's thread may have before it: it needs the loader's lock in every open.
meant_for_the_command()
{
	gcc -w -D_GNU_SOURCE -shared -fPIC -o audit.so -x c - <<-'END'
		#include <link.h>
		unsigned la_version(unsigned version) { return LAV_CURRENT; }
	END
	gcc -w -D_GNU_SOURCE -shared -fPIC -o looks.so -x c - <<-'END'
		#include <dlfcn.h>
		int open(const char *path, int flags, int mode)
		{
			return ((int (*)(const char *, int, int))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
		}
	END
}

@test "the libraries that the user preloads and audits with are the command's, and not run's" {
	meant_for_the_command
	local shown='printf "%s\n" "$LD_PRELOAD" "$LD_AUDIT"; env | grep -c ASIDE'
	LD_PRELOAD=$PWD/looks.so LD_AUDIT=$PWD/audit.so timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o both -- \
		sh -c "$shown; exit 5" >out || [ $? -eq 5 ]
	[ "$(cat out)" = "$BUILD/libshmguard.so:$PWD/looks.so"$'\n'"$PWD/audit.so"$'\n'0 ]
	LD_PRELOAD=$PWD/looks.so timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o preload -- \
		"$PROGRAMS/hostile_processes" plain >out
	[ "$(cat out)" = "went on" ]
	"$SHMGUARD" report --format=json preload | jq -e '.trace.complete and (.objects | length == 1)'
	LD_AUDIT=$PWD/audit.so timeout -k 1 60 "$SHMGUARD" doctor | grep '^ok *recording'
}

@test "a program with an audit library is recorded, and held to a policy" {
	meant_for_the_command
	LD_AUDIT=$PWD/audit.so timeout -k 1 60 "$SHMGUARD" run --quiet --report=none -o recording -- \
		"$PROGRAMS/hostile_processes" plain >out
	[ "$(cat out)" = "went on" ]
	"$SHMGUARD" report --format=json recording | jq -e '.trace.complete and (.objects | length == 1)'
	printf '%s\n' '[default]' 'log = none' 'world-writable = deny' >policy.ini
	# shellcheck disable=SC2016
	run env LD_AUDIT="$PWD/audit.so" LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_POLICY="$PWD/policy.ini" "$PYTHON" -c 'if True:
		import os, _posixshmem
		os.umask(0)
		_posixshmem.shm_open("/audited", os.O_CREAT | os.O_RDWR, 0o666)'
	[[ $output == *PermissionError* ]]
}

@test "the recording ends with the last descendant" {
	run run_only sh -c '(sleep 1; : >late) & exit 6'
	[ "$status" -eq 6 ]
	[ -e late ]
}

@test "the recording ends with the command when told so" {
	run "$SHMGUARD" run --report=none --until=command -o recording -- sh -c '(sleep 3; : >late) >/dev/null 2>&1 3>&- & exit 6'
	[ "$status" -eq 6 ]
	[ ! -e late ]
}

@test "names that are not UTF-8 do not spoil the files" {
	name=$(printf 'shmguard-run-\xff\xfe\n"x')
	: >"/dev/shm/$name"
	run "$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'exit 0' "$name"
	rm "/dev/shm/$name"
	[ "$status" -eq 0 ]
	jq -e '.objects[] | select(.name == "/shmguard-run-\\xff\\xfe\n\"x")' recording/shm.json
	jq -e '.command[3] == "shmguard-run-\\xff\\xfe\n\"x"' recording/recording.json
}

@test "children that a shell had before it execs run are not waited for" {
	begin=$SECONDS
	# shellcheck disable=SC2016
	run bash -c 'sleep 30 >/dev/null 2>&1 3>&- & echo $! >elder; exec "$0" run --quiet --report=none -o recording -- sh -c "(sleep 1; : >late) & exit 3"' "$SHMGUARD"
	LONELY=$(cat elder)
	[ "$status" -eq 3 ]
	[ -e late ]
	[ $((SECONDS - begin)) -lt 20 ]
	kill -0 "$LONELY"
}

@test "an error finding replaces an exit status of 0, and no other" {
	leak='import os, mmap
fd = os.open("/dev/shm/shmguard-run-leak", os.O_CREAT | os.O_RDWR)
os.ftruncate(fd, 4096); mmap.mmap(fd, 4096)'
	run -9 "$SHMGUARD" run --report=none --error-exitcode=9 -o leaky -- "$PYTHON" -c "$leak"
	run -4 "$SHMGUARD" run --report=none --error-exitcode=9 -o failing -- "$PYTHON" -c "$leak; os._exit(4)"
	rm /dev/shm/shmguard-run-leak
	run -0 "$SHMGUARD" run --report=none --error-exitcode=9 -o clean -- true
}

@test "the report goes to stderr, or to a file, or nowhere" {
	"$SHMGUARD" run -o a -- true >out 2>err
	[ ! -s out ]
	grep -q 'a process\|process' err
	"$SHMGUARD" run --report=text -o b -- true 2>err
	grep -q process text
	[ "$(grep -vc '^shmguard: ' err)" -eq 0 ]
	run -125 "$SHMGUARD" run --report=/nonexistent/file -o c -- true
	[[ $output == *"cannot write the report to /nonexistent/file"* ]]
}

@test "a directory's name may hold anything" {
	mkdir "a b"
	run -3 "$SHMGUARD" run --quiet --report=none -o "a b/c@:%x#é" -- sh -c 'exit 3'
	[ -s "a b/c@:%x#é/recording.json" ]
}

@test "what run is started with is the command's alone: end of file, EPIPE and locks come when the command lets go" {
	cat >starter.py <<-'END'
		import os, sys
		ready, standing_by, told, lock = (int(word) for word in sys.argv[1:5])
		os.close(os.memfd_create("x"))
		os.write(ready, b"READY")
		os.close(ready)
		os.close(0)
		os.close(1)
		os.close(lock)
		os.write(told, b"go")
		# The supervisor ends it, having seen all that it waits for.
		os.read(standing_by, 1)
	END
	cat >supervisor.py <<-'END'
		import fcntl, os, select, subprocess, sys, time
		def over(fd):
		    text = b""
		    while select.select([fd], [], [], 20)[0]:
		        more = os.read(fd, 100)
		        if not more:
		            return text, "over"
		        text += more
		    return text, "still open"
		def broken(fd):
		    for _ in range(200):
		        try:
		            os.write(fd, b"x")
		        except BrokenPipeError:
		            return "EPIPE"
		        time.sleep(0.05)
		    return "taken"
		ready, given_ready = os.pipe()
		standing_by, end = os.pipe()
		told, given_told = os.pipe()
		lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
		fcntl.flock(lock, fcntl.LOCK_EX)
		given = [given_ready, standing_by, given_told, lock]
		program = subprocess.Popen(sys.argv[1:] + ["/usr/bin/python3", "starter.py"] + [str(fd) for fd in given],
		                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=given)
		for fd in given:
		    os.close(fd)
		print(over(ready), os.read(told, 2))
		print(over(program.stdout.fileno()), broken(program.stdin.fileno()))
		other = os.open("lock", os.O_RDWR)
		fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
		print(program.poll())
		os.close(end)
		print(program.wait())
	END
	"$PYTHON" supervisor.py env >bare
	[ "$(cat bare)" = "(b'READY', 'over') b'go'
(b'', 'over') EPIPE
None
0" ]
	"$PYTHON" supervisor.py "$SHMGUARD" run --quiet -o recording -- >recorded
	same bare recorded
}

@test "what the report is to be written to, run keeps: a pipe by its descriptor, standard output" {
	local way
	for way in /dev/fd/9 /proc/self/fd/9 /dev/stdout; do
		rm -rf recording
		"$SHMGUARD" run --quiet --report="$way" -o recording -- sh -c 'exec 9>&- >&-' 9> >(cat >told) | cat >shown
		case $way in
		/dev/stdout) grep -q '^Looked at' shown ;;
		*)
			started told '^Looked at'
			[ ! -s shown ]
			;;
		esac
	done
}

@test "a record lock that run was started with stays as long as it runs" {
	cat >locking.py <<-'END'
		import fcntl, os, sys
		lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
		fcntl.lockf(lock, fcntl.LOCK_EX)
		os.set_inheritable(lock, True)
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	cat >asking.py <<-'END'
		import fcntl
		try:
		    fcntl.lockf(open("lock", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
		    print("free")
		except BlockingIOError:
		    print("held")
	END
	"$PYTHON" locking.py "$SHMGUARD" run --quiet -o recording -- "$PYTHON" asking.py >recorded
	[ "$(cat recorded)" = held ]
}

@test "standard error that nobody reads does not keep run from the command: what it had to say is counted" {
	cat >full.py <<-'END'
		import os, signal, subprocess, sys, threading, time
		r, w = os.pipe(); os.set_blocking(w, False)
		try:
		    while os.write(w, b"x" * 4096): pass
		except BlockingIOError: os.set_blocking(w, True)
		run = subprocess.Popen(sys.argv[1:], stderr=w, stdout=subprocess.PIPE)
		threading.Timer(25, lambda: (run.kill(), os._exit(1))).start()
		def handed_on(): run.send_signal(signal.SIGTERM); return run.stdout.readline()
		print(run.stdout.readline()); time.sleep(2)
		print(handed_on()); taken = os.read(r, 1 << 20); time.sleep(2)
		print(handed_on()); print(run.wait(20)); os.close(w)
		print((taken + os.fdopen(r, "rb").read()).strip(b"x").decode()); sys.stdout.flush(); os._exit(0)
	END
	"$PYTHON" full.py "$SHMGUARD" run --report=none -o recording -- "$PYTHON" -c '
import os, _posixshmem, signal, time
told = []
def tell(*_):
    told.append(1); print("got", len(told), flush=True)
    if len(told) == 2: os._exit(7)
signal.signal(signal.SIGTERM, tell)
os.umask(0)
_posixshmem.shm_open("/run-full", os.O_CREAT | os.O_RDWR, 0o666); _posixshmem.shm_unlink("/run-full")
print("ready", flush=True)
while True: time.sleep(1)' >out
	cat out
	diff out - <<-END
		b'ready\\n'
		b'got 1\\n'
		b'got 2\\n'
		7
		shmguard: error: 1 more of the kind; the report has them all
		shmguard: recorded in $PWD/recording

	END
}
