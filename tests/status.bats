#!/usr/bin/env bats
# shmguard status: whether a process is guarded, seen from outside.
# shellcheck disable=SC2030,SC2031 # run sets output, in the test that asks

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# started PID COMMAND: waits until the process has become the command.
started()
{
	for _ in {1..100}; do
		[[ "$(readlink "/proc/$1/exe")" != */"$2"* ]] || return 0
		sleep 0.05
	done
	false
}

@test "a guarded process is told with its library, profile and policy" {
	(umask 022 && printf '[default]\nsecret = yes\n' >'a policy.ini')
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe SHMGUARD_POLICY="$PWD/a policy.ini" sleep 60 3>&- &
	started $! sleep
	for _ in 1 2 3 4 5 6 7 8; do
		"$SHMGUARD" status $! | grep since
		sleep 0.1
	done >"times"
	[ "$(sort -u "times" | wc -l)" -eq 1 ]
	run "$SHMGUARD" status $!
	kill $!
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"guarded  by $BUILD/libshmguard.so"* ]]
	[[ $output == *"profile  safe"* ]]
	[[ $output == *"policy   $PWD/a policy.ini"* ]]
	[[ $output == *"since    $(date +%F)"* ]]
}

# told_of VARIABLE=VALUE...: what `status` says of a process that was started so.
told_of()
{
	env "$@" sleep 60 3>&- 2>/dev/null &
	started $! sleep
	run "$SHMGUARD" status $!
	kill $!
	echo "$output"
}

@test "a process that ld.so could not preload is not guarded" {
	told_of LD_PRELOAD="$BATS_TEST_TMPDIR/libshmguard.so" SHMGUARD_PROFILE=safe
	[ "$status" -eq 1 ]
	[[ $output == *"guarded  no"* ]]
}

@test "the library is known by what it is, whatever its file is called, and guards nothing that it was not told to" {
	cp "$BUILD/libshmguard.so" lib2.so
	told_of LD_PRELOAD="$PWD/lib2.so" SHMGUARD_PROFILE=strict
	[ "$status" -eq 0 ]
	[[ $output == *"guarded  by $PWD/lib2.so"* ]]
	LD_PRELOAD=$PWD/lib2.so SHMGUARD_PROFILE=strict sleep 60 3>&- &
	started $! sleep
	rm lib2.so
	cp /bin/true lib2.so
	run "$SHMGUARD" status $!
	kill $!
	[ "$status" -eq 1 ]
	for library in "$BUILD/libshmguard.so" "$PWD/"; do
		told_of LD_PRELOAD="$library"
		[ "$status" -eq 1 ]
		[[ $output == *"guarded  no"* ]]
		[[ $library == */ || $output == *"guarded  no: $library is loaded, but neither a profile nor a policy nor a recording was asked for"* ]]
		[[ $output != *profile\ \ * ]]
	done
}

@test "a program that overwrites its environment does not have its policy guessed" {
	cat >program.c <<-'END'
		#include <string.h>
		#include <unistd.h>

		extern char **environ;

		int main(void)
		{
			for (char **entry = environ; *entry; entry++)
				memset(*entry, 'x', strlen(*entry));
			return write(1, "ready\n", 6) == 6 ? (int)sleep(60) : 1;
		}
	END
	gcc -o program program.c
	mkfifo ready
	LD_PRELOAD=$BUILD/libshmguard.so SHMGUARD_PROFILE=safe ./program >ready 3>&- &
	read -r _ <ready
	run "$SHMGUARD" status $!
	kill $!
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"policy   unknown"* ]]
}

@test "a program whose file was replaced or removed has its path still" {
	local name
	for name in service 'service (deleted)'; do
		cp "$(command -v sleep)" "$name"
		"./$name" 60 3>&- &
		started $! service
		run "$SHMGUARD" status $!
		[ "${lines[0]}" = "process  $! $PWD/$name" ]
		cp "$name" new
		mv new "$name"
		run "$SHMGUARD" status $!
		[ "${lines[0]}" = "process  $! $PWD/$name" ]
		rm "$name"
		run "$SHMGUARD" status $!
		kill $!
		[ "${lines[0]}" = "process  $! $PWD/$name" ]
	done
}

@test "what cannot be told is said, with a status of its own" {
	sleep 0 3>&- &
	wait $!
	run "$SHMGUARD" status $!
	[ "$status" -eq 3 ]
	[[ $output == *"there is no such process"* ]]
	run "$SHMGUARD" status 2
	[ "$status" -eq 3 ]
	run "$SHMGUARD" status
	[ "$status" -eq 2 ]
	run "$SHMGUARD" status self
	[ "$status" -eq 2 ]
	run "$SHMGUARD" status 1 2
	[ "$status" -eq 2 ]
	run bash -c "'$SHMGUARD' status $$ >/dev/full"
	[ "$status" -eq 3 ]
}
