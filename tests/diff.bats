#!/usr/bin/env bats
# Two recordings, or the reports kept of them, compared by their findings.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "diff: the same is nothing, and what is not there any more is fixed" {
	run -0 "$SHMGUARD" diff leaks leaks
	[ "$output" = "0 new, 0 fixed, 0 changed" ]
	"$SHMGUARD" report --format=json leaks | jq 'del(.findings[] | select(.rule != "segment-leak"))' >some.json
	run -1 "$SHMGUARD" diff some.json leaks
	[ "${lines[0]}" = "3 new, 0 fixed, 0 changed" ]
	[[ ${lines[1]} == "new     error: mapping-leak (12 times, 480 KiB): server (pid 100) made 12"* ]]
	run -0 "$SHMGUARD" diff leaks some.json
	[ "${lines[0]}" = "0 new, 3 fixed, 0 changed" ]
	jq '.findings[0].count = 5' some.json >changed.json
	run -0 "$SHMGUARD" diff some.json changed.json
	[ "${lines[0]}" = "0 new, 0 fixed, 1 changed" ]
	[[ $output == *"segment-leak (5 times, 40 KiB): "*"before: once, 40 KiB"* ]]
	"$SHMGUARD" diff --json some.json changed.json | jq -e '.changed[0] | .before.count == 1 and .after.count == 5'
	jq '.trace.complete = false' some.json >cut.json
	run --separate-stderr -0 "$SHMGUARD" diff leaks cut.json
	[[ ${lines[0]} == "0 new, 3 fixed, 0 changed" && $stderr == "shmguard: cut.json is incomplete: what is fixed may only be missing" ]]
	run --separate-stderr -1 "$SHMGUARD" diff cut.json leaks
	[ "$stderr" = "shmguard: cut.json is incomplete: what is new may have been there" ]
}

