# shellcheck shell=bash
# Makes $GROUP, a memory cgroup below the one that the tests run in, of so many bytes; to be removed by remove_group.
make_group() # BYTES
{
	local own=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
	own+=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
	if ! [ -f "$own/$limit" ]; then
		own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
		limit=memory.max
	fi
	GROUP=$own/shmguard-test.$$
	# shellcheck disable=SC2034 # words that start a command in it, for whoever loads this
	IN_GROUP=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$GROUP")
	mkdir "$GROUP" 2>/dev/null && echo "$1" >"$GROUP/$limit" && return
	remove_group
	GROUP=
	skip "no memory cgroup can be made here"
}

remove_group()
{
	[ -z "${GROUP:-}" ] || rmdir "$GROUP" 2>/dev/null || true
}
