/* cancelled_opening DIRECTORY: threads that open it with O_CREAT, over and over, are cancelled. How many end by that? */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { THREADS = 200 };

static void *work(void *path)
{
	for (;;) {
		int fd = open(path, O_CREAT | O_RDONLY, 0600);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void *stay(void *context)
{
	pause();
	return context;
}

int main(int argc, char **argv)
{
	pthread_t other, thread;
	void *result;
	int cancelled = 0;

	if (argc != 2)
		return 2;
	/* With one thread alone open(2) is no cancellation point. */
	pthread_create(&other, NULL, stay, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_create(&thread, NULL, work, argv[1]);
		usleep(200 + i * 37 % 400);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		cancelled += result == PTHREAD_CANCELED;
	}
	printf("%d cancelled\n", cancelled);
	return 0;
}
