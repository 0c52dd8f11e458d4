#!/usr/bin/env bats
# As html.bats, of the timeline and the tables: what of a long recording the page keeps, and of several.

bats_require_minimum_version 1.5.0

load helpers
load html

@test "of too many marks those of a SIGBUS and of an object with an error stay, the others are of the whole time" {
	cat >late.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static int make(const char *name, int size)
		{
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			if (posix_fallocate(fd, size / 2, size / 2))
				_exit(1);
			return fd;
		}
		int main(int argc, char **argv)
		{
			volatile char *at;
			int fd = make("/late", 1 << 20), go[2];
			pid_t child;
			char c;
			if (pipe(go) || (at = mmap(NULL, 1 << 20, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
				return 1;
			if ((child = fork()) == 0)
				return read(go[0], &c, 1) == 1 ? at[500000] : 1;
			for (int i = 0; i < (argc > 1 ? atoi(argv[1]) : 0); i++) {
				char name[40];
				int noise;
				snprintf(name, sizeof(name), "/noise%d", i % 7);
				noise = make(name, 4096);
				munmap(mmap(NULL, 4096, PROT_READ, MAP_SHARED, noise, 0), 4096);
				close(noise);
				shm_unlink(name);
			}
			if (argc > 1 && atoi(argv[1]) < 100)
				usleep(100000); /* marks of one kind that are nearer than a pixel are drawn once */
			if (ftruncate(fd, 4096) || write(go[1], "", 1) != 1)
				return 1;
			waitpid(child, NULL, 0);
			return shm_unlink("/late");
		}
	END
	cc -o late late.c
	for rounds in 10000 10; do
		"$SHMGUARD" run --quiet --report=none -o "late.$rounds" -- ./late "$rounds"
		"$SHMGUARD" report --format=html:page.html "late.$rounds"
		page_data page.html >report.json
		holds '.report.findings[0] | .severity == "error"'
		holds '.report.findings[0].object as $late | [.moments[] | select(.o == $late) | [.of, .size]] ==
			[["create", 0], ["resize", 1048576], ["map", 1048576], ["resize", 4096], ["sigbus", 4096], ["unlink", 4096]]'
		holds '.told_left_out == 0 and (.moments | length <= 20000 and . == sort_by(.t))'
		browse page.html >dom
		[ ! -s console ] || { cat console; false; }
		# What it says of a SIGBUS and a resize is how long the object was then, not what the call or the mapping was for.
		[[ $(text_of dom timeline) == *" resize /late 1 MiB by "*" resize /late 4 KiB by "*" sigbus /late 4 KiB by "* ]]
		[[ $(text_of dom timeline) == *" map /late 1 MiB by "* ]]
		if [ "$rounds" -eq 10000 ]; then
			holds '.left_out > 30000 and .left_out + (.moments | length) > 50000'
			# Of each tenth of the time in which there was noise there are marks.
			"$SHMGUARD" log "late.$rounds" | awk '/\/noise/ { print $2 }' >"times"
			"$PYTHON" - <<-'END'
				import json
				calls = [float(line) for line in open("times")]
				marks = [moment["t"] / 1e9 for moment in json.load(open("report.json"))["moments"] if moment["o"]]
				def parts(times):
				    tenths = [0] * 10
				    for time in times:
				        part = (time - calls[0]) / (calls[-1] - calls[0]) * 10
				        if 0 <= part < 10:
				            tenths[int(part)] += 1
				    return tenths
				made, kept = parts(calls), parts(marks)
				assert sum(made) > 40000 and all(k > m / 100 for m, k in zip(made, kept) if m), (made, kept)
			END
			[[ $(text_of dom timeline) == *" marks left out: there are too many. "*"Nothing of what an error"* ]]
		else
			holds '.left_out == 0 and (.moments | length) == 6 + 10 * 5 + 4'
			[[ $(text_of dom timeline) != *"left out"* ]]
		fi
	done
}

@test "where what was done to the objects of findings is itself too much, what is rare in it stays" {
	cat >again.py <<-'END'
		import mmap, os
		from _posixshmem import shm_open, shm_unlink
		name = f"/html-again-{os.getpid()}"
		fd = shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
		os.ftruncate(fd, 4096)
		for i in range(12000):
		    mmap.mmap(fd, 4096).close()
		os.ftruncate(fd, 8192)
		shm_unlink(name)
	END
	"$SHMGUARD" run --quiet --report=none -o again -- sh -c "umask 0; exec $PYTHON again.py"
	"$SHMGUARD" report --format=html:page.html --severity=warning again
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	page_data page.html >report.json
	holds '.told_left_out > 10000 and .left_out >= .told_left_out'
	holds '[.moments[] | select(.of == "create" or .of == "resize" or .of == "unlink") | [.of, .length]] ==
		[["create", 0], ["resize", 4096], ["resize", 8192], ["unlink", 0]]'
	[[ $(text_of dom timeline) == *"Also of what an error, a warning or the worst finding is about"* ]]
	[[ $(text_of dom worst) == *" by "*", at least "*" times, first at "* ]]
}

@test "whom and what the worst finding is about has a row, however many others there are" {
	cat >crowd.py <<-'END'
		import mmap, os
		from _posixshmem import shm_open
		def make(name, size):
		    fd = shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.posix_fallocate(fd, 0, size)
		    return fd
		for i in range(45):
		    if os.fork() == 0:
		        make(f"/crowd{i}", 65536)
		        os._exit(0)
		    os.wait()
		fd = make("/victim", 8192)
		at = mmap.mmap(fd, 8192)
		if os.fork() == 0:
		    os.ftruncate(fd, 0)
		    at[0]
		os.wait()
	END
	"$SHMGUARD" run --quiet --report=none -o crowd -- "$PYTHON" crowd.py
	rm -f /dev/shm/crowd* /dev/shm/victim
	"$SHMGUARD" report --format=html:page.html crowd
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	page_data page.html >report.json
	holds '.report.findings[0].rule == "sigbus-cause" and (.report.processes | length > 45)'
	pid=$(jq '.report.findings[0].process as $id | .report.processes[] | select(.id == $id) | .pid' report.json)
	text_of dom timeline >rows
	grep -q "$pid python3" rows
	grep -q "/victim: 0 B" rows
}

@test "where one finding is of very many, the rows are of the whole time, and have who made what is shown" {
	cat >jobs.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			for (int i = 0; i < atoi(argv[1]); i++) {
				if (fork() == 0) {
					char name[40];
					snprintf(name, sizeof(name), "/job.%d", i);
					ftruncate(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600), 4096);
					if (i % 3)
						shm_unlink(name);
					_exit(0);
				}
				wait(NULL);
			}
			return 0;
		}
	END
	cc -w -o jobs jobs.c
	for count in 140 12; do
		"$SHMGUARD" run --quiet --report=none -o "jobs.$count" -- ./jobs "$count"
		rm -f /dev/shm/job.*
		"$SHMGUARD" report --format=html:page.html "jobs.$count"
		browse page.html >dom
		[ ! -s console ] || { cat console; false; }
		page_data page.html >report.json
		text_of dom timeline | grep -o '[^ ]* jobs: exited\|/job[^ ]*: [^:]*KiB, [^ ]*' >rows
		sed -n 's/ jobs: exited//p' rows >pids
		jq -r '(.report.processes | map({(.id): .pid}) | add) as $pids | .report.objects[] | "\(.names[0]) \($pids[.created_by])"' \
			report.json | sort >all
		sed -n 's/^\(\/job[^:]*\): .*/\1/p' rows | sort | join - all | cut -d ' ' -f 2 | sort >makers
		[ "$(sort pids | comm -12 - makers | wc -l)" -ge $((count < 40 ? count : 37)) ]
		if [ "$count" -eq 140 ]; then
			[ "$(grep -c LEAKED rows)" -eq 40 ]
			[ "$(wc -l <pids)" -eq 40 ]
			[[ $(text_of dom timeline) == *"100 of 140 processes and 100 of 140 objects have no row: there are too many."* ]]
			# From each fifth of the time.
			[ "$(sed -n 's/^\/job.\([0-9]*\): .*/\1/p' rows | awk '{ of[int($1 / 28)]++ }
				END { for (i = 0; i < 5; i++) print (of[i] >= 7) }' | xargs)" = "1 1 1 1 1" ]
		else
			[ "$(sed -n 's/^\/job.\([0-9]*\): .*/\1/p' rows | xargs)" = "0 3 6 9 1 2 4 5 7 8 10 11" ]
			sort -n -c pids
			[[ $(text_of dom timeline) != *"have no row"* ]]
		fi
	done
}

@test "the legend names every mark and bar that is drawn, in the colour that it has" {
	"$SHMGUARD" run --quiet --report=none -o killed -- "$PROGRAMS/story" shrunk
	for recording in killed leaks; do
		"$SHMGUARD" report --format=html:page.html $recording
		use page.html <<-'END'
			{
			const legend = document.querySelector("#timeline .legend"), words = [];
			for (const span of legend.querySelectorAll("span"))
				words.push(span.style.color + span.textContent.trim() + " " + span.nextSibling.textContent.trim());
			const drawn = new Set([...document.querySelectorAll("#timeline .moment")]
				.map(e => e.getAttribute("fill") + "\u25ae " + e.textContent.match(/^[^ ]+ [mnu]?s ([a-z]+)|^0 ([a-z]+)/).slice(1).join("")));
			const unnamed = [...drawn].filter(mark => !words.includes(mark));
			const rows = [...document.querySelectorAll("#timeline .process, #timeline .object")].map(e => e.getAttribute("fill") + "\u25ac");
			const cross = [...document.querySelectorAll("#timeline svg text")].some(e => e.textContent === "\u2715");
			document.title = [drawn.size > 4, unnamed, rows.every(bar => words.some(word => word.startsWith(bar))), cross,
				words.some(word => word.startsWith("var(--error)\u2715 killed"))].join("; ");
			}
		END
		titled page.html "true; ; true; true; true"
	done
}

# Their ids are above any that a kernel gives (PID_MAX_LIMIT, 4,194,304).
@test "of thousands of processes the page has those that matter, and says how many it leaves out" {
	"$SHMGUARD" run --quiet --report=none -o few -- "$PROGRAMS/rate" 10 0.01
	jq -c 'select(.type == "start") | .pid as $parent | .time as $time | range(5000000; 5003000) |
		{type: "fork", pid: ., ppid: $parent, child: 0, time: ($time + 1000), texts: ["/bin/many"]},
		{type: "end", pid: $parent, child: ., status: (if . == 5000001 then 9 else 0 end), time: ($time + 2000), texts: []}' \
		few/processes.jsonl >"more"
	cat "more" >>few/processes.jsonl
	"$SHMGUARD" report --format=html:page.html --format=json:report.json few
	holds '.processes | length == 3002'
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom scope) == "3,002 processes, "* ]]
	[[ $(text_of dom processes) == *"This page leaves out 1,002 more processes: --format=json has all of them."* ]]
	page_data page.html >report.json
	holds '.report.processes | length == 2000 and any(.pid == 5000001) and any(.pid == 5002999)'
	# The others are of the whole time, and not without those that have something to show.
	holds '[.report.processes[] | select(.pid >= 5000000) | .pid % 10000 / 300 | floor] | group_by(.) |
		length == 10 and all(length > 150)'
	holds '.report.processes | any(.traced)'
	holds '[.report.findings[] | .process] - [.report.processes[] | .id] == []'
	holds '(.times | length) == 2000'
}

@test "of several recordings the tables say which, and so do the titles of the timeline's rows" {
	mkdir both
	"$SHMGUARD" run --quiet --report=none -o both/alpha -- "$PROGRAMS/rate" 10 0.01
	"$SHMGUARD" run --quiet --report=none -o both/beta -- "$PROGRAMS/rate" 10 0.01
	"$SHMGUARD" report --format=html:page.html both
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	for table in objects processes; do
		[[ $(text_of dom "$table") == *"Recorded in"*"both/alpha"* ]]
		[[ $(text_of dom "$table") == *"both/beta"* ]]
	done
	for which in alpha beta; do
		text_of dom timeline | grep -qE "rate: exited with status 0, recorded in both/$which, [0-9]"
		text_of dom timeline | grep -qE "^ */[^ ]*: .*, recorded in both/$which, [0-9]|: [0-9.]+ .?i?B, recorded in both/$which"
	done
	"$SHMGUARD" report --format=html:page.html both/alpha
	browse page.html >dom
	[[ $(text_of dom processes) != *"Recorded in"* ]]
	[[ $(text_of dom timeline) != *"recorded in"* ]]
	[[ $(text_of dom timeline) == *"rate: exited with status 0, "* ]]
}
