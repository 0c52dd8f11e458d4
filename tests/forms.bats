#!/usr/bin/env bats
# Every form of a report, on canned traces: the bytes of each are those of tests/traces/<case>/expected.*

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "text: errors first, a note in two lines" {
	prints_as text expected.txt
}

@test "csv" {
	prints_as csv expected.csv
	"$PYTHON" - got <<-'END'
		import csv, sys
		rows = list(csv.DictReader(open(sys.argv[1], newline="")))
		assert [r["rule"] for r in rows] == ["mapping-leak", "segment-leak", "double-unlink", "partial-unmap"]
		assert all(None not in r and None not in r.values() for r in rows)
	END
}

@test "json and sarif of thousands of findings take no more memory than a table of them" {
	cd "$BATS_TEST_TMPDIR"
	record recording "$PROGRAMS/leaky" 3000 "/forms-many-$$-" >/dev/null
	find /dev/shm -name "forms-many-$$-*" -delete
	peak()
	{
		"$PYTHON" - "$SHMGUARD" report --group-by=object --format="$1" recording <<-'END'
			import resource, subprocess, sys
			subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
			print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
		END
	}
	local table form
	table=$(peak csv)
	for form in json sarif; do
		[ "$(peak "$form")" -lt $((table + 16 * 1024)) ]
	done
}

@test "a file has a report when it is whole: until then, and for want of room, it keeps what it had" {
	echo before >kept
	chmod 604 kept
	ln -s kept linked
	run -3 bash -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' bash "$SHMGUARD" report --format=html:linked leaks
	[[ $output == *"linked: the report could not be written: File too large" ]]
	[ "$(cat kept)" = before ]
	run -3 bash -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' bash "$SHMGUARD" report --format=html:new leaks
	[ ! -e new ]
	(umask 027 && "$SHMGUARD" report --format=json:linked --format=csv:new leaks)
	[ -L linked ]
	jq -e .schema kept
	[ "$(stat -c %a kept)" = 604 ]
	[ "$(stat -c %a new)" = 640 ]
	[ "$(find . -maxdepth 1 -name '*.part*')" = "" ]
	"$SHMGUARD" report --format=json:/dev/stdout leaks | jq -e .schema
	mkfifo pipe
	"$SHMGUARD" report --format=json:pipe leaks &
	reporter=$!
	jq -e .schema pipe
	wait "$reporter"
	[ -p pipe ]
}

@test "folded: bytes and mappings that each stack left" {
	prints_as folded expected.folded
	prints_as folded-count expected.folded-count
	[ "$(awk '{ sum += $NF } END { print sum }' leaks/expected.folded-count)" -eq 14 ]
}

