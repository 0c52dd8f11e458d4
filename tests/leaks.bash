# shellcheck shell=bash
# The canned recording with leaks, of which something is missing.

# incomplete TEXT: the report of leaks comes, with all its calls, and TEXT among what is not whole.
incomplete()
{
	"$SHMGUARD" report --format=json leaks >report.json
	holds --arg text "$1" '.trace.events == 37 and (.trace.complete | not) and any(.trace.problems[]; contains($text))'
}

# troubled DIR: of a recording that had troubles of its own, and another beside it that had none.
troubled()
{
	mkdir "$1"
	cp -r "$ROOT/tests/traces/leaks" "$1/first"
	cp -r "$ROOT/tests/traces/lost" "$1/second"
	rm -f "$1"/*/expected*
	jq '.problems = ["one", "two"]' "$ROOT/tests/traces/leaks/recording.json" >"$1/first/recording.json"
}
