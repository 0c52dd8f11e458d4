#!/usr/bin/env bats
# Huge pages out of a pool that has some or none: what it covers is silent, what it does not is foretold, explained, refused.
# The pool is the machine's: root sets it for a test and gives back what was there. Runs alone (tests/run-suite).
load helpers
load machine
load fault
load enforce

POOL=/proc/sys/vm/nr_hugepages ENABLED=/sys/kernel/mm/transparent_hugepage/shmem_enabled

setup_file()
{
	KEPT=$(cat "$POOL" 2>/dev/null || echo none) KEPT_ENABLED=$(grep -o '\[.*\]' "$ENABLED" | tr -d '[]')
	export KEPT KEPT_ENABLED
}

teardown()
{
	rm -f "/dev/shm/$NAME" "/dev/shm/$NAME"-*
	[ "$KEPT" = none ] || [ ! -w "$POOL" ] || echo "$KEPT" >"$POOL"
	[ ! -w "$ENABLED" ] || echo "$KEPT_ENABLED" >"$ENABLED"
}

# pool PAGES: that many are free and not reserved, beside those that others have.
pool()
{
	local asked=$1 pages=/sys/kernel/mm/hugepages/hugepages-2048kB given free reserved
	[ -r "$POOL" ] || skip "no pool of huge pages here: there is no $POOL"
	[ -d "$pages" ] || skip "the huge pages here are not of 2 MiB: there is no $pages"
	needs_root "the pool of huge pages is the machine's"
	read_pool
	asked=$((asked + given - free + reserved))
	echo "$asked" >"$POOL" || skip "$POOL cannot be set to $asked"
	read_pool
	[ "$given" -ge "$asked" ] || skip "the kernel has given $given huge pages of the $asked that it was asked for"
	echo "$1 wanted: $given given, $free of them free, $reserved reserved"
	[ "$((free - reserved))" -eq "$1" ]
}

read_pool() # sets the caller's given, free, reserved
{
	given=$(cat "$pages/nr_hugepages") free=$(cat "$pages/free_hugepages") reserved=$(cat "$pages/resv_hugepages")
}

# not_advised [COMMAND]: after it, in mounts of its own, nothing is said of huge pages to a program that could do with some.
not_advised()
{
	rm -rf recording
	# shellcheck disable=SC2016
	unshare --mount --propagation private bash -c '
		mount -t tmpfs tmpfs /dev/shm && eval "$2" &&
			"$0" run --quiet --report=none -o recording -- "$1/huge-page-advice"' \
		"$SHMGUARD" "$BUILD/tests/rules" "${1-:}"
	report recording >report.json
	jq -e '.objects | length == 1' report.json
	jq -e '[.findings[] | select(.rule == "huge-page-advice")] == []' report.json
}

