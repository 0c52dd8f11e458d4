#!/usr/bin/env bats
# Every form of a report of several recordings, and the log, says in which of them something was; of one alone none does.

bats_require_minimum_version 1.5.0

load helpers.bash
load html.bash

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir fleet
	"$SHMGUARD" run --quiet --report=none -o fleet/a -- "$PROGRAMS/story" shrunk >out 2>errors || true
	cp -r fleet/a fleet/b
	"$PYTHON" "$ROOT/tests/fleet.py" fleet/b
	"$SHMGUARD" run --quiet --report=none -o fleet/c -- "$PROGRAMS/leaky" 1 "/forms-$$." >out
	"$SHMGUARD" report --format=json:report.json --format=csv:csv --format=junit:junit --format=sarif:sarif fleet
	COLUMNS=200 "$SHMGUARD" report --verbose fleet >text
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return 1
}

# The recordings of each finding, by rule and fingerprint, one a line.
expected()
{
	jq -r '.findings[] | [.fingerprint, (.recordings | join("; "))] | @tsv' report.json | sort
}

@test "json: a finding names all the recordings that it is of" {
	holds '.findings | map(select(.rule == "sigbus-cause"))[0].recordings == ["fleet/a", "fleet/b"]'
	holds '.findings | map(select(.rule == "segment-leak"))[0].recordings == ["fleet/c"]'
	holds 'all(.findings[]; .recordings | length > 0)'
	holds --slurpfile all report.json 'all(.findings[]; . as $f | .process == null or
		($all[0].processes[] | select(.id == $f.process).recording) as $r | $f.recordings | index($r))'
	"$PYTHON" -c 'import json, sys, jsonschema; s, r = map(json.load, map(open, sys.argv[1:]))
jsonschema.Draft202012Validator(s).validate(r)' "$ROOT/tests/report.schema.json" report.json
}

@test "csv: they are the last column" {
	[ "$(head -n 1 csv)" = "$(head -n 1 "$ROOT/tests/traces/leaks/expected.csv" | tr -d '\r'),recordings"$'\r' ]
	same <(expected) <("$PYTHON" -c 'import csv
for row in csv.DictReader(open("csv", newline="")): print(row["fingerprint"], row["recordings"], sep="\t")' | sort)
}

@test "sarif: they are a property of the result, and its message names them" {
	same <(expected) <(jq -r '.runs[0].results[] | [.fingerprints["shmguard/v1"], (.properties.recordings | join("; "))] | @tsv' \
		sarif | sort)
	jq -e '[.runs[0].results[] | select(.ruleId == "sigbus-cause").message.text | endswith(" (in 2 recordings, first fleet/a)")] == [true]' sarif
	jq -e '[.runs[0].results[] | select(.ruleId == "segment-leak").message.text | endswith(" (recorded in fleet/c)")] == [true]' sarif
	"$PYTHON" -c 'import json, sys, jsonschema; s, r = map(json.load, map(open, sys.argv[1:]))
jsonschema.Draft202012Validator(s).validate(r)' "$ROOT/tests/sarif.schema.json" sarif
	# What CI knows a finding by is as of one alone.
	same <("$SHMGUARD" report --format=sarif fleet/c | jq -c '.runs[0].results[] | select(.ruleId == "segment-leak") | .fingerprints') \
		<(jq -c '.runs[0].results[] | select(.ruleId == "segment-leak") | .fingerprints' sarif)
}

@test "junit: the words of a case name them, and it is called as of one alone" {
	"$PYTHON" - <<-'END'
		import json, xml.etree.ElementTree as tree
		cases = {c.get("name").split("[")[-1].rstrip("]"): c for c in tree.parse("junit").iter("testcase") if len(c)}
		for finding in json.load(open("report.json"))["findings"]:
		    case = cases[finding["fingerprint"]]
		    assert set(case.attrib) == {"classname", "name", "time"} and len(case) == 1
		    assert "\nrecorded in " + "; ".join(finding["recordings"]) + "\n" in case[0].text, case[0].text
	END
	"$SHMGUARD" report --format=junit fleet/c | grep -o 'name="segment-leak[^"]*"' >alone
	grep -qFf alone junit
}

@test "text and html: a finding of several says of how many, and which one it shows" {
	grep -q '^error: sigbus-cause (2 times in 2 recordings)$' text
	grep -q '^error: segment-leak (64 KiB)$' text
	"$SHMGUARD" report --format=html:page.html fleet
	open_page page.html >dom
	[ ! -s console ]
	grep -qF 'error: sigbus-cause</strong> (2 times in 2 recordings)' dom
	grep -qF 'error: segment-leak</strong> (64 KiB)' dom
}

@test "text: a process that did not simply exit is told with where it was recorded" {
	grep -A9 '^Processes that did not simply exit' text >killed
	[ "$(grep -cE '^  [0-9]+ story: killed by SIGBUS; recorded in fleet/[ab]$' killed)" -eq 2 ]
}

@test "log: each line begins with where it was recorded, and has the number that --pid takes" {
	local pid part
	"$SHMGUARD" log fleet >calls
	for part in a b c; do
		"$SHMGUARD" log fleet/$part | sed -E 's/^([0-9]+) +[0-9.]+ /\1 /' >alone
		sed -nE "s,^fleet/$part +([0-9]+) +[0-9.]+ ,\1 ,p" calls | cmp - alone
	done
	run -1 grep -vE '^fleet/[abc] +[0-9]+ +[0-9]+\.[0-9]{6} ' calls
	grep -qE '^fleet/a +[0-9]+ +[0-9.]+ \+\+\+ killed by SIGBUS \+\+\+$' calls
	pid=$(sed -nE 's,^fleet/b +([0-9]+) .*killed by SIGBUS.*,\1,p' calls)
	same <("$SHMGUARD" log "--pid=$pid" fleet) <(grep -E "^fleet/[ab] +$pid " calls)
}

@test "of one recording none of it is said" {
	"$SHMGUARD" report --format=json:one.json --format=csv:one.csv --format=junit:one.junit --format=sarif:one.sarif fleet/a
	"$SHMGUARD" report fleet/a >one.text
	"$SHMGUARD" log fleet/a >one.log
	run -1 grep -E 'recordings|fleet/a' one.json one.csv one.junit one.sarif one.log
	run -1 grep -E 'recorded in|recordings' one.text
}
