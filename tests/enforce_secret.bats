#!/usr/bin/env bats
# secret-left in a recording: at the exit as the process sees it itself, after a SIGKILL from what lies there at the end.
load helpers
load enforce

# secret HOW [LINE...]: a segment with a key in it, left in one of the ways, under a policy that calls it secret.
secret()
{
	printf '%s\n' '[keys]' "name = /$NAME" 'secret = yes' "${@:2}" >policy.ini
	program 'import mmap, signal
fd = shm_open(NAME, RWC, mode=0o600); os.ftruncate(fd, 8192); m = mmap.mmap(fd, 8192); m[4096:4099] = b"key"
def wiped(): m[4096:4099] = bytes(3)
def die(): os.kill(os.getpid(), signal.SIGKILL)
'"$1"
	"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py || true
	report recording >report.json
}

# left COUNT EXPRESSION: so many findings of the rule, of which that is true.
left()
{
	holds "[.findings[] | select(.rule == \"secret-left\")] | (map(.count) | add // 0) == $1 and ($2)"
}

@test "killed with a secret: the recording tells" {
	secret 'die()'
	left 1 '.[0].severity == "warning" and (.[0].message | test("holds data and nobody uses it: python.* did not wipe it when it was killed"))
		and ([.[0].stacks[].role] == ["created", "mapped"])'
}

@test "killed after it had been wiped: nothing is left" {
	secret 'wiped(); die()'
	left 0 true
}

@test "killed while another process still uses it" {
	secret 'holder = os.fork()
if holder == 0: __import__("time").sleep(2); wiped(); os._exit(0)
die()'
	left 0 true
}

@test "exit, _exit and the last unmap: told once, by the process itself" {
	secret 'm.close()'
	left 1 '.[0].stacks[0].role == "left"'
	rm -rf recording "/dev/shm/$NAME"
	secret 'os._exit(0)'
	left 1 '.[0].stacks[0].role == "left"'
}

@test "fixed at the exit: the report says so, and nothing is left" {
	secret 'pass' 'secret-left = fix'
	left 1 '.[0].action == "fixed"'
	[ "$(tr -d '\0' <"/dev/shm/$NAME" | wc -c)" -eq 0 ]
}

@test "a program that the policy's section is not about has no secret" {
	secret 'die()' 'exe = /usr/bin/other'
	left 0 true
}
