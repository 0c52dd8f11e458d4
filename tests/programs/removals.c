/*
 * removals HOW ROUNDS NAME PATH: creates what has the name, PATH by open(2), over and over while a child takes it away by
 * HOW, in a loop until that succeeds ("HOW-told": once it was told that it is there). Prints how often it did. "over" renames
 * another object over it, or before it: then there is nothing to create.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	atomic_int wanted, made, gone;
} * turn;

static const char *how, *name, *path, *file;
static char directory[256], away[300];
static int at;

static bool is(const char *what)
{
	return strcmp(how, what) == 0;
}

static int take_away(void)
{
	if (is("shm_unlink"))
		return shm_unlink(name);
	if (is("sem_unlink"))
		return sem_unlink(name);
	if (is("unlink"))
		return unlink(file);
	if (is("unlinkat"))
		return unlinkat(at, file, 0);
	if (is("remove"))
		return remove(path);
	return is("over") ? rename(away, path) : rename(path, away);
}

static void make(void)
{
	if (is("sem_unlink")) {
		sem_t *made = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
		if (made == SEM_FAILED)
			exit(2);
		sem_close(made);
		return;
	}
	int flags = O_CREAT | O_EXCL | O_RDWR,
	    fd = is("shm_unlink") ? shm_open(name, flags, 0600) : open(path, flags, 0600);
	if (fd < 0 && !(is("over") && errno == EEXIST))
		exit(2);
	close(fd);
}

static void remover(int rounds, bool told)
{
	take_away();
	atomic_store(&turn->wanted, 1);
	for (int i = 1; i <= rounds; i++) {
		if (is("over"))
			close(open(away, O_CREAT | O_EXCL | O_RDWR, 0600));
		while (atomic_load(&turn->wanted) < i || (told && atomic_load(&turn->made) < i))
			sched_yield();
		while (take_away() != 0)
			sched_yield();
		if (is("rename"))
			unlink(away);
		atomic_store(&turn->gone, i);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	bool told = strlen(argv[1]) > 5 && strcmp(argv[1] + strlen(argv[1]) - 5, "-told") == 0;
	how = strndup(argv[1], strlen(argv[1]) - (told ? 5 : 0));
	int rounds = atoi(argv[2]), status;
	name = argv[3];
	path = argv[4];
	file = strrchr(path, '/') + 1;
	snprintf(directory, sizeof directory, "%.*s", (int)(file - path), path);
	snprintf(away, sizeof away, "%s.away", path);
	at = open(directory, O_PATH | O_DIRECTORY);
	turn = mmap(NULL, sizeof *turn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at < 0 || fchdir(at) < 0 || turn == MAP_FAILED)
		return 2;
	pid_t child = fork();
	if (child == 0)
		remover(rounds, told);
	shm_unlink("/removals-warm");
	for (int i = 1; i <= rounds; i++) {
		while (i == 1 && !atomic_load(&turn->wanted))
			sched_yield();
		atomic_store(&turn->wanted, i);
		/* At whatever moment of the child's call. */
		for (volatile int rest = i % 64 * 512; rest > 0; rest--)
			;
		make();
		atomic_store(&turn->made, i);
		while (atomic_load(&turn->gone) < i)
			sched_yield();
		if (is("over"))
			unlink(path);
	}
	waitpid(child, &status, 0);
	printf("%d\n", atomic_load(&turn->gone));
	return status != 0;
}
