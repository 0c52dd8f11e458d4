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

@test "of a removal the report has what a policy denied, or one that only watches would have, as the log has, and of what" {
	needs_root 'makes an object of another user'
	local mode words
	for mode in enforce audit; do
		policy "mode = $mode" 'unlink-by-stranger = deny' 'names = /enforce-*' 'name-not-allowed = deny' 'predictable-name = off'
		touch "/dev/shm/$NAME" "/dev/shm/$NAME-a" "/dev/shm/$NAME-b" "/dev/shm/$NAME-c" "/dev/shm/sem.$NAME-d" "/dev/shm/$NAME-e"
		chown 1000 "/dev/shm/$NAME"-? "/dev/shm/sem.$NAME-d"
		rm -f audit.log
		told 'fd = os.open("/dev/shm", os.O_RDONLY); attempt(shm_unlink, NAME + "-a"); attempt(os.unlink, PATH + "-b")
attempt(os.unlink, (NAME + "-c")[1:], dir_fd=fd); attempt(os.rename, PATH, PATH + "-e"); libc.sem_unlink((NAME + "-d").encode())'
		words='the policy denied it (EACCES)'
		[ "$mode" = enforce ] || words='the policy only watches, or it would not have let this pass'
		sed -n 's/.*rule=\([^ ]*\) object=\([^ ]*\) action=\(denied\|audit would=denied\) errno=EACCES .*/\1 \2/p' audit.log |
			sort >logged
		[ "$(wc -l <logged)" -ge 5 ]
		jq -r --arg words "; $words" '([.objects[] | {(.id): .names[0]}] | add) as $names | .findings[] |
			select(.message | endswith($words)) | "\(.rule) \($names[.object])"' report.json | sort | same logged /dev/stdin
	done
	"$SHMGUARD" log --rule=unlink-by-stranger recording >calls
	[ "$(grep -Ec '(unlink|unlinkat|rename)\(' calls)" -eq 5 ]
}

@test "of what is wiped as its name goes the report tells by its own name, beside what else was decided of the call" {
	local mode words letter
	for mode in enforce audit; do
		policy "mode = $mode" 'zero = on-unlink' 'names = /none' "name-not-allowed = $([ "$mode" = audit ] && echo deny || echo off)"
		rm -f audit.log
		for letter in a b c d; do echo data >"/dev/shm/$NAME-$letter"; done
		told 'fd = os.open("/dev/shm", os.O_RDONLY)
shm_unlink(NAME + "-a"); os.unlink((NAME + "-b")[1:], dir_fd=fd); os.rename(PATH + "-c", PATH + "-d")'
		words=fixed
		[ "$mode" = enforce ] || words='only watches'
		sed -n 's/.*rule=\([^ ]*\) object=\([^ ]*\) action=\(fixed\|audit\) .*/\1 \2/p' audit.log | sort >logged
		[ "$(grep -c secret-left logged)" -eq 3 ]
		[ "$mode" = enforce ] || [ "$(grep -c name-not-allowed logged)" -eq 4 ]
		jq -r --arg words "$words" '([.objects[] | {(.id): .names[0]}] | add) as $names | .findings[] |
			select(.message | contains($words)) as $one | range($one.count) | "\($one.rule) \($names[$one.object])"' report.json |
			sort | same <(sed "/^name/s/-d$/-c/" logged | sort) /dev/stdin
	done
}

# live HOW: what is told of a file with mode 0666 while the program runs, in ./notices, and of it in ./report.json.
live()
{
	cat >live.py <<'END'
import mmap, os, sys, time
how, path = sys.argv[1], "/dev/shm/" + os.environ["NAME"]
os.umask(0)
fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600 if "later" in how else 0o666)
os.ftruncate(fd, 4096)
if "later" in how:
    os.fchmod(fd, 0o666)
if "private" in how:
    memory = mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE)
if "shared" in how and os.fork() == 0:
    memory = mmap.mmap(fd, 4096); time.sleep(1.3); os._exit(0)
if "mapped" in how:
    memory = mmap.mmap(fd, 4096)
time.sleep(0.4 if how == "mapped" else 1.3)
os.unlink(path)
END
	rm -rf recording
	"$SHMGUARD" run --report=none -o recording -- "$PYTHON" live.py "$1" 2>notices
	report recording >report.json
}

@test "a file on /dev/shm that all may write to is told live, as in the report, once it is mapped shared" {
	local how
	for how in mapped 'mapped later' shared 'shared later'; do
		live "$how"
		grep "^shmguard: error: world-writable: .* leaves /$NAME with mode 0666" notices
		holds '[.findings[] | select(.rule == "world-writable") | .severity] == ["error"]'
	done
	for how in file 'file later' 'file private'; do
		live "$how"
		run -1 grep 'shmguard: error' notices
		holds 'all(.findings[]; .rule != "world-writable")'
	done
}

@test "what a policy limits is told with what was asked for and what may be" {
	policy 'max-size = 8K' 'object-too-large = warn' 'max-objects = 1' 'too-many-objects = warn' 'max-mode = 0640' 'mode-too-open = warn'
	told '
fd = shm_open(NAME, RWC | os.O_EXCL, mode=0o660); os.ftruncate(fd, 4096); os.ftruncate(fd, 12288)
shm_open(NAME + "-a", RWC | os.O_EXCL, mode=0o600); shm_unlink(NAME); shm_unlink(NAME + "-a")'
	holds --arg name "/$NAME" '[.findings[] | select(.rule | IN("object-too-large", "too-many-objects", "mode-too-open")) |
		.message | sub("^[^ ]* \\(pid [0-9]*\\) "; "")] | sort == [
			"asks for \($name) with mode 0660, of which the policy does not allow 0020",
			"asks for 12288 bytes of \($name), which has 4096: the policy allows 8192",
			"creates \($name)-a and has 1 live object already: the policy allows 1"]'
}
