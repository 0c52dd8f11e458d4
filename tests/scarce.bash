# shellcheck shell=bash
# What becomes scarce, or ends, while programs are recorded: memory, files and libraries that libshmguard.so asks for, and
# LTTng's daemons.

# Makes ./scarce.so: of its askings the one numbered by SCARCE fails or, where that is negative, all from there on. Preloaded
# behind ours it stands where the C library does for it. How many there were goes into the file SCARCE_COUNT.
scarce()
{
	cat >scarce.c <<-'END_OF_SOURCE'
		#include <dlfcn.h>
		#include <errno.h>
		#include <fcntl.h>
		#include <link.h>
		#include <stdarg.h>
		#include <stdatomic.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		static atomic_int count;
		static int fails(void *caller)
		{
			struct dl_find_object object;
			const char *at = getenv("SCARCE"), *file;
			if (_dl_find_object(caller, &object) || !(file = strrchr(object.dlfo_link_map->l_name, '/')) ||
			    strcmp(file, "/libshmguard.so"))
				return 0;
			int n = atomic_fetch_add(&count, 1) + 1, which = at ? atoi(at) : 0;
			return n == which || (which < 0 && n >= -which);
		}
		static int error_of(long number, long flags)
		{
			switch (number) {
			case SYS_mmap:
				/* Others are LTTng's own. */
				return flags & MAP_NORESERVE ? ENOMEM : 0;
			case SYS_madvise:
				return ENOMEM;
			case SYS_openat:
			case SYS_socket:
				return EMFILE;
			case SYS_fstat:
			case SYS_newfstatat:
			case SYS_readlinkat:
			case SYS_statfs:
			case SYS_fstatfs:
				return ENOMEM;
			default:
				return 0;
			}
		}
		long syscall(long number, ...)
		{
			static long (*next)(long, ...);
			long a[6];
			va_list list;
			va_start(list, number);
			for (int i = 0; i < 6; i++)
				a[i] = va_arg(list, long);
			va_end(list);
			if (!next)
				next = dlsym(RTLD_NEXT, "syscall");
			if (error_of(number, a[3]) && fails(__builtin_return_address(0))) {
				errno = error_of(number, a[3]);
				return -1;
			}
			return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		}
		void *dlopen(const char *name, int flags)
		{
			static void *(*next)(const char *, int);
			if (!next)
				next = dlsym(RTLD_NEXT, "dlopen");
			return fails(__builtin_return_address(0)) ? NULL : next(name, flags);
		}
		__attribute__((destructor)) static void end(void)
		{
			const char *name = getenv("SCARCE_COUNT");
			FILE *file = name ? fopen(name, "w") : NULL;
			if (file && fprintf(file, "%d\n", (int)count) > 0)
				fclose(file);
		}
	END_OF_SOURCE
	gcc -w -D_GNU_SOURCE -shared -fPIC scarce.c -o scarce.so
}

# scarce_sweep STEP: the usual program, recorded, with every STEP-th asking failing, alone and with all that follow it.
scarce_sweep()
{
	scarce
	"$PROGRAMS/hostile_usual" >bare
	cat >sweep.sh <<-'END_OF_SCRIPT'
		export LD_PRELOAD=$LD_PRELOAD:$PWD/scarce.so
		SCARCE_COUNT=$PWD/count "$PROGRAMS/hostile_usual" >counted || exit 1
		[ "$(cat count)" -gt 30 ] || { echo "$(cat count) askings"; exit 1; }
		for ((n = 1; n <= $(cat count); n += $1)); do
			for which in "$n" "-$n"; do
				rm -f /dev/shm/hostile-usual
				status=0
				SCARCE=$which timeout -k 1 30 "$PROGRAMS/hostile_usual" >got 2>messages || status=$?
				[ "$status" -eq 0 ] && cmp -s bare got && [ ! -s messages ] ||
					{ echo "$which: status $status"; diff bare got; cat messages; }
			done
		done >wrong
		[ ! -s wrong ]
	END_OF_SCRIPT
	"$SHMGUARD" run --quiet --report=none -o recording -- bash sweep.sh "$1" || { cat wrong; return 1; }
}

# daemon_is SIGNAL DAEMON: while a program is busy; what runs and starts then ends as bare, and the report is not complete.
daemon_is()
{
	rm -rf recording
	export SIGNAL=$1 DAEMON=$2
	# shellcheck disable=SC2016
	timeout -k 1 100 "$SHMGUARD" run --quiet --report=none -o recording -- bash -c '
		"$PROGRAMS/rate" 100000 2 2 >rate & sleep 0.7
		pkill "-$SIGNAL" -x "lttng-$DAEMON"
		timeout -k 1 60 "$PROGRAMS/hostile_usual" >got && timeout -k 1 60 "$PROGRAMS/hostile_processes" forks 1 >forked &&
			wait $!' 2>messages
	same bare got
	[ "$(cat forked)" = "went on" ]
	read -r calls _ <rate
	[ "$calls" -eq 200000 ]
	report recording >report.json
	holds '.trace.complete | not'
}
export -f daemon_is same report holds
