#!/usr/bin/env bats
# What an earlier run left is judged before it is open: that shows in nothing that the call does, or is refused.
load helpers
load enforce
bats_require_minimum_version 1.5.0

# The rules that ask of what was left.
RULES=('stale-bytes = fix' 'stale-bytes = deny' 'stale-reattach = fix' 'stale-reattach = deny' 'zero = on-attach')

# leave [MODE [OWNER]]: an object of an earlier run's.
leave()
{
	printf stale >"/dev/shm/$NAME"
	chmod "${1:-0600}" "/dev/shm/$NAME"
	[ $# -lt 2 ] || chown "$2" "/dev/shm/$NAME"
	sleep 0.05
}

# by_rules CODE RULE... -- COMMAND...: the program, run by the command, prints the same under each rule alone as without.
by_rules()
{
	local rules=()
	program "$1"
	shift
	while [ "$1" != -- ]; do
		rules+=("$1")
		shift
	done
	shift
	leave "${LEFT[@]}"
	"$@" "$PYTHON" program.py >bare
	for rule in "${rules[@]}"; do
		rm -f "/dev/shm/$NAME" audit.log
		leave "${LEFT[@]}"
		policy 'create-without-excl = off' 'predictable-name = off' "$rule"
		"$@" env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py >out
		echo "$rule"
		same bare out
	done
}

@test "what may only be written is empty once it was opened to be emptied, locked or not" {
	needs_root "another user"
	LEFT=(0200 65534)
	by_rules 'os.seteuid(65534); fd = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600); print(os.stat(PATH).st_size)' \
		'stale-bytes = fix' 'stale-bytes = deny' 'zero = on-attach' --
	by_rules 'import fcntl
os.seteuid(65534); held = os.open(PATH, os.O_WRONLY); fcntl.lockf(held, fcntl.LOCK_EX)
fd = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600); print(os.stat(PATH).st_size)' \
		'stale-bytes = fix' 'stale-bytes = deny' 'zero = on-attach' --
}

@test "below a root without /proc what is opened to be emptied is empty, and told as left by no rule" {
	needs_root "chroot"
	mkdir -p root/dev/shm
	LEFT=()
	# shellcheck disable=SC2016
	for how in RDWR WRONLY; do
		by_rules "os.chroot('root'); fd = os.open(PATH, os.O_$how | os.O_CREAT | os.O_TRUNC, 0o600); print(os.stat(PATH).st_size)" \
			'stale-bytes = fix' 'stale-bytes = deny' -- \
			unshare --mount --propagation private bash -c 'mount --bind /dev/shm root/dev/shm; exec "$@"' -
		run -1 grep stale-bytes audit.log
	done
}

@test "where no process is seen the bytes of what is opened to be emptied are told of by no rule, others are" {
	needs_root "mount"
	LEFT=()
	for flags in 'RWC | os.O_TRUNC' RWC; do
		# shellcheck disable=SC2016
		by_rules "fd = os.open(PATH, $flags, 0o600); print(os.stat(PATH).st_size)" 'stale-bytes = deny' -- \
			unshare --mount --propagation private bash -c 'mount -t tmpfs none /proc; exec "$@"' -
		grep -c 'rule=stale-bytes .* why=users-unknown' audit.log || true
	done >told
	[ "$(grep -x '[0-9]*' told)" = $'0\n1' ]
}

@test "what the kernel refuses to open keeps its bytes and its name" {
	needs_root "another user"
	LEFT=()
	by_rules 'attempt(os.open, PATH, RWC | os.O_DIRECTORY); print(open(PATH).read())' "${RULES[@]}" --
	LEFT=(0666 1234)
	by_rules 'os.seteuid(65534)
attempt(os.open, PATH, RWC | os.O_NOATIME); attempt(os.open, PATH, RWC | os.O_NOATIME | os.O_TRUNC); print(open(PATH).read())' "${RULES[@]}" --
}

@test "who has a lease on what was left is waited for by the open alone, which a signal ends" {
	leave
	"$PYTHON" -c 'import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN); fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK); print("held", flush=True); time.sleep(60)' "/dev/shm/$NAME" >held 3>&- &
	holder=$!
	for _ in {1..100}; do
		[ ! -s held ] || break
		sleep 0.05
	done
	program 'import signal
signal.alarm(1); os.open(PATH, RWC, 0o600)'
	for rule in "${RULES[@]}"; do
		policy 'create-without-excl = off' 'predictable-name = off' "$rule"
		status=0
		timeout -s KILL 5 env SHMGUARD_POLICY="$PWD/policy.ini" LD_PRELOAD="$BUILD/libshmguard.so" "$PYTHON" program.py || status=$?
		echo "$rule $status"
	done >ended
	kill "$holder"
	same ended <(printf '%s 142\n' "${RULES[@]}")
}
