#!/usr/bin/env bats
# What a process keeps over exec(2) and a child by fork(2) does not have: under `run`, which forks, the command has it all the
# same. The program `before` sets one, or none, and executes what it is told to; `after` says what it has.

load helpers
bats_require_minimum_version 1.5.0

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return
	cat >before.c <<-'END'
		#define _GNU_SOURCE
		#include <sched.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/prctl.h>
		#include <sys/sem.h>
		#include <sys/time.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			struct itimerval timer = {{7, 0}, {500, 0}};
			char number[20];
			sigset_t set;
			if (!strcmp(argv[1], "timers") && (setitimer(ITIMER_REAL, &timer, NULL) ||
			    setitimer(ITIMER_VIRTUAL, &timer, NULL) || setitimer(ITIMER_PROF, &timer, NULL)))
				return 11;
			if (!strcmp(argv[1], "alarm"))
				alarm(1);
			if (!strcmp(argv[1], "death") && prctl(PR_SET_PDEATHSIG, SIGTERM))
				return 12;
			if (!strcmp(argv[1], "reaper") && prctl(PR_SET_CHILD_SUBREAPER, 1))
				return 13;
			if (!strcmp(argv[1], "reset")) {
				struct sched_param none = {0};
				if (sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none))
					return 14;
			}
			if (!strcmp(argv[1], "pending")) {
				sigemptyset(&set);
				sigaddset(&set, SIGUSR1);
				sigaddset(&set, SIGALRM);
				sigaddset(&set, SIGRTMIN + 3);
				sigprocmask(SIG_BLOCK, &set, NULL);
				raise(SIGUSR1);
				for (int i = 0; i < 3; i++)
					sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 40 + i});
				ualarm(1000, 0);
				usleep(20000);
			}
			if (!strcmp(argv[1], "semaphore")) {
				int sem = semget(IPC_PRIVATE, 1, 0600);
				if (semctl(sem, 0, SETVAL, 1) || semop(sem, &(struct sembuf){0, -1, SEM_UNDO}, 1))
					return 15;
				sprintf(number, "%d", sem);
				setenv("SEM", number, 1);
			}
			execvp(argv[2], argv + 2);
			return 16;
		}
	END
	cat >after.c <<-'END'
		#define _GNU_SOURCE
		#include <sched.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/prctl.h>
		#include <sys/sem.h>
		#include <sys/time.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void orphan(void)
		{
			const char *sem = getenv("SEM");
			pid_t parent = getpid();
			int ends[2], pid = -1;
			if (pipe(ends))
				exit(2);
			if (fork() == 0) {
				pid_t middle = getpid();
				if (fork() == 0) {
					while ((pid = getppid()) == middle)
						usleep(1000);
					if (write(ends[1], &pid, sizeof pid) < 0)
						_exit(3);
					for (int i = 0; sem && i < 2000 && semctl(atoi(sem), 0, GETVAL) != 1; i++)
						usleep(1000);
					if (sem && printf("semaphore %d\n", semctl(atoi(sem), 0, GETVAL)) > 0)
						semctl(atoi(sem), 0, IPC_RMID);
					fflush(stdout);
				}
				_exit(0);
			}
			wait(NULL);
			if (read(ends[0], &pid, sizeof pid) < 0)
				exit(4);
			printf("orphans are mine: %d\n", pid == parent);
		}
		int main(void)
		{
			struct itimerval timer;
			siginfo_t info;
			sigset_t all;
			int value;
			for (int which = 0; which < 3; which++) {
				getitimer(which, &timer);
				printf("timer %d: %d, every %ld\n", which, timer.it_value.tv_sec > 400, timer.it_interval.tv_sec);
			}
			prctl(PR_GET_PDEATHSIG, &value);
			printf("at the parent's death: %d\n", value);
			prctl(PR_GET_CHILD_SUBREAPER, &value);
			printf("reaper: %d\n", value);
			printf("policy: %x\n", (unsigned)sched_getscheduler(0));
			sigfillset(&all);
			while ((value = sigtimedwait(&all, &info, &(struct timespec){0})) > 0)
				printf("pending: %d, code %d, value %d, own %d\n", value, info.si_code,
				       info.si_code == SI_QUEUE ? info.si_value.sival_int : 0,
				       info.si_code <= 0 && info.si_pid == getpid());
			printf("semaphore %d\n", getenv("SEM") ? semctl(atoi(getenv("SEM")), 0, GETVAL) : -1);
			fflush(stdout);
			orphan();
			fflush(stdout);
			return 0;
		}
	END
	gcc -o before before.c
	gcc -o after after.c
	export BEFORE=$PWD/before AFTER=$PWD/after
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# The process that had sent them has become `run`.
as_bare()
{
	"$BEFORE" "$1" "$AFTER" | sed 's/, own 1/, own 0/' >bare
	"$BEFORE" "$1" "$SHMGUARD" run --quiet --report=none -o recording -- "$AFTER" | sed 's/, own 1/, own 0/' >recorded
	cat bare
	same bare recorded
}

