#!/usr/bin/env bats
# Several recordings, of some of which nothing tells what was recorded: their traces are read each as a recording of its own.

bats_require_minimum_version 1.5.0

setup_file()
{
	load helpers.bash
	export MADE=$BATS_FILE_TMPDIR/made
	mkdir "$MADE"
	cd "$BATS_FILE_TMPDIR" || return 1
	"$SHMGUARD" run --quiet --report=none -o "$MADE/early" -- "$PROGRAMS/leaky" 3 "/bare-$$." >out
	sleep 1
	"$SHMGUARD" run --quiet --report=none -o "$MADE/late" -- "$PROGRAMS/story" shrunk >out 2>errors || true
}

setup()
{
	load helpers.bash
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir fleet
	cp -r "$MADE/late" fleet/a
	cp -r "$MADE/early" fleet/b
	BARE='what was recorded, how processes ended and what was left in /dev/shm is known from the trace alone'
}

# What the report says of the processes and the objects of fleet/$1, apart from their ids.
told_of()
{
	jq -c --arg in "fleet/$1" '[.processes[] | select((.recording // $in) == $in) | del(.recording, .id, .parent, .previous)]' \
		"$2"
}

# The events of the timeline that are of fleet/$1, the nth of so many; their times from the first one on.
drawn_of()
{
	jq -c --argjson from "$(($1 << 22))" '[.traceEvents[] | select(.pid > $from and .pid < $from + 4194304)] |
		map(.pid -= $from | .tid -= $from | del(.id, .id2, .args.name, .args.id)) |
		([.[].ts | values] | min) as $first | map(if .ts then .ts = ((.ts - $first) * 1000 | round) else . end) |
		sort' "$2"
}

# Of the fleet, where nothing tells of $1: as whole.json of the same with all there.
fits()
{
	local part
	"$SHMGUARD" report --format=json fleet >report.json
	holds --slurpfile whole whole.json '.trace.seconds > 1 and .trace.seconds <= $whole[0].trace.seconds'
	holds --slurpfile whole whole.json '.trace.events == $whole[0].trace.events'
	holds '.trace.complete | not'
	holds '[.processes[].recording] | unique == ["fleet/a", "fleet/b"]'
	for part in a b; do
		[[ $1 == *$part* ]] || same <(told_of $part whole.json) <(told_of $part report.json)
		[ "$(jq --arg in "fleet/$part" '[.processes[] | select(.recording == $in and .traced)] | length' report.json)" -eq \
			"$(jq --arg in "fleet/$part" '[.processes[] | select(.recording == $in and .traced)] | length' whole.json)" ]
	done
	"$SHMGUARD" log fleet >calls 2>errors
	[ "$(wc -l <calls)" -eq "$(wc -l <whole.log)" ]
	"$SHMGUARD" log --since=0 fleet >since 2>errors
	same calls since
	run -1 grep -E '^([^ ]+ +)?[0-9]+ +-[0-9]' calls
	# The second one is a second later.
	[ "$("$SHMGUARD" log --since=0.9 fleet 2>errors | wc -l)" -eq "$("$SHMGUARD" log fleet/a 2>errors | wc -l)" ]
	"$SHMGUARD" objects --all --at=0.9 fleet 2>errors | grep -q '^  recorded in fleet/b$'
	"$SHMGUARD" objects --all --at=0.9 fleet >moment 2>errors
	run -1 grep -q '^  recorded in fleet/a$' moment
	COLUMNS=200 "$SHMGUARD" report fleet >out
	grep -q 'from the start of the first of 2 recordings;' out
	grep -q 'recorded in fleet/a' out
	grep -q 'recorded in fleet/b' out
}

whole()
{
	"$SHMGUARD" report --format=json fleet >whole.json
	"$SHMGUARD" log fleet >whole.log
}

@test "one without a description is read by itself, and what is not known of it is said" {
	local gone
	whole
	"$SHMGUARD" report --format=timeline fleet/a >alone.json
	for gone in gone damaged mine; do
		case $gone in
		gone) rm fleet/b/recording.json ;;
		damaged) echo '{"x' >fleet/b/recording.json ;;
		mine) rm fleet/b/recording.json && mkdir fleet/b/recording.json ;;
		esac
		fits b
		if [ $gone = gone ]; then
			holds --arg bare "fleet/b/recording.json is missing: $BARE" '.trace.problems == [$bare]'
		else
			holds --arg bare "fleet/b/recording.json cannot be used: $BARE" '.trace.problems | length == 2 and .[1] == $bare'
			holds '.trace.problems[0] | startswith("fleet/b/recording.json is ")'
		fi
		"$SHMGUARD" report --format=timeline fleet >timeline.json 2>errors
		same <(drawn_of 0 alone.json) <(drawn_of 0 timeline.json)
		[ "$(drawn_of 1 timeline.json | jq length)" -gt 5 ]
		# The picture of the worst, with what its victim had mapped.
		"$SHMGUARD" report --format=html fleet >report.html
		grep -q '"windows": *{[^]]*"all": *\[{"p"' report.html
	done
}

@test "so is the later one, and all of them" {
	whole
	mv fleet/a/recording.json .
	fits a
	holds --arg bare "fleet/a/recording.json is missing: $BARE" '.trace.problems == [$bare]'
	rm fleet/b/recording.json
	fits ab
	holds --arg bare ": $BARE" '.trace.problems == ["fleet/a/recording.json is missing" + $bare,
		"fleet/b/recording.json is missing" + $bare]'
	# A form without a place for it tells on stderr, in one line, that there is more of it.
	for form in csv folded folded-count speedscope timeline; do
		"$SHMGUARD" report --format=$form fleet >out 2>errors
		same <(tr _ - <errors) <(echo "shmguard: $form: fleet/a/recording.json is missing: $BARE; and 1 more that --format=text tells")
	done
	# One of them alone is what it is.
	rm -r fleet/b
	"$SHMGUARD" report --format=json fleet/a >alone.json
	"$SHMGUARD" report --format=json fleet >report.json
	same alone.json report.json
}

