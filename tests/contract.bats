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

@test "the preload and the analyzer do not include each other" {
	only 'preload/' 'preload/.*'
	only 'analyzer/' 'analyzer/.*'
	none '^#include "\.\.' tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch]
}

@test "the contract needs nothing but libc, except LTTng's provider" {
	only 'lttng/tracepoint' 'tracepoints/(provider\.h|emit\.c)'
	only 'lttng/ust' 'tracepoints/emit\.c'
	none '^#include "(preload|analyzer)/' tracepoints/*.[ch]
	for header in calls errnos fields events notes environment policy rules version words; do
		echo "#include \"tracepoints/$header.h\"" | gcc -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror \
			-fsyntax-only -x c -
	done
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

@test "judges and reports read the model, not the trace" {
	none '^#include .*(trace_reader|babeltrace|lttng|session)' analyzer/judge*.[ch] analyzer/report*.[ch]
	none '^#include .*(report|cmd_)' analyzer/judge*.[ch] analyzer/world*.[ch] analyzer/findings.[ch]
}

@test "files and lines stay short" {
	local file lines
	for file in tracepoints/*.[ch] preload/*.[ch] analyzer/*.[ch] tests/*/*.[ch]; do
		lines=$(wc -l <"$file")
		[[ $file == tests/* || $lines -le 480 ]] || { echo "$file has $lines lines"; false; }
		[ "$(expand "$file" | wc -L)" -le 128 ] || { echo "$file is too wide"; false; }
	done
}

@test "libshmguard.so exports the symbols of CALLS and nothing else" {
	call_symbols | sort >"$BATS_TEST_TMPDIR/table"
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

@test "libshmguard-tracepoints.so exports one symbol" {
	run bash -c "nm -D --defined-only '$BUILD/libshmguard-tracepoints.so' | sed 's/.* //' | grep -v '^lttng_ust\|^__'"
	[ "$output" = shmguard_emit ]
}

@test "README.md has the tables of the sources" {
	tests/docs readme "$SHMGUARD" <README.md >"$BATS_TEST_TMPDIR/README.md"
	cp README.md "$BATS_TEST_TMPDIR/README.md.now"
	same "$BATS_TEST_TMPDIR/README.md" "$BATS_TEST_TMPDIR/README.md.now"
	for id in $(rule_ids); do
		grep -qF "| \`$id\` |" README.md
	done
	for symbol in $(call_symbols); do
		grep -qF "\`$symbol\`" README.md
	done
}

@test "the manual page names every checked rule, call and option, and man reads it without a word" {
	local option
	for id in $(rule_ids checked); do
		grep -qF ".B ${id//-/\\-} " "$BUILD/shmguard.1"
	done
	for symbol in $(call_symbols); do
		grep -qE "(^|, )${symbol}[,.]" "$BUILD/shmguard.1"
	done
	for option in $({ for verb in run report diff log objects ls clean doctor explain; do "$SHMGUARD" "$verb" --help; done; } | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		[ "$option" = --help ] || grep -qF -- "${option//-/\\-}" "$BUILD/shmguard.1" || { echo "$option"; false; }
	done
	run groff -man -ww -z "$BUILD/shmguard.1"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "every checked rule has a faulty program, an innocent twin and their tests" {
	local id
	[ "$(rule_ids checked | wc -l)" -ge 9 ]
	for id in $(rule_ids checked); do
		[ -f "tests/rules/$id.c" ]
		[ -f "tests/rules/${id}_innocent.c" ]
		grep -q "expect: $id " "tests/rules/$id.c"
		grep -qxh "	check_faulty $id" tests/rules*.bats
		grep -qxh "	check_innocent $id" tests/rules*.bats
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

@test "every bats file registers each of its tests by name" {
	local file
	for file in tests/*.bats; do
		[ "$(grep -c '^@test ' "$file")" -eq "$(bats --count "$file")" ] || { echo "$file"; false; }
		[ -z "$(grep '^@test ' "$file" | sort | uniq -d)" ] || { echo "$file"; false; }
	done
}

@test "nothing in the tree is left to be done, and no path of a machine is in it" {
	none 'TO[D]O|FIX[M]E' -r --include='*.[ch]' tracepoints preload analyzer tests
	none '/wor[k]/' -r --exclude=contract.bats tracepoints preload analyzer tests Makefile \
		README.md .ci
}
