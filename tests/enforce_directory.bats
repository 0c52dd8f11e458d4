#!/usr/bin/env bats
# The policy at directories below /dev/shm: what is renamed with them, and what the kernel renames or links in no case.
load helpers
load enforce

teardown()
{
	rm -rf "/dev/shm/$NAME"-*
}

@test "a directory is renamed where names of the list may lie below it, or it holds nothing; elsewhere objects would follow" {
	policy "names = /$NAME-tmp*/data, /$NAME-d/*" 'name-not-allowed = deny'
	guarded 'D = PATH + "-"
def exchange(one, other):
    if libc.renameat2(-100, one.encode(), -100, other.encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), one)
os.mkdir(D + "tmp1"); os.close(os.open(D + "tmp1/data", RWC, 0o600))
attempt(os.rename, D + "tmp1", D + "d"); attempt(os.close, os.open(D + "d/data", os.O_RDWR))
attempt(os.rename, D + "d", D + "e"); attempt(os.rename, D + "d", D + "tmp"); attempt(os.rename, D + "tmp/", D + "d/")
os.makedirs(D + "e/deep"); attempt(os.rename, D + "e", D + "f"); attempt(os.rename, D + "d", D + "f"); os.rmdir(D + "f/deep")
attempt(exchange, D + "d", D + "f"); attempt(os.rename, D + "d/data", D + "f"); attempt(exchange, D + "d/data", D + "f")
os.mkdir(D + "d/x"); os.mkfifo(D + "d/x/y"); attempt(os.rename, D + "d/x", D + "x"); attempt(os.rename, D + "d/x", D + "d/z")
attempt(os.rename, D + "f", D + "d/z/y")'
	same out <(printf '%s\n' 'ok None' 'ok None' EACCES 'ok None' 'ok None' 'ok None' ENOTEMPTY EACCES EISDIR EACCES EACCES 'ok None' \
		ENOTDIR)
	# shellcheck disable=SC2001 # for each line
	[ "$(grep -o 'object=.* action=denied errno=EACCES' audit.log)" = "$(sed "s,.*,object=/$NAME-& action=denied errno=EACCES," <<<$'e\nf\nf\nx')" ]
	[ "$(cd /dev/shm && find "$NAME"-* | sort | xargs)" = "$NAME-d $NAME-d/data $NAME-d/z $NAME-d/z/y $NAME-f" ]
}

@test "what the kernel would not rename or link anyway fails as bare, whatever the names" {
	elsewhere=$(mktemp -d)
	code='D = PATH + "-"; AWAY = sys.argv[1] + "/"
for name in (D + "d", D + "full", AWAY + "d"):
    os.mkdir(name); open(name + "/in", "w").close()
os.mkdir(D + "d/e"); open(D + "x", "w").close(); open(AWAY + "x", "w").close()
def exchange(one, other):
    if libc.renameat2(-100, one.encode(), -100, other.encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), one)
for move in os.rename, exchange, os.link:
    for one, other in (AWAY + "x", D + "new"), (D + "x", AWAY + "new"), (AWAY + "d", D + "new"), (D + "d", AWAY + "new"), \
            (D + "d", D + "d/new"), (D + "d", D + "d/e"), (D + "d/e", D + "d"), (D + "d/in", D + "d"):
        attempt(move, one, other)
for one, other in (D + "d", D + "full"), (D + "x", D + "d"), (D + "d", D + "x"), (AWAY + "x", D + "d/new"), (D + "d", AWAY + "d"):
    attempt(os.rename, one, other)
attempt(os.link, D + "d", D + "new"); attempt(os.link, D + "x", D + "full/in"); attempt(exchange, D + "d", D + "new")'
	program "$code"
	"$PYTHON" program.py "$elsewhere" >bare
	rm -r "/dev/shm/$NAME"-* "${elsewhere:?}"/*
	for action in deny warn; do
		policy 'names = /none' "name-not-allowed = $action"
		: >audit.log
		# The names that it begins with are made by another.
		sed -i '/^for name in/,/^os.mkdir/d' program.py
		mkdir -p "/dev/shm/$NAME-d/e" "/dev/shm/$NAME-full" "$elsewhere/d"
		touch "/dev/shm/$NAME"-{d,full}/in "/dev/shm/$NAME-x" "$elsewhere"/{d/in,x}
		env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py "$elsewhere" >out
		diff bare out
		rm -r "/dev/shm/$NAME"-* "${elsewhere:?}"/*
	done
	rmdir "$elsewhere"
}

@test "links, FIFOs and sockets are no objects: the list has nothing to say of their names, but of what they replace" {
	policy 'name-not-allowed = deny' "names = /$NAME-x"
	guarded 'import socket
open(PATH + "-x", "w").close()
os.symlink("elsewhere", PATH + "-l"); os.rename(PATH + "-l", PATH + "-l2"); os.link(PATH + "-l2", PATH + "-l3", follow_symlinks=False)
os.mkfifo(PATH + "-f"); os.rename(PATH + "-f", PATH + "-f2")
s = socket.socket(socket.AF_UNIX); s.bind(PATH + "-s"); os.rename(PATH + "-s", PATH + "-s2")
attempt(os.rename, PATH + "-x", PATH + "-y"); print(os.path.lexists(PATH + "-l3"), os.path.exists(PATH + "-f2"), os.path.exists(PATH + "-s2"))'
	[ "$(tail -n 1 out)" = "True True True" ]
	[ -e "/dev/shm/$NAME-x" ]
	echo theirs >"/dev/shm/$NAME-t"
	guarded 'attempt(os.rename, PATH + "-l2", PATH + "-t")'
	[ "$(cat "/dev/shm/$NAME-t")" = theirs ]
	rm -f "/dev/shm/$NAME"-*
}
