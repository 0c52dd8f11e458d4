# shellcheck shell=bash
# A segment with a key in it, under a policy that has it wiped.

# leaves HOW [LINE...]: the fixed policy without a recording; ./audit.log has what became of a segment with a key in it.
leaves()
{
	rm -f audit.log "/dev/shm/$NAME"
	policy '[keys]' "name = /$NAME" 'secret = yes' 'secret-left = fix' "${@:2}"
	program 'fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); m[4096:4099] = b"key"
'"$1"
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py || true
}

# wiped [NAME]: nothing is left of the key, and the trail says whose work that was.
wiped()
{
	[ "$(tr -d '\0' <"/dev/shm/${1:-$NAME}" | wc -c)" -eq 0 ]
	grep -q "rule=secret-left object=/${1:-$NAME} action=fixed errno=0" audit.log
}

# told WHY: the key is left, which the trail says, and why.
told()
{
	[ "$(tr -d '\0' <"/dev/shm/$NAME")" = key ]
	grep -Eq "rule=secret-left object=/$NAME action=recorded errno=0 at=[^ ]+ why=not-wiped:$1\$" audit.log
}
