#!/usr/bin/env bats
# A call that breaks several rules: what the policy denies is denied, whatever else is found of the call, and before it.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# What comes first, what is denied, its errno, what else the policy says, and the call; `fd` is another's object of 8192 bytes.
PAIRS='shrink-under-map|resize-by-attacher|EPERM||m = mmap.mmap(fd, 8192); attempt(os.ftruncate, fd, 4096)
shrink-under-map|resize-by-attacher|EPERM||m = mmap.mmap(fd, 8192); attempt(os.truncate, PATH, 4096)
shm-fs-full|resize-by-attacher|EPERM||attempt(os.ftruncate, fd, ROOM)
resize-failed-ignored|map-beyond-end|ENXIO||failed(fd); attempt(map, fd, 16384)
resize-failed-ignored|map-before-size|ENXIO||fd = shm_open(NAME + "-new", RWC, mode=0o600); failed(fd); attempt(map, fd, 4096)
map-beyond-end|shm-fs-full|ENOMEM||fd = shm_open(NAME + "-sparse", os.O_RDWR); attempt(map, fd, ROOM + 65536)
resize-failed-ignored|shm-fs-full|ENOMEM||fd = shm_open(NAME + "-sparse", os.O_RDWR); failed(fd); attempt(map, fd, ROOM + 65536)
object-too-large|resize-by-attacher|EPERM|max-size = 8K|attempt(os.ftruncate, fd, 16384)
name-not-allowed|name-nonportable|EINVAL|names = /*[0-9]|attempt(shm_open, NAME[1:] + "-new", RWC, mode=0o600)
name-not-allowed|world-writable|EACCES|names = /*[0-9]|attempt(shm_open, NAME + "-new", RWC, mode=0o602)
world-writable|world-readable|EACCES||attempt(shm_open, NAME + "-new", RWC, mode=0o606)
exec-map|map-beyond-end|ENXIO||attempt(map, fd, 16384, 7)'

# guarded_pair CODE: with the objects as the table has them. The call that fails is the kernel's to refuse.
guarded_pair()
{
	rm -f "/dev/shm/$NAME"-* audit.log
	head -c 8192 /dev/zero | tr '\0' K >"/dev/shm/$NAME"
	truncate -s "$(($(stat -f -c '%b * %S' /dev/shm) * 2))" "/dev/shm/$NAME-sparse"
	guarded "ROOM = os.stat(PATH + '-sparse').st_size
def failed(fd):
    libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(1 << 45))
fd = shm_open(NAME, os.O_RDWR)
$1"
}

# each_pair FUNCTION: is called with the columns of each line.
each_pair()
{
	local first denied error more code

	while IFS='|' read -r first denied error more code; do
		"$1" "$first" "$denied" "$error" "$more" "$code"
	done <<<"$PAIRS"
}

is_denied()
{
	local action

	for action in off note warn; do
		policy "$4" "$1 = $action" "$2 = deny"
		guarded_pair "$5"
		echo "$1 = $action, $2 = deny: $(cat out)"
		[ "$(cat out)" = "$3" ]
		[ "$(grep -c 'action=denied' audit.log)" -eq 1 ]
		grep -q "rule=$2 .* action=denied errno=$3" audit.log
		[ "$(stat -c %s "/dev/shm/$NAME")" -eq 8192 ]
	done
}

@test "what is denied is so whatever is found before it" {
	each_pair is_denied
}

would_be_denied()
{
	policy 'mode = audit' "$4" "$1 = warn" "$2 = deny"
	guarded_pair "$5"
	echo "$1, $2: $(cat out audit.log)"
	grep -q '^ok' out
	[ "$(grep -c 'action=audit' audit.log)" -eq 1 ]
	grep -q "rule=$2 .* action=audit would=denied errno=$3" audit.log
}

@test "audit mode tells of what would be denied whatever is found before it" {
	each_pair would_be_denied
}

is_let()
{
	policy "$4" "$1 = warn" "$2 = warn"
	guarded_pair "$5"
	echo "$1, $2: $(cat out)"
	grep -q '^ok' out
	[ "$(grep -c 'action=denied' audit.log)" -eq 0 ]
}

@test "what is only told is let" {
	each_pair is_let
}

is_denied_first()
{
	policy "$4" "$1 = deny" "$2 = deny"
	guarded_pair "$5"
	echo "$1, $2: $(cat out audit.log)"
	[ "$(grep -c 'action=denied' audit.log)" -eq 1 ]
	grep -q "rule=$1 .* action=denied errno=$(cat out)" audit.log
}

@test "of several that are denied the first is told, with its errno" {
	each_pair is_denied_first
}

@test "what is off is not found, and does not hide what comes after it" {
	policy 'resize-failed-ignored = off'
	guarded_pair 'failed(fd); attempt(map, fd, 16384)'
	grep -q "rule=map-beyond-end object=/$NAME action=recorded" audit.log
	policy 'resize-failed-ignored = warn'
	guarded_pair 'failed(fd); attempt(map, fd, 16384)'
	grep -q "rule=resize-failed-ignored object=/$NAME action=recorded" audit.log
	[ "$(grep -c 'rule=map-beyond-end' audit.log)" -eq 0 ]
}

@test "what is denied is not mended for a rule that comes before it" {
	policy 'shrink-under-map = fix' 'resize-by-attacher = deny'
	guarded_pair 'm = mmap.mmap(fd, 8192); attempt(os.ftruncate, fd, 4096)'
	[ "$(cat out)" = EPERM ]
	[ "$(tr -d K <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
	[ "$(grep -c 'action=fixed' audit.log)" -eq 0 ]
}

@test "what is mended is so whatever is found before it" {
	policy 'resize-failed-ignored = warn' 'map-before-size = fix' 'wait-for-size = 5s'
	guarded_pair 'fd = shm_open(NAME + "-new", RWC, mode=0o600); failed(fd)
if os.fork() == 0:
    import time; time.sleep(0.2); os.truncate(PATH + "-new", 4096); os._exit(0)
attempt(map, fd, 4096); os.wait(); print(os.fstat(fd).st_size)'
	[ "$(cat out)" = $'ok mapped\n4096' ]
	grep -q "rule=map-before-size object=/$NAME-new action=fixed" audit.log
}

# late LENGTH: a mapping of an object that is sized to two pages while it waits.
late()
{
	guarded_pair 'fd = shm_open(NAME + "-new", RWC, mode=0o600)
if os.fork() == 0:
    import time; time.sleep(0.2); os.truncate(PATH + "-new", 8192); os._exit(0)
attempt(map, fd, '"$1"'); os.wait(); print(os.fstat(fd).st_size, os.fstat(fd).st_blocks)'
}

@test "what has waited for its size is decided as if it had had it at once" {
	policy 'map-before-size = fix' 'wait-for-size = 5s' 'map-beyond-end = deny' 'sparse-unreserved = fix'
	late 65536
	[ "$(cat out)" = $'ENXIO\n8192 0' ]
	grep -q "rule=map-beyond-end object=/$NAME-new action=denied errno=ENXIO" audit.log
	[ "$(grep -c 'action=fixed' audit.log)" -eq 0 ]
	rm -f audit.log "/dev/shm/$NAME-new"
	late 8192
	[ "$(cat out)" = $'ok mapped\n8192 16' ]
	grep -q "rule=map-before-size object=/$NAME-new action=fixed" audit.log
	grep -q "rule=sparse-unreserved object=/$NAME-new action=fixed" audit.log
}

@test "an object is not made anew where what it holds, or its loss, is denied" {

	for rule in stale-bytes truncate-on-open; do
		flags=RWC; errno=EEXIST
		[ "$rule" = stale-bytes ] || { flags='RWC | os.O_TRUNC'; errno=EACCES; }
		for action in off warn fix; do
			printf 'stale' >"/dev/shm/$NAME"
			old=$(stat -c %i "/dev/shm/$NAME")
			sleep 0.02
			rm -f audit.log
			policy "stale-reattach = $action" "$rule = deny"
			guarded "attempt(shm_open, NAME, $flags, mode=0o600)"
			echo "stale-reattach = $action, $rule: $(cat out audit.log)"
			[ "$(cat out)" = "$errno" ]
			[ "$(cat "/dev/shm/$NAME")" = stale ]
			[ "$(stat -c %i "/dev/shm/$NAME")" = "$old" ]
			[ "$(grep -c "action=fixed" audit.log)" -eq 0 ]
		done
		policy 'stale-reattach = fix' "$rule = warn"
		guarded "attempt(shm_open, NAME, $flags, mode=0o600)"
		grep -q '^ok' out
		[ "$(stat -c %s "/dev/shm/$NAME")" -eq 0 ]
		grep -q 'rule=stale-reattach .* action=fixed' audit.log
	done
}
