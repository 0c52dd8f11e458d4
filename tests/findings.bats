#!/usr/bin/env bats
# What is done with findings: filtered, brought together, compared with those of another recording.

bats_require_minimum_version 1.5.0

load helpers
load forms
load workers

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
		# shellcheck disable=SC2154 # run sets it
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

@test "a filter that nothing in the recording matches is told as such, and does not fail" {
	local options line form
	while IFS='|' read -r options line; do
		read -ra options <<<"$options"
		run --separate-stderr -0 "$SHMGUARD" report --fail-on=note "${options[@]}" leaks
		# shellcheck disable=SC2154 # run sets it
		[ -z "$stderr" ]
		tr -s ' \n' ' ' <<<"$output" | grep -qF "shmguard: nothing found: $line [some was not asked for]"
		for form in json sarif junit csv html timeline suppressions; do
			run --separate-stderr -0 "$SHMGUARD" report --fail-on=note --format=$form "${options[@]}" leaks
			[[ $stderr == "shmguard: $line"* ]]
		done
	done <<-'END'
		--pid=999|no process in the recording matches --pid=999
		--pid=box:100|no process in the recording matches --pid=box:100
		--pid=100 --exe=nope|no process in the recording matches --pid=100 and --exe=nope
		--exe=nope*|no program in the recording matches --exe=nope*
		--object=/nope|no object in the recording has a name that matches --object=/nope
	END
	# What is there and has no finding, or none that was asked for, is not.
	for options in --pid=103 --exe=static "--exe=server --severity=error --until=0.5" "--object=/gone --rule=churn"; do
		read -ra options <<<"$options"
		run --separate-stderr -0 "$SHMGUARD" report --format=text --format=json:report.json "${options[@]}" leaks
		[[ $output == *"nothing found ["* && -z $stderr ]]
	done
}

@test "--max-findings lets so many pass" {
	run -0 "$SHMGUARD" report --fail-on=error --max-findings=2 leaks
	run -1 "$SHMGUARD" report --fail-on=error --max-findings=1 leaks
	run -2 "$SHMGUARD" report --max-findings=x leaks
}

@test "a number is digits that mean one, in every option" {
	local number pid
	"$SHMGUARD" report --max-findings=9223372036854775807 --pid=2147483647 leaks
	for number in '' ' 5' '5 ' +5 -5 5x 0x5 1.5 9223372036854775808 18446744073709551617 99999999999999999999; do
		run -2 "$SHMGUARD" report "--max-findings=$number" leaks
		[ "${lines[0]}" = "shmguard: --max-findings takes a number from 0 to 9223372036854775807, not '$number'" ]
		run -125 "$SHMGUARD" run "--error-exitcode=$number" true
		[ "${lines[0]}" = "shmguard: --error-exitcode wants a number from 1 to 255, not '$number'; see \`shmguard run --help\`" ]
		for pid in "$number" "vm:$number"; do
			run -2 "$SHMGUARD" log "--pid=$pid" leaks
			[ "${lines[0]}" = "shmguard: '$pid' is no pid, nor HOST:PID" ]
		done
	done
	# What a recording says of itself is read back.
	for number in 0 9223372036854775808 18446744073709551615 8589934592G 18014398509481985K; do
		run -125 "$SHMGUARD" run "--max-size=$number" true
		[ "${lines[0]}" = "shmguard: --max-size wants a number of bytes such as 64M, not '$number'; see \`shmguard run --help\`" ]
	done
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

@test "--group-by: no two cases of junit have one name, and no two results of sarif one fingerprint" {
	local group
	workers
	for group in object process; do
		"$SHMGUARD" report --group-by=$group --format=junit:work.xml --format=sarif:work.sarif work
		grep -o '<testcase classname="[^"]*" name="[^"]*"' work.xml | sort | uniq -d >twice
		[ ! -s twice ]
		jq -e '[.runs[0].results[]] | length > 6 and ([.[].partialFingerprints.primaryLocationLineHash] | unique | length) == length and
			([.[].fingerprints["shmguard/v1"]] | unique | length) == length and
			([.[].partialFingerprints.primaryLocationLineHash | select(endswith(":6"))] | length) > 0' work.sarif
	done
	"$SHMGUARD" report --format=sarif work | jq -e '[.runs[0].results[].fingerprints["shmguard/v1"] | select(contains(":"))] == []'
}

@test "an object's name is asked for, and suppressed, as it is and as it is shown" {
	local name
	cat >named.py <<-'END'
		import mmap, os, sys
		names = (b"bad\xffname", b"new\nline", b"back\\nslash", "hid\u200bden".encode())
		paths = [b"/dev/shm/" + os.fsencode(sys.argv[1]) + name for name in names]
		files = [os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600) for path in paths]
		kept = [os.ftruncate(file, 4096) or mmap.mmap(file, 4096) for file in files]
	END
	"$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" named.py "shown-$$-"
	rm -f "/dev/shm/shown-$$-"*
	# shellcheck disable=SC1003 # these are backslashes
	for name in 'bad\xffname' 'new\nline' 'back\\nslash' 'hid\u{200b}den' $'bad\xffname' $'new\nline'; do
		"$SHMGUARD" report --rule=segment-leak --object="*shown-$$-$name" --format=json recording >report.json
		holds '.findings | length == 1 and .[0].count == 1'
		[[ $name != *$'\n'* ]] || continue
		printf 'segment-leak:*shown-%d-%s\n' $$ "$name" >suppressed
		"$SHMGUARD" report --rule=segment-leak --suppress=suppressed --format=json recording >report.json
		holds '[.suppressions[] | select(.pattern | contains("shown-")) | .occurrences] == [1]'
	done
	"$SHMGUARD" report --rule=segment-leak --object="*shown-$$-back\\xslash" --format=json recording >report.json
	holds '.findings == []'
}