@test "so is a trace that somebody copied without the directory that it lay in" {
	whole
	mv fleet/b/trace/* fleet/b
	rm -r fleet/b/trace fleet/b/*.json*
	fits b
	holds --arg bare "fleet/b/recording.json is missing: $BARE" '.trace.problems == [$bare]'
}

@test "what tells of one is what is missing of it, not of another, whose events its trace has" {
	whole
	# A copy is read once, whichever of both tells what it is.
	cp -r fleet/b fleet/0
	rm fleet/0/recording.json
	"$SHMGUARD" report --format=json fleet >report.json
	holds --slurpfile whole whole.json '. == $whole[0]'
	rm fleet/b/recording.json
	"$SHMGUARD" report --format=json fleet >report.json
	holds --arg bare "fleet/0/recording.json is missing: $BARE" '.trace.problems == [$bare]'
	holds '[.processes[].recording] | unique == ["fleet/0", "fleet/a"]'
	# A stream of the other is gone, and what lies beside it does not hide that.
	rm -r fleet/0
	find fleet/a/trace -name state_0 -delete
	"$SHMGUARD" report --format=json fleet >report.json
	holds 'any(.trace.problems[]; test("bytes that were recorded are gone"))'
}

@test "the clock of a host that is not that of a trace alone is set all the same" {
	local host
	host=$(jq -r .host fleet/b/recording.json)
	rm fleet/b/recording.json
	sed -i 's/hostname = "[^"]*"/hostname = "zz"/' fleet/b/trace/ust/uid/*/*/metadata
	"$SHMGUARD" report --format=json "--clock-offset=$host=100" fleet >report.json
	holds '.trace.seconds > 100 and .trace.seconds < 150'
	"$SHMGUARD" report --format=json --clock-offset=zz=100 fleet >report.json
	holds '.trace.seconds > 95 and .trace.seconds < 100'
	run -3 "$SHMGUARD" report --clock-offset=nobody=100 fleet
}

@test "a file beside the trace that may not be read is named, and taken for one that is missing" {
	local file
	needs_root "to become another user"
	export NOBODY_HOME=/nonexistent
	cp "$SHMGUARD" shmguard
	chmod 0755 . "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	chmod -R a+rX fleet
	for file in processes.jsonl shm.json shm-before.json recording.json; do
		whole
		chmod 0 fleet/b/$file
		as_nobody ./shmguard report --format=json fleet >report.json
		holds --arg file fleet/b/$file '[.trace.problems[] | select(contains($file + ": Permission denied"))] | length == 1'
		holds --slurpfile whole whole.json '.trace.events == $whole[0].trace.events'
		holds --slurpfile whole whole.json '.trace.seconds > 1 and .trace.seconds <= $whole[0].trace.seconds'
		holds '[.processes[].recording] | unique == ["fleet/a", "fleet/b"]'
		same <(told_of a whole.json) <(told_of a report.json)
		as_nobody ./shmguard log fleet >calls 2>errors
		[ $file = recording.json ] || same whole.log calls
		[ "$(wc -l <calls)" -eq "$(wc -l <whole.log)" ]
		# The same alone.
		as_nobody ./shmguard report --format=json fleet/b >report.json
		holds --arg problem "fleet/b/$file: Permission denied" '.trace.complete == false and .trace.problems[0] == $problem'
		[ $file != recording.json ] || holds --arg bare "fleet/b/recording.json cannot be used: $BARE" '.trace.problems[1] == $bare'
		chmod 0644 fleet/b/$file
	done
}

@test "of what is certain in one recording and uncertain in another the certain one is told, and how many are not" {
	local other
	"$SHMGUARD" run --quiet --report=none -o once -- "$PYTHON" -c '
import os, sys
from _posixshmem import shm_open
os.ftruncate(shm_open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), 4096)' "/bare-left-$$"
	rm "/dev/shm/bare-left-$$"
	for other in a b; do
		rm -rf fleet
		mkdir fleet
		cp -r once fleet/a
		cp -r once fleet/b
		"$PYTHON" "$ROOT/tests/fleet.py" fleet/a
		"$SHMGUARD" report --format=json fleet >report.json
		holds '[.findings[] | select(.rule == "segment-leak") | .count, .uncertain, has("doubts")] == [2, false, false]'
		rm fleet/$other/recording.json
		"$SHMGUARD" report --format=json fleet >report.json
		holds --arg certain "fleet/$([ $other = a ] && echo b || echo a)" '[.findings[] | select(.rule == "segment-leak")] |
			length == 1 and (.[0] | .count == 2 and (.uncertain | not) and .doubts == 1 and .recordings[0] == $certain and
			(.message | contains("still exists and nobody uses it")))'
		COLUMNS=200 "$SHMGUARD" report fleet >out
		grep -qF 'segment-leak (2 times in 2 recordings, 8 KiB, 1 of them uncertain)' out
	done
	rm -f fleet/*/recording.json
	"$SHMGUARD" report --format=json fleet >report.json
	holds '[.findings[] | select(.rule == "segment-leak") | .count, .uncertain, has("doubts")] == [2, true, false]'
	COLUMNS=200 "$SHMGUARD" report fleet >out
	grep -qF 'segment-leak (2 times in 2 recordings, 8 KiB, uncertain)' out
}