@test "folded: stacks that read alike are one line, with the sum" {
	cat >alike.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void *map(int fd, size_t length)
		{
			return mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
		}
		__attribute__((noinline)) void other(int fd)
		{
			map(fd, 12288);
		}
		int main(void)
		{
			int fd = shm_open("/alike", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (ftruncate(fd, 12288))
				return 1;
			map(fd, 4096);
			map(fd, 8192);
			other(fd);
			map(fd, 4096);
			return shm_unlink("/alike");
		}
	END
	cc -g -o alike alike.c
	"$SHMGUARD" run --quiet --report=none -o alike.rec -- ./alike
	"$SHMGUARD" report --format=folded:bytes --format=folded-count:counts alike.rec
	sed -i 's/;.*;main;/;main;/' bytes counts
	same bytes <(printf '%s\n' 'alike;main;other;map 12288' 'alike;main;map 16384')
	same counts <(printf '%s\n' 'alike;main;other;map 1' 'alike;main;map 3')
}

@test "speedscope: samples that lead to frames, weights that add up" {
	prints_as speedscope expected.speedscope.json jq 'del(.exporter)'
	"$PYTHON" - got <<-'END'
		import json, sys
		scope = json.load(open(sys.argv[1]))
		frames = scope["shared"]["frames"]
		assert len({json.dumps(frame) for frame in frames}) == len(frames)
		for profile in scope["profiles"]:
		    assert profile["type"] == "sampled" and profile["unit"] in ("bytes", "none")
		    assert len(profile["samples"]) == len(profile["weights"])
		    assert all(0 <= index < len(frames) for sample in profile["samples"] for index in sample)
		    assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
	END
}

@test "timeline: events as Chrome's format has them, a slice for every object, mapped bytes counted" {
	prints_as timeline expected.timeline.json
	"$PYTHON" - got <<-'END'
		import collections, json, sys
		events = json.load(open(sys.argv[1]))["traceEvents"]
		for event in events:
		    assert event["ph"] in "MiCbe" and isinstance(event["pid"], int) and isinstance(event["name"], str), event
		    assert event["ph"] == "M" or event["ts"] >= 0, event
		    assert event["ph"] != "i" or event["s"] in "gpt", event
		    assert event["ph"] != "C" or all(isinstance(v, int) for v in event["args"].values()), event
		slices = collections.defaultdict(list)
		for event in events:
		    if event["ph"] in "be":
		        slices[event["cat"], event["id"], event["name"]].append((event["ph"], event["ts"]))
		assert len(slices) == 3
		assert all([ph for ph, _ in s] == ["b", "e"] and s[0][1] <= s[1][1] for s in slices.values())
		peak = max(e["args"]["bytes"] for e in events if e["ph"] == "C" and e["pid"] == 100)
		assert peak == 12 * 40960 + 8192, peak
		assert sum(e.get("cat") == "finding" for e in events) == 4
	END
}

@test "html: the data in the page" {
	"$SHMGUARD" report --format=html leaks >page.html
	page_data page.html | jq 'del(.rules, .report.rules)' >got
	same leaks/expected.html.json got
}

@test "several forms at once, each into its file" {
	run --separate-stderr "$SHMGUARD" report --format=csv:a.csv --format=json --format=junit:a.xml leaks
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -e '.schema == "shmguard-report/1"' <<<"$output"
	same leaks/expected.csv a.csv
	junit_filter <a.xml >a.filtered
	same leaks/expected.junit.xml a.filtered
}

@test "two forms on standard output, or a form without its file, are wrong usage" {
	run --separate-stderr "$SHMGUARD" report --format=csv --format=json leaks
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"standard output"* ]]
	run --separate-stderr "$SHMGUARD" report --format=csv: leaks
	[ "$status" -eq 2 ] && [ -z "$output" ]
}

@test "a file that cannot be written is named, and the other forms are printed" {
	run --separate-stderr "$SHMGUARD" report --format=csv:nowhere/a.csv --format=json leaks
	[ "$status" -eq 3 ]
	[[ $stderr == "shmguard: nowhere/a.csv: "*"No such file"* ]]
	jq -e '.findings | length == 4' <<<"$output"
}

@test "ten notes bury nothing: two lines each, and how many more there are" {
	"$SHMGUARD" run --quiet --report=none -o many -- "$BUILD/tests/programs/notes"
	COLUMNS=90 "$SHMGUARD" report many >text
	[ "$(grep -c '^note: ' text)" -eq 10 ]
	all=$("$SHMGUARD" report --format=json many | jq '[.findings[] | select(.severity == "note")] | length')
	[ "$all" -ge 15 ]
	grep -qE "^\.\.\. and $((all - 10)) notes? more: --verbose$" text
	[ "$(awk '/^note: /, /^\.\.\. /' text | wc -l)" -eq 21 ]
	COLUMNS=90 "$SHMGUARD" report --verbose many >text
	[ "$(grep -c '^note: ' text)" -eq "$all" ]
	run -1 grep -q '^\.\.\. and' text
}

