#!/usr/bin/env bats
# Findings that are known: the lines that hide them, those that are printed to do so, and what is said of what they hid.

bats_require_minimum_version 1.5.0

load helpers
load forms
load workers

@test "suppressions: what is printed for the canned trace" {
	"$SHMGUARD" report --gen-suppressions leaks >got
	same leaks/expected.suppressions got
}

@test "suppressions: what --gen-suppressions prints hides everything, uses are counted, unused lines are named" {
	"$SHMGUARD" report --gen-suppressions leaks >known
	[ "$(grep -vc '^#' known)" -eq 4 ]
	printf '  # a comment\n\nfd-leak:never*\n' >>known
	run --separate-stderr "$SHMGUARD" report --suppress=known --fail-on=note leaks
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "shmguard: nothing found [some was suppressed] [1 process not seen]" ]]
	[[ $output == *"known:2: mapping-leak:/seg suppressed 1 finding"* ]]
	[[ $output == *"known:11: fd-leak:never* is unused"* ]]
	"$SHMGUARD" report --suppress=known --format=json leaks |
		jq -e '.findings == [] and ([.suppressions[].findings] == [1, 1, 1, 1, 0])'
}

@test "suppressions: so does what is printed of one place twice, of the mount, and of a name with an escape in it" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"' sh "$SHMGUARD" run --quiet --report=none \
		-o twice -- sh -c '"$0" shm_open one; "$0" open two; "$1" -c "$2"' "$BUILD/tests/programs/names" /usr/bin/python3 '
from multiprocessing.shared_memory import SharedMemory as S
S("esc\033[31m ", True, 4096).unlink()'
	"$SHMGUARD" report --gen-suppressions twice >known
	grep -q '^weak-mount:' known
	grep -q '^# the same: ' known
	[ "$(grep -v '^#' known | sort | uniq -d | wc -l)" -eq 0 ]
	run ! grep -q $'\033' known
	run --separate-stderr "$SHMGUARD" report --suppress=known --fail-on=note twice
	[ "$status" -eq 0 ] && [[ $output != *unused* ]]
}

@test "suppressions: what is printed of a name hides that name and no other, whatever bytes it is of" {
	cat >name.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		int main(int count, char **names)
		{
			for (int i = 1; i < count; i++)
				if (shm_open(names[i], O_CREAT | O_EXCL | O_RDWR, 0600) < 0)
					return 1;
			return 0;
		}
	END
	gcc -g -w name.c -o name
	cat >names.py <<-'END'
		import json, os, random, re, subprocess, sys
		guard, prefix = sys.argv[1], b"/nasty-"
		bits = [b" ", b"  ", b"\t", b"\n", b"\r", b"#", b"*", b"?", b"[", b"]", b"[ ]", b"\\", b"\\n", b"^", b";", b":", b"!", b"-", b"a", b"b",
		        b"\x1b[m", b"\x7f", b"\x80", b"\xff", "\u00e9".encode(), "\u202e".encode(), "\U0001f600".encode()]
		random.seed(6)
		names = {prefix + bit for bit in bits} | {prefix + b"a" + bit for bit in bits} | {prefix + bit + b"b" for bit in bits}
		names |= {prefix + b"".join(random.choices(bits, k=random.randint(2, 7))) for _ in range(60)}
		names = sorted(names)
		try:
		    subprocess.run([guard, "run", "--quiet", "--report=none", "-o", "nasty", "--", "./name"] + names, check=True)
		finally:
		    for name in names:
		        os.unlink(b"/dev/shm" + name)
		base = [guard, "report", "--group-by=object", "--rule=segment-leak"]
		def told(*more):
		    report = json.loads(subprocess.run(base + ["--format=json", *more, "nasty"], check=True, stdout=subprocess.PIPE).stdout)
		    return {finding["object"] for finding in report["findings"]}, [line["findings"] for line in report["suppressions"]]
		every = told()[0]
		assert len(every) == len(names), (len(every), len(names))
		known = subprocess.run(base + ["--gen-suppressions", "nasty"], check=True, stdout=subprocess.PIPE).stdout
		assert not re.search("[\\x00-\\x09\\x0b-\\x1f\\x7f\\u202e]", known.decode())
		lines = [line for line in known.decode().split("\n") if line and not line.startswith("#")]
		assert len(lines) == len(names), (len(lines), len(names))
		open("known", "w").write("\n".join(lines))
		left, counts = told("--suppress=known")
		assert left == set(), left
		assert counts == [1] * len(lines), [line for line, count in zip(lines, counts) if count != 1]
	END
	"$PYTHON" names.py "$SHMGUARD"
}

