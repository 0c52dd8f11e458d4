#!/usr/bin/env bats
# The audit trail: whole lines from threads, forks and signal handlers, a limit to how many, and where they can go.
load helpers
load enforce

LINE='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z pid=[0-9]+ exe=/[^ ]+ rule=[a-z-]+ object=[^ ]+ action=(recorded|fixed|denied|audit) errno=[A-Z0-9]+ at=[^ ]+( held-back=[0-9]+)?$'

whole_lines()
{
	! grep -Evn "$LINE" "$1"
}

@test "threads, forks and a signal handler leave whole lines" {
	policy 'world-writable = deny'
	guarded 'import signal, threading
def one(*_):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for child in range(8):
    if os.fork() == 0:
        signal.signal(signal.SIGALRM, one); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        threads = [threading.Thread(target=lambda: [one() for _ in range(300)]) for _ in range(4)]
        [t.start() for t in threads]; [one() for _ in range(300)]; [t.join() for t in threads]
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
signal.setitimer(signal.ITIMER_REAL, 0)'
	[ ! -e "/dev/shm/$NAME" ]
	whole_lines audit.log
	[ "$(sed 's/.* pid=\([0-9]*\) .*/\1/' audit.log | sort -u | wc -l)" -ge 8 ]
}

@test "ten lines a second for a place, and a count of what was held back" {
	policy 'world-writable = deny'
	guarded 'import time
def burst():
    for _ in range(50):
        try:
            shm_open(NAME, RWC, mode=0o666)
        except PermissionError:
            pass
burst(); time.sleep(1.1); burst()'
	whole_lines audit.log
	[ "$(wc -l <audit.log)" -ge 20 ] && [ "$(wc -l <audit.log)" -le 40 ]
	grep -q 'held-back=[1-9]' audit.log
}

@test "the log outlives a closed range of descriptors, chdir and chroot" {
	[ "$(id -u)" -eq 0 ] || skip "chroot needs root"
	policy 'world-writable = deny'
	mkdir -p root/dev/shm
	guarded 'os.closerange(3, 10000); os.chdir("/"); attempt(shm_open, NAME, RWC, mode=0o666)
os.chroot("'"$PWD"'/root"); attempt(shm_open, NAME, RWC, mode=0o666); sys.stdout.flush(); os._exit(0)'
	whole_lines audit.log
	grep -q 'action=denied errno=EACCES' audit.log
}

@test "stderr gets the lines, syslog gets datagrams" {
	policy 'world-writable = deny'
	sed -i 's/^log = .*/log = stderr/' policy.ini
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666)' 2>err
	whole_lines err && [ "$(wc -l <err)" -eq 1 ]
	[ "$(id -u)" -eq 0 ] || skip "a /dev/log needs root"
	[ ! -e /dev/log ] || skip "there is a /dev/log"
	"$PYTHON" -c 'import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("/dev/log"); s.settimeout(20); open("bound", "w").close()
print(s.recv(4096).decode()); os.unlink("/dev/log")' >datagram &
	reader=$! # bats keeps a job of its own, which a plain wait would wait for
	until [ -e bound ]; do sleep 0.05; done
	sed -i 's/^log = .*/log = syslog/' policy.ini
	guarded 'attempt(shm_open, NAME, RWC, mode=0o666)'
	wait "$reader"
	grep -Eq '^<84>shmguard: 2[^ ]* pid=.* rule=world-writable .* action=denied errno=EACCES' datagram
}

@test "what was held back is told at the latest when the process exits, ends at once or becomes another program" {
	for how in 'pass' 'os._exit(0)' 'os.execv("/bin/true", ["true"])'; do
		policy 'world-writable = deny'
		rm -f audit.log
		guarded 'for i in range(500):
    try:
        shm_open(NAME, RWC, mode=0o666)
    except PermissionError:
        pass
'"$how"
		whole_lines audit.log
		# Each decision is a line, or counted by one.
		[ "$(awk '{lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 500 ]
		[ "$(wc -l <audit.log)" -lt 100 ]
	done
}

@test "a place that went quiet has its count told by the next line, of any place" {
	policy 'world-writable = deny' 'max-size = 1K' 'object-too-large = deny'
	guarded 'import time, signal
for i in range(50):
    attempt(shm_open, NAME, RWC, mode=0o666)
time.sleep(1.1); attempt(os.ftruncate, shm_open(NAME, RWC, mode=0o600), 2048); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)' || true
	whole_lines audit.log
	[ "$(sed -n 's/.*rule=world-writable .*held-back=//p' audit.log | awk '{sum += $1 + 1} END {print sum}')" -gt 0 ]
	[ "$(awk '/rule=world-writable/ {lines++} match($0, /held-back=[0-9]+/) {held += substr($0, RSTART + 10, RLENGTH - 10)} END {print lines + held}' audit.log)" -eq 50 ]
}
