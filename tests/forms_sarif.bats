#!/usr/bin/env bats
# The report as SARIF: the standard's shape, GitHub's limits, places that lead somewhere.

bats_require_minimum_version 1.5.0

load helpers
load forms

# sarif_is_valid FILE: of the standard's shape, within GitHub's limits, with references that lead somewhere.
sarif_is_valid()
{
	"$PYTHON" - "$ROOT/tests/sarif.schema.json" "$1" <<-'END'
		import json, sys, jsonschema
		schema, log = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
		run = log["runs"][0]
		rules, bases = run["tool"]["driver"]["rules"], run["originalUriBaseIds"]
		assert len({rule["id"] for rule in rules}) == len(rules)
		assert all(base["uri"].endswith("/") for base in bases.values())
		def locations(node):
		    if isinstance(node, dict):
		        yield from [node["artifactLocation"]] if "artifactLocation" in node else []
		        node = list(node.values())
		    for part in node if isinstance(node, list) else []:
		        yield from locations(part)
		for result in run["results"]:
		    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
		    flows = [flow for code in result.get("codeFlows", []) for flow in code["threadFlows"]]
		    assert len({flow["id"] for flow in flows}) == len(flows)
		    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
		    places = result["locations"] + [step["location"] for flow in flows for step in flow["locations"]]
		    assert all("artifactLocation" in place["physicalLocation"] for place in places), result
		    assert sum(len(flow["locations"]) for flow in flows) <= 10000
		    assert all(flow["locations"][-1]["importance"] == "essential" for flow in flows)
		for place in locations(run["results"]):
		    assert place["uri"].startswith("file:///") or place.get("uriBaseId") in bases, place
		prints = [tuple(result["fingerprints"].values()) for result in run["results"]]
		assert len(set(prints)) == len(prints)
	END
}

@test "sarif: a finding without a stack has a location all the same, as GitHub wants it" {
	"$SHMGUARD" run --quiet --report=none -o mount -- unshare --mount --propagation private sh -c \
		"mount -t tmpfs tmpfs /dev/shm; exec '$PROGRAMS/leaky' 1 /forms-mount" || skip "needs root: to mount"
	"$SHMGUARD" report --format=sarif:got mount
	sarif_is_valid got
	jq -e 'all(.runs[0].results[]; .locations | length == 1)' got
}

@test "sarif: a finding of calls that no module made is in its program, as GitHub wants a file of each" {
	record generated "$PROGRAMS/generated" "/forms-generated-$$"
	rm -f "/dev/shm/forms-generated-$$"
	"$SHMGUARD" report --format=sarif:got --format=json:got.json "$BATS_TEST_TMPDIR/generated"
	sarif_is_valid got
	[ "$(uname -m)" = x86_64 ] || skip "generates no code for this machine"
	jq --arg program "file://$PROGRAMS/generated" -e 'any(.runs[0].results[]; .locations[0].physicalLocation |
		.address.absoluteAddress > 0 and .artifactLocation.uri == $program)' got
	[ "$(jq -r '.runs[0].results[].fingerprints[]' got)" = "$(jq -r '.findings[].fingerprint' got.json)" ]
	# The same calls of the program itself are where they were.
	record ordinary "$PROGRAMS/generated" "/forms-generated-$$" itself
	rm -f "/dev/shm/forms-generated-$$"
	"$SHMGUARD" report --format=sarif:got "$BATS_TEST_TMPDIR/ordinary"
	sarif_is_valid got
	jq -e 'any(.runs[0].results[]; .locations[0].physicalLocation.artifactLocation.uri | endswith("generated.c"))' got
	run -1 grep -F absoluteAddress got
}

@test "sarif: what is in a name is neither a link nor a placeholder" {
	name="/sarif-$$-[x](y){0}"
	"$SHMGUARD" run --quiet --report=none -o odd -- "$BUILD/tests/programs/leaky" 1 "$name" || true
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report --format=sarif odd >odd.sarif
	jq -e --arg name "/sarif-$$-[x\\](y){{0}}" 'any(.runs[0].results[].message.text; contains($name))' odd.sarif
	# A backslash before it would escape that which escapes it; any other stays one.
	name="/sarif-$$-\\a[x\\](y)\\\\](z)"
	"$SHMGUARD" run --quiet --report=none -o odder -- "$BUILD/tests/programs/leaky" 1 "$name" || true
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report --format=sarif odder >odd.sarif
	jq -e --arg name "/sarif-$$-\\a[x\\\\\\](y)\\\\\\\\\\](z)" 'any(.runs[0].results[].message.text; contains($name))' odd.sarif
}

@test "sarif: the standard's shape, a thread flow for each stack" {
	prints_as sarif expected.sarif jq 'del(.. | .ruleIndex?) | del(.runs[0].tool)'
	sarif_is_valid got
	jq -e '.runs[0].results[2] | .ruleId == "double-unlink" and .level == "warning" and
		(.codeFlows[0].threadFlows | length == 2) and
		.codeFlows[0].threadFlows[0].locations[-1].location.message.text == "unlinked"' got
}