@test "suppressions: so does what is printed of objects that share a name, one of which has others besides" {
	cat >swap.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void again(void)
		{
			shm_open("/swap", O_CREAT | O_RDWR, 0600);
			shm_unlink("/swap");
		}
		int main(int count, char **argv)
		{
			shm_open("/swap", O_CREAT | O_EXCL | O_RDWR, 0600);
			shm_open("/swap.new", O_CREAT | O_EXCL | O_RDWR, 0600);
			rename("/dev/shm/swap.new", "/dev/shm/swap");
			link("/dev/shm/swap", "/dev/shm/swap-link");
			shm_unlink("/swap");
			shm_unlink("/swap-link");
			if (count > 1)
				for (int i = 0; i < 3; i++)
					again();
			return 0;
		}
	END
	gcc -g -O0 -w swap.c -o swap
	for many in '' many; do
		# shellcheck disable=SC2086 # an argument or none
		"$SHMGUARD" run --quiet --report=none -o "swaps$many" -- ./swap $many
		"$SHMGUARD" report --gen-suppressions --rule=predictable-name "swaps$many" >known
		"$SHMGUARD" report --suppress=known --rule=predictable-name "swaps$many" >text
		[[ $(<text) == *"nothing found [some was suppressed]"* ]]
		run -1 grep unused text
		grep -qx 'predictable-name:/swap' known
	done
	grep -qx 'predictable-name:^swap!again;swap!main' known
	# What has no name in common keeps a line of its own.
	"$SHMGUARD" run --quiet --report=none -o apart -- sh -c '"$0" shm_open one; "$0" shm_open two' "$BUILD/tests/programs/names"
	"$SHMGUARD" report --gen-suppressions --rule=predictable-name apart >known
	"$SHMGUARD" report --suppress=known --rule=predictable-name apart >text
	run -1 grep unused text
}

@test "suppressions match a module as well as an object, and a rule by its pattern" {
	echo '*-leak:server' >known
	"$SHMGUARD" report --suppress=known --format=json leaks |
		jq -e '[.findings[].rule] == ["double-unlink", "partial-unmap"]'
	cp "$BUILD/tests/programs/leaky" program
	"$SHMGUARD" run --quiet --report=none -o leaky -- ./program 3 "/forms-suppress-$$-"
	rm -f "/dev/shm/forms-suppress-$$-"*
	echo 'segment-leak:leaky_m*' >known
	"$SHMGUARD" report --suppress=known --format=json leaky | jq -e 'all(.findings[]; .rule != "segment-leak")'
	# Of the three that one place left, only those that were asked for, or those that were not named.
	left='.findings[] | select(.rule == "segment-leak") | [.count, .fingerprint]'
	print=$("$SHMGUARD" report --format=json leaky | jq -r "$left"'[1]')
	[ "$("$SHMGUARD" report --object="/forms-suppress-$$-1" --format=json leaky | jq -c "$left")" = "[1,\"$print\"]" ]
	"$SHMGUARD" report --object="/forms-suppress-$$-1" leaky | grep -q "/forms-suppress-$$-1 .* still exists"
	echo "segment-leak:/forms-suppress-$$-1" >known
	[ "$("$SHMGUARD" report --suppress=known --format=json leaky | jq -c "$left")" = "[2,\"$print\"]" ]
	"$SHMGUARD" report --suppress=known --object="/forms-suppress-$$-1" --rule=segment-leak leaky |
		grep -q 'known:1: .* suppressed 1 finding'
}

