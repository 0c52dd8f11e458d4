#!/usr/bin/env bats
# What a recording is worth: nothing finished is missing, what is lost is counted, recordings do not mix, any reader of CTF
# can read it, and its report is the same everywhere.

load helpers
bats_require_minimum_version 1.5.0

setup_file()
{
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
	export NAME=shmguard-recording-$$
}

teardown_file()
{
	remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/"$NAME"*
}

# The mmap and munmap events of a recording. A trace of root's has those of other recordings of that time as well.
map_events()
{
	local id
	id=$(jq -r .id "$1/recording.json")
	babeltrace2 "$1/trace" | grep -E " shmguard:(mmap|munmap): .* recording = $((16#$id)),"
}

# Of every process in ./finished as many calls are in the recording as it had finished, or one more: that which the kill
# interrupted.
all_traced()
{
	map_events recording | sed 's/.* pid = \([0-9]*\),.*/\1/' | sort | uniq -c >traced
	awk 'NR == FNR { traced[$2] = $1; next }
		{ print $1, $2, traced[$1] }
		$2 == 0 || traced[$1] < $2 || traced[$1] > $2 + 1 { bad = 1 }
		END { exit bad }' traced finished
}

@test "15 of 15 killed at random: every call that was finished is in the trace" {
	cat >killer.py <<-'END'
		import os, random, subprocess, sys, time
		def finished(path):
		    return int.from_bytes(open(path, "rb").read(), sys.byteorder) if os.path.exists(path) else 0
		for number in range(15):
		    process = subprocess.Popen([sys.argv[1], f"count.{number}"])
		    while not finished(f"count.{number}"):
		        time.sleep(0.001)
		    time.sleep(random.uniform(0, 0.2))
		    process.kill()
		    process.wait()
		    print(process.pid, finished(f"count.{number}"), flush=True)
	END
	record recording "$PYTHON" killer.py "$PROGRAMS/counted" >finished
	[ "$(wc -l <finished)" -eq 15 ]
	report recording >report.json
	all_traced
	holds '.trace.lost == 0 and .trace.complete and ([.processes[] | select(.signal == 9)] | length == 15)'
}

# One thread in a few is in the midst of writing an event then, and LTTng itself hands out nothing of that buffer any more.
# What comes later would fill the ring, and be lost from then on, several times.
@test "killed with sixteen threads at work: what each had finished is in the trace, and what others did then and later" {
	cat >killer.py <<-'END'
		import os, subprocess, sys, time
		def finished(path):
		    counts = open(path, "rb").read() if os.path.exists(path) else b""
		    return sum(int.from_bytes(counts[at:at + 8], sys.byteorder) for at in range(0, len(counts), 8))
		for number in range(6):
		    process = subprocess.Popen([sys.argv[1], f"count.{number}", "16"])
		    while finished(f"count.{number}") < 2000:
		        time.sleep(0.001)
		    process.kill()
		    process.wait()
		    print(process.pid, finished(f"count.{number}"), flush=True)
	END
	# shellcheck disable=SC2016
	record recording sh -c '"$1/rate" 5000 2 >/dev/null & "$0" killer.py "$1/counted"; wait; "$1/rate" 150000 8 2 >/dev/null' \
		"$PYTHON" "$PROGRAMS" >finished
	report recording >report.json
	# Of a process there are some 30 events more: what it is, its modules and stacks, its object.
	while read -r pid count; do
		holds --argjson pid "$pid" --argjson count "$count" '
			.processes[] | select(.pid == $pid and .traced) |
			.lost <= 16 and .events + .lost >= $count and .events <= $count + 100'
	done <finished
	[ "$(wc -l <finished)" -eq 6 ]
	holds '.trace.problems == [] and
		([.processes[] | select(.exe | endswith("/rate")) | .lost] == [0, 0, 0, 0, 0]) and
		([.processes[] | select(.exe | endswith("/rate")) | .events] | add >= 1210000)'
}

