#!/usr/bin/env bats
# `shmguard run`: the session daemon, and that nothing is left behind, lost or mixed.

load helpers
load run
bats_require_minimum_version 1.5.0

@test "as root nothing is left behind but the directory" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --quiet --report=none -o recording -- "$1" -c "
import os
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.unlink()
print(os.path.dirname(os.environ[\"SHMGUARD_NOTES\"]), file=open(\"private\", \"w\"))" || exit 1
		sleep 0.1
		find /run /dev/shm "$(cat private)" -mindepth 1 ! -path /run/mount 2>/dev/null; pgrep -a lttng; ps -e -o args= | grep -v -e ^ps -e ^grep -e bash' "$SHMGUARD" "$PYTHON"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ ! -e "$(cat private)" ]
	[ -s recording/trace/ust/uid/0/64-bit/metadata ]
}

@test "as an ordinary user nothing is left behind but the directory" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		setpriv --reuid=65534 --regid=65534 --clear-groups "$0" run --report=none --quiet -o "$2/clean" -- "$1" -c "
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.unlink()
import os
print(os.path.dirname(os.environ[\"SHMGUARD_NOTES\"]), file=open(\"$2/private\", \"w\"))" || exit 1
		sleep 0.1
		find /run /dev/shm -mindepth 1 ! -path /run/mount; ls -d "$(cat "$2/private")" 2>/dev/null; pgrep -a lttng
		ls "$2/clean" "$2/clean/trace"' "$NOBODY_BUILD/shmguard" "$PYTHON" "$NOBODY_HOME"
	[ "$output" = "$(printf '%s\n' "$NOBODY_HOME/clean:" processes.jsonl recording.json shm-before.json shm.json symbols.json trace "" "$NOBODY_HOME/clean/trace:" ust)" ]
}

@test "a run that is killed leaves nothing behind either" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --quiet --report=none -o recording -- sh -c "dirname \$SHMGUARD_NOTES >private; exec sleep 2" &
		for _ in $(seq 100); do pgrep -x sleep >/dev/null && [ -s private ] && break; sleep 0.05; done
		kill -9 $!
		pgrep -x sleep >/dev/null || echo the command is gone
		for _ in $(seq 100); do pgrep lttng >/dev/null || break; sleep 0.05; done
		sleep 0.3
		find /run /dev/shm -mindepth 1 ! -path /run/mount; ls -d "$(cat private)" 2>/dev/null; pgrep -a lttng; pgrep -a shmguard' "$SHMGUARD"
	[ -z "$output" ] || [[ $output == *Killed* && $(wc -l <<<"$output") -eq 1 ]]
}

@test "two recordings at once share root's daemon, do not mix, and the last stops it" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		program="
import sys, time
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096, name=sys.argv[1]); time.sleep(float(sys.argv[2])); s.unlink()"
		"$0" run --quiet --report=none -o one -- "$1" -c "$program" object-one 1 &
		"$0" run --quiet --report=none -o two -- "$1" -c "$program" object-two 2.5 &
		wait -n || echo failed
		pgrep -c lttng-sessiond
		wait || echo failed
		pgrep -c lttng-sessiond' "$SHMGUARD" "$PYTHON"
	[ "${lines[0]}" -eq 1 ]
	[ "${lines[1]}" -eq 0 ]
	ids=$(jq -r .id one/recording.json two/recording.json | sort -u | wc -l)
	[ "$ids" -eq 2 ]
	for name in one two; do
		babeltrace2 "$name/trace" >"$name.text"
		grep -q "object-$name" "$name.text"
		[ "$(grep -o ' recording = [0-9]*' "$name.text" | sort -u | wc -l)" -eq 1 ]
	done
}

@test "a recording within a recording has what it runs, and the outer one says so" {
	"$SHMGUARD" run --quiet --report=none -o outer -- "$SHMGUARD" run --quiet --report=none -o inner -- "$PROGRAMS/hostile_processes" plain
	report inner >report.json
	holds '.trace.complete and .unseen == [] and (.objects | length > 0)'
	report outer >report.json
	holds '.objects == [] and (.unseen | length == 1) and .unseen[0].reason == "it records by itself what it runs"'
	run "$SHMGUARD" report outer
	[[ $(tr -s "\n " " " <<<"$output") == *"[1 process not seen]"*"of what was seen no event lost"* ]]
}

@test "two recordings at once of an ordinary user do not mix" {
	as_nobody_run first -- sh -c 'sleep 1; exit 1' &
	first=$!
	as_nobody_run second -- sh -c 'exit 2' || [ $? -eq 2 ]
	wait "$first" || [ $? -eq 1 ]
	run ! grep -q '"blind"' "$NOBODY_HOME"/first/processes.jsonl "$NOBODY_HOME"/second/processes.jsonl
	[ "$(jq -s 'map(select(.type == "start")) | length' "$NOBODY_HOME/second/processes.jsonl")" -eq 1 ]
}

@test "the machine's daemon is used if there is one, and left as it was" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		lttng create mine --output=mine >/dev/null
		before=$(pgrep -x lttng-sessiond)
		"$0" run --quiet --report=none -o recording -- true; echo "status $?"
		[ "$before" = "$(pgrep -x lttng-sessiond)" ] && echo same daemon
		lttng --mi=xml list | grep -c "<name>"
		ls -d /run/shmguard* 2>/dev/null
		kill $before; sleep 1' "$SHMGUARD"
	[ "${lines[0]}" = "status 0" ]
	[ "${lines[1]}" = "same daemon" ]
	[ "${lines[2]}" = 1 ]
	[ "${#lines[@]}" -eq 3 ]
}