@test "diff: that a finding is uncertain is said, and it counts for --fail-on as it does for report" {
	"$SHMGUARD" report --format=json leaks | jq '.trace.complete = false | .findings[0].uncertain = true' >unsure.json
	jq 'del(.findings[0])' unsure.json | jq '.trace.complete = true' >before.json
	run --separate-stderr -1 "$SHMGUARD" diff before.json unsure.json
	[[ ${lines[0]} == "1 new, 0 fixed, 0 changed" ]]
	[[ ${lines[1]} == "new     error: mapping-leak (12 times, 480 KiB, uncertain): server"* ]]
	[ "$stderr" = "shmguard: unsure.json is incomplete: what is fixed may only be missing, and what is new and uncertain need not be so
shmguard: all that is new in unsure.json at --fail-on=error is uncertain, and counts all the same" ]
	"$SHMGUARD" diff --json before.json unsure.json 2>/dev/null | jq -e '.new[0].uncertain and (.doubts | length) == 2'
	# As certain as one of them is.
	jq '.findings[0].uncertain = false | .findings[0].doubts = 3' unsure.json >some.json
	run --separate-stderr -1 "$SHMGUARD" diff before.json some.json
	[[ ${lines[1]} == "new     error: mapping-leak (12 times, 480 KiB, 3 of them uncertain): server"* ]]
	[ "$stderr" = "shmguard: some.json is incomplete: what is fixed may only be missing" ]
	jq '.findings += [.findings[0] | .uncertain = false]' unsure.json >both.json
	run --separate-stderr -1 "$SHMGUARD" diff before.json both.json
	[[ ${lines[1]} == "new     error: mapping-leak (24 times, 960 KiB, 12 of them uncertain): server"* ]]
	run --separate-stderr -0 "$SHMGUARD" diff unsure.json before.json
	[[ ${lines[1]} == "fixed   error: mapping-leak (12 times, 480 KiB, uncertain): server"* ]]
	[[ $output != *"--fail-on"* && $stderr != *"--fail-on"* ]]
}

@test "diff: a JSON report is read from a pipe as from a file, and so is what is none" {
	local bad writer
	"$SHMGUARD" report --format=json leaks >good.json
	jq 'del(.findings[0])' good.json >other.json
	"$SHMGUARD" diff good.json other.json >expected
	run -0 "$SHMGUARD" diff <(cat good.json) <(cat other.json)
	[ "$output" = "$(<expected)" ]
	run -0 "$SHMGUARD" diff leaks <(cat other.json)
	[ "$output" = "$(<expected)" ]
	run -0 "$SHMGUARD" diff good.json /dev/stdin < <(cat other.json)
	[ "$output" = "$(<expected)" ]
	run -0 "$SHMGUARD" diff good.json - < <(cat other.json)
	[ "$output" = "$(<expected)" ]
	run -0 "$SHMGUARD" diff good.json - <other.json
	[ "$output" = "$(<expected)" ]
	"$SHMGUARD" diff leaks good.json >none
	run -0 "$SHMGUARD" diff - leaks <good.json
	[ "$output" = "$(<none)" ]
	mkfifo fifo
	cat other.json >fifo &
	writer=$!
	run -0 "$SHMGUARD" diff good.json fifo
	[ "$output" = "$(<expected)" ]
	wait "$writer"
	for bad in '{' '' '[1] 2' '{"findings": []}'; do
		printf '%s' "$bad" >file
		run --separate-stderr -3 "$SHMGUARD" diff file leaks
		[[ $stderr != *$'\n'* ]]
		printf '%s' "$stderr" >expected
		cat file >fifo &
		writer=$!
		run --separate-stderr -3 "$SHMGUARD" diff fifo leaks
		[ "$stderr" = "$(sed 's/: file: /: fifo: /' expected)" ]
		wait "$writer"
		run --separate-stderr -3 "$SHMGUARD" diff leaks - <file
		[ "$stderr" = "$(sed 's/: file: /: standard input: /' expected)" ]
	done
	# shellcheck disable=SC2094
	run --separate-stderr -3 "$SHMGUARD" diff leaks - <leaks
	[ "$stderr" = "shmguard: standard input: Is a directory" ]
	run --separate-stderr -3 bash -c '"$1" diff leaks - <&-' sh "$SHMGUARD"
	[ "$stderr" = "shmguard: standard input: Bad file descriptor" ]
	run --separate-stderr -2 "$SHMGUARD" diff - - <good.json
	[[ $stderr == "shmguard: standard input can be one of the two reports, not both"* ]]
	jq '.trace.complete = false' good.json >cut.json
	run --separate-stderr -0 "$SHMGUARD" diff - good.json <cut.json
	[ "$stderr" = "shmguard: standard input is incomplete: what is new may have been there" ]
	# One that never ends, of blanks that no parser keeps.
	run --separate-stderr -3 timeout 60 "$SHMGUARD" diff leaks <(tr '\0' ' ' </dev/zero)
	[[ $stderr == "shmguard: /dev/fd/"*": longer than 268435456 bytes" ]]
	run --separate-stderr -3 "$SHMGUARD" diff leaks /dev/null
	[ "$stderr" = "shmguard: /dev/null: not a directory" ]
}

@test "diff: --fail-on, wrong usage, what is no report" {
	"$SHMGUARD" report --format=json leaks | jq 'del(.findings[] | select(.severity != "error"))' >errors.json
	run -0 "$SHMGUARD" diff errors.json leaks
	run -1 "$SHMGUARD" diff --fail-on=warning errors.json leaks
	run -2 "$SHMGUARD" diff leaks
	run -2 "$SHMGUARD" diff --fail-on=x leaks leaks
	echo '{"findings": []}' >other.json
	run --separate-stderr -3 "$SHMGUARD" diff other.json leaks
	[ -z "$output" ]
	[ "$stderr" = "shmguard: other.json: not a report of shmguard: schema: expected shmguard-report/1" ]
	echo '{' >broken.json
	run --separate-stderr -3 "$SHMGUARD" diff broken.json leaks
	[[ $stderr == "shmguard: broken.json: not JSON: "* ]]
	run -3 "$SHMGUARD" diff leaks nowhere
}

@test "diff: what a filter or a suppression left out of one of them is hidden there, neither new nor fixed" {
	echo 'mapping-leak:*' >known
	"$SHMGUARD" report --format=json --suppress=known --severity=warning leaks >some.json
	jq -e '.selection == {severity: "warning"} and
		[.hidden[] | .rule + " " + .by] == ["mapping-leak suppression", "partial-unmap filter"]' some.json
	run --separate-stderr -0 "$SHMGUARD" diff some.json leaks
	[ -z "$stderr" ]
	[ "${lines[0]}" = "0 new, 0 fixed, 0 changed, 2 hidden" ]
	[[ ${lines[1]} == "hidden  error: mapping-leak (12 times, 480 KiB): "* ]]
	[ "${lines[2]}" = "        left out of A by a suppression" ]
	run --separate-stderr -0 "$SHMGUARD" diff --json leaks some.json
	jq -e '.new == [] and .fixed == [] and .doubts == [] and
		[.hidden[] | .finding.rule + .missing_in + .by] == ["mapping-leakBsuppression", "partial-unmapBfilter"]' <<<"$output"
	run -0 "$SHMGUARD" diff some.json some.json
	[ "$output" = "0 new, 0 fixed, 0 changed" ]
	# What was counted in part.
	jq '.findings[0].count = 7' some.json >part.json
	run --separate-stderr -0 "$SHMGUARD" diff part.json leaks
	[ "$stderr" = "shmguard: part.json and leaks were filtered or suppressed in different ways: what changed may only have been counted in part" ]
	# A report of an earlier version says that it leaves something out, not what.
	jq 'del(.hidden, .selection)' some.json >old.json
	run --separate-stderr -0 "$SHMGUARD" diff leaks old.json
	[ "$stderr" = "shmguard: old.json was filtered or suppressed, and does not say what it leaves out: what is fixed may only be missing" ]
	[ "${lines[0]}" = "0 new, 2 fixed, 0 changed" ]
	"$SHMGUARD" diff --json leaks old.json 2>errors | jq -e '.doubts | length == 1'
	same <(jq -r '"shmguard: " + .doubts[0]' <("$SHMGUARD" diff --json leaks old.json 2>/dev/null)) errors
	# What one of them did not see.
	"$SHMGUARD" report --format=json leaks | jq '.unseen = [] | .findings = []' >saw.json
	run --separate-stderr -1 "$SHMGUARD" diff saw.json leaks
	[ "$stderr" = "shmguard: leaks did not see /sbin/static: what is fixed may only be missing" ]
}

@test "diff: a finding that no report has is refused, with what was expected" {
	local change
	"$SHMGUARD" report --format=json leaks >good.json
	# refused CHANGE WORDS: of a report after a change by jq.
	refused()
	{
		jq "$1" good.json >bad.json
		for change in "bad.json leaks" "leaks bad.json"; do
			# shellcheck disable=SC2086 # two words
			run --separate-stderr -3 "$SHMGUARD" diff $change
			# shellcheck disable=SC2154 # run sets it
			[ -z "$output" ]
			[ "$stderr" = "shmguard: bad.json: not a report of shmguard: $2" ]
		done
	}
	refused '.findings[1].count = -5' 'findings[1].count: expected a whole number from 1 on'
	refused '.findings[1].count = 0' 'findings[1].count: expected a whole number from 1 on'
	refused '.findings[0].bytes = 1.5' 'findings[0].bytes: expected a whole number from 0 on'
	refused '.findings[2].severity = "bogus"' 'findings[2].severity: expected error, warning or note'
	refused '.findings[2].severity = null' 'findings[2].severity: expected error, warning or note'
	refused 'del(.findings[3].rule)' 'findings[3].rule: expected a string'
	refused '.findings[0] = 7' 'findings[0].fingerprint: expected a string'
	refused '.findings = {}' 'findings: expected an array'
	refused '.schema = "shmguard-report/2"' 'schema: expected shmguard-report/1'
}

@test "diff: a place where the same rule is broken more gravely is changed, and fails where it newly reaches the level" {
	local place='{"rule":"mapping-leak","message":"m","bytes":1,"stacks":[{"frames":[{"function":"f","offset":1}]}]'
	echo '{"schema":"shmguard-report/1","findings":['"$place"',"count":1,"severity":"note","fingerprint":"a"}]}' >note.json
	echo '{"schema":"shmguard-report/1","findings":['"$place"',"count":9,"severity":"error","fingerprint":"b"}]}' >error.json
	run -1 "$SHMGUARD" diff note.json error.json
	[ "${lines[0]}" = "0 new, 0 fixed, 1 changed" ]
	[[ $output == *"before: note, once, 1 B"* ]]
	run -0 "$SHMGUARD" diff error.json note.json
	[ "${lines[0]}" = "0 new, 0 fixed, 1 changed" ]
	run -0 "$SHMGUARD" diff --fail-on=note error.json note.json
}

@test "diff: code that is in no module is the same wherever it lies" {
	local at place='{"rule":"mapping-leak","message":"m","bytes":1,"stacks":[{"frames":[{"function":"f","module":"/m","offset":1}'
	for at in 4096 8192; do
		echo '{"schema":"shmguard-report/1","findings":['"$place"',{"function":null,"module":null,"offset":'$at'}]}],
			"count":'$at',"severity":"'"$([ $at = 4096 ] && echo note || echo error)"'","fingerprint":"'$at'"}]}' >$at.json
	done
	run -1 "$SHMGUARD" diff 4096.json 8192.json
	[ "${lines[0]}" = "0 new, 0 fixed, 1 changed" ]
	sed 's/"module":"\/m","offset":1/"module":"\/m","offset":2/' 8192.json >elsewhere.json
	run -1 "$SHMGUARD" diff 4096.json elsewhere.json
	[ "${lines[0]}" = "1 new, 1 fixed, 0 changed" ]
}