@test "a bad suppression is wrong usage, and names file and line" {
	printf '# fine\nno-such-rule:x\n' >known
	run --separate-stderr "$SHMGUARD" report --suppress=known leaks
	[ "$status" -eq 2 ]
	[[ $stderr == "shmguard: known:2: there is no rule 'no-such-rule'"* ]]
	echo 'segment-leak' >known
	run --separate-stderr "$SHMGUARD" report --suppress=known leaks
	[ "$status" -eq 2 ]
	[[ $stderr == "shmguard: known:1: a suppression is RULE:GLOB" ]]
	run --separate-stderr "$SHMGUARD" report --suppress=nowhere leaks
	[ "$status" -eq 2 ] && [[ $stderr == "shmguard: nowhere: No such file or directory" ]]
}

@test "suppressions: what is no text is wrong usage, however much there is of it" {
	run -2 "$SHMGUARD" report --suppress=/dev/zero leaks
	[ "${lines[0]}" = "shmguard: /dev/zero:1: a line is longer than 65534 bytes, or no text" ]
	printf 'segment-leak:/gone' >unended
	"$SHMGUARD" report --suppress=unended leaks >/dev/null
}

@test "suppressions: a byte order mark at the start of a file is not of its first line" {
	printf '\xef\xbb\xbfsegment-leak:/seg\r\n' >known
	"$SHMGUARD" report --suppress=known --format=json leaks | jq -e '.suppressions == [{
		rule: "segment-leak", pattern: "/seg", source: "known", line: 1, findings: 1, occurrences: 1}]'
	printf '\xef\xbb\xbf# a comment\n\xef\xbb\xbfsegment-leak:/seg\n' >known
	run -2 "$SHMGUARD" report --suppress=known leaks
	printf '\xef\xbb\xbf' >known
	"$SHMGUARD" report --suppress=known leaks >/dev/null
}

@test "the built-in suppressions are lines that --suppress reads" {
	"$SHMGUARD" report --show-suppressions >known
	grep -q '^segment-leak:/jack-shm-registry$' known
	"$SHMGUARD" report --suppress=known --format=json leaks | jq -e '.findings | length == 4'
}

@test "suppressions: a line that is printed is of one function of one module, and hides nothing of another program's" {
	record one "$PROGRAMS/leaky" 1 /forms-narrow-one. >out
	cp "$PROGRAMS/leaky" other
	record two "$PWD/other" 1 /forms-narrow-two. >out
	rm -f /dev/shm/forms-narrow-*
	"$SHMGUARD" report --gen-suppressions "$BATS_TEST_TMPDIR/one" | grep '^segment-leak:' >known
	grep -q '^segment-leak:^leaky!' known
	"$SHMGUARD" report --suppress=known --format=json "$BATS_TEST_TMPDIR/one" | jq -e 'all(.findings[]; .rule != "segment-leak")'
	"$SHMGUARD" report --suppress=known --format=json "$BATS_TEST_TMPDIR/two" | jq -e 'any(.findings[]; .rule == "segment-leak")'
}

