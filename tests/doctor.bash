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

# row FILE ID: sets $fitness, $found and $change to what is said there; - if it is not. jq takes long, so once a file.
row()
{
	[ "$1.rows" -nt "$1" ] ||
		jq -r '.checks[] | [.id, .fitness, .found, .change // "null"] | join("\u001f")' "$1" >"$1.rows"
	# `read` would take the line byte by byte.
	change=$(grep "^$2"$'\x1f' "$1.rows") || change=$'-\x1f-\x1f-\x1f-'
	change=${change#*$'\x1f'}
	fitness=${change%%$'\x1f'*}
	change=${change#*$'\x1f'}
	found=${change%%$'\x1f'*}
	change=${change#*$'\x1f'}
}

# are FILE ID...: their fitness; - of one that is not there.
are()
{
	local id all="" fitness found change
	for id in "${@:2}"; do
		row "$1" "$id"
		all+=${all:+ }$fitness
	done
	echo "$all"
}

# says FILE ID WORDS: what was found holds them.
says()
{
	local fitness found change
	row "$1" "$2"
	[[ $found == *"$3"* ]] || { echo "$1: $2: $fitness: $found"; false; }
}

# change FILE ID: the command that it names, for `eval`.
change()
{
	local fitness found change
	row "$1" "$2"
	printf '%s\n' "$change"
}
export -f no_lttng doctor row change

# fit FILE...: their schema.
fit()
{
	local inputs=()
	for file; do inputs+=(-i "$file"); done
	"$PYTHON" -W ignore -m jsonschema "${inputs[@]}" "$ROOT/tests/doctor.schema.json"
}