@test "killed while LTTng comes up in it: it is named as not seen, or all of it is there" {
	cat >killer.py <<-'END'
		import os, subprocess, sys, time
		for number in range(8):
		    process = subprocess.Popen([sys.argv[1], f"count.{number}", "4"])
		    while not os.path.exists(f"count.{number}"):
		        time.sleep(0.001)
		    time.sleep(0.02 * number)
		    process.kill()
		    process.wait()
		    counts = open(f"count.{number}", "rb").read()
		    print(process.pid, sum(int.from_bytes(counts[at:at + 8], sys.byteorder) for at in range(0, len(counts), 8)), flush=True)
	END
	record recording "$PYTHON" killer.py "$PROGRAMS/counted" >finished
	report recording >report.json
	while read -r pid count; do
		holds --argjson pid "$pid" --argjson count "$count" '
			([.processes[] | select(.pid == $pid) | .events + .lost] | add) >= $count or
			any(.unseen[]; .pid == $pid and (.reason | test("while LTTng was coming up in it|did not take it in time|signed in")))'
	done <finished
	[ "$(wc -l <finished)" -eq 8 ]
}

@test "what the machine or a name alone tells is certain, whatever the trace lacks" {
	needs_root "a /dev/shm of its own"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"' sh \
		"$SHMGUARD" run --quiet --report=none -o recording -- "$PROGRAMS/names" shm_open "$NAME"
	report recording >report.json
	holds '.trace.complete'
	find recording/trace -name 'state_*' ! -name '*.idx' -size +0 -exec truncate -s 0 {} +
	report recording >report.json
	holds '(.trace.complete | not) and
		([.findings[] | select(.rule == "weak-mount") | .uncertain] == [false]) and
		all(.findings[] | select(.rule == "mapping-leak"); .uncertain)'
}

@test "as an ordinary user: the same report but for the user" {
	# shellcheck disable=SC2016
	as_nobody "$NOBODY_BUILD/shmguard" run --quiet --report=none -o "$NOBODY_HOME/user" -- sh -c \
		'"$0/names" shm_open "$1-a" && "$0/mappings" hole "/$1-b" && "$0/family" forks "/$1-c"' \
		"$NOBODY_BUILD/tests/programs" "$NAME" >out
	as_nobody "$NOBODY_BUILD/shmguard" report --format=json "$NOBODY_HOME/user" >report.json
	holds --arg name "/$NAME" --argjson uid "$NOBODY_UID" '
		.trace.lost == 0 and .trace.complete and .unseen == [] and
		all(.processes[], .objects[]; .uid == $uid) and (.objects | length == 103) and
		([.findings[] | select(.severity == "error") | [.rule, .count, .bytes]] == [["segment-leak", 1, 8192]]) and
		([.findings[] | select(.rule == "partial-unmap") | .bytes] == [24576]) and
		([.objects[] | select(.leaked) | .names] == [[$name + "-a"]])'
}

@test "two recordings at once have each their own objects and processes" {
	record first "$PROGRAMS/family" forks "/$NAME.first" >out.first 3>&- &
	record second "$PROGRAMS/family" forks "/$NAME.second" >out.second
	wait $!
	for which in first second; do
		report $which >report.json
		sort out.$which >pids
		jq -r '.processes[].pid' report.json | sort >reported
		same pids reported
		holds --arg prefix "/$NAME.$which." '
			.trace.lost == 0 and .trace.complete and (.objects | length == 101) and
			all(.objects[].names[]; startswith($prefix))'
	done
}

@test "100,000 tracked calls a second lose nothing" {
	recorded rate 100000 3 2
	local calls
	read -r calls _ <out
	[ "$calls" -eq 300000 ]
	holds --argjson calls "$calls" '.trace.events >= $calls and .trace.events < $calls + 200 and .objects[0].maps == $calls / 2'
	[ "$(map_events recording | wc -l)" -eq "$calls" ]
}

