#!/usr/bin/env bats
# sigbus-cause under a policy: which section decides of a fault, and what the audit trail says of it.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# touched STATUS LINE...: the lines, in which touch(name) maps the object, empties it and reads its two pages.
touched()
{
	run -"$1" guarded "def touch(name, between=lambda: None):
    fd = shm_open(name, RWC, mode=0o600); os.ftruncate(fd, 8192)
    address = libc.mmap(None, ctypes.c_size_t(8192), 3, 1, fd, ctypes.c_long(0)); os.ftruncate(fd, 0); between()
    print(ctypes.string_at(address, 1) + ctypes.string_at(address + 4096, 1), flush=True)
$(printf '%s\n' "${@:2}")"
}

# said LINE...: what the audit trail tells, without its object's prefix.
said()
{
	local of="s/.* rule=sigbus-cause object=\/$NAME\(.*\) action=\([^ ]* \(would=[^ ]* \)\?\)errno=0 at=[^ ]*+0x.*/\1 \2/p"
	touch audit.log
	sed -n "$of" audit.log | sed 's/ $//' >said
	printf '%s\n' "$@" >wanted
	same wanted said
}

@test "the section of the object's name, the program or the user decides of a fault" {
	local section
	for section in "name = /$NAME" 'exe = *python*' "uid = $(id -u)"; do
		policy '[one]' "$section" 'sigbus-cause = fix'
		touched 0 'touch(NAME)'
		[ "$(cat out)" = "b'\\x00\\x00'" ]
	done
	for section in "name = /$NAME-other" 'exe = *perl*' "uid = $(($(id -u) + 1))"; do
		policy '[one]' "$section" 'sigbus-cause = fix'
		touched 135 'touch(NAME)'
		[ ! -s out ]
	done
	policy 'sigbus-cause = fix' '[one]' "name = /$NAME" 'sigbus-cause = warn'
	touched 135 'touch(NAME + "-other")' 'touch(NAME)'
	[ "$(cat out)" = "b'\\x00\\x00'" ]
}

@test "a fault is decided by the name that the object has, or by all that it has" {
	policy '[one]' "name = /$NAME-moved" 'sigbus-cause = fix'
	touched 0 'touch(NAME, lambda: os.rename(PATH, PATH + "-moved"))'
	touched 0 'touch(NAME, lambda: os.system("mv $0 $0-moved".replace("$0", PATH)))'
	touched 135 'touch(NAME + "-moved", lambda: os.rename(PATH + "-moved", PATH))'
	touched 0 'touch(NAME + "-moved", lambda: os.unlink(PATH + "-moved"))'
	touched 0 'touch(NAME, lambda: os.link(PATH, PATH + "-moved"))'
}

@test "a program's own handler is not called for what a policy has it survive, and for nothing else is it kept out" {
	local handler='end = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: os._exit(7)); libc.signal(7, end)'
	policy '[one]' "name = /$NAME" 'sigbus-cause = fix'
	touched 0 "$handler" 'touch(NAME)'
	touched 7 "$handler" 'touch(NAME + "-other")'
	said ' fixed' '-other recorded'
}

@test "the audit trail has a line of each object whose fault was survived, or killed" {
	policy 'sigbus-cause = fix'
	touched 0 'touch(NAME)' 'touch(NAME)' 'touch(NAME + "-other")'
	said ' fixed' '-other fixed'
	rm audit.log
	for action in warn note; do
		policy "sigbus-cause = $action"
		touched 135 'touch(NAME)'
		said ' recorded'
		rm audit.log
	done
	policy 'mode = audit' 'sigbus-cause = fix'
	touched 135 'touch(NAME)'
	said ' audit would=fixed'
	rm audit.log
	policy 'sigbus-cause = off'
	touched 135 'touch(NAME)'
	run -1 grep -F sigbus-cause audit.log
}

@test "the audit trail has a line of a child's fault, too" {
	policy 'sigbus-cause = fix'
	touched 0 'touch(NAME)' 'child = os.fork()' 'touch(NAME)' 'child and os.waitpid(child, 0)'
	said ' fixed' ' fixed'
}

@test "no line for a signal that was sent, or for another file's fault" {
	policy 'sigbus-cause = warn'
	touched 135 'os.kill(os.getpid(), 7)'
	[ ! -s audit.log ]
	touched 135 'import tempfile' 'file = tempfile.TemporaryFile(dir="."); file.truncate(4096)' \
		'memory = libc.mmap(None, ctypes.c_size_t(4096), 3, 1, file.fileno(), ctypes.c_long(0)); file.truncate(0)' \
		'ctypes.string_at(memory, 1)'
	[ ! -s audit.log ]
}