@test "names of a program are escaped in every form" {
	hostile "$(printf '/forms-%s-]]><&"\047\033[1m\377=' $$)"
	for form in text json junit csv sarif folded folded-count speedscope timeline; do
		"$SHMGUARD" report --format="$form" hostile >"got.$form"
		iconv -f UTF-8 -t UTF-8 "got.$form" >/dev/null
		run -1 grep -P '[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]' "got.$form"
	done
	"$PYTHON" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse("got.junit")'
	grep -F ']]&gt;&lt;&amp;&quot;' got.junit
}

@test "what no XML can hold is in no form, and no two names look alike in any" {
	local form name=/forms-$$-
	"$SHMGUARD" run --quiet --report=none -o odd -- sh -c 'for name; do "$0" 1 "$name"; done' "$BUILD/tests/programs/leaky" \
		"$name"$'\xef\xbf\xbe' "$name"$'\xef\xbf\xbf' "$name"$'\xf0\x9f\xbf\xbe' "$name"$'b\xff' "${name}b\\xff"
	rm -f "/dev/shm$name"*
	for form in text json junit csv sarif timeline; do
		"$SHMGUARD" report --verbose --format="$form" odd >"odd.$form"
	done
	"$SHMGUARD" log odd >odd.log
	"$PYTHON" - "$name" <<-'END'
		import json, re, sys, xml.etree.ElementTree as tree
		tree.parse("odd.junit")
		name = re.escape(sys.argv[1][1:])
		names = {o["names"][0] for o in json.load(open("odd.json"))["objects"] if o["names"]}
		assert sum(n.endswith(r"b\xff0") and not n.endswith(r"b\\xff0") for n in names) == 1, names
		assert sum(n.endswith(r"b\\xff0") for n in names) == 1, names
		for form in "text", "log":
		    runs = set(re.findall(name + r"b(\\+)xff", open("odd." + form).read()))
		    assert runs == {"\\", "\\\\"}, (form, runs)
		runs = set(re.findall(name + r"b(\\+)xff", open("odd.timeline").read()))
		assert runs == {"\\" * 2, "\\" * 4}, runs
	END
}

@test "a field that a spreadsheet would run is text" {
	cp "$BUILD/tests/programs/notes" "=cmd"
	"$SHMGUARD" run --quiet --report=none -o formula -- ./=cmd
	"$SHMGUARD" report --format=csv formula >formula.csv
	"$PYTHON" - formula.csv <<-'END'
		import csv, sys
		rows = [row for row in csv.DictReader(open(sys.argv[1], newline="")) if row["rule"] == "mapping-leak"]
		assert len(rows) == 15
		for row in rows:
		    assert row["message"].startswith("'=cmd (pid "), row
	END
}

@test "no stack has a frame of ours, through which every thread starts, in any form" {
	cd "$BATS_TEST_TMPDIR"
	local form name=/thread-forms-$$
	cat >threads.c <<-'END'
		#include <fcntl.h>
		#include <pthread.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static char *name;
		static void *leaks(void *none)
		{
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			return ftruncate(fd, 4096) ? none : mmap(0, 4096, 3, MAP_SHARED, fd, 0);
		}
		int main(int argc, char **argv)
		{
			pthread_t thread;
			name = argv[argc - 1];
			return pthread_create(&thread, 0, leaks, 0) || pthread_join(thread, 0);
		}
	END
	cc -g -o threads threads.c
	record recording ./threads "$name"
	rm "/dev/shm$name"
	for form in json sarif junit csv html folded folded-count speedscope timeline suppressions text; do
		"$SHMGUARD" report --verbose --format=$form:said recording
		case $form in
		html) page_data said >data; mv data said ;;&
		csv | timeline) ;;
		*) grep -q leaks said ;;
		esac
		run -1 grep -E 'begin_thread|libshmguard' said
	done
	"$SHMGUARD" log --stacks recording >said
	grep -q leaks said
	run -1 grep -E 'begin_thread|libshmguard' said
	# What started the thread is there all the same.
	report recording >report.json
	holds 'all(.findings[] | select(.rule == "segment-leak").stacks[0].frames; .[0].function == "leaks" and length > 1)'
}

@test "two reports into one file are a mistake, by whatever path; --format=list tells what there is" {
	# refused WAYS...: of two outputs; nothing is written, nor made.
	refused()
	{
		run --separate-stderr -2 "$SHMGUARD" report "$@" leaks
		# shellcheck disable=SC2154 # run sets it
		[[ -z $output && ${stderr_lines[0]} == "shmguard: two reports cannot go into one file, "* ]]
	}
	mkdir -p place
	ln -s place here
	ln -s x y
	ln -s ../x place/far
	refused --format=json:x --format=csv:./x
	refused --format=json:x --format=csv:y
	refused --format=json:y --format=csv:x
	refused --format=json:y --format=csv:place/far
	refused --format=json:place/new --format=csv:here/new
	[ ! -e x ]
	[ ! -e place/new ]
	echo kept >x
	ln x hard
	refused --format=json:x --format=csv:y
	refused --format=json:hard --format=csv:place/far
	refused --format=json:/dev/stdout --format=csv
	refused --format=text --format=csv:/dev/fd/1
	"$SHMGUARD" report --format=json --format=csv:x leaks >>x 2>errors && return 1
	[ "$(cat x)" = kept ]
	mkfifo pipe
	refused --format=json:pipe --format=csv:pipe
	"$SHMGUARD" report --format=json:place/x --format=csv:x --format=text:place/y leaks
	same leaks/expected.csv x
	same leaks/expected.txt place/y
	"$SHMGUARD" report --format=json:/dev/null --format=csv leaks >/dev/null
	"$SHMGUARD" report --format=json:/dev/null --format=csv:/dev/null leaks
	run -0 "$SHMGUARD" report --format=list
	[[ $output == *$'\nfolded-count\t'* && $output == *$'\nsuppressions\t'* ]]
	"$SHMGUARD" report --help | grep -q -- '--format=.* text .*list'
}

