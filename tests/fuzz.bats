#!/usr/bin/env bats
# A short run of what `make fuzz` does for as long as one wants.

bats_require_minimum_version 1.5.0
load helpers
load leaks

# A minute of the policy parser, beside the other tests of this file.
setup_file()
{
	make -C "$ROOT" BUILD="$BUILD" "$BUILD/tests/fuzz/fuzz_policy"
	mkdir "$BATS_FILE_TMPDIR/corpus"
	(
		cd "$BATS_FILE_TMPDIR" || exit
		"$BUILD/tests/fuzz/fuzz_policy" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=1024 -print_final_stats=1 \
			corpus "$ROOT/tests/fuzz/policy" >log 2>&1
		echo $? >status
	) 3>&- &
}

# fuzzed TARGET: for three seconds, from the canned traces on.
fuzzed()
{
	local fuzzer=$BUILD/tests/fuzz/fuzz_$1
	make -C "$ROOT" BUILD="$BUILD" "$fuzzer" "$BUILD/corpus/reader"
	mkdir "$BATS_TEST_TMPDIR/corpus"
	cd "$BATS_TEST_TMPDIR" || return 1
	"$fuzzer" -max_total_time="${FUZZ_SECONDS:-3}" -max_len=65536 -print_final_stats=1 corpus "$BUILD/corpus/reader" \
		>log 2>&1 || { tail -n 40 log; false; }
	[ "$(sed -n 's/^stat::number_of_executed_units: //p' log)" -gt 50 ]
}

@test "the preflight takes whatever bytes come" {
	fuzzed preflight
}

@test "the decoder of events and the pipe behind it take whatever bytes come" {
	fuzzed events
}

@test "of a hundred damaged traces none crashes the report, hangs it or costs more than 256 MB" {
	run -0 "$BUILD/tests/fuzz/mutate" "$ROOT/tests/traces/leaks" 100
	[ "$output" = "100 mutated traces" ]
	troubled "$BATS_TEST_TMPDIR/troubled"
	run -0 "$BUILD/tests/fuzz/mutate" "$BATS_TEST_TMPDIR/troubled" 100
	[ "$output" = "100 mutated traces" ]
}

@test "the policy parser takes whatever bytes come, for a minute" {
	cd "$BATS_FILE_TMPDIR" || return 1
	until [ -e status ]; do sleep 0.2; done
	[ "$(cat status)" -eq 0 ] || { tail -n 40 log; false; }
	[ "$(sed -n 's/^stat::number_of_executed_units: //p' log)" -gt 10000 ]
	# It got into the parser: its seeds alone reach some 200 edges.
	[ "$(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' log)" -gt 250 ]
}