# huge CODE: as `program`, with HUGE, an object of four huge pages, and what maps and touches it.
huge()
{
	program "PAGE, NORESERVE = 2 << 20, 0x4000
HUGE = os.memfd_create('huge', 4 | 1); os.ftruncate(HUGE, 4 * PAGE)
def touch(address, pages):
    for page in range(pages): ctypes.memset(address + page * PAGE, 7, 1)
def at(flags=1):
    address = libc.mmap(None, ctypes.c_size_t(4 * PAGE), 3, flags, HUGE, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value: raise OSError(ctypes.get_errno(), 'mmap')
    return address
$1"
}

# recorded_python: ./program.py is recorded; its status in $status, the report in report.json.
recorded_python()
{
	status=0
	record recording "$PYTHON" program.py >out || status=$?
	report recording >report.json
}

@test "the pool covers it: nothing is said" {
	pool 4
	huge 'touch(at(1 | NORESERVE), 4)'
	recorded_python
	[ "$status" -eq 0 ]
	holds '[.findings[] | select(.rule | test("huge-page|sigbus"))] == []'
}

@test "pages that the object has already need no others" {
	pool 4
	huge 'touch(at(), 2); touch(at(1 | NORESERVE), 4)'
	recorded_python
	[ "$status" -eq 0 ]
	holds '[.findings[] | select(.rule | test("huge-page|sigbus"))] == []'
}

@test "the pool is too small: foretold with its numbers, and the death says where" {
	pool 3
	huge 'touch(at(1 | NORESERVE), 4)'
	recorded_python
	[ "$status" -eq 135 ]
	holds '[.findings[] | select(.rule == "huge-page-unbacked" and .severity == "error")][0].message
		| test("maps 8388608 bytes of huge pages .* has 6291456")'
	holds '[.findings[] | select(.rule == "sigbus-cause")][0].message
		| test("at offset 6291456: there was no huge page for it \\(0 bytes free in the pool\\)")'
}

@test "another process took the pages in between: no page, though there had been enough" {
	pool 4
	huge 'address = at(1 | NORESERVE); touch(address, 1)
if os.fork() == 0:
    other = os.memfd_create("other", 4 | 1); os.ftruncate(other, 3 * PAGE)
    theirs = libc.mmap(None, ctypes.c_size_t(3 * PAGE), 3, 1, other, ctypes.c_long(0))
    touch(theirs, 3); os.write(ready[1], b"x"); __import__("signal").pause()
os.read(ready[0], 1)
touch(address, 2)'
	sed -i 's/^address = at/ready = os.pipe(); &/' program.py
	# The child outlives the death of its parent.
	sed -i 's/__import__("signal").pause()/__import__("time").sleep(3); os._exit(0)/' program.py
	recorded_python
	[ "$status" -eq 135 ]
	holds '[.findings[] | select(.rule == "huge-page-unbacked")] == []'
	holds '[.findings[] | select(.rule == "sigbus-cause")][0].message | test("at offset 2097152: there was no huge page")'
}

@test "denied where the pool is too small, and only there" {
	pool 3
	policy 'huge-page-unbacked = deny'
	huge 'attempt(at, 1 | NORESERVE); os.ftruncate(HUGE, 3 * PAGE); attempt(map, HUGE, 3 * PAGE, 3, 1 | NORESERVE)'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	[ "$(cat out)" = $'ENOMEM\nok mapped' ]
	grep -q 'huge-page-unbacked' audit.log
}

@test "fixed: the pages are touched at once, and ENOMEM comes instead of a SIGBUS" {
	pool 3
	policy 'huge-page-unbacked = fix'
	huge 'attempt(at, 1 | NORESERVE); os.ftruncate(HUGE, 2 * PAGE); attempt(map, HUGE, 2 * PAGE, 3, 1 | NORESERVE)
print([l.split()[1] for l in open("/proc/meminfo") if l.startswith("HugePages_Free")])'
	env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
	head -n 2 out | same /dev/stdin <(printf 'ENOMEM\nok mapped\n')
}

@test "misaligned in a pool that has pages" {
	pool 2
	huge 'attempt(map, HUGE, PAGE + 4096, 3, 1)
address = at(1 | NORESERVE); print(libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(4096)))'
	"$PYTHON" program.py >bare
	recorded_python
	same bare out
	holds '[.findings[] | select(.rule == "huge-page-misaligned") | .message] |
		any(test("offset 0 and length 2101248 .* pages have 2097152 bytes: the kernel")) and
		any(test("offset 0 and length 4096 .* pages have 2097152 bytes: EINVAL"))'
}

@test "survive does not reach huge pages: the death stays, and says why" {
	pool 1
	huge 'touch(at(1 | NORESERVE), 2)'
	status=0
	"$SHMGUARD" run --on-sigbus=survive --quiet --report=none -o recording -- "$PYTHON" program.py || status=$?
	[ "$status" -eq 135 ]
	report recording >report.json
	holds '[.findings[] | select(.rule == "sigbus-cause" and .severity == "error")] | length == 1'
}

@test "huge-page-unbacked is denied, or found out by a probe" {
	pool 0
	code='fd = libc.memfd_create(b"huge", 5); os.ftruncate(fd, 2 << 20); attempt(map, fd, 2 << 20, 3, 0x4001)
fd = os.memfd_create("small"); os.ftruncate(fd, 4096); attempt(map, fd, 4096, 3, 0x4001)'
	policy 'huge-page-unbacked = deny'
	guarded "$code"
	[ "$(cat out)" = $'ENOMEM\nok mapped' ]
	policy 'huge-page-unbacked = fix'
	guarded "$code"
	[ "$(cat out)" = $'ENOMEM\nok mapped' ]
	[ "$(grep -o 'rule=huge-page-unbacked .* errno=[A-Z0]*' audit.log | cut -d ' ' -f 3- | xargs)" = \
		'action=denied errno=ENOMEM action=denied errno=ENOMEM' ]
}

@test "no huge page" {
	pool 0
	recorded huge
	bare huge
	same bare recorded
	faults 1 'no_huge_page.* size = 8388608,'
}

@test "ls: huge pages" {
	pool 1
	in_machine 'zoo huge; "$SHMGUARD" ls --json >ls.json'
	[ "$(object memfd:huge '[.kind, .state, .size, .mapped] | @csv')" = '"memfd","unlinked",2097152,1' ]
}

@test "huge-page-advice: nothing where the kernel makes none for tmpfs, or makes them without being asked" {
	[ -r "$ENABLED" ] || skip "this kernel makes no huge pages for tmpfs: there is no $ENABLED"
	needs_root "the setting is the machine's"
	not_advised "mount -o remount,huge=always /dev/shm"
	echo deny >"$ENABLED"
	not_advised
	echo force >"$ENABLED"
	not_advised
}
