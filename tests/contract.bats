#!/usr/bin/env bats
# Who may know whom, and that every table agrees with what is made of it.

load helpers

setup()
{
	cd "$ROOT" || exit 1
}

# only PATTERN ALLOWED-FILE-PATTERN: no source but the allowed ones includes what matches PATTERN.
only()
{
	local found
	found=$(grep -nE "^#[[:space:]]*include[[:space:]]*[<\"]$1" tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch] |
		grep -vE "^($2):" || true)
	echo "$found"
	[ -z "$found" ]
}

# none PATTERN FILE...: no line of the files matches.
none()
{
	local found
	found=$(grep -nE "$@" || true)
	echo "$found"
	[ -z "$found" ]
}

# missing FILE: no line of stdin is without a place in it.
missing()
{
	local text line lines=0
	text=$(cat "$1")
	while IFS= read -r line; do
		lines=$((lines + 1))
		[[ $text == *"$line"* ]] || { echo "$1 lacks $line"; return 1; }
	done
	[ "$lines" -gt 0 ]
}

@test "the preload and the analyzer do not include each other" {
	only 'preload/' 'preload/.*'
	only 'analyzer/' 'analyzer/.*'
	none '^#include "\.\.' tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch]
}

@test "the contract needs nothing but libc, except LTTng's provider" {
	only 'lttng/tracepoint' 'tracepoints/(provider\.h|emit\.c)'
	only 'lttng/ust' 'tracepoints/emit\.c'
	none '^#include "(preload|analyzer)/' tracepoints/*.[ch]
	for header in calls errnos fields events notes environment policy rules system version words; do
		echo "#include \"tracepoints/$header.h\"" >"$BATS_TEST_TMPDIR/$header.c"
	done
	gcc -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only "$BATS_TEST_TMPDIR"/*.c
}

@test "each library of the field is known to one place" {
	only 'babeltrace2/' 'analyzer/trace_babeltrace\.c'
	only 'lttng/lttng\.h' 'analyzer/lttng_control\.c'
	only '(elfutils/|dwarf\.h)' 'analyzer/symbols[a-z_]*\.[ch]'
	only 'libunwind' 'preload/stack\.c'
	only 'ini\.h' 'tracepoints/policy_parse\.c'
	only '(stdio|jansson)\.h' '(analyzer/.*|tracepoints/(calls|rules)\.[ch])'
}

@test "wrappers know neither rules nor how events are recorded" {
	none '^#include .*(rules|check|policy|provider|emit|lttng)' preload/wrap*.[ch]
}

# It spares the signal that set*id(2) waits for.
@test "signals are blocked in one place of the preload" {
	grep -q 'SYS_rt_sigprocmask, SIG_BLOCK' preload/signals.h
	none 'rt_sigprocmask, *SIG_(BLOCK|SETMASK)|\(sigprocmask\)|sigfillset' -r --exclude=signals.h preload
}

@test "judges and reports read the model, not the trace" {
	none '^#include .*(trace_reader|babeltrace|lttng|session)' analyzer/judge*.[ch] analyzer/report*.[ch]
	none '^#include .*(report|cmd_)' analyzer/judge*.[ch] analyzer/world*.[ch] analyzer/findings.[ch]
}

@test "files and lines stay short" {
	# A tab reaches to the next column of eight.
	run awk '
		FNR == 1 { long = FILENAME ~ "^tests/" }
		FNR == 481 && !long { print FILENAME " has more than 480 lines" }
		{
			width = 0
			pieces = split($0, piece, "\t")
			for (i = 1; i < pieces; i++)
				width = int((width + length(piece[i])) / 8 + 1) * 8
			if (width + length(piece[pieces]) > 128)
				print FILENAME ":" FNR " is too wide"
		}' tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch] tests/*/*.[ch]
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "libshmguard.so exports the symbols of CALLS, what AddressSanitizer asks for its options, and nothing else" {
	{ call_symbols; echo __asan_default_options; } | sort >"$BATS_TEST_TMPDIR/table"
	nm -D --defined-only "$BUILD/libshmguard.so" | sed 's/.* //' | sort >"$BATS_TEST_TMPDIR/exported"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -gt 80 ]
	diff "$BATS_TEST_TMPDIR/table" "$BATS_TEST_TMPDIR/exported"
}

@test "libshmguard.so exports without a version name" {
	readelf -V "$BUILD/libshmguard.so" >"$BATS_TEST_TMPDIR/versions"
	none 'Version definition' "$BATS_TEST_TMPDIR/versions"
}

@test "libshmguard.so needs libc alone" {
	readelf -d "$BUILD/libshmguard.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$BATS_TEST_TMPDIR/needed"
	[ "$(cat "$BATS_TEST_TMPDIR/needed")" = libc.so.6 ]
}

@test "libshmguard.so has at most 768 bytes for every thread" {
	local bytes
	bytes=$(readelf -lW "$BUILD/libshmguard.so" | awk '$1 == "TLS" { print $6 }')
	[ $((bytes)) -gt 0 ]
	[ $((bytes)) -le 768 ]
}

