#!/usr/bin/env bats
# Threads at random: what the ledger, and the recording, say that they hold is what the kernel says.

load helpers
load ledger

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "eight threads open, size, map, unmap, unlink and dlopen at random: the ledger and the trace are as /proc/self" {
	ledger_threads 5
}
