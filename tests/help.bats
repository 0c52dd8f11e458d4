#!/usr/bin/env bats
# What tells how to use the command: its help, the manual page, completion.

bats_require_minimum_version 1.5.0

load helpers

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
}

# The subcommands, as --help lists them.
verbs()
{
	"$SHMGUARD" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

@test "every help fits a screen of 80 columns and 24 lines" {
	local verb
	"$SHMGUARD" --help >help
	[ "$(wc -l <help)" -lt 24 ]
	[ "$(wc -L <help)" -le 80 ]
	[ "$(verbs | wc -l)" -ge 8 ]
	for verb in $(verbs) "policy explain"; do
		# shellcheck disable=SC2086
		"$SHMGUARD" $verb --help >help || { echo "$verb"; false; }
		{ [ "$(wc -l <help)" -lt 24 ] && [ "$(wc -L <help)" -le 80 ]; } || { echo "$verb"; cat help; false; }
		run -1 grep -n ' $' help
		grep -q '^Exit status: ' help || { echo "$verb"; cat help; false; }
	done
}

@test "what is wrong on the command line is told without its control characters" {
	local verb option word=$'\x1b[31m\n'
	for verb in $(verbs) "policy explain"; do
		for option in "--$word" "-$word" $("$SHMGUARD" "${verb% *}" --help | grep -oE '^  (-., )?--[a-z-]+=' | grep -oE -- '--.*='); do
			[[ $option != *= ]] || option+=$word
			# shellcheck disable=SC2086
			"$SHMGUARD" $verb "$option" "$word" >said 2>&1 </dev/null || true
			grep -q . said || { echo "$verb $option" | cat -v; false; }
			run -1 grep -nP '\x1b|^\[31m$' said
		done
	done
}

@test "the manual page and bash completion have every option of every subcommand" {
	local verb option manual completion
	manual=$(<"$BUILD/shmguard.1")
	[[ $manual == *'\-\-version'* ]]
	for verb in $(verbs); do
		completion=$(grep "^	$verb:-" "$BUILD/shmguard.bash")
		[[ $manual == *".B shmguard $verb"* ]]
		for option in $("$SHMGUARD" "$verb" --help | grep -oE '^  (-., )?--[a-z][a-z-]+' | grep -oE -- '--.*'); do
			[[ $completion == *"$option"[=\ \"]* ]] || { echo "completion: $verb $option"; false; }
			[[ $manual == *"${option//-/\\-}"* ]] || { echo "manual: $verb $option"; false; }
		done
	done
}

@test "bash completes subcommands, their options and rules" {
	complete_words()
	{
		bash --norc -c 'source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _shmguard 2>/dev/null
			printf "%s\n" "${COMPREPLY[@]}"' - "$BUILD/shmguard.bash" shmguard "$@" | paste -sd ' '
	}
	[ "$(complete_words re)" = "report" ]
	[ "$(complete_words report --su)" = "--suppress=" ]
	[ "$(complete_words diff --f)" = "--fail-on=" ]
	[ "$(complete_words run --err)" = "--error-exitcode=" ]
	[ "$(complete_words rules segment)" = "segment-leak" ]
	[ "$(complete_words report --format = sp)" = "speedscope" ]
	[ "$(complete_words report --rule = segment)" = "segment-leak" ]
	[ "$(complete_words diff --fail-on =)" = "error warning note" ]
	[ "$(complete_words log --decoder = d)" = "direct" ]
	[ "$(complete_words explain EAC)" = "EACCES" ]
	[ "$(complete_words explain EI)" = "EINVAL EISDIR" ]
	[ "$(complete_words explain segment)" = "segment-leak" ]
	[ "$(complete_words explain EACCES segment)" = "" ]
	[ "$(complete_words explain --h)" = "--help" ]
	[ "$(complete_words policy)" = "policy" ]
	[ "$(complete_words policy e)" = "explain" ]
	[ "$(complete_words policy show s)" = "safe strict" ]
	[ "$(complete_words run --output = some)" = "" ]
}