@test "what a stopped consumer makes lost is counted exactly, and the report is not complete" {
	# A machine of its own, so that no other recording's consumer is stopped.
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --mount-proc --propagation private bash -c '
		mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm
		"$SHMGUARD" run --quiet --report=none -o recording -- bash -c "
			\"\$PROGRAMS/rate\" 500000 7 2 >out &
			sleep 0.5; pkill -STOP -x lttng-consumerd; wait; pkill -CONT -x lttng-consumerd"'
	read -r calls _ <out
	report recording >report.json
	holds --argjson calls "$calls" '
		.trace.lost > 0 and (.trace.complete | not) and .trace.events > 0 and
		.trace.events + .trace.lost >= $calls and .trace.events + .trace.lost < $calls + 300 and
		([.processes[].lost] | add) == .trace.lost'
}

@test "babeltrace2 reads the trace: names for calls, symbols, flags and errors" {
	cat >fails.py <<-'END'
		import os, sys
		from multiprocessing import shared_memory
		try:
		    shared_memory.SharedMemory(sys.argv[1])
		except FileNotFoundError as error:
		    print(error.errno)
	END
	record recording "$PYTHON" fails.py "$NAME" >out
	[ "$(cat out)" = 2 ]
	babeltrace2 recording/trace >events 2>errors
	[ ! -s errors ]
	grep -q "shmguard:shm_open: .*name = \"/$NAME\".*error = ( \"ENOENT\" : container = 2 )" events
	record other "$PROGRAMS/mappings" hole "/$NAME" >out
	babeltrace2 other/trace >events
	grep -q 'shmguard:mmap: .*prot = ( "PROT_READ|PROT_WRITE" : container = 3 )' events
	grep -q 'shmguard:unlink: .*symbol = ( "shm_unlink" :' events
	grep -q 'shmguard:ftruncate: .*symbol = ( "ftruncate" :' events
	run ! grep -q '<unknown>' events
}

@test "an object that is told of once more has its own name and kind, whatever was told between" {
	cat >again.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None)
		libc.mmap.restype = ctypes.c_void_p
		libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
		libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
		made = os.O_RDWR | os.O_CREAT
		fds = [os.memfd_create("alpha"), libc.shm_open(b"/" + sys.argv[1].encode(), made, 0o600),
		       os.open("/dev/shm/" + sys.argv[1] + "-file", made), libc.shm_open(b"/" + sys.argv[2].encode(), made, 0o600),
		       os.memfd_create("closed")]
		os.unlink("/dev/shm/" + sys.argv[2])
		for fd in fds:
		    os.ftruncate(fd, 4096)
		mapped = [libc.mmap(None, 16384, 3, 1, fd, 0) for fd in fds]
		os.close(fds[-1])
		for address in mapped:
		    libc.munmap(address, 16384)
		os.unlink("/dev/shm/" + sys.argv[1])
		os.unlink("/dev/shm/" + sys.argv[1] + "-file")
	END
	record recording "$PYTHON" again.py "$NAME" "$NAME-unlinked"
	babeltrace2 recording/trace | sed -n 's/.* shmguard:object: .*, id = \([0-9]*\), kind = ( "\([a-z]*\)" .*, name = \("[^"]*"\).*/\1 \2 \3/p' >told
	LC_ALL=C sort told | uniq -c | sed 's/^ *//' >count
	cat >expected <<-END
		2 1 memfd "/memfd:alpha (deleted)"
		2 2 shm "/$NAME"
		2 3 file "/dev/shm/$NAME-file"
		1 4 shm "/dev/shm/$NAME-unlinked (deleted)"
		1 4 shm "/$NAME-unlinked"
		2 5 memfd "/memfd:closed (deleted)"
	END
	[ "$(id -u)" -eq 0 ] || sed -i '$s/^2/1/' expected
	same expected count
}

