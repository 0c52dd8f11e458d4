# shellcheck shell=bash
# The canned recording with leaks, of which something is missing.

# incomplete TEXT: the report of leaks comes, with all its calls, and TEXT among what is not whole.
incomplete()
{
	"$SHMGUARD" report --format=json leaks >report.json
	holds --arg text "$1" '.trace.events == 37 and (.trace.complete | not) and any(.trace.problems[]; contains($text))'
}
