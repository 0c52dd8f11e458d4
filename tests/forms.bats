#!/usr/bin/env bats
# Every form of a report, on canned traces: the bytes of each are those of tests/traces/<case>/expected.*

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cp -r "$ROOT/tests/traces" "$BATS_TEST_TMPDIR/traces"
	cd "$BATS_TEST_TMPDIR/traces" || return 1
}

# prints_as FORM FILE [FILTER...]: the case "leaks" in that form is what FILE has; FILTER leaves out the rules that are
# only looked for, which grow with every version.
prints_as()
{
	local form=$1 file=$2
	shift 2
	"$SHMGUARD" report --format="$form" leaks >got
	if [ $# -gt 0 ]; then "$@" <got >filtered; else cp got filtered; fi
	same "leaks/$file" filtered
}

junit_filter()
{
	sed -e '/<testcase/{N;/\n *<\/testcase>$/d}' -e 's/ tests="[0-9]*"//'
}

# hostile NAME: records a program that leaks an object of that name, as ./hostile
hostile()
{
	"$SHMGUARD" run --quiet --report=none -o hostile -- "$BUILD/tests/programs/leaky" 1 "$1"
	rm -f "/dev/shm${1}0"
}

@test "text: errors first, a note in two lines" {
	prints_as text expected.txt
}

@test "junit" {
	prints_as junit expected.junit.xml junit_filter
	"$PYTHON" - got <<-'END'
		import sys, xml.etree.ElementTree as tree
		suites = tree.parse(sys.argv[1]).getroot()
		assert suites.tag == "testsuites"
		for suite in suites:
		    cases = suite.findall("testcase")
		    assert int(suite.get("tests")) == len(cases)
		    assert int(suite.get("failures")) == sum(case.find("failure") is not None for case in cases) == 3
	END
}

@test "csv" {
	prints_as csv expected.csv
	"$PYTHON" - got <<-'END'
		import csv, sys
		rows = list(csv.DictReader(open(sys.argv[1], newline="")))
		assert [r["rule"] for r in rows] == ["mapping-leak", "segment-leak", "double-unlink", "partial-unmap"]
		assert all(None not in r and None not in r.values() for r in rows)
	END
}

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

@test "fingerprints are those of another build, elsewhere, with lines moved and libc left out" {
	local place
	mkdir one two
	cp "$ROOT/tests/programs/leaky.c" one/
	{ printf '\n\n\n'; cat "$ROOT/tests/programs/leaky.c"; } >two/leaky.c
	gcc -g -O0 one/leaky.c -o one/leaky
	gcc -g -O1 -fno-inline two/leaky.c -o two/leaky
	for place in one two; do
		"$SHMGUARD" run --quiet --report=none -o "$place/recording" -- "$place/leaky" 2 "/forms-print-$$-"
		rm -f "/dev/shm/forms-print-$$-0" "/dev/shm/forms-print-$$-1"
		"$SHMGUARD" report --format=json --severity=error "$place/recording" | jq -r '.findings[] | .rule + " " + .fingerprint' >$place/prints
	done
	grep -q segment-leak one/prints
	same one/prints two/prints
	run -0 "$SHMGUARD" diff one/recording two/recording
	[[ ${lines[0]} == "0 new, 0 fixed, "* ]]
}

@test "sarif: what is in a name is neither a link nor a placeholder" {
	name="/sarif-$$-[x](y){0}"
	"$SHMGUARD" run --quiet --report=none -o odd -- "$BUILD/tests/programs/leaky" 1 "$name" || true
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report --format=sarif odd >odd.sarif
	jq -e --arg name "/sarif-$$-[x\\](y){{0}}" 'any(.runs[0].results[].message.text; contains($name))' odd.sarif
}

@test "sarif: the standard's shape, a thread flow for each stack" {
	prints_as sarif expected.sarif jq 'del(.. | .ruleIndex?) | del(.runs[0].tool)'
	sarif_is_valid got
	jq -e '.runs[0].results[2] | .ruleId == "double-unlink" and .level == "warning" and
		(.codeFlows[0].threadFlows | length == 2) and
		.codeFlows[0].threadFlows[0].locations[-1].location.message.text == "unlinked"' got
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

@test "folded: bytes and mappings that each stack left" {
	prints_as folded expected.folded
	prints_as folded-count expected.folded-count
	[ "$(awk '{ sum += $NF } END { print sum }' leaks/expected.folded-count)" -eq 14 ]
}

@test "speedscope: samples that lead to frames, weights that add up" {
	prints_as speedscope expected.speedscope.json jq 'del(.exporter)'
	"$PYTHON" - got <<-'END'
		import json, sys
		scope = json.load(open(sys.argv[1]))
		frames = scope["shared"]["frames"]
		assert len({json.dumps(frame) for frame in frames}) == len(frames)
		for profile in scope["profiles"]:
		    assert profile["type"] == "sampled" and profile["unit"] in ("bytes", "none")
		    assert len(profile["samples"]) == len(profile["weights"])
		    assert all(0 <= index < len(frames) for sample in profile["samples"] for index in sample)
		    assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
	END
}

@test "timeline: events as Chrome's format has them, a slice for every object, mapped bytes counted" {
	prints_as timeline expected.timeline.json
	"$PYTHON" - got <<-'END'
		import collections, json, sys
		events = json.load(open(sys.argv[1]))["traceEvents"]
		for event in events:
		    assert event["ph"] in "MiCbe" and isinstance(event["pid"], int) and isinstance(event["name"], str), event
		    assert event["ph"] == "M" or event["ts"] >= 0, event
		    assert event["ph"] != "i" or event["s"] in "gpt", event
		    assert event["ph"] != "C" or all(isinstance(v, int) for v in event["args"].values()), event
		slices = collections.defaultdict(list)
		for event in events:
		    if event["ph"] in "be":
		        slices[event["cat"], event["id"], event["name"]].append((event["ph"], event["ts"]))
		assert len(slices) == 3
		assert all([ph for ph, _ in s] == ["b", "e"] and s[0][1] <= s[1][1] for s in slices.values())
		peak = max(e["args"]["bytes"] for e in events if e["ph"] == "C" and e["pid"] == 100)
		assert peak == 12 * 40960 + 8192, peak
		assert sum(e.get("cat") == "finding" for e in events) == 4
	END
}

@test "html: the data in the page" {
	"$SHMGUARD" report --format=html leaks >page.html
	sed -n 's/^<script type="application\/json" id="data">\(.*\)<\/script>$/\1/p' page.html | jq 'del(.rules, .report.rules)' >got
	same leaks/expected.html.json got
}

@test "suppressions: what is printed for the canned trace" {
	"$SHMGUARD" report --gen-suppressions leaks >got
	same leaks/expected.suppressions got
}

@test "several forms at once, each into its file" {
	run --separate-stderr "$SHMGUARD" report --format=csv:a.csv --format=json --format=junit:a.xml leaks
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	jq -e '.schema == "shmguard-report/1"' <<<"$output"
	same leaks/expected.csv a.csv
	junit_filter <a.xml >a.filtered
	same leaks/expected.junit.xml a.filtered
}

@test "two forms on standard output, or a form without its file, are wrong usage" {
	run --separate-stderr "$SHMGUARD" report --format=csv --format=json leaks
	[ "$status" -eq 2 ] && [ -z "$output" ] && [[ $stderr == *"standard output"* ]]
	run --separate-stderr "$SHMGUARD" report --format=csv: leaks
	[ "$status" -eq 2 ] && [ -z "$output" ]
}

@test "a file that cannot be written is named, and the other forms are printed" {
	run --separate-stderr "$SHMGUARD" report --format=csv:nowhere/a.csv --format=json leaks
	[ "$status" -eq 3 ]
	[[ $stderr == "shmguard: nowhere/a.csv: "*"No such file"* ]]
	jq -e '.findings | length == 4' <<<"$output"
}

@test "ten notes bury nothing: two lines each, and how many more there are" {
	"$SHMGUARD" run --quiet --report=none -o many -- "$BUILD/tests/programs/notes"
	COLUMNS=90 "$SHMGUARD" report many >text
	[ "$(grep -c '^note: ' text)" -eq 10 ]
	all=$("$SHMGUARD" report --format=json many | jq '[.findings[] | select(.severity == "note")] | length')
	[ "$all" -ge 15 ]
	grep -qE "^\.\.\. and $((all - 10)) notes? more: --verbose$" text
	[ "$(awk '/^note: /, /^\.\.\. /' text | wc -l)" -eq 21 ]
	COLUMNS=90 "$SHMGUARD" report --verbose many >text
	[ "$(grep -c '^note: ' text)" -eq "$all" ]
	run -1 grep -q '^\.\.\. and' text
}

@test "names of a program are escaped in every form" {
	hostile "$(printf '/forms-%s-]]><&"\047\033[1m\377=' $$)"
	for form in text json junit csv sarif folded folded-count speedscope timeline; do
		"$SHMGUARD" report --format="$form" hostile >"got.$form"
		iconv -f UTF-8 -t UTF-8 "got.$form" >/dev/null
		run -1 grep -P '[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]' "got.$form"
	done
	"$PYTHON" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse("got.junit")'
	grep -F ']]&gt;&lt;&amp;&quot;' got.junit
}

@test "a field that a spreadsheet would run is text" {
	cp "$BUILD/tests/programs/notes" "=cmd"
	"$SHMGUARD" run --quiet --report=none -o formula -- ./=cmd
	"$SHMGUARD" report --format=csv formula >formula.csv
	"$PYTHON" - formula.csv <<-'END'
		import csv, sys
		rows = [row for row in csv.DictReader(open(sys.argv[1], newline="")) if row["rule"] == "mapping-leak"]
		assert len(rows) == 15
		for row in rows:
		    assert row["message"].startswith("'=cmd (pid "), row
	END
}

@test "suppressions: what --gen-suppressions prints hides everything, uses are counted, unused lines are named" {
	"$SHMGUARD" report --gen-suppressions leaks >known
	[ "$(grep -vc '^#' known)" -eq 4 ]
	printf '  # a comment\n\nfd-leak:never*\n' >>known
	run --separate-stderr "$SHMGUARD" report --suppress=known --fail-on=note leaks
	[ "$status" -eq 0 ] && [ -z "$stderr" ]
	[[ ${lines[0]} == "shmguard: nothing found [some was suppressed]" ]]
	[[ $output == *"known:2: mapping-leak:/seg suppressed 1 finding"* ]]
	[[ $output == *"known:11: fd-leak:never* is unused"* ]]
	"$SHMGUARD" report --suppress=known --format=json leaks |
		jq -e '.findings == [] and ([.suppressions[].findings] == [1, 1, 1, 1, 0])'
}

@test "suppressions: so does what is printed of one place twice, of the mount, and of a name with an escape in it" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"' sh "$SHMGUARD" run --quiet --report=none \
		-o twice -- sh -c '"$0" shm_open one; "$0" open two; "$1" -c "$2"' "$BUILD/tests/programs/names" /usr/bin/python3 '
from multiprocessing.shared_memory import SharedMemory as S
S("esc\033[31m ", True, 4096).unlink()'
	"$SHMGUARD" report --gen-suppressions twice >known
	grep -q '^weak-mount:' known
	grep -q '^# the same: ' known
	[ "$(grep -v '^#' known | sort | uniq -d | wc -l)" -eq 0 ]
	run ! grep -q $'\033' known
	run --separate-stderr "$SHMGUARD" report --suppress=known --fail-on=note twice
	[ "$status" -eq 0 ] && [[ $output != *unused* ]]
}

@test "suppressions match a module as well as an object, and a rule by its pattern" {
	echo '*-leak:server' >known
	"$SHMGUARD" report --suppress=known --format=json leaks |
		jq -e '[.findings[].rule] == ["double-unlink", "partial-unmap"]'
	cp "$BUILD/tests/programs/leaky" program
	"$SHMGUARD" run --quiet --report=none -o leaky -- ./program 3 "/forms-suppress-$$-"
	rm -f "/dev/shm/forms-suppress-$$-"*
	echo 'segment-leak:leaky_m*' >known
	"$SHMGUARD" report --suppress=known --format=json leaky | jq -e 'all(.findings[]; .rule != "segment-leak")'
	# Of the three that one place left, only those that were asked for, or those that were not named.
	left='.findings[] | select(.rule == "segment-leak") | [.count, .fingerprint]'
	print=$("$SHMGUARD" report --format=json leaky | jq -r "$left"'[1]')
	[ "$("$SHMGUARD" report --object="/forms-suppress-$$-1" --format=json leaky | jq -c "$left")" = "[1,\"$print\"]" ]
	"$SHMGUARD" report --object="/forms-suppress-$$-1" leaky | grep -q "/forms-suppress-$$-1 .* still exists"
	echo "segment-leak:/forms-suppress-$$-1" >known
	[ "$("$SHMGUARD" report --suppress=known --format=json leaky | jq -c "$left")" = "[2,\"$print\"]" ]
	"$SHMGUARD" report --suppress=known --object="/forms-suppress-$$-1" --rule=segment-leak leaky |
		grep -q 'known:1: .* suppressed 1 finding'
}

@test "a bad suppression is wrong usage, and names file and line" {
	printf '# fine\nno-such-rule:x\n' >known
	run --separate-stderr "$SHMGUARD" report --suppress=known leaks
	[ "$status" -eq 2 ] && [[ $stderr == "shmguard: known:2: there is no rule 'no-such-rule'"* ]]
	echo 'segment-leak' >known
	run --separate-stderr "$SHMGUARD" report --suppress=known leaks
	[ "$status" -eq 2 ] && [[ $stderr == "shmguard: known:1: a suppression is RULE:GLOB" ]]
	run --separate-stderr "$SHMGUARD" report --suppress=nowhere leaks
	[ "$status" -eq 2 ] && [[ $stderr == "shmguard: nowhere: No such file or directory" ]]
}

@test "the built-in suppressions are lines that --suppress reads" {
	"$SHMGUARD" report --show-suppressions >known
	grep -q '^segment-leak:/jack-shm-registry$' known
	"$SHMGUARD" report --suppress=known --format=json leaks | jq -e '.findings | length == 4'
}

# finds RULES [OPTION...]: the rules of the findings that are left.
finds()
{
	local rules=$1
	shift
	[ "$("$SHMGUARD" report --format=json "$@" leaks | jq -r '[.findings[].rule] | join(" ")')" = "$rules" ]
}

@test "filters" {
	finds "mapping-leak segment-leak double-unlink" --pid=100
	finds "double-unlink partial-unmap" --pid=101
	finds "" --pid=999
	finds "mapping-leak segment-leak double-unlink partial-unmap" --exe=server
	finds "" --exe=client
	finds "mapping-leak segment-leak partial-unmap" --object='/s*'
	finds "mapping-leak segment-leak" --rule='*-leak'
	finds "mapping-leak segment-leak double-unlink" --severity=warning
	finds "segment-leak" --until=1.01
	finds "mapping-leak double-unlink partial-unmap" --since=1010ms
	run -2 "$SHMGUARD" report --rule=nonsense leaks
	run -2 "$SHMGUARD" report --pid=x leaks
	run -2 "$SHMGUARD" report --since=soon leaks
	run -2 "$SHMGUARD" report --severity=grave leaks
}

@test "what is filtered out is counted, and does not fail" {
	run "$SHMGUARD" report --severity=error --fail-on=note --pid=101 leaks
	[ "$status" -eq 0 ]
	[[ $output == *"4 of the findings were not asked for."* ]]
}

@test "--max-findings lets so many pass" {
	run -0 "$SHMGUARD" report --fail-on=error --max-findings=2 leaks
	run -1 "$SHMGUARD" report --fail-on=error --max-findings=1 leaks
	run -2 "$SHMGUARD" report --max-findings=x leaks
}

@test "--group-by brings together what belongs together, under its name" {
	run -0 "$SHMGUARD" report --group-by=process leaks
	[ "$(grep -c '^== ' <<<"$output")" -eq 2 ]
	[ "$(grep '^== ' <<<"$output" | head -n 1)" = "== 100 server" ]
	run -0 "$SHMGUARD" report --group-by=object leaks
	[ "$(grep '^== ' <<<"$output" | tr '\n' ' ')" = "== /seg == /gone " ]
	run -0 "$SHMGUARD" report --group-by=rule leaks
	[ "$(grep -c '^== ' <<<"$output")" -eq 4 ]
	run -2 "$SHMGUARD" report --group-by=nonsense leaks
}

@test "diff: the same is nothing, what is suppressed in one of them is new or fixed" {
	run -0 "$SHMGUARD" diff leaks leaks
	[ "$output" = "0 new, 0 fixed, 0 changed" ]
	"$SHMGUARD" report --format=json --rule=segment-leak leaks >some.json
	run -1 "$SHMGUARD" diff some.json leaks
	[ "${lines[0]}" = "3 new, 0 fixed, 0 changed" ]
	[[ ${lines[1]} == "new     error: mapping-leak (12 times, 480 KiB): server (pid 100) made 12"* ]]
	run -0 "$SHMGUARD" diff leaks some.json
	[ "${lines[0]}" = "0 new, 3 fixed, 0 changed" ]
	jq '.findings[0].count = 5' some.json >changed.json
	run -0 "$SHMGUARD" diff some.json changed.json
	[ "${lines[0]}" = "0 new, 0 fixed, 1 changed" ] && [[ $output == *"segment-leak (5 times, 40 KiB): "*"before: once, 40 KiB"* ]]
	"$SHMGUARD" diff --json some.json changed.json | jq -e '.changed[0] | .before.count == 1 and .after.count == 5'
	jq '.trace.complete = false' some.json >cut.json
	run --separate-stderr -0 "$SHMGUARD" diff leaks cut.json
	[[ ${lines[0]} == "0 new, 3 fixed, 0 changed" && $stderr == "shmguard: cut.json is incomplete: what is fixed may only be missing" ]]
	run --separate-stderr -1 "$SHMGUARD" diff cut.json leaks
	[ "$stderr" = "shmguard: cut.json is incomplete: what is new may have been there" ]
}

@test "diff: --fail-on, wrong usage, what is no report" {
	"$SHMGUARD" report --format=json --severity=error leaks >errors.json
	run -0 "$SHMGUARD" diff errors.json leaks
	run -1 "$SHMGUARD" diff --fail-on=warning errors.json leaks
	run -2 "$SHMGUARD" diff leaks
	run -2 "$SHMGUARD" diff --fail-on=x leaks leaks
	echo '{"findings": []}' >other.json
	run --separate-stderr -3 "$SHMGUARD" diff other.json leaks
	[ -z "$output" ] && [ "$stderr" = "shmguard: other.json: not a report of shmguard" ]
	echo '{' >broken.json
	run --separate-stderr -3 "$SHMGUARD" diff broken.json leaks
	[[ $stderr == "shmguard: broken.json: not JSON: "* ]]
	run -3 "$SHMGUARD" diff leaks nowhere
}

@test "log: every call in strace's notation, a failed release taken back" {
	"$SHMGUARD" log leaks >got
	same leaks/expected.log got
	grep -qF '100     1.000017 shm_open("/seg", O_RDWR|O_CREAT|O_EXCL, 0600) = 3 /* /seg, 0 bytes */' got
	grep -qF '<... event 27 failed> = -1 ENOENT (No such file or directory)' got
}

@test "log: filters and stacks" {
	"$SHMGUARD" log --pid=101 --object=/gone leaks >got
	[ "$(sed 's/^[^ ]* *[^ ]* \([a-z_]*\).*/\1/' got | paste -sd ' ')" = "shm_open close shm_unlink" ]
	[ "$("$SHMGUARD" log --since=1.002 --until=1.01 leaks | wc -l)" -eq 2 ]
	[ "$("$SHMGUARD" log --pid=101 --object=/gone --stacks leaks | grep -c '^    > server+0x')" -eq 9 ]
	run -2 "$SHMGUARD" log
	run -2 "$SHMGUARD" log --since=x leaks
	run -3 "$SHMGUARD" log nowhere
	run -3 bash -c "'$SHMGUARD' log leaks 2>&1 >/dev/full"
}

@test "log --rule, --severity: the findings that were told at a call, and that call" {
	"$SHMGUARD" run --quiet --report=none -o recording -- "$BUILD/tests/rules/map-beyond-end"
	"$SHMGUARD" log --severity=warning recording | sed -E 's/^[^ ]+ +[^ ]+ //; s/\(.*//' >got
	[ "$(cat got)" = $'mmap\n*** error: map-beyond-end ***' ]
	"$SHMGUARD" log --rule='predictable-*' recording | sed -E 's/^[^ ]+ +[^ ]+ //; s/\(.*//' >got
	[ "$(cat got)" = $'shm_open\n*** note: predictable-name ***' ]
	[ -z "$("$SHMGUARD" log --rule=churn recording)" ]
}

@test "log: the calls of CPython by the names it calls them" {
	cat >segment.py <<-'END'
		from multiprocessing import shared_memory
		try:
		    shared_memory.SharedMemory("nowhere-at-all")
		except FileNotFoundError:
		    pass
		segment = shared_memory.SharedMemory(create=True, size=5000)
		segment.close()
		segment.unlink()
	END
	"$SHMGUARD" run --quiet --report=none -o python -- "$PYTHON" segment.py
	"$SHMGUARD" log python | sed 's/^[0-9]* *[0-9.]* //; s/psm_[0-9a-f]*/psm/g; s/0x[0-9a-f]*/ADDRESS/g' >got
	grep -qE '^shm_open\("/nowhere-at-all", O_RDWR, 0[0-7]*\) = -1 ENOENT \(No such file or directory\)' got
	grep -qE '^ftruncate(64)?\([0-9]+, 5000\) = 0 /\* /psm, 5000 bytes \*/$' got
	grep -qE '^mmap\(NULL, 5000, PROT_READ\|PROT_WRITE, MAP_SHARED, [0-9]+, 0\) = ADDRESS /\* /psm, 5000 bytes' got
	grep -qF 'shm_unlink("/psm") = 0 /* /psm, 5000 bytes */' got
}

@test "log and objects: what a program calls its objects is harmless on a terminal" {
	hostile "$(printf '/forms-%s-"\033[1m\377' $$)"
	"$SHMGUARD" log hostile >got
	"$SHMGUARD" objects hostile >>got
	run -1 grep -P '[\x00-\x08\x0b-\x1f\x7f]' got
	grep -qF '\x1b[1m\xff' got
	iconv -f UTF-8 -t UTF-8 got >/dev/null
}

@test "objects: at the end, and at a moment" {
	run -0 "$SHMGUARD" objects leaks
	[ "${lines[0]}" = "/seg" ] && [ "${#lines[@]}" -eq 2 ]
	run -0 "$SHMGUARD" objects --at=1.01 leaks
	[ "$(grep -c 'process 100 server: maps \[0, 40960) at 0x' <<<"$output")" -eq 4 ]
	[[ $output == *"memfd:pool"*"process 100 server: descriptor 4"* ]]
	run -0 "$SHMGUARD" objects --at=0 leaks
	[ "$output" = "no object" ]
	run -0 "$SHMGUARD" objects --all --object=/gone leaks
	[ "${lines[0]}" = "/gone (removed)" ]
	run -2 "$SHMGUARD" objects --at=soon leaks
	run -3 "$SHMGUARD" objects nowhere
}

# The subcommands, as --help lists them.
verbs()
{
	"$SHMGUARD" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

@test "every help fits a screen of 80 columns and 24 lines" {
	local verb
	"$SHMGUARD" --help >help
	[ "$(wc -l <help)" -lt 24 ] && [ "$(wc -L <help)" -le 80 ]
	[ "$(verbs | wc -l)" -ge 8 ]
	for verb in $(verbs) "policy explain"; do
		# shellcheck disable=SC2086
		"$SHMGUARD" $verb --help >help || { echo "$verb"; false; }
		{ [ "$(wc -l <help)" -lt 24 ] && [ "$(wc -L <help)" -le 80 ]; } || { echo "$verb"; cat help; false; }
		run -1 grep -n ' $' help
		grep -q '^Exit status: ' help || { echo "$verb"; cat help; false; }
	done
}

@test "the manual page and bash completion have every option of every subcommand" {
	local verb option manual completion
	manual=$(<"$BUILD/shmguard.1")
	for verb in $(verbs); do
		completion=$(grep "^	$verb:-" "$BUILD/shmguard.bash")
		[[ $manual == *".B shmguard $verb"* ]]
		for option in $("$SHMGUARD" "$verb" --help | grep -oE '^  (-., )?--[a-z][a-z-]+' | grep -oE -- '--.*'); do
			[[ $completion == *"$option"[=\ \"]* ]] || { echo "completion: $verb $option"; false; }
			[[ $option == --help || $manual == *"${option//-/\\-}"* ]] || { echo "manual: $verb $option"; false; }
		done
	done
}

@test "bash completes subcommands, their options and rules" {
	complete_words()
	{
		bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _shmguard 2>/dev/null
			printf "%s\n" "${COMPREPLY[@]}"' - "$BUILD/shmguard.bash" shmguard "$@" | paste -sd ' '
	}
	[ "$(complete_words re)" = "report" ]
	[ "$(complete_words report --su)" = "--suppress=" ]
	[ "$(complete_words diff --f)" = "--fail-on=" ]
	[ "$(complete_words run --err)" = "--error-exitcode=" ]
	[ "$(complete_words rules segment)" = "segment-leak" ]
}
