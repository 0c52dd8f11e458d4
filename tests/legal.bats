#!/usr/bin/env bats
# Programs that do nothing wrong, though it looks so at a call: no error, neither while they run nor in the report.

load helpers

teardown()
{
	[ -z "${NOBODY_HOME:-}" ] || remove_nobody_build
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# legal CASE...: records tests/programs/legal; nothing of it is an error.
legal()
{
	"$SHMGUARD" run --report=none -o legal -- "${WITHIN[@]}" "$BUILD/tests/programs/legal" "$@" 2>notices
	report legal >report.json
	cat notices
	jq -r '.findings[] | "\(.severity) \(.rule) \(.count) \(.message)"' report.json
	grep 'error' notices && return 1
	jq -e '.trace.complete and ([.findings[] | select(.severity == "error")] == [])' report.json
}

@test "an object that is sized after it was mapped, and gone when one looks" {
	legal sized_then_gone sized_and_closed sized_by_the_dead
}

@test "an ordinary user, who may not follow a mapping to its object, is told nothing that is not so" {
	needs_root "another user is made"
	make_nobody_build
	setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$NOBODY_HOME" "$NOBODY_BUILD/shmguard" run --report=none \
		-o "$NOBODY_HOME/legal" -- "$NOBODY_BUILD/tests/programs/legal" sized_and_closed sized_by_the_dead 2>notices
	"$SHMGUARD" report --format=json "$NOBODY_HOME/legal" >report.json
	cat notices
	grep 'error' notices && return 1
	jq -e '[.findings[] | select(.severity == "error")] == []' report.json
}

@test "a tail past the end that is given up before it is touched" {
	legal tail_unmapped tail_closed tail_replaced tail_unmapped_then_sized
	jq -e '[.findings[] | select(.rule == "map-beyond-end" or .rule == "map-before-size") | .severity] | unique == ["note"]' report.json
}

@test "an object that grows by a write" {
	legal grown_by_write grown_by_write_then_unmapped
	jq -e '[.findings[] | select(.rule == "map-beyond-end" or .rule == "map-before-size") | .severity] | unique == ["note"]' report.json
}

@test "an object is cut where its other mapper may not touch it" {
	legal shrunk_where_closed
	jq -e '[.findings[] | select(.rule == "shrink-under-map")] == []' report.json
}

@test "in a pid namespace whose /proc is another's, a process is not taken for its own reader" {
	needs_root "a pid namespace is made"
	WITHIN=(unshare --pid --fork)
	legal shrunk_then_unmapped
}
