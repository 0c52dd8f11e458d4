# shellcheck shell=bash
# What the tests of rules share: programs in tests/rules, recorded, and what is expected on top of each:
# "expect: RULE SEVERITY [COUNT [nowhere]]", nowhere: no place in the program is to blame, so there is no stack.

# A recording costs more than most of these programs do. So they are recorded together, one after another, the faulty ones
# and the innocent ones each, and a test looks at what the report says of its program's processes. What needs surroundings
# of its own is recorded by itself: BY_ITSELF names it.

BY_ITSELF=()

# Words that start such a program elsewhere.
WITHIN=()

by_itself() # PROGRAM
{
	[[ " ${BY_ITSELF[*]} " == *" $1 "* ]]
}

# Records what the tests of this file ask for with `check_KIND NAME`, which runs the program NAME with SUFFIX.
record_together() # KIND SUFFIX
{
	local name
	mkdir "$BATS_FILE_TMPDIR/$1" && cd "$BATS_FILE_TMPDIR/$1" || return
	sed -n "s/^\tcheck_$1 //p" "$BATS_TEST_FILENAME" | while read -r name; do
		by_itself "$name" || echo "$name$2 $BUILD/tests/rules/$name$2"
	done >runs
	record_all
	rm -f /dev/shm/shmguard-rules.* /dev/shm/sem.shmguard-rules.*
}

# KIND.json is the report of the program. Its status was 0.
record_program() # KIND NAME PROGRAM
{
	local together=$BATS_FILE_TMPDIR/$1
	if by_itself "$2"; then
		record "$1" "${WITHIN[@]}" "$BUILD/tests/rules/$3"
		report "$1" >"$1.json"
	else
		cat "$together/$3.recorded" "$together/$3.recorded.errors"
		[ "$(cat "$together/$3.recorded.status")" -eq 0 ]
		cp "$together/$3.json" "$1.json"
	fi
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' "$1.json"
}

check_faulty() # PROGRAM
{
	local rule severity count place also
	read -r rule severity count place < <(sed -n 's/^ \* expect: //p' "$ROOT/tests/rules/$1.c")
	also=$(sed -n 's/^ \* also: //p' "$ROOT/tests/rules/$1.c")
	[ "$rule" = "${1%%_*}" ]
	record_program faulty "$1" "$1"
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
	record_program innocent "$1" "$1_innocent"
	jq -e --arg rule "$1" '
		.trace.complete and (.objects | length > 0) and
		([.findings[] | select(.rule == $rule or .severity == "error")] | length == 0)' innocent.json
}

setup_file()
{
	record_together faulty ""
	record_together innocent _innocent
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}
