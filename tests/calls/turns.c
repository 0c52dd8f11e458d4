/* Means by which processes take turns: made in an object, in memory of the program's own, and of all sorts wrongly. */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>

#include "print.h"

static char own[PAGE] __attribute__((aligned(64)));

static void rwlocks(void *memory)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	CALL(pthread_rwlock_init(memory, NULL));
	CALL(pthread_rwlock_init(memory, &attributes));
	pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CALL(pthread_rwlock_init(memory, &attributes));
	CALL(pthread_rwlock_wrlock(memory));
	CALL(pthread_rwlock_tryrdlock(memory));
	CALL(pthread_rwlock_unlock(memory));
	CALL(pthread_rwlock_destroy(memory));
}

static void barriers(void *memory)
{
	pthread_barrierattr_t attributes;

	pthread_barrierattr_init(&attributes);
	CALL(pthread_barrier_init(memory, NULL, 1));
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	CALL(pthread_barrier_init(memory, &attributes, 0));
	CALL(pthread_barrier_init(memory, &attributes, 1));
	CALL(pthread_barrier_wait(memory));
	CALL(pthread_barrier_destroy(memory));
}

static void spins(pthread_spinlock_t *lock)
{
	CALL(pthread_spin_init(lock, PTHREAD_PROCESS_PRIVATE));
	CALL(pthread_spin_init(lock, PTHREAD_PROCESS_SHARED));
	CALL(pthread_spin_init(lock, 77));
	CALL(pthread_spin_lock(lock));
	CALL(pthread_spin_trylock(lock));
	CALL(pthread_spin_unlock(lock));
}

static void semaphores(sem_t *semaphore)
{
	CALL(sem_init(semaphore, 0, 1));
	CALL(sem_init(semaphore, 1, (unsigned)SEM_VALUE_MAX + 1));
	CALL(sem_init(semaphore, 1, 1));
	CALL(sem_wait(semaphore));
	CALL(sem_trywait(semaphore));
	CALL(sem_post(semaphore));
}

static void futexes(uint32_t *word)
{
	struct timespec soon = {0, 1000};

	*word = 7;
	CALL(syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0));
	CALL(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	CALL(syscall(SYS_futex, word, FUTEX_WAIT, 8, NULL, NULL, 0));
	CALL(syscall(SYS_futex, word, FUTEX_WAIT, 7, &soon, NULL, 0));
	CALL(syscall(SYS_futex, nowhere, FUTEX_WAKE, 1, NULL, NULL, 0));
	CALL(syscall(SYS_futex, word, 127, 1, NULL, NULL, 0));
}

static void system_v(void)
{
	struct sembuf up = {0, 1, 0}, down = {0, -1, IPC_NOWAIT};
	struct timespec soon = {0, 1000};
	int id = semget(IPC_PRIVATE, 1, 0600);

	CALL(semop(id, &up, 1));
	CALL(semtimedop(id, &down, 1, &soon));
	CALL(semop(id, &down, 1));
	down.sem_flg = 0;
	CALL(semtimedop(id, &down, 1, &soon));
	CALL(semop(id, (struct sembuf *)nowhere, 1));
	CALL(semop(-1, &up, 1));
	CALL(semctl(id, 0, IPC_RMID));
}

static void file_locks(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path("lock"), O_CREAT | O_RDWR, 0600), other = open(path("lock"), O_RDWR);

	CALL(flock(fd, LOCK_EX));
	CALL(flock(other, LOCK_EX | LOCK_NB));
	CALL(flock(fd, LOCK_UN));
	CALL(flock(-1, LOCK_SH));
	CALL(flock(fd, 99));
	CALL(lockf(fd, F_LOCK, 10));
	CALL(lockf(fd, F_TEST, 10));
	CALL(lockf64(fd, F_ULOCK, 10));
	CALL(lockf64(-1, F_TLOCK, 0));
	CALL(lockf(fd, 99, 0));
	CALL(fcntl(fd, F_SETLK, &whole));
	CALL(fcntl(fd, F_SETLKW, &whole));
	CALL(fcntl(other, F_OFD_SETLK, &whole));
	CALL(fcntl(fd, F_GETLK, &whole));
	CALL(fcntl(fd, F_SETLK, nowhere));
	CALL(fcntl(-1, F_SETLK, &whole));
	close(fd);
	close(other);
	CALL(unlink(path("lock")));
}

static void everything(void *memory)
{
	rwlocks(memory);
	barriers(memory);
	spins(memory);
	semaphores(memory);
	futexes(memory);
}

static void in_object(void)
{
	const char *name = object("turns");
	int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

	CALL(ftruncate(fd, (off_t)PAGE));
	everything(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	show_fd(fd);
	close(fd);
	CALL(shm_unlink(name));
}

static void in_child_of_mine(void)
{
	everything(own);
}

/* Before the first object is made, in a fork that makes none, and after it. */
int main(void)
{
	begin();
	in_child("a child", in_child_of_mine);
	everything(own);
	system_v();
	file_locks();
	in_object();
	system_v();
	file_locks();
	show_descriptors();
	end();
	return 0;
}
