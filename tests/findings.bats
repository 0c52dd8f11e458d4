#!/usr/bin/env bats
# What is done with findings: suppressed, filtered, brought together, compared with those of another recording.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "fingerprints are those of another build, elsewhere, with lines moved and libc left out" {
	local place
	mkdir one two
	cp "$ROOT/tests/programs/leaky.c" one/
	{ printf '\n\n\n'; cat "$ROOT/tests/programs/leaky.c"; } >two/leaky.c
	gcc -g -O0 one/leaky.c -o one/leaky
	gcc -g -O1 -fno-inline two/leaky.c -o two/leaky
	for place in one two; do
		"$SHMGUARD" run --quiet --report=none -o "$place/recording" -- "$place/leaky" 2 "/forms-print-$$-"
		rm -f "/dev/shm/forms-print-$$-0" "/dev/shm/forms-print-$$-1"
		"$SHMGUARD" report --format=json --severity=error "$place/recording" | jq -r '.findings[] | .rule + " " + .fingerprint' >$place/prints
	done
	grep -q segment-leak one/prints
	same one/prints two/prints
	run -0 "$SHMGUARD" diff one/recording two/recording
	[[ ${lines[0]} == "0 new, 0 fixed, "* ]]
}

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

# finds RULES [OPTION...]: the rules of the findings that are left.
finds()
{
	local rules=$1
	shift
	[ "$("$SHMGUARD" report --format=json "$@" leaks | jq -r '[.findings[].rule] | join(" ")')" = "$rules" ]
}

@test "filters" {
	finds "mapping-leak segment-leak double-unlink" --pid=100
	finds "double-unlink partial-unmap" --pid=101
	finds "" --pid=999
	finds "mapping-leak segment-leak double-unlink partial-unmap" --exe=server
	finds "" --exe=client
	finds "mapping-leak segment-leak partial-unmap" --object='/s*'
	finds "mapping-leak segment-leak" --rule='*-leak'
	finds "mapping-leak segment-leak double-unlink" --severity=warning
	finds "segment-leak" --until=1.01
	finds "mapping-leak double-unlink partial-unmap" --since=1010ms
	run -2 "$SHMGUARD" report --rule=nonsense leaks
	run -2 "$SHMGUARD" report --pid=x leaks
	run -2 "$SHMGUARD" report --since=soon leaks
	for command in report log; do
		run -2 --separate-stderr "$SHMGUARD" $command --since=2 --until=1 leaks
		[ "$stderr" = "shmguard: --since is later than --until: nothing lies between them" ]
		[ -z "$output" ]
		"$SHMGUARD" $command --since=1.01 --until=1010ms leaks >/dev/null
	done
	run -2 "$SHMGUARD" report --severity=grave leaks
}

@test "a filter by process keeps what hits it, also where another made the call and mapped what it inherited" {
	cat >readers.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void *memory;
		static pid_t reader(int unmaps)
		{
			int ready[2];
			char byte;
			pid_t pid;
			if (pipe(ready))
				return -1;
			pid = fork();
			if (pid == 0) {
				if (unmaps)
					munmap(memory, 1 << 20);
				close(ready[0]);
				if (write(ready[1], "", 1) == 1)
					pause();
				_exit(1);
			}
			if (read(ready[0], &byte, 1) == 1)
				printf("%d\n", (int)pid);
			return pid;
		}
		int main(void)
		{
			int fd = shm_open("/readers", O_CREAT | O_EXCL | O_RDWR, 0600), i;
			pid_t pids[3];
			if (ftruncate(fd, 1 << 20))
				return 1;
			memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			for (i = 0; i < 3; i++)
				pids[i] = reader(i == 2);
			munmap(memory, 1 << 20);
			printf("%d\n", (int)getpid());
			if (ftruncate(fd, 4096))
				return 1;
			open("/dev/shm/readers", O_RDWR | O_TRUNC);
			for (i = 0; i < 3; i++) {
				kill(pids[i], SIGTERM);
				waitpid(pids[i], NULL, 0);
			}
			shm_unlink("/readers");
			return 0;
		}
	END
	cc -o readers readers.c
	"$SHMGUARD" run --quiet --report=none -o recording -- ./readers >pids
	mapfile -t readers <pids
	for reader in "${readers[0]}" "${readers[1]}"; do
		"$SHMGUARD" report --pid="$reader" --format=json recording >report.json
		holds --arg who "readers (pid $reader)" '[.findings[] | select(.message | contains($who)) | .rule] | sort |
			. - ["unsynchronised-sharing"] == ["shrink-under-map", "truncate-on-open"]'
		holds '[.findings[] | select(.rule == "shrink-under-map") | .severity] == ["error"]'
	done
	"$SHMGUARD" report --pid="${readers[2]}" --format=json recording >report.json
	holds '[.findings[] | select(.rule == "shrink-under-map" or .rule == "truncate-on-open")] == []'
	"$SHMGUARD" report --pid="${readers[3]}" --format=json recording >report.json
	holds '[.findings[] | select(.rule == "shrink-under-map" or .rule == "truncate-on-open") | .severity] == ["error", "error"]'
}