@test "no form has a name's control characters raw, and none takes its backslash for that of an escape" {
	local form name=$'/forms\xc2\x9b31mRED\xc2\x85\xe2\x80\xa8\xe2\x80\xae\x7f\\n  two' raw='\x7f|\x1b|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xae]'
	cd "$BATS_TEST_TMPDIR"
	record recording "$PROGRAMS/leaky" 1 "$name" >/dev/null
	rm -f "/dev/shm$name"*
	for form in $("$SHMGUARD" report --format=list | cut -f 1); do
		"$SHMGUARD" report --format="$form" recording >got
		LC_ALL=C run -1 grep -aPc "$raw" got
	done
	"$SHMGUARD" diff --json "$ROOT/tests/traces/leaks" recording >got || [ $? -eq 1 ]
	LC_ALL=C run -1 grep -aPc "$raw" got
	report recording >report.json
	holds --arg name "$name" 'any(.objects[]; .names[0] | startswith($name))'
	for form in "report" "report --format=csv" "objects" "log"; do
		# shellcheck disable=SC2086 # words
		"$SHMGUARD" $form recording | grep -qF '\\n  two'
	done
	# What concerns no moment has none.
	[ "$("$SHMGUARD" report --format=csv recording | grep ',weak-mount,' | grep -c ',0,')" -eq 0 ]
}

@test "what was seen before the program started has the recording's start for its time, in every form and filter" {
	needs_root "a /dev/shm of its own"
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"' sh \
		"$SHMGUARD" run --quiet --report=none -o weak -- "$PROGRAMS/leaky" 1 "/weak-$$" >/dev/null
	# To the nanosecond, which jq does not keep.
	started=$(grep -oE '"started": ?[0-9]+' weak/recording.json | grep -oE '[0-9]+')
	for part in "" --since=0 --until=0; do
		# shellcheck disable=SC2086 # an option or none
		"$SHMGUARD" report --format=csv:weak.csv --format=json:weak.json --rule=weak-mount $part weak
		grep -qE "\"time\": ?$started," weak.json
		grep -q ",$started,no," weak.csv
	done
	"$SHMGUARD" report --format=json --since=1ms weak | jq -e 'all(.findings[]; .rule != "weak-mount" and .time)'
}

@test "filters reach the tables and what is drawn as they reach the findings" {
	cat >two.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 1; i < argc; i++) {
				if (fork() == 0) {
					int fd = shm_open(argv[i], O_CREAT | O_EXCL | O_RDWR, 0600);
					ftruncate(fd, 4096 * i);
					mmap(0, 4096 * i, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
					shm_unlink(argv[i]);
					exit(0);
				}
				wait(0);
			}
			return 0;
		}
	END
	gcc -g -w two.c -o two
	"$SHMGUARD" run --quiet --report=none -o recording -- ./two /two-a /two-b /two-c
	pid=$("$SHMGUARD" report --format=json recording | jq '(.objects[] | select(.names == ["/two-b"])).created_by as $id |
		.processes[] | select(.id == $id).pid')
	for filter in "--pid=$pid" "--object=/two-b"; do
		"$SHMGUARD" report --format=json:part.json --format=folded:part.folded --format=folded-count:part.count \
			--format=speedscope:part.scope --format=timeline:part.timeline --format=text:part.txt \
			--format=html:part.html "$filter" recording
		jq -e '[.objects[].names[]] == ["/two-b"]' part.json
		[[ $(<part.folded) == "two;"*" 8192" && $(wc -l <part.folded) -eq 1 ]]
		[[ $(<part.count) == "two;"*" 1" ]]
		jq -e '[.profiles[].endValue] == [8192, 1, 1]' part.scope
		jq -e '[.traceEvents[] | select(.ph == "b").name] == ["/two-b"]' part.timeline
		jq -e --argjson pid "$pid" '[.traceEvents[] | select(.cat == "call" and .args.object).pid] | unique == [$pid]' part.timeline
		grep -q '^Objects that were asked for' part.txt
		run ! grep -q '^  /two-[ac]' part.txt
		run ! grep -qE '"(o|label|names)":[^}]*/two-[ac]' part.html
	done
	"$SHMGUARD" report --format=folded:part.folded --format=text:part.txt --format=json:part.json --object=/nosuch recording
	[ ! -s part.folded ]
	run ! grep -q '^Objects' part.txt
	jq -e '.objects == []' part.json
	run -0 --separate-stderr "$SHMGUARD" report --format=folded --until=0.0001 recording
	[ -z "$output" ]
}

