# shellcheck shell=bash
# What the tests of the page share: headless Chromium, and what is read in what it drew.

setup()
{
	cp -r "$ROOT/tests/traces" "$BATS_TEST_TMPDIR/traces"
	cd "$BATS_TEST_TMPDIR/traces" || return 1
}

# open_page FILE [OPTION...]: prints the elements of the page when it is drawn; ./console is what it complained of.
open_page()
{
	local file=$1
	shift
	HOME=$BATS_TEST_TMPDIR timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--no-first-run --disable-extensions --user-data-dir="$BATS_TEST_TMPDIR/chromium" --enable-logging=stderr \
		"$@" --dump-dom "file://$PWD/$file" 2>log
	grep CONSOLE log >console || true
}

# browse FILE [OPTION...]: as open_page, and what it does later is done, too.
browse()
{
	open_page "$@" --virtual-time-budget=5000
}

# print_page FILE [OPTION...]: on paper, ./page.pdf.
print_page()
{
	chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$BATS_TEST_TMPDIR/chromium" \
		"${@:2}" --print-to-pdf=page.pdf "file://$PWD/$1" 2>log
}

# titled FILE TITLE: that is what a script in the page makes of its title, and no error is said.
titled()
{
	browse "$1" >dom
	[ ! -s console ] || { cat console; return 1; }
	grep -o "<title>[^<]*" dom | head -n 1 >title
	same title <(echo "<title>$2")
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

# use FILE: the page also does what the script on stdin says.
use()
{
	{
		echo '<script>'
		cat
		echo '</script>'
	} >use.js
	sed -i '/<\/body>/{
		r use.js
		N
	}' "$1"
}

# objects N DIR: a recording of N objects that were made and unlinked.
objects()
{
	cat >objects.py <<-'END'
		import os, sys
		from _posixshmem import shm_open, shm_unlink
		for i in range(int(sys.argv[1])):
		    name = f"/html-objects-{os.getpid()}-{i}"
		    fd = shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
		    os.ftruncate(fd, i + 1)
		    os.close(fd)
		    shm_unlink(name)
	END
	"$SHMGUARD" run --quiet --report=none -o "$2" -- "$PYTHON" objects.py "$1"
}
