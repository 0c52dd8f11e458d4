#!/bin/sh
# Makes the canned trace of a case: forge.sh FORGE PROVIDER.so SCRIPT OUT
# Needs lttng-tools. Uses a session daemon of its own, as an ordinary user when started as root.
set -eu
forge=$(realpath "$1") provider=$(realpath "$2") script=$(realpath "$3") out=$(realpath -m "$4")
[ ! -e "$out" ] || { echo "forge.sh: $out exists" >&2; exit 1; }

home=$(mktemp -d /tmp/forge.XXXXXX)
chmod 755 "$home"
as=
if [ "$(id -u)" = 0 ]; then
	chown 65534:65534 "$home"
	as="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
cp "$forge" "$home/forge"
cp "$provider" "$home/provider.so"
# It needs the preload beside it.
cp "${provider%/*}/libshmguard.so" "$home/"
export LTTNG_HOME="$home" HOME="$home" LTTNG_UST_REGISTER_TIMEOUT=-1
cd "$home"

$as lttng-sessiond --no-kernel --pidfile "$home/pid" >/dev/null 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon 2>/dev/null; rm -rf "$home"' EXIT
while ! $as lttng --no-sessiond list >/dev/null 2>&1; do sleep 0.05; done

$as lttng --no-sessiond create forged --output="$home/out" >/dev/null
$as lttng --no-sessiond enable-channel -u --subbuf-size=64k --num-subbuf=2 events >/dev/null
# Only what the script needs: the metadata describes every enabled event.
events=$(sed -n 's/^\([a-z_]*\).*/shmguard:\1/p' "$script" | grep -v ':$\|:sleep' | sort -u | paste -sd,)
$as lttng --no-sessiond enable-event -u -c events "$events" >/dev/null
$as lttng --no-sessiond start >/dev/null
$as "$home/forge" "$home/provider.so" <"$script"
$as lttng --no-sessiond destroy >/dev/null
cd /
mkdir -p "$out"
cp -r "$home/out/." "$out"
# What the machine's number of CPUs adds: streams without a packet, and indexes nobody reads.
find "$out" -name index -type d -exec rm -rf {} +
find "$out" -type f -empty -delete
