#!/usr/bin/env bats
# --on-sigbus=survive: zero pages, and the program goes on, as far as that can be.

load helpers
load fault

setup_file()
{
	local use
	cd "$BATS_FILE_TMPDIR" || return 1
	sed -n 's/^\tsurvived //p' "$BATS_TEST_FILENAME" | while read -r use; do
		echo "$use $(program_of "$use") $use SHMGUARD_ON_SIGBUS=survive"
	done >uses
	record_uses
}

survived() # USE, with SHMGUARD_ON_SIGBUS=survive
{
	recorded_together "$1"
	cat recorded
}

@test "survive: zero pages, and the program goes on" {
	survived survivor
	grep -qx 'page 3 reads 0' recorded
	grep -qx "stored 7, the object's own byte is 1" recorded
	grep -qx 'munmap 0' recorded
	grep -qx 'status 0' recorded
	faults 3 'past_end.* survived = 1'
}

@test "survive: threads that fault on one page at once all go on" {
	survived threads
	grep -qx 'status 0' recorded
	[ "$(grep -c 'survived = 1' faults)" -ge 1 ]
	[ "$(grep -c 'survived = 0' faults)" -eq 0 ]
}

@test "survive: a full tmpfs, until there were too many" {
	unshare -m true || skip "no mount namespaces here"
	local small=(unshare -m sh -c 'mount -t tmpfs -o size=2m,mode=1777 tmpfs /dev/shm; exec "$@"' sh)
	recorded full "${small[@]}" env SHMGUARD_ON_SIGBUS=survive
	grep -qx 'status 135' recorded
	[ "$(grep -c 'tmpfs_full.* survived = 1' faults)" -eq 1024 ]
	[ "$(grep -c 'tmpfs_full.* survived = 0' faults)" -eq 1 ]
}

@test "survive: not for ever" {
	survived survivor_endless
	grep -qx 'status 135' recorded
	[ "$(grep -c 'past_end.* survived = 1' faults)" -eq 1024 ]
	[ "$(grep -c 'past_end.* survived = 0' faults)" -eq 1 ]
	"$SHMGUARD" report --format=json --pid="$(grep -o 'pid = [0-9]*' faults | head -n 1 | cut -d' ' -f3)" "$BATS_FILE_TMPDIR/trace" |
		jq -e '[.findings[] | select(.rule == "sigbus-cause") | [.severity, .count, (.message | test("died of SIGBUS"))]] |
		sort == [["error", 1, true], ["error", 1024, false]]'
}

@test "survive: an ordinary file's SIGBUS still kills" {
	survived file
	grep -qx 'status 135' recorded
	faults 1 'not_ours.* survived = 0'
}
