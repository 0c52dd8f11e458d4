#!/usr/bin/env bats
# Whose objects must be, and whose they are taken for: owner, allow-uid.
bats_require_minimum_version 1.5.0
load helpers
load enforce
load enforce_users

@test "owner: objects must belong to one of these, neither root nor the own user is one by itself" {
	install -m 666 /dev/null "/dev/shm/$NAME"
	install -m 666 -o 65534 /dev/null "/dev/shm/$NAME-given"
	install -m 666 -o 4242 /dev/null "/dev/shm/$NAME-beside"
	policy 'foreign-owner = deny' 'owner = 65534' 'allow-uid = 4242'
	guarded 'attempt(shm_open, NAME, os.O_RDWR); attempt(os.open, PATH + "-given", os.O_RDWR); attempt(os.open, PATH + "-beside", os.O_RDWR)
attempt(shm_open, NAME + "-own", RWC, mode=0o600); attempt(os.open, PATH + "-own2", RWC | os.O_EXCL, 0o600)
print(len(os.listdir("/proc/self/fd"))); attempt(os.truncate, PATH, 0); attempt(os.truncate, PATH + "-given", 8)'
	sed 's/^ok .*/ok/' out | grep -v '^[0-9]' | same /dev/stdin <(printf '%s\n' EACCES ok ok EACCES EACCES EACCES ok)
	[ ! -e "/dev/shm/$NAME-own" ] && [ ! -e "/dev/shm/$NAME-own2" ]
}

@test "owner: an object of nobody else is put into place, by rename or link" {
	local code='TMPFILE = os.O_TMPFILE | os.O_RDWR
def placed(call, *args):
    attempt(call, *args); os.path.exists(PATH) and os.stat(PATH).st_uid != 4242 and os.unlink(PATH)
def made(path): os.close(os.open(path, RWC, 0o600)); return path
def linked():
    fd = os.open("/dev/shm", TMPFILE, 0o600)
    if libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, PATH.encode(), 0x400): raise OSError(ctypes.get_errno(), "")
def exchanged(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2): raise OSError(ctypes.get_errno(), "")
placed(os.rename, made(PATH + "-t"), PATH); placed(os.link, made(PATH + "-t"), PATH); placed(linked)
given = made(PATH + "-given"); os.chown(given, 4242, -1); placed(os.rename, given, PATH); attempt(exchanged, made(PATH + "-t"), PATH)
attempt(os.rename, PATH + "-t", PATH + "-u"); attempt(os.link, PATH + "-u", PATH + "-v"); attempt(os.link, PATH, PATH + "-w")'
	policy '[s]' "name = /$NAME" 'owner = 4242' 'foreign-owner = deny'
	guarded "$code"
	same out <(printf '%s\n' EACCES EACCES EACCES 'ok None' EACCES 'ok None' 'ok None' 'ok None')
	[ "$(stat -c %u "/dev/shm/$NAME")" -eq 4242 ]
	for line in 'owner = 4242, 0' 'allow-uid = 4242' 'mode = audit'; do
		rm -f "/dev/shm/$NAME"*
		policy "$line" 'foreign-owner = deny'
		guarded "$code"
		run -1 grep -v '^ok' out
	done
}

@test "owner and allow-uid make what the own user has made no stranger's" {
	for keys in 'owner = 4242' 'allow-uid = 4242' 'owner = 0' 'world-readable = note'; do
		policy "$keys" 'unlink-by-stranger = deny' 'create-without-excl = deny'
		rm -f "/dev/shm/$NAME"*
		by 1234 -b 'for name in "", "-2": shm_open(NAME + name, RWC, mode=0o666)'
		by 65534 -b 'shm_open(NAME + "-other", RWC, mode=0o666)'
		by 1234 'shm_open(NAME + "-own", RWC, mode=0o600)
attempt(shm_open, NAME + "-own", RWC); attempt(shm_unlink, NAME + "-own"); attempt(shm_open, NAME, RWC); attempt(os.rename, PATH, PATH + "-3")
attempt(os.unlink, PATH + "-2"); attempt(shm_open, NAME + "-other", RWC)'
		same <(sed 's/^ok .*/ok/' out) <(printf '%s\n' ok ok ok ok ok EEXIST)
		mkdir -m 777 "/dev/shm/$NAME-d"
		install -o 65534 /dev/null "/dev/shm/$NAME-d/other"
		by 1234 'attempt(os.unlink, PATH + "-d/other")'
		rm -r "/dev/shm/$NAME-d"
		[ "$(cat out)" = EACCES ]
	done
}

@test "owner: an object is given to nobody else, by any call" {
	policy 'foreign-owner = deny' 'allow-uid = 4242'
	guarded 'fd = shm_open(NAME, RWC, mode=0o600); at = os.open("/dev/shm", os.O_RDONLY)
attempt(os.fchown, fd, 65534, -1); attempt(os.chown, PATH, 65534, -1); attempt(os.lchown, PATH, 65534, -1)
attempt(os.chown, NAME[1:], 65534, -1, dir_fd=at); attempt(os.chown, "/proc/self/fd/%d" % fd, 65534, 0)
attempt(os.fchown, fd, -1, 65534); attempt(os.fchown, fd, 0, -1)'
	[ "$(cat out)" = $'EACCES\nEACCES\nEACCES\nEACCES\nEACCES\nok None\nok None' ]
	[ "$(stat -c '%u %g' "/dev/shm/$NAME")" = '0 65534' ]
	guarded 'attempt(os.chown, PATH, 4242, -1)'
	[ "$(cat out)" = 'ok None' ] && [ "$(stat -c %u "/dev/shm/$NAME")" -eq 4242 ]
}

@test "what a program makes as another user, or gives to its client, is its own" {
	program 'def made(): return shm_open(NAME, RWC | os.O_EXCL, mode=0o600)
def used(): attempt(shm_open, NAME, os.O_RDWR); attempt(os.truncate, PATH, 8); attempt(shm_unlink, NAME)
libc.setfsuid(65534); fd = made(); os.ftruncate(fd, 4096); attempt(shm_open, NAME, os.O_RDWR); attempt(shm_unlink, NAME)
fd = made(); libc.setfsuid(0); used()
os.seteuid(65534); fd = made(); os.seteuid(0); used()
fd = made(); attempt(os.fchown, fd, 65534, 65534); used()'
	for profile in '' safe; do
		env ${profile:+LD_PRELOAD="$BUILD/libshmguard.so" SHMGUARD_PROFILE=$profile} "$PYTHON" program.py | sed 's/^ok [0-9]*/ok/' >"out$profile"
	done
	[ "$(grep -c '^ok' out)" -eq 12 ]
	same out outsafe
}

@test "owner and allow-uid decide what a recording calls foreign, too" {
	install -m 644 -o 65534 /dev/null "/dev/shm/$NAME-given"
	install -m 644 /dev/null "/dev/shm/$NAME"
	program 'shm_open(NAME, os.O_RDWR); shm_open(NAME + "-given", os.O_RDWR)'
	for keys in '' 'allow-uid = 65534' 'owner = 65534'; do
		policy "$keys"
		rm -rf recording
		"$SHMGUARD" run --quiet --report=none --policy policy.ini -o recording -- "$PYTHON" program.py
		"$SHMGUARD" report --format=json recording | jq -r '[.findings[] | select(.rule == "foreign-owner") | .message | capture("(?<n>/enforce[-a-z0-9]*)").n] | join(" ")'
	done >out
	same out <(printf '%s\n' "/$NAME-given" '' "/$NAME")
}
