#!/usr/bin/env bats
# The report for those who read tests' results.

bats_require_minimum_version 1.5.0

load helpers
load forms

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
		    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
	END
}

@test "junit: a case for each finding of a rule, as readers show one failure of a case" {
	"$SHMGUARD" run --quiet --report=none -o many -- "$BUILD/tests/programs/leaky" 3 "/forms-many-$$-"
	rm -f "/dev/shm/forms-many-$$-"*
	"$SHMGUARD" report --format=junit many >got.junit
	"$SHMGUARD" report --format=json many >got.json
	"$PYTHON" - <<-'END'
		import json, xml.etree.ElementTree as tree
		findings = json.load(open("got.json"))["findings"]
		cases = tree.parse("got.junit").getroot().findall("testsuite/testcase")
		assert all(len(case) <= 1 for case in cases)
		names = [case.get("name") for case in cases if len(case)]
		assert len(names) == len(set(names)) == len(findings) > 1
		assert all(any(name.startswith(f["rule"]) and f["fingerprint"] in name for name in names) for f in findings)
	END
}

@test "junit: a rule that was not asked for, or of which filters and suppressions leave nothing, is skipped, not passed" {
	cat >told.py <<-'END'
		import sys, xml.etree.ElementTree as tree
		suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
		cases = suite.findall("testcase")
		skipped = {case.get("name"): case.find("skipped").get("message") for case in cases if case.find("skipped") is not None}
		assert int(suite.get("tests")) == len(cases) and int(suite.get("skipped")) == len(skipped)
		assert all(len(case) == 1 for case in cases if case.get("name") in skipped)
		assert suite.find("properties") is None or suite[0].tag == "properties"
		for p in suite.findall("properties/property"):
		    print(p.get("name"), p.get("value"))
		print(len(cases) - len(skipped), "others")
		reasons = {}
		for name, reason in skipped.items():
		    reasons.setdefault(reason, []).append(name)
		for reason, names in reasons.items():
		    print(f"{reason}: {len(names) if len(names) > 4 else ' '.join(names)}")
	END
	# told OPTION...: what the form has beside findings.
	told()
	{
		"$SHMGUARD" report --format=junit:got.xml --format=json:report.json "$@" leaks
		"$PYTHON" told.py got.xml
	}
	told >got
	checked=$(sed -n 's/ others$//p' got)
	same got <(echo "$checked others")
	told --rule='mapping-l[!<]ak' --object='/s*&\*' >got
	same got - <<-END
		selection.object /s*&\\\\*
		selection.rule mapping-l[!<]ak
		filtered 4
		suppressed 0
		0 others
		not asked for: $((checked - 1))
		1 finding not asked for: mapping-leak
	END
	told --rule=mapping-leak >got
	same got <(printf '%s\n' "selection.rule mapping-leak" "filtered 3" "suppressed 0" "1 others" "not asked for: $((checked - 1))")
	told --severity=error --until=5 >got
	same got - <<-END
		selection.severity error
		selection.until 5000000999
		filtered 2
		suppressed 0
		$((checked - 2)) others
		1 finding not asked for: partial-unmap double-unlink
	END
	echo '*-leak:*' >known
	told --suppress=known >got
	same got <(printf '%s\n' "filtered 0" "suppressed 2" "$((checked - 2)) others" "1 finding suppressed: segment-leak mapping-leak")
	echo 'segment-leak:/nothing' >unused
	told --suppress=unused >got
	same got <(echo "$checked others")
}
