#!/usr/bin/env bats
# shmguard doctor: what is made wrong is called so, and the command that it names cures it.

bats_require_minimum_version 1.5.0

load helpers
load machine
load cgroup
load doctor

# And a clock that is an hour ahead.
setup_file()
{
	make_copy
	gcc -shared -fPIC -o "$COPY/later" -x c - <<-END
		#include <sys/syscall.h>
		#include <time.h>
		#include <unistd.h>
		int clock_gettime(clockid_t clock, struct timespec *now)
		{
			int result = syscall(SYS_clock_gettime, clock, now);
			now->tv_sec += clock == CLOCK_REALTIME ? 3600 : 0;
			return result;
		}
	END
}

teardown_file()
{
	remove_copy
}

setup()
{
	needs_root "a machine of its own"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

teardown()
{
	[ -z "${GROUP:-}" ] || rmdir "$GROUP/inner" 2>/dev/null || true
	remove_group
}

# ids FILE: of its checks, in order.
ids()
{
	jq -r '[.checks[].id] | join(" ")' "$1"
}

@test "doctor: every line of a machine, a recording tried, nothing of it left" {
	in_machine '
		mount --bind "$BUILD" /mnt; exec 3>doctor.json 4>status 5>left 6>nobody.json
		mount -t tmpfs -o mode=1777 tmpfs /tmp
		/mnt/shmguard doctor --json >&3 || echo "$?" >&4
		as_user /mnt/shmguard doctor --json >&6 || true
		{ ls -A /tmp /dev/shm; ls /run/lttng 2>&1; pgrep lttng; } >&5 || true'
	fit doctor.json
	[ "$(ids doctor.json)" = "shm-mounted shm-type shm-size shm-usage shm-inodes shm-writable shm-options shm-root \
cgroup-memory cgroup-hugetlb overcommit huge-pages shmem-thp memlock nofile fsize as map-count files proc \
protected-regular memfd-noexec remove-ipc shmmax shmall lttng lttng-daemon recording" ]
	[ "$(are doctor.json lttng lttng-daemon recording)" = 'ok ok ok' ]
	[ "$(are nobody.json lttng lttng-daemon recording)" = 'ok - ok' ]
	grep -v '^$' left >names
	same names - <<-END
		/dev/shm:
		/tmp:
		ls: cannot access '/run/lttng': No such file or directory
	END
	# Only what is bad changes the exit status.
	[ "$(cat status)" = "$(jq -r 'if .counts.bad > 0 then 1 else "" end' doctor.json)" ]
	[ "$(jq '[.checks[] | select(.fitness == "ok")] | length' doctor.json)" -eq "$(jq .counts.ok doctor.json)" ]
}

@test "doctor: /dev/shm small, full, out of inodes; the named command cures it" {
	in_machine '
		no_lttng
		mount -t tmpfs -o mode=1777,nosuid,nodev,size=2m,nr_inodes=40 tmpfs /dev/shm
		doctor small.json; echo "$status" >status
		head -c 2M /dev/zero >/dev/shm/fill; touch /dev/shm/{1..38}
		doctor young.json
		export LD_PRELOAD=$COPY/later
		doctor full.json
		eval "$(change full.json shm-inodes)"
		PATH=$BUILD:$PATH; eval "$(change full.json shm-usage) --force" >cleaned
		eval "$(change full.json shm-size)"
		doctor cured.json'
	[ "$(cat status)" -eq 1 ]
	[ "$(are small.json shm-size shm-usage shm-inodes)" = 'bad ok ok' ]
	says small.json shm-size '2.0M, 0.0'
	[ "$(are full.json shm-usage shm-inodes)" = 'bad bad' ]
	[ "$(change young.json shm-usage)" = "$(change full.json shm-size)" ]
	says full.json shm-usage '2.0M (100%), 0 left; 2.0M of it in 39 ghosts that nobody holds'
	says full.json shm-inodes '0 of 40 left'
	[ "$(are cured.json shm-size shm-usage shm-inodes)" = 'ok ok ok' ]
	[ "$(jq '.checks[] | select(.id == "shm-size") | .values.size * 2 / .values.memory * 100 | round' cured.json)" -eq 100 ]
}

@test "doctor: /dev/shm read-only, not sticky, another's, with weak options, not mounted, not there" {
	in_machine '
		no_lttng
		mount -t tmpfs -o ro,mode=0777,uid=1234 tmpfs /dev/shm
		doctor wrong.json
		eval "$(change wrong.json shm-writable)"
		eval "$(change wrong.json shm-root)"
		eval "$(change wrong.json shm-options)"
		doctor cured.json
		mount -o remount,size=0 /dev/shm; doctor unlimited.json
		chmod 0777 /dev/shm; doctor loose.json
		mount --bind "$PWD" /dev/shm; doctor disk.json; umount /dev/shm
		while umount /dev/shm 2>/dev/null; do :; done
		doctor none.json
		eval "$(change none.json shm-mounted)"
		doctor again.json
		mount -t tmpfs tmpfs /dev
		"$SHMGUARD" doctor --json >gone.json || true'
	[ "$(are wrong.json shm-writable shm-root shm-options)" = 'bad bad warn' ]
	says wrong.json shm-root '0777 of 1234: its owner may remove'
	[ "$(are cured.json shm-writable shm-root shm-options)" = 'ok ok ok' ]
	says cured.json shm-root '1777 of root'
	[ "$(are unlimited.json shm-size)" = warn ]
	[ "$(are loose.json shm-root)" = bad ]
	says loose.json shm-root 'not sticky'
	[ "$(are disk.json shm-type)" = bad ]
	[ "$(are none.json shm-mounted)" = bad ]
	[ "$(are again.json shm-mounted shm-root shm-options)" = 'ok ok ok' ]
	[ "$(are gone.json shm-mounted)" = bad ]
	says gone.json shm-mounted 'there is no /dev/shm'
	fit wrong.json unlimited.json disk.json none.json gone.json
}

@test "doctor: limits, and the command that raises them" {
	in_machine '
		no_lttng
		doctor usual.json
		bash -c "ulimit -Sl 32; ulimit -Sn 40; ulimit -Sf 100; ulimit -Sv 400000; doctor low.json
			for id in memlock nofile fsize as; do eval \"\$(change low.json \$id)\"; done; doctor raised.json"
		ulimit -Sn 500; ulimit -Hn 500; ulimit -Sf 9999
		doctor soft.json
		as_user "$COPY/shmguard" doctor --json >nobody.json || true'
	[ "$(are usual.json fsize as)" = 'ok ok' ]
	[ "$(are low.json memlock nofile fsize as)" = 'bad bad bad warn' ]
	says low.json memlock '32K, can be raised to'
	says low.json nofile 40
	[ "$(are raised.json memlock nofile fsize as)" = 'ok ok ok ok' ]
	[ "$(are soft.json nofile fsize)" = 'warn warn' ]
	says soft.json fsize '9.8M, can be raised to unlimited'
	[ "$(change soft.json nofile)" = "prlimit --pid \$\$ --nofile=65536" ]
	jq -e '.counts.bad == 1 and .counts.warn > 1' nobody.json
}

# setting PATH VALUE: the file says so, on this machine alone.
setting()
{
	echo "$2" >"setting${1//\//.}"
	mount --bind "setting${1//\//.}" "$1"
}
export -f setting

@test "doctor: settings of the kernel, huge pages, /proc" {
	in_machine '
		no_lttng
		setting /proc/sys/vm/max_map_count 1000; setting /proc/sys/vm/overcommit_memory 2
		setting /proc/sys/fs/protected_regular 0; setting /proc/sys/kernel/shmmax 4096
		setting /proc/sys/kernel/shmall 18446744073692774399
		setting /proc/sys/fs/file-nr "$(printf "99\t0\t100")"; setting /proc/sys/fs/file-max 100
		[ ! -e /proc/sys/vm/memfd_noexec ] || setting /proc/sys/vm/memfd_noexec 2
		setting /sys/kernel/mm/transparent_hugepage/shmem_enabled "always within_size advise never deny [force]"
		for file in /sys/kernel/mm/hugepages/*/nr_hugepages; do setting "$file" 4; done
		for file in /sys/kernel/mm/hugepages/*/{free_hugepages,resv_hugepages}; do setting "$file" 2; done
		doctor bad.json
		setting /proc/sys/vm/max_map_count 65530; setting /proc/sys/vm/overcommit_memory 1
		setting /proc/sys/fs/protected_regular 2; setting /proc/sys/kernel/shmmax 18446744073692774399
		mount -t tmpfs tmpfs /proc/sys
		mkdir -p /proc/sys/vm /proc/sys/kernel; echo words >/proc/sys/vm/overcommit_memory
		doctor odd.json
		mount -t tmpfs tmpfs /proc; doctor without.json; umount /proc
		mount -o remount,hidepid=2 /proc
		as_user "$COPY/shmguard" doctor --json >hidden.json || true'
	[ "$(are bad.json map-count protected-regular shmmax shmall)" = \
		'bad warn warn ok' ]
	[[ "$(are bad.json overcommit)" =~ ^(warn|bad)$ ]]
	says bad.json shmmax "4.0K: too little for most programs that use shmget(); System V's alone"
	[ "$(are bad.json files shmem-thp huge-pages)" = 'bad warn warn' ]
	[ ! -e /proc/sys/vm/memfd_noexec ] || [ "$(are bad.json memfd-noexec)" = warn ]
	says bad.json huge-pages 'a pool is used up'
	[ "$(are odd.json map-count overcommit)" = 'ok warn' ]
	says odd.json map-count 'this kernel has no such setting'
	[ "$(are without.json proc map-count shmmax)" = 'bad warn warn' ]
	[ "$(are without.json shm-mounted)" = ok ]
	says without.json map-count 'not known: /proc/sys/vm/max_map_count: No such file'
	says hidden.json proc 'processes are not seen'
	fit bad.json odd.json without.json hidden.json
}

@test "doctor: memory limits of a group above the one that it is in" {
	make_group $((48 << 20))
	mkdir "$GROUP/inner" 2>/dev/null || true
	(echo "$BASHPID" >"$GROUP/inner/cgroup.procs" && in_machine "no_lttng; doctor group.json")
	[ "$(are group.json cgroup-memory)" = warn ]
	says group.json cgroup-memory "48M, of which"
	says group.json cgroup-memory "$(basename "$GROUP")/memory."
	says group.json cgroup-memory 'less than /dev/shm has room for'
	[[ "$(change group.json cgroup-memory)" == echo*"$(basename "$GROUP")/memory."* ]]
	[[ "$(change group.json shm-size)" == *size=25M* ]]
}

@test "doctor: memory and hugetlb limits of version 2, and a group whose name a shell would read" {
	local hierarchy
	hierarchy=$(findmnt -nro TARGET -t cgroup2 | head -n 1)
	GROUP=$hierarchy/"shmguard-test.\$\$' $$"
	[ -n "$hierarchy" ] && mkdir "$GROUP" "$GROUP/inner" 2>/dev/null || skip "no group of version 2 can be made here"
	# Only the names of files are laid over the groups: of the machine's own limits nothing is asked.
	(echo "$BASHPID" >"$GROUP/inner/cgroup.procs" && GROUP=$GROUP OVER=$hierarchy in_machine '
		no_lttng
		mount -t tmpfs tmpfs "$OVER"; mkdir -p "$GROUP/inner"
		echo max >"$GROUP/inner/memory.max"; echo max >"$GROUP/inner/hugetlb.2MB.max"
		doctor none.json
		echo 41943040 >"$GROUP/memory.max"; echo 40000000 >"$GROUP/memory.current"
		printf "anon 1\ninactive_file 39000000\n" >"$GROUP/memory.stat"
		doctor cache.json
		echo "anon 1" >"$GROUP/memory.stat"
		echo 2097152 >"$GROUP/hugetlb.2MB.max"; echo 2097152 >"$GROUP/hugetlb.2MB.current"
		doctor full.json
		eval "$(change full.json cgroup-memory)"; eval "$(change full.json cgroup-hugetlb)"
		doctor cured.json
		mount -t tmpfs tmpfs /sys/kernel/mm/hugepages
		mkdir /sys/kernel/mm/hugepages/hugepages-{64,2048,1048576}kB
		echo max >"$GROUP/hugetlb.64KB.max"; echo 0 >"$GROUP/hugetlb.1GB.max"
		doctor larger.json')
	[ "$(are none.json cgroup-memory cgroup-hugetlb)" = 'ok ok' ]
	[ "$(are cache.json cgroup-memory cgroup-hugetlb)" = 'warn ok' ]
	says cache.json cgroup-memory "40M, of which 977K are used, by $GROUP/memory.max"
	[ "$(are full.json cgroup-memory cgroup-hugetlb)" = 'bad bad' ]
	[ "$(are cured.json cgroup-memory cgroup-hugetlb)" = 'ok ok' ]
	[ "$(are larger.json cgroup-hugetlb)" = bad ]
	says larger.json cgroup-hugetlb "0, of which 0 are used, by $GROUP/hugetlb.1GB.max"
	jq -e '[.checks[] | select(.id == "cgroup-memory") | .values.limit, .values.used] == [41943040, 1000000]' cache.json
}

@test "doctor: RemoveIPC, by the file of systemd that counts, for users whom it concerns" {
	in_machine '
		no_lttng
		theirs() # FILE
		{
			as_user "$COPY/shmguard" doctor --json >"$1" || true
		}
		mount -t tmpfs tmpfs /etc/systemd; mkdir -p /run/systemd/system /etc/systemd/logind.conf.d /run/systemd/logind.conf.d
		printf "[Login]\n#RemoveIPC=no\n[Other]\nRemoveIPC=no\n" >/etc/systemd/logind.conf
		doctor root.json; theirs default.json
		printf "[Login]\n RemoveIPC = off \n" >/run/systemd/logind.conf.d/50-off.conf; theirs off.json
		printf "[Login]\nRemoveIPC=1\n" >/etc/systemd/logind.conf.d/60-on.conf; theirs on.json
		ln -s /dev/null /etc/systemd/logind.conf.d/50-off.conf; rm /etc/systemd/logind.conf.d/60-on.conf; theirs masked.json
		mkdir bin; printf "#!/bin/sh\necho \"\$@\" >restarted\n" >bin/systemctl; chmod +x bin/systemctl; PATH=$PWD/bin:$PATH
		eval "$(change masked.json remove-ipc)"; theirs cured.json
		mount -t tmpfs tmpfs /run; theirs booted.json'
	[ "$(are root.json remove-ipc) $(are default.json remove-ipc) $(are off.json remove-ipc)" = 'ok warn ok' ]
	says root.json remove-ipc 'but not for root, a system user'
	says default.json remove-ipc "yes, by default: nobody's objects go with the last logout"
	says off.json remove-ipc 'no, by /run/systemd/logind.conf.d/50-off.conf'
	[ "$(are on.json remove-ipc) $(are masked.json remove-ipc) $(are cured.json remove-ipc)" = 'warn warn ok' ]
	says on.json remove-ipc 'yes, by /etc/systemd/logind.conf.d/60-on.conf'
	[ "$(cat restarted)" = 'restart systemd-logind' ]
	says booted.json remove-ipc 'systemd does not run here'
}

@test "doctor: no room for ring buffers anywhere, and the command that makes some" {
	in_machine '
		mount --bind "$BUILD" /mnt; SHMGUARD=/mnt/shmguard
		mount -t tmpfs -o size=1m tmpfs /tmp; mount -t tmpfs -o size=1m tmpfs /run
		doctor full.json true
		eval "$(change full.json recording)"
		doctor cured.json true
		mount -o remount,size=1m /run; "$SHMGUARD" doctor true >full.txt || true'
	[ "$(are full.json lttng lttng-daemon recording)" = 'ok ok bad' ]
	says full.json recording 'MB of ring buffers in /tmp/shmguard-'
	[ "$(are cured.json recording)" = ok ]
	[ "$(tail -n 1 full.txt)" = 'true can be held to a policy here, but not recorded.' ]
}

@test "doctor: a session daemon that is stopped is found, with the command that continues it" {
	in_machine '
		lttng-sessiond --no-kernel --daemonize
		kill -STOP "$(cat /run/lttng/lttng-sessiond.pid)"
		doctor stopped.json
		eval "$(change stopped.json lttng-daemon)"
		doctor continued.json'
	[ "$(are stopped.json lttng lttng-daemon recording)" = 'ok bad -' ]
	says stopped.json lttng-daemon 'is stopped (SIGSTOP)'
	[ "$(are continued.json lttng-daemon recording)" = 'ok ok' ]
}

@test "doctor: colours on a terminal alone, and not with NO_COLOR; what is wrong stands last; nothing beyond the screen" {
	in_machine '
		no_lttng
		export TERM=xterm COLUMNS=80
		script -qec "$SHMGUARD doctor" /dev/null </dev/null >terminal.txt || true
		NO_COLOR=1 script -qec "$SHMGUARD doctor" /dev/null </dev/null >plain.txt || true
		"$SHMGUARD" doctor >pipe.txt || true'
	grep -q $'\e\[1;31mbad' terminal.txt
	run -1 grep $'\e' plain.txt pipe.txt
	[ "$(tail -n 1 pipe.txt)" = '1 bad: LTTng' ]
	# Only commands, which a shell is to read as one, may be longer.
	[ "$(grep -vE '^      (Set by|To change it): ' pipe.txt | wc -L)" -le 80 ]
	[ "$(grep -cE '^      (Set by|To change it): ' pipe.txt)" -ge 20 ]
}