@test "a name that was given in vain is asked for, suppressed, grouped and shown, though no object has it" {
	local name=/vain-$$
	cd "$BATS_TEST_TMPDIR" || return
	cat >vain.py <<-'END'
		import _posixshmem, os, sys
		for name in sys.argv[1:]:
		    try:
		        os.close(_posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		    except OSError:
		        pass
	END
	record plain "$PYTHON" vain.py "$name/a" "$name/b"
	found()
	{
		"$SHMGUARD" report --format=json "$@" >report.json
	}
	found --object="$name/b" plain
	holds --arg name "$name/b" '[.findings[] | [.rule, .object, .name, .count]] == [["name-nonportable", null, $name, 1]]'
	found --object='/vain-*' plain
	holds '[.findings[] | select(.object == null)] | length == 1 and .[0].count == 2'
	"$SHMGUARD" report --format=csv plain | "$PYTHON" -c 'import csv, sys
print(*[row["object"] for row in csv.DictReader(sys.stdin) if row["rule"] == "name-nonportable"])' >objects
	[ "$(cat objects)" = "$name/a" ]
	run -0 "$SHMGUARD" report --group-by=object plain
	[[ $output == *"$name/a"* ]]
	echo "name-nonportable:$name/*" >known
	found --suppress=known plain
	holds 'all(.findings[]; .rule != "name-nonportable") and [.suppressions[].occurrences] == [2]'
	echo "name-nonportable:$name-other" >known
	found --suppress=known plain
	holds 'any(.findings[]; .rule == "name-nonportable") and [.suppressions[].occurrences] == [0]'
	# What a policy refused is of no object either.
	printf '[default]\nnames = /other-*\nname-not-allowed = deny\n' >policy
	chmod 600 policy
	"$SHMGUARD" run --quiet --report=none --policy="$PWD/policy" -o denied -- "$PYTHON" vain.py "$name" "$name-2"
	found --object="$name-2" denied
	holds --arg name "$name-2" '[.findings[] | [.rule, .action, .name]] == [["name-not-allowed", "denied", $name]]'
}

@test "text: blanks in a name are as many as it has, unless a line ends there" {
	cat >blanks.py <<-'END'
		import _posixshmem, os
		for name in "/a  b-%d", "/a b-%d":
		    os.close(_posixshmem.shm_open(name % os.getppid(), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
		os.close(_posixshmem.shm_open("/q ", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
	END
	"$SHMGUARD" run --quiet --report=none -o blanks -- "$PYTHON" blanks.py
	rm -f /dev/shm/a\ *b-* "/dev/shm/q "
	COLUMNS=200 "$SHMGUARD" report --rule=segment-leak --group-by=object blanks >out
	grep -qE '^  /a  b-[0-9]+ \(0 bytes\) still exists' out
	grep -qE '^  /a b-[0-9]+ \(0 bytes\) still exists' out
	grep -qE '^  /q  \(0 bytes\) still exists' out
}
