#!/usr/bin/env bats
# What the report of a recording says of what a policy refused.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# told CODE: runs Python under the policy in a recording, whose report is in ./report.json.
told()
{
	program "$1"
	rm -rf recording
	"$SHMGUARD" run --quiet --report=none -o recording --policy=policy.ini -- "$PYTHON" program.py >out
	report recording >report.json
}

@test "the report of a refused call names its object, as that of one that was let pass does" {
	local action
	for action in warn deny; do
		policy "truncate-on-open = $action" "exec-map = $action" 'predictable-name = off'
		told '
import signal
fd = shm_open(NAME, RWC | os.O_EXCL, mode=0o600); os.ftruncate(fd, 8192)
address = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, fd, ctypes.c_long(0))
print(libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 5))
end, go = os.pipe()
child = os.fork()
if child == 0:
    memory = mmap.mmap(fd, 8192); os.write(go, b"x"); os.close(go); signal.pause()
os.read(end, 1)
attempt(shm_open, NAME, os.O_RDWR | os.O_TRUNC)
attempt(os.open, PATH, os.O_RDWR | os.O_TRUNC)
os.chdir("/dev/shm"); attempt(os.open, "." + NAME, os.O_RDWR | os.O_TRUNC)
os.kill(child, 9); os.wait()
shm_unlink(NAME)'
		[ "$action" = warn ] || [ "$(grep -c EACCES out)" -eq 3 ]
		holds --arg name "/$NAME" '(.objects | map(select(.names == [$name])) | length == 1) and
			(.objects[] | select(.names == [$name]).id) as $id |
			[.findings[] | select(.rule == "truncate-on-open" or .rule == "exec-map")] |
			length >= 2 and all(.object == $id and (.message | contains($name)))'
		holds --arg name "/$NAME" '.findings[] | select(.rule == "truncate-on-open") | .severity == "error" and
			(.message | contains(" while ") and contains(" maps it"))'
		[ "$("$SHMGUARD" report --format=text --object="/$NAME" recording | grep -c truncate-on-open)" -ge 1 ]
	done
}

@test "of another's object, made before, the report of a refused call tells the name and what it is" {
	needs_root 'makes an object of another user'
	local action
	for action in warn deny; do
		policy "unlink-by-stranger = $action" "foreign-owner = $action"
		touch "/dev/shm/$NAME" "/dev/shm/$NAME-a" "/dev/shm/$NAME-b" "/dev/shm/$NAME-c" "/dev/shm/sem.$NAME-d"
		chown 1000 "/dev/shm/$NAME"* "/dev/shm/sem.$NAME-d"
		told '
attempt(shm_open, NAME, os.O_RDWR)
attempt(shm_unlink, NAME + "-a"); attempt(os.unlink, PATH + "-b")
os.chdir("/dev/shm"); attempt(os.remove, "." + NAME + "-c"); print(libc.sem_unlink((NAME + "-d").encode()))'
		rm -f "/dev/shm/sem.$NAME-d"
		[ "$action" = warn ] || [ "$(grep -c EACCES out)" -eq 4 ]
		holds '([.objects[] | {(.id): .names[0]}] | add) as $names |
			[.findings[] | select(.rule == "unlink-by-stranger" or .rule == "foreign-owner")] | length == 5 and
			all($names[.object // ""] as $own | $own != null and (.message | contains($own)))'
	done
}
