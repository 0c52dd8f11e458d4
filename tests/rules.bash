# shellcheck shell=bash
# What the tests of rules share: programs in tests/rules, recorded, and what is expected on top of each:
# "expect: RULE SEVERITY [COUNT [nowhere]]", nowhere: no place in the program is to blame, so there is no stack.

# Words that start the program elsewhere.
WITHIN=()

check_faulty() # PROGRAM
{
	local rule severity count place also
	read -r rule severity count place < <(sed -n 's/^ \* expect: //p' "$ROOT/tests/rules/$1.c")
	also=$(sed -n 's/^ \* also: //p' "$ROOT/tests/rules/$1.c")
	[ "$rule" = "${1%%_*}" ]
	record faulty "${WITHIN[@]}" "$BUILD/tests/rules/$1"
	report faulty >faulty.json
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' faulty.json
	jq -e --arg rule "$rule" --arg severity "$severity" --arg count "$count" --arg also "$also" --arg file "$1" --arg place "$place" '
		(.trace.lost == 0) and .trace.complete and
		([.findings[] | select(.rule == $rule)] | length == 1 and
			(.[0] | .severity == $severity and (.message | length) > 20 and (.uncertain | not) and
				($count == "" or .count == ($count | tonumber)) and
				if $place == "nowhere" then .stacks == []
				else [.stacks[].frames[].file // "" | select(endswith("tests/rules/" + $file + ".c"))] != []
				end)) and
		([.findings[] | select(.rule != $rule and .rule != $also and .severity == "error")] | length == 0)' faulty.json
}

check_innocent() # RULE
{
	record innocent "${WITHIN[@]}" "$BUILD/tests/rules/$1_innocent"
	report innocent >innocent.json
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' innocent.json
	jq -e --arg rule "$1" '
		.trace.complete and (.objects | length > 0) and
		([.findings[] | select(.rule == $rule or .severity == "error")] | length == 0)' innocent.json
}