@test "what is filtered out is counted, and does not fail" {
	run "$SHMGUARD" report --severity=error --fail-on=note --pid=101 leaks
	[ "$status" -eq 0 ]
	[[ $output == *"4 of the findings were not asked for."* ]]
}

@test "--max-findings lets so many pass" {
	run -0 "$SHMGUARD" report --fail-on=error --max-findings=2 leaks
	run -1 "$SHMGUARD" report --fail-on=error --max-findings=1 leaks
	run -2 "$SHMGUARD" report --max-findings=x leaks
}

@test "--group-by brings together what belongs together, under its name" {
	run -0 "$SHMGUARD" report --group-by=process leaks
	[ "$(grep -c '^== ' <<<"$output")" -eq 2 ]
	[ "$(grep '^== ' <<<"$output" | head -n 1)" = "== 100 server" ]
	run -0 "$SHMGUARD" report --group-by=object leaks
	[ "$(grep '^== ' <<<"$output" | tr '\n' ' ')" = "== /seg == /gone " ]
	run -0 "$SHMGUARD" report --group-by=rule leaks
	[ "$(grep -c '^== ' <<<"$output")" -eq 4 ]
	run -2 "$SHMGUARD" report --group-by=nonsense leaks
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

# workers: records six forks of one program, each of which leaves an object of its own behind, the fourth the largest.
workers()
{
	cat >workers.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void work(const char *prefix, int i)
		{
			char name[64];
			size_t size = i == 3 ? 1 << 20 : 4096 * (i + 1);
			snprintf(name, sizeof name, "%s%d", prefix, i);
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			ftruncate(fd, size);
			mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			close(fd);
		}
		int main(int argc, char **argv)
		{
			for (int i = 0; i < 6; i++) {
				if (fork() == 0) {
					work(argv[argc - 1], i);
					exit(0);
				}
				wait(0);
			}
			return 0;
		}
	END
	gcc -g -D_GNU_SOURCE -w workers.c -o workers
	"$SHMGUARD" run --quiet --report=none -o work -- ./workers "/workers-$$-"
	rm -f /dev/shm/workers-"$$"-*
}

@test "what a finding of many tells is of one of them: message, object, process and stacks, in every form" {
	workers
	"$SHMGUARD" report --format=json:report.json --format=csv:report.csv --format=text:report.txt work
	for rule in segment-leak mapping-leak; do
		holds --arg rule "$rule" --arg name "/workers-$$-3" '
			(.processes | map({key: .id, value: .pid}) | from_entries) as $pid |
			(.objects[] | select(.names == [$name])) as $object |
			[.findings[] | select(.rule == $rule)] | length == 1 and (.[0] | .process as $process |
			.count == 6 and .object == $object.id and .process == $object.created_by and (.message | contains($name)) and
			.stacks[0].process == $process and (.message | contains("(pid \($pid[$process]))")))'
		pid=$(jq --arg name "/workers-$$-3" '(.objects[] | select(.names == [$name])).created_by as $id |
			.processes[] | select(.id == $id).pid' report.json)
		grep "$rule" report.csv | grep "\"/workers-$$-3\"" | grep -q "[,\"]${pid}[,\"]"
	done
	grep -A4 '^error: segment-leak' report.txt | grep -q "process $pid: "
}

@test "--group-by: each of many objects and processes of one place has its own, and what fails stays what it was" {
	workers
	run -0 "$SHMGUARD" report --group-by=object --rule=segment-leak work
	[ "$(grep -c '^== /workers-' <<<"$output")" -eq 6 ]
	grep -A3 "^== /workers-$$-2" <<<"$output" | grep -q "/workers-$$-2 (12 KiB)"
	run -0 "$SHMGUARD" report --group-by=process --rule=segment-leak work
	[ "$(grep -c '^== [0-9]* workers' <<<"$output")" -eq 6 ]
	run -0 "$SHMGUARD" report --group-by=rule --rule=segment-leak work
	[ "$(grep -c '^error: segment-leak (6 times' <<<"$output")" -eq 1 ]
	run -0 "$SHMGUARD" report --group-by=object --rule=segment-leak --fail-on=error --max-findings=1 work
	[[ $output == *"shmguard: 6 errors; "* ]]
	run -1 "$SHMGUARD" report --group-by=object --rule=segment-leak --fail-on=error work
	"$SHMGUARD" report --format=json --group-by=object work >grouped.json
	run -0 "$SHMGUARD" diff grouped.json work
	[[ ${lines[0]} == "0 new, 0 fixed, 0 changed" ]]
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

@test "shrink-under-map names what reaches furthest, wherever that lies and whoever has it" {
	cat >reach.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		#define APART __attribute__((noinline))
		static int fd, ready[2];
		static APART void map_near(char *at)
		{
			mmap(at, 8192, PROT_READ, MAP_SHARED, fd, 0);
		}
		static APART void map_far(char *at, int prot)
		{
			mmap(at, 1 << 20, prot, MAP_SHARED, fd, 0);
		}
		static void stay(int child, int how)
		{
			char *low = (char *)0x200000000000, *high = low + (1 << 28);
			if (child != how / 2)
				map_near(low);
			if (child == how / 2)
				map_far(how % 2 ? high : low, PROT_READ);
			if (child == how / 2)
				map_near(how % 2 ? low : high);
			if (write(ready[1], "", 1) == 1)
				pause();
		}
		int main(int argc, char **argv)
		{
			pid_t children[2] = {0};
			int how = argc > 1 ? argv[1][0] - '0' : 0;
			char mapped;
			fd = shm_open("/reach", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (posix_fallocate(fd, 0, 1 << 20) || pipe(ready))
				return 1;
			for (int i = 0; i < 2 && how < 4; i++)
				if ((children[i] = fork()) == 0)
					stay(i, how);
				else if (read(ready[0], &mapped, 1) != 1)
					return 1;
			if (how >= 4)
				map_near(NULL);
			/* Nobody touches what is PROT_NONE. */
			if (how == 5)
				map_far(NULL, PROT_NONE);
			if (ftruncate(fd, 4096))
				return 1;
			for (int i = 0; i < 2 && how < 4; i++) {
				kill(children[i], SIGKILL);
				waitpid(children[i], NULL, 0);
			}
			shm_unlink("/reach");
			return 0;
		}
	END
	cc -g -o reach reach.c
	for how in 0 1 2 3 4 5; do
		"$SHMGUARD" run --quiet --report=none -o "how$how" -- ./reach "$how"
		"$SHMGUARD" report --format=json "how$how" >report.json
		furthest='[1044480, true, "map_far"]' end=1048576
		[ "$how" -lt 4 ] || furthest='[4096, true, "map_near"]' end=8192
		holds --argjson furthest "$furthest" --arg words "maps it up to $end:" '[.findings[] |
			select(.rule == "shrink-under-map") | [.bytes, (.message | contains($words)), (.stacks[] |
			select(.role == "mapped").frames | map(.function // empty) | map(select(startswith("map_")))[0])]] == [$furthest]'
	done
	for how in 1 2 3; do
		run "$SHMGUARD" diff how0 "how$how"
		echo "$output"
		[[ ${lines[0]} == *", 0 changed"* ]]
	done
}
