#!/usr/bin/env bats
# The report as a page, in headless Chromium: what it draws, that it needs no network, and that it says no error.

bats_require_minimum_version 1.5.0

load helpers
load html

@test "the page has the right numbers, the worst finding, rows and bars; the console stays silent" {
	"$SHMGUARD" report --format=html:page.html leaks
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	grep -q 'data-drawn="yes"' dom
	[[ $(text_of dom verdict) == "2 errors, 1 warning, 1 note "*"[1 process not seen] "* ]]
	[[ $(text_of dom scope) == "3 processes, 3 objects, 37 events in 2.049 s; of what was seen no event lost "* ]]
	worst=$(text_of dom worst)
	[[ $worst == *"made 12 mappings here and unmapped 0"* ]]
	[[ $worst == *"[0, 40,960) by 100 server, 12 times"* ]]
	[[ $worst == *"server+0x1050"* && $worst == *"munmap() what this call maps"* ]]
	[ "$(grep -o '<details class="panel finding' dom | wc -l)" -eq 4 ]
	[ "$(grep -o '<rect class="process"' dom | wc -l)" -eq 2 ]
	[ "$(grep -o '<rect class="object"' dom | wc -l)" -eq 3 ]
	[[ $(text_of dom flame) == *"server+0x1050 516 KiB"* ]]
	[[ $(text_of dom objects) == *"/seg"*"40 KiB"*"0600"*"LEAKED"* ]]
	[[ $(text_of dom processes) == *"killed by SIGKILL"* ]]
	[[ $(text_of dom unseen) == *"process 103, /sbin/static: it is linked statically"* ]]
}

@test "what came into /dev/shm past the library is among what was not seen" {
	jq '.objects = []' leaks/shm.json >leaks/shm-before.json
	jq '.objects += [.objects[0] | .name = "/past" | .ino = 424242 | .size = 8192 | .uid = 7]' leaks/shm.json >new
	mv new leaks/shm.json
	"$SHMGUARD" report --format=html:page.html leaks
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom unseen) == *"/past (8 KiB, uid 7) came into /dev/shm meanwhile, and no call that was seen made it"* ]]
}

@test "of an object whose definition is gone the page shows no mode" {
	"$SHMGUARD" run --quiet --report=none -o undefined -- "$PROGRAMS/leaky" 1 "/html-undefined-$$-" || true
	rm -f /dev/shm/html-undefined-*
	find undefined/trace -name 'state_[0-9]*' -type f -size +0 -delete
	"$SHMGUARD" report --format=html:page.html undefined
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom objects) == *"/html-undefined-$$-0 shm 64 KiB - "* ]]
}

@test "what a name hides or turns round is made visible" {
	name=$'/html-\e[31m\u202e\n'-$$
	"$SHMGUARD" run --quiet --report=none -o odd -- "$BUILD/tests/programs/leaky" 1 "$name" || true
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report --format=html:page.html odd
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom objects) == *"/html-\x1b[31m\u{202e}\n-$$"* ]]
	[[ $(text_of dom command) == *"\u{202e}"* ]]
	[[ $(text_of dom objects) != *$'\u202e'* ]]
}

