# shellcheck shell=bash
# What the tests of `shmguard doctor` share.

# A copy that nobody can reach, in $COPY.
make_copy()
{
	export COPY
	COPY=$(mktemp -d /tmp/shmguard-test.XXXXXX)
	cp "$BUILD/shmguard" "$BUILD"/*.so "$COPY/"
	chmod 755 "$COPY"
}

remove_copy()
{
	rm -rf "${COPY:?}"
}

# Without LTTng, as the try of a recording takes a second or two.
no_lttng()
{
	mount --bind /dev/null /usr/bin/lttng-sessiond
}

# doctor FILE [COMMAND...]: into FILE; its exit status into $status.
doctor()
{
	local file=$1
	shift
	status=0
	# shellcheck disable=SC2034 # whoever loads this looks at it
	"$SHMGUARD" doctor --json ${1:+-- "$@"} >"$file" || status=$?
}

# are FILE ID...: their fitness; - of one that is not there.
are()
{
	jq -r '[$ARGS.positional[] as $id | first((.checks[] | select(.id == $id) | .fitness), "-")] | join(" ")' "$1" \
		--args -- "${@:2}"
}

# says FILE ID WORDS: what was found holds them.
says()
{
	jq -r --arg id "$2" '.checks[] | select(.id == $id) | .found' "$1" | grep -qF -- "$3" ||
		{ jq -c --arg id "$2" '.checks[] | select(.id == $id)' "$1"; false; }
}

# change FILE ID: the command that it names, for `eval`.
change()
{
	jq -r --arg id "$2" '.checks[] | select(.id == $id) | .change' "$1"
}
export -f no_lttng doctor change

# fit FILE...: their schema.
fit()
{
	local inputs=()
	for file; do inputs+=(-i "$file"); done
	"$PYTHON" -W ignore -m jsonschema "${inputs[@]}" "$ROOT/tests/doctor.schema.json"
}