@test "suppressions: a line of a function holds whether debug information or the symbol table alone names it; so do older lines" {
	cat >cpp.cc <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static int made(const char *name, int n) { return shm_open(name, O_CREAT | O_RDWR, 0600) + n; }
		#define MAKE(name) { int r = made(name, n); __asm__ volatile(""); return r; }
		namespace { int hidden(int n) MAKE("/cpp-one")
		struct S { int act(int n) MAKE("/cpp-two") }; }
		static int still(int n, const char *) MAKE("/cpp-three")
		template <class T> static int of(T n) MAKE("/cpp-four")
		namespace outer { int open(long n) MAKE("/cpp-five") }
		extern "C" { static int plain(int n) MAKE("/cpp-six") }
		int main(int count, char **names)
		{
			auto lambda = [&](int n) MAKE("/cpp-seven");
			return (hidden(count) + S().act(count) + still(count, names[0]) + of<unsigned>(count) + outer::open(count) +
				plain(count) + lambda(count)) * 0;
		}
	END
	local level form
	for level in 0 2; do
		g++ -g -O$level -fno-inline -w cpp.cc -o whole
		objcopy --strip-debug whole bare
		for form in whole bare; do
			cp $form program
			"$SHMGUARD" run --quiet --report=none -o $form$level -- ./program
			rm -f /dev/shm/cpp-*
			"$SHMGUARD" report --rule=predictable-name --gen-suppressions $form$level | grep -v '^#' >$form.lines
			"$SHMGUARD" report --rule=predictable-name --format=json $form$level | jq -r '.findings[] | .object + " " + .fingerprint' | sort >$form.prints
		done
		[ "$(wc -l <whole.lines)" -eq 7 ]
		same whole.lines bare.lines
		grep -qF '!(anonymous namespace)::hidden(int);' whole.lines
		# Before they were called so, and known by that.
		for form in hidden act still 'of<unsigned int>' '*operator()*' plain '^program!made;program!act;program!main'; do
			run -0 "$SHMGUARD" report --rule=predictable-name --suppress=<(printf 'predictable-name:%s\n' "$form") whole$level
			[[ $output == *"suppressed 1 finding (1 occurrence)"* ]] || { echo "$form: $output"; false; }
		done
		[ $level -gt 0 ] || cp whole.prints prints
	done
	same prints <(printf '%s\n' 'o1 44b5546ac1388e6f' 'o2 ef1d0bd8e02ed045' 'o3 e26b4af6af6546d7' 'o4 eae99afffb864b1c' \
		'o5 aef99b15212f716b' 'o6 8d31c31d5eef3ee9' 'o7 4cc6c9f98918b447')
}

@test "suppressions: a line that is printed is of one place with its callers, and RULE:^GLOB of the innermost function" {
	local known
	cat >places.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <sys/mman.h>
		static int helper(const char *name) { return shm_open(name, O_CREAT | O_RDWR, 0600); }
		static int one(const char *name) { return helper(name) + 1; }
		static int other(const char *name) { return helper(name) + 2; }
		int main(int argc, char **argv)
		{
			char name[64];
			snprintf(name, 64, "/forms-place-%s.one", argv[argc - 1]);
			one(name);
			snprintf(name, 64, "/forms-place-%s.other", argv[argc - 1]);
			other(name);
			snprintf(name, 64, "/forms-place-%s.direct", argv[argc - 1]);
			helper(name);
			shm_open("/forms-place-direct", O_CREAT | O_RDWR, 0600);
			snprintf(name, 64, "/forms-place-%s.main", argv[argc - 1]);
			return shm_open(name, O_CREAT | O_RDWR, 0600) < 0;
		}
	END
	gcc -O0 -g places.c -o places
	record places "$PWD/places" $$
	rm -f /dev/shm/forms-place-*
	leaks_of() { "$SHMGUARD" report --rule=segment-leak "$@" "$BATS_TEST_TMPDIR/places"; }
	leaks_of --gen-suppressions | grep -v '^#' | sort >got
	sort >expected <<-'END'
		segment-leak:/forms-place-direct
		segment-leak:^places!helper;places!main
		segment-leak:^places!helper;places!one;places!main
		segment-leak:^places!helper;places!other;places!main
		segment-leak:^places!main
	END
	same expected got
	# left LINE: how many are left of the five.
	left() { echo "$1" >known; leaks_of --suppress=known --format=json | jq '[.findings[].count] | add // 0'; }
	while read -r known; do
		[ "$(left "$known")" -eq 4 ] || [ "$known:$(left "$known")" = "segment-leak:^places!main:3" ]
	done <got
	[ "$(left 'segment-leak:^*helper')" -eq 2 ]
	[ "$(left 'segment-leak:^helper;o*')" -eq 3 ]
	[ "$(left 'segment-leak:^one')" -eq 5 ]
	[ "$(left 'segment-leak:one')" -eq 4 ]
	[ "$(left 'segment-leak:main')" -eq 0 ]
}

