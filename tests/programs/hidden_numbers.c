/*
 * hidden_numbers forks|opens|closes CALL NAME: a thread makes that call on an object, over and over, and takes no descriptor
 * for it. forks: how many of the children that are forked meanwhile have one that their parent never had? opens: which numbers
 * does open(2) give meanwhile? closes: is the address of a socket free, and a lock of flock(2), once it was closed? Seldom
 * not, it is. NAME: of the object, as shm_open(3) has it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 8192, FORKS = 200, OPENS = 40000, CLOSES = 1000, SELDOM = 20, NUMBERS = 32 };

static atomic_bool stop;
static int object;
static char path[128], other[256], below[256];
static char inherited[NUMBERS];

static void map(unsigned turn)
{
	(void)turn;
	char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	at[0] = 1;
	munmap(at, SIZE);
}

static void resize(unsigned turn)
{
	ftruncate(object, SIZE + 4096 * (turn & 1));
}

static void grow(unsigned turn)
{
	ftruncate(object, SIZE + 100 + 64 * (turn % 1000));
}

static void resize_path(unsigned turn)
{
	truncate(path, SIZE + 4096 * (turn & 1));
}

static void chmod_fd(unsigned turn)
{
	(void)turn;
	fchmod(object, 0666);
}

static void chmod_path(unsigned turn)
{
	chmod(path, 0600 + (turn & 1) * 0040);
}

static void chmod_below(unsigned turn)
{
	chmod(below, 0600 + (turn & 1) * 0040);
}

static void link_path(unsigned turn)
{
	(void)turn;
	link(path, other);
	unlink(other);
}

static void rename_path(unsigned turn)
{
	rename(turn & 1 ? other : path, turn & 1 ? path : other);
}

static const struct {
	const char *name;
	void (*make)(unsigned turn);
} calls[] = {
	{"map", map},
	{"resize", resize},
	{"grow", grow},
	{"resize_path", resize_path},
	{"chmod_fd", chmod_fd},
	{"chmod_path", chmod_path},
	{"chmod_below", chmod_below},
	{"link_path", link_path},
	{"rename_path", rename_path},
};

static void *work(void *call)
{
	for (unsigned turn = 0; !stop || turn & 1; turn++)
		calls[*(size_t *)call].make(turn);
	return NULL;
}

static int any_more(void)
{
	for (int fd = object + 1; fd < NUMBERS; fd++)
		if (!inherited[fd] && fcntl(fd, F_GETFD) >= 0)
			return 1;
	return 0;
}

static void count_children(void)
{
	int found = 0, status;

	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();
		if (!child)
			_exit(any_more());
		waitpid(child, &status, 0);
		found += status != 0;
	}
	printf("%d\n", found);
}

static void list_numbers(void)
{
	char seen[NUMBERS] = "";

	for (int i = 0; i < OPENS; i++) {
		int fd = open("/dev/null", O_RDONLY);
		seen[fd < NUMBERS ? fd : NUMBERS - 1] = 1;
		close(fd);
	}
	for (int fd = 0; fd < NUMBERS; fd++)
		if (seen[fd])
			printf("%d after the object\n", fd - object);
}

static void close_and_use(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int in_use = 0, locked = 0;

	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hidden_numbers-%d", (int)getpid());
	for (int i = 0; i < CLOSES; i++) {
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		bool used = bind(fd, (struct sockaddr *)&address, sizeof address) != 0;
		int file = open(below, O_RDWR);
		bool taken = flock(file, LOCK_EX | LOCK_NB) != 0;
		usleep(50);
		close(fd);
		close(file);
		in_use += used;
		locked += taken;
		/* What a busy machine holds up is counted once. */
		if (used || taken)
			usleep(2000);
	}
	printf("address %s, lock %s\n", in_use < CLOSES / SELDOM ? "free" : "in use",
	       locked < CLOSES / SELDOM ? "free" : "taken");
}

int main(int argc, char **argv)
{
	pthread_t thread;
	size_t call = 0;

	while (call < sizeof calls / sizeof *calls && argc == 4 && strcmp(argv[2], calls[call].name) != 0)
		call++;
	if (argc != 4 || call == sizeof calls / sizeof *calls)
		return 2;
	snprintf(path, sizeof path, "/dev/shm%s", argv[3]);
	snprintf(other, sizeof other, "%s-other", path);
	snprintf(below, sizeof below, "%s-d", path);
	mkdir(below, 0700);
	snprintf(below, sizeof below, "/dev/shm/.%s-d/x", argv[3]);
	close(open(below, O_CREAT | O_RDWR, 0600));
	object = shm_open(argv[3], O_CREAT | O_RDWR, 0600);
	ftruncate(object, SIZE);
	for (int fd = 0; fd < NUMBERS; fd++)
		inherited[fd] = fcntl(fd, F_GETFD) >= 0;
	pthread_create(&thread, NULL, work, &call);
	if (strcmp(argv[1], "forks") == 0)
		count_children();
	else if (strcmp(argv[1], "opens") == 0)
		list_numbers();
	else
		close_and_use();
	stop = true;
	pthread_join(thread, NULL);
	unlink(below);
	*strrchr(below, '/') = 0;
	rmdir(below);
	return shm_unlink(argv[3]);
}
