# shellcheck shell=bash
# A machine of a test's own: process ids, System V ids, /dev/shm and /run of which nobody else knows.

# in_machine SCRIPT: runs it in one; it may use the functions below.
in_machine()
{
	unshare --mount --ipc --pid --fork --mount-proc --kill-child bash -c '
		mount -t tmpfs -o mode=1777,size=64m tmpfs /dev/shm && mount -t tmpfs -o mode=755 tmpfs /run &&
			set -eu -o pipefail && eval "$1"' machine "$1"
}

# zoo KIND...: starts what is in tests/zoo.py, waits until it is there; $zoo is its process. It ends with its machine.
zoo()
{
	local line
	mkfifo "zoo.$((zoos = ${zoos:-0} + 1))"
	# Its input must never end.
	sleep infinity | "${as[@]}" "$PYTHON" "$ROOT/tests/zoo.py" "$@" >"zoo.$zoos" &
	export zoo=$!
	read -r line <"zoo.$zoos"
	[ "$line" = ready ]
}
as=()

# as_user COMMAND...: as nobody.
as_user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# object NAME FILTER: what ./ls.json says of it.
object()
{
	jq -r --arg name "$1" ".objects[] | select(.name == \$name) | $2" ls.json
}

# valid FILE: fits tests/ls.schema.json.
valid()
{
	"$PYTHON" -W ignore -m jsonschema -i "$1" "$ROOT/tests/ls.schema.json"
}
export -f zoo as_user object valid
