#!/usr/bin/env bats
# shmguard top: once, for programs, and its screen in a terminal of tmux.
load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
	NAME=top-$$-$BATS_TEST_NUMBER
}

teardown()
{
	[ ! -e tmux ] || tmux -S tmux kill-server 2>/dev/null || true
	rm -f "/dev/shm/$NAME"*
}

@test "once: what grew between two looks, and the file system with its limit" {
	needs_root "a small /dev/shm is mounted"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=8m,mode=1777 tmpfs /dev/shm && head -c 1048576 /dev/urandom >"/dev/shm/$1" &&
		{ sleep 0.7; head -c 2097152 /dev/urandom >>"/dev/shm/$1"; } & "$0" top --once -d 2' "$SHMGUARD" "$NAME" >out
	cat out
	grep -qE '^/dev/shm  \[#+ *\]  3.0M of 8.0M \(38 %\), \+[0-9.]+[MK]/s, full in [0-9]+ s$' out
	grep -qE "^/$NAME +shm +root +3.0M +3.0M +\+[0-9.]+[MK] " out
}

@test "JSON, sorted and filtered, as its schema has it" {
	head -c 8192 /dev/zero >"/dev/shm/$NAME-b"
	head -c 4096 /dev/zero >"/dev/shm/$NAME-a"
	"$SHMGUARD" top --json -d 0.1 --sort=name --filter="$NAME" >top.json
	"$PYTHON" - top.json "$ROOT/tests/top.schema.json" <<-'END'
		import json, jsonschema, sys
		jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))
	END
	jq -e --arg name "/$NAME" '[.objects[] | [.name, .size, .growth]] == [[$name + "-a", 4096, 0], [$name + "-b", 8192, 0]] and
		.seconds >= 0.1' top.json
}

@test "trees: holders below an object, objects below a process" {
	exec 8>"/dev/shm/$NAME"
	head -c 4096 /dev/zero >&8
	"$SHMGUARD" top --once -d 0.1 --tree=object --filter="$NAME" >out
	cat out
	grep -A5 "^/$NAME " out | grep -qE "^  $$ bash .* [1-9] descriptors?, 0 mappings"
	"$SHMGUARD" top --once -d 0.1 --tree=process --filter="$NAME" >out
	cat out
	grep -A9 "^$$ bash .* holds [0-9]* object" out | grep -qE "^  /$NAME +shm"
}

@test "the screen: names as they come and go, keys, a name that is no command to the terminal" {
	which tmux
	tmux -S tmux new-session -d -x 120 -y 30 "stty -a >before; '$SHMGUARD' top -d 0.3; echo \$? >status; stty -a >after; sleep 60"
	wait_for() { for _ in $(seq 100); do tmux -S tmux capture-pane -p >screen; grep -qE "$1" screen && return; sleep 0.1; done; cat screen; false; }
	wait_for 'NAME .* HELD BY'
	printf 'x' >"/dev/shm/$NAME"$'\e]0;owned\a'
	wait_for "created /$NAME\\\\x1b\]0;owned"
	rm "/dev/shm/$NAME"*
	wait_for "removed /$NAME"
	tmux -S tmux send-keys t
	wait_for ', by object'
	tmux -S tmux send-keys n
	wait_for '>NAME|NAME '
	tmux -S tmux send-keys / nothing-has-this Enter
	wait_for 'nothing matches'
	tmux -S tmux resize-window -x 80 -y 24
	wait_for 'filter: nothing-has-this'
	# As narrow as that, who holds it is still told.
	tmux -S tmux send-keys / Escape t t
	exec 8>"/dev/shm/$NAME"
	wait_for "^/.* shm  .* live +$$ bash"
	exec 8>&-
	tmux -S tmux send-keys q
	for _ in $(seq 100); do [ ! -s after ] || break; sleep 0.1; done
	[ "$(cat status)" -eq 0 ]
	same <(sed "s/rows.*columns [0-9]*;//" before) <(sed "s/rows.*columns [0-9]*;//" after)
}

@test "SIGTERM leaves the terminal as it was, and ends it as any program" {
	tmux -S tmux new-session -d -x 100 -y 30 "stty -a >before; sh -c 'echo \$\$ >pid; exec \"$SHMGUARD\" top'; echo \$? >status; stty -a >after; sleep 60"
	for _ in $(seq 100); do tmux -S tmux capture-pane -p | grep -q HELD && break; sleep 0.1; done
	kill "$(cat pid)"
	for _ in $(seq 100); do [ ! -s after ] || break; sleep 0.1; done
	[ "$(cat status)" -eq 143 ]
	same before after
}

@test "no terminal, and wrong usage" {
	run "$SHMGUARD" top
	[ "$status" -eq 2 ]
	grep -q 'needs a terminal' <<<"$output"
	for wrong in --sort=colour --tree=apple -d0 operand; do
		run "$SHMGUARD" top --once "$wrong"
		[ "$status" -eq 2 ]
	done
}
