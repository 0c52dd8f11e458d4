#!/usr/bin/env bats
# shmguard rules.

load helpers

@test "the list has every rule once and tells which are checked only where a policy asks" {
	run "$SHMGUARD" rules
	[ "$status" -eq 0 ]
	for id in $(rule_ids); do
		[ "$(grep -cE "^[ .] $id +(error|warning|note) " <<<"$output")" -eq 1 ]
	done
	[ "$(grep -cE '^  [a-z-]+ +(error|warning|note) ' <<<"$output")" -eq "$(rule_ids checked | wc -l)" ]
	grep -q "$(rule_ids checked | wc -l) of $(rule_ids | wc -l) rules are checked always" <<<"$output"
}

@test "one rule is explained" {
	run "$SHMGUARD" rules segment-leak
	[ "$status" -eq 0 ]
	grep -q '^severity  error$' <<<"$output"
	grep -q '^checked   always$' <<<"$output"
	grep -q 'Cure: shm_unlink' <<<"$output"
	[ "$(wc -L <<<"$output")" -le 80 ]
}

@test "a rule that a policy must ask for says so" {
	local id
	id=$("$SHMGUARD" rules --json | jq -r '[.rules[] | select(.checked | not) | .id][0] // ""')
	[ -n "$id" ]
	run "$SHMGUARD" rules "$id"
	[ "$status" -eq 0 ]
	grep -q '^checked   where a policy asks for it' <<<"$output"
}

@test "a rule that can deny says with which errno" {
	run "$SHMGUARD" rules map-beyond-end
	[ "$status" -eq 0 ]
	grep -q '^deny      ENXIO$' <<<"$output"
}

@test "an unknown rule gets the nearest one and 2" {
	run "$SHMGUARD" rules segmentleak
	[ "$status" -eq 2 ]
	[ "$output" = "shmguard: there is no rule 'segmentleak'; did you mean 'segment-leak'?" ]
	run "$SHMGUARD" rules ''
	[ "$status" -eq 2 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "wrong usage is 2" {
	run "$SHMGUARD" rules --no-such-option
	[ "$status" -eq 2 ]
	run "$SHMGUARD" rules churn churn
	[ "$status" -eq 2 ]
	run "$SHMGUARD" rules --markdown churn
	[ "$status" -eq 2 ]
}

@test "JSON has the whole table" {
	"$SHMGUARD" rules --json | jq -e '
		.schema == "shmguard-rules/1" and (.rules | length >= 58) and
		([.rules[] | select(.checked)] | length >= 9) and
		([.rules[].id] | unique | length) == (.rules | length) and
		all(.rules[]; (.severity | IN("error", "warning", "note")) and (.help | length > 100) and
			(.deny == null or (.deny | startswith("E"))) and (.fix | type == "boolean"))'
}

@test "JSON of one rule" {
	"$SHMGUARD" rules --json world-writable | jq -e '.rules == [.rules[0]] and .rules[0].deny == "EACCES" and
		.rules[0].cwe == 732 and .rules[0].safe == "fix"'
}

@test "output that cannot be written is told" {
	run bash -c "'$SHMGUARD' rules >/dev/full"
	[ "$status" -eq 3 ]
	grep -q 'No space left' <<<"$output"
}