@test "a byte of no character, and the same written with a backslash, are as they are in the text, in names of functions too" {
	cat >bytes.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		#define LEAK(name, object) \
			__attribute__((noinline)) void name(void) \
			{ \
				if (ftruncate(shm_open(object, O_CREAT | O_EXCL | O_RDWR, 0600), 4096)) \
					_exit(1); \
			}
		LEAK(raw_Q_byte, "/raw\x9b_byte")
		LEAK(four_QQQQ_characters, "/four\\x9b_characters")
		LEAK(odd_QQQQQ_both, "/odd\\\x9b\\x07\\_both\xef\xbf\xbf")
		LEAK(plain_name, "/plain_name")
		int main(void)
		{
			raw_Q_byte();
			four_QQQQ_characters();
			odd_QQQQQ_both();
			plain_name();
			return 0;
		}
	END
	cc -g -o bytes bytes.c
	# No compiler takes such names.
	LC_ALL=C sed -i 's/raw_Q_byte/raw_\x9b_byte/g; s/four_QQQQ_characters/four_\\x9b_characters/g; s/odd_QQQQQ_both/odd_\\\x9bx\\y_both/g' bytes
	"$SHMGUARD" run --quiet --report=none -o bytes.rec -- ./bytes
	rm -f /dev/shm/*_byte /dev/shm/*_characters /dev/shm/*_both* /dev/shm/plain_name
	"$SHMGUARD" report --verbose bytes.rec >text
	cat >names <<-'END'
		/raw\x9b_byte
		/four\\x9b_characters
		/odd\\\x9b\\x07\\_both\u{ffff}
		/plain_name
		raw_\x9b_byte
		four_\\x9b_characters
		odd_\\\x9bx\\y_both
		plain_name
	END
	for form in csv junit html log; do
		case $form in
		html)
			"$SHMGUARD" report --format=html:page.html bytes.rec
			browse page.html >dom
			[ ! -s console ] || { cat console; false; }
			{ text_of dom findings; text_of dom objects; } >html
			use page.html <<<'document.querySelectorAll("#findings details").forEach(d => { d.open = true; d.fill && d.fill(); });'
			browse page.html >dom
			text_of dom findings >>html ;;
		log) "$SHMGUARD" log --stacks bytes.rec >"$form" ;;
		*) "$SHMGUARD" report "--format=$form:$form" bytes.rec ;;
		esac
	done
	while IFS= read -r name; do
		for form in text csv junit html log; do
			grep -qF "$name" "$form" || { echo "$form has no $name"; false; }
		done
	done <names
	for form in text csv junit html log; do
		# shellcheck disable=SC1003 # backslashes, no quote
		run -1 grep -E 'raw_?\\\\x9b|four_?\\x9b|odd_?\\\\\\\\' "$form"
	done
	"$SHMGUARD" report --format=json:report.json --format=sarif:got.sarif --format=speedscope:got.scope --gen-suppressions bytes.rec >known
	holds '[.findings[].stacks[].frames[].function] as $all |
		["raw_\\x9b_byte", "four_\\\\x9b_characters", "odd_\\\\\\x9bx\\y_both", "plain_name"] - $all == []'
	jq -e '[.runs[0].results[].locations[].logicalLocations[]?.fullyQualifiedName] | index("raw_\\x9b_byte")' got.sarif
	"$SHMGUARD" report --suppress=known --fail-on=note bytes.rec
	# Those that the recording brings along are the same.
	"$SHMGUARD" report bytes.rec >before
	rm bytes bytes.c
	"$SHMGUARD" report bytes.rec >after
	same before after
}

@test "what the page leaves out, and what became of each object, it says" {
	echo 'mapping-leak:*' >known
	"$SHMGUARD" report --format=html:page.html --suppress=known --severity=warning leaks
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom verdict) == *"[some was suppressed]"*"[some was not asked for]"*"[1 process not seen]"* ]]
	[[ $(text_of dom objects) == *"LEAKED"*"gone"*"unlinked by 101 server"* ]]
}

@test "under filters and suppressions the page's numbers, and what it says of them, are the text's" {
	printf '%s\n' 'mapping-leak:*' 'churn:/unu*sed' >known
	# agrees OPTION...: the verdict up to the worst finding, the counts, and every line on what is not told.
	agrees()
	{
		"$SHMGUARD" report --format=text:text --format=html:page.html "$@" leaks
		browse page.html >dom
		[ ! -s console ] || { cat console; return 1; }
		sed -n 's/ shared memory object/ object/; s/ ([0-9]* with shared memory)//; s/^ *\([0-9]* process.* events in .* s;\).*/\1/p' text >numbers
		sed -nE '/ of the findings were not asked for\.$|^(known:[0-9]+|built in): /p' text >untold
		[[ $(text_of dom scope) == "$(cat numbers)"* ]]
		text_of dom findings | tr -s ' ' >listed
		while IFS= read -r line; do
			grep -qF "$line" listed || { echo "the page lacks: $line"; return 1; }
		done <untold
		[ "$(grep -oE 'not asked for|suppressed [0-9]+ finding' listed | wc -l)" -eq "$(wc -l <untold)" ]
	}
	agrees
	[ ! -s untold ]
	agrees --object=/seg
	grep -q '3 objects' numbers
	agrees --pid=4999999
	grep -q '^4 of the findings' untold
	[[ $(text_of dom verdict) == "nothing found"*": no process in the recording matches --pid=4999999"*"[some was not asked for] "* ]]
	agrees --suppress=known --severity=warning
	[ "$(wc -l <untold)" -eq 3 ]
	agrees --suppress=known --rule=churn
}

