# shellcheck shell=bash
# What the tests of faults share: the programs tests/programs/sigbus*.c with one of their uses, recorded one by one or together.

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	rm -f /dev/shm/shmguard-sigbus.*
}

# The program with that use.
program_of()
{
	echo "$BUILD/tests/programs/$(basename "$(grep -lE "^	X\($1\)" "$ROOT"/tests/programs/sigbus*.c)" .c)"
}

# The events of the recording `trace`: root's daemon hands every recording the events of all.
own_events()
{
	babeltrace2 trace/trace |
		grep "{ recording = $((16#$(jq -r .id trace/recording.json))), "
}

# one_after_another KIND COMMAND...: the command runs all that is in ./uses, a kind of SIGBUS after the other: output and
# exit status (128+N when signal N ended it) into USE.KIND, the first process into USE.pid.
one_after_another()
{
	local kind=$1
	shift
	# shellcheck disable=SC2016
	timeout 200 "$@" sh -c 'while read -r label program use environment; do
			env $environment sh -c "echo \$\$ >$label.pid; exec $program $use" >"$label.$0" 2>/dev/null
			echo "status $?" >>"$label.$0"
		done <uses' "$kind" >/dev/null 2>&1 3>&- 4>&- || true
}

# record_uses: ./uses are recorded together, as a recording costs more than most uses do; the events of each are in USE.events.
# What went wrong here is for the tests to tell.
record_uses()
{
	one_after_another recorded "$SHMGUARD" run --quiet --report=none -o trace --
	own_events >events || true
	# What follows the first event of a use's first process is of that use.
	while read -r use _; do
		: >"$use.events"
		echo "$(cat "$use.pid") $use"
	done <uses | awk 'NR == FNR { use[$1] = $2; next }
		match($0, / pid = [0-9]+/) {
			pid = substr($0, RSTART + 7, RLENGTH - 7)
			if (pid in use)
				now = use[pid]
			if (now)
				print >(now ".events")
		}' - events
}

see_faults()
{
	grep ' shmguard:fault: ' events >faults || true
	cat faults
}

# bare USE and recorded USE: output and exit status into files of those names.
bare()
{
	local status=0
	timeout 30 "$(program_of "$1")" "$1" >bare 2>/dev/null 3>&- 4>&- || status=$?
	echo "status $status" >>bare
}

recorded() # USE [COMMAND...]: before the program
{
	local status=0
	timeout 60 "$SHMGUARD" run --quiet --report=none -o trace -- "${@:2}" "$(program_of "$1")" "$1" \
		>recorded 2>/dev/null 3>&- 4>&- || status=$?
	echo "status $status" >>recorded
	own_events >events
	see_faults
}

recorded_together() # USE
{
	cp "$BATS_FILE_TMPDIR/$1.recorded" recorded
	cp "$BATS_FILE_TMPDIR/$1.events" events
	grep -q '^status ' recorded
	[ -s events ]
	see_faults
}

# faults COUNT PATTERN: so many fault events, each of which matches.
faults()
{
	[ "$(wc -l <faults)" -eq "$1" ]
	[ "$(grep -cE -- "$2" faults)" -eq "$1" ]
}