@test "sarif: a source file that nobody can find is no place, but its module and function are" {
	cd "$BATS_TEST_TMPDIR"
	gcc -g -O0 -ffile-prefix-map="$ROOT=../elsewhere" -ffile-prefix-map="$PWD=." -o program "$ROOT/tests/programs/leaky.c"
	record recording ./program 1 "/forms-nowhere-$$-" >/dev/null
	rm -f "/dev/shm/forms-nowhere-$$-"*
	"$SHMGUARD" report --format=text recording | grep 'leaky_open (\.\./elsewhere/tests/programs/leaky.c:'
	"$SHMGUARD" report --format=sarif:got recording
	sarif_is_valid got
	run -1 grep -F '../' got
	jq --arg pwd "$PWD" -e '.runs[0].results[0].locations[0] | .logicalLocations[0].fullyQualifiedName == "leaky_open" and
		.physicalLocation.artifactLocation.uri == "file://\($pwd)/program"' got
}

@test "sarif: source files below the working directory are relative to it, and fingerprints are those of JSON" {
	cp "$BUILD/tests/programs/leaky" program
	(cd "$ROOT" && "$SHMGUARD" run --quiet --report=none -o "$BATS_TEST_TMPDIR/leaky" -- \
		"$BATS_TEST_TMPDIR/traces/program" 3 "/forms-sarif-$$-")
	rm -f "/dev/shm/forms-sarif-$$-"*
	"$SHMGUARD" report --format=sarif:got --format=json:got.json "$BATS_TEST_TMPDIR/leaky"
	sarif_is_valid got
	jq -e '.runs[0].results[0].locations[0].physicalLocation |
		.artifactLocation == {uri: "tests/programs/leaky.c", uriBaseId: "%SRCROOT%"} and .region.startLine == 14' got
	[ "$(jq -r '.runs[0].results[].fingerprints[]' got)" = "$(jq -r '.findings[].fingerprint' got.json)" ]
}

@test "sarif: of more than GitHub takes the gravest are there, and those it shows have stacks, however they are brought together" {
	record crowd "$PROGRAMS/leaky" 9000 "/forms-crowd-$$-"
	find /dev/shm -name "forms-crowd-$$-*" -delete
	"$SHMGUARD" report --group-by=object --format=sarif:got --format=json:got.json "$BATS_TEST_TMPDIR/crowd"
	jq -c '[.findings[].severity] | [length, (map(select(. == "error")) | length)]' got.json >counts
	[ "$(jq '.[0] > 25000 and .[1] > 5000 and .[1] < 25000' counts)" = true ]
	[ "$(jq '.findings[0:9000] | any(.severity == "note")' got.json)" = true ]
	jq -e --slurpfile counts counts '[.runs[0].results[].level] | length == 25000 and
		(map(select(. == "error")) | length) == $counts[0][1] and index("note") == $counts[0][1]' got
	jq -e '[.runs[0].results[] | has("codeFlows")] | (.[0:5000] | all) and (.[5000:] | any | not)' got
	jq -e --slurpfile counts counts 'any(.runs[0].invocations[0].toolExecutionNotifications[].message.text;
		startswith("\($counts[0][0] - 25000) findings were left out"))' got
}

@test "sarif: it says what was asked for, which rules were not, and what suppressions left out" {
	"$SHMGUARD" report --format=sarif:got leaks
	jq -e '.runs[0] | (.properties == null) and (.invocations[0].ruleConfigurationOverrides == null)' got
	echo 'mapping-leak:*' >known
	echo 'churn:/unused' >>known
	"$SHMGUARD" report --format=sarif:got --suppress=known --rule='*-leak' --pid=100 --severity=error leaks
	sarif_is_valid got
	jq -e '.runs[0].properties | .selection == {pid: 100, rule: "*-leak", severity: "error"} and .filtered == 2 and
		[.suppressions[] | [.rule, .line, .findings]] == [["mapping-leak", 1, 1], ["churn", 2, 0]]' got
	# Of the driver's rules those are off that were not asked for.
	jq -e '.runs[0] | .tool.driver.rules as $rules | .invocations[0].ruleConfigurationOverrides |
		all($rules[.descriptor.index].id == .descriptor.id and .configuration.enabled == false) and
		([$rules[].id] - [.[].descriptor.id] | length > 2 and all(endswith("-leak")))' got
	jq -e '[.runs[0].results[].ruleId] == ["segment-leak"]' got
	"$SHMGUARD" report --format=sarif:got --suppress=known leaks
	sarif_is_valid got
	jq -e '.runs[0] | .properties.selection == {} and .properties.filtered == 0 and
		.invocations[0].ruleConfigurationOverrides == null' got
}