@test "interval timers are the command's" {
	as_bare timers
	[ "$(grep -c '^timer .: 1, every 7$' bare)" -eq 3 ]
}

@test "an alarm that is set before ends the command, and not run" {
	run -142 "$BEFORE" alarm "$SHMGUARD" run --quiet --report=none -o recording -- sleep 20
	[ "$(jq .command_status recording/recording.json)" -eq 14 ]
}

@test "the signal for a parent's death is the command's, and comes when run dies, too" {
	as_bare death
	grep -qx "at the parent's death: 15" bare
	# shellcheck disable=SC2016
	"$BEFORE" death "$SHMGUARD" run --quiet --report=none -o killed -- sh -c 'echo $$ >pid; exec sleep 60' 3>&- &
	timeout 20 sh -c 'until [ -s pid ]; do sleep 0.1; done'
	kill -KILL $!
	for _ in $(seq 100); do
		[ -e "/proc/$(cat pid)" ] || break
		sleep 0.05
	done
	[ ! -e "/proc/$(cat pid)" ]
}

@test "who takes orphans in does so as the command" {
	as_bare reaper
	grep -qx 'orphans are mine: 1' bare
}

@test "a policy that is reset on fork is the command's" {
	as_bare reset
	grep -qx 'policy: 40000003' bare
}

@test "signals that were pending are pending in the command" {
	as_bare pending
	[ "$(grep -c '^pending: ' bare)" -eq 5 ]
}

@test "what is to be undone of semaphores is undone at the command's end" {
	as_bare semaphore
	[ "$(grep '^semaphore' bare | tr '\n' ' ')" = "semaphore 0 semaphore 1 " ]
}

@test "of what was not set nothing is" {
	as_bare none
	[ "$(grep -cE '^timer .: 0, every 0$|: 0$|^semaphore -1$' bare)" -eq 8 ]
}

# limited LIMITS COMMAND...: in a shell that has set them by ulimit; as nobody with TO=as_nobody.
limited()
{
	# shellcheck disable=SC2016
	"${TO:-env}" bash -c 'ulimit $0 || exit 98; exec "$@"' "$@"
}

@test "a small stack and no pending signals for the command: run and LTTng's daemons have what the hard limit allows" {
	# shellcheck disable=SC2016
	for limits in "-Ss 32" "-Ss 64" "-Ss 128" "-Si 0" "-Ss 128 -Si 0"; do
		rm -rf recording
		limited "$limits" sh -c 'ulimit -Ss; ulimit -Hs; exec cat /proc/self/limits' >bare
		limited "$limits" "$SHMGUARD" run --quiet --report=none -o recording -- \
			sh -c 'ulimit -Ss; ulimit -Hs; exec cat /proc/self/limits' >recorded 2>said
		same bare recorded
		[ ! -s said ]
		rm -rf recording
		limited "$limits" "$SHMGUARD" run --quiet --report=none -o recording -- "$PROGRAMS/hostile_processes" plain
		report recording >report.json || "$SHMGUARD" report --format=json recording >report.json
		holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length == 1)'
	done
}

@test "root's hard limits are raised for LTTng's daemons, too, and the command has its own" {
	prlimit --pid $$ --nofile=$(($(ulimit -Hn) + 1)) || skip "needs CAP_SYS_RESOURCE: hard limits are raised"
	# shellcheck disable=SC2016
	for limits in "-s 64" "-i 0"; do
		rm -rf recording
		limited "$limits" "$SHMGUARD" run --quiet --report=none -o recording -- \
			sh -c 'ulimit -H "${0%% *}"; exec "$1" plain' "$limits" "$PROGRAMS/hostile_processes" >out
		[ "$(head -n 1 out)" = "${limits#* }" ]
		"$SHMGUARD" report --format=json recording >report.json
		holds '.trace.lost == 0 and .trace.complete and .unseen == [] and (.objects | length == 1)'
	done
}

@test "too low a hard limit of the stack, or of pending signals, for LTTng's daemons: one line names it, and 125" {
	make_nobody_build
	chmod 755 "$NOBODY_HOME" "$NOBODY_BUILD"
	TO=as_nobody
	for limits in "-s 64" "-s 40" "-i 0" "-i 4"; do
		run -125 limited "$limits" "$NOBODY_BUILD/shmguard" run -o "$NOBODY_HOME/recording" -- echo ran
		# LTTng's library may have a word to say before.
		case $limits in
		-s*) [ "${lines[-1]}" = "shmguard: RLIMIT_STACK (ulimit -Hs) is $((${limits#* } * 1024)), and run and LTTng's daemons need 262144 bytes" ] ;;
		-i*) [ "${lines[-1]}" = "shmguard: RLIMIT_SIGPENDING (ulimit -Hi) is ${limits#* }, and LTTng's daemons need 6 for their timers" ] ;;
		esac
		[ ! -e "$NOBODY_HOME/recording" ]
	done
	run -0 limited "-i 40" "$NOBODY_BUILD/shmguard" run -o "$NOBODY_HOME/recording" -- echo ran
	remove_nobody_build
}