@test "a rename that fails replaces nothing, and one that does says what" {
	cat >rename.py <<-'END'
		import os, sys
		path = "/dev/shm/" + sys.argv[1]
		for end in "-1", "-2":
		    os.close(os.open(path + end, os.O_RDWR | os.O_CREAT))
		for old in "-none", "-2/none":
		    try:
		        os.rename(path + old, path + "-1")
		    except OSError as error:
		        print(error.errno)
		os.rename(path + "-2", path + "-1")
		os.unlink(path + "-1")
	END
	record recording "$PYTHON" rename.py "$NAME" >out
	babeltrace2 recording/trace | sed -n 's/.* shmguard:rename: .* error = ( "\([A-Za-z]*\)" .* object = \([0-9]*\), replaced = \([0-9]*\).*/\1 \2 \3/p' >renames
	printf '%s\n' 'ENOENT 0 0' 'ENOTDIR 0 0' 'none 2 1' >expected
	same expected renames
}

@test "the report is the same byte for byte elsewhere and when the programs are gone" {
	cp "$PROGRAMS/names" program
	record recording ./program shm_open "$NAME" >out
	for format in text json; do
		"$SHMGUARD" report --format=$format recording >before.$format
	done
	rm program
	mkdir elsewhere
	mv recording elsewhere/moved
	for format in text json; do
		(cd / && "$SHMGUARD" report --format=$format "$BATS_TEST_TMPDIR/elsewhere/moved") >after.$format
		[ -s after.$format ]
		same before.$format after.$format
	done
	grep -q 'names.c:' after.text
}

@test "output, exit status and descriptors are as bare, with objects in use" {
	cat >look.py <<-'END'
		import os, signal, sys
		from multiprocessing import shared_memory, resource_tracker
		segment = shared_memory.SharedMemory(sys.argv[1], create=True, size=4096)
		pipe = os.pipe()
		memfd = os.memfd_create("look")
		names = {fd: os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in [*range(0, 3), segment._fd, *pipe, memfd]}
		print(segment._fd, pipe, memfd, [name.replace(sys.argv[1], "") for name in names.values()][3:])
		print(signal.getsignal(signal.SIGBUS), os.sched_getaffinity(0), sorted(os.environ)[:0])
		sys.stderr.write("error\n")
		segment.close()
		segment.unlink()
		sys.exit(42)
	END
	"$PYTHON" look.py "$NAME" >bare 2>bare.error || [ $? -eq 42 ]
	record recording "$PYTHON" look.py "$NAME" >out 2>error && false
	[ $? -eq 42 ]
	same bare out
	same bare.error error
	[ "$(wc -l <out)" -eq 2 ]
}

@test "that an object was there before is said where a look or a whole trace shows it, and else doubted" {
	local name="/dev/shm/recording-before-$$"
	head -c 8192 /dev/zero >"$name"
	# shellcheck disable=SC2016
	record before "$PYTHON" -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.ftruncate(fd, 4096)' "$name"
	rm "$name"
	# said STATE WHO: of the object in the text, and of who made it in the finding.
	said()
	{
		COLUMNS=120 "$SHMGUARD" report --format=text --format=csv:csv before >got
		grep -q "recording-before-$$ .* $1\$" got
		grep -q "from 8192 to 4096 bytes, which $2 created" csv
	}
	said "from before" "somebody before the recording began"
	cp before/shm-before.json kept
	jq '.objects = []' kept >before/shm-before.json
	said left "somebody whose call is not in the trace"
	# Of a look that is gone nobody knows what it told.
	rm before/shm-before.json
	said "from before?" "an unknown process"
	jq 'del(.ended)' before/recording.json >new && mv new before/recording.json
	said "from before?" "an unknown process"
	mv kept before/shm-before.json
	said "from before" "somebody before the recording began"
}

@test "lines that were cut from a recording's processes.jsonl are missed" {
	record recording "$PROGRAMS/story" grown >/dev/null
	report recording >report.json
	holds '.trace.complete'
	sed -i '$d' recording/processes.jsonl
	report recording >report.json
	holds '(.trace.complete | not) and any(.trace.problems[]; contains("processes.jsonl is cut short: "))'
}

