#!/usr/bin/env bats
# For every rule that is checked: a program that commits exactly that fault is told so, with a stack that leads to it and
# no other error; its innocent twin hears nothing of the kind. What is expected stands on top of each program:
# "expect: RULE SEVERITY [COUNT]".

load helpers

teardown()
{
	rm -f /dev/shm/shmguard-rules.*
}

check_faulty() # RULE
{
	local rule severity count
	read -r rule severity count < <(sed -n 's/^ \* expect: //p' "$ROOT/tests/rules/$1.c")
	[ "$rule" = "$1" ]
	record faulty "$BUILD/tests/rules/$1"
	report faulty >faulty.json
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' faulty.json
	jq -e --arg rule "$rule" --arg severity "$severity" --arg count "$count" '
		(.trace.lost == 0) and .trace.complete and
		([.findings[] | select(.rule == $rule)] | length == 1 and
			(.[0] | .severity == $severity and (.message | length) > 20 and (.uncertain | not) and
				($count == "" or .count == ($count | tonumber)) and
				([.stacks[].frames[] | select(.file // "" | endswith("tests/rules/" + $rule + ".c"))] | length > 0))) and
		([.findings[] | select(.rule != $rule and .severity == "error")] | length == 0)' faulty.json
}

check_innocent() # RULE
{
	record innocent "$BUILD/tests/rules/$1_innocent"
	report innocent >innocent.json
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' innocent.json
	jq -e --arg rule "$1" '
		.trace.complete and (.objects | length > 0) and
		([.findings[] | select(.rule == $rule or .severity == "error")] | length == 0)' innocent.json
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "segment-leak is found" {
	check_faulty segment-leak
}

@test "segment-leak: the innocent twin is silent" {
	check_innocent segment-leak
}

@test "mapping-leak is found" {
	check_faulty mapping-leak
}

@test "mapping-leak: the innocent twin is silent" {
	check_innocent mapping-leak
}

@test "fd-leak is found" {
	check_faulty fd-leak
}

@test "fd-leak: the innocent twin is silent" {
	check_innocent fd-leak
}

@test "partial-unmap is found" {
	check_faulty partial-unmap
}

@test "partial-unmap: the innocent twin is silent" {
	check_innocent partial-unmap
}

@test "double-unlink is found" {
	check_faulty double-unlink
}

@test "double-unlink: the innocent twin is silent" {
	check_innocent double-unlink
}

@test "name-vanished is found" {
	check_faulty name-vanished
}

@test "name-vanished: the innocent twin is silent" {
	check_innocent name-vanished
}

@test "split-brain is found" {
	check_faulty split-brain
}

@test "split-brain: the innocent twin is silent" {
	check_innocent split-brain
}

@test "churn is found" {
	check_faulty churn
}

@test "churn: the innocent twin is silent" {
	check_innocent churn
}

@test "size-disagreement is found" {
	check_faulty size-disagreement
}

@test "size-disagreement: the innocent twin is silent" {
	check_innocent size-disagreement
}