@test "the machine's daemon writes to where its mounts and its root do not reach" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		mkdir disk
		unshare --mount --propagation private bash -c "mount -t tmpfs tmpfs disk
			\"\$0\" run --quiet --report=none -o disk/whole -- \"\$1\" 2 /away.
			\"\$0\" run --quiet --report=none --snapshot-on=error -o disk/error -- \"\$1\" 2 /afar.
			cp -r disk/* ." "$@"
		find disk
		kill $(pgrep -x lttng-sessiond); sleep 1' "$SHMGUARD" "$SHMGUARD" "$PROGRAMS/leaky"
	[ "$output" = disk ]
	for recording in whole error; do
		"$SHMGUARD" report --format=json "$recording" |
			jq -e 'any(.findings[]; .rule == "segment-leak" and .count == 2) and .trace.complete'
	done
}

@test "a daemon of the machine in another pid namespace, which writes elsewhere, gives 125 and one line" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		mkdir disk
		unshare --mount --pid --fork --mount-proc bash -c "
			\"\$0\" run --quiet --report=none -o near -- \"\$1\" 2 /near.; echo \"status \$?\"
			mount -t tmpfs tmpfs disk
			\"\$0\" run --report=none -o disk/far -- touch ran; echo \"status \$?\"; ls disk" "$@"
		kill $(pgrep -x lttng-sessiond); sleep 1' "$SHMGUARD" "$SHMGUARD" "$PROGRAMS/leaky"
	[ "${lines[0]}" = "status 0" ]
	[ "${lines[1]}" = "shmguard: LTTng has written nothing to $PWD/disk/far/trace: its session daemon may have other mounts" ]
	[ "${lines[2]}" = "status 125" ]
	[ "${#lines[@]}" -eq 3 ]
	[ ! -e ran ]
	"$SHMGUARD" report --format=json near | jq -e 'any(.findings[]; .rule == "segment-leak" and .count == 2)'
}

@test "a daemon of the machine that is stopped gives 125 and one line" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		kill -STOP $(pgrep -x lttng-sessiond)
		"$0" run --report=none -o recording -- touch ran 2>messages; echo "status $?"
		[ -e recording ] && echo recording is left
		kill -9 $(pgrep lttng) 2>/dev/null; sleep 0.2
		cat messages' "$SHMGUARD"
	[ "${lines[0]}" = "status 125" ]
	[[ ${lines[1]} == "shmguard: the LTTng session daemon is stopped"* ]]
	[ "${#lines[@]}" -eq 2 ]
	[ ! -e ran ]
}

@test "without lttng-sessiond there is one message that names the package" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		mkdir original others && mount --bind /usr/bin original && ln -s "$PWD"/original/* others/ && rm others/lttng-sessiond
		mount --bind others /usr/bin
		"$0" run -o recording -- touch ran; echo "status $?"' "$SHMGUARD"
	[ "${lines[0]}" = "shmguard: lttng-sessiond is not installed (Debian package lttng-tools)" ]
	[ "${lines[1]}" = "status 125" ]
	[ ! -e ran ]
	[ ! -e recording ]
}

@test "a daemon that is killed meanwhile is told of, and the command goes on" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --report=none -o recording -- sh -c "pkill -9 lttng; sleep 2; exit 8" 2>messages; echo "status $?"
		grep -c "the LTTng session daemon has ended" messages' "$SHMGUARD"
	[ "${lines[0]}" = "status 8" ]
	[ "${lines[1]}" -ge 1 ]
	jq -e '.problems | length >= 1' recording/recording.json
}

@test "a process that lives on when a daemon is killed is told of, with the time from which on its calls may be missing" {
	needs_root "a machine of its own"
	cat >cut.py <<-'END'
		import mmap, os, subprocess, sys, time
		before = os.memfd_create("before")
		os.ftruncate(before, 4096)
		kept = mmap.mmap(before, 4096)
		if os.fork() == 0:
		    os._exit(0)
		os.wait()
		time.sleep(0.6)
		subprocess.run(["pkill", "-9", "-x", sys.argv[1]])
		time.sleep(0.6)
		for i in range(2000):
		    os.close(os.memfd_create("after"))
		kept.close()
	END
	local daemon
	for daemon in lttng-sessiond lttng-consumerd; do
		rm -rf recording
		run -0 machine "$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" cut.py "$daemon"
		"$SHMGUARD" report --format=json recording >report.json
		jq -e 'any(.trace.problems[]; test("has ended, [0-9]+[.][0-9] s after the start: what was called after that may be missing"))' report.json
		jq -e '.gone > .started + 600000000 and .gone < .ended - 500000000' recording/recording.json
	done
	rm -rf recording
	run -0 machine "$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" cut.py lttng-sessiond
	"$SHMGUARD" report --format=json recording >report.json
	jq -e '.trace.complete == false and .trace.lost_at_least and ([.objects[].names[0]] | index("memfd:after") | not)' report.json
	jq -e '[.processes[] | select(.traced) | .lost_at_least // false] == [true, false]' report.json
	COLUMNS=200 run -0 "$SHMGUARD" report recording
	[[ $output == *"exited with status 0, how many events of it are lost is not known"* && $output != *"no event lost"* ]]
}

@test "a daemon that is stopped meanwhile is told of, and does not hold up the end" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		"$0" run --report=none -o recording -- sh -c "pkill -STOP lttng; sleep 2; exit 8" 2>messages; echo "status $?"
		grep -c "is stopped (SIGSTOP)" messages
		pgrep -c lttng' "$SHMGUARD"
	[ "${lines[0]}" = "status 8" ]
	[ "${lines[1]}" -ge 1 ]
	[ "${lines[2]}" -eq 0 ]
}

@test "a daemon of the machine that is stopped meanwhile holds up no program that begins later" {
	needs_root "a machine of its own"
	echo 'import os; os.memfd_create("late")' >late.py
	# shellcheck disable=SC2016
	run machine bash -c '
		lttng-sessiond --no-kernel --background 2>/dev/null
		"$0" run --quiet --report=none -o recording -- sh -c "
			pkill -STOP lttng; sleep 4
			date +%s; $1 late.py; $1 late.py; date +%s; exit 8"
		echo "status $?"
		kill -9 $(pgrep lttng) 2>/dev/null; true' "$SHMGUARD" "$PYTHON"
	[ "${lines[2]}" = "status 8" ]
	[ $((lines[1] - lines[0])) -lt 10 ]
	[ "$("$SHMGUARD" report --format=json recording | jq '[.unseen[] | select(.reason | test("was stopped or gone"))] | length')" -eq 2 ]
}

@test "a daemon that is stopped holds up the first call of a program for little more than a second, and not once it goes on" {
	needs_root "a machine of its own"
	cat >held.py <<-'END'
		import os, signal, subprocess, sys, time
		daemon = int(subprocess.check_output(["pgrep", "-ox", "lttng-sessiond"]))
		def first(name):
		    began = time.monotonic()
		    subprocess.run([sys.executable, "-c", "import os; os.memfd_create('%s')" % name])
		    return time.monotonic() - began
		os.kill(daemon, signal.SIGSTOP)
		print(first("held") < 3.5, first("during") < 1.5)
		os.kill(daemon, signal.SIGCONT)
		time.sleep(2)
		first("after")
	END
	# shellcheck disable=SC2016
	run -0 machine bash -c '"$0" run --quiet --report=none -o own -- "$1" held.py
		lttng-sessiond --no-kernel --background 2>/dev/null
		"$0" run --quiet --report=none -o shared -- "$1" held.py
		kill $(pgrep -x lttng-sessiond); sleep 1' "$SHMGUARD" "$PYTHON"
	[ "$output" = "True True"$'\n'"True True" ]
	for recording in own shared; do
		report "$recording" >report.json
		holds '[.unseen[].reason | test("was stopped or gone")] == [true, true] and ([.objects[].names[0]] | index("memfd:after") != null)'
	done
}

@test "a child by fork of a recorded program is recorded though the daemon stands still" {
	needs_root "a machine of its own"
	cat >late.py <<-'END'
		import os, signal, subprocess
		daemon = int(subprocess.check_output(["pgrep", "-ox", "lttng-sessiond"]))
		os.memfd_create("early")
		os.kill(daemon, signal.SIGSTOP)
		child = os.fork()
		if child == 0:
		    os.memfd_create("late")
		    os._exit(0)
		os.waitpid(child, 0)
		os.kill(daemon, signal.SIGCONT)
		print(child)
	END
	run -0 machine "$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" late.py
	"$SHMGUARD" report --format=json recording | jq -e --argjson child "$output" '.unseen == [] and .trace.complete and
		(.processes[] | select(.pid == $child) | .traced and .lost == 0) and ([.objects[].names[0]] | sort == ["memfd:early", "memfd:late"])'
}

@test "a /dev/shm of 16 KB is enough for us, and nothing of ours lies there" {
	needs_root "a machine of its own"
	# shellcheck disable=SC2016
	run machine bash -c '
		mount -t tmpfs -o size=16k tmpfs /dev/shm
		"$0" run --quiet --report=none -o recording -- "$1" -c "
import os
from multiprocessing.shared_memory import SharedMemory as S
s = S(create=True, size=4096); s.buf[0] = 1
print([name for name in os.listdir(\"/dev/shm\") if not name.startswith((\"lttng-ust-wait\", \"psm_\"))])
s.unlink()"' "$SHMGUARD" "$PYTHON"
	[ "$status" -eq 0 ]
	[ "$output" = "[]" ]
	grep -q 'shmguard:shm_open' <(babeltrace2 recording/trace)
}

@test "what is left on /dev/shm is listed with its holders" {
	cat >leave.py <<-'END'
		import mmap, os, sys
		fd = os.open("/dev/shm/shmguard-run-" + sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
		os.ftruncate(fd, 8192)
		if os.fork() == 0:
		    m = mmap.mmap(fd, 4096)
		    os.close(fd)
		    os.setsid()
		    os.dup2(os.open("/dev/null", os.O_RDWR), 1)
		    os.execlp("sleep", "sleep", "0") if sys.argv[1] == "gone" else os.read(os.pipe()[0], 1)
	END
	timeout 20 "$SHMGUARD" run --quiet --report=none -o gone -- "$PYTHON" leave.py gone 3>&-
	timeout 20 "$SHMGUARD" run --quiet --report=none --until=command -o held -- "$PYTHON" leave.py held 3>&-
	LONELY=$(jq '.objects[] | select(.name == "/shmguard-run-held") | .holders[0]' held/shm.json)
	rm /dev/shm/shmguard-run-gone /dev/shm/shmguard-run-held
	jq -e '.objects[] | select(.name == "/shmguard-run-gone") | .size == 8192 and .holders == [] and .holders_complete == $root' \
		--argjson root "$([ "$(id -u)" -eq 0 ] && echo true || echo false)" gone/shm.json
	jq -e '.objects[] | select(.name == "/shmguard-run-held") | (.holders | length) == 1' held/shm.json
	[ -d "/proc/$LONELY" ]
}

@test "100,000 events a second for 10 seconds lose nothing" {
	needs_root "a machine of its own"
	cat >many.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <time.h>
		#include <unistd.h>
		int main(void)
		{
			int fd = memfd_create("many", 0);
			const struct timespec pause = { 0, 800000 };
			ftruncate(fd, 4096);
			for (int i = 0; i < 500000; i++) {
				munmap(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), 4096);
				if (i % 50 == 49)
					nanosleep(&pause, 0);
			}
			return 0;
		}
	END
	gcc -O1 -w -D_GNU_SOURCE many.c -o many
	run -0 machine "$SHMGUARD" run --quiet --report=none -o recording -- ./many
	events=$(babeltrace2 recording/trace 2>lost | grep -cE 'shmguard:(mmap|munmap):')
	[ "$events" -eq 1000000 ]
	[ ! -s lost ]
}

@test "a disk that fills meanwhile gives 125 instead of 0, and is told of" {
	needs_root "to mount a small disk"
	mkdir disk
	# shellcheck disable=SC2016
	run -125 unshare --mount --propagation private bash -c '
		mount -t tmpfs -o size=3m tmpfs disk
		"$0" run --report=none -o disk/recording -- sh -c "dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null; exit 0"' "$SHMGUARD"
	[[ $output == *"recording.json: No space left on device"* ]]
	[[ $output != *"recorded in"* ]]
}

@test "below another root the daemon's socket is missing: that is the reason, and with it the program is recorded" {
	needs_root "chroot"
	mkdir -p root/dev/shm root/run root/var
	ln -s ../run root/var/run
	# shellcheck disable=SC2016
	local below=(unshare --mount --propagation private bash -c '
		for part in usr lib lib64 bin proc "${BUILD#/}" $0; do
			[ ! -e "/$part" ] || { mkdir -p "root/$part" && mount --rbind "/$part" "root/$part"; }
		done
		exec chroot root "$BUILD/tests/programs/hostile_processes" plain')
	"$SHMGUARD" run --quiet --report=none -o without -- "${below[@]}" ""
	"$SHMGUARD" report --format=json without >report.json
	holds '[.unseen[].reason] == ["LTTng'"'"'s session daemon cannot be reached from its root directory (bind /run/lttng there)"]'
	"$SHMGUARD" run --quiet --report=none -o with -- "${below[@]}" run/lttng
	"$SHMGUARD" report --format=json with >report.json
	holds '.unseen == [] and (.objects | length) == 1'
}

@test "what the environment says to another session daemon, ours does not hear, and the program does" {
	LTTNG_CONSUMERD64_BIN=/bin/false LTTNG_ABORT_ON_ERROR=1 LTTNG_SESSION_CONFIG_XSD_PATH=/x LTTNG_DEBUG_NOCLONE=1 \
		"$SHMGUARD" run --quiet --report=none -o recording -- sh -c 'env | grep -c ^LTTNG_; exec "$@"' sh "$PROGRAMS/hostile_processes" plain >out
	[ "$(head -n 1 out)" -ge 4 ]
	report recording >report.json
	holds '.unseen == [] and .trace.lost == 0 and (.objects | length) == 1'
}
