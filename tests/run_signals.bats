#!/usr/bin/env bats
# `shmguard run` and signals: which reach the command, which stop both, which end the recording.

load helpers
load run
bats_require_minimum_version 1.5.0

@test "a signal that is sent to run alone reaches the command" {
	"$SHMGUARD" run --report=none -o recording -- sh -c 'trap "echo got; exit 7" TERM; echo ready; while :; do sleep 0.1; done' >out 2>err 3>&- &
	LONELY=$!
	started out ready
	kill -TERM "$LONELY"
	wait "$LONELY" || [ $? -eq 7 ]
	[ "$(tail -n 1 out)" = got ]
	LONELY=
}

@test "what the command sends to its process group is not handed on a second time" {
	cat >group.py <<-'END'
		import os, signal, time
		got = []
		signal.signal(signal.SIGUSR1, lambda *_: got.append(1))
		os.kill(0, signal.SIGUSR1)
		time.sleep(0.5)
		print(len(got))
	END
	setsid "$SHMGUARD" run --quiet -o recording -- "$PYTHON" group.py >out
	[ "$(cat out)" = 1 ]
}

@test "Ctrl-C reaches the command once, and run waits on" {
	cat >interrupted.py <<-'END'
		import signal, sys, time
		got = []
		signal.signal(signal.SIGINT, lambda *_: got.append(1))
		print("ready", flush=True)
		end = time.time() + 1
		while time.time() < end:
		    time.sleep(0.05)
		print("interrupted", len(got), flush=True)
		sys.exit(4)
	END
	run "$PYTHON" "$ROOT/tests/run_terminal.py" interrupt "$SHMGUARD" run --quiet -o recording -- "$PYTHON" interrupted.py
	[[ $output == *"interrupted 1"* ]]
	[ "${lines[-1]}" = "status 4" ]
}

# Ends with how often it was continued, at once when that was as often as told.
stoppable()
{
	cat >stopped.py <<-'END'
		import signal, sys, time
		got = []
		def continued(*_):
		    got.append(1)
		    print("ready", flush=True)
		signal.signal(signal.SIGCONT, continued)
		print("ready", flush=True)
		end = time.time() + 15
		while len(got) < int(sys.argv[1]) and time.time() < end:
		    time.sleep(0.05)
		sys.exit(len(got))
	END
}

@test "a stopped command stops run, and both are continued" {
	stoppable
	run "$PYTHON" "$ROOT/tests/run_terminal.py" stop "$SHMGUARD" run --quiet -o recording -- "$PYTHON" stopped.py 2
	[ "${lines[-3]}" = "stopped by SIGTSTP" ]
	[ "${lines[-2]}" = "stopped by SIGTSTP" ]
	[ "${lines[-1]}" = "status 2" ]
}

@test "one stop of both is one stop, whoever of the two is continued, and when" {
	stoppable
	run "$PYTHON" "$ROOT/tests/run_terminal.py" whole "$SHMGUARD" run --quiet -o whole -- "$PYTHON" stopped.py 1
	[ "$(grep -c '^stopped by SIGSTOP$' <<<"$output")" -eq 1 ]
	[ "${lines[-1]}" = "status 1" ]
	run "$PYTHON" "$ROOT/tests/run_terminal.py" again "$SHMGUARD" run --quiet -o again -- "$PYTHON" stopped.py 1
	[ "$(grep -c '^stopped by SIGTSTP$' <<<"$output")" -eq 2 ]
	# It may have been too slow to see that it was continued in between.
	[[ ${lines[-1]} == "status "[12] ]]
}

@test "once the command has ended, a signal ends the recording, and that is told" {
	"$SHMGUARD" run --report=none -o recording -- sh -c 'sleep 30 >/dev/null 2>&1 & echo $!; exit 6' >out 2>err 3>&- &
	LONELY=$!
	started err "has ended, but processes"
	kill -TERM "$LONELY"
	wait "$LONELY" || [ $? -eq 6 ]
	LONELY=$(cat out)
	kill -0 "$LONELY"
	jq -e '.problems[0] | test("while processes of the command still ran")' recording/recording.json
}