@test "a size is written alike in messages and tables, and one byte is one" {
	cat >sizes.py <<-'END'
		import ctypes, os
		from _posixshmem import shm_open
		os.ftruncate(shm_open("/sizes-1.%d" % os.getppid(), os.O_CREAT | os.O_RDWR, 0o600), 1)
		fd = os.open("/dev/shm/sizes-1.%d" % os.getppid(), os.O_RDWR)
		ctypes.CDLL(None).mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0))
		os.ftruncate(shm_open("/sizes-28.%d" % os.getppid(), os.O_CREAT | os.O_RDWR, 0o600), 28 << 10)
		os.ftruncate(shm_open("/sizes-10.%d" % os.getppid(), os.O_CREAT | os.O_RDWR, 0o600), 10500)
	END
	"$SHMGUARD" run --quiet --report=none -o recording -- "$PYTHON" sizes.py || true
	rm -f /dev/shm/sizes-*
	"$SHMGUARD" report --group-by=object recording >got
	run ! grep -qE '[^0-9]1 bytes|\.0 [KMG]iB' got
	"$SHMGUARD" report --group-by=object --format=csv recording >got
	grep -qE '/sizes-1\.[0-9]+ \(1 byte\) still exists' got
	grep -qE 'maps \[0, 8192\) of /sizes-1\.[0-9]+, which is 1 byte long' got
	run ! grep -qE '[^0-9]1 bytes' got
	grep -qE '/sizes-28\.[0-9]+ \(28 KiB\) still exists' got
	grep -qE '/sizes-10\.[0-9]+ \(10 KiB\) still exists' got
}

@test "of a C++ name that is too long for a line the method stays" {
	cat >long.cc <<-'END'
		#include <fcntl.h>
		#include <map>
		#include <string>
		#include <sys/mman.h>
		namespace a::b {
		template <class T> struct Ring {
			__attribute__((noinline)) int operator()(const std::map<T, T> &) { return shm_open("/long-call", O_CREAT | O_RDWR, 0600); }
			__attribute__((noinline)) int operator[](int) { return shm_open("/long-index", O_CREAT | O_RDWR, 0600); }
			__attribute__((noinline)) int opened(T) { return shm_open("/long-opened", O_CREAT | O_RDWR, 0600); }
		};
		}
		int main()
		{
			a::b::Ring<std::map<std::string, std::string>> ring;
			return ring({}) + ring[1] + ring.opened({}) < 0;
		}
	END
	g++ -g -o long long.cc
	"$SHMGUARD" run --quiet --report=none -o recording -- ./long
	rm -f /dev/shm/long-*
	"$SHMGUARD" report --rule=segment-leak recording >got
	grep -qE '^    at a::b::Ring<std::map<.*\.\.\.operator\(\)\(.* \(long.cc:7\)$' got
	grep -qE '^    at a::b::Ring<std::map<.*\.\.\.operator\[\]\(int\) \(long.cc:8\)$' got
	grep -qE '^    at a::b::Ring<std::map<.*\.\.\.opened\(.* \(long.cc:9\)$' got
	[ "$(grep '^    at' got | awk '{ print length }' | sort -n | tail -n 1)" -le 100 ]
}