# Where RLIMIT_DATA does not leave as much the loader starts no program with it.
@test "libshmguard.so has at most 256 KiB of data" {
	local bytes
	bytes=$(readelf -lW "$BUILD/libshmguard.so" | awk '$1 == "LOAD" && $7 == "RW" { print $6 }')
	[ $((bytes)) -gt 0 ]
	[ $((bytes)) -le $((256 * 1024)) ]
}

@test "libshmguard-tracepoints.so exports one symbol, and the allocator for LTTng" {
	run bash -c "nm -D --defined-only '$BUILD/libshmguard-tracepoints.so' | sed 's/.* //' | grep -v '^lttng_ust\|^__' | sort"
	[ "${output//$'\n'/ }" = "aligned_alloc calloc free malloc memalign posix_memalign realloc shmguard_emit" ]
}

# In that order LTTng finds functions: in the allocator, the preload, and libc.
@test "libshmguard-tracepoints.so needs the preload first" {
	readelf -d "$BUILD/libshmguard-tracepoints.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$BATS_TEST_TMPDIR/needed"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/needed")" = libshmguard.so ]
}

@test "every rule has an advice of its own in the report" {
	missing analyzer/report_advice.c < <(rule_ids | tr - _ | sed 's/.*/\t[RULE_&] =/')
}

@test "README.md has the tables of the sources" {
	tests/docs readme "$SHMGUARD" <README.md >"$BATS_TEST_TMPDIR/README.md"
	cp README.md "$BATS_TEST_TMPDIR/README.md.now"
	same "$BATS_TEST_TMPDIR/README.md" "$BATS_TEST_TMPDIR/README.md.now"
	missing README.md < <(rule_ids | sed 's/.*/| `&` |/'; call_symbols | sed 's/.*/`&`/')
}

@test "the manual page names every checked rule, call and option, and man reads it without a word" {
	missing "$BUILD/shmguard.1" < <(
		rule_ids checked | sed 's/-/\\-/g; s/.*/.B & /'
		for verb in run report diff log objects ls clean doctor explain; do "$SHMGUARD" "$verb" --help; done |
			grep -oE -- '--[a-z][a-z-]+' | sort -u | grep -vx -- --help | sed 's/-/\\-/g'
	)
	sed 's/, /,\n/g' "$BUILD/shmguard.1" | sed -n 's/^\([A-Za-z0-9_]*\)[,.].*/<\1>/p' >"$BATS_TEST_TMPDIR/listed"
	missing "$BATS_TEST_TMPDIR/listed" < <(call_symbols | sed 's/.*/<&>/')
	run groff -man -ww -z "$BUILD/shmguard.1"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "every checked rule has a faulty program, an innocent twin and their tests" {
	local id tests
	tests=$(cat tests/rules*.bats)
	[ "$(rule_ids checked | wc -l)" -ge 9 ]
	for id in $(rule_ids checked); do
		[[ $(<"tests/rules/$id.c") == *"expect: $id "* ]]
		[ -f "tests/rules/${id}_innocent.c" ]
		[[ $tests == *$'\n\t'"check_faulty $id"$'\n'* ]]
		[[ $tests == *$'\n\t'"check_innocent $id"$'\n'* ]]
	done
}

@test "every program in tests/calls has its two tests" {
	local program
	for program in tests/calls/*.c; do
		program=$(basename "$program" .c)
		grep -qx "	preloaded $program" tests/calls.bats
		grep -qx "	recorded $program" tests/calls.bats
	done
}

@test "every file that tests/run-suite names is there" {
	local long alone
	long=$(sed -n "s/^LONG='\(.*\)'$/\1/p" tests/run-suite)
	alone=$(sed -n 's/^ALONE=.*:-\(.*\)}$/\1/p' tests/run-suite)
	[ -n "$long" ]
	[ -n "$alone" ]
	# shellcheck disable=SC2046,SC2086
	ls $alone $(printf 'tests/%s.bats ' $long)
}

# That each is registered is seen to by tests/run-suite.
@test "no two tests of a file have one name" {
	run awk '/^@test / && seen[FILENAME $0]++ { print FILENAME ": " $0 }' tests/*.bats
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

# In "A && B" a failing A ends no test, unless it is the last command. Within [[ ]] and $( ) it is another matter.
@test "no check of a test is joined with the next by &&" {
	run awk '
		joined && $0 != "}" { print joined }
		{ joined = ""; bare = $0; gsub(/\[\[ [^]]* \]\]/, "[[ ]]", bare); while (gsub(/\$\([^()]*\)/, "", bare)); }
		bare ~ /^\t+(\[|holds|grep|same) .* && (\[|holds|grep|same)/ { joined = FILENAME ":" FNR ": " $0 }' \
		tests/*.bats tests/soak/*.bats
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "no test waits for or kills all of its children: one is the countdown that ends a test which hangs" {
	none '(kill|wait) (-[A-Z]+ )?(%[0-9]|\$\(jobs -p)' tests/*.bats tests/*.bash tests/soak/*.bats
	run grep -nE '^[[:space:]]*wait[[:space:]]*(#.*)?$' tests/*.bats tests/soak/*.bats
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "nothing in the tree is left to be done, and no path of a machine is in it" {
	none 'TO[D]O|FIX[M]E' -r --include='*.[ch]' tracepoints preload analyzer tests
	none '/wor[k]/' -r --exclude=contract.bats tracepoints preload analyzer tests Makefile \
		README.md .ci
}
