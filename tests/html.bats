#!/usr/bin/env bats
# The report as a page, in headless Chromium: what it draws, that it needs no network, and that it says no error.

bats_require_minimum_version 1.5.0

setup()
{
	load helpers.bash
	cp -r "$ROOT/tests/traces" "$BATS_TEST_TMPDIR/traces"
	cd "$BATS_TEST_TMPDIR/traces" || return 1
}

# browse FILE [OPTION...]: opens the page, prints its elements when it is drawn; ./console is what the page complained of.
browse()
{
	local file=$1
	shift
	HOME=$BATS_TEST_TMPDIR timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--no-first-run --disable-extensions --user-data-dir="$BATS_TEST_TMPDIR/chromium" --enable-logging=stderr \
		--virtual-time-budget=5000 "$@" --dump-dom "file://$PWD/$file" 2>log
	grep CONSOLE log >console || true
}

# text_of FILE ID: the text of the element, tags left out.
text_of()
{
	"$PYTHON" - "$1" "$2" <<-'END'
		import html.parser, sys
		class Reader(html.parser.HTMLParser):
		    depth = 0
		    def handle_starttag(self, tag, attributes):
		        if self.depth or dict(attributes).get("id") == sys.argv[2]:
		            self.depth += tag not in ("input", "link", "meta", "br")
		    def handle_endtag(self, tag):
		        self.depth -= self.depth > 0
		    def handle_data(self, data):
		        if self.depth:
		            print(data, end=" ")
		Reader().feed(open(sys.argv[1], encoding="utf-8").read())
	END
}

@test "the page has the right numbers, the worst finding, rows and bars; the console stays silent" {
	"$SHMGUARD" report --format=html:page.html leaks
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	grep -q 'data-drawn="yes"' dom
	[[ $(text_of dom verdict) == "2 errors, 1 warning, 1 note "* ]]
	[[ $(text_of dom scope) == "3 processes, 3 objects, 37 events in 2.049 s; no event lost "* ]]
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
	[[ $(text_of dom verdict) == "nothing found "* ]]
}

@test "ten thousand mappings are drawn at once" {
	"$SHMGUARD" run --quiet --report=none -o many -- "$BUILD/tests/programs/rate" 10000 1
	"$SHMGUARD" report --format=html:page.html many
	begun=$(date +%s%N)
	browse page.html --virtual-time-budget=1000 >dom
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 20000 ]
	[ ! -s console ] || { cat console; false; }
	grep -q 'data-drawn="yes"' dom
	[[ $(text_of dom timeline) == *"left out: there are too many."* ]]
}

@test "search, severity, sorting, keys and the flame graph do what they say" {
	"$SHMGUARD" report --format=html leaks >page.html
	cat >use.js <<-'END'
		<script>
		const said = [], shown = () => [...document.querySelectorAll(".finding:not([hidden])")].length;
		const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
		const change = (id, value, event) => { at(id).value = value; at(id).dispatchEvent(new Event(event)); };
		change("search", "gone unlinked", "input");
		said.push(shown(), [...document.querySelectorAll("#objects tbody tr:not([hidden])")].length);
		change("search", "", "input");
		change("level", "error", "change");
		said.push(shown());
		change("level", "note", "change");
		press("j");
		press("j");
		said.push([...document.querySelectorAll(".finding")].findIndex(f => f.contains(document.activeElement)));
		document.querySelectorAll("#objects th button")[2].click();
		said.push(document.querySelector("#objects tbody tr").cells[0].textContent);
		document.querySelectorAll("#objects th button")[2].click();
		said.push(document.querySelector("#objects tbody tr").cells[0].textContent);
		change("weight", "mappings", "change");
		said.push(document.querySelector("#flame div").textContent);
		press("/");
		said.push(document.activeElement.id);
		document.title = said.join("; ");
		</script>
	END
	sed -i '/<\/body>/{
		r use.js
		N
	}' page.html
	browse page.html >dom
	[ ! -s console ] || { cat console; false; }
	title=$(grep -o "<title>[^<]*" dom | head -n 1)
	echo "$title"
	[ "$title" = "<title>1; 1; 2; 1; /seg; /gone; all 14 mappings; search" ]
}
