# shellcheck shell=bash
# What the bats files share. BUILD is the build directory; everything a test writes goes below BATS_TEST_TMPDIR.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "$ROOT" && cd "${BUILD:-build}" && pwd)
SHMGUARD=$BUILD/shmguard
PYTHON=/usr/bin/python3
PROGRAMS=$BUILD/tests/programs
export ROOT BUILD SHMGUARD PYTHON PROGRAMS

# Ids of the rules; with "checked", of those that no policy must ask for.
rule_ids()
{
	"$SHMGUARD" rules --json | jq -r --arg which "${1:-}" '.rules[] | select($which == "" or .checked) | .id'
}

# Symbols of the table CALLS.
call_symbols()
{
	sed -n 's/^\tX(\([a-z0-9_A-Z]*\),.*/\1/p' "$ROOT/tracepoints/calls.h"
}

# record NAME COMMAND [ARG...]: records into $BATS_TEST_TMPDIR/NAME, with the command's output and exit status.
record()
{
	local name=$1
	shift
	"$SHMGUARD" run --quiet --report=none -o "$BATS_TEST_TMPDIR/$name" -- "$@"
}

# report NAME: the recording NAME as JSON.
report()
{
	"$SHMGUARD" report --format=json "$BATS_TEST_TMPDIR/$1"
}

# As the program, but that with -e an empty input is no success (jq 1.6).
jq()
{
	local output status=0
	# With its last empty lines.
	output=$(command jq "$@" || status=$?; printf x; exit "$status") || status=$?
	output=${output%x}
	printf '%s' "$output"
	[[ $status -ne 0 || -n $output || " $* " != *" -e"* ]] || status=4
	return "$status"
}

# holds [OPTION...] EXPRESSION: is true of ./report.json; prints what is in it when not.
holds()
{
	jq -e "$@" report.json >/dev/null || {
		jq -c '.trace, .unseen, .processes[:20][], .objects[:20][],
			(.findings[:20][] | [.rule, .severity, .count, .bytes, .message])' report.json
		return 1
	}
}

# recorded PROGRAM [ARG...]: its output is in ./out, the report in ./report.json; nothing was lost or unseen.
recorded()
{
	record recording "$PROGRAMS/$1" "${@:2}" >out
	report recording >report.json
	holds '.trace.lost == 0 and .trace.complete and .unseen == []'
}

# A recording costs more than most programs do, so a file can have what needs no surroundings of its own recorded together:
# ./runs has a line "LABEL COMMAND" for each, which run_all runs one after another: output into LABEL.KIND, status into
# LABEL.KIND.status.
run_all() # KIND [COMMAND...]: before the shell that runs them
{
	# shellcheck disable=SC2016
	"${@:2}" sh -c 'while read -r label command <&9; do
			eval "$command" >"$label.$0" 2>"$label.$0.errors" </dev/null 9<&-
			echo $? >"$label.$0.status"
		done 9<runs' "$1" || true
}

# record_all: run_all as `recorded`; LABEL.json is the part of the report that is about the processes of LABEL: the shell's
# child and its descendants, their objects and findings. What goes wrong here is missing there, for the tests to tell.
record_all()
{
	run_all recorded "$SHMGUARD" run --quiet --report=none -o recording --
	"$SHMGUARD" report --format=json recording >report.json || true
	jq -r --rawfile runs runs '. as {$trace, $unseen, $processes, $objects, $findings} |
		[$runs | splits("\n") | split(" ")[0] | select(.)] as $labels |
		[$processes[] | select(.parent == $processes[0].id) | .id] as $firsts |
		select(($firsts | length) == ($labels | length)) |
		([[$firsts, $labels] | transpose[] | {(.[0]): .[1]}] | add) as $first |
		(reduce $processes[] as $one ({}; .[$one.id] =
			($first[$one.id] // .[$one.parent // ""] // .[$one.previous // ""]))) as $of |
		$labels[] | . as $this | {$trace, $unseen,
			processes: [$processes[] | select($of[.id] == $this)],
			objects: [$objects[] | select($of[.created_by // ""] == $this)],
			findings: [$findings[] | select($of[.process // ""] == $this)]} |
		"\($this)\t\(tojson)"' report.json | while IFS=$'\t' read -r label report; do
		printf '%s\n' "$report" >"$label.json"
	done
}

# page_data FILE: the JSON in a page of --format=html.
page_data()
{
	sed -n 's/^<script type="application\/json" id="data">\(.*\)<\/script>$/\1/p' "$1"
}

# Prints what differs and fails.
same()
{
	local differences
	differences=$(diff -U 2 --label "$1" --label "$2" "$1" "$2") || { head -n 60 <<<"$differences"; return 1; }
}

# Skips a test that needs root for what is said.
needs_root()
{
	[ "$(id -u)" -eq 0 ] || skip "needs root: $1"
}

# Runs a command as nobody, with a home of its own; a copy of the build that nobody can reach is in $NOBODY_BUILD. Who is an
# ordinary user already stays so.
as_nobody()
{
	[ "$(id -u)" -eq 0 ] || { env HOME="$NOBODY_HOME" "$@"; return; }
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$NOBODY_HOME" PATH="$PATH" "$@"
}

# Makes $NOBODY_HOME, writable to nobody ($NOBODY_UID), and $NOBODY_BUILD; to be removed by remove_nobody_build.
make_nobody_build()
{
	NOBODY_UID=$(id -u)
	[ "$NOBODY_UID" -ne 0 ] || NOBODY_UID=65534
	NOBODY_HOME=$(mktemp -d /tmp/shmguard-test.XXXXXX)
	NOBODY_BUILD=$NOBODY_HOME/build
	mkdir "$NOBODY_BUILD"
	cp -r "$BUILD/shmguard" "$BUILD"/*.so "$BUILD/tests" "$NOBODY_BUILD/"
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$NOBODY_HOME"
	export NOBODY_HOME NOBODY_BUILD NOBODY_UID
}

remove_nobody_build()
{
	rm -rf "${NOBODY_HOME:?}"
}

# regular_is VALUE: fs.protected_regular is the machine's: a test has it for itself, until regular_back.
regular_is()
{
	if [ -z "${REGULAR_LOCK:-}" ]; then
		exec {REGULAR_LOCK}<"$BATS_TEST_DIRNAME/helpers.bash"
		flock "$REGULAR_LOCK"
		REGULAR_KEPT=$(cat /proc/sys/fs/protected_regular)
	fi
	echo "$1" 2>/dev/null >/proc/sys/fs/protected_regular || skip "fs.protected_regular is not ours to set"
}

# For teardown.
regular_back()
{
	[ -n "${REGULAR_LOCK:-}" ] || return 0
	echo "$REGULAR_KEPT" 2>/dev/null >/proc/sys/fs/protected_regular || true
	flock -u "$REGULAR_LOCK"
}

# Where the kernel has huge pages of 2 MiB to give, or none of that size, the test is skipped.
pool_is_empty()
{
	local pool pages=/sys/kernel/mm/hugepages/hugepages-2048kB
	[ -d "$pages" ] || skip "the huge pages here are not of 2 MiB"
	pool=$(cat "$pages/free_hugepages" "$pages/nr_overcommit_hugepages")
	[ "$pool" = $'0\n0' ] || skip "the pool of huge pages is not empty"
}