@test "on paper a finding that fits on a page is on one, and the head of a table on each of its pages" {
	local size
	"$SHMGUARD" run --quiet --report=none -o crowd -- sh -c 'for n in a b c d; do "$0" 12 "/paper-$n"; done' "$PROGRAMS/leaky"
	rm -f /dev/shm/paper-*
	"$SHMGUARD" report --group-by=object --rule=segment-leak --format=html:page.html crowd
	for size in A4 A5; do
		sed "s#</style>#@page { size: $size; }</style>#" page.html >sized.html
		print_page sized.html --no-pdf-header-footer
		pdftotext -layout page.pdf printed
		"$PYTHON" - <<-'END'
			import re
			pages = open("printed").read().split("\f")
			first = next(i for i, page in enumerate(pages) if re.search("^ *Findings$", page, re.M))
			pages[first] = pages[first][pages[first].index("Findings"):]
			rows = [page for page in pages[first:] if re.search(r"LEAKED$", page, re.M)]
			assert len(rows) > 1 and all("Created by" in page for page in rows), rows
			findings = "".join(pages[first:]).count("error: segment-leak")
			assert findings == 48, findings
			for page in pages[first:]:
			    words = re.findall(r"error: segment-leak|1\. leaky_open|What to do:|fingerprint", page)
			    assert words == ["error: segment-leak", "1. leaky_open", "What to do:", "fingerprint"] * (len(words) // 4), page
		END
	done
}

@test "on paper nothing is folded: commands, what a finding is also of, and what each rule says, once" {
	mkdir both
	for part in one two; do
		"$SHMGUARD" run --quiet --report=none -o both/$part -- sh -c "'$PROGRAMS/leaky' 1 /paper-$part; '$PROGRAMS/leaky' 1 /paper-2$part" || true
	done
	rm -f /dev/shm/paper-*
	"$SHMGUARD" report --format=html:page.html --rule='*-[lm]*' --format=json:report.json both
	print_page page.html
	pdftotext page.pdf - | tr -s '[:space:]' ' ' >printed
	for text in "/leaky' 1 /paper-2one" "/leaky' 1 /paper-2two" "Also of 3 objects, 3 processes and 1 recording" \
		"/paper-2two0"; do
		grep -qF "$text" printed || { echo "not printed: $text"; cat printed; false; }
	done
	while read -r rule; do
		[ "$(grep -o "About $rule" printed | wc -l)" -eq 1 ]
	done < <(jq -r '.findings[].rule' report.json | sort -u)
	use page.html <<-'END'
		const open = () => document.querySelectorAll("details[open]").length, before = open();
		window.dispatchEvent(new Event("beforeprint"));
		const printed = open();
		window.dispatchEvent(new Event("afterprint"));
		document.title = [before, printed > 3, open()].join(" ");
	END
	titled page.html "0 true 0"
}

@test "of more than a thousand findings the page has the first, and says how many it leaves out" {
	cat >many.py <<-'END'
		import os
		from _posixshmem import shm_open, shm_unlink
		os.umask(0)
		for i in range(400):
		    name = f"/html-many-{os.getpid()}-{i}"
		    os.close(shm_open(name, os.O_CREAT | os.O_RDWR, 0o666))
		    shm_unlink(name)
	END
	"$SHMGUARD" run --quiet --report=none -o many -- "$PYTHON" many.py
	"$SHMGUARD" report --group-by=object --format=html:page.html --format=json:report.json many
	holds '.findings | length > 1100'
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[ "$(grep -o '<details class="panel finding' dom | wc -l)" -eq 1000 ]
	all=$(jq '.findings | length' report.json)
	[[ $(text_of dom verdict) == "400 errors, 400 warnings, $((all - 800)) notes"* ]]
	[[ $(text_of dom findings) == *"$((all - 1000)) findings left out: there are too many. --format=json has all."* ]]
}

@test "the page is no wider than a telephone" {
	"$SHMGUARD" report --format=html:page.html leaks
	use page.html <<<'document.body.style.width = "375px"; document.title = ["leaks"].concat([...document.querySelectorAll("body > *")].map(e => e.scrollWidth)).join(" ");'
	browse page.html --window-size=500,800 >dom
	[ ! -s console ] || { cat console; false; }
	widths=$(grep -o "<title>[^<]*" dom | head -n 1)
	echo "$widths"
	for width in ${widths#*leaks}; do
		[ "$width" -le 375 ]
	done
}

@test "verdict and worst finding are on the first screen, whatever was recorded; the commands are folded, but there" {
	local recording width name="/html-first-$$"
	# shellcheck disable=SC2046
	"$SHMGUARD" run --quiet --report=none -o long -- "$PROGRAMS/leaky" 1 "$name" $(seq -f '--number-%03g=of-two-hundred' 200) || true
	rm -f "/dev/shm$name"*
	"$SHMGUARD" run --quiet --report=none -o short -- "$PROGRAMS/leaky" 1 "$name" || true
	rm -f "/dev/shm$name"*
	mkdir fleet
	for width in $(seq 12); do
		# shellcheck disable=SC2046
		"$SHMGUARD" run --quiet --report=none -o "fleet/node$width" -- \
			"$PROGRAMS/leaky" 1 "$name" $(seq -f '--number-%03g=of-two-hundred' 200) || true
		rm -f "/dev/shm$name"*
	done
	for recording in long fleet short; do
		"$SHMGUARD" report --format=html:page.html $recording
		use page.html <<-'END'
			const stacks = [...document.querySelectorAll("#worst .stacks > div")], folded = document.querySelector("#command details");
			const ends = Math.max(...stacks.map(e => e.getBoundingClientRect().bottom));
			const words = [ends < innerHeight, folded ? !folded.open : "short"];
			if (folded)
				folded.open = true;
			const last = document.getElementById("command").innerText.split("--number-200=of-two-hundred").length - 1;
			document.title = words.concat(last, document.documentElement.scrollWidth <= innerWidth).join(" ");
		END
		for width in 1280,900 500,1100; do
			browse page.html --window-size=$width >dom
			[ ! -s console ] || { cat console; false; }
			grep -o "<title>[^<]*" dom | head -n 1 >>titles
		done
	done
	same titles <(printf '<title>%s\n' "true true 1 true" "true true 1 true" "true true 12 true" "true true 12 true" \
		"true short 0 true" "true short 0 true")
}

@test "long names wrap, and no word of a few letters does" {
	local width name
	name=/$(printf 'q%.0s' $(seq 230))
	cp "$PROGRAMS/leaky" "./$(printf 'p%.0s' $(seq 200))"
	"$SHMGUARD" run --quiet --report=none -o named -- ./ppp* 2 "$name" || true
	rm -f "/dev/shm$name"*
	"$SHMGUARD" report --format=html:page.html named
	use page.html <<-'END'
		const torn = [...document.querySelectorAll("#objects td, #processes td")].filter(cell => {
			const range = document.createRange();
			range.selectNodeContents(cell);
			return cell.textContent.length <= 9 && range.getClientRects().length > 1;
		});
		const beyond = [...document.querySelectorAll("body > *")].filter(e => e.scrollWidth > innerWidth);
		document.title = [innerWidth, document.documentElement.scrollWidth <= innerWidth, beyond.length, torn.map(e => e.textContent)].join(" ");
	END
	for width in 1280 800 500; do
		browse page.html --window-size=$width,900 >dom
		[ ! -s console ] || { cat console; false; }
		[[ $(text_of dom objects) == *LEAKED* ]]
		grep -o "<title>[^<]*" dom | head -n 1 >>titles
	done
	same titles <(printf '<title>%s true 0 \n' 1280 800 500)
}

@test "nothing in the page leads out of it" {
	"$SHMGUARD" report --format=html leaks >page.html
	run -1 grep -oE '(src|href)="?https?:|@import|url\(' page.html
	grep -q "default-src 'none'" page.html
}

@test "what a program calls itself and its objects is text, never markup" {
	name="/html-$$-<b id=injected>&amp;\"'"
	"$SHMGUARD" run --quiet --report=none -o hostile -- "$BUILD/tests/programs/leaky" 1 "$name" \
		"</script><script>document.body.id='injected'</script>" || true
	rm -f "/dev/shm${name}0"
	"$SHMGUARD" report --format=html:page.html hostile
	[ "$(grep -c '</script>' page.html)" -eq 2 ]
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	run -1 grep -E '<b id="?injected|<body id="?injected' dom
	[[ $(text_of dom objects) == *"<b id=injected>&amp;\"'"* ]]
}

@test "a recording without shared memory is a page without a finding" {
	"$SHMGUARD" run --quiet --report=none -o clean -- true
	"$SHMGUARD" report --format=html:page.html clean
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	[[ $(text_of dom verdict) == "nothing found : no POSIX shared memory was seen "* ]]
}

@test "the worst is what killed a process: its stacks, and the object's size against the window, in the order of time" {
	"$SHMGUARD" run --quiet --report=none -o shrunk -- "$PROGRAMS/story" shrunk
	"$SHMGUARD" report --format=html:page.html shrunk
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	worst=$(text_of dom worst)
	[[ $worst == *"error: sigbus-cause"*"died of SIGBUS reading /shmguard-sigbus."* ]]
	[[ $worst == *"resized 0 B to 1 MiB by "*"mapped [0, 1,048,576) by "*"resized 1 MiB to 4 KiB by "*"at the end 4 KiB (4,096 bytes)"* ]]
	[[ $worst == *"touched"*"read_object ("*"shrunk"*"shrink_object ("*"mapped"*"map_object ("* ]]
	# Of the window of 1 MiB all but the first page is past the end.
	grep -o '<i class="past" style="[^"]*"' dom | head -n 1 | grep -F 'left: 0.390625%; width: max(2px, 99.609375%)'
	print_page page.html
	pdftotext page.pdf - | tr -s '[:space:]' ' ' >printed
	# On paper nothing is folded, and the stacks of every finding are there.
	[ "$(grep -o 'What to do:' printed | wc -l)" -eq "$(($("$SHMGUARD" report --format=json shrunk | jq '.findings | length') + 1))" ]
	# What does not fit on a page begins on it: a stack is kept together, not all of them.
	sed 's#</style>#@page { size: 210mm 200mm; }</style>#' page.html >low.html
	print_page low.html
	pdftotext -f 1 -l 1 page.pdf first
	grep -q '^touched by process' first
	run ! grep -q '^mapped by process' first
}

@test "the drawing of a shrinking has what was mapped then, inherited or not, and nothing that came or went otherwise" {
	cat >drawn.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static int fd, ready[2];
		static void *map(size_t length)
		{
			return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		}
		int main(void)
		{
			void *whole, *grown;
			pid_t child;
			char c;
			fd = shm_open("/drawn", O_CREAT | O_EXCL | O_RDWR, 0600);
			if (posix_fallocate(fd, 0, 4096) || pipe(ready))
				return 1;
			grown = map(4096);
			if (posix_fallocate(fd, 0, 1 << 20))
				return 1;
			whole = map(1 << 20);
			if ((child = fork()) == 0) {
				map(16384);
				if (write(ready[1], "", 1) == 1)
					pause();
				return 1;
			}
			if (read(ready[0], &c, 1) != 1)
				return 1;
			munmap(whole, 1 << 20);
			munmap(map(65536), 65536);
			if (mremap(grown, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED || ftruncate(fd, 8192))
				return 1;
			map(12288);
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			shm_unlink("/drawn");
			return 0;
		}
	END
	cc -g -o drawn drawn.c
	"$SHMGUARD" run --quiet --report=none -o drawn.rec -- ./drawn
	"$SHMGUARD" report --format=html:page.html --format=json:report.json drawn.rec
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	worst=$(text_of dom worst)
	[[ $worst == *"error: shrink-under-map"*" maps it up to 1048576"* ]]
	parent=$(jq -r '.processes[] | select(.started_by == "exec") | .pid' report.json)
	child=$(jq -r '.processes[] | select(.started_by == "fork") | .pid' report.json)
	grep -o '<div>\[0, [^<]*' dom | sed 's/<div>//; s/ at [^,]*//' | sort >windows
	same windows - <<-END
		[0, 1,048,576) by $child drawn, mapped by $parent drawn
		[0, 16,384) by $child drawn
		[0, 4,096) by $child drawn, mapped by $parent drawn
		[0, 8,192) by $parent drawn
	END
	# What grew along with the object is not past its end.
	[ "$(grep -o '<i class="past"' dom | wc -l)" -eq 2 ]
	[[ $worst == *" inherited [0, 1,048,576) by $child drawn, "* ]]
}
