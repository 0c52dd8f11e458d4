# shellcheck shell=bash
# What the tests of reports share: the canned traces in a directory of the test's own, and a recording with a hostile name.

setup()
{
	cp -r "$ROOT/tests/traces" "$BATS_TEST_TMPDIR/traces"
	cd "$BATS_TEST_TMPDIR/traces" || return 1
}

# hostile NAME: records a program that leaks an object of that name, as ./hostile
hostile()
{
	"$SHMGUARD" run --quiet --report=none -o hostile -- "$BUILD/tests/programs/leaky" 1 "$1"
	rm -f "/dev/shm${1}0"
}

# prints_as FORM FILE [FILTER...]: the case "leaks" in that form is what FILE has; FILTER leaves out the rules that are
# only looked for, which grow with every version.
prints_as()
{
	local form=$1 file=$2
	shift 2
	"$SHMGUARD" report --format="$form" leaks >got
	if [ $# -gt 0 ]; then "$@" <got >filtered; else cp got filtered; fi
	same "leaks/$file" filtered
}

junit_filter()
{
	sed -e '/<testcase.*\/>$/d' -e 's/ tests="[0-9]*"//'
}
