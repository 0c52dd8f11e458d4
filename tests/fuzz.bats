#!/usr/bin/env bats
# A short run of what `make fuzz` does for as long as one wants.

load helpers

@test "the policy parser takes whatever bytes come, for 20 seconds" {
	local fuzzer=$BUILD/tests/fuzz/fuzz_policy
	make -C "$ROOT" BUILD="$BUILD" "$fuzzer"
	mkdir "$BATS_TEST_TMPDIR/corpus"
	cd "$BATS_TEST_TMPDIR"
	"$fuzzer" -max_total_time="${FUZZ_SECONDS:-20}" -max_len=1024 -print_final_stats=1 corpus "$ROOT/tests/fuzz/policy" \
		>log 2>&1 || { tail -n 40 log; false; }
	[ "$(sed -n 's/^stat::number_of_executed_units: //p' log)" -gt 1000 ]
}
