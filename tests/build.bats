#!/usr/bin/env bats
# The Makefile, what it installs, and the runner of these tests.

load helpers

setup()
{
	cd "$ROOT" || exit 1
	TEMP=$BATS_TEST_TMPDIR
}

@test "nothing is built twice" {
	run make BUILD="$BUILD" all
	[ "$status" -eq 0 ]
	run make BUILD="$BUILD" all
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -cE '^(gcc|cc|clang) ' <<<"$output")" -eq 0 ]
}

@test "other flags build anew" {
	run make -n BUILD="$BUILD" CFLAGS=-Os all
	[ "$status" -eq 0 ]
	grep -q 'gcc .* -Os .*preload/real\.c' <<<"$output"
}

@test "deps asks neither apt nor sudo when everything is there" {
	mkdir "$TEMP/bin"
	printf '#!/bin/sh\necho "called: $0 $*"\nexit 1\n' | tee "$TEMP/bin/apt-get" >"$TEMP/bin/sudo"
	chmod +x "$TEMP"/bin/*
	PATH=$TEMP/bin:$PATH run make deps deps-test
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(grep -c called: <<<"$output")" -eq 0 ]
}

@test "deps installs exactly what is missing" {
	mkdir "$TEMP/bin"
	printf '#!/bin/sh\necho "called: $*"\n' | tee "$TEMP/bin/apt-get" >"$TEMP/bin/sudo"
	chmod +x "$TEMP"/bin/*
	PATH=$TEMP/bin:$PATH run make deps PACKAGES_BUILD='gcc no-such-package' PACKAGES_RUNTIME=
	echo "$output"
	[ "$status" -eq 0 ]
	grep -qE 'called: .*install .* no-such-package$' <<<"$output"
}

@test "install honours DESTDIR and PREFIX, and what it installs records" {
	run make BUILD="$BUILD" DESTDIR="$TEMP/dest" PREFIX=/opt/guard install
	[ "$status" -eq 0 ]
	(cd "$TEMP/dest" && find . -type f | sort) >"$TEMP/files"
	diff - "$TEMP/files" <<-'END'
		./opt/guard/bin/shmguard
		./opt/guard/lib/shmguard/libshmguard-tracepoints.so
		./opt/guard/lib/shmguard/libshmguard.so
		./opt/guard/share/bash-completion/completions/shmguard
		./opt/guard/share/man/man1/shmguard.1
	END
	cd "$TEMP"
	"$TEMP/dest/opt/guard/bin/shmguard" run --quiet --report=none -o recording -- "$BUILD/tests/rules/segment-leak"
	rm -f /dev/shm/shmguard-rules.*
	"$TEMP/dest/opt/guard/bin/shmguard" report --format=json recording | jq -e '.findings[0].rule == "segment-leak"'
}

@test "uninstall leaves nothing" {
	make BUILD="$BUILD" DESTDIR="$TEMP/dest" PREFIX=/usr install >/dev/null
	make BUILD="$BUILD" DESTDIR="$TEMP/dest" PREFIX=/usr uninstall >/dev/null
	[ -z "$(find "$TEMP/dest" -type f)" ]
	[ ! -e "$TEMP/dest/usr/lib/shmguard" ]
}

@test "one version everywhere" {
	local version
	version=$(sed -n 's/^#define SHMGUARD_VERSION "\(.*\)"/\1/p' tracepoints/version.h)
	[ -n "$version" ]
	[ "$("$SHMGUARD" --version)" = "shmguard $version" ]
	grep -q "^\.TH SHMGUARD 1 .*shmguard $version" "$BUILD/shmguard.1"
	[ "$(grep -rlF "\"$version\"" tracepoints analyzer preload)" = tracepoints/version.h ]
}

# The countdown that ends a test which hangs may outlive one that takes no time at all, and is waited for: it is short here.
@test "the runner adds up, names what failed and was skipped, and fails" {
	sed 's/^TEST/@test/' >"$TEMP/mixed.bats" <<-'END'
		TEST "good" { true; }
		TEST "bad" { false; }
		TEST "left out" { skip "for a reason"; }
	END
	BATS_TEST_TIMEOUT=20 run tests/run-suite "$TEMP/mixed.bats"
	echo "$output"
	[ "$status" -ne 0 ]
	grep -q '^failed: .*bad' <<<"$output"
	grep -q '^skipped: .*left out # skip for a reason' <<<"$output"
	[ "${lines[-1]}" = "1 passed, 1 failed, 1 skipped" ]
}

@test "a file with a test that is not written at the beginning of a line has failed" {
	printf '@%s\n' 'test "one" { true; }' >"$TEMP/hidden.bats"
	printf 'for i in 1 2; do\n\t@%s\ndone\n' 'test "of a loop" { true; }' >>"$TEMP/hidden.bats"
	BATS_TEST_TIMEOUT=20 run tests/run-suite "$TEMP/hidden.bats"
	echo "$output"
	[ "$status" -ne 0 ]
	grep -q '^failed: .*1 tests are written, 2 ran' <<<"$output"
	[ "${lines[-1]}" = "2 passed, 1 failed" ]
}

@test "the runner passes when everything does" {
	printf '#!/bin/sh\necho "ok 1 - one"\necho "ok 2 - two"\necho 1..2\n' >"$TEMP/good"
	chmod +x "$TEMP/good"
	BATS_TEST_TIMEOUT=20 run tests/run-suite "$TEMP/good"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "2 passed, 0 failed" ]
}

@test "a program that dies, plans more than it runs, or runs nothing has failed" {
	printf '#!/bin/sh\necho "ok 1 - one"\nkill -SEGV $$\n' >"$TEMP/dies"
	printf '#!/bin/sh\necho 1..2\necho "ok 1 - one"\n' >"$TEMP/short"
	printf '#!/bin/sh\nexit 0\n' >"$TEMP/silent"
	chmod +x "$TEMP/dies" "$TEMP/short" "$TEMP/silent"
	BATS_TEST_TIMEOUT=20 run tests/run-suite "$TEMP/dies" "$TEMP/short" "$TEMP/silent" "$TEMP/missing"
	echo "$output"
	[ "$status" -ne 0 ]
	[ "${lines[-1]}" = "2 passed, 4 failed" ]
}