@test "a first look that is gone is missed, and what it would have told is not fixed" {
	# What lies about from before is of the size of this /dev/shm.
	shm()
	{
		unshare -m bash -c 'mount -t tmpfs -o size=4m,mode=1777 tmpfs /dev/shm || exit
			head -c 1M /dev/zero >"/dev/shm/$0-old"; "$@"' "$NAME" "$@"
	}
	needs_root "a /dev/shm of its own"
	shm "$SHMGUARD" run --quiet --report=none -o whole -- "$PROGRAMS/story" grown >/dev/null
	report whole >report.json
	holds '.trace.complete and any(.findings[]; .rule == "stale-at-start")'
	cp -r whole gone
	rm gone/shm-before.json
	report gone >report.json
	holds '(.trace.complete | not) and (.trace.problems | length) == 1 and (.trace.problems[0] |
		endswith("/gone/shm-before.json is missing: what was in /dev/shm before the recording began is not known"))'
	run -0 "$SHMGUARD" diff --json whole gone
	[[ $output == *"gone is incomplete: what is fixed may only be missing"* ]]
	# One that could not be taken is told of by the recording itself.
	jq '.looked_first = false | .problems = ["/dev/shm: no"]' gone/recording.json >new
	mv new gone/recording.json
	report gone >report.json
	holds '(.trace.complete | not) and .trace.problems == ["/dev/shm: no"]'
	# Nor is it told twice that it cannot be read.
	echo '{' >gone/shm-before.json
	report gone >report.json
	holds '[.trace.problems[] | select(contains("shm-before"))] | length == 1'
}

@test "what lies beside a trace and is another recording's is named, and no evidence" {
	local file
	record left "$PROGRAMS/leaky" 3 "/recording-left-$$." >out
	record gone "$PROGRAMS/story" grown >/dev/null
	report left >left.json
	report gone >gone.json
	for file in shm.json shm-before.json processes.jsonl; do
		for to in left gone; do
			cp -r $to mixed
			cp "$([ $to = left ] && echo gone || echo left)/$file" mixed
			report mixed >report.json
			holds --arg file "mixed/$file is of another recording, and not used" \
				'(.trace.complete | not) and any(.trace.problems[]; endswith($file))'
			holds --slurpfile was $to.json '.trace.events == $was[0].trace.events and .unseen == [] and
				([.findings[] | select((.uncertain | not) and .rule != "weak-mount") | .rule] - [$was[0].findings[].rule]) == []'
			rm -r mixed
		done
	done
}

@test "what came into /dev/shm and no call made is said, in every form" {
	# A C library of its own, which nobody intercepts.
	cat >past.c <<-'END'
		#include <dlfcn.h>
		#include <fcntl.h>
		int main(int count, char **names)
		{
			int (*make)(const char *, int, ...) = dlsym(dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW), "open");
			for (int i = 1; i < count; i++)
				if (make(names[i], O_RDWR | O_CREAT, 0640) < 0)
					return 1;
			return 0;
		}
	END
	gcc -w -D_GNU_SOURCE past.c -o past
	: >"/dev/shm/$NAME-old"
	# shellcheck disable=SC2016
	record recording sh -c '
		: >"$0-told"
		./past "$0-old" "$0-told" "$0-new"
		mkdir "$0-directory"
		./past "$0-directory/below"' "/dev/shm/$NAME"
	rm -r "/dev/shm/$NAME"*
	report recording >report.json
	holds --arg name "/$NAME" '[.appeared[].name] | sort == [$name + "-directory/below", $name + "-new"]'
	holds '.appeared | all(.size == 0 and .mode == 416 and .uid == 0)'
	holds '.trace.complete and .unseen == []'
	local form
	for form in text junit sarif; do
		"$SHMGUARD" report --format="$form" recording | tr -s '\n ' ' ' >told
		grep -qF "/$NAME-new" told
		grep -qF "came into /dev/shm meanwhile, and no call that was seen made it" told
	done
	rm recording/shm-before.json
	report recording >report.json
	holds '.appeared == []'
}