@test "a suppression counts what it hid, and says that there is more of a finding" {
	workers
	printf 'segment-leak:/workers-*-[01]\nmapping-leak:*\n' >known
	run -0 "$SHMGUARD" report --suppress=known work
	[[ $output == *"known:1: segment-leak:/workers-*-[01] suppressed 1 finding (2 occurrences), of which 1 has others that are told"* ]]
	[[ $output == *"known:2: mapping-leak:* suppressed 1 finding (6 occurrences)"$'\n'* ]]
	[[ $output == *"error: segment-leak (4 times"* ]]
	"$SHMGUARD" report --suppress=known --format=json work | jq -e '[.suppressions[] | .findings, .occurrences] == [1, 2, 1, 6]'
}

@test "suppressions: a line for what one place did to many objects is of the place, not of the latest of them" {
	cat >loop.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++) {
				int fd = shm_open(argv[i], O_CREAT | O_EXCL | O_RDWR, 0600);
				ftruncate(fd, 4096);
				mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
				shm_unlink(argv[i]);
			}
			return 0;
		}
	END
	gcc -g -w loop.c -o loop
	"$SHMGUARD" run --quiet --report=none -o less -- ./loop /loop-a /loop-b
	"$SHMGUARD" run --quiet --report=none -o more -- ./loop /loop-a /loop-b /loop-c
	"$SHMGUARD" report --gen-suppressions --rule='*-leak' less >known
	grep -qx 'mapping-leak:^loop!main' known
	grep -qx 'fd-leak:^loop!main' known || [ "$(grep -c fd-leak known)" -eq 0 ]
	run -0 "$SHMGUARD" report --suppress=known --rule='*-leak' --fail-on=note more
}

@test "suppressions: what mkstemp chose of a name is any of its length in the next run, unless that would hide another's" {
	cat >temporary.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void fill(int fd)
		{
			ftruncate(fd, 1 << 20);
			munmap(memset(mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 1, 1 << 20), 1 << 20);
			close(fd);
		}
		int main(int count, char **names)
		{
			char one[] = "/dev/shm/mk[*.XXXXXX", two[] = "/dev/shm/mk[*.XXXXXX", three[] = "/dev/shm/mo-XXXXXX";
			fill(mkstemp(one));
			fill(mkstemp(two));
			fill(mkostemp(three, O_CLOEXEC));
			for (int i = 1; i < count; i++)
				fill(shm_open(names[i], O_CREAT | O_EXCL | O_RDWR, 0600));
			return 0;
		}
	END
	gcc -g -w temporary.c -o symbols
	gcc -s -w temporary.c -o stripped
	for program in symbols stripped; do
		for time in first second; do
			"$SHMGUARD" run --quiet --report=none -o $program.$time -- ./$program
			rm -f "/dev/shm/mk[*."?????? /dev/shm/mo-??????
		done
		"$SHMGUARD" report --gen-suppressions $program.first >known
		run -0 "$SHMGUARD" report --suppress=known --fail-on=note $program.second
		[[ $output != *unused* ]]
	done
	grep -qxF 'segment-leak:/mo-??????' known
	grep -qxF 'segment-leak:/mk\[\*.??????' known
	[ "$(grep -c '^segment-leak:' known)" -eq 2 ]
	# One that was given its name by somebody is not hidden by the line of others.
	"$SHMGUARD" run --quiet --report=none -o named -- ./stripped /mo-config
	rm -f "/dev/shm/mk[*."?????? /dev/shm/mo-??????
	"$SHMGUARD" report --gen-suppressions named >known
	grep -qxF 'segment-leak:/mo-config' known
	[ "$(grep -c '^segment-leak:/mo-[A-Za-z0-9]*$' known)" -eq 2 ]
	run -0 "$SHMGUARD" report --suppress=known --fail-on=note named
}

@test "suppressions: a line that is unused is told as it stands in its file" {
	printf '%s\n' 'segment-leak:Op::operator<(char const\*) const' $'segment-leak:/a\033b' >lines
	"$SHMGUARD" report --suppress=lines leaks >report.txt
	grep -qF 'segment-leak:Op::operator<(char const\*) const is unused' report.txt
	grep -qF 'segment-leak:/a\x1bb is unused' report.txt
}
