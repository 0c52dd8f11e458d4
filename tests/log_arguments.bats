#!/usr/bin/env bats
# Lines of the log of calls: what was passed, how it is written, and what of it was not recorded.

bats_require_minimum_version 1.5.0

load helpers
load forms

@test "log: arguments as they were passed, flags by their names, and no call that nobody made" {
	cd "$BATS_TEST_TMPDIR"
	cat >passed.py <<-'END'
		import ctypes, os
		libc = ctypes.CDLL(None, use_errno=True)
		libc.mmap.restype = ctypes.c_void_p
		def path(name): return f"/dev/shm/passed-{os.getpid()}-{name}".encode()
		def memory(*rest): return libc.mmap(*rest[:5], ctypes.c_long(rest[5]))
		fd = os.open(path("u"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
		os.ftruncate(fd, 16384)
		at = ctypes.c_void_p(memory(None, ctypes.c_size_t(16384), 3, 1, fd, 0))
		libc.mlock(at, ctypes.c_size_t(100))
		libc.mlock2(at, ctypes.c_size_t(100), 1)
		libc.munlock(at, ctypes.c_size_t(100))
		memory(at, ctypes.c_size_t(4096), 1, 0x11, fd, 0)
		memory(ctypes.c_void_p(at.value + 4096), ctypes.c_size_t(4096), 0, 0x32, -1, 0)
		libc.munmap(ctypes.c_void_p(at.value + 8192), ctypes.c_size_t(1))
		libc.memfd_create(b"huge", 4 | 21 << 26)
		os.chmod(path("u"), 0o400)
		libc.link(path("u"), path("v"))
		libc.link(path("u"), path("v"))
		libc.link(path("none"), path("never"))
		libc.link(b"/none", b"/never")
		libc.rename(path("v"), path("w"))
		libc.renameat2(-100, path("w"), -100, path("u"), 2)
		os.unlink(path("w"))
		os.unlink(path("u"))
		os.dup2(os.dup(fd), fd)
		again = os.dup(fd)
		os.close(again)
		os.dup(fd)
	END
	record passed "$PYTHON" passed.py
	"$SHMGUARD" log passed | sed 's/^[0-9]* *[0-9.]* //; s/passed-[0-9]*-//g; s/0x[0-9a-f]\{5,\}/ADDRESS/g; s/ \/\*.*//' >got
	grep -qxF 'mlock(ADDRESS, 100) = 0' got
	grep -qxF 'mlock2(ADDRESS, 100, MLOCK_ONFAULT) = 0' got
	grep -qxF 'munlock(ADDRESS, 100) = 0' got
	[ "$(grep munmap got)" = 'munmap(ADDRESS, 1) = 0' ]
	[ "$(grep -c '^close(' got)" -eq 1 ]
	grep -qE '^mmap\(ADDRESS, 4096, PROT_READ, MAP_SHARED\|MAP_FIXED, [0-9]+, 0\) = ADDRESS$' got
	grep -qxF 'mmap(ADDRESS, 4096, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0) = ADDRESS' got
	grep -qF 'memfd_create("huge", MFD_HUGETLB|MFD_HUGE_2MB) = ' got
	grep -qxF 'chmod(..., 0400) = 0' got
	[ "$(grep '^link(' got)" = 'link("/dev/shm/u", "/dev/shm/v") = 0
link("/dev/shm/u", "/dev/shm/v") = -1 EEXIST (File exists)
link("/dev/shm/none", "/dev/shm/never") = -1 ENOENT (No such file or directory)' ]
	grep -qxF 'rename("/dev/shm/v", "/dev/shm/w") = 0' got
	grep -qxF 'renameat2(..., "/dev/shm/w", ..., "/dev/shm/u", RENAME_EXCHANGE) = 0' got
}

@test "log: a call has the arguments that it takes, those that were not recorded as ..., and one line" {
	cd "$BATS_TEST_TMPDIR"
	cat >taken.c <<-'END'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <pthread.h>
		#include <semaphore.h>
		#include <stdlib.h>
		#include <sys/file.h>
		#include <sys/mman.h>
		#include <sys/stat.h>
		#include <unistd.h>
		int main(void)
		{
			char plain[] = "/dev/shm/XXXXXX", ends[] = "/dev/shm/XXXXXX.s";
			int fd = shm_open("/taken", O_CREAT | O_RDWR, 0640);
			pthread_mutexattr_t attributes;
			pthread_mutex_t *mutex;
			if (ftruncate(fd, 4096))
				return 1;
			mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			pthread_mutexattr_init(&attributes);
			pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
			pthread_mutex_init(mutex, &attributes);
			sem_open("/taken", O_CREAT, 0600, 3);
			sem_open("/taken", 0);
			flock(fd, LOCK_EX | LOCK_NB);
			open("/dev/shm/taken", O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
			open("/dev/shm/taken", O_RDWR | O_CREAT | O_APPEND, 07);
			open("/dev/shm", O_RDWR | O_TMPFILE, 0600);
			creat("/dev/shm/taken", 0640);
			mkstemp(plain);
			mkostemps(ends, 2, O_APPEND);
			chmod(plain, 0);
			mknod("/dev/shm/node", S_IFREG | 0600, 0);
			unlink("/dev/shm/node");
			unlink(plain);
			unlink(ends);
			sem_unlink("/taken");
			shm_unlink("/taken");
			return 0;
		}
	END
	cc -o takes taken.c
	record taken ./takes
	"$SHMGUARD" log taken | grep -vE '\*\*\*|\+\+\+|unlink|ftruncate|mmap' |
		sed -E 's/^[0-9]* *[0-9.]* //; s/0x[0-9a-f]{5,}/ADDRESS/g; s/ \/\*.*//; s/\/[A-Za-z0-9]{6}(\.s)?"/\/NAME\1"/; s/ = [0-9]{1,2}$/ = N/' >got
	same got - <<-'END'
		shm_open("/taken", O_RDWR|O_CREAT, 0640) = N
		pthread_mutex_init(ADDRESS, ...) = N
		sem_open("/taken", O_CREAT, 0600, ...) = ADDRESS
		sem_open("/taken", 0) = ADDRESS
		flock(...) = ?
		open("/dev/shm/taken", O_RDONLY|O_DIRECTORY|O_NOFOLLOW) = -1 ENOTDIR (Not a directory)
		open("/dev/shm/taken", O_RDWR|O_CREAT|O_APPEND, 007) = N
		open("/dev/shm", O_RDWR|O_TMPFILE, 0600) = N
		creat("/dev/shm/taken", 0640) = N
		mkstemp("/dev/shm/NAME") = N
		mkostemps("/dev/shm/NAME.s", ..., O_APPEND) = N
		chmod(..., 000) = N
		mknod("/dev/shm/node", 0600, ...) = N
	END
}

@test "log: the semaphore that sem_close was called for, until its last time and then" {
	cd "$BATS_TEST_TMPDIR"
	cat >gate.c <<-'END'
		#include <fcntl.h>
		#include <semaphore.h>
		int main(void)
		{
			sem_t *first = sem_open("/gate", O_CREAT, 0600, 1), *other = sem_open("/other", O_CREAT, 0600, 1);
			sem_open("/gate", 0);
			sem_close(first);
			sem_close(first);
			sem_close(other);
			sem_unlink("/other");
			return sem_unlink("/gate");
		}
	END
	cc -o gate gate.c
	record gated ./gate
	"$SHMGUARD" log --object=/sem.gate gated >got
	[ "$(grep -c 'sem_close(0x[0-9a-f]*) = 0 /\* /sem.gate, 32 bytes \*/$' got)" -eq 2 ]
	[ "$(wc -l <got)" -eq 5 ]
	"$SHMGUARD" log --object=/sem.other gated >got
	[ "$(grep -c 'sem_close(0x[0-9a-f]*) = 0 /\* /sem.other, 32 bytes \*/$' got)" -eq 1 ]
}
